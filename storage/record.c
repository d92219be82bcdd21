/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading resources through the gate, and writing their versions (R4 http.html#versioning).
 * Reading uses gated statements only. Writing asks the base table who owns (type, id), decides by
 * the bound grant, moves the old version aside and replaces the search rows. A record's number is
 * chart << 32 | n, n counting up in its chart: a chart's rows lie together, and linking a chart
 * to another person moves none of them.
 */
#include "storage/record.h"

#include <assert.h>

#include "base/limits.h"
#include "storage/record_impl.h"
#include "storage/registry.h"
#include "storage/session_impl.h"

#include "base/banned.h"

static_assert(FACILITY_HOME == 8, "OWNER names it by number");

void record_load(struct sql *q, int first, struct arena *arena, struct record *ret_record)
{
    *ret_record = (struct record){
        .rid = sql_i64(q, first),
        .type = sql_dup(q, first + 1, arena),
        .id = sql_dup(q, first + 2, arena),
        .version = sql_i64(q, first + 3),
        .chart = sql_i64(q, first + 4),
        .person = sql_i64(q, first + 5),
        .facility = sql_i64(q, first + 6),
        .category = (enum category)sql_i64(q, first + 7),
        .label = (enum record_label)sql_i64(q, first + 8),
        .updated_ms = sql_i64(q, first + 9),
        .deleted = sql_i64(q, first + 10) != 0,
        .body = sql_dup(q, first + 11, arena),
    };
}

/* Loads the one row of Q and closes it. */
static enum err load_one(struct sql *q, struct arena *arena, struct record *ret_record)
{
    struct record record = {0};
    enum err err = sql_row(q);
    if (!err)
        record_load(q, 0, arena, &record);
    err = sql_done(q, err);
    if (!err)
        *ret_record = record;
    return err;
}

/* ── reading ─────────────────────────────────────────────────────────────────────────────────── */

enum err record_read(struct session *s, struct arena *arena, struct slice type, struct slice id,
                     struct record *ret_record)
{
    struct sql *q = NULL;
    struct record record = {0};
    enum err err = sql_prepare(s,
                               "SELECT " RECORD_COLUMNS " FROM v_record_all r"
                               " WHERE r.type = ?1 AND r.id = ?2",
                               SQL_GATED, &q);
    if (err)
        return err;
    sql_bind_text(q, 1, type);
    sql_bind_text(q, 2, id);
    err = load_one(q, arena, &record);
    if (!err && record.deleted)
        err = ERR_GONE;
    if (!err)
        *ret_record = record;
    return err;
}

enum err record_read_patient(struct session *s, struct arena *arena, int64_t person,
                             struct record *ret_record)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "SELECT " RECORD_COLUMNS " FROM v_chart k CROSS JOIN v_record r"
                               " ON r.rid >= k.rid_lo AND r.rid < k.rid_hi"
                               " WHERE k.person = ?1 AND r.type = 'Patient'"
                               " ORDER BY (r.facility IS tasuki_facility()) DESC,"
                               " r.updated_ms DESC, r.rid DESC LIMIT 1",
                               SQL_GATED, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, person);
    return load_one(q, arena, ret_record);
}

static enum err read_current(struct session *s, struct arena *arena, int64_t rid,
                             struct record *ret_record)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s, "SELECT " RECORD_COLUMNS " FROM v_record_all r WHERE r.rid = ?1",
                               SQL_GATED, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, rid);
    return load_one(q, arena, ret_record);
}

enum err record_read_version(struct session *s, struct arena *arena, int64_t rid, int64_t version,
                             struct record *ret_record)
{
    struct record current = {0};
    enum err err = read_current(s, arena, rid, &current);
    if (err)
        return err;
    if (current.version == version) {
        *ret_record = current;
        return ERR_OK;
    }
    struct sql *q = NULL;
    err = sql_prepare(s,
                      "SELECT " RECORD_COLUMNS " FROM v_record_version r"
                      " WHERE r.rid = ?1 AND r.version = ?2",
                      SQL_GATED, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, rid);
    sql_bind_i64(q, 2, version);
    return load_one(q, arena, ret_record);
}

static enum err count_versions(struct session *s, int64_t rid, uint64_t *ret_count)
{
    struct sql *q = NULL;
    enum err err =
        sql_prepare(s, "SELECT count(*) FROM v_record_version r WHERE r.rid = ?1", SQL_GATED, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, rid);
    err = sql_row(q);
    if (!err)
        *ret_count = (uint64_t)sql_i64(q, 0);
    return sql_done(q, err);
}

/* Former versions, newest first, into RECORDS[0..MAX). */
static enum err former(struct session *s, struct arena *arena, int64_t rid, unsigned max,
                       struct record *records, size_t *ret_count)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "SELECT " RECORD_COLUMNS " FROM v_record_version r"
                               " WHERE r.rid = ?1 ORDER BY r.version DESC LIMIT ?2",
                               SQL_GATED, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, rid);
    sql_bind_i64(q, 2, max);
    size_t count = 0;
    bool row = false;
    while (!(err = sql_step(q, &row)) && row && count < max)
        record_load(q, 0, arena, &records[count++]);
    err = sql_done(q, err);
    if (!err)
        *ret_count = count;
    return err;
}

enum err record_history(struct session *s, struct arena *arena, int64_t rid, unsigned max,
                        struct record **ret_records, size_t *ret_count, uint64_t *ret_total)
{
    struct record current = {0};
    uint64_t older = 0;
    enum err err = read_current(s, arena, rid, &current);
    if (!err)
        err = count_versions(s, rid, &older);
    if (err)
        return err;
    size_t room = older + 1 < max ? (size_t)older + 1 : max;
    struct record *records = arena_array(arena, room ? room : 1, sizeof *records);
    if (!records)
        return ERR_LIMIT;
    size_t count = 0;
    if (room > 0)
        records[0] = current;
    if (room > 1)
        err = former(s, arena, rid, (unsigned)(room - 1), records + 1, &count);
    if (err)
        return err;
    *ret_records = records;
    *ret_count = room > 0 ? count + 1 : 0;
    *ret_total = older + 1;
    return ERR_OK;
}

/* ── writing: who may, what is there ─────────────────────────────────────────────────────────── */

/* The row of (type, id) as a write finds it. */
struct present {
    int64_t rid; /* 0: not there */
    int64_t version;
    int64_t chart;
    int64_t facility;
    int64_t updated_ms;
    bool deleted;
    bool same; /* body, category and label are those to be written */
    bool same_scope;
};

static enum err find_present(struct session *s, const struct record_new *record,
                             struct present *ret_present)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "SELECT rid, version, chart, facility, updated_ms, deleted,"
                               " body = ?3 AND category = ?4 AND label = ?5, scope IS ?6"
                               " FROM record WHERE type = ?1 AND id = ?2",
                               SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_text(q, 1, record->type);
    sql_bind_text(q, 2, record->id);
    sql_bind_text(q, 3, record->body);
    sql_bind_i64(q, 4, (int64_t)record->category);
    sql_bind_i64(q, 5, (int64_t)record->label);
    sql_bind_text_or_null(q, 6, record->scope);
    struct present present = {0};
    bool row = false;
    err = sql_step(q, &row);
    if (!err && row) {
        present = (struct present){
            .rid = sql_i64(q, 0),
            .version = sql_i64(q, 1),
            .chart = sql_i64(q, 2),
            .facility = sql_i64(q, 3),
            .updated_ms = sql_i64(q, 4),
            .deleted = sql_i64(q, 5) != 0,
            .same = sql_i64(q, 6) != 0,
            .same_scope = sql_i64(q, 7) != 0,
        };
    }
    err = sql_done(q, err);
    if (!err)
        *ret_present = present;
    return err;
}

/* The facility that is the source of what GRANT writes into CHART. A facility writes into its own
 * charts and rows of no person; a resident into the chart of what residents enter themselves; an
 * operator only rows of no person. ERR_FORBIDDEN for anything else: a row in a wrong chart is the
 * worst error there is. */
static enum err owner_of(struct session *s, int64_t chart, int64_t *ret_facility)
{
    const struct grant *grant = s->grant;
    assert(s->writes);
    if (!grant || !grant->may_write)
        return ERR_FORBIDDEN;
    if (chart == 0) {
        *ret_facility = grant->facility;
        return grant->actor == GRANT_RESIDENT ? ERR_FORBIDDEN : ERR_OK;
    }
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "SELECT k.facility, k.person, f.kind = 8 FROM chart k"
                               " JOIN facility f ON f.id = k.facility WHERE k.id = ?1",
                               SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, chart);
    int64_t facility = 0, person = 0;
    bool home = false;
    err = sql_row(q);
    if (!err) {
        facility = sql_i64(q, 0);
        person = sql_i64(q, 1);
        home = sql_i64(q, 2) != 0;
    }
    err = sql_done(q, err);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_FORBIDDEN : err;
    bool own = grant->actor == GRANT_RESIDENT   ? home && person == grant->person && person > 0
               : grant->actor == GRANT_OPERATOR ? false
                                                : facility == grant->facility;
    if (!own)
        return ERR_FORBIDDEN;
    *ret_facility = facility;
    return ERR_OK;
}

static enum err next_rid(struct session *s, int64_t chart, int64_t *ret_rid)
{
    struct sql *q = NULL;
    enum err err =
        sql_prepare(s, "SELECT max(rid) FROM record WHERE rid >= ?1 AND rid < ?2", SQL_OWN, &q);
    if (err)
        return err;
    int64_t low = (int64_t)((uint64_t)chart << RECORD_CHART_BITS);
    int64_t end = low + (INT64_C(1) << RECORD_CHART_BITS);
    sql_bind_i64(q, 1, low);
    sql_bind_i64(q, 2, end);
    int64_t rid = 0;
    err = sql_row(q);
    if (!err)
        rid = (sql_is_null(q, 0) ? low : sql_i64(q, 0)) + 1;
    err = sql_done(q, err);
    if (!err && rid >= end)
        err = ERR_LIMIT;
    if (!err)
        *ret_rid = rid;
    return err;
}

/* ── writing: versions ───────────────────────────────────────────────────────────────────────── */

static enum err insert(struct session *s, const struct record_new *record, int64_t facility,
                       const struct record_mark *mark)
{
    struct sql *q = NULL;
    enum err err =
        sql_prepare(s,
                    "INSERT INTO record(rid, type, id, version, chart, facility, category,"
                    " label, when_lo, when_hi, updated_ms, scope, original, mapper, body)"
                    " VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)",
                    SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, mark->rid);
    sql_bind_text(q, 2, record->type);
    sql_bind_text(q, 3, record->id);
    sql_bind_i64(q, 4, mark->version);
    sql_bind_i64(q, 5, record->chart);
    sql_bind_i64(q, 6, facility);
    sql_bind_i64(q, 7, (int64_t)record->category);
    sql_bind_i64(q, 8, (int64_t)record->label);
    sql_bind_i64(q, 9, record->when.lo_ms);
    sql_bind_i64(q, 10, record->when.hi_ms);
    sql_bind_i64(q, 11, mark->updated_ms);
    sql_bind_text_or_null(q, 12, record->scope);
    if (record->original)
        sql_bind_blob(q, 13, record->original, DIGEST_LEN);
    sql_bind_text_or_null(q, 14, slice_str(record->mapper));
    sql_bind_text(q, 15, record->body);
    return sql_run(q);
}

static enum err keep_version(struct session *s, int64_t rid)
{
    struct sql *q = NULL;
    enum err err =
        sql_prepare(s,
                    "INSERT INTO record_version(rid, version, category, label, updated_ms,"
                    " deleted, original, mapper, body)"
                    " SELECT rid, version, category, label, updated_ms, deleted, original,"
                    " mapper, body FROM record WHERE rid = ?1",
                    SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, rid);
    return sql_run(q);
}

static enum err update(struct session *s, const struct record_new *record,
                       const struct record_mark *mark)
{
    struct sql *q = NULL;
    enum err err =
        sql_prepare(s,
                    "UPDATE record SET version = ?2, category = ?3, label = ?4, when_lo = ?5,"
                    " when_hi = ?6, updated_ms = ?7, deleted = 0, scope = ?8,"
                    " original = ?9, mapper = ?10, body = ?11 WHERE rid = ?1",
                    SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, mark->rid);
    sql_bind_i64(q, 2, mark->version);
    sql_bind_i64(q, 3, (int64_t)record->category);
    sql_bind_i64(q, 4, (int64_t)record->label);
    sql_bind_i64(q, 5, record->when.lo_ms);
    sql_bind_i64(q, 6, record->when.hi_ms);
    sql_bind_i64(q, 7, mark->updated_ms);
    sql_bind_text_or_null(q, 8, record->scope);
    if (record->original)
        sql_bind_blob(q, 9, record->original, DIGEST_LEN);
    sql_bind_text_or_null(q, 10, slice_str(record->mapper));
    sql_bind_text(q, 11, record->body);
    return sql_run(q);
}

/* The same body in another message group: it now belongs to that group, and is no new version. */
static enum err move_scope(struct session *s, int64_t rid, struct slice scope)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s, "UPDATE record SET scope = ?2 WHERE rid = ?1", SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, rid);
    sql_bind_text_or_null(q, 2, scope);
    return sql_run(q);
}

/* lastUpdated never goes back, whatever the clock does. */
static int64_t updated_after(struct session *s, const struct present *present)
{
    int64_t now = session_now_ms(s);
    return now > present->updated_ms ? now : present->updated_ms;
}

static enum err put_first(struct session *s, const struct record_new *record, int64_t facility,
                          struct record_mark *ret_mark)
{
    struct record_mark mark = {.version = 1, .updated_ms = session_now_ms(s), .created = true};
    enum err err = next_rid(s, record->chart, &mark.rid);
    if (!err)
        err = insert(s, record, facility, &mark);
    if (!err)
        err = index_put(s, mark.rid, record->facets);
    if (!err)
        *ret_mark = mark;
    return err;
}

static enum err put_next(struct session *s, const struct record_new *record,
                         const struct present *present, struct record_mark *ret_mark)
{
    struct record_mark mark = {
        .rid = present->rid,
        .version = present->version + 1,
        .updated_ms = updated_after(s, present),
        .created = present->deleted,
    };
    enum err err = keep_version(s, mark.rid);
    if (!err)
        err = index_drop(s, mark.rid);
    if (!err)
        err = update(s, record, &mark);
    if (!err)
        err = index_put(s, mark.rid, record->facets);
    if (!err)
        *ret_mark = mark;
    return err;
}

enum err record_put(struct session *s, const struct record_new *record, int64_t expect_version,
                    struct record_mark *ret_mark)
{
    struct present present = {0};
    int64_t facility = 0;
    enum err err = owner_of(s, record->chart, &facility);
    if (!err)
        err = find_present(s, record, &present);
    if (err)
        return err;
    if (present.rid && (present.facility != facility || present.chart != record->chart))
        return ERR_NOT_FOUND;
    if (expect_version > 0 && (!present.rid || present.version != expect_version))
        return ERR_PRECONDITION;
    if (!present.rid)
        return put_first(s, record, facility, ret_mark);
    if (!present.same || present.deleted)
        return put_next(s, record, &present, ret_mark);
    if (!present.same_scope)
        err = move_scope(s, present.rid, record->scope);
    if (!err) {
        *ret_mark = (struct record_mark){.rid = present.rid,
                                         .version = present.version,
                                         .updated_ms = present.updated_ms,
                                         .unchanged = true};
    }
    return err;
}

/* ── deleting ────────────────────────────────────────────────────────────────────────────────── */

/* The delete marker is the next version, without a body; category and label stay, so that whoever
 * saw the record may learn that it is gone. */
static enum err mark_deleted(struct session *s, const struct present *present,
                             struct record_mark *ret_mark)
{
    struct record_mark mark = {.rid = present->rid,
                               .version = present->version + 1,
                               .updated_ms = updated_after(s, present)};
    struct sql *q = NULL;
    enum err err = keep_version(s, mark.rid);
    if (!err)
        err = index_drop(s, mark.rid);
    if (!err)
        err = sql_prepare(s,
                          "UPDATE record SET version = ?2, updated_ms = ?3, deleted = 1, body = '',"
                          " scope = NULL, original = NULL, mapper = NULL WHERE rid = ?1",
                          SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, mark.rid);
    sql_bind_i64(q, 2, mark.version);
    sql_bind_i64(q, 3, mark.updated_ms);
    err = sql_run(q);
    if (!err)
        *ret_mark = mark;
    return err;
}

enum err record_delete(struct session *s, struct slice type, struct slice id,
                       int64_t expect_version, struct record_mark *ret_mark)
{
    const struct record_new sought = {.type = type, .id = id};
    struct present present = {0};
    int64_t facility = 0;
    enum err err = find_present(s, &sought, &present);
    if (!err && !present.rid)
        err = ERR_NOT_FOUND;
    if (!err)
        err = owner_of(s, present.chart, &facility);
    if (err == ERR_FORBIDDEN && s->grant && s->grant->may_write)
        err = ERR_NOT_FOUND; /* another's: it does not exist for this writer */
    if (!err && present.facility != facility)
        err = ERR_NOT_FOUND;
    if (err)
        return err;
    if (expect_version > 0 && present.version != expect_version)
        return ERR_PRECONDITION;
    if (!present.deleted)
        return mark_deleted(s, &present, ret_mark);
    *ret_mark = (struct record_mark){.rid = present.rid,
                                     .version = present.version,
                                     .updated_ms = present.updated_ms,
                                     .unchanged = true};
    return ERR_OK;
}

static bool kept(struct slice id, const struct slice *keep, size_t keep_count)
{
    for (size_t i = 0; i < keep_count; i++) {
        if (slice_eq(id, keep[i]))
            return true;
    }
    return false;
}

/* The record of CHART in SCOPE after number AFTER; ERR_NOT_FOUND at the end. *RET_KEPT: leave it
 * alone. */
static enum err next_in_scope(struct session *s, int64_t chart, struct slice scope,
                              struct present *present, const struct slice *keep, size_t keep_count,
                              bool *ret_kept)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "SELECT rid, version, updated_ms, id FROM record"
                               " WHERE chart = ?1 AND scope = ?2 AND rid > ?3 AND deleted = 0"
                               " ORDER BY rid LIMIT 1",
                               SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, chart);
    sql_bind_text(q, 2, scope);
    sql_bind_i64(q, 3, present->rid);
    err = sql_row(q);
    if (!err) {
        present->rid = sql_i64(q, 0);
        present->version = sql_i64(q, 1);
        present->updated_ms = sql_i64(q, 2);
        *ret_kept = kept(sql_slice(q, 3), keep, keep_count);
    }
    return sql_done(q, err);
}

enum err record_prune(struct session *s, int64_t chart, struct slice scope,
                      const struct slice *keep, size_t keep_count, unsigned *ret_deleted)
{
    struct present present = {0};
    struct record_mark mark;
    int64_t facility = 0;
    unsigned deleted = 0;
    bool keep_it = false;
    enum err err = owner_of(s, chart, &facility);
    if (err)
        return err;
    for (;;) {
        err = next_in_scope(s, chart, scope, &present, keep, keep_count, &keep_it);
        if (!err && !keep_it)
            err = mark_deleted(s, &present, &mark);
        if (err)
            break;
        deleted += !keep_it;
    }
    if (err != ERR_NOT_FOUND)
        return err;
    *ret_deleted = deleted;
    return ERR_OK;
}

/* ── search rows anew ────────────────────────────────────────────────────────────────────────── */

static enum err next_current(struct session *s, struct arena *arena, int64_t *rid,
                             struct slice *ret_type, struct slice *ret_body)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "SELECT rid, type, body FROM record WHERE rid > ?1 AND deleted = 0"
                               " ORDER BY rid LIMIT 1",
                               SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, *rid);
    err = sql_row(q);
    if (!err) {
        *rid = sql_i64(q, 0);
        *ret_type = sql_dup(q, 1, arena);
        *ret_body = sql_dup(q, 2, arena);
    }
    return sql_done(q, err);
}

enum err record_reindex(struct session *s,
                        enum err (*fn)(void *context, struct arena *arena, struct slice type,
                                       struct slice body, struct facet_list *ret_facets),
                        void *context, uint64_t *ret_count)
{
    uint64_t count = 0;
    int64_t rid = 0;
    for (;;) {
        struct slice type = SLICE_NONE, body = SLICE_NONE;
        struct facet_list facets = {NULL, 0};
        struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
        if (!arena)
            return ERR_LIMIT;
        enum err err = next_current(s, arena, &rid, &type, &body);
        bool over = err == ERR_NOT_FOUND;
        if (!err)
            err = fn(context, arena, type, body, &facets);
        if (!err)
            err = index_drop(s, rid);
        if (!err)
            err = index_put(s, rid, &facets);
        arena_free(arena);
        if (over)
            break;
        if (err)
            return err;
        count++;
    }
    *ret_count = count;
    return ERR_OK;
}
