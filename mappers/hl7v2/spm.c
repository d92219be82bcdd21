/* SPDX-License-Identifier: Apache-2.0
 *
 * SPM to Specimen. One SPM stands before several orders (OML, OUL); it is mapped at the first and
 * lives in the scope of that order.
 */
#include "mappers/hl7v2/spm.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/extend.h"
#include "mappers/hl7v2/family.h"
#include "mappers/hl7v2/xpn.h"
#include "base/banned.h"

/* EIP: placer's id, else the filler's. */
static struct slice specimen_number(struct mapping *mp, const struct hl7_segment *spm)
{
    struct slice eip = hl7_repeat(mp->m, hl7_field(spm, 2), 0);

    for (unsigned c = 1; c <= 2; c++) {
        struct slice number = mapping_clean(mp, hl7_sub(mp->m, hl7_component(mp->m, eip, c), 1));
        if (number.len)
            return number;
    }
    return SLICE_NONE;
}

static bool build_number(struct spot *at)
{
    struct slice number = specimen_number(at->mp, at->s);
    struct json *identifier;

    if (number.len == 0)
        return false;
    identifier = json_new(at->mp->a, JSON_OBJECT);
    json_put_str(at->mp->a, identifier, "system", cwe_local(at->mp, SLICE("specimen")));
    json_put_str(at->mp->a, identifier, "value", number);
    return mapping_put(at, identifier);
}

/* DR: one time, or from and to. */
static bool build_collected(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice from = mapping_part(mp, at->raw, 1), to = mapping_part(mp, at->raw, 2);
    struct json *period;

    if (to.len == 0 || slice_eq(from, to))
        return build_datetime(at);
    from = build_datetime_of(mp, from);
    to = build_datetime_of(mp, to);
    if (from.len == 0 || to.len == 0)
        return build_datetime(at);
    period = mapping_object_at(mp->a, at->target, "collection.collectedPeriod");
    json_put_str(mp->a, period, "start", from);
    return json_put_str(mp->a, period, "end", to) != NULL;
}

/* SPM-3 (EIP): the specimen this one was taken from, by its number. */
static bool build_parent(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice number = SLICE_NONE;
    struct json *reference, *identifier;

    for (unsigned c = 1; c <= 2 && number.len == 0; c++)
        number = mapping_clean(mp, hl7_sub(mp->m, hl7_component(mp->m, at->raw, c), 1));
    if (number.len == 0)
        return false;
    reference = json_new(mp->a, JSON_OBJECT);
    identifier = json_put_object(mp->a, reference, "identifier");
    json_put_str(mp->a, identifier, "system", cwe_local(mp, SLICE("specimen")));
    json_put_str(mp->a, identifier, "value", number);
    return mapping_put(at, reference);
}

/* R4 has room for one additive of a container. */
static bool build_additive(struct spot *at)
{
    if (at->repeat == 0)
        return cwe_build(at);
    mapping_mark(at->mp, at->s, at->row->field, MAPPING_PARTLY);
    return false;
}

static bool build_available(struct spot *at)
{
    struct slice code = mapping_part(at->mp, at->raw, 1);

    if (!slice_is(code, "Y") && !slice_is(code, "N"))
        return false;
    return mapping_put(at, json_string(at->mp->a, slice_is(code, "Y") ? SLICE("available")
                                                                      : SLICE("unavailable")));
}

/* OBR-15 (SPS): the specimen's code as sub-components, or a plain one. */
static bool build_source(struct spot *at)
{
    struct cwe c;

    cwe_read_sub(at->mp, hl7_component(at->mp->m, at->raw, 1), &c);
    if (c.system.len == 0)
        c.system = SLICE("HL70070");
    return mapping_put(at, cwe_concept(at->mp, &c));
}

static const struct row spm_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_number, "identifier[]", NULL},
    {3, 0, build_parent, "parent[]", NULL},
    {4, 0, cwe_build, "type", NULL},
    {6, 0, build_additive, "container[0].additiveCodeableConcept", NULL},
    {7, 0, cwe_build, "collection.method", NULL},
    {8, 0, cwe_build, "collection.bodySite", NULL},
    {9, 0, cwe_build_extension, "collection.extension[]", EXTEND_OWN "body-site-modifier"},
    {12, 0, build_quantity, "collection.quantity", NULL},
    {14, 1, build_text_object, "note[]", NULL},
    {17, 0, build_collected, "collection.collectedDateTime", NULL},
    {18, 0, build_datetime, "receivedTime", NULL},
    {20, 0, build_available, "status", NULL},
    {24, 0, cwe_build, "condition[]", NULL},
    {27, 0, cwe_build, "container[0].type", NULL},
    {30, 0, extend_build_number, "accessionIdentifier", "ACSN accession"},
    {31, 0, extend_build_number, "identifier[]", " specimen"},
    {32, 0, extend_build_number, "identifier[]", " specimen-shipment"},
    ROW_END,
};
/* Before v2.5 the specimen is said in OBR; its collector still is. */
static const struct row collector_rows[] = {
    {10, 0, xpn_build_person, "collection.collector", NULL},
    {39, 0, cwe_build_note, "note[]", NULL},
    ROW_END,
};
static const struct row obr_rows[] = {
    {2, 0, build_structure, NULL, NULL},
    {7, 0, build_datetime, "collection.collectedDateTime", NULL},
    {9, 0, build_quantity, "collection.quantity", NULL},
    {14, 0, build_datetime, "receivedTime", NULL},
    {15, 0, build_source, "type", NULL},
    ROW_END,
};

/* The specimen of an OBR without SPM, if OBR-15 names one. */
static const char *specimen_of_obr(struct mapping *mp, const struct order *o)
{
    struct slice key = mapping_format(mp, "OBR-15:%.*s:%.*s", SLICE_ARG(o->number),
                                      SLICE_ARG(mapping_value(mp, o->obr, 4, 1)));
    struct mapped_resource *r;

    if (!o->obr || !o->numbered || mapping_value(mp, o->obr, 15, 1).len == 0)
        return NULL;
    r = mapping_resource(mp, "Specimen", "JP_Specimen_Common", mapping_unique(mp, "Specimen", key));
    r->scope = o->scope;
    mapping_subject(mp, r->resource, "subject");
    mapping_walk(mp, o->obr, obr_rows, r->resource);
    mapping_walk(mp, o->obr, collector_rows, r->resource);
    return arena_printf(mp->a, "Specimen/%.*s", SLICE_ARG(json_str(r->resource, "id")));
}

/* An SPM that only stands there because the pattern wants one. */
static bool is_empty(const struct hl7_segment *spm)
{
    for (unsigned n = 2; n < spm->field_count; n++) {
        struct slice field = hl7_field(spm, n);
        if (field.len > 0 && !hl7_is_null(field))
            return false;
    }
    return true;
}

const char *spm_specimen(struct mapping *mp, const struct order *o)
{
    struct slice number, key;
    struct mapped_resource *r;

    if (!o->spm || is_empty(o->spm))
        return specimen_of_obr(mp, o);
    if (mp->specimen == o->spm)
        return mp->specimen_ref;
    number = specimen_number(mp, o->spm);
    if (number.len)
        key = mapping_format(mp, "SPM:%.*s", SLICE_ARG(number));
    else
        key = mapping_format(mp, "SPM:%.*s:%.*s:%.*s", SLICE_ARG(o->number),
                             SLICE_ARG(mapping_value(mp, o->spm, 1, 1)),
                             SLICE_ARG(mapping_value(mp, o->spm, 4, 1)));
    r = mapping_resource(mp, "Specimen", "JP_Specimen_Common", mapping_unique(mp, "Specimen", key));
    r->scope = o->scope;
    mapping_subject(mp, r->resource, "subject");
    mapping_walk(mp, o->spm, spm_rows, r->resource);
    mapping_walk(mp, o->obr, collector_rows, r->resource);
    mp->specimen = o->spm;
    mp->specimen_ref = arena_printf(mp->a, "Specimen/%.*s", SLICE_ARG(json_str(r->resource, "id")));
    return mp->specimen_ref;
}

struct slice spm_taken(struct mapping *mp, const struct order *o)
{
    return mapping_value(mp, o->spm, 17, 1);
}

const struct row_set spm_sets[] = {
    {"SPM", "Specimen", spm_rows, NULL},
    {"OBR", "Specimen", collector_rows, NULL},
    {"OBR", "Specimen", obr_rows, NULL},
    ROW_SET_END,
};
