/* SPDX-License-Identifier: Apache-2.0
 *
 * One walk over the tree along the tables. An object or list that would be left empty is left out,
 * or kept whole where it is mandatory: an empty object is no FHIR. Contained resources are decided
 * last, by the references that are left; a list instead of recursion, because a chain of them may
 * be long.
 */
#include "mappers/fhir/subset.h"

#include <stdlib.h>

#include "mappers/fhir/definition.h"

#include "base/banned.h"

#define TAG_SYSTEM "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
#define TAG_CODE "SUBSETTED"

/* One level of the walk: the entries of _elements that lead below here, less what was walked. */
struct cut {
    struct arena *arena;
    enum subset_mode mode;
    const struct slice *paths;
    size_t count;
};

/* ── parameters ──────────────────────────────────────────────────────────────────────────────── */

static enum err parse_elements(struct arena *arena, struct slice text, struct subset *how)
{
    struct slice *list, rest = text;
    size_t count = 1, n = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == ',';
    list = arena_array(arena, count, sizeof(*list));
    if (!list)
        return ERR_LIMIT;
    while (rest.ptr) {
        struct slice one = slice_trim(slice_cut(&rest, ','));
        if (!one.len)
            return ERR_BAD_PARAM;
        list[n++] = one;
    }
    *how = (struct subset){SUBSET_ELEMENTS, list, n};
    return ERR_OK;
}

enum err subset_parse(struct arena *arena, struct slice summary, struct slice elements,
                      struct subset *ret_subset)
{
    static const struct {
        const char *word;
        enum subset_mode mode;
    } words[] = {{"true", SUBSET_SUMMARY},
                 {"false", SUBSET_ALL},
                 {"text", SUBSET_TEXT},
                 {"data", SUBSET_DATA},
                 {"count", SUBSET_COUNT}};
    struct subset how = {.mode = SUBSET_ALL};
    size_t i = 0, words_count = sizeof(words) / sizeof(*words);
    while (summary.len && i < words_count && !slice_is(summary, words[i].word))
        i++;
    if (i == words_count)
        return ERR_BAD_PARAM;
    if (summary.len)
        how.mode = words[i].mode;
    if (elements.len) {
        if (how.mode != SUBSET_ALL)
            return ERR_BAD_PARAM;
        enum err err = parse_elements(arena, elements, &how);
        if (err)
            return err;
    }
    *ret_subset = how;
    return ERR_OK;
}

/* ── entries of _elements ────────────────────────────────────────────────────────────────────── */

/* Does STEP name E? By its JSON name, or a choice by the name all its types share. */
static bool names(struct slice step, const struct definition_element *e)
{
    if (slice_is(step, e->name))
        return true;
    if (!e->choice)
        return false;
    if (slice_ends(step, SLICE("[x]")))
        step.len -= 3;
    return slice_eq(step, slice_of(e->name, definition_base_len(e)));
}

static const struct definition_type *resource_type(struct slice name)
{
    const struct definition_type *type = definition_type(name);
    return type && type->kind == DEFINITION_RESOURCE ? type : NULL;
}

static const struct definition_element *find_named(const struct definition_type *type,
                                                   struct slice step)
{
    for (size_t i = 0; i < type->element_count; i++)
        if (names(step, type->order[i]))
            return type->order[i];
    return NULL;
}

bool subset_known(struct slice type, struct slice element)
{
    struct slice rest = element, step = slice_cut(&rest, '.');
    const struct definition_type *at = resource_type(step);
    if (at && rest.ptr)
        step = slice_cut(&rest, '.');
    else
        at = resource_type(type);
    while (at) {
        const struct definition_element *e = find_named(at, step);
        if (!e || !rest.ptr)
            return e != NULL;
        at = e->type;
        step = slice_cut(&rest, '.');
    }
    return false;
}

/* The entries that hold for resources of TYPE, without its prefix. */
static bool enter_resource(struct cut *c, const struct definition_type *type,
                           const struct subset *how)
{
    struct slice *paths = arena_array(c->arena, how->count, sizeof(*paths));
    c->paths = paths;
    c->count = 0;
    for (size_t i = 0; paths && i < how->count; i++) {
        struct slice rest = how->elements[i], step = slice_cut(&rest, '.');
        bool prefixed = rest.ptr && resource_type(step);
        if (!prefixed)
            paths[c->count++] = how->elements[i];
        else if (slice_is(step, type->name))
            paths[c->count++] = rest;
    }
    return paths || how->count == 0;
}

enum choice { DROP, KEEP, ENTER };

/* What the entries say of E; the entries that go on below it to CHILD. */
static enum choice ask_paths(const struct cut *c, const struct definition_element *e,
                             struct cut *child)
{
    struct slice *below = NULL;
    for (size_t i = 0; i < c->count; i++) {
        struct slice rest = c->paths[i], step = slice_cut(&rest, '.');
        if (!names(step, e))
            continue;
        if (!rest.ptr)
            return KEEP;
        if (!below && !(below = arena_array(c->arena, c->count, sizeof(*below))))
            return DROP; /* the arena is exhausted; subset_apply tells */
        below[child->count++] = rest;
    }
    child->paths = below;
    return below ? ENTER : DROP;
}

static bool is_element(const struct definition_element *e, const char *name)
{
    return strcmp(e->name, name) == 0;
}

/* An element of the resource itself (TOP) or of something inside it. */
static enum choice decide(const struct cut *c, const struct definition_element *e, bool top,
                          struct cut *child)
{
    *child = (struct cut){.arena = c->arena, .mode = c->mode};
    if (top && is_element(e, "contained"))
        return KEEP; /* as a whole; keep_contained decides on each one inside */
    switch (c->mode) {
    case SUBSET_SUMMARY:
        return e->summary || e->min ? ENTER : DROP;
    case SUBSET_TEXT:
        return e->min || is_element(e, "id") || is_element(e, "meta") || is_element(e, "text")
                   ? KEEP
                   : DROP;
    case SUBSET_DATA:
        return is_element(e, "text") ? DROP : KEEP;
    case SUBSET_ELEMENTS: {
        enum choice said = ask_paths(c, e, child);
        if (said != DROP)
            return said;
        return e->min || e->modifier || (top && (is_element(e, "id") || is_element(e, "meta")))
                   ? KEEP
                   : DROP;
    }
    default:
        return KEEP;
    }
}

/* ── the walk ────────────────────────────────────────────────────────────────────────────────── */

static bool cut_object(const struct cut *c, const struct definition_type *type, struct json *object,
                       bool top);

static bool cut_resource(struct arena *arena, struct json *resource, const struct subset *how);

/* False when nothing of VALUE would be left; it is then as it was. */
static bool cut_value(const struct cut *c, const struct definition_element *e, struct json *value)
{
    struct subset how = {c->mode, c->paths, c->count};
    if (!e->type) /* a resource: of a Bundle's entry */
        return cut_resource(c->arena, value, &how);
    if (e->type->kind == DEFINITION_PRIMITIVE || slice_is(slice_str(e->type->name), "Extension"))
        return true;
    return cut_object(c, e->type, value, false);
}

static void replace_children(struct json *parent, struct json *first, struct json *last,
                             uint32_t count)
{
    parent->first = first;
    parent->last = last;
    parent->count = count;
    if (last)
        last->next = NULL;
}

/* The items of which something is left. */
static bool cut_list(const struct cut *c, const struct definition_element *e, struct json *list)
{
    struct json *first = NULL, *last = NULL, *next;
    uint32_t count = 0;
    if (e->type && e->type->kind == DEFINITION_PRIMITIVE)
        return true; /* and so are null items, which only primitives have */
    for (struct json *i = list->first; i; i = next) {
        next = i->next;
        if (!cut_value(c, e, i) && !e->min)
            continue;
        *(last ? &last->next : &first) = i;
        last = i;
        count++;
    }
    if (!count)
        return false;
    replace_children(list, first, last, count);
    return true;
}

static bool keeps(const struct cut *c, const struct definition_type *type, struct json *member,
                  bool top)
{
    struct slice name = member->key;
    struct cut child;
    if (type->kind == DEFINITION_RESOURCE && slice_is(name, "resourceType"))
        return true;
    bool beside = name.len && name.ptr[0] == '_';
    const struct definition_element *e =
        definition_element(type, beside ? slice_sub(name, 1, name.len) : name);
    if (!e)
        return false;
    enum choice choice = decide(c, e, top, &child);
    if (choice != ENTER || beside)
        return choice != DROP;
    bool left =
        member->kind == JSON_ARRAY ? cut_list(&child, e, member) : cut_value(&child, e, member);
    return left || e->min;
}

/* A list that was shortened in an object that is then found empty cannot be put together again; but
 * then no member was kept, so none was shortened. */
static bool cut_object(const struct cut *c, const struct definition_type *type, struct json *object,
                       bool top)
{
    struct json *first = NULL, *last = NULL, *next, **link = &first;
    uint32_t count = 0;
    if (object->kind != JSON_OBJECT)
        return true;
    struct json *lost = NULL, **lost_link = &lost;
    for (struct json *m = object->first; m; m = next) {
        next = m->next;
        if (keeps(c, type, m, top)) {
            *link = last = m;
            link = &m->next;
            count++;
        } else {
            *lost_link = m;
            lost_link = &m->next;
        }
        m->next = NULL;
    }
    if (!count) {
        object->first = lost; /* all of them, in order */
        return false;
    }
    replace_children(object, first, last, count);
    return true;
}

/* ── contained resources ─────────────────────────────────────────────────────────────────────── */

struct target {
    struct slice id;
    struct json *resource;
    bool kept;
};

struct targets {
    struct target *items; /* sorted by id */
    size_t count;
    struct json **todo; /* kept, not looked through yet */
    size_t todo_count;
};

static int compare_targets(const void *a, const void *b)
{
    return slice_cmp(((const struct target *)a)->id, ((const struct target *)b)->id);
}

/* Marks the contained resources that any text in VALUE names as "#id". */
static void mark(struct targets *t, const struct json *value)
{
    if (value->kind == JSON_STRING && value->text.len > 1 && value->text.ptr[0] == '#') {
        struct target key = {.id = slice_sub(value->text, 1, value->text.len)};
        struct target *found =
            bsearch(&key, t->items, t->count, sizeof(*t->items), compare_targets);
        if (found && !found->kept) {
            found->kept = true;
            t->todo[t->todo_count++] = found->resource;
        }
    }
    for (const struct json *i = value->first; i; i = i->next)
        mark(t, i);
}

static bool is_kept(const struct targets *t, const struct json *resource)
{
    struct target key = {.id = json_str(resource, "id")};
    const struct target *found =
        bsearch(&key, t->items, t->count, sizeof(*t->items), compare_targets);
    return found && found->kept;
}

/* Only what the rest of RESOURCE still refers to, itself or through others. */
static void keep_contained(struct arena *arena, struct json *resource)
{
    struct json *list = json_get(resource, "contained");
    struct json *first = NULL, *next, *last = NULL;
    uint32_t count = 0;
    if (!list || list->kind != JSON_ARRAY)
        return;
    json_remove(resource, "contained");
    struct targets t = {.items = arena_array(arena, list->count, sizeof(*t.items)),
                        .todo = arena_array(arena, list->count, sizeof(*t.todo))};
    if (!t.items || !t.todo)
        return;
    for (struct json *i = list->first; i; i = i->next)
        t.items[t.count++] = (struct target){json_str(i, "id"), i, false};
    qsort(t.items, t.count, sizeof(*t.items), compare_targets);
    mark(&t, resource);
    while (t.todo_count)
        mark(&t, t.todo[--t.todo_count]);
    for (struct json *i = list->first; i; i = next) {
        next = i->next;
        if (!is_kept(&t, i))
            continue;
        *(last ? &last->next : &first) = i;
        last = i;
        count++;
    }
    replace_children(list, first, last, count);
    if (count)
        json_set(resource, "contained", list);
}

/* ── the resource ────────────────────────────────────────────────────────────────────────────── */

static void add_tag(struct arena *arena, struct json *resource)
{
    struct json *meta = json_get(resource, "meta");
    if (!meta)
        meta = json_put_object(arena, resource, "meta");
    struct json *tags = json_get(meta, "tag");
    if (!tags)
        tags = json_put_array(arena, meta, "tag");
    for (const struct json *i = tags ? tags->first : NULL; i; i = i->next)
        if (slice_is(json_str(i, "code"), TAG_CODE) && slice_is(json_str(i, "system"), TAG_SYSTEM))
            return;
    struct json *tag = json_push_object(arena, tags);
    json_put_text(arena, tag, "system", TAG_SYSTEM);
    json_put_text(arena, tag, "code", TAG_CODE);
}

static bool cut_resource(struct arena *arena, struct json *resource, const struct subset *how)
{
    struct cut c = {.arena = arena, .mode = how->mode};
    const struct definition_type *type = resource_type(json_str(resource, "resourceType"));
    if (!type || !enter_resource(&c, type, how))
        return true;
    (void)cut_object(&c, type, resource, true); /* resourceType is always left */
    if (how->mode != SUBSET_DATA)
        keep_contained(arena, resource);
    add_tag(arena, resource);
    return true;
}

enum err subset_apply(struct arena *arena, struct json *resource, const struct subset *how)
{
    if (how->mode != SUBSET_ALL && how->mode != SUBSET_COUNT)
        (void)cut_resource(arena, resource, how);
    return arena_exhausted(arena) ? ERR_LIMIT : ERR_OK;
}

enum err subset_text(struct arena *arena, struct slice body, const struct subset *how,
                     struct buf *out)
{
    struct json *resource = NULL;
    struct json_fault fault;
    enum err err = json_parse(arena, body, &resource, &fault);
    if (!err)
        err = subset_apply(arena, resource, how);
    if (err)
        return err == ERR_MALFORMED ? ERR_INTERNAL : err;
    json_print(out, resource);
    return buf_err(out);
}
