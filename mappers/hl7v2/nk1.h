/* SPDX-License-Identifier: Apache-2.0
 *
 * NK1, next of kin, as Patient.contact.
 */
#ifndef MAPPERS_HL7V2_NK1_H
#define MAPPERS_HL7V2_NK1_H

#include "mappers/hl7v2/mapping.h"

/* Adds the next of kin to PATIENT. */
void nk1_contact(struct mapping *mp, const struct hl7_segment *nk1, struct json *patient);

#endif
