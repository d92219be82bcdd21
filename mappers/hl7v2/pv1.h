/* SPDX-License-Identifier: Apache-2.0
 *
 * PV1 and PV2 (with EVN) to Encounter. A visit is known by its number (PV1-19), else by class and
 * admission or visit time, else by the date of care; see pv1.c for what that means for in- and
 * outpatients.
 */
#ifndef MAPPERS_HL7V2_PV1_H
#define MAPPERS_HL7V2_PV1_H

#include "mappers/hl7v2/mapping.h"

struct pv1_event {
    const char *trigger;
    const char *status;          /* of the Encounter */
    const char *location_status; /* of its current location */
    bool at_event;               /* EVN-6 is when the patient came to (or left) that location */
    bool planned;                /* PV2-8, PV2-9 are the times */
    bool undo;                   /* takes an event back */
};

/* The ADT event of TRIGGER, or NULL when it is not about a visit. */
const struct pv1_event *pv1_event(struct slice trigger);
/* The Encounter that an ADT event is about. */
void pv1_visit(struct mapping *mp, const struct pv1_event *event);
/* The Encounter that an order, a result or a demographics message mentions on the side: written
 * only when nothing is known of it yet. CARE_TIME (HL7 TS, may be empty) dates an outpatient visit
 * that has no time of its own. */
void pv1_mention(struct mapping *mp, struct slice care_time);

#endif
