/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the compiled expressions of a type's search parameters (gen/README.md) over a resource. One
 * function takes the steps, one for each kind of leaf makes the rows (search.html#table, the tables
 * of token, string, date, number, quantity and reference). Values that validation would refuse give
 * no row; nothing here reports errors but limits. Rows point into the resource where they can.
 */
#include "mappers/fhir/facets.h"

#include <assert.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mappers/fhir/fold.h"
#include "mappers/fhir/span.h"

#include "base/banned.h"

#define FIRST_CAPACITY 64

struct extract {
    struct arena *arena;
    struct facet *items;
    size_t count;
    size_t capacity;
    enum err err;
    const struct definition_param *param;
    struct slice target; /* ~Type of the path at hand, or empty */
};

static struct facet *add(struct extract *x)
{
    if (x->err != ERR_OK)
        return NULL;
    if (x->count == LIMIT_FACETS) {
        x->err = ERR_TOO_LARGE;
        return NULL;
    }
    if (x->count == x->capacity) {
        size_t more = x->capacity ? x->capacity * 2 : FIRST_CAPACITY;
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
    *f = (struct facet){.param = x->param->number, .kind = x->param->kind};
    return f;
}

/* ── tokens ──────────────────────────────────────────────────────────────────────────────────── */

static void add_token(struct extract *x, struct slice system, struct slice code)
{
    if (code.len > LIMIT_FACET_TEXT || system.len > LIMIT_FACET_TEXT || code.len + system.len == 0)
        return;
    struct facet *f = add(x);
    if (f) {
        f->system = system;
        f->text = code;
    }
}

static void leaf_plain(struct extract *x, const struct json *v)
{
    if (v->kind == JSON_STRING)
        add_token(x, SLICE_NONE, v->text);
    else if (v->kind == JSON_TRUE || v->kind == JSON_FALSE)
        add_token(x, SLICE_NONE, v->kind == JSON_TRUE ? SLICE("true") : SLICE("false"));
}

static void leaf_coding(struct extract *x, const struct json *v)
{
    struct slice code = json_str(v, "code");
    if (code.len > 0)
        add_token(x, json_str(v, "system"), code);
}

static void leaf_concept(struct extract *x, const struct json *v)
{
    const struct json *codings = json_get(v, "coding");
    if (!codings || codings->kind != JSON_ARRAY)
        return;
    for (const struct json *c = codings->first; c; c = c->next)
        leaf_coding(x, c);
}

static void leaf_identifier(struct extract *x, const struct json *v)
{
    struct slice value = json_str(v, "value");
    if (value.len > 0)
        add_token(x, json_str(v, "system"), value);
}

static void leaf_contact(struct extract *x, const struct json *v)
{
    add_token(x, SLICE_NONE, json_str(v, "value"));
}

/* Patient.deceased: a date means yes, nothing means no. */
static void leaf_deceased(struct extract *x, const struct json *patient)
{
    bool dead =
        json_is_true(json_get(patient, "deceasedBoolean")) || json_get(patient, "deceasedDateTime");
    add_token(x, SLICE_NONE, dead ? SLICE("true") : SLICE("false"));
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

static void add_string(struct extract *x, struct slice raw)
{
    struct slice shown = cut(raw);
    struct slice folded = fold_text(x->arena, shown);
    if (folded.len == 0)
        return;
    struct facet *f = add(x);
    if (f) {
        f->text = folded;
        f->raw = shown;
    }
}

static void leaf_string(struct extract *x, const struct json *v)
{
    if (v->kind == JSON_STRING)
        add_string(x, v->text);
}

/* A member that is text or a list of texts. */
static void add_strings(struct extract *x, const struct json *object, const char *member)
{
    const struct json *v = json_get(object, member);
    if (v && v->kind == JSON_STRING)
        add_string(x, v->text);
    for (const struct json *i = v && v->kind == JSON_ARRAY ? v->first : NULL; i; i = i->next)
        leaf_string(x, i);
}

/* The whole name as one text, and without its white space: people type both 山田太郎 and 山田 太郎.
 */
static void add_whole_name(struct extract *x, struct slice whole)
{
    struct slice shown = cut(whole);
    struct slice tight = fold_name(x->arena, shown);
    size_t before = x->count;
    add_string(x, shown);
    if (x->count == before || slice_eq(tight, x->items[before].text))
        return;
    struct facet *f = add(x);
    if (f) {
        f->text = tight;
        f->raw = shown;
    }
}

/* "family given given", when the name has no text of its own. */
static struct slice joined_name(struct extract *x, const struct json *name)
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

static void leaf_name(struct extract *x, const struct json *v)
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

static void leaf_address(struct extract *x, const struct json *v)
{
    static const char *const parts[] = {"text",  "line",       "city",   "district",
                                        "state", "postalCode", "country"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        add_strings(x, v, parts[i]);
}

/* ── dates ───────────────────────────────────────────────────────────────────────────────────── */

static void leaf_time(struct extract *x, const struct json *v)
{
    struct when when;
    struct facet *f = span_of(v, &when) ? add(x) : NULL;
    if (f) {
        f->lo_ms = when.lo_ms;
        f->hi_ms = when.hi_ms;
    }
}

/* ── numbers ─────────────────────────────────────────────────────────────────────────────────── */

/* Power of ten of the last digit written: -2 for 1.20, 2 for 3e2. */
static int last_digit(struct slice literal)
{
    int exponent = 0;
    int fraction = 0;
    bool point = false;
    int64_t e;
    for (size_t i = 0; i < literal.len; i++) {
        char c = literal.ptr[i];
        if (c == '.') {
            point = true;
        } else if (c == 'e' || c == 'E') {
            size_t skip = i + 1 < literal.len && literal.ptr[i + 1] == '+' ? 2 : 1;
            if (slice_i64(slice_sub(literal, i + skip, literal.len), &e) && e > -400 && e < 400)
                exponent = (int)e;
            break;
        } else {
            fraction += point;
        }
    }
    return exponent - fraction;
}

bool facets_number(struct slice literal, double *ret_lo, double *ret_hi)
{
    char text[LIMIT_FHIR_DECIMAL + 1] = {0};
    char unit[16];
    char *end = NULL;
    if (literal.len == 0 || literal.len > LIMIT_FHIR_DECIMAL)
        return false;
    for (size_t i = 0; i < literal.len; i++) {
        char c = literal.ptr[i];
        if (!(c >= '0' && c <= '9') && c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E')
            return false;
        text[i] = c;
    }
    double value = strtod(text, &end);
    snprintf(unit, sizeof(unit), "5e%d", last_digit(literal) - 1);
    double half = strtod(unit, NULL);
    if (*end || !(value - half >= -DBL_MAX) || !(value + half <= DBL_MAX))
        return false;
    *ret_lo = value - half;
    *ret_hi = value + half;
    return true;
}

static bool read_number(const struct json *v, double *ret_lo, double *ret_hi)
{
    return v && v->kind == JSON_NUMBER && facets_number(v->text, ret_lo, ret_hi);
}

static void leaf_number(struct extract *x, const struct json *v)
{
    double lo;
    double hi;
    if (!read_number(v, &lo, &hi))
        return;
    struct facet *f = add(x);
    if (f) {
        f->lo = lo;
        f->hi = hi;
    }
}

static void add_quantity(struct extract *x, double lo, double hi, struct slice system,
                         struct slice unit)
{
    if (system.len > LIMIT_FACET_TEXT || unit.len > LIMIT_FACET_TEXT)
        return;
    struct facet *f = add(x);
    if (f) {
        f->lo = lo;
        f->hi = hi;
        f->system = system;
        f->text = unit;
    }
}

/* With its code, and once more by the unit as printed, since a search may name either. */
static void add_quantity_units(struct extract *x, double lo, double hi, const struct json *v)
{
    struct slice code = json_str(v, "code");
    struct slice unit = json_str(v, "unit");
    if (code.len > 0)
        add_quantity(x, lo, hi, json_str(v, "system"), code);
    if (code.len == 0 || (unit.len > 0 && !slice_eq(unit, code)))
        add_quantity(x, lo, hi, SLICE_NONE, unit);
}

static void leaf_quantity(struct extract *x, const struct json *v)
{
    double lo;
    double hi;
    struct slice comparator = json_str(v, "comparator");
    if (!read_number(json_get(v, "value"), &lo, &hi))
        return;
    if (comparator.len > 0 && comparator.ptr[0] == '<')
        lo = -DBL_MAX;
    else if (comparator.len > 0)
        hi = DBL_MAX;
    add_quantity_units(x, lo, hi, v);
}

static void leaf_money(struct extract *x, const struct json *v)
{
    double lo;
    double hi;
    if (read_number(json_get(v, "value"), &lo, &hi))
        add_quantity(x, lo, hi, SLICE("urn:iso:std:iso:4217"), json_str(v, "currency"));
}

static void leaf_range(struct extract *x, const struct json *v)
{
    double other;
    double lo = -DBL_MAX;
    double hi = DBL_MAX;
    const struct json *low = json_get(v, "low");
    const struct json *high = json_get(v, "high");
    bool any = read_number(json_get(low, "value"), &lo, &other);
    any |= read_number(json_get(high, "value"), &other, &hi);
    if (any)
        add_quantity_units(x, lo, hi, low ? low : high);
}

/* ── references and addresses ────────────────────────────────────────────────────────────────── */

/* Without /_history/version. */
static struct slice unversioned(struct slice reference)
{
    size_t at = slice_search(reference, SLICE("/_history/"), 0);
    return slice_sub(reference, 0, at);
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

static void leaf_reference(struct extract *x, const struct json *v)
{
    struct slice text = unversioned(json_str(v, "reference"));
    if (text.len == 0 || text.ptr[0] == '#' || text.len > LIMIT_FACET_TEXT)
        return;
    if (x->target.len > 0 && !slice_eq(type_in(text), x->target) &&
        !slice_eq(json_str(v, "type"), x->target))
        return;
    struct facet *f = add(x);
    if (f)
        f->text = text;
}

/* A canonical is found with and without its version. */
static void leaf_uri(struct extract *x, const struct json *v)
{
    if (v->kind != JSON_STRING || v->text.len == 0 || v->text.len > LIMIT_FACET_TEXT)
        return;
    size_t version = slice_find(v->text, '|', 0);
    struct facet *f = add(x);
    if (f)
        f->text = v->text;
    f = version > 0 && version < v->text.len ? add(x) : NULL;
    if (f)
        f->text = slice_sub(v->text, 0, version);
}

/* ── paths ───────────────────────────────────────────────────────────────────────────────────── */

typedef void (*leaf_cb)(struct extract *x, const struct json *v);

static const leaf_cb leaves['u' - 'A' + 1] = {
    ['A' - 'A'] = leaf_address, ['C' - 'A'] = leaf_coding,     ['D' - 'A'] = leaf_deceased,
    ['H' - 'A'] = leaf_name,    ['I' - 'A'] = leaf_identifier, ['K' - 'A'] = leaf_concept,
    ['P' - 'A'] = leaf_contact, ['R' - 'A'] = leaf_reference,  ['c' - 'A'] = leaf_plain,
    ['d' - 'A'] = leaf_time,    ['m' - 'A'] = leaf_money,      ['n' - 'A'] = leaf_number,
    ['p' - 'A'] = leaf_time,    ['q' - 'A'] = leaf_quantity,   ['r' - 'A'] = leaf_range,
    ['s' - 'A'] = leaf_string,  ['t' - 'A'] = leaf_time,       ['u' - 'A'] = leaf_uri,
};

/* [key=value] after a step; the key is empty when there is none. */
struct filter {
    struct slice key;
    struct slice value;
};

static const char *read_word(const char *at, struct slice *ret_word)
{
    const char *from = at;
    while (*at && !strchr(".[]=~:|", *at))
        at++;
    *ret_word = slice_of(from, (size_t)(at - from));
    return at;
}

static void step(struct extract *x, const struct json *object, const char *path);

/* One value a step has reached; PATH goes on after the step. */
static void item(struct extract *x, const struct json *v, const struct filter *filter,
                 const char *path)
{
    if (filter->key.len > 0) {
        const struct json *member = json_get_slice(v, filter->key);
        if (!member || member->kind != JSON_STRING || !slice_eq(member->text, filter->value))
            return;
    }
    if (*path == '.') {
        step(x, v, path + 1);
        return;
    }
    x->target = SLICE_NONE;
    if (*path == '~')
        path = read_word(path + 1, &x->target);
    assert(*path == ':' && leaves[path[1] - 'A']);
    leaves[path[1] - 'A'](x, v);
}

static void step(struct extract *x, const struct json *object, const char *path)
{
    struct slice name;
    struct filter filter = {SLICE_NONE, SLICE_NONE};
    path = read_word(path, &name);
    const struct json *v = json_get_slice(object, name);
    if (!v)
        return;
    if (*path == '[') {
        path = read_word(path + 1, &filter.key);
        path = read_word(path + 1, &filter.value) + 1;
    }
    if (v->kind != JSON_ARRAY) {
        item(x, v, &filter, path);
        return;
    }
    for (const struct json *i = v->first; i; i = i->next)
        item(x, i, &filter, path);
}

static void evaluate(struct extract *x, const struct json *resource)
{
    static const struct filter none = {SLICE_NONE, SLICE_NONE};
    const char *path = x->param->expression;
    while (*path) {
        if (*path == ':')
            item(x, resource, &none, path);
        else
            step(x, resource, path);
        path = strchrnul(path, '|');
        path += *path == '|';
    }
}

enum err facets_extract(struct arena *arena, const struct json *resource,
                        struct facet_list *ret_facets)
{
    size_t count;
    struct extract x = {.arena = arena};
    const struct definition_param *params =
        definition_params(json_str(resource, "resourceType"), &count);
    for (size_t i = 0; i < count && x.err == ERR_OK; i++) {
        x.param = &params[i];
        evaluate(&x, resource);
    }
    if (x.err == ERR_OK && arena_exhausted(arena))
        x.err = ERR_LIMIT;
    if (x.err == ERR_OK)
        *ret_facets = (struct facet_list){x.items, x.count};
    return x.err;
}
