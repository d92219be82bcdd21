/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files behind clinical.h share: the person at hand, his dice, the buffers, and the tables
 * of illnesses, examinations and drugs. Private to exchange/demo.
 */
#ifndef EXCHANGE_DEMO_CLINICAL_PARTS_H
#define EXCHANGE_DEMO_CLINICAL_PARTS_H

#include "exchange/demo/clinical.h"
#include "exchange/demo/dice.h"
#include "exchange/demo/message.h"

#define DAY_MS INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)
#define MINUTE_MS INT64_C(60000)

struct clinical {
    const struct demo_person *person;
    struct dice dice;
    int64_t now_ms;
    int64_t today_ms; /* midnight JST */
    clinical_cb fn;
    void *context;
    struct message message;
    struct buf json;
    unsigned sequence; /* of messages, for control ids */
    unsigned orders;
    enum err err; /* sticky: once set nothing more is emitted */
};

/* One attendance. */
struct visit {
    enum demo_facility facility;
    int64_t at_ms;
    unsigned ill; /* what it is about */
    bool labs;
    double course; /* 0: at the beginning of what is told .. 1: now */
};

/* Body measures, the same wherever they are taken (but for a few hundred grams). */
struct body {
    double height_cm, weight_kg;
};

/* Moment DAYS before today, at HOUR:MINUTE. */
static inline int64_t clinical_time(const struct clinical *c, int days, int hour, int minute)
{
    return c->today_ms - days * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS;
}

/* clinical.c */
void clinical_start(struct clinical *c, enum demo_facility facility, const char *type,
                    int64_t at_ms);
void clinical_send(struct clinical *c, enum demo_facility facility);
void clinical_order(struct clinical *c, char ret_order[16]);
void clinical_doctor(struct clinical *c, unsigned n, enum demo_facility facility);
void clinical_visit_segment(struct clinical *c, const struct visit *visit, bool inpatient);
/* ORC of ORDER with CONTROL code ("NW", "SC"). */
void clinical_order_segment(struct clinical *c, const char *control, const char *order,
                            const char *filler, const struct visit *visit);
/* The template with ' for " goes out as a FHIR resource of FACILITY. */
void clinical_json(struct clinical *c, enum demo_facility facility, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* clinical_patient.c: ADT^A08, ADT^A60, PPR^ZD1 and encounters. */
void patient_emit_basics(struct clinical *c, enum demo_facility facility, int64_t at_ms);
void patient_emit_visit(struct clinical *c, const struct visit *visit);
void patient_emit_stay(struct clinical *c, enum demo_facility facility, int64_t in_ms, int days);

/* Height and weight as measured in his visits. */
struct body patient_body(const struct demo_person *person);

/* clinical_lab.c: OUL^R22, ORU^R01, OMI^Z23. */
struct lab_row;
void lab_emit(struct clinical *c, const struct visit *visit);
void lab_emit_heart(struct clinical *c, const struct visit *visit);
void lab_emit_chest(struct clinical *c, const struct visit *visit);

/* A set of values that fit each other: glucose follows HbA1c, eGFR follows creatinine. */
struct lab_draw {
    const struct demo_person *person;
    unsigned ill;
    double course;
    struct dice *dice;
    double creatinine, a1c; /* of this draw, once known */
};
double lab_value(struct lab_draw *draw, const struct lab_row *row);
const struct lab_row *lab_find(const char *code);

/* clinical_drug.c: RDE^O11, RAS^O17, MedicationDispense. */
void drug_emit(struct clinical *c, const struct visit *visit);
void drug_emit_infusion(struct clinical *c, enum demo_facility facility, int64_t at_ms);

/* clinical_home.c: checkups, immunizations, home vital signs, consents, Patient as FHIR. */
void home_emit_patient(struct clinical *c, enum demo_facility facility);
void home_emit_consents(struct clinical *c);
void home_emit_checkups(struct clinical *c);
void home_emit_immunizations(struct clinical *c);
void home_emit_vitals(struct clinical *c);

/* clinical_table.c */
struct illness_row {
    enum demo_ill ill;
    const char *code, *name, *system; /* PRB-3 */
    const char *icd10;
    const char *department; /* HL70069 of SS-MIX2 */
    bool acute;
};
extern const struct illness_row illness_table[];
extern const size_t illness_count;

struct lab_row {
    const char *code, *name, *unit;
    double low, high;    /* reference range; high 0: none, text result */
    double mean, spread; /* of healthy people */
    double woman;        /* added for women */
    unsigned ill;        /* examined for these; 0: for everyone */
    unsigned worse;      /* shifted by `shift` in these */
    double shift;
    int decimals;
    const char *specimen, *specimen_name;
};
extern const struct lab_row lab_table[];
extern const size_t lab_count;

struct drug_row {
    enum demo_ill ill;
    const char *code, *name, *system;
    const char *dose, *unit, *unit_name; /* each time */
    const char *per_day;                 /* times the dose, as text */
    const char *usage, *usage_name;
    int days;
    const char *route, *route_name;
};
extern const struct drug_row drug_table[];
extern const size_t drug_count;

#endif
