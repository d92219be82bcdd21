/* SPDX-License-Identifier: Apache-2.0
 *
 * DG1, the diagnoses an ADT message brings with a visit, to Condition. They are said of the visit,
 * not a list of problems: nothing is replaced by them, and no clinical status is made up. The list
 * of a patient's diagnoses is PPR^ZD1 (ppr.c).
 */
#include "mappers/hl7v2/dg1.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/extend.h"
#include "mappers/hl7v2/family.h"
#include "mappers/hl7v2/xpn.h"
#include "base/banned.h"

#define VERIFICATION "http://terminology.hl7.org/CodeSystem/condition-ver-status"
#define CATEGORY "http://terminology.hl7.org/CodeSystem/condition-category"

/* DG1-4: the words for the diagnosis; they win over the code's name. */
static bool build_words(struct spot *at)
{
    struct slice text = mapping_part(at->mp, at->raw, 1);
    struct json *code = json_get(at->target, "code");

    if (text.len == 0)
        return false;
    if (!code)
        code = json_put_object(at->mp->a, at->target, "code");
    return json_put_str(at->mp->a, code, "text", text) != NULL;
}

static const struct row dg1_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {3, 0, cwe_build, "code", NULL},
    {4, 0, build_words, "code.text", NULL},
    {5, 0, build_datetime, "onsetDateTime", NULL},
    {6, 0, cwe_build, "category[]", "HL70052"},
    {15, 1, extend_build_text, "extension[]", EXTEND_OWN "diagnosis-priority"},
    {16, 0, xpn_build_person, "asserter", NULL},
    {19, 0, build_datetime, "recordedDate", NULL},
    {20, 0, extend_build_number, "identifier[]", " diagnosis"},
    {21, 0, build_structure, "verificationStatus", NULL},
    {22, 0, extend_build_numbered_extension, "extension[]", EXTEND_OWN "parent-diagnosis"},
    ROW_END,
};

static struct slice key_of(struct mapping *mp, const struct hl7_segment *s)
{
    struct slice number = mapping_value(mp, s, 20, 1), code = mapping_value(mp, s, 3, 1);
    struct slice text = mapping_value(mp, s, 4, 1);

    if (number.len)
        return mapping_format(mp, "DG1:%.*s", SLICE_ARG(number));
    if (code.len == 0)
        code = text.len ? text : mapping_value(mp, s, 3, 2);
    return mapping_format(mp, "DG1:%s:%.*s", mp->encounter ? mp->encounter : "", SLICE_ARG(code));
}

static void map_dg1(struct mapping *mp, const struct hl7_segment *s)
{
    struct mapped_resource *r;
    const char *certain = "confirmed";

    if (!cwe_says(mp, s, 3) && mapping_value(mp, s, 4, 1).len == 0) {
        mapping_warn(mp, s, 3, 0, "a diagnosis without a name was left out",
                     "病名のない診断情報を除きました");
        return;
    }
    r = mapping_resource(mp, "Condition", "JP_Condition",
                         mapping_unique(mp, "Condition", key_of(mp, s)));
    if (slice_is(mapping_value(mp, s, 6, 1), "W")) /* a working diagnosis */
        certain = "provisional";
    if (slice_is(mapping_value(mp, s, 21, 1), "D"))
        certain = "entered-in-error";
    mapping_put_at(mp->a, r->resource, "category[]",
                   cwe_constant(mp, CATEGORY, "encounter-diagnosis", NULL));
    json_set(r->resource, "verificationStatus", cwe_constant(mp, VERIFICATION, certain, NULL));
    mapping_subject(mp, r->resource, "subject");
    mapping_in_encounter(mp, r->resource, "encounter");
    mapping_walk(mp, s, dg1_rows, r->resource);
    r->remove = strcmp(certain, "entered-in-error") == 0;
}

void dg1_conditions(struct mapping *mp)
{
    for (size_t i = 0; i < mp->m->segment_count; i++) {
        if (mapping_is(&mp->m->segments[i], "DG1"))
            map_dg1(mp, &mp->m->segments[i]);
    }
}

const struct row_set dg1_sets[] = {{"DG1", "Condition", dg1_rows, NULL}, ROW_SET_END};
