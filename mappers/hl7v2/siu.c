/* SPDX-License-Identifier: Apache-2.0
 *
 * SIU^S12 to S17 and S26, appointments: one Appointment of SCH with its resources (AIS, AIG, AIL,
 * AIP). Every message holds all of the appointment, so the last one is what there is. R4 wants a
 * start and an end of everything that is not proposed or cancelled (app-3): TQ1, SCH-11 or AIS say
 * the start, SCH-9 or AIS-7 how long; an appointment without a time is only proposed.
 */
#include "mappers/hl7v2/family.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/extend.h"
#include "mappers/hl7v2/pv1.h"
#include "mappers/hl7v2/terms.h"
#include "mappers/hl7v2/xpn.h"
#include "base/when.h"
#include "base/banned.h"

#define MINUTE_MS 60000
#define DAY_MINUTES 1440u
#define PARTICIPATION "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"

static const struct {
    const char *trigger, *status;
} events[] = {{"S12", "booked"},    {"S13", "booked"},    {"S14", "booked"}, {"S15", "cancelled"},
              {"S16", "cancelled"}, {"S17", "cancelled"}, {"S26", "noshow"}};

static const char *participation(struct slice code)
{
    if (slice_is(code, "Cancelled") || slice_is(code, "Discontinued") || slice_is(code, "Deleted"))
        return "declined";
    return slice_is(code, "Pending") || slice_is(code, "Waitlist") ? "tentative" : "accepted";
}

static struct json *participant(struct spot *at, struct json *actor, const char *status)
{
    struct json *out;

    if (!actor)
        return NULL;
    out = json_new(at->mp->a, JSON_OBJECT);
    json_set(out, "actor", actor);
    json_put_text(at->mp->a, out, "status", status);
    mapping_put_at(at->mp->a, at->target, "participant[]", out);
    return out;
}

/* arg: a code of v3-ParticipationType. */
static bool build_person(struct spot *at)
{
    struct json *p = participant(at, xpn_person(at->mp, at->raw), "accepted");

    if (!p)
        return false;
    json_push(json_put_array(at->mp->a, p, "type"),
              cwe_constant(at->mp, PARTICIPATION, at->row->arg, NULL));
    return true;
}

/* The fields of an AIG, AIL or AIP: where its role, start, offset, duration and status stand. */
struct resource_fields {
    unsigned type, start, duration, status;
};
static const struct resource_fields equipment = {4, 8, 11, 14};
static const struct resource_fields place = {4, 6, 9, 12};
static const struct resource_fields staff = {4, 6, 9, 12};

static struct json *named(struct mapping *mp, struct slice text)
{
    struct json *reference;

    if (text.len == 0)
        return NULL;
    reference = json_new(mp->a, JSON_OBJECT);
    json_put_str(mp->a, reference, "display", text);
    return reference;
}

static struct slice place_text(struct mapping *mp, struct slice pl)
{
    struct slice text = mapping_part(mp, pl, 9);

    for (unsigned c = 1; c <= 3 && mapping_part(mp, pl, 9).len == 0; c++) {
        struct slice part = mapping_part(mp, pl, c);
        if (part.len)
            text =
                text.len ? mapping_format(mp, "%.*s-%.*s", SLICE_ARG(text), SLICE_ARG(part)) : part;
    }
    return text;
}

/* Minutes of a number and a unit (s, min, h ...); minutes where no unit is given. */
static uint64_t minutes_of(struct mapping *mp, const struct hl7_segment *s, unsigned field)
{
    static const struct {
        const char *unit;
        uint64_t numerator, denominator;
    } units[] = {{"s", 1, 60},  {"sec", 1, 60}, {"S", 1, 60},   {"h", 60, 1},
                 {"hr", 60, 1}, {"H", 60, 1},   {"d", 1440, 1}, {"min", 1, 1}};
    struct slice unit = mapping_value(mp, s, field + 1, 1);
    uint64_t number;

    if (!slice_u64(mapping_value(mp, s, field, 1), &number) || number > DAY_MINUTES * 60)
        return 0;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (slice_is(unit, units[i].unit))
            return number * units[i].numerator / units[i].denominator;
    }
    return number;
}

/* START and so many minutes. */
static struct slice later(struct mapping *mp, struct slice start, uint64_t minutes)
{
    struct when when;
    struct buf out;
    struct slice text = start;

    if (minutes == 0 || !when_parse_fhir(start, false, &when))
        return start;
    buf_init(&out, 64);
    when_print_instant(&out, when.lo_ms + (int64_t)minutes * MINUTE_MS);
    if (buf_err(&out) == ERR_OK)
        text = arena_dup(mp->a, buf_slice(&out));
    buf_fini(&out);
    return text;
}

static bool put_actor(struct spot *at, struct json *actor, const struct resource_fields *f)
{
    struct mapping *mp = at->mp;
    struct json *p = participant(at, actor, participation(mapping_value(mp, at->s, f->status, 1)));
    struct json *period;
    struct slice start = build_instant_of(mp, mapping_value(mp, at->s, f->start, 1));
    uint64_t minutes = minutes_of(mp, at->s, f->duration);
    struct cwe role;

    if (!p)
        return false;
    cwe_read(mp, hl7_repeat(mp->m, hl7_field(at->s, f->type), 0), &role);
    if (cwe_text(&role).len)
        json_push(json_put_array(mp->a, p, "type"), cwe_concept(mp, &role));
    if (start.len) {
        period = json_put_object(mp->a, p, "period");
        json_put_str(mp->a, period, "start", start);
        if (minutes)
            json_put_str(mp->a, period, "end", later(mp, start, minutes));
    }
    return true;
}

static bool build_equipment(struct spot *at)
{
    struct cwe c;

    cwe_read(at->mp, at->raw, &c);
    return put_actor(at, named(at->mp, cwe_text(&c)), &equipment);
}

static bool build_place(struct spot *at)
{
    return put_actor(at, named(at->mp, place_text(at->mp, at->raw)), &place);
}

static bool build_staff(struct spot *at)
{
    return put_actor(at, xpn_person(at->mp, at->raw), &staff);
}

static const struct row sch_rows[] = {
    {1, 0, extend_build_number, "identifier[]", "PLAC appointment"},
    {2, 0, extend_build_number, "identifier[]", "FILL appointment"},
    {5, 0, extend_build_number, "identifier[]", " appointment-group"},
    {7, 0, cwe_build, "reasonCode[]", "HL70276"},
    {8, 0, cwe_build, "appointmentType", "HL70277"},
    {12, 0, build_person, NULL, "ESC"},
    {16, 0, build_person, NULL, "ATND"},
    {20, 0, build_person, NULL, "ENT"},
    {26, 0, extend_build_numbered, "basedOn[]", "order"},
    {27, 0, extend_build_numbered, "basedOn[]", "filler-order"},
    ROW_END,
};
/* SCH-6: why this message was sent; of a cancellation, why it was cancelled. */
static const struct row why_rows[] = {{6, 0, cwe_build, "cancelationReason", NULL}, ROW_END};
static const struct row event_rows[] = {
    {6, 0, cwe_build_extension, "extension[]", EXTEND_OWN "appointment-event-reason"}, ROW_END};
/* Start, end and status are made of several fields. */
static const struct row sch_time[] = {
    {9, 0, build_elsewhere, "minutesDuration", NULL},
    {10, 0, build_elsewhere, "minutesDuration", NULL},
    {11, 0, build_elsewhere, "start", NULL},
    {25, 0, build_elsewhere, "status", NULL},
    ROW_END,
};
static const struct row tq1_time[] = {
    {1, 0, build_structure, NULL, NULL},
    {7, 0, build_elsewhere, "start", NULL},
    {8, 0, build_elsewhere, "end", NULL},
    ROW_END,
};
static const struct row ais_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_structure, NULL, NULL},
    {3, 0, cwe_build, "serviceType[]", NULL},
    {4, 0, build_elsewhere, "start", NULL},
    {7, 0, build_elsewhere, "minutesDuration", NULL},
    {8, 0, build_elsewhere, "minutesDuration", NULL},
    {10, 0, build_elsewhere, "status", NULL},
    {11, 0, cwe_build_extension, "extension[]", EXTEND_OWN "supplement"},
    {12, 0, cwe_build_extension, "extension[]", EXTEND_OWN "supplement"},
    ROW_END,
};
#define PLACE_ROWS(build, start_field, duration_field, status_field)                               \
    {                                                                                              \
        {1, 0, build_structure, NULL, NULL}, {2, 0, build_structure, NULL, NULL},                  \
            {3, 0, build, "participant[].actor", NULL},                                            \
            {4, 0, build_structure, "participant[].type[]", NULL},                                 \
            {start_field, 0, build_structure, "participant[].period.start", NULL},                 \
            {duration_field, 0, build_structure, "participant[].period.end", NULL},                \
            {(duration_field) + 1, 0, build_structure, "participant[].period.end", NULL},          \
            {status_field, 0, build_structure, "participant[].status", NULL}, ROW_END,             \
    }
static const struct row aig_rows[] = PLACE_ROWS(build_equipment, 8, 11, 14);
static const struct row ail_rows[] = PLACE_ROWS(build_place, 6, 9, 12);
static const struct row aip_rows[] = PLACE_ROWS(build_staff, 6, 9, 12);
static const struct row comment_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {3, 0, build_string, "comment", NULL},
    {9, 0, cwe_build_extension, "extension[]", EXTEND_OWN "comment-code"},
    ROW_END,
};
static const struct row rgs_rows[] = {
    {1, 0, build_structure, NULL, NULL}, {2, 0, build_structure, NULL, NULL}, ROW_END};

struct times {
    struct slice start, end;
    uint64_t minutes;
};

/* The first that says it: TQ1, SCH-11 (components 4 and 5), AIS-4. */
static struct times times_of(struct mapping *mp, const struct hl7_segment *sch)
{
    const struct hl7_segment *tq1 = hl7_find(mp->m, "TQ1", 1), *ais = hl7_find(mp->m, "AIS", 1);
    struct times t = {.start = build_instant_of(mp, mapping_value(mp, tq1, 7, 1)),
                      .end = build_instant_of(mp, mapping_value(mp, tq1, 8, 1)),
                      .minutes = minutes_of(mp, sch, 9)};

    mapping_mark(mp, sch, 9, MAPPING_USED);
    mapping_mark(mp, sch, 10, MAPPING_USED);
    if (t.start.len) {
        mapping_mark(mp, tq1, 7, MAPPING_USED);
        mapping_mark(mp, tq1, 8, MAPPING_USED);
    } else if ((t.start = build_instant_of(mp, mapping_value(mp, sch, 11, 4))).len) {
        t.end = build_instant_of(mp, mapping_value(mp, sch, 11, 5));
        mapping_mark(mp, sch, 11, MAPPING_USED);
    } else {
        t.start = build_instant_of(mp, mapping_value(mp, ais, 4, 1));
        t.end = SLICE_NONE;
        mapping_mark(mp, ais, 4, MAPPING_USED);
    }
    if (t.minutes == 0 && ais) {
        t.minutes = minutes_of(mp, ais, 7);
        mapping_mark(mp, ais, 7, MAPPING_USED);
        mapping_mark(mp, ais, 8, MAPPING_USED);
    }
    return t;
}

static const char *status_of(struct mapping *mp, const struct hl7_segment *sch)
{
    const char *by_event = "booked";
    const struct hl7_segment *ais = hl7_find(mp->m, "AIS", 1);
    const struct term *said = terms_find(terms_appointment_status, mapping_value(mp, sch, 25, 1));

    if (!said && hl7_field(sch, 25).len == 0) {
        said = terms_find(terms_appointment_status, mapping_value(mp, ais, 10, 1));
        mapping_mark(mp, said ? ais : NULL, 10, MAPPING_USED);
    } else if (said) {
        mapping_mark(mp, sch, 25, MAPPING_USED);
    }
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (slice_is(mp->trigger, events[i].trigger))
            by_event = events[i].status;
    }
    /* what happened is said by the event; the code may only refine a plain booking */
    return said && strcmp(by_event, "booked") == 0 ? said->to : by_event;
}

static bool may_lack_time(const char *status)
{
    return strcmp(status, "proposed") == 0 || strcmp(status, "cancelled") == 0 ||
           strcmp(status, "waitlist") == 0;
}

static void put_times(struct mapping *mp, const struct hl7_segment *sch, struct json *appointment)
{
    struct times t = times_of(mp, sch);
    const char *status = status_of(mp, sch);
    struct when from, to;

    if (t.start.len == 0 && !may_lack_time(status)) {
        mapping_warn(mp, sch, 11, 0, "an appointment without a time is only proposed",
                     "日時のない予約は仮予約として扱います");
        status = "proposed";
    }
    json_put_text(mp->a, appointment, "status", status);
    if (t.minutes)
        json_put_int(mp->a, appointment, "minutesDuration", (int64_t)t.minutes);
    if (t.start.len == 0)
        return;
    if (!when_parse_fhir(t.end, false, &to) || !when_parse_fhir(t.start, false, &from) ||
        to.lo_ms < from.lo_ms)
        t.end = later(mp, t.start, t.minutes);
    json_put_str(mp->a, appointment, "start", t.start);
    json_put_str(mp->a, appointment, "end", t.end);
}

static void put_resources(struct mapping *mp, struct json *appointment)
{
    static const struct {
        const char *segment;
        const struct row *rows;
    } by_segment[] = {{"RGS", rgs_rows}, {"AIS", ais_rows}, {"AIG", aig_rows},
                      {"AIL", ail_rows}, {"AIP", aip_rows}, {"NTE", comment_rows}};

    for (size_t i = 0; i < mp->m->segment_count; i++) {
        const struct hl7_segment *s = &mp->m->segments[i];

        for (size_t k = 0; k < sizeof(by_segment) / sizeof(by_segment[0]); k++) {
            if (mapping_is(s, by_segment[k].segment))
                mapping_walk(mp, s, by_segment[k].rows, appointment);
        }
    }
}

static void put_patient(struct mapping *mp, struct json *appointment, const char *status)
{
    struct json *p = json_new(mp->a, JSON_OBJECT);

    mapping_subject(mp, p, "actor");
    json_put_text(mp->a, p, "status", status);
    mapping_put_at(mp->a, appointment, "participant[]", p);
}

void siu_map(struct mapping *mp)
{
    const struct hl7_segment *sch = hl7_find(mp->m, "SCH", 1);
    struct slice number = mapping_value(mp, sch, 1, 1);
    struct mapped_resource *r;
    bool cancelled;

    pv1_mention(mp, SLICE_NONE);
    if (number.len == 0)
        number = mapping_value(mp, sch, 2, 1);
    if (number.len == 0) {
        if (sch)
            mapping_warn(mp, sch, 1, 0, "an appointment without a number was left out",
                         "予約番号のない予約を除きました");
        return;
    }
    r = mapping_resource(mp, "Appointment", NULL,
                         mapping_format(mp, "SCH:%.*s", SLICE_ARG(number)));
    put_times(mp, sch, r->resource);
    cancelled = slice_is(json_str(r->resource, "status"), "cancelled");
    put_patient(mp, r->resource, cancelled ? "declined" : "accepted");
    mapping_walk(mp, sch, sch_rows, r->resource);
    mapping_walk(mp, sch, cancelled ? why_rows : event_rows, r->resource);
    mapping_walk(mp, hl7_find(mp->m, "TQ1", 1), tq1_time, r->resource);
    put_resources(mp, r->resource);
    r->remove = slice_is(mp->trigger, "S17"); /* taken out of the book, not called off */
}

const struct row_set siu_sets[] = {
    {"SCH", "Appointment", sch_rows, NULL},     {"SCH", "Appointment", sch_time, NULL},
    {"SCH", "Appointment", why_rows, NULL},     {"SCH", "Appointment", event_rows, NULL},
    {"TQ1", "Appointment", tq1_time, NULL},     {"RGS", NULL, rgs_rows, NULL},
    {"AIS", "Appointment", ais_rows, NULL},     {"AIG", "Appointment", aig_rows, NULL},
    {"AIL", "Appointment", ail_rows, NULL},     {"AIP", "Appointment", aip_rows, NULL},
    {"NTE", "Appointment", comment_rows, NULL}, ROW_SET_END,
};
