/* SPDX-License-Identifier: Apache-2.0
 *
 * ORM^O01, the one order message of HL7 v2.1 to v2.4, which senders still use for everything: each
 * order group is what the segment behind its ORC says. A drug (RXO, RXE) is a MedicationRequest as
 * in OMP and RDE, a meal (ODS) a NutritionOrder as in OMD, all else a ServiceRequest as in OML.
 * OBR-24 tells laboratory and other orders apart, as it does for their results (oru.c), so that
 * these find them.
 */
#include "mappers/hl7v2/family.h"

#include "mappers/hl7v2/pv1.h"
#include "mappers/hl7v2/terms.h"
#include "base/banned.h"

static const char *kind_of(struct mapping *mp, const struct order *o)
{
    const struct term *section =
        terms_find(terms_patient_category, mapping_value(mp, o->obr, 24, 1));

    return !section || strcmp(section->to, "laboratory") == 0 ? "LAB" : "IMG";
}

static void map_order(struct mapping *mp, struct order *o)
{
    if (!mp->encounter)
        pv1_mention(mp, mapping_value(mp, o->orc, 9, 1));
    o->scope = order_scope(mp, o, SLICE_NONE);
    if (!rde_order(mp, o) && !omd_order(mp, o))
        oml_order(mp, o, kind_of(mp, o));
}

void orm_map(struct mapping *mp)
{
    order_each(mp, ORDER_ORC_FIRST, map_order);
}
