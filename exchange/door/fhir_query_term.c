/* SPDX-License-Identifier: Apache-2.0
 *
 * One parameter of one resource type with its modifier and all its values, as filters (R4
 * search.html#modifiers, #reference, #composite). Which modifiers a kind of parameter takes is a
 * table; what they mean against a record is decided in storage/match.c. Values that name a patient
 * become persons (fhir_query_person.c).
 */
#include "exchange/door/fhir_query_impl.h"
#include "exchange/door/fhir_terms.h"
#include "exchange/gate/own_id.h"
#include "exchange/gate/refs.h"

#include "base/banned.h"

#define URL_FORMS 3 /* of one reference: relative, and under the address of each listener */

/* What is being made of one parameter. */
struct term_build {
    struct fhir_build *b;
    const struct fhir_criterion *c;
    struct slice type;
    const struct definition_param *def;
    struct slice target; /* [type] as modifier */
    struct search_value *values;
    size_t count, room;
    struct fhir_persons persons;
};

/* Room for one more value; NULL when memory is out. */
static struct search_value *new_value(struct term_build *t)
{
    if (t->count == t->room) {
        size_t room = t->room ? t->room * 2 : 8;
        struct search_value *grown = arena_array(t->b->r->arena, room, sizeof(*grown));
        if (!grown)
            return NULL;
        if (t->count)
            memcpy(grown, t->values, t->count * sizeof(*grown));
        t->values = grown;
        t->room = room;
    }
    return &t->values[t->count++];
}

static enum err add_value(struct term_build *t, const struct search_value *value)
{
    if (t->count == LIMIT_SEARCH_FORMS)
        return err_add(&t->b->r->errors, ERR_TOO_LARGE, t->c->place,
                       "more than %u values; name the type: [type]/[id]", LIMIT_SEARCH_FORMS);
    struct search_value *v = new_value(t);
    if (!v)
        return ERR_LIMIT;
    *v = *value;
    return ERR_OK;
}

/* A value of DEF's own kind; the code system that all its codes are of may be said or not. */
static bool parse_own(struct arena *arena, const struct definition_param *def, struct slice text,
                      struct search_value *ret_value)
{
    struct search_value v;
    if (!fhir_query_value_parse(arena, def->kind, text, &v))
        return false;
    if (def->kind == FACET_TOKEN && *def->system && slice_is(v.system, def->system))
        v.system = SLICE_NONE;
    *ret_value = v;
    return true;
}

/* ── references ──────────────────────────────────────────────────────────────────────────────── */

static bool is_url(struct slice text)
{
    return slice_search(text, SLICE("://"), 0) < text.len || slice_starts(text, SLICE("urn:"));
}

/* "Type/id" as a value, and the same under each of our own addresses, as somebody may have stored
 * it. */
static enum err add_relative(struct term_build *t, struct slice type, struct slice id)
{
    struct request *r = t->b->r;
    const char *const bases[URL_FORMS] = {"", r->exchange->base_url, r->exchange->portal_url};
    enum err err = own_id_stored(t->b->s, r, type, id, &id);
    for (size_t i = 0; i < URL_FORMS && !err; i++) {
        const char *text = arena_printf(r->arena, "%s%s%.*s/%.*s", bases[i], *bases[i] ? "/" : "",
                                        SLICE_ARG(type), SLICE_ARG(id));
        struct search_value v = {.kind = i ? FACET_URI : FACET_REFERENCE, .text = slice_str(text)};
        if (!text)
            return ERR_LIMIT;
        if (!i || *bases[i])
            err = add_value(t, &v);
    }
    return err;
}

/* An id alone stands for each type the parameter may refer to. */
static enum err add_bare_id(struct term_build *t, struct slice id)
{
    size_t count = 0;
    const struct definition_type *const *types = definition_resources(&count);
    enum err err = ERR_OK;
    for (size_t i = 0; i < count && !err; i++) {
        struct slice type = slice_str(types[i]->name);
        if (t->target.len ? !slice_eq(t->target, type) : !definition_can_target(t->def, type))
            continue;
        if (slice_is(type, "Patient"))
            err = fhir_query_person(t->b, id, &t->persons);
        else
            err = add_relative(t, type, id);
    }
    return err;
}

static enum err add_reference(struct term_build *t, struct slice text)
{
    struct slice reference = refs_local(t->b->r, fhir_query_value_unescape(t->b->r->arena, text));
    size_t slash = slice_find(reference, '/', 0);
    struct slice type = slice_sub(reference, 0, slash);
    struct slice id = slice_sub(reference, slash + 1, reference.len);
    struct search_value v = {.kind = FACET_URI, .text = reference};
    if (is_url(reference))
        return t->target.len ? fhir_query_bad(t->b, t->c, "[id]") : add_value(t, &v);
    if (slash == reference.len)
        return reference.len ? add_bare_id(t, reference)
                             : fhir_query_bad(t->b, t->c, fhir_query_value_form(FACET_REFERENCE));
    const struct definition_type *known = definition_type(type);
    id = slice_sub(id, 0, slice_find(id, '/', 0)); /* without /_history/n: whatever the version */
    if (!known || known->kind != DEFINITION_RESOURCE || !id.len ||
        (t->target.len && !slice_eq(t->target, type)))
        return fhir_query_bad(t->b, t->c, fhir_query_value_form(FACET_REFERENCE));
    if (slice_is(type, "Patient"))
        return fhir_query_person(t->b, reference, &t->persons);
    return add_relative(t, type, id);
}

/* ── composites ──────────────────────────────────────────────────────────────────────────────── */

/* A reference in a composite says its type, unless there is only one; never a patient. */
static bool parse_part(struct term_build *t, const struct definition_part *part, struct slice text,
                       struct search_value *ret_value)
{
    struct arena *arena = t->b->r->arena;
    struct slice targets = slice_str(part->param->targets);
    struct slice reference = refs_local(t->b->r, fhir_query_value_unescape(arena, text));
    if (part->kind != FACET_REFERENCE)
        return parse_own(arena, part->param, text, ret_value);
    if (slice_find(reference, '/', 0) == reference.len &&
        slice_find(targets, ' ', 0) == targets.len)
        reference =
            slice_str(arena_printf(arena, "%.*s/%.*s", SLICE_ARG(targets), SLICE_ARG(reference)));
    *ret_value = (struct search_value){.kind = is_url(reference) ? FACET_URI : FACET_REFERENCE,
                                       .text = reference};
    return text.len > 0 && !slice_starts(reference, SLICE("Patient/"));
}

static enum err add_composite(struct term_build *t, struct slice text)
{
    struct arena *arena = t->b->r->arena;
    size_t count = t->def->part_count;
    struct search_value *parts = arena_array(arena, count ? count : 1, sizeof(*parts));
    struct search_value v = {.kind = FACET_COMPOSITE, .parts = parts, .part_count = (uint8_t)count};
    struct slice rest = text;
    if (!parts)
        return ERR_LIMIT;
    for (size_t i = 0; i < count; i++) {
        size_t at = fhir_query_value_find(rest, '$');
        bool last = i + 1 == count;
        if (!rest.ptr || (at == rest.len) != last ||
            !parse_part(t, &t->def->parts[i], slice_sub(rest, 0, at), &parts[i]))
            return fhir_query_bad(t->b, t->c, fhir_query_value_form(FACET_COMPOSITE));
        rest = slice_sub(rest, at + 1, rest.len);
    }
    return add_value(t, &v);
}

/* ── modifiers ───────────────────────────────────────────────────────────────────────────────── */

static enum err add_plain(struct term_build *t, struct slice text)
{
    struct search_value v;
    if (t->def->kind == FACET_REFERENCE)
        return add_reference(t, text);
    if (t->def->kind == FACET_COMPOSITE)
        return add_composite(t, text);
    if (!parse_own(t->b->r->arena, t->def, text, &v))
        return fhir_query_bad(t->b, t->c, fhir_query_value_form(t->def->kind));
    return add_value(t, &v);
}

static enum err add_as(struct term_build *t, struct slice text, enum facet_kind kind,
                       enum search_op op)
{
    struct search_value v;
    if (!fhir_query_value_parse(t->b->r->arena, kind, text, &v))
        return fhir_query_bad(t->b, t->c, fhir_query_value_form(kind));
    v.op = op;
    return add_value(t, &v);
}

static enum err add_exact(struct term_build *t, struct slice text)
{
    return add_as(t, text, FACET_STRING, SEARCH_EXACT);
}

static enum err add_contains(struct term_build *t, struct slice text)
{
    return add_as(t, text, FACET_STRING, SEARCH_CONTAINS);
}

/* "Processed as a string": starts with, like any string. */
static enum err add_text(struct term_build *t, struct slice text)
{
    return add_as(t, text, FACET_STRING, SEARCH_EQ);
}

static enum err add_typed(struct term_build *t, struct slice text)
{
    struct search_value v;
    if (!fhir_query_value_typed(t->b->r->arena, text, &v))
        return fhir_query_bad(t->b, t->c, fhir_query_value_form(FACET_TYPED));
    return add_value(t, &v);
}

/* A bare code of R4's own has no system where it stands. */
static enum err add_codes(struct term_build *t, const struct fhir_terms_code *codes, size_t count)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < count && !err; i++) {
        struct search_value v = {
            .kind = FACET_TOKEN, .system = codes[i].system, .text = codes[i].code};
        if (*t->def->system && slice_is(v.system, t->def->system))
            v.system = SLICE_NONE;
        err = add_value(t, &v);
    }
    return err;
}

/* system|code by the hierarchy of the stored code system; the system may be left out where there is
 * only one. */
static enum err add_subsumed(struct term_build *t, struct slice text, bool above)
{
    struct request *r = t->b->r;
    struct err_list saved = r->errors;
    struct fhir_terms_code *codes = NULL;
    struct search_value v;
    size_t count = 0;
    bool good = fhir_query_value_parse(r->arena, FACET_TOKEN, text, &v) && !v.any_code;
    struct slice system = v.system.len ? v.system : slice_str(t->def->system);
    if (!good || !system.len)
        return fhir_query_bad(t->b, t->c, "system|code");
    enum err err = fhir_terms_subsumed(t->b->s, r, system, v.text, above, &codes, &count);
    if (err == ERR_NOT_FOUND || err == ERR_NOT_SUPPORTED) {
        fhir_query_forgive(r, saved);
        return fhir_query_bad(t->b, t->c, "system|code of a code system stored here");
    }
    return err ? err : add_codes(t, codes, count);
}

static enum err add_above(struct term_build *t, struct slice text)
{
    return t->def->kind == FACET_TOKEN ? add_subsumed(t, text, true)
                                       : add_as(t, text, FACET_URI, SEARCH_ABOVE);
}

static enum err add_below(struct term_build *t, struct slice text)
{
    return t->def->kind == FACET_TOKEN ? add_subsumed(t, text, false)
                                       : add_as(t, text, FACET_URI, SEARCH_BELOW);
}

/* The codes of a stored value set. */
static enum err add_members(struct term_build *t, struct slice text)
{
    struct request *r = t->b->r;
    struct err_list saved = r->errors;
    struct fhir_terms_code *codes = NULL;
    size_t count = 0;
    enum err err =
        fhir_terms_expand(t->b->s, r, fhir_query_value_unescape(r->arena, text), &codes, &count);
    if (err == ERR_NOT_FOUND) {
        fhir_query_forgive(r, saved);
        return fhir_query_bad(t->b, t->c, "url, ValueSet/[id]");
    }
    return err ? err : add_codes(t, codes, count);
}

static enum err add_identifier(struct term_build *t, struct slice text)
{
    bool only = false;
    enum err err = ERR_OK;
    if (definition_can_target(t->def, SLICE("Patient")))
        err = fhir_query_person_identifier(t->b, text, &t->persons, &only);
    return err || only ? err : add_as(t, text, FACET_TOKEN, SEARCH_EQ);
}

#define KIND(name) (1u << FACET_##name)
#define EVERY (~0u)

static const struct modifier {
    const char *name;
    unsigned kinds;
    bool none;                                                /* passes when no value matches */
    enum err (*add)(struct term_build *t, struct slice text); /* NULL: :missing */
} modifiers[] = {
    {"", EVERY, false, add_plain},
    {"missing", EVERY, false, NULL},
    {"exact", KIND(STRING), false, add_exact},
    {"contains", KIND(STRING), false, add_contains},
    {"text", KIND(TOKEN) | KIND(REFERENCE), false, add_text},
    {"not", KIND(TOKEN), true, add_plain},
    {"in", KIND(TOKEN), false, add_members},
    {"not-in", KIND(TOKEN), true, add_members},
    {"of-type", KIND(TOKEN), false, add_typed},
    {"above", KIND(TOKEN) | KIND(URI), false, add_above},
    {"below", KIND(TOKEN) | KIND(URI), false, add_below},
    {"identifier", KIND(REFERENCE), false, add_identifier},
};

const char *fhir_query_term_modifiers(enum facet_kind kind)
{
    static const char *const names[] = {
        [FACET_TOKEN] = ":missing, :not, :text, :in, :not-in, :of-type, :above, :below",
        [FACET_STRING] = ":missing, :exact, :contains",
        [FACET_REFERENCE] = ":missing, :identifier, :text, :[type]",
        [FACET_URI] = ":missing, :above, :below",
    };
    size_t count = sizeof(names) / sizeof(*names);
    return (size_t)kind < count && names[kind] ? names[kind] : ":missing";
}

static enum err bad_modifier(struct term_build *t, struct slice modifier)
{
    return err_add(&t->b->r->errors, ERR_UNKNOWN_PARAM, t->c->place, ":%.*s; valid: %s",
                   SLICE_ARG(modifier), fhir_query_term_modifiers(t->def->kind));
}

/* The modifier's row; a resource type on a reference is a plain one with a target. NULL: not valid.
 */
static const struct modifier *find_modifier(struct term_build *t, struct slice name)
{
    for (size_t i = 0; i < sizeof(modifiers) / sizeof(*modifiers); i++)
        if (slice_is(name, modifiers[i].name))
            return modifiers[i].kinds & (1u << t->def->kind) ? &modifiers[i] : NULL;
    const struct definition_type *type = definition_type(name);
    if (t->def->kind != FACET_REFERENCE || !type || type->kind != DEFINITION_RESOURCE ||
        !definition_can_target(t->def, name))
        return NULL;
    t->target = name;
    return &modifiers[0];
}

/* ── the whole parameter ─────────────────────────────────────────────────────────────────────── */

static enum err add_missing(struct term_build *t, struct fhir_filters *list)
{
    struct search_filter filter = {.kind = SEARCH_TERM,
                                   .term = {.param = t->def->number, .missing = true}};
    filter.term.none = slice_is(t->c->value, "false");
    if (!filter.term.none && !slice_is(t->c->value, "true"))
        return fhir_query_bad(t->b, t->c, "true, false");
    return fhir_query_add(t->b, t->c, list, &filter);
}

/* Values and persons are alternatives of one parameter. */
static enum err finish(struct term_build *t, bool none, struct fhir_filters *list)
{
    struct fhir_filters sides[2] = {{0}};
    size_t count = 0;
    enum err err = ERR_OK;
    if (t->count || !t->persons.given) {
        struct search_filter term = {.kind = SEARCH_TERM,
                                     .term = {.param = t->def->number,
                                              .none = none,
                                              .common = t->def->common,
                                              .values = t->values,
                                              .value_count = t->count}};
        err = fhir_query_add(t->b, t->c, &sides[count++], &term);
    }
    if (!err && t->persons.given) {
        bool own = t->def->kind != FACET_REFERENCE; /* a Patient's identifier: he himself */
        err =
            fhir_query_person_add(t->b, t->c, own ? 0 : t->def->number, &t->persons, &sides[count]);
        if (!err)
            sides[count++].items[0].none = none;
    }
    if (err)
        return err;
    if (none) { /* not this and not that */
        for (size_t i = 0; i < count && !err; i++)
            err = fhir_query_add_any(t->b, t->c, list, &sides[i], 1);
        return err;
    }
    return fhir_query_add_any(t->b, t->c, list, sides, count);
}

/* A Patient's card and numbers are in the relay index only. */
static enum err add_own_identifier(struct term_build *t, struct slice text)
{
    bool only = false;
    enum err err = fhir_query_person_identifier(t->b, text, &t->persons, &only);
    return err || only ? err : add_plain(t, text);
}

enum err fhir_query_term(struct fhir_build *b, struct slice type,
                         const struct definition_param *def, struct slice modifier,
                         const struct fhir_criterion *c, struct fhir_filters *list)
{
    struct term_build t = {.b = b, .c = c, .type = type, .def = def};
    const struct modifier *m = find_modifier(&t, modifier);
    struct slice rest = c->value;
    bool identifier = slice_is(type, "Patient") && strcmp(def->code, "identifier") == 0;
    enum err err = ERR_OK;
    if (!m)
        return bad_modifier(&t, modifier);
    if (!m->add)
        return add_missing(&t, list);
    if (!c->value.len)
        return fhir_query_bad(b, c, fhir_query_value_form(def->kind));
    if (fhir_query_value_count(c->value) > LIMIT_SEARCH_VALUES)
        return err_add(&b->r->errors, ERR_TOO_LARGE, c->place, "more than %u values",
                       LIMIT_SEARCH_VALUES);
    while (rest.ptr && !err) {
        struct slice text = fhir_query_value_cut(&rest);
        err = identifier && m->add == add_plain ? add_own_identifier(&t, text) : m->add(&t, text);
    }
    return err ? err : finish(&t, m->none, list);
}
