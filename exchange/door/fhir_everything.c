/* SPDX-License-Identifier: Apache-2.0
 *
 * Patient/[id]/$everything (R4 patient-operation-everything): the Patient, all that is on his charts and may be seen, and the
 * practitioners, organisations, medicines and the like that it leads to. A search like any other, so that paging, audit
 * rows and the gate are the search's: this file only says what is sought. Pages have LIMIT_SEARCH_COUNT matches unless
 * _count asks for fewer.
 */
#include "exchange/door/fhir_query_impl.h"
#include "exchange/gate/refs.h"
#include "mappers/fhir/definition.h"

#include "base/banned.h"

#define READERS ((1u << GRANT_FACILITY) | (1u << GRANT_RESIDENT) | (1u << GRANT_OPERATOR))

struct everything {
    struct fhir_query query;
    struct search_filter filters[5]; /* person, not the Patient himself, types, since, dates */
    size_t count;
    int64_t person;
};

static enum err bad_value(struct request *r, const struct fhir_param *p, const char *valid)
{
    return err_add(&r->errors, ERR_BAD_PARAM, arena_printf(r->arena, "%.*s", SLICE_ARG(p->name)),
                   "%s", valid);
}

static enum err take_types(struct request *r, const struct fhir_param *p, struct everything *e)
{
    struct slice rest = p->value;
    size_t room = 1, n = 0;
    for (size_t i = 0; i < p->value.len; i++)
        room += p->value.ptr[i] == ',';
    struct slice *types = arena_array(r->arena, room, sizeof(*types));
    if (!types)
        return ERR_LIMIT;
    while (rest.ptr) {
        struct slice type = slice_cut(&rest, ',');
        const struct definition_type *t = definition_type(type);
        if (!t || t->kind != DEFINITION_RESOURCE)
            return bad_value(r, p, "resource types");
        types[n++] = type;
    }
    e->filters[e->count++] = (struct search_filter){.kind = SEARCH_TYPES, .ids = types, .id_count = n};
    return ERR_OK;
}

static enum err take_since(struct request *r, const struct fhir_param *p, struct everything *e)
{
    struct when when;
    if (!when_parse_fhir(p->value, true, &when))
        return bad_value(r, p, "instant");
    e->filters[e->count++] =
        (struct search_filter){.kind = SEARCH_UPDATED, .value = {.op = SEARCH_GE, .when = when}};
    return ERR_OK;
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

static const struct {
    const char *name;
    enum err (*take)(struct request *r, const struct fhir_param *p, struct everything *e);
} params[] = {
    {"_type", take_types}, {"_since", take_since}, {"_count", take_count}, {"_cursor", take_cursor}};

static enum err take_param(struct request *r, const struct fhir_param *p, struct everything *e)
{
    const struct fhir_input *in = r->input;
    if (fhir_param_is_format(p))
        return ERR_OK;
    for (size_t i = 0; i < sizeof(params) / sizeof(*params); i++)
        if (slice_is(p->name, params[i].name) && !p->modifier.len) {
            for (const struct fhir_param *before = in->params; before < p; before++)
                if (slice_eq(before->name, p->name))
                    return bad_value(r, p, "once");
            return params[i].take(r, p, e);
        }
    if (in->lenient)
        return ERR_OK;
    return err_add(&r->errors, ERR_UNKNOWN_PARAM,
                   arena_printf(r->arena, "%.*s", SLICE_ARG(p->name)),
                   "_type, _since, _count, _format, _pretty");
}

/* Is the Patient himself among what is asked for? */
static bool wants_patient(const struct everything *e, const struct record *patient)
{
    for (size_t i = 0; i < e->count; i++) {
        const struct search_filter *f = &e->filters[i];
        bool found = f->kind != SEARCH_TYPES || f->none;
        for (size_t k = 0; k < f->id_count && !found; k++)
            found = slice_is(f->ids[k], "Patient");
        if (!found)
            return false;
        if (f->kind == SEARCH_UPDATED && patient->updated_ms < f->value.when.lo_ms)
            return false;
    }
    return true;
}

static enum err everything_look(struct session *s, struct request *r)
{
    static const struct slice patient_type[] = {{"Patient", 7}};
    struct fhir_input *in = r->input;
    struct everything *e = ARENA_NEW(r->arena, struct everything);
    struct fhir_include *include = ARENA_NEW(r->arena, struct fhir_include);
    struct record *patient = ARENA_NEW(r->arena, struct record);
    if (!e || !include || !patient)
        return ERR_LIMIT;
    e->query.search.limit = LIMIT_SEARCH_COUNT;
    enum err err = fhir_params(r);
    if (!err)
        err = fhir_instance_person(s, r, &e->person);
    r->entity = "Patient/@";
    if (!err)
        err = record_read_patient(s, r->arena, e->person, patient);
    if (err)
        return err == ERR_GONE ? ERR_NOT_FOUND : err;
    e->filters[e->count++] = (struct search_filter){
        .kind = SEARCH_PERSONS, .persons = &e->person, .person_count = 1};
    e->filters[e->count++] = (struct search_filter){
        .kind = SEARCH_TYPES, .none = true, .ids = patient_type, .id_count = 1};
    for (unsigned i = 0; i < in->param_count && !err; i++)
        err = take_param(r, &in->params[i], e);
    if (err)
        return err;
    e->query.search.filters = (struct search_list){e->filters, e->count};
    e->query.includes = include; /* zeroed: whatever the matches refer to */
    e->query.include_count = 1;
    return fhir_search_answer(s, r, &e->query, wants_patient(e, patient) ? patient : NULL);
}

const struct use fhir_use_everything = {
    .event = "everything", .actors = READERS, .look = everything_look};
