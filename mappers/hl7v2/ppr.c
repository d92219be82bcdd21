/* SPDX-License-Identifier: Apache-2.0
 *
 * PPR^ZD1, diagnoses (SS-MIX2 PPR-01): Condition (JP_Condition) of each PRB with its ZPR and ORC.
 * One message holds all diagnoses of the patient and replaces them; PPR^PC1 to PC3 of other senders
 * change single ones. A diagnosis is provisional only
 * where the sender marks suspicion, ended only where he gives an end; "not recovered" at an end is
 * inactive, not resolved.
 */
#include "mappers/hl7v2/family.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/extend.h"
#include "mappers/hl7v2/order.h"
#include "mappers/hl7v2/pv1.h"
#include "mappers/hl7v2/terms.h"
#include "mappers/hl7v2/xpn.h"
#include "base/banned.h"

#define SCOPE "problems"
#define VERIFICATION "http://terminology.hl7.org/CodeSystem/condition-ver-status"
#define CLINICAL "http://terminology.hl7.org/CodeSystem/condition-clinical"
#define CATEGORY "http://terminology.hl7.org/CodeSystem/condition-category"
#define EXTENSION "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Condition_"
#define DIAGNOSIS_TYPE                                                                             \
    "http://jpfhir.jp/fhir/eCS/Extension/StructureDefinition/JP_eCS_DiagnosisType"
#define EXCHANGE_CODE "http://medis.or.jp/CodeSystem/master-disease-exCode"
#define INDICATION "http://jpfhir.jp/fhir/clins/CodeSystem/JP_ehrshrs_indication"

static bool add_coding(struct mapping *mp, struct json *condition, struct json *coding)
{
    const struct json *list = json_path(condition, "code", "coding", NULL);

    if (!coding)
        return false;
    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        if (slice_eq(json_str(i, "system"), json_str(coding, "system")) &&
            slice_eq(json_str(i, "code"), json_str(coding, "code")))
            return true;
    }
    return mapping_put_at(mp->a, condition, "code.coding[]", coding);
}

/* PRB-10: component 1-3 is the ICD-10 code, 4-6 when the diagnosis was made (JHSD0004), 7 the
 * edition. */
static bool build_classification(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct cwe c, when = {0};
    struct slice system;
    struct json *coding;

    cwe_read(mp, at->raw, &c);
    system = cwe_system(mp, c.system);
    if (slice_is(c.system, "I10") && slice_is(c.version, "2003"))
        system = SLICE("http://hl7.org/fhir/sid/icd-10");
    coding = cwe_coding(mp, system, c.code, c.text);
    if (coding && c.version.len)
        json_put_str(mp->a, coding, "version", c.version);
    when.code = c.alt_code;
    when.text = c.alt_text;
    when.system = c.alt_system;
    if (cwe_text(&when).len)
        mapping_put_at(mp->a, at->target, "category[]", cwe_concept(mp, &when));
    return add_coding(mp, at->target, coding) || cwe_text(&when).len > 0;
}

/* arg: URL for the code's system when the name says only "MEDIS" (exchange codes), or NULL. */
static bool build_more_code(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct cwe c;

    cwe_read(mp, at->raw, &c);
    return add_coding(mp, at->target,
                      cwe_coding(mp,
                                 at->row->arg ? slice_str(at->row->arg) : cwe_system(mp, c.system),
                                 c.code, c.text));
}

/* PRB-17: the diagnosis as the doctor wrote it; it wins over the code's name. */
static bool build_written(struct spot *at)
{
    struct slice text = mapping_part(at->mp, at->raw, 1);
    struct json *code = json_get(at->target, "code");

    if (text.len == 0)
        return false;
    if (!code)
        code = json_put_object(at->mp->a, at->target, "code");
    return json_put_str(at->mp->a, code, "text", text) != NULL;
}

/* PRB-18 1: the main diagnosis. */
static bool build_main(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct cwe c;
    struct json *extension;

    cwe_read(mp, at->raw, &c);
    if (!slice_is(c.code, "1"))
        return false;
    extension = json_new(mp->a, JSON_OBJECT);
    json_put_text(mp->a, extension, "url", DIAGNOSIS_TYPE);
    json_put_text(mp->a, extension, "valueCode", "principal");
    return mapping_put(at, extension);
}

/* PRB-21: a patient who has not been told must not read it in the portal. */
static bool build_awareness(struct spot *at)
{
    struct cwe c;
    struct slice text;

    cwe_read(at->mp, at->raw, &c);
    text = cwe_text(&c);
    if (slice_search(text, SLICE("未告知"), 0) == text.len)
        return false;
    return mapping_put(at, cwe_coding(at->mp, SLICE(INDICATION), SLICE("UNINFORMED"), SLICE_NONE));
}

static const struct row prb_rows[] = {
    {1, 0, build_structure, "verificationStatus", NULL},
    {3, 0, cwe_build, "code", NULL},
    {4, 0, build_identifier, "identifier[]", "problem"},
    {9, 0, build_datetime, "abatementDateTime", NULL},
    {10, 0, build_classification, NULL, NULL},
    {14, 0, cwe_build_extension, "extension[]", EXTENSION "DiseaseOutcome"},
    {16, 0, build_datetime, "onsetDateTime", NULL},
    {17, 0, build_written, NULL, NULL},
    {18, 0, build_main, "extension[]", NULL},
    {21, 0, build_awareness, "meta.tag[]", NULL},
    {25, 0, extend_build_security, "meta.security[]", NULL},
    ROW_END,
};
/* PRB-13 is looked at together with the texts (verification), PRB-15 with the end of it. */
static const struct row certain_rows[] = {
    {13, 0, build_elsewhere, "verificationStatus", NULL},
    {15, 0, build_elsewhere, "abatementDateTime", NULL},
    ROW_END,
};
/* When it was set, else when the registration was made. */
static const struct row set_rows[] = {{7, 0, build_datetime, "recordedDate", NULL}, ROW_END};
static const struct row action_rows[] = {{2, 0, build_datetime, "recordedDate", NULL}, ROW_END};
static const struct row zpr_rows[] = {
    {1, 0, cwe_build_extension, "extension[]", EXTENSION "DiseasePrefixModifier"},
    {2, 0, build_more_code, NULL, NULL},
    {3, 0, cwe_build_extension, "extension[]", EXTENSION "DiseasePostfixModifier"},
    {5, 0, build_more_code, NULL, EXCHANGE_CODE},
    {7, 1, build_text_object, "note[]", NULL},
    ROW_END,
};
static const struct row orc_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {12, 0, xpn_build_person, "recorder", NULL},
    {17, 0, cwe_build_extension, "extension[]",
     "http://jpfhir.jp/fhir/clins/Extension/StructureDefinition/JP_eCS_Department"},
    ROW_END,
};

static bool ends_suspected(struct slice text)
{
    return slice_ends(text, SLICE("疑い")) || slice_ends(text, SLICE("の疑"));
}

static const char *verification(struct mapping *mp, const struct hl7_segment *prb)
{
    struct slice state = mapping_value(mp, prb, 13, 1), said = mapping_value(mp, prb, 13, 2);

    if (slice_is(mapping_value(mp, prb, 1, 1), "DE") || slice_is(mp->trigger, "PC3"))
        return "entered-in-error";
    if (slice_is(state, "1") || slice_search(said, SLICE("疑"), 0) < said.len) {
        mapping_mark(mp, prb, 13, MAPPING_USED);
        return "provisional";
    }
    if (ends_suspected(mapping_value(mp, prb, 17, 1)) ||
        ends_suspected(mapping_value(mp, prb, 3, 2)))
        return "provisional";
    return "confirmed"; /* SS-MIX2 marks suspicion, not certainty */
}

static const char *clinical(struct mapping *mp, const struct hl7_segment *prb,
                            const struct json *condition)
{
    const struct term *outcome = terms_find(terms_condition_outcome, mapping_value(mp, prb, 14, 1));
    bool ended = json_get(condition, "abatementDateTime") != NULL;

    if (ended)
        return outcome ? outcome->to : "resolved";
    return outcome && strcmp(outcome->to, "resolved") == 0 ? "resolved" : "active";
}

/* PRB-15 is the end that was expected, or in SS-MIX2 the day of the outcome: without PRB-9 a day of
 * an outcome (PRB-14) is when it ended. */
static void put_end(struct mapping *mp, const struct hl7_segment *prb, struct json *condition)
{
    struct slice day = build_datetime_of(mp, mapping_value(mp, prb, 15, 1));

    if (day.len == 0 || json_get(condition, "abatementDateTime") ||
        !terms_find(terms_condition_outcome, mapping_value(mp, prb, 14, 1)))
        return;
    mapping_mark(mp, prb, 15, MAPPING_USED);
    json_put_str(mp->a, condition, "abatementDateTime", day);
}

static void put_status(struct mapping *mp, const struct hl7_segment *prb, struct json *condition)
{
    const char *certain = verification(mp, prb);

    json_set(condition, "verificationStatus", cwe_constant(mp, VERIFICATION, certain, NULL));
    if (strcmp(certain, "entered-in-error") == 0) /* con-4, con-5 */
        json_remove(condition, "abatementDateTime");
    else
        json_set(condition, "clinicalStatus",
                 cwe_constant(mp, CLINICAL, clinical(mp, prb, condition), NULL));
}

static struct slice condition_key(struct mapping *mp, const struct hl7_segment *prb)
{
    struct slice instance = mapping_value(mp, prb, 4, 1), code = mapping_value(mp, prb, 3, 1);

    if (instance.len)
        return mapping_format(mp, "PRB:%.*s", SLICE_ARG(instance));
    if (code.len == 0 || slice_is(code, "20084317")) /* the code of diagnoses without a code */
        code = mapping_value(mp, prb, 17, 1).len ? mapping_value(mp, prb, 17, 1)
                                                 : mapping_value(mp, prb, 3, 2);
    return mapping_format(mp, "PRB:%.*s:%.*s", SLICE_ARG(code),
                          SLICE_ARG(mapping_value(mp, prb, 16, 1)));
}

static struct json *map_prb(struct mapping *mp, const struct hl7_segment *prb)
{
    struct slice key = mapping_unique(mp, "Condition", condition_key(mp, prb));
    struct mapped_resource *r;

    if (!cwe_says(mp, prb, 3) && mapping_value(mp, prb, 17, 1).len == 0) {
        mapping_warn(mp, prb, 3, 0, "a problem without a diagnosis was left out",
                     "病名のない病名情報を除きました");
        return NULL;
    }
    r = mapping_resource(mp, "Condition", "JP_Condition", key);
    r->scope = SLICE(SCOPE);
    mapping_put_at(mp->a, r->resource, "category[]",
                   cwe_constant(mp, CATEGORY, "encounter-diagnosis", NULL));
    mapping_subject(mp, r->resource, "subject");
    mapping_in_encounter(mp, r->resource, "encounter");
    mapping_walk(mp, prb, prb_rows, r->resource);
    mapping_walk(mp, prb, hl7_field(prb, 7).len ? set_rows : action_rows, r->resource);
    put_end(mp, prb, r->resource);
    put_status(mp, prb, r->resource);
    order_notes(mp, prb, r->resource);
    return r->resource;
}

void ppr_map(struct mapping *mp)
{
    struct json *condition = NULL;

    pv1_mention(mp, SLICE_NONE);
    if (slice_is(mp->trigger, "ZD1")) /* SS-MIX2: all of the patient's; PC1 to PC3 change one */
        mapping_replaces(mp, SLICE(SCOPE));
    for (size_t i = 0; i < mp->m->segment_count; i++) {
        const struct hl7_segment *s = &mp->m->segments[i];

        if (mapping_is(s, "PRB"))
            condition = map_prb(mp, s);
        else if (condition && mapping_is(s, "ZPR"))
            mapping_walk(mp, s, zpr_rows, condition);
        else if (condition && mapping_is(s, "ORC"))
            mapping_walk(mp, s, orc_rows, condition);
    }
}

const struct row_set ppr_sets[] = {
    {"PRB", "Condition", prb_rows, NULL},
    {"PRB", "Condition", certain_rows, NULL},
    {"PRB", "Condition", set_rows, NULL},
    {"PRB", "Condition", action_rows, NULL},
    {"ZPR", "Condition", zpr_rows, NULL},
    {"ORC", "Condition", orc_rows, NULL},
    ROW_SET_END,
};
