/* SPDX-License-Identifier: Apache-2.0
 *
 * Small FHIR documents that the doors themselves speak: OperationOutcome, Bundle envelopes, Parameters,
 * CapabilityStatement (generated from the tables the routes use).
 */
#ifndef MAPPERS_FHIR_OUTCOME_H
#define MAPPERS_FHIR_OUTCOME_H

#include "base/err.h"
#include "base/json.h"

/* OperationOutcome of ERRORS; of CODE alone when the list is empty or NULL. Each issue: severity, code, details.text in
 * Japanese and English ("日本語 / English"), diagnostics (own code name), expression when there is a place. */
struct json *outcome_json(struct arena *arena, enum err code, const struct err_list *errors);

/* What the server can do, for /metadata. Interactions and operations come from the caller's route table. */
struct outcome_route {
    const char *type;        /* resource type, or NULL = every type / system level */
    const char *interaction; /* FHIR codes: read, vread, update ..., and words of what a resource's entry says besides:
                                conditional-create, conditional-read, conditional-update, conditional-delete,
                                read-history, update-create, versioned-update; space-separated; or NULL */
    const char *operation;   /* name without $, or NULL */
    const char *params;      /* of a search: space-separated; NULL = all of the type's */
    const char *definition;  /* canonical of the operation */
    bool system;             /* the operation is the system's, not every type's */
};
struct json *outcome_capability(struct arena *arena, const char *version, const char *base_url,
                                int64_t built_ms, const struct outcome_route *routes, size_t count);

#endif
