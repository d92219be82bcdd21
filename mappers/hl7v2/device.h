/* SPDX-License-Identifier: Apache-2.0
 *
 * The devices of an IHE PCD-01 message: OBX whose codes are IEEE 11073's tell of a device, its
 * parts and its measurements, nested by the dotted numbers of OBX-4.
 */
#ifndef MAPPERS_HL7V2_DEVICE_H
#define MAPPERS_HL7V2_DEVICE_H

#include "mappers/hl7v2/order.h"

/* A Device for each device row of the group; to be called before its observations are made. */
void device_each(struct mapping *mp, const struct order *o);
/* "Device/<id>" of the device that OBX belongs to, or NULL. */
const char *device_of(struct mapping *mp, const struct hl7_segment *obx);
/* OBX-14 of OBX, else of the group that holds it; empty when none says. */
struct slice device_time(struct mapping *mp, const struct hl7_segment *obx);
/* Whether OBX only frames a message of devices: no value, or an attribute of the device. */
bool device_is_frame(struct mapping *mp, const struct hl7_segment *obx);
/* Turns a quantity in degrees Fahrenheit into Celsius, keeping what was written as an extension. */
void device_celsius(struct mapping *mp, struct json *observation);

#endif
