/* SPDX-License-Identifier: Apache-2.0
 *
 * See concepts.h. A hierarchy may name parents that name it in turn: the walk upwards is bounded by
 * a number of steps, not by trust.
 */
#include "mappers/fhir/concepts.h"

#include <stdlib.h>

#include "base/limits.h"

#include "base/banned.h"

#define STEPS_MAX 4096u /* upwards from one concept */
#define DEPTH_MAX 64u

/* ── reading ─────────────────────────────────────────────────────────────────────────────────── */

static size_t count_of(const struct json *holder)
{
    const struct json *list = json_get(holder, "concept");
    size_t count = 0;
    for (const struct json *i = list ? list->first : NULL; i; i = i->next)
        count += 1 + count_of(i);
    return count;
}

static void read_list(struct concepts *c, const struct json *holder, size_t parent)
{
    const struct json *list = json_get(holder, "concept");
    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        size_t at = c->count++;
        c->list[at] = (struct concepts_entry){i, json_str(i, "code"), parent};
        read_list(c, i, at);
    }
}

static int compare(const void *a, const void *b, void *list)
{
    const struct concepts_entry *entries = list;
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    int order = slice_cmp(entries[x].code, entries[y].code);
    return order ? order : (x > y) - (x < y);
}

enum err concepts_read(struct arena *arena, const struct json *system,
                       struct concepts *ret_concepts)
{
    const struct json *sensitive = json_get(system, "caseSensitive");
    size_t count = count_of(system);
    struct concepts c = {.system = system,
                         .ignore_case = sensitive && sensitive->kind == JSON_FALSE};
    if (count > LIMIT_VALUESET_CODES)
        return ERR_TOO_LARGE;
    c.list = arena_array(arena, count + 1, sizeof(*c.list));
    c.by_code = arena_array(arena, count + 1, sizeof(*c.by_code));
    if (!c.list || !c.by_code)
        return ERR_LIMIT;
    read_list(&c, system, CONCEPTS_NONE);
    for (size_t i = 0; i < c.count; i++)
        c.by_code[i] = i;
    qsort_r(c.by_code, c.count, sizeof(*c.by_code), compare, c.list);
    *ret_concepts = c;
    return ERR_OK;
}

size_t concepts_find(const struct concepts *c, struct slice code)
{
    size_t lo = 0, hi = c->count;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (slice_cmp(c->list[c->by_code[mid]].code, code) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo < c->count && slice_eq(c->list[c->by_code[lo]].code, code))
        return c->by_code[lo];
    for (size_t i = 0; c->ignore_case && i < c->count; i++) {
        if (slice_ieq(c->list[i].code, code))
            return i;
    }
    return CONCEPTS_NONE;
}

/* ── properties ──────────────────────────────────────────────────────────────────────────────── */

static struct slice value_of(const struct json *property)
{
    for (const struct json *m = property->first; m; m = m->next) {
        if (!slice_starts(m->key, SLICE("value")))
            continue;
        if (m->kind == JSON_OBJECT)
            return json_str(m, "code");
        return m->kind == JSON_TRUE    ? SLICE("true")
               : m->kind == JSON_FALSE ? SLICE("false")
                                       : m->text;
    }
    return SLICE_NONE;
}

/* The next property called NAME after *AT (NULL: the first). */
static const struct json *next_property(const struct concepts_entry *e, const char *name,
                                        const struct json *at)
{
    const struct json *list = json_get(e->json, "property");
    const struct json *i = at ? at->next : list ? list->first : NULL;
    while (i && !slice_is(json_str(i, "code"), name))
        i = i->next;
    return i;
}

static bool property_is(const struct concepts_entry *e, const char *name, struct slice value)
{
    for (const struct json *p = next_property(e, name, NULL); p; p = next_property(e, name, p)) {
        if (slice_eq(value_of(p), value))
            return true;
    }
    return false;
}

bool concepts_is_abstract(const struct concepts_entry *e)
{
    return property_is(e, "notSelectable", SLICE("true")) ||
           property_is(e, "abstract", SLICE("true"));
}

bool concepts_is_inactive(const struct concepts_entry *e)
{
    return property_is(e, "inactive", SLICE("true")) ||
           property_is(e, "status", SLICE("retired")) ||
           property_is(e, "status", SLICE("inactive"));
}

/* ── hierarchy ───────────────────────────────────────────────────────────────────────────────── */

static bool reaches(const struct concepts *c, size_t from, size_t target, unsigned depth,
                    unsigned *steps)
{
    static const char *const upwards[] = {"parent", "subsumedBy"};
    const struct concepts_entry *e = &c->list[from];
    if (from == target)
        return true;
    if (depth == 0 || *steps == 0)
        return false;
    --*steps;
    if (e->parent != CONCEPTS_NONE && reaches(c, e->parent, target, depth - 1, steps))
        return true;
    for (size_t n = 0; n < sizeof(upwards) / sizeof(upwards[0]); n++) {
        for (const struct json *p = next_property(e, upwards[n], NULL); p;
             p = next_property(e, upwards[n], p)) {
            size_t up = concepts_find(c, value_of(p));
            if (up != CONCEPTS_NONE && reaches(c, up, target, depth - 1, steps))
                return true;
        }
    }
    return false;
}

/* Is AT the same as ANCESTOR or below it? */
static bool is_a(const struct concepts *c, size_t at, size_t ancestor)
{
    unsigned steps = STEPS_MAX;
    return reaches(c, at, ancestor, DEPTH_MAX, &steps);
}

static bool has_parent(const struct concepts *c, size_t at, struct slice code)
{
    const struct concepts_entry *e = &c->list[at];
    if (e->parent != CONCEPTS_NONE && slice_eq(c->list[e->parent].code, code))
        return true;
    return property_is(e, "parent", code) || property_is(e, "subsumedBy", code);
}

/* ── filters ─────────────────────────────────────────────────────────────────────────────────── */

/* Is the property PROPERTY of concept AT equal to VALUE? */
static bool equals(const struct concepts *c, size_t at, struct slice property, struct slice value)
{
    const struct concepts_entry *e = &c->list[at];
    char name[65];
    if (slice_is(property, "code") || slice_is(property, "concept"))
        return slice_eq(e->code, value);
    if (slice_is(property, "display"))
        return slice_eq(json_str(e->json, "display"), value);
    if (slice_is(property, "parent"))
        return has_parent(c, at, value);
    if (slice_is(property, "child")) {
        size_t child = concepts_find(c, value);
        return child != CONCEPTS_NONE && has_parent(c, child, e->code);
    }
    if (property.len == 0 || property.len >= sizeof(name))
        return false;
    memcpy(name, property.ptr, property.len);
    name[property.len] = '\0';
    return property_is(e, name, value);
}

static bool in_list(const struct concepts *c, size_t at, struct slice property, struct slice values)
{
    while (values.ptr) {
        if (equals(c, at, property, slice_trim(slice_cut(&values, ','))))
            return true;
    }
    return false;
}

static bool exists(const struct concepts *c, size_t at, struct slice property)
{
    const struct concepts_entry *e = &c->list[at];
    const struct json *list = json_get(e->json, "property");
    if (slice_is(property, "parent") && e->parent != CONCEPTS_NONE)
        return true;
    if (slice_is(property, "display"))
        return json_str(e->json, "display").len > 0;
    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        if (slice_eq(json_str(i, "code"), property))
            return true;
    }
    return false;
}

static enum err filter_tree(const struct concepts *c, size_t at, struct slice op,
                            struct slice value, bool *ret_passes)
{
    size_t root = concepts_find(c, value);
    if (root == CONCEPTS_NONE)
        return ERR_NOT_SUPPORTED;
    if (slice_is(op, "is-a"))
        *ret_passes = is_a(c, at, root);
    else if (slice_is(op, "descendent-of"))
        *ret_passes = at != root && is_a(c, at, root);
    else if (slice_is(op, "is-not-a"))
        *ret_passes = !is_a(c, at, root);
    else
        *ret_passes = is_a(c, root, at); /* generalizes */
    return ERR_OK;
}

enum err concepts_filter(const struct concepts *c, size_t at, const struct json *filter,
                         bool *ret_passes)
{
    static const char *const trees[] = {"is-a", "descendent-of", "is-not-a", "generalizes"};
    struct slice op = json_str(filter, "op"), value = json_str(filter, "value");
    struct slice property = json_str(filter, "property");
    for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
        if (slice_is(op, trees[i]))
            return filter_tree(c, at, op, value, ret_passes);
    }
    if (slice_is(op, "="))
        *ret_passes = equals(c, at, property, value);
    else if (slice_is(op, "in"))
        *ret_passes = in_list(c, at, property, value);
    else if (slice_is(op, "not-in"))
        *ret_passes = !in_list(c, at, property, value);
    else if (slice_is(op, "exists"))
        *ret_passes = exists(c, at, property) == slice_is(value, "true");
    else
        return ERR_NOT_SUPPORTED;
    return ERR_OK;
}
