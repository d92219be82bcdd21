/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a compiled search under the bound grant. The gate sits inside the SQL on every table the statement
 * touches (match, chain, reverse chain, sort, count), before LIMIT and inside COUNT, so totals are exact and nothing
 * hidden is selected, counted or sorted by. What a parameter's value means against a record's facets is decided in
 * one place in plain C (storage/match.c), called from the SQL as tasuki_match(facets, ?).
 *
 * A search is a tree of filters: a list is AND-ed, values of a term and groups of an ANY are OR-ed (R4 search.html).
 */
#ifndef STORAGE_SEARCH_H
#define STORAGE_SEARCH_H

#include "base/facet.h"
#include "storage/record.h"

enum search_op {
    SEARCH_EQ, /* token, reference, uri: equal. date: contained. number: within the literal's precision. string (also
                  :text): starts with */
    SEARCH_NE,
    SEARCH_GT,
    SEARCH_LT,
    SEARCH_GE,
    SEARCH_LE,
    SEARCH_SA, /* starts after */
    SEARCH_EB, /* ends before */
    SEARCH_AP, /* approximately */
    SEARCH_EXACT,    /* string: raw text equal */
    SEARCH_CONTAINS, /* string: folded text contains */
    SEARCH_ABOVE,    /* uri: the value is this one or below it ("/" segments); the stored is a prefix */
    SEARCH_BELOW     /* uri: the stored is this one or below it */
};

struct search_value {
    enum search_op op;
    enum facet_kind kind; /* of the facets it is compared with */
    bool any_system;     /* token, quantity: no system was said */
    bool any_code;       /* token: "system|" */
    struct slice system; /* token, typed, quantity; empty with any_system false means "no system" ("|code") */
    struct slice text;   /* code, folded string, reference, uri, quantity's unit (empty: any) */
    struct slice raw;    /* string :exact; typed: the identifier's value */
    struct when when;    /* date */
    double lo, hi;       /* number, quantity: implicit range [lo, hi) of the literal */
    double exact;        /* number, quantity: the literal itself, for the comparing prefixes. FACET_SPECIAL (near): km
                            from latitude lo, longitude hi */
    const struct search_value *parts; /* composite: one per component, in order; then nothing above counts */
    uint8_t part_count;
};

/* One parameter against a record's facets. */
struct search_term {
    uint16_t param;
    bool missing;  /* :missing=true or, with none, =false; no values */
    bool none;     /* :not, :not-in: no facet has any of the values (also true without any facet) */
    bool common;   /* values are not in the value index: cannot start a search */
    const struct search_value *values;
    size_t value_count; /* 0 without missing: matches nothing (none: everything) */
};

struct search_filter;
struct search_list {
    const struct search_filter *items; /* AND */
    size_t count;
};

enum search_filter_kind {
    SEARCH_TERM,    /* term */
    SEARCH_IDS,     /* ids: logical id is one of these (not for Patient: SEARCH_PERSONS with param 0) */
    SEARCH_TYPES,   /* ids: type is one of these */
    SEARCH_UPDATED, /* value: lastUpdated as an instant against op and when */
    SEARCH_PERSONS, /* persons: param 0: the record is on a chart of one of them; else it references one of them by param */
    SEARCH_CHAIN,   /* references by param a record of one of the types in ids (visible, of course) that passes groups[0] */
    SEARCH_HAS,     /* a visible record of type ids[0] references this one by param and passes groups[0] */
    SEARCH_ANY,     /* passes at least one of groups */
    SEARCH_WORDS    /* value.text: narrative (param 0) or all text (param 1) holds these words */
};

struct search_filter {
    enum search_filter_kind kind;
    bool none; /* passes when it would not (not for SEARCH_TERM, which has its own) */
    uint16_t param;
    struct search_term term;
    struct search_value value;
    const struct slice *ids;
    size_t id_count;
    const int64_t *persons; /* empty: nobody, matches nothing */
    size_t person_count;
    const struct search_list *groups;
    size_t group_count;
};

enum search_order { SEARCH_BY_PARAM, SEARCH_BY_UPDATED, SEARCH_BY_ID };

/* Ascending takes a record's least value, descending its greatest; records without any come last either way. */
struct search_sort {
    enum search_order order;
    uint16_t param;
    enum facet_kind kind;
    bool descending;
};

struct search {
    const struct slice *types; /* of any of these; none: of every type */
    size_t type_count;
    struct search_list filters;
    uint64_t categories;       /* mask; 0 = no restriction */
    const struct search_sort *sorts; /* then by rid */
    size_t sort_count;
    unsigned limit;            /* page size, at most LIMIT_SEARCH_COUNT; 0 = count only */
    bool count_total;
    bool after_given;          /* continue after this place */
    struct slice after_key;    /* sort key as search_result gave it; empty when unsorted */
    int64_t after_rid;
    int64_t snapshot;          /* > 0: as search_result gave it on the first page. A search sorted by lastUpdated keeps
                                  its order although records change meanwhile: each stands where it stood then */
};

struct search_result {
    struct record *records; /* with facets, for includes */
    size_t count;
    bool more;              /* another page exists */
    struct slice last_key;  /* place of the last record, for the cursor; at most LIMIT_SORT_KEY bytes */
    int64_t last_rid;
    int64_t snapshot;
    uint64_t total;         /* when count_total */
    bool total_unknown;     /* counting took longer than LIMIT_TOTAL_MS beside a page: total means nothing */
};

/* For type Patient one record per person is returned and counted: the grant facility's own, else the
 * newest. ERR_TIMEOUT beyond LIMIT_SEARCH_MS, ERR_TOO_LARGE when the statement would outgrow its bounds. Results live
 * in ARENA. */
enum err search_run(struct session *s, struct arena *arena, const struct search *search,
                    struct search_result *ret_result) ERR_CHECKED;

/* Does RECORD, as read under the bound grant, pass SEARCH's types and filters? (Subscriptions, conditional writes on
 * known records.) Runs the same statement cut to its rid. */
enum err search_matches(struct session *s, const struct search *search, int64_t rid,
                        bool *ret_matches) ERR_CHECKED;

/* Categories of PERSON the bound grant sees, as mask, decided by the same gate (for $explain-access). */
enum err search_visible(struct session *s, int64_t person, uint64_t *ret_categories) ERR_CHECKED;

#endif
