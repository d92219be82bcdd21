/* SPDX-License-Identifier: Apache-2.0
 *
 * Positions and dead letters of feeds (see feed.h). A position only grows, whoever writes it: a
 * message that was answered must not be sent again because an older row came late.
 */
#include "storage/feed.h"

#include <assert.h>

#include "base/limits.h"
#include "storage/sql.h"

#include "base/banned.h"

#define COLUMNS                                                                                    \
    "name, position, until, chart, letter, control_id, failures, next_ms, reason, sent, sent_ms,"  \
    " refused"
#define COUNT_OF(state)                                                                            \
    ", (SELECT count(*) FROM feed_letter l WHERE l.feed = feed.name AND l.state = " state ")"
#define SELECT "SELECT " COLUMNS COUNT_OF("0") COUNT_OF("1") " FROM feed"
#define LETTER_COLUMNS                                                                             \
    "id, feed, chart, after, until, control_id, code, reason, attempts, at_ms, state"

static_assert(FEED_LETTER_WAITING == 0 && FEED_LETTER_WANTED == 1, "see the statements");

static const char *const codes[FEED_LETTER_STATE_COUNT] = {
#define X(name, code) [name] = code,
    FEED_LETTER_STATE_TABLE(X)
#undef X
};

const char *feed_letter_code(enum feed_letter_state state)
{
    assert(state < FEED_LETTER_STATE_COUNT);
    return codes[state];
}

/* ── feeds ───────────────────────────────────────────────────────────────────────────────────── */

static void read_feed(struct sql *q, struct arena *arena, struct feed *ret)
{
    *ret = (struct feed){
        .name = sql_dup(q, 0, arena),
        .position = sql_i64(q, 1),
        .until = sql_i64(q, 2),
        .chart = sql_i64(q, 3),
        .letter = sql_i64(q, 4),
        .control_id = sql_dup(q, 5, arena),
        .failures = (unsigned)sql_i64(q, 6),
        .next_ms = sql_i64(q, 7),
        .reason = sql_dup(q, 8, arena),
        .sent = sql_i64(q, 9),
        .sent_ms = sql_i64(q, 10),
        .refused = sql_i64(q, 11),
        .waiting = sql_i64(q, 12),
        .wanted = sql_i64(q, 13),
    };
}

enum err feed_get(struct session *s, struct arena *arena, struct slice name, struct feed *ret_feed)
{
    struct feed found = {0};
    struct sql *q = NULL;
    enum err err = sql_prepare(s, SELECT " WHERE name = ?", SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_text(q, 1, name);
    err = sql_row(q);
    if (!err)
        read_feed(q, arena, &found);
    err = sql_done(q, err);
    if (!err)
        *ret_feed = found;
    return err;
}

enum err feed_list(struct session *s, struct arena *arena, struct feed **ret_list,
                   size_t *ret_count)
{
    struct feed *list = arena_array(arena, LIMIT_FEEDS_KNOWN, sizeof(*list));
    struct sql *q = NULL;
    size_t count = 0;
    bool row = true;
    enum err err = list ? sql_prepare(s, SELECT " ORDER BY name", SQL_OWN, &q) : ERR_LIMIT;
    if (err)
        return err;
    while (count < LIMIT_FEEDS_KNOWN && !(err = sql_step(q, &row)) && row)
        read_feed(q, arena, &list[count++]);
    err = sql_done(q, err);
    if (err)
        return err;
    *ret_list = list;
    *ret_count = count;
    return ERR_OK;
}

enum err feed_put(struct session *s, const struct feed *feed)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(
        s,
        "INSERT INTO feed(" COLUMNS ") VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)"
        " ON CONFLICT(name) DO UPDATE SET position = max(position, ?2), until = ?3, chart = ?4,"
        " letter = ?5, control_id = ?6, failures = ?7, next_ms = ?8, reason = ?9, sent = ?10,"
        " sent_ms = ?11, refused = ?12",
        SQL_OWN, &q);
    assert(session_writes(s) && feed->name.len > 0);
    if (err)
        return err;
    sql_bind_text(q, 1, feed->name);
    sql_bind_i64(q, 2, feed->position);
    sql_bind_i64(q, 3, feed->until);
    sql_bind_i64(q, 4, feed->chart);
    sql_bind_i64(q, 5, feed->letter);
    sql_bind_text(q, 6, feed->control_id);
    sql_bind_i64(q, 7, feed->failures);
    sql_bind_i64(q, 8, feed->next_ms);
    sql_bind_text(q, 9, slice_sub(feed->reason, 0, LIMIT_PUSH_REASON));
    sql_bind_i64(q, 10, feed->sent);
    sql_bind_i64(q, 11, feed->sent_ms);
    sql_bind_i64(q, 12, feed->refused);
    return sql_run(q);
}

/* ── letters ─────────────────────────────────────────────────────────────────────────────────── */

static void read_letter(struct sql *q, struct arena *arena, struct feed_letter *ret)
{
    *ret = (struct feed_letter){
        .id = sql_i64(q, 0),
        .feed = sql_dup(q, 1, arena),
        .chart = sql_i64(q, 2),
        .after = sql_i64(q, 3),
        .until = sql_i64(q, 4),
        .control_id = sql_dup(q, 5, arena),
        .code = sql_dup(q, 6, arena),
        .reason = sql_dup(q, 7, arena),
        .attempts = (unsigned)sql_i64(q, 8),
        .at_ms = sql_i64(q, 9),
        .state = (enum feed_letter_state)sql_i64(q, 10),
    };
    if (ret->state >= FEED_LETTER_STATE_COUNT)
        sql_fail(q, ERR_INTERNAL);
}

static enum err one_letter(struct sql *q, struct arena *arena, struct feed_letter *ret_letter)
{
    struct feed_letter found = {0};
    enum err err = sql_row(q);
    if (!err)
        read_letter(q, arena, &found);
    err = sql_done(q, err);
    if (!err)
        *ret_letter = found;
    return err;
}

enum err feed_letter_get(struct session *s, struct arena *arena, int64_t id,
                         struct feed_letter *ret_letter)
{
    struct sql *q = NULL;
    enum err err =
        sql_prepare(s, "SELECT " LETTER_COLUMNS " FROM feed_letter WHERE id = ?", SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, id);
    return one_letter(q, arena, ret_letter);
}

enum err feed_letter_wanted(struct session *s, struct arena *arena, struct slice name,
                            struct feed_letter *ret_letter)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "SELECT " LETTER_COLUMNS " FROM feed_letter"
                               " WHERE feed = ? AND state = 1 ORDER BY id LIMIT 1",
                               SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_text(q, 1, name);
    return one_letter(q, arena, ret_letter);
}

enum err feed_letter_list(struct session *s, struct arena *arena, struct slice name, bool all,
                          size_t limit, struct feed_letter **ret_list, size_t *ret_count)
{
    struct feed_letter *list = arena_array(arena, limit ? limit : 1, sizeof(*list));
    struct sql *q = NULL;
    size_t count = 0;
    bool row = true;
    enum err err = !list ? ERR_LIMIT
                         : sql_prepare(s,
                                       "SELECT * FROM (SELECT " LETTER_COLUMNS " FROM feed_letter"
                                       " WHERE feed = ?1 AND state <= ?2 ORDER BY id DESC"
                                       " LIMIT ?3) ORDER BY id",
                                       SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_text(q, 1, name);
    sql_bind_i64(q, 2, all ? FEED_LETTER_STATE_COUNT : FEED_LETTER_WANTED);
    sql_bind_i64(q, 3, (int64_t)limit);
    while (count < limit && !(err = sql_step(q, &row)) && row)
        read_letter(q, arena, &list[count++]);
    err = sql_done(q, err);
    if (err)
        return err;
    *ret_list = list;
    *ret_count = count;
    return ERR_OK;
}

enum err feed_letter_put(struct session *s, const struct feed_letter *letter)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(
        s, "INSERT OR REPLACE INTO feed_letter(" LETTER_COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?,?,?)",
        SQL_OWN, &q);
    assert(session_writes(s) && letter->feed.len > 0);
    if (err)
        return err;
    sql_bind_i64_or_null(q, 1, letter->id);
    sql_bind_text(q, 2, letter->feed);
    sql_bind_i64(q, 3, letter->chart);
    sql_bind_i64(q, 4, letter->after);
    sql_bind_i64(q, 5, letter->until);
    sql_bind_text(q, 6, letter->control_id);
    sql_bind_text(q, 7, letter->code);
    sql_bind_text(q, 8, slice_sub(letter->reason, 0, LIMIT_PUSH_REASON));
    sql_bind_i64(q, 9, letter->attempts);
    sql_bind_i64(q, 10, letter->at_ms);
    sql_bind_i64(q, 11, (int64_t)letter->state);
    return sql_run(q);
}
