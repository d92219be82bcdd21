/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs of bulk export and the lengths of their files. The rows are small and few (LIMIT_EXPORT_JOBS); a job that was
 * cancelled has none, which is how a step that is under way learns of it.
 */
#include "storage/export.h"

#include <assert.h>

#include "base/limits.h"
#include "storage/sql.h"

#include "base/banned.h"

#define COLUMNS                                                                                    \
    "id, facility, fingerprint, purpose, level, group_id, request, query, snapshot_ms, state,"     \
    " position, reason, created_ms, expires_ms"

#define SELECT                                                                                     \
    "SELECT " COLUMNS ", (SELECT key FROM facility f WHERE f.id = export_job.facility)"            \
    " FROM export_job"

static enum err read_job(struct sql *q, struct arena *arena, struct export_job *ret)
{
    *ret = (struct export_job){
        .id = sql_dup(q, 0, arena),
        .facility = sql_i64(q, 1),
        .purpose = sql_dup(q, 3, arena),
        .level = (enum export_level)sql_i64(q, 4),
        .group_id = sql_dup(q, 5, arena),
        .request = sql_dup(q, 6, arena),
        .query = sql_dup(q, 7, arena),
        .snapshot_ms = sql_i64(q, 8),
        .state = (enum export_state)sql_i64(q, 9),
        .position = sql_i64(q, 10),
        .reason = sql_dup(q, 11, arena),
        .created_ms = sql_i64(q, 12),
        .expires_ms = sql_i64(q, 13),
        .facility_key = sql_dup(q, 14, arena),
    };
    return sql_bytes(q, 2, ret->fingerprint, DIGEST_LEN) ? ERR_OK : ERR_INTERNAL;
}

enum err export_get(struct session *s, struct arena *arena, struct slice id,
                    struct export_job *ret_job)
{
    struct export_job job = {0};
    struct sql *q = NULL;
    enum err err = sql_prepare(s, SELECT " WHERE id = ?", SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_text(q, 1, id);
    err = sql_row(q);
    if (!err)
        err = read_job(q, arena, &job);
    err = sql_done(q, err);
    if (!err)
        *ret_job = job;
    return err;
}

/* ROOM is enough: jobs and files are bounded when they are added. */
enum err export_list(struct session *s, struct arena *arena, struct export_job **ret_jobs,
                     size_t *ret_count)
{
    struct export_job *jobs = arena_array(arena, LIMIT_EXPORT_JOBS, sizeof(*jobs));
    size_t count = 0;
    struct sql *q = NULL;
    bool row = true;
    enum err err = jobs ? sql_prepare(s,
                                      SELECT " ORDER BY created_ms, id",
                                      SQL_OWN, &q)
                        : ERR_LIMIT;
    if (err)
        return err;
    while (!err && !(err = sql_step(q, &row)) && row && count < LIMIT_EXPORT_JOBS)
        err = read_job(q, arena, &jobs[count++]);
    err = sql_done(q, err);
    if (err)
        return err;
    *ret_jobs = jobs;
    *ret_count = count;
    return ERR_OK;
}

static enum err count_files(struct session *s, struct slice id, size_t *ret_count)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s, "SELECT count(*) FROM export_file WHERE job = ?", SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_text(q, 1, id);
    err = sql_row(q);
    if (!err)
        *ret_count = (size_t)sql_i64(q, 0);
    return sql_done(q, err);
}

enum err export_files(struct session *s, struct arena *arena, struct slice id,
                      struct export_file **ret_files, size_t *ret_count)
{
    struct export_file *files = NULL;
    size_t room = 0, count = 0;
    struct sql *q = NULL;
    bool row = true;
    enum err err = count_files(s, id, &room);
    if (!err && room && !(files = arena_array(arena, room, sizeof(*files))))
        err = ERR_LIMIT;
    if (!err)
        err = sql_prepare(s,
                          "SELECT number, type, deleted, lines FROM export_file WHERE job = ?"
                          " ORDER BY number",
                          SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_text(q, 1, id);
    while (!(err = sql_step(q, &row)) && row && count < room)
        files[count++] = (struct export_file){.number = (unsigned)sql_i64(q, 0),
                                              .type = sql_dup(q, 1, arena),
                                              .deleted = sql_i64(q, 2) != 0,
                                              .lines = (uint64_t)sql_i64(q, 3)};
    err = sql_done(q, err);
    if (err)
        return err;
    *ret_files = files;
    *ret_count = count;
    return ERR_OK;
}

enum err export_add(struct session *s, const struct export_job *job)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(
        s, "INSERT INTO export_job(" COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)", SQL_OWN, &q);
    assert(session_writes(s) && job->facility > 0 && job->id.len > 0);
    if (err)
        return err;
    sql_bind_text(q, 1, job->id);
    sql_bind_i64(q, 2, job->facility);
    sql_bind_blob(q, 3, job->fingerprint, DIGEST_LEN);
    sql_bind_text(q, 4, job->purpose);
    sql_bind_i64(q, 5, (int64_t)job->level);
    sql_bind_text(q, 6, job->group_id);
    sql_bind_text(q, 7, job->request);
    sql_bind_text(q, 8, job->query);
    sql_bind_i64(q, 9, job->snapshot_ms);
    sql_bind_i64(q, 10, (int64_t)job->state);
    sql_bind_i64(q, 11, job->position);
    sql_bind_text(q, 12, job->reason);
    sql_bind_i64(q, 13, job->created_ms);
    sql_bind_i64(q, 14, job->expires_ms);
    return sql_run(q);
}

enum err export_step(struct session *s, const struct export_job *job)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "UPDATE export_job SET state = ?2, position = ?3, reason = ?4,"
                               " expires_ms = ?5 WHERE id = ?1",
                               SQL_OWN, &q);
    assert(session_writes(s));
    if (err)
        return err;
    sql_bind_text(q, 1, job->id);
    sql_bind_i64(q, 2, (int64_t)job->state);
    sql_bind_i64(q, 3, job->position);
    sql_bind_text(q, 4, job->reason);
    sql_bind_i64(q, 5, job->expires_ms);
    err = sql_run(q);
    return !err && sql_changes(s) == 0 ? ERR_NOT_FOUND : err;
}

enum err export_put_file(struct session *s, struct slice job, const struct export_file *file)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(
        s, "INSERT OR REPLACE INTO export_file(job, number, type, deleted, lines) VALUES(?,?,?,?,?)",
        SQL_OWN, &q);
    assert(session_writes(s));
    if (err)
        return err;
    sql_bind_text(q, 1, job);
    sql_bind_i64(q, 2, file->number);
    sql_bind_text(q, 3, file->type);
    sql_bind_i64(q, 4, file->deleted);
    sql_bind_i64(q, 5, (int64_t)file->lines);
    return sql_run(q);
}

static enum err drop_from(struct session *s, const char *text, struct slice id)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s, text, SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_text(q, 1, id);
    return sql_run(q);
}

enum err export_drop(struct session *s, struct slice id)
{
    assert(session_writes(s));
    enum err err = drop_from(s, "DELETE FROM export_file WHERE job = ?", id);
    return err ? err : drop_from(s, "DELETE FROM export_job WHERE id = ?", id);
}
