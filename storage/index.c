/* SPDX-License-Identifier: Apache-2.0
 *
 * Search rows of a record: one table per kind of facet (base/facet.h). They follow the record
 * within its transaction and are never changed, only dropped and added. The same value twice is
 * one row. Must not know what a parameter means.
 */
#include <assert.h>

#include "base/limits.h"
#include "storage/record_impl.h"

#include "base/banned.h"

static enum err put_token(struct session *s, int64_t rid, const struct facet *f)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "INSERT OR IGNORE INTO ix_token(param, code, rid, system)"
                               " VALUES (?1, ?2, ?3, ?4)",
                               SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, f->param);
    sql_bind_text(q, 2, f->text);
    sql_bind_i64(q, 3, rid);
    sql_bind_text(q, 4, f->system);
    return sql_run(q);
}

static enum err put_string(struct session *s, int64_t rid, const struct facet *f)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "INSERT OR IGNORE INTO ix_string(param, folded, rid, raw)"
                               " VALUES (?1, ?2, ?3, ?4)",
                               SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, f->param);
    sql_bind_text(q, 2, f->text);
    sql_bind_i64(q, 3, rid);
    sql_bind_text(q, 4, f->raw);
    return sql_run(q);
}

static enum err put_date(struct session *s, int64_t rid, const struct facet *f)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "INSERT OR IGNORE INTO ix_date(param, lo, hi, rid)"
                               " VALUES (?1, ?2, ?3, ?4)",
                               SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, f->param);
    sql_bind_i64(q, 2, f->lo_ms);
    sql_bind_i64(q, 3, f->hi_ms);
    sql_bind_i64(q, 4, rid);
    return sql_run(q);
}

static enum err put_number(struct session *s, int64_t rid, const struct facet *f)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "INSERT OR IGNORE INTO ix_number(param, lo, hi, rid, system, unit)"
                               " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                               SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, f->param);
    sql_bind_real(q, 2, f->lo);
    sql_bind_real(q, 3, f->hi);
    sql_bind_i64(q, 4, rid);
    sql_bind_text(q, 5, f->system);
    sql_bind_text(q, 6, f->text);
    return sql_run(q);
}

static enum err put_reference(struct session *s, int64_t rid, const struct facet *f)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "INSERT OR IGNORE INTO ix_reference(param, target, rid)"
                               " VALUES (?1, ?2, ?3)",
                               SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, f->param);
    sql_bind_text(q, 2, f->text);
    sql_bind_i64(q, 3, rid);
    return sql_run(q);
}

static enum err put_uri(struct session *s, int64_t rid, const struct facet *f)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "INSERT OR IGNORE INTO ix_uri(param, uri, rid)"
                               " VALUES (?1, ?2, ?3)",
                               SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, f->param);
    sql_bind_text(q, 2, f->text);
    sql_bind_i64(q, 3, rid);
    return sql_run(q);
}

enum err index_put(struct session *s, int64_t rid, const struct facet_list *facets)
{
    static enum err (*const put[])(struct session * s, int64_t rid, const struct facet *f) = {
        [FACET_TOKEN] = put_token,     [FACET_STRING] = put_string,
        [FACET_DATE] = put_date,       [FACET_NUMBER] = put_number,
        [FACET_QUANTITY] = put_number, [FACET_REFERENCE] = put_reference,
        [FACET_URI] = put_uri,
    };
    if (!facets)
        return ERR_OK;
    if (facets->count > LIMIT_FACETS)
        return ERR_TOO_LARGE;
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < facets->count; i++) {
        const struct facet *f = &facets->items[i];
        assert(f->kind < sizeof put / sizeof put[0]);
        err = put[f->kind](s, rid, f);
    }
    return err;
}

enum err index_drop(struct session *s, int64_t rid)
{
    static const char *const texts[] = {
        "DELETE FROM ix_token WHERE rid = ?1",     "DELETE FROM ix_string WHERE rid = ?1",
        "DELETE FROM ix_date WHERE rid = ?1",      "DELETE FROM ix_number WHERE rid = ?1",
        "DELETE FROM ix_reference WHERE rid = ?1", "DELETE FROM ix_uri WHERE rid = ?1",
    };
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < sizeof texts / sizeof texts[0]; i++) {
        struct sql *q = NULL;
        err = sql_prepare(s, texts[i], SQL_OWN, &q);
        if (err)
            break;
        sql_bind_i64(q, 1, rid);
        err = sql_run(q);
    }
    return err;
}
