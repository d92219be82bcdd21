/* SPDX-License-Identifier: Apache-2.0
 *
 * The conditions of a search on one record (R4 search.html), whatever way the record was found. All
 * terms of a list go into one call of tasuki_match, so that few different statements exist; what
 * needs other records is a subquery on the gated views, sought by key.
 *
 * References to residents: "Patient/@" in a row's facets is the row's own patient,
 * "Patient/@<chart>" another one. As target of a chain or reverse chain a resident is the one
 * Patient record of his that this reader is shown.
 */
#include <assert.h>

#include "base/limits.h"
#include "storage/change.h"
#include "storage/key.h"
#include "storage/match.h"
#include "storage/search_impl.h"

#include "base/banned.h"

#define CHARTS_MAX 8192u /* of all persons of one filter */

static void say_filter(struct search_compose *c, struct search_at at, struct search_types types,
                       const struct search_filter *f);

/* ── types ───────────────────────────────────────────────────────────────────────────────────── */

bool search_may_be_patient(struct search_types types)
{
    for (size_t i = 0; i < types.count; i++) {
        if (slice_is(types.items[i], "Patient"))
            return true;
    }
    return types.count == 0;
}

bool search_may_be_other(struct search_types types)
{
    for (size_t i = 0; i < types.count; i++) {
        if (!slice_is(types.items[i], "Patient"))
            return true;
    }
    return types.count == 0;
}

void search_say_types(struct search_compose *c, struct search_at at, struct search_types types)
{
    if (types.count == 0)
        return;
    search_say(c, at, " AND r#.type");
    search_say_texts(c, types.items, types.count);
}

/* The types that are not Patient. */
static struct search_types others_of(struct search_compose *c, struct search_types types)
{
    struct slice *items = search_alloc(c, types.count, sizeof *items);
    size_t count = 0;
    for (size_t i = 0; items && i < types.count; i++) {
        if (!slice_is(types.items[i], "Patient"))
            items[count++] = types.items[i];
    }
    return (struct search_types){items, count};
}

/* One Patient per person: none stands if a better one of the same person is visible. The record AT
 * is
 * ^, the better one #. */
static void say_one_patient(struct search_compose *c, struct search_at at,
                            struct search_types types)
{
    struct search_at better = search_alias(c, at.own);
    search_say(c, better,
               search_may_be_other(types) ? " AND (r^.type <> 'Patient' OR NOT" : " AND (NOT");
    search_say(c, better,
               " EXISTS (SELECT 1 FROM v_chart h# CROSS JOIN v_by_value r#"
               " WHERE h#.person = r^.person AND r#.at >= h#.rid_lo AND r#.at < h#.rid_hi"
               " AND r#.type = 'Patient' AND r#.key = ?");
    search_bind_int(c, key_type(SLICE("Patient")));
    search_say(c, better,
               " AND ((r#.facility IS tasuki_facility()), r#.seq, r#.rid)"
               " > ((r^.facility IS tasuki_facility()), r^.seq, r^.rid)))");
}

/* ── terms ───────────────────────────────────────────────────────────────────────────────────── */

static bool is_local(const struct search_filter *f)
{
    bool local = f->kind == SEARCH_TERM || f->kind == SEARCH_ANY;
    for (size_t i = 0; f->kind == SEARCH_ANY && i < f->group_count; i++) {
        for (size_t j = 0; local && j < f->groups[i].count; j++)
            local = is_local(&f->groups[i].items[j]);
    }
    return local;
}

/* A call of tasuki_match on the facets of r# for LIST, which must be local all through. */
static void say_match(struct search_compose *c, struct search_at at, struct search_list list)
{
    struct search_pass *pass = search_alloc(c, 1, sizeof *pass);
    if (!pass)
        return;
    *pass = (struct search_pass){.list = list, .now_ms = c->now_ms};
    search_say(c, at, "tasuki_match(r#.facets, ?)");
    search_bind_pass(c, pass);
}

static void say_local(struct search_compose *c, struct search_at at, const struct search_list *list)
{
    struct search_filter *items = search_alloc(c, list->count, sizeof *items);
    size_t count = 0;
    for (size_t i = 0; items && i < list->count; i++) {
        if (is_local(&list->items[i]))
            items[count++] = list->items[i];
    }
    if (count == 0)
        return;
    search_say(c, at, " AND ");
    say_match(c, at, (struct search_list){items, count});
}

/* "Do the facets hold one of TARGETS under PARAM?" */
static void say_references(struct search_compose *c, struct search_at at, uint16_t param,
                           const struct slice *targets, size_t count)
{
    struct search_filter *filter = search_alloc(c, 1, sizeof *filter);
    struct search_value *values = search_alloc(c, count, sizeof *values);
    if (!filter || !values)
        return;
    for (size_t i = 0; i < count; i++)
        values[i] = (struct search_value){.kind = FACET_REFERENCE, .text = targets[i]};
    filter->term = (struct search_term){.param = param, .values = values, .value_count = count};
    say_match(c, at, (struct search_list){filter, 1});
}

/* ── persons ─────────────────────────────────────────────────────────────────────────────────── */

static enum err find_charts(struct search_compose *c, struct search_charts *charts)
{
    struct search_compose q = search_aside(c);
    struct sql *sql = NULL;
    bool row = false;
    search_say(&q, (struct search_at){0}, "SELECT k.chart FROM v_chart k WHERE k.person");
    search_say_ints(&q, charts->of->persons, charts->of->person_count);
    enum err err = search_prepare(&q, &sql);
    size_t room = 0;
    while (!err && !(err = sql_step(sql, &row)) && row) {
        if (charts->count == CHARTS_MAX) {
            err = ERR_TOO_LARGE;
            break;
        }
        if (charts->count == room) {
            room = room ? 2 * room : 8;
            int64_t *items = arena_array(c->arena, room, sizeof *items);
            if (!items) {
                err = ERR_LIMIT;
                break;
            }
            if (charts->count)
                memcpy(items, charts->items, charts->count * sizeof *items);
            charts->items = items;
        }
        charts->items[charts->count++] = sql_i64(sql, 0);
    }
    buf_fini(&q.text);
    return sql_done(sql, err);
}

/* Is there any record that names one of CHARTS by number? Nearly never. */
static enum err find_elsewhere(struct search_compose *c, struct search_charts *charts)
{
    struct search_compose q = search_aside(c);
    struct slice *patients = search_patients(c, charts);
    int64_t *keys = search_alloc(c, 2 * charts->count, sizeof *keys);
    struct sql *sql = NULL;
    for (size_t i = 0; patients && keys && i < charts->count; i++) {
        keys[2 * i] = key_value(charts->of->param, patients[i]);
        keys[2 * i + 1] = keys[2 * i] | KEY_BLOCK;
    }
    if (!patients || !keys)
        return ERR_LIMIT;
    search_say(&q, (struct search_at){0}, "SELECT 1 FROM v_by_value v WHERE v.key");
    search_say_ints(&q, keys, 2 * charts->count);
    search_say(&q, (struct search_at){0}, " LIMIT 1");
    enum err err = search_prepare(&q, &sql);
    if (!err)
        err = sql_step(sql, &charts->elsewhere);
    buf_fini(&q.text);
    return sql_done(sql, err);
}

const struct search_charts *search_charts_of(struct search_compose *c,
                                             const struct search_filter *filter)
{
    for (struct search_charts *known = c->charts; known; known = known->next) {
        if (known->of == filter)
            return known;
    }
    struct search_charts *charts = search_alloc(c, 1, sizeof *charts);
    if (!charts)
        return NULL;
    charts->of = filter;
    enum err err = filter->person_count ? find_charts(c, charts) : ERR_OK;
    if (!err && charts->count && filter->param)
        err = find_elsewhere(c, charts);
    if (err) {
        if (!c->err)
            c->err = err;
        return NULL;
    }
    charts->next = c->charts;
    c->charts = charts;
    return charts;
}

struct slice *search_patients(struct search_compose *c, const struct search_charts *charts)
{
    struct slice *names = search_alloc(c, charts->count, sizeof *names);
    for (size_t i = 0; names && i < charts->count; i++) {
        const char *text = arena_printf(c->arena, "Patient/@%lld", (long long)charts->items[i]);
        if (!text && !c->err)
            c->err = ERR_LIMIT;
        names[i] = slice_str(text);
    }
    return names;
}

static void say_persons(struct search_compose *c, struct search_at at,
                        const struct search_filter *f)
{
    static const struct slice own = {"Patient/@", 9};
    const struct search_charts *charts = search_charts_of(c, f);
    if (!charts || charts->count == 0) {
        search_say(c, at, "0");
        return;
    }
    search_say(c, at, f->param ? "(r#.chart" : "r#.chart");
    search_say_ints(c, charts->items, charts->count);
    if (!f->param)
        return;
    search_say(c, at, " AND ");
    say_references(c, at, f->param, &own, 1);
    struct slice *patients = search_patients(c, charts);
    if (charts->elsewhere && patients) {
        search_say(c, at, " OR ");
        say_references(c, at, f->param, patients, charts->count);
    }
    search_say(c, at, ")");
}

/* ── chains ──────────────────────────────────────────────────────────────────────────────────── */

static const struct search_list nothing_more = {NULL, 0};

static const struct search_list *inner_list(const struct search_filter *f)
{
    return f->group_count ? &f->groups[0] : &nothing_more;
}

static void say_chain_other(struct search_compose *c, unsigned outer, const struct search_filter *f,
                            struct search_types types)
{
    struct search_at at = search_alias(c, outer);
    search_say(c, at, "EXISTS (SELECT 1 FROM tasuki_targets(r^.facets, ?) t#");
    search_bind_int(c, f->param);
    search_say(c, at,
               " CROSS JOIN v_by_id r# WHERE r#.key = tasuki_key_id(t#.type, t#.id)"
               " AND r#.type = t#.type AND r#.id = t#.id");
    search_say_conditions(c, at, types, inner_list(f));
    search_say(c, at, ")");
}

static void say_chain_patient(struct search_compose *c, unsigned outer,
                              const struct search_filter *f)
{
    static const struct slice patient = {"Patient", 7};
    struct search_at at = search_alias(c, outer);
    search_say(c, at, "EXISTS (SELECT 1 FROM tasuki_targets(r^.facets, ?) t#");
    search_bind_int(c, f->param);
    search_say(c, at,
               " CROSS JOIN v_chart k# CROSS JOIN v_chart h# CROSS JOIN v_by_value r#"
               " WHERE k#.chart = CASE t#.chart WHEN 0 THEN r^.chart ELSE t#.chart END"
               " AND h#.person = k#.person AND r#.at >= h#.rid_lo AND r#.at < h#.rid_hi"
               " AND r#.key = ?");
    search_bind_int(c, key_type(patient));
    search_say_conditions(c, at, (struct search_types){&patient, 1}, inner_list(f));
    search_say(c, at, ")");
}

static void say_chain(struct search_compose *c, struct search_at at, const struct search_filter *f)
{
    struct search_types types = {f->ids, f->id_count};
    struct search_types others = others_of(c, types);
    bool patient = others.count < types.count, both = others.count && patient;
    if (types.count == 0)
        search_say(c, at, "0");
    if (both) /* else without brackets: SQLite's parser counts them */
        search_say(c, at, "(");
    if (others.count)
        say_chain_other(c, at.own, f, others);
    if (both)
        search_say(c, at, " OR ");
    if (patient)
        say_chain_patient(c, at.own, f);
    if (both)
        search_say(c, at, ")");
}

/* How records of TYPE are entered (key.h). */
static int64_t block_flag(struct slice type)
{
    return slice_is(type, "Patient") ? 0 : KEY_BLOCK;
}

/* Records that name r^, which is not a Patient. */
static void say_has_other(struct search_compose *c, unsigned outer, const struct search_filter *f)
{
    struct search_at at = search_alias(c, outer);
    search_say(c, at, "EXISTS (SELECT 1 FROM v_by_value r#");
    search_say(c, at, " WHERE r#.key = (tasuki_key(?, r^.type || '/' || r^.id) | ?)");
    search_bind_int(c, f->param);
    search_bind_int(c, block_flag(f->ids[0]));
    search_say_conditions(c, at, (struct search_types){f->ids, 1}, inner_list(f));
    search_say(c, at, " AND EXISTS (SELECT 1 FROM tasuki_targets(r#.facets, ?) t#");
    search_bind_int(c, f->param);
    search_say(c, at, " WHERE t#.type = r^.type AND t#.id = r^.id))");
}

/* Records on the charts of r^'s person that name their own patient, and records anywhere that name
 * one of the charts. */
static void say_has_patient(struct search_compose *c, unsigned outer, const struct search_filter *f)
{
    struct search_types types = {f->ids, 1};
    struct search_at at = search_alias(c, outer);
    search_say(c, at,
               "(EXISTS (SELECT 1 FROM v_chart h# CROSS JOIN v_by_value r#"
               " WHERE h#.person = r^.person AND r#.at >= h#.rid_lo AND r#.at < h#.rid_hi"
               " AND r#.key = ?");
    search_bind_int(c, key_type(f->ids[0]) | block_flag(f->ids[0]));
    search_say_conditions(c, at, types, inner_list(f));
    search_say(c, at, " AND EXISTS (SELECT 1 FROM tasuki_targets(r#.facets, ?) t#");
    search_bind_int(c, f->param);
    search_say(c, at, " WHERE t#.chart = 0))");
    at = search_alias(c, outer);
    search_say(c, at,
               " OR EXISTS (SELECT 1 FROM v_chart h# CROSS JOIN v_by_value r#"
               " WHERE h#.person = r^.person"
               " AND r#.key = (tasuki_key(?, 'Patient/@' || h#.chart) | ?)");
    search_bind_int(c, f->param);
    search_bind_int(c, block_flag(f->ids[0]));
    search_say_conditions(c, at, types, inner_list(f));
    search_say(c, at, " AND EXISTS (SELECT 1 FROM tasuki_targets(r#.facets, ?) t#");
    search_bind_int(c, f->param);
    search_say(c, at, " WHERE t#.chart = h#.chart)))");
}

static void say_has(struct search_compose *c, struct search_at at, struct search_types types,
                    const struct search_filter *f)
{
    bool patient = search_may_be_patient(types), other = search_may_be_other(types);
    if (f->id_count == 0) {
        search_say(c, at, "0");
        return;
    }
    if (patient && other)
        search_say(c, at, "CASE r#.type WHEN 'Patient' THEN ");
    if (patient)
        say_has_patient(c, at.own, f);
    if (patient && other)
        search_say(c, at, " ELSE ");
    if (other)
        say_has_other(c, at.own, f);
    if (patient && other)
        search_say(c, at, " END");
}

/* ── the others ──────────────────────────────────────────────────────────────────────────────── */

static void say_any(struct search_compose *c, struct search_at at, struct search_types types,
                    const struct search_filter *f)
{
    search_say(c, at, "(0");
    for (size_t i = 0; i < f->group_count; i++) {
        search_say(c, at, " OR (1");
        say_local(c, at, &f->groups[i]);
        for (size_t j = 0; j < f->groups[i].count; j++)
            say_filter(c, at, types, &f->groups[i].items[j]);
        search_say(c, at, ")");
    }
    search_say(c, at, ")");
}

static void say_updated(struct search_compose *c, struct search_at at,
                        const struct search_filter *f)
{
    int64_t lo = 0, hi = 0;
    search_seq_span(&f->value, c->now_ms, &lo, &hi);
    search_say(c, at, f->value.op == SEARCH_NE ? "NOT (r#.seq >= ?" : "(r#.seq >= ?");
    search_bind_int(c, lo);
    search_say(c, at, " AND r#.seq < ?)");
    search_bind_int(c, hi);
}

static void say_ids(struct search_compose *c, struct search_at at, const char *column,
                    const struct search_filter *f)
{
    search_say(c, at, f->id_count ? column : "0");
    if (f->id_count)
        search_say_texts(c, f->ids, f->id_count);
}

static void say_words(struct search_compose *c, struct search_at at, const struct search_filter *f)
{
    struct search_at own = search_alias(c, at.own);
    search_say(c, own, "r^.rid IN (");
    search_say_words(c, own, f);
    search_say(c, own, ")");
}

/* What say_local has not said already. */
static void say_filter(struct search_compose *c, struct search_at at, struct search_types types,
                       const struct search_filter *f)
{
    if (is_local(f) || c->err)
        return;
    search_say(c, at, f->none ? " AND NOT " : " AND ");
    switch (f->kind) {
    case SEARCH_IDS:
        say_ids(c, at, "r#.id", f);
        break;
    case SEARCH_TYPES:
        say_ids(c, at, "r#.type", f);
        break;
    case SEARCH_UPDATED:
        say_updated(c, at, f);
        break;
    case SEARCH_PERSONS:
        say_persons(c, at, f);
        break;
    case SEARCH_CHAIN:
        say_chain(c, at, f);
        break;
    case SEARCH_HAS:
        say_has(c, at, types, f);
        break;
    case SEARCH_ANY:
        say_any(c, at, types, f);
        break;
    case SEARCH_WORDS:
        say_words(c, at, f);
        break;
    case SEARCH_TERM:
        break;
    }
}

void search_say_conditions(struct search_compose *c, struct search_at at, struct search_types types,
                           const struct search_list *list)
{
    search_say_types(c, at, types);
    say_local(c, at, list);
    for (size_t i = 0; i < list->count; i++)
        say_filter(c, at, types, &list->items[i]);
    if (search_may_be_patient(types))
        say_one_patient(c, at, types);
}
