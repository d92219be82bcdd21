/* SPDX-License-Identifier: Apache-2.0
 *
 * Creating a resource from inside (demo region, `tasuki import fhir`): the same use case as POST,
 * through the same pipeline, on behalf of a facility or a resident.
 */
#ifndef EXCHANGE_DOOR_FHIR_LOAD_H
#define EXCHANGE_DOOR_FHIR_LOAD_H

#include "exchange/request.h"

/* A request ready for pipeline_start or pipeline_run that creates RESOURCE_JSON (borrowed until it
 * ends), or updates it when it carries an id of a type that belongs to no person. FACILITY_KEY or,
 * when empty, RESIDENT_PERSON says on whose behalf. NULL when memory is out. The caller sets answer
 * and door_data. */
struct request *fhir_load_request(struct exchange *x, struct slice facility_key,
                                  int64_t resident_person, struct slice resource_json);

/* The same for a Bundle of type transaction or batch, all of it. A batch's entries do not run: only transactions. */
struct request *fhir_load_bundle(struct exchange *x, struct slice facility_key,
                                 struct slice bundle_json);

#endif
