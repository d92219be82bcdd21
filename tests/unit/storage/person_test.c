/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is meant: every rule of person_identify with the case beside it that must not follow it
 * (design invariant 6), cards, and random link, unlink and undo against a model.
 */
#include "storage/person.h"

#include "tests/unit/storage/bench.h"

#include "base/banned.h"

#define HOSPITAL 1
#define CLINIC 2

static int open_region(void **state)
{
    bench_open(state);
    bench_do(*state, "INSERT INTO facility(id, key, code, name, kind)"
                     " VALUES(1,'hospital-a','1','A',0), (2,'clinic-c','2','C',1)");
    return 0;
}
#define REGION_TEST(name) cmocka_unit_test_setup_teardown(name, open_region, bench_close)

/* An invented resident: identity 01130012:記1:100:01 and four demographic fields. */
static struct person_claim taro(const char *local_no)
{
    return (struct person_claim){.local_no = slice_str(local_no),
                                 .insurer = SLICE("01130012"),
                                 .symbol = SLICE("記1"),
                                 .number = SLICE("100"),
                                 .branch = SLICE("01"),
                                 .name = SLICE("架空太郎"),
                                 .kana = SLICE("カクウタロウ"),
                                 .birth_date = SLICE("1950-01-15"),
                                 .gender = SLICE("male")};
}

static struct person_match identify(struct bench *b, int64_t facility,
                                    const struct person_claim *claim)
{
    struct person_match match = {0};

    assert_int_equal(person_identify(b->s, facility, claim, &match), ERR_OK);
    assert_true(match.person > 0 && match.chart > 0);
    return match;
}

/* A refusal changes nothing. */
static void refused(struct bench *b, int64_t facility, const struct person_claim *claim,
                    enum err want)
{
    struct person_match match = {.chart = -5};
    int64_t before = sqlite3_total_changes(b->s->db);

    assert_int_equal(person_identify(b->s, facility, claim, &match), want);
    assert_int_equal(sqlite3_total_changes(b->s->db), before);
    assert_int_equal(match.chart, -5);
}

static int64_t resident(struct bench *b, const struct person_claim *claim, char card[13])
{
    int64_t person = 0;

    assert_int_equal(person_register(b->s, claim, &person), ERR_OK);
    assert_int_equal(person_free_card(b->s, card), ERR_OK);
    assert_int_equal(person_issue_card(b->s, person, slice_str(card)), ERR_OK);
    return person;
}

/* ── identification ─────────────────────────────────────────────────────────────────────────── */

static void test_new_and_known(void **state)
{
    struct bench *b = *state;
    struct person_claim claim = taro("1001");
    struct person_match first = identify(b, HOSPITAL, &claim);
    struct person_match again = identify(b, HOSPITAL, &claim);
    struct person_claim bare = {.local_no = SLICE("1001")};
    struct person_claim other = {.local_no = SLICE("1002")};
    int64_t person = 0;
    int64_t chart = 0;

    assert_int_equal(first.how, PERSON_NEW);
    assert_false(first.queued);
    assert_int_equal(again.how, PERSON_BY_CHART);
    assert_int_equal(again.person, first.person);
    assert_int_equal(again.chart, first.chart);
    assert_int_equal(identify(b, HOSPITAL, &bare).person, first.person);
    assert_int_not_equal(identify(b, HOSPITAL, &other).person, first.person);
    assert_int_not_equal(identify(b, CLINIC, &bare).person,
                         first.person); /* a number is one facility's */
    assert_int_equal(person_by_local(b->s, HOSPITAL, SLICE("1001"), &person, &chart), ERR_OK);
    assert_int_equal(person, first.person);
    assert_int_equal(chart, first.chart);
    assert_int_equal(person_by_local(b->s, HOSPITAL, SLICE("9"), &person, &chart), ERR_NOT_FOUND);
}

static void test_card_refusals(void **state)
{
    static const char *const bad[] = {"123456789012", "12345678901", "12345678901x", "1",
                                      "0000000000000"};
    struct bench *b = *state;
    struct person_claim claim = taro("1001");
    struct person_claim nobody = {.name = SLICE("x")};
    char card[13];

    resident(b, &nobody, card);
    for (size_t i = 0; i < T_COUNT(bad); i++) {
        claim.card = slice_str(bad[i]);
        refused(b, HOSPITAL, &claim, ERR_PATIENT_UNKNOWN);
    }
    claim.card = slice_str(card);
    assert_int_equal(person_revoke_card(b->s, claim.card), ERR_OK);
    refused(b, HOSPITAL, &claim, ERR_PATIENT_UNKNOWN);
}

static void test_card_first(void **state)
{
    struct bench *b = *state;
    char card[13];
    struct person_claim known = taro("");
    struct person_claim claim = {.local_no = SLICE("1001"), .card = {card, 12}};
    int64_t person = resident(b, &known, card);
    struct person_match match = identify(b, HOSPITAL, &claim);

    assert_int_equal(match.how, PERSON_BY_CARD);
    assert_int_equal(match.person, person);
    match = identify(b, HOSPITAL, &claim);
    assert_int_equal(match.how, PERSON_BY_CHART);
    assert_int_equal(match.person, person);
    assert_int_equal(bench_ask(b, "SELECT count(*) FROM link_log WHERE reason = 'card'"), 1);
}

/* The chart came first, its card later: it follows the card, and what only it knew follows it. */
static void test_card_later(void **state)
{
    struct bench *b = *state;
    char card[13];
    struct person_claim claim = taro("1001");
    struct person_claim desk = {.name = SLICE("架空太郎")};
    struct person_claim clinic = taro("55");
    struct person_match before = identify(b, HOSPITAL, &claim);
    int64_t person = resident(b, &desk, card);
    int64_t found = 0;
    struct person_match after;

    assert_int_not_equal(person, before.person);
    claim.card = slice_str(card);
    after = identify(b, HOSPITAL, &claim);
    assert_int_equal(after.how, PERSON_BY_CARD);
    assert_int_equal(after.person, person);
    assert_int_equal(after.chart, before.chart);
    assert_false(after.queued);
    assert_int_equal(bench_ask(b, "SELECT count(*) FROM link_log WHERE reason = 'card'"
                                  " AND from_person IS NOT NULL"),
                     1);
    assert_int_equal(
        person_by_insured(b->s, claim.insurer, claim.symbol, claim.number, claim.branch, &found),
        ERR_OK);
    assert_int_equal(found, person);
    assert_int_equal(bench_ask(b, "SELECT person FROM insured"), person);
    /* and the person's empty fields were filled, so that another house finds him by insurer */
    after = identify(b, CLINIC, &clinic);
    assert_int_equal(after.how, PERSON_BY_INSURER);
    assert_int_equal(after.person, person);
}

static void test_card_mismatch(void **state)
{
    struct bench *b = *state;
    char card[13];
    char other[13];
    struct person_claim a = {.name = SLICE("a")};
    struct person_claim c = {.name = SLICE("c")};
    struct person_claim claim = {.local_no = SLICE("1001"), .card = {card, 12}};
    int64_t person = resident(b, &a, card);

    resident(b, &c, other);
    assert_int_equal(identify(b, HOSPITAL, &claim).person, person);
    claim.card = slice_str(other);
    refused(b, HOSPITAL, &claim, ERR_PATIENT_MISMATCH);
    /* without the card in force he has none of his own, and his only chart follows the other's */
    assert_int_equal(person_revoke_card(b->s, slice_str(card)), ERR_OK);
    assert_int_equal(identify(b, HOSPITAL, &claim).how, PERSON_BY_CARD);
}

static void test_certificate_counts_as_card(void **state)
{
    struct bench *b = *state;
    char card[13];
    struct person_claim desk = {.name = SLICE("b")};
    struct person_claim claim = {.local_no = SLICE("1001")};
    struct person_match before = identify(b, HOSPITAL, &claim);
    char text[200];

    resident(b, &desk, card);
    snprintf(text, sizeof text,
             "INSERT INTO cert(fingerprint, name, serial, person, registered_ms)"
             " VALUES(x'01', 'resident', '01', %d, 0)",
             (int)before.person);
    bench_do(b, text);
    claim.card = slice_str(card);
    refused(b, HOSPITAL, &claim, ERR_PATIENT_MISMATCH);
}

/* A person of two charts does not move with one of them: a human decides. */
static void test_card_not_alone(void **state)
{
    struct bench *b = *state;
    char card[13];
    struct person_claim at_a = taro("1001");
    struct person_claim at_c = taro("55");
    struct person_claim desk = {.name = SLICE("架空太郎"), .birth_date = SLICE("1950-01-15")};
    struct person_match first = identify(b, HOSPITAL, &at_a);
    struct person_match match = identify(b, CLINIC, &at_c);
    struct person_question *questions = NULL;
    size_t count = 0;
    int64_t person = resident(b, &desk, card);

    assert_int_equal(match.how, PERSON_BY_INSURER);
    at_a.card = slice_str(card);
    match = identify(b, HOSPITAL, &at_a);
    assert_int_equal(match.how, PERSON_BY_CHART);
    assert_int_equal(match.person, first.person);
    assert_true(match.queued);
    assert_int_equal(person_queue(b->s, b->arena, &questions, &count), ERR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(questions[0].chart, first.chart);
    assert_int_equal(questions[0].candidate, person);
    assert_int_equal(questions[0].agreeing, 2);
    assert_true(questions[0].id > 0);
}

struct agreement {
    const char *name;
    struct person_claim claim; /* of the clinic */
    enum person_how how;
    bool queued;
    int agreeing; /* in the queue */
};

#define ID .insurer = {"01130012", 8}, .symbol = {"記1", 4}, .number = {"100", 3}
#define BRANCH .branch = {"01", 2}
#define NAME .name = {"架空太郎", 12}
#define KANA .kana = {"カクウタロウ", 18}
#define BIRTH .birth_date = {"1950-01-15", 10}
#define MALE .gender = {"male", 4}
static const struct agreement agreements[] = {
    {"all seven", {ID, BRANCH, NAME, KANA, BIRTH, MALE}, PERSON_BY_INSURER, false, 0},
    {"exactly five", {ID, BRANCH, BIRTH, MALE}, PERSON_BY_INSURER, false, 0},
    {"five of the name", {ID, BRANCH, NAME, KANA}, PERSON_BY_INSURER, false, 0},
    {"four", {ID, BRANCH, BIRTH}, PERSON_NEW, true, 4},
    {"identity alone", {ID, BRANCH}, PERSON_NEW, true, 3},
    {"other name, five others (a marriage)",
     {ID, BRANCH, .name = {"別名", 6}, KANA, BIRTH, MALE},
     PERSON_BY_INSURER,
     false,
     0},
    {"other birth date",
     {ID, BRANCH, NAME, KANA, .birth_date = {"1950-01-16", 10}, MALE},
     PERSON_NEW,
     true,
     6},
    {"other gender", {ID, BRANCH, NAME, KANA, BIRTH, .gender = {"female", 6}}, PERSON_NEW, true, 6},
    {"gender unknown is not said",
     {ID, BRANCH, NAME, KANA, BIRTH, .gender = {"unknown", 7}},
     PERSON_BY_INSURER,
     false,
     0},
    {"another branch is another member of the family",
     {ID, .branch = {"02", 2}, NAME, KANA, BIRTH, MALE},
     PERSON_NEW,
     false,
     0},
    {"no branch: never linked, asked", {ID, NAME, KANA, BIRTH, MALE}, PERSON_NEW, true, 6},
    {"no branch and too little in common", {ID, NAME, BIRTH}, PERSON_NEW, false, 0},
    {"another number",
     {.insurer = {"01130012", 8},
      .symbol = {"記1", 4},
      .number = {"101", 3},
      NAME,
      KANA,
      BIRTH,
      MALE},
     PERSON_NEW,
     false,
     0},
    {"no identity: names alone never link", {NAME, KANA, BIRTH, MALE}, PERSON_NEW, false, 0},
};

static void check_agreement(struct bench *b, const struct agreement *a)
{
    struct person_claim claim = a->claim;
    struct person_claim known = taro("1001");
    struct person_match first = identify(b, HOSPITAL, &known);
    struct person_match match;

    claim.local_no = SLICE("55");
    match = identify(b, CLINIC, &claim);
    if (match.how != a->how || match.queued != a->queued ||
        (match.person == first.person) != (a->how == PERSON_BY_INSURER))
        fail_msg("%s: how %d queued %d", a->name, (int)match.how, match.queued);
    if (bench_ask(b, "SELECT coalesce(sum(agreeing), 0) FROM link_queue") != a->agreeing)
        fail_msg("%s: agreeing", a->name);
    /* whatever happened, the identity is still the first's */
    assert_int_equal(bench_ask(b, "SELECT person FROM insured WHERE branch = '01'"), first.person);
    match = identify(b, CLINIC, &claim); /* and asking again changes nothing */
    assert_int_equal(match.how, PERSON_BY_CHART);
}

static void test_insurer(void **state)
{
    struct bench *b = *state;

    for (size_t i = 0; i < T_COUNT(agreements); i++) {
        bench_do(b, "SAVEPOINT one");
        check_agreement(b, &agreements[i]);
        bench_do(b, "ROLLBACK TO one; RELEASE one");
    }
}

/* A known number keeps its person, even when the insurer identity says somebody else. */
static void test_known_number_stays(void **state)
{
    struct bench *b = *state;
    struct person_claim bare = {.local_no = SLICE("55")};
    struct person_claim claim = taro("1001");
    struct person_match first = identify(b, HOSPITAL, &claim);
    struct person_match clinic = identify(b, CLINIC, &bare);
    struct person_match match;

    claim.local_no = bare.local_no;
    match = identify(b, CLINIC, &claim);
    assert_int_equal(match.person, clinic.person);
    assert_true(match.queued);
    /* a human says no: it is not asked again */
    assert_int_equal(person_dismiss(b->s, clinic.chart, first.person), ERR_OK);
    assert_int_equal(person_dismiss(b->s, clinic.chart, first.person), ERR_NOT_FOUND);
    match = identify(b, CLINIC, &claim);
    assert_false(match.queued);
    /* then says yes after all */
    assert_int_equal(person_link(b->s, clinic.chart, first.person, "operator"), ERR_OK);
    assert_int_equal(identify(b, CLINIC, &claim).person, first.person);
}

static void test_fields_are_filled_not_changed(void **state)
{
    struct bench *b = *state;
    struct person_claim claim = {
        .local_no = SLICE("1"), .name = SLICE("a"), .gender = SLICE("unknown")};

    identify(b, HOSPITAL, &claim);
    claim = (struct person_claim){.local_no = SLICE("1"),
                                  .name = SLICE("b"),
                                  .kana = SLICE("k"),
                                  .birth_date = SLICE("2000-01-01"),
                                  .gender = SLICE("male")};
    identify(b, HOSPITAL, &claim);
    assert_int_equal(bench_ask(b, "SELECT name = 'a' AND kana = 'k' AND birth_date = '2000-01-01'"
                                  " AND gender = 'male' FROM person"),
                     1);
}

static void test_alias(void **state)
{
    struct bench *b = *state;
    struct person_claim by_number = {.local_no = SLICE("1001")};
    struct person_claim by_alias = {.alias = SLICE("p1")};
    struct person_claim both = {.local_no = SLICE("1001"), .alias = SLICE("p1")};
    struct person_claim wrong_alias = {.local_no = SLICE("1001"), .alias = SLICE("p2")};
    struct person_claim wrong_number = {.local_no = SLICE("1002"), .alias = SLICE("p1")};
    struct person_match first = identify(b, HOSPITAL, &by_number);
    int64_t person = 0;
    int64_t chart = 0;

    assert_int_equal(identify(b, HOSPITAL, &both).chart, first.chart); /* gets its Patient id */
    assert_int_equal(identify(b, HOSPITAL, &by_alias).chart, first.chart);
    refused(b, HOSPITAL, &wrong_alias, ERR_PATIENT_MISMATCH);
    refused(b, HOSPITAL, &wrong_number, ERR_PATIENT_MISMATCH);
    assert_int_not_equal(identify(b, CLINIC, &by_alias).chart, first.chart);
    assert_int_equal(person_by_alias(b->s, HOSPITAL, SLICE("p1"), &person, &chart), ERR_OK);
    assert_int_equal(chart, first.chart);
    assert_int_equal(person_by_alias(b->s, HOSPITAL, SLICE(""), &person, &chart), ERR_NOT_FOUND);
    /* two charts named by one claim */
    by_number.local_no = SLICE("1003");
    assert_int_not_equal(identify(b, HOSPITAL, &by_number).chart, first.chart);
    wrong_number.local_no = SLICE("1003");
    refused(b, HOSPITAL, &wrong_number, ERR_PATIENT_MISMATCH);
    /* a chart without number gets one later */
    by_alias.alias = SLICE("p9");
    first = identify(b, HOSPITAL, &by_alias);
    both = (struct person_claim){.local_no = SLICE("1009"), .alias = SLICE("p9")};
    assert_int_equal(identify(b, HOSPITAL, &both).chart, first.chart);
    both.alias = SLICE_NONE;
    assert_int_equal(identify(b, HOSPITAL, &both).chart, first.chart);
}

static void test_without_number(void **state)
{
    struct bench *b = *state;
    char card[13];
    struct person_claim desk = {.name = SLICE("a")};
    struct person_claim nothing = {.name = SLICE("x")};
    struct person_claim forged = {.local_no = SLICE("~1")};
    struct person_claim by_card = {.card = {card, 12}};
    struct person_claim alias = {.card = {card, 12}, .alias = SLICE("p1")};
    struct person_match first;
    int64_t person = resident(b, &desk, card);
    int64_t chart = 0;

    assert_int_not_equal(identify(b, HOSPITAL, &nothing).person,
                         identify(b, HOSPITAL, &nothing).person);
    first = identify(b, HOSPITAL, &by_card);
    assert_int_equal(first.person, person);
    assert_int_equal(identify(b, HOSPITAL, &by_card).chart, first.chart);
    assert_int_equal(identify(b, HOSPITAL, &alias).chart, first.chart);
    alias.alias = SLICE("p2");
    assert_int_not_equal(identify(b, HOSPITAL, &alias).chart, first.chart);
    refused(b, HOSPITAL, &forged, ERR_INVALID);
    assert_int_equal(bench_ask(b, "SELECT count(*) FROM chart WHERE local_no NOT LIKE '~%'"), 0);
    assert_int_equal(person_chart(b->s, HOSPITAL, person, &chart), ERR_OK);
    assert_int_equal(chart, first.chart); /* the oldest */
    assert_int_equal(person_chart(b->s, CLINIC, person, &chart), ERR_NOT_FOUND);
    assert_int_equal(person_open_chart(b->s, CLINIC, person, &chart), ERR_OK);
    assert_int_equal(person_open_chart(b->s, CLINIC, 999, &chart), ERR_NOT_FOUND);
}

/* ── cards and numbers ──────────────────────────────────────────────────────────────────────── */

static void test_cards(void **state)
{
    struct bench *b = *state;
    struct person_claim desk = {.name = SLICE("a")};
    char card[13];
    char next[13];
    int64_t found = 0;
    int64_t person = resident(b, &desk, card);

    assert_int_equal(strlen(card), 12);
    assert_int_equal(person_by_card(b->s, slice_str(card), &found), ERR_OK);
    assert_int_equal(found, person);
    assert_int_equal(person_issue_card(b->s, person, SLICE("123456789012")), ERR_INVALID);
    assert_int_equal(person_free_card(b->s, next), ERR_OK);
    assert_int_equal(person_issue_card(b->s, person, slice_str(next)),
                     ERR_CONFLICT); /* holds one */
    assert_int_equal(person_issue_card(b->s, 999, slice_str(next)), ERR_NOT_FOUND);
    assert_int_equal(person_revoke_card(b->s, slice_str(next)), ERR_NOT_FOUND);
    assert_int_equal(person_revoke_card(b->s, slice_str(card)), ERR_OK);
    assert_int_equal(person_by_card(b->s, slice_str(card), &found), ERR_NOT_FOUND);
    assert_int_equal(person_issue_card(b->s, person, slice_str(card)),
                     ERR_CONFLICT); /* never again */
    assert_int_equal(person_issue_card(b->s, person, slice_str(next)), ERR_OK);
    assert_int_equal(person_exists(b->s, person), ERR_OK);
    assert_int_equal(person_exists(b->s, 999), ERR_NOT_FOUND);
}

static void test_register_known(void **state)
{
    struct bench *b = *state;
    struct person_claim claim = taro("1001");
    struct person_claim relative = taro("");
    struct person_match match = identify(b, HOSPITAL, &claim);
    int64_t person = 0;

    claim.local_no = SLICE_NONE;
    assert_int_equal(person_register(b->s, &claim, &person), ERR_OK);
    assert_int_equal(person, match.person); /* the card will lead to the chart */
    relative.birth_date = SLICE("1980-02-02");
    assert_int_equal(person_register(b->s, &relative, &person), ERR_OK);
    assert_int_not_equal(person, match.person);
    assert_int_equal(bench_ask(b, "SELECT person FROM insured"), match.person);
}

static void test_identifiers(void **state)
{
    struct bench *b = *state;
    struct person_claim claim = taro("1001");
    struct person_claim clinic = taro("55");
    struct person_claim again = taro("1002");
    struct person_ids ids = {0};
    struct person_chart_row *rows = NULL;
    size_t count = 0;
    char card[13];
    int64_t chart = 0;
    int64_t person = resident(b, &claim, card);

    identify(b, HOSPITAL, &claim);
    identify(b, CLINIC, &clinic);
    identify(b, HOSPITAL, &again);
    assert_int_equal(person_open_chart(b->s, CLINIC, person, &chart), ERR_OK);
    assert_int_equal(person_identifiers(b->s, b->arena, person, HOSPITAL, false, &ids), ERR_OK);
    assert_slice(ids.card, card);
    assert_int_equal(ids.local_count, 2); /* own numbers only */
    assert_slice(ids.local_nos[0], "1001");
    assert_slice(ids.local_nos[1], "1002");
    assert_int_equal(ids.insured_count, 0);
    assert_int_equal(person_identifiers(b->s, b->arena, person, CLINIC, true, &ids), ERR_OK);
    assert_int_equal(ids.local_count, 1);
    assert_int_equal(ids.insured_count, 1);
    assert_slice(ids.insured[0], "01130012:記1:100:01");
    assert_int_equal(person_revoke_card(b->s, slice_str(card)), ERR_OK);
    assert_int_equal(person_identifiers(b->s, b->arena, person, 99, true, &ids), ERR_OK);
    assert_int_equal(ids.card.len, 0);
    assert_int_equal(ids.local_count, 0);
    assert_int_equal(person_charts(b->s, b->arena, person, &rows, &count), ERR_OK);
    assert_int_equal(count, 3);
    assert_slice(rows[1].facility_key, "clinic-c");
    assert_slice(rows[1].local_no, "55");
    assert_int_equal(rows[1].facility, CLINIC);
}

/* A chart that was opened without a number has one of the store's own making, which nobody sees. */
static void test_invented_number(void **state)
{
    struct bench *b = *state;
    struct person_claim claim = {.local_no = SLICE("1001")};
    struct person_chart_row *rows = NULL;
    size_t count = 0;
    int64_t chart = 0;
    int64_t person = identify(b, HOSPITAL, &claim).person;

    assert_int_equal(person_open_chart(b->s, CLINIC, person, &chart), ERR_OK);
    assert_int_equal(bench_ask(b, "SELECT count(*) FROM chart WHERE local_no LIKE '~%'"), 1);
    assert_int_equal(person_charts(b->s, b->arena, person, &rows, &count), ERR_OK);
    assert_int_equal(count, 2);
    assert_slice(rows[0].local_no, "1001");
    assert_int_equal(rows[1].chart, chart);
    assert_slice(rows[1].facility_key, "clinic-c");
    assert_int_equal(rows[1].local_no.len, 0);
}

/* ── link, unlink, undo ─────────────────────────────────────────────────────────────────────── */

static int64_t person_now_of(struct bench *b, int64_t chart)
{
    int64_t person = 0;
    int64_t facility = 0;

    assert_int_equal(person_of_chart(b->s, chart, &person, &facility), ERR_OK);
    return person;
}

static void test_link(void **state)
{
    struct bench *b = *state;
    struct person_claim a = {.local_no = SLICE("1")};
    struct person_claim c = {.local_no = SLICE("2")};
    struct person_match first = identify(b, HOSPITAL, &a);
    struct person_match second = identify(b, CLINIC, &c);
    int64_t person = 0;

    assert_int_equal(person_undo(b->s, second.chart), ERR_NOT_FOUND); /* never moved */
    assert_int_equal(person_link(b->s, second.chart, 999, "operator"), ERR_NOT_FOUND);
    assert_int_equal(person_link(b->s, 999, first.person, "operator"), ERR_NOT_FOUND);
    assert_int_equal(person_link(b->s, second.chart, first.person, "operator"), ERR_OK);
    assert_int_equal(person_now_of(b, second.chart), first.person);
    assert_int_equal(identify(b, CLINIC, &c).person, first.person);
    assert_int_equal(person_undo(b->s, second.chart), ERR_OK);
    assert_int_equal(person_now_of(b, second.chart), second.person);
    assert_int_equal(person_link(b->s, second.chart, first.person, "operator"), ERR_OK);
    assert_int_equal(person_unlink(b->s, second.chart, &person), ERR_OK);
    assert_true(person != first.person && person != second.person);
    assert_int_equal(person_now_of(b, second.chart), person);
    assert_int_equal(person_undo(b->s, second.chart), ERR_OK);
    assert_int_equal(person_now_of(b, second.chart), first.person);
    assert_int_equal(person_unlink(b->s, second.chart, &person), ERR_OK);
    assert_int_equal(person_unlink(b->s, second.chart, &person), ERR_OK); /* alone already */
    assert_int_equal(person_now_of(b, second.chart), person);
}

/* An unlinked chart is not asked about again, and the identity stays where it was. */
static void test_unlink_is_remembered(void **state)
{
    struct bench *b = *state;
    struct person_claim a = taro("1");
    struct person_claim c = taro("2");
    struct person_match first = identify(b, HOSPITAL, &a);
    struct person_match second = identify(b, CLINIC, &c);
    struct person_match after;
    int64_t person = 0;

    assert_int_equal(second.how, PERSON_BY_INSURER);
    assert_int_equal(person_unlink(b->s, second.chart, &person), ERR_OK);
    after = identify(b, CLINIC, &c);
    assert_int_equal(after.person, person);
    assert_false(after.queued);
    assert_int_equal(bench_ask(b, "SELECT person FROM insured"), first.person);
}

#define CHARTS 6
static void test_random_links(void **state)
{
    struct bench *b = *state;
    int64_t charts[CHARTS];
    int64_t persons[CHARTS];
    int64_t now[CHARTS];
    int64_t before[CHARTS] = {0};
    uint64_t seed = 7;

    for (int i = 0; i < CHARTS; i++) {
        char number[16];
        struct person_claim claim = {0};
        struct person_match match;

        snprintf(number, sizeof number, "%d", i);
        claim.local_no = slice_str(number);
        match = identify(b, 1 + i % 2, &claim);
        charts[i] = match.chart;
        persons[i] = now[i] = match.person;
    }
    for (int round = 0; round < 600; round++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t i = (seed >> 33) % CHARTS;
        size_t to = (seed >> 40) % CHARTS;
        int64_t old = now[i];

        if ((seed >> 50) % 3 == 0) {
            enum err want = before[i] ? ERR_OK : ERR_NOT_FOUND;

            assert_int_equal(person_undo(b->s, charts[i]), want);
            if (before[i])
                now[i] = before[i];
        } else if ((seed >> 50) % 3 == 1) {
            assert_int_equal(person_unlink(b->s, charts[i], &now[i]), ERR_OK);
        } else {
            assert_int_equal(person_link(b->s, charts[i], persons[to], "operator"), ERR_OK);
            now[i] = persons[to];
        }
        if (now[i] != old)
            before[i] = old;
        for (size_t k = 0; k < CHARTS; k++)
            assert_int_equal(person_now_of(b, charts[k]), now[k]);
    }
    assert_int_equal(bench_ask(b, "SELECT count(*) FROM chart"), CHARTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REGION_TEST(test_new_and_known),
        REGION_TEST(test_card_refusals),
        REGION_TEST(test_card_first),
        REGION_TEST(test_card_later),
        REGION_TEST(test_card_mismatch),
        REGION_TEST(test_certificate_counts_as_card),
        REGION_TEST(test_card_not_alone),
        REGION_TEST(test_insurer),
        REGION_TEST(test_known_number_stays),
        REGION_TEST(test_fields_are_filled_not_changed),
        REGION_TEST(test_alias),
        REGION_TEST(test_without_number),
        REGION_TEST(test_cards),
        REGION_TEST(test_register_known),
        REGION_TEST(test_identifiers),
        REGION_TEST(test_invented_number),
        REGION_TEST(test_link),
        REGION_TEST(test_unlink_is_remembered),
        REGION_TEST(test_random_links),
    };
    return T_RUN(tests);
}
