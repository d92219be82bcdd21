/* SPDX-License-Identifier: Apache-2.0
 *
 * Search values of a resource as text, for looking at them: map --to facets.
 */
#ifndef EXCHANGE_CLI_MAP_FACETS_H
#define EXCHANGE_CLI_MAP_FACETS_H

#include "base/err.h"
#include "base/json.h"

/* Appends one line of JSON for each facet of RESOURCE, packed order, doubles left in: parameter, kind and the value's parts.
 * Dates in ms since 1970, open ends null. */
enum err map_facets_print(struct arena *arena, const struct json *resource,
                          struct buf *out) ERR_CHECKED;

#endif
