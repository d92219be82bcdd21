/* SPDX-License-Identifier: Apache-2.0
 *
 * ADT-01 and ADT-12 to ADT-52: one event of a visit each, with all the Encounter says, because each
 * event replaces what the one before it said. A cancelled visit is written as the message that
 * cancels it.
 */
#include "mappers/ssmix2/writer.h"

#include "base/banned.h"

#define PLANNED "http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter."

/* arg: the role ("ATND"). */
static struct slice print_participant(struct arena *a, const struct json *value, const void *arg)
{
    const struct json *role = json_path(value, "type", "0", "coding", "0", NULL);

    return slice_is(json_str(role, "code"), arg) ? segment_person(a, json_get(value, "individual"))
                                                 : SLICE_NONE;
}

/* A further place by its status (arg). */
static struct slice print_place(struct arena *a, const struct json *value, const void *arg)
{
    return slice_is(json_str(value, "status"), arg)
               ? field_place(a, json_get(value, "location"), NULL)
               : SLICE_NONE;
}

/* The table of departments has bare codes; anything else says what it is. */
static struct slice print_service(struct arena *a, const struct json *value, const void *arg)
{
    const struct json *first = json_path(value, "coding", "0", NULL);
    const struct term *known = terms_find(terms_department, json_str(first, "code"));
    struct slice display = json_str(first, "display");
    bool plain = slice_ends(json_str(first, "system"), SLICE("ClinicalDepartment")) &&
                 !json_path(value, "coding", "1", NULL) &&
                 (display.len == 0 || (known && slice_is(display, known->display)));

    (void)arg;
    return plain ? segment_escape(a, json_str(first, "code")) : segment_concept(a, value);
}

static const struct field pv1_rows[] = {
    {4, field_concept, "type[]", NULL},
    {5, field_text, "hospitalization.preAdmissionIdentifier.value", NULL},
    {6, print_place, "location[1]", "completed"},
    {6, print_place, "location[2]", "completed"},
    {7, print_participant, "participant[]", "ATND"},
    {8, print_participant, "participant[]", "REF"},
    {9, print_participant, "participant[]", "CON"},
    {10, print_service, "serviceType", NULL},
    {11, print_place, "location[1]", "active"},
    {11, print_place, "location[2]", "active"},
    {13, field_concept, "hospitalization.reAdmission", NULL},
    {14, field_concept, "hospitalization.admitSource", NULL},
    {15, field_concept, "hospitalization.specialArrangement[]", NULL},
    {16, field_concept, "hospitalization.specialCourtesy[]", NULL},
    {17, print_participant, "participant[]", "ADM"},
    {19, field_identifier, "identifier[]", "visit"},
    {36, field_concept, "hospitalization.dischargeDisposition", NULL},
    {37, field_text, "hospitalization.destination.display", NULL},
    {38, field_concept, "hospitalization.dietPreference[]", NULL},
    {40, field_extension, "location[0].extension[]", WRITER_OWN "bed-status"},
    {42, print_place, "location[1]", "planned"},
    {42, print_place, "location[2]", "planned"},
    {50, field_identifier, "identifier[]", "alternate-visit"},
    {52, print_participant, "participant[]", "PART"},
    FIELD_END,
};
static const struct field pv2_rows[] = {
    {3, field_concept, "reasonCode[]", NULL},
    {7, field_extension, "extension[]", WRITER_OWN "visit-user-code"},
    {8, field_extension, "extension[]", PLANNED "plannedStartDate"},
    {9, field_extension, "extension[]", PLANNED "plannedEndDate"},
    {11, field_text, "length.value", NULL},
    {12, field_extension, "extension[]", WRITER_OWN "visit-description"},
    {22, field_security, "meta.security[]", NULL},
    {25, field_concept, "priority", NULL},
    {38, field_extension, "extension[]",
     "http://hl7.org/fhir/StructureDefinition/encounter-modeOfArrival"},
    FIELD_END,
};

static struct slice time_at(struct arena *a, const struct json *resource, const char *path)
{
    struct slice rest = slice_str(path);
    const struct json *at = resource;

    if (!path)
        return SLICE_NONE;
    while (at && rest.ptr && rest.len > 0) {
        struct slice part = slice_cut(&rest, '.');
        bool first = slice_ends(part, SLICE("[0]"));
        at = json_get_slice(at, slice_sub(part, 0, part.len - (first ? 3u : 0u)));
        if (first)
            at = json_at(at, 0);
    }
    return at ? segment_time(a, at->text) : SLICE_NONE;
}

/* Table 0004 as the standard has it: inpatients and all others. */
static struct slice class_of(const struct json *e)
{
    static const char *const stays[] = {"IMP", "ACUTE", "NONAC", "SS", "OBSENC"};
    struct slice code = json_str(json_get(e, "class"), "code");

    for (size_t i = 0; i < sizeof(stays) / sizeof(stays[0]); i++) {
        if (slice_is(code, stays[i]))
            return SLICE("I");
    }
    return SLICE("O");
}

void writer_stay(struct writer *w, const struct writer_stay *stay)
{
    struct arena *a = w->s.arena;
    const struct json *e = stay->encounter;
    const struct json *here = stay->here ? stay->here : json_path(e, "location", "0", NULL);
    struct slice place =
        json_get(here, "location") ? field_place(a, json_get(here, "location"), NULL) : SLICE_NONE;
    struct field_given visit[] = {
        {1, SLICE("0001"), false},
        {2, class_of(e), false},
        {3, place, false},
        {44, stay->planned ? SLICE_NONE : time_at(a, e, "period.start"), false},
        {45, stay->planned ? SLICE_NONE : time_at(a, e, "period.end"), false},
        {0, SLICE_NONE, false}};
    struct field_given plan[] = {{8, stay->from, false},
                                 {9, stay->until, false},
                                 {47, stay->back, false},
                                 {0, SLICE_NONE, false}};
    bool second = stay->from.len > 0 || stay->until.len > 0 || stay->back.len > 0;

    field_segment(&w->s, "PV1", pv1_rows, e, visit);
    if (second || field_any(a, pv2_rows, e))
        field_segment(&w->s, "PV2", pv2_rows, e, plan);
}

/* ---- events ---- */

/* When an event took place, and what it sets. */
struct event {
    const char *kind, *type;
    /* From the Encounter or the part that tells of the event: */
    const char *occurred;     /* EVN-6 */
    const char *from, *until; /* PV2-8, PV2-9 */
    const char *back;         /* PV2-47 */
    bool planned;
};

static const struct event events[] = {
    {"ADT-01", "ADT^A54^ADT_A54", NULL, NULL, NULL, NULL, false},
    {"ADT-12", "ADT^A04^ADT_A01", NULL, NULL, NULL, NULL, false},
    {"ADT-21", "ADT^A14^ADT_A05", NULL, "period.start", "period.end", NULL, true},
    {"ADT-22", "ADT^A01^ADT_A01", NULL, NULL, NULL, NULL, false},
    {"ADT-31", "ADT^A21^ADT_A21", "location[0].period.start", NULL, NULL, "location[0].period.end",
     false},
    {"ADT-32", "ADT^A22^ADT_A21", "location[0].period.start", NULL, NULL, NULL, false},
    {"ADT-41", "ADT^A15^ADT_A15", NULL, "location[0].period.start", NULL, NULL, false},
    {"ADT-42", "ADT^A02^ADT_A02", "location[0].period.start", NULL, NULL, NULL, false},
    {"ADT-51", "ADT^A16^ADT_A16", NULL, NULL, "location[0].period.end", NULL, false},
    {"ADT-52", "ADT^A03^ADT_A03", "period.end", NULL, NULL, NULL, false},
};

/* The doctor's own time, of ADT-01. */
static struct slice in_charge_since(struct arena *a, const struct json *e)
{
    const struct json *list = json_get(e, "participant");

    for (const struct json *p = list ? list->first : NULL; p; p = p->next) {
        const struct json *role = json_path(p, "type", "0", "coding", "0", NULL);
        if (slice_is(json_str(role, "code"), "ATND"))
            return segment_time(a, json_str(json_get(p, "period"), "start"));
    }
    return SLICE_NONE;
}

/* A leave in the history of the status: its start is ADT-31's time, its end ADT-32's. */
static const struct json *leave_of(const struct json *e, bool open)
{
    const struct json *list = json_get(e, "statusHistory");

    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        bool ended = json_get(json_get(i, "period"), "end") != NULL;
        if (slice_is(json_str(i, "status"), "onleave") && ended != open)
            return i;
    }
    return NULL;
}

static void put_event(struct writer *w, const struct event *event, const struct json *e,
                      const struct json *part)
{
    struct arena *a = w->s.arena;
    bool leave = strncmp(event->kind, "ADT-3", 5) == 0, out = event->kind[5] == '1';
    const struct json *history = leave && !part ? leave_of(e, out) : leave ? part : NULL;
    struct slice occurred = time_at(a, e, event->occurred);
    struct writer_stay stay = {.encounter = e,
                               .planned = event->planned,
                               .here = leave ? NULL : part,
                               .from = time_at(a, e, event->from),
                               .until = time_at(a, e, event->until),
                               .back = time_at(a, e, event->back)};

    if (history) /* told with its own time */
        occurred = time_at(a, history, out ? "period.start" : "period.end");
    else if (part)
        occurred = time_at(a, part, "period.start");
    if (strcmp(event->kind, "ADT-01") == 0)
        occurred = in_charge_since(a, e);
    writer_msh(w, event->type);
    writer_evn(w, occurred);
    writer_pid(w, false);
    writer_stay(w, &stay);
}

/* A visit that did not take place: the message that takes it back. */
static void put_cancel(struct writer *w, const char *type, const struct json *e)
{
    bool planned = strcmp(w->group->kind, "ADT-21") == 0;
    struct writer_stay stay = {.encounter = e, .planned = planned};

    if (planned)
        stay.from = time_at(w->s.arena, e, "period.start");
    writer_msh(w, type);
    writer_evn(w, SLICE_NONE);
    writer_pid(w, false);
    writer_stay(w, &stay);
}

/* A file has one visit; of several with one key (only the day tells them apart) the last that was
 * changed and is not taken back. */
void write_visit_event(struct writer *w)
{
    const char *cancel = write_cancel_type(w->group->kind);
    struct write_member *chosen = NULL;

    for (struct write_member *m = w->group->first; m; m = m->next) {
        struct slice status = json_str(m->item->resource, "status");
        bool back = slice_is(status, "cancelled") || slice_is(status, "entered-in-error");
        if (!chosen || !back || w->group->cancelled)
            chosen = m;
    }
    chosen->item->written = true;
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (strcmp(events[i].kind, w->group->kind) != 0)
            continue;
        if (w->group->cancelled && cancel)
            put_cancel(w, cancel, chosen->item->resource);
        else
            put_event(w, &events[i], chosen->item->resource, chosen->part);
    }
}
