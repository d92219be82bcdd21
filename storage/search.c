/* SPDX-License-Identifier: Apache-2.0
 *
 * Searches under the gate, so far by type, person and id only: what tests of the gate need. A filter it does not know
 * is refused, never passed over.
 */
#include "storage/search.h"

#include <assert.h>

#include "base/limits.h"
#include "storage/record_impl.h"
#include "storage/session_impl.h"

#include "base/banned.h"

enum err search_run(struct session *s, struct arena *arena, const struct search *search,
                    struct search_result *ret_result)
{
    struct search_result result = {0};
    struct sql *q = NULL;
    if (search->filters.count > 0 || search->type_count != 1 || search->sort_count > 0)
        return ERR_NOT_SUPPORTED;
    result.records = arena_array(arena, search->limit ? search->limit : 1, sizeof(struct record));
    if (!result.records)
        return ERR_LIMIT;
    enum err err =
        sql_prepare(s,
                    "SELECT " RECORD_COLUMNS ", r.facets, (SELECT count(*) FROM v_record c"
                    " WHERE c.type = ?1) FROM v_record r WHERE r.type = ?1 AND r.rid > ?2"
                    " ORDER BY r.rid LIMIT ?3",
                    SQL_GATED, &q);
    if (err)
        return err;
    sql_bind_text(q, 1, search->types[0]);
    sql_bind_i64(q, 2, search->after_given ? search->after_rid : 0);
    sql_bind_i64(q, 3, (int64_t)search->limit + 1);
    bool row = false;
    while (!(err = sql_step(q, &row)) && row) {
        result.total = (uint64_t)sql_i64(q, 13);
        result.more = result.count == search->limit;
        if (result.more)
            break;
        struct record *record = &result.records[result.count++];
        record_load(q, 0, arena, record);
        record->facets = sql_dup(q, 12, arena);
        result.last_rid = record->rid;
    }
    err = sql_done(q, err);
    if (!err)
        *ret_result = result;
    return err;
}

enum err search_visible(struct session *s, int64_t person, uint64_t *ret_categories)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s, "SELECT category FROM v_access WHERE person = ?1", SQL_GATED, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, person);
    uint64_t categories = 0;
    bool row = false;
    while (!(err = sql_step(q, &row)) && row)
        categories |= CATEGORY_BIT(sql_i64(q, 0));
    err = sql_done(q, err);
    if (!err)
        *ret_categories = categories;
    return err;
}
