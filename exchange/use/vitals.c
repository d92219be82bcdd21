/* SPDX-License-Identifier: Apache-2.0
 *
 * Home vital signs (see vitals.h): a table of codes, units and limits, and nothing else decides.
 */
#include "exchange/use/vitals.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"

#include "base/banned.h"

#define LOINC "http://loinc.org"
#define TAG_SYSTEM "urn:tasuki:tag"
#define TAG_GENERATED "patient-generated"
#define BP_PANEL "85354-9"
#define SYSTOLIC "8480-6"
#define DIASTOLIC "8462-4"
#define FUTURE_MS (10 * 60 * 1000) /* a device clock may be a little fast */

static const struct vital {
    const char *code; /* LOINC */
    double min, max;
    const char *units; /* UCUM codes allowed, space separated */
} vitals[] = {
    {SYSTOLIC, 40, 300, "mm[Hg]"},
    {DIASTOLIC, 20, 200, "mm[Hg]"},
    {"8867-4", 20, 250, "/min {beats}/min"},
    {"8310-5", 30, 45, "Cel"},
    {"29463-7", 0.5, 300, "kg"},
    {"8302-2", 20, 250, "cm"},
    {"59408-5", 50, 100, "%"},
    {"2708-6", 50, 100, "%"},
    {"9279-1", 3, 80, "/min"},
    {"41950-7", 0, 150000, "{steps}/d /d {steps} 1 {steps}/(24.h)"},
    {"55423-8", 0, 150000, "{steps}/d /d {steps} 1"},
    {"41982-0", 1, 80, "%"},
};

static const struct vital *find_vital(const struct json *concept)
{
    const struct json *coding = json_get(concept, "coding");
    for (const struct json *c = coding ? coding->first : NULL; c; c = c->next)
        for (size_t i = 0; i < sizeof(vitals) / sizeof(*vitals); i++)
            if (slice_is(json_str(c, "system"), LOINC) &&
                slice_is(json_str(c, "code"), vitals[i].code))
                return &vitals[i];
    return NULL;
}

static bool unit_allowed(const struct vital *v, struct slice unit)
{
    struct slice rest = slice_str(v->units);
    while (rest.ptr)
        if (slice_eq(slice_cut(&rest, ' '), unit))
            return true;
    return false;
}

/* VALUE of a quantity as a number; the literal is valid JSON, so strtod reads all of it. */
static double quantity_value(struct arena *arena, const struct json *quantity)
{
    struct json *value = json_get(quantity, "value");
    char *text = value ? arena_str(arena, value->text) : NULL;
    return text ? strtod(text, NULL) : 0;
}

static enum err check_quantity(struct request *r, const struct vital *v, const struct json *holder,
                               const char *place, double *ret_value)
{
    const struct json *q = json_get(holder, "valueQuantity");
    struct slice unit = json_str(q, "code").len ? json_str(q, "code") : json_str(q, "unit");
    if (!json_get(q, "value"))
        return json_get(holder, "dataAbsentReason")
                   ? ERR_OK
                   : err_add(&r->errors, ERR_REQUIRED, place, "valueQuantity.value");
    if (!unit_allowed(v, unit))
        return err_add(&r->errors, ERR_INVALID, place, "unit %.*s: %s", SLICE_ARG(unit), v->units);
    *ret_value = quantity_value(r->arena, q);
    if (!(*ret_value >= v->min && *ret_value <= v->max))
        return err_add(&r->errors, ERR_IMPLAUSIBLE, place, "%g - %g %.*s", v->min, v->max,
                       SLICE_ARG(unit));
    return ERR_OK;
}

/* PANEL: a blood pressure, which needs both of its parts. */
static enum err check_components(struct request *r, const struct json *observation, bool panel)
{
    const struct json *components = json_get(observation, "component");
    double value = 0, systolic = 0, diastolic = 0;
    bool has_systolic = false, has_diastolic = false;
    unsigned n = 0;
    for (const struct json *c = components ? components->first : NULL; c; c = c->next, n++) {
        const struct vital *v = find_vital(json_get(c, "code"));
        const char *place = arena_printf(r->arena, "Observation.component[%u].valueQuantity", n);
        if (!v || !place)
            continue;
        value = 0;
        enum err err = check_quantity(r, v, c, place, &value);
        if (err)
            return err;
        if (slice_is(slice_str(v->code), SYSTOLIC)) {
            systolic = value;
            has_systolic = true;
        } else if (slice_is(slice_str(v->code), DIASTOLIC)) {
            diastolic = value;
            has_diastolic = true;
        }
    }
    if (panel && !(has_systolic && has_diastolic))
        return err_add(&r->errors, ERR_REQUIRED, "Observation.component", SYSTOLIC ", " DIASTOLIC);
    if (systolic > 0 && diastolic > 0 && diastolic >= systolic)
        return err_add_words(&r->errors, ERR_IMPLAUSIBLE, "Observation.component",
                             "diastolic >= systolic", "拡張期が収縮期以上です");
    return ERR_OK;
}

static bool is_panel(const struct json *observation)
{
    const struct json *coding = json_path(observation, "code", "coding", NULL);
    for (const struct json *c = coding ? coding->first : NULL; c; c = c->next)
        if (slice_is(json_str(c, "system"), LOINC) && slice_is(json_str(c, "code"), BP_PANEL))
            return true;
    return false;
}

static enum err check_time(struct request *r, const struct json *observation)
{
    struct slice text = json_str(observation, "effectiveDateTime");
    struct when when;
    if (!text.len)
        text = json_str(json_get(observation, "effectivePeriod"), "start");
    if (!text.len)
        text = json_str(observation, "effectiveInstant");
    if (!text.len)
        return err_add(&r->errors, ERR_REQUIRED, "Observation.effectiveDateTime", NULL);
    if (!when_parse_fhir(text, false, &when))
        return err_add(&r->errors, ERR_INVALID, "Observation.effectiveDateTime", NULL);
    if (when.lo_ms > r->grant.now_ms + FUTURE_MS)
        return err_add_words(&r->errors, ERR_IMPLAUSIBLE, "Observation.effectiveDateTime",
                             "in the future", "未来の日時です");
    return ERR_OK;
}

static void mark_generated(struct request *r, struct json *observation)
{
    struct json *meta = json_get(observation, "meta");
    struct json *tags = json_get(meta, "tag");
    for (const struct json *t = tags ? tags->first : NULL; t; t = t->next)
        if (slice_is(json_str(t, "system"), TAG_SYSTEM) &&
            slice_is(json_str(t, "code"), TAG_GENERATED))
            return;
    if (!meta)
        meta = json_put_object(r->arena, observation, "meta");
    if (!tags)
        tags = json_put_array(r->arena, meta, "tag");
    struct json *tag = json_push_object(r->arena, tags);
    json_put_text(r->arena, tag, "system", TAG_SYSTEM);
    json_put_text(r->arena, tag, "code", TAG_GENERATED);
}

enum err vitals_accept(struct request *r, struct json *observation)
{
    const struct vital *v = find_vital(json_get(observation, "code"));
    double value = 0;
    enum err err = check_time(r, observation);
    if (!err && v)
        err = check_quantity(r, v, observation, "Observation.valueQuantity", &value);
    if (!err)
        err = check_components(r, observation, is_panel(observation));
    if (!err)
        mark_generated(r, observation);
    return err;
}

/* A missing part counts as empty; the separator keeps neighbours apart. */
static void add_part(struct buf *out, const struct json *part)
{
    if (part)
        json_print(out, part);
    buf_addc(out, '\n');
}

void vitals_id(const struct request *r, int64_t person, const struct json *observation,
               char ret_id[IDS_UUID_LEN + 1])
{
    static const char *const natural[] = {
        "code",          "effectiveDateTime", "effectivePeriod", "effectiveInstant",
        "valueQuantity", "component"};
    const struct json *identifier = json_path(observation, "identifier", "0", NULL);
    char who[64];
    struct buf what;
    buf_init(&what, LIMIT_HTTP_BODY);
    int n =
        snprintf(who, sizeof(who), "%lld %lld", (long long)r->grant.facility, (long long)person);
    if (json_str(identifier, "value").len) {
        add_part(&what, json_get(identifier, "system"));
        add_part(&what, json_get(identifier, "value"));
    } else {
        for (size_t i = 0; i < sizeof(natural) / sizeof(*natural); i++)
            add_part(&what, json_get(observation, natural[i]));
    }
    struct slice parts[] = {slice_of(who, (size_t)n), buf_slice(&what)};
    ids_keyed(r->exchange->key_resource, "home-vital", parts, 2, ret_id);
    buf_fini(&what);
}
