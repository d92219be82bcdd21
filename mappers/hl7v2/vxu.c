/* SPDX-License-Identifier: Apache-2.0
 *
 * VXU^V04, vaccinations: Immunization (JP_Immunization) of each RXA with its ORC, RXR and the OBX
 * behind it, whose LOINC codes say what they are of (CDC implementation guide 2.5.1 section 4):
 * programme, funding, dose number, education. Other OBX are Observations that are part of it.
 */
#include "mappers/hl7v2/family.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/extend.h"
#include "mappers/hl7v2/obx.h"
#include "mappers/hl7v2/order.h"
#include "mappers/hl7v2/pv1.h"
#include "mappers/hl7v2/terms.h"
#include "mappers/hl7v2/xpn.h"
#include "base/banned.h"

/* arg: AP (who gave it) or OP (who ordered it), of table 0443. */
static bool build_performer(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct json *person, *performer;

    if (at->repeat > 0 && slice_is(mapping_part(mp, at->raw, 15), "P"))
        return true;
    person = xpn_person(mp, at->raw);
    if (!person)
        return false;
    performer = json_new(mp->a, JSON_OBJECT);
    json_set(performer, "function",
             cwe_constant(mp, "http://terminology.hl7.org/CodeSystem/v2-0443", at->row->arg, NULL));
    json_set(performer, "actor", person);
    return mapping_put(at, performer);
}

/* RXA-17 (CWE): the maker by name, with its code as identifier. */
static bool build_maker(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct cwe c;
    struct json *reference, *identifier;

    cwe_read(mp, at->raw, &c);
    if (cwe_text(&c).len == 0)
        return false;
    reference = json_new(mp->a, JSON_OBJECT);
    if (c.code.len && c.system.len) {
        identifier = json_put_object(mp->a, reference, "identifier");
        json_put_str(mp->a, identifier, "system", cwe_system(mp, c.system));
        json_put_str(mp->a, identifier, "value", c.code);
    }
    json_put_str(mp->a, reference, "display", cwe_text(&c));
    return mapping_put(at, reference);
}

/* RXA-11 (LA2: facility in component 4) or RXA-27 (PL: also 9). */
static bool build_place(struct spot *at)
{
    struct mapping *mp = at->mp;
    static const unsigned order[] = {4, 9, 1};
    struct slice name = SLICE_NONE;
    struct json *reference;

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && name.len == 0; i++)
        name = mapping_clean(mp, hl7_sub(mp->m, hl7_component(mp->m, at->raw, order[i]), 1));
    if (name.len == 0 || json_get(at->target, "location"))
        return false;
    reference = json_new(mp->a, JSON_OBJECT);
    json_put_str(mp->a, reference, "display", name);
    return mapping_put(at, reference);
}

/* RXA-9: NIP001 00 is a vaccination of one's own, every other code a report of somebody else's. */
static bool build_source(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct cwe c;
    struct json *note;

    cwe_read(mp, at->raw, &c);
    if (cwe_text(&c).len == 0)
        return false;
    if (slice_is(c.system, "NIP001")) {
        bool own = slice_is(c.code, "00");

        json_put_bool(mp->a, at->target, "primarySource", own);
        return own || json_set(at->target, "reportOrigin", cwe_concept(mp, &c)) != NULL;
    }
    note = json_new(mp->a, JSON_OBJECT);
    json_put_str(mp->a, note, "text", cwe_text(&c));
    return mapping_put(at, note);
}

static const struct row orc_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, extend_build_number, "identifier[]", "PLAC order"},
    {3, 0, extend_build_number, "identifier[]", "FILL filler-order"},
    {4, 0, extend_build_number, "identifier[]", "PGN order-group"},
    {9, 0, build_datetime, "recorded", NULL},
    {12, 0, build_performer, "performer[]", "OP"},
    {28, 0, extend_build_security, "meta.security[]", NULL},
    ROW_END,
};
static const struct row rxa_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_structure, NULL, NULL},
    {3, 0, build_datetime, "occurrenceDateTime", NULL},
    {4, 0, build_structure, NULL, NULL},
    {5, 0, cwe_build, "vaccineCode", NULL},
    {9, 0, build_source, "note[]", NULL},
    {10, 0, build_performer, "performer[]", "AP"},
    {27, 0, build_place, "location", NULL},
    {11, 0, build_place, "location", NULL},
    {28, 0, extend_build_address, "extension[]", EXTEND_OWN "location-address"},
    {15, 0, build_string, "lotNumber", NULL},
    {16, 0, build_date, "expirationDate", NULL},
    {17, 0, build_maker, "manufacturer", NULL},
    {18, 0, cwe_build, "statusReason", NULL},
    {19, 0, cwe_build, "reasonCode[]", NULL},
    {20, 0, build_structure, "status", NULL},
    {21, 0, build_structure, "status", NULL},
    {22, 0, build_datetime, "recorded", NULL},
    ROW_END,
};
static const struct row dose_rows[] = {
    {6, 0, build_decimal, "doseQuantity.value", NULL},
    {7, 0, build_unit, "doseQuantity", NULL},
    ROW_END,
};
static const struct row rxr_rows[] = {
    {1, 0, cwe_build, "route", "HL70162"},
    {2, 0, cwe_build, "site", "HL70163"},
    ROW_END,
};

/* The leaflet that was handed over, by its name. */
static bool build_document_type(struct spot *at)
{
    struct cwe c;

    cwe_read(at->mp, at->raw, &c);
    return cwe_text(&c).len && mapping_put(at, json_string(at->mp->a, cwe_text(&c)));
}

/* What an OBX-3 (LOINC) says its value is of. */
#define OBX_ROWS(builder, where)                                                                   \
    {                                                                                              \
        {1, 0, build_structure, NULL, NULL}, {2, 0, build_structure, NULL, NULL},                  \
            {3, 0, build_structure, NULL, NULL}, {4, 0, build_structure, NULL, NULL},              \
            {5, 0, builder, where, NULL}, {11, 0, build_structure, NULL, NULL}, ROW_END,           \
    }
static const struct row program_rows[] = OBX_ROWS(cwe_build, "programEligibility[]");
static const struct row funding_rows[] = OBX_ROWS(cwe_build, "fundingSource");
static const struct row dose_number_rows[] =
    OBX_ROWS(build_integer, "protocolApplied[0].doseNumberPositiveInt");
static const struct row series_rows[] =
    OBX_ROWS(build_integer, "protocolApplied[0].seriesDosesPositiveInt");
static const struct row document_rows[] =
    OBX_ROWS(build_document_type, "education[0].documentType");
static const struct row published_rows[] = OBX_ROWS(build_datetime, "education[0].publicationDate");
static const struct row presented_rows[] =
    OBX_ROWS(build_datetime, "education[0].presentationDate");

static const struct {
    const char *loinc;
    const struct row *rows;
} said_by_obx[] = {{"64994-7", program_rows},     {"30963-3", funding_rows},
                   {"30973-2", dose_number_rows}, {"59782-3", series_rows},
                   {"69764-9", document_rows},    {"30956-7", document_rows},
                   {"29768-9", published_rows},   {"29769-7", presented_rows}};

static const struct row *rows_of_obx(struct mapping *mp, const struct hl7_segment *obx)
{
    struct slice code = mapping_value(mp, obx, 3, 1);

    for (size_t i = 0; i < sizeof(said_by_obx) / sizeof(said_by_obx[0]); i++) {
        if (slice_is(code, said_by_obx[i].loinc))
            return said_by_obx[i].rows;
    }
    return NULL;
}

/* The end of what stands behind RXA. */
static size_t end_of(struct mapping *mp, const struct order *o, const struct hl7_segment *rxa)
{
    size_t i = (size_t)(rxa - mp->m->segments) + 1;

    while (i < o->to && !mapping_is(&mp->m->segments[i], "RXA"))
        i++;
    return i;
}

/* R4 has no dates of a leaflet without the leaflet, no length of a series without the dose's place
 * in it: alone they are Observations. */
static bool may_stand(struct mapping *mp, const struct order *o, const struct hl7_segment *rxa,
                      const struct row *rows)
{
    const struct row *needs = rows == published_rows || rows == presented_rows ? document_rows
                              : rows == series_rows                            ? dose_number_rows
                                                                               : NULL;
    size_t end = end_of(mp, o, rxa);

    for (size_t i = (size_t)(rxa - mp->m->segments) + 1; needs && i < end; i++) {
        const struct hl7_segment *s = &mp->m->segments[i];

        if (mapping_is(s, "OBX") && rows_of_obx(mp, s) == needs && hl7_field(s, 5).len)
            return true;
    }
    return !needs;
}

static void put_observations(struct mapping *mp, const struct order *o,
                             const struct hl7_segment *rxa, struct mapped_resource *r)
{
    struct obx_context context = {
        .key = mapping_format(mp, "VXU:%.*s", SLICE_ARG(o->number)),
        .scope = o->scope,
        .effective = mapping_value(mp, rxa, 3, 1),
        .part_of = r,
    };
    size_t end = end_of(mp, o, rxa);

    for (size_t i = (size_t)(rxa - mp->m->segments) + 1; i < end; i++) {
        const struct hl7_segment *s = &mp->m->segments[i];
        const struct row *rows = mapping_is(s, "OBX") ? rows_of_obx(mp, s) : NULL;

        if (rows && may_stand(mp, o, rxa, rows))
            mapping_walk(mp, s, rows, r->resource);
        else if (mapping_is(s, "OBX"))
            (void)obx_observation(mp, s, &context);
    }
    /* R4: a protocol without the number of the dose says nothing */
    if (!json_path(r->resource, "protocolApplied", "0", "doseNumberPositiveInt", NULL))
        json_remove(r->resource, "protocolApplied");
    if (!json_path(r->resource, "education", "0", "documentType", NULL)) /* imm-1 */
        json_remove(r->resource, "education");
}

static void put_status(struct mapping *mp, const struct hl7_segment *rxa, struct mapped_resource *r)
{
    const struct term *status = terms_find(terms_vaccination_status, mapping_value(mp, rxa, 20, 1));

    r->remove = slice_is(mapping_value(mp, rxa, 21, 1), "D");
    json_put_text(mp->a, r->resource, "status",
                  r->remove ? "entered-in-error"
                  : status  ? status->to
                            : "completed");
}

static void map_rxa(struct mapping *mp, const struct order *o, const struct hl7_segment *rxa)
{
    struct slice code = mapping_value(mp, rxa, 5, 1), when = mapping_value(mp, rxa, 3, 1), key;
    struct mapped_resource *r;

    if (!cwe_says(mp, rxa, 5) || build_datetime_of(mp, when).len == 0) {
        mapping_warn(mp, rxa, 5, 0, "a vaccination without vaccine or date was left out",
                     "ワクチンまたは接種日のない予防接種を除きました");
        return;
    }
    if (slice_is(code,
                 "998")) /* CVX: no vaccine administered, the message is about something else */
        return;
    if (code.len == 0)
        code = mapping_value(mp, rxa, 5, 2);
    key = mapping_format(mp, "VXU:%.*s:%.*s:%.*s", SLICE_ARG(o->number), SLICE_ARG(when),
                         SLICE_ARG(code));
    r = mapping_resource(mp, "Immunization", "JP_Immunization",
                         mapping_unique(mp, "Immunization", key));
    r->scope = o->scope;
    put_status(mp, rxa, r);
    mapping_subject(mp, r->resource, "patient");
    mapping_in_encounter(mp, r->resource, "encounter");
    mapping_walk(mp, o->orc, orc_rows, r->resource);
    mapping_walk(mp, rxa, rxa_rows, r->resource);
    if (!slice_is(mapping_value(mp, rxa, 6, 1), "999"))
        mapping_walk(mp, rxa, dose_rows, r->resource);
    if (!json_path(r->resource, "doseQuantity", "value", NULL))
        json_remove(r->resource, "doseQuantity");
    mapping_walk(mp, order_next(mp, o, rxa, "RXR"), rxr_rows, r->resource);
    put_observations(mp, o, rxa, r);
}

static void map_order(struct mapping *mp, struct order *o)
{
    if (!mp->encounter)
        pv1_mention(mp, mapping_value(mp, order_find(mp, o, "RXA", 1), 3, 1));
    o->result = true;
    o->scope = order_scope(mp, o, SLICE_NONE);
    for (size_t i = o->from; i < o->to; i++) {
        if (mapping_is(&mp->m->segments[i], "RXA"))
            map_rxa(mp, o, &mp->m->segments[i]);
    }
}

void vxu_map(struct mapping *mp)
{
    order_each(mp, ORDER_ORC_FIRST, map_order);
}

const struct row_set vxu_sets[] = {
    {"ORC", "Immunization", orc_rows, NULL},         {"RXA", "Immunization", rxa_rows, NULL},
    {"RXA", "Immunization", dose_rows, NULL},        {"RXR", "Immunization", rxr_rows, NULL},
    {"OBX", "Immunization", program_rows, NULL},     {"OBX", "Immunization", funding_rows, NULL},
    {"OBX", "Immunization", dose_number_rows, NULL}, {"OBX", "Immunization", series_rows, NULL},
    {"OBX", "Immunization", document_rows, NULL},    {"OBX", "Immunization", published_rows, NULL},
    {"OBX", "Immunization", presented_rows, NULL},   ROW_SET_END,
};
