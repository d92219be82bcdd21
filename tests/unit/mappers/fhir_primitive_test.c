/* SPDX-License-Identifier: Apache-2.0
 *
 * Each primitive format with values it must take and values it must refuse, at the edges of R4's
 * patterns.
 */
#include "lib/fhir_t.h"

#include "base/limits.h"
#include "mappers/fhir/primitive.h"

#include "base/banned.h"

/* JSON values, separated by blanks. */
struct row {
    enum tables_primitive type;
    const char *good;
    const char *bad;
};

static const struct row rows[] = {
    {TABLES_BASE64_BINARY, "'AAAA' 'AA==' 'AAA=' 'AA\\nAA' ' AAAA' '+/9z'",
     "'' 'A' 'AAA' 'AAAAA' 'A===' 'AA=A' '====' 'AA-_' ' ' 1 true"},
    {TABLES_BOOLEAN, "true false", "'true' 0 1 null"},
    {TABLES_CANONICAL, "'http://x/y' 'http://x|1.0' '#a'", "'' 'a\\tb' 'a\\nb' 1"},
    {TABLES_CODE, "'a' 'a-b' 'あ' 'ab'", "'' '\\ta' 'a\\n' 'a\\n\\nb' 'a\\u0001' 1"},
    {TABLES_DATE, "'2026' '2026-11' '2026-11-22' '2024-02-29' '0001'",
     "'' '26' '2026-1' '2026-13' '2026-11-31' '2023-02-29' '2026/11/22' '20261122' "
     "'2026-11-22T10:00:00Z' '2026-11-' 2026"},
    {TABLES_DATE_TIME,
     "'2026' '2026-11' '2026-11-22' '2026-11-22T10:00:00Z' '2026-11-22T10:00:00.123+09:00' "
     "'2026-11-22T23:59:60-05:00' '2026-11-22T10:00:00+14:00'",
     "'2026-11-22T10:00Z' '2026-11-22T10:00:00' '2026-11-22T24:00:00Z' '2026-11-22T10:60:00Z' "
     "'2026-11-22T10:00:00.Z' '2026-11-22T10:00:00+0900' '2026-11-22t10:00:00Z' "
     "'2026-11-22T10:00:00+15:00' '2026-11T10:00:00Z' 'now'"},
    {TABLES_DECIMAL, "0 -0 1.50 -3.4e10 1E-5 123456789012345678.9 0.0000000000000000000000000001",
     "'1' true 1.00000000000000000000000000000000000000000000000000000000000000001"},
    {TABLES_ID, "'a' 'A-1.b' '0123456789012345678901234567890123456789012345678901234567890123'",
     "'' 'a_b' 'a/b' 'あ' '@' "
     "'01234567890123456789012345678901234567890123456789012345678901234' 1"},
    {TABLES_INSTANT, "'2026-11-22T10:00:00Z' '2026-11-22T10:00:00.000+09:00'",
     "'2026-11-22' '2026' '2026-11-22T10:00Z' '2026-11-22T10:00:00' ''"},
    {TABLES_INTEGER, "0 1 -1 2147483647 -2147483648",
     "-0 2147483648 -2147483649 1.0 1e3 '1' 99999999999999999999"},
    {TABLES_MARKDOWN, "'#x' '\\n' 'a\\n\\nb'", "'' 'a\\u000bb' 1"},
    {TABLES_OID, "'urn:oid:1.2.392' 'urn:oid:2.999' 'urn:oid:0.0'",
     "'1.2.392' 'urn:oid:' 'urn:oid:1' 'urn:oid:3.1' 'urn:oid:1.02' 'urn:oid:1..2' 'urn:oid:1.2.' "
     "'urn:oid:1.a' 'URN:OID:1.2'"},
    {TABLES_POSITIVE_INT, "1 2147483647", "0 -1 1.5 2147483648 '1'"},
    {TABLES_STRING, "'a' 'あ' 'tab\\there' '\\r\\n'", "'' 'a\\u0007' 'a\\u001b[0m' 1 true"},
    {TABLES_TIME, "'00:00:00' '23:59:59' '23:59:60' '10:00:00.5'",
     "'24:00:00' '10:00' '10:60:00' '10:00:61' '10:00:00.' '10:00:00Z' '1:00:00' ''"},
    {TABLES_UNSIGNED_INT, "0 1 2147483647", "-1 -0 0.0 2147483648"},
    {TABLES_URI, "'http://x' 'urn:oid:1.2' 'x' 'http://例え'", "'' 'a\\tb' 'a\\nb' 'a\\u007f'"},
    {TABLES_URL, "'https://x/y?z' 'mailto:a@b'", "'' 'a\\tb'"},
    {TABLES_UUID, "'urn:uuid:c757873d-ec9a-4326-a141-556f43239520'",
     "'c757873d-ec9a-4326-a141-556f43239520' 'urn:uuid:C757873D-ec9a-4326-a141-556f43239520' "
     "'urn:uuid:c757873d-ec9a-4326-a141-556f4323952' "
     "'urn:uuid:c757873dxec9a-4326-a141-556f43239520'"},
    {TABLES_XHTML, "'<div/>'", "'' 1"},
};

static void check(struct arena *a, const struct row *row, const char *values, bool wanted)
{
    struct slice rest = slice_str(values);
    while (rest.ptr) {
        struct slice one = slice_cut(&rest, ' ');
        if (one.len == 1 && one.ptr[0] == '\'') { /* a blank inside quotes */
            struct slice more = slice_cut(&rest, ' ');
            one.len = (size_t)(more.ptr + more.len - one.ptr);
        }
        struct json *v = t_json(a, arena_str(a, one));
        if (primitive_ok(row->type, v) != wanted)
            fail_msg("%s %.*s", tables_types[TABLES_PRIMITIVE + row->type].name, SLICE_ARG(one));
    }
}

static void follows_patterns(void **state)
{
    struct arena *a = arena_new(T_ARENA_MAX);
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        assert_int_equal(rows[i].type, i);
        check(a, &rows[i], rows[i].good, true);
        check(a, &rows[i], rows[i].bad, false);
        assert_non_null(primitive_en(rows[i].type));
        assert_non_null(primitive_ja(rows[i].type));
    }
    assert_int_equal(T_COUNT(rows), TABLES_PRIMITIVE_COUNT);
    arena_free(a);
}

static void blanks_in_text(void **state)
{
    struct arena *a = arena_new(T_ARENA_MAX);
    (void)state;
    assert_true(primitive_ok(TABLES_STRING, t_json(a, "' '")));
    assert_true(primitive_ok(TABLES_CODE, t_json(a, "'a b'")));
    assert_false(primitive_ok(TABLES_CODE, t_json(a, "'a  b'")));
    assert_false(primitive_ok(TABLES_CODE, t_json(a, "' a'")));
    assert_false(primitive_ok(TABLES_CODE, t_json(a, "'a '")));
    assert_false(primitive_ok(TABLES_URI, t_json(a, "'a b'")));
    arena_free(a);
}

static void limits_strings(void **state)
{
    char *text = malloc(LIMIT_FHIR_STRING + 1);
    (void)state;
    assert_non_null(text);
    memset(text, 'x', LIMIT_FHIR_STRING + 1);
    struct json v = {.kind = JSON_STRING, .text = slice_of(text, LIMIT_FHIR_STRING)};
    assert_true(primitive_ok(TABLES_STRING, &v));
    v.text.len++;
    assert_false(primitive_ok(TABLES_STRING, &v));
    assert_true(primitive_ok(TABLES_MARKDOWN, &v));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_patterns),
        cmocka_unit_test(blanks_in_text),
        cmocka_unit_test(limits_strings),
    };
    return T_RUN(tests);
}
