/* SPDX-License-Identifier: Apache-2.0
 *
 * OMG^O19, orders of imaging, endoscopy and physiology (SS-MIX2 OMG-01, -02, -03): ServiceRequest
 * of each order group; OBX given with the order (weight, reasons, handicaps) as Observations in its
 * supportingInfo.
 */
#include "mappers/hl7v2/family.h"

#include "mappers/hl7v2/obx.h"
#include "mappers/hl7v2/order.h"
#include "mappers/hl7v2/pv1.h"
#include "mappers/hl7v2/spm.h"
#include "base/banned.h"

static void map_order(struct mapping *mp, struct order *o)
{
    struct mapped_resource *request;
    struct obx_context context = {.category = "exam", .effective = mapping_value(mp, o->orc, 9, 1)};

    if (!mp->encounter)
        pv1_mention(mp, context.effective);
    o->scope = order_scope(mp, o, SLICE_NONE);
    context.scope = o->scope;
    context.key = mapping_format(mp, "order:IMG:%.*s", SLICE_ARG(o->number));
    request = order_request(mp, o, "IMG", false);
    if (!request)
        return;
    (void)spm_specimen(mp, o);
    for (size_t i = o->from; i < o->to; i++) {
        struct mapped_resource *given = NULL;

        if (mapping_is(&mp->m->segments[i], "OBX"))
            given = obx_observation(mp, &mp->m->segments[i], &context);
        if (given)
            mapping_put_at(mp->a, request->resource, "supportingInfo[]",
                           mapping_reference(mp, given));
    }
}

void omg_map(struct mapping *mp)
{
    order_each(mp, ORDER_ORC_FIRST, map_order);
}
