/* SPDX-License-Identifier: Apache-2.0
 *
 * Search values of a resource (R4 search.html): every searchable parameter of its type, evaluated over the JSON. A pure
 * function, so indexes can be rebuilt. And the same folding for the values of a query.
 */
#ifndef MAPPERS_FHIR_FACETS_H
#define MAPPERS_FHIR_FACETS_H

#include "base/err.h"
#include "base/facet.h"
#include "base/json.h"
#include "mappers/fhir/definition.h"

/* All facets of RESOURCE (internal form: references as they stand). More than LIMIT_FACETS: ERR_TOO_LARGE.
 * They point into RESOURCE's text and ARENA, an identifier's token before its other facets but else in
 * no order, and may repeat when the resource repeats itself: facet_pack
 * puts them right. _id and _lastUpdated give none: the store keeps them itself. An unknown type has none. */
enum err facets_extract(struct arena *arena, const struct json *resource,
                        struct facet_list *ret_facets) ERR_CHECKED;

/* A decimal of a query: itself, and [lo, hi) that its written precision stands for, as the doubles nearest to these
 * decimals: 5.4, 5.35, 5.45. False when it is not a number, or too long or large for one. */
bool facets_number(struct slice literal, double *ret_lo, double *ret_hi, double *ret_exact);

#endif
