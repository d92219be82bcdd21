/* SPDX-License-Identifier: Apache-2.0
 *
 * PID, NK1, DB1 and IN1 as statements about who the patient is: the identity for linking (struct
 * mapped_patient) and the Patient resource.
 */
#ifndef MAPPERS_HL7V2_PID_H
#define MAPPERS_HL7V2_PID_H

#include "mappers/hl7v2/mapping.h"

/* Reads the identity into mp->out->patient. Fails (errors added) without PID or a patient number.
 */
enum err pid_identify(struct mapping *mp) ERR_CHECKED;
/* The Patient resource from PID, NK1*, DB1*. */
struct mapped_resource *pid_patient(struct mapping *mp);

#endif
