/* SPDX-License-Identifier: Apache-2.0
 *
 * Borrowed bytes: order, search, cutting, numbers and UTF-8, with the edges (empty, NULL, the last
 * byte) where such functions go wrong.
 */
#include "lib/t.h"

#include "base/banned.h"

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void orders(void **state)
{
    static const struct {
        const char *a, *b;
        int order;
    } rows[] = {{"", "", 0},      {"a", "", 1},         {"", "a", -1},   {"a", "b", -1},
                {"b", "a", 1},    {"ab", "a", 1},       {"a", "ab", -1}, {"abc", "abc", 0},
                {"\xFF", "a", 1}, {"a\xE3", "a\x7F", 1}};
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++)
        assert_int_equal(sign(slice_cmp(slice_str(rows[i].a), slice_str(rows[i].b))),
                         rows[i].order);
    assert_int_equal(slice_cmp(SLICE_NONE, SLICE("")), 0);
    assert_true(slice_eq(SLICE_NONE, SLICE("")));
    assert_true(slice_cmp(SLICE("a\0b"), SLICE("a\0c")) < 0);
}

static void ignores_case_of_ascii_only(void **state)
{
    (void)state;
    assert_true(slice_ieq(SLICE("Content-TYPE"), SLICE("content-type")));
    assert_true(slice_ieq(SLICE_NONE, SLICE("")));
    assert_false(slice_ieq(SLICE("a"), SLICE("ab")));
    assert_false(slice_ieq(SLICE("@"), SLICE("`")));
    assert_false(slice_ieq(SLICE("["), SLICE("{")));
    assert_false(slice_ieq(SLICE("\xC3\x84"), SLICE("\xC3\xA4")));
}

static void starts_and_ends(void **state)
{
    (void)state;
    assert_true(slice_starts(SLICE("Patient/1"), SLICE("Patient/")));
    assert_true(slice_starts(SLICE("a"), SLICE("")));
    assert_true(slice_starts(SLICE_NONE, SLICE("")));
    assert_false(slice_starts(SLICE("Pat"), SLICE("Patient")));
    assert_false(slice_starts(SLICE_NONE, SLICE("a")));
    assert_true(slice_ends(SLICE("x.json"), SLICE(".json")));
    assert_true(slice_ends(SLICE("a"), SLICE("a")));
    assert_false(slice_ends(SLICE("json"), SLICE(".json")));
    assert_false(slice_ends(SLICE("x.jsoN"), SLICE(".json")));
}

static void clips_and_trims(void **state)
{
    (void)state;
    assert_slice(slice_sub(SLICE("abcdef"), 2, 3), "cde");
    assert_slice(slice_sub(SLICE("abcdef"), 4, 100), "ef");
    assert_slice(slice_sub(SLICE("abcdef"), 100, 1), "");
    assert_slice(slice_sub(SLICE("abcdef"), 3, SIZE_MAX), "def");
    assert_null(slice_sub(SLICE_NONE, 0, 5).ptr);
    assert_slice(slice_trim(SLICE(" \t\r\n\v\fa b \n")), "a b");
    assert_slice(slice_trim(SLICE("  ")), "");
    assert_slice(slice_trim(SLICE_NONE), "");
    assert_slice(slice_trim(SLICE("\xE3\x80\x80x")), "\xE3\x80\x80x");
}

static void finds(void **state)
{
    (void)state;
    assert_int_equal(slice_find(SLICE("a|b|c"), '|', 0), 1);
    assert_int_equal(slice_find(SLICE("a|b|c"), '|', 2), 3);
    assert_int_equal(slice_find(SLICE("a|b|c"), '|', 4), 5);
    assert_int_equal(slice_find(SLICE("a|b|c"), '|', 99), 5);
    assert_int_equal(slice_find(SLICE_NONE, '|', 0), 0);
    assert_int_equal(slice_find(SLICE("a\0b"), '\0', 0), 1);
    assert_int_equal(slice_find(SLICE("a\xE3"), '\xE3', 0), 1);
    assert_int_equal(slice_search(SLICE("abcabc"), SLICE("bc"), 0), 1);
    assert_int_equal(slice_search(SLICE("abcabc"), SLICE("bc"), 2), 4);
    assert_int_equal(slice_search(SLICE("abcabc"), SLICE("cb"), 0), 6);
    assert_int_equal(slice_search(SLICE("abc"), SLICE(""), 1), 1);
    assert_int_equal(slice_search(SLICE("abc"), SLICE("abcd"), 0), 3);
    assert_int_equal(slice_search(SLICE_NONE, SLICE("a"), 0), 0);
}

static void cuts_every_part(void **state)
{
    static const struct {
        const char *text;
        const char *parts[5];
        size_t count;
    } rows[] = {
        {"a,b,c", {"a", "b", "c"}, 3}, {"a", {"a"}, 1},      {"", {""}, 1},
        {"a,", {"a", ""}, 2},          {",a", {"", "a"}, 2}, {",,", {"", "", ""}, 3},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct slice rest = slice_str(rows[i].text);
        size_t count = 0;
        while (rest.ptr) {
            assert_true(count < rows[i].count);
            assert_slice(slice_cut(&rest, ','), rows[i].parts[count]);
            count++;
        }
        assert_int_equal(count, rows[i].count);
        assert_null(slice_cut(&rest, ',').ptr);
    }
}

static void reads_unsigned(void **state)
{
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"0", 0}, {"007", 7}, {"18446744073709551615", UINT64_MAX}, {"42", 42}};
    static const char *const bad[] = {"",
                                      "-1",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "0x1",
                                      "18446744073709551616",
                                      "99999999999999999999999",
                                      "１"};
    (void)state;
    for (size_t i = 0; i < T_COUNT(good); i++) {
        uint64_t value = 99;
        assert_true(slice_u64(slice_str(good[i].text), &value));
        assert_true(value == good[i].value);
    }
    for (size_t i = 0; i < T_COUNT(bad); i++) {
        uint64_t value = 99;
        assert_false(slice_u64(slice_str(bad[i]), &value));
        assert_true(value == 99);
    }
}

static void reads_signed(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"0", 0},
                {"-0", 0},
                {"-1", -1},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN}};
    static const char *const bad[] = {
        "", "-", "--1", "+1", "9223372036854775808", "-9223372036854775809", "1-"};
    (void)state;
    for (size_t i = 0; i < T_COUNT(good); i++) {
        int64_t value = 99;
        assert_true(slice_i64(slice_str(good[i].text), &value));
        assert_true(value == good[i].value);
    }
    for (size_t i = 0; i < T_COUNT(bad); i++) {
        int64_t value = 99;
        assert_false(slice_i64(slice_str(bad[i]), &value));
        assert_true(value == 99);
    }
}

static void knows_utf8(void **state)
{
    static const struct {
        const char *text;
        size_t valid; /* bytes that are well formed */
    } rows[] = {
        {"plain ASCII longer than eight", 29},
        {"12345678", 8},
        {"\xC2\x80", 2},
        {"\xDF\xBF", 2},
        {"\xE0\xA0\x80", 3},
        {"\xED\x9F\xBF", 3},
        {"\xEE\x80\x80", 3},
        {"\xEF\xBF\xBF", 3},
        {"\xF0\x90\x80\x80", 4},
        {"\xF4\x8F\xBF\xBF", 4},
        {"日本語のカルテabcdefghi記録", 36},
        {"\x80", 0},             /* continuation alone */
        {"\xC0\x80", 0},         /* overlong NUL */
        {"\xC1\xBF", 0},         /* overlong */
        {"\xE0\x9F\xBF", 0},     /* overlong */
        {"\xED\xA0\x80", 0},     /* surrogate */
        {"\xED\xBF\xBF", 0},     /* surrogate */
        {"\xF0\x8F\xBF\xBF", 0}, /* overlong */
        {"\xF4\x90\x80\x80", 0}, /* above U+10FFFF */
        {"\xF5\x80\x80\x80", 0},
        {"\xFF", 0},
        {"\xFE", 0},
        {"ab\xE3\x81", 2}, /* ends inside */
        {"ab\xE3\x81z", 2},
        {"\xF0\x9F\x98", 0},
        {"12345678abc\xE3", 11},
        {"1234567\xE3\x81\x82\x82", 10},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct slice s = slice_str(rows[i].text);
        char *exact = malloc(s.len ? s.len : 1); /* a read past the end is seen */
        memcpy(exact, s.ptr, s.len);
        assert_int_equal(slice_utf8_len(slice_of(exact, s.len)), rows[i].valid);
        assert_int_equal(slice_is_utf8(slice_of(exact, s.len)), rows[i].valid == s.len);
        free(exact);
    }
    assert_true(slice_is_utf8(SLICE_NONE));
    assert_true(slice_is_utf8(SLICE("a\0b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders),          cmocka_unit_test(ignores_case_of_ascii_only),
        cmocka_unit_test(starts_and_ends), cmocka_unit_test(clips_and_trims),
        cmocka_unit_test(finds),           cmocka_unit_test(cuts_every_part),
        cmocka_unit_test(reads_unsigned),  cmocka_unit_test(reads_signed),
        cmocka_unit_test(knows_utf8),
    };
    return T_RUN(tests);
}
