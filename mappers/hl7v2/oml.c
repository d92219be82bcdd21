/* SPDX-License-Identifier: Apache-2.0
 *
 * OML^O33, laboratory orders (SS-MIX2 OML-01), O35 by container and O21 without either:
 * ServiceRequest of each order with the items asked for (OBX-11 O) as its details, and the
 * Specimen. An OBX with a value is information given with the order.
 */
#include "mappers/hl7v2/family.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/obx.h"
#include "mappers/hl7v2/order.h"
#include "mappers/hl7v2/pv1.h"
#include "mappers/hl7v2/spm.h"
#include "base/banned.h"

static const struct row detail_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_structure, NULL, NULL},
    {3, 0, cwe_build, "orderDetail[]", NULL},
    {11, 0, build_structure, NULL, NULL},
    ROW_END,
};

static void add_items(struct mapping *mp, const struct order *o, const char *kind,
                      struct mapped_resource *request)
{
    struct obx_context context = {
        .key = mapping_format(mp, "order:%s:%.*s", kind, SLICE_ARG(o->number)),
        .scope = o->scope,
        .effective = mapping_value(mp, o->orc, 9, 1)};

    for (size_t i = o->from; i < o->to; i++) {
        const struct hl7_segment *s = &mp->m->segments[i];
        struct mapped_resource *given;

        if (!mapping_is(s, "OBX"))
            continue;
        if (hl7_field(s, 5).len == 0) {
            mapping_walk(mp, s, detail_rows, request->resource);
            continue;
        }
        given = obx_observation(mp, s, &context);
        if (given)
            mapping_put_at(mp->a, request->resource, "supportingInfo[]",
                           mapping_reference(mp, given));
    }
}

void oml_order(struct mapping *mp, struct order *o, const char *kind)
{
    struct mapped_resource *request = order_request(mp, o, kind, false);
    const char *specimen;
    struct json *reference;

    if (!request)
        return;
    specimen = spm_specimen(mp, o);
    if (specimen) {
        reference = json_new(mp->a, JSON_OBJECT);
        json_put_text(mp->a, reference, "reference", specimen);
        mapping_put_at(mp->a, request->resource, "specimen[]", reference);
    }
    add_items(mp, o, kind, request);
}

static void map_order(struct mapping *mp, struct order *o)
{
    if (!mp->encounter)
        pv1_mention(mp, mapping_value(mp, o->orc, 9, 1));
    o->scope = order_scope(mp, o, SLICE_NONE);
    oml_order(mp, o, "LAB");
}

void oml_map(struct mapping *mp)
{
    order_each(mp, slice_is(mp->trigger, "O21") ? ORDER_ORC_FIRST : ORDER_SPECIMEN_FIRST,
               map_order);
}

const struct row_set oml_sets[] = {{"OBX", "ServiceRequest", detail_rows, NULL}, ROW_SET_END};
