/* SPDX-License-Identifier: Apache-2.0
 *
 * Open addressing with doubling at half load (FNV-1a). Old slot arrays stay in the arena until the
 * request ends; doubling keeps that waste below the size of the table itself.
 */
#include "mappers/hl7v2/keys.h"

#include "base/banned.h"

#define FIRST_CAPACITY 64u

static uint64_t hash(struct slice key)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < key.len; i++)
        h = (h ^ (unsigned char)key.ptr[i]) * UINT64_C(0x100000001b3);
    return h;
}

static struct keys_slot *probe(struct keys_slot *slots, size_t capacity, struct slice key)
{
    size_t at = (size_t)hash(key) & (capacity - 1);

    while (slots[at].key.ptr && !slice_eq(slots[at].key, key))
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static bool grow(struct arena *a, struct keys *k)
{
    size_t capacity = k->capacity ? k->capacity * 2 : FIRST_CAPACITY;
    struct keys_slot *slots = arena_array(a, capacity, sizeof(*slots));

    if (!slots)
        return false;
    for (size_t i = 0; i < k->capacity; i++) {
        if (k->slots[i].key.ptr)
            *probe(slots, capacity, k->slots[i].key) = k->slots[i];
    }
    k->slots = slots;
    k->capacity = capacity;
    return true;
}

struct keys_slot *keys_at(struct arena *a, struct keys *k, struct slice key)
{
    struct keys_slot *slot;

    if (!key.ptr)
        key = SLICE("");
    if (k->filled * 2 >= k->capacity && !grow(a, k))
        return NULL;
    slot = probe(k->slots, k->capacity, key);
    if (!slot->key.ptr) {
        slot->key = key;
        k->filled++;
    }
    return slot;
}
