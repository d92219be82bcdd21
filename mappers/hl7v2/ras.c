/* SPDX-License-Identifier: Apache-2.0
 *
 * RAS^O17, what was given (SS-MIX2 OMP-11, OMP-12): MedicationAdministration
 * (JP_MedicationAdministration) of each RXA, with the RXR behind it. Key and scope hold the day:
 * one order is given on many days, and a message brings those of one. RXA-6 999 means the amount is
 * not known, and R4 has no dosage without an amount or rate.
 */
#include "mappers/hl7v2/family.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/extend.h"
#include "mappers/hl7v2/pv1.h"
#include "mappers/hl7v2/rp.h"
#include "mappers/hl7v2/terms.h"
#include "mappers/hl7v2/xpn.h"
#include "base/banned.h"

#define EXTENSION                                                                                  \
    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationAdministration_"
#define DAY_DIGITS 8u

static bool put_extension(struct mapping *mp, struct json *resource, const char *url,
                          const char *member, struct json *value)
{
    struct json *extension;

    if (!value)
        return false;
    extension = json_new(mp->a, JSON_OBJECT);
    json_put_text(mp->a, extension, "url", url);
    json_set(extension, member, value);
    return mapping_put_at(mp->a, resource, "extension[]", extension);
}

static bool build_authored(struct spot *at)
{
    struct slice text = build_datetime_of(at->mp, mapping_part(at->mp, at->raw, 1));

    return text.len && put_extension(at->mp, at->target, EXTENSION "RequestAuthoredOn",
                                     "valueDateTime", json_string(at->mp->a, text));
}

static bool build_requester(struct spot *at)
{
    if (at->repeat > 0)
        return slice_is(mapping_part(at->mp, at->raw, 15), "P");
    return put_extension(at->mp, at->target, EXTENSION "Requester", "valueReference",
                         xpn_person(at->mp, at->raw));
}

static const struct row orc_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_structure, NULL, NULL},
    {3, 0, build_identifier, "identifier[]", "filler-order"},
    {9, 0, build_authored, NULL, NULL},
    {12, 0, build_requester, NULL, NULL},
    {17, 0, cwe_build_extension, "extension[]", EXTENSION "RequestDepartment"},
    {28, 0, extend_build_security, "meta.security[]", NULL},
    {29, 0, cwe_build, "category", "HL70482"},
    ROW_END,
};

static bool build_performer(struct spot *at)
{
    struct json *person, *performer;

    if (at->repeat > 0 && slice_is(mapping_part(at->mp, at->raw, 15), "P"))
        return true;
    person = xpn_person(at->mp, at->raw);
    if (!person)
        return false;
    performer = json_new(at->mp->a, JSON_OBJECT);
    json_set(performer, "actor", person);
    return mapping_put(at, performer);
}

/* LA2: point of care, room, bed. */
static bool build_place(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice text = mapping_part(mp, at->raw, 1);
    struct json *reference;

    for (unsigned c = 2; c <= 3; c++) {
        struct slice part = mapping_part(mp, at->raw, c);
        if (part.len)
            text =
                text.len ? mapping_format(mp, "%.*s-%.*s", SLICE_ARG(text), SLICE_ARG(part)) : part;
    }
    if (text.len == 0)
        return false;
    reference = json_new(mp->a, JSON_OBJECT);
    json_put_str(mp->a, reference, "display", text);
    return put_extension(mp, at->target, EXTENSION "Location", "valueReference", reference);
}

/* RXA-12: "102ml/hr", a number and its unit in one text. */
static bool build_rate(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice text = mapping_part(mp, at->raw, 1), literal;
    struct cwe unit = {0};
    struct json *quantity;
    size_t digits = 0;

    while (digits < text.len &&
           ((text.ptr[digits] >= '0' && text.ptr[digits] <= '9') || text.ptr[digits] == '.'))
        digits++;
    if (!build_decimal_of(mp, slice_sub(text, 0, digits), &literal))
        return false;
    unit.code = slice_trim(slice_sub(text, digits, text.len));
    quantity = json_new(mp->a, JSON_OBJECT);
    json_set(quantity, "value", json_number(mp->a, literal));
    if (unit.code.len)
        build_unit_of(mp, quantity, &unit);
    return mapping_put(at, quantity);
}

static const struct row rxa_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_structure, NULL, NULL},
    {5, 0, cwe_build, "medicationCodeableConcept", NULL},
    {10, 0, build_performer, "performer[]", NULL},
    {11, 0, build_place, NULL, NULL},
    {12, 0, build_rate, "dosage.rateQuantity", NULL},
    {18, 0, cwe_build, "statusReason[]", NULL},
    {21, 0, build_structure, NULL, NULL},
    ROW_END,
};
static const struct row dose_rows[] = {
    {6, 0, build_decimal, "dosage.dose.value", NULL},
    {7, 0, build_unit, "dosage.dose", NULL},
    ROW_END,
};
static const struct row rxr_rows[] = {
    {1, 0, cwe_build, "dosage.route", "HL70162"},
    {2, 0, cwe_build, "dosage.site", NULL},
    {3, 0, rp_build_device, "dosage.extension[]", NULL},
    {4, 0, cwe_build, "dosage.method", NULL},
    ROW_END,
};

/* effective[x] and status are made of several fields. */
static const struct row time_rows[] = {
    {3, 0, build_elsewhere, "effectiveDateTime", NULL},
    {4, 0, build_elsewhere, "effectivePeriod.end", NULL},
    {20, 0, build_elsewhere, "status", NULL},
    ROW_END,
};
static const struct row note_rows[] = {{9, 0, cwe_build_note, "note[]", NULL}, ROW_END};

/* effective[x]: a moment, or from and to. Required in R4. */
static bool put_effective(struct mapping *mp, const struct hl7_segment *rxa, struct json *resource)
{
    struct slice from = build_datetime_of(mp, mapping_take(mp, rxa, 3, 1));
    struct slice to = build_datetime_of(mp, mapping_take(mp, rxa, 4, 1));
    struct json *period;

    if (from.len == 0 && to.len == 0)
        return false;
    if (to.len == 0 || slice_eq(from, to))
        return json_put_str(mp->a, resource, "effectiveDateTime", from) != NULL;
    period = json_put_object(mp->a, resource, "effectivePeriod");
    json_put_str(mp->a, period, "start", from);
    return json_put_str(mp->a, period, "end", to) != NULL;
}

static void put_status(struct mapping *mp, const struct hl7_segment *rxa, struct mapped_resource *r)
{
    struct slice code = mapping_value(mp, rxa, 20, 1);
    const struct term *status = terms_find(terms_administration, code);

    r->remove = slice_is(mapping_value(mp, rxa, 21, 1), "D");
    if (code.len && !status)
        mapping_warn(mp, rxa, 20, 0, "the completion status is not known here",
                     "完了状態が対応表にありません");
    if (status)
        mapping_mark(mp, rxa, 20, MAPPING_USED);
    json_put_text(mp->a, r->resource, "status",
                  r->remove ? "entered-in-error"
                  : status  ? status->to
                            : "unknown");
}

static void put_dosage(struct mapping *mp, const struct order *o, const struct hl7_segment *rxa,
                       struct json *resource)
{
    struct json *dosage;

    if (hl7_field(rxa, 6).len && !slice_is(mapping_value(mp, rxa, 6, 1), "999"))
        mapping_walk(mp, rxa, dose_rows, resource);
    dosage = json_get(resource, "dosage");
    if (!dosage)
        return;
    if (!json_path(dosage, "dose", "value", NULL) && !json_get(dosage, "rateQuantity")) {
        json_remove(resource, "dosage");
        return;
    }
    mapping_walk(mp, order_next(mp, o, rxa, "RXR"), rxr_rows, resource);
}

static void put_request(struct mapping *mp, const struct order *o, struct json *resource)
{
    struct json *request, *identifier;

    if (!o->numbered)
        return;
    request = json_put_object(mp->a, resource, "request");
    json_put_text(mp->a, request, "type", "MedicationRequest");
    identifier = json_put_object(mp->a, request, "identifier");
    json_put_str(mp->a, identifier, "system", cwe_local(mp, SLICE("order")));
    json_put_str(mp->a, identifier, "value", o->number);
}

static void map_rxa(struct mapping *mp, const struct order *o, const struct hl7_segment *rxa)
{
    struct slice drug = mapping_value(mp, rxa, 5, 1), key;
    struct mapped_resource *r;
    struct rp rp;

    if (!cwe_says(mp, rxa, 5) || build_datetime_of(mp, mapping_value(mp, rxa, 3, 1)).len == 0) {
        mapping_warn(mp, rxa, 5, 0, "an administration without drug or time was left out",
                     "薬剤または日時のない投与情報を除きました");
        return;
    }
    if (drug.len == 0)
        drug = mapping_value(mp, rxa, 5, 2);
    rp_read(mp, o, &rp);
    key = mapping_format(mp, "RXA:%.*s:%.*s:%.*s:%.*s", SLICE_ARG(o->number), SLICE_ARG(rp.raw),
                         SLICE_ARG(mapping_value(mp, rxa, 3, 1)), SLICE_ARG(drug));
    key = mapping_unique(mp, "MedicationAdministration", key);
    r = mapping_resource(mp, "MedicationAdministration", "JP_MedicationAdministration", key);
    r->scope = o->scope;
    rp_identify(mp, o, &rp, SLICE_NONE, r->resource);
    put_status(mp, rxa, r);
    mapping_subject(mp, r->resource, "subject");
    mapping_in_encounter(mp, r->resource, "context");
    mapping_walk(mp, o->orc, orc_rows, r->resource);
    (void)put_effective(mp, rxa, r->resource);
    put_request(mp, o, r->resource);
    mapping_walk(mp, rxa, rxa_rows, r->resource);
    mapping_walk(mp, rxa, note_rows, r->resource);
    put_dosage(mp, o, rxa, r->resource);
}

static void map_order(struct mapping *mp, struct order *o)
{
    const struct hl7_segment *first = order_find(mp, o, "RXA", 1);
    struct slice when = mapping_value(mp, first, 3, 1);

    if (!mp->encounter)
        pv1_mention(mp, when);
    o->result = true;
    o->scope = order_scope(mp, o, slice_sub(when, 0, when.len < DAY_DIGITS ? 0 : DAY_DIGITS));
    for (size_t i = o->from; i < o->to; i++) {
        if (mapping_is(&mp->m->segments[i], "RXA"))
            map_rxa(mp, o, &mp->m->segments[i]);
    }
}

void ras_map(struct mapping *mp)
{
    order_each(mp, ORDER_ORC_FIRST, map_order);
}

const struct row_set ras_sets[] = {
    {"ORC", "MedicationAdministration", orc_rows, NULL},
    {"RXA", "MedicationAdministration", rxa_rows, NULL},
    {"RXA", "MedicationAdministration", time_rows, NULL},
    {"RXA", "MedicationAdministration", dose_rows, NULL},
    {"RXA", "MedicationAdministration", note_rows, NULL},
    {"RXR", "MedicationAdministration", rxr_rows, NULL},
    ROW_SET_END,
};
