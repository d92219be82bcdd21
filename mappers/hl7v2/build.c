/* SPDX-License-Identifier: Apache-2.0
 *
 * Plain elements. Numbers keep their digits as written: 1.20 is a statement about precision. Only
 * what JSON forbids is normalised (a plus sign, leading zeros, a bare point); anything else that is
 * no plain decimal is not a number here.
 */
#include "mappers/hl7v2/build.h"

#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/terms.h"
#include "base/when.h"
#include "base/banned.h"

#define DECIMAL_MAX                                                                                \
    40u /* digits; no measurement has more, and readers use doubles or decimals of 18 */

bool build_structure(struct spot *at)
{
    (void)at;
    return true;
}

bool build_elsewhere(struct spot *at)
{
    (void)at;
    return false;
}

bool build_string(struct spot *at)
{
    struct slice text = mapping_text(at);
    struct json *before;

    if (text.len == 0)
        return false;
    before = json_get(at->target, at->row->path);
    if (before && before->kind == JSON_STRING)
        text = mapping_format(at->mp, "%.*s\n%.*s", SLICE_ARG(before->text), SLICE_ARG(text));
    return mapping_put_at(at->mp->a, at->target, at->row->path, json_string(at->mp->a, text));
}

static bool put_wrapped(struct spot *at, const char *member)
{
    struct slice text = mapping_text(at);
    struct json *object;

    if (text.len == 0)
        return false;
    object = json_new(at->mp->a, JSON_OBJECT);
    json_put_str(at->mp->a, object, member, text);
    return mapping_put(at, object);
}

bool build_text_object(struct spot *at)
{
    return put_wrapped(at, "text");
}

bool build_display(struct spot *at)
{
    return put_wrapped(at, "display");
}

static struct slice convert(struct mapping *mp, struct slice ts,
                            bool (*to)(struct slice, struct buf *))
{
    struct buf b;
    struct slice text = SLICE_NONE;

    buf_init(&b, 64);
    if (to(ts, &b) && buf_err(&b) == ERR_OK)
        text = arena_dup(mp->a, buf_slice(&b));
    buf_fini(&b);
    return text;
}

struct slice build_datetime_of(struct mapping *mp, struct slice ts)
{
    return ts.len ? convert(mp, ts, when_hl7_to_fhir) : SLICE_NONE;
}

struct slice build_date_of(struct mapping *mp, struct slice ts)
{
    return ts.len ? convert(mp, ts, when_hl7_to_date) : SLICE_NONE;
}

struct slice build_instant_of(struct mapping *mp, struct slice ts)
{
    struct slice text = build_datetime_of(mp, ts);

    return slice_search(text, SLICE("T"), 0) < text.len ? text : SLICE_NONE;
}

static bool put_time(struct spot *at, struct slice (*of)(struct mapping *, struct slice))
{
    unsigned c = at->row->component ? at->row->component : 1;
    struct slice ts = mapping_part(at->mp, at->raw, c);
    struct slice text;

    if (ts.len == 0)
        return false;
    text = of(at->mp, ts);
    if (text.len)
        return mapping_put(at, json_string(at->mp->a, text));
    mapping_warn(at->mp, at->s, at->row->field, 0, "not a date or time; it was left out",
                 "日時として読めないため除きました");
    return false;
}

bool build_date(struct spot *at)
{
    return put_time(at, build_date_of);
}

bool build_datetime(struct spot *at)
{
    return put_time(at, build_datetime_of);
}

/* An instant needs seconds and a zone: a bare date is not one. */
bool build_instant(struct spot *at)
{
    return build_instant_of(at->mp, mapping_part(at->mp, at->raw, 1)).len &&
           put_time(at, build_datetime_of);
}

static size_t digits_at(struct slice s, size_t i)
{
    size_t from = i;

    while (i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9')
        i++;
    return i - from;
}

bool build_decimal_of(struct mapping *mp, struct slice text, struct slice *ret_literal)
{
    size_t i = 0, whole, fraction = 0;
    bool minus;
    struct slice whole_part, literal;

    text = slice_trim(text);
    if (text.len == 0 || text.len > DECIMAL_MAX)
        return false;
    minus = text.ptr[0] == '-';
    if (minus || text.ptr[0] == '+')
        i++;
    whole = digits_at(text, i);
    whole_part = slice_sub(text, i, whole);
    i += whole;
    if (i < text.len && text.ptr[i] == '.') {
        fraction = digits_at(text, i + 1);
        i += 1 + fraction;
    }
    if (i != text.len || whole + fraction == 0)
        return false;
    while (whole_part.len > 1 && whole_part.ptr[0] == '0')
        whole_part = slice_sub(whole_part, 1, whole_part.len);
    literal = ARENA_JOIN(
        mp->a, minus ? SLICE("-") : SLICE_NONE, whole_part.len ? whole_part : SLICE("0"),
        fraction ? SLICE(".") : SLICE_NONE, slice_sub(text, text.len - fraction, fraction));
    if (literal.len == 0)
        return false;
    *ret_literal = literal;
    return true;
}

static bool warn_number(struct spot *at)
{
    mapping_warn(at->mp, at->s, at->row->field, 0, "not a number; it was left out",
                 "数値として読めないため除きました");
    return false;
}

bool build_decimal(struct spot *at)
{
    struct slice text = mapping_part(at->mp, at->raw, at->row->component ? at->row->component : 1);
    struct slice literal;

    if (text.len == 0)
        return false;
    if (!build_decimal_of(at->mp, text, &literal))
        return warn_number(at);
    return mapping_put(at, json_number(at->mp->a, literal));
}

bool build_integer(struct spot *at)
{
    uint64_t value;

    if (!slice_u64(mapping_text(at), &value) || value > INT32_MAX || (at->row->arg && value == 0))
        return warn_number(at);
    return mapping_put(at, json_int(at->mp->a, (int64_t)value));
}

void build_unit_of(struct mapping *mp, struct json *quantity, const struct cwe *unit)
{
    const struct term *ucum = slice_is(unit->system, "MDC") ? terms_find(terms_mdc_unit, unit->code)
                                                            : terms_unit(unit->code);
    struct slice system = SLICE_NONE, code = SLICE_NONE;

    if (ucum &&
        slice_is(unit->system, "MDC")) /* devices name units MDC_DIM_..., nobody reads that */
        json_put_text(mp->a, quantity, "unit", ucum->to);
    else
        json_put_str(mp->a, quantity, "unit", unit->text.len ? unit->text : unit->code);
    if (slice_is(unit->system, "MR9P") || slice_is(unit->system, "UCUM") ||
        (slice_is(unit->system, "MDC") && !ucum)) {
        system = cwe_system(mp, unit->system);
        code = unit->code;
    } else if (ucum) {
        system = SLICE("http://unitsofmeasure.org");
        code = slice_str(ucum->to);
    }
    if (code.len == 0)
        return;
    json_put_str(mp->a, quantity, "system", system);
    json_put_str(mp->a, quantity, "code", code);
}

bool build_unit(struct spot *at)
{
    struct cwe unit;
    struct json *quantity;

    cwe_read(at->mp, at->raw, &unit);
    if (cwe_text(&unit).len == 0)
        return false;
    quantity = mapping_object_at(at->mp->a, at->target, at->row->path);
    build_unit_of(at->mp, quantity, &unit);
    return quantity != NULL;
}

bool build_quantity(struct spot *at)
{
    struct slice literal;
    struct cwe unit;
    struct json *quantity;

    if (!build_decimal_of(at->mp, mapping_part(at->mp, at->raw, 1), &literal))
        return warn_number(at);
    quantity = json_new(at->mp->a, JSON_OBJECT);
    json_set(quantity, "value", json_number(at->mp->a, literal));
    cwe_read_sub(at->mp, hl7_component(at->mp->m, at->raw, 2), &unit);
    if (cwe_text(&unit).len)
        build_unit_of(at->mp, quantity, &unit);
    return mapping_put(at, quantity);
}

bool build_identifier(struct spot *at)
{
    struct slice value = mapping_part(at->mp, at->raw, at->row->component ? at->row->component : 1);
    struct json *identifier;

    if (value.len == 0)
        return false;
    identifier = json_new(at->mp->a, JSON_OBJECT);
    json_put_str(at->mp->a, identifier, "system", cwe_local(at->mp, slice_str(at->row->arg)));
    json_put_str(at->mp->a, identifier, "value", value);
    return mapping_put(at, identifier);
}

void build_period_of(struct mapping *mp, struct slice raw, unsigned range, unsigned from,
                     struct json *object)
{
    struct slice both = range ? hl7_component(mp->m, raw, range) : SLICE_NONE;
    struct slice start = build_datetime_of(mp, mapping_part(mp, raw, from));
    struct slice end = build_datetime_of(mp, mapping_part(mp, raw, from + 1));
    struct json *period;

    if (range && start.len == 0 && end.len == 0) {
        start = build_datetime_of(mp, mapping_clean(mp, hl7_sub(mp->m, both, 1)));
        end = build_datetime_of(mp, mapping_clean(mp, hl7_sub(mp->m, both, 2)));
    }
    if (start.len == 0 && end.len == 0)
        return;
    period = json_put_object(mp->a, object, "period");
    json_put_str(mp->a, period, "start", start);
    json_put_str(mp->a, period, "end", end);
}
