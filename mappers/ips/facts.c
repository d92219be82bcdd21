/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables and small readers over FHIR R4 JSON. Sections and their LOINC codes: HL7 IPS; windows of
 * the emergency view: those of the national emergency look-up (visits and drugs 3 months,
 * operations 5 years). Names of anticoagulants are looked for in text, because hospitals send local
 * drug codes. A resource of unknown shape yields empty values, never a failure.
 */
#include "mappers/ips/facts.h"

#include "base/category.h"
#include "base/when.h"

#include "base/banned.h"

#define DAY_MS INT64_C(86400000)
#define LOINC "http://loinc.org"
#define JLAC10 "urn:oid:1.2.392.200119.4.504"
#define YJ "urn:oid:1.2.392.100495.20.1.73"
#define ATC "http://www.whocc.no/atc"
#define FACILITY_TAG "urn:tasuki:facility"
#define INSTITUTION_EXTENSION                                                                      \
    "http://jpfhir.jp/fhir/clins/Extension/StructureDefinition/JP_eCS_InstitutionNumber"

#define BIT CATEGORY_BIT
const struct facts_about facts_sections[FACTS_SECTIONS] = {
    [FACTS_ALLERGIES] = {"allergies", "48765-2", "Allergies and adverse reactions Document",
                         "アレルギー・副作用", "Allergies and intolerances", BIT(CATEGORY_ALLERGY),
                         true, 0, 0, 0},
    [FACTS_MEDICATIONS] = {"medications", "10160-0", "History of Medication use Narrative", "薬剤",
                           "Medications", BIT(CATEGORY_MEDICATION), true, 12, 3, 1},
    [FACTS_PROBLEMS] = {"problems", "11450-4", "Problem list - Reported", "病名・問題点",
                        "Problems", BIT(CATEGORY_CONDITION), true, 0, 0, 1},
    [FACTS_PAST] = {"past", "11348-0", "History of Past illness note", "既往歴", "Past illnesses",
                    BIT(CATEGORY_CONDITION), false, 0, 0, 1},
    [FACTS_RESULTS] = {"results", "30954-2", "Relevant diagnostic tests/laboratory data note",
                       "検査結果", "Test results", BIT(CATEGORY_LABORATORY) | BIT(CATEGORY_IMAGING),
                       false, 0, 0, 2},
    [FACTS_VITALS] = {"vitals", "8716-3", "Vital signs note", "バイタルサイン", "Vital signs",
                      BIT(CATEGORY_HOME_VITAL), false, 0, 0, 1},
    [FACTS_PROCEDURES] = {"procedures", "47519-4", "History of Procedures Document", "手術・処置",
                          "Procedures", BIT(CATEGORY_PROCEDURE), false, 0, 60, 0},
    [FACTS_DEVICES] = {"devices", "46264-8", "History of medical device use", "植込み機器",
                       "Devices and implants", BIT(CATEGORY_PROCEDURE), false, 0, 0, 0},
    [FACTS_IMMUNIZATIONS] = {"immunizations", "11369-6", "History of Immunization note", "予防接種",
                             "Immunizations", BIT(CATEGORY_IMMUNIZATION), false, 0, 0, 0},
    [FACTS_ENCOUNTERS] = {"encounters", "46240-8",
                          "History of Hospitalizations+Outpatient visits Narrative", "受診歴",
                          "Visits", BIT(CATEGORY_ENCOUNTER), false, 24, 3, 0},
    [FACTS_PLAN] = {"plan", "18776-5", "Plan of care note", "今後の予定", "Plan of care", 0, false,
                    0, 0, 0},
    [FACTS_SOCIAL] = {"social", "29762-2", "Social history note", "生活歴", "Social history", 0,
                      false, 0, 0, 1},
};

/* ── words in lists ───────────────────────────────────────────────────────────────────────────────
 */

static bool one_of(struct slice s, const char *const *list)
{
    for (; *list; list++)
        if (slice_is(s, *list))
            return true;
    return false;
}

static bool concept_in(const struct json *concept, const char *const *codes)
{
    const struct json *coding = json_get(concept, "coding");
    for (const struct json *c = coding ? coding->first : NULL; c; c = c->next)
        if (one_of(json_str(c, "code"), codes))
            return true;
    return false;
}

static bool any_concept_in(const struct json *list, const char *const *codes)
{
    for (const struct json *c = list ? list->first : NULL; c; c = c->next)
        if (concept_in(c, codes))
            return true;
    return false;
}

bool facts_has_code(const struct json *concept, const char *code)
{
    const char *const codes[] = {code, NULL};
    return concept_in(concept, codes);
}

struct slice facts_code(const struct json *concept, const char *system)
{
    const struct json *coding = json_get(concept, "coding");
    for (const struct json *c = coding ? coding->first : NULL; c; c = c->next)
        if (!system || slice_is(json_str(c, "system"), system))
            return json_str(c, "code");
    return SLICE_NONE;
}

struct slice facts_text(const struct json *concept)
{
    const struct json *coding = json_get(concept, "coding");
    struct slice text = json_str(concept, "text");
    for (const struct json *c = coding ? coding->first : NULL; c && !text.len; c = c->next)
        text = json_str(c, "display");
    return text.len ? text : facts_code(concept, NULL);
}

/* ASCII lower case of TEXT; full-width Latin letters count as ASCII. */
static struct slice plain(struct arena *arena, struct slice text)
{
    char *out = arena_alloc(arena, text.len + 1);
    size_t n = 0;
    for (size_t i = 0; out && i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == 0xEF && i + 2 < text.len) {
            unsigned char b = (unsigned char)text.ptr[i + 1], a = (unsigned char)text.ptr[i + 2];
            unsigned wide = (b & 0x3Fu) << 6 | (a & 0x3Fu); /* U+Fxxx without the F */
            if (wide >= 0xF21 && wide <= 0xF5A) {
                c = (unsigned char)(wide - 0xF21 + 'A');
                i += 2;
            }
        }
        out[n++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    return slice_of(out, n);
}

/* ── what it is ───────────────────────────────────────────────────────────────────────────────────
 */

static const struct json *contained(const struct json *resource, struct slice reference)
{
    const struct json *list = json_get(resource, "contained");
    if (reference.len < 2 || reference.ptr[0] != '#')
        return NULL;
    for (const struct json *c = list ? list->first : NULL; c; c = c->next)
        if (slice_eq(json_str(c, "id"), slice_sub(reference, 1, reference.len)))
            return c;
    return NULL;
}

const struct json *facts_concept(const struct json *resource)
{
    static const char *const members[] = {"code", "medicationCodeableConcept", "vaccineCode",
                                          "serviceType", NULL};
    for (const char *const *m = members; *m; m++)
        if (json_get(resource, *m))
            return json_get(resource, *m);
    struct slice reference = json_str(json_get(resource, "medicationReference"), "reference");
    const struct json *thing = contained(resource, reference);
    if (thing)
        return json_get(thing, "code");
    return json_path(resource, "type", "0", NULL);
}

static bool is_vital(const struct json *observation)
{
    static const char *const categories[] = {"vital-signs", "body-measurement", "activity", NULL};
    static const char *const codes[] = {"85354-9", "8480-6",  "8462-4",  "8867-4",  "8310-5",
                                        "29463-7", "8302-2",  "39156-5", "59408-5", "2708-6",
                                        "9279-1",  "41950-7", "55423-8", "41982-0", NULL};
    return any_concept_in(json_get(observation, "category"), categories) ||
           concept_in(json_get(observation, "code"), codes);
}

static bool has_value(const struct json *observation)
{
    for (const struct json *m = observation->first; m; m = m->next)
        if (slice_starts(m->key, SLICE("value")) || slice_is(m->key, "component") ||
            slice_is(m->key, "dataAbsentReason"))
            return true;
    return false;
}

static bool section_of_observation(const struct json *observation, enum facts_section *ret_section)
{
    static const char *const social[] = {"social-history", NULL};
    if (!has_value(observation))
        return false;
    if (any_concept_in(json_get(observation, "category"), social))
        *ret_section = FACTS_SOCIAL;
    else
        *ret_section = is_vital(observation) ? FACTS_VITALS : FACTS_RESULTS;
    return true;
}

static bool section_of_type(const struct json *resource, enum facts_section *ret_section)
{
    static const struct {
        const char *type;
        enum facts_section section;
    } types[] = {
        {"AllergyIntolerance", FACTS_ALLERGIES},
        {"MedicationRequest", FACTS_MEDICATIONS},
        {"MedicationStatement", FACTS_MEDICATIONS},
        {"MedicationDispense", FACTS_MEDICATIONS},
        {"MedicationAdministration", FACTS_MEDICATIONS},
        {"Condition", FACTS_PROBLEMS},
        {"DiagnosticReport", FACTS_RESULTS},
        {"Procedure", FACTS_PROCEDURES},
        {"DeviceUseStatement", FACTS_DEVICES},
        {"Immunization", FACTS_IMMUNIZATIONS},
        {"Encounter", FACTS_ENCOUNTERS},
        {"CarePlan", FACTS_PLAN},
        {"ServiceRequest", FACTS_PLAN},
        {"Appointment", FACTS_PLAN},
    };
    struct slice type = json_str(resource, "resourceType");
    if (slice_is(type, "Observation"))
        return section_of_observation(resource, ret_section);
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (slice_is(type, types[i].type)) {
            *ret_section = types[i].section;
            return true;
        }
    }
    return false;
}

static bool is_over(const struct json *resource)
{
    static const char *const clinical[] = {"inactive", "resolved", "remission", NULL};
    static const char *const stopped[] = {"stopped", "on-hold", NULL};
    return concept_in(json_get(resource, "clinicalStatus"), clinical) ||
           one_of(json_str(resource, "status"), stopped);
}

bool facts_section_of(const struct json *resource, enum facts_section *ret_section)
{
    static const char *const void_status[] = {
        "entered-in-error", "cancelled", "not-done", "not-taken", "draft",
        "rejected",         "revoked",   "declined", "noshow",    NULL};
    static const char *const void_verdict[] = {"entered-in-error", "refuted", NULL};
    static const char *const future_only[] = {"active", "booked", "pending", "planned", NULL};
    enum facts_section section = FACTS_SECTIONS;
    struct slice status = json_str(resource, "status");
    if (one_of(status, void_status) ||
        concept_in(json_get(resource, "verificationStatus"), void_verdict) ||
        !section_of_type(resource, &section))
        return false;
    if (section == FACTS_PROBLEMS && is_over(resource))
        section = FACTS_PAST;
    if (section == FACTS_ENCOUNTERS && slice_is(status, "planned"))
        section = FACTS_PLAN;
    if (section == FACTS_PLAN && !one_of(status, future_only))
        return false;
    *ret_section = section;
    return true;
}

static bool has_severe_reaction(const struct json *allergy)
{
    const struct json *list = json_get(allergy, "reaction");
    for (const struct json *r = list ? list->first : NULL; r; r = r->next)
        if (slice_is(json_str(r, "severity"), "severe"))
            return true;
    return false;
}

enum facts_rank facts_rank_of(struct arena *arena, enum facts_section section,
                              const struct json *resource)
{
    struct slice criticality = json_str(resource, "criticality");
    if (section == FACTS_MEDICATIONS)
        return facts_is_anticoagulant(arena, resource) ? FACTS_URGENT
               : is_over(resource)                     ? FACTS_OVER
                                                       : FACTS_PLAIN;
    if (section != FACTS_ALLERGIES)
        return FACTS_PLAIN;
    if (is_over(resource) || facts_is_none_known(resource))
        return FACTS_OVER;
    if (slice_is(criticality, "high") || has_severe_reaction(resource))
        return FACTS_URGENT;
    return slice_is(criticality, "low") ? FACTS_MINOR : FACTS_PLAIN;
}

/* ── when ─────────────────────────────────────────────────────────────────────────────────────────
 */

/* Members that may hold the time, best first. "x.start" means the period x. */
static const struct {
    const char *type; /* NULL: every other type */
    const char *members[5];
} dates[] = {
    {"AllergyIntolerance", {"recordedDate", "lastOccurrence", "onsetDateTime"}},
    {"Condition", {"onsetDateTime", "onsetPeriod", "recordedDate"}},
    {"MedicationRequest", {"authoredOn"}},
    {"MedicationStatement", {"effectiveDateTime", "effectivePeriod", "dateAsserted"}},
    {"MedicationDispense", {"whenHandedOver", "whenPrepared"}},
    {"Procedure", {"performedDateTime", "performedPeriod"}},
    {"Immunization", {"occurrenceDateTime"}},
    {"DeviceUseStatement", {"timingDateTime", "timingPeriod", "recordedOn"}},
    {"ServiceRequest", {"occurrenceDateTime", "occurrencePeriod", "authoredOn"}},
    {NULL, {"effectiveDateTime", "effectivePeriod", "effectiveInstant", "period", "issued"}},
};

static const struct json *date_member(const struct json *resource)
{
    struct slice type = json_str(resource, "resourceType");
    size_t row = 0;
    while (dates[row].type && !slice_is(type, dates[row].type))
        row++;
    for (size_t i = 0; i < 5 && dates[row].members[i]; i++) {
        const struct json *m = json_get(resource, dates[row].members[i]);
        if (m)
            return m;
    }
    return json_get(resource, slice_is(type, "Appointment") ? "start" : "created");
}

struct slice facts_date(const struct json *resource)
{
    const struct json *m = date_member(resource);
    if (m && m->kind == JSON_OBJECT)
        return json_str(m, "start").len ? json_str(m, "start") : json_str(m, "end");
    return m && m->kind == JSON_STRING ? m->text : SLICE_NONE;
}

struct slice facts_date_until(const struct json *resource)
{
    return json_str(date_member(resource), "end");
}

static int64_t time_of(struct slice text, bool end)
{
    struct when when;
    if (!when_parse_fhir(text, true, &when))
        return WHEN_MIN;
    return end ? when.hi_ms : when.lo_ms;
}

int64_t facts_time(const struct json *resource)
{
    return time_of(facts_date(resource), false);
}

/* A prescription goes on as long as its drug lasts. */
static int64_t medication_last(const struct json *resource, int64_t start)
{
    const struct json *supply =
        json_path(resource, "dispenseRequest", "expectedSupplyDuration", "value", NULL);
    const struct json *bounds = json_path(resource, "dosageInstruction", "0", "timing", "repeat",
                                          "boundsDuration", "value", NULL);
    uint64_t days = 0;
    struct slice text = supply ? supply->text : bounds ? bounds->text : SLICE_NONE;
    if (start != WHEN_MIN && slice_u64(text, &days) && days < 1000)
        return start + (int64_t)days * DAY_MS;
    return start;
}

int64_t facts_time_last(const struct json *resource, int64_t now_ms)
{
    static const char *const running[] = {"in-progress", "arrived", "onleave", NULL};
    static const char *const stays[] = {"IMP", "ACUTE", "NONAC", NULL};
    int64_t start = facts_time(resource);
    struct slice until = facts_date_until(resource);
    if (until.len)
        return time_of(until, true);
    /* A stay without an end goes on; an outpatient who "arrived" has long left again. */
    if (one_of(json_str(json_get(resource, "class"), "code"), stays) &&
        one_of(json_str(resource, "status"), running))
        return now_ms;
    return medication_last(resource, start);
}

/* ── who and what exactly ─────────────────────────────────────────────────────────────────────────
 */

static struct slice display(const struct json *holder, const char *member)
{
    const struct json *m = json_get(holder, member);
    if (m && m->kind == JSON_ARRAY)
        m = m->first;
    if (json_get(m, "actor")) /* MedicationDispense, Immunization, Procedure: performer.actor */
        m = json_get(m, "actor");
    return json_str(m, "display");
}

/* What the exchange itself says of the sender is the best word; then who performed, then who asked.
 */
struct slice facts_source(const struct json *resource)
{
    static const char *const members[] = {"serviceProvider", "performer",         "location",
                                          "custodian",       "requester",         "recorder",
                                          "asserter",        "informationSource", NULL};
    const struct json *tags = json_path(resource, "meta", "tag", NULL);
    const struct json *extensions = json_get(resource, "extension");
    struct slice text = SLICE_NONE;
    for (const struct json *t = tags ? tags->first : NULL; t && !text.len; t = t->next)
        if (slice_is(json_str(t, "system"), FACILITY_TAG))
            text = json_str(t, "display");
    for (const char *const *m = members; *m && !text.len; m++)
        text = display(resource, *m);
    for (const struct json *e = extensions ? extensions->first : NULL; e && !text.len; e = e->next)
        if (slice_is(json_str(e, "url"), INSTITUTION_EXTENSION))
            text = json_str(json_get(e, "valueIdentifier"), "value");
    return text;
}

struct slice facts_thing(struct arena *arena, enum facts_section section,
                         const struct json *resource)
{
    const struct json *concept = facts_concept(resource);
    struct slice code = facts_code(concept, JLAC10);
    struct slice beside = SLICE_NONE;
    if (section == FACTS_ALLERGIES) /* hospitals code allergens each in their own way */
        return plain(arena, facts_text(concept));
    if (!code.len)
        code = facts_code(concept, LOINC);
    if (!code.len)
        code = facts_code(concept, NULL);
    if (!code.len)
        code = facts_text(concept);
    if (!code.len) /* nameless things are never the same */
        code = json_str(resource, "id");
    if (section == FACTS_RESULTS || section == FACTS_VITALS) /* units are never mixed */
        beside = json_str(json_get(resource, "valueQuantity"), "unit");
    else
        beside = facts_source(resource);
    return slice_str(arena_printf(arena, "%.*s\t%.*s%s", SLICE_ARG(code), SLICE_ARG(beside),
                                  facts_is_home(resource) ? "\thome" : ""));
}

struct slice facts_reaction(struct arena *arena, const struct json *allergy)
{
    const struct json *reactions = json_get(allergy, "reaction");
    struct slice all = SLICE_NONE;
    for (const struct json *r = reactions ? reactions->first : NULL; r; r = r->next) {
        const struct json *list = json_get(r, "manifestation");
        for (const struct json *m = list ? list->first : NULL; m; m = m->next) {
            struct slice one = facts_text(m);
            all = all.len
                      ? slice_str(arena_printf(arena, "%.*s、%.*s", SLICE_ARG(all), SLICE_ARG(one)))
                      : one;
        }
    }
    return all;
}

bool facts_is_home(const struct json *resource)
{
    const struct json *tags = json_path(resource, "meta", "tag", NULL);
    for (const struct json *t = tags ? tags->first : NULL; t; t = t->next)
        if (slice_is(json_str(t, "code"), "patient-generated"))
            return true;
    return false;
}

bool facts_is_none_known(const struct json *resource)
{
    static const char *const codes[] = {"716186003",
                                        "409137002",
                                        "428607008",
                                        "429625007",
                                        "no-known-allergies",
                                        "no-known-medication-allergies",
                                        "no-known-food-allergies",
                                        NULL};
    return concept_in(json_get(resource, "code"), codes);
}

/* ── names in text ────────────────────────────────────────────────────────────────────────────────
 */

static bool names_any(struct arena *arena, struct slice text, const char *const *names)
{
    struct slice p = plain(arena, text);
    for (; *names; names++)
        if (slice_search(p, slice_str(*names), 0) < p.len)
            return true;
    return false;
}

static bool concept_names_any(struct arena *arena, const struct json *concept,
                              const char *const *names)
{
    const struct json *coding = json_get(concept, "coding");
    if (names_any(arena, json_str(concept, "text"), names))
        return true;
    for (const struct json *c = coding ? coding->first : NULL; c; c = c->next)
        if (names_any(arena, json_str(c, "display"), names))
            return true;
    return false;
}

static bool starts_any(struct slice code, const char *const *prefixes)
{
    for (; *prefixes; prefixes++)
        if (slice_starts(code, slice_str(*prefixes)))
            return true;
    return false;
}

bool facts_is_anticoagulant(struct arena *arena, const struct json *resource)
{
    /* Heparin only with its salt: "ヘパリン類似物質" is an ointment. */
    static const char *const names[] = {"ワーファリン",
                                        "ワルファリン",
                                        "warfarin",
                                        "coumadin",
                                        "ﾜｰﾌｧﾘﾝ",
                                        "ﾜﾙﾌｧﾘﾝ",
                                        "エリキュース",
                                        "アピキサバン",
                                        "apixaban",
                                        "eliquis",
                                        "ｴﾘｷｭｰｽ",
                                        "ｱﾋﾟｷｻﾊﾞﾝ",
                                        "イグザレルト",
                                        "リバーロキサバン",
                                        "rivaroxaban",
                                        "xarelto",
                                        "ｲｸﾞｻﾞﾚﾙﾄ",
                                        "ﾘﾊﾞｰﾛｷｻﾊﾞﾝ",
                                        "リクシアナ",
                                        "エドキサバン",
                                        "edoxaban",
                                        "lixiana",
                                        "savaysa",
                                        "ﾘｸｼｱﾅ",
                                        "ｴﾄﾞｷｻﾊﾞﾝ",
                                        "プラザキサ",
                                        "ダビガトラン",
                                        "dabigatran",
                                        "prazaxa",
                                        "pradaxa",
                                        "ﾌﾟﾗｻﾞｷｻ",
                                        "ﾀﾞﾋﾞｶﾞﾄﾗﾝ",
                                        "エノキサパリン",
                                        "クレキサン",
                                        "enoxaparin",
                                        "フォンダパリヌクス",
                                        "アリクストラ",
                                        "fondaparinux",
                                        "ヘパリンナトリウム",
                                        "ヘパリンna",
                                        "ヘパリンカルシウム",
                                        "ヘパリンca",
                                        "heparin sodium",
                                        "heparin calcium",
                                        NULL};
    static const char *const yj[] = {"3332001", "3334",    "3339001", "3339002",
                                     "3339003", "3339004", NULL};
    static const char *const atc[] = {"B01AA", "B01AB", "B01AE", "B01AF", "B01AX05", NULL};
    const struct json *concept = facts_concept(resource);
    if (starts_any(facts_code(concept, YJ), yj) || starts_any(facts_code(concept, ATC), atc))
        return true;
    return concept_names_any(arena, concept, names) ||
           names_any(arena, json_str(json_get(resource, "medicationReference"), "display"), names);
}

bool facts_is_blood_type(struct arena *arena, const struct json *resource)
{
    static const char *const codes[] = {"882-1", "883-9", "10331-7", NULL};
    static const char *const names[] = {"血液型",     "abo式",       "rh(d)",
                                        "blood type", "blood group", NULL};
    const struct json *concept = json_get(resource, "code");
    return concept_in(concept, codes) || concept_names_any(arena, concept, names);
}
