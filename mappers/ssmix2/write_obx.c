/* SPDX-License-Identifier: Apache-2.0
 *
 * OBX of every kind of data. Laboratory results (OML-11) may only be numbers, texts and codes; the
 * other kinds also say comparisons, ranges, ratios and times as such. A result without a value
 * stays without one, under its own status: it is not made one that could not be done.
 */
#include "mappers/ssmix2/place.h"
#include "mappers/ssmix2/writer.h"

#include "base/banned.h"

struct value {
    const char *type;
    struct slice text;
};

static struct slice number_at(struct arena *a, const struct json *quantity)
{
    const struct json *number = json_get(quantity, "value");

    return number ? segment_escape(a, number->text) : SLICE_NONE;
}

/* A laboratory knows no SN. */
static bool is_plain(const struct writer *w)
{
    return strcmp(w->group->kind, "OML-11") == 0;
}

static struct value from_quantity(struct writer *w, const struct json *v)
{
    struct arena *a = w->s.arena;
    struct slice comparator = segment_escape(a, json_str(v, "comparator"));
    struct slice number = number_at(a, v);

    if (number.len == 0 || comparator.len == 0)
        return (struct value){"NM", number};
    if (is_plain(w))
        return (struct value){
            "ST", segment_format(a, "%.*s %.*s", SLICE_ARG(comparator), SLICE_ARG(number))};
    return (struct value){"SN",
                          segment_format(a, "%.*s^%.*s", SLICE_ARG(comparator), SLICE_ARG(number))};
}

/* Two numbers with a sign between them. */
static struct value from_pair(struct writer *w, const struct json *first, const struct json *second,
                              const char *sign)
{
    struct arena *a = w->s.arena;
    struct slice x = number_at(a, first), y = number_at(a, second);

    if (x.len == 0 || y.len == 0)
        return (struct value){"ST", SLICE_NONE};
    if (is_plain(w))
        return (struct value){"ST",
                              segment_format(a, "%.*s%s%.*s", SLICE_ARG(x), sign, SLICE_ARG(y))};
    return (struct value){"SN",
                          segment_format(a, "^%.*s^%s^%.*s", SLICE_ARG(x), sign, SLICE_ARG(y))};
}

static struct value from_range(struct writer *w, const struct json *v)
{
    struct arena *a = w->s.arena;
    struct slice low = number_at(a, json_get(v, "low")), high = number_at(a, json_get(v, "high"));

    if (!is_plain(w) && (low.len > 0) != (high.len > 0)) /* open at one end */
        return (struct value){"NR",
                              segment_format(a, "%.*s^%.*s", SLICE_ARG(low), SLICE_ARG(high))};
    return from_pair(w, json_get(v, "low"), json_get(v, "high"), "-");
}

static struct value from_ratio(struct writer *w, const struct json *v)
{
    return from_pair(w, json_get(v, "numerator"), json_get(v, "denominator"), ":");
}

static struct value from_concept(struct writer *w, const struct json *v)
{
    return (struct value){"CWE", segment_concept(w->s.arena, v)};
}

/* What was used in an examination, and how much of it: ZRD. */
static bool is_used(const struct writer *w, const struct json *o, struct value *ret)
{
    struct arena *a = w->s.arena;
    const struct json *first = json_path(o, "component", "0", NULL);
    const struct json *amount = json_get(first, "valueQuantity");
    const struct json *coding = json_path(o, "valueCodeableConcept", "coding", "0", NULL);
    struct slice unit = field_amount(a, amount, NULL);

    if (strncmp(w->group->kind, "OMG-1", 5) != 0 || strcmp(w->group->kind, "OMG-13") == 0 ||
        !coding || unit.len == 0 || !slice_is(json_str(json_get(first, "code"), "text"), "数量"))
        return false;
    *ret =
        (struct value){"ZRD", segment_format(a, "%.*s^%.*s", SLICE_ARG(segment_coding(a, coding)),
                                             SLICE_ARG(unit))};
    return true;
}

static struct value from_text(struct writer *w, const struct json *v)
{
    return (struct value){"ST", segment_escape(w->s.arena, v->text)};
}

static struct value from_number(struct writer *w, const struct json *v)
{
    return (struct value){"NM", segment_escape(w->s.arena, v->text)};
}

static struct value from_yes(struct writer *w, const struct json *v)
{
    (void)w;
    return (struct value){"ST", json_is_true(v) ? SLICE("true") : SLICE("false")};
}

static struct value from_time(struct writer *w, const struct json *v)
{
    if (is_plain(w))
        return from_text(w, v);
    return (struct value){"TS", segment_time(w->s.arena, v->text)};
}

static struct value from_clock(struct writer *w, const struct json *v)
{
    if (is_plain(w))
        return from_text(w, v);
    return (struct value){"TM", field_clock(w->s.arena, v, NULL)};
}

static struct value from_period(struct writer *w, const struct json *v)
{
    struct arena *a = w->s.arena;
    struct slice from = segment_time(a, json_str(v, "start"));
    struct slice to = segment_time(a, json_str(v, "end"));

    if (from.len == 0 && to.len == 0)
        return (struct value){"ST", SLICE_NONE};
    return (struct value){
        is_plain(w) ? "ST" : "DR",
        segment_format(a, "%.*s%s%.*s", SLICE_ARG(from), is_plain(w) ? "-" : "^", SLICE_ARG(to))};
}

/* The mapper of what comes in makes such components (mappers/hl7v2/obx_value.c): the item's text,
 * no codes of their own. */
bool writer_is_answer(const struct json *observation, const struct json *component)
{
    const struct json *code = json_get(component, "code");

    return json_get(observation, "valueCodeableConcept") &&
           json_get(component, "valueCodeableConcept") && !json_get(code, "coding") &&
           slice_eq(json_str(code, "text"), json_str(json_get(observation, "code"), "text"));
}

static struct value with_answers(struct writer *w, const struct json *o, struct value value)
{
    struct arena *a = w->s.arena;
    const struct json *list = json_get(o, "component");

    for (const struct json *c = list ? list->first : NULL; c; c = c->next) {
        struct slice more = segment_concept(a, json_get(c, "valueCodeableConcept"));
        if (more.len > 0 && writer_is_answer(o, c))
            value.text = segment_format(a, "%.*s~%.*s", SLICE_ARG(value.text), SLICE_ARG(more));
    }
    return value;
}

static struct value value_of(struct writer *w, const struct json *o)
{
    static const struct {
        const char *member;
        struct value (*print)(struct writer *, const struct json *);
    } kinds[] = {
        {"valueQuantity", from_quantity}, {"valueCodeableConcept", from_concept},
        {"valueString", from_text},       {"valueInteger", from_number},
        {"valueBoolean", from_yes},       {"valueDateTime", from_time},
        {"valueTime", from_clock},        {"valueRange", from_range},
        {"valueRatio", from_ratio},       {"valuePeriod", from_period},
    };

    struct value used;

    if (is_used(w, o, &used))
        return used;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const struct json *v = json_get(o, kinds[i].member);
        if (v)
            return with_answers(w, o, kinds[i].print(w, v));
    }
    return (struct value){"ST", SLICE_NONE};
}

/* The sign of a table, or the words alone. */
static struct slice print_flag(struct arena *a, const struct json *value, const void *arg)
{
    struct slice code = json_str(json_path(value, "coding", "0", NULL), "code");
    struct slice text = json_str(value, "text");

    (void)arg;
    if (code.len == 0 || terms_find(terms_interpretation, text))
        return segment_escape(a, text);
    if (text.len == 0 || slice_eq(text, code))
        return segment_escape(a, code);
    return segment_format(a, "%.*s^%.*s", SLICE_ARG(segment_escape(a, code)),
                          SLICE_ARG(segment_escape(a, text)));
}

/* The words of a range, else its two numbers. */
static struct slice print_range(struct arena *a, const struct json *value, const void *arg)
{
    struct slice low = number_at(a, json_get(value, "low"));
    struct slice high = number_at(a, json_get(value, "high")), text = json_str(value, "text");

    (void)arg;
    if (text.len > 0)
        return segment_escape(a, text);
    if (low.len > 0 && high.len > 0)
        return segment_format(a, "%.*s-%.*s", SLICE_ARG(low), SLICE_ARG(high));
    if (low.len > 0)
        return segment_format(a, ">=%.*s", SLICE_ARG(low));
    return high.len > 0 ? segment_format(a, "<=%.*s", SLICE_ARG(high)) : SLICE_NONE;
}

/* A unit beside whichever value has one. */
static const struct field rows[] = {
    {3, field_concept, "code", NULL},
    {6, field_unit, "valueQuantity", NULL},
    {6, field_unit, "valueRange.low", NULL},
    {6, field_unit, "valueRatio.numerator", NULL},
    {7, print_range, "referenceRange[0]", NULL},
    {8, print_flag, "interpretation[]", NULL},
    {10, field_extension, "extension[]", WRITER_OWN "nature-of-abnormal-test"},
    {14, field_time, "effectiveDateTime", NULL},
    {14, field_time, "effectivePeriod.start", NULL},
    {15, field_name_only, "performer[]", "2"},
    {16, field_numbered_person, "performer[]", NULL},
    {17, field_concept, "method", NULL},
    {18, field_text, "device.identifier.value", NULL},
    {19, field_extension, "extension[]", WRITER_OWN "analysis-time"},
    {20, field_concept, "bodySite", NULL},
    {21, field_identifier, "identifier[]", "observation"},
    {24, field_extension, "extension[]", WRITER_OWN "performer-address"},
    {30, field_extension, "extension[]", WRITER_OWN "result-category"},
    FIELD_END,
};

/* Some kinds want a value and its type always. */
static bool wants_value(const char *kind)
{
    return strncmp(kind, "OMG-", 4) == 0 && strcmp(kind, "OMG-03") != 0 &&
           strcmp(kind, "OMG-13") != 0;
}

/* The sub-id that our identifiers end with: facility:LAB:order:day:panel:item:sub, one less where
 * the day is not part of them. */
static struct slice sub_id(struct arena *a, const struct json *o)
{
    bool laboratory = slice_is(place_instance(o, 1), "LAB");

    return segment_escape(a, place_instance(o, laboratory ? 6 : 5));
}

static const struct field performers[] = {{15, field_name_only, "performer[]", "2"}, FIELD_END};

void writer_result(struct writer *w, const struct json *o)
{
    struct value value = value_of(w, o);
    struct slice status = segment_back(terms_obx_status, json_str(o, "status"));
    struct slice sub = sub_id(w->s.arena, o);
    bool unnamed = w->producer.len > 0 && !field_any(w->s.arena, performers, o);
    bool must = wants_value(w->group->kind),
         typed = value.text.len > 0 || must || strncmp(w->group->kind, "OMG-", 4) == 0;
    struct field_given given[] = {
        {1, writer_set_id(w, ++w->n), false},
        {2, typed ? slice_str(value.type) : SLICE_NONE, false},
        {3, SLICE_NONE, true},
        {4, sub.len > 0 ? sub : w->sub, false},
        {5, value.text, must},
        {11, status.len > 0 ? status : SLICE("N"), false},
        {15, unnamed ? w->producer : SLICE_NONE, false},
        {0, SLICE_NONE, false},
    };

    field_segment(&w->s, "OBX", rows, o, given);
    writer_notes(w, o);
}
