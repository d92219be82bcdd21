/* SPDX-License-Identifier: Apache-2.0
 *
 * Stored definitions (StructureDefinition, ValueSet, CodeSystem) by their canonical. Those of the
 * operator hold for everybody, a facility's own for itself; what another facility has stored
 * decides nothing.
 */
#ifndef EXCHANGE_DOOR_FHIR_CANONICAL_H
#define EXCHANGE_DOOR_FHIR_CANONICAL_H

#include "exchange/request.h"
#include "mappers/fhir/canonical.h"

/* The definition of TYPE called CANONICAL ("url" or "url|version"; without a version the newest
 * that is not retired), parsed once in a request. ERR_NOT_FOUND. r->input must be a struct
 * fhir_input. */
enum err fhir_canonical(struct session *s, struct request *r, struct slice type,
                        struct slice canonical, struct json **ret_definition) ERR_CHECKED;

/* The same as a source for the mappers. Make one on the stack: it lives as long as it is used. */
struct fhir_canonical_context {
    struct session *session;
    struct request *request;
};
struct canonical_source fhir_canonical_source(struct fhir_canonical_context *context);

#endif
