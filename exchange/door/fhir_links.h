/* SPDX-License-Identifier: Apache-2.0
 *
 * Links of a resource that are no References but follow a transaction's new identities all the same (R4
 * http.html#trules): elements of type uri and url, href and src in the narrative. Elements of type canonical do not.
 */
#ifndef EXCHANGE_DOOR_FHIR_LINKS_H
#define EXCHANGE_DOOR_FHIR_LINKS_H

#include "base/json.h"

/* Replaces each link for which FN gives a target (an empty one leaves it). */
enum err fhir_links_rewrite(struct arena *arena, struct json *resource,
                            struct slice (*fn)(void *context, struct slice link),
                            void *context) ERR_CHECKED;

#endif
