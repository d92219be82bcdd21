/* SPDX-License-Identifier: Apache-2.0
 *
 * The course of one invented resident: which visits he makes, where, about what, and which
 * documents each leaves behind. The documents themselves are in the clinical_*.c files beside this
 * one.
 */
#include "exchange/demo/clinical.h"

#include <assert.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/when.h"
#include "exchange/demo/clinical_parts.h"

#include "base/banned.h"

#define JSON_MAX (64u * LIMIT_KIB)
#define TOLD_DAYS 400 /* how far back an ordinary story goes */
#define ELSEWHERE ((unsigned)(DEMO_ULCER | DEMO_BONE | DEMO_KNEE | DEMO_POLLEN | DEMO_BRONCHITIS))
#define NOT_TREATED ((unsigned)(DEMO_PENICILLIN | DEMO_FOOD))

void clinical_start(struct clinical *c, enum demo_facility facility, const char *type,
                    int64_t at_ms)
{
    char control_id[21];

    (void)snprintf(control_id, sizeof(control_id), "T%c%06u%04u", (char)('A' + (char)facility),
                   c->person->index % 1000000u, ++c->sequence % 10000u);
    message_start(&c->message, facility, type, control_id, at_ms);
}

static void hand_over(struct clinical *c, const struct demo_document *document)
{
    if (!c->err)
        c->err = c->fn(c->context, c->person, document);
}

void clinical_send(struct clinical *c, enum demo_facility facility)
{
    struct demo_document document = {DEMO_HL7, facility, SLICE_NONE};

    if (!c->err)
        c->err = message_finish(&c->message, &document.bytes);
    hand_over(c, &document);
}

void clinical_json(struct clinical *c, enum demo_facility facility, const char *format, ...)
{
    struct demo_document document = {DEMO_FHIR, facility, SLICE_NONE};
    va_list args;
    char *room = NULL;
    int len = 0;

    if (c->err)
        return;
    buf_clear(&c->json);
    room = buf_reserve(&c->json, JSON_MAX / 4);
    if (!room) {
        c->err = ERR_LIMIT;
        return;
    }
    va_start(args, format);
    len = vsnprintf(room, JSON_MAX / 4, format, args);
    va_end(args);
    assert(len > 0 && len < (int)(JSON_MAX / 4));
    for (int i = 0; i < len; i++)
        if (room[i] == '\'')
            room[i] = '"';
    document.bytes = slice_of(room, (size_t)len);
    hand_over(c, &document);
}

void clinical_order(struct clinical *c, char ret_order[16])
{
    (void)snprintf(ret_order, 16, "%08u%07u", c->person->index % 100000000u,
                   ++c->orders % 10000000u);
}

/* The doctor who sees this person at FACILITY: always the same one of its first two. */
void clinical_doctor(struct clinical *c, unsigned n, enum demo_facility facility)
{
    unsigned wanted = c->person->index % 2;

    for (size_t i = 0; i < demo_staff_count; i++) {
        const struct demo_staff_row *s = &demo_staff[i];
        const char *space = strchr(s->name, ' ');

        if (s->facility != facility || s->role != STAFF_DOCTOR || wanted-- > 0)
            continue;
        assert(space);
        message_field(&c->message, n, "%s^%.*s^%s^^^^^^L^^^^^I", s->user, (int)(space - s->name),
                      s->name, space + 1);
        return;
    }
}

static const char *department_of(unsigned ill)
{
    for (size_t i = 0; i < illness_count; i++)
        if (ill & (unsigned)illness_table[i].ill)
            return illness_table[i].department;
    return "01";
}

static const char *department_name(const char *code)
{
    static const char *const names[][2] = {{"01", "内科"},
                                           {"05", "呼吸器内科"},
                                           {"06", "消化器内科"},
                                           {"08", "循環器内科"},
                                           {"11", "整形外科"}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(code, names[i][0]) == 0)
            return names[i][1];
    return names[0][1];
}

void clinical_visit_segment(struct clinical *c, const struct visit *visit, bool inpatient)
{
    const char *department = department_of(visit->ill);

    message_segment(&c->message, "PV1");
    message_field(&c->message, 1, "0001");
    message_field(&c->message, 2, inpatient ? "I" : "O");
    if (inpatient)
        message_field(&c->message, 3, "3E^3%02u^1^^^N", c->person->index % 20 + 1);
    else
        message_field(&c->message, 3, "%s^^^^^C", department);
    clinical_doctor(c, 7, visit->facility);
    message_field(&c->message, 10, "%s", department);
}

void clinical_order_segment(struct clinical *c, const char *control, const char *order,
                            const char *filler, const struct visit *visit)
{
    message_segment(&c->message, "ORC");
    message_field(&c->message, 1, "%s", control);
    message_field(&c->message, 2, "%s", order);
    if (filler[0])
        message_field(&c->message, 4, "%s", filler);
    message_field(&c->message, 9, "%s", message_stamp(visit->at_ms).text);
    clinical_doctor(c, 12, visit->facility);
    message_field(&c->message, 17, "%s^%s^99XY1", department_of(visit->ill),
                  department_name(department_of(visit->ill)));
    message_field(&c->message, 21, "%s", demo_facilities[visit->facility].name);
    message_field(&c->message, 29, "O^外来患者オーダ^HL70482");
}

/* ── visits ──────────────────────────────────────────────────────────────────────────────────── */

static void attend(struct clinical *c, const struct visit *visit)
{
    patient_emit_visit(c, visit);
    if (visit->labs)
        lab_emit(c, visit);
    if (visit->ill & (DEMO_FIBRILLATION | DEMO_ANGINA))
        lab_emit_heart(c, visit);
    if (visit->ill & DEMO_BRONCHITIS && c->person->age >= 16)
        lab_emit_chest(c, visit);
    if (visit->ill & ~NOT_TREATED)
        drug_emit(c, visit);
}

/* COUNT visits every INTERVAL days, the last one LAST days ago. */
static void attend_often(struct clinical *c, enum demo_facility facility, unsigned ill, int count,
                         int interval, int last)
{
    for (int i = 0; i < count; i++) {
        int days = last + (count - 1 - i) * interval;
        struct visit visit = {
            .facility = facility,
            .at_ms = clinical_time(c, days, 9 + (int)(c->person->index + (unsigned)i) % 6,
                                   5 * dice_between(&c->dice, 0, 11)),
            .ill = ill,
            .labs = c->person->age >= 16 && (i % 2 == 0 || i == count - 1),
            .course = count > 1 ? (double)i / (count - 1) : 1.0,
        };

        attend(c, &visit);
    }
}

static void live_story(struct clinical *c)
{
    const struct demo_person *p = c->person;

    switch (p->story) {
    case DEMO_STORY_DIABETES:
        patient_emit_stay(c, DEMO_HOSPITAL_A, clinical_time(c, 430, 14, 0), 9);
        attend_often(c, DEMO_HOSPITAL_A, p->ill, 8, 42, 12);
        attend_often(c, DEMO_HOSPITAL_B, DEMO_DIABETES, 4, 90, 26);
        break;
    case DEMO_STORY_ANAPHYLAXIS:
        patient_emit_stay(c, DEMO_HOSPITAL_A, clinical_time(c, 705, 15, 20), 3);
        attend_often(c, DEMO_HOSPITAL_A, p->ill & ~NOT_TREATED, 10, 35, 9);
        attend_often(c, DEMO_CLINIC_C, DEMO_BRONCHITIS, 1, 1, 63);
        break;
    case DEMO_STORY_DENIES_B:
        attend_often(c, DEMO_HOSPITAL_A, DEMO_ASTHMA | DEMO_ULCER, 6, 56, 20);
        attend_often(c, DEMO_CLINIC_C, DEMO_POLLEN, 2, 28, 200);
        break;
    case DEMO_STORY_NO_EMERGENCY:
        attend_often(c, DEMO_HOSPITAL_A, p->ill, 5, 70, 31);
        break;
    default:
        attend_often(c, DEMO_CLINIC_C, p->ill, 6, 56, 7);
    }
}

static enum demo_facility second_place(const struct demo_person *p)
{
    for (enum demo_facility f = DEMO_HOSPITAL_A; f <= DEMO_CLINIC_C; f++)
        if (f != p->home_doctor && p->local[f][0])
            return f;
    return DEMO_FACILITY_COUNT;
}

static void live(struct clinical *c)
{
    const struct demo_person *p = c->person;
    enum demo_facility other = second_place(p);
    unsigned ill = p->ill & ~NOT_TREATED;
    unsigned chronic = ill & ~(unsigned)DEMO_BRONCHITIS;
    unsigned elsewhere = other < DEMO_FACILITY_COUNT ? chronic & ELSEWHERE : 0;

    if (elsewhere == chronic)
        elsewhere = 0;
    if (chronic & ~elsewhere)
        attend_often(c, p->home_doctor, chronic & ~elsewhere, dice_between(&c->dice, 3, 5),
                     dice_between(&c->dice, 56, 84), dice_between(&c->dice, 3, 45));
    if (other < DEMO_FACILITY_COUNT)
        attend_often(c, other, elsewhere ? elsewhere : ill & DEMO_BRONCHITIS, elsewhere ? 3 : 1, 84,
                     dice_between(&c->dice, 5, 80));
    else if (ill & DEMO_BRONCHITIS || !chronic)
        attend_often(c, p->home_doctor, ill & DEMO_BRONCHITIS, 1, 1,
                     dice_between(&c->dice, 10, TOLD_DAYS - 40));
    if (p->age >= 60 && p->home_doctor != DEMO_CLINIC_C && dice_chance(&c->dice, 9))
        patient_emit_stay(c, p->home_doctor,
                          clinical_time(c, dice_between(&c->dice, 30, TOLD_DAYS), 14, 0),
                          dice_between(&c->dice, 2, 18));
}

enum err clinical_emit(const struct demo_person *person, int64_t now_ms, clinical_cb fn,
                       void *context)
{
    struct clinical c = {.person = person,
                         .dice = dice_new(person->seed + 77, person->index),
                         .now_ms = now_ms,
                         .fn = fn,
                         .context = context};
    int day = when_day_number(now_ms);

    c.today_ms = when_from_date(day / 10000, day / 100 % 100, day % 100);
    message_init(&c.message);
    buf_init(&c.json, JSON_MAX);
    home_emit_consents(&c);
    for (enum demo_facility f = DEMO_HOSPITAL_A; f <= DEMO_CLINIC_C; f++)
        if (person->local[f][0])
            patient_emit_basics(&c, f, clinical_time(&c, dice_between(&c.dice, 2, 60), 8, 40));
    for (enum demo_facility f = DEMO_PHARMACY_P; f <= DEMO_INSURER_I; f++)
        if (person->local[f][0])
            home_emit_patient(&c, f);
    if (person->story)
        live_story(&c);
    else
        live(&c);
    home_emit_checkups(&c);
    home_emit_immunizations(&c);
    home_emit_vitals(&c);
    message_fini(&c.message);
    buf_fini(&c.json);
    return c.err;
}
