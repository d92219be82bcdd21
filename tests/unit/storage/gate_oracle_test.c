/* SPDX-License-Identifier: Apache-2.0
 *
 * Two opinions on consent: the SQL gate (storage/gate.c) and consent_decide in plain C. A
 * thousand random sets of rules, over several Consents and charts of a person, each asked under
 * random readers, purposes and moments, must give the same categories, and a search must give
 * exactly the records of those categories. Failing is possible: see the last test, which turns
 * one answer round and expects to notice.
 */
#include "lib/t.h"

#include "lib/store_fixture.h"

#include "base/banned.h"

#define ROUNDS 1000
#define CONTEXTS 8
#define CONSENTS 3
#define RULES 4
#define MOMENTS 5 /* small numbers, so that periods begin and end at the moments asked about */

static uint64_t seed = UINT64_C(0x5eed5eed5eed5eed);

/* SplitMix64. */
static uint64_t next_random(uint64_t below)
{
    uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

struct world {
    struct fixture f;
    int64_t a, b, c; /* readers a, b; the records are c's */
    int64_t person, other;
    int64_t charts[3]; /* of person, in c, a, b */
};

static void world_open(struct world *w)
{
    fixture_open(&w->f);
    w->a = fixture_add_facility(&w->f, 1, FACILITY_HOSPITAL);
    w->b = fixture_add_facility(&w->f, 2, FACILITY_CLINIC);
    w->c = fixture_add_facility(&w->f, 3, FACILITY_PHARMACY);
    w->person = fixture_add_person(&w->f);
    w->other = fixture_add_person(&w->f);
    w->charts[0] = fixture_add_chart(&w->f, w->c, w->person);
    w->charts[1] = fixture_add_chart(&w->f, w->a, w->person);
    w->charts[2] = fixture_add_chart(&w->f, w->b, w->person);
    int64_t others = fixture_add_chart(&w->f, w->c, w->other);
    for (unsigned category = 1; category < CATEGORY_COUNT; category++) {
        for (unsigned n = 0; n < 3; n++) {
            static const enum record_label labels[] = {RECORD_NORMAL, RECORD_RESTRICTED,
                                                       RECORD_PRIVATE}; /* never found */
            struct record_new record = {
                .type = SLICE("Basic"),
                .id = slice_str(arena_printf(w->f.arena, "%u-%u", category, n)),
                .chart = w->charts[0],
                .category = (enum category)category,
                .label = labels[n],
                .body = SLICE("{}")};
            (void)fixture_put(&w->f, w->c, &record);
            record.id = slice_str(arena_printf(w->f.arena, "o-%u-%u", category, n));
            record.chart = others; /* of somebody who consented to nothing */
            (void)fixture_put(&w->f, w->c, &record);
        }
    }
}

/* ── one round ─────────────────────────────────────────────────────────────────────────────── */

struct asked {
    struct grant grant;
    uint64_t wanted;  /* by consent_decide */
    uint64_t visible; /* by search_visible */
    uint64_t found;   /* categories of the records a search returned */
    size_t found_count;
};

struct round {
    struct world *w;
    struct consent_rule rules[CONSENTS][RULES];
    size_t counts[CONSENTS];
    struct asked asked[CONTEXTS];
    enum err err;
};

static struct consent_rule random_rule(const struct world *w)
{
    const int64_t facilities[] = {0, 0, w->a, w->b};
    struct consent_rule rule = {
        .permit = next_random(2),
        .nested = next_random(2),
        .facility = facilities[next_random(T_COUNT(facilities))],
        .purposes = (uint32_t)next_random(UINT64_C(1) << GRANT_PURPOSE_COUNT),
        .categories = (next_random(UINT64_MAX) | next_random(UINT64_MAX)) & CATEGORY_ALL,
        .from_ms = (int64_t)next_random(MOMENTS),
        .to_ms = (int64_t)next_random(MOMENTS + 2),
    };
    if (next_random(4) == 0)
        rule.from_ms = INT64_MIN;
    if (next_random(3) == 0)
        rule.to_ms = INT64_MAX;
    return rule;
}

static struct grant random_grant(const struct world *w)
{
    struct grant grant = fixture_facility(next_random(2) ? w->a : w->b,
                                          (enum grant_purpose)next_random(GRANT_PURPOSE_COUNT));
    grant.now_ms = (int64_t)next_random(MOMENTS);
    return grant;
}

static void fill_round(struct round *round)
{
    for (size_t i = 0; i < CONSENTS; i++) {
        round->counts[i] = next_random(RULES + 1);
        for (size_t j = 0; j < round->counts[i]; j++)
            round->rules[i][j] = random_rule(round->w);
    }
    for (size_t i = 0; i < CONTEXTS; i++)
        round->asked[i] = (struct asked){.grant = random_grant(round->w)};
}

static enum err put_rules(struct session *s, void *context)
{
    struct round *round = context;
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < CONSENTS; i++) {
        int64_t chart = round->w->charts[i];
        err = consent_put_rules(s, chart, (chart << 32) + 500, round->rules[i], round->counts[i]);
    }
    return err;
}

static enum err ask_one(struct session *s, struct round *round, struct arena *arena,
                        struct asked *asked)
{
    struct consent_rule *rules = NULL;
    size_t count = 0;
    struct search_result result = {0};
    const struct slice type = SLICE("Basic");
    const struct search search = {.types = &type, .type_count = 1, .limit = 200};
    session_bind(s, &asked->grant);
    enum err err = consent_rules(s, arena, round->w->person, &rules, &count);
    if (!err)
        err = search_visible(s, round->w->person, &asked->visible);
    if (!err)
        err = search_run(s, arena, &search, &result);
    session_bind(s, NULL);
    if (err)
        return err;
    asked->wanted = 0;
    for (unsigned category = 1; category < CATEGORY_COUNT; category++) {
        const struct consent_rule *why = NULL;
        if (consent_decide(rules, count, asked->grant.facility, asked->grant.purpose,
                           (enum category)category, asked->grant.now_ms, &why))
            asked->wanted |= CATEGORY_BIT(category);
    }
    for (size_t i = 0; i < result.count; i++) {
        if (result.records[i].person != round->w->person)
            return ERR_INTERNAL;
        asked->found |= CATEGORY_BIT(result.records[i].category);
    }
    asked->found_count = result.count;
    return ERR_OK;
}

static enum err ask_all(struct session *s, void *context)
{
    struct round *round = context;
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < CONTEXTS; i++) {
        struct arena *arena = arena_new(LIMIT_MIB);
        if (!arena)
            return ERR_LIMIT;
        err = ask_one(s, round, arena, &round->asked[i]);
        arena_free(arena);
    }
    return err;
}

static void run_round(struct round *round)
{
    fill_round(round);
    assert_int_equal(fixture_write(&round->w->f, put_rules, round), ERR_OK);
    assert_int_equal(fixture_read(&round->w->f, ask_all, round), ERR_OK);
}

static size_t bits(uint64_t mask)
{
    size_t count = 0;
    for (; mask; mask &= mask - 1)
        count++;
    return count;
}

static void test_both_decide_alike(void **state)
{
    (void)state;
    static struct round round;
    struct world w;
    size_t permitted = 0, asked_in_all = 0;
    world_open(&w);
    round.w = &w;
    for (unsigned n = 0; n < ROUNDS; n++) {
        run_round(&round);
        for (size_t i = 0; i < CONTEXTS; i++) {
            const struct asked *asked = &round.asked[i];
            if (asked->wanted != asked->visible || asked->wanted != asked->found)
                print_message("round %u context %zu: C %llx gate %llx search %llx\n", n, i,
                              (unsigned long long)asked->wanted, (unsigned long long)asked->visible,
                              (unsigned long long)asked->found);
            assert_int_equal(asked->wanted, asked->visible);
            assert_int_equal(asked->wanted, asked->found);
            assert_int_equal(asked->found_count, 2 * bits(asked->wanted)); /* two labels */
            permitted += bits(asked->wanted);
            asked_in_all += CATEGORY_COUNT - 1;
        }
    }
    /* Neither all no nor all yes, or the comparison would say nothing. */
    print_message("%zu of %zu answers were permit\n", permitted, asked_in_all);
    assert_true(permitted * 20 > asked_in_all);
    assert_true(permitted * 2 < asked_in_all);
    fixture_close(&w.f);
}

/* The two opinions must be able to differ: rules asked about another moment are other answers
 * somewhere. */
static void test_a_difference_would_show(void **state)
{
    (void)state;
    static struct round round;
    struct world w;
    size_t differing = 0;
    world_open(&w);
    round.w = &w;
    for (unsigned n = 0; n < 50; n++) {
        run_round(&round);
        for (size_t i = 1; i < CONTEXTS; i++)
            differing += round.asked[i].visible != round.asked[i - 1].wanted;
    }
    assert_true(differing > 20);
    fixture_close(&w.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_decide_alike),
        cmocka_unit_test(test_a_difference_would_show),
    };
    return T_RUN(tests);
}
