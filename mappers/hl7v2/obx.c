/* SPDX-License-Identifier: Apache-2.0
 *
 * OBX to Observation: code, status, times, category, reference range. The value is in obx_value.c.
 * Systolic and diastolic pressure of one measurement are one Observation (pressure.c). Key of a
 * result: order, group, item and sub-id (OBX-4), so that a correction meets the result it corrects.
 */
#include "mappers/hl7v2/obx.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/device.h"
#include "mappers/hl7v2/extend.h"
#include "mappers/hl7v2/family.h"
#include "mappers/hl7v2/obx_value.h"
#include "mappers/hl7v2/order.h"
#include "mappers/hl7v2/pressure.h"
#include "mappers/hl7v2/terms.h"
#include "mappers/hl7v2/xpn.h"
#include "base/banned.h"

#define CATEGORY "http://terminology.hl7.org/CodeSystem/observation-category"
#define CATEGORY_JP "http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS"
#define INTERPRETATION "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
#define CATEGORY_VITAL "http://jpfhir.jp/fhir/core/CodeSystem/JP_ObservationVitalSignsCategory_CS"
#define LOINC "http://loinc.org"
#define PRESSURE_PANEL "85354-9"
#define INSTANCE "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier"

static bool build_interpretation(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice code = mapping_part(mp, at->raw, 1), text = mapping_part(mp, at->raw, 2);
    struct slice system = mapping_part(mp, at->raw, 3);
    const struct term *t = terms_find(terms_interpretation, code);
    struct json *concept;

    if (code.len == 0 && text.len == 0)
        return false;
    if (t) {
        concept = cwe_constant(mp, INTERPRETATION, t->to, t->display);
    } else {
        concept = json_new(mp->a, JSON_OBJECT);
        if (code.len && system.len == 0)
            system = SLICE("HL70078");
        if (code.len)
            json_push(json_put_array(mp->a, concept, "coding"),
                      cwe_coding(mp, cwe_system(mp, system), code, text));
    }
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

/* What is measured, and how much. */
#define MEASURED_ROWS                                                                              \
    {3, 0, cwe_build_item, "code", NULL}, {5, 0, obx_value_build, NULL, NULL},                     \
        {6, 0, obx_value_build_unit, NULL, NULL}, {7, 0, obx_value_build_range, NULL, NULL},       \
    {                                                                                              \
        8, 0, build_interpretation, "interpretation[]", NULL                                       \
    }
/* How, when, by whom it is measured. */
#define MEASURING_ROWS                                                                             \
    {1, 0, build_structure, NULL, NULL}, {2, 0, build_structure, "value[x]", NULL},                \
        {4, 0, build_structure, "identifier[]", NULL},                                             \
        {10, 0, cwe_build_extension, "extension[]", EXTEND_OWN "nature-of-abnormal-test"},         \
        {11, 1, build_status, "status", NULL}, {14, 0, build_datetime, "effectiveDateTime", NULL}, \
        {15, 2, build_performer_name, "performer[]", NULL},                                        \
        {16, 0, xpn_build_persons, "performer[]", NULL}, {17, 0, cwe_build, "method", NULL},       \
        {18, 0, build_device, "device", NULL},                                                     \
        {19, 0, extend_build_time, "extension[]", EXTEND_OWN "analysis-time"},                     \
        {20, 0, cwe_build, "bodySite", NULL},                                                      \
        {21, 0, extend_build_number, "identifier[]", "FILL observation"},                          \
        {23, 1, build_performer_name, "performer[]", NULL},                                        \
        {24, 0, extend_build_address, "extension[]", EXTEND_OWN "performer-address"},              \
        {25, 0, xpn_build_persons, "performer[]", NULL},                                           \
        {29, 0, cwe_build, "category[]", "HL70936"},                                               \
        {30, 0, cwe_build_extension, "extension[]", EXTEND_OWN "result-category"},                 \
    {                                                                                              \
        33, 0, build_specimen_number, "specimen", NULL                                             \
    }

static const struct row obx_rows[] = {MEASURED_ROWS, MEASURING_ROWS, ROW_END};
static const struct row component_rows[] = {MEASURED_ROWS, ROW_END};
static const struct row panel_rows[] = {MEASURING_ROWS, ROW_END};

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
static void add_loinc(struct mapping *mp, const struct hl7_segment *obx, struct json *measured)
{
    struct slice system = mapping_value(mp, obx, 3, 3);
    const char *display = NULL, *loinc = pressure_loinc(mp, obx, &display);

    if (loinc && !slice_is(system, "LN") && !slice_is(system, "LOINC"))
        mapping_put_at(mp->a, measured, "code.coding[]",
                       cwe_coding(mp, SLICE(LOINC), slice_str(loinc), slice_str(display)));
}

static const char *category_of(struct mapping *mp, const struct hl7_segment *obx, const char *given)
{
    const struct term *vital = NULL;
    struct slice system = mapping_value(mp, obx, 3, 3), code = mapping_value(mp, obx, 3, 1);
    const char *by_code, *display;

    if (is_jlac(system))
        vital = terms_find_prefix(terms_vital, code);
    else if (slice_is(system, "LN") || slice_is(system, "LOINC"))
        vital = terms_find(terms_vital, code);
    if (vital)
        return vital->to;
    if (is_device(mp, obx) || pressure_loinc(mp, obx, &display))
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

/* JP_Observation_VitalSigns fixes the system of each category, so they stand apart. */
static void put_panel_code(struct mapping *mp, struct json *panel)
{
    static const struct {
        const char *system, *code;
    } categories[] = {{CATEGORY, "vital-signs"},
                      {CATEGORY_JP, "vital-signs"},
                      {CATEGORY_VITAL, "blood-pressure"}};
    struct json *code =
        cwe_constant(mp, LOINC, PRESSURE_PANEL, "Blood pressure panel with all children optional");

    json_put_text(mp->a, code, "text", "血圧");
    json_set(panel, "code", code);
    for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++)
        mapping_put_at(mp->a, panel, "category[]",
                       cwe_constant(mp, categories[i].system, categories[i].code, NULL));
}

static void put_component(struct mapping *mp, const struct hl7_segment *obx, struct json *panel)
{
    struct json *component = json_new(mp->a, JSON_OBJECT);

    mapping_walk(mp, obx, component_rows, component);
    add_loinc(mp, obx, component);
    mapping_put_at(mp->a, panel, "component[]", component);
}

/* What one of the two says besides the other; which of them says what both do is the same. */
static void add_members(struct mapping *mp, struct json *panel, const struct json *more)
{
    for (const struct json *c = more->first; c; c = c->next) {
        struct json *there = json_get_slice(panel, c->key);

        if (!there) {
            json_set(panel, arena_str(mp->a, c->key), json_clone(mp->a, c));
            continue;
        }
        for (const struct json *i = there->kind == JSON_ARRAY ? c->first : NULL; i; i = i->next) {
            const struct json *j = there->first;

            while (j && !json_equal(i, j))
                j = j->next;
            if (!j)
                json_push(there, json_clone(mp->a, i));
        }
    }
}

/* The less settled of the two speaks for both. */
static const char *less_settled(struct slice a, struct slice b)
{
    static const char *const order[] = {"registered", "preliminary", "unknown",
                                        "corrected",  "amended",     "final"};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (slice_is(a, order[i]) || slice_is(b, order[i]))
            return order[i];
    }
    return "unknown";
}

static struct mapped_resource *pressure_panel(struct mapping *mp, const struct pressure *pair,
                                              const struct obx_context *context)
{
    struct slice key = mapping_format(mp, "OBX:%.*s:" PRESSURE_PANEL ":%.*s",
                                      SLICE_ARG(context->key), SLICE_ARG(pair->series));
    struct mapped_resource *r = mapping_resource(mp, "Observation", "JP_Observation_VitalSigns",
                                                 mapping_unique(mp, "Observation", key));
    struct json *more = json_new(mp->a, JSON_OBJECT);
    const char *status;

    r->scope = context->scope;
    put_panel_code(mp, r->resource);
    mapping_walk(mp, pair->systolic, panel_rows, r->resource);
    put_component(mp, pair->systolic, r->resource);
    mapping_walk(mp, pair->diastolic, panel_rows, more);
    put_component(mp, pair->diastolic, r->resource);
    status = less_settled(json_str(r->resource, "status"), json_str(more, "status"));
    add_members(mp, r->resource, more);
    json_put_text(mp->a, r->resource, "status", status);
    put_context(mp, pair->systolic, context, r->resource);
    put_identifier(mp, pair->diastolic, context, r->resource);
    order_notes(mp, pair->diastolic, r->resource);
    return r;
}

struct mapped_resource *obx_observation(struct mapping *mp, const struct hl7_segment *obx,
                                        const struct obx_context *context)
{
    struct slice code = mapping_value(mp, obx, 3, 1);
    struct slice key;
    const char *category;
    struct mapped_resource *r;
    struct pressure pair;

    if (device_is_frame(mp, obx))
        return NULL;
    if (pressure_pair(mp, obx, &pair)) /* made with the first of the two */
        return obx == (pair.systolic < pair.diastolic ? pair.systolic : pair.diastolic)
                   ? pressure_panel(mp, &pair, context)
                   : NULL;
    for (unsigned c = 2; c <= 5 && code.len == 0; c++)
        code = c == 3 ? SLICE_NONE : mapping_value(mp, obx, 3, c);
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

const struct row_set obx_sets[] = {
    {"OBX", "Observation", obx_rows, NULL},
    {"OBX", "Observation", panel_rows, NULL},
    {"OBX", "Observation.component", component_rows, NULL},
    ROW_SET_END,
};
