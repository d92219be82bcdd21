/* SPDX-License-Identifier: Apache-2.0
 *
 * Searching: every operation of every kind of parameter, AND of terms and OR of values, sorting,
 * walking pages one by one, totals that count nothing hidden, one Patient per person; and that
 * SQLite seeks where the statements mean it to (its own query plan is asked).
 */
#include "lib/t.h"

#include <sqlite3.h>

#include "lib/store_fixture.h"
#include "storage/session_impl.h"

#include "base/banned.h"

enum { P_CODE = 1, P_STATUS, P_NAME, P_DATE, P_VALUE, P_SUBJECT, P_URL };
#define DAY INT64_C(86400000)

struct world {
    struct fixture f;
    int64_t a, b, p1, p2, a1, b1, a2;
};

struct row {
    const char *id;
    char chart; /* 'a': p1 in A, 'b': p1 in B, 'c': p2 in A */
    enum category category;
    const char *system, *code, *status, *name, *raw;
    int64_t day, days; /* date facet [day, day + days) */
    double lo, hi;
    const char *unit, *url;
};
static const struct row rows[] = {
    {"r1", 'a', CATEGORY_LABORATORY, "s1", "c1", "final", "タナカ タロウ", "田中 太郎", 10, 1, 99.5,
     100.5, "mg", "urn:a"},
    {"r2", 'a', CATEGORY_LABORATORY, "s1", "c2", "final", "タナカ", "田中", 20, 1, 5.35, 5.45, "mg",
     "urn:b"},
    {"r3", 'a', CATEGORY_MEDICATION, "s2", "c1", "draft", "ヤマダ", "山田", 20, 10, 5.395, 5.405,
     "g", "urn:a"},
    {"r4", 'b', CATEGORY_LABORATORY, "s1", "c1", "final", "ヤマ", "山", 30, 1, 7.5, 8.5, "mg",
     "urn:c"},
    {"r5", 'c', CATEGORY_LABORATORY, "", "c1", NULL, NULL, NULL, 5, 30, -0.5, 0.5, "", NULL},
};

static void put_row(struct world *w, const struct row *row)
{
    struct facet facets[8];
    struct facet_list list = {facets, 0};
    facets[list.count++] = (struct facet){.param = P_CODE,
                                          .kind = FACET_TOKEN,
                                          .system = slice_str(row->system),
                                          .text = slice_str(row->code)};
    if (row->status)
        facets[list.count++] = (struct facet){.param = P_STATUS,
                                              .kind = FACET_TOKEN,
                                              .system = SLICE("st"),
                                              .text = slice_str(row->status)};
    if (row->name)
        facets[list.count++] = (struct facet){.param = P_NAME,
                                              .kind = FACET_STRING,
                                              .text = slice_str(row->name),
                                              .raw = slice_str(row->raw)};
    facets[list.count++] = (struct facet){.param = P_DATE,
                                          .kind = FACET_DATE,
                                          .lo_ms = row->day * DAY,
                                          .hi_ms = (row->day + row->days) * DAY};
    facets[list.count++] = (struct facet){.param = P_VALUE,
                                          .kind = FACET_QUANTITY,
                                          .system = SLICE("ucum"),
                                          .text = slice_str(row->unit),
                                          .lo = row->lo,
                                          .hi = row->hi};
    facets[list.count++] = (struct facet){.param = P_SUBJECT,
                                          .kind = FACET_REFERENCE,
                                          .text = slice_str(row->chart == 'c' ? "X/2" : "X/1")};
    if (row->url)
        facets[list.count++] =
            (struct facet){.param = P_URL, .kind = FACET_URI, .text = slice_str(row->url)};
    const struct record_new record = {.type = SLICE("Observation"),
                                      .id = slice_str(row->id),
                                      .chart = row->chart == 'a'   ? w->a1
                                               : row->chart == 'b' ? w->b1
                                                                   : w->a2,
                                      .category = row->category,
                                      .when = {row->day * DAY, (row->day + row->days) * DAY},
                                      .body = SLICE("{}"),
                                      .facets = &list};
    w->f.clock.ms += 1000;
    (void)fixture_put(&w->f, row->chart == 'b' ? w->b : w->a, &record);
}

static void world_open(struct world *w)
{
    fixture_open(&w->f);
    w->a = fixture_add_facility(&w->f, 1, FACILITY_HOSPITAL);
    w->b = fixture_add_facility(&w->f, 2, FACILITY_CLINIC);
    w->p1 = fixture_add_person(&w->f);
    w->p2 = fixture_add_person(&w->f);
    w->a1 = fixture_add_chart(&w->f, w->a, w->p1);
    w->b1 = fixture_add_chart(&w->f, w->b, w->p1);
    w->a2 = fixture_add_chart(&w->f, w->a, w->p2);
    for (size_t i = 0; i < T_COUNT(rows); i++)
        put_row(w, &rows[i]);
    const struct consent_rule all = {.permit = true,
                                     .purposes = GRANT_PURPOSES_ORDINARY,
                                     .categories = CATEGORY_ALL,
                                     .from_ms = INT64_MIN,
                                     .to_ms = INT64_MAX};
    fixture_rules(&w->f, w->a1, 1, &all, 1);
}

/* Ids in answer order, joined by blanks. */
static const char *ids_of(struct fixture *f, const struct search_result *result)
{
    char *text = arena_printf(f->arena, "%s", "");
    for (size_t i = 0; i < result->count; i++)
        text = arena_printf(f->arena, "%s%s%.*s", text, i ? " " : "",
                            SLICE_ARG(result->records[i].id));
    return text;
}

static const char *find(struct world *w, const struct grant *grant, const struct search *search)
{
    struct search_result result = {0};
    struct search counted = *search;
    counted.count_total = true;
    assert_int_equal(fixture_search(&w->f, grant, &counted, &result), ERR_OK);
    if (!search->after_given && !result.more)
        assert_int_equal(result.total, result.count);
    return ids_of(&w->f, &result);
}

/* ── operations ────────────────────────────────────────────────────────────────────────────── */

struct op_row {
    uint16_t param;
    enum facet_kind kind;
    struct search_value values[2];
    size_t count;
    const char *found;
};

#define V_TOKEN(sys, code)                                                                         \
    {                                                                                              \
        .system = SLICE(sys), .text = SLICE(code)                                                  \
    }
#define V_CODE(code)                                                                               \
    {                                                                                              \
        .any_system = true, .text = SLICE(code)                                                    \
    }
#define V_NOT(code)                                                                                \
    {                                                                                              \
        .op = SEARCH_NOT, .any_system = true, .text = SLICE(code)                                  \
    }
#define V_MISSING(yes)                                                                             \
    {                                                                                              \
        .op = SEARCH_MISSING, .text = SLICE(yes)                                                   \
    }
#define V_DATE(o, d, n)                                                                            \
    {                                                                                              \
        .op = (o), .when = {(d)*DAY, ((d) + (n)) * DAY }                                           \
    }
#define V_NUMBER(o, l, h)                                                                          \
    {                                                                                              \
        .op = (o), .any_system = true, .lo = (l), .hi = (h)                                        \
    }
#define V_TEXT(o, t)                                                                               \
    {                                                                                              \
        .op = (o), .text = SLICE(t), .raw = SLICE(t)                                               \
    }

static const struct op_row op_rows[] = {
    /* token */
    {P_CODE, FACET_TOKEN, {V_TOKEN("s1", "c1")}, 1, "r1 r4"},
    {P_CODE, FACET_TOKEN, {V_CODE("c1")}, 1, "r1 r3 r4 r5"},
    {P_CODE, FACET_TOKEN, {V_TOKEN("", "c1")}, 1, "r5"},
    {P_CODE, FACET_TOKEN, {{.any_code = true, .system = SLICE("s2")}}, 1, "r3"},
    {P_CODE, FACET_TOKEN, {V_TOKEN("s1", "c1"), V_TOKEN("s2", "c1")}, 2, "r1 r3 r4"},
    {P_CODE, FACET_TOKEN, {V_TOKEN("s1", "c2"), V_CODE("c1")}, 2, "r1 r2 r3 r4 r5"},
    {P_CODE, FACET_TOKEN, {V_TOKEN("s1", "c3")}, 1, ""},
    {P_STATUS, FACET_TOKEN, {V_NOT("final")}, 1, "r3 r5"},
    {P_STATUS, FACET_TOKEN, {V_NOT("final"), V_NOT("draft")}, 2, "r5"},
    {P_STATUS, FACET_TOKEN, {V_MISSING("true")}, 1, "r5"},
    {P_STATUS, FACET_TOKEN, {V_MISSING("false")}, 1, "r1 r2 r3 r4"},
    /* string */
    {P_NAME, FACET_STRING, {V_TEXT(SEARCH_EQ, "タナカ")}, 1, "r1 r2"},
    {P_NAME, FACET_STRING, {V_TEXT(SEARCH_EQ, "ヤマ")}, 1, "r3 r4"},
    {P_NAME, FACET_STRING, {V_TEXT(SEARCH_EQ, "ヤマ%")}, 1, ""},
    {P_NAME, FACET_STRING, {V_TEXT(SEARCH_EXACT, "山")}, 1, "r4"},
    {P_NAME, FACET_STRING, {V_TEXT(SEARCH_CONTAINS, "タロウ")}, 1, "r1"},
    {P_NAME, FACET_STRING, {V_TEXT(SEARCH_EQ, "タナカ "), V_TEXT(SEARCH_EQ, "ヤマダ")}, 2, "r1 r3"},
    {P_NAME, FACET_STRING, {V_MISSING("true")}, 1, "r5"},
    /* date: r1 [10,11) r2 [20,21) r3 [20,30) r4 [30,31) r5 [5,35) */
    {P_DATE, FACET_DATE, {V_DATE(SEARCH_EQ, 20, 1)}, 1, "r2"},
    {P_DATE, FACET_DATE, {V_DATE(SEARCH_EQ, 20, 10)}, 1, "r2 r3"},
    {P_DATE, FACET_DATE, {V_DATE(SEARCH_NE, 20, 10)}, 1, "r1 r4 r5"},
    {P_DATE, FACET_DATE, {V_DATE(SEARCH_GT, 20, 1)}, 1, "r3 r4 r5"},
    {P_DATE, FACET_DATE, {V_DATE(SEARCH_LT, 20, 1)}, 1, "r1 r5"},
    {P_DATE, FACET_DATE, {V_DATE(SEARCH_GE, 20, 1)}, 1, "r2 r3 r4 r5"},
    {P_DATE, FACET_DATE, {V_DATE(SEARCH_LE, 20, 1)}, 1, "r1 r2 r5"},
    {P_DATE, FACET_DATE, {V_DATE(SEARCH_SA, 20, 1)}, 1, "r4"},
    {P_DATE, FACET_DATE, {V_DATE(SEARCH_EB, 20, 1)}, 1, "r1"},
    {P_DATE, FACET_DATE, {V_DATE(SEARCH_EQ, 10, 1), V_DATE(SEARCH_SA, 29, 1)}, 2, "r1 r4"},
    /* number: r1 100, r2 5.4, r3 5.40, r4 8, r5 0 */
    {P_VALUE, FACET_QUANTITY, {V_NUMBER(SEARCH_EQ, 99.5, 100.5)}, 1, "r1"},
    {P_VALUE, FACET_QUANTITY, {V_NUMBER(SEARCH_EQ, 99.995, 100.005)}, 1, "r1"},
    {P_VALUE, FACET_QUANTITY, {V_NUMBER(SEARCH_EQ, 5.35, 5.45)}, 1, "r2 r3"},
    {P_VALUE, FACET_QUANTITY, {V_NUMBER(SEARCH_NE, 5.35, 5.45)}, 1, "r1 r4 r5"},
    {P_VALUE, FACET_QUANTITY, {V_NUMBER(SEARCH_GT, 5.35, 5.45)}, 1, "r1 r4"},
    {P_VALUE, FACET_QUANTITY, {V_NUMBER(SEARCH_GT, 5.395, 5.405)}, 1, "r1 r4"},
    {P_VALUE, FACET_QUANTITY, {V_NUMBER(SEARCH_GE, 5.35, 5.45)}, 1, "r1 r2 r3 r4"},
    {P_VALUE, FACET_QUANTITY, {V_NUMBER(SEARCH_LT, 7.5, 8.5)}, 1, "r2 r3 r5"},
    {P_VALUE, FACET_QUANTITY, {V_NUMBER(SEARCH_LE, 7.5, 8.5)}, 1, "r2 r3 r4 r5"},
    {P_VALUE, FACET_QUANTITY, {V_NUMBER(SEARCH_AP, 94.5, 95.5)}, 1, "r1"},
    {P_VALUE,
     FACET_QUANTITY,
     {{.op = SEARCH_GE, .system = SLICE("ucum"), .unit = SLICE("g"), .lo = 0, .hi = 0}},
     1,
     "r3"},
    {P_VALUE,
     FACET_QUANTITY,
     {{.op = SEARCH_GE, .system = SLICE("other"), .unit = SLICE("g"), .lo = 0, .hi = 0}},
     1,
     ""},
    /* reference, uri */
    {P_SUBJECT, FACET_REFERENCE, {V_TEXT(SEARCH_EQ, "X/2")}, 1, "r5"},
    {P_SUBJECT,
     FACET_REFERENCE,
     {V_TEXT(SEARCH_EQ, "X/1"), V_TEXT(SEARCH_EQ, "X/2")},
     2,
     "r1 r2 r3 r4 r5"},
    {P_URL, FACET_URI, {V_TEXT(SEARCH_EQ, "urn:a")}, 1, "r1 r3"},
    {P_URL, FACET_URI, {V_MISSING("true")}, 1, "r5"},
};

/* Sorted for comparing: the answer comes by rid, that is by chart. */
static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, 2);
}
static const char *sorted(const char *ids)
{
    static char text[64];
    size_t len = strlen(ids);
    assert_true(len < sizeof text);
    memcpy(text, ids, len + 1);
    if (len) {
        text[len] = ' ';
        qsort(text, (len + 1) / 3, 3, compare_ids);
        text[len] = '\0';
    }
    return text;
}

static void test_operations(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    const struct grant a = fixture_facility(w.a, GRANT_TREAT);
    for (size_t i = 0; i < T_COUNT(op_rows); i++) {
        const struct op_row *row = &op_rows[i];
        const struct search_term term = {row->param, row->kind, row->values, row->count};
        const struct search search = {
            .type = SLICE("Observation"), .terms = &term, .term_count = 1, .limit = 50};
        const char *found = sorted(find(&w, &a, &search));
        if (strcmp(found, row->found) != 0)
            print_message("operation %zu\n", i);
        assert_string_equal(found, row->found);
    }
    fixture_close(&w.f);
}

/* ── restrictions ──────────────────────────────────────────────────────────────────────────── */

static void test_restrictions(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    const struct grant a = fixture_facility(w.a, GRANT_TREAT),
                       b = fixture_facility(w.b, GRANT_TREAT);
    const struct search_value c1 = V_CODE("c1"), final = V_CODE("final");
    const struct search_term terms[] = {{P_CODE, FACET_TOKEN, &c1, 1},
                                        {P_STATUS, FACET_TOKEN, &final, 1}};
    const struct slice ids[] = {SLICE("r2"), SLICE("r5"), SLICE("zz")};
    const int64_t persons[] = {w.p1, w.p2};
    const int64_t from = FIXTURE_NOW + 2000;
    const struct when updated[] = {{from, from + 1}, {from + 2000, from + 2001}};
    const enum search_op ops[] = {SEARCH_GE, SEARCH_LE};
    const struct {
        const char *found;
        struct search search;
    } cases[] = {
        {"r1 r2 r3 r4 r5", {.limit = 50}},
        {"r1 r4", {.limit = 50, .terms = terms, .term_count = 2}},
        {"r1 r3 r4", {.limit = 50, .person = w.p1, .terms = terms, .term_count = 1}},
        {"r1 r4", {.limit = 50, .person = w.p1, .terms = terms, .term_count = 2}},
        {"r5", {.limit = 50, .person = w.p2}},
        {"", {.limit = 50, .person = -1}},
        {"", {.limit = 50, .person = 999}},
        {"r2 r5", {.limit = 50, .ids = ids, .id_count = 3}},
        {"r2", {.limit = 50, .ids = ids, .id_count = 3, .person = w.p1}},
        {"", {.limit = 50, .ids = ids, .id_count = 0}},
        {"r1 r2 r3 r4 r5",
         {.limit = 50, .persons = persons, .person_count = 2, .persons_given = true}},
        {"r5", {.limit = 50, .persons = persons + 1, .person_count = 1, .persons_given = true}},
        {"", {.limit = 50, .persons_given = true}},
        {"r2 r3 r4", {.limit = 50, .updated = updated, .updated_ops = ops, .updated_count = 2}},
        {"r3", {.limit = 50, .categories = CATEGORY_BIT(CATEGORY_MEDICATION)}},
        {"r1 r2 r4 r5", {.limit = 50, .categories = CATEGORY_BIT(CATEGORY_LABORATORY)}},
    };
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct search search = cases[i].search;
        search.type = SLICE("Observation");
        const char *found = sorted(find(&w, &a, &search));
        if (strcmp(found, cases[i].found) != 0)
            print_message("restriction %zu\n", i);
        assert_string_equal(found, cases[i].found);
    }
    struct search other = {.type = SLICE("Condition"), .limit = 50};
    assert_string_equal(find(&w, &a, &other), "");
    /* B has consent for p1 only; r5 is neither found nor counted. */
    struct search all = {.type = SLICE("Observation"), .limit = 50};
    assert_string_equal(sorted(find(&w, &b, &all)), "r1 r2 r3 r4");
    assert_string_equal(find(&w, NULL, &all), "");
    fixture_close(&w.f);
}

/* ── order and pages ───────────────────────────────────────────────────────────────────────── */

static void walk(struct world *w, const struct grant *grant, struct search search,
                 const char *expected)
{
    struct search_result result = {0};
    char walked[64] = "";
    search.limit = 1;
    search.count_total = true;
    for (unsigned pages = 0; pages < 10; pages++) {
        assert_int_equal(fixture_search(&w->f, grant, &search, &result), ERR_OK);
        assert_int_equal(result.total, (strlen(expected) + 1) / 3);
        assert_int_equal(result.count, 1);
        (void)snprintf(walked + strlen(walked), sizeof walked - strlen(walked), "%s%.*s",
                       walked[0] ? " " : "", SLICE_ARG(result.records[0].id));
        if (!result.more)
            break;
        search.after_given = true;
        search.after_key = result.last_key;
        search.after_rid = result.last_rid;
    }
    assert_string_equal(walked, expected);
}

static void test_order_and_pages(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    const struct grant a = fixture_facility(w.a, GRANT_TREAT),
                       b = fixture_facility(w.b, GRANT_TREAT);
    static const struct {
        enum search_sort sort;
        bool descending;
        const char *expected; /* charts in order: a1 (r1 r2 r3), b1 (r4), a2 (r5) */
    } cases[] = {
        {SEARCH_SORT_NONE, false, "r1 r2 r3 r4 r5"},
        {SEARCH_SORT_NONE, true, "r5 r4 r3 r2 r1"},
        {SEARCH_SORT_DATE, false, "r5 r1 r2 r3 r4"},
        {SEARCH_SORT_DATE, true, "r4 r3 r2 r1 r5"},
        {SEARCH_SORT_UPDATED, false, "r1 r2 r3 r4 r5"},
        {SEARCH_SORT_UPDATED, true, "r5 r4 r3 r2 r1"},
    };
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct search search = {.type = SLICE("Observation"),
                                .sort = cases[i].sort,
                                .descending = cases[i].descending,
                                .limit = 50};
        assert_string_equal(find(&w, &a, &search), cases[i].expected);
        walk(&w, &a, search, cases[i].expected);
    }
    /* B does not see r5: no page is empty or short because of it, and no total counts it. */
    struct search search = {.type = SLICE("Observation"), .sort = SEARCH_SORT_DATE};
    walk(&w, &b, search, "r1 r2 r3 r4");
    search.person = w.p1;
    search.descending = true;
    walk(&w, &b, search, "r4 r3 r2 r1");
    /* Count only. */
    struct search_result result = {0};
    search = (struct search){.type = SLICE("Observation"), .count_total = true};
    assert_int_equal(fixture_search(&w.f, &b, &search, &result), ERR_OK);
    assert_int_equal(result.total, 4);
    assert_int_equal(result.count, 0);
    fixture_close(&w.f);
}

/* ── one Patient per person ────────────────────────────────────────────────────────────────── */

static void put_patient(struct world *w, int64_t facility, int64_t chart, const char *id)
{
    struct facet name = {.param = P_NAME, .kind = FACET_STRING, .text = slice_str(id)};
    struct facet_list list = {&name, 1};
    const struct record_new record = {.type = SLICE("Patient"),
                                      .id = slice_str(id),
                                      .chart = chart,
                                      .category = CATEGORY_DEMOGRAPHICS,
                                      .body = SLICE("{}"),
                                      .facets = &list};
    w->f.clock.ms += 1000;
    (void)fixture_put(&w->f, facility, &record);
}

static void test_one_patient_per_person(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    const struct grant a = fixture_facility(w.a, GRANT_TREAT),
                       b = fixture_facility(w.b, GRANT_TREAT);
    const struct grant p1 = fixture_resident(w.p1);
    const int64_t b2 = fixture_add_chart(&w.f, w.b, w.p2);
    put_patient(&w, w.a, w.a1, "a1");
    put_patient(&w, w.b, w.b1, "b1");
    put_patient(&w, w.a, w.a2, "a2");
    struct search all = {.type = SLICE("Patient"), .limit = 50};
    assert_string_equal(find(&w, &a, &all), "a1 a2");
    assert_string_equal(find(&w, &b, &all), "b1");  /* its own; p2 has no consent */
    assert_string_equal(find(&w, &p1, &all), "b1"); /* the newest */
    put_patient(&w, w.b, b2, "b2");
    assert_string_equal(find(&w, &b, &all), "b1 b2");
    assert_string_equal(find(&w, &a, &all), "a1 a2");
    const int64_t persons[] = {w.p2, w.p1};
    all.persons = persons;
    all.persons_given = true;
    all.person_count = 1;
    assert_string_equal(find(&w, &a, &all), "a2");
    all.person_count = 2;
    assert_string_equal(find(&w, &a, &all), "a1 a2");
    walk(&w, &a, all, "a1 a2");
    fixture_close(&w.f);
}

/* ── bounds ────────────────────────────────────────────────────────────────────────────────── */

static void test_many_values(void **state)
{
    (void)state;
    static struct search_value values[LIMIT_SEARCH_VALUES];
    static struct search_term terms[LIMIT_SEARCH_PARAMS];
    struct world w;
    struct search_result result = {0};
    world_open(&w);
    const struct grant a = fixture_facility(w.a, GRANT_TREAT);
    for (size_t i = 0; i < T_COUNT(values); i++) {
        char *code = arena_printf(w.f.arena, "c%zu", i);
        values[i] = (struct search_value){.system = SLICE("s1"), .text = slice_str(code)};
    }
    struct search search = {
        .type = SLICE("Observation"), .terms = terms, .term_count = 1, .limit = 9};
    terms[0] = (struct search_term){P_CODE, FACET_TOKEN, values, T_COUNT(values)};
    assert_string_equal(sorted(find(&w, &a, &search)), "r1 r2 r4");
    search.person = w.p1;
    assert_string_equal(sorted(find(&w, &a, &search)), "r1 r2 r4");
    /* Sixty-four terms of one value each are fine; of a thousand each, too large to ask. */
    for (size_t i = 0; i < T_COUNT(terms); i++)
        terms[i] = (struct search_term){P_CODE, FACET_TOKEN, values + 1, 1};
    search.term_count = T_COUNT(terms);
    assert_string_equal(sorted(find(&w, &a, &search)), "r1 r4");
    for (size_t i = 0; i < T_COUNT(terms); i++)
        terms[i].value_count = T_COUNT(values) - 1;
    assert_int_equal(fixture_search(&w.f, &a, &search, &result), ERR_TOO_LARGE);
    fixture_close(&w.f);
}

/* More different searches than the table of compiled statements holds. */
static void test_statements_come_and_go(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    const struct grant a = fixture_facility(w.a, GRANT_TREAT);
    const struct search_value c1 = V_CODE("c1");
    struct search_term terms[90];
    for (size_t i = 0; i < T_COUNT(terms); i++)
        terms[i] = (struct search_term){P_CODE, FACET_TOKEN, &c1, 1};
    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 1; i < T_COUNT(terms); i += 2) {
            const struct search search = {
                .type = SLICE("Observation"), .terms = terms, .term_count = i, .limit = 9};
            assert_string_equal(sorted(find(&w, &a, &search)), "r1 r3 r4 r5");
        }
    }
    fixture_close(&w.f);
}

/* ── the plan ──────────────────────────────────────────────────────────────────────────────── */

struct plan {
    const struct grant *grant;
    struct fixture *f;
    const struct search *search;
    char text[8000];
};
/* The plans of whatever search.c left compiled on this connection. */
static enum err plan_step(struct session *s, void *context)
{
    struct plan *p = context;
    struct search_result result = {0};
    session_bind(s, p->grant);
    enum err err = search_run(s, p->f->arena, p->search, &result);
    p->text[0] = '\0';
    for (sqlite3_stmt *stmt = NULL; !err && (stmt = sqlite3_next_stmt(s->db, stmt));) {
        const char *sql = sqlite3_sql(stmt);
        sqlite3_stmt *explain = NULL;
        if (!strstr(sql, "SELECT p.key"))
            continue;
        char *text = arena_printf(p->f->arena, "EXPLAIN QUERY PLAN %s", sql);
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

static void assert_plan(const struct search *search, const char *const *wanted)
{
    struct world w;
    world_open(&w);
    const struct grant a = fixture_facility(w.a, GRANT_TREAT);
    struct plan plan = {.grant = &a, .f = &w.f, .search = search};
    assert_int_equal(fixture_read(&w.f, plan_step, &plan), ERR_OK);
    for (; *wanted; wanted++) {
        if (!strstr(plan.text, *wanted))
            print_message("no \"%s\" in\n%s", *wanted, plan.text);
        assert_non_null(strstr(plan.text, *wanted));
    }
    if (strstr(plan.text, "SCAN r\n") || strstr(plan.text, "SCAN x\n"))
        print_message("%s", plan.text);
    assert_null(strstr(plan.text, "SCAN r\n"));
    assert_null(strstr(plan.text, "SCAN x\n"));
    fixture_close(&w.f);
}

static void test_plans_seek(void **state)
{
    (void)state;
    const struct search_value c1 = V_TOKEN("s1", "c1"), day = V_DATE(SEARCH_GE, 1, 1);
    const struct search_term terms[] = {{P_CODE, FACET_TOKEN, &c1, 1},
                                        {P_DATE, FACET_DATE, &day, 1}};
    const struct search by_person = {.type = SLICE("Observation"), .person = 1, .limit = 9};
    const struct search by_code = {
        .type = SLICE("Observation"), .person = 1, .terms = terms, .term_count = 2, .limit = 9};
    const struct search anyone = {
        .type = SLICE("Observation"), .terms = terms, .term_count = 2, .limit = 9};
    const struct search all = {.type = SLICE("Observation"), .limit = 9};
    const struct slice id = SLICE("r1");
    const struct search one = {.type = SLICE("Observation"), .ids = &id, .id_count = 1, .limit = 9};
    assert_plan(&by_person,
                (const char *const[]){
                    "SEARCH k USING COVERING INDEX chart_person (person=?)",
                    "SEARCH r USING INDEX record_type (type=? AND rid>? AND rid<?)", NULL});
    assert_plan(&by_code,
                (const char *const[]){
                    "SEARCH x USING PRIMARY KEY (param=? AND code=? AND rid>? AND rid<?)",
                    "SEARCH r USING INTEGER PRIMARY KEY (rowid=?)",
                    "SEARCH x USING COVERING INDEX ix_date_rid (rid=? AND param=?)", NULL});
    assert_plan(&anyone,
                (const char *const[]){"SEARCH x USING PRIMARY KEY (param=? AND code=?)",
                                      "SEARCH r USING INTEGER PRIMARY KEY (rowid=?)", NULL});
    assert_plan(&all, (const char *const[]){"SEARCH r USING INDEX record_type (type=?)", NULL});
    assert_plan(&one, (const char *const[]){"(type=? AND id=?)", NULL});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operations),      cmocka_unit_test(test_restrictions),
        cmocka_unit_test(test_order_and_pages), cmocka_unit_test(test_one_patient_per_person),
        cmocka_unit_test(test_many_values),     cmocka_unit_test(test_statements_come_and_go),
        cmocka_unit_test(test_plans_seek),
    };
    return T_RUN(tests);
}
