/* SPDX-License-Identifier: Apache-2.0
 *
 * What is read out of the chain as a whole: whom a facility touched, counted by hand beside it, and
 * every row as a line of JSON, from which alone the chain is proved again.
 */
#include "storage/audit.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/json.h"
#include "storage/person.h"
#include "tests/unit/storage/bench.h"

#include "base/banned.h"

static struct audit_row sample(int i)
{
    static const char *const users[] = {"dr-1", "", "ns-22"};

    return (struct audit_row){.event = "read",
                              .outcome = i % 7 == 0 ? ERR_FORBIDDEN : ERR_OK,
                              .door = "fhir",
                              .actor = "hospital-a",
                              .facility = i % 5 == 0 ? 0 : 1,
                              .user = users[i % 3],
                              .role = "doctor",
                              .purpose = "TREAT",
                              .person = i % 4 == 0 ? 0 : i % 3 + 1,
                              .entity = "Observation/a/_history/1",
                              .query = "GET /fhir/Observation?patient=x",
                              .count = i,
                              .reason = NULL,
                              .request = "0190-ab",
                              .peer = "127.0.0.1"};
}

static void append(struct bench *b, int count)
{
    for (int i = 0; i < count; i++) {
        struct audit_row row = sample(i);

        assert_int_equal(audit_append(b->s, &row), ERR_OK);
    }
}

static struct grant grant_of(enum grant_actor actor, int64_t person, int64_t facility)
{
    return (struct grant){
        .magic = GRANT_MAGIC, .actor = actor, .person = person, .facility = facility};
}

/* ── whom a facility touched ─────────────────────────────────────────────────────────────────── */

static struct audit_touched count_by_hand(int64_t person, int rows)
{
    struct audit_touched want = {.person = person};

    for (int i = 0; i < rows; i++) {
        struct audit_row row = sample(i);

        if (row.person != person || row.facility != 1)
            continue;
        want.rows++;
        want.refused += row.outcome != ERR_OK;
    }
    return want;
}

static void test_touched(void **state)
{
    static const int counts[] = {40, 500,
                                 1234}; /* within, at and across whole blocks of the index */
    struct bench *b = *state;
    struct grant operator_grant = grant_of(GRANT_OPERATOR, 0, 0);
    struct audit_filter filter = {.facility = 1};
    struct audit_touched *list = NULL;
    size_t count = 0;
    int done = 0;

    session_bind(b->s, &operator_grant);
    assert_int_equal(audit_touched(b->s, b->arena, &filter, &list, &count), ERR_OK);
    assert_int_equal(count, 0);
    for (size_t i = 0; i < T_COUNT(counts); i++) {
        for (; done < counts[i]; done++) {
            struct audit_row row = sample(done);

            assert_int_equal(audit_append(b->s, &row), ERR_OK);
        }
        assert_int_equal(audit_touched(b->s, b->arena, &filter, &list, &count), ERR_OK);
        assert_int_equal(count, 3);
        for (size_t k = 0; k < count; k++) {
            struct audit_touched want = count_by_hand(list[k].person, done);

            assert_int_equal(list[k].rows, want.rows);
            assert_int_equal(list[k].refused, want.refused);
        }
    }
    filter.facility = 2;
    assert_int_equal(audit_touched(b->s, b->arena, &filter, &list, &count), ERR_OK);
    assert_int_equal(count, 0);
}

/* Times bound the rows and order the list. */
static void test_touched_times(void **state)
{
    struct bench *b = *state;
    struct grant operator_grant = grant_of(GRANT_OPERATOR, 0, 0);
    struct audit_touched *list = NULL;
    size_t count = 0;

    for (int i = 0; i < 6; i++) {
        const struct audit_row row = {
            .event = "read", .at_ms = 1000 + i, .facility = 1, .person = i % 2 + 1};

        assert_int_equal(audit_append(b->s, &row), ERR_OK);
    }
    session_bind(b->s, &operator_grant);
    assert_int_equal(
        audit_touched(b->s, b->arena, &(struct audit_filter){.facility = 1}, &list, &count),
        ERR_OK);
    assert_int_equal(count, 2);
    assert_int_equal(list[0].person, 2);
    assert_int_equal(list[0].first_ms, 1001);
    assert_int_equal(list[0].last_ms, 1005);
    assert_int_equal(list[1].last_ms, 1004);
    assert_int_equal(
        audit_touched(b->s, b->arena,
                      &(struct audit_filter){.facility = 1, .from_ms = 1001, .to_ms = 1002}, &list,
                      &count),
        ERR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(list[0].rows, 1);
}

/* Rows about a person who turned out to be another are the other's, until the link is undone. */
static void test_touched_follows_link(void **state)
{
    struct bench *b = *state;
    struct grant operator_grant = grant_of(GRANT_OPERATOR, 0, 0);
    struct person_claim claim = {.local_no = SLICE("1001")}, desk = {.name = SLICE("a")};
    struct person_match match;
    struct audit_touched *list = NULL;
    size_t count = 0;
    int64_t before = 0, person = 0;
    char card[13];

    bench_do(b, "INSERT INTO facility(id, key, code, name, kind) VALUES(1,'a','1','A',0)");
    assert_int_equal(person_identify(b->s, 1, &claim, &match), ERR_OK);
    before = match.person;
    assert_int_equal(person_register(b->s, &desk, &person), ERR_OK);
    assert_int_equal(person_free_card(b->s, card), ERR_OK);
    assert_int_equal(person_issue_card(b->s, person, slice_str(card)), ERR_OK);
    for (int i = 0; i < 5; i++) {
        const struct audit_row row = {
            .event = "read", .at_ms = 1000 + i, .facility = 1, .person = i % 2 ? before : person};

        assert_int_equal(audit_append(b->s, &row), ERR_OK);
    }
    claim.card = slice_str(card);
    assert_int_equal(person_identify(b->s, 1, &claim, &match), ERR_OK);
    session_bind(b->s, &operator_grant);
    assert_int_equal(
        audit_touched(b->s, b->arena, &(struct audit_filter){.facility = 1}, &list, &count),
        ERR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(list[0].person, person);
    assert_int_equal(list[0].rows, 5);
    assert_int_equal(list[0].first_ms, 1000);
    assert_int_equal(list[0].last_ms, 1004);
    assert_int_equal(person_undo(b->s, match.chart), ERR_OK);
    assert_int_equal(
        audit_touched(b->s, b->arena, &(struct audit_filter){.facility = 1}, &list, &count),
        ERR_OK);
    assert_int_equal(count, 2);
}

/* ── the chain as lines ──────────────────────────────────────────────────────────────────────── */

struct lines {
    struct buf bytes;
    int64_t stop_after; /* lines; 0: never */
    int64_t count;
};

static enum err keep_line(void *context, struct slice line)
{
    struct lines *lines = context;

    if (lines->stop_after && lines->count == lines->stop_after)
        return ERR_IO;
    lines->count++;
    buf_add(&lines->bytes, line);
    return ERR_OK;
}

static struct slice text_of(struct buf *room, const struct json *row, const char *name)
{
    const struct json *value = json_get(row, name);

    if (value->kind == JSON_STRING)
        return value->text;
    buf_clear(room);
    assert_true(digest_unbase64(json_str(value, "base64"), false, room));
    return buf_slice(room);
}

/* One line back into the row that was hashed; PREVIOUS becomes its hash. */
static void prove_line(struct bench *b, struct slice line, unsigned char previous[DIGEST_LEN])
{
    struct audit_canon canon;
    struct json *row = NULL;
    struct json_fault fault;
    struct buf bytes, rooms[10];
    unsigned char hash[DIGEST_LEN], said[DIGEST_LEN];
    size_t room = 0;

    assert_int_equal(json_parse(b->arena, line, &row, &fault), ERR_OK);
    for (size_t i = 0; i < T_COUNT(rooms); i++)
        buf_init(&rooms[i], 4096);
#define INT(name) canon.name = strtoll(json_get(row, #name)->text.ptr, NULL, 10);
#define ID(name)                                                                                   \
    canon.name##_null = json_get(row, #name)->kind == JSON_NULL;                                   \
    canon.name = canon.name##_null ? 0 : strtoll(json_get(row, #name)->text.ptr, NULL, 10);
#define TEXT(name) canon.name = text_of(&rooms[room++], row, #name);
    AUDIT_COLUMNS(INT, ID, TEXT)
#undef INT
#undef ID
#undef TEXT
    buf_init(&bytes, 65536);
    audit_canon_print(&bytes, &canon, previous);
    digest_sha256(buf_slice(&bytes), hash);
    assert_true(digest_unhex(json_str(row, "hash"), said, DIGEST_LEN));
    assert_memory_equal(hash, said, DIGEST_LEN);
    memcpy(previous, hash, DIGEST_LEN);
    buf_fini(&bytes);
    for (size_t i = 0; i < T_COUNT(rooms); i++)
        buf_fini(&rooms[i]);
}

/* The lines alone prove the chain, texts that are no UTF-8 included. */
static void test_export(void **state)
{
    static const struct audit_row odd = {
        .event = "read", .user = "\xff\"\n", .reason = "\xe6\xb1\x90\x01", .person = 3};
    struct bench *b = *state;
    struct grant operator_grant = grant_of(GRANT_OPERATOR, 0, 0);
    struct lines lines = {.count = 0};
    unsigned char previous[DIGEST_LEN] = {0};
    int64_t rows = -1, at = 0;

    buf_init(&lines.bytes, 16u << 20);
    session_bind(b->s, &operator_grant);
    assert_int_equal(audit_export(b->s, keep_line, &lines, &rows), ERR_OK);
    assert_int_equal(rows, 0);
    append(b, 2000); /* two whole pieces */
    assert_int_equal(audit_export(b->s, keep_line, &lines, &rows), ERR_OK);
    assert_int_equal(rows, 2000);
    assert_int_equal(audit_append(b->s, &odd), ERR_OK);
    buf_clear(&lines.bytes);
    lines.count = 0;
    assert_int_equal(audit_export(b->s, keep_line, &lines, &rows), ERR_OK);
    assert_int_equal(rows, 2001);
    assert_int_equal(lines.count, 2001);
    for (struct slice rest = buf_slice(&lines.bytes); rest.len; at++) {
        size_t end = slice_find(rest, '\n', 0);

        prove_line(b, slice_sub(rest, 0, end), previous);
        rest = slice_sub(rest, end + 1, rest.len - end - 1);
    }
    assert_int_equal(at, 2001);
    lines.count = 0;
    lines.stop_after = 7;
    rows = -1;
    assert_int_equal(audit_export(b->s, keep_line, &lines, &rows), ERR_IO);
    assert_int_equal(rows, -1);
    buf_fini(&lines.bytes);
}

static void test_reports_are_the_operators(void **state)
{
    static const enum grant_actor actors[] = {GRANT_RESIDENT, GRANT_FACILITY, GRANT_INTAKE};
    struct bench *b = *state;
    struct audit_filter filter = {.facility = 1};
    struct audit_touched *list = NULL;
    struct lines lines = {.count = 0};
    size_t count = 0;
    int64_t rows = 0;

    append(b, 10);
    for (size_t i = 0; i <= T_COUNT(actors); i++) {
        struct grant grant = grant_of(actors[i % T_COUNT(actors)], 1, 1);

        session_bind(b->s, i < T_COUNT(actors) ? &grant : NULL);
        assert_int_equal(audit_touched(b->s, b->arena, &filter, &list, &count), ERR_FORBIDDEN);
        assert_int_equal(audit_export(b->s, keep_line, &lines, &rows), ERR_FORBIDDEN);
        session_bind(b->s, NULL);
    }
    assert_int_equal(lines.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(test_touched),
        BENCH_TEST(test_touched_times),
        BENCH_TEST(test_touched_follows_link),
        BENCH_TEST(test_export),
        BENCH_TEST(test_reports_are_the_operators),
    };
    return T_RUN(tests);
}
