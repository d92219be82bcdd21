/* SPDX-License-Identifier: Apache-2.0
 *
 * Search rows of a resource (R4 search.html): every searchable parameter of its type, evaluated over the JSON. A pure
 * function, so indexes can be rebuilt. And the same folding for the values of a query.
 */
#ifndef MAPPERS_FHIR_FACETS_H
#define MAPPERS_FHIR_FACETS_H

#include "base/err.h"
#include "base/facet.h"
#include "base/json.h"
#include "mappers/fhir/definition.h"

/* All facets of RESOURCE (internal form: references as they stand). At most LIMIT_FACETS. */
enum err facets_extract(struct arena *arena, const struct json *resource,
                        struct facet_list *ret_facets) ERR_CHECKED;

#endif
