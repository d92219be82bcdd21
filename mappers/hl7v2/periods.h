/* SPDX-License-Identifier: Apache-2.0
 *
 * Ends before their starts (FHIR R4 per-1): a message may say so, a resource may not. Private to
 * mappers/hl7v2.
 */
#ifndef MAPPERS_HL7V2_PERIODS_H
#define MAPPERS_HL7V2_PERIODS_H

#include "mappers/hl7v2/mapping.h"

/* Takes out, with a warning, the end of every Period in what was mapped that ends before it starts.
 */
void periods_order(struct mapping *mp);

#endif
