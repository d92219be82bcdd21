/* SPDX-License-Identifier: Apache-2.0
 *
 * Identifiers: shapes of UUIDs, keyed ones that depend on every part, wire ids that only their own
 * key opens, sub-keys against a computation of RFC 5869 by hand, and Luhn check digits.
 */
#include "lib/t.h"

#include "base/digest.h"
#include "base/ids.h"

#include "base/banned.h"

static const unsigned char key_a[32] = "key a key a key a key a key a k";
static const unsigned char key_b[32] = "key b key b key b key b key b k";

static void assert_uuid(const char *text, char version)
{
    assert_int_equal(strlen(text), IDS_UUID_LEN);
    for (size_t i = 0; i < IDS_UUID_LEN; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        assert_int_equal(text[i] == '-', dash);
        assert_true(dash || strchr("0123456789abcdef", text[i]));
    }
    assert_int_equal(text[14], version);
    assert_non_null(strchr("89ab", text[19]));
}

static void random_uuids(void **state)
{
    char first[IDS_UUID_LEN + 1];
    char second[IDS_UUID_LEN + 1];
    (void)state;
    for (int i = 0; i < 100; i++) {
        ids_uuid(first);
        ids_uuid(second);
        assert_uuid(first, '4');
        assert_string_not_equal(first, second);
    }
}

static void ordered_uuids_tell_their_time(void **state)
{
    static const char *const others[] = {
        "", "01a2038e-2c00-4000-8000-000000000000", "01a2038e-2c00-7000-8000-00000000000",
        "01a2038e-2c0g-7000-8000-000000000000", "01A2038E-2c00-7000-8000-000000000000",
        "01a2038e02c00-7000-8000-000000000000", "01a2038e-2c00-7000-8000-0000000000000"};
    char text[IDS_UUID_LEN + 1], again[IDS_UUID_LEN + 1];
    uint64_t ms = 0;
    (void)state;
    ids_uuid_ordered(INT64_C(1795334400000), text);
    ids_uuid_ordered(INT64_C(1795334400000), again);
    assert_uuid(text, '7');
    assert_string_not_equal(text, again);
    assert_true(ids_uuid_time(slice_str(text), &ms));
    assert_int_equal(ms, UINT64_C(1795334400000));
    for (size_t i = 0; i < T_COUNT(others); i++) {
        assert_false(ids_uuid_time(slice_str(others[i]), &ms));
        assert_int_equal(ms, UINT64_C(1795334400000));
    }
}

static void random_bytes_of_any_length(void **state)
{
    unsigned char bytes[1000] = {0};
    unsigned seen = 0;
    (void)state;
    ids_random(bytes, 0);
    assert_int_equal(bytes[0], 0);
    ids_random(bytes, 900);
    for (size_t i = 0; i < 900; i++)
        seen += bytes[i] != 0;
    assert_true(seen > 800);
    for (size_t i = 900; i < sizeof(bytes); i++)
        assert_int_equal(bytes[i], 0);
}

static void keyed_ids_depend_on_everything(void **state)
{
    static const struct {
        const unsigned char *key;
        const char *domain;
        struct slice parts[2];
        size_t count;
    } rows[] = {
        {key_a, "d", {{"ab", 2}, {"c", 1}}, 2},   {key_b, "d", {{"ab", 2}, {"c", 1}}, 2},
        {key_a, "e", {{"ab", 2}, {"c", 1}}, 2},   {key_a, "d", {{"a", 1}, {"bc", 2}}, 2},
        {key_a, "d", {{"abc", 3}, {NULL, 0}}, 1}, {key_a, "d", {{"abc", 3}, {NULL, 0}}, 2},
        {key_a, "da", {{"b", 1}, {"c", 1}}, 2},   {key_a, "d", {{NULL, 0}, {NULL, 0}}, 0},
    };
    char ids[T_COUNT(rows)][IDS_UUID_LEN + 1];
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        char again[IDS_UUID_LEN + 1];
        ids_keyed(rows[i].key, rows[i].domain, rows[i].parts, rows[i].count, ids[i]);
        ids_keyed(rows[i].key, rows[i].domain, rows[i].parts, rows[i].count, again);
        assert_uuid(ids[i], '8');
        assert_string_equal(ids[i], again);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(ids[i], ids[k]);
    }
}

static void wire_ids_come_back(void **state)
{
    static const uint64_t numbers[] = {0, 1, 2, 255, 1000000, UINT64_C(1) << 63, UINT64_MAX};
    (void)state;
    for (size_t i = 0; i < T_COUNT(numbers); i++) {
        char text[IDS_WIRE_LEN + 1];
        char other[IDS_WIRE_LEN + 1];
        uint64_t number = 99;
        ids_wire(key_a, numbers[i], text);
        ids_wire(key_b, numbers[i], other);
        assert_int_equal(strlen(text), IDS_WIRE_LEN);
        assert_int_equal(strspn(text, "0123456789abcdef"), IDS_WIRE_LEN);
        assert_string_not_equal(text, other);
        assert_true(ids_unwire(key_a, slice_str(text), &number));
        assert_true(number == numbers[i]);
        number = 99;
        assert_false(ids_unwire(key_b, slice_str(text), &number));
        assert_true(number == 99);
    }
}

static void wire_ids_refuse_tampering(void **state)
{
    char text[IDS_WIRE_LEN + 2] = "";
    uint64_t number = 99;
    (void)state;
    ids_wire(key_a, 4711, text);
    for (size_t i = 0; i < IDS_WIRE_LEN; i++) {
        char was = text[i];
        for (const char *c = "0123456789abcdefABCDEFg"; *c; c++) {
            if (*c == was)
                continue;
            text[i] = *c;
            assert_false(ids_unwire(key_a, slice_str(text), &number));
        }
        text[i] = was;
    }
    assert_false(ids_unwire(key_a, slice_of(text, 31), &number));
    assert_false(ids_unwire(key_a, slice_of(text, 30), &number));
    text[32] = '0';
    assert_false(ids_unwire(key_a, slice_of(text, 33), &number));
    assert_false(ids_unwire(key_a, SLICE_NONE, &number));
    assert_true(number == 99);
    assert_true(ids_unwire(key_a, slice_of(text, 32), &number));
    assert_true(number == 4711);
}

/* HKDF with no salt, one block of output: HMAC(HMAC(zeros, master), info | 0x01). */
static void derived_keys_are_hkdf(void **state)
{
    unsigned char got[32];
    unsigned char other[32];
    unsigned char prk[32];
    unsigned char want[32];
    unsigned char zeros[32] = {0};
    struct buf info;
    (void)state;
    ids_derive(key_a, "wire", SLICE("org-1"), got);
    buf_init(&info, 100);
    buf_add_u64(&info, 4);
    buf_adds(&info, "wire");
    buf_add_u64(&info, 5);
    buf_adds(&info, "org-1\x01");
    digest_hmac(slice_of(zeros, 32), slice_of(key_a, 32), prk);
    digest_hmac(slice_of(prk, 32), buf_slice(&info), want);
    assert_memory_equal(got, want, 32);
    buf_fini(&info);
    ids_derive(key_a, "wire", SLICE("org-2"), other);
    assert_memory_not_equal(got, other, 32);
    ids_derive(key_a, "wir", SLICE("eorg-1"), other);
    assert_memory_not_equal(got, other, 32);
    ids_derive(key_b, "wire", SLICE("org-1"), other);
    assert_memory_not_equal(got, other, 32);
    ids_derive(key_a, "", SLICE_NONE, other);
    assert_memory_not_equal(got, other, 32);
}

static void luhn(void **state)
{
    static const char *const good[] = {"79927398713", "4111111111111111", "0",       "00",
                                       "18",          "06132013",         "01130012"};
    static const char *const bad[] = {"",    "79927398710", "79927398712",  "4111111111111112",
                                      "1",   "7992739871a", "7992-7398713", " 18",
                                      "１８"};
    (void)state;
    for (size_t i = 0; i < T_COUNT(good); i++) {
        struct slice s = slice_str(good[i]);
        assert_true(ids_luhn_ok(s));
        if (s.len > 1)
            assert_int_equal(ids_luhn_digit(slice_sub(s, 0, s.len - 1)), s.ptr[s.len - 1]);
    }
    for (size_t i = 0; i < T_COUNT(bad); i++)
        assert_false(ids_luhn_ok(slice_str(bad[i])));
    assert_int_equal(ids_luhn_digit(SLICE("7992739871")), '3');
    assert_int_equal(ids_luhn_digit(SLICE("12a")), '\0');
    assert_int_equal(ids_luhn_digit(SLICE_NONE), '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_uuids),
        cmocka_unit_test(ordered_uuids_tell_their_time),
        cmocka_unit_test(random_bytes_of_any_length),
        cmocka_unit_test(keyed_ids_depend_on_everything),
        cmocka_unit_test(wire_ids_come_back),
        cmocka_unit_test(wire_ids_refuse_tampering),
        cmocka_unit_test(derived_keys_are_hkdf),
        cmocka_unit_test(luhn),
    };
    return T_RUN(tests);
}
