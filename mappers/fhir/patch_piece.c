/* SPDX-License-Identifier: Apache-2.0
 *
 * The two-armed form of elements in FHIR JSON (R4 json.html#primitive). An array that lacks places
 * which its twin has is filled with null, so that values and extensions keep belonging together.
 */
#include "mappers/fhir/patch_piece.h"

#include "base/banned.h"

static bool is_primitive(const struct definition_element *e)
{
    return e->type && e->type->kind == DEFINITION_PRIMITIVE;
}

/* The member "_name", or NULL. */
static struct json *shadow_of(const struct json *object, const struct definition_element *e)
{
    size_t len = strlen(e->name);
    if (!is_primitive(e))
        return NULL;
    for (struct json *m = object->first; m; m = m->next) {
        if (m->key.len == len + 1 && m->key.ptr[0] == '_' &&
            memcmp(m->key.ptr + 1, e->name, len) == 0)
            return m;
    }
    return NULL;
}

static uint32_t length(const struct json *list)
{
    return list && list->kind == JSON_ARRAY ? list->count : 0;
}

uint32_t patch_piece_count(const struct json *object, const struct definition_element *element)
{
    uint32_t nodes = length(json_get(object, element->name));
    uint32_t shadows = length(shadow_of(object, element));
    return nodes > shadows ? nodes : shadows;
}

bool patch_piece_has(const struct json *object, const struct definition_element *element)
{
    return json_get(object, element->name) || shadow_of(object, element);
}

static const char *shadow_name(struct arena *arena, const struct definition_element *e)
{
    return arena_printf(arena, "_%s", e->name);
}

enum err patch_piece_set(struct arena *arena, struct json *object,
                         const struct definition_element *element, struct patch_piece piece)
{
    struct json *shadow = shadow_of(object, element);
    const char *name = piece.shadow ? shadow_name(arena, element) : "";
    if (!name)
        return ERR_LIMIT;
    if (piece.node)
        json_set(object, element->name, piece.node);
    else
        (void)json_remove(object, element->name);
    if (piece.shadow)
        json_set(object, name, piece.shadow);
    else if (shadow)
        json_detach(object, shadow);
    return ERR_OK;
}

/* Puts VALUE (NULL: null) before item AT of the list NAME, made and filled as far as needed. */
static enum err insert_in(struct arena *arena, struct json *object, const char *name, uint32_t at,
                          struct json *value)
{
    struct json *list = name ? json_get(object, name) : NULL;
    if (!list || list->kind != JSON_ARRAY)
        list = name ? json_put_array(arena, object, name) : NULL;
    while (list && list->count < at) {
        if (!json_push(list, json_new(arena, JSON_NULL)))
            return ERR_LIMIT;
    }
    if (!value)
        value = json_new(arena, JSON_NULL);
    return json_insert(list, at, value) ? ERR_OK : ERR_LIMIT;
}

enum err patch_piece_insert(struct arena *arena, struct json *object,
                            const struct definition_element *element, uint32_t at,
                            struct patch_piece piece)
{
    bool nodes = piece.node || at < length(json_get(object, element->name));
    bool shadows = piece.shadow || at < length(shadow_of(object, element));
    enum err err = ERR_OK;
    if (nodes)
        err = insert_in(arena, object, element->name, at, piece.node);
    if (!err && shadows)
        err = insert_in(arena, object, shadow_name(arena, element), at, piece.shadow);
    return err;
}

/* Takes MEMBER itself, or its item AT, out; NULL when that is not there or null. */
static struct json *take(struct json *object, struct json *member, int64_t at)
{
    struct json *parent = at < 0 ? object : member;
    struct json *value = at < 0 ? member : json_at(member, (uint32_t)at);
    if (!value)
        return NULL;
    json_detach(parent, value);
    return value->kind == JSON_NULL ? NULL : value;
}

struct patch_piece patch_piece_take(struct json *object, const struct definition_element *element,
                                    int64_t at)
{
    struct patch_piece piece;
    piece.shadow = take(object, shadow_of(object, element), at);
    piece.node = take(object, json_get(object, element->name), at);
    return piece;
}

bool patch_piece_prune(struct json *value)
{
    bool nothing = true;
    struct json *next;
    if (value->kind != JSON_OBJECT && value->kind != JSON_ARRAY)
        return false;
    for (struct json *c = value->first; c; c = next) {
        next = c->next;
        if (patch_piece_prune(c))
            json_detach(value, c);
        else
            nothing &= c->kind == JSON_NULL;
    }
    return nothing;
}
