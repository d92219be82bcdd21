/* SPDX-License-Identifier: Apache-2.0
 *
 * One function for each kind of leaf. Values that validation would refuse give no facet; nothing
 * here reports errors but limits. Facets point into the resource where they can. Modifiers ask for
 * other sides of an element (base/facet.h): these facets stand beside its own, but not in
 * composites, which have no modifiers.
 */
#include "mappers/fhir/leaf.h"

#include <assert.h>
#include <math.h>

#include "base/limits.h"
#include "mappers/fhir/precision.h"
#include "mappers/fhir/fold.h"
#include "mappers/fhir/span.h"

#include "base/banned.h"

static struct facet *add(struct leaf *x, enum facet_kind kind)
{
    if (x->err != ERR_OK)
        return NULL;
    if (x->count == LIMIT_FACETS) {
        x->err = ERR_TOO_LARGE;
        return NULL;
    }
    if (x->count == x->capacity) {
        size_t more = x->capacity * 2;
        struct facet *items = arena_array(x->arena, more, sizeof(*items));
        if (!items) {
            x->err = ERR_LIMIT;
            return NULL;
        }
        if (x->count > 0)
            memcpy(items, x->items, x->count * sizeof(*items));
        x->items = items;
        x->capacity = more;
    }
    struct facet *f = &x->items[x->count++];
    *f = (struct facet){.param = x->param->number,
                        .group = x->group,
                        .part = x->part,
                        .common = x->param->common,
                        .kind = kind};
    return f;
}

static bool too_long(struct slice a, struct slice b)
{
    return a.len > LIMIT_FACET_TEXT || b.len > LIMIT_FACET_TEXT;
}

/* ── strings ─────────────────────────────────────────────────────────────────────────────────── */

/* At most the limit, and no character cut in two. */
static struct slice cut(struct slice text)
{
    size_t len = text.len;
    if (len > LIMIT_FACET_TEXT) {
        len = LIMIT_FACET_TEXT;
        while (len > 0 && ((unsigned char)text.ptr[len] & 0xC0) == 0x80)
            len--;
    }
    return slice_of(text.ptr, len);
}

static void add_string(struct leaf *x, struct slice raw)
{
    struct slice shown = cut(raw);
    struct slice folded = shown.len > 0 ? fold_text(x->arena, shown) : SLICE_NONE;
    struct facet *f = folded.len > 0 ? add(x, FACET_STRING) : NULL;
    if (f) {
        f->text = folded;
        f->raw = shown;
    }
}

/* A text beside a token or reference, for :text. */
static void add_beside(struct leaf *x, struct slice text)
{
    if (x->group == 0)
        add_string(x, text);
}

static void add_plain_string(struct leaf *x, const struct json *v)
{
    if (v->kind == JSON_STRING)
        add_string(x, v->text);
}

/* A member that is text or a list of texts. */
static void add_strings(struct leaf *x, const struct json *object, const char *member)
{
    const struct json *v = json_get(object, member);
    if (v)
        add_plain_string(x, v);
    for (const struct json *i = v && v->kind == JSON_ARRAY ? v->first : NULL; i; i = i->next)
        add_plain_string(x, i);
}

/* The whole name as one text, and without its white space: people type both 山田太郎 and 山田 太郎.
 */
static void add_whole_name(struct leaf *x, struct slice whole)
{
    struct slice shown = cut(whole);
    struct slice tight = fold_name(x->arena, shown);
    size_t before = x->count;
    add_string(x, shown);
    if (x->count == before || slice_eq(tight, x->items[before].text))
        return;
    struct facet *f = add(x, FACET_STRING);
    if (f) {
        f->text = tight;
        f->raw = shown;
    }
}

/* "family given given", when the name has no text of its own. */
static struct slice joined_name(struct leaf *x, const struct json *name)
{
    const char *whole = arena_str(x->arena, json_str(name, "family"));
    const struct json *given = json_get(name, "given");
    const struct json *g = given && given->kind == JSON_ARRAY ? given->first : NULL;
    for (; g && whole; g = g->next) {
        if (g->kind == JSON_STRING && strlen(whole) < LIMIT_FACET_TEXT)
            whole = arena_printf(x->arena, "%s%s%.*s", whole, *whole ? " " : "",
                                 SLICE_ARG(cut(g->text)));
    }
    return slice_str(whole);
}

static void add_name(struct leaf *x, const struct json *v)
{
    struct slice text = json_str(v, "text");
    add_strings(x, v, "family");
    add_strings(x, v, "given");
    add_strings(x, v, "prefix");
    add_strings(x, v, "suffix");
    if (text.len == 0 && json_get(v, "family") && json_get(v, "given"))
        text = joined_name(x, v);
    if (text.len > 0)
        add_whole_name(x, text);
}

static void add_address(struct leaf *x, const struct json *v)
{
    static const char *const parts[] = {"text",  "line",       "city",   "district",
                                        "state", "postalCode", "country"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        add_strings(x, v, parts[i]);
}

/* ── tokens ──────────────────────────────────────────────────────────────────────────────────── */

static void add_token(struct leaf *x, struct slice system, struct slice code)
{
    struct facet *f = code.len == 0 || too_long(system, code) ? NULL : add(x, FACET_TOKEN);
    if (f) {
        f->system = system;
        f->text = code;
    }
}

/* A code without system, a boolean, or a number as written. */
static void add_plain(struct leaf *x, const struct json *v)
{
    if (v->kind == JSON_STRING || v->kind == JSON_NUMBER)
        add_token(x, SLICE_NONE, v->text);
    else if (v->kind == JSON_TRUE || v->kind == JSON_FALSE)
        add_token(x, SLICE_NONE, v->kind == JSON_TRUE ? SLICE("true") : SLICE("false"));
}

static void add_coding(struct leaf *x, const struct json *v)
{
    add_token(x, json_str(v, "system"), json_str(v, "code"));
    add_beside(x, json_str(v, "display"));
}

/* The items of a member that is a list. */
static const struct json *items_of(const struct json *object, const char *member)
{
    const struct json *v = json_get(object, member);
    return v && v->kind == JSON_ARRAY ? v->first : NULL;
}

static void add_concept(struct leaf *x, const struct json *v)
{
    for (const struct json *c = items_of(v, "coding"); c; c = c->next)
        add_coding(x, c);
    add_beside(x, json_str(v, "text"));
}

static void add_typed(struct leaf *x, const struct json *coding, struct slice value)
{
    struct slice system = json_str(coding, "system");
    struct slice code = json_str(coding, "code");
    struct facet *f = code.len == 0 || too_long(system, code) || too_long(value, code)
                          ? NULL
                          : add(x, FACET_TYPED);
    if (f) {
        f->system = system;
        f->text = code;
        f->raw = value;
    }
}

/* With its type, for :of-type and :text, when it stands for itself. */
static void add_identifier(struct leaf *x, const struct json *v)
{
    struct slice value = json_str(v, "value");
    const struct json *type = json_get(v, "type");
    add_token(x, json_str(v, "system"), value);
    if (!type || x->group > 0 || x->kind != FACET_TOKEN)
        return;
    for (const struct json *c = items_of(type, "coding"); c && value.len > 0; c = c->next)
        add_typed(x, c, value);
    add_beside(x, json_str(type, "text"));
}

static void add_contact(struct leaf *x, const struct json *v)
{
    add_token(x, SLICE_NONE, json_str(v, "value"));
}

/* Patient.deceased: a date means yes, nothing means no. */
static void add_deceased(struct leaf *x, const struct json *patient)
{
    bool dead =
        json_is_true(json_get(patient, "deceasedBoolean")) || json_get(patient, "deceasedDateTime");
    add_token(x, SLICE_NONE, dead ? SLICE("true") : SLICE("false"));
}

/* ── dates, numbers ──────────────────────────────────────────────────────────────────────────── */

static void add_time(struct leaf *x, const struct json *v)
{
    struct when when;
    struct facet *f = span_of(v, &when) ? add(x, FACET_DATE) : NULL;
    if (f) {
        f->lo_ms = when.lo_ms;
        f->hi_ms = when.hi_ms;
    }
}

static bool read_number(const struct json *v, double *ret_value)
{
    return v && v->kind == JSON_NUMBER && precision_value(v->text, ret_value);
}

static void add_number(struct leaf *x, const struct json *v)
{
    double value;
    struct facet *f = read_number(v, &value) ? add(x, FACET_NUMBER) : NULL;
    if (f)
        f->lo = f->hi = value;
}

/* Units from V, a Quantity. */
static void add_measure(struct leaf *x, double lo, double hi, const struct json *v)
{
    struct slice system = json_str(v, "system");
    struct slice code = json_str(v, "code");
    struct slice unit = json_str(v, "unit");
    struct facet *f = too_long(system, code) || too_long(unit, code) ? NULL : add(x, x->kind);
    if (!f)
        return;
    f->lo = lo;
    f->hi = hi;
    if (x->kind == FACET_QUANTITY) {
        f->system = system;
        f->text = code;
        f->raw = unit;
    }
}

/* A comparator opens one end; < and > leave the value itself out. */
static void add_quantity(struct leaf *x, const struct json *v)
{
    double lo;
    struct slice comparator = json_str(v, "comparator");
    if (!read_number(json_get(v, "value"), &lo))
        return;
    double hi = lo;
    if (slice_starts(comparator, SLICE("<"))) {
        lo = -INFINITY;
        hi = comparator.len == 1 ? nextafter(hi, -INFINITY) : hi;
    } else if (slice_starts(comparator, SLICE(">"))) {
        hi = INFINITY;
        lo = comparator.len == 1 ? nextafter(lo, INFINITY) : lo;
    }
    add_measure(x, lo, hi, v);
}

static void add_money(struct leaf *x, const struct json *v)
{
    double value;
    struct slice currency = json_str(v, "currency");
    struct facet *f = !too_long(currency, SLICE_NONE) && read_number(json_get(v, "value"), &value)
                          ? add(x, FACET_QUANTITY)
                          : NULL;
    if (!f)
        return;
    f->lo = f->hi = value;
    f->system = currency.len > 0 ? SLICE("urn:iso:std:iso:4217") : SLICE_NONE;
    f->text = f->raw = currency;
}

static void add_range(struct leaf *x, const struct json *v)
{
    double lo = -INFINITY;
    double hi = INFINITY;
    const struct json *low = json_get(v, "low");
    const struct json *high = json_get(v, "high");
    bool any = read_number(json_get(low, "value"), &lo);
    any |= read_number(json_get(high, "value"), &hi);
    if (any)
        add_measure(x, lo, hi, low ? low : high);
}

static void add_place(struct leaf *x, const struct json *v)
{
    double latitude;
    double longitude;
    struct facet *f = read_number(json_get(v, "latitude"), &latitude) &&
                              read_number(json_get(v, "longitude"), &longitude)
                          ? add(x, FACET_SPECIAL)
                          : NULL;
    if (f) {
        f->lo = latitude;
        f->hi = longitude;
    }
}

/* ── references and addresses ────────────────────────────────────────────────────────────────── */

static void add_address_of(struct leaf *x, enum facet_kind kind, struct slice text)
{
    struct facet *f = text.len == 0 || too_long(text, SLICE_NONE) ? NULL : add(x, kind);
    if (!f)
        return;
    f->text = text;
    /* A person's own records are found by his charts, never by this value, which all share. */
    f->common |= kind == FACET_REFERENCE && slice_is(text, "Patient/@");
}

/* Without /_history/version. */
static struct slice unversioned(struct slice reference)
{
    return slice_sub(reference, 0, slice_search(reference, SLICE("/_history/"), 0));
}

/* The type a reference names: the step before its id, or the empty slice. */
static struct slice type_in(struct slice reference)
{
    size_t id = reference.len;
    while (id > 0 && reference.ptr[id - 1] != '/')
        id--;
    if (id == 0)
        return SLICE_NONE;
    size_t type = id - 1;
    while (type > 0 && reference.ptr[type - 1] != '/')
        type--;
    return slice_sub(reference, type, id - 1 - type);
}

/* Type/id, which this program resolves, or else an address of somewhere. */
static bool is_relative(struct slice reference)
{
    size_t bar = slice_find(reference, '/', 0);
    return bar + 1 < reference.len && slice_find(reference, '/', bar + 1) == reference.len &&
           slice_find(reference, ':', 0) == reference.len;
}

static void add_reference(struct leaf *x, const struct json *v)
{
    struct slice text = unversioned(json_str(v, "reference"));
    if (x->target.len > 0 && !slice_eq(type_in(text), x->target) &&
        !slice_eq(json_str(v, "type"), x->target))
        return;
    if (text.len > 0 && text.ptr[0] != '#')
        add_address_of(x, is_relative(text) ? FACET_REFERENCE : FACET_URI, text);
    if (x->group > 0)
        return;
    if (json_get(v, "identifier"))
        add_identifier(x, json_get(v, "identifier"));
    add_beside(x, json_str(v, "display"));
}

static void add_uri(struct leaf *x, const struct json *v)
{
    if (v->kind == JSON_STRING)
        add_address_of(x, FACET_URI, v->text);
}

/* A canonical is found with and without its version; one within the resource is not found. */
static void add_canonical(struct leaf *x, const struct json *v)
{
    if (v->kind != JSON_STRING || slice_starts(v->text, SLICE("#")))
        return;
    size_t bar = slice_find(v->text, '|', 0);
    bool here = x->kind == FACET_REFERENCE && is_relative(v->text);
    add_address_of(x, here ? FACET_REFERENCE : FACET_URI, v->text);
    if (bar < v->text.len)
        add_address_of(x, FACET_URI, slice_sub(v->text, 0, bar));
}

/* A resource that stands where a reference is sought: a document's Composition, a message's header.
 */
static void add_inner(struct leaf *x, const struct json *v)
{
    struct slice type = json_str(v, "resourceType");
    struct slice id = json_str(v, "id");
    if (id.len == 0 || id.len > LIMIT_FHIR_ID || !definition_can_target(x->param, type))
        return;
    add_address_of(x, FACET_REFERENCE,
                   slice_str(arena_printf(x->arena, "%.*s/%.*s", SLICE_ARG(type), SLICE_ARG(id))));
}

typedef void (*add_cb)(struct leaf *x, const struct json *v);

static const add_cb adders['v' - 'A' + 1] = {
    ['A' - 'A'] = add_address,    ['B' - 'A'] = add_inner,   ['C' - 'A'] = add_coding,
    ['D' - 'A'] = add_deceased,   ['G' - 'A'] = add_place,   ['H' - 'A'] = add_name,
    ['I' - 'A'] = add_identifier, ['K' - 'A'] = add_concept, ['P' - 'A'] = add_contact,
    ['R' - 'A'] = add_reference,  ['c' - 'A'] = add_plain,   ['d' - 'A'] = add_time,
    ['m' - 'A'] = add_money,      ['n' - 'A'] = add_number,  ['p' - 'A'] = add_time,
    ['q' - 'A'] = add_quantity,   ['r' - 'A'] = add_range,   ['s' - 'A'] = add_plain_string,
    ['t' - 'A'] = add_time,       ['u' - 'A'] = add_uri,     ['v' - 'A'] = add_canonical,
};

void leaf_add(struct leaf *leaf, char letter, const struct json *value)
{
    assert(letter >= 'A' && letter <= 'v' && adders[letter - 'A']);
    adders[letter - 'A'](leaf, value);
}
