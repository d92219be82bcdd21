/* SPDX-License-Identifier: Apache-2.0
 *
 * The raw table behind target_table.c, sorted by type, then element; reference.c looks things up in
 * it. Nothing outside mappers/fhir includes this.
 */
#ifndef MAPPERS_FHIR_GEN_TARGETS_H
#define MAPPERS_FHIR_GEN_TARGETS_H

#include <stddef.h>

struct targets_row {
    const char *type;    /* Observation, Observation.component */
    const char *element; /* JSON name: subject, medicationReference */
    const char *targets; /* resource types, separated by spaces */
};

extern const struct targets_row targets_table[];
extern const size_t targets_count;

#endif
