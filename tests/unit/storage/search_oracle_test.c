/* SPDX-License-Identifier: Apache-2.0
 *
 * Two opinions on a search: search_run, and plain C over all the records the same grant sees.
 * Random records of several residents, facilities, labels and consents; random trees of all kinds
 * of filters, chains both ways, lists of values, NOT, orders; walked in pages of random size,
 * counted, and asked record by record. Terms are match.c's own here (match_test.c is about them):
 * what is compared is everything round them, indexes included.
 */
#include "lib/t.h"

#include "lib/store_fixture.h"
#include "storage/match.h"

#include "base/banned.h"

#define ROUNDS 5
#define TREES 300 /* of each round */
#define RECORDS 140
#define FACILITIES 3
#define PERSONS 5
#define DAY INT64_C(86400000)

enum { P_CODE = 11, P_COMMON, P_NAME, P_DATE, P_VALUE, P_SUBJECT, P_WHO, P_URL, P_LAST };

static const char *const types[] = {"Observation", "Encounter", "Practitioner", "Patient"};
static const char *const words[] = {"alpha", "beta", "肺癌", ""};

static uint64_t seed = UINT64_C(0x0ddba11c0ffee);

/* SplitMix64. */
static uint64_t next_random(uint64_t below)
{
    uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}
static bool chance(uint64_t in)
{
    return next_random(in) == 0;
}

struct chart {
    int64_t chart, person, facility;
};
struct world {
    struct fixture f;
    int64_t facilities[FACILITIES], persons[PERSONS];
    struct chart charts[FACILITIES * PERSONS];
    size_t chart_count;
};

/* ── random records ────────────────────────────────────────────────────────────────────────── */

static struct slice text_of(struct arena *arena, const char *start, uint64_t n)
{
    return slice_str(arena_printf(arena, "%s%u", start, (unsigned)n));
}

static struct slice random_id(struct arena *arena)
{
    const char *type = types[next_random(3)];
    return text_of(arena, arena_printf(arena, "%s/%c", type, type[0] | 0x20),
                   next_random(RECORDS / 3));
}

static struct slice random_reference(const struct world *w, struct arena *arena)
{
    if (chance(3))
        return SLICE("Patient/@");
    if (chance(4))
        return text_of(arena, "Patient/@", (uint64_t)w->charts[next_random(w->chart_count)].chart);
    return random_id(arena);
}

static struct when random_days(void)
{
    static const int64_t bases[] = {FIXTURE_NOW - 3 * DAY, FIXTURE_NOW - 40 * DAY, 0, -9000 * DAY};
    int64_t lo = bases[next_random(4)] + (int64_t)next_random(5) * DAY;
    int64_t days = chance(5) ? 45 : 1 + (int64_t)next_random(3);
    struct when w = {lo, lo + days * DAY};
    if (chance(12))
        w.hi_ms = WHEN_MAX;
    if (chance(12))
        w.lo_ms = WHEN_MIN;
    return w;
}

static struct facet random_facet(const struct world *w, struct arena *arena)
{
    struct facet f = {.param = (uint16_t)(P_CODE + next_random(P_LAST - P_CODE))};
    struct when when = random_days();
    switch (f.param) {
    case P_CODE:
    case P_COMMON:
        f.kind = FACET_TOKEN;
        f.common = f.param == P_COMMON;
        f.system = chance(3) ? SLICE_NONE : text_of(arena, "s", next_random(2));
        f.text = text_of(arena, chance(3) ? "C" : "c", next_random(6));
        break;
    case P_NAME:
        f.kind = FACET_STRING;
        f.text = text_of(arena, chance(2) ? "nab" : "na", next_random(4));
        f.raw = f.text;
        break;
    case P_DATE:
        f.kind = FACET_DATE;
        f.lo_ms = when.lo_ms;
        f.hi_ms = when.hi_ms;
        break;
    case P_VALUE:
        f.kind = FACET_QUANTITY;
        f.lo = (double)next_random(10);
        f.hi = f.lo + (double)next_random(2);
        break;
    case P_URL:
        f.kind = FACET_URI;
        f.text = text_of(arena, "urn:", next_random(5));
        break;
    default:
        f.kind = FACET_REFERENCE;
        f.text = random_reference(w, arena);
    }
    return f;
}

static void put_random(struct world *w, unsigned n)
{
    struct arena *arena = w->f.arena;
    struct facet facets[9];
    struct facet_list list = {facets, next_random(T_COUNT(facets))};
    const struct chart none = {0, 0, w->facilities[next_random(FACILITIES)]};
    const char *type = types[n % 7 == 0 ? 3 : n % 3];
    bool of_nobody = type == types[2] || (type != types[3] && chance(9));
    const struct chart *chart = of_nobody ? &none : &w->charts[next_random(w->chart_count)];
    for (size_t i = 0; i < list.count; i++)
        facets[i] = random_facet(w, arena);
    if (list.count && !of_nobody && !chance(4))
        facets[0] =
            (struct facet){.param = P_SUBJECT, .kind = FACET_REFERENCE, .text = SLICE("Patient/@")};
    const char *id = arena_printf(arena, "%c%u", type[0] | 0x20, n / 3);
    if (type == types[3])
        id = arena_printf(arena, "pat%u", n);
    const struct record_new record = {
        .type = slice_str(type),
        .id = slice_str(id),
        .chart = chart->chart,
        .category = chart->chart ? (enum category)(1 + next_random(3)) : CATEGORY_NONE,
        .label = chance(6) ? (enum record_label)next_random(chart->chart ? 3 : 4) : RECORD_NORMAL,
        .body = slice_str(arena_printf(arena, "{\"n\":%u}", n)),
        .facets = &list,
        .words = slice_str(words[strlen(id) ? (unsigned char)id[strlen(id) - 1] % 4 : 0])};
    w->f.clock.ms += (int64_t)next_random(3);
    struct fixture_put put = {.grant = fixture_facility(chart->facility, GRANT_TREAT),
                              .record = record};
    enum err err = fixture_try_put(&w->f, &put); /* one of another chart is not changed */
    assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
}

static void world_open(struct world *w)
{
    *w = (struct world){0};
    fixture_open(&w->f);
    for (int i = 0; i < FACILITIES; i++)
        w->facilities[i] = fixture_add_facility(&w->f, i + 1, FACILITY_HOSPITAL);
    for (int i = 0; i < PERSONS; i++) {
        w->persons[i] = fixture_add_person(&w->f);
        for (int j = 0; j < FACILITIES; j++) {
            if (j > 0 && chance(3))
                continue;
            struct chart *chart = &w->charts[w->chart_count++];
            *chart = (struct chart){0, w->persons[i], w->facilities[j]};
            chart->chart = fixture_add_chart(&w->f, chart->facility, chart->person);
        }
    }
    for (unsigned n = 0; n < RECORDS; n++)
        put_random(w, n);
    for (unsigned n = 0; n < RECORDS / 8; n++) /* second versions */
        put_random(w, (unsigned)next_random(RECORDS));
    for (size_t i = 0; i < w->chart_count; i++) {
        const struct consent_rule rule = {.permit = !chance(3),
                                          .purposes = GRANT_PURPOSES_ORDINARY,
                                          .categories = 2 + 4 * next_random(4),
                                          .from_ms = INT64_MIN,
                                          .to_ms = INT64_MAX};
        if (chance(2))
            fixture_rules(&w->f, w->charts[i].chart, (int)i, &rule, 1);
    }
}

/* ── random searches ───────────────────────────────────────────────────────────────────────── */

static struct search_value random_value(const struct world *w, struct arena *arena,
                                        enum facet_kind kind, const struct facet *f)
{
    static const enum search_op spans[] = {SEARCH_EQ, SEARCH_EQ, SEARCH_NE, SEARCH_GT, SEARCH_LT,
                                           SEARCH_GE, SEARCH_LE, SEARCH_SA, SEARCH_EB, SEARCH_AP};
    static const enum search_op strings[] = {SEARCH_EQ, SEARCH_EXACT, SEARCH_CONTAINS};
    struct search_value v = {.kind = kind,
                             .any_system = chance(2),
                             .any_code = chance(12),
                             .system = f->system,
                             .text = f->text,
                             .raw = f->raw,
                             .when = random_days(),
                             .exact = f->lo,
                             .lo = f->lo - 0.5,
                             .hi = f->lo + 0.5};
    (void)w, (void)arena;
    if (kind == FACET_DATE || kind == FACET_QUANTITY)
        v.op = spans[next_random(T_COUNT(spans))];
    if (kind == FACET_STRING)
        v.op = strings[next_random(3)];
    if (kind == FACET_STRING && chance(2))
        v.text = slice_sub(v.text, 0, 2);
    if (kind == FACET_URI)
        v.op = chance(4) ? SEARCH_BELOW : SEARCH_EQ;
    if (kind == FACET_QUANTITY)
        v.any_system = true;
    if (v.any_code)
        v.any_system = false;
    return v;
}

static struct search_term random_term(const struct world *w, struct arena *arena)
{
    struct facet f = random_facet(w, arena);
    struct search_term term = {
        .param = f.param, .missing = chance(12), .none = chance(6), .common = f.common};
    size_t count = chance(30) ? 0 : chance(3) ? 1 + next_random(20) : 1;
    struct search_value *values = arena_array(arena, count + 1, sizeof *values);
    for (size_t i = 0; i < count; i++) {
        do {
            f = random_facet(w, arena);
        } while (f.param != term.param);
        values[i] = random_value(w, arena, f.kind, &f);
    }
    term.values = values;
    term.value_count = term.missing ? 0 : count;
    return term;
}

static struct search_list random_list(const struct world *w, struct arena *arena, unsigned depth);

static struct search_filter random_filter(const struct world *w, struct arena *arena,
                                          unsigned depth)
{
    struct search_filter f = {.kind = (enum search_filter_kind)next_random(SEARCH_WORDS + 1)};
    struct slice *ids = arena_array(arena, 24, sizeof *ids);
    if ((f.kind == SEARCH_CHAIN || f.kind == SEARCH_HAS || f.kind == SEARCH_ANY) && depth == 0)
        f.kind = SEARCH_TERM;
    if (chance(3))
        f.kind = SEARCH_TERM;
    f.none = f.kind != SEARCH_TERM && chance(6);
    f.ids = ids;
    f.param =
        f.kind == SEARCH_WORDS ? (uint16_t)next_random(2) : (uint16_t)(P_SUBJECT + next_random(2));
    if (f.kind == SEARCH_TERM) {
        f.term = random_term(w, arena);
    } else if (f.kind == SEARCH_IDS) {
        f.id_count = next_random(24);
        for (size_t i = 0; i < f.id_count; i++) {
            struct slice id = random_id(arena);
            size_t slash = slice_find(id, '/', 0);
            ids[i] = slice_sub(id, slash + 1, id.len);
        }
    } else if (f.kind == SEARCH_TYPES || f.kind == SEARCH_CHAIN || f.kind == SEARCH_HAS) {
        f.id_count = f.kind == SEARCH_HAS ? 1 : next_random(4);
        for (size_t i = 0; i < f.id_count; i++)
            ids[i] = slice_str(types[next_random(4)]);
    } else if (f.kind == SEARCH_UPDATED) {
        f.value = random_value(w, arena, FACET_DATE, &(struct facet){0});
        f.value.when.lo_ms = FIXTURE_NOW + (int64_t)next_random(200);
        f.value.when.hi_ms = f.value.when.lo_ms + 1 + (int64_t)next_random(100);
    } else if (f.kind == SEARCH_PERSONS) {
        int64_t *persons = arena_array(arena, 4, sizeof *persons);
        f.persons = persons;
        f.person_count = chance(8) ? 0 : 1 + next_random(3);
        for (size_t i = 0; i < f.person_count; i++)
            persons[i] = w->persons[next_random(PERSONS)];
        f.param = chance(2) ? 0 : f.param;
    } else if (f.kind == SEARCH_WORDS) {
        f.value.text = slice_str(words[next_random(4)]);
    }
    if (f.kind == SEARCH_CHAIN || f.kind == SEARCH_HAS || f.kind == SEARCH_ANY) {
        f.group_count = f.kind == SEARCH_ANY ? next_random(4) : 1;
        struct search_list *groups = arena_array(arena, 4, sizeof *groups);
        for (size_t i = 0; i < f.group_count; i++)
            groups[i] = random_list(w, arena, depth - 1);
        f.groups = groups;
    }
    return f;
}

static struct search_list random_list(const struct world *w, struct arena *arena, unsigned depth)
{
    size_t count = next_random(3) + (depth < 3);
    struct search_filter *items = arena_array(arena, count + 1, sizeof *items);
    for (size_t i = 0; i < count; i++)
        items[i] = random_filter(w, arena, depth);
    return (struct search_list){items, count};
}

static struct search random_search(const struct world *w, struct arena *arena)
{
    struct slice *of = arena_array(arena, 3, sizeof *of);
    struct search_sort *sorts = arena_array(arena, 3, sizeof *sorts);
    struct search search = {
        .types = of, .type_count = chance(4) ? next_random(4) : 1, .sorts = sorts};
    for (size_t i = 0; i < search.type_count; i++)
        of[i] = slice_str(types[next_random(4)]);
    search.filters = random_list(w, arena, 3);
    if (chance(10))
        search.categories = 2 + 4 * next_random(4);
    search.sort_count = chance(2) ? 0 : 1 + next_random(2);
    for (size_t i = 0; i < search.sort_count; i++) {
        struct facet f = random_facet(w, arena);
        sorts[i] = (struct search_sort){.order = (enum search_order)next_random(3),
                                        .param = f.param,
                                        .kind = f.kind,
                                        .descending = chance(2)};
    }
    search.limit = chance(3) ? 1 + (unsigned)next_random(4) : 10 + (unsigned)next_random(200);
    return search;
}

/* ── the plain opinion ─────────────────────────────────────────────────────────────────────── */

struct opinion {
    const struct world *w;
    const struct grant *grant;
    const struct record *records; /* all that the grant sees */
    size_t count;
    int64_t now_ms;
};

static bool passes_list(const struct opinion *o, const struct record *r,
                        const struct search_list *list);

static bool may_ask_of(const struct opinion *o, const struct chart *chart)
{
    switch (o->grant->actor) {
    case GRANT_FACILITY:
        return true;
    case GRANT_RESIDENT:
        return chart->person == o->grant->person;
    case GRANT_INTAKE:
        return chart->facility == o->grant->facility;
    default:
        return false;
    }
}

/* The person of a chart the grant may ask about, or 0. */
static int64_t person_of(const struct opinion *o, int64_t chart)
{
    for (size_t i = 0; i < o->w->chart_count; i++) {
        if (o->w->charts[i].chart == chart && may_ask_of(o, &o->w->charts[i]))
            return o->w->charts[i].person;
    }
    return 0;
}

/* The chart a reference to a Patient means, seen from R. */
static int64_t chart_of(const struct record *r, struct slice target)
{
    uint64_t chart = 0;
    if (slice_is(target, "Patient/@"))
        return r->chart;
    (void)slice_u64(slice_sub(target, 9, target.len), &chart);
    return (int64_t)chart;
}

static bool names(const struct opinion *o, const struct record *r, struct slice target,
                  const struct record *other)
{
    if (slice_starts(target, SLICE("Patient/@"))) {
        int64_t person = person_of(o, chart_of(r, target));
        return slice_is(other->type, "Patient") && person > 0 && other->person == person;
    }
    size_t slash = slice_find(target, '/', 0);
    return slice_eq(other->type, slice_sub(target, 0, slash)) &&
           slice_eq(other->id, slice_sub(target, slash + 1, target.len));
}

static bool references(const struct opinion *o, const struct record *r, uint16_t param,
                       const struct record *other)
{
    struct facet_reader reader;
    struct facet_view f;
    facet_reader_init(&reader, r->facets);
    while (facet_next(&reader, &f)) {
        if (f.param == param && f.kind == FACET_REFERENCE && names(o, r, f.text, other))
            return true;
    }
    return false;
}

static bool among(const struct search_filter *f, int64_t person)
{
    for (size_t i = 0; person > 0 && i < f->person_count; i++) {
        if (f->persons[i] == person)
            return true;
    }
    return false;
}

static bool passes_persons(const struct opinion *o, const struct record *r,
                           const struct search_filter *f)
{
    struct facet_reader reader;
    struct facet_view v;
    if (f->param == 0)
        return among(f, person_of(o, r->chart));
    facet_reader_init(&reader, r->facets);
    while (facet_next(&reader, &v)) {
        if (v.param == f->param && v.kind == FACET_REFERENCE &&
            slice_starts(v.text, SLICE("Patient/@")) && among(f, person_of(o, chart_of(r, v.text))))
            return true;
    }
    return false;
}

static bool is_one_of(const struct search_filter *f, struct slice text)
{
    for (size_t i = 0; i < f->id_count; i++) {
        if (slice_eq(f->ids[i], text))
            return true;
    }
    return false;
}

static bool passes_updated(const struct opinion *o, const struct record *r,
                           const struct search_filter *f)
{
    const struct search_value *v = &f->value;
    struct when w = v->op == SEARCH_AP ? match_widened(v->when, o->now_ms) : v->when;
    int64_t at = r->updated_ms;
    switch (v->op) {
    case SEARCH_EQ:
    case SEARCH_AP:
        return at >= w.lo_ms && at < w.hi_ms;
    case SEARCH_NE:
        return at < w.lo_ms || at >= w.hi_ms;
    case SEARCH_GT:
    case SEARCH_SA:
        return at >= w.hi_ms;
    case SEARCH_GE:
        return at >= w.lo_ms;
    case SEARCH_LE:
        return at < w.hi_ms;
    default:
        return at < w.lo_ms;
    }
}

static bool passes_words(const struct record *r, const struct search_filter *f)
{
    const char *own = words[(unsigned char)r->id.ptr[r->id.len - 1] % 4];
    return f->value.text.len > 0 && slice_is(f->value.text, own);
}

static bool passes_links(const struct opinion *o, const struct record *r,
                         const struct search_filter *f)
{
    for (size_t i = 0; i < o->count; i++) {
        const struct record *other = &o->records[i];
        bool linked = is_one_of(f, other->type) &&
                      (f->kind == SEARCH_CHAIN ? references(o, r, f->param, other)
                                               : references(o, other, f->param, r));
        if (linked && passes_list(o, other, &f->groups[0]))
            return true;
    }
    return false;
}

static bool passes_any(const struct opinion *o, const struct record *r,
                       const struct search_filter *f)
{
    for (size_t i = 0; i < f->group_count; i++) {
        if (passes_list(o, r, &f->groups[i]))
            return true;
    }
    return false;
}

static bool passes(const struct opinion *o, const struct record *r, const struct search_filter *f)
{
    switch (f->kind) {
    case SEARCH_TERM:
        return match_term(r->facets, &f->term, o->now_ms);
    case SEARCH_IDS:
        return is_one_of(f, r->id);
    case SEARCH_TYPES:
        return is_one_of(f, r->type);
    case SEARCH_UPDATED:
        return passes_updated(o, r, f);
    case SEARCH_PERSONS:
        return passes_persons(o, r, f);
    case SEARCH_ANY:
        return passes_any(o, r, f);
    case SEARCH_WORDS:
        return passes_words(r, f);
    default:
        return passes_links(o, r, f);
    }
}

static bool passes_list(const struct opinion *o, const struct record *r,
                        const struct search_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct search_filter *f = &list->items[i];
        if (passes(o, r, f) == (f->kind != SEARCH_TERM && f->none))
            return false;
    }
    return true;
}

struct found {
    int64_t rid;
    struct slice key;
};
static int compare_found(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    int order = slice_cmp(x->key, y->key);
    return order ? order : (x->rid > y->rid) - (x->rid < y->rid);
}

static size_t plain_search(const struct opinion *o, struct arena *arena,
                           const struct search *search, struct found *found)
{
    size_t count = 0;
    const struct search_filter of = {.ids = search->types, .id_count = search->type_count};
    for (size_t i = 0; i < o->count; i++) {
        const struct record *r = &o->records[i];
        struct buf key;
        if ((search->type_count && !is_one_of(&of, r->type)) ||
            !passes_list(o, r, &search->filters) ||
            (search->categories && !(search->categories & CATEGORY_BIT(r->category))))
            continue;
        buf_init(&key, LIMIT_SORT_KEY);
        match_sort_key(r->facets, r->seq, r->id, search->sorts, search->sort_count, &key);
        found[count++] = (struct found){r->rid, arena_dup(arena, buf_slice(&key))};
        buf_fini(&key);
    }
    qsort(found, count, sizeof *found, compare_found);
    return count;
}

/* ── comparing ─────────────────────────────────────────────────────────────────────────────── */

struct tally {
    const struct world *w;
    size_t searches, empty, matched, asked, differing;
};

static void print_list(const struct search_list *list, int depth)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct search_filter *f = &list->items[i];
        print_message("%*skind %d none %d param %u", depth * 2 + 2, "", (int)f->kind, f->none,
                      f->param);
        for (size_t j = 0; j < f->id_count; j++)
            print_message(" %.*s", SLICE_ARG(f->ids[j]));
        for (size_t j = 0; j < f->person_count; j++)
            print_message(" person %lld", (long long)f->persons[j]);
        if (f->kind == SEARCH_TERM)
            print_message(" term %u missing %d none %d values %zu of kind %d op %d", f->term.param,
                          f->term.missing, f->term.none, f->term.value_count,
                          f->term.value_count ? (int)f->term.values[0].kind : -1,
                          f->term.value_count ? (int)f->term.values[0].op : -1);
        print_message("\n");
        for (size_t j = 0; j < f->group_count; j++)
            print_list(&f->groups[j], depth + 1);
    }
}

static void differ(struct tally *t, const struct search *search, const char *how, size_t got,
                   size_t want)
{
    if (t->differing++ > 2)
        return;
    print_message("%s: got %zu, want %zu; types", how, got, want);
    for (size_t i = 0; i < search->type_count; i++)
        print_message(" %.*s", SLICE_ARG(search->types[i]));
    print_message(", %zu sorts\n", search->sort_count);
    print_list(&search->filters, 0);
}

static enum err walk(struct session *s, struct arena *arena, struct search search,
                     const struct found *found, size_t count, struct tally *t)
{
    size_t at = 0;
    bool same = true;
    enum err err = ERR_OK;
    for (bool more = true; more && !err && same; search.after_given = true) {
        struct search_result result = {0};
        search.count_total = true;
        err = search_run(s, arena, &search, &result);
        if (err)
            break;
        if (result.total != count)
            differ(t, &search, "total", result.total, count);
        for (size_t i = 0; i < result.count; i++, at++)
            same = same && at < count && result.records[i].rid == found[at].rid;
        more = result.more;
        if (same && more != (at < count))
            differ(t, &search, "more", at, count);
        search.after_key = result.last_key;
        search.after_rid = result.last_rid;
        search.snapshot = result.snapshot;
    }
    if (!err && (!same || at != count))
        differ(t, &search, "walk", at, count);
    return err;
}

static enum err ask_singly(struct session *s, const struct opinion *o, const struct search *search,
                           const struct found *found, size_t count, struct tally *t)
{
    for (unsigned n = 0; n < 3; n++) {
        const struct record *r = &o->records[next_random(o->count)];
        bool want = false, got = false;
        for (size_t i = 0; i < count; i++)
            want = want || found[i].rid == r->rid;
        enum err err = search_matches(s, search, r->rid, &got);
        if (err)
            return err;
        if (got != want)
            differ(t, search, "matches", got, want);
        t->asked++;
    }
    return ERR_OK;
}

static enum err compare(struct session *s, struct opinion *o, struct tally *t)
{
    static struct found found[RECORDS + RECORDS];
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    if (!arena)
        return ERR_LIMIT;
    struct search search = random_search(o->w, arena);
    size_t count = plain_search(o, arena, &search, found);
    enum err err = walk(s, arena, search, found, count, t);
    if (!err && o->count)
        err = ask_singly(s, o, &search, found, count, t);
    if (err) {
        print_message("search answered %s\n", err_name(err));
        differ(t, &search, "error", 0, 0);
    }
    t->searches++;
    t->empty += count == 0;
    t->matched += count;
    arena_free(arena);
    return err;
}

static enum err compare_all(struct session *s, void *context)
{
    struct tally *t = context;
    const struct world *w = t->w;
    const struct grant grants[] = {
        fixture_facility(w->facilities[0], GRANT_TREAT),
        fixture_facility(w->facilities[1], GRANT_TREAT), fixture_resident(w->persons[0]),
        fixture_actor(GRANT_INTAKE, w->facilities[0]), fixture_actor(GRANT_OPERATOR, 0)};
    enum err err = ERR_OK;
    for (size_t g = 0; g < T_COUNT(grants) && !err; g++) {
        struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
        const struct search all = {.limit = LIMIT_SEARCH_COUNT};
        struct search_result result = {0};
        session_bind(s, &grants[g]);
        err = search_run(s, arena, &all, &result);
        struct opinion o = {w, &grants[g], result.records, result.count, session_now_ms(s)};
        for (unsigned n = 0; n < (g < 3 ? TREES : TREES / 5) && !err; n++)
            err = compare(s, &o, t);
        session_bind(s, NULL);
        arena_free(arena);
    }
    return err;
}

static void test_both_find_the_same(void **state)
{
    (void)state;
    struct tally t = {0};
    for (unsigned round = 0; round < ROUNDS; round++) {
        static struct world w;
        world_open(&w);
        t.w = &w;
        assert_int_equal(fixture_read(&w.f, compare_all, &t), ERR_OK);
        fixture_close(&w.f);
        assert_int_equal(t.differing, 0);
    }
    print_message("%zu searches, %zu without a match, %zu matches, %zu asked singly\n", t.searches,
                  t.empty, t.matched, t.asked);
    assert_true(t.empty * 4 < t.searches * 3); /* or the comparison would say little */
    assert_true(t.matched > 3 * t.searches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_both_find_the_same)};
    return T_RUN(tests);
}
