/* SPDX-License-Identifier: Apache-2.0
 *
 * From a FHIR R4 Consent (IHE PCF basic) to rules of the gate (storage/consent.h). What cannot be
 * interpreted is refused, or taken for the least it can mean, never ignored: a consent that says
 * more than we enforce would be a false promise.
 */
#ifndef EXCHANGE_GATE_CONSENT_H
#define EXCHANGE_GATE_CONSENT_H

#include "exchange/request.h"
#include "storage/consent.h"

/* Compiles CONSENT to rules in r's arena. A Consent that is not `active` compiles to none. Errors
 * name the place in r->errors (ERR_INVALID, ERR_REQUIRED).
 * MIRRORED: the document of a system that keeps it under an id of its own (PUT). It is kept as it is also when it says
 * more than we enforce, and then counts for the least it can mean: if anything in it denies, everything is denied to
 * everybody (but not emergencies); nothing is permitted. */
enum err consent_compile(struct session *s, struct request *r, const struct json *consent,
                         bool mirrored, struct consent_rule **ret_rules,
                         size_t *ret_count) ERR_CHECKED;

#endif
