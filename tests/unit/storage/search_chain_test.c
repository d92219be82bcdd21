/* SPDX-License-Identifier: Apache-2.0
 *
 * Chains and reverse chains: to records and to residents, few and many at the other end, as deep as
 * is allowed, and never through what the reader may not see.
 */
#include "lib/t.h"

#include "lib/store_fixture.h"

#include "lib/search_world.h"

#include "base/banned.h"

static void test_chains(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    const struct search_filter suzuki = S_TERM(P_NAME, V_STRING(SEARCH_EQ, "スズキ"));
    const struct search_filter tanaka = S_TERM(P_NAME, V_STRING(SEARCH_EQ, "タナカ"));
    const struct search_filter hidden = S_TERM(P_NAME, V_STRING(SEARCH_EQ, "タナカB"));
    const struct search_filter c2 = S_TERM(P_CODE, V_CODE("c2"));
    FOUND(&w, "Observation", "r1 r4", S_CHAIN(P_WHO, "Practitioner", suzuki));
    FOUND(&w, "Observation", "", S_CHAIN(P_WHO, "Organization", suzuki));
    FOUND(&w, "Observation", "r1", S_CHAIN(P_WHO, "Practitioner", suzuki),
          S_TERM(P_DATE, V_DATE(SEARCH_LT, 20 * DAY, 21 * DAY)));
    FOUND(&w, "Observation", "r1 r2 r3 r4", S_CHAIN(P_SUBJECT, "Patient", tanaka));
    FOUND(&w, "Observation", "", S_CHAIN(P_SUBJECT, "Patient", hidden)); /* not the one shown */
    FOUND(&w, "Encounter", "e1", S_CHAIN(P_PART, "Observation", c2));
    FOUND(&w, "Observation", "r5",
          S_CHAIN(P_PART, "Observation", S_CHAIN(P_WHO, "Practitioner", suzuki)));
    struct search_filter both = S_CHAIN(P_WHO, "Practitioner", suzuki);
    both.ids = (const struct slice[]){SLICE("Patient"), SLICE("Practitioner")};
    both.id_count = 2;
    FOUND(&w, "Observation", "r1 r4", both);
    both.none = true;
    FOUND(&w, "Observation", "r2 r3 r5", both);
    /* the other way */
    FOUND(&w, "Practitioner", "d1", S_HAS(P_WHO, "Observation", S_TERM(P_CODE, V_CODE("c1"))));
    FOUND(&w, "Practitioner", "d2", S_HAS(P_WHO, "Observation", c2));
    FOUND(&w, "Practitioner", "d2", S_HAS(P_WHO, "Encounter", S_MISSING(P_CODE, true)));
    FOUND(&w, "Patient", "pa1", S_HAS(P_SUBJECT, "Observation", c2));
    FOUND(&w, "Patient", "pa1 pa2", S_HAS(P_SUBJECT, "Observation", S_TERM(P_CODE, V_CODE("c1"))));
    FOUND(&w, NULL, "pa1", S_HAS(P_SUBJECT, "Observation", c2));
    FOUND(&w, NULL, "d2 pa1",
          S_ANY(S_LIST(S_HAS(P_SUBJECT, "Observation", c2)),
                S_LIST(S_HAS(P_WHO, "Observation", c2))));
    FOUND(&w, "Observation", "r2",
          S_HAS(P_PART, "Encounter", S_CHAIN(P_WHO, "Practitioner", S_MISSING(P_CODE, true))));
    FOUND(&w, "Practitioner", "d1",
          S_HAS(P_WHO, "Observation", S_HAS(P_PART, "Observation", S_OF(0, w.p2))));
    struct search_filter none = S_HAS(P_WHO, "Observation", c2);
    none.none = true;
    FOUND(&w, "Practitioner", "d1", none);
    /* p1 named by number from p2's chart */
    struct facet names = {.param = P_FOCUS, .kind = FACET_REFERENCE};
    names.text = slice_str(arena_printf(w.f.arena, "Patient/@%lld", (long long)w.b1));
    (void)put(&w, &(struct row){"x1", "Observation", 'c', LAB, {F_TOKEN(P_CODE, "s9", "c9")}, NULL},
              &names);
    FOUND(&w, "Observation", "x1", S_CHAIN(P_FOCUS, "Patient", tanaka));
    FOUND(&w, "Observation", "x1", S_CHAIN(P_FOCUS, "Patient", S_MISSING(P_CODE, true)));
    FOUND(&w, "Patient", "pa1", S_HAS(P_FOCUS, "Observation", S_TERM(P_CODE, V_CODE("c9"))));
    FOUND(&w, "Patient", "pa1", S_HAS(P_FOCUS, "Observation", S_MISSING(P_DATE, true)));
    fixture_close(&w.f);
}

/* More at the other end than is read beforehand: 1,100 residents, each with an Observation that
 * also names p1. */
#define MANY 1100
static enum err put_many(struct session *s, void *context)
{
    struct world *w = context;
    enum err err = ERR_OK;
    const char *p1 = arena_printf(w->f.arena, "Patient/@%lld", (long long)w->b1);
    session_bind(s, &w->reader);
    for (unsigned n = 0; n < MANY && !err; n++) {
        const struct person_claim claim = {.name = SLICE("many")};
        struct facet name[] = {F_NAME("マルチ", "多")};
        struct facet facets[] = {F_TOKEN(P_CODE, "s1", "many"), SELF,
                                 F_REF(P_WHO, "Practitioner/d1"), F_REF(P_FOCUS, ""),
                                 F_STATUS("final")};
        struct record_new record = {.type = SLICE("Patient"),
                                    .id = slice_str(arena_printf(w->f.arena, "m%u", n)),
                                    .category = CATEGORY_DEMOGRAPHICS,
                                    .body = SLICE("{}"),
                                    .facets = &(struct facet_list){name, 1}};
        struct record_mark mark;
        int64_t person = 0;
        facets[3].text = slice_str(p1);
        err = person_register(s, &claim, &person);
        if (!err)
            err = person_open_chart(s, w->a, person, &record.chart);
        if (!err)
            err = record_put(s, &record, 0, &mark);
        record.type = SLICE("Observation");
        record.facets = &(struct facet_list){facets, T_COUNT(facets)};
        if (!err)
            err = record_put(s, &record, 0, &mark);
    }
    session_bind(s, NULL);
    return err;
}

static void assert_total(struct world *w, const char *type, struct search_list list, uint64_t total)
{
    const struct slice types[] = {slice_str(type)};
    const struct search search = {
        .types = types, .type_count = 1, .filters = list, .count_total = true, .limit = 3};
    struct search_result result = {0};
    assert_int_equal(fixture_search(&w->f, &w->reader, &search, &result), ERR_OK);
    assert_int_equal(result.total, total);
    assert_int_equal(result.count, total < 3 ? total : 3);
}

static void test_wide_chains(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    assert_int_equal(fixture_write(&w.f, put_many, &w), ERR_OK);
    const struct search_filter many = S_TERM(P_NAME, V_STRING(SEARCH_EQ, "マルチ"));
    const struct search_filter code = S_TERM(P_CODE, V_TOKEN("s1", "many"));
    const struct search_filter final = S_TERM(P_STATUS, V_CODE("final"));
    assert_total(&w, "Observation", S_LIST(S_CHAIN(P_SUBJECT, "Patient", many)), MANY);
    assert_total(&w, "Observation", S_LIST(S_CHAIN(P_SUBJECT, "Patient", many), final), MANY);
    assert_total(&w, "Patient", S_LIST(S_HAS(P_SUBJECT, "Observation", code)), MANY);
    assert_total(&w, "Patient", S_LIST(S_HAS(P_FOCUS, "Observation", code)), 1);
    assert_total(&w, "Practitioner", S_LIST(S_HAS(P_WHO, "Observation", code)), 1);
    assert_total(&w, "Practitioner",
                 S_LIST(S_HAS(P_WHO, "Observation", S_CHAIN(P_SUBJECT, "Patient", many))), 1);
    struct facet name = {.param = P_FOCUS, .kind = FACET_REFERENCE};
    struct search_result result = {0};
    const struct slice patient = SLICE("Patient");
    const struct search one = {
        .types = &patient, .type_count = 1, .filters = S_LIST(many), .limit = 600};
    assert_int_equal(fixture_search(&w.f, &w.reader, &one, &result), ERR_OK);
    assert_int_equal(result.count, 600);
    name.text =
        slice_str(arena_printf(w.f.arena, "Patient/@%lld", (long long)result.records[599].chart));
    (void)put(&w,
              &(struct row){"e9", "Encounter", 'c', LAB, {F_REF(P_PART, "Observation/m77")}, NULL},
              &name);
    assert_total(&w, "Encounter", S_LIST(S_CHAIN(P_FOCUS, "Patient", many)), 1);
    assert_total(&w, "Encounter", S_LIST(S_CHAIN(P_PART, "Observation", code)), 1);
    assert_total(&w, "Patient", S_LIST(many, S_HAS(P_FOCUS, "Encounter", S_MISSING(P_CODE, true))),
                 1);
    struct search_filter none = S_HAS(P_SUBJECT, "Observation", code);
    none.none = true;
    assert_total(&w, "Patient", S_LIST(none), 2);
    fixture_close(&w.f);
}

/* Every link of the allowed number, each found from its end. */
static void test_deep_chains(void **state)
{
    (void)state;
    static struct search_filter links[LIMIT_SEARCH_CHAIN + 1];
    static struct search_list groups[LIMIT_SEARCH_CHAIN + 1];
    struct world w;
    world_open(&w);
    const struct slice list = SLICE("List"), types[] = {SLICE("List"), SLICE("Patient")};
    for (unsigned i = 0; i <= LIMIT_SEARCH_CHAIN; i++) {
        const char *id = arena_printf(w.f.arena, "l%u", i);
        struct facet next = {.param = P_PART,
                             .kind = FACET_REFERENCE,
                             .text = slice_str(arena_printf(w.f.arena, "List/l%u", i + 1))};
        struct row row = {id, "List", '0', CATEGORY_NONE, {{0}}, NULL};
        if (i == LIMIT_SEARCH_CHAIN)
            row.facets[0] = (struct facet)F_TOKEN(P_CODE, "s1", "end");
        (void)put(&w, &row, &next);
    }
    for (unsigned selective = 0; selective < 2; selective++) {
        const struct search_filter end =
            selective ? S_TERM(P_CODE, V_CODE("end")) : S_MISSING(P_CODE, false);
        for (unsigned i = 0; i < LIMIT_SEARCH_CHAIN; i++) {
            groups[i] = (struct search_list){i ? &links[i - 1] : &end, 1};
            links[i] = (struct search_filter){.kind = SEARCH_CHAIN,
                                              .param = P_PART,
                                              .ids = types,
                                              .id_count = 1 + selective,
                                              .groups = &groups[i],
                                              .group_count = 1};
        }
        const struct search search = {.types = &list,
                                      .type_count = 1,
                                      .filters = {&links[LIMIT_SEARCH_CHAIN - 1], 1},
                                      .limit = 9};
        assert_string_equal(find(&w, &w.reader, &search), "l0");
    }
    fixture_close(&w.f);
}

/* What a reader may not see is no link either. */
static void test_chains_through_the_hidden(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    fixture_rules(&w.f, w.a1, 1, NULL, 0); /* consent withdrawn: A sees nothing of B's */
    FOUND(&w, "Practitioner", "d1", S_HAS(P_WHO, "Observation", S_TERM(P_CODE, V_CODE("c1"))));
    FOUND(&w, "Practitioner", "",
          S_HAS(P_WHO, "Observation", S_TERM(P_VALUE, V_NUMBER(SEARCH_EQ, 7.5, 8, 8.5))));
    const struct search_list list = S_LIST(S_CHAIN(P_PART, "Observation", S_MISSING(P_URL, true)));
    const struct slice encounter = SLICE("Encounter");
    const struct search search = {.types = &encounter, .type_count = 1, .filters = list};
    assert_string_equal(find(&w, &w.reader, &search), "e1");
    const struct grant b = fixture_facility(w.b, GRANT_TREAT);
    assert_string_equal(find(&w, &b, &search), "");
    assert_string_equal(find(&w, NULL, &search), "");
    fixture_close(&w.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_wide_chains),
        cmocka_unit_test(test_deep_chains),
        cmocka_unit_test(test_chains_through_the_hidden),
    };
    return T_RUN(tests);
}
