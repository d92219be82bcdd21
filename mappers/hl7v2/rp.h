/* SPDX-License-Identifier: Apache-2.0
 *
 * What prescriptions (RXE) and administrations (RXA) share: the RP number in ORC-4, and the route
 * of RXR.
 */
#ifndef MAPPERS_HL7V2_RP_H
#define MAPPERS_HL7V2_RP_H

#include "mappers/hl7v2/order.h"

struct rp {
    struct slice raw;   /* ORC-4 as written */
    struct slice group; /* RP number without leading zeros */
    struct slice index; /* of the form order_RP_index, else empty */
};

/* Reads ORC-4: a plain RP number, or "order_RP_index" (injections). */
void rp_read(struct mapping *mp, const struct order *o, struct rp *ret_rp);
/* Identifiers for order number, RP number and INDEX. */
void rp_identify(struct mapping *mp, const struct order *o, const struct rp *rp, struct slice index,
                 struct json *resource);
/* Extension {url, valueReference: device} with the device contained (RXR-3); arg unused. */
bool rp_build_device(struct spot *at);
/* A contained resource with this local id. */
struct json *rp_contained(struct mapping *mp, struct json *resource, const char *type,
                          const char *id);

#endif
