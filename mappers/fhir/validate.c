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

#include "mappers/fhir/coded.h"
#include "mappers/fhir/findings.h"
#include "mappers/fhir/invariant.h"
#include "mappers/fhir/narrative.h"
#include "mappers/fhir/primitive.h"
#include "mappers/fhir/reference.h"

#include "base/banned.h"

#define SEEN_WORDS ((TABLES_ELEMENTS_MAX + 63) / 64)

/* The resource whose contained resources "#id" may name, with their ids sorted when first asked
 * for. */
struct container {
    const struct json *resource;
    struct slice *ids;
    size_t count;
    bool ready;
};

struct check {
    struct findings found;
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

static void say(struct check *c, const struct place *at, const char *en, const char *ja)
{
    findings_say(&c->found, ERR_INVALID, at, en, ja);
}

/* CHOICES: the names the missing element may have, or NULL. */
static void say_missing(struct check *c, const struct place *at, const char *choices)
{
    const char *where = findings_where(&c->found, at);
    enum err err = choices ? err_add(c->found.errors, ERR_REQUIRED, where, "%s", choices)
                           : err_add(c->found.errors, ERR_REQUIRED, where, NULL);
    findings_note(&c->found, err);
}

static bool is_known(const struct definition_type *type, enum tables_known at)
{
    return type == &tables_types[at];
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
        k->ids = arena_array(c->found.errors->arena, list->count, sizeof(*k->ids));
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
        findings_note(&c->found, ERR_LIMIT);
        return;
    }
    if (!k->ids || !bsearch(&id, k->ids, k->count, sizeof(*k->ids), compare_ids))
        say(c, at, "no contained resource has this id",
            "この id の contained リソースがありません");
}

/* Reference.type says the same as the reference itself (references.html#Reference); the type should
 * be one the element may point to, which four of R4's own examples do not keep. PLACE is the
 * reference's own, AT the element's. */
static void check_target(struct check *c, const char *targets, const struct json *value,
                         struct slice type, const struct place *place, const struct place *at)
{
    struct arena *arena = c->found.errors->arena;
    struct slice said = json_str(value, "type");
    struct place type_place = {at, NULL, SLICE("type"), PLACE_SINGLE};
    if (said.len > 0 && type.len > 0 && !slice_eq(said, type))
        say(c, &type_place, "the reference is to another type", "参照先の型と一致しません");
    if (!targets || type.len == 0 || reference_may_target(targets, type))
        return;
    bool shown = findings_kept(&c->found);
    findings_tell(
        &c->found, ERR_SEVERITY_WARNING, ERR_INVALID, place,
        shown ? arena_printf(arena, "a reference to one of these is expected: %s", targets) : "",
        shown ? arena_printf(arena, "参照先は次のいずれかです: %s", targets) : "");
}

static void check_reference(struct check *c, const char *targets, const struct json *value,
                            const struct place *at)
{
    const struct json *member = json_get(value, "reference");
    if (!member || member->kind != JSON_STRING || member->text.len == 0)
        return; /* absent is fine; a wrong kind and an empty text were told already */
    struct place place = {at, NULL, SLICE("reference"), PLACE_SINGLE};
    struct slice text = member->text;
    struct slice type;
    switch (reference_form(text, &type)) {
    case REFERENCE_FRAGMENT:
        check_fragment(c, slice_sub(text, 1, text.len), &place);
        break;
    case REFERENCE_BAD:
        say(c, &place, "a reference is expected: Type/id, #id, a URL or urn:uuid:...",
            "参照が必要です(Type/id、#id、URL、urn:uuid:...)");
        break;
    case REFERENCE_BAD_URN:
        findings_tell(&c->found, ERR_SEVERITY_WARNING, ERR_INVALID, &place,
                      "urn:uuid: or urn:oid: should be followed by a UUID in lower case or an OID",
                      "urn:uuid: と urn:oid: の後は小文字の UUID と OID が望まれます");
        break;
    default:
        check_target(c, targets, value, type, &place, at);
        break;
    }
}

/* ── values ──────────────────────────────────────────────────────────────────────────────────── */

static void check_primitive(struct check *c, const struct definition_type *owner,
                            const struct definition_element *e, const struct json *value,
                            const struct place *at)
{
    const char *en = NULL;
    const char *ja = NULL;
    enum tables_primitive type = (enum tables_primitive)(e->type - &tables_types[TABLES_PRIMITIVE]);
    if (!primitive_ok(type, value))
        say(c, at, primitive_en(type), primitive_ja(type));
    else if (type == TABLES_XHTML && !narrative_ok(value->text, &en, &ja))
        say(c, at, en, ja);
    else if (en)
        findings_tell(&c->found, ERR_SEVERITY_WARNING, ERR_INVALID, at, en, ja);
    else if (e->codes)
        coded_check(&c->found, owner, e, value, at);
    else if (type == TABLES_CANONICAL && !reference_has_scheme(value->text) &&
             value->text.ptr[0] != '#')
        findings_tell(&c->found, ERR_SEVERITY_WARNING, ERR_INVALID, at,
                      "a canonical URL should be absolute", "canonical は絶対 URL が望まれます");
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
        say_missing(c, &id, NULL);
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

/* One value of E, an element of OWNER; not a list. */
static void check_value(struct check *c, const struct definition_type *owner,
                        const struct definition_element *e, const struct json *value,
                        const struct place *at)
{
    if (value->kind == JSON_NULL) {
        say(c, at, "null is not allowed here", "null は使えません");
    } else if (!e->type) {
        if (strcmp(e->name, "contained") == 0)
            check_contained(c, value, at);
        else
            check_inner(c, value, at);
    } else if (e->type->kind == DEFINITION_PRIMITIVE) {
        check_primitive(c, owner, e, value, at);
    } else {
        check_object(c, e->type, value, at);
        if (e->codes && value->kind == JSON_OBJECT)
            coded_check(&c->found, owner, e, value, at);
        if (is_known(e->type, TABLES_AT_REFERENCE))
            check_reference(c, reference_targets(owner->name, e->name), value, at);
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
    bool paired = false, looked = false;
    if (list->kind != JSON_ARRAY) {
        say(c, at, "a list [ ] is expected", "リスト [ ] が必要です");
        return;
    }
    if (list->count == 0)
        say(c, at, "an empty list is not allowed", "空のリストは使えません");
    for (const struct json *i = list->first; i; i = i->next) {
        at->index++;
        if (i->kind == JSON_NULL && primitive && !looked) {
            const struct json *other = sibling(o->json, list->key);
            paired = other && other->kind == JSON_ARRAY;
            looked = true; /* once: there may be many nulls and many members */
        }
        if (i->kind != JSON_NULL || !paired) /* pairs are checked at the sibling */
            check_value(c, o->type, e, i, at);
    }
}

/* ── extensions of primitives: _birthDate beside birthDate ───────────────────────────────────── */

/* What stands beside the value VALUE (or beside none). */
static void check_beside(struct check *c, const struct definition_element *e,
                         const struct json *json, bool value, const struct place *at)
{
    check_object(c, e->type, json, at);
    if (!value && json->kind == JSON_OBJECT && json->count == 1 && json_get(json, "id"))
        findings_say(&c->found, ERR_INVARIANT, at,
                     "an element must have a value or children, not only an id (ele-1)",
                     "id だけの要素は使えません(ele-1)");
}

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
        bool value = v && v->kind != JSON_NULL;
        at->index++;
        if (i->kind != JSON_NULL)
            check_beside(c, e, i, value, at);
        else if (!value)
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
        check_beside(c, e, member, json_get_slice(o->json, slice_str(e->name)) != NULL, at);
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
        findings_say(&c->found, ERR_UNKNOWN_ELEMENT, &at, NULL, NULL);
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
        check_value(c, o->type, e, member, &at);
}

static void say_required(struct check *c, const struct object *o,
                         const struct definition_element *e)
{
    struct arena *arena = c->found.errors->arena;
    struct place at = {o->at, e, SLICE_NONE, PLACE_SINGLE};
    const char *choices = NULL;
    bool shown = findings_kept(&c->found);
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
    say_missing(c, &at, choices);
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

/* Element.id is any text without white space (element.html#id); a resource's has a type of its own.
 */
static void check_id(struct check *c, const struct object *o)
{
    struct slice id = json_str(o->json, "id");
    struct place at = {o->at, NULL, SLICE("id"), PLACE_SINGLE};
    if (o->type->kind != DEFINITION_RESOURCE && id.len > 0 && !primitive_is_uri(id))
        say(c, &at, "an id without white space is expected", "空白を含まない id が必要です");
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
    check_id(c, &o);
    invariant_check(&c->found, type, json, at);
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
        say_missing(c, &place, NULL);
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
    struct check c = {.found = {.errors = errors}, .container = {.resource = resource}};
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
        return c.found.first;
    }
    check_resource(&c, resource, NULL);
    if (c.found.first == ERR_OK && arena_exhausted(errors->arena))
        return ERR_LIMIT;
    return c.found.first;
}
