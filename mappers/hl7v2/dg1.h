/* SPDX-License-Identifier: Apache-2.0
 *
 * DG1 to Condition.
 */
#ifndef MAPPERS_HL7V2_DG1_H
#define MAPPERS_HL7V2_DG1_H

#include "mappers/hl7v2/mapping.h"

/* A Condition for each DG1 of the message, in its encounter. DG1-21 D takes one back. */
void dg1_conditions(struct mapping *mp);

#endif
