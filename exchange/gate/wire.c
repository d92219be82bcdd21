/* SPDX-License-Identifier: Apache-2.0
 *
 * Patient ids on the wire: derive the audience's key, and resolve ids back to persons. Nothing here
 * may let a caller tell an id of another organisation from an id that never existed.
 */
#include "exchange/gate/wire.h"

#include <assert.h>
#include <stdio.h>

#include "storage/person.h"

#include "base/banned.h"

static void derive(struct request *r)
{
    char audience[48];
    if (r->grant.actor == GRANT_RESIDENT)
        snprintf(audience, sizeof(audience), "resident %lld", (long long)r->grant.person);
    else
        snprintf(audience, sizeof(audience), "facility %lld", (long long)r->grant.facility);
    ids_derive(r->exchange->master, "patient-id", slice_str(audience), r->wire_key);
}

/* Keys are a fixed function of the master key, so those of facilities are kept: deriving costs as
 * much as the read itself. */
void wire_prepare(struct request *r)
{
    struct wire_cache *cache = &r->exchange->wires;
    struct wire_entry *slot = &cache->entries[(uint64_t)r->grant.facility % WIRE_CACHE];
    bool found = false;
    assert(r->granted);
    r->wire_person = 0;
    if (r->grant.actor == GRANT_RESIDENT) {
        derive(r);
        return;
    }
    (void)pthread_mutex_lock(&cache->lock);
    found = slot->facility == r->grant.facility;
    if (found)
        memcpy(r->wire_key, slot->key, sizeof(slot->key));
    (void)pthread_mutex_unlock(&cache->lock);
    if (found)
        return;
    derive(r);
    (void)pthread_mutex_lock(&cache->lock);
    slot->facility = r->grant.facility;
    memcpy(slot->key, r->wire_key, sizeof(slot->key));
    (void)pthread_mutex_unlock(&cache->lock);
}

/* An answer mostly names one person, in each of its resources. */
void wire_id(struct request *r, int64_t person, char ret_id[IDS_WIRE_LEN + 1])
{
    assert(person > 0);
    if (r->wire_person != person)
        ids_wire(r->wire_key, (uint64_t)person, r->wire_text);
    r->wire_person = person;
    memcpy(ret_id, r->wire_text, IDS_WIRE_LEN + 1);
}

enum err wire_person(struct session *s, const struct request *r, struct slice id,
                     int64_t *ret_person)
{
    uint64_t number = 0;
    int64_t chart = 0;
    if (ids_unwire(r->wire_key, id, &number) && number <= INT64_MAX) {
        enum err err = person_exists(s, (int64_t)number);
        if (!err)
            *ret_person = (int64_t)number;
        return err;
    }
    return person_by_alias(s, r->grant.facility, id, ret_person, &chart);
}
