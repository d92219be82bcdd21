/* SPDX-License-Identifier: Apache-2.0
 *
 * One row a thing (see said.h), keyed by a hash: two things of one chart that share one of 2^64 are
 * no danger worth their names in every row. Equal times are not older: the later arrival of the
 * same second stands.
 */
#include "storage/said.h"

#include <assert.h>

#include "storage/sql.h"

#include "base/banned.h"

static int64_t key_of(struct slice sender, struct slice what)
{
    const struct slice parts[] = {sender, SLICE("\n"), what};
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++) {
        for (size_t i = 0; i < parts[p].len; i++)
            h = (h ^ (unsigned char)parts[p].ptr[i]) * UINT64_C(0x100000001b3);
    }
    return (int64_t)(h >> 1); /* a positive number reads better in a dump */
}

enum err said_is_older(struct session *s, int64_t chart, struct slice sender, struct slice what,
                       int64_t at_ms, bool *ret_older)
{
    struct sql *q;
    bool row = false;
    enum err err = sql_prepare(s, "SELECT 1 FROM said WHERE chart = ? AND what = ? AND at_ms > ?",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, chart);
    sql_bind_i64(q, 2, key_of(sender, what));
    sql_bind_i64(q, 3, at_ms);
    err = sql_step(q, &row);
    err = sql_done(q, err);
    if (err == ERR_OK)
        *ret_older = row;
    return err;
}

enum err said_note(struct session *s, int64_t chart, struct slice sender, struct slice what,
                   int64_t at_ms, bool *ret_older)
{
    struct sql *q;
    enum err err =
        sql_prepare(s,
                    "INSERT INTO said(chart, what, at_ms) VALUES(?,?,?) ON CONFLICT(chart, what)"
                    " DO UPDATE SET at_ms = excluded.at_ms WHERE excluded.at_ms >= at_ms",
                    SQL_OWN, &q);

    assert(session_writes(s));
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, chart);
    sql_bind_i64(q, 2, key_of(sender, what));
    sql_bind_i64(q, 3, at_ms);
    err = sql_run(q);
    if (err == ERR_OK)
        *ret_older = sql_changes(s) == 0;
    return err;
}
