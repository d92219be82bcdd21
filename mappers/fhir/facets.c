/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks a resource and the tree of all search expressions of its type (gen/README.md) side by side,
 * each member once, so the work is that of the resource's size and not of the number of parameters.
 * What a value gives is said in leaf.c. A composite parameter's element opens a group; groups that
 * lack a component are dropped at its end.
 */
#include "mappers/fhir/facets.h"

#include <assert.h>

#include "mappers/fhir/precision.h"
#include "mappers/fhir/gen/tables.h"
#include "mappers/fhir/leaf.h"

#include "base/banned.h"

#define USUAL_COUNT 64u

struct walk {
    struct leaf leaf;
    const struct json *resource;
    uint16_t groups;                 /* numbers given out */
    uint16_t group_at[TABLES_DEPTH]; /* group of the element at each depth */
};

static void visit(struct walk *w, const struct tables_node *node, const struct json *v,
                  unsigned depth);

/* ── filters ─────────────────────────────────────────────────────────────────────────────────── */

static bool has_extension(const struct json *v, const char *url)
{
    const struct json *list = json_get(v, "extension");
    const struct json *e = list && list->kind == JSON_ARRAY ? list->first : NULL;
    for (; e; e = e->next) {
        if (slice_is(json_str(e, "url"), url))
            return true;
    }
    return false;
}

static bool passes(const struct tables_step_filter *filter, const struct json *v, bool first)
{
    switch (filter->kind) {
    case TABLES_FIRST:
        return first;
    case TABLES_MEMBER:
        return slice_is(json_str(v, filter->key), filter->value);
    case TABLES_EXTENSION:
        return has_extension(v, filter->value);
    default:
        return true;
    }
}

/* ── steps ───────────────────────────────────────────────────────────────────────────────────── */

/* What member V gives to the step CHILD: each item of a list. */
static void take(struct walk *w, const struct tables_node *child, const struct json *v,
                 unsigned depth)
{
    const struct tables_step_filter *filter = &tables_filters[child->filter];
    if (v->kind != JSON_ARRAY) {
        if (passes(filter, v, true))
            visit(w, child, v, depth);
        return;
    }
    for (const struct json *i = v->first; i && w->leaf.err == ERR_OK; i = i->next) {
        if (passes(filter, i, i == v->first))
            visit(w, child, i, depth);
    }
}

static int compare(struct slice a, const struct tables_node *b)
{
    size_t len = a.len < b->name_len ? a.len : b->name_len;
    int order = memcmp(a.ptr, b->name, len);
    return order != 0 ? order : (int)(a.len > len) - (int)(b->name_len > len);
}

/* The first child of NODE whose name is not less. */
static unsigned lower_bound(const struct tables_node *node, struct slice name)
{
    unsigned lo = 0;
    unsigned hi = node->child_count;
    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        if (compare(name, &tables_nodes[node->first_child + mid]) > 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void visit_members(struct walk *w, const struct tables_node *node, const struct json *object,
                          unsigned depth)
{
    for (const struct json *m = object->first; m && w->leaf.err == ERR_OK; m = m->next) {
        unsigned at = m->key.len > 0 ? lower_bound(node, m->key) : node->child_count;
        for (; at < node->child_count; at++) {
            const struct tables_node *child = &tables_nodes[node->first_child + at];
            if (compare(m->key, child) != 0)
                break;
            take(w, child, m, depth + 1);
        }
    }
}

/* ── composites ──────────────────────────────────────────────────────────────────────────────── */

/* Which of the node's groups an item is of. */
static unsigned group_of(const struct tables_node *node, uint16_t param)
{
    unsigned i = 0;
    while (tables_params[tables_groups[node->first_group + i].param].number != param)
        i++;
    assert(i < node->group_count);
    return i;
}

/* Drops items of GROUP, from item START on, whose parameter has not all its components. True if any
 * are left. */
static bool drop_incomplete(struct walk *w, const struct tables_node *node, uint16_t group,
                            size_t start)
{
    unsigned seen[UINT8_MAX] = {0};
    struct facet *items = w->leaf.items;
    size_t kept = start;
    bool any = false;
    for (size_t i = start; i < w->leaf.count; i++) {
        if (items[i].group == group)
            seen[group_of(node, items[i].param)] |= 1u << items[i].part;
    }
    for (size_t i = start; i < w->leaf.count; i++) {
        if (items[i].group == group) {
            unsigned at = group_of(node, items[i].param);
            if (seen[at] != (1u << tables_groups[node->first_group + at].part_count) - 1)
                continue;
            any = true;
        }
        if (kept != i)
            items[kept] = items[i];
        kept++;
    }
    w->leaf.count = kept;
    return any;
}

static void visit_group(struct walk *w, const struct tables_node *node, const struct json *v,
                        unsigned depth)
{
    size_t start = w->leaf.count;
    if (w->groups == UINT16_MAX) {
        w->leaf.err = ERR_TOO_LARGE;
        return;
    }
    uint16_t group = w->group_at[depth] = ++w->groups;
    visit_members(w, node, v, depth);
    for (unsigned i = 0; i < node->group_count; i++) {
        const struct tables_group *g = &tables_groups[node->first_group + i];
        if (g->outer > 0)
            visit(w, &tables_nodes[g->outer], w->resource, depth);
    }
    if (!drop_incomplete(w, node, group, start) && w->groups == group)
        w->groups--; /* the number was not used */
}

static void visit(struct walk *w, const struct tables_node *node, const struct json *v,
                  unsigned depth)
{
    for (unsigned i = 0; i < node->leaf_count; i++) {
        const struct tables_leaf *l = &tables_leaves[node->first_leaf + i];
        w->leaf.param = &tables_params[l->param];
        w->leaf.part = l->part;
        w->leaf.group = l->level > 0 ? w->group_at[l->level - 1] : 0;
        w->leaf.kind = l->level > 0 ? w->leaf.param->parts[l->part].kind : w->leaf.param->kind;
        w->leaf.target = slice_str(l->target);
        leaf_add(&w->leaf, l->letter, v);
    }
    if (v->kind != JSON_OBJECT)
        return;
    if (node->group_count > 0)
        visit_group(w, node, v, depth);
    else if (node->child_count > 0)
        visit_members(w, node, v, depth);
}

enum err facets_extract(struct arena *arena, const struct json *resource,
                        struct facet_list *ret_facets)
{
    struct facet usual[USUAL_COUNT]; /* most resources need no more, and an arena is wiped as far as
                                        it was used */
    struct walk w = {.leaf = {.arena = arena, .items = usual, .capacity = USUAL_COUNT},
                     .resource = resource};
    struct leaf *leaf = &w.leaf;
    const struct tables_node *root = definition_tree(json_str(resource, "resourceType"));
    if (root)
        visit(&w, root, resource, 0);
    struct facet *items = leaf->items;
    if (leaf->err == ERR_OK && items == usual) {
        items = arena_array(arena, leaf->count, sizeof(*items));
        if (items && leaf->count > 0)
            memcpy(items, usual, leaf->count * sizeof(*items));
    }
    if (leaf->err == ERR_OK && arena_exhausted(arena))
        leaf->err = ERR_LIMIT;
    if (leaf->err == ERR_OK)
        *ret_facets = (struct facet_list){items, leaf->count};
    return leaf->err;
}

bool facets_number(struct slice literal, double *ret_lo, double *ret_hi, double *ret_exact)
{
    double exact;
    if (!precision_value(literal, &exact) || !precision_bounds(literal, ret_lo, ret_hi))
        return false;
    *ret_exact = exact;
    return true;
}
