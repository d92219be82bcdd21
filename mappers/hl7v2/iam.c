/* SPDX-License-Identifier: Apache-2.0
 *
 * IAM (ADT^A60) to AllergyIntolerance. SS-MIX2 senders put the patient's whole list into one
 * message, all with action A; a message with D, U or X says single changes instead, and must then
 * not wipe what it does not mention.
 */
#include "mappers/hl7v2/allergy.h"
#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/extend.h"
#include "mappers/hl7v2/family.h"
#include "mappers/hl7v2/terms.h"
#include "mappers/hl7v2/xpn.h"
#include "base/banned.h"

#define VERIFICATION "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
#define CLINICAL "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"

static bool build_reaction(struct spot *at)
{
    struct cwe c;
    struct json *concept;

    cwe_read(at->mp, at->raw, &c);
    concept = cwe_concept(at->mp, &c);
    return concept && mapping_put_at(at->mp->a, at->target, "reaction[0].manifestation[]", concept);
}

/* IAM-27: the same allergen in the code system the clinician chose, beside IAM-3. */
static bool build_more_code(struct spot *at)
{
    struct json *code = json_get(at->target, "code");
    struct cwe c;

    cwe_read(at->mp, at->raw, &c);
    return code && c.code.len &&
           mapping_put_at(at->mp->a, code, "coding[]",
                          cwe_coding(at->mp, cwe_system(at->mp, c.system), c.code, c.text));
}

/* onset[x] is one element: a text beside a date goes into a note. */
static bool build_onset_text(struct spot *at)
{
    struct json *note;
    struct slice text = mapping_part(at->mp, at->raw, 1);

    if (text.len == 0)
        return false;
    if (!json_get(at->target, "onsetDateTime"))
        return mapping_put_at(at->mp->a, at->target, "onsetString", json_string(at->mp->a, text));
    note = json_new(at->mp->a, JSON_OBJECT);
    json_put_str(at->mp->a, note, "text",
                 mapping_format(at->mp, "発症時期: %.*s", SLICE_ARG(text)));
    return mapping_put_at(at->mp->a, at->target, "note[]", note);
}

static bool build_type(struct spot *at)
{
    const struct term *type = terms_find(terms_allergy_type, mapping_part(at->mp, at->raw, 1));

    return type && mapping_put(at, json_string(at->mp->a, slice_str(type->to)));
}

static bool build_confirmed(struct spot *at)
{
    struct slice code = mapping_part(at->mp, at->raw, 1);
    const struct term *status = terms_find(terms_allergy_confirmed, code);

    if (status)
        return mapping_put(at, cwe_constant(at->mp, VERIFICATION, status->to, NULL));
    if (!slice_is(code, "I"))
        return false;
    json_set(at->target, "clinicalStatus", cwe_constant(at->mp, CLINICAL, "inactive", NULL));
    return mapping_put(at, cwe_constant(at->mp, VERIFICATION, "confirmed", NULL));
}

static bool build_asserter(struct spot *at)
{
    struct slice name = xpn_text(at->mp, at->raw);
    struct json *reference;

    if (name.len == 0)
        return false;
    reference = json_new(at->mp->a, JSON_OBJECT);
    json_put_str(at->mp->a, reference, "display", name);
    return mapping_put(at, reference);
}

static const struct row iam_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, allergy_build_category, NULL, NULL},
    {3, 0, cwe_build, "code", NULL},
    {27, 0, build_more_code, "code.coding[]", NULL},
    {4, 0, allergy_build_severity, NULL, NULL},
    {5, 0, build_reaction, NULL, NULL},
    {6, 0, build_structure, NULL, NULL},
    {7, 0, build_identifier, "identifier[]", "allergy"},
    {9, 0, build_type, "type", NULL},
    {11, 0, build_datetime, "onsetDateTime", NULL},
    {12, 0, build_onset_text, NULL, NULL},
    {13, 0, build_datetime, "recordedDate", NULL},
    {14, 0, build_asserter, "asserter", NULL},
    {15, 0, cwe_build_extension, "asserter.extension[]", EXTEND_OWN "relationship"},
    {17, 0, build_confirmed, "verificationStatus", NULL},
    {18, 0, xpn_build_person, "recorder", NULL},
    {19, 0, extend_build_organization, "extension[]", EXTEND_OWN "confirmed-at"},
    {20, 0, extend_build_time, "extension[]", EXTEND_OWN "confirmed-on"},
    ROW_END,
};

static void map_iam(struct mapping *mp, const struct hl7_segment *s, struct slice scope)
{
    struct slice instance = mapping_value(mp, s, 7, 1), allergen = allergy_key(mp, s, 3);
    struct mapped_resource *r;

    if (allergen.len == 0) {
        mapping_warn(mp, s, 3, 0, "an allergy without an allergen was left out",
                     "アレルゲンのないアレルギー情報を除きました");
        return;
    }
    r = allergy_new(
        mp, mapping_format(mp, "IAM:%.*s", SLICE_ARG(instance.len ? instance : allergen)), scope);
    mapping_walk(mp, s, iam_rows, r->resource);
    allergy_finish(mp, r->resource);
    r->remove = slice_is(mapping_value(mp, s, 6, 1), "D");
}

bool iam_allergies(struct mapping *mp, struct slice scope)
{
    bool whole = true;

    for (size_t i = 0; i < mp->m->segment_count; i++) {
        const struct hl7_segment *s = &mp->m->segments[i];
        struct slice action;

        if (!mapping_is(s, "IAM"))
            continue;
        action = mapping_value(mp, s, 6, 1);
        whole = whole && (action.len == 0 || slice_is(action, "A"));
        map_iam(mp, s, scope);
    }
    return whole;
}

const struct row_set iam_sets[] = {{"IAM", "AllergyIntolerance", iam_rows, NULL}, ROW_SET_END};
