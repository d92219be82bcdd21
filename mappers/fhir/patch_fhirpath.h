/* SPDX-License-Identifier: Apache-2.0
 *
 * FHIRPath Patch (R4 fhirpatch.html): a Parameters resource whose operations name elements by FHIRPath.
 * Strict, and all or nothing. Values must be of the type the place wants; whether the result is a valid
 * resource the caller asks validate.h, and the caller keeps id and meta as they must be.
 */
#ifndef MAPPERS_FHIR_PATCH_FHIRPATH_H
#define MAPPERS_FHIR_PATCH_FHIRPATH_H

#include "base/err.h"
#include "base/json.h"

/* Applies the operations of PARAMETERS to a copy of TARGET; neither is changed, the result lives in ARENA and borrows
 * their strings. Deleting what is not there does nothing; what a deletion leaves empty goes too. ERR_MALFORMED: no
 * such Parameters; ERR_REQUIRED: a part is missing; ERR_INVALID: a path, place or value that does not fit;
 * ERR_NOT_SUPPORTED: FHIRPath outside our subset; ERR_TOO_LARGE, ERR_TOO_DEEP, ERR_LIMIT: bounds. ERRORS then names the
 * operation as Parameters.parameter[n]. */
enum err patch_fhirpath_apply(struct arena *arena, const struct json *target,
                              const struct json *parameters, struct json **ret_patched,
                              struct err_list *errors) ERR_CHECKED;

#endif
