/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks a resource along R4's tables (json.html for the shape of JSON, references.html for
 * references). Each member is looked up in its type; its value is checked as list, object or
 * primitive; what the type demands and the object lacks is told at the end. No resource type has
 * code of its own here, and the walk never changes what it checks.
 */
#include "mappers/fhir/validate.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mappers/fhir/narrative.h"
#include "mappers/fhir/place.h"
#include "mappers/fhir/primitive.h"

#include "base/banned.h"

#define SEEN_WORDS ((TABLES_ELEMENTS_MAX + 63) / 64)
#define CODES_SHOWN 12 /* more allowed codes than this are not worth reading in a message */

/* The resource whose contained resources "#id" may name, with their ids sorted when first asked
 * for. */
struct container {
    const struct json *resource;
    struct slice *ids;
    size_t count;
    bool ready;
};

struct check {
    struct err_list *errors;
    enum err first;
    struct container container;
    bool contained; /* inside DomainResource.contained */
};

/* One object while its members are gone through. */
struct object {
    const struct definition_type *type;
    const struct json *json;
    const struct place *at;
    uint64_t seen[SEEN_WORDS]; /* by element index */
    uint64_t choices;          /* by choice number */
};

static void check_resource(struct check *c, const struct json *json, const struct place *at);
static void check_object(struct check *c, const struct definition_type *type,
                         const struct json *json, const struct place *at);

/* The place as text; not made for errors that will only be counted. */
static const char *where(struct check *c, const struct place *at)
{
    return c->errors->kept < LIMIT_ERR_ITEMS ? place_text(c->errors->arena, at) : "";
}

static void keep_first(struct check *c, enum err code)
{
    if (c->first == ERR_OK)
        c->first = code;
}

static void say(struct check *c, const struct place *at, const char *en, const char *ja)
{
    keep_first(c, err_say(c->errors, ERR_SEVERITY_ERROR, ERR_INVALID, where(c, at), en, ja));
}

static bool is_known(const struct definition_type *type, enum tables_known at)
{
    return type == &tables_types[at];
}

/* ── codes ───────────────────────────────────────────────────────────────────────────────────── */

static bool is_allowed(const char *const *codes, struct slice code)
{
    for (; *codes; codes++) {
        if (slice_is(code, *codes))
            return true;
    }
    return false;
}

static void say_codes(struct check *c, const char *const *codes, const struct place *at)
{
    struct arena *arena = c->errors->arena;
    const char *list = codes[0];
    size_t count = 0;
    while (codes[count])
        count++;
    bool shown = count <= CODES_SHOWN && c->errors->kept < LIMIT_ERR_ITEMS;
    for (size_t i = 1; i < count && shown && list; i++)
        list = arena_printf(arena, "%s, %s", list, codes[i]);
    if (!shown || !list) {
        say(c, at, "the code is not in the required value set",
            "コードが必須の値セットにありません");
        return;
    }
    const char *en = arena_printf(arena, "the code must be one of: %s", list);
    const char *ja = arena_printf(arena, "コードは次のいずれかです: %s", list);
    say(c, at, en ? en : "the code is not allowed", ja ? ja : "使えないコードです");
}

/* A Coding or CodeableConcept of a required binding: one of its codes must be of the set. */
static void check_coded(struct check *c, const struct definition_element *e,
                        const struct json *value, const struct place *at)
{
    bool any = false;
    if (is_known(e->type, TABLES_AT_CODING)) {
        struct slice code = json_str(value, "code");
        if (code.len > 0 && !is_allowed(e->codes, code))
            say_codes(c, e->codes, at);
        return;
    }
    const struct json *codings = json_get(value, "coding");
    for (const struct json *i = codings ? codings->first : NULL; i; i = i->next) {
        struct slice code = json_str(i, "code");
        any |= code.len > 0;
        if (is_allowed(e->codes, code))
            return;
    }
    if (any)
        say_codes(c, e->codes, at);
}

/* ── references ──────────────────────────────────────────────────────────────────────────────── */

static int compare_ids(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* Gathers the contained ids once for each container, so that many references stay cheap. */
static bool prepare_ids(struct check *c)
{
    struct container *k = &c->container;
    const struct json *list = json_get(k->resource, "contained");
    if (k->ready)
        return true;
    if (list && list->kind == JSON_ARRAY && list->count > 0) {
        k->ids = arena_array(c->errors->arena, list->count, sizeof(*k->ids));
        if (!k->ids)
            return false;
        for (const struct json *i = list->first; i; i = i->next)
            k->ids[k->count++] = json_str(i, "id");
        qsort(k->ids, k->count, sizeof(*k->ids), compare_ids);
    }
    k->ready = true;
    return true;
}

static void check_fragment(struct check *c, struct slice id, const struct place *at)
{
    struct container *k = &c->container;
    if (id.len == 0)
        return; /* "#": the container itself */
    if (!prepare_ids(c)) {
        keep_first(c, ERR_LIMIT);
        return;
    }
    if (!k->ids || !bsearch(&id, k->ids, k->count, sizeof(*k->ids), compare_ids))
        say(c, at, "no contained resource has this id",
            "この id の contained リソースがありません");
}

/* Type/id, Type/id/_history/version, Type?query of a transaction, or the mappers' own Patient/@. */
static bool is_relative(struct slice text)
{
    struct slice rest = text;
    size_t query = slice_find(text, '?', 0);
    if (query < text.len) {
        const struct definition_type *t = definition_type(slice_sub(text, 0, query));
        return t && t->kind == DEFINITION_RESOURCE;
    }
    struct slice type_name = slice_cut(&rest, '/');
    const struct definition_type *type = definition_type(type_name);
    if (!type || type->kind != DEFINITION_RESOURCE || !rest.ptr)
        return false;
    struct slice id = slice_cut(&rest, '/');
    if (slice_is(id, "@"))
        return slice_is(type_name, "Patient") && !rest.ptr;
    if (!primitive_is_id(id))
        return false;
    if (!rest.ptr)
        return true;
    return slice_is(slice_cut(&rest, '/'), "_history") && primitive_is_id(rest);
}

static bool has_scheme(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (c == ':')
            return i > 0 && i + 1 < text.len;
        if (!letter && (i == 0 || (!(c >= '0' && c <= '9') && c != '+' && c != '-' && c != '.')))
            return false;
    }
    return false;
}

static void check_reference(struct check *c, const struct json *value, const struct place *at)
{
    const struct json *member = json_get(value, "reference");
    if (!member || member->kind != JSON_STRING)
        return; /* absent is fine; a wrong kind was told already */
    struct place place = {at, NULL, SLICE("reference"), PLACE_SINGLE};
    struct slice text = member->text;
    if (text.len > 0 && text.ptr[0] == '#') {
        check_fragment(c, slice_sub(text, 1, text.len), &place);
        return;
    }
    bool plain = slice_find(text, ' ', 0) == text.len;
    if (!plain || (!has_scheme(text) && !is_relative(text)))
        say(c, &place, "a reference is expected: Type/id, #id, a URL or urn:uuid:...",
            "参照が必要です(Type/id、#id、URL、urn:uuid:...)");
}

/* ── values ──────────────────────────────────────────────────────────────────────────────────── */

static void check_primitive(struct check *c, const struct definition_element *e,
                            const struct json *value, const struct place *at)
{
    const char *en = NULL;
    const char *ja = NULL;
    enum tables_primitive type = (enum tables_primitive)(e->type - &tables_types[TABLES_PRIMITIVE]);
    if (!primitive_ok(type, value))
        say(c, at, primitive_en(type), primitive_ja(type));
    else if (type == TABLES_XHTML && !narrative_ok(value->text, &en, &ja))
        say(c, at, en, ja);
    else if (en)
        (void)err_say(c->errors, ERR_SEVERITY_WARNING, ERR_INVALID, where(c, at), en, ja);
    else if (e->codes && !is_allowed(e->codes, value->text))
        say_codes(c, e->codes, at);
}

static void check_contained(struct check *c, const struct json *json, const struct place *at)
{
    bool outer = c->contained;
    if (outer)
        say(c, at, "a contained resource must not contain others",
            "contained の中に contained は置けません");
    c->contained = true;
    check_resource(c, json, at);
    c->contained = outer;
    if (json->kind == JSON_OBJECT && !json_get(json, "id")) {
        struct place id = {at, NULL, SLICE("id"), PLACE_SINGLE};
        keep_first(c, err_add(c->errors, ERR_REQUIRED, where(c, &id), NULL));
    }
}

/* A resource of a Bundle entry or a Parameters part stands for itself. */
static void check_inner(struct check *c, const struct json *json, const struct place *at)
{
    struct container container = c->container;
    bool contained = c->contained;
    c->container = (struct container){.resource = json};
    c->contained = false;
    check_resource(c, json, at);
    c->container = container;
    c->contained = contained;
}

/* One value, not a list. */
static void check_value(struct check *c, const struct definition_element *e,
                        const struct json *value, const struct place *at)
{
    if (value->kind == JSON_NULL) {
        say(c, at, "null is not allowed here", "null は使えません");
    } else if (!e->type) {
        if (strcmp(e->name, "contained") == 0)
            check_contained(c, value, at);
        else
            check_inner(c, value, at);
    } else if (e->type->kind == DEFINITION_PRIMITIVE) {
        check_primitive(c, e, value, at);
    } else {
        check_object(c, e->type, value, at);
        if (e->codes)
            check_coded(c, e, value, at);
        if (is_known(e->type, TABLES_AT_REFERENCE))
            check_reference(c, value, at);
    }
}

/* The member whose name is '_' and NAME. */
static const struct json *sibling(const struct json *object, struct slice name)
{
    for (const struct json *m = object->first; m; m = m->next) {
        if (m->key.len == name.len + 1 && m->key.ptr[0] == '_' &&
            memcmp(m->key.ptr + 1, name.ptr, name.len) == 0)
            return m;
    }
    return NULL;
}

static void check_list(struct check *c, const struct definition_element *e, const struct object *o,
                       const struct json *list, struct place *at)
{
    bool primitive = e->type && e->type->kind == DEFINITION_PRIMITIVE;
    bool paired = false;
    if (list->kind != JSON_ARRAY) {
        say(c, at, "a list [ ] is expected", "リスト [ ] が必要です");
        return;
    }
    if (list->count == 0)
        say(c, at, "an empty list is not allowed", "空のリストは使えません");
    for (const struct json *i = list->first; i; i = i->next) {
        at->index++;
        if (i->kind == JSON_NULL && primitive && !paired) {
            const struct json *other = sibling(o->json, list->key);
            paired = other && other->kind == JSON_ARRAY;
        }
        if (i->kind != JSON_NULL || !paired) /* pairs are checked at the sibling */
            check_value(c, e, i, at);
    }
}

/* ── extensions of primitives: _birthDate beside birthDate ───────────────────────────────────── */

static void check_sibling_list(struct check *c, const struct definition_element *e,
                               const struct object *o, const struct json *list, struct place *at)
{
    const struct json *values = json_get_slice(o->json, slice_str(e->name));
    const struct json *v = values && values->kind == JSON_ARRAY ? values->first : NULL;
    if (list->kind != JSON_ARRAY || list->count == 0) {
        say(c, at, "a list [ ] is expected", "リスト [ ] が必要です");
        return;
    }
    if (values && values->kind == JSON_ARRAY && values->count != list->count)
        say(c, at, "the list and its _list differ in length", "リストと _リスト の長さが違います");
    for (const struct json *i = list->first; i; i = i->next) {
        at->index++;
        if (i->kind != JSON_NULL)
            check_object(c, e->type, i, at);
        else if (!v || v->kind == JSON_NULL)
            say(c, at, "null stands for nothing here", "対応する値のない null です");
        v = v ? v->next : NULL;
    }
}

static void check_sibling(struct check *c, const struct definition_element *e,
                          const struct object *o, const struct json *member, struct place *at)
{
    if (e->many)
        check_sibling_list(c, e, o, member, at);
    else
        check_object(c, e->type, member, at);
}

/* ── objects ─────────────────────────────────────────────────────────────────────────────────── */

/* Notes that E is present, as value or as sibling; refuses a second member of one choice. */
static void note_seen(struct check *c, struct object *o, const struct definition_element *e,
                      const struct place *at)
{
    size_t index = (size_t)(e - o->type->elements);
    uint64_t bit = UINT64_C(1) << (index % 64);
    if (o->seen[index / 64] & bit)
        return;
    o->seen[index / 64] |= bit;
    if (e->choice == 0)
        return;
    if (o->choices & (UINT64_C(1) << e->choice))
        say(c, at, "only one of the types of a choice may be given",
            "選択要素 [x] の型は1つだけ指定できます");
    o->choices |= UINT64_C(1) << e->choice;
}

static void check_member(struct check *c, struct object *o, const struct json *member)
{
    bool beside = member->key.len > 1 && member->key.ptr[0] == '_';
    struct slice name = beside ? slice_sub(member->key, 1, member->key.len) : member->key;
    const struct definition_element *e = definition_element(o->type, name);
    struct place at = {o->at, e, member->key, PLACE_SINGLE};
    if (!e || (beside && (!e->type || e->type->kind != DEFINITION_PRIMITIVE))) {
        at.element = NULL;
        keep_first(c, err_add(c->errors, ERR_UNKNOWN_ELEMENT, where(c, &at), NULL));
        return;
    }
    note_seen(c, o, e, &at);
    if (beside)
        check_sibling(c, e, o, member, &at);
    else if (e->many)
        check_list(c, e, o, member, &at);
    else if (member->kind == JSON_ARRAY)
        say(c, &at, "a single value is expected, not a list", "リストではなく単一の値が必要です");
    else
        check_value(c, e, member, &at);
}

static void say_required(struct check *c, const struct object *o,
                         const struct definition_element *e)
{
    struct arena *arena = c->errors->arena;
    struct place at = {o->at, e, SLICE_NONE, PLACE_SINGLE};
    const char *choices = NULL;
    bool shown = c->errors->kept < LIMIT_ERR_ITEMS;
    if (e->choice && shown) { /* name the element, then each JSON name it may have */
        at.element = NULL;
        at.name = slice_of(e->name, definition_base_len(e));
        for (size_t i = 0; i < o->type->element_count; i++) {
            const struct definition_element *other = o->type->order[i];
            if (other->choice == e->choice)
                choices =
                    choices ? arena_printf(arena, "%s, %s", choices, other->name) : other->name;
        }
    }
    keep_first(c, choices ? err_add(c->errors, ERR_REQUIRED, where(c, &at), "%s", choices)
                          : err_add(c->errors, ERR_REQUIRED, where(c, &at), NULL));
}

static void check_required(struct check *c, struct object *o)
{
    for (size_t i = 0; i < o->type->element_count; i++) {
        const struct definition_element *e = &o->type->elements[i];
        if (e->min == 0 || (o->seen[i / 64] >> (i % 64) & 1))
            continue;
        if (e->choice && (o->choices >> e->choice & 1))
            continue;
        say_required(c, o, e);
        if (e->choice)
            o->choices |= UINT64_C(1) << e->choice; /* told once for all its entries */
    }
}

static void check_object(struct check *c, const struct definition_type *type,
                         const struct json *json, const struct place *at)
{
    struct object o = {.type = type, .json = json, .at = at};
    if (json->kind != JSON_OBJECT) {
        say(c, at, "an object { } is expected", "オブジェクト { } が必要です");
        return;
    }
    if (!json->first)
        say(c, at, "an empty object is not allowed", "空のオブジェクトは使えません");
    for (const struct json *m = json->first; m; m = m->next) {
        if (type->kind != DEFINITION_RESOURCE || !slice_is(m->key, "resourceType"))
            check_member(c, &o, m);
    }
    check_required(c, &o);
}

/* The resource's type, or NULL after telling what is wrong with it. */
static const struct definition_type *type_of(struct check *c, const struct json *json,
                                             const struct place *at)
{
    const struct json *name = json_get(json, "resourceType");
    struct place place = {at, NULL, SLICE("resourceType"), PLACE_SINGLE};
    if (json->kind != JSON_OBJECT) {
        say(c, at ? at : &place, "a resource is expected", "リソースが必要です");
        return NULL;
    }
    if (!name) {
        keep_first(c, err_add(c->errors, ERR_REQUIRED, where(c, &place), NULL));
        return NULL;
    }
    const struct definition_type *type =
        name->kind == JSON_STRING ? definition_type(name->text) : NULL;
    if (!type || type->kind != DEFINITION_RESOURCE) {
        say(c, &place, "this is not a resource type of R4", "R4 のリソース型ではありません");
        return NULL;
    }
    return type;
}

static void check_resource(struct check *c, const struct json *json, const struct place *at)
{
    const struct definition_type *type = type_of(c, json, at);
    if (!type)
        return;
    struct place root = {NULL, NULL, slice_str(type->name), PLACE_SINGLE};
    check_object(c, type, json, at ? at : &root);
}

enum err validate_resource(const struct json *resource, struct slice expected_type,
                           struct err_list *errors)
{
    struct check c = {.errors = errors, .container = {.resource = resource}};
    struct place place = {NULL, NULL, SLICE("resourceType"), PLACE_SINGLE};
    assert(resource && errors && errors->arena);
    const struct json *type = json_get(resource, "resourceType");
    if (expected_type.len > 0 && type && type->kind == JSON_STRING &&
        !slice_eq(type->text, expected_type)) {
        const char *en =
            arena_printf(errors->arena, "the type must be %.*s here", SLICE_ARG(expected_type));
        const char *ja = arena_printf(errors->arena, "ここでは %.*s でなければなりません",
                                      SLICE_ARG(expected_type));
        say(&c, &place, en ? en : "another type is expected", ja ? ja : "型が違います");
        return c.first;
    }
    check_resource(&c, resource, NULL);
    if (c.first == ERR_OK && arena_exhausted(errors->arena))
        return ERR_LIMIT;
    return c.first;
}
