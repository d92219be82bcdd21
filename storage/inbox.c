/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of intake. HL7 v2 senders repeat a message when the acknowledgement got lost (MSH-10,
 * enhanced and original mode alike): the same content gets the answer given then and no second
 * effect, other content under the same id is refused. Unmapped counts what was kept in the original
 * only. Must never let a repeat through as new.
 */
#include "storage/inbox.h"

#include <assert.h>

#include "storage/sql.h"

#include "base/banned.h"

/* ── messages ────────────────────────────────────────────────────────────────────────────────── */

static void bind_key(struct sql *q, const struct inbox_key *key)
{
    sql_bind_i64(q, 1, key->facility);
    sql_bind_text(q, 2, key->sender);
    sql_bind_text(q, 3, key->control_id);
    sql_bind_text(q, 4, key->kind);
}

enum err inbox_find(struct session *s, struct arena *arena, const struct inbox_key *key,
                    const unsigned char sha[DIGEST_LEN], enum inbox_seen *ret_seen,
                    enum err *ret_outcome, struct slice *ret_answer)
{
    enum inbox_seen seen = INBOX_NEW;
    enum err outcome = ERR_OK;
    struct slice answer = SLICE_NONE;
    unsigned char before[DIGEST_LEN];
    bool found = false;
    struct sql *q;
    enum err err = sql_prepare(s,
                               "SELECT sha, outcome, answer FROM inbox WHERE facility = ?"
                               " AND sender = ? AND control_id = ? AND kind = ?",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    bind_key(q, key);
    err = sql_step(q, &found);
    if (err == ERR_OK && found) {
        seen = INBOX_REUSED;
        if (sql_bytes(q, 0, before, sizeof before) && digest_equal(before, sha, DIGEST_LEN)) {
            seen = INBOX_SAME;
            outcome = (enum err)sql_i64(q, 1);
            answer = sql_dup(q, 2, arena);
        }
    }
    err = sql_done(q, err);
    if (err != ERR_OK)
        return err;
    *ret_seen = seen;
    if (seen == INBOX_SAME) {
        *ret_outcome = outcome;
        *ret_answer = answer;
    }
    return ERR_OK;
}

enum err inbox_put(struct session *s, const struct inbox_key *key,
                   const unsigned char sha[DIGEST_LEN], enum err outcome, struct slice answer)
{
    struct sql *q;
    enum err err = sql_prepare(s,
                               "INSERT INTO inbox(facility, sender, control_id, kind, sha, outcome,"
                               " answer, at_ms) VALUES(?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
                               SQL_OWN, &q);

    assert(session_writes(s));
    if (err != ERR_OK)
        return err;
    bind_key(q, key);
    sql_bind_blob(q, 5, sha, DIGEST_LEN);
    sql_bind_i64(q, 6, outcome);
    sql_bind_text(q, 7, answer);
    sql_bind_i64(q, 8, session_now_ms(s));
    err = sql_run(q);
    return err == ERR_OK && sql_changes(s) == 0 ? ERR_CONTROL_ID_REUSED : err;
}

/* ── files ───────────────────────────────────────────────────────────────────────────────────── */

enum err inbox_file_seen(struct session *s, const struct inbox_file *file, bool *ret_seen)
{
    bool seen = false;
    struct sql *q;
    enum err err = sql_prepare(s,
                               "SELECT 1 FROM intake_file WHERE facility = ? AND path = ?"
                               " AND size = ? AND mtime_ns = ?",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, file->facility);
    sql_bind_text(q, 2, file->path);
    sql_bind_i64(q, 3, file->size);
    sql_bind_i64(q, 4, file->mtime_ns);
    err = sql_step(q, &seen);
    err = sql_done(q, err);
    if (err == ERR_OK)
        *ret_seen = seen;
    return err;
}

enum err inbox_file_put(struct session *s, const struct inbox_file *file,
                        const unsigned char sha[DIGEST_LEN], enum err outcome)
{
    struct sql *q;
    enum err err = sql_prepare(s,
                               "INSERT OR REPLACE INTO intake_file(facility, path, size, mtime_ns,"
                               " sha, outcome, at_ms) VALUES(?,?,?,?,?,?,?)",
                               SQL_OWN, &q);

    assert(session_writes(s));
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, file->facility);
    sql_bind_text(q, 2, file->path);
    sql_bind_i64(q, 3, file->size);
    sql_bind_i64(q, 4, file->mtime_ns);
    sql_bind_blob(q, 5, sha, DIGEST_LEN);
    sql_bind_i64(q, 6, outcome);
    sql_bind_i64(q, 7, session_now_ms(s));
    return sql_run(q);
}

enum err inbox_filed_list(struct session *s, struct arena *arena, int64_t facility,
                          struct slice prefix, struct inbox_filed **ret_rows, size_t *ret_count)
{
    struct inbox_filed *rows = NULL;
    size_t count = 0;
    bool more = false;
    struct sql *q;
    struct slice end = arena_dup(arena, prefix);
    enum err err;

    if (prefix.len == 0 || !end.ptr)
        return ERR_NOT_FOUND;
    /* '0' follows '/': the range holds every path that begins with the prefix, and no other */
    assert(prefix.ptr[prefix.len - 1] == '/');
    ((char *)(uintptr_t)end.ptr)[end.len - 1] = '0';
    err = sql_prepare(s,
                      "SELECT path, sha, count(*) OVER () FROM intake_file WHERE facility = ?1"
                      " AND path >= ?2 AND path < ?3 AND outcome = 0 ORDER BY path",
                      SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, facility);
    sql_bind_text(q, 2, prefix);
    sql_bind_text(q, 3, end);
    while ((err = sql_step(q, &more)) == ERR_OK && more) {
        if (!rows && !(rows = arena_array(arena, (size_t)sql_i64(q, 2), sizeof *rows)))
            err = ERR_LIMIT;
        else if (!sql_bytes(q, 1, rows[count].sha, DIGEST_LEN))
            err = ERR_IO;
        else
            rows[count++].path = sql_dup(q, 0, arena);
        if (err != ERR_OK)
            break;
    }
    err = sql_done(q, err);
    if (err != ERR_OK)
        return err;
    *ret_rows = rows;
    *ret_count = count;
    return ERR_OK;
}

enum err inbox_file_refuse(struct session *s, int64_t facility, struct slice path, enum err outcome)
{
    struct sql *q;
    enum err err = sql_prepare(
        s, "UPDATE intake_file SET outcome = ?3 WHERE facility = ?1 AND path = ?2", SQL_OWN, &q);

    assert(session_writes(s));
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, facility);
    sql_bind_text(q, 2, path);
    sql_bind_i64(q, 3, outcome);
    return sql_run(q);
}

enum err inbox_file_outcome(struct session *s, int64_t facility, struct slice prefix,
                            enum err *ret_outcome)
{
    struct sql *q;
    bool row = false;
    int64_t outcome = ERR_OK;
    enum err err = sql_prepare(s,
                               "SELECT outcome FROM intake_file WHERE facility = ?1 AND path >= ?2"
                               " AND path < ?2 || char(1114111) AND outcome <> 0 LIMIT 1",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, facility);
    sql_bind_text(q, 2, prefix);
    err = sql_step(q, &row);
    if (err == ERR_OK && row)
        outcome = sql_i64(q, 0);
    err = sql_done(q, err);
    if (err == ERR_OK)
        *ret_outcome = (enum err)outcome;
    return err;
}

/* ── unmapped fields ─────────────────────────────────────────────────────────────────────────── */

enum err unmapped_add(struct session *s, int64_t facility, struct slice message, struct slice field,
                      unsigned seen)
{
    struct sql *q;
    enum err err =
        sql_prepare(s,
                    "INSERT INTO unmapped(facility, message, field, seen) VALUES(?,?,?,?)"
                    " ON CONFLICT(facility, message, field)"
                    " DO UPDATE SET seen = seen + excluded.seen",
                    SQL_OWN, &q);

    assert(session_writes(s));
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, facility);
    sql_bind_text(q, 2, message);
    sql_bind_text(q, 3, field);
    sql_bind_i64(q, 4, seen);
    return sql_run(q);
}

/* FACILITY 0: summed over all. Most frequent first. */
enum err unmapped_list(struct session *s, struct arena *arena, int64_t facility,
                       struct unmapped_row **ret_rows, size_t *ret_count)
{
    struct unmapped_row *rows = NULL;
    size_t count = 0;
    bool more = false;
    struct sql *q;
    enum err err = sql_prepare(s,
                               "SELECT message, field, sum(seen) AS total, count(*) OVER ()"
                               " FROM unmapped WHERE ?1 = 0 OR facility = ?1"
                               " GROUP BY message, field ORDER BY total DESC, message, field",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, facility);
    while ((err = sql_step(q, &more)) == ERR_OK && more) {
        if (!rows && !(rows = arena_array(arena, (size_t)sql_i64(q, 3), sizeof *rows))) {
            err = ERR_LIMIT;
            break;
        }
        rows[count++] = (struct unmapped_row){
            .message = sql_dup(q, 0, arena), .field = sql_dup(q, 1, arena), .seen = sql_i64(q, 2)};
    }
    err = sql_done(q, err);
    if (err != ERR_OK)
        return err;
    *ret_rows = rows;
    *ret_count = count;
    return ERR_OK;
}
