/* SPDX-License-Identifier: Apache-2.0
 *
 * Blood pressure: two OBX of one measurement, systolic and diastolic, are one Observation with two
 * components in FHIR (vital signs profile of R4, JP Core). Here is only told which belong together.
 */
#ifndef MAPPERS_HL7V2_PRESSURE_H
#define MAPPERS_HL7V2_PRESSURE_H

#include "mappers/hl7v2/mapping.h"

#define PRESSURE_SYSTOLIC "8480-6"
#define PRESSURE_DIASTOLIC "8462-4"

struct pressure {
    const struct hl7_segment *systolic, *diastolic;
    struct slice series; /* which measurement of its group: first, second, ... */
};

/* The LOINC code of a vital sign in OBX-3 (JLAC10, IEEE 11073 or LOINC itself), with its display;
 * NULL for all else. */
const char *pressure_loinc(struct mapping *mp, const struct hl7_segment *obx,
                           const char **ret_display);
/* Whether OBX is one of a pair. Linear over the whole message, however many there are. */
bool pressure_pair(struct mapping *mp, const struct hl7_segment *obx, struct pressure *ret_pair);

#endif
