/* SPDX-License-Identifier: Apache-2.0
 *
 * Searching with trees of filters: every kind of filter alone and inside the others, residents
 * named by number, one Patient per person, orders walked page by page, places kept while records
 * change, bounds; and that SQLite seeks where the statements mean it to (its own plan is asked).
 * What values mean is match_test.c's; random trees are search_oracle_test.c's.
 */
#include "lib/t.h"

#include <sqlite3.h>

#include "lib/store_fixture.h"

#include "lib/search_world.h"
#include "storage/change.h"
#include "storage/session_impl.h"

#include "base/banned.h"

/* ── filters ───────────────────────────────────────────────────────────────────────────────── */

static void test_terms(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    assert_found(&w, "Observation", (struct search_list){0}, "r1 r2 r3 r4 r5", __LINE__);
    assert_found(&w, NULL, (struct search_list){0}, "d1 d2 e1 pa1 pa2 r1 r2 r3 r4 r5", __LINE__);
    FOUND(&w, "Observation", "r1 r4", S_TERM(P_CODE, V_TOKEN("s1", "c1")));
    FOUND(&w, "Observation", "r1 r3 r4 r5", S_TERM(P_CODE, V_CODE("c1")));
    FOUND(&w, "Observation", "r1 r3 r4 r5", S_TERM(P_CODE, V_CODE("C1")));
    FOUND(&w, "Observation", "r5", S_TERM(P_CODE, V_TOKEN("", "c1")));
    FOUND(&w, "Observation", "r1 r3 r4", S_TERM(P_CODE, V_TOKEN("s1", "c1"), V_TOKEN("s2", "c1")));
    FOUND(&w, "Observation", "r1 r2 r3 r4 r5", S_TERM(P_CODE, V_TOKEN("s1", "c2"), V_CODE("c1")));
    FOUND(&w, "Observation", "", S_TERM(P_CODE, V_TOKEN("s1", "c3")));
    FOUND(&w, "Encounter", "", S_TERM(P_CODE, V_TOKEN("s1", "c1")));
    FOUND(&w, NULL, "r1 r4", S_TERM(P_CODE, V_TOKEN("s1", "c1")));
    FOUND(&w, "Observation", "r3 r5", S_NOT(P_STATUS, V_CODE("final")));
    FOUND(&w, "Observation", "r5", S_NOT(P_STATUS, V_CODE("final"), V_CODE("draft")));
    FOUND(&w, "Observation", "r5", S_MISSING(P_STATUS, true));
    FOUND(&w, "Observation", "r1 r2 r3 r4", S_MISSING(P_STATUS, false));
    FOUND(&w, "Observation", "r3", S_TERM(P_URL, V_URI(SEARCH_EQ, "urn:a")));
    FOUND(&w, "Observation", "r1 r2 r3 r4 r5", S_TERM(P_SUBJECT, V_REFERENCE("Patient/@")));
    FOUND(&w, "Practitioner", "d1", S_TERM(P_NAME, V_STRING(SEARCH_EQ, "スズ")));
    FOUND(&w, "Practitioner", "d1 d2",
          S_TERM(P_NAME, V_STRING(SEARCH_EQ, "スズ"), V_STRING(SEARCH_EQ, "サトウ")));
    FOUND(&w, "Practitioner", "", S_TERM(P_NAME, V_STRING(SEARCH_EQ, "スズ%")));
    FOUND(&w, "Practitioner", "d2", S_TERM(P_NAME, V_STRING(SEARCH_CONTAINS, "トウ")));
    FOUND(&w, "Practitioner", "d2", S_TERM(P_NAME, V_STRING(SEARCH_EXACT, "佐藤")));
    FOUND(&w, "Observation", "r2", S_TERM(P_DATE, V_DATE(SEARCH_EQ, 20 * DAY, 21 * DAY)));
    FOUND(&w, "Observation", "r2 r3", S_TERM(P_DATE, V_DATE(SEARCH_EQ, 20 * DAY, 30 * DAY)));
    FOUND(&w, "Observation", "r1 r2",
          S_TERM(P_DATE, V_DATE(SEARCH_EQ, 20 * DAY, 21 * DAY),
                 V_DATE(SEARCH_EQ, 10 * DAY, 11 * DAY)));
    FOUND(&w, "Observation", "r4",
          S_TERM(P_DATE, V_DATE(SEARCH_GE, (NOW_DAY - 3) * DAY, (NOW_DAY - 2) * DAY)));
    FOUND(&w, "Observation", "r3 r4 r5", S_TERM(P_DATE, V_DATE(SEARCH_GT, 20 * DAY, 21 * DAY)));
    FOUND(&w, "Observation", "r1 r5", S_TERM(P_DATE, V_DATE(SEARCH_LT, 20 * DAY, 21 * DAY)));
    FOUND(&w, "Patient", "pa1", S_TERM(P_DATE, V_DATE(SEARCH_EQ, -9000 * DAY, -8999 * DAY)));
    FOUND(&w, "Observation", "r2", S_TERM(P_VALUE, V_NUMBER(SEARCH_EQ, 5.35, 5.4, 5.45)));
    FOUND(&w, "Observation", "r1 r4", S_TERM(P_VALUE, V_NUMBER(SEARCH_GT, 6.5, 7, 7.5)));
    FOUND(&w, "Observation", "r1", S_TERM(P_CODE, V_CODE("c1")), S_TERM(P_STATUS, V_CODE("final")),
          S_TERM(P_DATE, V_DATE(SEARCH_LT, 20 * DAY, 21 * DAY)));
    fixture_close(&w.f);
}

static void test_other_filters(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    const int64_t at = FIXTURE_NOW + 2000; /* r2 */
    const struct search_filter ids = {.kind = SEARCH_IDS, S_IDS(SLICE("r2"), SLICE("zz"))};
    const struct search_filter nobody = {.kind = SEARCH_IDS};
    const struct search_filter types = {.kind = SEARCH_TYPES,
                                        S_IDS(SLICE("Encounter"), SLICE("X"))};
    FOUND(&w, "Observation", "r2", ids);
    FOUND(&w, NULL, "r2", ids);
    FOUND(&w, "Encounter", "", ids);
    FOUND(&w, "Observation", "", nobody);
    FOUND(&w, NULL, "e1", types);
    struct search_filter none = ids;
    none.none = true;
    FOUND(&w, "Observation", "r1 r3 r4 r5", none);
    FOUND(&w, "Observation", "r2", S_UPDATED(SEARCH_EQ, at, at + 1));
    FOUND(&w, "Observation", "r1 r3 r4 r5", S_UPDATED(SEARCH_NE, at, at + 1));
    FOUND(&w, "Observation", "r3 r4 r5", S_UPDATED(SEARCH_GT, at, at + 1));
    FOUND(&w, "Observation", "r2 r3 r4 r5", S_UPDATED(SEARCH_GE, at, at + 1));
    FOUND(&w, "Observation", "r1", S_UPDATED(SEARCH_LT, at, at + 1));
    FOUND(&w, "Observation", "r1 r2", S_UPDATED(SEARCH_LE, at, at + 1));
    FOUND(&w, "Observation", "r1", S_UPDATED(SEARCH_EB, at, at + 1));
    FOUND(&w, "Observation", "r3 r4 r5", S_UPDATED(SEARCH_SA, at, at + 1));
    FOUND(&w, "Observation", "r2", S_WORDS(0, "肺癌"));
    FOUND(&w, NULL, "r3", S_WORDS(1, "aspirin"));
    FOUND(&w, "Observation", "", S_WORDS(0, " "));
    none = S_WORDS(0, "肺癌");
    none.none = true;
    FOUND(&w, "Observation", "r1 r3 r4 r5", none);
    /* ANY: of terms only, and of others. */
    FOUND(&w, "Observation", "r1 r2 r4",
          S_ANY(S_LIST(S_TERM(P_CODE, V_TOKEN("s1", "c1"))), S_LIST(S_TERM(P_CODE, V_CODE("c2")))));
    FOUND(&w, "Observation", "r1 r2 r4 r5",
          S_ANY(S_LIST(S_TERM(P_CODE, V_TOKEN("s1", "c1"))), S_LIST(ids), S_LIST(S_OF(0, w.p2))));
    FOUND(&w, "Observation", "r2",
          S_ANY(S_LIST(ids, S_TERM(P_STATUS, V_CODE("final"))), S_LIST(nobody)));
    none = S_ANY(S_LIST(S_TERM(P_CODE, V_CODE("c1"))));
    none.none = true;
    FOUND(&w, "Observation", "r2", none);
    none = S_ANY(S_LIST(ids));
    none.none = true;
    FOUND(&w, "Observation", "r1 r3 r4 r5", none);
    fixture_close(&w.f);
}

static void test_persons(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    FOUND(&w, "Observation", "r1 r2 r3 r4", S_OF(0, w.p1));
    FOUND(&w, "Observation", "r5", S_OF(0, w.p2));
    FOUND(&w, "Observation", "r1 r2 r3 r4 r5", S_OF(0, w.p1, w.p2));
    FOUND(&w, "Observation", "", S_OF(0, 999));
    FOUND(&w, "Observation", "", S_OF(0, -1));
    assert_found(&w, "Observation", S_LIST((struct search_filter){.kind = SEARCH_PERSONS}), "",
                 __LINE__);
    FOUND(&w, NULL, "e1 pa1 r1 r2 r3 r4", S_OF(0, w.p1));
    FOUND(&w, "Patient", "pa1", S_OF(0, w.p1));
    FOUND(&w, "Observation", "r1 r2 r3 r4", S_OF(P_SUBJECT, w.p1));
    FOUND(&w, "Observation", "", S_OF(P_FOCUS, w.p1));
    FOUND(&w, "Observation", "r1 r4", S_OF(P_SUBJECT, w.p1), S_TERM(P_CODE, V_TOKEN("s1", "c1")));
    FOUND(&w, "Observation", "r1 r2 r4", S_OF(0, w.p1),
          S_TERM(P_CODE, V_TOKEN("s1", "c1"), V_TOKEN("s1", "c2")));
    struct search_filter none = S_OF(P_SUBJECT, w.p1);
    none.none = true;
    FOUND(&w, "Observation", "r5", none);
    /* Records of p2 that name p1, by either of his charts or both; and one of his own chart that
     * names another of his. */
    struct facet names[] = {{.param = P_FOCUS, .kind = FACET_REFERENCE}};
    names[0].text = slice_str(arena_printf(w.f.arena, "Patient/@%lld", (long long)w.a1));
    (void)put(&w, &(struct row){"x1", "Observation", 'c', LAB, {SELF}, NULL}, names);
    names[0].text = slice_str(arena_printf(w.f.arena, "Patient/@%lld", (long long)w.b1));
    struct row both = {"x2", "Observation", 'c', LAB, {SELF}, NULL};
    both.facets[1] = names[0];
    names[0].text = slice_str(arena_printf(w.f.arena, "Patient/@%lld", (long long)w.a1));
    (void)put(&w, &both, names);
    (void)put(&w, &(struct row){"x3", "Observation", 'a', LAB, {SELF}, NULL}, names);
    (void)put(&w, &(struct row){"x4", "Observation", 'a', LAB, {F_REF(P_FOCUS, "Patient/@")}, NULL},
              NULL);
    FOUND(&w, "Observation", "x1 x2 x3 x4", S_OF(P_FOCUS, w.p1));
    FOUND(&w, "Observation", "", S_OF(P_FOCUS, w.p2));
    FOUND(&w, "Observation", "x1 x2 x3", S_OF(P_FOCUS, w.p1), S_OF(P_SUBJECT, w.p1, w.p2));
    FOUND(&w, "Observation", "x1 x2", S_OF(P_FOCUS, w.p1), S_OF(P_SUBJECT, w.p2));
    FOUND(&w, "Observation", "r1 r2 r3 r4 x3", S_OF(P_SUBJECT, w.p1));
    FOUND(&w, "Observation", "r5 x1 x2 x3 x4",
          S_ANY(S_LIST(S_OF(P_FOCUS, w.p1)), S_LIST(S_OF(0, w.p2))));
    fixture_close(&w.f);
}

static void test_categories(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    const struct slice type = SLICE("Observation");
    struct search search = {.types = &type, .type_count = 1, .categories = CATEGORY_BIT(LAB)};
    assert_string_equal(search_t_sorted(&w.f, find(&w, &w.reader, &search)), "r1 r2 r4 r5");
    search.categories = CATEGORY_BIT(CATEGORY_MEDICATION);
    assert_string_equal(find(&w, &w.reader, &search), "r3");
    struct matches m = {&w.reader, &search, (w.a1 << 32) + 1, true};
    assert_int_equal(fixture_read(&w.f, matches_step, &m), ERR_OK);
    assert_false(m.matches);
    fixture_close(&w.f);
}

/* ── order and pages ───────────────────────────────────────────────────────────────────────── */

static void walk(struct world *w, const struct grant *grant, struct search search,
                 const char *expected)
{
    struct search_result result = {0};
    const char *walked = "";
    search.limit = 1;
    search.count_total = true;
    for (unsigned pages = 0; pages < 20; pages++) {
        assert_int_equal(fixture_search(&w->f, grant, &search, &result), ERR_OK);
        assert_int_equal(result.count, 1);
        assert_true(result.last_key.len <= LIMIT_SORT_KEY);
        walked = arena_printf(w->f.arena, "%s%s%.*s", walked, walked[0] ? " " : "",
                              SLICE_ARG(result.records[0].id));
        if (!result.more)
            break;
        search.after_given = true;
        search.after_key = result.last_key;
        search.after_rid = result.last_rid;
        search.snapshot = result.snapshot;
    }
    assert_string_equal(walked, expected);
}

static void test_order_and_pages(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    static const struct {
        struct search_sort sorts[2];
        size_t count;
        const char *expected; /* charts in order: a1 (r1 r2 r3), b1 (r4), a2 (r5) */
    } cases[] = {
        {{{0}}, 0, "r1 r2 r3 r4 r5"},
        {{{SEARCH_BY_PARAM, P_DATE, FACET_DATE, false}}, 1, "r5 r1 r2 r3 r4"},
        {{{SEARCH_BY_PARAM, P_DATE, FACET_DATE, true}}, 1, "r4 r2 r3 r1 r5"},
        {{{SEARCH_BY_PARAM, P_VALUE, FACET_QUANTITY, false}}, 1, "r2 r3 r4 r1 r5"},
        {{{SEARCH_BY_PARAM, P_VALUE, FACET_QUANTITY, true}}, 1, "r1 r4 r3 r2 r5"},
        {{{SEARCH_BY_PARAM, P_STATUS, FACET_TOKEN, false}}, 1, "r3 r1 r2 r4 r5"},
        {{{SEARCH_BY_PARAM, P_STATUS, FACET_TOKEN, true}, {SEARCH_BY_ID, 0, 0, true}},
         2,
         "r4 r2 r1 r3 r5"},
        {{{SEARCH_BY_UPDATED, 0, 0, false}}, 1, "r1 r2 r3 r4 r5"},
        {{{SEARCH_BY_UPDATED, 0, 0, true}}, 1, "r5 r4 r3 r2 r1"},
        {{{SEARCH_BY_ID, 0, 0, true}}, 1, "r5 r4 r3 r2 r1"},
    };
    const struct slice type = SLICE("Observation");
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct search search = {
            .types = &type, .type_count = 1, .sorts = cases[i].sorts, .sort_count = cases[i].count};
        assert_string_equal(find(&w, &w.reader, &search), cases[i].expected);
        walk(&w, &w.reader, search, cases[i].expected);
    }
    const struct grant b = fixture_facility(w.b, GRANT_TREAT);
    /* B does not see r5: no page is empty or short because of it, and no total counts it. */
    struct search search = {
        .types = &type, .type_count = 1, .sorts = cases[1].sorts, .sort_count = 1};
    walk(&w, &b, search, "r1 r2 r3 r4");
    search = (struct search){.types = &type, .type_count = 1, .count_total = true};
    struct search_result result = {0};
    assert_int_equal(fixture_search(&w.f, &b, &search, &result), ERR_OK);
    assert_int_equal(result.total, 4);
    assert_int_equal(result.count, 0);
    fixture_close(&w.f);
}

/* Facets come with the records, for includes. */
static void test_facets_come_along(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct search_result result = {0};
    struct facet_reader reader;
    struct facet_view view;
    size_t count = 0;
    const struct search search = {.filters = S_LIST(S_TERM(P_URL, V_URI(SEARCH_EQ, "urn:a"))),
                                  .limit = 5};
    assert_int_equal(fixture_search(&w.f, &w.reader, &search, &result), ERR_OK);
    assert_int_equal(result.count, 1);
    facet_reader_init(&reader, result.records[0].facets);
    while (facet_next(&reader, &view))
        count++;
    assert_int_equal(count, 6);
    fixture_close(&w.f);
}

/* A record that changes between two pages neither comes twice nor is skipped. */
static void test_order_keeps_while_records_change(void **state)
{
    (void)state;
    const struct slice type = SLICE("Observation");
    for (unsigned descending = 0; descending < 2; descending++) {
        struct world w;
        struct search_result result = {0};
        world_open(&w);
        const struct search_sort sort = {.order = SEARCH_BY_UPDATED, .descending = descending};
        struct search search = {
            .types = &type, .type_count = 1, .sorts = &sort, .sort_count = 1, .limit = 2};
        assert_int_equal(fixture_search(&w.f, &w.reader, &search, &result), ERR_OK);
        assert_string_equal(search_t_ids(&w.f, &result), descending ? "r5 r4" : "r1 r2");
        search.after_given = true;
        search.after_key = result.last_key;
        search.after_rid = result.last_rid;
        search.snapshot = result.snapshot;
        (void)put(&w, &rows[0], NULL); /* r1 and r5 are now the newest */
        (void)put(&w, &rows[4], NULL);
        search.limit = 9;
        assert_string_equal(find(&w, &w.reader, &search), descending ? "r3 r2 r1" : "r3 r4 r5");
        search.snapshot = 0; /* as if asked anew */
        assert_string_equal(find(&w, &w.reader, &search), descending ? "r3 r2" : "r3 r4 r1 r5");
        fixture_close(&w.f);
    }
}

/* ── one Patient per person ────────────────────────────────────────────────────────────────── */

static void test_one_patient_per_person(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    const struct grant b = fixture_facility(w.b, GRANT_TREAT), p1 = fixture_resident(w.p1);
    const struct slice type = SLICE("Patient");
    struct search all = {.types = &type, .type_count = 1};
    assert_string_equal(find(&w, &w.reader, &all), "pa1 pa2");
    assert_string_equal(find(&w, &b, &all), "pb1");  /* its own; p2 has no consent */
    assert_string_equal(find(&w, &p1, &all), "pb1"); /* the newest */
    all.filters = S_LIST(S_OF(0, w.p2));
    assert_string_equal(find(&w, &w.reader, &all), "pa2");
    all.filters = S_LIST(S_OF(0, w.p2, w.p1));
    assert_string_equal(find(&w, &w.reader, &all), "pa1 pa2");
    walk(&w, &w.reader, all, "pa1 pa2");
    all.filters = S_LIST(S_TERM(P_NAME, V_STRING(SEARCH_EQ, "タナカB")));
    assert_string_equal(find(&w, &w.reader, &all), "");
    assert_string_equal(find(&w, &b, &all), "pb1");
    fixture_close(&w.f);
}

/* ── bounds ────────────────────────────────────────────────────────────────────────────────── */

static void test_many_values(void **state)
{
    (void)state;
    static struct search_value values[LIMIT_SEARCH_FORMS + 2];
    static struct search_filter filters[LIMIT_SEARCH_FILTERS + 1];
    static struct search_filter chain[LIMIT_SEARCH_CHAIN + 1];
    static struct search_list links[LIMIT_SEARCH_CHAIN + 1];
    static struct slice ids[LIMIT_SEARCH_VALUES];
    struct world w;
    struct search_result result = {0};
    world_open(&w);
    const struct slice type = SLICE("Observation");
    for (size_t i = 0; i < T_COUNT(values); i++) {
        struct slice code = slice_str(arena_printf(w.f.arena, "c%zu", i));
        values[i] = (struct search_value){.system = SLICE("s1"), .text = code};
        if (i < T_COUNT(ids))
            ids[i] = slice_str(arena_printf(w.f.arena, "r%zu", i));
    }
    struct search search = {.types = &type, .type_count = 1, .filters = {filters, 1}, .limit = 9};
    filters[0] = (struct search_filter){
        .kind = SEARCH_TERM,
        .term = {.param = P_CODE, .values = values, .value_count = LIMIT_SEARCH_VALUES}};
    filters[1] = S_OF(0, w.p1);
    assert_string_equal(find(&w, &w.reader, &search), "r1 r2 r4");
    search.filters.count = 2;
    assert_string_equal(find(&w, &w.reader, &search), "r1 r2 r4");
    search.filters.count = 1;
    filters[0] = (struct search_filter){.kind = SEARCH_IDS, .ids = ids, .id_count = T_COUNT(ids)};
    assert_string_equal(find(&w, &w.reader, &search), "r1 r2 r3 r4 r5");
    /* As many filters as are allowed, of a thousand values each; one more of each is too many. */
    for (size_t i = 0; i < T_COUNT(filters); i++)
        filters[i] = (struct search_filter){
            .kind = SEARCH_TERM,
            .term = {.param = P_CODE, .values = values + 1, .value_count = LIMIT_SEARCH_VALUES}};
    search.filters.count = LIMIT_SEARCH_FILTERS;
    assert_string_equal(find(&w, &w.reader, &search), "r1 r2 r4");
    search.filters.count++;
    assert_int_equal(fixture_search(&w.f, &w.reader, &search, &result), ERR_TOO_LARGE);
    search.filters.count = 1;
    filters[0].term.value_count = LIMIT_SEARCH_FORMS + 1;
    assert_int_equal(fixture_search(&w.f, &w.reader, &search, &result), ERR_TOO_LARGE);
    /* Links of a chain. */
    for (size_t i = 0; i < T_COUNT(chain); i++) {
        chain[i] = (struct search_filter){.kind = i % 2 ? SEARCH_HAS : SEARCH_CHAIN,
                                          .param = P_PART,
                                          .ids = &type,
                                          .id_count = 1,
                                          .groups = &links[i],
                                          .group_count = 1};
        links[i] = (struct search_list){i ? &chain[i - 1] : NULL, i ? 1 : 0};
    }
    search.filters = (struct search_list){&chain[LIMIT_SEARCH_CHAIN - 1], 1};
    /* r5, r1, r5 ... */
    assert_string_equal(find(&w, &w.reader, &search), LIMIT_SEARCH_CHAIN % 2 ? "r5" : "r1");
    search.filters.items = &chain[LIMIT_SEARCH_CHAIN];
    assert_int_equal(fixture_search(&w.f, &w.reader, &search, &result), ERR_TOO_LARGE);
    /* IDS of many filters: more parameters than a statement takes. */
    for (size_t i = 0; i < 64; i++)
        filters[i] =
            (struct search_filter){.kind = SEARCH_IDS, .ids = ids, .id_count = T_COUNT(ids)};
    search.filters = (struct search_list){filters, 64};
    assert_int_equal(fixture_search(&w.f, &w.reader, &search, &result), ERR_TOO_LARGE);
    fixture_close(&w.f);
}

/* One record may keep tasuki_match busy for long: 20,000 values against 256,000. It ends in time.
 */
static void test_long_comparisons_end(void **state)
{
    (void)state;
    static struct facet facets[LIMIT_FACETS - 100];
    static struct search_value values[LIMIT_SEARCH_VALUES];
    static struct search_filter filters[LIMIT_SEARCH_FILTERS];
    struct world w;
    struct search_result result = {0};
    world_open(&w);
    const struct slice type = SLICE("List");
    for (size_t i = 0; i < T_COUNT(facets); i++)
        facets[i] = (struct facet){.param = P_CODE,
                                   .kind = FACET_TOKEN,
                                   .common = true,
                                   .text = slice_str(arena_printf(w.f.arena, "c%06zu", i))};
    for (size_t i = 0; i < T_COUNT(values); i++)
        values[i] = (struct search_value){.any_system = true,
                                          .text = slice_str(arena_printf(w.f.arena, "d%06zu", i))};
    for (size_t i = 0; i < T_COUNT(filters); i++)
        filters[i] = (struct search_filter){
            .kind = SEARCH_TERM,
            .term = {
                .param = P_CODE, .none = true, .values = values, .value_count = T_COUNT(values)}};
    struct facet_list list = {facets, T_COUNT(facets)};
    const struct record_new record = {
        .type = type, .id = SLICE("long"), .body = SLICE("{}"), .facets = &list};
    const int64_t rid = fixture_put(&w.f, w.a, &record);
    struct search search = {.types = &type, .type_count = 1, .filters = {filters, 1}, .limit = 1};
    filters[0].term.value_count = 10;
    assert_string_equal(find(&w, &w.reader, &search), "long");
    filters[0].term.value_count = T_COUNT(values);
    search.filters.count = T_COUNT(filters);
    const int64_t before = clock_monotonic_ms();
    assert_int_equal(fixture_search(&w.f, &w.reader, &search, &result), ERR_TIMEOUT);
    assert_in_range(clock_monotonic_ms() - before, LIMIT_SEARCH_MS, 2 * LIMIT_SEARCH_MS);
    /* A page that begins behind the long one, and a total that must look at it. */
    const struct record_new more[] = {
        {.type = type, .id = SLICE("first"), .chart = w.a1, .body = SLICE("{}")},
        {.type = type, .id = SLICE("second"), .chart = w.a1, .body = SLICE("{}")}};
    for (size_t i = 0; i < T_COUNT(more); i++)
        (void)fixture_put(&w.f, w.a, &more[i]);
    search.after_given = true;
    search.after_rid = rid;
    search.count_total = true;
    assert_int_equal(fixture_search(&w.f, &w.reader, &search, &result), ERR_OK);
    assert_string_equal(search_t_ids(&w.f, &result), "first");
    assert_true(result.more && result.total_unknown);
    search.limit = 0;
    assert_int_equal(fixture_search(&w.f, &w.reader, &search, &result), ERR_TIMEOUT);
    fixture_close(&w.f);
}

/* More shapes of statements than are kept, twice over. */
static void test_statements_come_and_go(void **state)
{
    (void)state;
    static struct search_filter filters[130];
    struct world w;
    world_open(&w);
    const struct slice type = SLICE("Observation");
    for (size_t i = 0; i < T_COUNT(filters); i++)
        filters[i] = (struct search_filter){.kind = SEARCH_UPDATED,
                                            .value = {.op = SEARCH_GE, .when = {1, 2}}};
    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 1; i < T_COUNT(filters); i += 2) {
            const struct search search = {
                .types = &type, .type_count = 1, .filters = {filters, i}, .limit = 9};
            assert_string_equal(find(&w, &w.reader, &search), "r1 r2 r3 r4 r5");
        }
    }
    fixture_close(&w.f);
}

/* ── the plan ──────────────────────────────────────────────────────────────────────────────── */

struct plan {
    struct world *w;
    const struct search *search;
    char text[16000];
};
/* The plans of whatever search.c left compiled on this connection. */
static enum err plan_step(struct session *s, void *context)
{
    struct plan *p = context;
    struct search_result result = {0};
    session_bind(s, &p->w->reader);
    enum err err = search_run(s, p->w->f.arena, p->search, &result);
    p->text[0] = '\0';
    for (sqlite3_stmt *stmt = NULL; !err && (stmt = sqlite3_next_stmt(s->db, stmt));) {
        const char *sql = sqlite3_sql(stmt);
        sqlite3_stmt *explain = NULL;
        if (!strstr(sql, "SELECT p.key") && !strstr(sql, "SELECT r1.type"))
            continue;
        char *text = arena_printf(p->w->f.arena, "EXPLAIN QUERY PLAN %s", sql);
        s->own = true;
        assert_int_equal(sqlite3_prepare_v2(s->db, text, -1, &explain, NULL), SQLITE_OK);
        while (sqlite3_step(explain) == SQLITE_ROW)
            (void)snprintf(p->text + strlen(p->text), sizeof p->text - strlen(p->text), "%s\n",
                           sqlite3_column_text(explain, 3));
        assert_int_equal(sqlite3_finalize(explain), SQLITE_OK);
        s->own = false;
    }
    return err;
}

static void assert_plan(struct search_list list, struct slice type, const struct search_sort *sort,
                        const char *const *wanted)
{
    struct world w;
    world_open(&w);
    const struct search search = {.types = &type,
                                  .type_count = 1,
                                  .filters = list,
                                  .sorts = sort,
                                  .sort_count = sort ? 1 : 0,
                                  .limit = 9};
    struct plan plan = {.w = &w, .search = &search};
    assert_int_equal(fixture_read(&w.f, plan_step, &plan), ERR_OK);
    bool scans = strstr(plan.text, "SCAN r\n") || strstr(plan.text, "SCAN x\n") ||
                 strstr(plan.text, "SCAN k\n") || strstr(plan.text, "SCAN c\n") ||
                 strstr(plan.text, "AUTOMATIC"); /* an index over all there is, for one search */
    for (; *wanted; wanted++) {
        if (!strstr(plan.text, *wanted))
            print_message("no \"%s\" in\n%s", *wanted, plan.text);
        assert_non_null(strstr(plan.text, *wanted));
    }
    if (scans)
        print_message("%s", plan.text);
    assert_false(scans);
    fixture_close(&w.f);
}
#define PLAN(type, list, ...)                                                                      \
    assert_plan(list, SLICE(type), NULL, (const char *const[]){__VA_ARGS__, NULL})

static void test_plans_seek(void **state)
{
    (void)state;
    static const char by_key[] = "SEARCH x USING PRIMARY KEY (key=?)",
                      in_chart[] = "SEARCH x USING PRIMARY KEY (key=? AND rid>? AND rid<?)",
                      chart[] = "SEARCH k USING INTEGER PRIMARY KEY (rowid=?)",
                      record[] = "SEARCH r USING INTEGER PRIMARY KEY (rowid=?)";
    const struct search_filter c1 = S_TERM(P_CODE, V_TOKEN("s1", "c1"));
    const struct search_filter codes = S_TERM(P_CODE, V_TOKEN("s1", "c1"), V_CODE("c2"));
    const struct search_filter day = S_TERM(P_DATE, V_DATE(SEARCH_GE, 1, 2));
    const struct search_filter today = S_TERM(P_DATE, V_DATE(SEARCH_EQ, 0, DAY));
    const struct search_filter name = S_TERM(P_NAME, V_STRING(SEARCH_EQ, "ス"));
    const struct search_filter ids = {.kind = SEARCH_IDS, S_IDS(SLICE("r1"))};
    PLAN("Observation", S_LIST(S_OF(P_SUBJECT, 1)), chart, in_chart, record);
    PLAN("Observation", S_LIST(S_OF(P_SUBJECT, 1), c1, day), chart, in_chart, record);
    PLAN("Observation", S_LIST(S_OF(P_SUBJECT, 1), codes, day), chart, in_chart, record);
    PLAN("Observation", S_LIST(c1, day), by_key, record);
    PLAN("Observation", S_LIST(codes, day), by_key, record);
    PLAN("Observation", S_LIST(day), by_key, record);
    PLAN("Observation", S_LIST(today), "SEARCH x USING PRIMARY KEY (key>? AND key<?)", record);
    PLAN("Observation", S_LIST(ids), by_key, record);
    PLAN("Practitioner", S_LIST(name),
         "SEARCH x USING PRIMARY KEY (param=? AND folded>? AND folded<?)");
    PLAN("Observation", S_LIST(S_WORDS(0, "肺癌")), "SCAN x VIRTUAL TABLE INDEX");
    PLAN("Observation", S_LIST(S_CHAIN(P_WHO, "Practitioner", name)),
         "SEARCH x USING PRIMARY KEY (param=? AND folded>? AND folded<?)", by_key, record);
    PLAN("Observation", S_LIST(S_CHAIN(P_SUBJECT, "Patient", name)), in_chart);
    PLAN("Practitioner", S_LIST(S_HAS(P_WHO, "Observation", c1)), by_key);
    PLAN("Patient", S_LIST(S_HAS(P_SUBJECT, "Observation", c1)), by_key, in_chart);
    PLAN("Patient", S_LIST(S_OF(0, 1)), in_chart);
    PLAN("Observation", S_LIST(S_UPDATED(SEARCH_GE, FIXTURE_NOW, FIXTURE_NOW + 1)),
         "SEARCH c USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)");
}

/* The newest first, of a type: the log is walked from its end, and nothing is sorted but the page.
 */
static void test_walk_of_changes(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    const struct slice type = SLICE("Observation");
    const struct search_sort newest = {.order = SEARCH_BY_UPDATED, .descending = true};
    const struct search search = {
        .types = &type, .type_count = 1, .sorts = &newest, .sort_count = 1, .limit = 9};
    struct plan plan = {.w = &w, .search = &search};
    assert_int_equal(fixture_read(&w.f, plan_step, &plan), ERR_OK);
    const char *walked = strstr(plan.text, "SCAN c"), *page = strstr(plan.text, "SCAN p");
    const char *sorted = strstr(plan.text, "USE TEMP B-TREE FOR ORDER BY");
    assert_true(walked && page && walked < page);
    assert_true(!sorted || sorted > page);
    assert_null(strstr(plan.text, "SEARCH x"));
    fixture_close(&w.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_other_filters),
        cmocka_unit_test(test_persons),
        cmocka_unit_test(test_categories),
        cmocka_unit_test(test_order_and_pages),
        cmocka_unit_test(test_facets_come_along),
        cmocka_unit_test(test_order_keeps_while_records_change),
        cmocka_unit_test(test_one_patient_per_person),
        cmocka_unit_test(test_many_values),
        cmocka_unit_test(test_long_comparisons_end),
        cmocka_unit_test(test_statements_come_and_go),
        cmocka_unit_test(test_plans_seek),
        cmocka_unit_test(test_walk_of_changes),
    };
    return T_RUN(tests);
}
