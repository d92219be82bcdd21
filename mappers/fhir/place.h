/* SPDX-License-Identifier: Apache-2.0
 *
 * Where in a resource a walk is, as a chain of frames on the C stack. The text (FHIRPath's simple
 * subset: Patient.name[0].family, Observation.value.ofType(Quantity).code) is made only when
 * something must be said, so that a walk without findings costs nothing for it. Private to
 * mappers/fhir.
 */
#ifndef MAPPERS_FHIR_PLACE_H
#define MAPPERS_FHIR_PLACE_H

#include "base/arena.h"
#include "mappers/fhir/definition.h"

#define PLACE_SINGLE (-1)

struct place {
    const struct place *up;                   /* NULL: the resource itself */
    const struct definition_element *element; /* NULL: NAME is used as it stands */
    struct slice name;
    int64_t index; /* in a list, or PLACE_SINGLE */
};

/* The text in ARENA; "" when the arena is full. */
const char *place_text(struct arena *arena, const struct place *place);

#endif
