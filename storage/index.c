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

/* Parameters 1 and 2 are param and rid everywhere; these bind the rest. */
static void bind_token(struct sql *q, const struct facet *f)
{
    sql_bind_text(q, 3, f->text);
    sql_bind_text(q, 4, f->system);
}

static void bind_string(struct sql *q, const struct facet *f)
{
    sql_bind_text(q, 3, f->text);
    sql_bind_text(q, 4, f->raw);
}

static void bind_date(struct sql *q, const struct facet *f)
{
    sql_bind_i64(q, 3, f->lo_ms);
    sql_bind_i64(q, 4, f->hi_ms);
}

static void bind_number(struct sql *q, const struct facet *f)
{
    sql_bind_real(q, 3, f->lo);
    sql_bind_real(q, 4, f->hi);
    sql_bind_text(q, 5, f->system);
    sql_bind_text(q, 6, f->text);
}

static void bind_text(struct sql *q, const struct facet *f)
{
    sql_bind_text(q, 3, f->text);
}

#define PUT_NUMBER                                                                                 \
    {"INSERT OR IGNORE INTO ix_number(param, rid, lo, hi, system, unit)"                           \
     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",                                                           \
     bind_number}

static const struct {
    const char *text;
    void (*bind)(struct sql *q, const struct facet *f);
} insert_of[] = {
    [FACET_TOKEN] = {"INSERT OR IGNORE INTO ix_token(param, rid, code, system)"
                     " VALUES (?1, ?2, ?3, ?4)",
                     bind_token},
    [FACET_STRING] = {"INSERT OR IGNORE INTO ix_string(param, rid, folded, raw)"
                      " VALUES (?1, ?2, ?3, ?4)",
                      bind_string},
    [FACET_DATE] = {"INSERT OR IGNORE INTO ix_date(param, rid, lo, hi) VALUES (?1, ?2, ?3, ?4)",
                    bind_date},
    [FACET_NUMBER] = PUT_NUMBER,
    [FACET_QUANTITY] = PUT_NUMBER,
    [FACET_REFERENCE] = {"INSERT OR IGNORE INTO ix_reference(param, rid, target)"
                         " VALUES (?1, ?2, ?3)",
                         bind_text},
    [FACET_URI] = {"INSERT OR IGNORE INTO ix_uri(param, rid, uri) VALUES (?1, ?2, ?3)", bind_text},
};

static enum err put(struct session *s, int64_t rid, const struct facet *f)
{
    struct sql *q = NULL;
    assert(f->kind < sizeof insert_of / sizeof insert_of[0]);
    enum err err = sql_prepare(s, insert_of[f->kind].text, SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, f->param);
    sql_bind_i64(q, 2, rid);
    insert_of[f->kind].bind(q, f);
    return sql_run(q);
}

enum err index_put(struct session *s, int64_t rid, const struct facet_list *facets)
{
    if (!facets)
        return ERR_OK;
    if (facets->count > LIMIT_FACETS)
        return ERR_TOO_LARGE;
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < facets->count; i++)
        err = put(s, rid, &facets->items[i]);
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
