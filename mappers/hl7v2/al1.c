/* SPDX-License-Identifier: Apache-2.0
 *
 * AL1 to AllergyIntolerance (JP_AllergyIntolerance). AL1 says nothing of how sure anyone is: no
 * verificationStatus is made up.
 */
#include "mappers/hl7v2/allergy.h"
#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/family.h"
#include "base/banned.h"

static const struct row al1_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, allergy_build_category, NULL, NULL},
    {3, 0, cwe_build, "code", NULL},
    {4, 0, allergy_build_severity, NULL, NULL},
    {5, 1, build_text_object, "reaction[0].manifestation[]", NULL},
    {6, 0, build_datetime, "onsetDateTime", NULL},
    ROW_END,
};

unsigned al1_allergies(struct mapping *mp, struct slice scope)
{
    unsigned count = 0;

    for (size_t i = 0; i < mp->m->segment_count; i++) {
        const struct hl7_segment *s = &mp->m->segments[i];
        struct slice key;
        struct mapped_resource *r;

        if (!mapping_is(s, "AL1"))
            continue;
        key = allergy_key(mp, s, 3);
        if (key.len == 0) {
            mapping_warn(mp, s, 3, 0, "an allergy without an allergen was left out",
                         "アレルゲンのないアレルギー情報を除きました");
            continue;
        }
        r = allergy_new(mp, mapping_format(mp, "AL1:%.*s", SLICE_ARG(key)), scope);
        mapping_walk(mp, s, al1_rows, r->resource);
        allergy_finish(mp, r->resource);
        count++;
    }
    return count;
}

const struct row_set al1_sets[] = {{"AL1", "AllergyIntolerance", al1_rows, NULL}, ROW_SET_END};
