/* SPDX-License-Identifier: Apache-2.0
 *
 * Dead letters: refusals are kept once, found by facility, number and reason; an attempt that is
 * accepted settles a row, one that is refused says why, and both stay.
 */
#include "storage/quarantine.h"

#include "tests/unit/storage/bench.h"

#include "base/banned.h"

static const unsigned char sha_one[DIGEST_LEN] = {1};
static const unsigned char sha_two[DIGEST_LEN] = {2};

static size_t list(struct bench *b, struct quarantine_filter filter,
                   struct quarantine_row **ret_rows)
{
    size_t count = 99;

    assert_int_equal(quarantine_list(b->s, b->arena, &filter, ret_rows, &count), ERR_OK);
    return count;
}

static void put_originals(struct bench *b)
{
    bench_do(b, "INSERT INTO original(sha, facility, media, received_ms, bytes)"
                " SELECT CAST(column1 || zeroblob(31) AS BLOB), 1, 'x', 0, x'00'"
                " FROM (VALUES(x'01'), (x'02'))");
}

static struct quarantine_row refusal(const unsigned char sha[DIGEST_LEN])
{
    struct quarantine_row row = {.facility = 7,
                                 .door = SLICE("mllp"),
                                 .name = SLICE("0001"),
                                 .place = SLICE("PID-3"),
                                 .en = SLICE("missing"),
                                 .ja = SLICE("ありません"),
                                 .outcome = ERR_REQUIRED,
                                 .at_ms = 50};

    memcpy(row.sha, sha, DIGEST_LEN);
    return row;
}

static void keeps_refusals(void **state)
{
    struct bench *b = *state;
    struct quarantine_row row = refusal(sha_one);
    struct quarantine_row *rows = NULL;

    assert_int_equal(quarantine_put(b->s, &row), ERR_NOT_FOUND); /* no original */
    put_originals(b);
    assert_int_equal(quarantine_put(b->s, &row), ERR_OK);
    row.outcome = ERR_INVALID;
    row.at_ms = 60;
    assert_int_equal(quarantine_put(b->s, &row), ERR_OK); /* again: one row, the newest reason */
    row = refusal(sha_two);
    row.facility = 8;
    row.at_ms = 0;
    assert_int_equal(quarantine_put(b->s, &row), ERR_OK);
    assert_int_equal(list(b, (struct quarantine_filter){.facility = 7}, &rows), 1);
    assert_int_equal(rows[0].outcome, ERR_INVALID);
    assert_int_equal(rows[0].at_ms, 50);
    assert_int_equal(rows[0].facility, 7);
    assert_slice(rows[0].door, "mllp");
    assert_slice(rows[0].name, "0001");
    assert_slice(rows[0].place, "PID-3");
    assert_slice(rows[0].en, "missing");
    assert_slice(rows[0].ja, "ありません");
    assert_memory_equal(rows[0].sha, sha_one, DIGEST_LEN);
    assert_int_equal(list(b, (struct quarantine_filter){.facility = 0}, &rows), 2);
    assert_int_equal(rows[0].facility, 8); /* newest first */
    assert_int_equal(rows[0].at_ms, bench_now);
    assert_int_equal(list(b, (struct quarantine_filter){.facility = 9}, &rows), 0);
}

static void filters(void **state)
{
    struct bench *b = *state;
    struct quarantine_row row = refusal(sha_one);
    struct quarantine_row *rows = NULL;

    put_originals(b);
    assert_int_equal(quarantine_put(b->s, &row), ERR_OK);
    row = refusal(sha_two);
    row.outcome = ERR_INVALID;
    assert_int_equal(quarantine_put(b->s, &row), ERR_OK);
    assert_int_equal(list(b, (struct quarantine_filter){.outcome = ERR_INVALID}, &rows), 1);
    assert_memory_equal(rows[0].sha, sha_two, DIGEST_LEN);
    assert_int_equal(list(b, (struct quarantine_filter){.id = rows[0].id}, &rows), 1);
    assert_int_equal(rows[0].outcome, ERR_INVALID);
    assert_int_equal(list(b, (struct quarantine_filter){.id = 99}, &rows), 0);
}

static void notes_attempts(void **state)
{
    struct bench *b = *state;
    struct quarantine_row row = refusal(sha_one);
    struct quarantine_row *rows = NULL;
    struct quarantine_replay *tries = NULL;
    struct quarantine_replay attempt = {.outcome = ERR_INVALID, .place = SLICE("PID-7")};
    size_t count = 0;

    put_originals(b);
    assert_int_equal(quarantine_put(b->s, &row), ERR_OK);
    assert_int_equal(list(b, (struct quarantine_filter){.facility = 7}, &rows), 1);
    int64_t id = rows[0].id;
    memcpy(attempt.sha, sha_two, DIGEST_LEN); /* corrected, refused: the row's reason stays */
    assert_int_equal(quarantine_replayed(b->s, 8, id, &attempt), ERR_NOT_FOUND);
    assert_int_equal(quarantine_replayed(b->s, 7, id, &attempt), ERR_OK);
    assert_int_equal(list(b, (struct quarantine_filter){.facility = 7}, &rows), 1);
    assert_int_equal(rows[0].outcome, ERR_REQUIRED);
    assert_int_equal(rows[0].replays, 1);
    memcpy(attempt.sha, sha_one, DIGEST_LEN); /* as it was, refused for another reason */
    assert_int_equal(quarantine_replayed(b->s, 7, id, &attempt), ERR_OK);
    assert_int_equal(list(b, (struct quarantine_filter){.facility = 7}, &rows), 1);
    assert_int_equal(rows[0].outcome, ERR_INVALID);
    assert_slice(rows[0].place, "PID-7");
    attempt = (struct quarantine_replay){.outcome = ERR_OK, .at_ms = 77};
    assert_int_equal(quarantine_replayed(b->s, 7, id, &attempt), ERR_OK);
    assert_int_equal(list(b, (struct quarantine_filter){.facility = 7}, &rows), 0);
    assert_int_equal(list(b, (struct quarantine_filter){.facility = 7, .settled = true}, &rows), 1);
    assert_int_equal(rows[0].settled_ms, 77);
    assert_int_equal(rows[0].outcome, ERR_INVALID);
    assert_int_equal(rows[0].replays, 3);
    assert_int_equal(quarantine_replays(b->s, b->arena, id, &tries, &count), ERR_OK);
    assert_int_equal(count, 3);
    assert_int_equal(tries[0].at_ms, bench_now);
    assert_memory_equal(tries[0].sha, sha_two, DIGEST_LEN);
    assert_slice(tries[1].place, "PID-7");
    assert_int_equal(tries[2].outcome, ERR_OK);
    assert_int_equal(quarantine_put(b->s, &row), ERR_OK); /* refused once more: it waits again */
    assert_int_equal(list(b, (struct quarantine_filter){.facility = 7}, &rows), 1);
    assert_int_equal(rows[0].replays, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(keeps_refusals),
        BENCH_TEST(filters),
        BENCH_TEST(notes_attempts),
    };
    return T_RUN(tests);
}
