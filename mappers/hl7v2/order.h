/* SPDX-License-Identifier: Apache-2.0
 *
 * The order groups of a message: ORC, OBR and what belongs to them. SS-MIX2 and plain v2 senders
 * order them differently (OUL^R22 has OBR before ORC, SPM before both; ORU^R01 may lack ORC, or
 * even OBR), so the groups are cut by a few rules instead of one grammar a message.
 */
#ifndef MAPPERS_HL7V2_ORDER_H
#define MAPPERS_HL7V2_ORDER_H

#include "mappers/hl7v2/mapping.h"

struct order {
    const struct hl7_segment *orc, *obr, *spm; /* each may be NULL */
    size_t from, to;                           /* segments [from, to) of the message */
    unsigned index;                            /* from 1 */
    struct slice
        number;    /* ORC-2, OBR-2, ORC-3, OBR-3: the first there is; else a stand-in by time */
    bool numbered; /* number is an order number */
    struct slice scope; /* set by the family before it maps the group */
    bool cancelled;     /* ORC-1 takes the order back */
    bool result; /* set by families of results: taken back, they are removed rather than marked */
};

typedef void (*order_cb)(struct mapping *mp, struct order *o);

enum order_style {
    ORDER_ORC_FIRST,      /* ORC OBR ... SPM: ORU, OMG, OMI, RDE, RAS, OMD, OML^O21 */
    ORDER_SPECIMEN_FIRST, /* SPM (ORC OBR ...)+: OML */
    ORDER_OBR_FIRST,      /* SPM (OBR ORC? ...)+: OUL */
    ORDER_RESULT_FIRST    /* (OBR ORC? ... SPM)+: OUL^R24 */
};

/* Calls FN for each order group. */
void order_each(struct mapping *mp, enum order_style style, order_cb fn);
/* The N-th (from 1) segment NAME in the group, or NULL. */
const struct hl7_segment *order_find(struct mapping *mp, const struct order *o, const char *name,
                                     unsigned n);
/* The first segment NAME after S in the group, or NULL. */
const struct hl7_segment *order_next(struct mapping *mp, const struct order *o,
                                     const struct hl7_segment *s, const char *name);
/* "MSH-9:number" (and EXTRA), said to be replaced by this message. */
struct slice order_scope(struct mapping *mp, const struct order *o, struct slice extra);
/* NTE segments directly behind S as Annotations at `note`. */
void order_notes(struct mapping *mp, const struct hl7_segment *s, struct json *resource);

/* ServiceRequest of the group from ORC, OBR, TQ1. KIND tells order numbers of different systems
 * apart ("LAB"). MENTIONED: a result names it on the side, so it is written only when unknown. NULL
 * without number or OBR. */
struct mapped_resource *order_request(struct mapping *mp, const struct order *o, const char *kind,
                                      bool mentioned);
/* Adds basedOn of the request, if any. */
void order_based_on(struct mapping *mp, const struct mapped_resource *request,
                    struct json *resource);

#endif
