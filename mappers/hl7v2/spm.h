/* SPDX-License-Identifier: Apache-2.0
 *
 * SPM to Specimen (JP_Specimen_Common).
 */
#ifndef MAPPERS_HL7V2_SPM_H
#define MAPPERS_HL7V2_SPM_H

#include "mappers/hl7v2/order.h"

/* "Specimen/<id>" of the group's SPM, made once for all groups behind it; NULL without SPM. */
const char *spm_specimen(struct mapping *mp, const struct order *o);
/* When it was taken: SPM-17 of the group's SPM (HL7 TS), empty when unsaid. */
struct slice spm_taken(struct mapping *mp, const struct order *o);

#endif
