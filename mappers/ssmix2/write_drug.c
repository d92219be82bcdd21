/* SPDX-License-Identifier: Apache-2.0
 *
 * Prescriptions and injections (OMP-01, -02), what was given of them (OMP-11, -12), and meals
 * (OMD). No dose is ever computed; one that was not said is the HL7 null where the standard wants
 * one.
 */
#include "mappers/ssmix2/place.h"
#include "mappers/ssmix2/writer.h"

#include "base/banned.h"

#define ADMINISTRATION WRITER_JP "JP_MedicationAdministration_"
#define INJECTION_KINDS "99I02 JHSI0002"

static bool is_injection(const struct writer *w)
{
    return strcmp(w->group->kind, "OMP-02") == 0 || strcmp(w->group->kind, "OMP-12") == 0;
}

static struct slice identifier(struct arena *a, const struct json *r, const char *name)
{
    return segment_escape(a, segment_identifier(json_get(r, "identifier"), name));
}

/* The contained resource of TYPE. */
static const struct json *contained(const struct json *r, const char *type)
{
    const struct json *list = json_get(r, "contained");

    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        if (slice_is(json_str(i, "resourceType"), type))
            return i;
    }
    return NULL;
}

/* ORC-4: the group of drugs taken together; of an injection, with the order and its place in it. */
static struct slice group_number(struct writer *w, const struct json *r)
{
    struct arena *a = w->s.arena;
    struct slice rp = identifier(a, r, WRITER_MHLW "Medication-RPGroupNumber");
    struct slice place = identifier(a, r, WRITER_MHLW "MedicationAdministrationIndex");

    if (!is_injection(w))
        return rp;
    return segment_format(a, "%.*s_%.*s_%.*s", SLICE_ARG(writer_number(w)), SLICE_ARG(rp),
                          SLICE_ARG(place));
}

/* ---- what was ordered ---- */

static const struct field orc_rows[] = {
    {3, field_identifier, "identifier[]", "filler-order"},
    {10, field_person, "recorder", NULL},
    {12, field_person, "requester", NULL},
    {16, field_concept, "reasonCode[]", NULL},
    {17, field_extension, "extension[]", WRITER_DEPARTMENT},
    {28, field_security, "meta.security[]", NULL},
    {29, field_concept, "category[]", "HL70482"},
    FIELD_END,
};

static struct slice control_of(const struct json *r)
{
    struct slice status = json_str(r, "status");

    if (slice_is(status, "cancelled") || slice_is(status, "entered-in-error"))
        return SLICE("CA");
    if (slice_is(status, "stopped"))
        return SLICE("DC");
    return slice_is(status, "on-hold") ? SLICE("HD") : SLICE("NW");
}

/* ORC-9 is the care date; what was ordered on another day says so in RXE-32. */
static struct slice ordered_at(struct writer *w, const struct json *r, bool today)
{
    struct slice at = segment_time(w->s.arena, json_str(r, "authoredOn"));
    bool same = slice_starts(at, slice_str(w->group->care_date));

    return same == today ? at : SLICE_NONE;
}

static void put_orc(struct writer *w, const struct json *r)
{
    struct slice group = group_number(w, r);
    struct field_given given[] = {
        {1, control_of(r), false},
        {2, writer_number(w), false},
        {4, group, true},
        {5, slice_is(json_str(r, "status"), "completed") ? SLICE("CM") : SLICE_NONE, false},
        {9, ordered_at(w, r, true), false},
        {17, SLICE_NONE, is_injection(w)},
        {29, SLICE_NONE, is_injection(w)},
        {0, SLICE_NONE, false},
    };

    field_segment(&w->s, "ORC", orc_rows, r, given);
}

#define DOSE "dosageInstruction[0].doseAndRate[0]."

static const struct field rxe_rows[] = {
    {3, field_text, DOSE "doseQuantity.value", NULL},
    {3, field_text, DOSE "doseRange.low.value", NULL},
    {4, field_text, DOSE "doseRange.high.value", NULL},
    {5, field_unit, DOSE "doseQuantity", NULL},
    {5, field_unit, DOSE "doseRange.low", NULL},
    {7, field_concept, "dosageInstruction[0].additionalInstruction[]", NULL},
    {10, field_text, "dispenseRequest.quantity.value", NULL},
    {11, field_unit, "dispenseRequest.quantity", NULL},
    {12, field_text, "dispenseRequest.numberOfRepeatsAllowed", NULL},
    {13, field_extension, "extension[]", WRITER_OWN "prescriber"},
    {14, field_extension, "extension[]", WRITER_OWN "verified-by"},
    {15, field_identifier, "identifier[]", "prescription"},
    {19, field_amount, DOSE "rateRatio.numerator", NULL},
    {21, field_concept, "category[]", "!HL70482 " INJECTION_KINDS},
    {23, field_text, DOSE "rateQuantity.value", NULL},
    {24, field_unit, DOSE "rateQuantity", NULL},
    {31, field_coding, "medicationCodeableConcept.coding[2]", NULL},
    FIELD_END,
};
static const struct field kind_rows[] = {
    {2, field_concept, "category[]", INJECTION_KINDS},
    FIELD_END,
};

/* An injection's drugs are its RXC; RXE-2 only says what kind of injection it is. */
static void put_rxe(struct writer *w, const struct json *r)
{
    struct arena *a = w->s.arena;
    struct slice drug = segment_concept(a, json_get(r, "medicationCodeableConcept"));
    struct slice form = segment_concept(a, json_get(contained(r, "Medication"), "form"));
    bool ordered = strcmp(w->group->kind, "OMP-01") == 0;
    struct field_given given[] = {
        {2, drug, false},
        {3, SLICE_NONE, true},
        {5, SLICE_NONE, true},
        {6, form, false},
        {10, SLICE_NONE, ordered},
        {11, SLICE_NONE, ordered},
        {32, ordered_at(w, r, false), false},
        {0, SLICE_NONE, false},
    };

    if (drug.len == 0 && !field_any(a, kind_rows, r))
        given[0].value = SLICE("00^一般^99I02");
    segment_begin(&w->s, "RXE");
    if (given[0].value.len == 0)
        field_put(&w->s, kind_rows, r, NULL);
    field_put(&w->s, rxe_rows, r, given);
    segment_end(&w->s);
    writer_notes(w, r);
}

static const struct field tq1_rows[] = {
    {3, field_concept_sub, "timing.code", NULL},
    {4, field_clock, "timing.repeat.timeOfDay[]", NULL},
    {11, field_text, "patientInstruction", NULL},
    {14, field_text, "timing.repeat.count", NULL},
    FIELD_END,
};

/* So many days of use; its unit is the code that came. */
static struct slice usage_days(struct arena *a, const struct json *r, const struct json *dosage)
{
    const struct json *use =
        segment_extension(dosage, WRITER_JP "JP_MedicationDosage_UsageDuration");
    const struct json *days = json_path(r, "dispenseRequest", "expectedSupplyDuration", NULL);
    const struct json *number;

    if (use)
        days = json_get(use, "valueDuration");
    number = json_get(days, "value");
    if (!number)
        return SLICE_NONE;
    return segment_format(a, "%.*s^%.*s", SLICE_ARG(segment_escape(a, number->text)),
                          SLICE_ARG(segment_escape(a, json_str(days, "code"))));
}

static struct slice lasting(struct arena *a, const struct json *dosage)
{
    const struct json *repeat = json_path(dosage, "timing", "repeat", NULL);
    const struct json *duration = json_get(repeat, "duration");

    if (!duration)
        return SLICE_NONE;
    return segment_format(a, "%.*s^%.*s", SLICE_ARG(segment_escape(a, duration->text)),
                          SLICE_ARG(segment_escape(a, json_str(repeat, "durationUnit"))));
}

/* A dosage in words only, as the name of a usage. */
static struct slice usage_in_words(struct arena *a, const struct json *dosage)
{
    struct slice text = json_str(dosage, "text");

    if (json_path(dosage, "timing", "code", NULL) || text.len == 0)
        return SLICE_NONE;
    return segment_format(a, "&%.*s", SLICE_ARG(segment_escape(a, text)));
}

static void put_timing(struct writer *w, const struct json *r, const struct json *dosage,
                       unsigned n)
{
    struct arena *a = w->s.arena;
    const struct json *bounds = json_path(dosage, "timing", "repeat", "boundsPeriod", NULL);
    const struct json *use = segment_extension(dosage, WRITER_JP "JP_MedicationDosage_PeriodOfUse");
    bool first = n == 1;

    if (use)
        bounds = json_get(use, "valuePeriod");
    struct field_given given[] = {
        {1, writer_set_id(w, n), false},
        {3, usage_in_words(a, dosage), false},
        {6, first ? usage_days(a, r, dosage) : usage_days(a, NULL, dosage), false},
        {7, segment_time(a, json_str(bounds, "start")), false},
        {8, segment_time(a, json_str(bounds, "end")), false},
        {9, first ? segment_back(terms_priority, json_str(r, "priority")) : SLICE_NONE, false},
        {13, lasting(a, dosage), false},
        {0, SLICE_NONE, false},
    };
    field_segment(&w->s, "TQ1", tq1_rows, dosage, given);
}

static const struct field route_rows[] = {
    {1, field_concept, "route", NULL},
    {2, field_concept, "site", NULL},
    {4, field_concept, "method", NULL},
    FIELD_END,
};

static void put_route(struct writer *w, const struct json *r, const struct json *dosage)
{
    struct slice device = segment_concept(w->s.arena, json_get(contained(r, "Device"), "type"));
    struct field_given given[] = {
        {1, SLICE_NONE, true}, {3, device, false}, {0, SLICE_NONE, false}};

    field_segment(&w->s, "RXR", route_rows, dosage, given);
}

static const struct field ingredient_rows[] = {
    {2, field_concept, "itemCodeableConcept", NULL},
    {3, field_text, "strength.numerator.value", NULL},
    {4, field_unit, "strength.numerator", NULL},
    FIELD_END,
};

static void put_ingredients(struct writer *w, const struct json *r)
{
    const struct json *list = place_ingredients(r);

    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        struct field_given given[] = {
            {1, i == list->first ? SLICE("B") : SLICE("A"), false},
            {2, SLICE_NONE, true},
            {3, SLICE_NONE, true},
            {4, SLICE_NONE, true},
            {0, SLICE_NONE, false},
        };
        field_segment(&w->s, "RXC", ingredient_rows, i, given);
    }
}

void write_prescription(struct writer *w)
{
    struct write_member *at = w->group->first, *m;

    writer_msh(w, "RDE^O11^RDE_O11");
    writer_pid(w, false);
    writer_visit(w, writer_first(w, "MedicationRequest"));
    while ((m = writer_next(&at, "MedicationRequest")) != NULL) {
        const struct json *r = m->item->resource, *list = json_get(r, "dosageInstruction");
        const struct json *dosage = json_at(list, 0);
        unsigned n = 1;
        put_orc(w, r);
        put_rxe(w, r);
        put_timing(w, r, dosage, n);
        for (dosage = dosage ? dosage->next : NULL; dosage; dosage = dosage->next)
            put_timing(w, r, dosage, ++n);
        put_route(w, r, json_at(list, 0));
        put_ingredients(w, r);
    }
}

/* ---- what was given ---- */

static struct slice print_requested(struct arena *a, const struct json *value, const void *arg)
{
    return field_extension(a, value, arg);
}

static struct slice print_performer(struct arena *a, const struct json *value, const void *arg)
{
    (void)arg;
    return segment_person(a, json_get(value, "actor"));
}

static struct slice print_location(struct arena *a, const struct json *value, const void *arg)
{
    if (!slice_is(json_str(value, "url"), arg))
        return SLICE_NONE;
    return segment_escape(a, json_str(json_get(value, "valueReference"), "display"));
}

/* A number and its unit in one text ("102ml/hr"). */
static struct slice print_rate(struct arena *a, const struct json *value, const void *arg)
{
    const struct json *number = json_get(value, "value");
    struct slice unit = json_str(value, "unit");

    (void)arg;
    if (!number)
        return SLICE_NONE;
    return segment_format(a, "%.*s%.*s", SLICE_ARG(segment_escape(a, number->text)),
                          SLICE_ARG(segment_escape(a, unit)));
}

static struct slice print_note(struct arena *a, const struct json *value, const void *arg)
{
    struct slice text = segment_escape(a, json_str(value, "text"));

    (void)arg;
    return text.len > 0 ? segment_format(a, "^%.*s", SLICE_ARG(text)) : SLICE_NONE;
}

static const struct field given_orc_rows[] = {
    {3, field_identifier, "identifier[]", "filler-order"},
    {9, print_requested, "extension[]", ADMINISTRATION "RequestAuthoredOn"},
    {12, print_requested, "extension[]", ADMINISTRATION "Requester"},
    {17, print_requested, "extension[]", ADMINISTRATION "RequestDepartment"},
    {28, field_security, "meta.security[]", NULL},
    {29, field_concept, "category", NULL},
    FIELD_END,
};
static const struct field rxa_rows[] = {
    {3, field_time, "effectiveDateTime", NULL},
    {3, field_time, "effectivePeriod.start", NULL},
    {4, field_time, "effectivePeriod.end", NULL},
    {4, field_time, "effectiveDateTime", NULL},
    {6, field_text, "dosage.dose.value", NULL},
    {7, field_unit, "dosage.dose", NULL},
    {9, print_note, "note[]", NULL},
    {10, print_performer, "performer[]", NULL},
    {11, print_location, "extension[]", ADMINISTRATION "Location"},
    {12, print_rate, "dosage.rateQuantity", NULL},
    {18, field_concept, "statusReason[]", NULL},
    {20, field_back, "status", terms_administration},
    FIELD_END,
};

static void put_given(struct writer *w, const struct json *r)
{
    struct arena *a = w->s.arena;
    bool injection = is_injection(w);
    bool mistaken = slice_is(json_str(r, "status"), "entered-in-error");
    bool measured = json_path(r, "dosage", "dose", "value", NULL) != NULL;
    struct field_given orc[] = {
        {1, mistaken ? SLICE("CA") : SLICE("NW"), false},
        {2, writer_number(w), false},
        {4, group_number(w, r), true},
        {17, SLICE_NONE, injection},
        {29, SLICE_NONE, injection},
        {0, SLICE_NONE, false},
    };
    struct field_given rxa[] = {
        {1, SLICE("0"), false},
        {2, SLICE("1"), false},
        {3, SLICE_NONE, true},
        {4, SLICE_NONE, true},
        {5, segment_concept(a, place_drug(r)), true},
        {6, measured ? SLICE_NONE : SLICE("999"), false}, /* the standard's "not known" */
        {21, mistaken ? SLICE("D") : SLICE_NONE, false},
        {0, SLICE_NONE, false},
    };

    field_segment(&w->s, "ORC", given_orc_rows, r, orc);
    field_segment(&w->s, "RXA", rxa_rows, r, rxa);
    put_route(w, r, json_get(r, "dosage"));
}

void write_administration(struct writer *w)
{
    const char *type = "MedicationAdministration";
    struct write_member *at = w->group->first, *m;

    writer_msh(w, "RAS^O17^RAS_O17");
    writer_pid(w, false);
    writer_visit(w, writer_first(w, type));
    while ((m = writer_next(&at, type)) != NULL) {
        put_given(w, m->item->resource);
    }
}

/* ---- meals ---- */

static const struct field meal_orc_rows[] = {
    {3, field_identifier, "identifier[]", "filler-order"},
    {9, field_time, "dateTime", NULL},
    {12, field_person, "orderer", NULL},
    {17, field_extension, "extension[]", WRITER_DEPARTMENT},
    FIELD_END,
};
static const struct field meal_times[] = {
    {3, field_concept_sub, "code", NULL},
    {7, field_time, "repeat.boundsPeriod.start", NULL},
    {8, field_time, "repeat.boundsPeriod.end", NULL},
    FIELD_END,
};

static struct slice meal_control(const struct json *r)
{
    struct slice status = json_str(r, "status");

    if (slice_is(status, "revoked") || slice_is(status, "entered-in-error"))
        return SLICE("CA");
    return slice_is(status, "on-hold") ? SLICE("HD") : SLICE("NW");
}

/* One ODS a meal; the words stand with the first of its kinds. */
static void put_meal(struct writer *w, char sort, const struct json *what, struct slice words)
{
    struct field_given given[] = {
        {1, sort == 'S' ? SLICE("S") : SLICE("D"), false},
        {3, what ? segment_concept(w->s.arena, what) : SLICE_NONE, true},
        {4, segment_escape(w->s.arena, words), false},
        {0, SLICE_NONE, false},
    };

    field_segment(&w->s, "ODS", NULL, NULL, given);
}

static void put_meals(struct writer *w, const struct json *r)
{
    const struct json *diet = json_get(r, "oralDiet"), *types = json_get(diet, "type");
    const struct json *list = json_get(r, "supplement");
    struct slice words = json_str(diet, "instruction");

    if (diet && json_at(types, 0) == NULL)
        put_meal(w, 'D', NULL, words);
    for (const struct json *i = json_at(types, 0); i; i = i->next, words = SLICE_NONE)
        put_meal(w, 'D', i, words);
    for (const struct json *i = json_at(list, 0); i; i = i->next)
        put_meal(w, 'S', json_get(i, "type"), json_str(i, "instruction"));
}

static void put_diet(struct writer *w, const struct json *r)
{
    const struct json *diet = json_path(r, "oralDiet", "schedule", "0", NULL);
    const struct json *other = json_path(r, "supplement", "0", "schedule", "0", NULL);
    struct field_given orc[] = {
        {1, meal_control(r), false},
        {2, writer_number(w), false},
        {0, SLICE_NONE, false},
    };
    struct field_given tq1[] = {{1, SLICE("1"), false}, {0, SLICE_NONE, false}};
    const struct json *schedule = diet ? diet : other;

    field_segment(&w->s, "ORC", meal_orc_rows, r, orc);
    if (schedule && field_any(w->s.arena, meal_times, schedule))
        field_segment(&w->s, "TQ1", meal_times, schedule, tq1);
    put_meals(w, r);
}

void write_diet(struct writer *w)
{
    struct write_member *at = w->group->first, *m;

    writer_msh(w, "OMD^O03^OMD_O03");
    writer_pid(w, false);
    writer_visit(w, writer_first(w, "NutritionOrder"));
    while ((m = writer_next(&at, "NutritionOrder")) != NULL) {
        put_diet(w, m->item->resource);
    }
}
