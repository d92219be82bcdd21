/* SPDX-License-Identifier: Apache-2.0
 *
 * RDS^O13, what the pharmacy handed over: MedicationDispense (JP_MedicationDispense) of each RXD,
 * with the RXR behind it. HL7 v2.5 section 4.14.5. Key and scope hold the order and the dispense
 * number (RXD-1), so that a refill stands beside the first. The prescription (RXE) that comes along
 * is named by its number only: it has messages of its own.
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

static const struct row orc_rows[] = {
    {1, 0, build_structure, "status", NULL},
    {2, 0, build_structure, NULL, NULL},
    {3, 0, build_identifier, "identifier[]", "filler-order"},
    {28, 0, extend_build_security, "meta.security[]", NULL},
    ROW_END,
};

static bool build_performer(struct spot *at)
{
    struct json *person = xpn_person(at->mp, at->raw), *performer;

    if (!person)
        return false;
    performer = json_new(at->mp->a, JSON_OBJECT);
    json_set(performer, "actor", person);
    return mapping_put(at, performer);
}

/* Table 0167: N and 0 say that what was ordered was handed over; T and G name a substitution. */
static bool build_substitution(struct spot *at)
{
    struct slice code = mapping_part(at->mp, at->raw, 1);
    bool none = slice_is(code, "N") || slice_is(code, "0");
    struct json *substitution;

    if (code.len == 0)
        return false;
    substitution = json_new(at->mp->a, JSON_OBJECT);
    json_put_bool(at->mp->a, substitution, "wasSubstituted", !none);
    if (!none)
        json_set(substitution, "type",
                 cwe_constant(at->mp, "http://terminology.hl7.org/CodeSystem/v2-0167",
                              arena_str(at->mp->a, code), NULL));
    return mapping_put(at, substitution);
}

static const struct row rxd_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, cwe_build, "medicationCodeableConcept", NULL},
    {3, 0, build_datetime, "whenHandedOver", NULL},
    {4, 0, build_decimal, "quantity.value", NULL},
    {7, 0, build_identifier, "identifier[]", "prescription"},
    {9, 0, build_text_object, "note[]", NULL},
    {10, 0, build_performer, "performer[]", NULL},
    {11, 0, build_substitution, "substitution", NULL},
    {15, 0, cwe_build, "dosageInstruction[0].additionalInstruction[]", NULL},
    ROW_END,
};
static const struct row unit_rows[] = {{5, 0, build_unit, "quantity", NULL}, ROW_END};
/* What the package says of itself: a contained Medication could hold it, but then its code would
 * not be found by search, so the drug stays a concept and these stand beside it. */
static const struct row package_rows[] = {
    {6, 0, cwe_build_extension, "extension[]", EXTEND_OWN "dose-form"},
    {18, 1, extend_build_text, "extension[]", EXTEND_OWN "lot-number"},
    {19, 0, extend_build_time, "extension[]", EXTEND_OWN "expiration-date"},
    {20, 0, cwe_build_extension, "extension[]", EXTEND_OWN "manufacturer"},
    ROW_END,
};
static const struct row rxr_rows[] = {
    {1, 0, cwe_build, "dosageInstruction[0].route", "HL70162"},
    {2, 0, cwe_build, "dosageInstruction[0].site", NULL},
    {4, 0, cwe_build, "dosageInstruction[0].method", NULL},
    ROW_END,
};

static void put_prescription(struct mapping *mp, const struct order *o, struct json *dispense)
{
    struct json *reference, *identifier;

    if (!o->numbered)
        return;
    reference = json_new(mp->a, JSON_OBJECT);
    json_put_text(mp->a, reference, "type", "MedicationRequest");
    identifier = json_put_object(mp->a, reference, "identifier");
    json_put_str(mp->a, identifier, "system", cwe_local(mp, SLICE("order")));
    json_put_str(mp->a, identifier, "value", o->number);
    mapping_put_at(mp->a, dispense, "authorizingPrescription[]", reference);
}

static void map_rxd(struct mapping *mp, const struct order *o, const struct hl7_segment *rxd)
{
    struct mapped_resource *r;
    struct slice key;
    struct rp rp;

    if (!cwe_says(mp, rxd, 2)) {
        mapping_warn(mp, rxd, 2, 0, "a dispense without a drug was left out",
                     "薬剤のない調剤情報を除きました");
        return;
    }
    rp_read(mp, o, &rp);
    key = mapping_format(mp, "RXD:%.*s:%.*s:%.*s:%.*s", SLICE_ARG(o->number), SLICE_ARG(rp.raw),
                         SLICE_ARG(mapping_value(mp, rxd, 1, 1)),
                         SLICE_ARG(mapping_value(mp, rxd, 2, 1)));
    r = mapping_resource(mp, "MedicationDispense", "JP_MedicationDispense",
                         mapping_unique(mp, "MedicationDispense", key));
    r->scope = o->scope;
    rp_identify(mp, o, &rp, SLICE_NONE, r->resource);
    json_put_text(mp->a, r->resource, "status", "completed");
    mapping_subject(mp, r->resource, "subject");
    mapping_in_encounter(mp, r->resource, "context");
    mapping_walk(mp, o->orc, orc_rows, r->resource);
    put_prescription(mp, o, r->resource);
    mapping_walk(mp, rxd, rxd_rows, r->resource);
    if (json_path(r->resource, "quantity", "value", NULL))
        mapping_walk(mp, rxd, unit_rows, r->resource);
    mapping_walk(mp, rxd, package_rows, r->resource);
    mapping_walk(mp, order_next(mp, o, rxd, "RXR"), rxr_rows, r->resource);
    order_notes(mp, rxd, r->resource);
}

static void map_order(struct mapping *mp, struct order *o)
{
    const struct hl7_segment *first = order_find(mp, o, "RXD", 1);

    if (!mp->encounter)
        pv1_mention(mp, mapping_value(mp, first, 3, 1));
    o->result = true; /* a dispense taken back did not happen */
    o->scope = order_scope(mp, o, mapping_value(mp, first, 1, 1));
    for (size_t i = o->from; i < o->to; i++) {
        if (mapping_is(&mp->m->segments[i], "RXD"))
            map_rxd(mp, o, &mp->m->segments[i]);
    }
}

void rds_map(struct mapping *mp)
{
    order_each(mp, ORDER_ORC_FIRST, map_order);
}

const struct row_set rds_sets[] = {
    {"ORC", "MedicationDispense", orc_rows, NULL},
    {"RXD", "MedicationDispense", rxd_rows, NULL},
    {"RXD", "MedicationDispense", unit_rows, NULL},
    {"RXD", "MedicationDispense", package_rows, NULL},
    {"RXR", "MedicationDispense", rxr_rows, NULL},
    ROW_SET_END,
};
