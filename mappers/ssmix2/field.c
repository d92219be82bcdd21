/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk along a table of fields and the prints its rows name (see field.h). Fields are put in
 * rising order, whatever the order of the rows.
 */
#include "mappers/ssmix2/field.h"

#include "mappers/hl7v2/terms.h"

#include "base/banned.h"

/* ---- the walk ---- */

struct stroll {
    struct segment *s; /* NULL: only looking */
    struct arena *arena;
    const struct field *row;
    bool any;
};

static void arrive(struct stroll *w, const struct json *value)
{
    struct slice text = w->row->print(w->arena, value, w->row->arg);

    if (text.len == 0)
        return;
    w->any = true;
    if (w->s)
        segment_again(w->s, w->row->n, text);
}

/* Follows PATH from AT; "[]" goes to each item, "[n]" to one. */
static void follow(struct stroll *w, const struct json *at, struct slice path)
{
    while (at && path.ptr && path.len > 0) {
        struct slice part = slice_cut(&path, '.');
        size_t bracket = slice_find(part, '[', 0);
        uint64_t n = 0;
        at = json_get_slice(at, slice_sub(part, 0, bracket));
        if (bracket == part.len || !at)
            continue;
        if (slice_u64(slice_sub(part, bracket + 1, part.len - bracket - 2), &n)) {
            at = json_at(at, (uint32_t)n);
            continue;
        }
        for (const struct json *i = at->kind == JSON_ARRAY ? at->first : NULL; i; i = i->next)
            follow(w, i, path);
        return;
    }
    if (at)
        arrive(w, at);
}

static void put_rows(struct segment *s, const struct field *rows, unsigned n,
                     const struct json *resource)
{
    for (; rows && rows->n && s->field < n; rows++) {
        struct stroll w = {s, s->arena, rows, false};
        if (rows->n == n)
            follow(&w, resource, slice_str(rows->path));
    }
}

void field_put(struct segment *s, const struct field *rows, const struct json *resource,
               const struct field_given *given)
{
    unsigned highest = 0;

    for (const struct field *f = rows; f && f->n; f++)
        highest = f->n > highest ? f->n : highest;
    for (const struct field_given *g = given; g && g->n; g++)
        highest = g->n > highest ? g->n : highest;
    for (unsigned n = s->field + 1; n <= highest; n++) {
        bool must = false;
        for (const struct field_given *g = given; g && g->n; g++) {
            if (g->n != n)
                continue;
            segment_put(s, n, g->value);
            must = g->must;
        }
        put_rows(s, rows, n, resource);
        if (must && s->field < n)
            segment_must(s, n, SLICE_NONE);
    }
}

void field_segment(struct segment *s, const char *name, const struct field *rows,
                   const struct json *resource, const struct field_given *given)
{
    segment_begin(s, name);
    field_put(s, rows, resource, given);
    segment_end(s);
}

bool field_any(struct arena *a, const struct field *rows, const struct json *resource)
{
    for (; rows->n; rows++) {
        struct stroll w = {NULL, a, rows, false};
        follow(&w, resource, slice_str(rows->path));
        if (w.any)
            return true;
    }
    return false;
}

/* ---- plain values ---- */

struct slice field_text(struct arena *a, const struct json *value, const void *arg)
{
    (void)arg;
    return value->kind == JSON_STRING || value->kind == JSON_NUMBER ? segment_escape(a, value->text)
                                                                    : SLICE_NONE;
}

struct slice field_time(struct arena *a, const struct json *value, const void *arg)
{
    (void)arg;
    return segment_time(a, value->text);
}

struct slice field_clock(struct arena *a, const struct json *value, const void *arg)
{
    struct slice t = value->text;

    (void)arg;
    if (t.len < 8 || t.ptr[2] != ':' || t.ptr[5] != ':')
        return SLICE_NONE;
    return segment_escape(a, segment_format(a, "%.2s%.2s%.2s", t.ptr, t.ptr + 3, t.ptr + 6));
}

struct slice field_back(struct arena *a, const struct json *value, const void *arg)
{
    (void)a;
    return segment_back(arg, value->text);
}

struct slice field_telecom(struct arena *a, const struct json *value, const void *arg)
{
    (void)arg;
    return segment_telecom(a, value);
}

struct slice field_address(struct arena *a, const struct json *value, const void *arg)
{
    (void)arg;
    return segment_address(a, value);
}

/* ---- codes ---- */

/* Has any coding of CONCEPT a system called one of NAMES (a list of words)? */
static bool has_system(struct arena *a, const struct json *concept, struct slice names)
{
    const struct json *list = json_get(concept, "coding");

    while (names.ptr && names.len > 0) {
        struct slice name = slice_cut(&names, ' ');
        for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
            if (slice_eq(segment_system(a, json_str(i, "system")), name))
                return true;
        }
    }
    return false;
}

static bool is_about(struct arena *a, const struct json *concept, const void *arg)
{
    struct slice names = slice_str(arg);

    if (names.len == 0)
        return true;
    if (names.ptr[0] == '!')
        return !has_system(a, concept, slice_sub(names, 1, names.len));
    return has_system(a, concept, names);
}

struct slice field_concept(struct arena *a, const struct json *value, const void *arg)
{
    return is_about(a, value, arg) ? segment_concept(a, value) : SLICE_NONE;
}

struct slice field_concept_sub(struct arena *a, const struct json *value, const void *arg)
{
    struct slice whole = field_concept(a, value, arg);
    char *parts = arena_str(a, whole);

    for (size_t i = 0; parts && i < whole.len; i++) {
        if (parts[i] == '^')
            parts[i] = '&';
    }
    return slice_str(parts);
}

struct slice field_coding(struct arena *a, const struct json *value, const void *arg)
{
    (void)arg;
    return segment_coding(a, value);
}

struct slice field_code(struct arena *a, const struct json *value, const void *arg)
{
    struct slice code = json_str(json_path(value, "coding", "0", NULL), "code");

    (void)arg;
    return segment_escape(a, code.len > 0 ? code : json_str(value, "text"));
}

struct slice field_unit(struct arena *a, const struct json *value, const void *arg)
{
    (void)arg;
    return segment_unit(a, value);
}

struct slice field_amount(struct arena *a, const struct json *value, const void *arg)
{
    const struct json *number = json_get(value, "value");
    struct slice unit = segment_unit(a, value);
    char *parts = arena_str(a, unit);

    (void)arg;
    if (!number)
        return SLICE_NONE;
    for (size_t i = 0; parts && i < unit.len; i++) {
        if (parts[i] == '^')
            parts[i] = '&';
    }
    return segment_format(a, "%.*s%s%s", SLICE_ARG(segment_escape(a, number->text)),
                          unit.len > 0 ? "^" : "", parts ? parts : "");
}

/* Its first row with that meaning: R stands for all that are restricted. */
struct slice field_security(struct arena *a, const struct json *value, const void *arg)
{
    (void)a;
    (void)arg;
    if (!slice_ends(json_str(value, "system"), SLICE("v3-Confidentiality")))
        return SLICE_NONE;
    return segment_back(terms_security, json_str(value, "code"));
}

/* ---- people and places ---- */

struct slice field_person(struct arena *a, const struct json *value, const void *arg)
{
    (void)arg;
    return segment_person(a, value);
}

static struct slice number_of(const struct json *reference)
{
    return json_str(json_get(reference, "identifier"), "value");
}

struct slice field_numbered_person(struct arena *a, const struct json *value, const void *arg)
{
    (void)arg;
    return number_of(value).len > 0 ? segment_person(a, value) : SLICE_NONE;
}

struct slice field_name_only(struct arena *a, const struct json *value, const void *arg)
{
    struct slice name = segment_escape(a, json_str(value, "display"));

    if (name.len == 0 || number_of(value).len > 0)
        return SLICE_NONE;
    return segment_format(a, "%s%.*s", slice_is(slice_str(arg), "2") ? "^" : "", SLICE_ARG(name));
}

struct slice field_place(struct arena *a, const struct json *value, const void *arg)
{
    struct slice name = segment_escape(a, json_str(value, "display"));

    (void)arg;
    return name.len > 0 ? segment_format(a, "^^^^^^^^%.*s", SLICE_ARG(name)) : SLICE_NONE;
}

/* ---- numbers and extensions ---- */

static bool is_local(struct slice system, struct slice name)
{
    return slice_ends(system, name) && system.len > name.len &&
           system.ptr[system.len - name.len - 1] == ':';
}

struct slice field_identifier(struct arena *a, const struct json *value, const void *arg)
{
    struct slice system = json_str(value, "system"), name = slice_str(arg);

    if (!slice_eq(system, name) && !is_local(system, name))
        return SLICE_NONE;
    return segment_escape(a, json_str(value, "value"));
}

struct slice field_typed(struct arena *a, const struct json *value, const void *arg)
{
    const struct json *type = json_path(value, "type", "coding", "0", NULL);

    return slice_is(json_str(type, "code"), arg) ? segment_escape(a, json_str(value, "value"))
                                                 : SLICE_NONE;
}

struct slice field_extension(struct arena *a, const struct json *value, const void *arg)
{
    static const struct {
        const char *member;
        field_print print;
    } kinds[] = {
        {"valueCodeableConcept", field_concept}, {"valueCoding", field_coding},
        {"valueDateTime", field_time},           {"valueString", field_text},
        {"valueContactPoint", field_telecom},    {"valueAddress", field_address},
        {"valueReference", field_person},
    };

    if (!slice_is(json_str(value, "url"), arg))
        return SLICE_NONE;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const struct json *held = json_get(value, kinds[i].member);
        if (held)
            return kinds[i].print(a, held, NULL);
    }
    return SLICE_NONE;
}
