/* SPDX-License-Identifier: Apache-2.0
 *
 * What people call segments and fields, in English (HL7 v2.5 chapters 2 to 7, SS-MIX2's own Z
 * segments) and in Japanese. For showing messages; nothing is decided by a name.
 */
#ifndef MAPPERS_HL7V2_NAMES_H
#define MAPPERS_HL7V2_NAMES_H

#include "base/slice.h"

struct names_pair {
    const char *en, *ja;
};

struct names_table {
    const char *segment;
    struct names_pair name;
    const struct names_pair *fields; /* field n at n - 1; ends with a NULL */
};

/* Sorted by segment; ends with a NULL. */
extern const struct names_table names_tables[];

/* The name of a segment or of its field N (from 1); NULL when it has none here. */
const struct names_pair *names_segment(struct slice segment);
const struct names_pair *names_field(struct slice segment, unsigned n);

#endif
