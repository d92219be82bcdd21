/* SPDX-License-Identifier: Apache-2.0
 *
 * Moving charts between persons: link, unlink, undo, and the queue of likely links that a human
 * decides. A move changes chart.person, writes link_log, and nothing else; no clinical row is
 * touched (design invariant 6, HL7 "link" rather than "merge"). A decision a human made is
 * remembered in link_queue, so that the next message does not ask again.
 */
#include "storage/person_impl.h"

#include <assert.h>

#include "storage/session_impl.h"
#include "storage/sql.h"

#include "base/banned.h"

static enum err log_move(struct session *s, int64_t chart, int64_t from, int64_t to,
                         const char *reason)
{
    struct sql *q;
    enum err err = sql_prepare(s,
                               "INSERT INTO link_log(chart, from_person, to_person, reason, at_ms)"
                               " VALUES(?,?,?,?,?)",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, chart);
    sql_bind_i64(q, 2, from);
    sql_bind_i64(q, 3, to);
    sql_bind_str(q, 4, reason);
    sql_bind_i64(q, 5, session_now_ms(s));
    return sql_run(q);
}

/* The question whether CHART is CANDIDATE's was answered, one way or the other. */
static enum err settle_question(struct session *s, int64_t chart, int64_t candidate)
{
    struct sql *q;
    enum err err = sql_prepare(
        s,
        "INSERT INTO link_queue(chart, candidate, agreeing, at_ms, decided_ms)"
        " VALUES(?1, ?2, 0, ?3, ?3)"
        " ON CONFLICT(chart, candidate) DO UPDATE SET decided_ms = coalesce(decided_ms, ?3)",
        SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, chart);
    sql_bind_i64(q, 2, candidate);
    sql_bind_i64(q, 3, session_now_ms(s));
    return sql_run(q);
}

enum err person_move(struct session *s, int64_t chart, int64_t from, int64_t to, const char *reason)
{
    struct sql *q;
    enum err err = sql_prepare(s, "UPDATE chart SET person = ? WHERE id = ?", SQL_OWN, &q);

    assert(session_writes(s) && from != to);
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, to);
    sql_bind_i64(q, 2, chart);
    err = sql_run(q);
    if (err == ERR_OK)
        err = log_move(s, chart, from, to, reason);
    return err != ERR_OK ? err : settle_question(s, chart, to);
}

enum err person_link(struct session *s, int64_t chart, int64_t person, const char *reason)
{
    int64_t present = 0;
    int64_t facility = 0;
    enum err err = person_of_chart(s, chart, &present, &facility);

    assert(session_writes(s));
    if (err == ERR_OK)
        err = person_exists(s, person);
    if (err != ERR_OK || present == person)
        return err;
    return person_move(s, chart, present, person, reason ? reason : "operator");
}

enum err person_unlink(struct session *s, int64_t chart, int64_t *ret_person)
{
    int64_t present = 0;
    int64_t facility = 0;
    int64_t charts = 0;
    int64_t person = 0;
    bool carded = false;
    enum err err = person_of_chart(s, chart, &present, &facility);

    assert(session_writes(s));
    if (err == ERR_OK)
        err = person_chart_count(s, present, &charts);
    if (err == ERR_OK)
        err = person_is_carded(s, present, &carded);
    if (err != ERR_OK)
        return err;
    if (charts == 1 && !carded) { /* on its own already */
        *ret_person = present;
        return ERR_OK;
    }
    err = person_make(s, NULL, &person);
    if (err == ERR_OK)
        err = person_move(s, chart, present, person, "operator");
    if (err == ERR_OK)
        err = settle_question(s, chart, present);
    if (err == ERR_OK)
        *ret_person = person;
    return err;
}

enum err person_undo(struct session *s, int64_t chart)
{
    int64_t from = 0;
    int64_t to = 0;
    struct sql *q;
    enum err err = sql_prepare(s,
                               "SELECT from_person, to_person FROM link_log WHERE chart = ?"
                               " ORDER BY seq DESC LIMIT 1",
                               SQL_OWN, &q);

    assert(session_writes(s));
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, chart);
    err = sql_row(q);
    if (err == ERR_OK) {
        from = sql_i64(q, 0);
        to = sql_i64(q, 1);
    }
    err = sql_done(q, err);
    if (err == ERR_OK && from == 0)
        err = ERR_NOT_FOUND; /* where it was made; nothing to go back to */
    if (err == ERR_OK)
        err = person_move(s, chart, to, from, "undo");
    return err != ERR_OK ? err : settle_question(s, chart, to);
}

enum err person_queue(struct session *s, struct arena *arena, struct person_question **ret_rows,
                      size_t *ret_count)
{
    struct person_question *rows = NULL;
    size_t count = 0;
    bool more = false;
    struct sql *q;
    enum err err = sql_prepare(s,
                               "SELECT chart, candidate, agreeing, at_ms, count(*) OVER (), id"
                               " FROM link_queue WHERE decided_ms IS NULL ORDER BY id",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    while ((err = sql_step(q, &more)) == ERR_OK && more) {
        if (!rows && !(rows = arena_array(arena, (size_t)sql_i64(q, 4), sizeof *rows))) {
            err = ERR_LIMIT;
            break;
        }
        rows[count++] = (struct person_question){.chart = sql_i64(q, 0),
                                                 .candidate = sql_i64(q, 1),
                                                 .agreeing = (unsigned)sql_i64(q, 2),
                                                 .at_ms = sql_i64(q, 3),
                                                 .id = sql_i64(q, 5)};
    }
    err = sql_done(q, err);
    if (err != ERR_OK)
        return err;
    *ret_rows = rows;
    *ret_count = count;
    return ERR_OK;
}

enum err person_dismiss(struct session *s, int64_t chart, int64_t candidate)
{
    struct sql *q;
    enum err err = sql_prepare(s,
                               "UPDATE link_queue SET decided_ms = ?3 WHERE chart = ?1"
                               " AND candidate = ?2 AND decided_ms IS NULL",
                               SQL_OWN, &q);

    assert(session_writes(s));
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, chart);
    sql_bind_i64(q, 2, candidate);
    sql_bind_i64(q, 3, session_now_ms(s));
    err = sql_run(q);
    return err == ERR_OK && sql_changes(s) == 0 ? ERR_NOT_FOUND : err;
}
