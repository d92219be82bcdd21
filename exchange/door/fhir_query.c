/* SPDX-License-Identifier: Apache-2.0
 *
 * Search parameters of a request to a compiled search (fhir_query.h). Result parameters are the
 * table below; the rest are filters (fhir_query_chain.c). Repeated filters must all hold; a result
 * parameter is said once. What lenient handling leaves out is remembered, so that the answer can
 * say so.
 */
#include "exchange/door/fhir_query_impl.h"

#include "exchange/gate/refs.h"

#include "base/banned.h"

/* ── filters ─────────────────────────────────────────────────────────────────────────────────── */

enum err fhir_query_add(struct fhir_build *b, const struct fhir_criterion *c,
                        struct fhir_filters *list, const struct search_filter *filter)
{
    if (++b->filters > LIMIT_SEARCH_FILTERS)
        return err_add(&b->r->errors, ERR_TOO_LARGE, c->place,
                       "more than %u conditions; name the type: subject:Patient.name",
                       LIMIT_SEARCH_FILTERS);
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 4;
        struct search_filter *grown = arena_array(b->r->arena, room, sizeof(*grown));
        if (!grown)
            return ERR_LIMIT;
        if (list->count)
            memcpy(grown, list->items, list->count * sizeof(*grown));
        list->items = grown;
        list->room = room;
    }
    list->items[list->count++] = *filter;
    return ERR_OK;
}

enum err fhir_query_add_any(struct fhir_build *b, const struct fhir_criterion *c,
                            struct fhir_filters *list, const struct fhir_filters *lists,
                            size_t count)
{
    struct search_list *groups = arena_array(b->r->arena, count + 1, sizeof(*groups));
    struct search_filter any = {.kind = SEARCH_ANY, .groups = groups, .group_count = count};
    enum err err = ERR_OK;
    if (!groups)
        return ERR_LIMIT;
    if (count == 1) {
        b->filters -= lists[0].count; /* they only move */
        for (size_t i = 0; i < lists[0].count && !err; i++)
            err = fhir_query_add(b, c, list, &lists[0].items[i]);
        return err;
    }
    for (size_t i = 0; i < count; i++)
        groups[i] = (struct search_list){lists[i].items, lists[i].count};
    return fhir_query_add(b, c, list, &any);
}

/* ── refusals ────────────────────────────────────────────────────────────────────────────────── */

#define SHOWN_MAX 100 /* bytes of a refused value that are said back */

/* The start of TEXT, whole characters. */
static struct slice shown(struct slice text)
{
    size_t len = text.len < SHOWN_MAX ? text.len : SHOWN_MAX;
    return slice_sub(text, 0, slice_utf8_len(slice_sub(text, 0, len)));
}

enum err fhir_query_bad(struct fhir_build *b, const struct fhir_criterion *c, const char *expected)
{
    return err_add(&b->r->errors, ERR_BAD_PARAM, c->place, "\"%.*s\"; valid: %s",
                   SLICE_ARG(shown(c->value)), expected);
}

enum err fhir_query_unknown(struct fhir_build *b, const char *place, struct slice type,
                            struct slice name)
{
    struct buf valid;
    size_t count = 0;
    const struct definition_param *params = definition_params(type, &count);
    buf_init(&valid, 8u * LIMIT_KIB);
    buf_addf(
        &valid,
        "%.*s %.*s; valid: _id, _lastUpdated, _tag, _profile, _security, _source, _text, _content, "
        "_list, _has, _count, _sort, _total, _summary, _elements, _include, _revinclude, _format",
        SLICE_ARG(type), SLICE_ARG(shown(name)));
    if (!type.len)
        buf_adds(&valid, ", _type; other parameters together with _type");
    for (size_t i = 0; i < count; i++)
        if (params[i].code[0] != '_')
            buf_addf(&valid, ", %s", params[i].code);
    enum err err =
        err_add(&b->r->errors, ERR_UNKNOWN_PARAM, place, "%.*s", SLICE_ARG(buf_slice(&valid)));
    buf_fini(&valid);
    return err;
}

void fhir_query_forgive(struct request *r, struct err_list saved)
{
    r->errors = saved;
    if (saved.last)
        saved.last->next = NULL;
}

/* ── result parameters ───────────────────────────────────────────────────────────────────────── */

/* A request's compilation. */
struct compile {
    struct fhir_build b;
    struct fhir_query *q;
    struct fhir_types types;
    struct fhir_filters filters;
    struct slice summary, elements;
    unsigned seen; /* result parameters given already, by row */
};

static enum err compile_count(struct compile *k, const struct fhir_criterion *c,
                              struct slice modifier)
{
    uint64_t n = 0;
    (void)modifier;
    if (!slice_u64(c->value, &n))
        return fhir_query_bad(&k->b, c, "0, 1, 2 …");
    k->q->search.limit = n > LIMIT_SEARCH_COUNT ? LIMIT_SEARCH_COUNT : (unsigned)n;
    k->q->count_only = k->q->count_only || n == 0;
    return ERR_OK;
}

static enum err compile_total(struct compile *k, const struct fhir_criterion *c,
                              struct slice modifier)
{
    (void)modifier;
    if (!slice_is(c->value, "none") && !slice_is(c->value, "estimate") &&
        !slice_is(c->value, "accurate"))
        return fhir_query_bad(&k->b, c, "none, estimate, accurate");
    k->q->search.count_total = !slice_is(c->value, "none");
    return ERR_OK;
}

static enum err compile_summary(struct compile *k, const struct fhir_criterion *c,
                                struct slice modifier)
{
    (void)modifier;
    k->summary = c->value;
    if (!c->value.len)
        return fhir_query_bad(&k->b, c, "true, false, text, data, count");
    return ERR_OK;
}

static enum err compile_elements(struct compile *k, const struct fhir_criterion *c,
                                 struct slice modifier)
{
    (void)modifier;
    k->elements = c->value;
    if (!c->value.len)
        return fhir_query_bad(&k->b, c, "element,element …");
    return ERR_OK;
}

static enum err compile_cursor(struct compile *k, const struct fhir_criterion *c,
                               struct slice modifier)
{
    (void)modifier;
    k->q->cursor = c->value;
    if (!c->value.len)
        return fhir_query_bad(&k->b, c, "next");
    return ERR_OK;
}

static enum err compile_include(struct compile *k, const struct fhir_criterion *c,
                                struct slice modifier)
{
    return fhir_include_parse(&k->b, c, false, modifier, k->q);
}

static enum err compile_revinclude(struct compile *k, const struct fhir_criterion *c,
                                   struct slice modifier)
{
    return fhir_include_parse(&k->b, c, true, modifier, k->q);
}

static bool sort_key(struct compile *k, struct slice name, struct search_sort *ret_sort)
{
    struct slice first = k->types.count ? k->types.items[0] : SLICE_NONE;
    const struct definition_param *def = fhir_query_chain_param(first, name);
    if (slice_is(name, "_lastUpdated") || slice_is(name, "_id")) {
        ret_sort->order = slice_is(name, "_id") ? SEARCH_BY_ID : SEARCH_BY_UPDATED;
        return true;
    }
    if (!def || def->kind == FACET_COMPOSITE || def->kind == FACET_SPECIAL)
        return false;
    for (size_t i = 1; i < k->types.count; i++) {
        const struct definition_param *other = definition_param(k->types.items[i], name);
        if (!other || other->number != def->number)
            return false; /* not one order over all types */
    }
    ret_sort->order = SEARCH_BY_PARAM;
    ret_sort->param = def->number;
    ret_sort->kind = def->kind;
    return true;
}

static enum err compile_sort(struct compile *k, const struct fhir_criterion *c,
                             struct slice modifier)
{
    struct search_sort *sorts = arena_array(k->b.r->arena, LIMIT_SORT_KEYS, sizeof(*sorts));
    size_t n = 0;
    (void)modifier;
    if (!sorts)
        return ERR_LIMIT;
    if (!c->value.len)
        return fhir_query_bad(&k->b, c, "[-]parameter,…");
    for (struct slice rest = c->value; rest.ptr; n++) {
        struct slice name = slice_cut(&rest, ',');
        if (n == LIMIT_SORT_KEYS)
            return err_add(&k->b.r->errors, ERR_TOO_LARGE, c->place, "more than %u keys",
                           LIMIT_SORT_KEYS);
        sorts[n].descending = slice_starts(name, SLICE("-"));
        name = slice_sub(name, sorts[n].descending, name.len);
        if (!sort_key(k, name, &sorts[n]))
            return fhir_query_unknown(&k->b, c->place,
                                      k->types.count == 1 ? k->types.items[0] : SLICE_NONE, name);
    }
    k->q->search.sorts = sorts;
    k->q->search.sort_count = n;
    return ERR_OK;
}

static enum err compile_contained(struct compile *k, const struct fhir_criterion *c,
                                  struct slice modifier)
{
    (void)modifier;
    if (slice_is(c->value, "false"))
        return ERR_OK;
    return err_add(&k->b.r->errors, ERR_UNKNOWN_PARAM, c->place, "%.*s; valid: false",
                   SLICE_ARG(shown(c->value)));
}

/* Taken care of before everything else (find_types). */
static enum err compile_type(struct compile *k, const struct fhir_criterion *c,
                             struct slice modifier)
{
    (void)k;
    (void)c;
    (void)modifier;
    return ERR_OK;
}

static const struct {
    const char *name;
    bool many;     /* may be repeated */
    bool modifier; /* takes one of its own */
    enum err (*compile)(struct compile *, const struct fhir_criterion *, struct slice);
} results[] = {
    {"_count", false, false, compile_count},
    {"_total", false, false, compile_total},
    {"_summary", false, false, compile_summary},
    {"_elements", false, false, compile_elements},
    {"_sort", false, false, compile_sort},
    {"_cursor", false, false, compile_cursor},
    {"_contained", false, false, compile_contained},
    {"_type", false, false, compile_type},
    {"_include", true, true, compile_include},
    {"_revinclude", true, true, compile_revinclude},
};
#define RESULTS (sizeof(results) / sizeof(*results))

static size_t find_result(struct slice name)
{
    size_t i = 0;
    while (i < RESULTS && !slice_is(name, results[i].name))
        i++;
    return i;
}

static enum err compile_result(struct compile *k, size_t row, const struct fhir_criterion *c,
                               struct slice modifier)
{
    if (modifier.len && !results[row].modifier)
        return err_add(&k->b.r->errors, ERR_UNKNOWN_PARAM, c->place, "%s", results[row].name);
    if (k->seen & (1u << row) && !results[row].many)
        return err_add(&k->b.r->errors, ERR_BAD_PARAM, c->place, "given twice");
    k->seen |= 1u << row;
    return results[row].compile(k, c, modifier);
}

/* ── types ───────────────────────────────────────────────────────────────────────────────────── */

static enum err add_type(struct compile *k, const struct fhir_criterion *c, struct slice name,
                         struct fhir_types within, struct slice *items, size_t *count)
{
    const struct definition_type *type = definition_type(name);
    bool found = within.count == 0 && type && type->kind == DEFINITION_RESOURCE;
    if (slice_is(name, "AuditEvent"))
        return fhir_query_bad(&k->b, c, "AuditEvent: GET [base]/AuditEvent");
    for (size_t i = 0; i < within.count; i++)
        found = found || slice_eq(within.items[i], name);
    if (!found)
        return fhir_query_bad(&k->b, c, "[type],[type] …");
    for (size_t i = 0; i < *count; i++)
        if (slice_eq(items[i], name))
            return ERR_OK;
    items[(*count)++] = name;
    return ERR_OK;
}

/* _type, within the types there are at all. */
static enum err narrow_types(struct compile *k, const struct fhir_criterion *c)
{
    size_t room = fhir_query_value_count(c->value), n = 0;
    struct slice *items = arena_array(k->b.r->arena, room + 1, sizeof(*items));
    enum err err = items ? ERR_OK : ERR_LIMIT;
    if (!err && (!c->value.len || room > LIMIT_SEARCH_VALUES))
        err = fhir_query_bad(&k->b, c, "[type],[type] …");
    for (struct slice rest = c->value; rest.ptr && !err;)
        err = add_type(k, c, fhir_query_value_cut(&rest), k->types, items, &n);
    if (!err)
        k->types = (struct fhir_types){items, n};
    return err;
}

static bool in_compartment(const struct fhir_input *in)
{
    return in->shape == FHIR_COMPARTMENT || in->shape == FHIR_COMPARTMENT_SEARCH;
}

/* The types that are searched: the path's, a compartment's, those of _type. */
static enum err find_types(struct compile *k)
{
    struct request *r = k->b.r;
    const struct fhir_input *in = r->input;
    bool all = in_compartment(in) ? slice_is(in->inner, "*") : !in->type.len;
    enum err err = ERR_OK;
    if (in_compartment(in))
        err = fhir_compartment_types(r, in->type, &k->types);
    if (!err && !all) {
        struct fhir_criterion path = {.place = "",
                                      .value = in_compartment(in) ? in->inner : in->type};
        err = narrow_types(k, &path);
    }
    for (unsigned i = 0; i < in->param_count && !err; i++) {
        const struct fhir_param *p = &in->params[i];
        struct fhir_criterion c = {.place = "_type", .value = p->value};
        if (slice_is(p->name, "_type"))
            err = all ? narrow_types(k, &c)
                      : err_add(&r->errors, ERR_UNKNOWN_PARAM, "_type", "GET [base]?_type=");
    }
    return err;
}

/* ── a request ───────────────────────────────────────────────────────────────────────────────── */

static struct slice whole_key(struct request *r, const struct fhir_param *p)
{
    return slice_str(arena_printf(r->arena, "%.*s%s%.*s", SLICE_ARG(p->name),
                                  p->modifier.len ? ":" : "", SLICE_ARG(p->modifier)));
}

static enum err compile_param(struct compile *k, const struct fhir_param *p)
{
    struct slice key = whole_key(k->b.r, p);
    struct fhir_criterion c = {.place = key.ptr, .key = key, .value = p->value};
    size_t row = find_result(p->name);
    if (!key.ptr)
        return ERR_LIMIT;
    if (row < RESULTS)
        return compile_result(k, row, &c, p->modifier);
    return fhir_query_chain(&k->b, k->types, &c, &k->filters);
}

/* What was not known is left out when the caller asked for that; wrong values are errors all the
 * same. */
static enum err compile_params(struct compile *k)
{
    struct fhir_input *in = k->b.r->input;
    enum err err = ERR_OK;
    for (unsigned i = 0; i < in->param_count && !err; i++) {
        struct err_list saved = k->b.r->errors;
        size_t filters = k->filters.count;
        if (fhir_param_is_format(&in->params[i]))
            continue;
        err = compile_param(k, &in->params[i]);
        if (err != ERR_UNKNOWN_PARAM || !in->lenient)
            continue;
        const struct err_item *item = k->b.r->errors.last;
        k->q->ignored[i] = true;
        k->q->why[i] = item ? item->en : "";
        k->filters.count = filters;
        fhir_query_forgive(k->b.r, saved);
        err = ERR_OK;
    }
    return err;
}

static enum err compile_subset(struct compile *k)
{
    struct fhir_criterion c = {.place = k->summary.len ? "_summary" : "_elements",
                               .value = k->summary.len ? k->summary : k->elements};
    enum err err = subset_parse(k->b.r->arena, k->summary, k->elements, &k->q->subset);
    if (err == ERR_BAD_PARAM)
        return fhir_query_bad(&k->b, &c,
                              "_summary=true, false, text, data, count; or _elements=element,…");
    k->q->count_only = k->q->count_only || k->q->subset.mode == SUBSET_COUNT;
    if (!err && k->q->subset.mode == SUBSET_TEXT && k->q->include_count)
        return err_add(&k->b.r->errors, ERR_BAD_PARAM, "_summary",
                       "text, with _include or _revinclude");
    return err;
}

enum err fhir_query_compile(struct session *s, struct request *r, struct fhir_query *query)
{
    const struct fhir_input *in = r->input;
    struct compile k = {.b = {.s = s, .r = r}, .q = query};
    enum err err = fhir_params(r);
    query->search.limit = LIMIT_SEARCH_COUNT_DEFAULT;
    query->search.count_total = true;
    if (!err)
        err = find_types(&k);
    if (!err && in_compartment(in))
        err = fhir_compartment_add(&k.b, in->type, in->id, k.types, &k.filters);
    if (!err)
        err = compile_params(&k);
    if (!err)
        err = compile_subset(&k);
    query->search.types = k.types.items;
    query->search.type_count = k.types.count;
    query->search.filters = (struct search_list){k.filters.items, k.filters.count};
    query->hidden_person = k.b.person;
    if (query->count_only) {
        query->search.limit = 0;
        query->search.count_total = true;
    }
    return err;
}

/* ── criteria that are not the request's own ─────────────────────────────────────────────────── */

static enum err parse_pair(struct fhir_build *b, struct fhir_types types, struct slice pair,
                           struct fhir_filters *list)
{
    struct arena *arena = b->r->arena;
    struct slice key = slice_sub(pair, 0, slice_find(pair, '=', 0));
    struct slice value = slice_sub(pair, key.len + 1, pair.len);
    if (!http1_decode(arena, key, true, &key) || !http1_decode(arena, value, true, &value))
        return err_add(&b->r->errors, ERR_BAD_PARAM, "", "escapes");
    const char *place = arena_str(arena, key);
    struct fhir_criterion c = {.place = place, .key = key, .value = value};
    struct slice name = slice_sub(key, 0, slice_find(key, ':', 0));
    if (!place)
        return ERR_LIMIT;
    if (find_result(name) < RESULTS)
        return err_add(&b->r->errors, ERR_UNKNOWN_PARAM, place, "only filters");
    return fhir_query_chain(b, types, &c, list);
}

enum err fhir_query_parse(struct session *s, struct request *r, struct slice type,
                          struct slice text, struct search *ret)
{
    struct fhir_build b = {.s = s, .r = r};
    struct slice *one = ARENA_NEW(r->arena, struct slice);
    struct fhir_filters list = {0};
    unsigned count = 0;
    enum err err = ERR_OK;
    if (!one)
        return ERR_LIMIT;
    *one = type;
    if (slice_starts(text, SLICE("?")))
        text = slice_sub(text, 1, text.len);
    for (struct slice rest = text; rest.ptr && rest.len && !err;) {
        struct slice pair = slice_cut(&rest, '&');
        if (!pair.len)
            continue;
        if (count++ == LIMIT_SEARCH_PARAMS)
            return err_add(&r->errors, ERR_TOO_LARGE, "", "more than %u parameters",
                           LIMIT_SEARCH_PARAMS);
        err = parse_pair(&b, (struct fhir_types){one, 1}, pair, &list);
    }
    if (err)
        return err;
    if (b.person)
        r->person = b.person;
    *ret = (struct search){.types = one,
                           .type_count = 1,
                           .filters = {list.items, list.count},
                           .limit = LIMIT_SEARCH_COUNT_DEFAULT};
    return ERR_OK;
}
