/* SPDX-License-Identifier: Apache-2.0
 *
 * Equality, equivalence and order of FHIRPath items (hl7.org/fhirpath/N1, sections 6.1 and 6.2).
 * Numbers compare by value; dates and times as the spans they cover, so that different precisions
 * are ordered where the spans are apart and unknown where they overlap; quantities only with the
 * same unit. Elements compare with everything below them.
 */
#include "mappers/fhir/fhirpath_impl.h"

#include "base/when.h"
#include "mappers/fhir/decimal.h"

#include "base/banned.h"

static enum fhirpath_order order_of(int sign)
{
    return sign < 0 ? FHIRPATH_LESS : sign > 0 ? FHIRPATH_GREATER : FHIRPATH_SAME;
}

/* ── times ───────────────────────────────────────────────────────────────────────────────────── */

#define TIME_TEXT 48 /* longest date and time that is looked at */

/* A date, time or both as a span. Seconds and their fractions are one precision: then *RET_EXACT.
 */
static bool read_time(enum fhirpath_kind kind, struct slice text, struct when *ret_when,
                      bool *ret_exact)
{
    char full[TIME_TEXT + 16];
    size_t len = 0;
    bool hour_only = false;
    if (text.len == 0 || text.len > TIME_TEXT)
        return false;
    if (kind == FHIRPATH_TIME) { /* as a time on a fixed day */
        memcpy(full, "1970-01-01T", 11);
        len = 11;
    }
    memcpy(full + len, text.ptr, text.len);
    len += text.len;
    size_t t = slice_find(slice_of(full, len), 'T', 0);
    size_t colons = 0;
    if (t + 1 == len)
        len--; /* @2014T: a date all the same */
    size_t end = t;
    while (end < len && full[end] != 'Z' && full[end] != '+' && full[end] != '-')
        colons += full[end++] == ':';
    if (kind == FHIRPATH_TIME && end < len)
        return false;             /* a time of day has no zone */
    if (t < len && colons == 0) { /* hours alone: as minutes, then widened */
        hour_only = end == t + 3;
        memmove(full + end + 3, full + end, len - end);
        memcpy(full + end, ":00", 3);
        len += 3;
        if (!hour_only)
            return false;
    }
    struct when when;
    if (!when_parse_fhir(slice_of(full, len), true, &when))
        return false;
    if (hour_only)
        when.hi_ms = when.lo_ms + 3600000;
    *ret_when = when;
    *ret_exact = colons == 2;
    return true;
}

bool fhirpath_compare_is_time(enum fhirpath_kind kind, struct slice text)
{
    struct when when;
    bool exact;
    return read_time(kind, text, &when, &exact);
}

static enum fhirpath_order order_times(const struct fhirpath_value *a,
                                       const struct fhirpath_value *b)
{
    struct when x;
    struct when y;
    bool exact_x;
    bool exact_y;
    if (!read_time(a->kind, a->text, &x, &exact_x) || !read_time(b->kind, b->text, &y, &exact_y))
        return FHIRPATH_UNKNOWN;
    if (exact_x && exact_y)
        return order_of((x.lo_ms > y.lo_ms) - (x.lo_ms < y.lo_ms));
    if (x.lo_ms == y.lo_ms && x.hi_ms == y.hi_ms)
        return FHIRPATH_SAME;
    if (x.hi_ms <= y.lo_ms)
        return FHIRPATH_LESS;
    return y.hi_ms <= x.lo_ms ? FHIRPATH_GREATER : FHIRPATH_UNKNOWN;
}

/* ── quantities and order ────────────────────────────────────────────────────────────────────── */

static bool is_number(const struct fhirpath_value *v)
{
    return v->kind == FHIRPATH_INTEGER || v->kind == FHIRPATH_DECIMAL;
}

static bool is_date(const struct fhirpath_value *v)
{
    return v->kind == FHIRPATH_DATE || v->kind == FHIRPATH_DATE_TIME;
}

/* R4's Quantity means one number with a UCUM unit, or none: a comparator makes it a range, and
 * another system's units are not known here. */
static bool read_quantity(const struct json *node, struct fhirpath_value *ret_quantity)
{
    const struct json *number = json_get(node, "value");
    struct slice system = json_str(node, "system");
    struct slice code = json_str(node, "code");
    bool ucum = slice_is(system, "http://unitsofmeasure.org");
    if (!number || number->kind != JSON_NUMBER || json_get(node, "comparator"))
        return false;
    if (code.len > 0 && !ucum)
        return false;
    *ret_quantity = (struct fhirpath_value){.kind = FHIRPATH_QUANTITY, .position = -1};
    ret_quantity->text = number->text;
    ret_quantity->unit = code.len > 0 ? code : SLICE("1");
    return true;
}

bool fhirpath_compare_quantity(const struct fhirpath_value *value,
                               struct fhirpath_value *ret_quantity)
{
    if (value->kind == FHIRPATH_OBJECT)
        return value->node && fhirpath_type_is_quantity(value->type) &&
               read_quantity(value->node, ret_quantity);
    if (value->kind != FHIRPATH_QUANTITY && !is_number(value))
        return false;
    *ret_quantity = (struct fhirpath_value){.kind = FHIRPATH_QUANTITY, .position = -1};
    ret_quantity->text = value->text;
    ret_quantity->unit = is_number(value) ? SLICE("1") : value->unit;
    return true;
}

enum fhirpath_order fhirpath_compare_order(const struct fhirpath_value *a,
                                           const struct fhirpath_value *b)
{
    struct fhirpath_value x;
    struct fhirpath_value y;
    if (is_number(a) && is_number(b))
        return order_of(decimal_compare(a->text, b->text));
    if (a->kind == FHIRPATH_STRING && b->kind == FHIRPATH_STRING)
        return order_of(slice_cmp(a->text, b->text));
    if ((is_date(a) && is_date(b)) || (a->kind == FHIRPATH_TIME && b->kind == FHIRPATH_TIME))
        return order_times(a, b);
    if (!fhirpath_compare_quantity(a, &x) || !fhirpath_compare_quantity(b, &y))
        return FHIRPATH_UNLIKE;
    if (!slice_eq(x.unit, y.unit))
        return FHIRPATH_UNKNOWN;
    return order_of(decimal_compare(x.text, y.text));
}

/* ── equality ────────────────────────────────────────────────────────────────────────────────── */

static enum err equal_trees(struct fhirpath_run *run, const struct json *a, const struct json *b,
                            int *ret_equal)
{
    bool equal = decimal_json_equal(a, b, &run->steps);
    if (run->steps == 0)
        return fhirpath_eval_charge(run, 1);
    *ret_equal = equal;
    return ERR_OK;
}

static enum err equal_objects(struct fhirpath_run *run, const struct fhirpath_value *a,
                              const struct fhirpath_value *b, int *ret_equal)
{
    int equal = a->kind == b->kind;
    enum err err = equal ? equal_trees(run, a->node, b->node, &equal) : ERR_OK;
    if (!err && equal && (a->shadow || b->shadow))
        err = equal_trees(run, a->shadow, b->shadow, &equal);
    if (!err)
        *ret_equal = equal;
    return err;
}

enum err fhirpath_compare_equal(struct fhirpath_run *run, const struct fhirpath_value *a,
                                const struct fhirpath_value *b, int *ret_equal)
{
    enum err err =
        fhirpath_eval_charge(run, 1 + (a->text.len < b->text.len ? a : b)->text.len / 64);
    if (err)
        return err;
    if (a->kind == FHIRPATH_BOOLEAN && b->kind == FHIRPATH_BOOLEAN) {
        *ret_equal = a->truth == b->truth;
        return ERR_OK;
    }
    enum fhirpath_order order = fhirpath_compare_order(a, b);
    bool elements = a->kind == FHIRPATH_OBJECT && b->kind == FHIRPATH_OBJECT;
    if (elements) /* of two elements, also what lies beside value and unit counts */
        return equal_objects(run, a, b, ret_equal);
    *ret_equal = order == FHIRPATH_UNKNOWN ? -1 : order == FHIRPATH_SAME;
    return ERR_OK;
}

/* ── equivalence ─────────────────────────────────────────────────────────────────────────────── */

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* The next character with letters small and each run of white space as one space; 0 at the end. */
static char next_folded(struct slice s, size_t *at)
{
    if (*at == s.len)
        return '\0';
    char c = s.ptr[(*at)++];
    if (!is_blank(c))
        return lower(c);
    while (*at < s.len && is_blank(s.ptr[*at]))
        ++*at;
    return ' ';
}

static bool alike_texts(struct slice a, struct slice b)
{
    size_t i = 0;
    size_t j = 0;
    char x;
    a = slice_trim(a);
    b = slice_trim(b);
    do {
        x = next_folded(a, &i);
        if (x != next_folded(b, &j))
            return false;
    } while (x);
    return true;
}

/* Rounded to the digits of the less precise. */
static bool alike_numbers(struct slice a, struct slice b)
{
    struct decimal x;
    struct decimal y;
    if (!decimal_parse(a, &x) || !decimal_parse(b, &y))
        return decimal_compare(a, b) == 0;
    unsigned scale = x.scale < y.scale ? x.scale : y.scale;
    x = decimal_round(x, scale);
    y = decimal_round(y, scale);
    return x.mantissa == y.mantissa;
}

enum err fhirpath_compare_alike(struct fhirpath_run *run, const struct fhirpath_value *a,
                                const struct fhirpath_value *b, bool *ret_alike)
{
    struct fhirpath_value x;
    struct fhirpath_value y;
    int equal = 0;
    enum err err = fhirpath_eval_charge(run, 1 + a->text.len / 64);
    if (err)
        return err;
    if (a->kind == FHIRPATH_STRING && b->kind == FHIRPATH_STRING) {
        *ret_alike = alike_texts(a->text, b->text);
    } else if (fhirpath_compare_quantity(a, &x) && fhirpath_compare_quantity(b, &y)) {
        *ret_alike = slice_eq(x.unit, y.unit) && alike_numbers(x.text, y.text);
    } else {
        err = fhirpath_compare_equal(run, a, b, &equal);
        if (!err)
            *ret_alike = equal == 1;
    }
    return err;
}

enum err fhirpath_compare_among(struct fhirpath_run *run, const struct fhirpath_values *values,
                                const struct fhirpath_value *value, bool *ret_among)
{
    int equal = 0;
    enum err err = ERR_OK;
    for (size_t i = 0; i < values->count && !err && equal != 1; i++)
        err = fhirpath_compare_equal(run, &values->items[i], value, &equal);
    if (!err)
        *ret_among = equal == 1;
    return err;
}
