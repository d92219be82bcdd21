/* SPDX-License-Identifier: Apache-2.0
 *
 * Chains whose other end an index finds. What is there is read first, by a statement of its own in
 * the same snapshot, and the filter becomes what it then means: "references one of these", "is one
 * of these", "of these persons". So a chain of any depth is a row of flat statements that each
 * begin with an index, not nested ones; SQLite's parser bounds how deep those go. Where too much is
 * found, or nothing says where to begin, the filter stays and is tested record by record
 * (search_filter.c).
 *
 * Nothing is found here that the grant may not see: a hidden record is no link.
 */
#include "base/limits.h"
#include "storage/key.h"
#include "storage/search_impl.h"

#include "base/banned.h"

#define FOUND_MAX LIMIT_SEARCH_VALUES

/* What a chain leads to, or what a reverse chain's records name. */
struct found {
    struct slice *names; /* "Type/id", not Patients */
    size_t name_count;
    int64_t *persons;
    size_t person_count;
    int64_t *charts; /* of patients named by number; their persons are looked up at the end */
    size_t chart_count;
};

static struct search_list resolve_list(struct search_compose *c, const struct search_list *list);

/* ── reading ─────────────────────────────────────────────────────────────────────────────────── */

static bool is_full(const struct found *found)
{
    return found->name_count == FOUND_MAX || found->person_count == FOUND_MAX ||
           found->chart_count == FOUND_MAX;
}

static void add_number(int64_t *numbers, size_t *count, int64_t number)
{
    for (size_t i = 0; i < *count; i++) {
        if (numbers[i] == number)
            return;
    }
    if (number > 0)
        numbers[(*count)++] = number;
}

static void add_name(struct search_compose *c, struct found *found, struct slice name)
{
    for (size_t i = 0; i < found->name_count; i++) {
        if (slice_eq(found->names[i], name))
            return;
    }
    struct slice copy = arena_dup(c->arena, name);
    if (copy.len != name.len)
        c->err = ERR_LIMIT;
    found->names[found->name_count++] = copy;
}

/* The record of the row itself: what a chain was to lead to. */
static void take_record(struct search_compose *c, struct sql *q, struct found *found)
{
    struct slice type = sql_slice(q, 0), id = sql_slice(q, 1);
    if (slice_is(type, "Patient")) {
        add_number(found->persons, &found->person_count, sql_i64(q, 2));
        return;
    }
    struct buf name;
    buf_init(&name, LIMIT_KIB);
    buf_add(&name, type);
    buf_addc(&name, '/');
    buf_add(&name, id);
    add_name(c, found, buf_slice(&name));
    buf_fini(&name);
}

/* What the row's record names under PARAM: what a reverse chain starts from. */
static void take_targets(struct search_compose *c, struct sql *q, uint16_t param,
                         struct found *found)
{
    static const struct slice patient = {"Patient/@", 9};
    struct facet_reader reader;
    struct facet_view f;
    int64_t chart = 0;
    facet_reader_init(&reader, sql_slice(q, 4));
    while (facet_next(&reader, &f) && f.param <= param && !is_full(found)) {
        if (f.param != param || f.kind != FACET_REFERENCE)
            continue;
        if (!slice_starts(f.text, patient))
            add_name(c, found, f.text);
        else if (f.text.len == patient.len)
            add_number(found->charts, &found->chart_count, sql_i64(q, 3));
        else if (slice_i64(slice_sub(f.text, patient.len, f.text.len), &chart))
            add_number(found->charts, &found->chart_count, chart);
    }
}

static enum err find_persons(struct search_compose *c, struct found *found)
{
    struct search_compose q = search_aside(c);
    struct sql *sql = NULL;
    bool row = false;
    search_say(&q, (struct search_at){0}, "SELECT k.person FROM v_chart k WHERE k.chart");
    search_say_ints(&q, found->charts, found->chart_count);
    enum err err = search_prepare(&q, &sql);
    while (!err && !(err = sql_step(sql, &row)) && row && found->person_count < FOUND_MAX)
        add_number(found->persons, &found->person_count, sql_i64(sql, 0));
    buf_fini(&q.text);
    return sql_done(sql, err);
}

/* Reads what passes LIST, a row too many at most; *ret_all tells whether that was everything. */
static enum err find(struct search_compose *c, const struct search_filter *f,
                     const struct search_list *list, struct found *found, bool *ret_all)
{
    const struct search_types types = {f->ids, f->kind == SEARCH_HAS ? 1 : f->id_count};
    struct search_compose q = search_aside(c);
    struct search_at at = search_alias(&q, 0);
    struct sql *sql = NULL;
    bool row = false;
    search_say(&q, at, "SELECT r#.type, r#.id, r#.person, r#.chart, r#.facets ");
    search_say_start(&q, at, types, list);
    search_say_conditions(&q, at, types, list);
    search_say(&q, at, " LIMIT ?");
    search_bind_int(&q, FOUND_MAX + 1);
    enum err err = search_prepare(&q, &sql);
    size_t rows = 0;
    while (!err && !(err = sql_step(sql, &row)) && row && !is_full(found)) {
        if (f->kind == SEARCH_CHAIN)
            take_record(c, sql, found);
        else
            take_targets(c, sql, f->param, found);
        rows++;
    }
    err = sql_done(sql, err ? err : c->err);
    buf_fini(&q.text);
    if (!err && found->chart_count)
        err = find_persons(c, found);
    *ret_all = rows <= FOUND_MAX && !is_full(found);
    return err;
}

/* ── what the filter becomes ─────────────────────────────────────────────────────────────────── */

struct groups {
    struct search_list *items;
    size_t count;
};

static struct search_filter *add_group(struct search_compose *c, struct groups *groups,
                                       size_t filters)
{
    struct search_filter *items = search_alloc(c, filters, sizeof *items);
    if (items)
        groups->items[groups->count++] = (struct search_list){items, filters};
    return items;
}

static void of_persons(struct search_filter *filter, const struct found *found, uint16_t param)
{
    *filter = (struct search_filter){.kind = SEARCH_PERSONS,
                                     .param = param,
                                     .persons = found->persons,
                                     .person_count = found->person_count};
}

/* References one of the records, or of the persons. */
static void become_references(struct search_compose *c, const struct search_filter *f,
                              const struct found *found, struct groups *groups)
{
    struct search_value *values = search_alloc(c, found->name_count, sizeof *values);
    struct search_filter *items = found->name_count ? add_group(c, groups, 1) : NULL;
    for (size_t i = 0; values && i < found->name_count; i++)
        values[i] = (struct search_value){.kind = FACET_REFERENCE, .text = found->names[i]};
    if (items && values)
        items[0].term = (struct search_term){
            .param = f->param, .values = values, .value_count = found->name_count};
    items = found->person_count ? add_group(c, groups, 1) : NULL;
    if (items)
        of_persons(&items[0], found, f->param);
}

/* The records of one type among the names, from the first not yet TAKEN on. */
static void become_type(struct search_compose *c, const struct found *found, bool *taken,
                        size_t first, struct groups *groups)
{
    struct slice *ids = search_alloc(c, found->name_count, sizeof *ids);
    struct slice *type = search_alloc(c, 1, sizeof *type);
    struct search_filter *items = add_group(c, groups, 2);
    size_t slash = slice_find(found->names[first], '/', 0), count = 0;
    if (!ids || !type || !items)
        return;
    *type = slice_sub(found->names[first], 0, slash);
    for (size_t i = first; i < found->name_count; i++) {
        struct slice name = found->names[i];
        size_t at = slice_find(name, '/', 0);
        if (taken[i] || !slice_eq(slice_sub(name, 0, at), *type))
            continue;
        taken[i] = true;
        ids[count++] = slice_sub(name, at + 1, name.len);
    }
    items[0] = (struct search_filter){.kind = SEARCH_TYPES, .ids = type, .id_count = 1};
    items[1] = (struct search_filter){.kind = SEARCH_IDS, .ids = ids, .id_count = count};
}

/* Is one of the records, or a Patient of the persons. */
static void become_records(struct search_compose *c, const struct found *found,
                           struct groups *groups)
{
    static const struct slice patient = {"Patient", 7};
    bool *taken = search_alloc(c, found->name_count, sizeof *taken);
    for (size_t i = 0; taken && i < found->name_count; i++) {
        if (!taken[i])
            become_type(c, found, taken, i, groups);
    }
    struct search_filter *items = found->person_count ? add_group(c, groups, 2) : NULL;
    if (!items)
        return;
    items[0] = (struct search_filter){.kind = SEARCH_TYPES, .ids = &patient, .id_count = 1};
    of_persons(&items[1], found, 0);
}

/* The chain F with the inner list resolved already. */
static void resolve_chain(struct search_compose *c, struct search_filter *f)
{
    struct found found = {.names = search_alloc(c, FOUND_MAX, sizeof(struct slice)),
                          .persons = search_alloc(c, FOUND_MAX, sizeof(int64_t)),
                          .charts = search_alloc(c, FOUND_MAX, sizeof(int64_t))};
    struct groups groups = {search_alloc(c, FOUND_MAX + 1, sizeof(struct search_list)), 0};
    bool all = false;
    if (c->err || !search_can_start(c, f))
        return;
    c->err = find(c, f, &f->groups[0], &found, &all);
    if (c->err || !all)
        return;
    if (f->kind == SEARCH_CHAIN)
        become_references(c, f, &found, &groups);
    else
        become_records(c, &found, &groups);
    *f = (struct search_filter){
        .kind = SEARCH_ANY, .none = f->none, .groups = groups.items, .group_count = groups.count};
}

static struct search_filter resolve_filter(struct search_compose *c, const struct search_filter *f)
{
    struct search_filter copy = *f;
    struct search_list *groups = search_alloc(c, f->group_count, sizeof *groups);
    for (size_t i = 0; groups && i < f->group_count; i++)
        groups[i] = resolve_list(c, &f->groups[i]);
    copy.groups = groups;
    if (!c->err && f->group_count && (f->kind == SEARCH_CHAIN || f->kind == SEARCH_HAS))
        resolve_chain(c, &copy);
    return copy;
}

static struct search_list resolve_list(struct search_compose *c, const struct search_list *list)
{
    struct search_filter *items = search_alloc(c, list->count, sizeof *items);
    for (size_t i = 0; items && i < list->count && !c->err; i++)
        items[i] = resolve_filter(c, &list->items[i]);
    return (struct search_list){items, items ? list->count : 0};
}

static bool has_chain(const struct search_list *list)
{
    bool has = false;
    for (size_t i = 0; i < list->count && !has; i++) {
        const struct search_filter *f = &list->items[i];
        has = f->kind == SEARCH_CHAIN || f->kind == SEARCH_HAS;
        for (size_t j = 0; j < f->group_count && !has; j++)
            has = has_chain(&f->groups[j]);
    }
    return has;
}

void search_resolve(struct search_compose *c, struct search_types types,
                    const struct search_list *list)
{
    bool few = search_starts_narrow(c, types, list);
    c->filters = !few && has_chain(list) ? resolve_list(c, list) : *list;
}
