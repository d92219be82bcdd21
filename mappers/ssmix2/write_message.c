/* SPDX-License-Identifier: Apache-2.0
 *
 * The messages themselves (see write.h), one function a kind, segments in the standard's order
 * (rule.c) and with its required fields; what a resource does not say and the standard wants is the
 * HL7 null, not a guess. Times are Japanese. Read back by mappers/hl7v2 they say the same.
 */
#include "mappers/ssmix2/write.h"

#include <assert.h>

#include "base/when.h"
#include "mappers/ssmix2/result.h"

#include "base/banned.h"

#define PROFILE "SS-MIX2_1.20^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO"
#define DEPARTMENT "http://jpfhir.jp/fhir/clins/Extension/StructureDefinition/JP_eCS_Department"
#define JP "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/"
#define MHLW "http://jpfhir.jp/fhir/core/mhlw/IdSystem/"
#define KEY_NUMBER "http://medis.or.jp/CodeSystem/master-disease-keyNumber"
#define EXCHANGE_CODE "http://medis.or.jp/CodeSystem/master-disease-exCode"
#define ICD10 "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full"
#define INSTANCE "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier"

struct writer {
    struct segment s;
    const struct write_env *env;
    const struct write_group *group;
    struct write_item *items;
    size_t count;
    struct slice sent; /* 17 digits */
    unsigned n;        /* set id within the message */
};

static struct slice str(const struct json *object, const char *key)
{
    return json_str(object, key);
}

/* The next item of the group from *AT on, or NULL. */
static const struct write_item *next_item(const struct writer *w, size_t *at, const char *type)
{
    for (; *at < w->count; (*at)++) {
        const struct write_item *item = &w->items[*at];
        if (item->group == w->group && slice_is(item->type, type)) {
            (*at)++;
            return item;
        }
    }
    return NULL;
}

/* The record that REFERENCE ("Specimen/x") names; it then rides along. */
static const struct json *follow(struct writer *w, const struct json *reference)
{
    struct slice rest = str(reference, "reference");
    struct slice type = slice_cut(&rest, '/');

    for (size_t i = 0; rest.len > 0 && i < w->count; i++) {
        if (slice_eq(w->items[i].id, rest) && slice_eq(w->items[i].type, type)) {
            w->items[i].rides = true;
            return w->items[i].resource;
        }
    }
    return NULL;
}

/* ---- common segments ---- */

static void put_msh(struct writer *w, const char *type)
{
    struct arena *a = w->s.arena;
    struct slice at = segment_format(a, "%.14s.%.3s", w->sent.ptr, w->sent.ptr + 14);

    buf_adds(w->s.out, "MSH|^~\\&");
    w->s.field = 2;
    segment_put(&w->s, 3, SLICE("TASUKI"));
    segment_put(&w->s, 4, segment_escape(a, w->env->facility_code));
    segment_put(&w->s, 5, SLICE("GW"));
    segment_put(&w->s, 7, at);
    segment_put(&w->s, 9, slice_str(type));
    segment_put(&w->s, 10,
                segment_format(a, "%.*s%.3s", SLICE_ARG(w->sent), w->group->order_no + 12));
    segment_put(&w->s, 11, SLICE("P"));
    segment_put(&w->s, 12, SLICE("2.5"));
    segment_put(&w->s, 18, SLICE("~ISO IR87"));
    segment_put(&w->s, 20, SLICE("ISO 2022-1994"));
    segment_put(&w->s, 21, SLICE(PROFILE));
    segment_end(&w->s);
}

static void put_evn(struct writer *w, struct slice occurred)
{
    segment_begin(&w->s, "EVN");
    segment_put(&w->s, 2, slice_sub(w->sent, 0, 14));
    segment_put(&w->s, 6, occurred);
    segment_end(&w->s);
}

static void put_each(struct writer *w, unsigned field, const struct json *list,
                     struct slice (*print)(struct arena *, const struct json *))
{
    for (const struct json *i = list ? list->first : NULL; i; i = i->next)
        segment_again(&w->s, field, print(w->s.arena, i));
}

static void put_telecoms(struct writer *w, unsigned field, const struct json *list, bool work)
{
    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        if (slice_is(str(i, "use"), "work") == work)
            segment_again(&w->s, field, segment_telecom(w->s.arena, i));
    }
}

static void put_pid(struct writer *w, bool whole)
{
    struct arena *a = w->s.arena;
    const struct json *p = w->env->patient;
    struct slice dead = segment_time(a, str(p, "deceasedDateTime"));

    result_pid(&w->s, segment_format(a, "%.*s^^^^PI", SLICE_ARG(w->env->local_no)), p, true);
    if (whole) {
        put_each(w, 11, json_get(p, "address"), segment_address);
        put_telecoms(w, 13, json_get(p, "telecom"), false);
        put_telecoms(w, 14, json_get(p, "telecom"), true);
        segment_put(&w->s, 15,
                    segment_concept(a, json_path(p, "communication", "0", "language", NULL)));
        segment_put(&w->s, 16, segment_concept(a, json_get(p, "maritalStatus")));
        segment_put(&w->s, 29, dead);
        if (dead.len > 0 || json_is_true(json_get(p, "deceasedBoolean")))
            segment_put(&w->s, 30, SLICE("Y"));
        segment_put(&w->s, 33, slice_sub(w->sent, 0, 14));
    }
    segment_end(&w->s);
}

static struct slice department_of(struct arena *a, const struct json *resource)
{
    const struct json *e = segment_extension(resource, DEPARTMENT);

    return segment_concept(a, json_get(e, "valueCodeableConcept"));
}

/* Where an order was given, when its Encounter is known. */
static void put_visit(struct writer *w, const struct json *resource)
{
    struct arena *a = w->s.arena;
    const struct json *e = follow(w, json_get(resource, "encounter"));
    struct slice class = segment_back(terms_encounter_class, str(json_get(e, "class"), "code"));
    const struct json *service = json_path(e, "serviceType", "coding", "0", NULL);
    struct slice here = str(json_path(e, "location", "0", "location", NULL), "display");

    if (resource && !e)
        return; /* a visit nobody recorded is not made up */
    segment_begin(&w->s, "PV1");
    segment_put(&w->s, 1, SLICE("0001"));
    segment_put(&w->s, 2, class.len > 0 ? class : SLICE("O"));
    if (!service)
        segment_put(&w->s, 3, segment_escape(a, here));
    segment_put(&w->s, 10, segment_escape(a, str(service, "code")));
    segment_put(&w->s, 19,
                segment_escape(a, segment_identifier(json_get(e, "identifier"), "visit")));
    segment_end(&w->s);
}

/* ---- values ---- */

static struct slice number_of(struct arena *a, const struct json *value)
{
    return value ? segment_escape(a, value->text) : SLICE_NONE;
}

static void put_result(struct writer *w, const struct json *o)
{
    struct result_line line = {.n = ++w->n, .observation = o};

    result_obx(&w->s, &line);
}

/* ---- ADT-00 ---- */

static void put_contact(struct writer *w, const struct json *contact)
{
    struct arena *a = w->s.arena;
    const struct json *relations = json_get(contact, "relationship");
    struct slice organization = str(json_get(contact, "organization"), "display");

    segment_begin(&w->s, "NK1");
    segment_number(&w->s, 1, ++w->n);
    segment_put(&w->s, 2, segment_name(a, json_get(contact, "name")));
    segment_put(&w->s, 3, segment_concept(a, json_at(relations, 0)));
    segment_put(&w->s, 4, segment_address(a, json_get(contact, "address")));
    put_telecoms(w, 5, json_get(contact, "telecom"), false);
    put_telecoms(w, 6, json_get(contact, "telecom"), true);
    segment_put(&w->s, 7, segment_concept(a, json_at(relations, 1)));
    segment_put(&w->s, 13, segment_escape(a, organization));
    segment_put(&w->s, 15, segment_back(terms_gender, str(contact, "gender")));
    segment_end(&w->s);
}

static struct slice insured_part(const struct json *coverage, const char *url)
{
    return str(segment_extension(coverage, url), "valueString");
}

static void put_coverage(struct writer *w, const struct json *c)
{
    struct arena *a = w->s.arena;
    const struct json *payor = json_path(c, "payor", "0", NULL), *period = json_get(c, "period");
    const struct json *class = json_path(c, "class", "0", NULL);
    struct slice symbol = insured_part(c, JP "JP_Coverage_InsuredPersonSymbol");
    struct slice number = insured_part(c, JP "JP_Coverage_InsuredPersonNumber");
    struct slice branch = insured_part(c, JP "JP_Coverage_InsuredPersonSubNumber");
    struct slice insurer = str(json_get(payor, "identifier"), "value");

    segment_begin(&w->s, "IN1");
    segment_number(&w->s, 1, ++w->n);
    segment_must(&w->s, 2, segment_concept(a, json_get(c, "type")));
    segment_put(&w->s, 3, segment_escape(a, insurer));
    if (!slice_eq(str(payor, "display"), insurer))
        segment_put(&w->s, 4, segment_escape(a, str(payor, "display")));
    if (symbol.len > 0 || branch.len > 0)
        segment_put(&w->s, 10,
                    segment_format(a, "%.*s~%.*s~%.*s", SLICE_ARG(segment_escape(a, symbol)),
                                   SLICE_ARG(segment_escape(a, number)),
                                   SLICE_ARG(segment_escape(a, branch))));
    else
        segment_put(&w->s, 10, segment_escape(a, number));
    segment_put(&w->s, 12, segment_time(a, str(period, "start")));
    segment_put(&w->s, 13, segment_time(a, str(period, "end")));
    if (str(class, "value").len > 0)
        segment_put(&w->s, 15, segment_escape(a, str(class, "value")));
    segment_put(&w->s, 17, segment_concept(a, json_get(c, "relationship")));
    segment_end(&w->s);
}

static void write_basics(struct writer *w)
{
    const struct json *contacts = json_get(w->env->patient, "contact");
    const struct write_item *item;
    size_t at = 0;

    put_msh(w, "ADT^A08^ADT_A01");
    put_evn(w, SLICE_NONE);
    put_pid(w, true);
    for (const struct json *c = contacts ? contacts->first : NULL; c; c = c->next)
        put_contact(w, c);
    put_visit(w, NULL);
    if (segment_extension(w->env->patient,
                          "http://hl7.org/fhir/StructureDefinition/patient-disability"))
        buf_adds(w->s.out, "DB1|1|PT||Y\r");
    w->n = 0;
    while ((item = next_item(w, &at, "Observation")) != NULL)
        put_result(w, item->resource);
    w->n = 0;
    at = 0;
    while ((item = next_item(w, &at, "Coverage")) != NULL)
        put_coverage(w, item->resource);
}

/* ---- ADT-61 ---- */

static struct slice allergen_type(struct arena *a, const struct json *allergy)
{
    const struct json *kept = segment_extension(allergy, "urn:tasuki:extension:allergen-type");
    const struct json *category = json_path(allergy, "category", "0", NULL);
    struct slice code =
        segment_back(terms_allergy_category, category ? category->text : SLICE_NONE);

    if (kept)
        return segment_concept(a, json_get(kept, "valueCodeableConcept"));
    return code.len > 0 ? segment_format(a, "%.*s^^HL70127", SLICE_ARG(code)) : SLICE_NONE;
}

static void put_allergy(struct writer *w, const struct json *al)
{
    struct arena *a = w->s.arena;
    const struct json *reaction = json_path(al, "reaction", "0", NULL);
    struct slice severity = segment_back(terms_allergy_severity, str(reaction, "severity"));
    const struct json *status = json_path(al, "verificationStatus", "coding", "0", NULL);

    segment_begin(&w->s, "IAM");
    segment_number(&w->s, 1, ++w->n);
    segment_put(&w->s, 2, allergen_type(a, al));
    segment_must(&w->s, 3, segment_concept(a, json_get(al, "code")));
    if (severity.len > 0)
        segment_put(&w->s, 4, segment_format(a, "%.*s^^HL70128", SLICE_ARG(severity)));
    segment_put(&w->s, 5,
                segment_escape(a, str(json_path(reaction, "manifestation", "0", NULL), "text")));
    segment_put(&w->s, 6, SLICE("A^追加^HL70323"));
    segment_put(&w->s, 7,
                segment_escape(a, segment_identifier(json_get(al, "identifier"), "allergy")));
    segment_put(&w->s, 9, segment_back(terms_allergy_type, str(al, "type")));
    segment_put(&w->s, 11, segment_time(a, str(al, "onsetDateTime")));
    segment_put(&w->s, 12, segment_escape(a, str(al, "onsetString")));
    segment_put(&w->s, 13, segment_time(a, str(al, "recordedDate")));
    segment_put(&w->s, 17, segment_back(terms_allergy_confirmed, str(status, "code")));
    segment_put(&w->s, 18, segment_person(a, json_get(al, "recorder")));
    segment_end(&w->s);
}

static void write_allergies(struct writer *w)
{
    const struct write_item *item;
    size_t at = 0;

    put_msh(w, "ADT^A60^ADT_A60");
    put_evn(w, SLICE_NONE);
    put_pid(w, false);
    while ((item = next_item(w, &at, "AllergyIntolerance")) != NULL)
        put_allergy(w, item->resource);
}

/* ---- PPR-01 ---- */

static const struct json *coding_of(const struct json *concept, const char *system)
{
    const struct json *list = json_get(concept, "coding");

    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        if (slice_is(str(i, "system"), system))
            return i;
    }
    return NULL;
}

/* The management number, else the sender's code, else the number of diagnoses without one. */
static struct slice problem_code(struct arena *a, const struct json *code)
{
    const struct json *first = json_path(code, "coding", "0", NULL);
    const struct json *key = coding_of(code, KEY_NUMBER);

    if (!key && first && first != coding_of(code, ICD10) && first != coding_of(code, EXCHANGE_CODE))
        key = first;
    if (segment_coding(a, key).len > 0)
        return segment_coding(a, key);
    return segment_format(a, "20084317^%.*s^MDCDX2",
                          SLICE_ARG(segment_escape(a, str(code, "text"))));
}

static struct slice problem_icd(struct arena *a, const struct json *code)
{
    const struct json *icd = coding_of(code, ICD10);

    if (!icd)
        return SLICE_NONE;
    return segment_format(a, "%.*s^%.*s^I10", SLICE_ARG(segment_escape(a, str(icd, "code"))),
                          SLICE_ARG(segment_escape(a, str(icd, "display"))));
}

static struct slice problem_extension(struct arena *a, const struct json *c, const char *url)
{
    return segment_concept(a, json_get(segment_extension(c, url), "valueCodeableConcept"));
}

static void put_problem_parts(struct writer *w, const struct json *c)
{
    struct arena *a = w->s.arena;
    const struct json *exchange = coding_of(json_get(c, "code"), EXCHANGE_CODE);

    if (!exchange)
        return;
    segment_begin(&w->s, "ZPR");
    segment_put(&w->s, 1, problem_extension(a, c, JP "JP_Condition_DiseasePrefixModifier"));
    segment_must(&w->s, 2, problem_code(a, json_get(c, "code")));
    segment_put(&w->s, 3, problem_extension(a, c, JP "JP_Condition_DiseasePostfixModifier"));
    segment_put(&w->s, 5,
                segment_format(a, "%.*s^%.*s^MEDIS",
                               SLICE_ARG(segment_escape(a, str(exchange, "code"))),
                               SLICE_ARG(segment_escape(a, str(exchange, "display")))));
    segment_end(&w->s);
}

static void put_problem(struct writer *w, const struct write_item *item)
{
    struct arena *a = w->s.arena;
    const struct json *c = item->resource, *code = json_get(c, "code");
    struct slice certain = str(json_path(c, "verificationStatus", "coding", "0", NULL), "code");
    struct slice instance = segment_identifier(json_get(c, "identifier"), "problem");
    struct slice recorded = segment_time(a, str(c, "recordedDate"));

    segment_begin(&w->s, "PRB");
    segment_put(&w->s, 1, slice_is(certain, "entered-in-error") ? SLICE("DE") : SLICE("AD"));
    segment_put(&w->s, 2, recorded.len > 0 ? recorded : slice_sub(w->sent, 0, 14));
    segment_put(&w->s, 3, problem_code(a, code));
    segment_put(&w->s, 4, segment_escape(a, instance.len > 0 ? instance : item->id));
    segment_put(&w->s, 7, recorded);
    segment_put(&w->s, 9, segment_time(a, str(c, "abatementDateTime")));
    segment_put(&w->s, 10, problem_icd(a, code));
    if (slice_is(certain, "provisional"))
        segment_put(&w->s, 13, SLICE("1^疑いあり^JHSD0005"));
    segment_put(&w->s, 14, problem_extension(a, c, JP "JP_Condition_DiseaseOutcome"));
    segment_put(&w->s, 16, segment_time(a, str(c, "onsetDateTime")));
    segment_put(&w->s, 17, segment_escape(a, str(code, "text")));
    if (segment_extension(
            c, "http://jpfhir.jp/fhir/eCS/Extension/StructureDefinition/JP_eCS_DiagnosisType"))
        segment_put(&w->s, 18, SLICE("1^主診断^JHSD0007"));
    segment_end(&w->s);
    put_problem_parts(w, c);
}

static void write_problems(struct writer *w)
{
    const struct write_item *item;
    size_t at = 0;

    put_msh(w, "PPR^ZD1^PPR_ZD1");
    put_pid(w, false);
    while ((item = next_item(w, &at, "Condition")) != NULL) {
        put_problem(w, item);
        struct slice recorder = segment_person(w->s.arena, json_get(item->resource, "recorder"));
        if (recorder.len == 0)
            continue;
        segment_begin(&w->s, "ORC");
        segment_put(&w->s, 1, SLICE("NW"));
        segment_put(&w->s, 2, SLICE(WRITE_NO_ORDER));
        segment_put(&w->s, 12, recorder);
        segment_put(&w->s, 17, department_of(w->s.arena, item->resource));
        segment_end(&w->s);
    }
}

/* ---- visits ---- */

static const struct json *participant(const struct json *encounter, const char *role)
{
    const struct json *list = json_get(encounter, "participant");

    for (const struct json *p = list ? list->first : NULL; p; p = p->next) {
        if (slice_is(str(json_path(p, "type", "0", "coding", "0", NULL), "code"), role))
            return json_get(p, "individual");
    }
    return NULL;
}

static struct slice place_text(struct arena *a, const struct json *encounter)
{
    const struct json *here = json_path(encounter, "location", "0", "location", NULL);

    return segment_escape(a, str(here, "display"));
}

static void put_stay(struct writer *w, const struct json *e, bool planned)
{
    struct arena *a = w->s.arena;
    const struct json *period = json_get(e, "period"), *hospital = json_get(e, "hospitalization");
    const struct json *service = json_path(e, "serviceType", "coding", "0", NULL);
    struct slice class = segment_back(terms_encounter_class, str(json_get(e, "class"), "code"));
    struct slice place = place_text(a, e);

    segment_begin(&w->s, "PV1");
    segment_put(&w->s, 1, SLICE("0001"));
    segment_put(&w->s, 2, class);
    if (place.len > 0)
        segment_put(&w->s, 3, segment_format(a, "^^^^^^^^%.*s", SLICE_ARG(place)));
    segment_put(&w->s, 7, segment_person(a, participant(e, "ATND")));
    segment_put(&w->s, 8, segment_person(a, participant(e, "REF")));
    segment_put(&w->s, 9, segment_person(a, participant(e, "CON")));
    segment_put(&w->s, 10, segment_escape(a, str(service, "code")));
    segment_put(&w->s, 14, segment_concept(a, json_get(hospital, "admitSource")));
    segment_put(&w->s, 17, segment_person(a, participant(e, "ADM")));
    segment_put(&w->s, 19,
                segment_escape(a, segment_identifier(json_get(e, "identifier"), "visit")));
    segment_put(&w->s, 36, segment_concept(a, json_get(hospital, "dischargeDisposition")));
    if (!planned) {
        segment_put(&w->s, 44, segment_time(a, str(period, "start")));
        segment_put(&w->s, 45, segment_time(a, str(period, "end")));
    }
    segment_end(&w->s);
    if (!planned)
        return;
    segment_begin(&w->s, "PV2");
    segment_put(&w->s, 8, segment_time(a, str(period, "start")));
    segment_put(&w->s, 9, segment_time(a, str(period, "end")));
    segment_end(&w->s);
}

/* Visits share a key only when the day is all that tells them apart; the first is written. */
static void write_visit(struct writer *w, const char *type, bool planned)
{
    size_t at = 0;
    const struct write_item *item = next_item(w, &at, "Encounter");

    put_msh(w, type);
    put_evn(w, SLICE_NONE);
    put_pid(w, false);
    put_stay(w, item->resource, planned);
}

static void write_reception(struct writer *w)
{
    write_visit(w, "ADT^A04^ADT_A01", false);
}

static void write_plan_of_stay(struct writer *w)
{
    write_visit(w, "ADT^A14^ADT_A05", true);
}

static void write_admission(struct writer *w)
{
    write_visit(w, "ADT^A01^ADT_A01", false);
}

static void write_discharge(struct writer *w)
{
    write_visit(w, "ADT^A03^ADT_A03", false);
}

/* ---- prescriptions and injections ---- */

static void put_order_of_drug(struct writer *w, const struct json *r, struct slice order)
{
    struct arena *a = w->s.arena;
    const struct json *identifiers = json_get(r, "identifier");
    struct slice rp =
        segment_escape(a, segment_identifier(identifiers, MHLW "Medication-RPGroupNumber"));
    struct slice place =
        segment_escape(a, segment_identifier(identifiers, MHLW "MedicationAdministrationIndex"));
    struct slice status = str(r, "status");
    bool cancelled = slice_is(status, "cancelled") || slice_is(status, "entered-in-error");

    segment_begin(&w->s, "ORC");
    segment_put(&w->s, 1,
                cancelled                     ? SLICE("CA")
                : slice_is(status, "stopped") ? SLICE("DC")
                                              : SLICE("NW"));
    segment_put(&w->s, 2, order);
    segment_put(&w->s, 3, segment_escape(a, segment_identifier(identifiers, "filler-order")));
    if (strcmp(w->group->kind, "OMP-02") == 0)
        segment_put(
            &w->s, 4,
            segment_format(a, "%.*s_%.*s_%.*s", SLICE_ARG(order), SLICE_ARG(rp), SLICE_ARG(place)));
    else
        segment_must(&w->s, 4, rp);
    segment_put(&w->s, 5, slice_is(status, "completed") ? SLICE("CM") : SLICE_NONE);
    segment_put(&w->s, 9, segment_time(a, str(r, "authoredOn")));
    segment_put(&w->s, 10, segment_person(a, json_get(r, "recorder")));
    segment_put(&w->s, 12, segment_person(a, json_get(r, "requester")));
    if (strcmp(w->group->kind, "OMP-02") == 0)
        segment_must(&w->s, 17, department_of(a, r));
    else
        segment_put(&w->s, 17, department_of(a, r));
    if (strcmp(w->group->kind, "OMP-02") == 0)
        segment_must(&w->s, 29, segment_concept(a, json_path(r, "category", "0", NULL)));
    segment_end(&w->s);
}

static const struct json *dose_of(const struct json *dosage)
{
    const struct json *dose = json_path(dosage, "doseAndRate", "0", NULL);
    const struct json *range = json_get(dose, "doseRange");

    return range ? json_get(range, "low") : json_get(dose, "doseQuantity");
}

/* A Quantity as CQ: its unit as sub-components. */
static struct slice amount_of(struct arena *a, const struct json *quantity)
{
    struct slice unit = segment_unit(a, quantity);
    char *parts = arena_str(a, unit);

    for (size_t i = 0; parts && i < unit.len; i++) {
        if (parts[i] == '^')
            parts[i] = '&';
    }
    return segment_format(a, "%.*s%s%s", SLICE_ARG(number_of(a, json_get(quantity, "value"))),
                          unit.len > 0 ? "^" : "", parts ? parts : "");
}

static void put_rxe(struct writer *w, const struct json *r, const struct json *dosage)
{
    struct arena *a = w->s.arena;
    const struct json *dose = dose_of(dosage),
                      *supply = json_path(r, "dispenseRequest", "quantity", NULL);
    const struct json *high =
        json_path(dosage, "doseAndRate", "0", "doseRange", "high", "value", NULL);
    const struct json *per_day =
        json_path(dosage, "doseAndRate", "0", "rateRatio", "numerator", NULL);
    const struct json *categories = json_get(r, "category");
    struct slice drug = segment_concept(a, json_get(r, "medicationCodeableConcept"));

    segment_begin(&w->s, "RXE");
    segment_put(&w->s, 2, drug.len > 0 ? drug : SLICE("00^一般^99I02"));
    segment_must(&w->s, 3, number_of(a, json_get(dose, "value")));
    segment_put(&w->s, 4, number_of(a, high));
    segment_must(&w->s, 5, segment_unit(a, dose));
    segment_put(&w->s, 7,
                segment_concept(a, json_path(dosage, "additionalInstruction", "0", NULL)));
    if (strcmp(w->group->kind, "OMP-01") == 0) {
        segment_must(&w->s, 10, number_of(a, json_get(supply, "value")));
        segment_must(&w->s, 11, segment_unit(a, supply));
    }
    segment_put(&w->s, 15,
                segment_escape(a, segment_identifier(json_get(r, "identifier"), "prescription")));
    if (per_day && json_get(per_day, "value"))
        segment_put(&w->s, 19, amount_of(a, per_day));
    for (const struct json *c = categories ? categories->first : NULL; c; c = c->next)
        segment_again(&w->s, 21, segment_concept(a, c));
    segment_end(&w->s);
}

static void put_timing(struct writer *w, const struct json *r, const struct json *dosage)
{
    struct arena *a = w->s.arena;
    const struct json *code = json_path(dosage, "timing", "code", "coding", "0", NULL);
    const struct json *days = json_path(r, "dispenseRequest", "expectedSupplyDuration", NULL);
    const struct json *bounds = json_path(dosage, "timing", "repeat", "boundsPeriod", NULL);
    const struct json *use = segment_extension(dosage, JP "JP_MedicationDosage_PeriodOfUse");
    struct slice text = str(dosage, "text");

    if (use)
        bounds = json_get(use, "valuePeriod");
    segment_begin(&w->s, "TQ1");
    segment_put(&w->s, 1, SLICE("1"));
    if (code)
        segment_put(&w->s, 3,
                    segment_format(a, "%.*s&%.*s&%.*s",
                                   SLICE_ARG(segment_escape(a, str(code, "code"))),
                                   SLICE_ARG(segment_escape(a, str(code, "display"))),
                                   SLICE_ARG(segment_system(a, str(code, "system")))));
    else if (text.len > 0)
        segment_put(&w->s, 3, segment_format(a, "&%.*s", SLICE_ARG(segment_escape(a, text))));
    if (json_get(days, "value"))
        segment_put(&w->s, 6,
                    segment_format(a, "%.*s^%.*s", SLICE_ARG(number_of(a, json_get(days, "value"))),
                                   SLICE_ARG(segment_escape(a, str(days, "code")))));
    segment_put(&w->s, 7, segment_time(a, str(bounds, "start")));
    segment_put(&w->s, 8, segment_time(a, str(bounds, "end")));
    segment_end(&w->s);
}

static void put_route(struct writer *w, const struct json *dosage)
{
    struct arena *a = w->s.arena;

    segment_begin(&w->s, "RXR");
    segment_must(&w->s, 1, segment_concept(a, json_get(dosage, "route")));
    segment_put(&w->s, 2, segment_concept(a, json_get(dosage, "site")));
    segment_put(&w->s, 4, segment_concept(a, json_get(dosage, "method")));
    segment_end(&w->s);
}

static void put_ingredients(struct writer *w, const struct json *r)
{
    struct arena *a = w->s.arena;
    const struct json *list = write_ingredients(r);

    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        const struct json *amount = json_path(i, "strength", "numerator", NULL);
        segment_begin(&w->s, "RXC");
        segment_put(&w->s, 1, i == list->first ? SLICE("B") : SLICE("A"));
        segment_must(&w->s, 2, segment_concept(a, json_get(i, "itemCodeableConcept")));
        segment_must(&w->s, 3, number_of(a, json_get(amount, "value")));
        segment_must(&w->s, 4, segment_unit(a, amount));
        segment_end(&w->s);
    }
}

static void write_prescription(struct writer *w)
{
    const struct write_item *item;
    size_t at = 0, first = 0;
    struct slice order = slice_str(w->group->order_no);

    put_msh(w, "RDE^O11^RDE_O11");
    put_pid(w, false);
    put_visit(w, next_item(w, &first, "MedicationRequest")->resource);
    while ((item = next_item(w, &at, "MedicationRequest")) != NULL) {
        const struct json *dosage = json_path(item->resource, "dosageInstruction", "0", NULL);
        put_order_of_drug(w, item->resource, order);
        put_rxe(w, item->resource, dosage);
        put_timing(w, item->resource, dosage);
        put_route(w, dosage);
        put_ingredients(w, item->resource);
    }
}

/* ---- laboratory results ---- */

static void put_specimen(struct writer *w, const struct json *o, const struct json *specimen)
{
    result_spm(&w->s, ++w->n, specimen, str(o, "effectiveDateTime"));
}

/* The panel a result belongs to, as our identifiers name it: facility:LAB:order:day:panel:item. */
static struct slice panel_of(const struct json *observation)
{
    struct slice rest = segment_identifier(json_get(observation, "identifier"), INSTANCE);
    struct slice part = SLICE_NONE;

    for (unsigned i = 0; i < 5 && rest.ptr; i++)
        part = slice_cut(&rest, ':');
    return rest.ptr ? part : SLICE_NONE;
}

static void put_panel(struct writer *w, const struct json *o)
{
    struct arena *a = w->s.arena;
    const struct json *request = follow(w, json_path(o, "basedOn", "0", NULL));
    struct slice code = segment_concept(a, json_get(request, "code")), panel = panel_of(o);

    if (code.len == 0 && panel.len > 0)
        code = segment_escape(a, panel);
    segment_begin(&w->s, "OBR");
    segment_put(&w->s, 2, slice_str(w->group->order_no));
    segment_put(&w->s, 4, code.len > 0 ? code : segment_concept(a, json_get(o, "code")));
    segment_put(&w->s, 7, segment_time(a, str(o, "effectiveDateTime")));
    segment_end(&w->s);
    segment_begin(&w->s, "ORC");
    segment_put(&w->s, 1, SLICE("SC"));
    segment_put(&w->s, 2, slice_str(w->group->order_no));
    segment_put(&w->s, 9, segment_time(a, str(request, "authoredOn")));
    segment_put(&w->s, 12, segment_person(a, json_get(request, "requester")));
    segment_end(&w->s);
}

static bool same(const struct json *a, const struct json *b, const char *key)
{
    return slice_eq(str(json_get(a, key), "reference"), str(json_get(b, key), "reference"));
}

/* A new specimen begins a group of SPM, another panel one of OBR. */
static void write_results(struct writer *w)
{
    const struct json *last = NULL;
    const struct write_item *item;
    size_t at = 0, first = 0;
    unsigned specimens = 0, results = 0;

    put_msh(w, "OUL^R22^OUL_R22");
    put_pid(w, false);
    put_visit(w, next_item(w, &first, "Observation")->resource);
    while ((item = next_item(w, &at, "Observation")) != NULL) {
        const struct json *o = item->resource;
        bool specimen = !last || !same(o, last, "specimen");
        bool panel = specimen || !slice_eq(panel_of(o), panel_of(last));
        w->n = specimens;
        if (specimen)
            put_specimen(w, o, follow(w, json_get(o, "specimen")));
        specimens = w->n;
        if (panel)
            put_panel(w, o);
        w->n = panel ? 0 : results;
        put_result(w, o);
        results = w->n;
        last = o;
    }
}

/* ---- which ---- */

static const struct {
    const char *kind;
    void (*write)(struct writer *w);
} writers[] = {
    {"ADT-00", write_basics},    {"ADT-12", write_reception},    {"ADT-21", write_plan_of_stay},
    {"ADT-22", write_admission}, {"ADT-52", write_discharge},    {"ADT-61", write_allergies},
    {"PPR-01", write_problems},  {"OMP-01", write_prescription}, {"OMP-02", write_prescription},
    {"OML-11", write_results},
};

enum err write_message(struct arena *arena, const struct write_env *env,
                       const struct write_group *group, struct write_item *items, size_t count,
                       struct buf *out)
{
    struct writer w = {
        .s = {arena, out, 0}, .env = env, .group = group, .items = items, .count = count};
    struct buf stamp;

    if (!env->patient || group->count == 0)
        return ERR_REQUIRED;
    buf_init(&stamp, 64);
    when_print_stamp(&stamp, group->updated_ms);
    w.sent = arena_dup(arena, buf_slice(&stamp));
    buf_fini(&stamp);
    for (size_t i = 0; w.sent.len == 17 && i < sizeof(writers) / sizeof(writers[0]); i++) {
        if (strcmp(writers[i].kind, group->kind) == 0)
            writers[i].write(&w);
    }
    return arena_exhausted(arena) ? ERR_LIMIT : buf_err(out);
}
