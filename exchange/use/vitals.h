/* SPDX-License-Identifier: Apache-2.0
 *
 * Home vital signs: what a resident or his gateway may post, within which limits, and how a repeat
 * is recognised. The limits are our own choice (guide section 6.2), wide enough for any living
 * person; beyond them a typing or device error is likelier.
 */
#ifndef EXCHANGE_USE_VITALS_H
#define EXCHANGE_USE_VITALS_H

#include "base/ids.h"
#include "exchange/request.h"

/* Checks OBSERVATION (known codes: value present, UCUM unit, limits, diastolic below systolic, time
 * not in the future) and marks it as patient-generated. ERR_IMPLAUSIBLE, ERR_INVALID, ERR_REQUIRED
 * with the place. */
enum err vitals_accept(struct request *r, struct json *observation) ERR_CHECKED;

/* The id of this measurement: a keyed function of source, person and the observation's first
 * identifier, or else of code, time and values; so that the same measurement posted twice is one
 * record. */
void vitals_id(const struct request *r, int64_t person, const struct json *observation,
               char ret_id[IDS_UUID_LEN + 1]);

#endif
