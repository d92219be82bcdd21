/* SPDX-License-Identifier: Apache-2.0
 *
 * Positions of subscriptions. A position only grows, whatever order its writers come in: a delivery that is reported late
 * must not make the receiver get everything again.
 */
#include "storage/subscription.h"

#include <assert.h>

#include "base/limits.h"
#include "storage/sql.h"

#include "base/banned.h"

#define SELECT                                                                                     \
    "SELECT " COLUMNS ", (SELECT key FROM facility f WHERE f.id = subscription.facility)"          \
    " FROM subscription"
#define COLUMNS                                                                                    \
    "rid, id, facility, fingerprint, purpose, state, position, stuck, failures, next_ms, reason"

static const char *const codes[SUBSCRIPTION_STATE_COUNT] = {
#define X(name, code) [name] = code,
    SUBSCRIPTION_STATE_TABLE(X)
#undef X
};

const char *subscription_state_code(enum subscription_state state)
{
    assert(state < SUBSCRIPTION_STATE_COUNT);
    return codes[state];
}

bool subscription_state_find(struct slice code, enum subscription_state *ret_state)
{
    for (unsigned i = 0; i < SUBSCRIPTION_STATE_COUNT; i++)
        if (slice_is(code, codes[i])) {
            *ret_state = (enum subscription_state)i;
            return true;
        }
    return false;
}

static enum err read_row(struct sql *q, struct arena *arena, struct subscription *ret)
{
    *ret = (struct subscription){
        .rid = sql_i64(q, 0),
        .id = sql_dup(q, 1, arena),
        .facility = sql_i64(q, 2),
        .facility_key = sql_dup(q, 11, arena),
        .purpose = sql_dup(q, 4, arena),
        .state = (enum subscription_state)sql_i64(q, 5),
        .position = sql_i64(q, 6),
        .stuck = sql_i64(q, 7),
        .failures = (unsigned)sql_i64(q, 8),
        .next_ms = sql_i64(q, 9),
        .reason = sql_dup(q, 10, arena),
    };
    return sql_bytes(q, 3, ret->fingerprint, DIGEST_LEN) && ret->state < SUBSCRIPTION_STATE_COUNT
               ? ERR_OK
               : ERR_INTERNAL;
}

enum err subscription_get(struct session *s, struct arena *arena, int64_t rid,
                          struct subscription *ret)
{
    struct subscription found = {0};
    struct sql *q = NULL;
    enum err err =
        sql_prepare(s, SELECT " WHERE rid = ?", SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, rid);
    err = sql_row(q);
    if (!err)
        err = read_row(q, arena, &found);
    err = sql_done(q, err);
    if (!err)
        *ret = found;
    return err;
}

static enum err count_all(struct session *s, size_t *ret_count)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s, "SELECT count(*) FROM subscription", SQL_OWN, &q);
    if (err)
        return err;
    err = sql_row(q);
    if (!err)
        *ret_count = (size_t)sql_i64(q, 0);
    return sql_done(q, err);
}

enum err subscription_list(struct session *s, struct arena *arena, struct subscription **ret_list,
                           size_t *ret_count)
{
    struct subscription *list = NULL;
    size_t room = 0, count = 0;
    struct sql *q = NULL;
    bool row = true;
    enum err err = count_all(s, &room);
    if (!err && room && !(list = arena_array(arena, room, sizeof(*list))))
        err = ERR_LIMIT;
    if (!err)
        err = sql_prepare(s, SELECT " ORDER BY rid", SQL_OWN, &q);
    if (err)
        return err;
    while (!err && !(err = sql_step(q, &row)) && row && count < room)
        err = read_row(q, arena, &list[count++]);
    err = sql_done(q, err);
    if (err)
        return err;
    *ret_list = list;
    *ret_count = count;
    return ERR_OK;
}

enum err subscription_count(struct session *s, int64_t facility, size_t *ret_count)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(
        s, "SELECT count(*) FROM subscription WHERE facility = ? AND state <> 3", SQL_OWN, &q);
    static_assert(SUBSCRIPTION_OFF == 3, "see the statement");
    if (err)
        return err;
    sql_bind_i64(q, 1, facility);
    err = sql_row(q);
    if (!err)
        *ret_count = (size_t)sql_i64(q, 0);
    return sql_done(q, err);
}

enum err subscription_put(struct session *s, const struct subscription *subscription)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "INSERT OR REPLACE INTO subscription(" COLUMNS
                               ") VALUES(?,?,?,?,?,?,?,?,?,?,?)",
                               SQL_OWN, &q);
    assert(session_writes(s) && subscription->rid != 0 && subscription->facility > 0);
    if (err)
        return err;
    sql_bind_i64(q, 1, subscription->rid);
    sql_bind_text(q, 2, subscription->id);
    sql_bind_i64(q, 3, subscription->facility);
    sql_bind_blob(q, 4, subscription->fingerprint, DIGEST_LEN);
    sql_bind_text(q, 5, subscription->purpose);
    sql_bind_i64(q, 6, (int64_t)subscription->state);
    sql_bind_i64(q, 7, subscription->position);
    sql_bind_i64(q, 8, subscription->stuck);
    sql_bind_i64(q, 9, subscription->failures);
    sql_bind_i64(q, 10, subscription->next_ms);
    sql_bind_text(q, 11, slice_sub(subscription->reason, 0, LIMIT_PUSH_REASON));
    return sql_run(q);
}

enum err subscription_advance(struct session *s, int64_t rid, int64_t seq)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "UPDATE subscription SET position = max(position, ?2), stuck = 0,"
                               " failures = 0, next_ms = 0, reason = '' WHERE rid = ?1",
                               SQL_OWN, &q);
    assert(session_writes(s));
    if (err)
        return err;
    sql_bind_i64(q, 1, rid);
    sql_bind_i64(q, 2, seq);
    return sql_run(q);
}

enum err subscription_fail(struct session *s, int64_t rid, int64_t seq, int64_t next_ms,
                           struct slice reason)
{
    struct sql *q = NULL;
    enum err err =
        sql_prepare(s,
                    "UPDATE subscription SET failures = CASE stuck WHEN ?2 THEN failures + 1 ELSE"
                    " 1 END, stuck = ?2, next_ms = ?3, reason = ?4 WHERE rid = ?1",
                    SQL_OWN, &q);
    assert(session_writes(s));
    if (err)
        return err;
    sql_bind_i64(q, 1, rid);
    sql_bind_i64(q, 2, seq);
    sql_bind_i64(q, 3, next_ms);
    sql_bind_text(q, 4, slice_sub(reason, 0, LIMIT_PUSH_REASON));
    return sql_run(q);
}

enum err subscription_drop(struct session *s, int64_t rid)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s, "DELETE FROM subscription WHERE rid = ?", SQL_OWN, &q);
    assert(session_writes(s));
    if (err)
        return err;
    sql_bind_i64(q, 1, rid);
    return sql_run(q);
}
