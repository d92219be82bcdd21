/* SPDX-License-Identifier: Apache-2.0
 *
 * Original bytes, kept once under their SHA-256 and never changed; packed like bodies
 * (storage/body.h), since messages are alike. They are given back only to the facility that sent
 * them: one whose record (present or former version), quarantined input or replay names them. Must not
 * check the digest again; whoever puts bytes has just computed it.
 */
#include "storage/original.h"

#include "storage/body.h"
#include "storage/session_impl.h"
#include "storage/sql.h"

#include "base/banned.h"

static enum err insert(struct session *s, int64_t facility, struct slice packed, const char *media,
                       const unsigned char sha[DIGEST_LEN])
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "INSERT OR IGNORE INTO original(sha, facility, media, received_ms,"
                               " packed, bytes) VALUES (?1, ?2, ?3, ?4, 1, ?5)",
                               SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_blob(q, 1, sha, DIGEST_LEN);
    sql_bind_i64(q, 2, facility);
    sql_bind_str(q, 3, media);
    sql_bind_i64(q, 4, session_now_ms(s));
    sql_bind_blob(q, 5, packed.ptr, packed.len);
    return sql_run(q);
}

enum err original_put(struct session *s, int64_t facility, struct slice bytes, const char *media,
                      const unsigned char sha[DIGEST_LEN])
{
    struct body_coder *coder = NULL;
    struct buf *packed = &s->scratch.body;
    buf_clear(packed);
    enum err err = session_coder(s, &coder);
    if (!err)
        err = body_pack(coder, bytes, packed);
    return err ? err : insert(s, facility, buf_slice(packed), media, sha);
}

static enum err find_number(struct session *s, int64_t facility,
                            const unsigned char sha[DIGEST_LEN], int64_t *ret_number)
{
    struct sql *q = NULL;
    enum err err =
        sql_prepare(s, "SELECT id FROM original WHERE sha = ?1 AND facility = ?2", SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_blob(q, 1, sha, DIGEST_LEN);
    sql_bind_i64(q, 2, facility);
    err = sql_row(q);
    if (!err)
        *ret_number = sql_i64(q, 0);
    return sql_done(q, err);
}

/* A message's records ask for the same one, one after the other: it is remembered. */
enum err original_number(struct session *s, int64_t facility, const unsigned char sha[DIGEST_LEN],
                         int64_t *ret_number)
{
    struct session_original *known = &s->original;
    int64_t number = 0;
    if (known->transaction && known->transaction == s->transaction && known->facility == facility &&
        memcmp(known->sha, sha, DIGEST_LEN) == 0) {
        *ret_number = known->number;
        return ERR_OK;
    }
    enum err err = find_number(s, facility, sha, &number);
    if (err)
        return err;
    known->transaction = s->transaction;
    known->facility = facility;
    known->number = number;
    memcpy(known->sha, sha, DIGEST_LEN);
    *ret_number = number;
    return ERR_OK;
}

static const char GET[] = "SELECT bytes, packed FROM original WHERE sha = ?1 AND facility = ?2";

static enum err load(struct session *s, struct sql *q, struct arena *arena, struct slice *ret_bytes)
{
    struct body_coder *coder = NULL;
    if (sql_i64(q, 1) == 0) {
        *ret_bytes = sql_dup(q, 0, arena);
        return ERR_OK;
    }
    enum err err = session_coder(s, &coder);
    return err ? err : body_unpack(coder, sql_slice(q, 0), arena, ret_bytes);
}

enum err original_get(struct session *s, struct arena *arena, const unsigned char sha[DIGEST_LEN],
                      struct slice *ret_bytes)
{
    const struct grant *grant = session_grant(s);
    if (!grant || grant->facility <= 0 ||
        (grant->actor != GRANT_FACILITY && grant->actor != GRANT_INTAKE))
        return ERR_NOT_FOUND;
    struct sql *q = NULL;
    enum err err = sql_prepare(s, GET, SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_blob(q, 1, sha, DIGEST_LEN);
    sql_bind_i64(q, 2, grant->facility);
    struct slice bytes = SLICE_NONE;
    err = sql_row(q);
    if (!err)
        err = load(s, q, arena, &bytes);
    err = sql_done(q, err);
    if (!err)
        *ret_bytes = bytes;
    return err;
}

/* The facility that may have originals of its own under the bound grant; 0: none. */
static int64_t own_facility(struct session *s)
{
    const struct grant *grant = session_grant(s);
    bool may = grant && (grant->actor == GRANT_FACILITY || grant->actor == GRANT_INTAKE);
    return may && grant->facility > 0 ? grant->facility : 0;
}

enum err original_of_record(struct session *s, int64_t rid, int64_t *ret_number)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "SELECT max(original) FROM record"
                               " WHERE rid = ?1 AND facility = ?2 AND deleted = 0",
                               SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, rid);
    sql_bind_i64(q, 2, own_facility(s));
    err = sql_row(q);
    if (!err)
        *ret_number = sql_i64(q, 0);
    return sql_done(q, err);
}

static const char OF_CHART[] =
    "SELECT o.bytes, o.packed, o.id, o.sha, count(*) OVER () FROM original o WHERE o.id IN ("
    " SELECT r.original FROM record r WHERE r.rid >= ?1 << 32 AND r.rid < (?1 + 1) << 32"
    " UNION SELECT v.original FROM record_version v"
    "  WHERE v.rid >= ?1 << 32 AND v.rid < (?1 + 1) << 32)"
    " AND EXISTS (SELECT 1 FROM chart c WHERE c.id = ?1 AND c.facility = ?2) ORDER BY o.id";

enum err original_of_chart(struct session *s, struct arena *arena, int64_t chart,
                           struct original_ref **ret_refs, size_t *ret_count)
{
    struct original_ref *refs = NULL;
    size_t count = 0;
    bool row = false;
    struct sql *q = NULL;
    enum err err = sql_prepare(s, OF_CHART, SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, chart);
    sql_bind_i64(q, 2, own_facility(s));
    while (!err && !(err = sql_step(q, &row)) && row) {
        if (!refs && !(refs = arena_array(arena, (size_t)sql_i64(q, 4), sizeof *refs))) {
            err = ERR_LIMIT;
            break;
        }
        struct original_ref *ref = &refs[count++];
        ref->number = sql_i64(q, 2);
        err = sql_bytes(q, 3, ref->sha, DIGEST_LEN) ? load(s, q, arena, &ref->bytes) : ERR_IO;
    }
    err = sql_done(q, err);
    if (err)
        return err;
    *ret_refs = refs;
    *ret_count = count;
    return ERR_OK;
}
