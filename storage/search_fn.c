/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions a search's statement calls on rows the gate has let through: tasuki_match(facets,
 * pass) and tasuki_sort(facets, seq, id, order), whose last arguments are pointers bound by
 * search.c (SQLite gives them to nobody else). They know nothing but their arguments. Long lists
 * against many facets are one step to SQLite: so tasuki_match looks at the clock itself.
 */
#include <sqlite3.h>

#include "base/limits.h"
#include "base/when.h"
#include "storage/match.h"
#include "storage/search_impl.h"
#include "storage/session_impl.h"

#include "base/banned.h"

#define WORK_BETWEEN_LOOKS UINT64_C(4000000) /* about bytes of facets x values: some ms */

/* One record under test, or none of ours: then nothing is late. */
struct run {
    const struct session *session;
    struct search_pass *pass;
    struct slice facets;
    bool late;
};

static bool passes_list(struct run *run, const struct search_list *list);

/* What VALUES cost is added up over terms and records; the clock is looked at now and then. */
static void count_work(struct run *run, size_t values)
{
    const struct session *s = run->session;
    struct search_pass *pass = run->pass;
    pass->work += (run->facets.len + 16) * (values + 1);
    if (pass->work < WORK_BETWEEN_LOOKS)
        return;
    pass->work = 0;
    run->late = !s->writes && s->active > 0 && clock_monotonic_ms() > s->deadline_ms;
}

static bool any_group_passes(struct run *run, const struct search_filter *any)
{
    for (size_t i = 0; i < any->group_count; i++) {
        if (passes_list(run, &any->groups[i]))
            return true;
    }
    return false;
}

static bool passes_list(struct run *run, const struct search_list *list)
{
    for (size_t i = 0; i < list->count && !run->late; i++) {
        const struct search_filter *f = &list->items[i];
        bool passes = f->kind == SEARCH_TERM ? match_term(run->facets, &f->term, run->pass->now_ms)
                                             : any_group_passes(run, f) != f->none;
        count_work(run, f->term.value_count);
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

static void fn_match(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc;
    struct run run = {.session = sqlite3_user_data(context),
                      .pass = sqlite3_value_pointer(argv[1], SEARCH_PASS_POINTER),
                      .facets = blob_of(argv[0])};
    bool passes = run.pass && passes_list(&run, &run.pass->list);
    if (run.late) {
        sqlite3_result_error(context, "late", -1);
        sqlite3_result_error_code(context, SQLITE_INTERRUPT);
    } else {
        sqlite3_result_int(context, passes);
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
