/* SPDX-License-Identifier: Apache-2.0
 *
 * OMD^O03, meal orders: one NutritionOrder an order group from its ODS. R4 (nor-1) wants a diet, a
 * supplement or enteral feeding in it; ODS-1 says which (S supplement, else diet).
 */
#include "mappers/hl7v2/family.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/order.h"
#include "mappers/hl7v2/pv1.h"
#include "mappers/hl7v2/terms.h"
#include "mappers/hl7v2/xpn.h"
#include "base/banned.h"

static const struct row orc_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_identifier, "identifier[]", "order"},
    {3, 0, build_identifier, "identifier[]", "filler-order"},
    {9, 0, build_datetime, "dateTime", NULL},
    {12, 0, xpn_build_person, "orderer", NULL},
    {17, 0, cwe_build_extension, "extension[]",
     "http://jpfhir.jp/fhir/clins/Extension/StructureDefinition/JP_eCS_Department"},
    ROW_END,
};
static const struct row diet_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {3, 0, cwe_build, "type[]", NULL},
    {4, 1, build_string, "instruction", NULL},
    ROW_END,
};
static const struct row supplement_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {3, 0, cwe_build, "type", NULL},
    {4, 1, build_string, "instruction", NULL},
    ROW_END,
};

static bool build_schedule_code(struct spot *at)
{
    struct cwe c;

    cwe_read_sub(at->mp, hl7_component(at->mp->m, at->raw, 1), &c);
    return mapping_put(at, cwe_concept(at->mp, &c));
}

static const struct row tq1_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {3, 0, build_schedule_code, "code", NULL},
    {7, 0, build_datetime, "repeat.boundsPeriod.start", NULL},
    {8, 0, build_datetime, "repeat.boundsPeriod.end", NULL},
    ROW_END,
};

static bool is_supplement(struct mapping *mp, const struct hl7_segment *ods)
{
    return slice_is(mapping_value(mp, ods, 1, 1), "S");
}

static void put_schedule(struct mapping *mp, const struct order *o, struct json *meal)
{
    struct json *schedule = json_new(mp->a, JSON_OBJECT);

    mapping_walk(mp, order_find(mp, o, "TQ1", 1), tq1_rows, schedule);
    if (schedule && schedule->count)
        mapping_put_at(mp->a, meal, "schedule[]", schedule);
}

static void put_meals(struct mapping *mp, const struct order *o, struct json *order)
{
    struct json *diet = NULL;

    for (size_t i = o->from; i < o->to; i++) {
        const struct hl7_segment *s = &mp->m->segments[i];
        struct json *meal;

        if (!mapping_is(s, "ODS"))
            continue;
        if (!is_supplement(mp, s)) {
            diet = json_get(order, "oralDiet") ? json_get(order, "oralDiet")
                                               : json_put_object(mp->a, order, "oralDiet");
            mapping_walk(mp, s, diet_rows, diet);
            continue;
        }
        meal = json_new(mp->a, JSON_OBJECT);
        mapping_walk(mp, s, supplement_rows, meal);
        put_schedule(mp, o, meal);
        mapping_put_at(mp->a, order, "supplement[]", meal);
    }
    if (diet)
        put_schedule(mp, o, diet);
}

/* When it was ordered, else when the message was made. */
static struct slice ordered_at(struct mapping *mp, const struct order *o)
{
    struct slice when = build_datetime_of(mp, mapping_value(mp, o->orc, 9, 1));

    return when.len ? when : build_datetime_of(mp, mapping_value(mp, &mp->m->segments[0], 7, 1));
}

static bool has_meal(struct mapping *mp, const struct order *o)
{
    for (size_t i = o->from; i < o->to; i++) {
        const struct hl7_segment *ods = &mp->m->segments[i];

        if (!mapping_is(ods, "ODS"))
            continue;
        if (cwe_says(mp, ods, 3) || mapping_value(mp, ods, 4, 1).len)
            return true;
    }
    return false;
}

static void map_meals(struct mapping *mp, const struct order *o)
{
    const struct term *control = terms_find(terms_order_control, mapping_value(mp, o->orc, 1, 1));
    struct slice key = mapping_format(mp, "ODS:%.*s", SLICE_ARG(o->number));
    struct mapped_resource *r =
        mapping_resource(mp, "NutritionOrder", NULL, mapping_unique(mp, "NutritionOrder", key));

    r->scope = o->scope;
    json_put_text(mp->a, r->resource, "status", control ? control->to : "active");
    json_put_text(mp->a, r->resource, "intent", "order");
    mapping_subject(mp, r->resource, "patient");
    mapping_in_encounter(mp, r->resource, "encounter");
    mapping_walk(mp, o->orc, orc_rows, r->resource);
    if (!json_get(r->resource, "dateTime"))
        json_put_str(mp->a, r->resource, "dateTime", ordered_at(mp, o));
    put_meals(mp, o, r->resource);
}

bool omd_order(struct mapping *mp, struct order *o)
{
    const struct hl7_segment *ods = order_find(mp, o, "ODS", 1);

    if (!ods)
        return false;
    if (!has_meal(mp, o) || ordered_at(mp, o).len == 0)
        mapping_warn(mp, ods, 3, 0, "a meal order without a meal or a time was left out",
                     "食事内容または日時のない食事オーダを除きました");
    else
        map_meals(mp, o);
    return true;
}

static void map_order(struct mapping *mp, struct order *o)
{
    if (!mp->encounter)
        pv1_mention(mp, mapping_value(mp, o->orc, 9, 1));
    o->scope = order_scope(mp, o, SLICE_NONE);
    (void)omd_order(mp, o);
}

void omd_map(struct mapping *mp)
{
    order_each(mp, ORDER_ORC_FIRST, map_order);
}

const struct row_set omd_sets[] = {
    {"ORC", "NutritionOrder", orc_rows, NULL},
    {"ODS", "NutritionOrder.oralDiet", diet_rows, NULL},
    {"ODS", "NutritionOrder.supplement", supplement_rows, NULL},
    {"TQ1", "NutritionOrder.oralDiet.schedule", tq1_rows, NULL},
    ROW_SET_END,
};
