/* SPDX-License-Identifier: Apache-2.0
 *
 * OBX to Observation: code, status, times, category, reference range. The value is in obx_value.c.
 * Key of a result: order, group, item and sub-id (OBX-4), so that a correction meets the result it
 * corrects.
 */
#include "mappers/hl7v2/obx.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/device.h"
#include "mappers/hl7v2/extend.h"
#include "mappers/hl7v2/family.h"
#include "mappers/hl7v2/obx_value.h"
#include "mappers/hl7v2/order.h"
#include "mappers/hl7v2/terms.h"
#include "mappers/hl7v2/xpn.h"
#include "base/banned.h"

#define CATEGORY "http://terminology.hl7.org/CodeSystem/observation-category"
#define CATEGORY_JP "http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS"
#define INTERPRETATION "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
#define INSTANCE "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier"

static bool build_interpretation(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice code = mapping_part(mp, at->raw, 1), text = mapping_part(mp, at->raw, 2);
    const struct term *t = terms_find(terms_interpretation, code);
    struct json *concept;

    if (code.len == 0 && text.len == 0)
        return false;
    concept =
        t ? cwe_constant(mp, INTERPRETATION, t->to, t->display) : json_new(mp->a, JSON_OBJECT);
    json_put_str(mp->a, concept, "text", text.len ? text : code);
    return mapping_put(at, concept);
}

static bool build_status(struct spot *at)
{
    const struct term *status = terms_find(terms_obx_status, mapping_text(at));

    if (!status)
        mapping_warn(at->mp, at->s, 11, 0, "the result status is not known here",
                     "結果状態が対応表にありません");
    return status && mapping_put(at, json_string(at->mp->a, slice_str(status->to)));
}

/* XON: the name of the performing organisation. */
static bool build_performer_name(struct spot *at)
{
    struct slice name = mapping_part(at->mp, at->raw, at->row->component);
    struct json *reference;

    if (name.len == 0)
        name = mapping_part(at->mp, at->raw, 1);
    if (name.len == 0)
        return false;
    reference = json_new(at->mp->a, JSON_OBJECT);
    json_put_str(at->mp->a, reference, "display", name);
    return mapping_put(at, reference);
}

static bool build_device(struct spot *at)
{
    struct slice id = mapping_part(at->mp, at->raw, 1);
    struct json *reference, *identifier;

    if (id.len == 0)
        return false;
    reference = json_new(at->mp->a, JSON_OBJECT);
    identifier = json_put_object(at->mp->a, reference, "identifier");
    json_put_str(at->mp->a, identifier, "system", cwe_local(at->mp, SLICE("device")));
    json_put_str(at->mp->a, identifier, "value", id);
    return mapping_put(at, reference);
}

/* OBX-33 (EIP): the specimen by its number, where no SPM stands for it. */
static bool build_specimen_number(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice number = mapping_clean(mp, hl7_sub(mp->m, hl7_component(mp->m, at->raw, 1), 1));
    struct json *reference, *identifier;

    if (number.len == 0)
        return false;
    reference = json_new(mp->a, JSON_OBJECT);
    identifier = json_put_object(mp->a, reference, "identifier");
    json_put_str(mp->a, identifier, "system", cwe_local(mp, SLICE("specimen")));
    json_put_str(mp->a, identifier, "value", number);
    return mapping_put(at, reference);
}

static const struct row obx_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_structure, "value[x]", NULL},
    {3, 0, cwe_build, "code", NULL},
    {4, 0, build_structure, "identifier[]", NULL},
    {5, 0, obx_value_build, NULL, NULL},
    {6, 0, obx_value_build_unit, NULL, NULL},
    {7, 0, obx_value_build_range, NULL, NULL},
    {8, 0, build_interpretation, "interpretation[]", NULL},
    {10, 0, cwe_build_extension, "extension[]", EXTEND_OWN "nature-of-abnormal-test"},
    {11, 1, build_status, "status", NULL},
    {14, 0, build_datetime, "effectiveDateTime", NULL},
    {15, 2, build_performer_name, "performer[]", NULL},
    {16, 0, xpn_build_persons, "performer[]", NULL},
    {17, 0, cwe_build, "method", NULL},
    {18, 0, build_device, "device", NULL},
    {19, 0, extend_build_time, "extension[]", EXTEND_OWN "analysis-time"},
    {20, 0, cwe_build, "bodySite", NULL},
    {21, 0, extend_build_number, "identifier[]", "FILL observation"},
    {23, 1, build_performer_name, "performer[]", NULL},
    {24, 0, extend_build_address, "extension[]", EXTEND_OWN "performer-address"},
    {25, 0, xpn_build_persons, "performer[]", NULL},
    {30, 0, cwe_build_extension, "extension[]", EXTEND_OWN "result-category"},
    {33, 0, build_specimen_number, "specimen", NULL},
    ROW_END,
};

static bool is_jlac(struct slice system)
{
    return slice_is(system, "JC10") || slice_is(system, "JLAC10");
}

const char *obx_category_by_code(struct mapping *mp, const struct hl7_segment *s, unsigned field)
{
    struct slice code = mapping_value(mp, s, field, 1);

    if (code.len == 0 || !is_jlac(mapping_value(mp, s, field, 3)))
        return NULL;
    return code.ptr[0] == '9' ? "procedure" : "laboratory"; /* section 9 is physiology */
}

/* Item codes of IEEE 11073: a personal health device speaks (IHE PCD-01). */
static bool is_device(struct mapping *mp, const struct hl7_segment *obx)
{
    return slice_is(mapping_value(mp, obx, 3, 3), "MDC");
}

/* Vital signs are found by LOINC everywhere: their code besides the sender's. */
static void add_loinc(struct mapping *mp, const struct hl7_segment *obx, struct json *observation)
{
    struct slice system = mapping_value(mp, obx, 3, 3), code = mapping_value(mp, obx, 3, 1);
    const struct term *t = NULL;

    if (is_jlac(system))
        t = terms_find_prefix(terms_vital_loinc, code);
    else if (slice_is(system, "MDC"))
        t = terms_find(terms_vital_loinc, code);
    if (t)
        mapping_put_at(
            mp->a, observation, "code.coding[]",
            cwe_coding(mp, SLICE("http://loinc.org"), slice_str(t->to), slice_str(t->display)));
}

static const char *category_of(struct mapping *mp, const struct hl7_segment *obx, const char *given)
{
    const struct term *vital = NULL;
    const char *by_code;

    if (is_jlac(mapping_value(mp, obx, 3, 3)))
        vital = terms_find_prefix(terms_vital, mapping_value(mp, obx, 3, 1));
    if (vital)
        return vital->to;
    if (is_device(mp, obx))
        return "vital-signs";
    if (given)
        return given;
    by_code = obx_category_by_code(mp, obx, 3);
    return by_code ? by_code : "exam";
}

static void put_category(struct mapping *mp, struct json *observation, const char *code)
{
    bool body = strcmp(code, "body-measurement") == 0;
    struct json *concept = cwe_constant(mp, CATEGORY, body ? "vital-signs" : code, NULL);

    json_push(json_get(concept, "coding"),
              cwe_coding(mp, SLICE(CATEGORY_JP), slice_str(code), SLICE_NONE));
    mapping_put_at(mp->a, observation, "category[]", concept);
}

static void put_reference(struct mapping *mp, struct json *o, const char *path,
                          const char *reference)
{
    struct json *r = json_new(mp->a, JSON_OBJECT);

    json_put_text(mp->a, r, "reference", reference);
    mapping_put_at(mp->a, o, path, r);
}

static void put_identifier(struct mapping *mp, const struct hl7_segment *obx,
                           const struct obx_context *context, struct json *observation)
{
    struct slice sub = mapping_value(mp, obx, 4, 1);
    struct json *identifier;

    if (!context->numbered)
        return;
    identifier = json_new(mp->a, JSON_OBJECT);
    json_put_text(mp->a, identifier, "system", INSTANCE);
    json_put_str(mp->a, identifier, "value",
                 ARENA_JOIN(mp->a, mp->env->facility_code, SLICE(":"), context->key, SLICE(":"),
                            mapping_value(mp, obx, 3, 1), sub.len ? SLICE(":") : SLICE_NONE, sub));
    mapping_put_at(mp->a, observation, "identifier[]", identifier);
}

static void put_context(struct mapping *mp, const struct hl7_segment *obx,
                        const struct obx_context *context, struct json *o)
{
    struct slice effective = build_datetime_of(mp, device_time(mp, obx));
    const char *device = device_of(mp, obx);

    if (effective.len == 0)
        effective = build_datetime_of(mp, context->effective);
    put_identifier(mp, obx, context, o);
    mapping_subject(mp, o, "subject");
    mapping_in_encounter(mp, o, "encounter");
    order_based_on(mp, context->request, o);
    if (context->part_of)
        mapping_put_at(mp->a, o, "partOf[]", mapping_reference(mp, context->part_of));
    if (context->specimen)
        put_reference(mp, o, "specimen", context->specimen);
    if (device && !json_get(o, "device"))
        json_put_text(mp->a, json_put_object(mp->a, o, "device"), "reference", device);
    device_celsius(mp, o);
    if (!json_get(o, "effectiveDateTime"))
        json_put_str(mp->a, o, "effectiveDateTime", effective);
    if (!json_get(o, "status"))
        json_put_text(mp->a, o, "status", "unknown");
    order_notes(mp, obx, o);
}

struct mapped_resource *obx_observation(struct mapping *mp, const struct hl7_segment *obx,
                                        const struct obx_context *context)
{
    struct slice code = mapping_value(mp, obx, 3, 1);
    struct slice key;
    const char *category;
    struct mapped_resource *r;

    if (device_is_frame(mp, obx))
        return NULL;
    if (code.len == 0)
        code = mapping_value(mp, obx, 3, 2);
    if (code.len == 0) {
        mapping_warn(mp, obx, 3, 0, "a result without an item code was left out",
                     "検査項目コードのない結果を除きました");
        return NULL;
    }
    key = ARENA_JOIN(mp->a, SLICE("OBX:"), context->key, SLICE(":"), code, SLICE(":"),
                     mapping_value(mp, obx, 4, 1));
    category = category_of(mp, obx, context->category);
    r = mapping_resource(mp, "Observation",
                         strcmp(category, "laboratory") == 0 ? "JP_Observation_LabResult"
                                                             : "JP_Observation_Common",
                         mapping_unique(mp, "Observation", key));
    r->scope = context->scope;
    put_category(mp, r->resource, category);
    mapping_walk(mp, obx, obx_rows, r->resource);
    add_loinc(mp, obx, r->resource);
    put_context(mp, obx, context, r->resource);
    r->remove = slice_is(mapping_value(mp, obx, 11, 1), "D");
    return r;
}

const struct row_set obx_sets[] = {{"OBX", "Observation", obx_rows, NULL}, ROW_SET_END};
