/* SPDX-License-Identifier: Apache-2.0
 *
 * OBX to Observation (JP_Observation_Common, _LabResult).
 */
#ifndef MAPPERS_HL7V2_OBX_H
#define MAPPERS_HL7V2_OBX_H

#include "mappers/hl7v2/mapping.h"

/* What the surroundings of an OBX say about it; anything may be absent. */
struct obx_context {
    struct slice key; /* of the group: "order:OBR-4" */
    struct slice scope;
    const char *category;   /* "laboratory", "imaging" ...; NULL: by the code */
    struct slice effective; /* HL7 TS for an OBX without OBX-14 */
    const char *specimen;   /* "Specimen/<id>" */
    const struct mapped_resource *request;
    const struct mapped_resource *part_of;
    bool numbered; /* the key holds an order number that means something outside */
};

/* The Observation, or NULL when the OBX names nothing (warned) or only frames a device's message.
 */
struct mapped_resource *obx_observation(struct mapping *mp, const struct hl7_segment *obx,
                                        const struct obx_context *context);
/* "laboratory" or "procedure" by a JLAC10 code in FIELD of S, NULL for other systems. */
const char *obx_category_by_code(struct mapping *mp, const struct hl7_segment *s, unsigned field);

#endif
