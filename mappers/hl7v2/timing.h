/* SPDX-License-Identifier: Apache-2.0
 *
 * TQ1 as a Timing: what is done how often, when, for how long.
 */
#ifndef MAPPERS_HL7V2_TIMING_H
#define MAPPERS_HL7V2_TIMING_H

#include "mappers/hl7v2/mapping.h"

/* Whether TQ1 (may be NULL) says more than from when to when. */
bool timing_says(const struct hl7_segment *tq1);
/* TQ1-3, -4, -6, -7, -8, -13, -14 into TIMING. */
void timing_rows(struct mapping *mp, const struct hl7_segment *tq1, struct json *timing);
/* TQ1-4 and -13, -14 into an object with a `repeat`: for Timings whose code is made elsewhere. */
void timing_repeat(struct mapping *mp, const struct hl7_segment *tq1, struct json *timing);

#endif
