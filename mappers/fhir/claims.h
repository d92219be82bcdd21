/* SPDX-License-Identifier: Apache-2.0
 *
 * The profiles a resource claims in meta.profile (R4 resource.html#profile-tags): of itself, and of
 * the resources in a Bundle's entries and in Parameters.
 */
#ifndef MAPPERS_FHIR_CLAIMS_H
#define MAPPERS_FHIR_CLAIMS_H

#include "mappers/fhir/canonical.h"

/* Checks RESOURCE, which obeys R4, against every profile claimed in it. A profile that is not
 * stored is a warning. Returns the code of the first error, as profile_check does. */
enum err claims_check(const struct json *resource, const struct canonical_source *source,
                      struct err_list *errors) ERR_CHECKED;

/* Is CANONICAL the definition of TYPE by R4 itself, which every valid resource obeys? */
bool claims_is_core(struct slice canonical, struct slice type);

#endif
