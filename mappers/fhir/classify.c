/* SPDX-License-Identifier: Apache-2.0
 *
 * One row for each type that can concern a person: category, where its patient stands, and which
 * elements tell its clinical time, best first. Observations and reports are refined by their
 * category codes, context (checkup, home, school ...) by tags. What has no row concerns no person.
 * Decisions build on this, so a doubtful case goes to a category that fewer people may see.
 */
#include "mappers/fhir/classify.h"

#include "mappers/fhir/gen/tables.h"
#include "mappers/fhir/place.h"
#include "mappers/fhir/span.h"

#include "base/banned.h"

#define TAG_SYSTEM "urn:tasuki:tag"
#define TAG_INDICATION "http://jpfhir.jp/fhir/clins/CodeSystem/JP_ehrshrs_indication"
#define CONFIDENTIALITY "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"

enum { LABEL_NORMAL, LABEL_RESTRICTED, LABEL_WITHHELD };

/* Paths are separated by '|', their steps by '.', and go through lists. */
struct row {
    const char *type;
    enum category category;
    const char *subject;
    const char *when;
    bool always; /* keeps its category even when it names no patient */
};

static const struct row rows[] = {
    {"Account", CATEGORY_EXPENSE, "subject", "servicePeriod", false},
    {"AdverseEvent", CATEGORY_CONDITION, "subject", "date|detected|recordedDate", false},
    {"AllergyIntolerance", CATEGORY_ALLERGY, "patient",
     "recordedDate|onsetDateTime|onsetPeriod|lastOccurrence", false},
    {"Appointment", CATEGORY_APPOINTMENT, "participant.actor", "start|requestedPeriod|created",
     false},
    {"AppointmentResponse", CATEGORY_APPOINTMENT, "actor", "start", false},
    {"AuditEvent", CATEGORY_AUDIT, "entity.what|agent.who", "period|recorded", false},
    {"Basic", CATEGORY_OTHER, "subject", "created", false},
    {"Binary", CATEGORY_DOCUMENT, "securityContext", "", true},
    {"BodyStructure", CATEGORY_CONDITION, "patient", "", false},
    {"Bundle", CATEGORY_DOCUMENT, "entry.resource.subject|entry.resource.patient", "timestamp",
     true},
    {"CarePlan", CATEGORY_PROCEDURE, "subject", "period|created", false},
    {"CareTeam", CATEGORY_OTHER, "subject", "period", false},
    {"ChargeItem", CATEGORY_EXPENSE, "subject",
     "occurrenceDateTime|occurrencePeriod|occurrenceTiming|enteredDate", false},
    {"Claim", CATEGORY_EXPENSE, "patient", "billablePeriod|created", false},
    {"ClaimResponse", CATEGORY_EXPENSE, "patient", "created", false},
    {"ClinicalImpression", CATEGORY_CONDITION, "subject", "effectiveDateTime|effectivePeriod|date",
     false},
    {"Communication", CATEGORY_NOTICE, "subject|recipient|sender", "sent|received", false},
    {"CommunicationRequest", CATEGORY_NOTICE, "subject|recipient|requester",
     "occurrenceDateTime|occurrencePeriod|authoredOn", false},
    {"Composition", CATEGORY_DOCUMENT, "subject", "date", false},
    {"Condition", CATEGORY_CONDITION, "subject",
     "onsetDateTime|onsetPeriod|recordedDate|abatementDateTime", false},
    {"Consent", CATEGORY_CONSENT, "patient", "dateTime|provision.period", false},
    {"Contract", CATEGORY_OTHER, "subject", "issued|applies", false},
    {"Coverage", CATEGORY_COVERAGE, "beneficiary|subscriber|policyHolder", "period", false},
    {"CoverageEligibilityRequest", CATEGORY_COVERAGE, "patient",
     "servicedDate|servicedPeriod|created", false},
    {"CoverageEligibilityResponse", CATEGORY_COVERAGE, "patient",
     "servicedDate|servicedPeriod|created", false},
    {"DetectedIssue", CATEGORY_MEDICATION, "patient", "identifiedDateTime|identifiedPeriod", false},
    {"Device", CATEGORY_PROCEDURE, "patient", "manufactureDate", false},
    {"DeviceRequest", CATEGORY_PROCEDURE, "subject",
     "occurrenceDateTime|occurrencePeriod|occurrenceTiming|authoredOn", false},
    {"DeviceUseStatement", CATEGORY_PROCEDURE, "subject",
     "timingDateTime|timingPeriod|timingTiming|recordedOn", false},
    {"DiagnosticReport", CATEGORY_LABORATORY, "subject", "effectiveDateTime|effectivePeriod|issued",
     false},
    {"DocumentManifest", CATEGORY_DOCUMENT, "subject", "created", false},
    {"DocumentReference", CATEGORY_DOCUMENT, "subject", "context.period|date", false},
    {"Encounter", CATEGORY_ENCOUNTER, "subject", "period", false},
    {"EnrollmentRequest", CATEGORY_COVERAGE, "candidate", "created", false},
    {"EpisodeOfCare", CATEGORY_ENCOUNTER, "patient", "period", false},
    {"ExplanationOfBenefit", CATEGORY_EXPENSE, "patient", "billablePeriod|created", false},
    {"FamilyMemberHistory", CATEGORY_CONDITION, "patient", "date", false},
    {"Flag", CATEGORY_CONDITION, "subject", "period", false},
    {"Goal", CATEGORY_CONDITION, "subject", "startDate|statusDate", false},
    {"Group", CATEGORY_OTHER, "member.entity", "", false},
    {"GuidanceResponse", CATEGORY_OTHER, "subject", "occurrenceDateTime", false},
    {"ImagingStudy", CATEGORY_IMAGING, "subject", "started", false},
    {"Immunization", CATEGORY_IMMUNIZATION, "patient", "occurrenceDateTime|recorded", false},
    {"ImmunizationEvaluation", CATEGORY_IMMUNIZATION, "patient", "date", false},
    {"ImmunizationRecommendation", CATEGORY_IMMUNIZATION, "patient", "date", false},
    {"Invoice", CATEGORY_EXPENSE, "subject|recipient", "date", false},
    {"List", CATEGORY_OTHER, "subject", "date", false},
    {"MeasureReport", CATEGORY_OTHER, "subject", "date|period", false},
    {"Media", CATEGORY_IMAGING, "subject", "createdDateTime|createdPeriod|issued", false},
    {"MedicationAdministration", CATEGORY_MEDICATION, "subject",
     "effectiveDateTime|effectivePeriod", false},
    {"MedicationDispense", CATEGORY_MEDICATION, "subject", "whenHandedOver|whenPrepared", false},
    {"MedicationRequest", CATEGORY_MEDICATION, "subject", "authoredOn", false},
    {"MedicationStatement", CATEGORY_MEDICATION, "subject",
     "effectiveDateTime|effectivePeriod|dateAsserted", false},
    {"MolecularSequence", CATEGORY_LABORATORY, "patient", "", false},
    {"NutritionOrder", CATEGORY_PROCEDURE, "patient", "dateTime", false},
    {"Observation", CATEGORY_OTHER, "subject",
     "effectiveDateTime|effectivePeriod|effectiveInstant|effectiveTiming|issued", false},
    {"Patient", CATEGORY_DEMOGRAPHICS, "", "", true},
    {"Person", CATEGORY_DEMOGRAPHICS, "link.target", "", true},
    {"Procedure", CATEGORY_PROCEDURE, "subject", "performedDateTime|performedPeriod", false},
    {"Provenance", CATEGORY_OTHER, "target", "occurredDateTime|occurredPeriod|recorded", false},
    {"QuestionnaireResponse", CATEGORY_OTHER, "subject|source", "authored", false},
    {"RelatedPerson", CATEGORY_DEMOGRAPHICS, "patient", "period", false},
    {"RequestGroup", CATEGORY_PROCEDURE, "subject", "authoredOn", false},
    {"ResearchSubject", CATEGORY_OTHER, "individual", "period", false},
    {"RiskAssessment", CATEGORY_CONDITION, "subject", "occurrenceDateTime|occurrencePeriod", false},
    {"Schedule", CATEGORY_APPOINTMENT, "actor", "planningHorizon", false},
    {"ServiceRequest", CATEGORY_PROCEDURE, "subject",
     "occurrenceDateTime|occurrencePeriod|occurrenceTiming|authoredOn", false},
    {"Specimen", CATEGORY_LABORATORY, "subject",
     "collection.collectedDateTime|collection.collectedPeriod|receivedTime", false},
    {"SupplyDelivery", CATEGORY_OTHER, "patient", "occurrenceDateTime|occurrencePeriod", false},
    {"SupplyRequest", CATEGORY_OTHER, "deliverTo|requester", "occurrenceDateTime|authoredOn",
     false},
    {"Task", CATEGORY_APPLICATION, "for", "executionPeriod|authoredOn|lastModified", false},
    {"VisionPrescription", CATEGORY_PROCEDURE, "patient", "dateWritten|created", false},
};

/* Codes that refine a category; a code without system stands for any system. Codes of HL7's
 * observation-category, table 0074, LOINC parts and SNOMED CT as used by JP Core and the US. */
struct code_row {
    const char *code;
    enum category category;
};

static const struct code_row category_codes[] = {
    {"laboratory", CATEGORY_LABORATORY},
    {"imaging", CATEGORY_IMAGING},
    {"procedure", CATEGORY_PROCEDURE},
    {"exam", CATEGORY_PROCEDURE},
    {"therapy", CATEGORY_PROCEDURE},
    {"activity", CATEGORY_PROCEDURE},
    {"vital-signs", CATEGORY_PROCEDURE},
    {"body-measurement", CATEGORY_PROCEDURE},
    {"survey", CATEGORY_OTHER},
    {"social-history", CATEGORY_OTHER},
    {"LAB", CATEGORY_LABORATORY},
    {"BG", CATEGORY_LABORATORY},
    {"BLB", CATEGORY_LABORATORY},
    {"CG", CATEGORY_LABORATORY},
    {"CH", CATEGORY_LABORATORY},
    {"CP", CATEGORY_LABORATORY},
    {"GE", CATEGORY_LABORATORY},
    {"HM", CATEGORY_LABORATORY},
    {"IMM", CATEGORY_LABORATORY},
    {"MB", CATEGORY_LABORATORY},
    {"MCB", CATEGORY_LABORATORY},
    {"MYC", CATEGORY_LABORATORY},
    {"PAT", CATEGORY_LABORATORY},
    {"SP", CATEGORY_LABORATORY},
    {"SR", CATEGORY_LABORATORY},
    {"TX", CATEGORY_LABORATORY},
    {"VR", CATEGORY_LABORATORY},
    {"CT", CATEGORY_IMAGING},
    {"CUS", CATEGORY_IMAGING},
    {"NMR", CATEGORY_IMAGING},
    {"NMS", CATEGORY_IMAGING},
    {"OUS", CATEGORY_IMAGING},
    {"RAD", CATEGORY_IMAGING},
    {"RUS", CATEGORY_IMAGING},
    {"RX", CATEGORY_IMAGING},
    {"VUS", CATEGORY_IMAGING},
    {"XRC", CATEGORY_IMAGING},
    {"AU", CATEGORY_PROCEDURE},
    {"EC", CATEGORY_PROCEDURE},
    {"EN", CATEGORY_PROCEDURE},
    {"PF", CATEGORY_PROCEDURE},
    {"PHY", CATEGORY_PROCEDURE},
    {"LP29693-6", CATEGORY_LABORATORY}, /* laboratory */
    {"LP7819-8", CATEGORY_LABORATORY},  /* microbiology */
    {"LP7839-6", CATEGORY_LABORATORY},  /* pathology */
    {"LP29684-5", CATEGORY_IMAGING},    /* radiology */
    {"LP7796-8", CATEGORY_IMAGING},     /* endoscopy */
    {"LP29708-2", CATEGORY_PROCEDURE},  /* cardiology */
    {"108252007", CATEGORY_LABORATORY}, /* laboratory procedure */
    {"363679005", CATEGORY_IMAGING},    /* imaging */
    {"387713003", CATEGORY_PROCEDURE},  /* surgical procedure */
};

/* Kinds of documents that have a category of their own. */
static const struct code_row document_codes[] = {
    {"53576-5", CATEGORY_CHECKUP}, /* LOINC: personal health monitoring report, used for checkups */
    {"JPGCHKUP01", CATEGORY_CHECKUP},
    {"57833-6", CATEGORY_MEDICATION}, /* LOINC: prescription */
};

/* Contexts R4 has no type for. */
static const struct code_row tag_codes[] = {
    {"checkup", CATEGORY_CHECKUP},
    {"emergency", CATEGORY_EMERGENCY},
    {"maternal-child", CATEGORY_MATERNAL_CHILD},
    {"school", CATEGORY_SCHOOL},
    {"pension", CATEGORY_PENSION},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct row *find_row(struct slice type)
{
    size_t lo = 0;
    size_t hi = COUNT(rows);
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int order = slice_cmp(type, slice_str(rows[mid].type));
        if (order == 0)
            return &rows[mid];
        if (order < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

/* ── walking paths ───────────────────────────────────────────────────────────────────────────── */

/* Calls FN for each value at PATH until one returns true. */
static bool each_at(struct json *v, struct slice path, bool (*fn)(void *, struct json *),
                    void *context)
{
    if (v && v->kind == JSON_ARRAY) {
        for (struct json *i = v->first; i; i = i->next) {
            if (each_at(i, path, fn, context))
                return true;
        }
        return false;
    }
    if (!v || path.len == 0)
        return v && fn(context, v);
    struct slice step = slice_cut(&path, '.');
    return each_at(json_get_slice(v, step), path, fn, context);
}

static bool each(struct json *resource, const char *paths, bool (*fn)(void *, struct json *),
                 void *context)
{
    struct slice rest = slice_str(paths);
    while (rest.ptr && rest.len > 0) {
        struct slice path = slice_cut(&rest, '|');
        if (each_at(resource, path, fn, context))
            return true;
    }
    return false;
}

/* ── the patient ─────────────────────────────────────────────────────────────────────────────── */

struct found {
    struct json *patient; /* says it is a Patient */
    struct json
        *unsaid; /* first reference that does not say what it is: urn:uuid, #id, identifier */
};

static bool says_patient(const struct json *reference, bool *ret_unsaid)
{
    struct slice text = json_str(reference, "reference");
    struct slice type = json_str(reference, "type");
    size_t at = slice_search(text, SLICE("/Patient/"), 0);
    *ret_unsaid =
        type.len == 0 && (text.len == 0 || text.ptr[0] == '#' || slice_starts(text, SLICE("urn:")));
    if (text.len == 0 && !json_get(reference, "identifier"))
        *ret_unsaid = false;
    return slice_starts(text, SLICE("Patient/")) || at < text.len || slice_is(type, "Patient");
}

static bool look_for_patient(void *context, struct json *v)
{
    struct found *found = context;
    bool unsaid;
    if (v->kind != JSON_OBJECT)
        return false;
    if (says_patient(v, &unsaid)) {
        found->patient = v;
        return true;
    }
    if (unsaid && !found->unsaid)
        found->unsaid = v;
    return false;
}

/* ── codes ───────────────────────────────────────────────────────────────────────────────────── */

struct coding_search {
    const struct code_row *table;
    size_t count;
    const char *system; /* NULL: any */
    enum category category;
};

static bool look_for_code(void *context, struct json *coding)
{
    struct coding_search *s = context;
    struct slice code = json_str(coding, "code");
    if (s->system && !slice_is(json_str(coding, "system"), s->system))
        return false;
    for (size_t i = 0; i < s->count; i++) {
        if (slice_is(code, s->table[i].code)) {
            s->category = s->table[i].category;
            return true;
        }
    }
    return false;
}

struct code {
    const char *system; /* with the empty system allowed too when LOOSE */
    const char *code;
    bool loose;
};

static bool is_code(void *context, struct json *coding)
{
    const struct code *wanted = context;
    struct slice system = json_str(coding, "system");
    return slice_is(json_str(coding, "code"), wanted->code) &&
           (slice_is(system, wanted->system) || (wanted->loose && system.len == 0));
}

static bool has_code(struct json *resource, const char *path, const char *system, const char *code,
                     bool loose)
{
    struct code wanted = {system, code, loose};
    return each(resource, path, is_code, &wanted);
}

/* ── category ────────────────────────────────────────────────────────────────────────────────── */

static bool is_home_measured(struct json *resource)
{
    struct found performer = {NULL, NULL};
    if (has_code(resource, "meta.tag", TAG_SYSTEM, "patient-generated", false))
        return true;
    return has_code(resource, "category.coding",
                    "http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs",
                    true) &&
           each(resource, "performer", look_for_patient, &performer);
}

static enum category refine_observation(struct json *resource)
{
    struct coding_search s = {category_codes, COUNT(category_codes), NULL, CATEGORY_OTHER};
    if (is_home_measured(resource))
        return CATEGORY_HOME_VITAL;
    if (!each(resource, "category.coding", look_for_code, &s) && json_get(resource, "specimen"))
        return CATEGORY_LABORATORY;
    return s.category;
}

static enum category refine_report(struct json *resource, enum category otherwise)
{
    struct coding_search s = {category_codes, COUNT(category_codes), NULL, otherwise};
    if (!each(resource, "category.coding", look_for_code, &s) && json_get(resource, "imagingStudy"))
        return CATEGORY_IMAGING;
    return s.category;
}

static enum category refine_document(struct json *resource)
{
    struct coding_search s = {document_codes, COUNT(document_codes), NULL, CATEGORY_DOCUMENT};
    each(resource, "type.coding", look_for_code, &s);
    return s.category;
}

static enum category category_of(const struct row *row, struct json *resource)
{
    struct coding_search tags = {tag_codes, COUNT(tag_codes), TAG_SYSTEM, row->category};
    if (row->category != CATEGORY_CONSENT && row->category != CATEGORY_AUDIT &&
        row->category != CATEGORY_DEMOGRAPHICS && each(resource, "meta.tag", look_for_code, &tags))
        return tags.category;
    if (strcmp(row->type, "Observation") == 0)
        return refine_observation(resource);
    if (strcmp(row->type, "DiagnosticReport") == 0 || strcmp(row->type, "ServiceRequest") == 0)
        return refine_report(resource, row->category);
    if (strcmp(row->type, "Composition") == 0 || strcmp(row->type, "DocumentReference") == 0)
        return refine_document(resource);
    return row->category;
}

/* Raises the label at CONTEXT to that of RESOURCE's own meta. */
static bool raise_label(void *context, struct json *resource)
{
    unsigned *label = context, own = LABEL_NORMAL;
    struct json *meta = json_get(resource, "meta");
    if (!meta)
        return false;
    if (has_code(meta, "tag", TAG_INDICATION, "UNINFORMED", false))
        own = LABEL_WITHHELD;
    else if (has_code(meta, "security", CONFIDENTIALITY, "R", true) ||
             has_code(meta, "security", CONFIDENTIALITY, "V", true))
        own = LABEL_RESTRICTED;
    *label = own > *label ? own : *label;
    return false; /* look at the others too */
}

/* What is inside counts for the whole. Not yet told to the patient outweighs restricted: telling it
 * by accident cannot be undone. */
static unsigned label_of(struct json *resource)
{
    unsigned label = LABEL_NORMAL;
    (void)raise_label(&label, resource);
    (void)each(resource, "entry.resource", raise_label, &label);
    (void)each(resource, "contained", raise_label, &label);
    return label;
}

static bool read_when(void *context, struct json *v)
{
    return span_of(v, context);
}

/* A schedule is more often a room's or a doctor's than a patient's, although R4 lists it. */
static bool must_name_patient(struct slice type)
{
    return definition_in_patient(type) && !slice_is(type, "Schedule");
}

void classify_resource(const struct json *resource, struct classify *ret_class)
{
    /* Nothing is changed; the caller gets his own reference back, so the pointer must not be const.
     */
    union {
        const struct json *in;
        struct json *out;
    } cast = {.in = resource};
    struct classify class = {.category = CATEGORY_NONE, .when = {WHEN_MIN, WHEN_MAX}};
    struct slice type = json_str(resource, "resourceType");
    const struct row *row = find_row(type);
    class.label = label_of(cast.out);
    class.patient_type = must_name_patient(type);
    if (row) {
        struct found found = {NULL, NULL};
        each(cast.out, row->subject, look_for_patient, &found);
        class.subject = found.patient ? found.patient : found.unsaid;
        each(cast.out, row->when, read_when, &class.when);
        if (class.subject || class.patient_type || row->always)
            class.category = category_of(row, cast.out);
    }
    *ret_class = class;
}

/* ── all references ──────────────────────────────────────────────────────────────────────────── */

struct walk {
    struct arena *arena;
    enum err (*fn)(void *context, struct json *reference, const char *place);
    void *context;
};

static enum err walk_object(struct walk *w, const struct definition_type *type, struct json *object,
                            const struct place *at);

static enum err walk_value(struct walk *w, const struct definition_type *type, struct json *v,
                           const struct place *at)
{
    if (v->kind != JSON_OBJECT)
        return ERR_OK;
    if (!type)
        type = definition_type(json_str(v, "resourceType"));
    /* Inner ones (identifier.assigner, extensions) first: FN may change the object. */
    enum err err = type ? walk_object(w, type, v, at) : ERR_OK;
    if (err != ERR_OK || type != &tables_types[TABLES_AT_REFERENCE])
        return err;
    return w->fn(w->context, v, place_text(w->arena, at));
}

static enum err walk_object(struct walk *w, const struct definition_type *type, struct json *object,
                            const struct place *at)
{
    enum err err = ERR_OK;
    for (struct json *m = object->first; m && err == ERR_OK; m = m->next) {
        if (m->kind != JSON_OBJECT && m->kind != JSON_ARRAY)
            continue;
        bool beside = m->key.len > 1 && m->key.ptr[0] == '_'; /* extensions of a primitive */
        struct slice name = beside ? slice_sub(m->key, 1, m->key.len) : m->key;
        const struct definition_element *e = definition_element(type, name);
        struct place place = {at, e, m->key, PLACE_SINGLE};
        if (!e)
            continue;
        if (m->kind == JSON_OBJECT)
            err = walk_value(w, e->type, m, &place);
        for (struct json *i = m->kind == JSON_ARRAY ? m->first : NULL; i && err == ERR_OK;
             i = i->next) {
            place.index++;
            err = walk_value(w, e->type, i, &place);
        }
    }
    return err;
}

enum err classify_references(struct json *resource, struct arena *arena,
                             enum err (*fn)(void *context, struct json *reference,
                                            const char *place),
                             void *context)
{
    struct walk w = {arena, fn, context};
    const struct definition_type *type = definition_type(json_str(resource, "resourceType"));
    struct place root = {NULL, NULL, json_str(resource, "resourceType"), PLACE_SINGLE};
    enum err err = type ? walk_object(&w, type, resource, &root) : ERR_OK;
    return err == ERR_OK && arena_exhausted(arena) ? ERR_LIMIT : err;
}
