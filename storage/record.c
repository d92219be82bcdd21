/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading resources through the gate, and writing their versions (R4 http.html#versioning).
 * Reading uses gated statements only. Writing asks the base table who owns (type, id), decides by
 * the bound grant, moves the old version aside, gives the new one its number in the log of changes
 * and changes the search rows. A record's number is chart << 32 | n, n counting up in its chart: a
 * chart's rows lie together, and linking a chart to another person moves none of them. Nothing but
 * this file keeps (type, id) unique: it looks before it inserts, and there is one writer at a time.
 */
#include "storage/record.h"

#include <assert.h>

#include "base/limits.h"
#include "storage/body.h"
#include "storage/change.h"
#include "storage/key.h"
#include "storage/original.h"
#include "storage/record_impl.h"
#include "storage/registry.h"
#include "storage/session_impl.h"

#include "base/banned.h"

static_assert(FACILITY_HOME == 8, "OWNER names it by number");

static struct slice unpack(struct sql *q, int column, struct arena *arena)
{
    struct body_coder *coder = NULL;
    struct slice body = SLICE_NONE;
    enum err err = session_coder(sql_session(q), &coder);
    if (!err)
        err = body_unpack(coder, sql_slice(q, column), arena, &body);
    if (err)
        sql_fail(q, err);
    return body;
}

void record_load(struct sql *q, int first, struct arena *arena, struct record *ret_record)
{
    int64_t seq = sql_i64(q, first + 9);
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
        .seq = seq,
        .updated_ms = change_ms(seq),
        .deleted = sql_i64(q, first + 10) != 0,
        .body = unpack(q, first + 11, arena),
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

/* RID as the grant sees it, if it is (type, id). */
static enum err read_named(struct session *s, struct arena *arena, int64_t rid, struct slice type,
                           struct slice id, struct record *ret_record)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "SELECT " RECORD_COLUMNS " FROM v_record_all r"
                               " WHERE r.rid = ?1 AND r.type = ?2 AND r.id = ?3",
                               SQL_GATED, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, rid);
    sql_bind_text(q, 2, type);
    sql_bind_text(q, 3, id);
    return load_one(q, arena, ret_record);
}

/* The key leads to the record, and now and then to another that shares it: the index alone is asked
 * for their numbers, each row is read once, through the gate. */
enum err record_read(struct session *s, struct arena *arena, struct slice type, struct slice id,
                     struct record *ret_record)
{
    struct record record = {0};
    struct sql *q = NULL;
    bool more = false;
    enum err err = sql_prepare(s, "SELECT rid FROM ix_id WHERE key = ?1", SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, key_id(type, id));
    enum err found = ERR_NOT_FOUND;
    while (found == ERR_NOT_FOUND && !(err = sql_step(q, &more)) && more)
        found = read_named(s, arena, sql_i64(q, 0), type, id, &record);
    err = sql_done(q, err);
    if (!err)
        err = found;
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
                               "SELECT " RECORD_COLUMNS " FROM v_chart k CROSS JOIN v_by_value r"
                               " ON r.key = ?2 AND r.at >= k.rid_lo AND r.at < k.rid_hi"
                               " WHERE k.person = ?1 AND r.type = 'Patient'"
                               " ORDER BY (r.facility IS tasuki_facility()) DESC,"
                               " r.seq DESC LIMIT 1",
                               SQL_GATED, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, person);
    sql_bind_i64(q, 2, key_type(SLICE("Patient")));
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

/* ── writing: who may, what is there ─────────────────────────────────────────────────────────── */

/* The row of (type, id) as a write finds it. Its packed facets are in the session's scratch. */
struct present {
    int64_t rid; /* 0: not there */
    int64_t version;
    int64_t chart;
    int64_t facility;
    int64_t seq;
    int64_t key_of_id, key_of_type;
    bool patient;
    bool deleted;
    bool same; /* body, category and label are those to be written */
    bool same_scope;
};

#define PRESENT_COLUMNS                                                                            \
    "r.rid, r.version, r.chart, r.facility, r.seq, r.deleted, r.type, r.id, r.facets"

static void load_present(struct session *s, struct sql *q, struct present *ret_present)
{
    *ret_present = (struct present){
        .rid = sql_i64(q, 0),
        .version = sql_i64(q, 1),
        .chart = sql_i64(q, 2),
        .facility = sql_i64(q, 3),
        .seq = sql_i64(q, 4),
        .deleted = sql_i64(q, 5) != 0,
        .key_of_type = key_type(sql_slice(q, 6)),
        .key_of_id = key_id(sql_slice(q, 6), sql_slice(q, 7)),
        .patient = slice_is(sql_slice(q, 6), "Patient"),
    };
    buf_clear(&s->scratch.former);
    buf_add(&s->scratch.former, sql_slice(q, 8));
    if (buf_err(&s->scratch.former))
        sql_fail(q, buf_err(&s->scratch.former));
}

static bool is_same(struct session *s, struct sql *q, int column, struct slice body)
{
    struct body_coder *coder = NULL;
    bool same = false;
    enum err err = session_coder(s, &coder);
    if (!err)
        err = body_same(coder, sql_slice(q, column), body, &same);
    if (err)
        sql_fail(q, err);
    return same;
}

static struct present absent(const struct record_new *record)
{
    return (struct present){.key_of_id = key_id(record->type, record->id),
                            .key_of_type = key_type(record->type),
                            .patient = slice_is(record->type, "Patient")};
}

/* None for records in no group. */
static void bind_scope(struct sql *q, int index, struct slice scope)
{
    if (scope.len)
        sql_bind_i64(q, index, key_scope(scope));
    else
        sql_bind_null(q, index);
}

static enum err find_present(struct session *s, const struct record_new *record,
                             struct present *ret_present)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "SELECT " PRESENT_COLUMNS ","
                               " r.category = ?4 AND r.label = ?5, r.scope IS ?6, r.body"
                               " FROM ix_id x CROSS JOIN record r ON r.rid = x.rid"
                               " WHERE x.key = ?3 AND r.type = ?1 AND r.id = ?2",
                               SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_text(q, 1, record->type);
    sql_bind_text(q, 2, record->id);
    struct present present = absent(record);
    sql_bind_i64(q, 3, present.key_of_id);
    sql_bind_i64(q, 4, (int64_t)record->category);
    sql_bind_i64(q, 5, (int64_t)record->label);
    bind_scope(q, 6, record->scope);
    bool row = false;
    err = sql_step(q, &row);
    if (!err && row) {
        load_present(s, q, &present);
        present.same_scope = sql_i64(q, 10) != 0;
        present.same = sql_i64(q, 9) != 0 && is_same(s, q, 11, record->body);
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
    const struct session_chart *known = &s->chart;
    assert(s->writes);
    if (!grant || !grant->may_write)
        return ERR_FORBIDDEN;
    if (chart == 0) {
        *ret_facility = grant->facility;
        return grant->actor == GRANT_RESIDENT ? ERR_FORBIDDEN : ERR_OK;
    }
    if (known->transaction && known->transaction == s->transaction && known->chart == chart &&
        known->facility == grant->facility && grant->actor != GRANT_RESIDENT &&
        grant->actor != GRANT_OPERATOR) {
        *ret_facility = known->facility;
        return ERR_OK;
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

static enum err last_rid(struct session *s, int64_t low, int64_t end, int64_t *ret_rid)
{
    struct sql *q = NULL;
    enum err err =
        sql_prepare(s, "SELECT max(rid) FROM record WHERE rid >= ?1 AND rid < ?2", SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, low);
    sql_bind_i64(q, 2, end);
    err = sql_row(q);
    if (!err)
        *ret_rid = sql_is_null(q, 0) ? low : sql_i64(q, 0);
    return sql_done(q, err);
}

/* A document's or a Bundle's records mostly go into one chart, one after the other: it is
 * remembered. */
static enum err next_rid(struct session *s, int64_t chart, int64_t facility, int64_t *ret_rid)
{
    struct session_chart *known = &s->chart;
    int64_t low = (int64_t)((uint64_t)chart << RECORD_CHART_BITS);
    int64_t end = low + (INT64_C(1) << RECORD_CHART_BITS);
    int64_t last = known->last_rid;
    enum err err = ERR_OK;
    if (!known->transaction || known->transaction != s->transaction || known->chart != chart)
        err = last_rid(s, low, end, &last);
    if (!err && last + 1 >= end)
        err = ERR_LIMIT;
    if (err)
        return err;
    *known = (struct session_chart){s->transaction, chart, facility, last + 1};
    *ret_rid = last + 1;
    return ERR_OK;
}

/* ── writing: versions ───────────────────────────────────────────────────────────────────────── */

/* What a write stores of a record, packed, in the session's scratch; and the number of its
 * original. */
struct packed {
    struct slice body;
    struct slice facets;
    int64_t original; /* 0: none */
};

/* Into the session's scratch. */
static enum err pack_here(struct session *s, struct slice body, struct facet_list *facets,
                          struct record_packed *ret_packed)
{
    struct session_scratch *scratch = &s->scratch;
    struct body_coder *coder = NULL;
    enum err err = session_coder(s, &coder);
    buf_clear(&scratch->body);
    buf_clear(&scratch->facets);
    if (!err && facets && facets->count > LIMIT_FACETS)
        err = ERR_TOO_LARGE;
    if (!err)
        err = body_pack(coder, body, &scratch->body);
    if (!err && facets) {
        facet_pack(facets, &scratch->facets);
        err = buf_err(&scratch->facets);
    }
    if (!err)
        *ret_packed =
            (struct record_packed){true, buf_slice(&scratch->body), buf_slice(&scratch->facets)};
    return err;
}

enum err record_pack(struct session *s, struct arena *arena, struct slice body,
                     struct facet_list *facets, struct record_packed *ret_packed)
{
    struct record_packed packed;
    enum err err = pack_here(s, body, facets, &packed);
    if (err)
        return err;
    packed.body = arena_dup(arena, packed.body);
    packed.facets = arena_dup(arena, packed.facets);
    if (arena_exhausted(arena))
        return ERR_LIMIT;
    *ret_packed = packed;
    return ERR_OK;
}

static enum err pack(struct session *s, const struct record_new *record, int64_t facility,
                     struct packed *ret_packed)
{
    struct record_packed made = record->packed;
    struct packed packed = {.original = 0};
    enum err err = made.made ? ERR_OK : pack_here(s, record->body, record->facets, &made);
    if (!err && record->original)
        err = original_number(s, facility, record->original, &packed.original);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_INTERNAL
                                    : err; /* the original is put before its records */
    packed.body = made.body;
    packed.facets = made.facets;
    *ret_packed = packed;
    return ERR_OK;
}

/* Parameters 1 to 12 of insert and update alike. */
static void bind_version(struct sql *q, const struct record_new *record,
                         const struct packed *packed, const struct record_mark *mark)
{
    sql_bind_i64(q, 1, mark->rid);
    sql_bind_i64(q, 2, mark->version);
    sql_bind_i64(q, 3, mark->seq);
    sql_bind_i64(q, 4, (int64_t)record->category);
    sql_bind_i64(q, 5, (int64_t)record->label);
    sql_bind_i64(q, 6, record->when.lo_ms);
    sql_bind_i64(q, 7, record->when.hi_ms);
    sql_bind_i64_or_null(q, 8, packed->original);
    sql_bind_text_or_null(q, 9, slice_str(record->mapper));
    bind_scope(q, 10, record->scope);
    sql_bind_blob(q, 11, packed->facets.ptr, packed->facets.len);
    sql_bind_blob(q, 12, packed->body.ptr, packed->body.len);
}

static enum err insert(struct session *s, const struct record_new *record,
                       const struct packed *packed, int64_t facility,
                       const struct record_mark *mark)
{
    struct sql *q = NULL;
    enum err err =
        sql_prepare(s,
                    "INSERT INTO record(rid, version, seq, category, label, when_lo, when_hi,"
                    " original, mapper, scope, facets, body, type, id, chart, facility)"
                    " VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)",
                    SQL_OWN, &q);
    if (err)
        return err;
    bind_version(q, record, packed, mark);
    sql_bind_text(q, 13, record->type);
    sql_bind_text(q, 14, record->id);
    sql_bind_i64(q, 15, record->chart);
    sql_bind_i64(q, 16, facility);
    return sql_run(q);
}

static enum err keep_version(struct session *s, int64_t rid)
{
    struct sql *q = NULL;
    enum err err =
        sql_prepare(s,
                    "INSERT INTO record_version(seq, rid, version, category, label, deleted,"
                    " original, mapper, body)"
                    " SELECT seq, rid, version, category, label, deleted, original, mapper, body"
                    " FROM record WHERE rid = ?1",
                    SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, rid);
    return sql_run(q);
}

static enum err update(struct session *s, const struct record_new *record,
                       const struct packed *packed, const struct record_mark *mark)
{
    struct sql *q = NULL;
    enum err err =
        sql_prepare(s,
                    "UPDATE record SET version = ?2, seq = ?3, category = ?4, label = ?5,"
                    " when_lo = ?6, when_hi = ?7, deleted = 0, original = ?8, mapper = ?9,"
                    " scope = ?10, facets = ?11, body = ?12 WHERE rid = ?1",
                    SQL_OWN, &q);
    if (err)
        return err;
    bind_version(q, record, packed, mark);
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
    bind_scope(q, 2, scope);
    return sql_run(q);
}

/* The change's number, which is also its time. */
static enum err number(struct session *s, struct record_mark *mark)
{
    enum err err = change_put(s, mark->rid, mark->version, &mark->seq);
    mark->updated_ms = change_ms(mark->seq);
    return err;
}

/* What the record is found by before the write. */
static struct index_state found_by(struct session *s, const struct present *present)
{
    return (struct index_state){!present->rid      ? INDEX_NOTHING
                                : present->deleted ? INDEX_ID
                                                   : INDEX_ALL,
                                present->rid ? buf_slice(&s->scratch.former) : SLICE_NONE};
}

static struct index_record indexed(const struct present *present, int64_t rid)
{
    return (struct index_record){rid, present->key_of_id, present->key_of_type, present->patient};
}

/* Widens what is known of the numbers of SCOPE's records by RID and, so that its neighbours find it
 * done, the rest of its block. Nothing ever narrows it: record_prune looks at each record. */
static enum err span_scope(struct session *s, int64_t chart, struct slice text, int64_t rid)
{
    struct session_scope *known = &s->scope;
    const int64_t scope = text.len ? key_scope(text) : 0;
    struct sql *q = NULL;
    if (!text.len ||
        (known->transaction && known->transaction == s->transaction && known->chart == chart &&
         known->scope == scope && known->low <= rid && rid <= known->high))
        return ERR_OK;
    enum err err = sql_prepare(s,
                               "INSERT INTO scope(chart, scope, low, high) VALUES (?1,?2,?3,?4)"
                               " ON CONFLICT DO UPDATE SET low = min(low, excluded.low),"
                               " high = max(high, excluded.high)",
                               SQL_OWN, &q);
    if (err)
        return err;
    const int64_t high = key_block_of(rid) + KEY_BLOCK_SIZE - 1;
    sql_bind_i64(q, 1, chart);
    sql_bind_i64(q, 2, scope);
    sql_bind_i64(q, 3, rid);
    sql_bind_i64(q, 4, high);
    err = sql_run(q);
    if (!err)
        *known = (struct session_scope){s->transaction, chart, scope, rid, high};
    return err;
}

/* The search rows of the version just written. */
static enum err enter(struct session *s, const struct record_new *record,
                      const struct present *present, const struct packed *packed,
                      const struct record_mark *mark)
{
    const struct index_state before = found_by(s, present);
    const struct index_state after = {INDEX_ALL, packed->facets};
    const struct index_record indexes = indexed(present, mark->rid);
    enum err err = span_scope(s, record->chart, record->scope, mark->rid);
    if (!err)
        err = index_change(s, &indexes, &before, &after, false);
    return err ? err : index_words(s, mark->seq, record->words, record->content);
}

static enum err put_first(struct session *s, const struct record_new *record,
                          const struct present *present, int64_t facility,
                          struct record_mark *ret_mark)
{
    struct record_mark mark = {.version = 1, .created = true};
    struct packed packed;
    enum err err = pack(s, record, facility, &packed);
    if (!err)
        err = next_rid(s, record->chart, facility, &mark.rid);
    if (!err)
        err = number(s, &mark);
    if (!err)
        err = insert(s, record, &packed, facility, &mark);
    if (!err)
        err = enter(s, record, present, &packed, &mark);
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
        .created = present->deleted,
    };
    struct packed packed;
    enum err err = pack(s, record, present->facility, &packed);
    if (!err)
        err = keep_version(s, mark.rid);
    if (!err)
        err = number(s, &mark);
    if (!err)
        err = update(s, record, &packed, &mark);
    if (!err)
        err = enter(s, record, present, &packed, &mark);
    if (!err)
        *ret_mark = mark;
    return err;
}

static struct record_mark unchanged(const struct present *present)
{
    return (struct record_mark){.rid = present->rid,
                                .version = present->version,
                                .seq = present->seq,
                                .updated_ms = change_ms(present->seq),
                                .unchanged = true};
}

static bool is_expected(const struct present *present, int64_t expect_version)
{
    bool there = present->rid && !present->deleted;
    if (expect_version == RECORD_THERE || expect_version == RECORD_ABSENT)
        return there == (expect_version == RECORD_THERE);
    return expect_version == RECORD_ANY || (present->rid && present->version == expect_version);
}

enum err record_put(struct session *s, const struct record_new *record, int64_t expect_version,
                    struct record_mark *ret_mark)
{
    struct present present = {0};
    int64_t facility = 0;
    enum err err = owner_of(s, record->chart, &facility);
    if (!err && record->fresh)
        present = absent(record);
    else if (!err)
        err = find_present(s, record, &present);
    if (err)
        return err;
    if (present.rid && (present.facility != facility || present.chart != record->chart))
        return ERR_NOT_FOUND;
    if (!is_expected(&present, expect_version))
        return ERR_PRECONDITION;
    if (!present.rid)
        return put_first(s, record, &present, facility, ret_mark);
    if (!present.same || present.deleted)
        return put_next(s, record, &present, ret_mark);
    if (!present.same_scope)
        err = move_scope(s, present.rid, record->scope);
    if (!err && !present.same_scope)
        err = span_scope(s, record->chart, record->scope, present.rid);
    if (!err)
        *ret_mark = unchanged(&present);
    return err;
}

/* ── deleting ────────────────────────────────────────────────────────────────────────────────── */

/* The delete marker is the next version, without a body; category and label stay, so that whoever
 * saw the record may learn that it is gone. */
static enum err mark_deleted(struct session *s, const struct present *present,
                             struct record_mark *ret_mark)
{
    struct record_mark mark = {.rid = present->rid, .version = present->version + 1};
    const struct index_state before = found_by(s, present);
    const struct index_state after = {INDEX_ID, SLICE_NONE};
    const struct index_record indexes = indexed(present, mark.rid);
    struct sql *q = NULL;
    enum err err = keep_version(s, mark.rid);
    if (!err)
        err = number(s, &mark);
    if (!err)
        err = index_change(s, &indexes, &before, &after, false);
    if (!err)
        err = sql_prepare(s,
                          "UPDATE record SET version = ?2, seq = ?3, deleted = 1, facets = x'',"
                          " body = x'', scope = NULL, original = NULL, mapper = NULL"
                          " WHERE rid = ?1",
                          SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, mark.rid);
    sql_bind_i64(q, 2, mark.version);
    sql_bind_i64(q, 3, mark.seq);
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
    if (!is_expected(&present, expect_version))
        return ERR_PRECONDITION;
    if (!present.deleted)
        return mark_deleted(s, &present, ret_mark);
    *ret_mark = unchanged(&present);
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
                               "SELECT " PRESENT_COLUMNS " FROM scope g CROSS JOIN record r"
                               " ON r.rid >= max(?3 + 1, g.low) AND r.rid <= g.high"
                               " WHERE g.chart = ?1 AND g.scope = ?2 AND r.scope = ?2"
                               " AND r.deleted = 0 ORDER BY r.rid LIMIT 1",
                               SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, chart);
    sql_bind_i64(q, 2, key_scope(scope));
    sql_bind_i64(q, 3, present->rid);
    err = sql_row(q);
    if (!err) {
        load_present(s, q, present);
        *ret_kept = kept(sql_slice(q, 7), keep, keep_count);
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
