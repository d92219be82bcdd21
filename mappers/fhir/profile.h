/* SPDX-License-Identifier: Apache-2.0
 *
 * A resource against a StructureDefinition (R4 profiling.html): cardinality, fixed and pattern
 * values, types and targets, slicing, required bindings, limits of values and lengths,
 * must-support. A snapshot is used when there is one; else the differentials from the first stored
 * profile down to this one, over R4's own type, which validate.h has checked already. Pure:
 * definitions come through the caller's source. What is not understood or not stored is told as
 * "not checked", never passed over.
 */
#ifndef MAPPERS_FHIR_PROFILE_H
#define MAPPERS_FHIR_PROFILE_H

#include "mappers/fhir/canonical.h"

/* Checks RESOURCE, which obeys R4, against PROFILE, a StructureDefinition. Findings go to ERRORS:
 * violations as errors, extensible bindings as warnings, must-support that is absent and whatever
 * was not checked as information (these last, so that they displace nothing). Returns the first
 * error's code; ERR_NOT_SUPPORTED or ERR_TOO_DEEP when PROFILE itself cannot be used. */
enum err profile_check(const struct json *resource, const struct json *profile,
                       const struct canonical_source *source, struct err_list *errors) ERR_CHECKED;

#endif
