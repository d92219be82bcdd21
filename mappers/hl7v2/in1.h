/* SPDX-License-Identifier: Apache-2.0
 *
 * IN1, health insurance: Coverage, and the insurance number as part of the patient's identity.
 */
#ifndef MAPPERS_HL7V2_IN1_H
#define MAPPERS_HL7V2_IN1_H

#include "mappers/hl7v2/mapping.h"

#define IN1_SCOPE_BASIC "adt-00" /* of the basic data an A08 replaces as a whole */

/* Insurer, symbol, number and branch of the first health insurance into mp->out->patient. */
void in1_identify(struct mapping *mp);
/* One Coverage per IN1, in SCOPE. */
void in1_coverages(struct mapping *mp, struct slice scope);
/* The same for an order or a result that names it on the side: written only where nothing is known
 * of that insurance. */
void in1_mention(struct mapping *mp, struct slice scope);

#endif
