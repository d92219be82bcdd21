/* SPDX-License-Identifier: Apache-2.0
 *
 * See fhir_canonical.h. One search by the parameter `url` of the type; the choice among what it
 * finds is made here. Definitions are records of no person, so the gate shows them to every known
 * caller: whose they are is looked at here.
 */
#include "exchange/door/fhir_canonical.h"

#include "exchange/door/fhir.h"
#include "mappers/fhir/definition.h"
#include "storage/search.h"

#include "base/banned.h"

#define CANDIDATES_MAX 100 /* versions of one definition */

struct fhir_definition {
    struct slice type, canonical;
    struct json *json; /* NULL: known not to be there */
    struct fhir_definition *next;
};

static enum err find_records(struct session *s, struct request *r, struct slice type,
                             struct slice url, struct search_result *ret_result)
{
    const struct definition_param *param = definition_param(type, SLICE("url"));
    const struct search_value value = {.kind = FACET_URI, .text = url};
    struct search_filter filter = {.kind = SEARCH_TERM, .term = {.values = &value, .value_count = 1}};
    struct search search = {
        .types = &type, .type_count = 1, .filters = {&filter, 1}, .limit = CANDIDATES_MAX};
    if (!param)
        return ERR_NOT_FOUND;
    filter.term.param = param->number;
    return search_run(s, r->arena, &search, ret_result);
}

/* 0: not to be used; more is better. */
static enum err rank_of(struct session *s, struct request *r, const struct record *record,
                        const struct json *json, struct slice version, int *ret_rank)
{
    struct facility f;
    bool own = record->facility == r->grant.facility && r->grant.actor == GRANT_FACILITY;
    *ret_rank = 0;
    if (version.len && !slice_eq(json_str(json, "version"), version))
        return ERR_OK;
    enum err err = registry_facility_by_id(s, r->arena, record->facility, &f);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (f.kind != FACILITY_OPERATOR && !own)
        return ERR_OK;
    *ret_rank = f.kind == FACILITY_OPERATOR ? 3 : 1;
    *ret_rank += !slice_is(json_str(json, "status"), "retired");
    return ERR_OK;
}

/* Is A a later version than B? Numbers in them are compared as numbers. */
static bool is_later(struct slice a, struct slice b)
{
    while (a.ptr || b.ptr) {
        struct slice x = slice_cut(&a, '.'), y = slice_cut(&b, '.');
        uint64_t m, n;
        if (slice_eq(x, y))
            continue;
        if (slice_u64(x, &m) && slice_u64(y, &n))
            return m > n;
        return slice_cmp(x, y) > 0;
    }
    return false;
}

static enum err choose(struct session *s, struct request *r, const struct search_result *found,
                       struct slice version, struct json **ret_json)
{
    struct json *best = NULL;
    int best_rank = 0;
    for (size_t i = 0; i < found->count; i++) {
        struct json *json = NULL;
        struct json_fault fault;
        int rank = 0;
        enum err err = json_parse(r->arena, found->records[i].body, &json, &fault);
        if (!err)
            err = rank_of(s, r, &found->records[i], json, version, &rank);
        if (err)
            return err;
        if (rank > best_rank || (rank > 0 && rank == best_rank &&
                                 is_later(json_str(json, "version"), json_str(best, "version")))) {
            best = json;
            best_rank = rank;
        }
    }
    *ret_json = best;
    return ERR_OK;
}

enum err fhir_canonical(struct session *s, struct request *r, struct slice type,
                        struct slice canonical, struct json **ret_definition)
{
    struct fhir_definition *d = r->definitions;
    struct search_result found = {0};
    while (d && !(slice_eq(d->canonical, canonical) && slice_eq(d->type, type)))
        d = d->next;
    if (!d) {
        struct json *json = NULL;
        enum err err = find_records(s, r, type, canonical_url(canonical), &found);
        if (!err)
            err = choose(s, r, &found, canonical_version(canonical), &json);
        if (err && err != ERR_NOT_FOUND)
            return err;
        d = ARENA_NEW(r->arena, struct fhir_definition);
        if (!d)
            return ERR_LIMIT;
        *d = (struct fhir_definition){type, canonical, json, r->definitions};
        r->definitions = d;
    }
    if (!d->json)
        return ERR_NOT_FOUND;
    *ret_definition = d->json;
    return ERR_OK;
}

static enum err resolve(void *context, const char *type, struct slice canonical,
                        struct json **ret_definition)
{
    struct fhir_canonical_context *c = context;
    return fhir_canonical(c->session, c->request, slice_str(type), canonical, ret_definition);
}

struct canonical_source fhir_canonical_source(struct fhir_canonical_context *context)
{
    return (struct canonical_source){resolve, context};
}
