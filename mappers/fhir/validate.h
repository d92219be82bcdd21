/* SPDX-License-Identifier: Apache-2.0
 *
 * Does a resource obey R4? Unknown elements, types, cardinality, choice types, primitive formats, required bindings,
 * form of references and ids, narrative allow-list. Findings carry a FHIRPath `expression`. Table-driven from
 * definition.h; no type has code of its own here.
 */
#ifndef MAPPERS_FHIR_VALIDATE_H
#define MAPPERS_FHIR_VALIDATE_H

#include "base/err.h"
#include "base/json.h"

/* Checks RESOURCE; EXPECTED_TYPE (may be empty) must equal its resourceType. Returns the first error's code. */
enum err validate_resource(const struct json *resource, struct slice expected_type,
                           struct err_list *errors) ERR_CHECKED;

#endif
