/* SPDX-License-Identifier: Apache-2.0
 *
 * What segments and fields are called (HL7 v2.5; Japanese names as in the JAHIS conventions), so
 * that a finding's place says something to people. Names only: what a field may hold is for
 * check.c and mappers/ssmix2/inspect.c.
 */
#ifndef MAPPERS_HL7V2_NAMES_H
#define MAPPERS_HL7V2_NAMES_H

#include "base/arena.h"

struct names_field {
    const char *segment;
    unsigned field;
    const char *type; /* v2.5 data type */
    const char *en, *ja;
};
/* In order of segment and field; ends with a NULL segment. */
extern const struct names_field names_fields[];
extern const unsigned names_count; /* rows before that */

struct names_segment {
    const char *segment;
    const char *en, *ja;
};

/* The segment's or field's row, or NULL when it has none here. */
const struct names_segment *names_of_segment(struct slice segment);
const struct names_field *names_of_field(struct slice segment, unsigned field);
/* The rows of one segment: the first, and how many. NULL and 0 when there are none. */
const struct names_field *names_of_fields(struct slice segment, unsigned *ret_count);

/* What PLACE ("OBX[3]-5.1", "PV1-44", "PID[1]") is called: "Observation/Result: Observation
 * Value", "検査結果: 検査値". Empty when PLACE is no place of a message. In ARENA. */
void names_explain(struct arena *arena, struct slice place, struct slice *ret_en,
                   struct slice *ret_ja);

#endif
