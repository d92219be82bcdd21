/* SPDX-License-Identifier: Apache-2.0
 *
 * What becomes of which field of which message, told from the mapping tables themselves.
 */
#ifndef MAPPERS_HL7V2_COVERAGE_H
#define MAPPERS_HL7V2_COVERAGE_H

#include "mappers/hl7v2/mapping.h"

/* The report as JSON in ARENA:
 * {"mapper": "hl7v2/4", "messages": [{"message": "ADT^A08", "segments": [{"segment": "PID",
 * "fields":
 *   [{"field": "PID-5", "state": "mapped", "to": ["Patient.name[]"]}, ...]}, ...]}, ...]}
 * A kept field of a mapping set says "why". States: mapped; read (it steers the mapping or carries nothing of its own); kept (in the original
 * only). With a message: only that one ("ADT^A08"); empty: all. NULL when the arena is full. */
struct json *coverage_report(struct arena *arena, struct slice message);
/* The same for one field of one segment in any message: whether some table maps it, and into
 * RESOURCE (a type; empty: any). For tests against other mapping sets. */
bool coverage_maps(struct slice segment, unsigned field, struct slice resource);
/* Why a field of the mapping sets is kept in the original only; NULL where nothing is said. */
const char *coverage_why_kept(struct slice segment, unsigned field);
/* Whether any message has tables of this segment. */
bool coverage_uses(struct slice segment);

#endif
