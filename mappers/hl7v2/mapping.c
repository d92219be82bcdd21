/* SPDX-License-Identifier: Apache-2.0
 *
 * The table walk and its bookkeeping. Use is kept per field: a field is used when a builder made
 * something of it, partly used when something of it had no place (a second address where FHIR has
 * room for one), else unused. Partly and unused fields are reported alike, so that nothing is
 * dropped in silence.
 */
#include "mappers/hl7v2/mapping.h"

#include <stdarg.h>
#include <stdio.h>

#include "mappers/hl7v2/family.h"
#include "base/banned.h"

#define SCOPES_FIRST 8u

static bool has_content(const struct mapping *mp, struct slice field)
{
    const struct hl7_delimiters *d = &mp->m->delimiters;

    for (size_t i = 0; i < field.len; i++) {
        char c = field.ptr[i];
        if (c != d->component && c != d->repeat && c != d->sub && c != ' ')
            return true;
    }
    return false;
}

bool mapping_is(const struct hl7_segment *s, const char *name)
{
    return s && slice_is(s->name, name);
}

bool mapping_set_has(const struct row_set *s, struct slice trigger)
{
    struct slice rest = slice_str(s->triggers);

    if (!s->triggers)
        return true;
    while (rest.len) {
        if (slice_eq(slice_cut(&rest, ' '), trigger))
            return true;
    }
    return false;
}

/* Only tables that the family declares are walked, and only declared fields count as used: what a sender puts where nobody
 * expects it is kept and counted as unmapped, as the coverage report says. */
static bool is_declared(const struct mapping *mp, const struct hl7_segment *s,
                        const struct row *rows, unsigned field)
{
    for (const struct row_set *const *list = mp->family->sets; *list; list++) {
        for (const struct row_set *set = *list; set->segment; set++) {
            const struct row *row = set->rows;

            if (!row || !slice_is(s->name, set->segment) || !mapping_set_has(set, mp->trigger))
                continue;
            if (rows && row == rows)
                return true;
            for (; !rows && row->field; row++) {
                if (row->field == field)
                    return true;
            }
        }
    }
    return false;
}

void mapping_mark(struct mapping *mp, const struct hl7_segment *s, unsigned n, enum mapping_use use)
{
    size_t index;

    if (!s || n >= s->field_count || !(mp->row || is_declared(mp, s, NULL, n)))
        return;
    index = (size_t)(s - mp->m->segments);
    if (!mp->used[index])
        mp->used[index] = arena_alloc(mp->a, s->field_count);
    if (!mp->used[index])
        return;
    /* once something was left over, later use does not make it whole again */
    if (mp->used[index][n] != MAPPING_PARTLY)
        mp->used[index][n] = (unsigned char)use;
}

static void walk_row(struct mapping *mp, const struct hl7_segment *s, const struct row *row,
                     struct json *target)
{
    struct slice field = hl7_field(s, row->field);
    unsigned count;

    if (!has_content(mp, field))
        return;
    count = mapping_is(s, "MSH") && row->field < 3 ? 1 : hl7_repeats(mp->m, field);
    for (unsigned r = 0; r < count; r++) {
        struct spot at = {mp, s, row, r, field, target};

        if (count > 1)
            at.raw = hl7_repeat(mp->m, field, r);
        if (!has_content(mp, at.raw))
            continue;
        mp->row = row;
        mp->row_segment = s;
        if (hl7_is_null(at.raw) || row->build(&at))
            mapping_mark(mp, s, row->field, MAPPING_USED);
    }
    mp->row = NULL;
}

void mapping_source(struct mapping *mp, const struct hl7_segment *s, const struct json *target)
{
    struct keys_slot *slot;
    struct mapped_resource *r = mp->now;
    struct mapped_from *from;
    unsigned number = (unsigned)(s - mp->m->segments) + 1;

    if (!target || !r)
        return;
    if (r->resource != target && target->first && slice_is(target->first->key, "resourceType")) {
        slot = keys_at(mp->a, &mp->roots, slice_of((const char *)&target, sizeof(target)));
        if (slot && slot->value)
            r = mp->now = slot->value;
        else if (slot)
            slot->key = arena_dup(mp->a, slot->key);
    }
    if (r->from_last && r->from_last->segment == number)
        return;
    from = ARENA_NEW(mp->a, struct mapped_from);
    if (!from)
        return;
    from->segment = number;
    if (r->from_last)
        r->from_last->next = from;
    else
        r->from = from;
    r->from_last = from;
}

void mapping_walk(struct mapping *mp, const struct hl7_segment *s, const struct row *rows,
                  struct json *target)
{
    if (!s || !is_declared(mp, s, rows, 0))
        return;
    mapping_source(mp, s, target);
    for (; rows->field; rows++)
        walk_row(mp, s, rows, target);
}

static void add_left(struct mapping *mp, const struct hl7_segment *s, unsigned field)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%.*s-%u", SLICE_ARG(slice_sub(s->name, 0, 3)), field);
    struct slice name = slice_of(text, (size_t)len);
    struct keys_slot *slot = keys_at(mp->a, &mp->left, name);
    struct mapped_left *left;

    if (!slot)
        return;
    left = slot->value;
    if (!left) {
        left = ARENA_NEW(mp->a, struct mapped_left);
        slot->key = arena_dup(mp->a, name);
        if (!left || !slot->key.ptr) {
            slot->key = SLICE("?"); /* the arena is full, the result is given up */
            return;
        }
        slot->value = left;
        left->field = slot->key;
        *mp->left_end = left;
        mp->left_end = &left->next;
    }
    left->seen++;
}

/* Takes out objects and lists that ended up empty, which FHIR does not allow. */
static void prune(struct json *value)
{
    struct json *kept = NULL, *next;

    if (!value || (value->kind != JSON_OBJECT && value->kind != JSON_ARRAY))
        return;
    value->count = 0;
    for (struct json *c = value->first; c; c = next) {
        next = c->next;
        prune(c);
        if ((c->kind == JSON_OBJECT || c->kind == JSON_ARRAY) && c->count == 0)
            continue;
        if (kept)
            kept->next = c;
        else
            value->first = c;
        kept = c;
        value->count++;
    }
    if (kept)
        kept->next = NULL;
    else
        value->first = NULL;
    value->last = kept;
}

void mapping_account(struct mapping *mp)
{
    for (struct mapped_resource *r = mp->out->first; r; r = r->next)
        prune(r->resource);
    for (size_t i = 0; i < mp->m->segment_count; i++) {
        const struct hl7_segment *s = &mp->m->segments[i];

        for (unsigned n = 1; n < s->field_count; n++) {
            bool used = mp->used[i] && mp->used[i][n] == MAPPING_USED;

            if (!has_content(mp, hl7_field(s, n)) && !(mapping_is(s, "MSH") && n < 3))
                continue;
            if (used) {
                mp->out->fields_mapped++;
            } else {
                mp->out->fields_kept++;
                add_left(mp, s, n);
            }
        }
    }
}

/* Steps into one part of a path ("a", "a[]", "a[0]"); when LAST is given it is put there instead.
 */
static struct json *step(struct arena *a, struct json *object, struct slice part, struct json *last)
{
    bool push = slice_ends(part, SLICE("[]")), first = slice_ends(part, SLICE("[0]"));
    struct slice key = slice_sub(part, 0, part.len - (push ? 2u : first ? 3u : 0u));
    struct json *child, *array;

    if (!object)
        return NULL;
    child = json_get_slice(object, key);
    if (!push && !first) {
        if (last)
            return json_set_slice(object, key, last);
        return child ? child : json_set_slice(object, key, json_new(a, JSON_OBJECT));
    }
    array = child ? child : json_set_slice(object, key, json_new(a, JSON_ARRAY));
    if (last)
        return json_push(array, last);
    if (first && json_at(array, 0))
        return json_at(array, 0);
    return json_push_object(a, array);
}

struct json *mapping_object_at(struct arena *a, struct json *target, const char *path)
{
    struct slice rest = slice_str(path);

    while (rest.ptr && target)
        target = step(a, target, slice_cut(&rest, '.'), NULL);
    return target;
}

bool mapping_put_at(struct arena *a, struct json *target, const char *path, struct json *value)
{
    struct slice rest = slice_str(path);

    if (!value)
        return false;
    while (target) {
        struct slice part = slice_cut(&rest, '.');

        if (!rest.ptr)
            return step(a, target, part, value) != NULL;
        target = step(a, target, part, NULL);
    }
    return false;
}

bool mapping_put(struct spot *at, struct json *value)
{
    if (at->repeat > 0 && !strstr(at->row->path, "[]")) {
        mapping_mark(at->mp, at->s, at->row->field, MAPPING_PARTLY);
        return false; /* room for one only: the first stays */
    }
    return mapping_put_at(at->mp->a, at->target, at->row->path, value);
}

static bool is_plain(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F)
            return false;
    }
    return slice_is_utf8(s);
}

struct slice mapping_clean(struct mapping *mp, struct slice escaped)
{
    struct slice text;
    char *place = NULL;

    if (hl7_is_null(escaped))
        return SLICE_NONE;
    text = slice_trim(hl7_unescape(mp->m, escaped));
    if (is_plain(text))
        return text;
    if (mp->row)
        place = arena_printf(mp->a, "%.*s[%u]-%u", SLICE_ARG(mp->row_segment->name),
                             mp->row_segment->ordinal, mp->row->field);
    err_say(mp->errors, ERR_SEVERITY_WARNING, ERR_CHARSET, place ? place : "",
            "a text with control characters or broken characters was left out",
            "制御文字または不正な文字を含む文字列を除きました");
    return SLICE_NONE;
}

struct slice mapping_part(struct mapping *mp, struct slice raw, unsigned c)
{
    return mapping_clean(mp, c ? hl7_component(mp->m, raw, c) : raw);
}

struct slice mapping_text(struct spot *at)
{
    return mapping_part(at->mp, at->raw, at->row->component);
}

struct slice mapping_value(struct mapping *mp, const struct hl7_segment *s, unsigned n, unsigned c)
{
    struct slice field;

    if (!s)
        return SLICE_NONE;
    field = hl7_field(s, n);
    if (field.len == 0)
        return SLICE_NONE;
    return mapping_part(mp, hl7_repeat(mp->m, field, 0), c);
}

struct slice mapping_take(struct mapping *mp, const struct hl7_segment *s, unsigned n, unsigned c)
{
    mapping_mark(mp, s, n, MAPPING_USED);
    return mapping_value(mp, s, n, c);
}

void mapping_warn(struct mapping *mp, const struct hl7_segment *s, unsigned field,
                  unsigned component, const char *en, const char *ja)
{
    char *place;

    if (component)
        place =
            arena_printf(mp->a, "%.*s[%u]-%u.%u", SLICE_ARG(s->name), s->ordinal, field, component);
    else
        place = arena_printf(mp->a, "%.*s[%u]-%u", SLICE_ARG(s->name), s->ordinal, field);
    err_say(mp->errors, ERR_SEVERITY_WARNING, ERR_INVALID, place ? place : "", en, ja);
}

struct slice mapping_format(struct mapping *mp, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(mp->a, format, args);
    va_end(args);
    return slice_str(text);
}

const char *mapping_id(struct mapping *mp, const char *type, struct slice key)
{
    char *id = arena_alloc(mp->a, 37);

    if (!id)
        return "";
    mp->env->id_of(mp->env->context, type, mp->out->patient.local_no, key, id);
    return id;
}

static struct keys_slot *slot_of(struct mapping *mp, const char *type, const char *id)
{
    return keys_at(mp->a, &mp->made, ARENA_JOIN(mp->a, slice_str(type), SLICE("/"), slice_str(id)));
}

struct mapped_resource *mapping_find(struct mapping *mp, const char *type, struct slice key)
{
    struct keys_slot *slot = slot_of(mp, type, mapping_id(mp, type, key));

    return slot ? slot->value : NULL;
}

struct slice mapping_unique(struct mapping *mp, const char *type, struct slice key)
{
    struct slice name = ARENA_JOIN(mp->a, slice_str(type), SLICE(":"), key);
    struct keys_slot *slot = keys_at(mp->a, &mp->asked, name);

    if (!slot || ++slot->count == 1)
        return key;
    return mapping_format(mp, "%.*s#%u", SLICE_ARG(key), slot->count);
}

/* So that later walks into its root object find the resource again. */
static void note_root(struct mapping *mp, struct mapped_resource *r)
{
    struct slice address =
        arena_dup(mp->a, slice_of((const char *)&r->resource, sizeof(r->resource)));
    struct keys_slot *slot = keys_at(mp->a, &mp->roots, address);

    if (slot && r->resource)
        slot->value = r;
    mp->now = r;
}

struct mapped_resource *mapping_resource(struct mapping *mp, const char *type, const char *profile,
                                         struct slice key)
{
    const char *id = mapping_id(mp, type, key);
    struct keys_slot *slot = slot_of(mp, type, id);
    struct mapped_resource *r = slot ? slot->value : NULL;

    if (!r) {
        r = ARENA_NEW(mp->a, struct mapped_resource);
        if (!r || !slot) {
            mp->spare = (struct mapped_resource){.type = type};
            return &mp->spare;
        }
        slot->value = r;
        r->type = type;
        if (mp->out->last)
            mp->out->last->next = r;
        else
            mp->out->first = r;
        mp->out->last = r;
        mp->out->count++;
    }
    r->remove = r->create_only = false;
    r->scope = SLICE_NONE;
    r->resource = json_new(mp->a, JSON_OBJECT);
    r->from = r->from_last = NULL;
    note_root(mp, r);
    json_put_text(mp->a, r->resource, "resourceType", type);
    json_put_text(mp->a, r->resource, "id", id);
    if (profile) {
        struct slice url = ARENA_JOIN(
            mp->a, SLICE("http://jpfhir.jp/fhir/core/StructureDefinition/"), slice_str(profile));
        mapping_put_at(mp->a, r->resource, "meta.profile[]", json_string(mp->a, url));
    }
    return r;
}

void mapping_withdraw(struct mapping *mp, struct mapped_resource *r)
{
    struct slice id = json_str(r->resource, "id");
    struct keys_slot *slot = slot_of(mp, r->type, arena_str(mp->a, id));
    struct mapped_resource *before = mp->out->first;

    if (mp->out->last != r)
        return;
    while (before && before != r && before->next != r)
        before = before->next;
    if (before == r)
        mp->out->first = NULL;
    else if (before)
        before->next = NULL;
    mp->out->last = before == r ? NULL : before;
    mp->out->count--;
    if (slot)
        slot->value = NULL;
    mp->now = NULL;
}

struct json *mapping_reference(struct mapping *mp, const struct mapped_resource *r)
{
    struct json *reference = json_new(mp->a, JSON_OBJECT);

    json_put_str(mp->a, reference, "reference",
                 ARENA_JOIN(mp->a, slice_str(r->type), SLICE("/"), json_str(r->resource, "id")));
    return reference;
}

void mapping_subject(struct mapping *mp, struct json *resource, const char *member)
{
    json_put_text(mp->a, json_put_object(mp->a, resource, member), "reference", "Patient/@");
}

void mapping_in_encounter(struct mapping *mp, struct json *resource, const char *member)
{
    if (mp->encounter)
        json_put_text(mp->a, json_put_object(mp->a, resource, member), "reference", mp->encounter);
}

bool mapping_once(struct mapping *mp, const struct json *resource, struct slice text)
{
    struct slice id = json_str(resource, "id");
    struct keys_slot *slot =
        keys_at(mp->a, &mp->asked, ARENA_JOIN(mp->a, SLICE("once:"), id, SLICE(":"), text));

    return slot && slot->count++ == 0;
}

void mapping_replaces(struct mapping *mp, struct slice scope)
{
    struct mapped *out = mp->out;
    struct keys_slot *slot = keys_at(mp->a, &mp->asked, ARENA_JOIN(mp->a, SLICE("scope:"), scope));

    if (!slot || slot->count++ > 0)
        return;
    if (out->scope_count == mp->scope_room) {
        size_t room = mp->scope_room ? mp->scope_room * 2 : SCOPES_FIRST;
        struct slice *grown = arena_array(mp->a, room, sizeof(*grown));

        if (!grown)
            return;
        if (out->scope_count)
            memcpy(grown, out->scopes, out->scope_count * sizeof(*grown));
        out->scopes = grown;
        mp->scope_room = room;
    }
    out->scopes[out->scope_count++] = scope;
}
