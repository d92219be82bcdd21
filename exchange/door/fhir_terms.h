/* SPDX-License-Identifier: Apache-2.0
 *
 * Terminology over stored definitions, for those who need codes and not an answer: a search by
 * `:in` and `:not-in`, `:below` and `:above`.
 */
#ifndef EXCHANGE_DOOR_FHIR_TERMS_H
#define EXCHANGE_DOOR_FHIR_TERMS_H

#include "exchange/request.h"

struct fhir_terms_code {
    struct slice system, code;
};

/* All codes of the stored value set SET: a canonical ("url", "url|version") or a reference to it
 * ("ValueSet/id", also as a full URL of this server). At most LIMIT_VALUESET_CODES, in r's arena.
 * ERR_NOT_FOUND, ERR_NOT_SUPPORTED and what valueset_expand says, in r->errors too. */
enum err fhir_terms_expand(struct session *s, struct request *r, struct slice set,
                           struct fhir_terms_code **ret_codes, size_t *ret_count) ERR_CHECKED;

/* CODE of the stored code system SYSTEM and what it subsumes; ABOVE: and what subsumes it. ERR_NOT_FOUND (no such system),
 * ERR_NOT_SUPPORTED (no such code in it, or it is not complete), in r->errors too. */
enum err fhir_terms_subsumed(struct session *s, struct request *r, struct slice system,
                             struct slice code, bool above, struct fhir_terms_code **ret_codes,
                             size_t *ret_count) ERR_CHECKED;

#endif
