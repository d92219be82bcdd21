/* SPDX-License-Identifier: Apache-2.0
 *
 * One value of a search parameter by the parameter's type (R4 search.html#number, #date, #string,
 * #token, #quantity, #uri, #escaping). A value that is not valid is refused, never read as
 * something near it; what looks like a pattern is just text.
 */
#include "exchange/door/fhir_query_impl.h"

#include "mappers/fhir/facets.h"
#include "mappers/fhir/fold.h"
#include "storage/near.h"

#include "base/banned.h"

#define NEAR_KM 10.0 /* what is near when nobody says */

/* ── escapes and lists ───────────────────────────────────────────────────────────────────────── */

size_t fhir_query_value_find(struct slice value, char mark)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\\')
            i++;
        else if (value.ptr[i] == mark)
            return i;
    }
    return value.len;
}

struct slice fhir_query_value_cut(struct slice *rest)
{
    struct slice all = *rest;
    size_t at = fhir_query_value_find(all, ',');
    *rest = at < all.len ? slice_sub(all, at + 1, all.len) : SLICE_NONE;
    return slice_sub(all, 0, at);
}

size_t fhir_query_value_count(struct slice text)
{
    size_t n = 0;
    for (struct slice rest = text; rest.ptr && n <= LIMIT_SEARCH_VALUES; n++)
        (void)fhir_query_value_cut(&rest);
    return n;
}

struct slice fhir_query_value_unescape(struct arena *arena, struct slice value)
{
    if (slice_find(value, '\\', 0) == value.len)
        return value;
    char *out = arena_alloc(arena, value.len + 1);
    size_t n = 0;
    for (size_t i = 0; out && i < value.len; i++) {
        if (value.ptr[i] == '\\' && i + 1 < value.len)
            i++;
        out[n++] = value.ptr[i];
    }
    return slice_of(out, out ? n : 0);
}

/* Takes the part before the next '|' off *REST, without its escapes. */
static struct slice cut_bar(struct arena *arena, struct slice *rest)
{
    struct slice all = *rest;
    size_t at = fhir_query_value_find(all, '|');
    *rest = at < all.len ? slice_sub(all, at + 1, all.len) : SLICE_NONE;
    return fhir_query_value_unescape(arena, slice_sub(all, 0, at));
}

/* ── one value ───────────────────────────────────────────────────────────────────────────────── */

static const struct {
    const char *prefix;
    enum search_op op;
} prefixes[] = {{"eq", SEARCH_EQ}, {"ne", SEARCH_NE}, {"gt", SEARCH_GT},
                {"lt", SEARCH_LT}, {"ge", SEARCH_GE}, {"le", SEARCH_LE},
                {"sa", SEARCH_SA}, {"eb", SEARCH_EB}, {"ap", SEARCH_AP}};

/* Takes a prefix off *VALUE. */
static enum search_op take_prefix(struct slice *value)
{
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
        if (slice_starts(*value, slice_str(prefixes[i].prefix))) {
            *value = slice_sub(*value, 2, value->len);
            return prefixes[i].op;
        }
    return SEARCH_EQ;
}

bool fhir_query_date(struct slice value, enum search_op *ret_op, struct when *ret_when)
{
    enum search_op op = take_prefix(&value);
    if (!when_parse_fhir(value, true, ret_when))
        return false;
    *ret_op = op;
    return true;
}

static bool parse_token(struct arena *arena, struct slice text, struct search_value *v)
{
    struct slice rest = text;
    struct slice first = cut_bar(arena, &rest);
    v->any_system = rest.ptr == NULL;
    if (v->any_system) {
        v->text = first;
        return first.len > 0;
    }
    v->system = first;
    v->text = cut_bar(arena, &rest);
    v->any_code = v->text.len == 0;
    return rest.ptr == NULL && text.len > 1;
}

static bool parse_string(struct arena *arena, struct slice text, struct search_value *v)
{
    v->raw = fhir_query_value_unescape(arena, text);
    v->text = fold_text(arena, v->raw);
    return v->text.len > 0;
}

static bool parse_number(struct arena *arena, struct slice text, struct search_value *v)
{
    (void)arena;
    v->op = take_prefix(&text);
    return facets_number(text, &v->lo, &v->hi, &v->exact);
}

/* number, number|system|code or number||code */
static bool parse_quantity(struct arena *arena, struct slice text, struct search_value *v)
{
    struct slice rest = text;
    struct slice number = cut_bar(arena, &rest);
    v->any_system = true;
    if (rest.ptr) {
        v->system = cut_bar(arena, &rest);
        v->any_system = v->system.len == 0;
        if (rest.ptr)
            v->text = cut_bar(arena, &rest);
        if (rest.ptr)
            return false;
    }
    return parse_number(arena, number, v);
}

static bool parse_uri(struct arena *arena, struct slice text, struct search_value *v)
{
    v->text = fhir_query_value_unescape(arena, text);
    return v->text.len > 0;
}

/* A "+" that was not escaped in the URL arrives as a space: 2026-01-01T00:00:00 09:00 */
static struct slice with_plus(struct arena *arena, struct slice text)
{
    if (text.len < 6 || text.ptr[text.len - 6] != ' ')
        return text;
    struct slice copy = arena_dup(arena, text);
    char *out = copy.ptr ? arena_alloc(arena, text.len + 1) : NULL;
    if (!out)
        return text;
    memcpy(out, text.ptr, text.len);
    out[text.len - 6] = '+';
    return slice_of(out, text.len);
}

static bool parse_date(struct arena *arena, struct slice text, struct search_value *v)
{
    return fhir_query_date(with_plus(arena, text), &v->op, &v->when);
}

/* latitude|longitude[|distance[|unit]] of Location's near (R4 location.html#search). How far "near" is without a distance is
 * the server's choice. */
static bool parse_near(struct arena *arena, struct slice text, struct search_value *v)
{
    double lo, hi;
    double distance = NEAR_KM;
    struct slice rest = text;
    struct slice latitude = cut_bar(arena, &rest);
    struct slice longitude = rest.ptr ? cut_bar(arena, &rest) : SLICE_NONE;
    struct slice amount = rest.ptr ? cut_bar(arena, &rest) : SLICE_NONE;
    struct slice unit = rest.ptr ? cut_bar(arena, &rest) : SLICE_NONE;
    if (rest.ptr || !facets_number(latitude, &lo, &hi, &v->lo) ||
        !facets_number(longitude, &lo, &hi, &v->hi) || v->lo < -90 || v->lo > 90 || v->hi < -180 ||
        v->hi > 180)
        return false;
    if (amount.len && (!facets_number(amount, &lo, &hi, &distance) || distance < 0))
        return false;
    return near_km(distance, amount.len ? unit : SLICE_NONE, &v->exact);
}

static const struct {
    bool (*parse)(struct arena *, struct slice, struct search_value *);
    const char *form;
} kinds[] = {
    [FACET_TOKEN] = {parse_token, "code, system|code, |code, system|"},
    [FACET_STRING] = {parse_string, "text"},
    [FACET_DATE] = {parse_date,
                    "[eq|ne|gt|lt|ge|le|sa|eb|ap]YYYY[-MM[-DD[Thh:mm[:ss[.f]][Z|+hh:mm]]]]"},
    [FACET_NUMBER] = {parse_number, "[eq|ne|gt|lt|ge|le|sa|eb|ap]number"},
    [FACET_QUANTITY] = {parse_quantity, "[eq|ne|gt|lt|ge|le|sa|eb|ap]number[|system|code]"},
    [FACET_REFERENCE] = {NULL, "[type]/[id], [id], url"},
    [FACET_URI] = {parse_uri, "uri"},
    [FACET_TYPED] = {NULL, "system|code|value"},
    [FACET_COMPOSITE] = {NULL, "value$value"},
    [FACET_SPECIAL] = {parse_near, "latitude|longitude[|distance[|km, m, mi or a UCUM unit]]"},
};

bool fhir_query_value_parse(struct arena *arena, enum facet_kind kind, struct slice text,
                            struct search_value *ret_value)
{
    struct search_value v = {.kind = kind};
    if (!kinds[kind].parse || !kinds[kind].parse(arena, text, &v))
        return false;
    *ret_value = v;
    return true;
}

bool fhir_query_value_typed(struct arena *arena, struct slice text, struct search_value *ret_value)
{
    struct slice rest = text;
    struct search_value v = {.kind = FACET_TYPED};
    v.system = cut_bar(arena, &rest);
    v.text = cut_bar(arena, &rest);
    v.raw = cut_bar(arena, &rest);
    if (rest.ptr || !v.system.len || !v.text.len || !v.raw.len)
        return false;
    *ret_value = v;
    return true;
}

const char *fhir_query_value_form(enum facet_kind kind)
{
    return kinds[kind].form;
}
