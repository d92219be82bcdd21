/* SPDX-License-Identifier: Apache-2.0
 *
 * Value types. A number keeps its literal; what is no number stays text exactly as written (">
 * 100", " 2 +"), never rounded, never guessed. A range is split into low and high only when it
 * plainly is "a-b"; its text is always kept.
 */
#include "mappers/hl7v2/obx_value.h"

#include <stdlib.h>

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/xpn.h"
#include "base/banned.h"

static bool put_text(struct spot *at, struct slice text)
{
    struct json *before = json_get(at->target, "valueString");

    if (text.len == 0)
        return false;
    if (before)
        text = mapping_format(at->mp, "%.*s\n%.*s", SLICE_ARG(before->text), SLICE_ARG(text));
    else if (at->repeat > 0) {
        mapping_mark(at->mp, at->s, 5, MAPPING_PARTLY);
        return false;
    }
    return json_put_str(at->mp->a, at->target, "valueString", text) != NULL;
}

static bool value_text(struct spot *at)
{
    return put_text(at, mapping_part(at->mp, at->raw, 0));
}

/* Takes a comparator (<, <=, >, >=) off TEXT. */
static const char *cut_comparator(struct slice *text)
{
    static const char *const comparators[] = {"<=", ">=", "<", ">"};

    for (size_t i = 0; i < sizeof(comparators) / sizeof(comparators[0]); i++) {
        if (slice_starts(*text, slice_str(comparators[i]))) {
            *text = slice_trim(slice_sub(*text, strlen(comparators[i]), text->len));
            return comparators[i];
        }
    }
    return NULL;
}

static struct json *quantity_of(struct mapping *mp, struct slice literal, const char *comparator)
{
    struct json *quantity = json_new(mp->a, JSON_OBJECT);

    json_set(quantity, "value", json_number(mp->a, literal));
    if (comparator)
        json_put_text(mp->a, quantity, "comparator", comparator);
    return quantity;
}

static bool value_number(struct spot *at)
{
    struct slice text = mapping_part(at->mp, at->raw, 1), literal = SLICE_NONE, number = text;
    const char *comparator = cut_comparator(&number);

    if (at->repeat > 0) {
        mapping_mark(at->mp, at->s, 5, MAPPING_PARTLY);
        return false;
    }
    if (build_decimal_of(at->mp, number, &literal))
        return json_set(at->target, "valueQuantity", quantity_of(at->mp, literal, comparator)) !=
               NULL;
    if (text.len == 0)
        return false;
    mapping_warn(at->mp, at->s, 5, 0, "the value is not a number and was kept as text",
                 "数値でないため文字列として保存しました");
    return put_text(at, text);
}

/* "120-5" is no range, whatever it was meant to be. */
static bool in_order(struct mapping *mp, struct slice low, struct slice high)
{
    const char *a = arena_str(mp->a, low), *b = arena_str(mp->a, high);

    return a && b && strtod(a, NULL) <= strtod(b, NULL);
}

/* SN: comparator^number^separator^number. */
static bool value_structured(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice comparator = mapping_part(mp, at->raw, 1),
                 separator = mapping_part(mp, at->raw, 3);
    struct slice first, second, text = comparator;
    const char *known = cut_comparator(&text);
    struct json *pair;

    if (at->repeat > 0 || !build_decimal_of(mp, mapping_part(mp, at->raw, 2), &first) ||
        (comparator.len && !known && !slice_is(comparator, "=")))
        return value_text(at);
    if (separator.len == 0)
        return json_set(at->target, "valueQuantity", quantity_of(mp, first, known)) != NULL;
    if (known) /* ">1:128" has no other form that keeps the comparator */
        return put_text(at, mapping_format(mp, "%.*s%.*s%.*s%.*s", SLICE_ARG(comparator),
                                           SLICE_ARG(first), SLICE_ARG(separator),
                                           SLICE_ARG(mapping_part(mp, at->raw, 4))));
    if (!build_decimal_of(mp, mapping_part(mp, at->raw, 4), &second))
        return value_text(at);
    if (slice_is(separator, "-")) {
        if (!in_order(mp, first, second))
            return value_text(at);
        pair = json_put_object(mp->a, at->target, "valueRange");
        json_set(pair, "low", quantity_of(mp, first, NULL));
        return json_set(pair, "high", quantity_of(mp, second, NULL)) != NULL;
    }
    if (!slice_is(separator, "/") && !slice_is(separator, ":"))
        return value_text(at);
    pair = json_put_object(mp->a, at->target, "valueRatio");
    json_set(pair, "numerator", quantity_of(mp, first, NULL));
    return json_set(pair, "denominator", quantity_of(mp, second, NULL)) != NULL;
}

/* Further coded answers to one item become components. Their code has the item's text only: with
 * its codings again they would say the same thing twice (R4 obs-7). */
static bool put_concept(struct spot *at, const struct cwe *c)
{
    struct json *concept = cwe_concept(at->mp, c), *component;

    if (!concept)
        return false;
    if (!json_get(at->target, "valueCodeableConcept"))
        return json_set(at->target, "valueCodeableConcept", concept) != NULL;
    component = json_new(at->mp->a, JSON_OBJECT);
    json_put_str(at->mp->a, json_put_object(at->mp->a, component, "code"), "text",
                 json_str(json_get(at->target, "code"), "text"));
    json_set(component, "valueCodeableConcept", concept);
    return mapping_put_at(at->mp->a, at->target, "component[]", component);
}

/* NR: low^high. */
static bool value_range(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice low, high;
    bool has_low = build_decimal_of(mp, mapping_part(mp, at->raw, 1), &low);
    bool has_high = build_decimal_of(mp, mapping_part(mp, at->raw, 2), &high);
    struct json *range;

    if (at->repeat > 0 || (!has_low && !has_high) ||
        (has_low && has_high && !in_order(mp, low, high)))
        return value_text(at);
    range = json_put_object(mp->a, at->target, "valueRange");
    if (has_low)
        json_set(range, "low", quantity_of(mp, low, NULL));
    if (has_high)
        json_set(range, "high", quantity_of(mp, high, NULL));
    return range != NULL;
}

/* VR: the first and the last of a range of codes. */
static bool value_codes(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice first = mapping_part(mp, at->raw, 1), last = mapping_part(mp, at->raw, 2);

    if (first.len == 0 || last.len == 0)
        return value_text(at);
    return put_text(at, mapping_format(mp, "%.*s-%.*s", SLICE_ARG(first), SLICE_ARG(last)));
}

/* CQ: a number and its unit. */
static bool value_quantity(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice literal;
    struct json *quantity;
    struct cwe unit;

    if (at->repeat > 0 || !build_decimal_of(mp, mapping_part(mp, at->raw, 1), &literal))
        return value_text(at);
    quantity = quantity_of(mp, literal, NULL);
    cwe_read_sub(mp, hl7_component(mp->m, at->raw, 2), &unit);
    if (cwe_text(&unit).len)
        build_unit_of(mp, quantity, &unit);
    return json_set(at->target, "valueQuantity", quantity) != NULL;
}

/* DR: from^to. */
static bool value_period(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice from = build_datetime_of(mp, mapping_part(mp, at->raw, 1));
    struct slice to = build_datetime_of(mp, mapping_part(mp, at->raw, 2));
    struct json *period;

    if (at->repeat > 0 || (from.len == 0 && to.len == 0))
        return value_text(at);
    period = json_put_object(mp->a, at->target, "valuePeriod");
    json_put_str(mp->a, period, "start", from);
    return json_put_str(mp->a, period, "end", to) != NULL || from.len > 0;
}

static bool value_coded(struct spot *at)
{
    struct cwe c;

    cwe_read(at->mp, at->raw, &c);
    return put_concept(at, &c);
}

static bool value_time_of(struct spot *at, struct slice text)
{
    if (at->repeat > 0) {
        mapping_mark(at->mp, at->s, 5, MAPPING_PARTLY);
        return false;
    }
    if (text.len)
        return json_put_str(at->mp->a, at->target, "valueDateTime", text) != NULL;
    mapping_warn(at->mp, at->s, 5, 0, "not a date or time; kept as text",
                 "日時として読めないため文字列として保存しました");
    return value_text(at);
}

static bool value_datetime(struct spot *at)
{
    return value_time_of(at, build_datetime_of(at->mp, mapping_part(at->mp, at->raw, 1)));
}

/* TM: HHMM[SS[.fff]]. */
static bool value_time(struct spot *at)
{
    struct slice tm = mapping_part(at->mp, at->raw, 1);
    uint64_t number;

    if (at->repeat == 0 && (tm.len == 4 || tm.len == 6) && slice_u64(tm, &number) &&
        number / (tm.len == 6 ? 10000 : 100) < 24 && number / (tm.len == 6 ? 100 : 1) % 100 < 60 &&
        (tm.len == 4 || number % 100 < 60)) {
        struct slice text = mapping_format(at->mp, "%.2s:%.2s:%.2s", tm.ptr, tm.ptr + 2,
                                           tm.len == 6 ? tm.ptr + 4 : "00");
        return json_put_str(at->mp->a, at->target, "valueTime", text) != NULL;
    }
    return value_text(at);
}

/* XCN: "name (number)", as Observation has no value for people. */
static bool value_person(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct json *person = xpn_person(mp, at->raw);
    struct slice name = json_str(person, "display"),
                 number = json_str(json_get(person, "identifier"), "value");

    if (name.len && number.len)
        return put_text(at, mapping_format(mp, "%.*s (%.*s)", SLICE_ARG(name), SLICE_ARG(number)));
    return put_text(at, name.len ? name : number);
}

static bool value_name(struct spot *at)
{
    return put_text(at, xpn_text(at->mp, at->raw));
}

/* ZRD (SS-MIX2): code^text^system^quantity^unit, what was used and how much of it. */
static bool value_resource(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct cwe c, unit;
    struct slice literal;
    struct json *component, *quantity;

    cwe_read(mp, at->raw, &c);
    c.alt_code = c.alt_text = c.alt_system = c.version = c.original = SLICE_NONE;
    if (!put_concept(at, &c))
        return false;
    if (!build_decimal_of(mp, mapping_part(mp, at->raw, 4), &literal))
        return true;
    component = json_new(mp->a, JSON_OBJECT);
    json_put_text(mp->a, json_put_object(mp->a, component, "code"), "text", "数量");
    quantity = quantity_of(mp, literal, NULL);
    cwe_read_sub(mp, hl7_component(mp->m, at->raw, 5), &unit);
    if (cwe_text(&unit).len)
        build_unit_of(mp, quantity, &unit);
    json_set(component, "valueQuantity", quantity);
    return mapping_put_at(mp->a, at->target, "component[]", component);
}

/* Encapsulated documents go into the report (obr.c), not into a value. */
static bool value_none(struct spot *at)
{
    (void)at;
    return false;
}

static const struct {
    const char *type;
    build_cb build;
} value_types[] = {
    {"NM", value_number},    {"SN", value_structured}, {"ST", value_text},   {"TX", value_text},
    {"FT", value_text},      {"CWE", value_coded},     {"CE", value_coded},  {"CNE", value_coded},
    {"CF", value_coded},     {"IS", value_coded},      {"ID", value_coded},  {"DT", value_datetime},
    {"TS", value_datetime},  {"DTM", value_datetime},  {"TM", value_time},   {"XCN", value_person},
    {"NR", value_range},     {"CQ", value_quantity},   {"DR", value_period}, {"XPN", value_name},
    {"ZRD", value_resource}, {"VR", value_codes},      {"ED", value_none},   {"RP", value_none},
};

bool obx_value_build(struct spot *at)
{
    struct slice type = mapping_value(at->mp, at->s, 2, 1);

    for (size_t i = 0; i < sizeof(value_types) / sizeof(value_types[0]); i++) {
        if (slice_is(type, value_types[i].type))
            return value_types[i].build(at);
    }
    return value_text(at);
}

/* "> 100" as text keeps its unit as text too. */
static bool append_unit(struct spot *at, const struct cwe *unit)
{
    struct json *value = json_get(at->target, "valueString");
    struct slice number = value ? value->text : SLICE_NONE, literal;

    if (!cut_comparator(&number) || !build_decimal_of(at->mp, number, &literal))
        return false;
    return json_put_str(at->mp->a, at->target, "valueString",
                        mapping_format(at->mp, "%.*s %.*s", SLICE_ARG(value->text),
                                       SLICE_ARG(unit->text.len ? unit->text : unit->code))) !=
           NULL;
}

bool obx_value_build_unit(struct spot *at)
{
    static const char *const paths[][2] = {{"valueQuantity", NULL},
                                           {"valueRange", "low"},
                                           {"valueRange", "high"},
                                           {"valueRatio", "numerator"}};
    struct cwe unit;
    bool done = false;

    cwe_read(at->mp, at->raw, &unit);
    if (cwe_text(&unit).len == 0 || at->repeat > 0)
        return false;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct json *quantity = json_get(at->target, paths[i][0]);
        if (paths[i][1])
            quantity = json_get(quantity, paths[i][1]);
        if (!quantity)
            continue;
        build_unit_of(at->mp, quantity, &unit);
        done = true;
    }
    return done || append_unit(at, &unit);
}

/* Splits "a-b" (hyphen, full-width or wave dash between two plain decimals). */
static bool split_range(struct mapping *mp, struct slice text, struct slice *ret_low,
                        struct slice *ret_high)
{
    static const char *const dashes[] = {"-", "－", "−", "～", "〜", "~"};

    for (size_t i = 0; i < sizeof(dashes) / sizeof(dashes[0]); i++) {
        struct slice dash = slice_str(dashes[i]);
        size_t at = slice_search(text, dash, 1); /* a first hyphen is a sign */

        if (at < text.len && build_decimal_of(mp, slice_sub(text, 0, at), ret_low) &&
            build_decimal_of(mp, slice_sub(text, at + dash.len, text.len), ret_high))
            return in_order(mp, *ret_low, *ret_high);
    }
    return false;
}

static void put_bound(struct spot *at, struct json *range, const char *member, struct slice literal)
{
    static const char *const keys[] = {"unit", "system", "code"};
    struct json *value = json_get(at->target, "valueQuantity");
    struct json *bound = quantity_of(at->mp, literal, NULL);

    for (size_t i = 0; value && i < sizeof(keys) / sizeof(keys[0]); i++)
        json_put_str(at->mp->a, bound, keys[i], json_str(value, keys[i]));
    json_set(range, member, bound);
}

bool obx_value_build_range(struct spot *at)
{
    struct slice text = mapping_part(at->mp, at->raw, 0), low, high;
    struct json *range;

    if (text.len == 0)
        return false;
    range = json_new(at->mp->a, JSON_OBJECT);
    if (split_range(at->mp, text, &low, &high)) {
        put_bound(at, range, "low", low);
        put_bound(at, range, "high", high);
    }
    json_put_str(at->mp->a, range, "text", text);
    return mapping_put_at(at->mp->a, at->target, "referenceRange[]", range);
}
