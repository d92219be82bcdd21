/* SPDX-License-Identifier: Apache-2.0
 *
 * A growing table from text to pointer in the arena, so that finding "did this message already make
 * that resource" stays cheap for messages of thousands of segments. Open addressing; nothing is
 * ever taken out.
 */
#ifndef MAPPERS_HL7V2_KEYS_H
#define MAPPERS_HL7V2_KEYS_H

#include "base/arena.h"
#include "base/slice.h"

struct keys_slot {
    struct slice key;
    void *value;
    unsigned count;
};

struct keys {
    struct keys_slot *slots;
    size_t capacity, filled;
};

/* The slot of KEY, made (value NULL, count 0) when absent; NULL when the arena is full. KEY is not
 * copied. Valid until the next call. */
struct keys_slot *keys_at(struct arena *a, struct keys *k, struct slice key);

#endif
