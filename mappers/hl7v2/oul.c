/* SPDX-License-Identifier: Apache-2.0
 *
 * OUL^R22, laboratory results (SS-MIX2 OML-11), R23 by container and R24 by order. Key and scope
 * hold the day the specimen was taken as well as the order number, as the SS-MIX2 file name does:
 * one order may have results of several days, and a message brings one day.
 */
#include "mappers/hl7v2/family.h"

#include "mappers/hl7v2/obr.h"
#include "mappers/hl7v2/pv1.h"
#include "mappers/hl7v2/spm.h"
#include "base/banned.h"

#define DAY_DIGITS 8u

static void map_order(struct mapping *mp, struct order *o)
{
    struct slice taken = spm_taken(mp, o), day;
    struct obr_group g = {.category = "laboratory", .kind = "LAB", .report = true};

    if (taken.len == 0)
        taken = mapping_value(mp, o->obr, 7, 1);
    day = slice_sub(taken, 0, taken.len < DAY_DIGITS ? 0 : DAY_DIGITS);
    if (!mp->encounter)
        pv1_mention(mp, taken);
    o->result = true;
    o->scope = order_scope(mp, o, day);
    g.key_order = mapping_format(mp, "%.*s:%.*s", SLICE_ARG(o->number), SLICE_ARG(day));
    obr_results(mp, o, &g);
}

void oul_map(struct mapping *mp)
{
    order_each(mp, slice_is(mp->trigger, "R24") ? ORDER_RESULT_FIRST : ORDER_OBR_FIRST, map_order);
}
