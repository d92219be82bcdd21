/* SPDX-License-Identifier: Apache-2.0
 *
 * ORU^R01: physiology results (SS-MIX2 OMG-13) and the laboratory results of plain v2 senders; R30
 * vital signs. What kind they are is said by OBR-24, else by a JLAC10 code; plain senders without
 * either send laboratory results. Such senders often report one panel a message under one order
 * number, so the panel (OBR-4) is part of the scope.
 */
#include "mappers/hl7v2/family.h"

#include "mappers/hl7v2/device.h"
#include "mappers/hl7v2/obr.h"
#include "mappers/hl7v2/obx.h"
#include "mappers/hl7v2/pv1.h"
#include "mappers/hl7v2/spm.h"
#include "mappers/hl7v2/terms.h"
#include "base/banned.h"

static const char *category_of(struct mapping *mp, const struct order *o)
{
    const struct term *section =
        terms_find(terms_patient_category, mapping_value(mp, o->obr, 24, 1));
    const struct hl7_segment *obx = order_find(mp, o, "OBX", 1);
    const char *by_code;

    if (slice_is(mp->trigger, "R30") || slice_is(mapping_value(mp, obx, 3, 3), "MDC"))
        return "vital-signs";
    if (section)
        return section->to;
    by_code = obx_category_by_code(mp, o->obr, 4);
    if (!by_code)
        by_code = obx_category_by_code(mp, obx, 3);
    return by_code ? by_code : "laboratory";
}

static void map_order(struct mapping *mp, struct order *o)
{
    struct slice when = mapping_value(mp, o->obr, 7, 1);
    struct obr_group g = {.key_order = o->number, .category = category_of(mp, o), .report = true};

    if (when.len == 0)
        when = spm_taken(mp, o);
    g.kind = strcmp(g.category, "laboratory") == 0 ? "LAB" : "IMG";
    if (!mp->encounter)
        pv1_mention(mp, when);
    o->result = true;
    o->scope = order_scope(mp, o, mapping_value(mp, o->obr, 4, 1));
    device_each(mp, o);
    obr_results(mp, o, &g);
}

void oru_map(struct mapping *mp)
{
    order_each(mp, ORDER_ORC_FIRST, map_order);
}
