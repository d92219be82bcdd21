/* SPDX-License-Identifier: Apache-2.0
 *
 * The messages themselves (see write.h), one function a kind, segments in the standard's order
 * (rule.c) and with its required fields; what a resource does not say and the standard wants is the
 * HL7 null, not a guess. Times are Japanese. Read back by mappers/hl7v2 they say the same.
 */
#include "mappers/ssmix2/write.h"

#include "base/when.h"
#include "mappers/ssmix2/relate.h"
#include "mappers/ssmix2/writer.h"

#include "base/banned.h"

#define PROFILE "SS-MIX2_1.20^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO"
#define JP WRITER_JP
#define KEY_NUMBER "http://medis.or.jp/CodeSystem/master-disease-keyNumber"
#define EXCHANGE_CODE "http://medis.or.jp/CodeSystem/master-disease-exCode"
#define ICD10_OLD "http://hl7.org/fhir/sid/icd-10"
#define DIAGNOSIS_TYPE                                                                             \
    "http://jpfhir.jp/fhir/eCS/Extension/StructureDefinition/JP_eCS_DiagnosisType"
#define ICD10 "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full"

static struct slice str(const struct json *object, const char *key)
{
    return json_str(object, key);
}

/* ---- members ---- */

struct write_member *writer_peek(struct write_member **at, const char *type)
{
    for (struct write_member *m = *at; m; m = m->next) {
        if (!m->done && slice_is(m->item->type, type))
            return m;
    }
    return NULL;
}

struct write_member *writer_next(struct write_member **at, const char *type)
{
    struct write_member *m = writer_peek(at, type);

    if (m) {
        m->done = m->item->written = true;
        *at = m->next;
    }
    return m;
}

const struct json *writer_first(const struct writer *w, const char *type)
{
    for (const struct write_member *m = w->group->first; m; m = m->next) {
        if (slice_is(m->item->type, type))
            return m->item->resource;
    }
    return NULL;
}

const struct json *writer_follow(struct writer *w, const struct json *reference)
{
    struct write_item *item = relate_follow(w->plan->relate, reference);

    if (!item)
        return NULL;
    item->written = true;
    return item->resource;
}

struct slice writer_set_id(struct writer *w, unsigned n)
{
    return segment_format(w->s.arena, "%u", n);
}

struct slice writer_number(const struct writer *w)
{
    if (w->group->number.len > 0)
        return segment_escape(w->s.arena, w->group->number);
    return slice_str(w->group->order_no);
}

/* ---- common segments ---- */

void writer_msh(struct writer *w, const char *type)
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

void writer_evn(struct writer *w, struct slice occurred)
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

void writer_pid(struct writer *w, bool whole)
{
    struct arena *a = w->s.arena;
    const struct json *p = w->env->patient;
    struct slice dead = segment_time(a, str(p, "deceasedDateTime"));
    struct slice gender = segment_back(terms_gender, str(p, "gender"));

    segment_begin(&w->s, "PID");
    segment_put(&w->s, 1, SLICE("0001"));
    segment_put(&w->s, 3, segment_format(a, "%.*s^^^^PI", SLICE_ARG(w->env->local_no)));
    put_each(w, 5, json_get(p, "name"), segment_name);
    if (w->s.field < 5)
        segment_must(&w->s, 5, SLICE_NONE);
    segment_must(&w->s, 7, segment_time(a, str(p, "birthDate")));
    segment_put(&w->s, 8, gender.len > 0 ? gender : SLICE("U"));
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

void writer_visit(struct writer *w, const struct json *resource)
{
    const struct json *mentioned = json_get(resource, "encounter");
    const struct json *e = writer_follow(w, mentioned ? mentioned : json_get(resource, "context"));

    if (e) /* a visit nobody recorded is not made up */
        writer_stay(w, &(struct writer_stay){.encounter = e});
}

static const struct field note_rows[] = {
    {3, field_text, "text", NULL},
    {5, field_person, "authorReference", NULL},
    {6, field_time, "time", NULL},
    FIELD_END,
};

void writer_notes(struct writer *w, const struct json *resource)
{
    const struct json *list = json_get(resource, "note");
    unsigned n = 0;

    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        struct field_given set[] = {{1, writer_set_id(w, ++n), false}, {0, SLICE_NONE, false}};
        field_segment(&w->s, "NTE", note_rows, i, set);
    }
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
    segment_again(&w->s, 2, segment_reading(a, json_get(contact, "name")));
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
    struct write_member *at = w->group->first, *m;

    writer_msh(w, "ADT^A08^ADT_A01");
    writer_evn(w, SLICE_NONE);
    writer_pid(w, true);
    for (const struct json *c = contacts ? contacts->first : NULL; c; c = c->next)
        put_contact(w, c);
    buf_adds(w->s.out, "PV1|0001|O\r");
    if (segment_extension(w->env->patient,
                          "http://hl7.org/fhir/StructureDefinition/patient-disability"))
        buf_adds(w->s.out, "DB1|1|PT||Y\r");
    w->n = 0;
    while ((m = writer_next(&at, "Observation")) != NULL)
        writer_result(w, m->item->resource);
    w->n = 0;
    at = w->group->first;
    while ((m = writer_next(&at, "Coverage")) != NULL)
        put_coverage(w, m->item->resource);
    at = w->group->first;
    while (writer_next(&at, "Patient"))
        continue;
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

static struct slice print_words(struct arena *a, const struct json *value, const void *arg)
{
    (void)arg;
    return segment_escape(a, json_str(value, "text"));
}

/* Table 0438; an allergy that is over is inactive. */
static struct slice print_confirmed(struct arena *a, const struct json *value, const void *arg)
{
    const struct json *clinical = json_path(value, "clinicalStatus", "coding", "0", NULL);
    const struct json *status = json_path(value, "verificationStatus", "coding", "0", NULL);

    (void)a;
    (void)arg;
    if (slice_is(str(clinical, "code"), "inactive") || slice_is(str(clinical, "code"), "resolved"))
        return SLICE("I");
    return segment_back(terms_allergy_confirmed, str(status, "code"));
}

static struct slice print_name(struct arena *a, const struct json *value, const void *arg)
{
    struct slice name = segment_escape(a, str(value, "display"));

    (void)arg;
    return name.len > 0 ? name : SLICE_NONE;
}

static struct slice print_place_name(struct arena *a, const struct json *value, const void *arg)
{
    if (!slice_is(str(value, "url"), arg))
        return SLICE_NONE;
    return segment_escape(a, str(json_get(value, "valueReference"), "display"));
}

static const struct field iam_rows[] = {
    {3, field_concept, "code", NULL},
    {5, print_words, "reaction[0].manifestation[]", NULL},
    {7, field_identifier, "identifier[]", "allergy"},
    {9, field_back, "type", terms_allergy_type},
    {11, field_time, "onsetDateTime", NULL},
    {12, field_text, "onsetString", NULL},
    {13, field_time, "recordedDate", NULL},
    {14, print_name, "asserter", NULL},
    {15, field_extension, "asserter.extension[]", WRITER_OWN "relationship"},
    {17, print_confirmed, NULL, NULL},
    {18, field_person, "recorder", NULL},
    {19, print_place_name, "extension[]", WRITER_OWN "confirmed-at"},
    {20, field_extension, "extension[]", WRITER_OWN "confirmed-on"},
    FIELD_END,
};

static void put_allergy(struct writer *w, const struct json *al)
{
    struct arena *a = w->s.arena;
    const struct json *reaction = json_path(al, "reaction", "0", NULL);
    const struct json *status = json_path(al, "verificationStatus", "coding", "0", NULL);
    struct slice severity = segment_back(terms_allergy_severity, str(reaction, "severity"));
    bool mistaken = slice_is(str(status, "code"), "entered-in-error");
    struct field_given given[] = {
        {1, writer_set_id(w, ++w->n), false},
        {2, allergen_type(a, al), false},
        {3, SLICE_NONE, true},
        {4, severity.len > 0 ? segment_format(a, "%.*s^^HL70128", SLICE_ARG(severity)) : SLICE_NONE,
         false},
        {6, mistaken ? SLICE("D^削除^HL70323") : SLICE("A^追加^HL70323"), false},
        {0, SLICE_NONE, false},
    };

    field_segment(&w->s, "IAM", iam_rows, al, given);
}

static void write_allergies(struct writer *w)
{
    struct write_member *at = w->group->first, *m;

    writer_msh(w, "ADT^A60^ADT_A60");
    writer_evn(w, SLICE_NONE);
    writer_pid(w, false);
    while ((m = writer_next(&at, "AllergyIntolerance")) != NULL)
        put_allergy(w, m->item->resource);
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

/* PRB-10: the classification, when the diagnosis was made (JHSD0004), the edition. */
static struct slice problem_icd(struct arena *a, const struct json *c)
{
    const struct json *code = json_get(c, "code"), *icd = coding_of(code, ICD10);
    const struct json *list = json_get(c, "category");
    struct slice made = SLICE_NONE, version, out = SLICE_NONE;
    bool old = !icd;

    for (const struct json *i = list ? list->first : NULL; i && made.len == 0; i = i->next)
        made = field_concept(a, i, "JHSD0004");
    if (old)
        icd = coding_of(code, ICD10_OLD);
    version = segment_escape(a, str(icd, "version"));
    if (icd)
        out = segment_format(a, "%.*s^%.*s^I10", SLICE_ARG(segment_escape(a, str(icd, "code"))),
                             SLICE_ARG(segment_escape(a, str(icd, "display"))));
    if (icd && old && version.len == 0)
        version = SLICE("2003");
    if (made.len == 0 && version.len == 0)
        return out;
    return segment_format(a, "%.*s^%.*s%s%.*s", SLICE_ARG(out.len > 0 ? out : SLICE("^^")),
                          SLICE_ARG(made.len > 0 ? made : SLICE("^^")), version.len > 0 ? "^" : "",
                          SLICE_ARG(version));
}

static struct slice print_main(struct arena *a, const struct json *value, const void *arg)
{
    (void)a;
    (void)arg;
    return slice_is(str(value, "url"), DIAGNOSIS_TYPE) ? SLICE("1^主診断^JHSD0007") : SLICE_NONE;
}

/* The mark of a diagnosis the patient has not been told must not get lost on the way. */
static struct slice print_untold(struct arena *a, const struct json *value, const void *arg)
{
    (void)a;
    (void)arg;
    return slice_is(str(value, "code"), "UNINFORMED") ? SLICE("^未告知") : SLICE_NONE;
}

static const struct field prb_rows[] = {
    {7, field_time, "recordedDate", NULL},
    {9, field_time, "abatementDateTime", NULL},
    {14, field_extension, "extension[]", JP "JP_Condition_DiseaseOutcome"},
    {16, field_time, "onsetDateTime", NULL},
    {17, field_text, "code.text", NULL},
    {18, print_main, "extension[]", NULL},
    {21, print_untold, "meta.tag[]", NULL},
    {25, field_security, "meta.security[]", NULL},
    FIELD_END,
};
static const struct field zpr_rows[] = {
    {1, field_extension, "extension[]", JP "JP_Condition_DiseasePrefixModifier"},
    {3, field_extension, "extension[]", JP "JP_Condition_DiseasePostfixModifier"},
    FIELD_END,
};

/* The parts of a diagnosis; behind them its notes have a place here, else in NTE. */
static void put_problem_parts(struct writer *w, const struct json *c)
{
    struct arena *a = w->s.arena;
    const struct json *exchange = coding_of(json_get(c, "code"), EXCHANGE_CODE);
    struct field_given given[] = {
        {2, problem_code(a, json_get(c, "code")), true},
        {5,
         exchange ? segment_format(a, "%.*s^%.*s^MEDIS",
                                   SLICE_ARG(segment_escape(a, str(exchange, "code"))),
                                   SLICE_ARG(segment_escape(a, str(exchange, "display"))))
                  : SLICE_NONE,
         false},
        {0, SLICE_NONE, false},
    };
    static const struct field notes[] = {{7, field_text, "note[].text", NULL}, FIELD_END};

    if (!exchange && !field_any(a, zpr_rows, c)) {
        writer_notes(w, c);
        return;
    }
    segment_begin(&w->s, "ZPR");
    field_put(&w->s, zpr_rows, c, given);
    field_put(&w->s, notes, c, NULL);
    segment_end(&w->s);
}

static void put_problem(struct writer *w, const struct write_item *item)
{
    static const char *const unsure[] = {"provisional", "differential", "unconfirmed"};
    struct arena *a = w->s.arena;
    const struct json *c = item->resource, *code = json_get(c, "code");
    struct slice certain = str(json_path(c, "verificationStatus", "coding", "0", NULL), "code");
    struct slice instance = segment_identifier(json_get(c, "identifier"), "problem");
    struct slice recorded = segment_time(a, str(c, "recordedDate")), suspected = SLICE_NONE;

    for (size_t i = 0; i < sizeof(unsure) / sizeof(unsure[0]); i++) {
        if (slice_is(certain, unsure[i]))
            suspected = SLICE("1^疑いあり^JHSD0005");
    }
    struct field_given given[] = {
        {1, slice_is(certain, "entered-in-error") ? SLICE("DE") : SLICE("AD"), false},
        {2, recorded.len > 0 ? recorded : slice_sub(w->sent, 0, 14), false},
        {3, problem_code(a, code), false},
        {4, segment_escape(a, instance.len > 0 ? instance : item->id), false},
        {10, problem_icd(a, c), false},
        {13, suspected, false},
        {0, SLICE_NONE, false},
    };
    field_segment(&w->s, "PRB", prb_rows, c, given);
    put_problem_parts(w, c);
}

static const struct field problem_orc[] = {
    {12, field_person, "recorder", NULL},
    {17, field_extension, "extension[]", WRITER_DEPARTMENT},
    FIELD_END,
};

static void write_problems(struct writer *w)
{
    struct write_member *at = w->group->first, *m;
    struct field_given given[] = {
        {1, SLICE("NW"), false}, {2, SLICE(WRITE_NO_ORDER), false}, {0, SLICE_NONE, false}};

    writer_msh(w, "PPR^ZD1^PPR_ZD1");
    writer_pid(w, false);
    writer_visit(w, writer_first(w, "Condition"));
    while ((m = writer_next(&at, "Condition")) != NULL) {
        put_problem(w, m->item);
        if (field_any(w->s.arena, problem_orc, m->item->resource))
            field_segment(&w->s, "ORC", problem_orc, m->item->resource, given);
    }
}

/* ---- which ---- */

static const struct {
    const char *kind; /* all that begin so */
    void (*write)(struct writer *w);
} writers[] = {
    {"ADT-00", write_basics},
    {"ADT-61", write_allergies},
    {"ADT-", write_visit_event},
    {"PPR-01", write_problems},
    {"OMD", write_diet},
    {"OMP-0", write_prescription},
    {"OMP-1", write_administration},
    {"OML-01", write_lab_order},
    {"OML-11", write_lab_results},
    {"OMG-0", write_exam_order},
    {"OMG-13", write_exam_results},
    {"OMG-1", write_exam_done},
};

enum err write_message(struct write_plan *plan, const struct write_env *env,
                       struct write_group *group, struct buf *out)
{
    struct writer w = {.s = {plan->arena, out, 0}, .plan = plan, .env = env, .group = group};
    struct buf stamp;
    size_t i = 0;

    if (!env->patient || !group->first)
        return ERR_REQUIRED;
    buf_init(&stamp, 64);
    when_print_stamp(&stamp, group->updated_ms);
    w.sent = arena_dup(plan->arena, buf_slice(&stamp));
    buf_fini(&stamp);
    if (w.sent.len != 17)
        return ERR_LIMIT;
    while (strncmp(group->kind, writers[i].kind, strlen(writers[i].kind)) != 0)
        i++; /* each kind that place.c names is here */
    for (struct write_member *m = group->first; m; m = m->next)
        m->done = false;
    writers[i].write(&w);
    return arena_exhausted(plan->arena) ? ERR_LIMIT : buf_err(out);
}
