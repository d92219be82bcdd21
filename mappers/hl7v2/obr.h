/* SPDX-License-Identifier: Apache-2.0
 *
 * One group of results: Observations of its OBX and the DiagnosticReport of its OBR.
 */
#ifndef MAPPERS_HL7V2_OBR_H
#define MAPPERS_HL7V2_OBR_H

#include "mappers/hl7v2/order.h"

struct obr_group {
    struct slice key_order; /* order part of the Observations' keys */
    const char *category;   /* of the Observations; NULL: by their codes */
    const char *kind;       /* of the order number, see order_request */
    bool report;            /* a DiagnosticReport too */
};

/* Maps the group's SPM, ServiceRequest (mentioned), OBX and OBR. */
void obr_results(struct mapping *mp, const struct order *o, const struct obr_group *g);

#endif
