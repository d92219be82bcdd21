/* SPDX-License-Identifier: Apache-2.0
 *
 * Search values that name a patient: his id, a reference to him, his card or number. They are
 * looked up in the relay index as this caller may use it (exchange/gate/refs.h), at every depth of
 * a chain; the index of values holds no such number, so that nobody finds by another facility's. A
 * value that names nobody matches nothing and says no more.
 */
#include "exchange/door/fhir_query_impl.h"

#include "exchange/gate/refs.h"

#include "base/banned.h"

static enum err add_person(struct fhir_build *b, int64_t person, struct fhir_persons *persons)
{
    if (persons->count == persons->room) {
        size_t room = persons->room ? persons->room * 2 : 8;
        int64_t *grown = arena_array(b->r->arena, room, sizeof(*grown));
        if (!grown)
            return ERR_LIMIT;
        if (persons->count)
            memcpy(grown, persons->items, persons->count * sizeof(*grown));
        persons->items = grown;
        persons->room = room;
    }
    persons->items[persons->count++] = person;
    b->person = person;
    return ERR_OK;
}

enum err fhir_query_person(struct fhir_build *b, struct slice reference,
                           struct fhir_persons *persons)
{
    int64_t person = 0;
    enum err err = refs_person(b->s, b->r, reference, &person);
    if (err && err != ERR_NOT_FOUND)
        return err;
    persons->given = true;
    return err ? ERR_OK : add_person(b, person, persons);
}

static enum err by_identifier(struct fhir_build *b, struct slice system, struct slice value,
                              struct fhir_persons *persons)
{
    int64_t person = 0;
    enum err err = refs_identifier(b->s, b->r, system, value, &person);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    if (err)
        return err;
    persons->given = true;
    return add_person(b, person, persons);
}

/* A number without a system may be a card, or the caller's own patient number. */
static enum err by_bare_number(struct fhir_build *b, struct slice number,
                               struct fhir_persons *persons)
{
    struct request *r = b->r;
    const char *local =
        arena_printf(r->arena, REFS_SYSTEM_LOCAL "%.*s", SLICE_ARG(r->caller.facility.code));
    enum err err = by_identifier(b, SLICE(REFS_SYSTEM_CARD), number, persons);
    return err ? err : by_identifier(b, slice_str(local), number, persons);
}

enum err fhir_query_person_identifier(struct fhir_build *b, struct slice value,
                                      struct fhir_persons *persons, bool *ret_only)
{
    size_t bar = fhir_query_value_find(value, '|');
    struct slice system = fhir_query_value_unescape(b->r->arena, slice_sub(value, 0, bar));
    *ret_only = false;
    if (bar == value.len)
        return by_bare_number(b, system, persons);
    if (!refs_is_person_system(system))
        return ERR_OK;
    *ret_only = true;
    persons->given = true;
    return by_identifier(
        b, system, fhir_query_value_unescape(b->r->arena, slice_sub(value, bar + 1, value.len)),
        persons);
}

enum err fhir_query_person_add(struct fhir_build *b, const struct fhir_criterion *c, uint16_t param,
                               const struct fhir_persons *persons, struct fhir_filters *list)
{
    struct search_filter filter = {.kind = SEARCH_PERSONS,
                                   .param = param,
                                   .persons = persons->items,
                                   .person_count = persons->count};
    return fhir_query_add(b, c, list, &filter);
}
