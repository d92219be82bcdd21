/* SPDX-License-Identifier: Apache-2.0
 *
 * Parameters of an $export kick-off (FHIR Bulk Data Access 2.0, "Query Parameters"): read when it is asked, to refuse what
 * is not supported, and again in each step of the job.
 */
#ifndef EXCHANGE_PUSH_EXPORT_QUERY_H
#define EXCHANGE_PUSH_EXPORT_QUERY_H

#include "exchange/request.h"
#include "storage/search.h"

struct export_filter {
    struct slice type;
    struct search search;
};

struct export_query {
    struct slice *types; /* none: all */
    size_t type_count;
    bool since_given;
    int64_t since_ms;
    struct export_filter *filters; /* _typeFilter: a resource of a type that has some must pass one of them */
    size_t filter_count;
};

/* Reads QUERY (URL-encoded). Needs the grant bound. Unknown parameters are ERR_UNKNOWN_PARAM unless LENIENT. */
enum err export_query_read(struct session *s, struct request *r, struct slice query, bool lenient,
                           struct export_query *ret_query) ERR_CHECKED;
/* A Parameters resource as the same text, in r's arena. */
enum err export_query_body(struct request *r, const struct json *parameters,
                           struct slice *ret_query) ERR_CHECKED;

#endif
