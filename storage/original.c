/* SPDX-License-Identifier: Apache-2.0
 *
 * Original bytes, kept once under their SHA-256 and never changed. They are given back only to
 * the facility that sent them: one whose record (present or former version) or quarantined input
 * names the digest. Must not check the digest again; whoever puts bytes has just computed it.
 */
#include "storage/original.h"

#include "storage/session_impl.h"
#include "storage/sql.h"

#include "base/banned.h"

enum err original_put(struct session *s, struct slice bytes, const char *media,
                      const unsigned char sha[DIGEST_LEN])
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "INSERT OR IGNORE INTO original(sha, media, received_ms, bytes)"
                               " VALUES (?1, ?2, ?3, ?4)",
                               SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_blob(q, 1, sha, DIGEST_LEN);
    sql_bind_str(q, 2, media);
    sql_bind_i64(q, 3, session_now_ms(s));
    sql_bind_blob(q, 4, bytes.ptr, bytes.len);
    return sql_run(q);
}

static const char GET[] =
    "SELECT o.bytes FROM original o WHERE o.sha = ?1 AND ("
    " EXISTS (SELECT 1 FROM record r WHERE r.original = ?1 AND r.facility = ?2)"
    " OR EXISTS (SELECT 1 FROM record_version v CROSS JOIN record r ON r.rid = v.rid"
    "  WHERE v.original = ?1 AND r.facility = ?2)"
    " OR EXISTS (SELECT 1 FROM quarantine q WHERE q.facility = ?2 AND q.sha = ?1))";

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
        bytes = sql_dup(q, 0, arena);
    err = sql_done(q, err);
    if (!err)
        *ret_bytes = bytes;
    return err;
}
