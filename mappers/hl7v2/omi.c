/* SPDX-License-Identifier: Apache-2.0
 *
 * OMI^Z23, imaging and endoscopy as performed (SS-MIX2 OMG-11, -12): ImagingStudy by its study UID
 * (IPC-3), a Procedure for each act said to be done (ZE1), Observations of the OBX, the order on
 * the side. Several order groups share one study.
 */
#include "mappers/hl7v2/family.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/obx.h"
#include "mappers/hl7v2/order.h"
#include "mappers/hl7v2/pv1.h"
#include "mappers/hl7v2/xpn.h"
#include "base/banned.h"

#define UID_MAX 64u /* DICOM PS3.5 section 9.1 */

static bool is_uid(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        bool dot = s.ptr[i] == '.';
        if (!dot && (s.ptr[i] < '0' || s.ptr[i] > '9'))
            return false;
        if (dot && (i == 0 || i + 1 == s.len || s.ptr[i - 1] == '.'))
            return false;
    }
    return s.len > 0 && s.len <= UID_MAX;
}

static bool build_uid(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice uid = mapping_part(mp, at->raw, 1), value;
    struct json *identifier;

    if (!is_uid(uid)) {
        mapping_warn(mp, at->s, 3, 0, "the study UID is not a DICOM UID",
                     "検査インスタンスUIDの形式が不正です");
        return false;
    }
    value = mapping_format(mp, "urn:oid:%.*s", SLICE_ARG(uid));
    if (!mapping_once(mp, at->target, value))
        return true;
    identifier = json_new(mp->a, JSON_OBJECT);
    json_put_text(mp->a, identifier, "system", "urn:dicom:uid");
    json_put_str(mp->a, identifier, "value", value);
    return mapping_put(at, identifier);
}

/* arg: ACSN, or the name of a local system. */
static bool build_study_number(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice value = mapping_part(mp, at->raw, 1);
    bool accession = slice_is(slice_str(at->row->arg), "ACSN");
    struct json *identifier;

    if (value.len == 0)
        return false;
    if (!mapping_once(mp, at->target, value))
        return true;
    identifier = json_new(mp->a, JSON_OBJECT);
    if (accession)
        json_set(identifier, "type",
                 cwe_constant(mp, "http://terminology.hl7.org/CodeSystem/v2-0203", "ACSN", NULL));
    json_put_str(mp->a, identifier, "system",
                 cwe_local(mp, accession ? SLICE("accession") : slice_str(at->row->arg)));
    json_put_str(mp->a, identifier, "value", value);
    return mapping_put(at, identifier);
}

/* Modality is a Coding; the same one is said once. */
static bool build_modality(struct spot *at)
{
    struct cwe c;
    struct json *list = json_get(at->target, "modality");

    cwe_read(at->mp, at->raw, &c);
    for (struct json *i = list ? list->first : NULL; i; i = i->next) {
        if (slice_eq(json_str(i, "code"), c.code))
            return true;
    }
    if (c.system.len == 0)
        c.system = SLICE("DCM");
    return mapping_put(at, cwe_coding(at->mp, cwe_system(at->mp, c.system), c.code, c.text));
}

static const struct row ipc_rows[] = {
    {1, 0, build_study_number, "identifier[]", "ACSN"},
    {2, 0, build_study_number, "identifier[]", "requested-procedure"},
    {3, 0, build_uid, "identifier[]", NULL},
    {5, 0, build_modality, "modality[]", NULL},
    ROW_END,
};
/* Parent and first child of an order name the same act. */
static bool build_procedure_code(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct cwe c;

    cwe_read(mp, at->raw, &c);
    if (cwe_text(&c).len == 0)
        return false;
    if (!mapping_once(mp, at->target, mapping_format(mp, "code:%.*s", SLICE_ARG(at->raw))))
        return true;
    return mapping_put(at, cwe_concept(mp, &c));
}

static const struct row study_obr_rows[] = {
    {4, 0, build_procedure_code, "procedureCode[]", NULL},
    {7, 0, build_datetime, "started", NULL},
    ROW_END,
};

static struct mapped_resource *study(struct mapping *mp, const struct order *o,
                                     const struct hl7_segment *ipc,
                                     const struct mapped_resource *request)
{
    struct slice uid = mapping_value(mp, ipc, 3, 1), accession = mapping_value(mp, ipc, 1, 1);
    struct slice key = mapping_format(mp, "IPC:%.*s", SLICE_ARG(uid.len ? uid : accession));
    struct mapped_resource *r;

    if (uid.len == 0 && accession.len == 0)
        return NULL;
    r = mapping_find(mp, "ImagingStudy", key);
    if (!r) {
        r = mapping_resource(mp, "ImagingStudy", "JP_ImagingStudy_Radiology", key);
        r->scope = o->scope;
        json_put_text(mp->a, r->resource, "status", o->cancelled ? "cancelled" : "available");
        mapping_subject(mp, r->resource, "subject");
        mapping_in_encounter(mp, r->resource, "encounter");
    }
    mapping_walk(mp, ipc, ipc_rows, r->resource);
    mapping_walk(mp, o->obr, study_obr_rows, r->resource);
    order_based_on(mp, request, r->resource);
    return r;
}

static bool build_performer(struct spot *at)
{
    struct json *person = xpn_person(at->mp, at->raw), *performer;

    if (!person)
        return false;
    performer = json_new(at->mp->a, JSON_OBJECT);
    json_set(performer, "actor", person);
    return mapping_put(at, performer);
}

static const struct row ze1_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_structure, NULL, NULL},
    {3, 0, cwe_build, "code", NULL},
    {8, 0, build_performer, "performer[]", NULL},
    ROW_END,
};
static const struct row procedure_obr_rows[] = {{7, 0, build_datetime, "performedDateTime", NULL},
                                                ROW_END};

/* An act done; JP samples put the people into ZE1-8, though the table names ZE1-7. */
static struct mapped_resource *procedure(struct mapping *mp, const struct order *o,
                                         const struct hl7_segment *ze1,
                                         const struct mapped_resource *request)
{
    struct slice key = mapping_format(mp, "ZE1:%.*s:%.*s", SLICE_ARG(o->number),
                                      SLICE_ARG(mapping_value(mp, ze1, 3, 1)));
    struct mapped_resource *r =
        mapping_resource(mp, "Procedure", "JP_Procedure", mapping_unique(mp, "Procedure", key));

    r->scope = o->scope;
    json_put_text(mp->a, r->resource, "status", o->cancelled ? "not-done" : "completed");
    mapping_subject(mp, r->resource, "subject");
    mapping_in_encounter(mp, r->resource, "encounter");
    mapping_walk(mp, ze1, ze1_rows, r->resource);
    mapping_walk(mp, o->obr, procedure_obr_rows, r->resource);
    order_based_on(mp, request, r->resource);
    return r;
}

/* OBX behind a ZE1 tell of that act, others of the study. */
static void map_group(struct mapping *mp, const struct order *o, struct mapped_resource *request)
{
    struct mapped_resource *whole = NULL, *act = NULL;
    struct obx_context context = {
        .key = mapping_format(mp, "OMI:%.*s:%.*s", SLICE_ARG(o->number),
                              SLICE_ARG(mapping_value(mp, o->obr, 4, 1))),
        .scope = o->scope,
        .category = "imaging",
        .effective = mapping_value(mp, o->obr, 7, 1),
        .request = request,
        .numbered = o->numbered,
    };

    for (size_t i = o->from; i < o->to; i++) {
        const struct hl7_segment *s = &mp->m->segments[i];
        if (mapping_is(s, "IPC"))
            whole = study(mp, o, s, request);
    }
    for (size_t i = o->from; i < o->to; i++) {
        const struct hl7_segment *s = &mp->m->segments[i];

        if (mapping_is(s, "ZE1"))
            act = procedure(mp, o, s, request);
        if (!mapping_is(s, "OBX"))
            continue;
        context.part_of = act ? act : whole;
        (void)obx_observation(mp, s, &context);
    }
}

static void map_order(struct mapping *mp, struct order *o)
{
    if (!mp->encounter)
        pv1_mention(mp, mapping_value(mp, o->obr, 7, 1));
    o->scope = order_scope(mp, o, SLICE_NONE);
    o->result = true;
    map_group(mp, o, order_request(mp, o, "IMG", true));
}

void omi_map(struct mapping *mp)
{
    order_each(mp, ORDER_ORC_FIRST, map_order);
}

const struct row_set omi_sets[] = {
    {"IPC", "ImagingStudy", ipc_rows, NULL},
    {"OBR", "ImagingStudy", study_obr_rows, NULL},
    {"ZE1", "Procedure", ze1_rows, NULL},
    {"OBR", "Procedure", procedure_obr_rows, NULL},
    ROW_SET_END,
};
