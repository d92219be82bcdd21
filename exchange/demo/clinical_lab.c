/* SPDX-License-Identifier: Apache-2.0
 *
 * Examinations: OUL^R22 (laboratory, OML-11), ORU^R01 (electrocardiogram, OMG-13), OMI^Z23 (chest
 * film, OMG-11). A person keeps his own level of each value; treatment moves it along his course.
 */
#include <math.h>
#include <stdio.h>

#include "exchange/demo/clinical_parts.h"

#include "base/banned.h"

#define CREATININE "3C015000002327101"
#define EGFR "8A065000002391901"
#define A1C "3D046000001906202"
#define GLUCOSE "3D010000002227101"
#define INR "2B030000002231157"

static bool is(const struct lab_row *row, const char *code)
{
    return strcmp(row->code, code) == 0;
}

const struct lab_row *lab_find(const char *code)
{
    for (size_t i = 0; i < lab_count; i++)
        if (is(&lab_table[i], code))
            return &lab_table[i];
    return NULL;
}

/* Falls under treatment from where it was found to near the goal. */
static double a1c_value(const struct lab_draw *draw, struct dice *own)
{
    double from = dice_normal(own, 8.1, 0.45);
    double to = dice_normal(own, 6.9, 0.25);

    if (draw->person->story == DEMO_STORY_DIABETES) {
        from = 8.7;
        to = 7.1;
    }
    return from + (to - from) * sqrt(draw->course) + dice_normal(draw->dice, 0, 0.1);
}

/* The Japanese formula for grown-ups (Matsuo and others, 2009). */
static double egfr_value(const struct lab_draw *draw)
{
    double value = 194.0 * pow(draw->creatinine, -1.094) * pow(draw->person->age, -0.287);

    return draw->person->sex == 'F' ? value * 0.739 : value;
}

static double inr_value(const struct lab_draw *draw)
{
    double value = dice_normal(draw->dice, 2.15, 0.35);

    return value < 1.35 ? 1.35 : value;
}

double lab_value(struct lab_draw *draw, const struct lab_row *row)
{
    const struct demo_person *p = draw->person;
    struct dice own = dice_new(p->seed + (uint64_t)(row - lab_table) * 131, p->index);
    double level = dice_normal(&own, row->mean, row->spread * 0.7);
    double least = row->low > 0 ? row->low * 0.25 : row->mean * 0.1;
    double value = 0;

    if (is(row, EGFR))
        return egfr_value(draw);
    if (is(row, INR) && draw->ill & DEMO_FIBRILLATION)
        return inr_value(draw);
    if (is(row, A1C) && p->ill & DEMO_DIABETES)
        value = a1c_value(draw, &own);
    else if (is(row, GLUCOSE) && p->ill & DEMO_DIABETES)
        value = 28.7 * (draw->a1c > 0 ? draw->a1c : 7.2) - 46.7 + dice_normal(draw->dice, -14, 11);
    else
        value = level + dice_normal(draw->dice, 0, row->spread * 0.35) +
                (p->sex == 'F' ? row->woman : 0) +
                (draw->ill & row->worse ? row->shift * (1.15 - 0.35 * draw->course) : 0);
    if (value < least)
        value = least;
    if (is(row, CREATININE))
        draw->creatinine = value;
    if (is(row, A1C))
        draw->a1c = value;
    return value;
}

/* ── laboratory ──────────────────────────────────────────────────────────────────────────────── */

static void put_specimen(struct clinical *c, const struct visit *visit, const struct lab_row *row,
                         const char *order, unsigned n)
{
    struct message *m = &c->message;
    struct stamp taken = message_stamp(visit->at_ms);
    struct stamp reported = message_stamp(visit->at_ms + 70 * MINUTE_MS);
    bool blood = row->specimen[0] == '0' && row->specimen[2] == '9';

    message_segment(m, "SPM");
    message_field(m, 1, "%u", n);
    message_field(m, 2, "%s%02u", order, n);
    message_field(m, 4, "%s^%s^JC10", row->specimen, row->specimen_name);
    message_field(m, 17, "%s", taken.text);
    message_segment(m, "OBR");
    message_field(m, 1, "%u", n);
    message_field(m, 2, "%s", order);
    message_field(m, 3, "%s%02u", order, n);
    message_field(m, 4, "%s", blood ? "E001^血液学的検査^99O03" : "E002^生化学的検査^99O03");
    message_field(m, 7, "%s", taken.text);
    clinical_doctor(c, 16, visit->facility);
    message_field(m, 22, "%s", reported.text);
    message_field(m, 25, "F");
    clinical_order_segment(c, "SC", order, "", visit);
}

static void put_value(struct clinical *c, const struct lab_row *row, double value, unsigned n,
                      const struct visit *visit)
{
    static const char *const marks[] = {"(-)", "(-)", "(+-)", "(1+)", "(2+)"};
    struct message *m = &c->message;
    int step = value < 0 ? 0 : value > 4 ? 4 : (int)value;
    bool text = row->high <= 0;

    message_segment(m, "OBX");
    message_field(m, 1, "%u", n);
    message_field(m, 2, text ? "ST" : "NM");
    message_field(m, 3, "%s^%s^JC10", row->code, row->name);
    if (text)
        message_field(m, 5, "%s", marks[step]);
    else
        message_field(m, 5, "%.*f", row->decimals, value);
    if (row->unit[0])
        message_field(m, 6, "%s^%s^ISO+", row->unit, row->unit);
    if (!text)
        message_field(m, 7, "%.*f-%.*f", row->decimals, row->low, row->decimals, row->high);
    if (!text && (value < row->low || value > row->high))
        message_field(m, 8, value < row->low ? "L" : "H");
    message_field(m, 11, "F");
    message_field(m, 14, "%s", message_stamp(visit->at_ms).text);
}

void lab_emit(struct clinical *c, const struct visit *visit)
{
    struct lab_draw draw = {c->person, visit->ill, visit->course, &c->dice, 0, 0};
    const char *specimen = "";
    char order[16];
    unsigned specimens = 0, n = 0;

    clinical_order(c, order);
    clinical_start(c, visit->facility, "OUL^R22^OUL_R22", visit->at_ms + 70 * MINUTE_MS);
    message_patient(&c->message, c->person, visit->facility, false, visit->at_ms);
    clinical_visit_segment(c, visit, false);
    for (size_t i = 0; i < lab_count; i++) {
        const struct lab_row *row = &lab_table[i];

        if (row->ill && !(row->ill & visit->ill))
            continue;
        if (strcmp(specimen, row->specimen) != 0) {
            specimen = row->specimen;
            put_specimen(c, visit, row, order, ++specimens);
            n = 0;
        }
        put_value(c, row, lab_value(&draw, row), ++n, visit);
    }
    clinical_send(c, visit->facility);
}

/* ── heart and chest ─────────────────────────────────────────────────────────────────────────── */

static void put_finding(struct clinical *c, unsigned n, const char *type, const char *code,
                        const char *value, const char *unit)
{
    message_segment(&c->message, "OBX");
    message_field(&c->message, 1, "%u", n);
    message_field(&c->message, 2, "%s", type);
    message_field(&c->message, 3, "%s", code);
    message_field(&c->message, 5, "%s", value);
    if (unit[0])
        message_field(&c->message, 6, "%s", unit);
    message_field(&c->message, 11, "F");
}

void lab_emit_heart(struct clinical *c, const struct visit *visit)
{
    bool fibrillation = (visit->ill & DEMO_FIBRILLATION) != 0;
    struct stamp at = message_stamp(visit->at_ms + 20 * MINUTE_MS);
    char order[16], rate[16];

    if (visit->course < 1.0 && visit->course > 0.0)
        return; /* at the first and the last visit */
    clinical_order(c, order);
    (void)snprintf(rate, sizeof(rate), "%d", dice_between(&c->dice, 62, fibrillation ? 96 : 78));
    clinical_start(c, visit->facility, "ORU^R01^ORU_R01", visit->at_ms + 40 * MINUTE_MS);
    message_patient(&c->message, c->person, visit->facility, false, visit->at_ms);
    clinical_visit_segment(c, visit, false);
    clinical_order_segment(c, "SC", order, "", visit);
    message_segment(&c->message, "OBR");
    message_field(&c->message, 1, "1");
    message_field(&c->message, 2, "%s", order);
    message_field(&c->message, 4, "9A110^標準１２誘導心電図^JC10");
    message_field(&c->message, 7, "%s", at.text);
    clinical_doctor(c, 16, visit->facility);
    message_field(&c->message, 22, "%s", at.text);
    message_field(&c->message, 25, "F");
    put_finding(c, 1, "TX", "9A100&IMP^心電図所見^JC10",
                fibrillation ? "心房細動、心拍数は調節されている" : "洞調律、有意なＳＴ変化なし",
                "");
    put_finding(c, 2, "NM", "32769^心拍数^99MFR", rate, "/min^/min^ISO+");
    clinical_send(c, visit->facility);
}

void lab_emit_chest(struct clinical *c, const struct visit *visit)
{
    struct message *m = &c->message;
    struct stamp at = message_stamp(visit->at_ms + 25 * MINUTE_MS);
    char order[16];

    if (visit->facility == DEMO_CLINIC_C)
        return; /* has no such machine */
    clinical_order(c, order);
    clinical_start(c, visit->facility, "OMI^Z23^OMI_Z23", visit->at_ms + 40 * MINUTE_MS);
    message_patient(m, c->person, visit->facility, false, visit->at_ms);
    clinical_visit_segment(c, visit, false);
    clinical_order_segment(c, "NW", order, "", visit);
    message_segment(m, "TQ1");
    message_field(m, 1, "1");
    message_field(m, 9, "R^^HL70485");
    message_segment(m, "OBR");
    message_field(m, 2, "%s", order);
    message_field(m, 4, "10000002000102000000010000000000^胸部.Ｘ線単純撮影.立位正面(A→P)^JJ1017");
    message_field(m, 7, "%s", at.text);
    clinical_doctor(c, 16, visit->facility);
    message_field(m, 22, "%s", at.text);
    message_field(m, 25, "F");
    message_segment(m, "IPC");
    message_field(m, 1, "A%s", order);
    message_field(m, 2, "P%s", order);
    message_field(m, 3, "2.25.%s%s", demo_facilities[visit->facility].code, order);
    message_field(m, 5, "CR^^DCM");
    clinical_send(c, visit->facility);
}
