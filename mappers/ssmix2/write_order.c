/* SPDX-License-Identifier: Apache-2.0
 *
 * A ServiceRequest as ORC, TQ1 and OBR, in orders and in what was made of them. TQ1 alone says the
 * urgency, ORC-8 and OBR-29 name the whole that an order is a part of.
 */
#include "mappers/ssmix2/place.h"
#include "mappers/ssmix2/writer.h"

#include "base/banned.h"

/* An organization by its name. */
static struct slice print_organization(struct arena *a, const struct json *value, const void *arg)
{
    if (!slice_is(json_str(value, "url"), arg))
        return SLICE_NONE;
    return segment_escape(a, json_str(json_get(value, "valueReference"), "display"));
}

static const struct field orc_rows[] = {
    {3, field_typed, "identifier[]", "FILL"},
    {4, field_typed, "identifier[]", "PGN"},
    {5, field_back, "status", terms_order_status},
    {8, field_text, "requisition.value", NULL},
    {9, field_time, "authoredOn", NULL},
    {10, field_extension, "extension[]", WRITER_OWN "entered-by"},
    {11, field_extension, "extension[]", WRITER_OWN "verified-by"},
    {12, field_person, "requester", NULL},
    {14, field_extension, "extension[]", WRITER_OWN "call-back"},
    {15, field_time, "occurrenceDateTime", NULL},
    {16, field_concept, "reasonCode[]", NULL},
    {17, field_extension, "extension[]", WRITER_DEPARTMENT},
    {18, field_extension, "extension[]", WRITER_OWN "entering-device"},
    {21, print_organization, "extension[]", WRITER_OWN "ordering-facility"},
    {22, field_extension, "extension[]", WRITER_OWN "ordering-facility-address"},
    {23, field_extension, "extension[]", WRITER_OWN "ordering-facility-telecom"},
    {24, field_extension, "extension[]", WRITER_OWN "ordering-provider-address"},
    {25, field_extension, "extension[]", WRITER_OWN "order-status-modifier"},
    {28, field_security, "meta.security[]", NULL},
    {29, field_concept, "category[]", "HL70482"},
    {31, field_extension, "extension[]", WRITER_OWN "parent-service"},
    {33, field_identifier, "identifier[]", "alternate-order"},
    FIELD_END,
};

/* Taken back or held: ORC-1 says it; what else there is to say of an order stands in ORC-5. */
static struct slice control_of(const struct json *request, bool result)
{
    struct slice status = json_str(request, "status");

    if (slice_is(status, "revoked"))
        return SLICE("CA");
    if (slice_is(status, "on-hold"))
        return SLICE("HD");
    return result ? SLICE("SC") : SLICE("NW");
}

void writer_orc(struct writer *w, const struct json *request, struct slice number)
{
    const char *kind = w->group->kind;
    bool result = kind[4] == '1', imaging = strncmp(kind, "OMG-", 4) == 0;
    bool physiology = strcmp(kind, "OMG-03") == 0 || strcmp(kind, "OMG-13") == 0;
    struct field_given given[] = {
        {1, w->group->cancelled ? SLICE("CA") : control_of(request, result), false},
        {2, number, false},
        {9, SLICE_NONE, imaging},
        {12, SLICE_NONE, imaging},
        {17, SLICE_NONE, physiology},
        {0, SLICE_NONE, false},
    };

    field_segment(&w->s, "ORC", orc_rows, request, given);
}

static const struct field tq1_rows[] = {
    {2, field_amount, "quantityQuantity", NULL},
    {3, field_concept_sub, "occurrenceTiming.code", NULL},
    {4, field_clock, "occurrenceTiming.repeat.timeOfDay[]", NULL},
    {6, field_amount, "occurrenceTiming.repeat.boundsDuration", NULL},
    {7, field_time, "occurrencePeriod.start", NULL},
    {7, field_time, "occurrenceTiming.repeat.boundsPeriod.start", NULL},
    {8, field_time, "occurrencePeriod.end", NULL},
    {8, field_time, "occurrenceTiming.repeat.boundsPeriod.end", NULL},
    {9, field_back, "priority", terms_priority},
    {14, field_text, "occurrenceTiming.repeat.count", NULL},
    FIELD_END,
};

/* TQ1-13: how long each time lasts. */
static struct slice lasting(struct arena *a, const struct json *request)
{
    const struct json *repeat = json_path(request, "occurrenceTiming", "repeat", NULL);
    const struct json *duration = json_get(repeat, "duration");

    if (!duration)
        return SLICE_NONE;
    return segment_format(a, "%.*s^%.*s", SLICE_ARG(segment_escape(a, duration->text)),
                          SLICE_ARG(segment_escape(a, json_str(repeat, "durationUnit"))));
}

void writer_timing(struct writer *w, const struct json *request)
{
    const char *kind = w->group->kind;
    bool imaging = strncmp(kind, "OMG-", 4) == 0, wanted = imaging && strcmp(kind, "OMG-13") != 0;
    struct field_given given[] = {
        {1, SLICE("1"), false},
        {9, SLICE_NONE, imaging},
        {13, lasting(w->s.arena, request), false},
        {0, SLICE_NONE, false},
    };

    if (wanted || field_any(w->s.arena, tq1_rows, request))
        field_segment(&w->s, "TQ1", tq1_rows, request, given);
}

static struct slice print_reflex(struct arena *a, const struct json *value, const void *arg)
{
    (void)a;
    (void)arg;
    return slice_is(value->text, "reflex-order") ? SLICE("G") : SLICE_NONE;
}

static const struct field obr_rows[] = {
    {3, field_typed, "identifier[]", "FILL"},    {4, field_concept, "code", NULL},
    {11, print_reflex, "intent", NULL},          {16, field_person, "requester", NULL},
    {29, field_text, "requisition.value", NULL}, FIELD_END,
};
/* Items asked for are OBX in a laboratory's order. */
static const struct field detail_rows[] = {
    {46, field_concept, "orderDetail[]", NULL},
    FIELD_END,
};

/* Some number their OBR apart from their ORC. */
struct slice writer_other_number(struct arena *a, const struct json *request, struct slice number)
{
    const struct json *list = json_get(request, "identifier");

    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        struct slice value = field_typed(a, i, "PLAC");
        bool alternate = field_identifier(a, i, "alternate-order").len > 0;
        if (value.len > 0 && !alternate && !slice_eq(value, number))
            return value;
    }
    return number;
}

void writer_obr(struct writer *w, const struct json *request, struct slice number)
{
    struct field_given given[] = {
        {1, SLICE("1"), false},
        {2, writer_other_number(w->s.arena, request, number), true},
        {4, SLICE_NONE, true},
        {0, SLICE_NONE, false},
    };

    segment_begin(&w->s, "OBR");
    field_put(&w->s, obr_rows, request, given);
    if (strncmp(w->group->kind, "OMG-0", 5) == 0)
        field_put(&w->s, detail_rows, request, NULL);
    segment_end(&w->s);
}
