/* SPDX-License-Identifier: Apache-2.0
 *
 * A place of a message in words: findings name places as SEGMENT[n]-field.component, and people
 * ask what that is called.
 */
#ifndef MAPPERS_HL7V2_EXPLAIN_H
#define MAPPERS_HL7V2_EXPLAIN_H

#include "base/arena.h"

/* What PLACE ("OBX[3]-5.1", "PV1-44", "PID[1]") is called: "Observation/Result: Observation
 * Value", "検査結果: 結果値". Empty when PLACE is no place of a message. In ARENA. */
void explain_place(struct arena *arena, struct slice place, struct slice *ret_en,
                   struct slice *ret_ja);

#endif
