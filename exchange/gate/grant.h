/* SPDX-License-Identifier: Apache-2.0
 *
 * The only maker of struct grant: from who was identified, what he claims and what is in force, to
 * a grant or a refusal. docs/decisions/0006 says which kind of facility may claim which purpose.
 */
#ifndef EXCHANGE_GATE_GRANT_H
#define EXCHANGE_GATE_GRANT_H

#include "exchange/request.h"

/* Decides on the caller, claims and emergency session already in R; fills r->grant and r->granted.
 * ERR_FORBIDDEN (actor or purpose not allowed to this kind of facility, writing under an
 * emergency), ERR_BAD_HEADER. */
enum err grant_make(struct request *r) ERR_CHECKED;

/* What r's caller may see when only his own records count (the criteria of a conditional write): a facility its own
 * charts, a resident himself. R must be granted. */
void grant_own(const struct request *r, struct grant *ret_grant);

/* v3-ActReason code of a purpose, and back. */
const char *grant_purpose_code(enum grant_purpose purpose);
bool grant_purpose_find(struct slice code, enum grant_purpose *ret_purpose);

#endif
