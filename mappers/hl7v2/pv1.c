/* SPDX-License-Identifier: Apache-2.0
 *
 * Encounter (JP_Encounter) by the SS-MIX2 table of events. Key of a visit: PV1-19, or class and the
 * day of PV1-44 (its time of day differs between the events of one stay). An outpatient visit
 * without number is known by its day and department, so that the reception and the orders of that
 * day meet; an admission without either can only be known by the day of the event, and says so in a
 * warning. Side mentions of admissions without number or time make no Encounter: nobody could tell
 * which stay it is.
 */
#include "mappers/hl7v2/pv1.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/extend.h"
#include "mappers/hl7v2/family.h"
#include "mappers/hl7v2/terms.h"
#include "mappers/hl7v2/xpn.h"
#include "base/banned.h"

#define DAY_DIGITS 8u /* YYYYMMDD */
#define PARTICIPATION "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
#define ACT_CODE "http://terminology.hl7.org/CodeSystem/v3-ActCode"

static const struct pv1_event events[] = {
    {"A01", "arrived", "active", false, false, false},
    {"A02", "in-progress", "active", true, false, false},
    {"A03", "finished", "completed", false, false, false},
    {"A04", "arrived", "active", false, false, false},
    {"A05", "planned", "planned", false, true, false},
    {"A06", "in-progress", "active", false, false, false},
    {"A07", "in-progress", "active", false, false, false},
    {"A09", "in-progress", "active", false, false, false},
    {"A10", "arrived", "active", false, false, false},
    {"A11", "cancelled", "active", false, false, true},
    {"A12", "in-progress", "active", false, false, true},
    {"A13", "in-progress", "active", false, false, true},
    {"A14", "planned", "planned", false, true, false},
    {"A15", "in-progress", "planned", false, true, false},
    {"A16", "in-progress", "planned", false, true, false},
    {"A21", "onleave", "active", true, false, false},
    {"A22", "in-progress", "active", true, false, false},
    {"A25", "in-progress", "active", false, false, true},
    {"A26", "in-progress", "active", false, false, true},
    {"A27", "cancelled", "planned", false, true, true},
    {"A32", "in-progress", "active", false, false, true},
    {"A33", "in-progress", "active", false, false, true},
    {"A38", "cancelled", "planned", false, true, true},
    {"A52", "in-progress", "active", false, false, true},
    {"A53", "onleave", "active", false, false, true},
    {"A54", "in-progress", "active", false, false, false},
    {"A55", "in-progress", "active", false, false, true},
};

const struct pv1_event *pv1_event(struct slice trigger)
{
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (slice_is(trigger, events[i].trigger))
            return &events[i];
    }
    return NULL;
}

/* PL as people read it: parts joined by hyphens (ward-room-bed, or a clinic's code). */
static struct slice location_text(struct mapping *mp, struct slice pl)
{
    struct slice text = mapping_part(mp, pl, 9);

    if (text.len)
        return text;
    for (unsigned c = 1; c <= 3; c++) {
        struct slice part = mapping_part(mp, pl, c);
        if (part.len)
            text =
                text.len ? mapping_format(mp, "%.*s-%.*s", SLICE_ARG(text), SLICE_ARG(part)) : part;
    }
    return text;
}

static struct json *location(struct mapping *mp, struct slice pl, const char *status)
{
    struct slice text = location_text(mp, pl);
    struct json *out;

    if (text.len == 0)
        return NULL;
    out = json_new(mp->a, JSON_OBJECT);
    json_put_str(mp->a, json_put_object(mp->a, out, "location"), "display", text);
    if (status)
        json_put_text(mp->a, out, "status", status);
    return out;
}

/* arg: status of the location, NULL for the current one (set from the event afterwards). */
static bool build_location(struct spot *at)
{
    return mapping_put(at, location(at->mp, at->raw, at->row->arg));
}

static bool build_class(struct spot *at)
{
    const struct term *class = terms_find(terms_encounter_class, mapping_text(at));

    if (!class)
        return false;
    return mapping_put(
        at, cwe_coding(at->mp, SLICE(ACT_CODE), slice_str(class->to), slice_str(class->display)));
}

/* arg: code of v3-ParticipationType. */
static bool build_participant(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct json *person, *participant;

    if (at->repeat > 0 && slice_is(mapping_part(mp, at->raw, 15), "P"))
        return true; /* the kana reading of the one before */
    person = xpn_person(mp, at->raw);
    if (!person)
        return false;
    participant = json_new(mp->a, JSON_OBJECT);
    json_push(json_put_array(mp->a, participant, "type"),
              cwe_constant(mp, PARTICIPATION, at->row->arg, NULL));
    json_set(participant, "individual", person);
    return mapping_put_at(mp->a, at->target, "participant[]", participant);
}

/* PV1-10 is a bare code: the two digits of the common table have names, further ones are the
 * institution's own. */
static bool build_service(struct spot *at)
{
    struct cwe c;
    const struct term *department;

    cwe_read(at->mp, at->raw, &c);
    department = terms_find(terms_department, c.code);
    if (c.system.len == 0)
        c.system = SLICE("HL70069");
    if (c.text.len == 0 && department)
        c.text = slice_str(department->display);
    return mapping_put(at, cwe_concept(at->mp, &c));
}

static bool build_visit_number(struct spot *at)
{
    struct json *identifier;
    struct slice number = mapping_part(at->mp, at->raw, 1);

    if (number.len == 0)
        return false;
    identifier = json_new(at->mp->a, JSON_OBJECT);
    json_put_str(at->mp->a, identifier, "system", cwe_local(at->mp, SLICE("visit")));
    json_put_str(at->mp->a, identifier, "value", number);
    return mapping_put(at, identifier);
}

static const struct row pv1_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 1, build_class, "class", NULL},
    {3, 0, build_location, "location[]", NULL},
    {4, 0, cwe_build, "type[]", "HL70007"},
    {5, 0, extend_build_number, "hospitalization.preAdmissionIdentifier", " preadmission"},
    {7, 0, build_participant, NULL, "ATND"},
    {8, 0, build_participant, NULL, "REF"},
    {9, 0, build_participant, NULL, "CON"},
    {17, 0, build_participant, NULL, "ADM"},
    {52, 0, build_participant, NULL, "PART"},
    {10, 0, build_service, "serviceType", NULL},
    {13, 0, cwe_build, "hospitalization.reAdmission", "HL70092"},
    {14, 0, cwe_build, "hospitalization.admitSource", "HL70023"},
    {15, 0, cwe_build, "hospitalization.specialArrangement[]", "HL70009"},
    {16, 0, cwe_build, "hospitalization.specialCourtesy[]", "HL70099"},
    {19, 0, build_visit_number, "identifier[]", NULL},
    {36, 0, cwe_build, "hospitalization.dischargeDisposition", "HL70112"},
    {37, 1, build_display, "hospitalization.destination", NULL},
    {38, 0, cwe_build, "hospitalization.dietPreference[]", "HL70114"},
    {44, 0, build_datetime, "period.start", NULL},
    {45, 0, build_datetime, "period.end", NULL},
    {50, 0, extend_build_number, "identifier[]", " alternate-visit"},
    {53, 1, extend_build_text, "extension[]", EXTEND_OWN "service-episode"},
    {54, 0, extend_build_numbered, "episodeOfCare[]", "episode"},
    ROW_END,
};
/* The status of the bed and a temporary place tell of the current place; without one they have
 * none. */
static const struct row bed_rows[] = {
    {40, 0, cwe_build_extension, "location[0].extension[]", EXTEND_OWN "bed-status"},
    ROW_END,
};
static const struct row temporary_rows[] = {
    {11, 0, build_location, "location[]", "active"},
    ROW_END,
};
static const struct row prior_rows[] = {{6, 0, build_location, "location[]", "completed"}, ROW_END};
static const struct row pending_rows[] = {{42, 0, build_location, "location[]", "planned"},
                                          ROW_END};
static const struct row pending_pv2[] = {{1, 0, build_location, "location[]", "planned"}, ROW_END};

/* PV2-11: days of stay, of a stay that has ended. */
static bool build_length(struct spot *at)
{
    struct json *length;
    struct slice literal;

    if (!build_decimal_of(at->mp, mapping_part(at->mp, at->raw, 1), &literal))
        return false;
    length = json_new(at->mp->a, JSON_OBJECT);
    json_set(length, "value", json_number(at->mp->a, literal));
    json_put_text(at->mp->a, length, "unit", "日");
    json_put_text(at->mp->a, length, "system", "http://unitsofmeasure.org");
    json_put_text(at->mp->a, length, "code", "d");
    return mapping_put(at, length);
}

static const struct row pv2_rows[] = {
    {3, 0, cwe_build, "reasonCode[]", NULL},
    {7, 0, cwe_build_extension, "extension[]", EXTEND_OWN "visit-user-code"},
    {11, 1, build_length, "length", NULL},
    {10, 1, extend_build_text, "extension[]", EXTEND_OWN "estimated-length-of-stay"},
    {12, 1, extend_build_text, "extension[]", EXTEND_OWN "visit-description"},
    {13, 0, build_participant, NULL, "REF"},
    {21, 0, cwe_build_extension, "extension[]", EXTEND_OWN "visit-publicity"},
    {22, 0, extend_build_security, "meta.security[]", NULL},
    {25, 0, cwe_build, "priority", "HL70217"},
    {38, 0, extend_build_coding, "extension[]", EXTEND_HL7 "encounter-modeOfArrival"},
    {40, 0, cwe_build_extension, "extension[]", EXTEND_OWN "admission-level-of-care"},
    ROW_END,
};
/* What is expected of a visit that has begun is no time of it. */
static const struct row expected_pv2[] = {
    {8, 0, extend_build_time, "extension[]",
     "http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter.plannedStartDate"},
    {9, 0, extend_build_time, "extension[]",
     "http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter.plannedEndDate"},
    ROW_END,
};
static const struct row planned_pv2[] = {
    {8, 0, build_datetime, "period.start", NULL},
    {9, 0, build_datetime, "period.end", NULL},
    ROW_END,
};
static const struct row evn_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_structure, NULL, NULL},
    ROW_END,
};

static struct slice day_of(struct slice ts)
{
    return ts.len >= DAY_DIGITS ? slice_sub(ts, 0, DAY_DIGITS) : SLICE_NONE;
}

static const char *class_of(struct mapping *mp, const struct hl7_segment *pv1)
{
    const struct term *class = terms_find(terms_encounter_class, mapping_value(mp, pv1, 2, 1));

    return class ? class->to : NULL;
}

static struct slice department_of(struct mapping *mp, const struct hl7_segment *pv1)
{
    struct slice department = mapping_value(mp, pv1, 10, 1);

    return department.len ? department : mapping_value(mp, pv1, 3, 1);
}

/* Key of the visit; empty when nothing tells which it is. CARE: the date to fall back to. */
static struct slice visit_key(struct mapping *mp, const struct hl7_segment *pv1, struct slice care)
{
    struct slice number = mapping_value(mp, pv1, 19, 1), from = mapping_value(mp, pv1, 44, 1);
    const char *class = class_of(mp, pv1);
    struct slice day;

    if (number.len)
        return mapping_format(mp, "visit:%.*s", SLICE_ARG(number));
    if (!class)
        return SLICE_NONE;
    day = day_of(from.len ? from : care);
    if (day.len == 0)
        return SLICE_NONE;
    if (strcmp(class, "AMB") == 0)
        return mapping_format(mp, "AMB:%.*s:%.*s", SLICE_ARG(day),
                              SLICE_ARG(department_of(mp, pv1)));
    return mapping_format(mp, "%s:%.*s", class, SLICE_ARG(day));
}

static void put_provider(struct mapping *mp, struct json *encounter_json)
{
    struct json *provider = json_put_object(mp->a, encounter_json, "serviceProvider");
    struct json *identifier = json_put_object(mp->a, provider, "identifier");

    json_put_text(mp->a, identifier, "system",
                  "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no");
    json_put_str(mp->a, identifier, "value", mp->env->facility_code);
    json_put_str(mp->a, provider, "display", mp->env->facility_name);
}

static struct mapped_resource *encounter(struct mapping *mp, const struct hl7_segment *pv1,
                                         struct slice key, const char *status)
{
    struct mapped_resource *r = mapping_resource(mp, "Encounter", "JP_Encounter", key);

    json_put_text(mp->a, r->resource, "status", status);
    mapping_subject(mp, r->resource, "subject");
    mapping_walk(mp, pv1, pv1_rows, r->resource);
    mapping_walk(mp, hl7_find(mp->m, "PV2", 1), pv2_rows, r->resource);
    if (!json_get(r->resource, "class"))
        json_set(r->resource, "class",
                 cwe_coding(mp, SLICE("http://terminology.hl7.org/CodeSystem/v3-NullFlavor"),
                            SLICE("UNK"), SLICE("unknown")));
    put_provider(mp, r->resource);
    mp->encounter = arena_printf(mp->a, "Encounter/%.*s", SLICE_ARG(json_str(r->resource, "id")));
    return r;
}

static const struct row since[] = {{6, 0, build_datetime, "location[0].period.start", NULL},
                                   ROW_END};
static const struct row until[] = {{47, 0, build_datetime, "location[0].period.end", NULL},
                                   ROW_END};
static const struct row planned_end[] = {{9, 0, build_datetime, "location[0].period.end", NULL},
                                         ROW_END};
static const struct row planned_start[] = {{8, 0, build_datetime, "location[0].period.start", NULL},
                                           ROW_END};

/* A leave is part of the status' history: since when it lasts, or when it was over. */
static const struct row leave_since[] = {
    {6, 0, build_datetime, "statusHistory[0].period.start", NULL}, ROW_END};
static const struct row leave_until[] = {
    {6, 0, build_datetime, "statusHistory[0].period.end", NULL}, ROW_END};

static void put_leave(struct mapping *mp, struct json *encounter_json)
{
    const struct hl7_segment *evn = hl7_find(mp->m, "EVN", 1);
    struct json *first;

    if (slice_is(mp->trigger, "A21"))
        mapping_walk(mp, evn, leave_since, encounter_json);
    if (slice_is(mp->trigger, "A22"))
        mapping_walk(mp, evn, leave_until, encounter_json);
    first = json_path(encounter_json, "statusHistory", "0", NULL);
    if (first)
        json_put_text(mp->a, first, "status", "onleave");
}

static void set_location(struct mapping *mp, const struct pv1_event *event,
                         struct json *encounter_json)
{
    const struct hl7_segment *evn = hl7_find(mp->m, "EVN", 1), *pv2 = hl7_find(mp->m, "PV2", 1);
    struct json *here = json_path(encounter_json, "location", "0", NULL);

    if (!here)
        return;
    if (!json_get(here, "status"))
        json_put_text(mp->a, here, "status", event->location_status);
    if (event->at_event)
        mapping_walk(mp, evn, since, encounter_json);
    if (slice_is(mp->trigger, "A21"))
        mapping_walk(mp, pv2, until, encounter_json);
    if (slice_is(mp->trigger, "A15"))
        mapping_walk(mp, pv2, planned_start, encounter_json);
    if (slice_is(mp->trigger, "A16"))
        mapping_walk(mp, pv2, planned_end, encounter_json);
}

/* The date an event is about, for visits that carry none: discharge, plan, event, message. */
static struct slice care_of_event(struct mapping *mp, const struct hl7_segment *pv1)
{
    const struct hl7_segment *evn = hl7_find(mp->m, "EVN", 1), *pv2 = hl7_find(mp->m, "PV2", 1);
    struct slice choice[] = {mapping_value(mp, pv2, 8, 1), mapping_value(mp, pv1, 45, 1),
                             mapping_value(mp, evn, 6, 1), mapping_value(mp, evn, 2, 1),
                             mapping_value(mp, &mp->m->segments[0], 7, 1)};

    for (size_t i = 0; i < sizeof(choice) / sizeof(choice[0]); i++) {
        if (day_of(choice[i]).len)
            return choice[i];
    }
    return SLICE_NONE;
}

void pv1_visit(struct mapping *mp, const struct pv1_event *event)
{
    const struct hl7_segment *pv1 = hl7_find(mp->m, "PV1", 1), *pv2 = hl7_find(mp->m, "PV2", 1);
    struct mapped_resource *r;
    struct slice key;

    mapping_walk(mp, hl7_find(mp->m, "EVN", 1), evn_rows, NULL);
    if (!pv1)
        return;
    key = visit_key(mp, pv1, care_of_event(mp, pv1));
    if (key.len == 0) {
        mapping_warn(mp, pv1, 2, 0, "the visit has no number, class or date and was left out",
                     "受診番号・区分・日付のいずれもないため受診情報を除きました");
        return;
    }
    if (mapping_value(mp, pv1, 19, 1).len == 0 && mapping_value(mp, pv1, 44, 1).len == 0 &&
        !event->planned)
        mapping_warn(mp, pv1, 44, 0,
                     "neither visit number nor admission time: the visit cannot be joined",
                     "受診番号も入院日時もないため、同じ入院と結び付けられません");
    r = encounter(mp, pv1, key, event->status);
    if (event->planned && strcmp(event->location_status, "planned") == 0 &&
        strcmp(event->status, "in-progress") != 0)
        mapping_walk(mp, pv2, planned_pv2, r->resource);
    else if (!event->planned && !event->undo) /* what was taken back is not expected any more */
        mapping_walk(mp, pv2, expected_pv2, r->resource);
    set_location(mp, event, r->resource);
    put_leave(mp, r->resource);
    if (json_get(r->resource, "location"))
        mapping_walk(mp, pv1, bed_rows, r->resource);
    mapping_walk(mp, pv1, prior_rows, r->resource);
    mapping_walk(mp, pv1, temporary_rows, r->resource);
    mapping_walk(mp, pv1, pending_rows, r->resource);
    if (!event->undo)
        mapping_walk(mp, pv2, pending_pv2, r->resource);
    if (slice_is(mp->trigger, "A13")) /* the discharge did not happen */
        json_remove(json_get(r->resource, "period"), "end");
}

void pv1_mention(struct mapping *mp, struct slice care_time)
{
    const struct hl7_segment *pv1 = hl7_find(mp->m, "PV1", 1);
    const char *class;
    struct mapped_resource *r;
    struct slice key, day;

    mapping_walk(mp, hl7_find(mp->m, "EVN", 1), evn_rows, NULL);
    if (!pv1)
        return;
    class = class_of(mp, pv1);
    if (!class || strcmp(class, "AMB") != 0)
        care_time = SLICE_NONE;
    key = visit_key(mp, pv1, care_time);
    if (key.len == 0)
        return;
    r = encounter(mp, pv1, key, "unknown");
    r->create_only = true;
    day = build_date_of(mp, day_of(care_time));
    if (hl7_field(pv1, 45).len) /* discharged: whoever mentions it, it is over */
        json_put_text(mp->a, r->resource, "status", "finished");
    if (!json_get(r->resource, "period") && day.len)
        json_put_str(mp->a, json_put_object(mp->a, r->resource, "period"), "start", day);
}

#define BEGUN "A01 A02 A03 A04 A06 A07 A09 A10 A21 A22 A54"
#define PLANNED " A05 A14 A15 A16"
#define VISITS BEGUN PLANNED " A11 A12 A13 A25 A26 A27 A32 A33 A38 A52 A53 A55"

/* An order or a result only mentions the visit. */
const struct row_set pv1_mention_sets[] = {
    {"EVN", NULL, evn_rows, NULL},
    {"PV1", "Encounter", pv1_rows, NULL},
    {"PV2", "Encounter", pv2_rows, NULL},
    ROW_SET_END,
};
const struct row_set pv1_visit_sets[] = {
    {"PV1", "Encounter", prior_rows, VISITS},
    {"PV1", "Encounter", bed_rows, VISITS},
    {"PV1", "Encounter", temporary_rows, VISITS},
    {"PV1", "Encounter", pending_rows, VISITS},
    {"PV2", "Encounter", pending_pv2, BEGUN PLANNED},
    {"PV2", "Encounter", planned_pv2, "A05 A14 A27 A38"},
    {"PV2", "Encounter", expected_pv2, BEGUN},
    {"EVN", "Encounter", since, "A02 A21 A22"},
    {"PV2", "Encounter", until, "A21"},
    {"EVN", "Encounter", leave_since, "A21"},
    {"EVN", "Encounter", leave_until, "A22"},
    {"PV2", "Encounter", planned_start, "A15"},
    {"PV2", "Encounter", planned_end, "A16"},
    ROW_SET_END,
};
