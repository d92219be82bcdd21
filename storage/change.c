/* SPDX-License-Identifier: Apache-2.0
 *
 * Gives out the numbers of changes and lists changes under the gate. A list of one record or of
 * named persons is made from the records' own rows and versions, since those lie together; a list
 * of everything walks the log. Both read gated views, so what is counted is what may be seen.
 * Statements are composed of fixed pieces; every value is bound.
 */
#include "storage/change.h"

#include <assert.h>

#include "base/limits.h"
#include "storage/record_impl.h"
#include "storage/session_impl.h"

#include "base/banned.h"

#define CHANGE_TEXT_MAX (64u * LIMIT_KIB)
#define CHANGE_LIST_MAX 4096u /* types, persons */

/* ── numbers ─────────────────────────────────────────────────────────────────────────────────── */

enum err change_last(struct session *s, int64_t *ret_seq)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s, "SELECT max(seq) FROM change", SQL_OWN, &q);
    if (err)
        return err;
    err = sql_row(q);
    if (!err)
        *ret_seq = sql_i64(q, 0);
    return sql_done(q, err);
}

enum err change_next(struct session *s, int64_t seq, int64_t *ret_seq)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s, "SELECT min(seq) FROM change WHERE seq > ?", SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, seq);
    err = sql_row(q);
    if (!err)
        *ret_seq = sql_i64(q, 0);
    return sql_done(q, err);
}

/* One more than the last, or the first of this millisecond if that is later. */
static enum err next_seq(struct session *s, int64_t *ret_seq)
{
    struct session_change *known = &s->change;
    enum err err = ERR_OK;
    if (known->transaction == 0 || known->transaction != s->transaction)
        err = change_last(s, &known->seq);
    if (err)
        return err;
    known->transaction = s->transaction;
    int64_t now = change_at(session_now_ms(s));
    known->seq = now > known->seq ? now : known->seq + 1;
    *ret_seq = known->seq;
    return ERR_OK;
}

enum err change_put(struct session *s, int64_t rid, int64_t version, int64_t *ret_seq)
{
    int64_t seq = 0;
    struct sql *q = NULL;
    enum err err = next_seq(s, &seq);
    if (!err)
        err = sql_prepare(s, "INSERT INTO change(seq, rid, version) VALUES (?1, ?2, ?3)", SQL_OWN,
                          &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, seq);
    sql_bind_i64(q, 2, rid);
    sql_bind_i64(q, 3, version);
    err = sql_run(q);
    if (!err)
        *ret_seq = seq;
    return err;
}

/* ── lists ───────────────────────────────────────────────────────────────────────────────────── */

/* Numbered parameters, so that both halves of a union can name the same one: 1 to 8 as below, then
 * types, then persons. */
enum { AT_SINCE = 1, AT_LO, AT_HI, AT_AFTER, AT_LIMIT, AT_RID, AT_LISTS };

struct compose {
    const struct change_query *query;
    struct buf text;
};

/* Lists are padded to a power of two by repeating the last value, so that few different texts
 * exist. */
static size_t padded(size_t count)
{
    size_t size = count ? 1 : 0;
    while (size < count)
        size *= 2;
    return size;
}

static void say(struct compose *c, const char *text)
{
    buf_adds(&c->text, text);
}

static void say_list(struct compose *c, const char *column, size_t first, size_t count)
{
    buf_addf(&c->text, "%s IN (", column);
    for (size_t i = 0; i < padded(count); i++)
        buf_addf(&c->text, i ? ",?%zu" : "?%zu", first + i);
    say(c, ")");
}

/* Versions from the rows of one record or of some persons. */
static void say_rows(struct compose *c, const char *view)
{
    const struct change_query *q = c->query;
    bool by_person = q->person_count > 0;
    buf_addf(&c->text, "SELECT " RECORD_COLUMNS ", r.until FROM %s%s r",
             by_person ? "v_chart k CROSS JOIN " : "", view);
    if (by_person)
        say(c, " ON r.rid >= k.rid_lo AND r.rid < k.rid_hi");
    say(c, " WHERE 1");
    if (by_person) {
        say(c, " AND ");
        say_list(c, "k.person", AT_LISTS + padded(q->type_count), q->person_count);
    }
    if (q->rid > 0)
        buf_addf(&c->text, " AND r.rid = ?%d", AT_RID);
}

static void say_source(struct compose *c)
{
    const struct change_query *q = c->query;
    if (q->rid <= 0 && q->person_count == 0) {
        say(c, " FROM v_change r WHERE 1");
        return;
    }
    say(c, " FROM (");
    say_rows(c, "v_record_all");
    if (!q->current_only) {
        say(c, " UNION ALL ");
        say_rows(c, "v_record_version");
    }
    say(c, ") r WHERE 1");
}

static void say_conditions(struct compose *c)
{
    const struct change_query *q = c->query;
    say_source(c);
    if (q->type_count > 0) {
        say(c, " AND ");
        say_list(c, "r.type", AT_LISTS, q->type_count);
    }
    if (q->since > 0)
        buf_addf(&c->text, " AND r.seq >= ?%d", AT_SINCE);
    if (q->at_hi > 0)
        buf_addf(&c->text, " AND r.seq < ?%d AND (r.until IS NULL OR r.until > ?%d)", AT_HI, AT_LO);
    if (q->current_only)
        say(c, " AND r.until IS NULL");
}

static void say_page(struct compose *c)
{
    const struct change_query *q = c->query;
    say(c, "SELECT " RECORD_COLUMNS);
    say_conditions(c);
    if (q->after_given)
        buf_addf(&c->text, " AND r.seq %s ?%d", q->oldest_first ? ">" : "<", AT_AFTER);
    buf_addf(&c->text, " ORDER BY r.seq%s LIMIT ?%d", q->oldest_first ? "" : " DESC", AT_LIMIT);
}

static void say_count(struct compose *c)
{
    say(c, "SELECT count(*)");
    say_conditions(c);
}

static void bind_all(struct sql *sql, const struct change_query *q, bool page)
{
    size_t at = AT_LISTS;
    if (q->since > 0)
        sql_bind_i64(sql, AT_SINCE, q->since);
    if (q->at_hi > 0) {
        sql_bind_i64(sql, AT_LO, change_at(q->at_lo));
        sql_bind_i64(sql, AT_HI, change_at(q->at_hi));
    }
    if (page && q->after_given)
        sql_bind_i64(sql, AT_AFTER, q->after);
    if (page)
        sql_bind_i64(sql, AT_LIMIT, (int64_t)q->limit + 1);
    if (q->rid > 0)
        sql_bind_i64(sql, AT_RID, q->rid);
    for (size_t i = 0; i < padded(q->type_count); i++)
        sql_bind_text(sql, (int)at++, q->types[i < q->type_count ? i : q->type_count - 1]);
    for (size_t i = 0; i < padded(q->person_count); i++)
        sql_bind_i64(sql, (int)at++, q->persons[i < q->person_count ? i : q->person_count - 1]);
}

static enum err prepare(struct session *s, struct compose *c, bool page, struct sql **ret_sql)
{
    buf_clear(&c->text);
    if (page)
        say_page(c);
    else
        say_count(c);
    buf_addc(&c->text, '\0');
    enum err err = buf_err(&c->text);
    if (!err)
        err = sql_prepare_composed(s, c->text.ptr, ret_sql);
    if (!err)
        bind_all(*ret_sql, c->query, page);
    return err;
}

static enum err run_count(struct session *s, struct compose *c, struct change_result *result)
{
    struct sql *q = NULL;
    enum err err = prepare(s, c, false, &q);
    if (err)
        return err;
    err = sql_row(q);
    if (!err)
        result->total = (uint64_t)sql_i64(q, 0);
    return sql_done(q, err);
}

static enum err run_page(struct session *s, struct compose *c, struct arena *arena,
                         struct change_result *result)
{
    unsigned limit = c->query->limit;
    struct sql *q = NULL;
    result->records = arena_array(arena, limit, sizeof *result->records);
    if (!result->records)
        return ERR_LIMIT;
    enum err err = prepare(s, c, true, &q);
    if (err)
        return err;
    bool row = false;
    while (!(err = sql_step(q, &row)) && row) {
        result->more = result->count == limit;
        if (result->more)
            break;
        record_load(q, 0, arena, &result->records[result->count++]);
    }
    return sql_done(q, err);
}

enum err change_list(struct session *s, struct arena *arena, const struct change_query *query,
                     struct change_result *ret_result)
{
    struct compose c = {.query = query};
    struct change_result result = {0};
    enum err err = ERR_OK;
    assert(query->limit <= LIMIT_SEARCH_COUNT);
    if (query->type_count > CHANGE_LIST_MAX || query->person_count > CHANGE_LIST_MAX)
        return ERR_TOO_LARGE;
    buf_init(&c.text, CHANGE_TEXT_MAX);
    if (query->limit > 0)
        err = run_page(s, &c, arena, &result);
    if (!err && query->count_total)
        err = run_count(s, &c, &result);
    buf_fini(&c.text);
    if (!err)
        *ret_result = result;
    return err;
}
