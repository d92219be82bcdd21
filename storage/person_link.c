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

/* ── what a facility says of its own charts ──────────────────────────────────────────────────── */

/* Nothing but one chart hangs on PERSON. */
static enum err is_alone(struct session *s, int64_t person, bool *ret_alone)
{
    bool carded = false;
    int64_t charts = 0;
    enum err err = person_is_carded(s, person, &carded);

    if (err == ERR_OK)
        err = person_chart_count(s, person, &charts);
    if (err == ERR_OK)
        *ret_alone = !carded && charts == 1;
    return err;
}

/* Do birth date or gender of the two speak against each other? */
static enum err contradict(struct session *s, int64_t one, int64_t two, bool *ret_contradict)
{
    struct sql *q;
    enum err err =
        sql_prepare(s,
                    "SELECT (a.birth_date <> '' AND b.birth_date <> '' AND a.birth_date <> b.birth_date)"
                    " OR (a.gender IN ('male', 'female') AND b.gender IN ('male', 'female')"
                    "  AND a.gender <> b.gender) FROM person a, person b"
                    " WHERE a.id = ?1 AND b.id = ?2",
                    SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, one);
    sql_bind_i64(q, 2, two);
    err = sql_row(q);
    if (err == ERR_OK)
        *ret_contradict = sql_i64(q, 0) != 0;
    return sql_done(q, err);
}

static enum err both_persons(struct session *s, int64_t chart, int64_t other,
                             struct person_joined *ret_joined)
{
    int64_t facility = 0;
    int64_t others = 0;
    enum err err = person_of_chart(s, chart, &ret_joined->person, &facility);

    if (err == ERR_OK)
        err = person_of_chart(s, other, &ret_joined->other, &others);
    return err == ERR_OK && facility != others ? ERR_PATIENT_MISMATCH : err;
}

enum err person_join(struct session *s, int64_t chart, int64_t other, const char *reason,
                     struct person_joined *ret_joined)
{
    struct person_joined j = {0};
    bool first_alone = false;
    bool other_alone = false;
    bool against = false;
    enum err err = both_persons(s, chart, other, &j);

    assert(session_writes(s));
    if (err == ERR_OK && j.person != j.other) {
        err = is_alone(s, j.person, &first_alone);
        if (err == ERR_OK)
            err = is_alone(s, j.other, &other_alone);
        if (err == ERR_OK)
            err = contradict(s, j.person, j.other, &against);
        if (err == ERR_OK && (against || !(first_alone || other_alone)))
            err = ERR_PATIENT_MISMATCH;
        if (err == ERR_OK && other_alone) {
            err = person_move(s, other, j.other, j.person, reason);
        } else if (err == ERR_OK) {
            err = person_move(s, chart, j.person, j.other, reason);
            j = (struct person_joined){.person = j.other, .other = j.person};
        }
        j.moved = true;
    }
    if (err == ERR_OK)
        *ret_joined = j;
    return err;
}

/* Which of the two charts came to PERSON by a join with REASON, last, and from whom; 0: neither. */
static enum err find_join(struct session *s, const int64_t charts[2], int64_t person,
                          const char *reason, int64_t *ret_chart, int64_t *ret_from)
{
    bool found = false;
    struct sql *q;
    enum err err = sql_prepare(
        s,
        "SELECT chart, from_person FROM link_log l WHERE chart IN (?1, ?2) AND to_person = ?3"
        " AND reason = ?4 AND from_person IS NOT NULL"
        " AND seq = (SELECT max(seq) FROM link_log m WHERE m.chart = l.chart)"
        " ORDER BY seq DESC LIMIT 1",
        SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, charts[0]);
    sql_bind_i64(q, 2, charts[1]);
    sql_bind_i64(q, 3, person);
    sql_bind_str(q, 4, reason);
    err = sql_step(q, &found);
    if (err == ERR_OK && found) {
        *ret_chart = sql_i64(q, 0);
        *ret_from = sql_i64(q, 1);
    }
    return sql_done(q, err);
}

/* No join is known: parted only where nothing else could be torn off with one of them. */
static enum err part_pair(struct session *s, int64_t other, int64_t person, int64_t *ret_new)
{
    bool carded = false;
    int64_t charts = 0;
    enum err err = person_is_carded(s, person, &carded);

    if (err == ERR_OK)
        err = person_chart_count(s, person, &charts);
    if (err == ERR_OK && (carded || charts != 2))
        err = ERR_PATIENT_MISMATCH;
    return err != ERR_OK ? err : person_unlink(s, other, ret_new);
}

enum err person_part(struct session *s, int64_t chart, int64_t other, const char *reason,
                     struct person_joined *ret_joined)
{
    const int64_t charts[2] = {chart, other};
    struct person_joined j = {0};
    int64_t moved = 0;
    int64_t from = 0;
    enum err err = both_persons(s, chart, other, &j);

    assert(session_writes(s));
    if (err == ERR_OK && j.person == j.other) {
        err = find_join(s, charts, j.person, reason, &moved, &from);
        if (err == ERR_OK && moved)
            err = person_move(s, moved, j.person, from, reason);
        if (err == ERR_OK && moved)
            err = settle_question(s, moved, j.person);
        if (err == ERR_OK && !moved)
            err = part_pair(s, other, j.person, &from);
        if (moved == chart)
            j.person = from;
        else
            j.other = from;
        j.moved = true;
    }
    if (err == ERR_OK)
        *ret_joined = j;
    return err;
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
