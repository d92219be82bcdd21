/* SPDX-License-Identifier: Apache-2.0
 *
 * From an item to its children along R4's definitions (R4 fhirpath.html): choices by their base
 * name, a primitive's id and extensions from the member with "_" before its name, arrays flattened
 * with each item's place kept. And from a reference to what it names.
 */
#include "mappers/fhir/fhirpath_impl.h"

#include "mappers/fhir/gen/tables.h"

#include "base/banned.h"

static const enum fhirpath_kind primitive_kinds[TABLES_PRIMITIVE_COUNT] = {
    [TABLES_BASE64_BINARY] = FHIRPATH_STRING,
    [TABLES_BOOLEAN] = FHIRPATH_BOOLEAN,
    [TABLES_CANONICAL] = FHIRPATH_STRING,
    [TABLES_CODE] = FHIRPATH_STRING,
    [TABLES_DATE] = FHIRPATH_DATE,
    [TABLES_DATE_TIME] = FHIRPATH_DATE_TIME,
    [TABLES_DECIMAL] = FHIRPATH_DECIMAL,
    [TABLES_ID] = FHIRPATH_STRING,
    [TABLES_INSTANT] = FHIRPATH_DATE_TIME,
    [TABLES_INTEGER] = FHIRPATH_INTEGER,
    [TABLES_MARKDOWN] = FHIRPATH_STRING,
    [TABLES_OID] = FHIRPATH_STRING,
    [TABLES_POSITIVE_INT] = FHIRPATH_INTEGER,
    [TABLES_STRING] = FHIRPATH_STRING,
    [TABLES_TIME] = FHIRPATH_TIME,
    [TABLES_UNSIGNED_INT] = FHIRPATH_INTEGER,
    [TABLES_URI] = FHIRPATH_STRING,
    [TABLES_URL] = FHIRPATH_STRING,
    [TABLES_UUID] = FHIRPATH_STRING,
    [TABLES_XHTML] = FHIRPATH_STRING,
};

static bool is_bool(const struct json *node)
{
    return node->kind == JSON_TRUE || node->kind == JSON_FALSE;
}

/* Gives a primitive its scalar, when the JSON is what the type wants. */
static void read_scalar(struct fhirpath_value *v)
{
    enum fhirpath_kind kind = primitive_kinds[v->type - tables_types - TABLES_PRIMITIVE];
    bool number = kind == FHIRPATH_INTEGER || kind == FHIRPATH_DECIMAL;
    if (kind == FHIRPATH_BOOLEAN ? !is_bool(v->node)
                                 : v->node->kind != (number ? JSON_NUMBER : JSON_STRING))
        return;
    v->kind = kind;
    v->truth = v->node->kind == JSON_TRUE;
    v->text = v->node->text;
}

static bool is_primitive(const struct definition_type *type)
{
    return type && type->kind == DEFINITION_PRIMITIVE;
}

struct fhirpath_value fhirpath_member_root(struct json *node)
{
    struct fhirpath_value v = {.kind = FHIRPATH_OBJECT, .node = node, .position = -1};
    const struct definition_type *type = definition_type(json_str(node, "resourceType"));
    v.type = type && type->kind == DEFINITION_RESOURCE ? type : NULL;
    return v;
}

struct fhirpath_value fhirpath_member_value(const struct definition_type *type, struct json *node,
                                            struct json *shadow)
{
    struct fhirpath_value v = {
        .kind = FHIRPATH_OBJECT, .type = type, .node = node, .shadow = shadow, .position = -1};
    if (node && is_primitive(type))
        read_scalar(&v);
    return v;
}

static enum err add_one(struct fhirpath_run *run, const struct fhirpath_value *pattern,
                        struct json *node, struct json *shadow, struct fhirpath_values *values)
{
    struct fhirpath_value v = *pattern;
    v.node = node && node->kind != JSON_NULL ? node : NULL;
    v.shadow = shadow && shadow->kind != JSON_NULL ? shadow : NULL;
    if (!v.node && !v.shadow)
        return ERR_OK;
    if (!v.element->type)
        v.type = fhirpath_member_root(v.node).type;
    if (v.node && is_primitive(v.type))
        read_scalar(&v);
    return fhirpath_eval_push(run, values, &v);
}

static struct json *first_of(struct json *list)
{
    return list && list->kind == JSON_ARRAY ? list->first : NULL;
}

/* A member and its shadow, both single or both lists. */
static enum err add_member(struct fhirpath_run *run, struct json *parent,
                           const struct definition_element *element, struct json *node,
                           struct json *shadow, struct fhirpath_values *values)
{
    struct fhirpath_value pattern = {.kind = FHIRPATH_OBJECT,
                                     .type = element->type,
                                     .parent = parent,
                                     .element = element,
                                     .position = -1};
    bool list = (node && node->kind == JSON_ARRAY) || (shadow && shadow->kind == JSON_ARRAY);
    enum err err = ERR_OK;
    if (!list)
        return add_one(run, &pattern, node, shadow, values);
    node = first_of(node);
    shadow = first_of(shadow);
    while (!err && (node || shadow)) {
        pattern.position++;
        err = add_one(run, &pattern, node, shadow, values);
        node = node ? node->next : NULL;
        shadow = shadow ? shadow->next : NULL;
    }
    return err;
}

static struct json *find_shadow(const struct json *object, struct slice key)
{
    for (struct json *m = object->first; m; m = m->next) {
        if (m->key.len == key.len + 1 && m->key.ptr[0] == '_' &&
            slice_eq(slice_sub(m->key, 1, key.len), key))
            return m;
    }
    return NULL;
}

/* The children in the members of OBJECT, whose element type is TYPE. */
static enum err add_from(struct fhirpath_run *run, const struct definition_type *type,
                         struct json *object, struct slice name, struct fhirpath_values *values)
{
    enum err err = fhirpath_eval_charge(run, 1 + object->count / 8);
    for (struct json *m = object->first; m && !err; m = m->next) {
        bool shadow = m->key.len > 1 && m->key.ptr[0] == '_';
        struct slice key = shadow ? slice_sub(m->key, 1, m->key.len) : m->key;
        if (!slice_starts(key, name))
            continue;
        const struct definition_element *e = definition_element(type, key);
        if (!e || (name.ptr && definition_base_len(e) != name.len))
            continue;
        bool twofold = is_primitive(e->type);
        if (shadow && (!twofold || json_get_slice(object, key)))
            continue;
        err = add_member(run, object, e, shadow ? NULL : m,
                         shadow    ? m
                         : twofold ? find_shadow(object, key)
                                   : NULL,
                         values);
    }
    return err;
}

enum err fhirpath_member_add(struct fhirpath_run *run, const struct fhirpath_value *item,
                             struct slice name, struct fhirpath_values *values)
{
    struct json *object = is_primitive(item->type) ? item->shadow : item->node;
    if (!item->type || !object || object->kind != JSON_OBJECT)
        return ERR_OK;
    return add_from(run, item->type, object, name, values);
}

/* ── references ──────────────────────────────────────────────────────────────────────────────── */

static struct json *find_contained(struct json *resource, struct slice id)
{
    struct json *list = json_get(resource, "contained");
    if (id.len == 0)
        return resource;
    for (struct json *i = first_of(list); i; i = i->next) {
        if (slice_eq(json_str(i, "id"), id))
            return i;
    }
    return NULL;
}

/* The type a reference tells by itself: Reference.type, or the last Type/id of its text. */
static const struct definition_type *told_type(const struct json *reference, struct slice text)
{
    struct slice rest = text;
    struct slice before = SLICE_NONE;
    struct slice told = json_str(reference, "type");
    const struct definition_type *type = told.len > 0 ? definition_type(told) : NULL;
    size_t history = slice_search(text, SLICE("/_history/"), 0);
    rest.len = history;
    while (!type && rest.ptr) {
        struct slice part = slice_cut(&rest, '/');
        if (!rest.ptr)
            type = definition_type(before);
        before = part;
    }
    return type && type->kind == DEFINITION_RESOURCE ? type : NULL;
}

/* An empty resource of which no more than the type is known. */
static struct json *stand_in(struct arena *arena, const struct definition_type *type)
{
    struct json *stub = json_new(arena, JSON_OBJECT);
    json_put_text(arena, stub, "resourceType", type->name);
    return stub;
}

enum err fhirpath_member_resolve(struct fhirpath_run *run, const struct fhirpath_value *item,
                                 struct fhirpath_values *values)
{
    const struct fhirpath_scene *scene = run->scene;
    struct json *found = NULL;
    bool reference = item->kind == FHIRPATH_OBJECT && item->node;
    struct slice text = reference ? json_str(item->node, "reference") : item->text;
    if (text.len > 0 && text.ptr[0] == '#') {
        enum err err = fhirpath_eval_charge(run, 1);
        found = err ? NULL : find_contained(scene->resource, slice_sub(text, 1, text.len));
    } else if (reference && scene->resolve) {
        found = scene->resolve(scene->resolve_context, item->node);
    }
    const struct definition_type *type = found || !reference ? NULL : told_type(item->node, text);
    if (type && !(found = stand_in(run->arena, type)))
        return ERR_LIMIT;
    if (!found)
        return ERR_OK;
    struct fhirpath_value v = fhirpath_member_root(found);
    return fhirpath_eval_push(run, values, &v);
}
