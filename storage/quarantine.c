/* SPDX-License-Identifier: Apache-2.0
 *
 * Dead letters (see quarantine.h). The reason of a row is always that of the latest refusal of the
 * bytes it was refused in; what corrected bytes were refused for stands in the attempts. Must not
 * judge: whether an attempt is accepted is intake's to say, in whose transaction it is noted.
 */
#include "storage/quarantine.h"

#include <assert.h>

#include "storage/sql.h"

#include "base/banned.h"

static enum err original_exists(struct session *s, const unsigned char sha[DIGEST_LEN])
{
    struct sql *q;
    enum err err = sql_prepare(s, "SELECT 1 FROM original WHERE sha = ?", SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_blob(q, 1, sha, DIGEST_LEN);
    return sql_done(q, sql_row(q));
}

/* The same content refused again keeps its row and time of arrival; the reason is the newest, since
 * a better mapper may refuse for another. Settled, it waits again: its sender was told so. */
enum err quarantine_put(struct session *s, const struct quarantine_row *row)
{
    struct sql *q;
    enum err err;

    assert(session_writes(s));
    err = original_exists(s, row->sha);
    if (err != ERR_OK)
        return err;
    err = sql_prepare(s,
                      "INSERT INTO quarantine(facility, door, name, sha, outcome, place, en, ja,"
                      " at_ms) VALUES(?,?,?,?,?,?,?,?,?)"
                      " ON CONFLICT(facility, door, name, sha) DO UPDATE SET"
                      " outcome = excluded.outcome, place = excluded.place, en = excluded.en,"
                      " ja = excluded.ja, settled_ms = NULL",
                      SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, row->facility);
    sql_bind_text(q, 2, row->door);
    sql_bind_text(q, 3, row->name);
    sql_bind_blob(q, 4, row->sha, DIGEST_LEN);
    sql_bind_i64(q, 5, row->outcome);
    sql_bind_text(q, 6, row->place);
    sql_bind_text(q, 7, row->en);
    sql_bind_text(q, 8, row->ja);
    sql_bind_i64(q, 9, row->at_ms ? row->at_ms : session_now_ms(s));
    return sql_run(q);
}

static enum err read_row(struct sql *q, struct arena *arena, struct quarantine_row *ret_row)
{
    *ret_row = (struct quarantine_row){
        .id = sql_i64(q, 0),
        .facility = sql_i64(q, 1),
        .door = sql_dup(q, 2, arena),
        .name = sql_dup(q, 3, arena),
        .outcome = (enum err)sql_i64(q, 5),
        .place = sql_dup(q, 6, arena),
        .en = sql_dup(q, 7, arena),
        .ja = sql_dup(q, 8, arena),
        .at_ms = sql_i64(q, 9),
        .settled_ms = sql_i64(q, 10),
        .replays = sql_i64(q, 11),
    };
    return sql_bytes(q, 4, ret_row->sha, DIGEST_LEN) ? ERR_OK : ERR_IO;
}

static const char LIST[] =
    "SELECT id, facility, door, name, sha, outcome, place, en, ja, at_ms, coalesce(settled_ms, 0),"
    " (SELECT count(*) FROM replay WHERE replay.quarantine = quarantine.id), count(*) OVER ()"
    " FROM quarantine WHERE (?1 = 0 OR facility = ?1) AND (?2 = 0 OR id = ?2)"
    " AND (?3 = 0 OR outcome = ?3) AND (?4 OR settled_ms IS NULL) ORDER BY id DESC";

enum err quarantine_list(struct session *s, struct arena *arena,
                         const struct quarantine_filter *filter, struct quarantine_row **ret_rows,
                         size_t *ret_count)
{
    struct quarantine_row *rows = NULL;
    size_t count = 0;
    bool more = false;
    struct sql *q;
    enum err err = sql_prepare(s, LIST, SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, filter->facility);
    sql_bind_i64(q, 2, filter->id);
    sql_bind_i64(q, 3, filter->outcome);
    sql_bind_i64(q, 4, filter->settled);
    while (err == ERR_OK && (err = sql_step(q, &more)) == ERR_OK && more) {
        if (!rows && !(rows = arena_array(arena, (size_t)sql_i64(q, 12), sizeof *rows)))
            err = ERR_LIMIT;
        else
            err = read_row(q, arena, &rows[count++]);
    }
    err = sql_done(q, err);
    if (err != ERR_OK)
        return err;
    *ret_rows = rows;
    *ret_count = count;
    return ERR_OK;
}

/* ── attempts ────────────────────────────────────────────────────────────────────────────────── */

static enum err put_replay(struct session *s, int64_t id, const struct quarantine_replay *replay,
                           int64_t at_ms)
{
    struct sql *q;
    enum err err = sql_prepare(s,
                               "INSERT INTO replay(quarantine, sha, outcome, place, en, ja, at_ms)"
                               " VALUES(?,?,?,?,?,?,?)",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, id);
    sql_bind_blob(q, 2, replay->sha, DIGEST_LEN);
    sql_bind_i64(q, 3, replay->outcome);
    sql_bind_text(q, 4, replay->place);
    sql_bind_text(q, 5, replay->en);
    sql_bind_text(q, 6, replay->ja);
    sql_bind_i64(q, 7, at_ms);
    return sql_run(q);
}

/* Settles the row, or gives it the new reason where its own bytes were tried. */
static enum err update_row(struct session *s, int64_t facility, int64_t id,
                           const struct quarantine_replay *replay, int64_t at_ms)
{
    struct sql *q;
    enum err err = sql_prepare(
        s,
        "UPDATE quarantine SET settled_ms = iif(?3 = 0, ?8, settled_ms),"
        " outcome = iif(?3 <> 0 AND sha = ?7, ?3, outcome),"
        " place = iif(?3 <> 0 AND sha = ?7, ?4, place), en = iif(?3 <> 0 AND sha = ?7, ?5, en),"
        " ja = iif(?3 <> 0 AND sha = ?7, ?6, ja) WHERE id = ?1 AND facility = ?2",
        SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, id);
    sql_bind_i64(q, 2, facility);
    sql_bind_i64(q, 3, replay->outcome);
    sql_bind_text(q, 4, replay->place);
    sql_bind_text(q, 5, replay->en);
    sql_bind_text(q, 6, replay->ja);
    sql_bind_blob(q, 7, replay->sha, DIGEST_LEN);
    sql_bind_i64(q, 8, at_ms);
    err = sql_run(q);
    return err == ERR_OK && sql_changes(s) == 0 ? ERR_NOT_FOUND : err;
}

enum err quarantine_replayed(struct session *s, int64_t facility, int64_t id,
                             const struct quarantine_replay *replay)
{
    int64_t at_ms = replay->at_ms ? replay->at_ms : session_now_ms(s);
    enum err err = update_row(s, facility, id, replay, at_ms);

    assert(session_writes(s));
    return err != ERR_OK ? err : put_replay(s, id, replay, at_ms);
}

static enum err read_replay(struct sql *q, struct arena *arena, struct quarantine_replay *ret_row)
{
    *ret_row = (struct quarantine_replay){.at_ms = sql_i64(q, 0),
                                          .outcome = (enum err)sql_i64(q, 1),
                                          .place = sql_dup(q, 2, arena),
                                          .en = sql_dup(q, 3, arena),
                                          .ja = sql_dup(q, 4, arena)};
    return sql_bytes(q, 5, ret_row->sha, DIGEST_LEN) ? ERR_OK : ERR_IO;
}

enum err quarantine_replays(struct session *s, struct arena *arena, int64_t id,
                            struct quarantine_replay **ret_rows, size_t *ret_count)
{
    struct quarantine_replay *rows = NULL;
    size_t count = 0;
    bool more = false;
    struct sql *q;
    enum err err = sql_prepare(s,
                               "SELECT at_ms, outcome, place, en, ja, sha, count(*) OVER ()"
                               " FROM replay WHERE quarantine = ? ORDER BY id",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, id);
    while (err == ERR_OK && (err = sql_step(q, &more)) == ERR_OK && more) {
        if (!rows && !(rows = arena_array(arena, (size_t)sql_i64(q, 6), sizeof *rows)))
            err = ERR_LIMIT;
        else
            err = read_replay(q, arena, &rows[count++]);
    }
    err = sql_done(q, err);
    if (err != ERR_OK)
        return err;
    *ret_rows = rows;
    *ret_count = count;
    return ERR_OK;
}
