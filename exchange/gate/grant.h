/* SPDX-License-Identifier: Apache-2.0
 *
 * The only maker of struct grant: from who was identified, what he claims and what is in force, to a grant or a refusal.
 */
#ifndef EXCHANGE_GATE_GRANT_H
#define EXCHANGE_GATE_GRANT_H

#include "exchange/request.h"

/* Decides on the caller, claims and emergency session already in R; fills r->grant and r->granted. Errors:
 * ERR_FORBIDDEN (actor or purpose not allowed to this kind of facility, writing under an emergency). */
enum err grant_make(struct request *r) ERR_CHECKED;

#endif
