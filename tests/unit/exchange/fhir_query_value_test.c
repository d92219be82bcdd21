/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of search parameters: lists and escapes, and what each type takes for one (R4
 * search.html#escaping and the sections of the types). What the values then match is tested in
 * storage/match_test.c.
 */
#include "lib/t.h"

#include "exchange/door/fhir_query_impl.h"

#include "base/banned.h"

static const struct {
    const char *list;
    const char *items; /* in angle brackets */
} list_table[] = {
    {"a", "<a>"},  {"a,b", "<a><b>"},         {"a\\,b", "<a\\,b>"}, {"a,", "<a><>"},
    {",", "<><>"}, {"a\\\\,b", "<a\\\\><b>"}, {"a\\", "<a\\>"},     {"a,b\\,c,d", "<a><b\\,c><d>"},
};

static void lists_are_cut_outside_escapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(list_table) / sizeof(*list_table); i++) {
        struct buf out;
        buf_init(&out, 200);
        size_t count = 0;
        for (struct slice rest = slice_str(list_table[i].list); rest.ptr; count++) {
            struct slice item = fhir_query_value_cut(&rest);
            buf_addf(&out, "<%.*s>", SLICE_ARG(item));
        }
        buf_addc(&out, '\0');
        assert_string_equal(out.ptr, list_table[i].items);
        assert_int_equal(fhir_query_value_count(slice_str(list_table[i].list)), count);
        buf_fini(&out);
    }
}

static const struct {
    enum facet_kind kind;
    const char *text;
    bool good;
    const char *system, *code; /* NULL: any */
    enum search_op op;
} value_table[] = {
    {FACET_TOKEN, "a", true, NULL, "a", SEARCH_EQ},
    {FACET_TOKEN, "s|a", true, "s", "a", SEARCH_EQ},
    {FACET_TOKEN, "|a", true, "", "a", SEARCH_EQ},
    {FACET_TOKEN, "s|", true, "s", NULL, SEARCH_EQ},
    {FACET_TOKEN, "s\\|t|a\\|b", true, "s|t", "a|b", SEARCH_EQ},
    {FACET_TOKEN, "a\\,b\\$c\\\\", true, NULL, "a,b$c\\", SEARCH_EQ},
    {FACET_TOKEN, "|", false, NULL, NULL, SEARCH_EQ},
    {FACET_TOKEN, "", false, NULL, NULL, SEARCH_EQ},
    {FACET_TOKEN, "a|b|c", false, NULL, NULL, SEARCH_EQ},
    {FACET_STRING, "Ab", true, "", "ab", SEARCH_EQ},
    {FACET_STRING, "ﾀﾅｶ", true, "", "タナカ", SEARCH_EQ},
    {FACET_STRING, ".*", true, "", ".*", SEARCH_EQ},
    {FACET_STRING, " ", false, NULL, NULL, SEARCH_EQ},
    {FACET_DATE, "2026-02-28", true, "", "", SEARCH_EQ},
    {FACET_DATE, "sa2026", true, "", "", SEARCH_SA},
    {FACET_DATE, "ge2026-01-01T10:00", true, "", "", SEARCH_GE},
    {FACET_DATE, "2026-01-01T10:00:00 09:00", true, "", "", SEARCH_EQ},
    {FACET_DATE, "2026-13-01", false, NULL, NULL, SEARCH_EQ},
    {FACET_DATE, "2026-02-30", false, NULL, NULL, SEARCH_EQ},
    {FACET_DATE, "xx2026", false, NULL, NULL, SEARCH_EQ},
    {FACET_DATE, "gegt2026", false, NULL, NULL, SEARCH_EQ},
    {FACET_NUMBER, "lt-5.40", true, "", "", SEARCH_LT},
    {FACET_NUMBER, "abc", false, NULL, NULL, SEARCH_EQ},
    {FACET_NUMBER, "1,5", false, NULL, NULL, SEARCH_EQ},
    {FACET_QUANTITY, "ap5.4", true, NULL, "", SEARCH_AP},
    {FACET_QUANTITY, "5.4|http://unitsofmeasure.org|mg", true, "http://unitsofmeasure.org", "mg",
     SEARCH_EQ},
    {FACET_QUANTITY, "le5.4||mg", true, NULL, "mg", SEARCH_LE},
    {FACET_QUANTITY, "5.4|s|", true, "s", "", SEARCH_EQ},
    {FACET_QUANTITY, "5.4|s|c|x", false, NULL, NULL, SEARCH_EQ},
    {FACET_QUANTITY, "|s|c", false, NULL, NULL, SEARCH_EQ},
    {FACET_URI, "urn:oid:1.2", true, "", "urn:oid:1.2", SEARCH_EQ},
    {FACET_URI, "", false, NULL, NULL, SEARCH_EQ},
    {FACET_SPECIAL, "35.1|139.2|5|km", true, "", "", SEARCH_EQ},
    {FACET_SPECIAL, "35.1|139.2", true, "", "", SEARCH_EQ},
    {FACET_SPECIAL, "35.1", false, NULL, NULL, SEARCH_EQ},
    {FACET_SPECIAL, "35.1|139.2|-5", false, NULL, NULL, SEARCH_EQ},
};

static void each_type_takes_its_own(void **state)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    (void)state;
    for (size_t i = 0; i < sizeof(value_table) / sizeof(*value_table); i++) {
        struct search_value v = {0};
        const char *text = value_table[i].text;
        bool good = fhir_query_value_parse(arena, value_table[i].kind, slice_str(text), &v);
        if (good != value_table[i].good)
            fail_msg("%s: %s", text, good ? "taken" : "refused");
        if (!good)
            continue;
        assert_int_equal(v.op, value_table[i].op);
        assert_int_equal(v.any_system, value_table[i].system == NULL);
        assert_int_equal(v.any_code, value_table[i].code == NULL);
        if (value_table[i].system)
            assert_true(slice_is(v.system, value_table[i].system));
        if (value_table[i].code)
            assert_true(slice_is(v.text, value_table[i].code));
    }
    arena_free(arena);
}

static void a_typed_identifier_has_three_parts(void **state)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct search_value v = {0};
    (void)state;
    assert_true(fhir_query_value_typed(arena, SLICE("s|PPN|a\\|b"), &v));
    assert_true(slice_is(v.system, "s") && slice_is(v.text, "PPN") && slice_is(v.raw, "a|b"));
    assert_false(fhir_query_value_typed(arena, SLICE("s|PPN|"), &v));
    assert_false(fhir_query_value_typed(arena, SLICE("s||1"), &v));
    assert_false(fhir_query_value_typed(arena, SLICE("s|PPN|1|2"), &v));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_cut_outside_escapes),
        cmocka_unit_test(each_type_takes_its_own),
        cmocka_unit_test(a_typed_identifier_has_three_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
