/* SPDX-License-Identifier: Apache-2.0
 *
 * Who the patient is and when he was there: ADT^A08 (basics, insurance, body, blood group), ADT^A60
 * (allergies), PPR^ZD1 (problems), ADT^A04 (outpatient), ADT^A01 and A03 (stay). SS-MIX2 kinds
 * ADT-00, ADT-61, PPR-01, ADT-12, ADT-22, ADT-52.
 */
#include <stdio.h>

#include "exchange/demo/clinical_parts.h"

#include "base/banned.h"

struct body patient_body(const struct demo_person *person)
{
    struct dice d = dice_new(person->seed + 5, person->index);
    double grown = person->sex == 'M' ? 170.5 : 157.5;
    double height =
        dice_normal(&d, grown - (person->age > 60 ? (person->age - 60) * 0.15 : 0), 5.2);
    double mass = dice_normal(&d, person->ill & DEMO_DIABETES ? 26.0 : 22.8, 2.4);

    if (person->age < 18)
        height *= 0.31 + 0.69 * person->age / 18.0;
    if (person->age < 18)
        mass -= (18 - person->age) * 0.35;
    return (struct body){height, mass * height * height / 10000.0};
}

static void put_measure(struct message *m, unsigned n, const char *code, const char *name,
                        double value, const char *unit)
{
    message_segment(m, "OBX");
    message_field(m, 1, "%u", n);
    message_field(m, 2, "NM");
    message_field(m, 3, "%s^%s^JC10", code, name);
    message_field(m, 5, "%.1f", value);
    message_field(m, 6, "%s^%s^ISO+", unit, unit);
    message_field(m, 11, "F");
}

static void put_blood_group(struct message *m, unsigned n, const struct demo_person *p)
{
    static const char *const groups[] = {"A", "A", "A", "A", "O", "O", "O", "B", "B", "AB"};
    const char *group = groups[(p->index * 7 + 3) % 10];

    message_segment(m, "OBX");
    message_field(m, 1, "%u", n);
    message_field(m, 2, "CWE");
    message_field(m, 3, "5H010000001999911^血液型-ABO式^JC10");
    message_field(m, 5, "%s^%s^JSHR002", group, group);
    message_field(m, 11, "F");
}

static void put_insurance(struct message *m, const struct demo_person *p)
{
    message_segment(m, "IN1");
    message_field(m, 1, "1");
    message_field(m, 2, "%s^%s^JHSD0001", p->plan, p->plan_name);
    message_field(m, 3, "%s", p->insurer);
    message_field(m, 4, "%s", p->insurer_name);
    message_field(m, 10, "%s~%s~%s", p->symbol, p->number, p->branch);
    message_field(m, 12, "20240401");
    message_field(m, 17,
                  p->branch[1] == '0' ? "SEL^本人^HL70063"
                  : p->age < 19       ? "CHD^子供^HL70063"
                                      : "SPO^配偶者^HL70063");
}

static void put_event(struct clinical *c, int64_t at_ms)
{
    message_segment(&c->message, "EVN");
    message_field(&c->message, 2, "%s", message_stamp(at_ms).text);
}

static void emit_update(struct clinical *c, enum demo_facility facility, int64_t at_ms)
{
    struct message *m = &c->message;
    const struct demo_person *p = c->person;
    struct body body = patient_body(p);

    clinical_start(c, facility, "ADT^A08^ADT_A01", at_ms);
    put_event(c, at_ms);
    message_patient(m, p, facility, true, at_ms);
    message_segment(m, "PV1");
    message_field(m, 1, "0001");
    message_field(m, 2, "O");
    put_measure(m, 1, "9N001000000000001", "身長", body.height_cm, "cm");
    put_measure(m, 2, "9N006000000000001", "体重", body.weight_kg, "kg");
    if (p->age >= 18 && facility != DEMO_CLINIC_C)
        put_blood_group(m, 3, p);
    if (p->ill & DEMO_PENICILLIN) {
        message_segment(m, "AL1");
        message_field(m, 1, "1");
        message_field(m, 2, "DA^薬剤アレルギー^HL70127");
        message_field(m, 3, "PC01^ペニシリン系抗生物質^99TSK");
    }
    put_insurance(m, p);
    clinical_send(c, facility);
}

struct allergy {
    const char *kind, *substance, *severity, *reaction;
};
static const struct allergy penicillin = {"DA^薬剤アレルギー^HL70127",
                                          "PC01^ペニシリン系抗生物質^99TSK", "SV^重度^HL70128",
                                          "アナフィラキシーショック"};
static const struct allergy rash = {"DA^薬剤アレルギー^HL70127", "PC01^ペニシリン系抗生物質^99TSK",
                                    "MO^中等度^HL70128", "全身の発疹"};
static const struct allergy pollen = {"LA^花粉アレルギー^HL70127", "5A1002216023023^スギ^JC10",
                                      "MI^軽度^HL70128", "目のかゆみ、鼻汁"};
static const struct allergy buckwheat = {"FA^食物アレルギー^HL70127", "5A1002411023006^ソバ^JC10",
                                         "MO^中等度^HL70128", "じんましん"};

static void put_allergy(struct clinical *c, unsigned n, const struct allergy *allergy,
                        const char *onset)
{
    message_segment(&c->message, "IAM");
    message_field(&c->message, 1, "%u", n);
    message_field(&c->message, 2, "%s", allergy->kind);
    message_field(&c->message, 3, "%s", allergy->substance);
    message_field(&c->message, 4, "%s", allergy->severity);
    message_field(&c->message, 5, "%s", allergy->reaction);
    message_field(&c->message, 6, "A^追加^HL70323");
    message_field(&c->message, 11, "%s", onset);
}

static void emit_allergies(struct clinical *c, enum demo_facility facility, int64_t at_ms)
{
    const struct demo_person *p = c->person;
    bool anaphylaxis = p->story == DEMO_STORY_ANAPHYLAXIS;
    struct stamp onset = message_stamp(clinical_time(c, 705, 15, 0));
    unsigned n = 0;

    onset.text[8] = '\0';
    if (!(p->ill & (DEMO_PENICILLIN | DEMO_POLLEN | DEMO_FOOD)))
        return;
    clinical_start(c, facility, "ADT^A60^ADT_A60", at_ms);
    put_event(c, at_ms);
    message_patient(&c->message, p, facility, false, at_ms);
    if (p->ill & DEMO_PENICILLIN)
        put_allergy(c, ++n, anaphylaxis ? &penicillin : &rash, anaphylaxis ? onset.text : "2011");
    if (p->ill & DEMO_POLLEN)
        put_allergy(c, ++n, &pollen, "2009");
    if (p->ill & DEMO_FOOD)
        put_allergy(c, ++n, &buckwheat, "2020");
    clinical_send(c, facility);
}

static void put_problem(struct clinical *c, const struct illness_row *row,
                        const struct visit *visit, unsigned n)
{
    struct message *m = &c->message;
    int64_t years = 2 + (c->person->index * 3 + (unsigned)(row - illness_table) * 5) % 14;
    int64_t onset_ms = visit->at_ms - (row->acute ? 2 : years * 365 - n * 41) * DAY_MS;
    struct stamp onset = message_stamp(onset_ms);
    char order[16];

    onset.text[8] = '\0';
    (void)snprintf(order, sizeof(order), "9%07u%05u%02u", c->person->index % 10000000u,
                   (unsigned)visit->facility, n % 100u);
    message_segment(m, "PRB");
    message_field(m, 1, "AD");
    message_field(m, 2, "%s", onset.text);
    message_field(m, 3, "%s^%s^%s", row->code, row->name, row->system);
    message_field(m, 4, "%s", order);
    message_field(m, 7, "%s", onset.text);
    message_field(m, 10, "%s^^I10^O^外来時^JHSD0004", row->icd10);
    message_field(m, 14, row->acute ? "R^回復^HL70241" : "N^回復せず^HL70241");
    message_field(m, 16, "%s", onset.text);
    message_field(m, 17, "%s", row->name);
    if (n == 1)
        message_field(m, 18, "1^主診断^JHSD0007");
    message_segment(m, "ZPR");
    message_field(m, 2, "%s^%s^%s", row->code, row->name, row->system);
    clinical_order_segment(c, "NW", order, "", visit);
}

/* Illnesses that FACILITY follows: those of the home doctor, all others only what is treated there.
 */
static unsigned followed(const struct demo_person *p, enum demo_facility facility)
{
    if (p->story == DEMO_STORY_DIABETES && facility == DEMO_HOSPITAL_B)
        return DEMO_DIABETES;
    if (facility == p->home_doctor)
        return p->ill & ~(unsigned)(DEMO_PENICILLIN | DEMO_FOOD);
    return p->ill & (DEMO_ULCER | DEMO_BONE | DEMO_KNEE | DEMO_POLLEN);
}

static void emit_problems(struct clinical *c, enum demo_facility facility, int64_t at_ms)
{
    struct visit visit = {.facility = facility, .at_ms = at_ms};
    unsigned n = 0;

    visit.ill = followed(c->person, facility);
    if (!visit.ill)
        return;
    clinical_start(c, facility, "PPR^ZD1^PPR_ZD1", at_ms);
    message_patient(&c->message, c->person, facility, false, at_ms);
    for (size_t i = 0; i < illness_count; i++)
        if (visit.ill & (unsigned)illness_table[i].ill)
            put_problem(c, &illness_table[i], &visit, ++n);
    clinical_send(c, facility);
}

void patient_emit_basics(struct clinical *c, enum demo_facility facility, int64_t at_ms)
{
    emit_update(c, facility, at_ms);
    emit_allergies(c, facility, at_ms + 2 * MINUTE_MS);
    emit_problems(c, facility, at_ms + 5 * MINUTE_MS);
}

void patient_emit_visit(struct clinical *c, const struct visit *visit)
{
    clinical_start(c, visit->facility, "ADT^A04^ADT_A01", visit->at_ms);
    put_event(c, visit->at_ms);
    message_patient(&c->message, c->person, visit->facility, false, visit->at_ms);
    clinical_visit_segment(c, visit, false);
    message_field(&c->message, 44, "%s", message_stamp(visit->at_ms).text);
    clinical_send(c, visit->facility);
}

void patient_emit_stay(struct clinical *c, enum demo_facility facility, int64_t in_ms, int days)
{
    struct visit visit = {.facility = facility, .at_ms = in_ms};
    int64_t out_ms = in_ms + days * DAY_MS - 4 * HOUR_MS;

    visit.ill = followed(c->person, facility) & ~(unsigned)DEMO_BRONCHITIS;
    clinical_start(c, facility, "ADT^A01^ADT_A01", in_ms);
    put_event(c, in_ms);
    message_patient(&c->message, c->person, facility, false, in_ms);
    clinical_visit_segment(c, &visit, true);
    message_field(&c->message, 44, "%s", message_stamp(in_ms).text);
    clinical_send(c, facility);
    drug_emit_infusion(c, facility, in_ms + 2 * HOUR_MS);
    if (out_ms > c->now_ms)
        return; /* still there */
    clinical_start(c, facility, "ADT^A03^ADT_A03", out_ms);
    put_event(c, out_ms);
    message_patient(&c->message, c->person, facility, false, out_ms);
    clinical_visit_segment(c, &visit, true);
    message_field(&c->message, 36, "01");
    message_field(&c->message, 44, "%s", message_stamp(in_ms).text);
    message_field(&c->message, 45, "%s", message_stamp(out_ms).text);
    clinical_send(c, facility);
}
