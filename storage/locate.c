/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a record lies and whom it concerns (see locate.h): one point read, internal numbers only.
 */
#include "storage/locate.h"

#include "storage/key.h"
#include "storage/sql.h"

#include "base/banned.h"

enum err locate_record(struct session *s, struct slice type, struct slice id,
                       struct locate *ret_place)
{
    struct sql *q;
    enum err err =
        sql_prepare(s,
                    "SELECT r.rid, coalesce(c.person, 0), r.chart, r.facility, r.version,"
                    " r.deleted FROM ix_id x CROSS JOIN record r ON r.rid = x.rid"
                    " LEFT JOIN chart c ON c.id = r.chart"
                    " WHERE x.key = ?3 AND r.type = ?1 AND r.id = ?2",
                    SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_text(q, 1, type);
    sql_bind_text(q, 2, id);
    sql_bind_i64(q, 3, key_id(type, id));
    err = sql_row(q);
    if (!err)
        *ret_place = (struct locate){
            .rid = sql_i64(q, 0),
            .person = sql_i64(q, 1),
            .chart = sql_i64(q, 2),
            .facility = sql_i64(q, 3),
            .version = sql_i64(q, 4),
            .deleted = sql_i64(q, 5) != 0,
        };
    return sql_done(q, err);
}
