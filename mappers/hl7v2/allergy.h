/* SPDX-License-Identifier: Apache-2.0
 *
 * AL1 and IAM to AllergyIntolerance; what the two segments share is in allergy.c.
 */
#ifndef MAPPERS_HL7V2_ALLERGY_H
#define MAPPERS_HL7V2_ALLERGY_H

#include "mappers/hl7v2/mapping.h"

/* Scope of allergies that come as AL1. */
#define ALLERGY_SCOPE_AL1 "adt-allergies"

/* All AL1 of the message, in SCOPE. Returns how many there were. */
unsigned al1_allergies(struct mapping *mp, struct slice scope);
/* All IAM of the message, in SCOPE. True when they are a whole list (no D, U or X among the
 * actions), which replaces what was there; false when they are single changes. */
bool iam_allergies(struct mapping *mp, struct slice scope);

/* A new AllergyIntolerance: patient, active. */
struct mapped_resource *allergy_new(struct mapping *mp, struct slice key, struct slice scope);
/* Key text of an allergen: system and code, else its text. */
struct slice allergy_key(struct mapping *mp, const struct hl7_segment *s, unsigned field);
/* After the rows: R4 wants a manifestation in each reaction, a code, and no clinicalStatus on
 * errors. */
void allergy_finish(struct mapping *mp, struct json *allergy);

/* Builders. Type of allergen (0127) as category; those without a FHIR category as an extension. */
bool allergy_build_category(struct spot *at);
/* Severity (0128) of reaction[0]. */
bool allergy_build_severity(struct spot *at);

#endif
