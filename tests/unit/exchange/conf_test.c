/* SPDX-License-Identifier: Apache-2.0
 *
 * exchange/conf: every kind of mistake is found on its line with a remedy, relative paths start at
 * the file, and what conf_write writes reads back as the same configuration.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/slice.h"
#include "exchange/conf.h"

#include "base/banned.h"

#define TLS "[tls]\ncertificate = s.pem\nkey = s.key\nca = ca.pem\ncrl = crl.pem\n"
#define STORE "[store]\nfile = data/t.db\nmaster-key = m.key\ncheckpoints = /var/heads\n"

#define FEED "[feed c]\nfacility = c\nhost = h\nport = 2575\n"

static char folder[64];

static const char *put_file(struct arena *arena, const char *text)
{
    const char *path = arena_printf(arena, "%s/tasuki.conf", folder);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
    return path;
}

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/tasuki-conf-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
    char path[128];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/tasuki.conf", folder);
    (void)unlink(path);
    return rmdir(folder);
}

static void test_reads_and_resolves(void **state)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct err_list errors;
    struct conf conf = {0};
    char want[128];
    const char *path = put_file(arena, "# comment\n\n[region]\nname = 汐見\n[listen]\nsystem = 0\n"
                                       "ops=18004\n" TLS STORE "readers = 4\n[log]\nfile = -\n"
                                       "[watch]\nhospital-a = in/a\nclinic-c = /srv/c\n");

    (void)state;
    err_list_init(&errors, arena);
    assert_int_equal(conf_read(arena, path, &errors, &conf), ERR_OK);
    assert_string_equal(conf.region, "汐見");
    assert_string_equal(conf.host, "127.0.0.1");
    assert_int_equal(conf.system_port, 0);
    assert_int_equal(conf.portal_port, -1);
    assert_int_equal(conf.ops_port, 18004);
    assert_int_equal(conf.connections, LIMIT_CONNECTIONS);
    assert_int_equal(conf.readers, 4);
    (void)snprintf(want, sizeof(want), "%s/data/t.db", folder);
    assert_string_equal(conf.store, want);
    assert_string_equal(conf.checkpoints, "/var/heads");
    assert_string_equal(conf.log, "-");
    assert_int_equal(conf.watch_count, 2);
    assert_string_equal(conf.watches[0].facility, "hospital-a");
    (void)snprintf(want, sizeof(want), "%s/in/a", folder);
    assert_string_equal(conf.watches[0].root, want);
    assert_string_equal(conf.watches[1].root, "/srv/c");
    arena_free(arena);
}

static void test_finds_mistakes(void **state)
{
    static const struct {
        const char *text;
        enum err code;
        const char *place; /* of the first finding */
        const char *says;  /* part of its English text */
    } cases[] = {
        {"[listen]\nsytem = 18000\n" TLS STORE, ERR_UNKNOWN_ELEMENT, "tasuki.conf:2",
         "did you mean \"system\""},
        {"[lisen]\nsystem = 1\n" TLS STORE, ERR_UNKNOWN_ELEMENT, "tasuki.conf:1", "[listen]"},
        {"[listen\nsystem = 1\n" TLS STORE, ERR_UNKNOWN_ELEMENT, "tasuki.conf:1",
         "unknown section"},
        {"[listen]\nsystem\n" TLS STORE, ERR_MALFORMED, "tasuki.conf:2", "key = value"},
        {"[listen]\nsystem = 65536\n" TLS STORE, ERR_INVALID, "tasuki.conf:2", "port"},
        {"[listen]\nsystem = -1\n" TLS STORE, ERR_INVALID, "tasuki.conf:2", "port"},
        {"[listen]\nsystem = 18000\nops = 18000\n" TLS STORE, ERR_CONFLICT, "tasuki.conf", "twice"},
        {"[listen]\nops = 1\nops = 2\n" TLS STORE, ERR_CONFLICT, "tasuki.conf:3", "line 2"},
        {"[listen]\nmllp = 2575\n" TLS STORE, ERR_REQUIRED, "tasuki.conf", "mllp-facility"},
        {"[listen]\nconnections = 15\n" TLS STORE, ERR_INVALID, "tasuki.conf:2", "16 to 1000000"},
        {TLS STORE "readers = 9\n", ERR_INVALID, "tasuki.conf:10", "1 to 8"},
        {TLS STORE "[push]\nexport-hours = 0\n", ERR_INVALID, "tasuki.conf:11", "1 to 720"},
        {TLS STORE "[push]\ntargets = loopback http://a.example\n", ERR_INVALID, "tasuki.conf",
         "http://a.example"},
        {STORE, ERR_REQUIRED, "tasuki.conf", "certificate"},
        {TLS STORE "[feed]\nhost = h\n", ERR_INVALID, "tasuki.conf:10", "[feed NAME]"},
        {TLS STORE "[feed A]\nhost = h\n", ERR_INVALID, "tasuki.conf:10", "small letters"},
        {TLS STORE FEED "[feed c]\n", ERR_INVALID, "tasuki.conf:14", "each name once"},
        {TLS STORE "[feed c]\nhost = h\nport = 1\n", ERR_REQUIRED, "tasuki.conf", "facility"},
        {TLS STORE FEED "prot = 1\n", ERR_UNKNOWN_ELEMENT, "tasuki.conf:14", "\"port\" in [feed]"},
        {TLS STORE FEED "system = 1\n", ERR_UNKNOWN_ELEMENT, "tasuki.conf:14", "unknown key"},
        {TLS STORE FEED "host = x\n", ERR_CONFLICT, "tasuki.conf:14", "line 12"},
        {TLS STORE FEED "tls = maybe\n", ERR_INVALID, "tasuki.conf:14", "on or off"},
        {TLS STORE FEED "answer-seconds = 601\n", ERR_INVALID, "tasuki.conf:14", "1 to 600"},
        {TLS STORE FEED "charset = sjis\n", ERR_INVALID, "tasuki.conf", "iso-2022-jp"},
        {TLS STORE FEED "send = laboratory nonsense\n", ERR_INVALID, "tasuki.conf", "laboratory"},
        {TLS STORE FEED "send = consent\n", ERR_INVALID, "tasuki.conf", "categories"},
        {TLS STORE FEED "send =\n", ERR_INVALID, "tasuki.conf", "categories"},
        {TLS STORE FEED "certificate = c.pem\n", ERR_INVALID, "tasuki.conf", "\"key\""},
        {TLS STORE FEED "tls = off\nkey = k\ncertificate = c\n", ERR_INVALID, "tasuki.conf",
         "tls = on"},
        {TLS STORE "[feed c]\nfacility = c\nhost = h\nport = off\n", ERR_INVALID, "tasuki.conf",
         "1 to 65535"},
        {"[tls]\ncertificate =\nkey = k\nca = c\ncrl = l\n" STORE, ERR_REQUIRED, "tasuki.conf:2",
         "needs a value"},
        {TLS STORE "[watch]\na = x\na = y\n", ERR_CONFLICT, "tasuki.conf:12", "already"},
        {TLS STORE "[watch]\na =\n", ERR_REQUIRED, "tasuki.conf:11", "folder"},
        {"name = x\n" TLS STORE, ERR_MALFORMED, "tasuki.conf:1", "section"},
        {TLS STORE "[region]\nname = \xff\n", ERR_CHARSET, "tasuki.conf:11", "UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *arena = arena_new(LIMIT_MIB);
        struct err_list errors;
        struct conf conf = {.readers = 77};

        err_list_init(&errors, arena);
        if (conf_read(arena, put_file(arena, cases[i].text), &errors, &conf) != cases[i].code)
            fail_msg("case %zu: %s %s", i, errors.first ? errors.first->place : "no finding",
                     errors.first ? errors.first->en : "");
        assert_string_equal(errors.first->place, cases[i].place);
        if (!strstr(errors.first->en, cases[i].says))
            fail_msg("case %zu says: %s", i, errors.first->en);
        assert_true(errors.first->ja[0] != '\0');
        assert_int_equal(conf.readers, 77); /* untouched on failure */
        arena_free(arena);
    }
}

static void test_absent_file(void **state)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct err_list errors;
    struct conf conf;

    (void)state;
    err_list_init(&errors, arena);
    assert_int_equal(conf_read(arena, "/nonexistent/tasuki.conf", &errors, &conf), ERR_NOT_FOUND);
    assert_int_equal(conf_read(arena, folder, &errors, &conf), ERR_IO);
    assert_int_equal(errors.errors, 2);
    arena_free(arena);
}

static void test_writes_what_it_reads(void **state)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct err_list errors;
    struct conf out = {.region = "試験地域",
                       .host = "127.0.0.1",
                       .system_port = 19000,
                       .portal_port = 19001,
                       .mllps_port = -1,
                       .mllp_port = 0,
                       .ops_port = 19004,
                       .mllp_facility = "hospital-a",
                       .server_cert = "pki/server.pem",
                       .server_key = "pki/server.key",
                       .ca = "pki/ca.pem",
                       .crl = "pki/crl.pem",
                       .store = "data/tasuki.db",
                       .master_key = "data/master.key",
                       .checkpoints = "log/heads",
                       .log = "log/tasuki.log",
                       .readers = 3,
                       .connections = 500,
                       .push_targets = "loopback https://a.example/hook",
                       .push_ca = "",
                       .export_folder = "data/exports",
                       .export_hours = 48,
                       .watches = {{"hospital-a", "inbox/hospital-a"}},
                       .watch_count = 1};
    struct conf in = {0};
    const char *path = arena_printf(arena, "%s/tasuki.conf", folder);
    char want[128];

    (void)state;
    err_list_init(&errors, arena);
    assert_int_equal(conf_write(&out, path), ERR_OK);
    if (conf_read(arena, path, &errors, &in) != ERR_OK)
        fail_msg("%s: %s", errors.first->place, errors.first->en);
    assert_string_equal(in.region, out.region);
    assert_int_equal(in.system_port, 19000);
    assert_int_equal(in.mllps_port, -1);
    assert_int_equal(in.mllp_port, 0);
    assert_string_equal(in.mllp_facility, "hospital-a");
    assert_int_equal(in.readers, 3);
    assert_int_equal(in.connections, 500);
    assert_string_equal(in.push_targets, out.push_targets);
    assert_string_equal(in.push_ca, "");
    assert_int_equal(in.export_hours, 48);
    assert_int_equal(in.watch_count, 1);
    (void)snprintf(want, sizeof(want), "%s/log/tasuki.log", folder);
    assert_string_equal(in.log, want);
    (void)snprintf(want, sizeof(want), "%s/pki/server.key", folder);
    assert_string_equal(in.server_key, want);
    arena_free(arena);
}

static void test_writes_feeds(void **state)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct err_list errors;
    struct conf in = {0}, out = {0};
    const char *path = put_file(arena, TLS STORE);

    (void)state;
    err_list_init(&errors, arena);
    assert_int_equal(conf_read(arena, path, &errors, &out), ERR_OK);
    out.feed_count = 1;
    out.feeds[0] = (struct conf_feed){.name = "clinic-c",
                                      .facility = "clinic-c",
                                      .host = "his.example",
                                      .port = 2575,
                                      .allow_plain = true,
                                      .cert = "",
                                      .key = "",
                                      .ca = "",
                                      .send = "laboratory imaging",
                                      .charset = "utf-8",
                                      .application = "EHR",
                                      .place = "",
                                      .connect_s = 3,
                                      .answer_s = 4};
    assert_int_equal(conf_write(&out, path), ERR_OK);
    if (conf_read(arena, path, &errors, &in) != ERR_OK)
        fail_msg("%s: %s", errors.first->place, errors.first->en);
    assert_int_equal(in.feed_count, 1);
    assert_string_equal(in.feeds[0].name, "clinic-c");
    assert_string_equal(in.feeds[0].host, "his.example");
    assert_int_equal(in.feeds[0].port, 2575);
    assert_false(in.feeds[0].tls);
    assert_true(in.feeds[0].allow_plain);
    assert_string_equal(in.feeds[0].send, "laboratory imaging");
    assert_string_equal(in.feeds[0].application, "EHR");
    assert_int_equal(in.feeds[0].connect_s, 3);
    assert_int_equal(in.feeds[0].answer_s, 4);
    arena_free(arena);
}

/* The commented sample is itself a valid configuration. */
static void test_sample_is_valid(void **state)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct err_list errors;
    struct conf conf;

    (void)state;
    err_list_init(&errors, arena);
    if (conf_read(arena, "conf/tasuki.conf", &errors, &conf) != ERR_OK)
        fail_msg("%s: %s", errors.first->place, errors.first->en);
    arena_free(arena);
}

/* And so is what it shows of a feed, with the comment signs taken off. */
static void test_sample_of_a_feed(void **state)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct err_list errors;
    struct conf conf;
    char *text = arena_alloc(arena, 65536);
    FILE *f = fopen("conf/tasuki.conf", "r");

    (void)state;
    assert_non_null(f);
    assert_true(fread(text, 1, 65535, f) > 0);
    (void)fclose(f);
    char *from = strstr(text, "# [feed "), *to = strstr(text, "[log]");
    assert_true(from && to);
    for (char *line = from; line < to; line = strchr(line, '\n') + 1)
        if (line[0] == '#' && (line[2] == '[' || strstr(line, " = ") < strchr(line, '\n')))
            if (strstr(line, " = ") || line[2] == '[')
                line[0] = strchr(line, ':') && strchr(line, ':') < strchr(line, '\n') ? '#' : ' ';
    err_list_init(&errors, arena);
    if (conf_read(arena, put_file(arena, text), &errors, &conf) != ERR_OK)
        fail_msg("%s: %s", errors.first->place, errors.first->en);
    assert_int_equal(conf.feed_count, 1);
    assert_int_equal(conf.feeds[0].port, 2575);
    assert_string_equal(conf.feeds[0].send, "laboratory imaging procedure");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_and_resolves), cmocka_unit_test(test_finds_mistakes),
        cmocka_unit_test(test_absent_file),        cmocka_unit_test(test_writes_what_it_reads),
        cmocka_unit_test(test_writes_feeds),       cmocka_unit_test(test_sample_is_valid),
        cmocka_unit_test(test_sample_of_a_feed),
    };

    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
