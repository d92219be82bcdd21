/* SPDX-License-Identifier: Apache-2.0
 *
 * A small region for tests of searching: two hospitals, two residents, records that differ in what
 * matters, and a reader who sees them all. Include after store_fixture.h.
 */
#ifndef TESTS_LIB_SEARCH_WORLD_H
#define TESTS_LIB_SEARCH_WORLD_H

#include "lib/search_t.h"

enum { P_CODE = 1, P_STATUS, P_NAME, P_DATE, P_VALUE, P_SUBJECT, P_URL, P_WHO, P_FOCUS, P_PART };
#define DAY INT64_C(86400000)
#define NOW_DAY (FIXTURE_NOW / DAY)

struct world {
    struct fixture f;
    int64_t a, b, p1, p2, a1, b1, a2;
    struct grant
        reader; /* A, who has everybody's consent but p2's is not needed: his chart is A's */
};

struct row {
    const char *id;
    const char *type;
    char chart; /* 'a': p1 in A, 'b': p1 in B, 'c': p2 in A, '0': of no person, A's */
    enum category category;
    struct facet facets[7];
    const char *words;
};

#define F_TOKEN(p, s, c)                                                                           \
    {                                                                                              \
        .param = (p), .kind = FACET_TOKEN, .system = SLICE(s), .text = SLICE(c)                    \
    }
#define F_STATUS(c)                                                                                \
    {                                                                                              \
        .param = P_STATUS, .kind = FACET_TOKEN, .text = SLICE(c), .common = true                   \
    }
#define F_NAME(t, r)                                                                               \
    {                                                                                              \
        .param = P_NAME, .kind = FACET_STRING, .text = SLICE(t), .raw = SLICE(r)                   \
    }
#define F_DAYS(d, n)                                                                               \
    {                                                                                              \
        .param = P_DATE, .kind = FACET_DATE, .lo_ms = (d)*DAY, .hi_ms = ((d) + (n)) * DAY          \
    }
#define F_VALUE(v, u)                                                                              \
    {                                                                                              \
        .param = P_VALUE, .kind = FACET_QUANTITY, .system = SLICE("ucum"), .text = SLICE(u),       \
        .lo = (v), .hi = (v)                                                                       \
    }
#define F_REF(p, t)                                                                                \
    {                                                                                              \
        .param = (p), .kind = FACET_REFERENCE, .text = SLICE(t)                                    \
    }
#define F_URL(t)                                                                                   \
    {                                                                                              \
        .param = P_URL, .kind = FACET_URI, .text = SLICE(t)                                        \
    }
#define SELF                                                                                       \
    {                                                                                              \
        .param = P_SUBJECT, .kind = FACET_REFERENCE, .text = SLICE("Patient/@"), .common = true    \
    }
#define LAB CATEGORY_LABORATORY

static const struct row rows[] = {
    {"r1",
     "Observation",
     'a',
     LAB,
     {F_TOKEN(P_CODE, "s1", "c1"), F_STATUS("final"), F_DAYS(10, 1), F_VALUE(100, "mg"), SELF,
      F_REF(P_WHO, "Practitioner/d1")},
     "胃 痛 あり"},
    {"r2",
     "Observation",
     'a',
     LAB,
     {F_TOKEN(P_CODE, "s1", "c2"), F_STATUS("final"), F_DAYS(20, 1), F_VALUE(5.4, "mg"), SELF,
      F_REF(P_WHO, "Practitioner/d2")},
     "肺癌の疑い"},
    {"r3",
     "Observation",
     'a',
     CATEGORY_MEDICATION,
     {F_TOKEN(P_CODE, "s2", "C1"), F_STATUS("draft"), F_DAYS(20, 10), F_VALUE(7, "g"), SELF,
      F_URL("urn:a")},
     "aspirin"},
    {"r4",
     "Observation",
     'b',
     LAB,
     {F_TOKEN(P_CODE, "s1", "c1"), F_STATUS("final"), F_DAYS(NOW_DAY - 2, 1), F_VALUE(8, "mg"),
      SELF, F_REF(P_WHO, "Practitioner/d1")},
     NULL},
    {"r5",
     "Observation",
     'c',
     LAB,
     {F_TOKEN(P_CODE, "", "c1"), F_DAYS(5, 300), SELF, F_REF(P_PART, "Observation/r1")},
     NULL},
    {"d1", "Practitioner", '0', CATEGORY_NONE, {F_NAME("スズキ", "鈴木")}, NULL},
    {"d2", "Practitioner", '0', CATEGORY_NONE, {F_NAME("サトウ", "佐藤")}, NULL},
    {"pa1",
     "Patient",
     'a',
     CATEGORY_DEMOGRAPHICS,
     {F_NAME("タナカ", "田中"), F_DAYS(-9000, 1)},
     NULL},
    {"pb1", "Patient", 'b', CATEGORY_DEMOGRAPHICS, {F_NAME("タナカB", "田中B")}, NULL},
    {"pa2",
     "Patient",
     'c',
     CATEGORY_DEMOGRAPHICS,
     {F_NAME("ヤマダ", "山田"), F_DAYS(-8000, 1)},
     NULL},
    {"e1",
     "Encounter",
     'a',
     CATEGORY_ENCOUNTER,
     {SELF, F_REF(P_WHO, "Practitioner/d2"), F_REF(P_PART, "Observation/r2")},
     NULL},
};

static inline int64_t put(struct world *w, const struct row *row, const struct facet *more)
{
    struct facet facets[8];
    struct facet_list list = {facets, 0};
    for (size_t i = 0; i < T_COUNT(row->facets) && row->facets[i].param; i++)
        facets[list.count++] = row->facets[i];
    if (more)
        facets[list.count++] = *more;
    const struct record_new record = {
        .type = slice_str(row->type),
        .id = slice_str(row->id),
        .chart = row->chart == 'a'   ? w->a1
                 : row->chart == 'b' ? w->b1
                 : row->chart == 'c' ? w->a2
                                     : 0,
        .category = row->category,
        .body = slice_str(arena_printf(w->f.arena, "{\"n\":%lld}", (long long)w->f.clock.ms)),
        .facets = &list,
        .words = slice_str(row->words)};
    w->f.clock.ms += 1000;
    return fixture_put(&w->f, row->chart == 'b' ? w->b : w->a, &record);
}

static inline void world_open(struct world *w)
{
    fixture_open(&w->f);
    w->a = fixture_add_facility(&w->f, 1, FACILITY_HOSPITAL);
    w->b = fixture_add_facility(&w->f, 2, FACILITY_CLINIC);
    w->p1 = fixture_add_person(&w->f);
    w->p2 = fixture_add_person(&w->f);
    w->a1 = fixture_add_chart(&w->f, w->a, w->p1);
    w->b1 = fixture_add_chart(&w->f, w->b, w->p1);
    w->a2 = fixture_add_chart(&w->f, w->a, w->p2);
    w->reader = fixture_facility(w->a, GRANT_TREAT);
    for (size_t i = 0; i < T_COUNT(rows); i++)
        (void)put(w, &rows[i], NULL);
    const struct consent_rule all = {.permit = true,
                                     .purposes = GRANT_PURPOSES_ORDINARY,
                                     .categories = CATEGORY_ALL,
                                     .from_ms = INT64_MIN,
                                     .to_ms = INT64_MAX};
    fixture_rules(&w->f, w->a1, 1, &all, 1);
}

static inline const char *find(struct world *w, const struct grant *grant,
                               const struct search *search)
{
    struct search_result result = {0};
    struct search counted = *search;
    counted.count_total = true;
    counted.limit = counted.limit ? counted.limit : 50;
    assert_int_equal(fixture_search(&w->f, grant, &counted, &result), ERR_OK);
    if (!search->after_given && !result.more)
        assert_int_equal(result.total, result.count);
    return search_t_ids(&w->f, &result);
}

struct matches {
    const struct grant *grant;
    const struct search *search;
    int64_t rid;
    bool matches;
};
static inline enum err matches_step(struct session *s, void *context)
{
    struct matches *m = context;
    session_bind(s, m->grant);
    return search_matches(s, m->search, m->rid, &m->matches);
}

/* The records of TYPE (NULL: of all) that pass LIST, and the same one by one through
 * search_matches. */
static inline void assert_found(struct world *w, const char *type, struct search_list list,
                                const char *expected, int line)
{
    struct search_result all = {0};
    const struct slice types[] = {slice_str(type)};
    const struct search search = {.types = types, .type_count = type ? 1 : 0, .filters = list};
    const struct search everything = {.limit = 50};
    const char *found = search_t_sorted(&w->f, find(w, &w->reader, &search)), *one_by_one = "";
    if (strcmp(found, expected) != 0)
        print_message("line %d\n", line);
    assert_string_equal(found, expected);
    assert_int_equal(fixture_search(&w->f, &w->reader, &everything, &all), ERR_OK);
    for (size_t i = 0; i < all.count; i++) {
        struct matches m = {&w->reader, &search, all.records[i].rid, false};
        assert_int_equal(fixture_read(&w->f, matches_step, &m), ERR_OK);
        if (m.matches)
            one_by_one =
                arena_printf(w->f.arena, "%s %.*s", one_by_one, SLICE_ARG(all.records[i].id));
    }
    assert_string_equal(search_t_sorted(&w->f, one_by_one), expected);
}
#define FOUND(w, type, expected, ...) assert_found(w, type, S_LIST(__VA_ARGS__), expected, __LINE__)

#endif
