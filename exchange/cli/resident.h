/* SPDX-License-Identifier: Apache-2.0
 *
 * How a listing names a resident to the operator: by card and by the facilities that know him.
 * Internal numbers and names of people are not for listings.
 */
#ifndef EXCHANGE_CLI_RESIDENT_H
#define EXCHANGE_CLI_RESIDENT_H

#include "base/arena.h"
#include "storage/session.h"

/* The card of PERSON, empty when none is in force, and his charts, "hospital-a:123 clinic-c": a
 * chart without a number of its own by its facility alone. Both in ARENA. */
enum err resident_name(struct session *s, struct arena *arena, int64_t person,
                       struct slice *ret_card, struct slice *ret_known_as) ERR_CHECKED;

#endif
