/* SPDX-License-Identifier: Apache-2.0
 *
 * The value of an OBX by its type (OBX-2): Observation.value[x], with its unit (OBX-6) and range
 * (OBX-7).
 */
#ifndef MAPPERS_HL7V2_OBX_VALUE_H
#define MAPPERS_HL7V2_OBX_VALUE_H

#include "mappers/hl7v2/mapping.h"

/* OBX-5, OBX-6, OBX-7; walk them in this order. */
bool obx_value_build(struct spot *at);
bool obx_value_build_unit(struct spot *at);
bool obx_value_build_range(struct spot *at);

#endif
