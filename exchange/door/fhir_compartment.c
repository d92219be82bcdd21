/* SPDX-License-Identifier: Apache-2.0
 *
 * Compartments (R4 compartmentdefinition.html): Patient/[id]/Observation, or a star for all types.
 * A record is in one when any parameter of R4's list refers to the compartment's resource; that
 * resource itself always is. A compartment that is not visible, or never was, is empty.
 */
#include "exchange/door/fhir_query_impl.h"
#include "exchange/gate/own_id.h"

#include "base/banned.h"

static bool is_compartment(struct slice holder)
{
    static const char *const names[] = {"Patient", "Encounter", "Practitioner", "RelatedPerson",
                                        "Device"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (slice_is(holder, names[i]))
            return true;
    return false;
}

enum err fhir_compartment_types(struct request *r, struct slice holder,
                                struct fhir_types *ret_types)
{
    size_t room = 0, n = 0, params = 0;
    const struct definition_type *const *all = definition_resources(&room);
    struct slice *items = arena_array(r->arena, room, sizeof(*items));
    if (!is_compartment(holder))
        return err_add(&r->errors, ERR_NOT_FOUND, "",
                       "Patient, Encounter, Practitioner, RelatedPerson, Device");
    if (!items)
        return ERR_LIMIT;
    for (size_t i = 0; i < room; i++) {
        struct slice name = slice_str(all[i]->name);
        (void)definition_compartment(holder, name, &params);
        if ((params || slice_eq(name, holder)) && !slice_is(name, "AuditEvent"))
            items[n++] = name;
    }
    *ret_types = (struct fhir_types){items, n};
    return ERR_OK;
}

/* One way into the compartment: records of TYPES that refer to it by PARAM, 0: that are it. */
struct way {
    uint16_t param;
    struct slice *types;
    size_t count, room;
};

struct ways {
    struct way *items;
    size_t count, room;
};

static struct way *way_of(struct arena *arena, struct ways *ways, uint16_t param, size_t types)
{
    for (size_t i = 0; i < ways->count; i++)
        if (ways->items[i].param == param)
            return &ways->items[i];
    struct way *way = ways->count < ways->room ? &ways->items[ways->count] : NULL;
    if (!way)
        return NULL;
    way->param = param;
    way->room = types;
    way->types = arena_array(arena, types, sizeof(*way->types));
    ways->count += way->types != NULL;
    return way->types ? way : NULL;
}

static enum err add_way(struct arena *arena, struct ways *ways, uint16_t param, struct slice type,
                        size_t types)
{
    struct way *way = way_of(arena, ways, param, types);
    if (!way)
        return ERR_LIMIT;
    way->types[way->count++] = type;
    return ERR_OK;
}

/* All ways of TYPES into the compartment of HOLDER. */
static enum err find_ways(struct arena *arena, struct slice holder, struct fhir_types types,
                          struct ways *ret_ways)
{
    struct ways ways = {.room = LIMIT_SEARCH_FILTERS};
    enum err err = ERR_OK;
    ways.items = arena_array(arena, ways.room, sizeof(*ways.items));
    if (!ways.items)
        return ERR_LIMIT;
    for (size_t i = 0; i < types.count && !err; i++) {
        size_t count = 0;
        const struct definition_param *const *params =
            definition_compartment(holder, types.items[i], &count);
        if (slice_eq(types.items[i], holder))
            err = add_way(arena, &ways, 0, holder, types.count);
        for (size_t j = 0; j < count && !err; j++)
            err = add_way(arena, &ways, params[j]->number, types.items[i], types.count);
    }
    *ret_ways = ways;
    return err;
}

/* "Is the holder itself" or "refers to it by the way's parameter". */
static struct search_filter way_filter(const struct way *way, struct slice holder,
                                       const struct slice *id, const struct search_value *value,
                                       const struct fhir_persons *persons)
{
    if (slice_is(holder, "Patient"))
        return (struct search_filter){.kind = SEARCH_PERSONS,
                                      .param = way->param,
                                      .persons = persons->items,
                                      .person_count = persons->count};
    if (!way->param)
        return (struct search_filter){.kind = SEARCH_IDS, .ids = id, .id_count = 1};
    return (struct search_filter){.kind = SEARCH_TERM,
                                  .term = {.param = way->param, .values = value, .value_count = 1}};
}

enum err fhir_compartment_add(struct fhir_build *b, struct slice holder, struct slice id,
                              struct fhir_types types, struct fhir_filters *list)
{
    struct arena *arena = b->r->arena;
    struct fhir_criterion c = {.place = "", .value = id};
    struct fhir_persons persons = {0};
    struct ways ways = {0};
    struct slice *own = ARENA_NEW(arena, struct slice);
    struct search_value *value = ARENA_NEW(arena, struct search_value);
    enum err err = own && value ? find_ways(arena, holder, types, &ways) : ERR_LIMIT;
    if (!err && slice_is(holder, "Patient"))
        err = fhir_query_person(b, id, &persons);
    else if (!err)
        err = own_id_stored(b->s, b->r, holder, id, &id);
    if (err)
        return err;
    *own = id;
    *value = (struct search_value){.kind = FACET_REFERENCE};
    value->text = slice_str(arena_printf(arena, "%.*s/%.*s", SLICE_ARG(holder), SLICE_ARG(id)));
    struct fhir_filters *sides = arena_array(arena, ways.count + 1, sizeof(*sides));
    if (!sides || !value->text.ptr)
        return ERR_LIMIT;
    for (size_t i = 0; i < ways.count && !err; i++) {
        const struct way *way = &ways.items[i];
        struct search_filter only = {
            .kind = SEARCH_TYPES, .ids = way->types, .id_count = way->count};
        struct search_filter in = way_filter(way, holder, own, value, &persons);
        if (types.count > 1)
            err = fhir_query_add(b, &c, &sides[i], &only);
        if (!err)
            err = fhir_query_add(b, &c, &sides[i], &in);
    }
    return err ? err : fhir_query_add_any(b, &c, list, sides, ways.count);
}
