/* SPDX-License-Identifier: Apache-2.0
 *
 * Links beside References (see fhir_links.h): one walk over the resource by its definition.
 */
#include "exchange/door/fhir_links.h"

#include "base/limits.h"
#include "mappers/fhir/definition.h"

#include "base/banned.h"

struct links {
    struct arena *arena;
    struct slice (*fn)(void *context, struct slice link);
    void *context;
};

static bool is_link(const struct definition_type *type)
{
    return type && (strcmp(type->name, "uri") == 0 || strcmp(type->name, "url") == 0);
}

/* The next href or src of TEXT from AT: its value; false at the end. */
static bool next_attribute(struct slice text, size_t at, size_t *ret_from, size_t *ret_end)
{
    static const char *const names[] = {"href=\"", "src=\""};
    size_t best = text.len;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        size_t found = slice_search(text, slice_str(names[i]), at);
        if (found < text.len && found + strlen(names[i]) < best)
            best = found + strlen(names[i]);
    }
    *ret_from = best;
    *ret_end = best < text.len ? slice_find(text, '"', best) : text.len;
    return best < text.len;
}

static void rewrite_narrative(struct links *l, struct json *div)
{
    struct slice text = div->text;
    size_t at = 0, from = 0, end = 0;
    bool changed = false;
    struct buf out;
    buf_init(&out, LIMIT_HTTP_BODY * 2);
    while (next_attribute(text, at, &from, &end)) {
        struct slice target = l->fn(l->context, slice_sub(text, from, end - from));
        buf_add(&out, slice_sub(text, at, from - at));
        buf_add(&out, target.len ? target : slice_sub(text, from, end - from));
        changed = changed || target.len > 0;
        at = end;
    }
    buf_add(&out, slice_sub(text, at, text.len));
    if (changed && !buf_err(&out))
        div->text = arena_dup(l->arena, buf_slice(&out));
    buf_fini(&out);
}

static void walk(struct links *l, const struct definition_type *type, struct json *object);

static void walk_value(struct links *l, const struct definition_type *type, struct json *v)
{
    if (v->kind == JSON_OBJECT) {
        const struct definition_type *own =
            type ? type : definition_type(json_str(v, "resourceType"));
        if (own)
            walk(l, own, v);
    } else if (v->kind == JSON_STRING && is_link(type)) {
        struct slice target = l->fn(l->context, v->text);
        if (target.len)
            v->text = target;
    } else if (v->kind == JSON_STRING && type && strcmp(type->name, "xhtml") == 0) {
        rewrite_narrative(l, v);
    }
}

static void walk(struct links *l, const struct definition_type *type, struct json *object)
{
    for (struct json *m = object->first; m; m = m->next) {
        bool beside = m->key.len > 1 && m->key.ptr[0] == '_';
        const struct definition_element *e =
            definition_element(type, beside ? slice_sub(m->key, 1, m->key.len) : m->key);
        if (!e)
            continue;
        if (m->kind != JSON_ARRAY)
            walk_value(l, e->type, m);
        for (struct json *i = m->kind == JSON_ARRAY ? m->first : NULL; i; i = i->next)
            walk_value(l, e->type, i);
    }
}

enum err fhir_links_rewrite(struct arena *arena, struct json *resource,
                            struct slice (*fn)(void *context, struct slice link), void *context)
{
    struct links l = {.arena = arena, .fn = fn, .context = context};
    const struct definition_type *type = definition_type(json_str(resource, "resourceType"));
    if (type)
        walk(&l, type, resource);
    return arena_exhausted(arena) ? ERR_LIMIT : ERR_OK;
}
