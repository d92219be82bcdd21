/* SPDX-License-Identifier: Apache-2.0
 *
 * Internal to storage/: how a search becomes one gated statement. search.c writes the whole of it and runs it,
 * search_resolve.c reads the other ends of chains, search_filter.c what a record must pass, search_start.c where to begin, search_say.c text and parameters side by
 * side, search_fn.c the functions the statement calls. Every record of the statement has an alias number: its view is
 * r<number>, and helpers of it k<number>, h<number>, t<number>.
 */
#ifndef STORAGE_SEARCH_IMPL_H
#define STORAGE_SEARCH_IMPL_H

#include "base/arena.h"
#include "storage/search.h"
#include "storage/sql.h"

/* Bound as pointers for tasuki_match and tasuki_sort; their types' names are part of SQLite's check. */
#define SEARCH_PASS_POINTER "tasuki_pass"
#define SEARCH_ORDER_POINTER "tasuki_order"

/* Terms (and ANYs of terms only) that one record's facets must pass, all of them. */
struct search_pass {
    struct search_list list;
    int64_t now_ms;
    uint64_t work; /* since the clock was looked at */
};

struct search_sorts {
    const struct search_sort *items;
    size_t count;
    struct buf key;
};

struct search_param {
    enum { SEARCH_PARAM_INT, SEARCH_PARAM_TEXT, SEARCH_PARAM_BLOB, SEARCH_PARAM_POINTER } kind;
    int64_t integer;
    struct slice text;
    void *pointer;
    const char *pointer_type;
};

/* The charts of a SEARCH_PERSONS filter that the grant may ask for. */
struct search_charts {
    const struct search_filter *of;
    int64_t *items;
    size_t count;
    bool elsewhere; /* a visible record names one of them in a reference: it may hang on another's chart */
    struct search_charts *next;
};

struct search_compose {
    struct session *session;
    struct arena *arena;
    const struct search *search;
    struct search_list filters; /* the search's, or what they became */
    int64_t now_ms;
    struct buf text;
    struct search_param *params;
    unsigned count, room;
    unsigned aliases; /* given out */
    unsigned unions;
    struct search_charts *charts;
    struct search_sorts *sorts; /* NULL: by rid */
    bool in_blocks; /* the record r1 comes by one key, in order of blocks, and in each in its own */
    enum err err; /* sticky */
};

/* Whose conditions are being written: the record OWN, looked for on behalf of OUTER. */
struct search_at {
    unsigned own, outer;
};

/* What is known of a record's type. None: nothing. */
struct search_types {
    const struct slice *items;
    size_t count;
};

/* ── search_say.c ────────────────────────────────────────────────────────────────────────────── */

/* Appends TEXT, with the own alias number for '#' and the outer one for '^'. Its question marks must be bound
 * straight after, in order. */
void search_say(struct search_compose *c, struct search_at at, const char *text);
void search_bind_int(struct search_compose *c, int64_t value);
void search_bind_text(struct search_compose *c, struct slice value);
void search_bind_blob(struct search_compose *c, struct slice value);
void search_bind_pass(struct search_compose *c, struct search_pass *pass);
void search_bind_sorts(struct search_compose *c);
/* " IN (?,?...)" with its values; lists are padded to a power of two with the last value, so that few
 * different texts exist. COUNT > 0. */
void search_say_texts(struct search_compose *c, const struct slice *values, size_t count);
void search_say_ints(struct search_compose *c, const int64_t *values, size_t count);
/* A record's number, and where it is looked for on behalf of OUTER. */
struct search_at search_alias(struct search_compose *c, unsigned outer);
/* For another statement on behalf of the same search; its text is to be freed. */
struct search_compose search_aside(const struct search_compose *c);
/* Forgets what was written. */
void search_say_anew(struct search_compose *c);
/* Compiles what was written and binds its parameters. */
enum err search_prepare(struct search_compose *c, struct sql **ret_sql) ERR_CHECKED;
/* Zeroed memory of the search; NULL sets c->err. */
void *search_alloc(struct search_compose *c, size_t count, size_t size);

/* ── search_filter.c ─────────────────────────────────────────────────────────────────────────── */

/* " AND ..." for the type and every filter of LIST on the record AT. */
void search_say_conditions(struct search_compose *c, struct search_at at, struct search_types types,
                           const struct search_list *list);
/* " AND r#.type ..." */
void search_say_types(struct search_compose *c, struct search_at at, struct search_types types);
/* The charts of a SEARCH_PERSONS filter; NULL sets c->err. */
const struct search_charts *search_charts_of(struct search_compose *c,
                                             const struct search_filter *filter);
/* "Patient/@<chart>" of each chart. */
struct slice *search_patients(struct search_compose *c, const struct search_charts *charts);
/* Could a record of these types be a Patient, or anything else? */
bool search_may_be_patient(struct search_types types);
bool search_may_be_other(struct search_types types);

/* ── search_start.c ──────────────────────────────────────────────────────────────────────────── */

/* "FROM ... WHERE ..." with the record AT in it, no record twice, and among them every one that passes the filters. */
void search_say_start(struct search_compose *c, struct search_at at, struct search_types types,
                      const struct search_list *list);
/* How records of TYPES are entered in the value or string index (storage/key.h): beside the key or
 * parameter FLAG, KEY_BLOCK or KEY_BLOCK_PARAM, if one may be other than a Patient, and 0 if one
 * may be a Patient. Returns how many. */
size_t search_entered_as(struct search_types types, int64_t flag, int64_t ret_flags[2]);
/* Is there nothing better to begin with than dates, changes or the type? */
bool search_starts_wide(const struct search_compose *c, struct search_types types,
                        const struct search_list *list);
/* Does it begin with logical ids or with persons? */
bool search_starts_narrow(const struct search_compose *c, struct search_types types,
                          const struct search_list *list);
/* Does an index find the other end of a SEARCH_CHAIN or SEARCH_HAS? */
bool search_can_start(const struct search_compose *c, const struct search_filter *filter);
/* "SELECT r#.rid ..." of the records that pass a SEARCH_WORDS filter. */
void search_say_words(struct search_compose *c, struct search_at at,
                      const struct search_filter *filter);
/* The numbers [ret_lo, ret_hi) of changes whose time passes VALUE; SEARCH_NE: does not pass. */
void search_seq_span(const struct search_value *value, int64_t now_ms, int64_t *ret_lo,
                     int64_t *ret_hi);

/* ── search_resolve.c ────────────────────────────────────────────────────────────────────────── */

/* Sets c->filters to LIST, with chains whose other end is found at once replaced by what they mean. */
void search_resolve(struct search_compose *c, struct search_types types,
                    const struct search_list *list);

/* ── search_fn.c ─────────────────────────────────────────────────────────────────────────────── */

/* Adds tasuki_match and tasuki_sort to the connection. */
enum err search_fn_open(struct session *s) ERR_CHECKED;

#endif
