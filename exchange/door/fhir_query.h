/* SPDX-License-Identifier: Apache-2.0
 *
 * From search parameters as written in a URL to the compiled search that storage runs (R4
 * search.html). Strict: a parameter or modifier the table does not know is refused, naming what is
 * valid, unless the caller asked for lenient handling.
 */
#ifndef EXCHANGE_DOOR_FHIR_QUERY_H
#define EXCHANGE_DOOR_FHIR_QUERY_H

#include "exchange/door/fhir.h"
#include "storage/search.h"

struct fhir_query {
    struct search search;
    bool count_only;       /* _summary=count or _count=0 */
    struct slice cursor;   /* as given; empty on the first page */
    int64_t hidden_person; /* a person the query named, whether visible or not: for the audit row */
    struct search_term terms[LIMIT_SEARCH_PARAMS];
    struct when updated[8];
    enum search_op updated_ops[8];
    int64_t persons[64];
};

/* Compiles the parameters in r->input. Errors name the parameter. */
enum err fhir_query_compile(struct session *s, struct request *r,
                            struct fhir_query *query) ERR_CHECKED;

/* One OR list split at commas (escapes \, \| \$ \\ kept for the value's own parser). */
struct slice fhir_query_value(struct slice *rest);
/* The values of one ordinary parameter as a term (fhir_query_term.c). */
enum err fhir_query_term(struct session *s, struct request *r, const struct fhir_param *p,
                         const struct definition_param *def,
                         struct search_term *ret_term) ERR_CHECKED;
/* A date with prefix: op and span. */
bool fhir_query_date(struct slice value, enum search_op *ret_op, struct when *ret_when);
/* "|" not preceded by a backslash; value.len when there is none. */
size_t fhir_query_bar(struct slice value);
/* Without the escapes, in the arena. */
struct slice fhir_query_unescape(struct arena *arena, struct slice value);

#endif
