/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads an operation's parts, finds the place by FHIRPath on a copy of the target, builds the value
 * as the place's definition wants it, and changes the copy. Emptied objects stay until the end, so
 * that a later operation may fill them, and are then taken away: FHIR has no empty elements.
 */
#include "mappers/fhir/patch_fhirpath.h"

#include "base/limits.h"
#include "mappers/fhir/fhirpath.h"
#include "mappers/fhir/gen/tables.h"
#include "mappers/fhir/patch_piece.h"

#include "base/banned.h"

struct work {
    struct arena *arena;
    struct json *root;
    uint64_t steps;  /* left, for evaluation and copying */
    unsigned height; /* of ROOT, at most */
    struct err_list *errors;
    unsigned index;
    /* the operation's parts; NULL: absent */
    struct json *type, *path, *name, *value, *at, *source, *destination;
    struct fhirpath *compiled;
};

static enum err fail(struct work *w, enum err code, const char *en, const char *ja)
{
    const char *place = arena_printf(w->arena, "Parameters.parameter[%u]", w->index);
    return err_add_words(w->errors, code, place ? place : "Parameters", en, ja);
}

/* The same, with the words that name the place in the resource before. */
static enum err fail_at(struct work *w, enum err code, struct slice what, const char *en,
                        const char *ja)
{
    const char *en_text = arena_printf(w->arena, "%.*s: %s", SLICE_ARG(what), en);
    const char *ja_text = arena_printf(w->arena, "%.*s: %s", SLICE_ARG(what), ja);
    return fail(w, code, en_text ? en_text : en, ja_text ? ja_text : ja);
}

static struct slice path_text(const struct work *w)
{
    return json_str(w->path, "valueString");
}

/* ── building values ─────────────────────────────────────────────────────────────────────────── */

/* Levels of VALUE, counting each value below it as a step. */
static enum err measure(struct work *w, const struct json *value, unsigned *ret_height)
{
    unsigned height = 0;
    enum err err = ERR_OK;
    if (w->steps <= 1)
        return fail(w, ERR_TOO_LARGE, "the patch does too much", "パッチの処理量が多すぎます");
    w->steps--;
    for (const struct json *c = value->first; c && !err; c = c->next) {
        unsigned below = 0;
        err = measure(w, c, &below);
        height = below > height ? below : height;
    }
    if (!err)
        *ret_height = height + 1;
    return err;
}

static enum err copy_of(struct work *w, const struct json *value, struct json **ret_copy)
{
    unsigned height;
    enum err err = value ? measure(w, value, &height) : ERR_OK;
    if (err)
        return err;
    *ret_copy = json_clone(w->arena, value);
    return *ret_copy || !value ? ERR_OK : ERR_LIMIT;
}

/* What a part carries: value[x] with its type, a resource, or parts. */
struct carried {
    struct json *node;
    struct json *shadow;
    const struct definition_type *type; /* of value[x] */
    struct json *parts;
    struct json *resource;
};

static struct carried carried_by(const struct json *part)
{
    const struct definition_type *owner = definition_type(SLICE("Parameters.parameter"));
    struct carried c = {.parts = json_get(part, "part"), .resource = json_get(part, "resource")};
    for (struct json *m = part->first; m; m = m->next) {
        bool shadow = m->key.len > 0 && m->key.ptr[0] == '_';
        struct slice key = shadow ? slice_sub(m->key, 1, m->key.len) : m->key;
        const struct definition_element *e = definition_element(owner, key);
        if (!e || !e->choice || (c.type && c.type != e->type))
            continue;
        c.type = e->type;
        *(shadow ? &c.shadow : &c.node) = m;
    }
    return c;
}

static bool is_quantity(const struct definition_type *type)
{
    static const char *const kinds[] = {"Quantity", "Age", "Count", "Distance", "Duration"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(type->name, kinds[i]) == 0)
            return true;
    }
    return false;
}

/* May what C carries stand where ELEMENT is? Primitives' formats are for validation to judge. */
static bool fits(const struct definition_element *element, const struct carried *c)
{
    const struct definition_type *wanted = element->type;
    if (!wanted)
        return c->resource != NULL;
    if (c->parts)
        return wanted->kind == DEFINITION_BACKBONE || wanted->kind == DEFINITION_COMPLEX;
    if (!c->type)
        return false;
    if (wanted->kind == DEFINITION_PRIMITIVE)
        return c->type->kind == DEFINITION_PRIMITIVE;
    return wanted == c->type || (is_quantity(wanted) && is_quantity(c->type));
}

/* The element called NAME in TYPE that takes what C carries; of a choice, the one of its type. */
static const struct definition_element *pick(const struct definition_type *type, struct slice name,
                                             const struct carried *c)
{
    char full[128];
    const struct definition_element *e = definition_element(type, name);
    if (e || !c->type || name.len == 0 || name.len + strlen(c->type->name) >= sizeof(full))
        return e;
    size_t len = strlen(c->type->name);
    memcpy(full, name.ptr, name.len);
    memcpy(full + name.len, c->type->name, len);
    if (full[name.len] >= 'a' && full[name.len] <= 'z')
        full[name.len] = (char)(full[name.len] - 32);
    e = definition_element(type, slice_of(full, name.len + len));
    return e && e->choice ? e : NULL;
}

static enum err add_to(struct work *w, struct json *object, const struct definition_type *type,
                       struct slice name, const struct json *part);

/* The content of ELEMENT from what C carries. */
static enum err build(struct work *w, const struct definition_element *element,
                      const struct carried *c, struct patch_piece *ret_piece)
{
    struct patch_piece piece = {NULL, NULL};
    enum err err = ERR_OK;
    if (!fits(element, c))
        return fail_at(w, ERR_INVALID, slice_str(element->name),
                       "the value is not of the type that belongs here",
                       "値の型がこの場所に合いません");
    if (!c->parts) {
        err = copy_of(w, c->resource && !element->type ? c->resource : c->node, &piece.node);
        if (!err)
            err = copy_of(w, c->shadow, &piece.shadow);
    } else if (!(piece.node = json_new(w->arena, JSON_OBJECT))) {
        err = ERR_LIMIT;
    }
    for (const struct json *p = c->parts ? c->parts->first : NULL; p && !err; p = p->next)
        err = add_to(w, piece.node, element->type, json_str(p, "name"), p);
    if (!err)
        *ret_piece = piece;
    return err;
}

/* Is a member of E's choice there, or E itself? */
static bool is_taken(const struct json *object, const struct definition_type *type,
                     const struct definition_element *e)
{
    if (!e->choice)
        return patch_piece_has(object, e);
    for (uint16_t i = 0; i < type->element_count; i++) {
        if (type->elements[i].choice == e->choice && patch_piece_has(object, &type->elements[i]))
            return true;
    }
    return false;
}

/* Adds the element NAME with what PART carries to OBJECT, which is of TYPE. */
static enum err add_to(struct work *w, struct json *object, const struct definition_type *type,
                       struct slice name, const struct json *part)
{
    struct carried c = carried_by(part);
    struct patch_piece piece;
    const struct definition_element *e = pick(type, name, &c);
    if (!e)
        return fail_at(w, ERR_INVALID, name, "there is no such element here",
                       "この場所にこの要素はありません");
    if (!e->many && is_taken(object, type, e))
        return fail_at(w, ERR_INVALID, name, "the element is there already and does not repeat",
                       "この要素は既にあり、繰り返せません");
    enum err err = build(w, e, &c, &piece);
    if (err)
        return err;
    return e->many ? patch_piece_insert(w->arena, object, e, patch_piece_count(object, e), piece)
                   : patch_piece_set(w->arena, object, e, piece);
}

/* ── finding places ──────────────────────────────────────────────────────────────────────────── */

static enum err tell_fault(struct work *w, enum err code, const struct fhirpath_fault *fault)
{
    const char *en = arena_printf(w->arena, "column %u: %s", fault->column, fault->en);
    const char *ja = arena_printf(w->arena, "%u 文字目: %s", fault->column, fault->ja);
    return fail_at(w, code, path_text(w), en ? en : fault->en, ja ? ja : fault->ja);
}

static enum err evaluate(struct work *w, const struct fhirpath *path,
                         struct fhirpath_values *ret_values)
{
    struct fhirpath_scene scene = {w->root, NULL, NULL, NULL, &w->steps};
    struct fhirpath_fault fault;
    enum err err = fhirpath_eval(path, w->arena, &scene, ret_values, &fault);
    return err ? tell_fault(w, err, &fault) : ERR_OK;
}

/* Is ITEM part of the resource that is patched? A computed value and what a reference names are
 * not. */
static bool is_ours(const struct work *w, const struct fhirpath_value *item)
{
    const struct json *list = json_get(w->root, "contained");
    if (item->parent || item->node == w->root)
        return true;
    for (const struct json *c = list ? list->first : NULL; c; c = c->next) {
        if (c == item->node)
            return true;
    }
    return false;
}

/* The one item the path leads to; *RET_FOUND is false when there is none. */
static enum err find_one(struct work *w, const struct fhirpath *path,
                         struct fhirpath_value *ret_item, bool *ret_found)
{
    struct fhirpath_values values = {0};
    enum err err = evaluate(w, path, &values);
    if (err)
        return err;
    if (values.count > 1)
        return fail_at(w, ERR_INVALID, path_text(w), "the path must lead to one element",
                       "パスは1つの要素を指す必要があります");
    *ret_found = values.count == 1;
    if (!*ret_found)
        return ERR_OK;
    if (!is_ours(w, values.items))
        return fail_at(w, ERR_INVALID, path_text(w), "the path leads out of the resource",
                       "パスがリソースの外を指しています");
    *ret_item = values.items[0];
    return ERR_OK;
}

static enum err missing(struct work *w)
{
    return fail_at(w, ERR_INVALID, path_text(w), "there is nothing at this path",
                   "このパスには何もありません");
}

/* The one element the path leads to, which hangs in another. */
static enum err find_element(struct work *w, struct fhirpath_value *ret_item, bool *ret_found)
{
    enum err err = find_one(w, w->compiled, ret_item, ret_found);
    if (!err && *ret_found && !ret_item->parent)
        err = fail_at(w, ERR_INVALID, path_text(w), "a whole resource cannot be changed so",
                      "リソース全体には使えません");
    return err;
}

/* A list: where it hangs and what is in it. */
struct list {
    struct json *parent;
    const struct definition_element *element;
    const struct definition_type *owner;
    uint32_t count;
};

/* A list that is not there yet, by its owner and its name. */
static enum err find_absent_list(struct work *w, const struct carried *c, struct list *ret_list)
{
    struct fhirpath owner;
    struct slice name;
    struct fhirpath_value item;
    bool found = false;
    if (!fhirpath_split(w->compiled, &owner, &name))
        return missing(w);
    enum err err = find_one(w, &owner, &item, &found);
    if (err)
        return err;
    const struct definition_element *e = found && item.type ? pick(item.type, name, c) : NULL;
    bool object = found && item.node && item.node->kind == JSON_OBJECT;
    if (!e || !e->many || !object)
        return missing(w);
    *ret_list = (struct list){item.node, e, item.type, 0};
    return ERR_OK;
}

/* The list that all items of the path make up. */
static enum err find_list(struct work *w, const struct carried *c, struct list *ret_list)
{
    struct fhirpath_values values = {0};
    enum err err = evaluate(w, w->compiled, &values);
    if (err)
        return err;
    if (values.count == 0)
        return find_absent_list(w, c, ret_list);
    const struct fhirpath_value *first = values.items;
    for (size_t i = 0; i < values.count; i++) {
        const struct fhirpath_value *v = &values.items[i];
        if (!v->parent || v->parent != first->parent || v->element != first->element ||
            v->position < 0)
            return fail_at(w, ERR_INVALID, path_text(w), "the path must lead to one list",
                           "パスは1つの一覧を指す必要があります");
    }
    struct list list = {first->parent, first->element, NULL, 0};
    list.count = patch_piece_count(list.parent, list.element);
    if (values.count != list.count)
        return fail_at(w, ERR_INVALID, path_text(w), "the path must lead to the whole list",
                       "パスは一覧全体を指す必要があります");
    *ret_list = list;
    return ERR_OK;
}

static enum err read_position(struct work *w, const struct json *part, const char *name,
                              uint32_t limit, uint32_t *ret_position)
{
    const struct json *value = json_get(part, "valueInteger");
    uint64_t at;
    if (!part)
        return fail_at(w, ERR_REQUIRED, slice_str(name), "the part is required",
                       "この部分が必要です");
    if (!value || value->kind != JSON_NUMBER || !slice_u64(value->text, &at) || at >= limit)
        return fail_at(w, ERR_INVALID, slice_str(name), "the list has no such position",
                       "一覧にこの位置はありません");
    *ret_position = (uint32_t)at;
    return ERR_OK;
}

/* ── operations ──────────────────────────────────────────────────────────────────────────────── */

static enum err need_value(struct work *w)
{
    return w->value ? ERR_OK : fail(w, ERR_REQUIRED, "value is required", "value が必要です");
}

/* The object that takes new members of ITEM: its own, or a primitive's shadow, made when there is
 * none. */
static enum err container_of(struct work *w, const struct fhirpath_value *item,
                             struct json **ret_object)
{
    struct json *object = item->node;
    enum err err = ERR_OK;
    if (item->type && item->type->kind == DEFINITION_PRIMITIVE) {
        object = item->shadow ? item->shadow : json_new(w->arena, JSON_OBJECT);
        if (!object)
            return ERR_LIMIT;
        if (!item->shadow) { /* out and in again, now with it */
            struct patch_piece piece =
                patch_piece_take(item->parent, item->element, item->position);
            piece.shadow = object;
            err = item->position < 0 ? patch_piece_set(w->arena, item->parent, item->element, piece)
                                     : patch_piece_insert(w->arena, item->parent, item->element,
                                                          (uint32_t)item->position, piece);
        }
    }
    if (!err && (!item->type || !object || object->kind != JSON_OBJECT))
        return missing(w);
    *ret_object = object;
    return err;
}

static enum err op_add(struct work *w)
{
    struct fhirpath_value item;
    struct slice name = json_str(w->name, "valueString");
    struct json *object = NULL;
    bool found;
    enum err err = need_value(w);
    if (!err && name.len == 0)
        err = fail(w, ERR_REQUIRED, "name is required", "name が必要です");
    if (!err)
        err = find_one(w, w->compiled, &item, &found);
    if (!err && !found)
        err = missing(w);
    if (!err)
        err = container_of(w, &item, &object);
    return err ? err : add_to(w, object, item.type, name, w->value);
}

static enum err op_insert(struct work *w)
{
    struct list list;
    struct patch_piece piece;
    uint32_t at;
    enum err err = need_value(w);
    if (err)
        return err;
    struct carried c = carried_by(w->value);
    err = find_list(w, &c, &list);
    if (!err)
        err = read_position(w, w->at, "index", list.count + 1, &at);
    if (!err)
        err = build(w, list.element, &c, &piece);
    return err ? err : patch_piece_insert(w->arena, list.parent, list.element, at, piece);
}

static enum err op_delete(struct work *w)
{
    struct fhirpath_value item = {0};
    bool found = false;
    enum err err = find_element(w, &item, &found);
    if (!err && found)
        (void)patch_piece_take(item.parent, item.element, item.position);
    return err;
}

/* The type in whose table ELEMENT is: a choice's other forms stand beside it there. */
static const struct definition_type *owner_of(const struct definition_element *element)
{
    for (size_t i = 0; i < TABLES_TYPES; i++) {
        const struct definition_type *t = &tables_types[i];
        if (element >= t->elements && element < t->elements + t->element_count)
            return t;
    }
    return NULL;
}

/* The element that takes the place of ELEMENT for what C carries: of a choice, another may. NULL:
 * none. */
static const struct definition_element *rechoose(const struct definition_element *element,
                                                 const struct carried *c)
{
    const struct definition_type *owner = element->choice ? owner_of(element) : NULL;
    return owner ? pick(owner, slice_of(element->name, definition_base_len(element)), c) : element;
}

static enum err op_replace(struct work *w)
{
    struct fhirpath_value item;
    struct patch_piece piece;
    bool found = false;
    enum err err = need_value(w);
    if (!err)
        err = find_element(w, &item, &found);
    if (!err && !found)
        err = missing(w);
    if (err)
        return err;
    struct carried c = carried_by(w->value);
    const struct definition_element *e = rechoose(item.element, &c);
    if (!e)
        return fail_at(w, ERR_INVALID, path_text(w), "the value is not of a type that belongs here",
                       "値の型がこの場所に合いません");
    err = build(w, e, &c, &piece);
    if (err)
        return err;
    if (item.position < 0 && e == item.element)
        return patch_piece_set(w->arena, item.parent, e, piece);
    (void)patch_piece_take(item.parent, item.element, item.position);
    if (item.position < 0)
        return patch_piece_set(w->arena, item.parent, e, piece);
    return patch_piece_insert(w->arena, item.parent, e, (uint32_t)item.position, piece);
}

static enum err op_move(struct work *w)
{
    struct list list;
    struct carried none = {0};
    uint32_t from;
    uint32_t to;
    enum err err = find_list(w, &none, &list);
    if (!err)
        err = read_position(w, w->source, "source", list.count, &from);
    if (!err)
        err = read_position(w, w->destination, "destination", list.count, &to);
    if (err)
        return err;
    struct patch_piece piece = patch_piece_take(list.parent, list.element, from);
    return patch_piece_insert(w->arena, list.parent, list.element, to, piece);
}

/* ── the patch ───────────────────────────────────────────────────────────────────────────────── */

static const struct {
    const char *name;
    enum err (*apply)(struct work *w);
} operations[] = {
    {"add", op_add},         {"insert", op_insert}, {"delete", op_delete},
    {"replace", op_replace}, {"move", op_move},
};

/* Sorts the parts of an operation; each may be there once. */
static enum err read_parts(struct work *w, const struct json *operation)
{
    struct {
        const char *name;
        struct json **slot;
    } slots[] = {{"type", &w->type},
                 {"path", &w->path},
                 {"name", &w->name},
                 {"value", &w->value},
                 {"index", &w->at},
                 {"source", &w->source},
                 {"destination", &w->destination}};
    const size_t count = sizeof(slots) / sizeof(slots[0]);
    const struct json *parts = json_get(operation, "part");
    for (size_t i = 0; i < count; i++)
        *slots[i].slot = NULL;
    if (!slice_is(json_str(operation, "name"), "operation") || !parts || parts->kind != JSON_ARRAY)
        return fail(w, ERR_MALFORMED, "each parameter must be an operation with parts",
                    "各パラメーターは part を持つ operation です");
    for (struct json *p = parts->first; p; p = p->next) {
        struct slice name = json_str(p, "name");
        size_t i = 0;
        while (i < count && !slice_is(name, slots[i].name))
            i++;
        if (i == count || *slots[i].slot)
            return fail_at(w, ERR_INVALID, name, "the part is not known here, or there twice",
                           "この部分は使えないか、重複しています");
        *slots[i].slot = p;
    }
    return ERR_OK;
}

static enum err apply_one(struct work *w, const struct json *operation)
{
    struct fhirpath_fault fault;
    enum err err = read_parts(w, operation);
    if (err)
        return err;
    struct slice type = json_str(w->type, "valueCode");
    if (path_text(w).len == 0)
        return fail(w, ERR_REQUIRED, "path is required", "path が必要です");
    err = fhirpath_compile(w->arena, path_text(w), &w->compiled, &fault);
    if (err)
        return tell_fault(w, err, &fault);
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (slice_is(type, operations[i].name))
            return operations[i].apply(w);
    }
    return fail(w, type.len ? ERR_INVALID : ERR_REQUIRED,
                "type must be add, insert, delete, replace or move",
                "type は add、insert、delete、replace、move のいずれかです");
}

/* Keeps the height of the copy within JSON's bound. It is measured only when what was put in might
 * have made it too high. */
static enum err check_height(struct work *w)
{
    unsigned height = 0;
    enum err err = w->value ? measure(w, w->value, &height) : ERR_OK;
    w->height += height;
    if (err || w->height <= LIMIT_JSON_DEPTH)
        return err;
    err = measure(w, w->root, &w->height);
    if (!err && w->height > LIMIT_JSON_DEPTH)
        err = fail(w, ERR_TOO_DEEP, "the result is nested too deeply", "結果の入れ子が深すぎます");
    return err;
}

enum err patch_fhirpath_apply(struct arena *arena, const struct json *target,
                              const struct json *parameters, struct json **ret_patched,
                              struct err_list *errors)
{
    struct work w = {.arena = arena, .steps = LIMIT_PATCH_STEPS, .errors = errors};
    const struct json *list = json_get(parameters, "parameter");
    if (!slice_is(json_str(parameters, "resourceType"), "Parameters") ||
        (list && list->kind != JSON_ARRAY))
        return err_add_words(errors, ERR_MALFORMED, "Parameters",
                             "a FHIRPath Patch is a Parameters resource",
                             "FHIRPath Patch は Parameters リソースです");
    if (list && list->count > LIMIT_PATCH_OPERATIONS)
        return err_add_words(errors, ERR_TOO_LARGE, "Parameters", "too many operations",
                             "操作が多すぎます");
    w.root = json_clone(arena, target);
    if (!w.root)
        return ERR_LIMIT;
    enum err err = measure(&w, w.root, &w.height);
    for (const struct json *o = list ? list->first : NULL; o && !err; o = o->next, w.index++) {
        err = apply_one(&w, o);
        if (!err)
            err = check_height(&w);
    }
    if (err)
        return err;
    (void)patch_piece_prune(w.root);
    *ret_patched = w.root;
    return ERR_OK;
}
