/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes a search as one statement from enums and fixed fragments, every value from outside a bound
 * parameter, and runs it (R4 search.html). The inner statement finds numbers and places in the
 * order only and cuts the page; the page's bodies are fetched by number, through the gate again.
 * Sorting is by a key of bytes that tasuki_sort makes of a record, so one comparison serves every
 * _sort, and a page's cursor is its last key and number.
 *
 * Sorted by lastUpdated, a record that changed after the first page stands where it stood then: its
 * last version up to the snapshot's number says where. Must never read anything but the gated
 * views.
 */
#include "storage/search.h"

#include <assert.h>

#include "base/limits.h"
#include "storage/change.h"
#include "storage/key.h"
#include "storage/match.h"
#include "storage/record_impl.h"
#include "storage/search_impl.h"
#include "storage/session_impl.h"

#include "base/banned.h"

#define SEARCH_TEXT_MAX (512u * LIMIT_KIB)
#define WALK_MS 300u /* some 100,000 changes */

static const struct search_at top = {1, 0};

/* ── bounds ──────────────────────────────────────────────────────────────────────────────────── */

static enum err measure(const struct search_list *list, unsigned depth, size_t *filters)
{
    enum err err = ERR_OK;
    *filters += list->count;
    if (*filters > LIMIT_SEARCH_FILTERS || depth > LIMIT_SEARCH_CHAIN)
        return ERR_TOO_LARGE;
    for (size_t i = 0; !err && i < list->count; i++) {
        const struct search_filter *f = &list->items[i];
        bool link = f->kind == SEARCH_CHAIN || f->kind == SEARCH_HAS;
        size_t values = f->kind == SEARCH_TERM ? f->term.value_count : f->id_count;
        if (values > LIMIT_SEARCH_FORMS || f->person_count > LIMIT_SEARCH_VALUES)
            return ERR_TOO_LARGE;
        for (size_t j = 0; !err && j < f->group_count; j++)
            err = measure(&f->groups[j], depth + link, filters);
    }
    return err;
}

/* ── whole statements ────────────────────────────────────────────────────────────────────────── */

static struct search_types types_of(const struct search *search)
{
    return (struct search_types){search->types, search->type_count};
}

static void say_categories(struct search_compose *c, struct search_at at)
{
    if (!c->search->categories)
        return;
    search_say(c, at, " AND (? >> r#.category) & 1");
    search_bind_int(c, (int64_t)c->search->categories);
}

/* Where it begins: FROM and WHERE of the record r1. */
static void say_start(struct search_compose *c)
{
    struct search_at at = search_alias(c, 0);
    assert(at.own == top.own);
    search_say_start(c, at, types_of(c->search), &c->filters);
}

/* Every condition on it. */
static void say_rest(struct search_compose *c)
{
    search_say_conditions(c, top, types_of(c->search), &c->filters);
    say_categories(c, top);
}

static bool by_updated(const struct search *search)
{
    for (size_t i = 0; i < search->sort_count; i++) {
        if (search->sorts[i].order == SEARCH_BY_UPDATED)
            return true;
    }
    return false;
}

/* The number of the change by which r1 has its place among the changes. */
static void say_place(struct search_compose *c)
{
    if (c->search->snapshot > 0 && by_updated(c->search)) {
        search_say(c, top,
                   "CASE WHEN r#.seq <= ? THEN r#.seq ELSE coalesce((SELECT max(o.seq)"
                   " FROM v_record_version o WHERE o.rid = r#.rid AND o.seq <= ?), r#.seq) END");
        search_bind_int(c, c->search->snapshot);
        search_bind_int(c, c->search->snapshot);
    } else {
        search_say(c, top, "r#.seq");
    }
}

static void say_key(struct search_compose *c)
{
    if (!c->sorts) {
        search_say(c, top, "NULL");
        return;
    }
    search_say(c, top, "tasuki_sort(r#.facets, ");
    say_place(c);
    search_say(c, top, ", r#.id, ?)");
    search_bind_sorts(c);
}

/* Only what comes after the place given, in the order of the page; by number before anything is
 * tested. */
static void say_after_number(struct search_compose *c)
{
    search_say(c, top, " AND r#.rid > ?");
    search_bind_int(c, c->search->after_rid);
    if (!c->in_blocks)
        return;
    search_say(c, top, " AND r#.at >= ?");
    search_bind_int(c, key_block_of(c->search->after_rid));
}

static void say_after_key(struct search_compose *c)
{
    search_say(c, top, " AND (");
    say_key(c);
    search_say(c, top, ", r#.rid) > (?, ?)");
    search_bind_blob(c, c->search->after_key);
    search_bind_int(c, c->search->after_rid);
}

static const char page_start[] =
    "SELECT p.key, r.facets, " RECORD_COLUMNS " FROM (SELECT r#.rid AS rid, ";

static void say_page_end(struct search_compose *c)
{
    search_bind_int(c, (int64_t)c->search->limit + 1);
    search_say(c, top, ") p CROSS JOIN v_record r ON r.rid = p.rid");
    search_say(c, top, c->sorts ? " ORDER BY p.key, p.rid" : " ORDER BY p.rid");
}

static void say_page(struct search_compose *c)
{
    search_say(c, top, page_start);
    say_key(c);
    search_say(c, top, " AS key ");
    say_start(c);
    if (c->search->after_given && !c->sorts)
        say_after_number(c);
    say_rest(c);
    if (c->search->after_given && c->sorts)
        say_after_key(c);
    search_say(c, top,
               c->sorts       ? " ORDER BY key, r#.rid LIMIT ?"
               : c->in_blocks ? " ORDER BY r#.at, r#.rid LIMIT ?"
                              : " ORDER BY r#.rid LIMIT ?");
    say_page_end(c);
}

/* The same page, walking the log of changes in its order until it is full. */
static void say_walk(struct search_compose *c)
{
    const bool down = c->search->sorts[0].descending;
    struct search_at at = search_alias(c, 0);
    assert(at.own == top.own);
    search_say(c, top, page_start);
    search_say(c, top,
               "tasuki_sort(x'', c.seq, '', ?) AS key FROM v_change c CROSS JOIN v_record r#");
    search_bind_sorts(c);
    search_say(c, top, " WHERE r#.rid = c.rid AND c.seq = ");
    say_place(c);
    search_say_conditions(c, top, types_of(c->search), &c->filters);
    say_categories(c, top);
    if (c->search->after_given) {
        search_say(c, top, down ? " AND c.seq < ?" : " AND c.seq > ?");
        search_bind_int(c, match_sort_seq(c->search->after_key, down));
    }
    search_say(c, top, down ? " ORDER BY c.seq DESC LIMIT ?" : " ORDER BY c.seq LIMIT ?");
    say_page_end(c);
}

static void say_count(struct search_compose *c)
{
    search_say(c, top, "SELECT count(*) ");
    say_start(c);
    say_rest(c);
}

/* ── running ─────────────────────────────────────────────────────────────────────────────────── */

/* Beside a page the total is worth a second; alone it is the answer. */
static enum err run_count(struct search_compose *c, struct search_result *result)
{
    const bool beside = c->search->limit > 0;
    struct sql *q = NULL;
    search_say_anew(c);
    say_count(c);
    enum err err = search_prepare(c, &q);
    if (err)
        return err;
    if (beside)
        sql_within(q, LIMIT_TOTAL_MS);
    err = sql_row(q);
    if (!err)
        result->total = (uint64_t)sql_i64(q, 0);
    err = sql_done(q, err);
    result->total_unknown = beside && err == ERR_TIMEOUT;
    return result->total_unknown ? ERR_OK : err;
}

/* Room for one more record of a page: most pages are far smaller than the largest. */
static enum err grow(struct search_compose *c, struct search_result *result, unsigned *room)
{
    unsigned wanted = *room ? *room * 4 : 16;
    if (result->count < *room)
        return ERR_OK;
    wanted = wanted < c->search->limit ? wanted : c->search->limit;
    struct record *records = arena_array(c->arena, wanted, sizeof *records);
    if (!records)
        return ERR_LIMIT;
    if (result->count)
        memcpy(records, result->records, result->count * sizeof *records);
    result->records = records;
    *room = wanted;
    return ERR_OK;
}

static enum err run_page(struct search_compose *c, void (*say)(struct search_compose *c),
                         unsigned within_ms, struct search_result *result)
{
    unsigned limit = c->search->limit, room = 0;
    struct sql *q = NULL;
    bool row = false;
    search_say_anew(c);
    say(c);
    enum err err = search_prepare(c, &q);
    if (err)
        return err;
    sql_within(q, within_ms);
    while (!(err = sql_step(q, &row)) && row) {
        if (result->count == limit) {
            result->more = true;
            break;
        }
        if ((err = grow(c, result, &room)))
            break;
        struct record *record = &result->records[result->count++];
        record_load(q, 2, c->arena, record);
        record->facets = sql_dup(q, 1, c->arena);
        if (c->sorts)
            result->last_key = sql_dup(q, 0, c->arena);
        result->last_rid = record->rid;
    }
    return sql_done(q, err);
}

/* By lastUpdated, when nothing says where to begin: the log of changes has that order already, and
 * mostly a page of it is full at once. If not, the search is run as any other. */
static enum err run_sorted(struct search_compose *c, struct search_result *result)
{
    const struct search *search = c->search;
    const struct search_result before = *result;
    enum err err = ERR_TIMEOUT;
    if (search->sort_count == 1 && by_updated(search) && !c->session->writes &&
        search_starts_wide(c, types_of(search), &c->filters))
        err = run_page(c, say_walk, WALK_MS, result);
    if (err != ERR_TIMEOUT)
        return err;
    *result = before;
    return run_page(c, say_page, 0, result);
}

static void begin(struct search_compose *c, struct session *s, struct arena *arena,
                  const struct search *search, struct search_sorts *sorts)
{
    *c = (struct search_compose){
        .session = s, .arena = arena, .search = search, .now_ms = session_now_ms(s)};
    buf_init(&c->text, SEARCH_TEXT_MAX);
    *sorts = (struct search_sorts){.items = search->sorts, .count = search->sort_count};
    buf_init(&sorts->key, LIMIT_SORT_KEY);
    if (search->sort_count)
        c->sorts = sorts;
}

static void end(struct search_compose *c, struct search_sorts *sorts)
{
    buf_fini(&c->text);
    buf_fini(&sorts->key);
}

enum err search_run(struct session *s, struct arena *arena, const struct search *search,
                    struct search_result *ret_result)
{
    struct search_result result = {.snapshot = search->snapshot};
    struct search_compose c;
    struct search_sorts sorts;
    size_t filters = 0;
    assert(search->limit <= LIMIT_SEARCH_COUNT && search->sort_count <= LIMIT_SORT_KEYS);
    enum err err = search->type_count > LIMIT_SEARCH_VALUES
                       ? ERR_TOO_LARGE
                       : measure(&search->filters, 0, &filters);
    if (err)
        return err;
    begin(&c, s, arena, search, &sorts);
    if (result.snapshot <= 0)
        err = change_last(s, &result.snapshot);
    if (!err) {
        search_resolve(&c, types_of(search), &search->filters);
        err = c.err;
    }
    if (!err && search->limit > 0)
        err = run_sorted(&c, &result);
    bool whole = search->limit > 0 && !search->after_given && !result.more;
    if (!err && search->count_total && !whole)
        err = run_count(&c, &result);
    else if (!err && search->count_total)
        result.total = result.count;
    end(&c, &sorts);
    if (!err)
        *ret_result = result;
    return err;
}

enum err search_matches(struct session *s, const struct search *search, int64_t rid,
                        bool *ret_matches)
{
    struct search_compose c;
    struct search_sorts sorts;
    struct sql *q = NULL;
    size_t filters = 0;
    enum err err = measure(&search->filters, 0, &filters);
    struct arena *arena = err ? NULL : arena_new(LIMIT_ARENA_REQUEST);
    if (!arena)
        return err ? err : ERR_LIMIT;
    begin(&c, s, arena, search, &sorts);
    c.filters = search->filters; /* one record's own links are few */
    struct search_at at = search_alias(&c, 0);
    search_say(&c, at, "SELECT 1 FROM v_record r# WHERE r#.rid = ?");
    search_bind_int(&c, rid);
    search_say_conditions(&c, at, types_of(search), &c.filters);
    say_categories(&c, at);
    err = search_prepare(&c, &q);
    bool row = false;
    if (!err)
        err = sql_step(q, &row);
    err = sql_done(q, err);
    end(&c, &sorts);
    arena_free(arena);
    if (!err)
        *ret_matches = row;
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
