/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of changes: one small row for each version ever written, in order. A change's number is its time: lastUpdated
 * in ms << 12 | counter, so numbers only grow, a time is a range of numbers, and lastUpdated never goes back whatever
 * the clock does. History of types and of the whole system (R4 http.html#history), subscriptions and exports read
 * it; all through the gate.
 */
#ifndef STORAGE_CHANGE_H
#define STORAGE_CHANGE_H

#include "storage/record.h"

#define CHANGE_COUNTER_BITS 12

static inline int64_t change_ms(int64_t seq)
{
    return seq >> CHANGE_COUNTER_BITS;
}
/* The first number of a millisecond. */
static inline int64_t change_at(int64_t ms)
{
    return (int64_t)((uint64_t)ms << CHANGE_COUNTER_BITS);
}

struct change_query {
    const struct slice *types; /* none: all */
    size_t type_count;
    int64_t rid;               /* > 0: of this record only */
    const int64_t *persons;    /* person_count > 0: of records of these persons only */
    size_t person_count;
    int64_t since;             /* only changes with seq >= since; 0: all */
    int64_t at_lo, at_hi;      /* at_hi > 0: only versions that were current some time in [at_lo, at_hi) ms */
    bool oldest_first;
    bool current_only;         /* only versions that are still current */
    bool after_given;          /* go on after (in the order asked for) this number */
    int64_t after;
    unsigned limit;            /* 0: count only */
    bool count_total;
};

struct change_result {
    struct record *records; /* as visible; delete markers with deleted set */
    size_t count;
    bool more;
    uint64_t total;
};

/* Versions visible under the bound grant, newest first unless asked otherwise. Results live in ARENA. */
enum err change_list(struct session *s, struct arena *arena, const struct change_query *query,
                     struct change_result *ret_result) ERR_CHECKED;

/* The last number given out; 0 in an empty store. Tells nothing of any record. */
enum err change_last(struct session *s, int64_t *ret_seq) ERR_CHECKED;
/* The first number given out after SEQ; 0: none. Tells nothing of any record. */
enum err change_next(struct session *s, int64_t seq, int64_t *ret_seq) ERR_CHECKED;

#endif
