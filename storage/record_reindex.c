/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes everything a search finds records by anew from their bodies: facets, ix_id, ix_value,
 * ix_string, ix_words. In batches, beside a server if need be: keys are replaced record by record
 * and never missing; words are gone from the first batch until their record's turn. Records written
 * meanwhile enter their words themselves, so those with later numbers are passed over. meta.reindex
 * is set from the first batch to the last. Must not make a new version of anything.
 */
#include "storage/record.h"

#include "base/limits.h"
#include "storage/body.h"
#include "storage/change.h"
#include "storage/key.h"
#include "storage/record_impl.h"
#include "storage/session_impl.h"

#include "base/banned.h"

static enum err simple(struct session *s, const char *text)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s, text, SQL_OWN, &q);
    return err ? err : sql_run(q);
}

static enum err ask(struct session *s, const char *text, int64_t *ret_value)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s, text, SQL_OWN, &q);
    if (err)
        return err;
    err = sql_row(q);
    if (!err)
        *ret_value = sql_i64(q, 0);
    return sql_done(q, err);
}

/* The full-text index cannot drop single rows (it does not keep what they said): all go at once. */
static enum err begin(struct session *s, struct record_reindexing *state)
{
    int64_t last = 0, total = 0;
    enum err err = change_last(s, &last);
    if (!err)
        err = index_words_enter(s); /* of others in this transaction, so that they go, too */
    if (!err)
        err = ask(s, "SELECT count(*) FROM record WHERE deleted = 0", &total);
    if (!err)
        err = simple(s, "INSERT OR REPLACE INTO meta(key, value) VALUES ('reindex', 1)");
    if (!err)
        err = simple(s, "INSERT INTO ix_words(ix_words) VALUES ('delete-all')");
    if (!err)
        *state = (struct record_reindexing){.began = last + 1, .total = (uint64_t)total};
    return err;
}

struct current {
    int64_t rid, seq;
    struct slice type, id;
    struct slice facets;
    struct slice packed;
};

static enum err next_current(struct session *s, struct arena *arena, int64_t after,
                             struct current *ret_current)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "SELECT rid, seq, type, id, facets, body FROM record"
                               " WHERE rid > ?1 AND deleted = 0 ORDER BY rid LIMIT 1",
                               SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, after);
    err = sql_row(q);
    if (!err) {
        *ret_current = (struct current){
            .rid = sql_i64(q, 0),
            .seq = sql_i64(q, 1),
            .type = sql_dup(q, 2, arena),
            .id = sql_dup(q, 3, arena),
            .facets = sql_dup(q, 4, arena),
            .packed = sql_dup(q, 5, arena),
        };
    }
    return sql_done(q, err);
}

static enum err store(struct session *s, int64_t rid, struct slice facets, struct slice packed)
{
    struct sql *q = NULL;
    enum err err =
        sql_prepare(s, "UPDATE record SET facets = ?2, body = ?3 WHERE rid = ?1", SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, rid);
    sql_bind_blob(q, 2, facets.ptr, facets.len);
    sql_bind_blob(q, 3, packed.ptr, packed.len);
    return sql_run(q);
}

static enum err replace(struct session *s, const struct record_reindexing *state,
                        const struct current *current, struct slice body,
                        struct record_index *index)
{
    struct session_scratch *scratch = &s->scratch;
    struct body_coder *coder = NULL;
    const struct index_record record = {current->rid, key_id(current->type, current->id),
                                        key_type(current->type),
                                        slice_is(current->type, "Patient")};
    buf_clear(&scratch->facets);
    buf_clear(&scratch->body);
    facet_pack(&index->facets, &scratch->facets);
    enum err err = buf_err(&scratch->facets);
    if (!err)
        err = session_coder(s, &coder);
    if (!err)
        err = body_pack(coder, body, &scratch->body);
    if (err)
        return err;
    const struct index_state before = {INDEX_ALL, current->facets};
    const struct index_state after = {INDEX_ALL, buf_slice(&scratch->facets)};
    err = index_change(s, &record, &before, &after, true);
    bool same = slice_eq(current->facets, after.facets) &&
                slice_eq(current->packed, buf_slice(&scratch->body));
    if (!err && !same)
        err = store(s, current->rid, after.facets, buf_slice(&scratch->body));
    if (!err && current->seq < state->began)
        err = index_words(s, current->seq, index->words, index->content);
    return err;
}

typedef enum err (*index_cb)(void *context, struct arena *arena, struct slice type,
                             struct slice body, struct record_index *ret_index);

/* The next record; ERR_NOT_FOUND after the last. */
static enum err reindex_one(struct session *s, index_cb fn, void *context,
                            struct record_reindexing *state)
{
    struct current current = {0};
    struct slice body = SLICE_NONE;
    struct body_coder *coder = NULL;
    struct record_index index = {0};
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    if (!arena)
        return ERR_LIMIT;
    enum err err = next_current(s, arena, state->rid, &current);
    if (!err)
        err = session_coder(s, &coder);
    if (!err)
        err = body_unpack(coder, current.packed, arena, &body);
    if (!err)
        err = fn(context, arena, current.type, body, &index);
    if (!err)
        err = replace(s, state, &current, body, &index);
    if (!err) {
        state->rid = current.rid;
        state->count++;
    }
    arena_free(arena);
    return err;
}

enum err record_reindex(struct session *s, index_cb fn, void *context,
                        struct record_reindexing *reindexing)
{
    struct record_reindexing state = *reindexing;
    enum err err = state.began == 0 ? begin(s, &state) : ERR_OK;
    for (unsigned n = 0; !err && n < LIMIT_REINDEX_ROWS; n++)
        err = reindex_one(s, fn, context, &state);
    if (err == ERR_NOT_FOUND) {
        state.over = true;
        err = simple(s, "DELETE FROM meta WHERE key = 'reindex'");
    }
    if (!err)
        *reindexing = state;
    return err;
}
