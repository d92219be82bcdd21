/* SPDX-License-Identifier: Apache-2.0
 *
 * PID, SPM, OBX and NTE on their way out (HL7 v2.5 sections 3.4.2, 7.4.2, 7.4.3, 2.15.10; see
 * result.h). A value keeps its literal. What has no value type of its own is text; a result without
 * a value says so (OBX-11 X), it is never an empty "final".
 */
#include "mappers/ssmix2/result.h"

#include "base/banned.h"

static struct slice str(const struct json *object, const char *key)
{
    return json_str(object, key);
}

/* ---- PID, SPM, NTE ---- */

static void put_maybe(struct segment *s, unsigned n, struct slice value, bool null)
{
    if (null)
        segment_must(s, n, value);
    else
        segment_put(s, n, value);
}

void result_pid(struct segment *s, struct slice number, const struct json *patient, bool nulls)
{
    struct arena *a = s->arena;
    const struct json *names = json_get(patient, "name");
    struct slice gender = segment_back(terms_gender, str(patient, "gender"));

    segment_begin(s, "PID");
    segment_put(s, 1, SLICE("0001"));
    segment_put(s, 3, number);
    for (const struct json *i = names ? names->first : NULL; i; i = i->next)
        segment_again(s, 5, segment_name(a, i));
    if (s->field < 5)
        put_maybe(s, 5, SLICE_NONE, nulls);
    put_maybe(s, 7, segment_time(a, str(patient, "birthDate")), nulls);
    segment_put(s, 8, gender.len > 0 ? gender : SLICE("U"));
}

void result_spm(struct segment *s, unsigned n, const struct json *specimen, struct slice taken)
{
    struct arena *a = s->arena;
    struct slice number = segment_identifier(json_get(specimen, "identifier"), "specimen");
    struct slice at = str(json_get(specimen, "collection"), "collectedDateTime");

    segment_begin(s, "SPM");
    segment_number(s, 1, n);
    segment_put(s, 2, segment_escape(a, number));
    segment_must(s, 4, segment_concept(a, json_get(specimen, "type")));
    segment_put(s, 17, segment_time(a, at.len > 0 ? at : taken));
    segment_put(s, 18, segment_time(a, str(specimen, "receivedTime")));
    segment_end(s);
}

void result_note(struct segment *s, unsigned n, struct slice text)
{
    if (text.len == 0)
        return;
    segment_begin(s, "NTE");
    segment_number(s, 1, n);
    segment_put(s, 3, segment_escape(s->arena, text));
    segment_end(s);
}

/* ---- values ---- */

struct value {
    struct slice type, text; /* text: of a field already */
};

static struct slice literal(struct arena *a, const struct json *value)
{
    return value ? segment_escape(a, value->text) : SLICE_NONE;
}

static struct slice number_in(struct arena *a, const struct json *o, const char *outer,
                              const char *inner)
{
    return literal(a, json_get(json_get(json_get(o, outer), inner), "value"));
}

/* The storage's guide has numbers, texts and codes; a comparator makes a text of a number. */
static void plain_value(struct arena *a, const struct json *o, struct value *v)
{
    const struct json *quantity = json_get(o, "valueQuantity");
    struct slice comparator = str(quantity, "comparator"), text = str(o, "valueString");
    struct slice number = literal(a, json_get(quantity, "value"));

    v->type = SLICE("ST");
    v->text = segment_escape(a, text.len > 0 ? text : str(o, "valueDateTime"));
    if (number.len > 0 && comparator.len == 0) {
        v->type = SLICE("NM");
        v->text = number;
    } else if (number.len > 0) {
        v->text = segment_format(a, "%.*s %.*s", SLICE_ARG(segment_escape(a, comparator)),
                                 SLICE_ARG(number));
    } else if (json_get(o, "valueCodeableConcept")) {
        v->type = SLICE("CWE");
        v->text = segment_concept(a, json_get(o, "valueCodeableConcept"));
    }
}

static struct slice structured(struct arena *a, const struct json *o)
{
    const struct json *quantity = json_get(o, "valueQuantity");
    struct slice low = number_in(a, o, "valueRange", "low");
    struct slice high = number_in(a, o, "valueRange", "high");
    struct slice over = number_in(a, o, "valueRatio", "numerator");
    struct slice under = number_in(a, o, "valueRatio", "denominator");

    if (str(quantity, "comparator").len > 0 && json_get(quantity, "value"))
        return segment_format(a, "%.*s^%.*s",
                              SLICE_ARG(segment_escape(a, str(quantity, "comparator"))),
                              SLICE_ARG(literal(a, json_get(quantity, "value"))));
    if (low.len > 0 && high.len > 0)
        return segment_format(a, "^%.*s^-^%.*s", SLICE_ARG(low), SLICE_ARG(high));
    if (over.len > 0 && under.len > 0)
        return segment_format(a, "^%.*s^:^%.*s", SLICE_ARG(over), SLICE_ARG(under));
    return SLICE_NONE;
}

static struct slice half_range(struct arena *a, const struct json *o)
{
    struct slice low = number_in(a, o, "valueRange", "low");
    struct slice high = number_in(a, o, "valueRange", "high");

    return low.len + high.len == 0
               ? SLICE_NONE
               : segment_format(a, "%.*s^%.*s", SLICE_ARG(low), SLICE_ARG(high));
}

static struct slice whole_number(struct arena *a, const struct json *o)
{
    return literal(a, json_get(o, "valueInteger"));
}

static struct slice point_in_time(struct arena *a, const struct json *o)
{
    return segment_time(a, str(o, "valueDateTime"));
}

/* 07:45:00 as 074500 */
static struct slice time_of_day(struct arena *a, const struct json *o)
{
    struct slice t = str(o, "valueTime");

    return t.len >= 8 ? segment_format(a, "%.2s%.2s%.2s", t.ptr, t.ptr + 3, t.ptr + 6) : SLICE_NONE;
}

static struct slice period(struct arena *a, const struct json *o)
{
    const struct json *p = json_get(o, "valuePeriod");
    struct slice from = segment_time(a, str(p, "start")), to = segment_time(a, str(p, "end"));

    return from.len + to.len == 0 ? SLICE_NONE
                                  : segment_format(a, "%.*s^%.*s", SLICE_ARG(from), SLICE_ARG(to));
}

static struct slice yes_no(struct arena *a, const struct json *o)
{
    const struct json *b = json_get(o, "valueBoolean");

    (void)a;
    return !b ? SLICE_NONE : json_is_true(b) ? SLICE("Y") : SLICE("N");
}

static struct slice long_text(struct arena *a, const struct json *o)
{
    struct slice text = str(o, "valueString");

    return slice_find(text, '\n', 0) < text.len ? segment_escape(a, text) : SLICE_NONE;
}

/* Types that only v2.5 has room for, tried before the plain ones. */
static const struct {
    const char *type;
    struct slice (*print)(struct arena *a, const struct json *o);
} wider[] = {
    {"SN", structured},  {"NR", half_range}, {"NM", whole_number}, {"TS", point_in_time},
    {"TM", time_of_day}, {"DR", period},     {"ST", yes_no},       {"FT", long_text},
};

static void find_value(struct arena *a, const struct json *o, bool whole, struct value *v)
{
    for (size_t i = 0; whole && i < sizeof(wider) / sizeof(wider[0]); i++) {
        v->text = wider[i].print(a, o);
        v->type = slice_str(wider[i].type);
        if (v->text.len > 0)
            return;
    }
    plain_value(a, o, v);
}

/* ---- OBX ---- */

/* The unit stands beside whichever quantity there is. */
static const struct json *quantity_of(const struct json *o)
{
    static const char *const paths[][2] = {
        {"valueRange", "low"}, {"valueRange", "high"}, {"valueRatio", "numerator"}};
    const struct json *q = json_get(o, "valueQuantity");

    for (size_t i = 0; !q && i < sizeof(paths) / sizeof(paths[0]); i++)
        q = json_get(json_get(o, paths[i][0]), paths[i][1]);
    return q;
}

static struct slice range_of(struct arena *a, const struct json *range, bool whole)
{
    struct slice text = segment_escape(a, str(range, "text"));
    struct slice low = literal(a, json_get(json_get(range, "low"), "value"));
    struct slice high = literal(a, json_get(json_get(range, "high"), "value"));

    if (text.len > 0 || !whole || low.len + high.len == 0)
        return text;
    if (low.len > 0 && high.len > 0)
        return segment_format(a, "%.*s-%.*s", SLICE_ARG(low), SLICE_ARG(high));
    return low.len > 0 ? segment_format(a, ">=%.*s", SLICE_ARG(low))
                       : segment_format(a, "<=%.*s", SLICE_ARG(high));
}

/* Table 0085 as v2.5 has it. */
static struct slice status_of(const struct result_line *line, bool valued)
{
    struct slice status = str(line->observation, "status");

    if (line->removed)
        return SLICE("D");
    if (!valued)
        return SLICE("X");
    if (line->whole && slice_is(status, "amended"))
        return SLICE("C");
    if (line->whole && slice_is(status, "entered-in-error"))
        return SLICE("W");
    status = segment_back(terms_obx_status, status);
    return status.len > 0 ? status : SLICE("N");
}

static void put_flags(struct segment *s, const struct json *flags, bool whole)
{
    for (const struct json *f = flags ? flags->first : NULL; f; f = whole ? f->next : NULL) {
        struct slice code = str(json_path(f, "coding", "0", NULL), "code");
        if (code.len == 0 && whole)
            code = str(f, "text");
        segment_again(s, 8, segment_escape(s->arena, code));
    }
}

static struct slice taken_of(const struct json *o)
{
    struct slice at = str(o, "effectiveDateTime");

    return at.len > 0 ? at : str(json_get(o, "effectivePeriod"), "start");
}

static void put_more(struct segment *s, const struct result_line *line)
{
    const struct json *notes = json_get(line->observation, "note");
    unsigned n = 0;

    segment_put(s, 15, line->producer);
    segment_put(s, 17, segment_concept(s->arena, json_get(line->observation, "method")));
    segment_end(s);
    for (const struct json *i = notes && !line->removed ? notes->first : NULL; i; i = i->next)
        result_note(s, ++n, str(i, "text"));
}

/* The mapper of what comes in makes such components (mappers/hl7v2/obx_value.c): the item's text,
 * no codes of their own. */
bool result_is_answer(const struct json *observation, const struct json *component)
{
    const struct json *code = json_get(component, "code");

    return json_get(observation, "valueCodeableConcept") &&
           json_get(component, "valueCodeableConcept") && !json_get(code, "coding") &&
           slice_eq(str(code, "text"), str(json_get(observation, "code"), "text"));
}

static void put_answers(struct segment *s, const struct json *o)
{
    const struct json *list = json_get(o, "component");

    for (const struct json *c = list ? list->first : NULL; c; c = c->next)
        if (result_is_answer(o, c))
            segment_again(s, 5, segment_concept(s->arena, json_get(c, "valueCodeableConcept")));
}

void result_obx(struct segment *s, const struct result_line *line)
{
    struct arena *a = s->arena;
    const struct json *o = line->observation;
    struct value v = {0};

    if (!line->removed)
        find_value(a, o, line->whole, &v);
    segment_begin(s, "OBX");
    segment_number(s, 1, line->n);
    if (v.text.len > 0)
        segment_put(s, 2, v.type);
    segment_put(s, 3, segment_concept(a, json_get(o, "code")));
    segment_put(s, 4, line->sub);
    segment_put(s, 5, v.text);
    if (line->whole && !line->removed)
        put_answers(s, o);
    if (!line->removed) {
        segment_put(s, 6,
                    segment_unit(a, line->whole ? quantity_of(o) : json_get(o, "valueQuantity")));
        segment_put(s, 7, range_of(a, json_path(o, "referenceRange", "0", NULL), line->whole));
        put_flags(s, json_get(o, "interpretation"), line->whole);
    }
    segment_put(s, 11, status_of(line, v.text.len > 0));
    segment_put(s, 14, segment_time(a, line->whole ? taken_of(o) : str(o, "effectiveDateTime")));
    if (line->whole)
        put_more(s, line);
    else
        segment_end(s);
}
