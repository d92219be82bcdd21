/* SPDX-License-Identifier: Apache-2.0
 *
 * Consent decisions: a table of worked cases, a second evaluator written the other way round
 * against random rules, and the round trip through the store.
 */
#include "storage/consent.h"

#include "storage/search.h"
#include "tests/unit/storage/bench.h"

#include "base/banned.h"

#define T GRANT_PURPOSE_BIT(GRANT_TREAT)
#define B GRANT_PURPOSE_BIT(GRANT_BTG)
#define LAB CATEGORY_BIT(CATEGORY_LABORATORY)
#define MED CATEGORY_BIT(CATEGORY_MEDICATION)
#define ALWAYS INT64_MIN, INT64_MAX

struct decision {
    const char *name;
    struct consent_rule rules[4];
    size_t count;
    bool want;
    int want_rule; /* index; -1: none */
};

/* Asked: facility 7, TREAT, laboratory, now 1000. Columns of a rule: Consent, permit, nested,
 * facility, purposes, categories, from, to. */
static const struct decision decisions[] = {
    {"no rule", {{0}}, 0, false, -1},
    {"root permit", {{1, true, false, 0, T, LAB, ALWAYS}}, 1, true, 0},
    {"root deny", {{1, false, false, 0, T, LAB, ALWAYS}}, 1, false, 0},
    {"named facility", {{1, true, false, 7, T, LAB, ALWAYS}}, 1, true, 0},
    {"other facility", {{1, true, false, 8, T, LAB, ALWAYS}}, 1, false, -1},
    {"other purpose", {{1, true, false, 0, B, LAB, ALWAYS}}, 1, false, -1},
    {"other category", {{1, true, false, 0, T, MED, ALWAYS}}, 1, false, -1},
    {"starts now", {{1, true, false, 0, T, LAB, 1000, 1001}}, 1, true, 0},
    {"ended just now", {{1, true, false, 0, T, LAB, 0, 1000}}, 1, false, -1},
    {"not yet", {{1, true, false, 0, T, LAB, 1001, INT64_MAX}}, 1, false, -1},
    {"nested deny beats root permit",
     {{1, true, false, 0, T, LAB, ALWAYS}, {1, false, true, 7, T, LAB, ALWAYS}},
     2,
     false,
     1},
    {"nested permit beats root deny",
     {{1, false, false, 0, T, LAB, ALWAYS}, {1, true, true, 7, T, LAB, ALWAYS}},
     2,
     true,
     1},
    {"order does not matter",
     {{1, true, true, 7, T, LAB, ALWAYS}, {1, false, false, 0, T, LAB, ALWAYS}},
     2,
     true,
     0},
    {"nested of another Consent excepts nothing",
     {{1, false, false, 0, T, LAB, ALWAYS}, {2, true, true, 7, T, LAB, ALWAYS}},
     2,
     false,
     0},
    {"nested that does not match excepts nothing",
     {{1, false, false, 0, T, LAB, ALWAYS}, {1, true, true, 7, T, MED, ALWAYS}},
     2,
     false,
     0},
    {"among nested deny beats permit",
     {{1, true, true, 7, T, LAB, ALWAYS}, {1, false, true, 0, T, LAB, ALWAYS}},
     2,
     false,
     1},
    {"over Consents deny beats permit",
     {{1, true, false, 0, T, LAB, ALWAYS}, {2, false, false, 0, T, LAB, ALWAYS}},
     2,
     false,
     1},
    {"excepted deny leaves the other Consent's permit",
     {{1, false, false, 0, T, LAB, ALWAYS},
      {1, true, true, 7, T, LAB, ALWAYS},
      {2, true, false, 0, T, LAB, ALWAYS}},
     3,
     true,
     1},
};

static void test_decisions(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(decisions); i++) {
        const struct decision *d = &decisions[i];
        const struct consent_rule *rule = &d->rules[3];
        bool got =
            consent_decide(d->rules, d->count, 7, GRANT_TREAT, CATEGORY_LABORATORY, 1000, &rule);

        if (got != d->want || rule != (d->want_rule < 0 ? NULL : &d->rules[d->want_rule]))
            fail_msg("%s", d->name);
    }
}

/* The other way round: per Consent first, then over Consents. */
static bool oracle(const struct consent_rule *rules, size_t count, int64_t facility,
                   uint32_t purpose, uint64_t category, int64_t now)
{
    bool permitted = false;

    for (int64_t consent = 1; consent <= 3; consent++) {
        bool hit[2][2] = {{false}};

        for (size_t i = 0; i < count; i++) {
            const struct consent_rule *r = &rules[i];

            if (r->consent != consent || (r->facility && r->facility != facility) ||
                !(r->purposes & purpose) || !(r->categories & category) || now < r->from_ms ||
                now >= r->to_ms)
                continue;
            hit[r->nested][r->permit] = true;
        }
        bool nested = hit[1][0] || hit[1][1];
        if (hit[nested][0])
            return false;
        permitted |= hit[nested][1];
    }
    return permitted;
}

static uint64_t draw(uint64_t *seed, uint64_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (*seed >> 33) % below;
}

static void test_against_oracle(void **state)
{
    uint64_t seed = 20261122;
    unsigned permits = 0;

    (void)state;
    for (int round = 0; round < 100000; round++) {
        struct consent_rule rules[6];
        size_t count;
        const struct consent_rule *rule;
        bool got;

        count = draw(&seed, 7);
        for (size_t i = 0; i < count; i++)
            rules[i] = (struct consent_rule){.consent = 1 + (int64_t)draw(&seed, 3),
                                             .permit = draw(&seed, 2) != 0,
                                             .nested = draw(&seed, 2) != 0,
                                             .facility = (int64_t)draw(&seed, 3),
                                             .purposes = (uint32_t)draw(&seed, 4),
                                             .categories = draw(&seed, 4),
                                             .from_ms = (int64_t)draw(&seed, 3),
                                             .to_ms = (int64_t)draw(&seed, 4)};
        got = consent_decide(rules, count, 1, (enum grant_purpose)1, (enum category)1, 1, &rule);
        assert_int_equal(got, oracle(rules, count, 1, 2, 2, 1));
        permits += got;
    }
    assert_true(permits > 1000);
}

static int64_t make_chart(struct bench *b, int64_t person)
{
    char text[200];

    bench_do(b,
             "INSERT OR IGNORE INTO facility(id, key, code, name, kind) VALUES(7,'a','1','A',0)");
    snprintf(text, sizeof text, "INSERT OR IGNORE INTO person(id, created_ms) VALUES(%d, 0)",
             (int)person);
    bench_do(b, text);
    snprintf(text, sizeof text,
             "INSERT INTO chart(facility, local_no, person, created_ms)"
             " SELECT 7, count(*), %d, 0 FROM chart",
             (int)person);
    bench_do(b, text);
    return bench_ask(b, "SELECT max(id) FROM chart");
}

static void test_store(void **state)
{
    static const struct consent_rule one[] = {
        {0, true, false, 0, GRANT_PURPOSES_ORDINARY, CATEGORY_ALL, ALWAYS},
        {0, false, true, 7, T, LAB, 5, 6},
    };
    struct bench *b = *state;
    struct consent_rule *rules = NULL;
    size_t count = 0;
    int64_t first = make_chart(b, 3);
    int64_t second = make_chart(b, 3);
    int64_t other = make_chart(b, 4);

    assert_int_equal(consent_put_rules(b->s, first, first << 32 | 1, one, 1), ERR_OK);
    assert_int_equal(consent_put_rules(b->s, first, first << 32 | 1, one, 2),
                     ERR_OK); /* replaces */
    assert_int_equal(consent_put_rules(b->s, second, second << 32 | 1, one, 1), ERR_OK);
    assert_int_equal(consent_put_rules(b->s, other, other << 32 | 1, one, 1), ERR_OK);
    assert_int_equal(consent_rules(b->s, b->arena, 3, &rules, &count), ERR_OK);
    assert_int_equal(count, 3); /* over all charts of the person, nobody else's */
    assert_int_equal(rules[1].consent, first << 32 | 1);
    assert_false(rules[1].permit);
    assert_true(rules[1].nested);
    assert_int_equal(rules[1].facility, 7);
    assert_int_equal(rules[1].purposes, T);
    assert_true(rules[0].categories == CATEGORY_ALL && rules[1].categories == LAB);
    assert_true(rules[0].from_ms == INT64_MIN && rules[0].to_ms == INT64_MAX);
    assert_int_equal(rules[1].to_ms, 6);
    assert_int_equal(consent_put_rules(b->s, first, first << 32 | 1, NULL, 0), ERR_OK);
    assert_int_equal(consent_rules(b->s, b->arena, 3, &rules, &count), ERR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(consent_rules(b->s, b->arena, 99, &rules, &count), ERR_OK);
    assert_int_equal(count, 0);
}

struct emergency {
    const char *name;
    struct consent_rule rules[2];
    size_t count;
    bool want;
};

static const struct emergency emergencies[] = {
    {"nothing said", {{0}}, 0, false},
    {"ordinary deny says nothing of emergencies",
     {{0, false, false, 0, GRANT_PURPOSES_ORDINARY, CATEGORY_ALL, ALWAYS}},
     1,
     false},
    {"deny", {{0, false, false, 0, B, CATEGORY_ALL, ALWAYS}}, 1, true},
    {"deny for another", {{0, false, false, 8, B, CATEGORY_ALL, ALWAYS}}, 1, false},
    {"deny over", {{0, false, false, 0, B, CATEGORY_ALL, 0, 999}}, 1, false},
    {"deny of one category", {{0, false, false, 0, B, LAB, ALWAYS}}, 1, true},
    {"deny but here",
     {{0, false, false, 0, B, CATEGORY_ALL, ALWAYS}, {0, true, true, 7, B, CATEGORY_ALL, ALWAYS}},
     2,
     false},
    {"deny but here in one category",
     {{0, false, false, 0, B, CATEGORY_ALL, ALWAYS}, {0, true, true, 7, B, LAB, ALWAYS}},
     2,
     true},
    {"permit but not here",
     {{0, true, false, 0, B, CATEGORY_ALL, ALWAYS}, {0, false, true, 7, B, CATEGORY_ALL, ALWAYS}},
     2,
     true},
};

static void test_emergency(void **state)
{
    struct bench *b = *state;
    int64_t chart = make_chart(b, 3);

    for (size_t i = 0; i < T_COUNT(emergencies); i++) {
        const struct emergency *e = &emergencies[i];
        bool got = !e->want;

        assert_int_equal(consent_put_rules(b->s, chart, chart << 32 | 1, e->rules, e->count),
                         ERR_OK);
        assert_int_equal(consent_forbids_emergency(b->s, 3, 7, 1000, &got), ERR_OK);
        if (got != e->want)
            fail_msg("%s", e->name);
    }
}

/* ── the gate inside the SQL decides the same ───────────────────────────────────────────────── */

static void put_random_rules(struct bench *b, const int64_t charts[2], uint64_t *seed)
{
    for (int64_t consent = 1; consent <= 3; consent++) {
        struct consent_rule rules[3];
        int64_t chart = charts[consent % 2];
        size_t count = draw(seed, 4);

        for (size_t i = 0; i < count; i++)
            rules[i] = (struct consent_rule){.permit = draw(seed, 3) != 0,
                                             .nested = draw(seed, 2) != 0,
                                             .facility = (int64_t)draw(seed, 3) * 7,
                                             .purposes = (uint32_t)draw(seed, 1u << 7),
                                             .categories = draw(seed, CATEGORY_ALL + 1),
                                             .from_ms = (int64_t)draw(seed, 4),
                                             .to_ms = 4 + (int64_t)draw(seed, 4)};
        assert_int_equal(consent_put_rules(b->s, chart, chart << 32 | consent, rules, count),
                         ERR_OK);
    }
}

static void test_gate_agrees(void **state)
{
    struct bench *b = *state;
    int64_t charts[2] = {make_chart(b, 3), make_chart(b, 3)};
    uint64_t seed = 3;
    unsigned opened = 0;

    for (int round = 0; round < 1500; round++) {
        struct grant grant = {.magic = GRANT_MAGIC,
                              .actor = GRANT_FACILITY,
                              .facility = 14, /* has no chart of his: consent alone opens */
                              .purpose = (enum grant_purpose)draw(&seed, 2),
                              .now_ms = (int64_t)draw(&seed, 9)};
        struct consent_rule *rules = NULL;
        const struct consent_rule *rule;
        size_t count = 0;
        uint64_t visible = 0;
        uint64_t want = 0;

        put_random_rules(b, charts, &seed);
        assert_int_equal(consent_rules(b->s, b->arena, 3, &rules, &count), ERR_OK);
        for (unsigned c = 1; c < CATEGORY_COUNT; c++) {
            if (consent_decide(rules, count, grant.facility, grant.purpose, (enum category)c,
                               grant.now_ms, &rule))
                want |= CATEGORY_BIT(c);
        }
        session_bind(b->s, &grant);
        assert_int_equal(search_visible(b->s, 3, &visible), ERR_OK);
        session_bind(b->s, NULL);
        assert_true(visible == want);
        opened += want != 0;
    }
    assert_in_range(opened, 300, 1400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decisions), cmocka_unit_test(test_against_oracle),
        BENCH_TEST(test_store),           BENCH_TEST(test_emergency),
        BENCH_TEST(test_gate_agrees),
    };
    return T_RUN(tests);
}
