/* SPDX-License-Identifier: Apache-2.0
 *
 * Codes against required bindings (R4 terminologies.html#required): the generated tables name the
 * codes, a small table here the code systems they belong to. Private to mappers/fhir.
 */
#ifndef MAPPERS_FHIR_CODED_H
#define MAPPERS_FHIR_CODED_H

#include "base/json.h"
#include "mappers/fhir/findings.h"

/* Checks VALUE, the string, Coding or CodeableConcept of element E of type TYPE, which has a
 * required binding. */
void coded_check(struct findings *f, const struct definition_type *type,
                 const struct definition_element *e, const struct json *value,
                 const struct place *at);

#endif
