/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a compiled search under the bound grant. The gate sits inside the SQL on every table the statement
 * touches, before LIMIT and inside COUNT, so totals are exact and nothing hidden is selected, counted or
 * sorted by. Terms are AND-ed, values of a term are OR-ed (R4 search.html).
 */
#ifndef STORAGE_SEARCH_H
#define STORAGE_SEARCH_H

#include "base/facet.h"
#include "storage/record.h"

enum search_op {
    SEARCH_EQ, /* token, reference, uri: equal. date, number: range containment. string: starts with */
    SEARCH_NE,
    SEARCH_GT,
    SEARCH_LT,
    SEARCH_GE,
    SEARCH_LE,
    SEARCH_SA, /* starts after */
    SEARCH_EB, /* ends before */
    SEARCH_AP, /* approximately */
    SEARCH_EXACT,
    SEARCH_CONTAINS,
    SEARCH_MISSING, /* value.text "true" or "false" */
    SEARCH_NOT      /* token :not */
};

struct search_value {
    enum search_op op;
    bool any_system;     /* token: "code" without "|" */
    bool any_code;       /* token: "system|" */
    struct slice system; /* token; empty with any_system false means "no system" ("|code") */
    struct slice text;   /* code, folded string, internal reference, uri */
    struct slice raw;    /* string :exact */
    struct when when;
    double lo, hi;       /* number, quantity: implicit range of the literal */
    struct slice unit;
};

struct search_term {
    uint16_t param;
    enum facet_kind kind;
    const struct search_value *values;
    size_t value_count;
};

enum search_sort { SEARCH_SORT_NONE, SEARCH_SORT_DATE, SEARCH_SORT_UPDATED };

struct search {
    struct slice type;
    int64_t person;                 /* > 0: only this person's records; < 0: matches nothing */
    const struct slice *ids;        /* _id: any of these; NULL = no restriction */
    size_t id_count;
    const int64_t *persons;         /* Patient searches by identifier or _id: any of these persons */
    size_t person_count;
    bool persons_given;             /* with person_count 0 nothing matches */
    const struct when *updated;     /* _lastUpdated ranges, AND-ed with updated_ops */
    const enum search_op *updated_ops;
    size_t updated_count;
    uint64_t categories;            /* mask; 0 = no restriction */
    const struct search_term *terms;
    size_t term_count;
    enum search_sort sort;
    bool descending;
    unsigned limit;                 /* page size; 0 = count only */
    bool count_total;
    bool after_given;               /* continue after this place */
    int64_t after_key;              /* sort key (rid when unsorted) */
    int64_t after_rid;
};

struct search_result {
    struct record *records;
    size_t count;
    bool more;          /* another page exists */
    int64_t last_key;   /* place of the last record, for the cursor */
    int64_t last_rid;
    uint64_t total;     /* when count_total */
};

/* For type Patient one record per person is returned and counted: the grant facility's own, else the
 * newest. ERR_TIMEOUT beyond LIMIT_SEARCH_MS. Results live in ARENA. */
enum err search_run(struct session *s, struct arena *arena, const struct search *search,
                    struct search_result *ret_result) ERR_CHECKED;

/* Categories of PERSON the bound grant sees, as mask, decided by the same gate (for $explain-access). */
enum err search_visible(struct session *s, int64_t person, uint64_t *ret_categories) ERR_CHECKED;

#endif
