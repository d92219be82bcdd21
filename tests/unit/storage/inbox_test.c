/* SPDX-License-Identifier: Apache-2.0
 *
 * Intake's memory: a repeat is recognised whatever else is like it, counts add up.
 */
#include "storage/inbox.h"

#include "tests/unit/storage/bench.h"

#include "base/banned.h"

static const unsigned char sha_one[DIGEST_LEN] = {1};
static const unsigned char sha_two[DIGEST_LEN] = {2};

static void test_messages(void **state)
{
    static const struct inbox_key key = {7, {"EHR|A", 5}, {"0001", 4}, {"ADT^A08", 7}};
    struct inbox_key others[] = {key, key, key, key};
    struct bench *b = *state;
    enum inbox_seen seen = INBOX_REUSED;
    enum err outcome = ERR_BUSY;
    struct slice answer = SLICE("untouched");

    assert_int_equal(inbox_find(b->s, b->arena, &key, sha_one, &seen, &outcome, &answer), ERR_OK);
    assert_int_equal(seen, INBOX_NEW);
    assert_int_equal(outcome, ERR_BUSY);
    assert_slice(answer, "untouched");
    assert_int_equal(inbox_put(b->s, &key, sha_one, ERR_REQUIRED, SLICE("MSA|AE|0001")), ERR_OK);
    assert_int_equal(inbox_find(b->s, b->arena, &key, sha_one, &seen, &outcome, &answer), ERR_OK);
    assert_int_equal(seen, INBOX_SAME);
    assert_int_equal(outcome, ERR_REQUIRED);
    assert_slice(answer, "MSA|AE|0001");
    answer = SLICE("untouched");
    assert_int_equal(inbox_find(b->s, b->arena, &key, sha_two, &seen, &outcome, &answer), ERR_OK);
    assert_int_equal(seen, INBOX_REUSED);
    assert_slice(answer, "untouched");
    assert_int_equal(inbox_put(b->s, &key, sha_two, ERR_OK, SLICE("x")), ERR_CONTROL_ID_REUSED);

    others[0].facility = 8;
    others[1].sender = SLICE("EHR|B");
    others[2].control_id = SLICE("0002");
    others[3].kind = SLICE("ORU^R01");
    for (size_t i = 0; i < T_COUNT(others); i++) {
        assert_int_equal(inbox_find(b->s, b->arena, &others[i], sha_one, &seen, &outcome, &answer),
                         ERR_OK);
        assert_int_equal(seen, INBOX_NEW);
    }
}

static void test_files(void **state)
{
    static const struct inbox_file file = {7, {"000/123/a_1", 11}, 100, 5};
    struct inbox_file others[] = {file, file, file, file};
    struct bench *b = *state;
    bool seen = true;

    assert_int_equal(inbox_file_seen(b->s, &file, &seen), ERR_OK);
    assert_false(seen);
    assert_int_equal(inbox_file_put(b->s, &file, sha_one, ERR_OK), ERR_OK);
    assert_int_equal(inbox_file_seen(b->s, &file, &seen), ERR_OK);
    assert_true(seen);
    others[0].facility = 8;
    others[1].path = SLICE("000/123/a_2");
    others[2].size = 101;
    others[3].mtime_ns = 6;
    for (size_t i = 0; i < T_COUNT(others); i++) {
        seen = true;
        assert_int_equal(inbox_file_seen(b->s, &others[i], &seen), ERR_OK);
        assert_false(seen);
    }
    assert_int_equal(inbox_file_put(b->s, &others[2], sha_two, ERR_INVALID), ERR_OK);
    assert_int_equal(inbox_file_seen(b->s, &others[2], &seen), ERR_OK);
    assert_true(seen);
    assert_int_equal(inbox_file_seen(b->s, &file, &seen), ERR_OK);
    assert_false(seen); /* it was written again */
}

/* Only what was filed, of this facility, below exactly this folder. */
static void test_filed(void **state)
{
    struct bench *b = *state;
    static const struct {
        int64_t facility;
        const char *path;
        enum err outcome;
    } files[] = {
        {7, "000/123/000123/-/ADT-00/x", ERR_OK},  {7, "000/123/000123/2026/OMD/y", ERR_OK},
        {7, "000/123/000123/-/z", ERR_INVALID},    {7, "000/123/0001234/-/ADT-00/x", ERR_OK},
        {7, "000/123/00012", ERR_OK},              {8, "000/123/000123/-/ADT-00/x", ERR_OK},
    };
    struct inbox_filed *rows = NULL;
    size_t count = 9;

    for (size_t i = 0; i < T_COUNT(files); i++) {
        struct inbox_file file = {files[i].facility, slice_str(files[i].path), 1, 1};
        assert_int_equal(inbox_file_put(b->s, &file, i == 1 ? sha_two : sha_one, files[i].outcome),
                         ERR_OK);
    }
    assert_int_equal(inbox_filed_list(b->s, b->arena, 7, SLICE("000/123/000123/"), &rows, &count),
                     ERR_OK);
    assert_int_equal(count, 2);
    assert_slice(rows[0].path, "000/123/000123/-/ADT-00/x");
    assert_slice(rows[1].path, "000/123/000123/2026/OMD/y");
    assert_memory_equal(rows[1].sha, sha_two, DIGEST_LEN);
    assert_int_equal(inbox_filed_list(b->s, b->arena, 9, SLICE("000/"), &rows, &count), ERR_OK);
    assert_int_equal(count, 0);
}

static void test_unmapped(void **state)
{
    struct bench *b = *state;
    struct unmapped_row *rows = NULL;
    size_t count = 9;

    assert_int_equal(unmapped_add(b->s, 7, SLICE("ADT^A08"), SLICE("NK1-13"), 2), ERR_OK);
    assert_int_equal(unmapped_add(b->s, 7, SLICE("ADT^A08"), SLICE("PV1-9"), 4), ERR_OK);
    assert_int_equal(unmapped_add(b->s, 7, SLICE("ADT^A08"), SLICE("NK1-13"), 1), ERR_OK);
    assert_int_equal(unmapped_add(b->s, 8, SLICE("ADT^A08"), SLICE("NK1-13"), 5), ERR_OK);
    assert_int_equal(unmapped_list(b->s, b->arena, 7, &rows, &count), ERR_OK);
    assert_int_equal(count, 2);
    assert_slice(rows[0].field, "PV1-9");
    assert_slice(rows[1].field, "NK1-13");
    assert_slice(rows[1].message, "ADT^A08");
    assert_int_equal(rows[1].seen, 3);
    assert_int_equal(unmapped_list(b->s, b->arena, 0, &rows, &count), ERR_OK);
    assert_int_equal(count, 2);
    assert_slice(rows[0].field, "NK1-13");
    assert_int_equal(rows[0].seen, 8);
    assert_int_equal(unmapped_list(b->s, b->arena, 9, &rows, &count), ERR_OK);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(test_messages),
        BENCH_TEST(test_files),
        BENCH_TEST(test_filed),
        BENCH_TEST(test_unmapped),
    };
    return T_RUN(tests);
}
