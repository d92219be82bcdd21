/* SPDX-License-Identifier: Apache-2.0
 *
 * feed.c: positions only grow, what is under way comes and goes, dead letters are found by feed and
 * state, in order, and all of it is there after the store was closed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/store_fixture.h"
#include "lib/t.h"
#include "storage/feed.h"

#include "base/banned.h"

struct look {
    struct fixture *f;
    struct feed row, put;
    struct feed *list;
    struct feed_letter letter;
    struct feed_letter *letters;
    size_t count, letter_count;
    enum err err;
    bool all;
    size_t limit;
};

static enum err get(struct session *s, void *context)
{
    struct look *l = context;
    l->err = feed_get(s, l->f->arena, SLICE("clinic"), &l->row);
    enum err err = feed_list(s, l->f->arena, &l->list, &l->count);
    if (!err)
        err = feed_letter_list(s, l->f->arena, SLICE("clinic"), l->all, l->limit ? l->limit : 10,
                               &l->letters, &l->letter_count);
    return err;
}

static enum err put(struct session *s, void *context)
{
    struct look *l = context;
    return feed_put(s, &l->put);
}

static enum err put_letter(struct session *s, void *context)
{
    struct look *l = context;
    return feed_letter_put(s, &l->letter);
}

static enum err wanted(struct session *s, void *context)
{
    struct look *l = context;
    l->err = feed_letter_wanted(s, l->f->arena, SLICE("clinic"), &l->letter);
    return ERR_OK;
}

static void test_rows(void **state)
{
    struct fixture f;
    struct look l = {.f = &f};
    char reason[2 * LIMIT_PUSH_REASON];
    (void)state;
    fixture_open(&f);
    assert_int_equal(fixture_write(&f, get, &l), ERR_OK);
    assert_int_equal(l.err, ERR_NOT_FOUND);
    assert_int_equal(l.count, 0);
    memset(reason, 'x', sizeof(reason));
    l.put = (struct feed){.name = SLICE("clinic"),
                          .position = 100,
                          .until = 120,
                          .chart = 7,
                          .letter = 3,
                          .control_id = SLICE("ID"),
                          .failures = 2,
                          .next_ms = 5,
                          .reason = slice_of(reason, sizeof(reason)),
                          .sent = 8,
                          .sent_ms = 9,
                          .refused = 1};
    assert_int_equal(fixture_write(&f, put, &l), ERR_OK);
    l.put = (struct feed){.name = SLICE("another"), .position = 1};
    assert_int_equal(fixture_write(&f, put, &l), ERR_OK);
    store_close(f.store);
    assert_int_equal(fixture_try_open(&f, 1), ERR_OK);
    assert_int_equal(fixture_write(&f, get, &l), ERR_OK);
    assert_int_equal(l.count, 2);
    assert_true(slice_is(l.list[0].name, "another"));
    assert_int_equal(l.row.position, 100);
    assert_int_equal(l.row.until, 120);
    assert_int_equal(l.row.chart, 7);
    assert_int_equal(l.row.letter, 3);
    assert_true(slice_is(l.row.control_id, "ID"));
    assert_int_equal(l.row.failures, 2);
    assert_int_equal(l.row.next_ms, 5);
    assert_int_equal(l.row.reason.len, LIMIT_PUSH_REASON);
    assert_int_equal(l.row.sent, 8);
    assert_int_equal(l.row.sent_ms, 9);
    assert_int_equal(l.row.refused, 1);
    l.put = (struct feed){.name = SLICE("clinic"), .position = 90}; /* comes late */
    assert_int_equal(fixture_write(&f, put, &l), ERR_OK);
    assert_int_equal(fixture_write(&f, get, &l), ERR_OK);
    assert_int_equal(l.row.position, 100);
    assert_int_equal(l.row.until, 0);
    assert_int_equal(l.row.control_id.len, 0);
    fixture_close(&f);
}

static void test_letters(void **state)
{
    static const enum feed_letter_state states[] = {FEED_LETTER_WAITING, FEED_LETTER_WANTED,
                                                    FEED_LETTER_SENT,    FEED_LETTER_WANTED,
                                                    FEED_LETTER_DROPPED, FEED_LETTER_GONE};
    struct fixture f;
    struct look l = {.f = &f};
    (void)state;
    fixture_open(&f);
    l.put = (struct feed){.name = SLICE("clinic"), .position = 1};
    assert_int_equal(fixture_write(&f, put, &l), ERR_OK);
    assert_int_equal(fixture_write(&f, wanted, &l), ERR_OK);
    assert_int_equal(l.err, ERR_NOT_FOUND);
    for (size_t i = 0; i < T_COUNT(states); i++) {
        l.letter = (struct feed_letter){.feed = SLICE("clinic"),
                                        .chart = 4,
                                        .after = (int64_t)i,
                                        .until = (int64_t)i + 10,
                                        .control_id = SLICE("ID"),
                                        .code = SLICE("AE"),
                                        .reason = SLICE("why"),
                                        .attempts = 1,
                                        .at_ms = 77,
                                        .state = states[i]};
        assert_int_equal(fixture_write(&f, put_letter, &l), ERR_OK);
    }
    l.letter.feed = SLICE("another");
    l.letter.state = FEED_LETTER_WANTED;
    assert_int_equal(fixture_write(&f, put_letter, &l), ERR_OK);
    store_close(f.store);
    assert_int_equal(fixture_try_open(&f, 1), ERR_OK);
    assert_int_equal(fixture_write(&f, get, &l), ERR_OK);
    assert_int_equal(l.row.waiting, 1);
    assert_int_equal(l.row.wanted, 2);
    assert_int_equal(l.letter_count, 3);
    assert_int_equal(l.letters[0].id, 1);
    assert_int_equal(l.letters[2].until, 13);
    assert_true(slice_is(l.letters[2].reason, "why"));
    l.all = true;
    l.limit = 2;
    assert_int_equal(fixture_write(&f, get, &l), ERR_OK);
    assert_int_equal(l.letter_count, 2); /* the newest, oldest first */
    assert_int_equal(l.letters[0].id, 5);
    assert_int_equal(l.letters[1].id, 6);
    assert_int_equal(fixture_write(&f, wanted, &l), ERR_OK);
    assert_int_equal(l.err, ERR_OK);
    assert_int_equal(l.letter.id, 2); /* the oldest */
    l.letter.state = FEED_LETTER_SENT;
    assert_int_equal(fixture_write(&f, put_letter, &l), ERR_OK);
    assert_int_equal(fixture_write(&f, wanted, &l), ERR_OK);
    assert_int_equal(l.letter.id, 4);
    assert_string_equal(feed_letter_code(l.letter.state), "wanted");
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
