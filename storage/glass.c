/* SPDX-License-Identifier: Apache-2.0
 *
 * Emergency access sessions. The token is random and held by the physician's system; the store
 * keeps its SHA-256, so that a stolen copy of the store opens nothing. A session is one facility's
 * for one person and at most LIMIT_GLASS_MS long; both are checked on every use, not on opening
 * alone.
 */
#include "storage/glass.h"

#include <assert.h>

#include "base/digest.h"
#include "base/limits.h"
#include "storage/sql.h"

#include "base/banned.h"

#define TEXT_MAX (4 * LIMIT_GLASS_TEXT) /* bytes of LIMIT_GLASS_TEXT characters of UTF-8 */

enum err glass_open(struct session *s, struct slice token, const struct glass *glass)
{
    unsigned char sha[DIGEST_LEN];
    struct sql *q;
    enum err err;

    assert(session_writes(s) && token.len >= 16);
    assert(glass->facility > 0 && glass->person > 0 && glass->opened_ms < glass->expires_ms);
    assert(glass->expires_ms - glass->opened_ms <= LIMIT_GLASS_MS);
    if (glass->text.len > TEXT_MAX)
        return ERR_TOO_LARGE;
    digest_sha256(token, sha);
    err =
        sql_prepare(s,
                    "INSERT INTO glass(token_sha, facility, person, user, reason, text, opened_ms,"
                    " expires_ms) VALUES(?,?,?,?,?,?,?,?)",
                    SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    sql_bind_blob(q, 1, sha, sizeof sha);
    sql_bind_i64(q, 2, glass->facility);
    sql_bind_i64(q, 3, glass->person);
    sql_bind_text(q, 4, glass->user);
    sql_bind_text(q, 5, glass->reason);
    sql_bind_text(q, 6, glass->text);
    sql_bind_i64(q, 7, glass->opened_ms);
    sql_bind_i64(q, 8, glass->expires_ms);
    return sql_run(q);
}

enum err glass_find(struct session *s, struct arena *arena, struct slice token, int64_t facility,
                    int64_t now_ms, struct glass *ret_glass)
{
    unsigned char sha[DIGEST_LEN];
    struct glass glass;
    struct sql *q;
    enum err err;

    if (token.len == 0)
        return ERR_NOT_FOUND;
    digest_sha256(token, sha);
    err =
        sql_prepare(s,
                    "SELECT person, user, reason, text, opened_ms, expires_ms FROM glass"
                    " WHERE token_sha = ? AND facility = ? AND opened_ms <= ?3 AND expires_ms > ?3",
                    SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    sql_bind_blob(q, 1, sha, sizeof sha);
    sql_bind_i64(q, 2, facility);
    sql_bind_i64(q, 3, now_ms);
    err = sql_row(q);
    if (err == ERR_OK)
        glass = (struct glass){.facility = facility,
                               .person = sql_i64(q, 0),
                               .user = sql_dup(q, 1, arena),
                               .reason = sql_dup(q, 2, arena),
                               .text = sql_dup(q, 3, arena),
                               .opened_ms = sql_i64(q, 4),
                               .expires_ms = sql_i64(q, 5)};
    err = sql_done(q, err);
    if (err == ERR_OK)
        *ret_glass = glass;
    return err;
}
