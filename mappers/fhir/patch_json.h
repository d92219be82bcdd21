/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON Patch (RFC 6902) with JSON Pointers (RFC 6901) on a resource (R4 http.html#patch). Strict, and all or
 * nothing. Whether the result is a resource is not asked here: the caller validates it, and keeps
 * id and meta as they must be.
 */
#ifndef MAPPERS_FHIR_PATCH_JSON_H
#define MAPPERS_FHIR_PATCH_JSON_H

#include "base/err.h"
#include "base/json.h"

/* Applies the operations of PATCH to a copy of TARGET; neither is changed, the result lives in ARENA and borrows
 * their strings. ERR_MALFORMED: no JSON Patch; ERR_INVALID: a place that is not there, a test that fails;
 * ERR_TOO_LARGE, ERR_TOO_DEEP, ERR_LIMIT: bounds. ERRORS then names operation and pointer. */
enum err patch_json_apply(struct arena *arena, const struct json *target, const struct json *patch,
                          struct json **ret_patched, struct err_list *errors) ERR_CHECKED;

#endif
