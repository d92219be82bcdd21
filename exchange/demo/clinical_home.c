/* SPDX-License-Identifier: Apache-2.0
 *
 * What reaches the region as FHIR R4 JSON: consents of the resident (IHE PCF basic), checkups of
 * municipality and insurer, immunizations, and home vital signs. The subject is named by the card
 * number, as a sender knows nothing else.
 */
#include <stdio.h>

#include "exchange/demo/clinical_parts.h"

#include "base/banned.h"

#define BY_CARD "{'identifier':{'system':'urn:tasuki:clinic-card','value':'%s'}}"
#define CODING(system, code) "{'coding':[{'system':'" system "','code':'" code "'}]}"
#define ACT_REASON "http://terminology.hl7.org/CodeSystem/v3-ActReason"
#define PURPOSE(code) "{'system':'" ACT_REASON "','code':'" code "'}"
#define ORDINARY                                                                                   \
    "'purpose':[" PURPOSE("TREAT") "," PURPOSE("ETREAT") "," PURPOSE("HPAYMT") "," PURPOSE(        \
        "HOPERAT") "," PURPOSE("COVERAGE") "," PURPOSE("PATRQT") "]"
#define RECIPIENT                                                                                  \
    "'actor':[{'role':" CODING(                                                                    \
        "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",                              \
        "IRCP") ",'reference':{'identifier':{'system':"                                            \
                "'http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no',"          \
                "'value':'%s'}}}]"

/* FHIR dateTime in JST. */
struct instant {
    char text[26];
};
static struct instant instant_of(int64_t ms)
{
    struct stamp s = message_stamp(ms);
    struct instant out;

    (void)snprintf(out.text, sizeof(out.text), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2s+09:00", s.text,
                   s.text + 4, s.text + 6, s.text + 8, s.text + 10, s.text + 12);
    return out;
}

/* ── consent ─────────────────────────────────────────────────────────────────────────────────── */

static void emit_consent(struct clinical *c, int64_t at_ms, const char *provision)
{
    clinical_json(
        c, DEMO_HOME,
        "{'resourceType':'Consent','status':'active','scope':" CODING(
            "http://terminology.hl7.org/CodeSystem/consentscope",
            "patient-privacy") ",'category':[" CODING("http://loinc.org",
                                                      "59284-0") "],'patient':" BY_CARD
                                                                 ",'dateTime':'%s',"
                                                                 "'policy':[{'uri':'urn:tasuki:"
                                                                 "policy:opt-in'}],"
                                                                 "'provision':%s}",
        c->person->card, instant_of(at_ms).text, provision);
}

void home_emit_consents(struct clinical *c)
{
    const struct demo_person *p = c->person;
    int64_t at_ms = clinical_time(c, 380 + (int)(p->index % 300), 13, 30);
    char provision[2048];

    if (p->consent == DEMO_CONSENT_NONE)
        return;
    if (p->consent == DEMO_CONSENT_OWN)
        (void)snprintf(provision, sizeof(provision), "{'type':'permit'," RECIPIENT "," ORDINARY "}",
                       demo_facilities[p->home_doctor].code);
    else if (p->story == DEMO_STORY_DENIES_B)
        (void)snprintf(provision, sizeof(provision),
                       "{'type':'permit'," ORDINARY ",'provision':[{'type':'deny'," RECIPIENT "}]}",
                       demo_facilities[DEMO_HOSPITAL_B].code);
    else
        (void)snprintf(provision, sizeof(provision), "{'type':'permit'," ORDINARY "}");
    emit_consent(c, at_ms, provision);
    if (p->story == DEMO_STORY_NO_EMERGENCY)
        emit_consent(c, at_ms + 5 * MINUTE_MS, "{'type':'deny','purpose':[" PURPOSE("BTG") "]}");
}

/* ── who ─────────────────────────────────────────────────────────────────────────────────────── */

#define REPRESENTATION "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
void home_emit_patient(struct clinical *c, enum demo_facility facility)
{
    const struct demo_person *p = c->person;

    clinical_json(
        c, facility,
        "{'resourceType':'Patient','identifier':[{'system':'urn:oid:1.2.392.100495.20.3.51.1%s',"
        "'value':'%s'},{'system':'urn:tasuki:clinic-card','value':'%s'}],"
        "'name':[{'extension':[{'url':'" REPRESENTATION "','valueCode':'IDE'}],'use':'official',"
        "'text':'%s %s','family':'%s','given':['%s']},"
        "{'extension':[{'url':'" REPRESENTATION "','valueCode':'SYL'}],'use':'official',"
        "'text':'%s %s','family':'%s','given':['%s']}],"
        "'telecom':[{'system':'phone','value':'%s','use':'home'}],'gender':'%s',"
        "'birthDate':'%.4s-%.2s-%.2s','address':[{'use':'home','text':'%s','postalCode':'%s',"
        "'country':'JP'}]}",
        demo_facilities[facility].code, p->local[facility], p->card, p->family, p->given, p->family,
        p->given, p->family_kana, p->given_kana, p->family_kana, p->given_kana, p->phone,
        p->sex == 'M' ? "male" : "female", p->birth, p->birth + 4, p->birth + 6, p->address,
        p->postal);
}

/* ── checkups ────────────────────────────────────────────────────────────────────────────────── */

struct measured {
    const char *code, *name;
    double value;
    int decimals;
    const char *unit; /* UCUM */
};

static void emit_checkup(struct clinical *c, enum demo_facility facility, int64_t at_ms,
                         const struct measured *m)
{
    bool body = m->code[0] == '9';
    struct instant at = instant_of(at_ms);

    clinical_json(
        c, facility,
        "{'resourceType':'Observation','meta':{'tag':[{'system':'urn:tasuki:tag','code':'checkup'}]"
        "},"
        "'status':'final','category':[{'coding':[{'system':"
        "'http://terminology.hl7.org/CodeSystem/observation-category','code':'%s'}]}],"
        "'code':{'coding':[{'system':'urn:oid:1.2.392.200119.6.1005','code':'%s','display':'%s'}],"
        "'text':'%s'},'subject':" BY_CARD ",'effectiveDateTime':'%.10s',"
        "'valueQuantity':{'value':%.*f,'unit':'%s','system':'http://unitsofmeasure.org',"
        "'code':'%s'}}",
        body ? "exam" : "laboratory", m->code, m->name, m->name, c->person->card, at.text,
        m->decimals, m->value, m->unit, m->unit);
}

static void emit_one_checkup(struct clinical *c, enum demo_facility facility, int64_t at_ms,
                             double course)
{
    static const char *const tests[] = {"3F015000002327101", "3F070000002327101",
                                        "3F077000002327101", "3B035000002327201",
                                        "3B045000002327201", "3D046000001906202"};
    const struct demo_person *p = c->person;
    struct body body = patient_body(p);
    double weight = body.weight_kg + dice_normal(&c->dice, 0, 0.8);
    double mass = weight * 10000.0 / (body.height_cm * body.height_cm);
    double systolic =
        dice_normal(&c->dice, p->ill & DEMO_HYPERTENSION ? 136 : 116 + p->age * 0.15, 8);
    double diastolic = systolic * 0.6 + dice_normal(&c->dice, 2, 4);
    struct lab_draw draw = {p, p->ill & ~(unsigned)DEMO_BRONCHITIS, course, &c->dice, 0, 0};
    const struct measured measures[] = {
        {"9N001000000000001", "身長", body.height_cm, 1, "cm"},
        {"9N006000000000001", "体重", weight, 1, "kg"},
        {"9N011000000000001", "BMI", mass, 1, "kg/m2"},
        {"9N016160100000001", "腹囲", 36.0 + mass * 2.1, 1, "cm"},
        {"9A755000000000001", "収縮期血圧", systolic, 0, "mm[Hg]"},
        {"9A765000000000001", "拡張期血圧", diastolic, 0, "mm[Hg]"},
    };

    for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++)
        emit_checkup(c, facility, at_ms, &measures[i]);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        const struct lab_row *row = lab_find(tests[i]);
        struct measured m = {row->code, row->name, lab_value(&draw, row), row->decimals, row->unit};

        emit_checkup(c, facility, at_ms, &m);
    }
}

void home_emit_checkups(struct clinical *c)
{
    const struct demo_person *p = c->person;
    enum demo_facility facility = p->local[DEMO_INSURER_I][0] ? DEMO_INSURER_I : DEMO_CITY_M;
    int days = dice_between(&c->dice, 20, 340);

    if (p->age < 40 || p->age >= 75 || !p->local[facility][0])
        return;
    emit_one_checkup(c, facility, clinical_time(c, days + 364, 9, 0), 0.0);
    emit_one_checkup(c, facility, clinical_time(c, days, 9, 0), 0.8);
}

/* ── immunizations ───────────────────────────────────────────────────────────────────────────── */

static void emit_immunization(struct clinical *c, int64_t at_ms, const char *cvx, const char *name)
{
    clinical_json(c, DEMO_CITY_M,
                  "{'resourceType':'Immunization','status':'completed','vaccineCode':{'coding':"
                  "[{'system':'http://hl7.org/fhir/sid/cvx','code':'%s'}],'text':'%s'},"
                  "'patient':" BY_CARD ",'occurrenceDateTime':'%.10s','primarySource':true,"
                  "'lotNumber':'T%04u'}",
                  cvx, name, c->person->card, instant_of(at_ms).text, dice_below(&c->dice, 10000));
}

void home_emit_immunizations(struct clinical *c)
{
    const struct demo_person *p = c->person;

    if (!p->local[DEMO_CITY_M][0])
        return;
    if (p->age >= 65) {
        emit_immunization(c, clinical_time(c, dice_between(&c->dice, 360, 390), 10, 0), "141",
                          "インフルエンザHAワクチン");
        if (p->age >= 66)
            emit_immunization(c, clinical_time(c, 500 + (int)(p->index % 200), 10, 0), "33",
                              "23価肺炎球菌ワクチン");
    } else if (p->age >= 2 && p->age < 7) {
        int born_days = p->age * 365;

        emit_immunization(c, clinical_time(c, born_days - 400, 10, 0), "04",
                          "麻しん風しん混合ワクチン");
        emit_immunization(c, clinical_time(c, born_days - 430, 10, 0), "21", "水痘ワクチン");
        emit_immunization(c, clinical_time(c, born_days - 160, 10, 0), "130", "四種混合ワクチン");
    }
}

/* ── home vital signs ────────────────────────────────────────────────────────────────────────── */

#define VITAL                                                                                      \
    "{'resourceType':'Observation','meta':{'tag':[{'system':'urn:tasuki:tag',"                     \
    "'code':'patient-generated'}]},'status':'final','category':[" CODING(                          \
        "http://terminology.hl7.org/CodeSystem/observation-category",                              \
        "vital-signs") "],'code':{'coding':[{'system':'http://loinc.org','code':'%s'}],"           \
                       "'text':'%s'},'subject':" BY_CARD ",'effectiveDateTime':'%s',"
#define QUANTITY "{'value':%.*f,'unit':'%s','system':'http://unitsofmeasure.org','code':'%s'}"

static void emit_vital(struct clinical *c, enum demo_facility facility, int64_t at_ms,
                       const struct measured *m)
{
    clinical_json(c, facility, VITAL "'valueQuantity':" QUANTITY "}", m->code, m->name,
                  c->person->card, instant_of(at_ms).text, m->decimals, m->value, m->unit, m->unit);
}

static void emit_pressure(struct clinical *c, enum demo_facility facility, int64_t at_ms,
                          double systolic)
{
    double diastolic = systolic * 0.58 + dice_normal(&c->dice, 3, 3);

    clinical_json(c, facility,
                  VITAL "'component':[{'code':" CODING(
                      "http://loinc.org",
                      "8480-6") ",'valueQuantity':" QUANTITY
                                "},{'code':" CODING("http://loinc.org",
                                                    "8462-4") ",'valueQuantity':" QUANTITY "}]}",
                  "85354-9", "血圧", c->person->card, instant_of(at_ms).text, 0, systolic, "mmHg",
                  "mm[Hg]", 0, diastolic, "mmHg", "mm[Hg]");
}

/* Ninety days, morning and evening: a little higher in the morning, falling since the drug was
 * changed. */
static void emit_pressure_diary(struct clinical *c)
{
    for (int days = 90; days >= 1; days--) {
        double trend = 128.0 + days * 0.13;
        int64_t morning = clinical_time(c, days, 6, dice_between(&c->dice, 20, 59));
        int64_t evening = clinical_time(c, days, 21, dice_between(&c->dice, 0, 50));

        emit_pressure(c, DEMO_HOME, morning, dice_normal(&c->dice, trend + 4, 6));
        emit_pressure(c, DEMO_HOME, evening, dice_normal(&c->dice, trend - 3, 6));
        if (days % 7 == 0) {
            struct measured pulse = {"8867-4", "脈拍", dice_normal(&c->dice, 68, 4), 0, "/min"};
            struct measured weight = {"29463-7", "体重",
                                      patient_body(c->person).weight_kg + days * 0.015, 1, "kg"};

            emit_vital(c, DEMO_HOME, morning, &pulse);
            emit_vital(c, DEMO_HOME, morning, &weight);
        }
    }
}

/* What a bathroom scale, a pedometer and the like send by themselves. */
static void emit_devices(struct clinical *c, int days_back)
{
    const struct demo_person *p = c->person;
    double weight = patient_body(p).weight_kg;

    for (int days = days_back; days >= 1; days--) {
        struct measured steps = {"41950-7", "歩数",
                                 dice_normal(&c->dice, p->age > 70 ? 3900 : 6200, 1400), 0,
                                 "{steps}/d"};
        struct measured scale = {"29463-7", "体重", dice_normal(&c->dice, weight, 0.3), 1, "kg"};

        emit_vital(c, DEMO_GATEWAY_V, clinical_time(c, days, 22, 0), &steps);
        if (days % 3 == 0)
            emit_vital(c, DEMO_GATEWAY_V, clinical_time(c, days, 7, 5), &scale);
    }
}

void home_emit_vitals(struct clinical *c)
{
    const struct demo_person *p = c->person;
    struct measured warm = {"8310-5", "体温", dice_normal(&c->dice, 36.5, 0.2), 1, "Cel"};
    struct measured oxygen = {"59408-5", "SpO2", 97, 0, "%"};

    if (p->story == DEMO_STORY_PRESSURE) {
        emit_pressure_diary(c);
        emit_devices(c, 30);
    } else if (p->story == DEMO_STORY_DIABETES) {
        emit_devices(c, 21);
    } else if (p->age >= 20 && p->index % 11 == 0) {
        for (int days = 10; days >= 1; days--)
            emit_pressure(c, DEMO_GATEWAY_V, clinical_time(c, days, 6, 40),
                          dice_normal(&c->dice, p->ill & DEMO_HYPERTENSION ? 134 : 118, 6));
        emit_vital(c, DEMO_GATEWAY_V, clinical_time(c, 2, 7, 0), &warm);
        emit_vital(c, DEMO_GATEWAY_V, clinical_time(c, 2, 7, 1), &oxygen);
    }
}
