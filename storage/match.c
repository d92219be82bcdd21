/* SPDX-License-Identifier: Apache-2.0
 *
 * What the values of a search parameter mean (R4 search.html, sections 3.1.1.4 and 3.1.1.5), on one
 * record's facets.
 *
 *   date      both sides are half-open spans; eq: the search's span holds the record's whole span
 *   number    the literal's precision counts for eq and ne only; the comparing prefixes take it as
 * exact. ap is a tenth of the number either way, and never less than eq quantity  as number, and
 * the unit: by system and code, or by code alone, which the unit for people may be as well token
 * "literal ... but not case sensitive" (search.html#token): ASCII letters of codes and identifier
 * values are compared without case, systems as they are. Unit codes of quantities keep their case
 * (UCUM: mg, Mg) uri       as it is; :above and :below by whole segments, a canonical's "|version"
 * being one
 *
 * Must stay a pure function of its arguments: the statement calls it for rows the gate has let
 * through, in any order and any number of times.
 */
#include "storage/match.h"

#include <assert.h>
#include <math.h>

#include "base/limits.h"
#include "storage/near.h"

#include "base/banned.h"

/* ── numbers and spans ───────────────────────────────────────────────────────────────────────── */

/* The span [LO, HI) of a record against the value's, by prefix (search.html#prefix). */
static bool span_passes(enum search_op op, int64_t lo, int64_t hi, struct when w)
{
    bool within = lo >= w.lo_ms && hi <= w.hi_ms;
    switch (op) {
    case SEARCH_EQ:
        return within;
    case SEARCH_NE:
        return !within;
    case SEARCH_GT:
        return hi > w.hi_ms;
    case SEARCH_LT:
        return lo < w.lo_ms;
    case SEARCH_GE:
        return hi > w.hi_ms || within;
    case SEARCH_LE:
        return lo < w.lo_ms || within;
    case SEARCH_SA:
        return lo >= w.hi_ms;
    case SEARCH_EB:
        return hi <= w.lo_ms;
    case SEARCH_AP:
        return lo < w.hi_ms && hi > w.lo_ms;
    default:
        return false;
    }
}

struct when match_widened(struct when w, int64_t now_ms)
{
    int64_t middle = w.lo_ms / 2 + w.hi_ms / 2;
    int64_t distance = 0;
    if (__builtin_sub_overflow(now_ms, middle, &distance) || distance == INT64_MIN)
        distance = INT64_MAX;
    int64_t slack = (distance < 0 ? -distance : distance) / 10;
    w.lo_ms = w.lo_ms < WHEN_MIN + slack ? WHEN_MIN : w.lo_ms - slack;
    w.hi_ms = w.hi_ms > WHEN_MAX - slack ? WHEN_MAX : w.hi_ms + slack;
    return w;
}

/* Does the literal's implicit range hold the record's number or range? The ends of the range were
 * reckoned in binary fractions: a hair either way, so that 5.4 finds 5.35 and not 5.45. */
static bool number_within(double lo, double hi, const struct search_value *v)
{
    double size = fmax(fabs(v->lo), fabs(v->hi));
    double slack = fmin(size * 1e-12, (v->hi - v->lo) / 1000);
    if (v->hi <= v->lo) /* no range: a number only equals itself */
        return lo == v->exact && hi == v->exact;
    return lo >= v->lo - slack && hi < v->hi - slack;
}

static bool number_near(double lo, double hi, const struct search_value *v)
{
    double tenth = fabs(v->exact) / 10 * (1 + 1e-12);
    return number_within(lo, hi, v) || (lo <= v->exact + tenth && hi >= v->exact - tenth);
}

/* The record's [LO, HI], closed. */
static bool number_passes(double lo, double hi, const struct search_value *v)
{
    switch (v->op) {
    case SEARCH_EQ:
        return number_within(lo, hi, v);
    case SEARCH_NE:
        return !number_within(lo, hi, v);
    case SEARCH_GT:
        return hi > v->exact;
    case SEARCH_LT:
        return lo < v->exact;
    case SEARCH_GE:
        return hi >= v->exact;
    case SEARCH_LE:
        return lo <= v->exact;
    case SEARCH_SA:
        return lo > v->exact;
    case SEARCH_EB:
        return hi < v->exact;
    case SEARCH_AP:
        return number_near(lo, hi, v);
    default:
        return false;
    }
}

/* ── one value against one facet of its kind ─────────────────────────────────────────────────── */

static bool system_passes(const struct facet_view *f, const struct search_value *v)
{
    return v->any_system || f->system == facet_system(v->system);
}

static bool token_passes(const struct facet_view *f, const struct search_value *v, int64_t now_ms)
{
    (void)now_ms;
    return (v->any_code || slice_ieq(f->text, v->text)) && system_passes(f, v);
}

static bool typed_passes(const struct facet_view *f, const struct search_value *v, int64_t now_ms)
{
    return token_passes(f, v, now_ms) && slice_ieq(f->raw, v->raw);
}

/* PART anywhere in TEXT, both folded. A dash is the long vowel mark after kana and a hyphen
 * elsewhere; what came before the first of PART is not known, so it may be either. */
static bool text_contains(struct slice text, struct slice part)
{
    const struct slice mark = SLICE("ー");
    size_t dashes = 0;

    if (slice_search(text, part, 0) < text.len)
        return true;
    while (dashes < part.len && part.ptr[dashes] == '-')
        dashes++;
    struct slice rest = slice_sub(part, dashes, part.len);
    for (size_t at = 0; dashes > 0 && at + dashes * mark.len + rest.len <= text.len; at++) {
        size_t end = at;
        for (size_t i = 0; i < dashes && slice_eq(slice_sub(text, end, mark.len), mark); i++)
            end += mark.len;
        if (end == at + dashes * mark.len && slice_eq(slice_sub(text, end, rest.len), rest))
            return true;
    }
    return false;
}

static bool string_passes(const struct facet_view *f, const struct search_value *v, int64_t now_ms)
{
    (void)now_ms;
    if (v->op == SEARCH_EXACT)
        return slice_eq(f->raw, v->raw);
    if (v->op == SEARCH_CONTAINS)
        return v->text.len == 0 || text_contains(f->text, v->text);
    return v->op == SEARCH_EQ && slice_starts(f->text, v->text);
}

static bool date_passes(const struct facet_view *f, const struct search_value *v, int64_t now_ms)
{
    struct when w = v->op == SEARCH_AP ? match_widened(v->when, now_ms) : v->when;
    return span_passes(v->op, f->lo_ms, f->hi_ms, w);
}

static bool plain_number_passes(const struct facet_view *f, const struct search_value *v,
                                int64_t now_ms)
{
    (void)now_ms;
    return number_passes(f->lo, f->hi, v);
}

/* "5.4||mg": the unit's code or what people read. */
static bool unit_passes(const struct facet_view *f, const struct search_value *v)
{
    if (!system_passes(f, v))
        return false;
    if (v->text.len == 0 || f->unit == facet_system(v->text))
        return true;
    return v->any_system && slice_eq(f->raw, v->text);
}

static bool quantity_passes(const struct facet_view *f, const struct search_value *v,
                            int64_t now_ms)
{
    (void)now_ms;
    return number_passes(f->lo, f->hi, v) && unit_passes(f, v);
}

static bool reference_passes(const struct facet_view *f, const struct search_value *v,
                             int64_t now_ms)
{
    (void)now_ms;
    return slice_eq(f->text, v->text);
}

/* Is LONGER the same as SHORTER, or further down the same path? */
static bool is_below(struct slice longer, struct slice shorter)
{
    if (!slice_starts(longer, shorter))
        return false;
    if (longer.len == shorter.len || shorter.len == 0)
        return shorter.len > 0;
    char next = longer.ptr[shorter.len];
    return next == '/' || next == '|' || shorter.ptr[shorter.len - 1] == '/';
}

static bool uri_passes(const struct facet_view *f, const struct search_value *v, int64_t now_ms)
{
    (void)now_ms;
    if (v->op == SEARCH_ABOVE)
        return is_below(v->text, f->text);
    if (v->op == SEARCH_BELOW)
        return is_below(f->text, v->text);
    return slice_eq(f->text, v->text);
}

static bool special_passes(const struct facet_view *f, const struct search_value *v, int64_t now_ms)
{
    (void)now_ms;
    return near_passes(f, v);
}

static bool value_passes(const struct facet_view *f, const struct search_value *v, int64_t now_ms)
{
    static bool (*const kinds[])(const struct facet_view *f, const struct search_value *v,
                                 int64_t now_ms) = {
        [FACET_TOKEN] = token_passes,       [FACET_STRING] = string_passes,
        [FACET_DATE] = date_passes,         [FACET_NUMBER] = plain_number_passes,
        [FACET_QUANTITY] = quantity_passes, [FACET_REFERENCE] = reference_passes,
        [FACET_URI] = uri_passes,           [FACET_TYPED] = typed_passes,
        [FACET_SPECIAL] = special_passes,
    };
    return f->kind == v->kind && v->kind < sizeof kinds / sizeof kinds[0] && kinds[v->kind] &&
           kinds[v->kind](f, v, now_ms);
}

/* ── a term against all facets ───────────────────────────────────────────────────────────────── */

/* The next facet of PARAM; they are sorted by it. */
static bool next_of(struct facet_reader *reader, uint16_t param, struct facet_view *ret_view)
{
    struct facet_view f;
    while (facet_next(reader, &f) && f.param <= param) {
        if (f.param == param) {
            *ret_view = f;
            return true;
        }
    }
    return false;
}

static bool any_value_passes(const struct facet_view *f, const struct search_term *term,
                             int64_t now_ms)
{
    for (size_t i = 0; i < term->value_count; i++) {
        if (!term->values[i].part_count && value_passes(f, &term->values[i], now_ms))
            return true;
    }
    return false;
}

/* Is there a group of facets in which every part of V passes? */
static bool composite_passes(struct facet_reader reader, uint16_t param,
                             const struct search_value *v, int64_t now_ms)
{
    const uint64_t all = (UINT64_C(1) << v->part_count) - 1;
    struct facet_view f;
    uint64_t passed = 0;
    uint16_t group = 0;
    while (next_of(&reader, param, &f)) {
        if (f.group != group)
            passed = 0;
        group = f.group;
        if (f.group > 0 && f.part < v->part_count && value_passes(&f, &v->parts[f.part], now_ms))
            passed |= UINT64_C(1) << f.part;
        if (passed == all)
            return true;
    }
    return false;
}

static bool any_composite_passes(struct facet_reader reader, const struct search_term *term,
                                 int64_t now_ms)
{
    for (size_t i = 0; i < term->value_count; i++) {
        const struct search_value *v = &term->values[i];
        assert(v->part_count < 64);
        if (v->part_count && composite_passes(reader, term->param, v, now_ms))
            return true;
    }
    return false;
}

bool match_term(struct slice facets, const struct search_term *term, int64_t now_ms)
{
    struct facet_reader reader, start;
    struct facet_view f;
    bool passes = false, any = false;
    facet_reader_init(&reader, facets);
    start = reader;
    while (!passes && next_of(&reader, term->param, &f)) {
        any = true;
        passes = term->missing || any_value_passes(&f, term, now_ms);
    }
    if (term->missing)
        return any == term->none;
    if (!passes && any)
        passes = any_composite_passes(start, term, now_ms);
    return passes != term->none;
}

/* ── places in an order ──────────────────────────────────────────────────────────────────────── */

/* What comes after the presence byte, least or greatest so far. */
struct place {
    bool found;
    bool is_text;
    uint64_t number; /* in an order of unsigned numbers */
    struct slice text;
};

#define SORT_PRESENT 1
#define SORT_MISSING 2
#define SORT_RESERVE 16u /* bytes kept for each of the parts that follow a long text */

static uint64_t ordered_int(int64_t value)
{
    return (uint64_t)value ^ (UINT64_C(1) << 63);
}

static uint64_t ordered_double(double value)
{
    uint64_t bits = 0;
    value += 0.0; /* minus zero is zero */
    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/* A date stands where it starts, either way: an open end is not the far future. */
static struct place place_of(const struct facet_view *f, bool descending)
{
    switch (f->kind) {
    case FACET_DATE:
        return (struct place){.found = true, .number = ordered_int(f->lo_ms)};
    case FACET_NUMBER:
    case FACET_QUANTITY:
        return (struct place){.found = true, .number = ordered_double(descending ? f->hi : f->lo)};
    default:
        return (struct place){.found = true, .is_text = true, .text = f->text};
    }
}

static bool comes_before(const struct place *a, const struct place *b)
{
    return a->is_text ? slice_cmp(a->text, b->text) < 0 : a->number < b->number;
}

/* A text lies in KEEP if the reader's own memory held it. */
static void keep_text(struct place *best, const struct facet_reader *reader,
                      char keep[FACET_REFERENCE_MAX])
{
    if (!best->is_text || best->text.ptr != reader->reference)
        return;
    memcpy(keep, best->text.ptr, best->text.len);
    best->text.ptr = keep;
}

static struct place find_place(struct slice facets, const struct search_sort *sort,
                               char keep[FACET_REFERENCE_MAX])
{
    struct facet_reader reader;
    struct facet_view f;
    struct place best = {0};
    facet_reader_init(&reader, facets);
    while (next_of(&reader, sort->param, &f)) {
        if (f.kind != sort->kind)
            continue;
        struct place place = place_of(&f, sort->descending);
        if (!best.found ||
            (sort->descending ? comes_before(&best, &place) : comes_before(&place, &best))) {
            best = place;
            keep_text(&best, &reader, keep);
        }
    }
    return best;
}

/* A text ends with a zero byte, below every other; a zero inside it is written as one. */
static void add_text(struct buf *out, struct slice text, size_t room, unsigned char turn)
{
    for (size_t i = 0; i < text.len && i < room; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        buf_addc(out, (char)((c ? c : 1) ^ turn));
    }
    buf_addc(out, (char)turn);
}

static void add_place(struct buf *out, const struct place *place, bool descending, size_t room)
{
    const unsigned char turn = descending ? 0xff : 0;
    buf_addc(out, place->found ? SORT_PRESENT : SORT_MISSING);
    if (!place->found)
        return;
    if (place->is_text)
        add_text(out, place->text, room - 2, turn);
    else
        buf_add_u64(out, descending ? ~place->number : place->number);
}

void match_sort_key(struct slice facets, int64_t seq, struct slice id,
                    const struct search_sort *sorts, size_t count, struct buf *out)
{
    const size_t end = out->len + LIMIT_SORT_KEY;
    assert(count <= LIMIT_SORT_KEYS);
    static_assert(LIMIT_SORT_KEYS * SORT_RESERVE < LIMIT_SORT_KEY, "every part has room");
    for (size_t i = 0; i < count; i++) {
        const struct search_sort *sort = &sorts[i];
        char text[FACET_REFERENCE_MAX];
        struct place place = {.found = true};
        if (sort->order == SEARCH_BY_UPDATED)
            place.number = ordered_int(seq);
        else if (sort->order == SEARCH_BY_ID)
            place = (struct place){.found = true, .is_text = true, .text = id};
        else
            place = find_place(facets, sort, text);
        add_place(out, &place, sort->descending, end - out->len - SORT_RESERVE * (count - 1 - i));
    }
}

int64_t match_sort_seq(struct slice key, bool descending)
{
    uint64_t number = 0;
    if (key.len != 9 || key.ptr[0] != SORT_PRESENT)
        return 0;
    for (size_t i = 1; i < key.len; i++)
        number = number << 8 | (unsigned char)key.ptr[i];
    return (int64_t)(ordered_int((int64_t)(descending ? ~number : number)));
}
