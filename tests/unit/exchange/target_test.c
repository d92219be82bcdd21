/* SPDX-License-Identifier: Apache-2.0
 *
 * The operator's list of targets, and what channel_read makes of a Subscription: every element it refuses, by its place.
 */
#include "exchange/push/target.h"

#include "base/limits.h"
#include "exchange/push/channel.h"
#include "lib/t.h"

#include "base/banned.h"

static void test_allowed(void **state)
{
    static const struct {
        const char *list, *url;
        bool allowed;
    } cases[] = {
        {"", "https://a.example/", false},
        {NULL, "https://a.example/", false},
        {"https://a.example", "https://a.example/any?x", true},
        {"https://a.example", "http://a.example/", false},
        {"https://a.example", "https://a.example:8443/", false},
        {"https://a.example", "https://b.a.example/", false},
        {"https://a.example", "https://a.example.evil/", false},
        {"https://a.example:8443/hook", "https://a.example:8443/hook", true},
        {"https://a.example:8443/hook", "https://A.EXAMPLE:8443/hook/7?q", true},
        {"https://a.example:8443/hook", "https://a.example:8443/hooks", false},
        {"https://a.example:8443/hook", "https://a.example:8443/", false},
        {"https://a.example:8443/hook/", "https://a.example:8443/hook/7", true},
        {"  https://x.example   https://a.example ", "https://a.example/", true},
        {"loopback", "http://127.0.0.1:9/x", true},
        {"loopback", "http://localhost:9/x", true},
        {"loopback", "https://[::1]:9/x", true},
        {"loopback", "http://10.0.0.1/x", false},
        {"loopback", "https://127.0.0.1.evil.example/", false},
        {"loopback", "https://127.evil.example/", false},
        {"http://a.example", "http://b.example/", false},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct outbound_target t;
        assert_int_equal(outbound_url(slice_str(cases[i].url), &t), ERR_OK);
        if (target_allowed(cases[i].list, &t) != cases[i].allowed)
            fail_msg("%s in %s", cases[i].url, cases[i].list ? cases[i].list : "NULL");
    }
}

static void test_list(void **state)
{
    struct slice bad = SLICE_NONE;
    (void)state;
    assert_true(target_list_ok(NULL, &bad));
    assert_true(target_list_ok("", &bad));
    assert_true(target_list_ok("loopback https://a.example/x http://127.0.0.1:8080", &bad));
    assert_false(target_list_ok("https://a.example nonsense", &bad));
    assert_slice(bad, "nonsense");
    assert_false(target_list_ok("http://a.example", &bad));
    assert_slice(bad, "http://a.example");
}

#define CHANNEL(rest)                                                                              \
    "{\"resourceType\":\"Subscription\",\"status\":\"requested\",\"criteria\":\"Observation?code=1\"," \
    "\"channel\":{\"type\":\"rest-hook\"" rest "}}"

static void test_channel(void **state)
{
    static const struct {
        const char *json, *place; /* NULL: accepted */
    } cases[] = {
        {CHANNEL(""), NULL},
        {CHANNEL(",\"endpoint\":\"http://127.0.0.1:1/\""), NULL},
        {CHANNEL(",\"payload\":\"application/fhir+json\",\"header\":[\"A: b\"]"), NULL},
        {CHANNEL(",\"endpoint\":\"https://a.example/\""), "Subscription.channel.endpoint"},
        {CHANNEL(",\"endpoint\":\"gopher://a/\""), "Subscription.channel.endpoint"},
        {CHANNEL(",\"header\":[\"Host: b\"]"), "Subscription.channel.header"},
        {CHANNEL(",\"payload\":\"application/fhir+xml\""), "Subscription.channel.payload"},
        {"{\"criteria\":\"Observation\",\"channel\":{\"type\":\"sms\"}}", "Subscription.channel.type"},
        {"{\"criteria\":\"Observation\"}", "Subscription.channel.type"},
        {"{\"channel\":{\"type\":\"rest-hook\"}}", "Subscription.criteria"},
        {"{\"criteria\":\"HumanName\",\"channel\":{\"type\":\"rest-hook\"}}", "Subscription.criteria"},
        {"{\"criteria\":\"Observation\",\"end\":\"x\",\"channel\":{\"type\":\"rest-hook\"}}", "Subscription.end"},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct arena *arena = arena_new(LIMIT_MIB);
        struct json_fault fault;
        struct err_list errors;
        struct json *resource = NULL;
        struct channel channel = {0};
        err_list_init(&errors, arena);
        assert_int_equal(json_parse(arena, slice_str(cases[i].json), &resource, &fault), ERR_OK);
        enum err err = channel_read(arena, resource, "loopback", &errors, &channel);
        if ((err == ERR_OK) != !cases[i].place ||
            (err && strcmp(errors.first->place, cases[i].place) != 0))
            fail_msg("%s: %s %s", cases[i].json, err_name(err), err ? errors.first->place : "");
        if (!err)
            assert_slice(channel.type, "Observation");
        arena_free(arena);
    }
}

static void test_channel_parts(void **state)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct json_fault fault;
    struct err_list errors;
    struct json *resource = NULL;
    struct channel channel = {0};
    (void)state;
    err_list_init(&errors, arena);
    assert_int_equal(
        json_parse(arena,
                   SLICE("{\"status\":\"active\",\"criteria\":\"Patient?name=a&x=b\",\"end\":"
                         "\"2026-11-22T17:00:00+09:00\",\"channel\":{\"type\":\"rest-hook\",\"header\":"
                         "[\"A: b\",\"C: d\"],\"endpoint\":\"http://127.0.0.1:8/p\"}}"),
                   &resource, &fault),
        ERR_OK);
    assert_int_equal(channel_read(arena, resource, "loopback", &errors, &channel), ERR_OK);
    assert_slice(channel.status, "active");
    assert_slice(channel.type, "Patient");
    assert_slice(channel.filters, "name=a&x=b");
    assert_slice(channel.fields, "A: b\r\nC: d\r\n");
    assert_true(channel.posts);
    assert_false(channel.payload);
    assert_int_equal(channel.target.port, 8);
    assert_int_equal(channel.ends_ms, INT64_C(1795334400000));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allowed),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_channel),
        cmocka_unit_test(test_channel_parts),
    };
    return T_RUN(tests);
}
