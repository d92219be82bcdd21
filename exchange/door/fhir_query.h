/* SPDX-License-Identifier: Apache-2.0
 *
 * From search parameters as written in a URL to the tree of filters that storage runs (R4
 * search.html; storage/search.h). Strict: a parameter, modifier or prefix that is not known is
 * refused, naming what is valid, unless the caller asked for lenient handling. Whoever names a
 * patient, at whatever depth of a chain, is found through the relay index and nowhere else
 * (exchange/gate/refs.h): the index of values holds nobody's card or number.
 */
#ifndef EXCHANGE_DOOR_FHIR_QUERY_H
#define EXCHANGE_DOOR_FHIR_QUERY_H

#include "exchange/door/fhir.h"
#include "mappers/fhir/subset.h"
#include "storage/search.h"

/* One _include or _revinclude. */
struct fhir_include {
    struct slice source; /* type that has the parameter; empty: any ("*") */
    struct slice param;  /* its code; empty: every reference parameter */
    struct slice target; /* only targets of this type; empty: any */
    bool reverse;
    bool iterate; /* also applied to what was included */
};

/* A request's search parameters, compiled. */
struct fhir_query {
    struct search search;
    bool count_only; /* _summary=count or _count=0 */
    struct subset subset;
    struct fhir_include *includes;
    size_t include_count;
    struct slice cursor;   /* as given; empty on the first page */
    int64_t hidden_person; /* a person the query named, visible or not: for the audit row */
    bool ignored[LIMIT_SEARCH_PARAMS]; /* of the request's parameters: left out by lenient handling
                                        */
    const char *why[LIMIT_SEARCH_PARAMS]; /* of the ignored ones: what was not supported */
};

/* Compiles the parameters of the request's own URL and form, with its compartment. Errors name the
 * parameter. */
enum err fhir_query_compile(struct session *s, struct request *r,
                            struct fhir_query *query) ERR_CHECKED;

/* Compiles TEXT ("code=…&patient=…", URL-encoded, with or without a leading "?") as a search of
 * TYPE that is not the request's own: the criteria of a conditional write, of a conditional
 * reference, of a subscription. Only filters: result parameters (_count, _sort, _include …) are
 * refused, handling is strict whatever the request prefers. A limit of LIMIT_SEARCH_COUNT_DEFAULT
 * is set and the total not asked for; the caller may change both. Empty TEXT: no filter at all (the
 * caller of a conditional write refuses that: *ret->filters.count is 0). Needs the grant bound.
 * Everything lives in r's arena; errors, ERR_UNKNOWN_PARAM, ERR_BAD_PARAM, ERR_TOO_LARGE,
 * ERR_TOO_DEEP, in r->errors. */
enum err fhir_query_parse(struct session *s, struct request *r, struct slice type,
                          struct slice text, struct search *ret) ERR_CHECKED;

/* A date with prefix: op and span. */
bool fhir_query_date(struct slice value, enum search_op *ret_op, struct when *ret_when);

#endif
