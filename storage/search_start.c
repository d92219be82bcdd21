/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a search begins. Nothing tells SQLite how selective a code is, so the choice is made here,
 * from the kind of what is asked, and said so that SQLite cannot choose otherwise. In order of
 * worth:
 *
 *     logical ids          by key
 *     persons              the rid ranges of their charts; inside them by the key of a code, else
 * of the type references, uris; a Patient at the end of a chain, found by one of the following
 *     codes with a system, words, bare codes, strings, by index
 *     another chain or reverse chain whose other end has one of these: from there
 *     dates and lastUpdated of the last weeks
 *     the type
 *
 * A start is a superset, by whole blocks of a chart (key.h): every condition is tested again on
 * each record (search_filter.c), so a start can make an answer slow but never wrong. What no index
 * knows (a code marked common, :not, :missing) is never a start.
 */
#include <assert.h>

#include "base/limits.h"
#include "storage/change.h"
#include "storage/key.h"
#include "storage/match.h"
#include "storage/search_impl.h"
#include "storage/words.h"

#include "base/banned.h"

#define DAY_MS INT64_C(86400000)
#define SPANS_MAX 16u   /* values of a date or string that can start */
#define UNIONS_MAX 400u /* SQLite's own bound is 500 */

enum worth {
    WORTH_NOTHING,
    WORTH_UPDATED,
    WORTH_DATE,
    WORTH_INNER,
    WORTH_STRING,
    WORTH_CODE,
    WORTH_WORDS,
    WORTH_TOKEN,
    WORTH_PATIENT, /* a chain to a Patient found by index: it ends in few charts */
    WORTH_REFERENCE,
    WORTH_PERSONS,
    WORTH_IDS,
};

struct start {
    const struct search_filter *filter;
    enum worth worth;
};

static struct start best_of(const struct search_list *list, struct search_types types,
                            int64_t now_ms);
static void say_candidates(struct search_compose *c, struct search_types types,
                           const struct search_filter *f);

/* ── spans of time ───────────────────────────────────────────────────────────────────────────── */

static int64_t seq_at(int64_t ms)
{
    const int64_t most = INT64_MAX >> CHANGE_COUNTER_BITS, least = -most;
    return change_at(ms > most ? most : ms < least ? least : ms);
}

void search_seq_span(const struct search_value *value, int64_t now_ms, int64_t *ret_lo,
                     int64_t *ret_hi)
{
    struct when w = value->op == SEARCH_AP ? match_widened(value->when, now_ms) : value->when;
    int64_t lo = seq_at(w.lo_ms), hi = seq_at(w.hi_ms);
    switch (value->op) {
    case SEARCH_GT:
    case SEARCH_SA:
        lo = hi;
        hi = INT64_MAX;
        break;
    case SEARCH_GE:
        hi = INT64_MAX;
        break;
    case SEARCH_LT:
    case SEARCH_EB:
        hi = lo;
        lo = INT64_MIN;
        break;
    case SEARCH_LE:
        lo = INT64_MIN;
        break;
    default:
        break;
    }
    *ret_lo = lo;
    *ret_hi = hi;
}

/* The days [lo, hi] on one of which every date that passes V has a part; false when that is not
 * known. AROUND is set when dates of many days can be among them. */
static bool day_span(const struct search_value *v, int64_t now_ms, struct when *ret_span,
                     bool *ret_around)
{
    struct when w = v->op == SEARCH_AP ? match_widened(v->when, now_ms) : v->when;
    if (v->kind != FACET_DATE || v->part_count || w.hi_ms <= w.lo_ms)
        return false;
    switch (v->op) {
    case SEARCH_EQ:
    case SEARCH_AP:
        break;
    case SEARCH_GT:
    case SEARCH_SA:
        w = (struct when){w.hi_ms, WHEN_MAX};
        break;
    case SEARCH_GE:
        w.hi_ms = WHEN_MAX;
        break;
    default:
        return false;
    }
    *ret_around = v->op != SEARCH_EQ;
    *ret_span = (struct when){w.lo_ms, w.hi_ms == WHEN_MAX ? WHEN_MAX : w.hi_ms - 1};
    return true;
}

/* Not so many days that walking the type is as good. What lies after now is taken for little. */
static bool is_few_days(int64_t lo_ms, int64_t hi_ms, int64_t now_ms)
{
    int64_t end = hi_ms < now_ms ? hi_ms : now_ms, span = 0;
    if (end <= lo_ms)
        return true;
    return !__builtin_sub_overflow(end, lo_ms, &span) && span < (int64_t)LIMIT_KEY_DAYS * DAY_MS;
}

/* Could a date inside these days be entered as a long one? */
static bool is_long(struct when days)
{
    int64_t span = 0;
    return __builtin_sub_overflow(days.hi_ms, days.lo_ms, &span) ||
           span >= ((int64_t)LIMIT_KEY_DAYS - 1) * DAY_MS;
}

/* ── what a filter is worth ──────────────────────────────────────────────────────────────────── */

static enum worth exact_worth(const struct search_value *v)
{
    if (v->part_count || v->op != SEARCH_EQ || v->text.len == 0)
        return WORTH_NOTHING;
    if (v->kind == FACET_REFERENCE && slice_is(v->text, "Patient/@")) /* in no index (key.h) */
        return WORTH_NOTHING;
    if (v->kind == FACET_REFERENCE || v->kind == FACET_URI)
        return WORTH_REFERENCE;
    if (v->kind != FACET_TOKEN || v->any_code)
        return WORTH_NOTHING;
    return v->any_system || v->system.len == 0 ? WORTH_CODE : WORTH_TOKEN;
}

static enum worth value_worth(const struct search_value *v, size_t count, int64_t now_ms)
{
    struct when days;
    bool around = false;
    enum worth exact = exact_worth(v);
    if (exact || count > SPANS_MAX)
        return exact;
    if (v->kind == FACET_STRING && !v->part_count && v->op == SEARCH_EQ && v->text.len > 0)
        return WORTH_STRING;
    if (day_span(v, now_ms, &days, &around) && is_few_days(days.lo_ms, days.hi_ms, now_ms))
        return WORTH_DATE;
    return WORTH_NOTHING;
}

/* All values must be found the same way. */
static enum worth term_worth(const struct search_term *term, int64_t now_ms)
{
    enum worth worst = WORTH_NOTHING;
    if (term->missing || term->none || term->common)
        return WORTH_NOTHING;
    for (size_t i = 0; i < term->value_count; i++) {
        enum worth worth = value_worth(&term->values[i], term->value_count, now_ms);
        bool keys = worth >= WORTH_CODE;
        if (worth == WORTH_NOTHING || (i > 0 && keys != (worst >= WORTH_CODE)) ||
            (i > 0 && !keys && worth != worst))
            return WORTH_NOTHING;
        worst = i == 0 || worth < worst ? worth : worst;
    }
    return worst;
}

static enum worth any_worth(const struct search_filter *f, struct search_types types,
                            int64_t now_ms)
{
    enum worth worst = f->group_count ? WORTH_IDS : WORTH_NOTHING;
    for (size_t i = 0; i < f->group_count; i++) {
        enum worth worth = best_of(&f->groups[i], types, now_ms).worth;
        worst = worth < worst ? worth : worst;
    }
    return worst;
}

static enum worth inner_worth(const struct search_filter *f, int64_t now_ms)
{
    const struct search_types types = {f->ids, f->id_count};
    if (f->id_count == 0 || f->group_count == 0)
        return WORTH_NOTHING;
    enum worth worth = best_of(&f->groups[0], types, now_ms).worth;
    bool patient = f->kind == SEARCH_CHAIN && !search_may_be_other(types);
    if (patient && worth >= WORTH_STRING)
        return WORTH_PATIENT;
    return worth >= WORTH_INNER ? WORTH_INNER : WORTH_NOTHING;
}

static enum worth updated_worth(const struct search_filter *f, int64_t now_ms)
{
    int64_t lo = 0, hi = 0;
    search_seq_span(&f->value, now_ms, &lo, &hi);
    bool few = f->value.op != SEARCH_NE && is_few_days(change_ms(lo), change_ms(hi), now_ms);
    return few ? WORTH_UPDATED : WORTH_NOTHING;
}

static enum worth worth_of(const struct search_filter *f, struct search_types types, int64_t now_ms)
{
    if (f->none)
        return WORTH_NOTHING;
    switch (f->kind) {
    case SEARCH_TERM:
        return term_worth(&f->term, now_ms);
    case SEARCH_IDS:
        return types.count && f->id_count ? WORTH_IDS : WORTH_NOTHING;
    case SEARCH_UPDATED:
        return updated_worth(f, now_ms);
    case SEARCH_PERSONS:
        return WORTH_PERSONS;
    case SEARCH_CHAIN:
    case SEARCH_HAS:
        return inner_worth(f, now_ms);
    case SEARCH_ANY:
        return any_worth(f, types, now_ms);
    case SEARCH_WORDS:
        return WORTH_WORDS;
    default:
        return WORTH_NOTHING;
    }
}

/* TYPES, or when nothing is known of them, those LIST itself asks for. */
static struct search_types narrowed(const struct search_list *list, struct search_types types)
{
    for (size_t i = 0; types.count == 0 && i < list->count; i++) {
        const struct search_filter *f = &list->items[i];
        if (f->kind == SEARCH_TYPES && !f->none)
            types = (struct search_types){f->ids, f->id_count};
    }
    return types;
}

static struct start best_of(const struct search_list *list, struct search_types types,
                            int64_t now_ms)
{
    struct start best = {NULL, WORTH_NOTHING};
    types = narrowed(list, types);
    for (size_t i = 0; i < list->count; i++) {
        enum worth worth = worth_of(&list->items[i], types, now_ms);
        if (worth > best.worth)
            best = (struct start){&list->items[i], worth};
    }
    return best;
}

/* The best exact term, to seek inside charts. */
static const struct search_filter *best_exact(const struct search_list *list, int64_t now_ms)
{
    struct start best = {NULL, WORTH_NOTHING};
    for (size_t i = 0; i < list->count; i++) {
        const struct search_filter *f = &list->items[i];
        enum worth worth = f->kind == SEARCH_TERM ? term_worth(&f->term, now_ms) : WORTH_NOTHING;
        if (worth >= WORTH_CODE && worth > best.worth)
            best = (struct start){f, worth};
    }
    return best.filter;
}

bool search_starts_wide(const struct search_compose *c, struct search_types types,
                        const struct search_list *list)
{
    return best_of(list, types, c->now_ms).worth <= WORTH_DATE;
}

bool search_starts_narrow(const struct search_compose *c, struct search_types types,
                          const struct search_list *list)
{
    return best_of(list, types, c->now_ms).worth >= WORTH_PERSONS;
}

bool search_can_start(const struct search_compose *c, const struct search_filter *filter)
{
    const struct search_types types = {filter->ids,
                                       filter->kind == SEARCH_HAS ? 1 : filter->id_count};
    return filter->id_count && best_of(&filter->groups[0], types, c->now_ms).filter;
}

/* ── keys ────────────────────────────────────────────────────────────────────────────────────── */

struct keys {
    int64_t *items;
    size_t count;
};

size_t search_entered_as(struct search_types types, int64_t flag, int64_t ret_flags[2])
{
    size_t count = 0;
    if (search_may_be_other(types))
        ret_flags[count++] = flag;
    if (search_may_be_patient(types))
        ret_flags[count++] = 0;
    return count;
}

static void add_key(struct keys *keys, struct search_types types, int64_t key)
{
    int64_t flags[2];
    size_t count = search_entered_as(types, KEY_BLOCK, flags);
    for (size_t i = 0; keys->items && i < count; i++)
        keys->items[keys->count++] = key | flags[i];
}

static struct keys keys_of_term(struct search_compose *c, struct search_types types,
                                const struct search_term *term)
{
    struct keys keys = {search_alloc(c, 2 * term->value_count, sizeof(int64_t)), 0};
    for (size_t i = 0; keys.items && i < term->value_count; i++)
        add_key(&keys, types, key_value(term->param, term->values[i].text));
    return keys;
}

static struct keys keys_of_types(struct search_compose *c, struct search_types types)
{
    struct keys keys = {search_alloc(c, types.count, sizeof(int64_t)), 0};
    for (size_t i = 0; keys.items && i < types.count; i++)
        add_key(&keys, (struct search_types){&types.items[i], 1}, key_type(types.items[i]));
    return keys;
}

static struct keys keys_of_ids(struct search_compose *c, struct search_types types,
                               const struct search_filter *f)
{
    struct keys keys = {search_alloc(c, types.count * f->id_count, sizeof(int64_t)), 0};
    for (size_t i = 0; keys.items && i < types.count; i++) {
        for (size_t j = 0; j < f->id_count; j++)
            keys.items[keys.count++] = key_id(types.items[i], f->ids[j]);
    }
    return keys;
}

static void say_keys(struct search_compose *c, struct search_at at, struct keys keys)
{
    if (keys.count == 1) {
        search_say(c, at, "r#.key = ?");
        search_bind_int(c, keys.items[0]);
    } else if (keys.count) {
        search_say(c, at, "r#.key");
        search_say_ints(c, keys.items, keys.count);
    } else {
        search_say(c, at, "0");
    }
}

/* ── candidates: "SELECT r.rid ...", of which a record may be several times ──────────────────── */

static void say_union(struct search_compose *c, struct search_at at)
{
    if (++c->unions > UNIONS_MAX && !c->err)
        c->err = ERR_TOO_LARGE;
    search_say(c, at, " UNION ALL ");
}

static void say_by_keys(struct search_compose *c, struct keys keys)
{
    struct search_at at = search_alias(c, 0);
    search_say(c, at, "SELECT r#.rid FROM v_by_value r# WHERE ");
    say_keys(c, at, keys);
}

static void say_by_ids(struct search_compose *c, struct keys keys)
{
    struct search_at at = search_alias(c, 0);
    search_say(c, at, "SELECT r#.rid FROM v_by_id r# WHERE ");
    say_keys(c, at, keys);
}

static void say_by_strings(struct search_compose *c, const struct search_term *term, int64_t flag)
{
    for (size_t i = 0; i < term->value_count; i++) {
        struct search_at at = search_alias(c, 0);
        struct slice prefix = key_text(term->values[i].text);
        if (i)
            say_union(c, at);
        search_say(c, at, "SELECT r#.rid FROM v_by_string r# WHERE r#.param = ?");
        search_bind_int(c, term->param | flag);
        search_say(c, at, " AND r#.folded >= ?");
        search_bind_text(c, prefix);
        /* x'ff' sorts after every continuation of the prefix: no UTF-8 text holds that byte. */
        search_say(c, at, " AND r#.folded < CAST(? || x'ff' AS TEXT)");
        search_bind_text(c, prefix);
    }
}

static void say_by_days(struct search_compose *c, const struct search_term *term, int64_t flag)
{
    bool any_around = false;
    for (size_t i = 0; i < term->value_count; i++) {
        struct search_at at = search_alias(c, 0);
        struct when days = {0, 0};
        bool around = false;
        (void)day_span(&term->values[i], c->now_ms, &days, &around);
        if (i)
            say_union(c, at);
        search_say(c, at, "SELECT r#.rid FROM v_by_value r# WHERE r#.key >= ?");
        search_bind_int(c, key_day(term->param, days.lo_ms) | flag);
        search_say(c, at, " AND r#.key <= ?");
        search_bind_int(c, key_day(term->param, days.hi_ms) | flag);
        any_around = any_around || around || is_long(days);
    }
    if (any_around) {
        int64_t key = key_long(term->param) | flag;
        say_union(c, (struct search_at){0});
        say_by_keys(c, (struct keys){&key, 1});
    }
}

static void say_by_term(struct search_compose *c, struct search_types types,
                        const struct search_term *term)
{
    const enum worth worth = term_worth(term, c->now_ms);
    const bool strings = worth == WORTH_STRING;
    int64_t flags[2];
    size_t count = search_entered_as(types, strings ? KEY_BLOCK_PARAM : KEY_BLOCK, flags);
    if (!strings && worth != WORTH_DATE) {
        say_by_keys(c, keys_of_term(c, types, term));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (i)
            say_union(c, (struct search_at){0});
        (strings ? say_by_strings : say_by_days)(c, term, flags[i]);
    }
}

void search_say_words(struct search_compose *c, struct search_at at,
                      const struct search_filter *filter)
{
    struct buf words;
    buf_init(&words, LIMIT_HTTP_LINE * 4);
    bool some = words_expression(filter->value.text, filter->param == 0, &words);
    struct slice text = arena_dup(c->arena, buf_slice(&words));
    if (!c->err)
        c->err = buf_err(&words) ? buf_err(&words) : text.len == words.len ? ERR_OK : ERR_LIMIT;
    buf_fini(&words);
    search_say(c, at,
               some ? "SELECT r#.rid FROM v_by_words r# WHERE r#.ix_words MATCH ?"
                    : "SELECT r#.rid FROM v_record r# WHERE 0");
    if (some)
        search_bind_text(c, text);
}

static void say_by_updated(struct search_compose *c, const struct search_filter *f)
{
    struct search_at at = search_alias(c, 0);
    int64_t lo = 0, hi = 0;
    search_seq_span(&f->value, c->now_ms, &lo, &hi);
    search_say(c, at, "SELECT r#.rid FROM v_change r# WHERE r#.seq >= ?");
    search_bind_int(c, lo);
    search_say(c, at, " AND r#.seq < ?");
    search_bind_int(c, hi);
}

/* ── candidates from the charts of persons ───────────────────────────────────────────────────── */

/* The rows r# of CHARTS: by the keys given, else all. */
static void say_from_charts(struct search_compose *c, struct search_at at,
                            const struct search_charts *charts, struct keys keys)
{
    search_say(c, at,
               keys.count ? "FROM v_chart k# CROSS JOIN v_by_value r# WHERE k#.chart"
                          : "FROM v_chart k# CROSS JOIN v_record r# WHERE k#.chart");
    search_say_ints(c, charts->items, charts->count);
    search_say(c, at,
               keys.count ? " AND r#.at >= k#.rid_lo AND r#.at < k#.rid_hi AND "
                          : " AND r#.rid >= k#.rid_lo AND r#.rid < k#.rid_hi");
    if (keys.count)
        say_keys(c, at, keys);
}

/* With the records that hang elsewhere and name one of the charts. */
static void say_by_persons(struct search_compose *c, struct search_types types,
                           const struct search_charts *charts, struct keys keys)
{
    struct search_at at = search_alias(c, 0);
    if (charts->count == 0) {
        search_say(c, at, "SELECT r#.rid FROM v_record r# WHERE 0");
        return;
    }
    search_say(c, at, "SELECT r#.rid ");
    say_from_charts(c, at, charts, keys);
    if (!charts->elsewhere)
        return;
    struct slice *patients = search_patients(c, charts);
    struct keys named = {search_alloc(c, 2 * charts->count, sizeof(int64_t)), 0};
    for (size_t i = 0; patients && named.items && i < charts->count; i++)
        add_key(&named, types, key_value(charts->of->param, patients[i]));
    say_union(c, at);
    say_by_keys(c, named);
}

/* ── candidates from the other end of a chain ────────────────────────────────────────────────── */

/* "(SELECT ... FROM the records that pass the inner list)" as i#; ^ is the record inside. */
static struct search_at say_inner(struct search_compose *c, struct search_types types,
                                  const struct search_filter *f)
{
    struct search_at inner = search_alias(c, 0), at = search_alias(c, inner.own);
    search_say(c, at,
               "(SELECT r^.type AS type, r^.id AS id, r^.person AS person, r^.chart AS chart,"
               " r^.facets AS facets ");
    search_say_start(c, inner, types, &f->groups[0]);
    search_say_conditions(c, inner, types, &f->groups[0]);
    search_say(c, at, ") i#");
    return at;
}

/* RECORDS of the one type or other that name one of OTHERS. */
static void say_chain_from_others(struct search_compose *c, struct search_types records,
                                  struct search_types others, const struct search_filter *f)
{
    int64_t flags[2];
    size_t count = search_entered_as(records, KEY_BLOCK, flags);
    for (size_t i = 0; i < count; i++) {
        if (i)
            say_union(c, (struct search_at){0});
        search_say(c, (struct search_at){0}, "SELECT v.rid FROM ");
        struct search_at at = say_inner(c, others, f);
        search_say(c, at, " CROSS JOIN v_by_value v");
        search_say(c, at, " WHERE v.key = (tasuki_key(?, i#.type || '/' || i#.id) | ?)");
        search_bind_int(c, f->param);
        search_bind_int(c, flags[i]);
    }
}

/* Records elsewhere that name one of the charts of the persons found. */
static void say_chain_from_elsewhere(struct search_compose *c, struct search_types types,
                                     struct search_types patients, const struct search_filter *f)
{
    int64_t flags[2];
    size_t count = search_entered_as(types, KEY_BLOCK, flags);
    for (size_t i = 0; i < count; i++) {
        say_union(c, (struct search_at){0});
        search_say(c, (struct search_at){0}, "SELECT v.rid FROM ");
        struct search_at at = say_inner(c, patients, f);
        search_say(c, at,
                   " CROSS JOIN v_chart k CROSS JOIN v_by_value v WHERE k.person = i#.person");
        search_say(c, at, " AND v.key = (tasuki_key(?, 'Patient/@' || k.chart) | ?)");
        search_bind_int(c, f->param);
        search_bind_int(c, flags[i]);
    }
}

/* Rows of the persons found, and rows elsewhere that name one of their charts. */
static void say_chain_from_patients(struct search_compose *c, struct search_types types,
                                    const struct search_filter *f)
{
    static const struct slice patient = {"Patient", 7};
    const struct search_types patients = {&patient, 1};
    search_say(c, (struct search_at){0}, "SELECT v.rid FROM ");
    struct search_at at = say_inner(c, patients, f);
    if (types.count == 1) {
        search_say(c, at,
                   " CROSS JOIN v_chart k CROSS JOIN v_by_value v WHERE v.key = ?"
                   " AND v.at >= k.rid_lo AND v.at < k.rid_hi AND");
        search_bind_int(c, keys_of_types(c, types).items[0]);
    } else {
        search_say(c, at,
                   " CROSS JOIN v_chart k CROSS JOIN v_record v"
                   " WHERE v.rid >= k.rid_lo AND v.rid < k.rid_hi AND");
    }
    search_say(c, at, " k.person = i#.person");
    say_chain_from_elsewhere(c, types, patients, f);
}

static void say_by_chain(struct search_compose *c, struct search_types types,
                         const struct search_filter *f)
{
    struct slice *others = search_alloc(c, f->id_count, sizeof *others);
    size_t count = 0;
    for (size_t i = 0; others && i < f->id_count; i++) {
        if (!slice_is(f->ids[i], "Patient"))
            others[count++] = f->ids[i];
    }
    if (count)
        say_chain_from_others(c, types, (struct search_types){others, count}, f);
    if (count && count < f->id_count)
        say_union(c, (struct search_at){0});
    if (count < f->id_count)
        say_chain_from_patients(c, types, f);
}

static void say_by_has(struct search_compose *c, struct search_types types,
                       const struct search_filter *f)
{
    const struct search_types inner = {f->ids, 1};
    bool other = search_may_be_other(types), patient = search_may_be_patient(types);
    struct search_at at;
    if (other) {
        search_say(c, (struct search_at){0}, "SELECT v.rid FROM ");
        at = say_inner(c, inner, f);
        search_say(c, at, " CROSS JOIN tasuki_targets(i#.facets, ?) t");
        search_bind_int(c, f->param);
        search_say(c, at, " CROSS JOIN v_by_id v WHERE v.key = tasuki_key_id(t.type, t.id)");
    }
    if (other && patient)
        say_union(c, (struct search_at){0});
    if (patient) {
        search_say(c, (struct search_at){0}, "SELECT v.rid FROM ");
        at = say_inner(c, inner, f);
        search_say(c, at, " CROSS JOIN tasuki_targets(i#.facets, ?) t");
        search_bind_int(c, f->param);
        search_say(c, at,
                   " CROSS JOIN v_chart k CROSS JOIN v_chart h CROSS JOIN v_by_value v"
                   " WHERE k.chart = CASE t.chart WHEN 0 THEN i#.chart ELSE t.chart END"
                   " AND h.person = k.person AND v.at >= h.rid_lo AND v.at < h.rid_hi"
                   " AND v.key = ?");
        search_bind_int(c, key_type(SLICE("Patient")));
    }
}

static void say_by_any(struct search_compose *c, struct search_types types,
                       const struct search_filter *f)
{
    for (size_t i = 0; i < f->group_count && !c->err; i++) {
        if (i)
            say_union(c, (struct search_at){0});
        say_candidates(c, narrowed(&f->groups[i], types),
                       best_of(&f->groups[i], types, c->now_ms).filter);
    }
}

/* F has a worth. */
static void say_candidates(struct search_compose *c, struct search_types types,
                           const struct search_filter *f)
{
    const struct search_charts *charts = NULL;
    switch (f->kind) {
    case SEARCH_TERM:
        say_by_term(c, types, &f->term);
        break;
    case SEARCH_IDS:
        say_by_ids(c, keys_of_ids(c, types, f));
        break;
    case SEARCH_UPDATED:
        say_by_updated(c, f);
        break;
    case SEARCH_PERSONS:
        charts = search_charts_of(c, f);
        if (charts)
            say_by_persons(c, types, charts, keys_of_types(c, types));
        break;
    case SEARCH_CHAIN:
        say_by_chain(c, types, f);
        break;
    case SEARCH_HAS:
        say_by_has(c, types, f);
        break;
    case SEARCH_ANY:
        say_by_any(c, types, f);
        break;
    case SEARCH_WORDS:
        search_say_words(c, search_alias(c, 0), f);
        break;
    case SEARCH_TYPES:
        break;
    }
}

/* ── the start ───────────────────────────────────────────────────────────────────────────────── */

/* The persons' rows: by a code among them, else of the type, else all. Straight from there when no
 * row can be found twice. */
static void say_start_of_persons(struct search_compose *c, struct search_at at,
                                 struct search_types types, const struct search_list *list,
                                 const struct search_filter *f)
{
    const struct search_charts *charts = search_charts_of(c, f);
    const struct search_filter *exact = best_exact(list, c->now_ms);
    if (!charts)
        return;
    struct keys keys = {NULL, 0};
    if (exact)
        keys = keys_of_term(c, types, &exact->term);
    else if (types.count == 1)
        keys = keys_of_types(c, types);
    if (charts->count && !charts->elsewhere && keys.count < 2) {
        say_from_charts(c, at, charts, keys);
        return;
    }
    search_say(c, at, "FROM v_record r# WHERE r#.rid IN (");
    say_by_persons(c, types, charts, keys);
    search_say(c, at, ")");
}

/* The rows of KEYS, which no record has twice; of one key in order of their blocks. */
static void say_start_of_keys(struct search_compose *c, struct search_at at, struct keys keys)
{
    if (at.own == 1)
        c->in_blocks = keys.count == 1;
    search_say(c, at, "FROM v_by_value r# WHERE ");
    say_keys(c, at, keys);
}

static void say_start_of_types(struct search_compose *c, struct search_at at,
                               struct search_types types)
{
    if (types.count == 1)
        say_start_of_keys(c, at, keys_of_types(c, types));
    else
        search_say(c, at, "FROM v_record r# WHERE 1");
}

void search_say_start(struct search_compose *c, struct search_at at, struct search_types types,
                      const struct search_list *list)
{
    struct start best = best_of(list, types, c->now_ms);
    const struct search_filter *f = best.filter;
    types = narrowed(list, types);
    if (c->err)
        return;
    if (!f) {
        say_start_of_types(c, at, types);
    } else if (f->kind == SEARCH_PERSONS) {
        say_start_of_persons(c, at, types, list, f);
    } else if (f->kind == SEARCH_TERM && best.worth >= WORTH_CODE && f->term.value_count == 1) {
        say_start_of_keys(c, at, keys_of_term(c, types, &f->term));
    } else {
        search_say(c, at, "FROM v_record r# WHERE r#.rid IN (");
        say_candidates(c, types, f);
        search_say(c, at, ")");
    }
}
