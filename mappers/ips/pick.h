/* SPDX-License-Identifier: Apache-2.0
 *
 * Chooses and orders what a summary shows: each resource in its section, the newest of each thing,
 * inside the section's window, the most urgent or newest first. What a window leaves out is
 * counted, because a reader must know that there is more.
 */
#ifndef MAPPERS_IPS_PICK_H
#define MAPPERS_IPS_PICK_H

#include "base/err.h"
#include "mappers/ips/facts.h"

struct pick {
    const struct json *resource;
    const struct json
        *previous; /* the next older one of the same thing, in the list too; or NULL */
    enum facts_section section;
    bool older; /* another pick speaks for it: an entry, but no row of its own */
    bool drop;
    /* how it is ordered */
    unsigned rank;
    int64_t time;
    int64_t newest; /* time of the newest of the same thing */
    struct slice thing;
    size_t index;
};

struct pick_list {
    struct pick *items; /* by section, in the order of reading */
    size_t count;
    unsigned left_out[FACTS_SECTIONS]; /* older than the window, or too many */
};

struct pick_rules {
    int64_t now_ms;
    bool emergency;
    bool all; /* no windows: the choice was made before */
};

/* What of RESOURCES counts, chosen and ordered by RULES; the picks point to the resources.
 * ERR_LIMIT. */
enum err pick_all(struct arena *arena, const struct json *const *resources, size_t count,
                  const struct pick_rules *rules, struct pick_list *ret_list) ERR_CHECKED;

#endif
