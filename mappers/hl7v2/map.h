/* SPDX-License-Identifier: Apache-2.0
 *
 * HL7 v2 / SS-MIX2 message to resources: one message family a file (adt.c, oul.c, rde.c ...), one
 * segment a file (pid.c, pv1.c, obx.c ...), driven by tables. map.c chooses by MSH-9 and keeps
 * count of what was used.
 */
#ifndef MAPPERS_HL7V2_MAP_H
#define MAPPERS_HL7V2_MAP_H

#include "mappers/hl7v2/lex.h"
#include "mappers/mapped.h"

/* Maps MESSAGE. ERRORS receives errors (then nothing may be stored) and warnings, places as
 * SEG[n]-f.c. ERR_UNKNOWN_TYPE for a message type without a mapper, ERR_UNKNOWN_EVENT for an event of
 * one that has others. */
enum err hl7_map(const struct hl7_message *message, const struct mapper_env *env,
                 struct err_list *errors, struct mapped **ret_mapped) ERR_CHECKED;

/* Checks what an exchange must be able to rely on (MSH-7,9,10,11,12; PID-3; required fields of the
 * segments in use as warnings), without mapping. Used by the doors before hl7_map and by `tasuki
 * validate hl7`. */
enum err hl7_check(const struct hl7_message *message, struct err_list *errors) ERR_CHECKED;

/* MSH-9 code^trigger, and the part that tells messages of one control id apart: first order number
 * (ORC-2, else OBR-2), see docs/decisions. In the message's arena. */
struct slice hl7_kind(const struct hl7_message *message);

#endif
