/* SPDX-License-Identifier: Apache-2.0
 *
 * Slicing (R4 profiling.html#slicing): each value is sorted into the first slice whose
 * discriminators it meets. A discriminator's path is followed both in the value and in the slice's
 * own tree; what the tree says there decides. Extensions are sliced by url even where nobody says
 * so, and choices by their type. Discriminators that need what is not here (resolve(), re-slicing)
 * leave the slice unchecked, said so.
 */
#include "base/limits.h"
#include "mappers/fhir/profile_impl.h"

#include "base/banned.h"

#define VALUES_MAX 64u /* values a discriminator's path may lead to; more are not looked at */

enum fit { FIT_NO, FIT_YES, FIT_UNKNOWN };

struct discriminator {
    struct slice type, path;
};

struct values {
    struct profile_item list[VALUES_MAX];
    size_t count;
};

/* ── paths ───────────────────────────────────────────────────────────────────────────────────── */

/* The next step of a path: up to a '.' that is in no parenthesis. */
static struct slice cut_step(struct slice *rest)
{
    size_t depth = 0, i = 0;
    for (; i < rest->len; i++) {
        char c = rest->ptr[i];
        depth += c == '(';
        depth -= c == ')' && depth > 0;
        if (c == '.' && depth == 0)
            break;
    }
    struct slice step = slice_sub(*rest, 0, i);
    *rest = i < rest->len ? slice_sub(*rest, i + 1, rest->len) : SLICE_NONE;
    return step;
}

/* The text in ('...') or (...) after NAME, if STEP is that function. */
static bool is_call(struct slice step, const char *name, struct slice *ret_argument)
{
    struct slice head = slice_str(name);
    if (!slice_starts(step, head) || step.len < head.len + 2 || step.ptr[head.len] != '(' ||
        step.ptr[step.len - 1] != ')')
        return false;
    struct slice inner = slice_sub(step, head.len + 1, step.len - head.len - 2);
    if (inner.len >= 2 && inner.ptr[0] == '\'')
        inner = slice_sub(inner, 1, inner.len - 2);
    *ret_argument = inner;
    return true;
}

static const struct json *object_of(const struct profile_item *item)
{
    return item->element->type && item->element->type->kind == DEFINITION_PRIMITIVE ? item->beside
                                                                                    : item->value;
}

static bool passes_step(const struct profile_item *item, const char *url, struct slice argument)
{
    const struct definition_type *type = profile_item_type(item);
    if (!argument.len)
        return true;
    if (url)
        return slice_eq(json_str(item->value, "url"), argument);
    return type && slice_is(argument, type->name);
}

/* One step from the items in FROM to those in TO. False when the step is not understood. */
static bool step_values(struct profile_run *run, struct slice step, const struct values *from,
                        struct values *to)
{
    struct slice argument = SLICE_NONE, name = step;
    bool extension = is_call(step, "extension", &argument);
    bool of_type = !extension && is_call(step, "ofType", &argument);
    if (!extension && !of_type && slice_find(step, '(', 0) < step.len)
        return false;
    if (extension)
        name = SLICE("extension");
    for (size_t i = 0; i < from->count; i++) {
        struct profile_item *items = (struct profile_item *)&from->list[i];
        size_t count = 1;
        const struct definition_type *type = profile_item_type(items);
        struct profile_node node = {.name = name}, choice = {0};
        if (!of_type && type) {
            choice.name = slice_str(arena_printf(run->arena, "%.*s[x]", SLICE_ARG(name)));
            const struct json *object = object_of(&from->list[i]);
            const struct place *place = &from->list[i].place;
            if (profile_items(run, &node, type, object, place, &items, &count))
                return false;
            if (count == 0 && profile_items(run, &choice, type, object, place, &items, &count))
                return false;
        }
        for (size_t n = 0; n < count && to->count < VALUES_MAX; n++) {
            if (passes_step(&items[n], extension ? "url" : NULL, argument))
                to->list[to->count++] = items[n];
        }
    }
    return true;
}

/* The values PATH leads to from ITEM. */
static bool follow_values(struct profile_run *run, struct slice path,
                          const struct profile_item *item, struct values *ret_values)
{
    struct values from = {.list = {*item}, .count = 1};
    struct slice rest = path;
    while (rest.ptr) {
        struct slice step = cut_step(&rest);
        struct values to = {.count = 0};
        if (slice_is(step, "$this"))
            continue;
        if (!step_values(run, step, &from, &to))
            return false;
        from = to;
    }
    *ret_values = from;
    return true;
}

/* The slice of an extension node whose url is URL. */
static const struct profile_node *extension_node(const struct profile_node *extensions,
                                                 struct slice url)
{
    for (const struct profile_node *s = extensions ? extensions->slices : NULL; s; s = s->next) {
        const struct profile_node *child = profile_tree_child(s, SLICE("url"));
        const struct json *fixed = child ? profile_tree_choice(child, "fixed") : NULL;
        const struct json *types = profile_tree_get(s, "type");
        const struct json *profile = json_path(types, "0", "profile", "0", NULL);
        if ((fixed && slice_eq(fixed->text, url)) ||
            (profile && slice_eq(canonical_url(profile->text), url)))
            return s;
    }
    return NULL;
}

/* The node PATH leads to from NODE, through profiles of types where the tree ends; NULL. */
static const struct profile_node *follow_node(struct profile_run *run,
                                              const struct profile_node *node, struct slice path,
                                              unsigned depth)
{
    const struct profile_node *at = node;
    struct slice rest = path, argument;
    while (rest.ptr && at) {
        struct slice step = cut_step(&rest);
        if (slice_is(step, "$this") || is_call(step, "ofType", &argument))
            continue;
        if (is_call(step, "extension", &argument)) {
            at = extension_node(profile_tree_child(at, SLICE("extension")), argument);
            continue;
        }
        const struct profile_node *child = profile_tree_child(at, step);
        if (!child)
            child = profile_tree_child(
                at, slice_str(arena_printf(run->arena, "%.*s[x]", SLICE_ARG(step))));
        if (!child && at->slices && !at->slices->next)
            child = profile_tree_child(at->slices, step);
        at = child;
    }
    const struct json *types = profile_tree_get(node, "type");
    const struct json *profile = json_path(types, "0", "profile", "0", NULL);
    struct profile_tree *tree = NULL;
    if (at || !profile || depth == 0 || profile_tree_of(run, profile->text, &tree))
        return at;
    return follow_node(run, tree->root, path, depth - 1);
}

/* ── one discriminator ───────────────────────────────────────────────────────────────────────── */

/* Does NODE say anything a value could fail? */
static bool constrains(const struct profile_node *node)
{
    const struct json *binding = profile_tree_get(node, "binding");
    return profile_tree_choice(node, "fixed") || profile_tree_choice(node, "pattern") ||
           node->children || slice_is(json_str(binding, "strength"), "required") ||
           json_path(profile_tree_get(node, "type"), "0", "profile", "0", NULL);
}

static enum fit fit_url(const struct profile_node *slice, const struct values *values)
{
    const struct json *types = profile_tree_get(slice, "type");
    const struct json *profile = json_path(types, "0", "profile", "0", NULL);
    if (!profile)
        return FIT_UNKNOWN;
    return values->count == 1 && values->list[0].value &&
                   slice_eq(values->list[0].value->text, canonical_url(profile->text))
               ? FIT_YES
               : FIT_NO;
}

/* Is VALUE the fixed value, or of the pattern, that NODE asks for? *RET_ASKS: does it ask? */
static bool is_asked_for(const struct profile_node *node, const struct json *value, bool *ret_asks)
{
    const struct json *fixed = profile_tree_choice(node, "fixed");
    const struct json *pattern = profile_tree_choice(node, "pattern");
    *ret_asks = fixed || pattern;
    return value && (!fixed || json_equal(value, fixed)) &&
           (!pattern || profile_value_matches(value, pattern));
}

/* value, pattern: one of the values is what the slice asks for there, or else passes all that it
 * says. */
static enum err fit_value(struct profile_run *run, const struct profile_node *slice,
                          const struct discriminator *d, const struct values *values,
                          enum fit *ret_fit)
{
    const struct profile_node *node = follow_node(run, slice, d->path, LIMIT_PROFILE_DEPTH);
    bool before = run->unknown, fits = false;
    enum fit fit = FIT_NO;
    enum err err = ERR_OK;
    if (!node || !constrains(node)) {
        *ret_fit = slice_is(d->path, "url") ? fit_url(slice, values) : FIT_UNKNOWN;
        return ERR_OK;
    }
    for (size_t i = 0; i < values->count && fit != FIT_YES && !err; i++) {
        bool asks = false;
        fits = is_asked_for(node, values->list[i].value, &asks);
        if (asks && fits)
            fit = FIT_YES;
        if (asks)
            continue;
        err = profile_fits(run, node, &values->list[i], &fits);
        if (fits)
            fit = run->unknown ? FIT_UNKNOWN : FIT_YES;
        run->unknown = before;
    }
    *ret_fit = fit;
    return err;
}

static enum fit fit_type(struct profile_run *run, const struct profile_node *slice,
                         const struct discriminator *d, const struct values *values)
{
    const struct profile_node *node = follow_node(run, slice, d->path, LIMIT_PROFILE_DEPTH);
    const struct json *types = node ? profile_tree_get(node, "type") : NULL;
    if (!types)
        return FIT_UNKNOWN;
    for (size_t i = 0; i < values->count; i++) {
        const struct definition_type *type = profile_item_type(&values->list[i]);
        for (const struct json *t = types->first; t && type; t = t->next) {
            if (slice_is(json_str(t, "code"), type->name))
                return FIT_YES;
        }
    }
    return FIT_NO;
}

static enum fit fit_exists(struct profile_run *run, const struct profile_node *slice,
                           const struct discriminator *d, const struct values *values)
{
    const struct profile_node *node = follow_node(run, slice, d->path, LIMIT_PROFILE_DEPTH);
    const struct json *min = node ? profile_tree_get(node, "min") : NULL;
    const struct json *max = node ? profile_tree_get(node, "max") : NULL;
    uint64_t n;
    if (max && slice_is(max->text, "0"))
        return values->count == 0 ? FIT_YES : FIT_NO;
    if (min && slice_u64(min->text, &n) && n > 0)
        return values->count > 0 ? FIT_YES : FIT_NO;
    return FIT_UNKNOWN;
}

static enum err fit_profile(struct profile_run *run, const struct profile_node *slice,
                            const struct discriminator *d, const struct values *values,
                            enum fit *ret_fit)
{
    const struct profile_node *node = follow_node(run, slice, d->path, 0);
    const struct json *types = node ? profile_tree_get(node, "type") : NULL;
    const struct json *profile = json_path(types, "0", "profile", "0", NULL);
    bool before = run->unknown, fits = false;
    enum fit fit = profile ? FIT_NO : FIT_UNKNOWN;
    enum err err = ERR_OK;
    for (size_t i = 0; profile && i < values->count && !fits && !err; i++) {
        err = profile_fits_profile(run, profile->text, &values->list[i], &fits);
        if (fits)
            fit = run->unknown ? FIT_UNKNOWN : FIT_YES;
        run->unknown = before;
    }
    *ret_fit = fit;
    return err;
}

static enum err fit_one(struct profile_run *run, const struct profile_node *slice,
                        const struct discriminator *d, const struct profile_item *item,
                        enum fit *ret_fit)
{
    struct values values = {.count = 0};
    *ret_fit = FIT_UNKNOWN;
    if (!follow_values(run, d->path, item, &values))
        return ERR_OK;
    if (slice_is(d->type, "value") || slice_is(d->type, "pattern"))
        return fit_value(run, slice, d, &values, ret_fit);
    if (slice_is(d->type, "profile"))
        return fit_profile(run, slice, d, &values, ret_fit);
    if (slice_is(d->type, "type"))
        *ret_fit = fit_type(run, slice, d, &values);
    else if (slice_is(d->type, "exists"))
        *ret_fit = fit_exists(run, slice, d, &values);
    return ERR_OK;
}

/* ── slices ──────────────────────────────────────────────────────────────────────────────────── */

/* A choice's slice named by its JSON name needs no discriminator: value[x]:valueQuantity. */
static bool is_named_choice(const struct profile_node *slice, const struct profile_item *item,
                            bool *ret_fits)
{
    const struct definition_element *e = item->element;
    struct slice base = slice_of(e->name, definition_base_len(e));
    if (!e->choice || !slice_starts(slice->slice, base) || slice->slice.len == base.len)
        return false;
    *ret_fits = slice_is(slice->slice, e->name);
    return true;
}

static enum err fit_slice(struct profile_run *run, const struct profile_node *slice,
                          const struct json *discriminators, const struct profile_item *item,
                          enum fit *ret_fit)
{
    static const struct discriminator by_url = {SLICE("value"), SLICE("url")};
    enum fit all = FIT_YES;
    enum err err = ERR_OK;
    bool named;
    if (is_named_choice(slice, item, &named)) {
        *ret_fit = named ? FIT_YES : FIT_NO;
        return ERR_OK;
    }
    if (!discriminators || !discriminators->first ||
        slice_find(slice->slice, '/', 0) < slice->slice.len) {
        bool extension =
            slice_is(slice->name, "extension") || slice_is(slice->name, "modifierExtension");
        *ret_fit = FIT_UNKNOWN;
        return extension ? fit_one(run, slice, &by_url, item, ret_fit) : ERR_OK;
    }
    for (const struct json *i = discriminators->first; i && all != FIT_NO && !err; i = i->next) {
        struct discriminator d = {json_str(i, "type"), json_str(i, "path")};
        enum fit one = FIT_UNKNOWN;
        err = fit_one(run, slice, &d, item, &one);
        all = one == FIT_NO ? FIT_NO : one == FIT_UNKNOWN ? FIT_UNKNOWN : all;
    }
    *ret_fit = all;
    return err;
}

struct sorting {
    const struct profile_node *node;
    const struct json *discriminators;
    const struct profile_item *items;
    size_t count;
    unsigned char *taken; /* by item: 1 in a slice, 2 perhaps */
};

/* Checks the items that are of SLICE, and how many there are. */
static enum err check_one(struct profile_run *run, struct sorting *s,
                          const struct profile_node *slice, const struct place *at)
{
    struct place place = {at, NULL, profile_name(slice), PLACE_SINGLE};
    size_t count = 0;
    bool unknown = false;
    enum err err = ERR_OK;
    for (size_t i = 0; i < s->count && !err; i++) {
        enum fit fit = FIT_NO;
        if (s->taken[i] == 1)
            continue;
        err = fit_slice(run, slice, s->discriminators, &s->items[i], &fit);
        unknown |= fit == FIT_UNKNOWN;
        if (fit == FIT_NO)
            continue;
        s->taken[i] = fit == FIT_YES ? 1 : 2;
        if (fit == FIT_YES && !err) {
            count++;
            err = profile_item_check(run, slice, &s->items[i]);
        }
    }
    if (unknown)
        profile_unchecked(run, &place, "the slice", "スライス", slice->slice);
    else if (!err)
        profile_count(run, slice, count, at);
    return err;
}

enum err profile_slice_check(struct profile_run *run, const struct profile_node *node,
                             const struct profile_item *items, size_t count, const struct place *at)
{
    const struct json *slicing = profile_tree_get(node, "slicing");
    struct sorting s = {.node = node,
                        .discriminators = json_get(slicing, "discriminator"),
                        .items = items,
                        .count = count};
    enum err err = ERR_OK;
    if (!node->slices)
        return ERR_OK;
    s.taken = arena_alloc(run->arena, count + 1);
    if (!s.taken)
        return ERR_LIMIT;
    for (const struct profile_node *slice = node->slices; slice && !err; slice = slice->next)
        err = check_one(run, &s, slice, at);
    for (size_t i = 0; i < count && !err && slice_is(json_str(slicing, "rules"), "closed"); i++) {
        if (s.taken[i] == 0)
            profile_say(run, ERR_SEVERITY_ERROR, ERR_INVALID, &items[i].place,
                        "the value fits none of the slices, and no others are allowed",
                        "どのスライスにも当てはまりません(それ以外は使えません)");
    }
    return err;
}
