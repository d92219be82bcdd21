/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations (R4 operations.html). One table says what each takes and gives (fhir_operation_table.c); from it come the check of
 * its parameters, OperationDefinition/[id], the CapabilityStatement's entries and the OpenAPI document. Which
 * code answers is the route's affair (fhir_route.c); a test proves that both tables name the same operations.
 */
#ifndef EXCHANGE_DOOR_FHIR_OPERATION_H
#define EXCHANGE_DOOR_FHIR_OPERATION_H

#include "exchange/door/fhir_query.h"

enum { OPERATION_SYSTEM = 1, OPERATION_TYPE = 2, OPERATION_INSTANCE = 4 };

struct fhir_operation_param {
    const char *name; /* NULL ends a list */
    bool out;
    uint8_t min;
    const char *max;    /* "1" or "*" */
    const char *type;   /* FHIR type; NULL: has parts */
    const char *search; /* kind of search parameter it is written like; or NULL */
    const char *part_of; /* name of the parameter above it; or NULL */
    const char *ja, *en;
};

struct fhir_operation {
    const char *name;  /* without $; NULL ends the table */
    const char *types; /* space-separated; "Resource": every one; NULL: of the system only */
    unsigned where;
    bool affects_state;
    const char *base;   /* canonical of the definition it follows, as HL7, IHE and others give it; or NULL */
    const char *search; /* takes the search parameters of this type too; or NULL */
    const char *ja, *en;
    const struct fhir_operation_param *params;
};

extern const struct fhir_operation fhir_operations[];

/* The operation that ROUTE answers; NULL when it is none. */
const struct fhir_operation *fhir_operation_of(const struct fhir_route *route);

/* Reads the parameters of the request, from its URL and from a Parameters resource in its body, into input->params as if all
 * had come by URL, and checks names, number and presence against the operation's row. Resources and values without a
 * text stay in input->resource. ERR_UNKNOWN_PARAM, ERR_BAD_PARAM, whatever a body is refused for. */
enum err fhir_operation_params(struct request *r) ERR_CHECKED;
/* For an operation that reads its Parameters itself: refuses names that its row does not have. */
enum err fhir_operation_names(struct request *r, const struct json *parameters) ERR_CHECKED;
/* The first value of parameter NAME; empty when it was not given. */
struct slice fhir_operation_value(const struct fhir_input *in, const char *name);

/* ── definitions ─────────────────────────────────────────────────────────────────────────────── */

/* Id of OPERATION's definition on this server, "tasuki-Patient-everything". In ARENA. */
const char *fhir_operation_id(struct arena *arena, const struct fhir_operation *operation);
/* Canonical of it: BASE_URL/OperationDefinition/[id]. */
const char *fhir_operation_url(struct arena *arena, const char *base_url,
                               const struct fhir_operation *operation);
/* Is TYPE/ID a definition made from the table? Nobody may store one there. */
bool fhir_operation_is_ours(struct arena *arena, struct slice type, struct slice id);
/* The OperationDefinition ID as a record to print. ERR_NOT_FOUND. */
enum err fhir_operation_record(struct request *r, struct slice id,
                               struct record *ret_record) ERR_CHECKED;
/* Those that the request's search of OperationDefinition asks for: by url, name, code, _id, status, kind; none when it asks by
 * anything else. */
enum err fhir_operation_search(struct request *r, struct record **ret_records,
                               size_t *ret_count) ERR_CHECKED;

#endif
