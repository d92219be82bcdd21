/* SPDX-License-Identifier: Apache-2.0
 *
 * Patient/[id]/$everything and Encounter/[id]/$everything (R4 patient-operation-everything, encounter-operation-everything):
 * the resource itself, all that is on the patient's charts or in the encounter's compartment and may be seen, and the
 * practitioners, organisations, medicines and the like that it leads to. A search like any other, so that paging, audit
 * rows and the gate are the search's: this file only says what is sought. Pages have LIMIT_SEARCH_COUNT matches unless
 * _count asks for fewer. start and end are about when care was given: what knows no date of care is always there.
 */
#include "exchange/door/fhir_operation.h"
#include "exchange/door/fhir_query_impl.h"
#include "exchange/gate/refs.h"
#include "mappers/fhir/definition.h"

#include "base/banned.h"

#define READERS ((1u << GRANT_FACILITY) | (1u << GRANT_RESIDENT) | (1u << GRANT_OPERATOR))

struct everything {
    struct fhir_query query;
    struct fhir_build build;
    struct fhir_filters filters;
    int64_t person;
    bool has_start, has_end;
    struct search_value start, end; /* of care */
    struct slice *types;            /* asked for by _type */
    size_t type_count;
    struct when since;
    bool has_since;
};

static enum err bad_value(struct request *r, const struct fhir_param *p, const char *valid)
{
    return err_add(&r->errors, ERR_BAD_PARAM, arena_printf(r->arena, "%.*s", SLICE_ARG(p->name)),
                   "%s", valid);
}

static enum err add(struct everything *e, const struct search_filter *filter)
{
    const struct fhir_criterion nowhere = {.place = ""};
    return fhir_query_add(&e->build, &nowhere, &e->filters, filter);
}

/* ── parameters ──────────────────────────────────────────────────────────────────────────────── */

static enum err take_types(struct request *r, const struct fhir_param *p, struct everything *e)
{
    struct slice rest = p->value;
    size_t room = e->type_count + 1, n = e->type_count;
    for (size_t i = 0; i < p->value.len; i++)
        room += p->value.ptr[i] == ',';
    struct slice *types = arena_array(r->arena, room, sizeof(*types));
    if (!types)
        return ERR_LIMIT;
    if (n)
        memcpy(types, e->types, n * sizeof(*types));
    while (rest.ptr) {
        struct slice type = slice_cut(&rest, ',');
        const struct definition_type *t = definition_type(type);
        if (!t || t->kind != DEFINITION_RESOURCE)
            return bad_value(r, p, "resource types");
        types[n++] = type;
    }
    e->types = types;
    e->type_count = n;
    return ERR_OK;
}

static enum err take_since(struct request *r, const struct fhir_param *p, struct everything *e)
{
    if (!when_parse_fhir(p->value, true, &e->since))
        return bad_value(r, p, "instant");
    e->has_since = true;
    return ERR_OK;
}

static enum err take_date(struct request *r, const struct fhir_param *p, struct search_value *value)
{
    if (!when_parse_fhir(p->value, true, &value->when))
        return bad_value(r, p, "date");
    value->kind = FACET_DATE;
    return ERR_OK;
}

static enum err take_start(struct request *r, const struct fhir_param *p, struct everything *e)
{
    e->has_start = true;
    e->start.op = SEARCH_GE;
    return take_date(r, p, &e->start);
}

static enum err take_end(struct request *r, const struct fhir_param *p, struct everything *e)
{
    e->has_end = true;
    e->end.op = SEARCH_LE;
    return take_date(r, p, &e->end);
}

static enum err take_count(struct request *r, const struct fhir_param *p, struct everything *e)
{
    uint64_t n = 0;
    if (!slice_u64(p->value, &n) || n == 0)
        return bad_value(r, p, "1, 2, 3 ...");
    e->query.search.limit = n > LIMIT_SEARCH_COUNT ? LIMIT_SEARCH_COUNT : (unsigned)n;
    return ERR_OK;
}

static enum err take_cursor(struct request *r, const struct fhir_param *p, struct everything *e)
{
    (void)r;
    e->query.cursor = p->value;
    return ERR_OK;
}

/* Which of these an operation has, and how often, its row in the table has said. */
static const struct {
    const char *name;
    enum err (*take)(struct request *r, const struct fhir_param *p, struct everything *e);
} params[] = {{"_type", take_types}, {"_since", take_since}, {"_count", take_count},
              {"_cursor", take_cursor}, {"start", take_start}, {"end", take_end}};

static enum err take_params(struct request *r, struct everything *e)
{
    const struct fhir_input *in = r->input;
    enum err err = fhir_operation_params(r);
    e->query.search.limit = LIMIT_SEARCH_COUNT;
    for (unsigned i = 0; i < in->param_count && !err; i++)
        for (size_t k = 0; k < sizeof(params) / sizeof(*params) && !err; k++)
            if (slice_is(in->params[i].name, params[k].name) && !in->params[i].modifier.len)
                err = params[k].take(r, &in->params[i], e);
    return err;
}

/* ── dates of care ───────────────────────────────────────────────────────────────────────────── */

/* By which parameter a type knows when care was given: the first of these that it has. */
static const char *const care_dates[] = {
    "date", "period", "effective-time", "effective", "authoredon", "authored", "started",
    "onset-date", "whenhandedover", "whenprepared", "sent", "issued", "created", "event-date"};

static const struct definition_param *care_date(struct slice type)
{
    for (size_t i = 0; i < sizeof(care_dates) / sizeof(*care_dates); i++) {
        const struct definition_param *p = definition_param(type, slice_str(care_dates[i]));
        if (p && p->kind == FACET_DATE)
            return p;
    }
    return NULL;
}

/* The parameters of all types a patient's records can be of. */
static enum err find_care_dates(uint16_t *ret_params, size_t room, size_t *ret_count)
{
    size_t types = 0, n = 0;
    const struct definition_type *const *all = definition_resources(&types);
    for (size_t i = 0; i < types; i++) {
        struct slice type = slice_str(all[i]->name);
        const struct definition_param *date = definition_in_patient(type) ? care_date(type) : NULL;
        size_t at = 0;
        while (date && at < n && ret_params[at] != date->number)
            at++;
        if (date && at == room)
            return ERR_INTERNAL;
        if (date && at == n)
            ret_params[n++] = date->number;
    }
    *ret_count = n;
    return ERR_OK;
}

static struct search_filter bound_by(uint16_t param, const struct search_value *value)
{
    return (struct search_filter){
        .kind = SEARCH_TERM, .term = {.param = param, .values = value, .value_count = 1}};
}

/* For each parameter: has none of it (a record of another type never has), or is within the bounds. */
static enum err add_care_dates(struct request *r, struct everything *e)
{
    uint16_t dates[64];
    size_t count = 0;
    const struct fhir_criterion c = {.place = "start"};
    enum err err = e->has_start || e->has_end
                       ? find_care_dates(dates, sizeof(dates) / sizeof(*dates), &count)
                       : ERR_OK;
    for (size_t i = 0; i < count && !err; i++) {
        struct fhir_filters *sides = arena_array(r->arena, 2, sizeof(*sides));
        const struct search_filter missing = {
            .kind = SEARCH_TERM, .term = {.param = dates[i], .missing = true}};
        const struct search_filter start = bound_by(dates[i], &e->start);
        const struct search_filter end = bound_by(dates[i], &e->end);
        err = sides ? fhir_query_add(&e->build, &c, &sides[0], &missing) : ERR_LIMIT;
        if (!err && e->has_start)
            err = fhir_query_add(&e->build, &c, &sides[1], &start);
        if (!err && e->has_end)
            err = fhir_query_add(&e->build, &c, &sides[1], &end);
        if (!err)
            err = fhir_query_add_any(&e->build, &c, &e->filters, sides, 2);
    }
    return err;
}

/* ── the search ──────────────────────────────────────────────────────────────────────────────── */

static enum err add_asked(struct request *r, struct everything *e)
{
    const struct search_filter types = {
        .kind = SEARCH_TYPES, .ids = e->types, .id_count = e->type_count};
    const struct search_filter since = {.kind = SEARCH_UPDATED,
                                        .value = {.op = SEARCH_GE, .when = e->since}};
    enum err err = e->type_count ? add(e, &types) : ERR_OK;
    if (!err && e->has_since)
        err = add(e, &since);
    return err ? err : add_care_dates(r, e);
}

/* Is the resource itself among what is asked for? */
static bool wants(const struct everything *e, const struct record *record)
{
    bool found = e->type_count == 0;
    for (size_t i = 0; i < e->type_count && !found; i++)
        found = slice_eq(e->types[i], record->type);
    return found && (!e->has_since || record->updated_ms >= e->since.lo_ms);
}

static enum err run(struct session *s, struct request *r, struct everything *e,
                    const struct record *first)
{
    size_t count = e->type_count ? e->type_count : 1;
    struct fhir_include *includes = arena_array(r->arena, count, sizeof(*includes));
    enum err err = includes ? add_asked(r, e) : ERR_LIMIT;
    if (err)
        return err;
    for (size_t i = 0; i < e->type_count; i++)
        includes[i].target = e->types[i];
    e->query.search.filters = (struct search_list){e->filters.items, e->filters.count};
    e->query.includes = includes; /* zeroed: whatever the matches refer to */
    e->query.include_count = count;
    return fhir_search_answer(s, r, &e->query, first, wants(e, first) ? 1 : 0);
}

static struct everything *begin(struct session *s, struct request *r)
{
    struct everything *e = ARENA_NEW(r->arena, struct everything);
    if (e)
        e->build = (struct fhir_build){.s = s, .r = r};
    return e;
}

static enum err everything_look(struct session *s, struct request *r)
{
    static const struct slice patient_type[] = {{"Patient", 7}};
    struct everything *e = begin(s, r);
    struct record *patient = ARENA_NEW(r->arena, struct record);
    if (!e || !patient)
        return ERR_LIMIT;
    r->entity = "Patient/@";
    enum err err = take_params(r, e);
    if (!err)
        err = fhir_instance_person(s, r, &e->person);
    if (!err)
        err = record_read_patient(s, r->arena, e->person, patient);
    if (err)
        return err == ERR_GONE ? ERR_NOT_FOUND : err;
    const struct search_filter of_person = {
        .kind = SEARCH_PERSONS, .persons = &e->person, .person_count = 1};
    const struct search_filter not_himself = {
        .kind = SEARCH_TYPES, .none = true, .ids = patient_type, .id_count = 1};
    err = add(e, &of_person);
    if (!err)
        err = add(e, &not_himself);
    return err ? err : run(s, r, e, patient);
}

const struct use fhir_use_everything = {
    .event = "everything", .actors = READERS, .look = everything_look};

/* Types of the encounter's compartment but Encounter itself, which comes first. */
static enum err other_types(struct request *r, struct fhir_types *ret_types)
{
    struct fhir_types types = {0};
    enum err err = fhir_compartment_types(r, SLICE("Encounter"), &types);
    struct slice *kept = arena_array(r->arena, types.count + 1, sizeof(*kept));
    size_t n = 0;
    if (!err && !kept)
        err = ERR_LIMIT;
    for (size_t i = 0; i < types.count && !err; i++)
        if (!slice_is(types.items[i], "Encounter"))
            kept[n++] = types.items[i];
    *ret_types = (struct fhir_types){kept, n};
    return err;
}

static enum err encounter_look(struct session *s, struct request *r)
{
    const struct fhir_input *in = r->input;
    struct everything *e = begin(s, r);
    struct record *encounter = ARENA_NEW(r->arena, struct record);
    struct fhir_types types = {0};
    if (!e || !encounter)
        return ERR_LIMIT;
    r->entity = fhir_entity(r, in->type, in->id);
    enum err err = take_params(r, e);
    if (!err)
        err = fhir_instance_record(s, r, encounter);
    if (!err)
        err = other_types(r, &types);
    if (!err)
        err = fhir_compartment_add(&e->build, in->type, in->id, types, &e->filters);
    if (err)
        return err;
    r->person = encounter->person;
    e->query.search.types = types.items;
    e->query.search.type_count = types.count;
    return run(s, r, e, encounter);
}

const struct use fhir_use_encounter_everything = {
    .event = "everything", .actors = READERS, .look = encounter_look};
