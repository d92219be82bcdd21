/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON tree: finding, building, comparing, copying. Children are a linked list, because members
 * keep their order and objects of health records are small; looking up a member walks it.
 * A value has one place in one tree; json_clone() makes another for a second place.
 */
#include "base/json.h"

#include <assert.h>
#include <inttypes.h>

#include "base/banned.h"

struct json *json_get_slice(const struct json *object, struct slice key)
{
    if (!object || object->kind != JSON_OBJECT)
        return NULL;
    for (struct json *m = object->first; m; m = m->next) {
        if (slice_eq(m->key, key))
            return m;
    }
    return NULL;
}

struct json *json_get(const struct json *object, const char *key)
{
    return json_get_slice(object, slice_str(key));
}

struct slice json_str(const struct json *object, const char *key)
{
    const struct json *m = json_get(object, key);
    return m && m->kind == JSON_STRING ? m->text : SLICE_NONE;
}

struct json *json_at(const struct json *array, uint32_t n)
{
    if (!array || array->kind != JSON_ARRAY || n >= array->count)
        return NULL;
    struct json *item = array->first;
    while (n-- > 0)
        item = item->next;
    return item;
}

struct json *json_path(const struct json *value, ...)
{
    const struct json *at = value;
    const char *step;
    va_list args;
    va_start(args, value);
    while (at && (step = va_arg(args, const char *))) {
        uint64_t n;
        if (at->kind != JSON_ARRAY)
            at = json_get(at, step);
        else if (slice_u64(slice_str(step), &n) && n < at->count)
            at = json_at(at, (uint32_t)n);
        else
            at = NULL;
    }
    va_end(args);
    /* The caller lent us the tree as const only because we change nothing ourselves. */
    union {
        const struct json *in;
        struct json *out;
    } cast = {.in = at};
    return cast.out;
}

bool json_is_true(const struct json *value)
{
    return value && value->kind == JSON_TRUE;
}

struct json *json_new(struct arena *arena, enum json_kind kind)
{
    struct json *value = ARENA_NEW(arena, struct json);
    if (value)
        value->kind = kind;
    return value;
}

static struct json *new_text(struct arena *arena, enum json_kind kind, struct slice text)
{
    struct json *value = json_new(arena, kind);
    if (value)
        value->text = text;
    return value;
}

struct json *json_string(struct arena *arena, struct slice text)
{
    return new_text(arena, JSON_STRING, text);
}

struct json *json_number(struct arena *arena, struct slice literal)
{
    return new_text(arena, JSON_NUMBER, literal);
}

struct json *json_int(struct arena *arena, int64_t value)
{
    const char *literal = arena_printf(arena, "%" PRId64, value);
    return literal ? json_number(arena, slice_str(literal)) : NULL;
}

static void append(struct json *parent, struct json *value)
{
    assert(!value->next && "a value has one place in one tree");
    if (parent->last)
        parent->last->next = value;
    else
        parent->first = value;
    parent->last = value;
    parent->count++;
}

/* Puts VALUE where OLD was. */
static void replace(struct json *object, struct json *old, struct json *value)
{
    struct json **link = &object->first;
    struct json *before = NULL;
    assert(!value->next && "a value has one place in one tree");
    while (*link != old) {
        before = *link;
        link = &before->next;
    }
    value->next = old->next;
    *link = value;
    if (object->last == old)
        object->last = value;
    old->next = NULL;
}

struct json *json_set(struct json *object, const char *key, struct json *value)
{
    return json_set_slice(object, slice_str(key), value);
}

struct json *json_set_slice(struct json *object, struct slice key, struct json *value)
{
    if (!object || !value)
        return NULL;
    assert(object->kind == JSON_OBJECT && object != value);
    struct json *old = json_get_slice(object, key);
    if (old == value)
        return value;
    value->key = key;
    if (old)
        replace(object, old, value);
    else
        append(object, value);
    return value;
}

struct json *json_push(struct json *array, struct json *value)
{
    if (!array || !value)
        return NULL;
    assert(array->kind == JSON_ARRAY && array != value);
    value->key = SLICE_NONE;
    append(array, value);
    return value;
}

struct json *json_insert(struct json *array, uint32_t n, struct json *value)
{
    if (!array || !value || n >= array->count)
        return json_push(array, value);
    assert(array->kind == JSON_ARRAY && array != value);
    assert(!value->next && "a value has one place in one tree");
    struct json **link = &array->first;
    while (n-- > 0)
        link = &(*link)->next;
    value->key = SLICE_NONE;
    value->next = *link;
    *link = value;
    array->count++;
    return value;
}

struct json *json_put_object(struct arena *arena, struct json *object, const char *key)
{
    return object ? json_set(object, key, json_new(arena, JSON_OBJECT)) : NULL;
}

struct json *json_put_array(struct arena *arena, struct json *object, const char *key)
{
    return object ? json_set(object, key, json_new(arena, JSON_ARRAY)) : NULL;
}

struct json *json_put_str(struct arena *arena, struct json *object, const char *key,
                          struct slice text)
{
    if (!object || text.len == 0)
        return NULL;
    return json_set(object, key, json_string(arena, text));
}

struct json *json_put_text(struct arena *arena, struct json *object, const char *key,
                           const char *text)
{
    return json_put_str(arena, object, key, slice_str(text));
}

struct json *json_put_bool(struct arena *arena, struct json *object, const char *key, bool value)
{
    return object ? json_set(object, key, json_new(arena, value ? JSON_TRUE : JSON_FALSE)) : NULL;
}

struct json *json_put_int(struct arena *arena, struct json *object, const char *key, int64_t value)
{
    return object ? json_set(object, key, json_int(arena, value)) : NULL;
}

struct json *json_push_object(struct arena *arena, struct json *array)
{
    return array ? json_push(array, json_new(arena, JSON_OBJECT)) : NULL;
}

void json_detach(struct json *parent, struct json *child)
{
    struct json **link = &parent->first;
    struct json *before = NULL;
    while (*link != child) {
        assert(*link && "a child is taken out of its own parent");
        before = *link;
        link = &before->next;
    }
    *link = child->next;
    if (parent->last == child)
        parent->last = before;
    child->next = NULL;
    parent->count--;
}

bool json_remove(struct json *object, const char *key)
{
    struct json *old = json_get(object, key);
    if (!old)
        return false;
    json_detach(object, old);
    return true;
}

struct json *json_clone(struct arena *arena, const struct json *value)
{
    struct json *copy = value ? json_new(arena, value->kind) : NULL;
    if (!copy)
        return NULL;
    copy->key = value->key;
    copy->text = value->text;
    copy->at = value->at;
    for (const struct json *child = value->first; child; child = child->next) {
        struct json *child_copy = json_clone(arena, child);
        if (!child_copy)
            return NULL;
        append(copy, child_copy);
    }
    return copy;
}

/* Members may come in any order. They mostly come in the same one, so look there first. */
static bool equal_members(const struct json *a, const struct json *b)
{
    const struct json *guess = b->first;
    for (const struct json *m = a->first; m; m = m->next) {
        const struct json *other =
            guess && slice_eq(guess->key, m->key) ? guess : json_get_slice(b, m->key);
        if (!other || !json_equal(m, other))
            return false;
        guess = other->next;
    }
    return true;
}

static bool equal_items(const struct json *a, const struct json *b)
{
    const struct json *x = a->first;
    const struct json *y = b->first;
    for (; x && y; x = x->next, y = y->next) {
        if (!json_equal(x, y))
            return false;
    }
    return !x && !y;
}

bool json_equal(const struct json *a, const struct json *b)
{
    if (!a || !b)
        return a == b;
    if (a->kind != b->kind || a->count != b->count || !slice_eq(a->text, b->text))
        return false;
    return a->kind == JSON_OBJECT ? equal_members(a, b) : equal_items(a, b);
}
