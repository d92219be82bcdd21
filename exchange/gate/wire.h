/* SPDX-License-Identifier: Apache-2.0
 *
 * Patient ids on the wire (design invariant 5): each reading organisation, and each resident, has a
 * key of its own; the id of a person under that key is a reversible keyed permutation (base/ids.h).
 * Two organisations cannot join their ids, an id of one is unknown to the other, and no table of
 * ids is needed.
 */
#ifndef EXCHANGE_GATE_WIRE_H
#define EXCHANGE_GATE_WIRE_H

#include "base/ids.h"
#include "exchange/request.h"

/* Makes r->wire_key for the audience of r->grant. */
void wire_prepare(struct request *r);
/* Id of PERSON for the audience of R. */
void wire_id(struct request *r, int64_t person, char ret_id[IDS_WIRE_LEN + 1]);
/* The person behind a Patient id the caller sent: a wire id of his own, or an id he chose himself
 * by PUT. ERR_NOT_FOUND. */
enum err wire_person(struct session *s, const struct request *r, struct slice id,
                     int64_t *ret_person) ERR_CHECKED;

#endif
