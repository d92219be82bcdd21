/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses (XAD) and telephone numbers (XTN). Japanese senders write the whole address into XAD.8
 * (some one component early) and the whole number into XTN.12; the standard's structured components
 * are used when filled.
 */
#ifndef MAPPERS_HL7V2_XAD_H
#define MAPPERS_HL7V2_XAD_H

#include "mappers/hl7v2/mapping.h"

/* Address at path. */
bool xad_build(struct spot *at);
/* ContactPoint appended to path; arg is the use where the number does not say one ("home", "work",
 * NULL). */
bool xad_build_telecom(struct spot *at);

#endif
