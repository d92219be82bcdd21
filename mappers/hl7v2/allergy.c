/* SPDX-License-Identifier: Apache-2.0
 *
 * What AL1 and IAM share. Types MA and MC (various allergies, various contraindications) have no
 * FHIR category: the code is kept as an extension, because "contraindication" must not read as
 * nothing.
 */
#include "mappers/hl7v2/allergy.h"

#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/terms.h"
#include "base/banned.h"

#define ALLERGEN_TYPE "urn:tasuki:extension:allergen-type"
#define CLINICAL "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"

struct mapped_resource *allergy_new(struct mapping *mp, struct slice key, struct slice scope)
{
    struct mapped_resource *r = mapping_resource(mp, "AllergyIntolerance", "JP_AllergyIntolerance",
                                                 mapping_unique(mp, "AllergyIntolerance", key));

    r->scope = scope;
    json_set(r->resource, "clinicalStatus", cwe_constant(mp, CLINICAL, "active", NULL));
    mapping_subject(mp, r->resource, "patient");
    return r;
}

struct slice allergy_key(struct mapping *mp, const struct hl7_segment *s, unsigned field)
{
    struct cwe c;

    cwe_read(mp, hl7_repeat(mp->m, hl7_field(s, field), 0), &c);
    if (c.code.len)
        return mapping_format(mp, "%.*s|%.*s", SLICE_ARG(c.system), SLICE_ARG(c.code));
    return cwe_text(&c);
}

void allergy_finish(struct mapping *mp, struct json *allergy)
{
    struct json *reaction = json_path(allergy, "reaction", "0", NULL);
    struct json *status = json_path(allergy, "verificationStatus", "coding", "0", NULL);
    struct json *manifestation;

    if (reaction && !json_get(reaction, "manifestation")) {
        manifestation = json_new(mp->a, JSON_OBJECT);
        json_put_text(mp->a, manifestation, "text", "アレルギー反応情報なし");
        mapping_put_at(mp->a, reaction, "manifestation[]", manifestation);
    }
    if (status && slice_is(json_str(status, "code"), "entered-in-error"))
        json_remove(allergy, "clinicalStatus");
}

bool allergy_build_category(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct cwe c;
    const struct term *category;
    struct json *extension;

    cwe_read(mp, at->raw, &c);
    category = terms_find(terms_allergy_category, c.code);
    if (category)
        return mapping_put_at(mp->a, at->target, "category[]",
                              json_string(mp->a, slice_str(category->to)));
    if (cwe_text(&c).len == 0)
        return false;
    if (c.system.len == 0)
        c.system = SLICE("HL70127");
    extension = json_new(mp->a, JSON_OBJECT);
    json_put_text(mp->a, extension, "url", ALLERGEN_TYPE);
    json_set(extension, "valueCodeableConcept", cwe_concept(mp, &c));
    return mapping_put_at(mp->a, at->target, "extension[]", extension);
}

bool allergy_build_severity(struct spot *at)
{
    const struct term *severity =
        terms_find(terms_allergy_severity, mapping_part(at->mp, at->raw, 1));

    if (severity)
        return mapping_put_at(at->mp->a, at->target, "reaction[0].severity",
                              json_string(at->mp->a, slice_str(severity->to)));
    if (!slice_is(mapping_part(at->mp, at->raw, 1), "U"))
        mapping_warn(at->mp, at->s, at->row->field, 0, "the severity is not known here",
                     "重症度コードが対応表にありません");
    return false;
}
