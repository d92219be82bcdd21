/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions a search's statement calls on rows the gate has let through: tasuki_match(facets, pass) and
 * tasuki_sort(facets, seq, id, order), whose last arguments are pointers bound by search.c (SQLite gives them to nobody
 * else). They know nothing but their arguments. A long list against many facets is one step to SQLite: so tasuki_match looks at the clock itself.
 */
#include <sqlite3.h>

#include "base/limits.h"
#include "base/when.h"
#include "storage/match.h"
#include "storage/search_impl.h"
#include "storage/session_impl.h"

#include "base/banned.h"

#define WORK_BETWEEN_LOOKS UINT64_C(4000000) /* about bytes of facets x values: some ms */

static bool any_group_passes(const struct search_filter *any, struct slice facets, int64_t now_ms)
{
    for (size_t i = 0; i < any->group_count; i++) {
        if (search_fn_passes(&any->groups[i], facets, now_ms))
            return true;
    }
    return false;
}

bool search_fn_passes(const struct search_list *list, struct slice facets, int64_t now_ms)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct search_filter *f = &list->items[i];
        bool passes = f->kind == SEARCH_TERM ? match_term(facets, &f->term, now_ms)
                                             : any_group_passes(f, facets, now_ms) != f->none;
        if (!passes)
            return false;
    }
    return true;
}

static struct slice blob_of(sqlite3_value *value)
{
    const void *ptr = sqlite3_value_blob(value);
    int len = sqlite3_value_bytes(value);
    return len > 0 && ptr ? slice_of(ptr, (size_t)len) : SLICE_NONE;
}

static bool is_late(const struct session *s, struct search_pass *pass, size_t len)
{
    pass->work += (len + 16) * pass->weight;
    if (pass->work < WORK_BETWEEN_LOOKS)
        return false;
    pass->work = 0;
    return !s->writes && s->active > 0 && clock_monotonic_ms() > s->deadline_ms;
}

static void fn_match(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc;
    struct search_pass *pass = sqlite3_value_pointer(argv[1], SEARCH_PASS_POINTER);
    struct slice facets = blob_of(argv[0]);
    if (!pass) {
        sqlite3_result_int(context, 0);
    } else if (is_late(sqlite3_user_data(context), pass, facets.len)) {
        sqlite3_result_error(context, "late", -1);
        sqlite3_result_error_code(context, SQLITE_INTERRUPT);
    } else {
        sqlite3_result_int(context, search_fn_passes(&pass->list, facets, pass->now_ms));
    }
}

static void fn_sort(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc;
    struct search_sorts *sorts = sqlite3_value_pointer(argv[3], SEARCH_ORDER_POINTER);
    if (!sorts) {
        sqlite3_result_null(context);
        return;
    }
    buf_clear(&sorts->key);
    match_sort_key(blob_of(argv[0]), sqlite3_value_int64(argv[1]), blob_of(argv[2]), sorts->items,
                   sorts->count, &sorts->key);
    if (buf_err(&sorts->key))
        sqlite3_result_error_nomem(context);
    else
        sqlite3_result_blob64(context, sorts->key.ptr, sorts->key.len, SQLITE_TRANSIENT);
}

static const struct search_function {
    const char *name;
    int argc;
    void (*fn)(sqlite3_context *context, int argc, sqlite3_value **argv);
} functions[] = {
    {"tasuki_match", 2, fn_match},
    {"tasuki_sort", 4, fn_sort},
};

enum err search_fn_open(struct session *s)
{
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    int rc = SQLITE_OK;
    for (size_t i = 0; rc == SQLITE_OK && i < sizeof functions / sizeof functions[0]; i++)
        rc = sqlite3_create_function_v2(s->db, functions[i].name, functions[i].argc, flags, s,
                                        functions[i].fn, NULL, NULL, NULL);
    return sql_code(s, rc);
}
