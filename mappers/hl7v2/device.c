/* SPDX-License-Identifier: Apache-2.0
 *
 * IHE PCD-01 (Continua WAN). OBX-4 "1.0.1.2" is device 1, its part 0, group 1, metric 2: a metric
 * without a time has that of its group. The device's own clock (67975) and how it is kept in time
 * (68220) are properties of the Device, not measurements; the times of measurements are corrected
 * by the gateway already and stay as they are.
 */
#include "mappers/hl7v2/device.h"

#include <stdio.h>
#include <stdlib.h>

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/extend.h"
#include "mappers/hl7v2/family.h"
#include "base/when.h"
#include "base/banned.h"

#define CLOCK "67975"      /* MDC_ATTR_TIME_ABS */
#define CLOCK_SYNC "68220" /* MDC_TIME_SYNC_PROTOCOL */
#define EUI64 "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680"

static bool is_mdc(struct mapping *mp, const struct hl7_segment *obx)
{
    return slice_is(mapping_value(mp, obx, 3, 3), "MDC");
}

static bool is_attribute(struct mapping *mp, const struct hl7_segment *obx)
{
    struct slice code = mapping_value(mp, obx, 3, 1);

    return slice_is(code, CLOCK) || slice_is(code, CLOCK_SYNC);
}

bool device_is_frame(struct mapping *mp, const struct hl7_segment *obx)
{
    return is_mdc(mp, obx) && (hl7_field(obx, 5).len == 0 || is_attribute(mp, obx));
}

/* OBX-18 (EI): an EUI-64 has a system of its own. */
static bool build_number(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice value = mapping_part(mp, at->raw, 1), kind = mapping_part(mp, at->raw, 2);
    struct json *identifier;

    if (value.len == 0)
        return false;
    identifier = json_new(mp->a, JSON_OBJECT);
    if (slice_is(kind, "EUI-64") || slice_is(mapping_part(mp, at->raw, 4), "EUI-64"))
        json_put_text(mp->a, identifier, "system", EUI64);
    else
        json_put_str(mp->a, identifier, "system", cwe_local(mp, SLICE("device")));
    json_put_str(mp->a, identifier, "value", value);
    return mapping_put(at, identifier);
}

/* The zone at the end of a TS, "+0000"; empty when it has none. */
static struct slice zone_of(struct slice ts)
{
    size_t at = ts.len;

    while (at > 0 && ts.ptr[at - 1] >= '0' && ts.ptr[at - 1] <= '9')
        at--;
    if (at == 0 || (ts.ptr[at - 1] != '+' && ts.ptr[at - 1] != '-'))
        return SLICE_NONE;
    return slice_sub(ts, at - 1, ts.len);
}

/* How far the device's clock is off: OBX-5 is what it showed, OBX-14 what it was. A clock that
 * knows no zone is compared with the wall clock of that time. */
static bool build_offset(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice clock = mapping_part(mp, at->raw, 1), true_time = mapping_value(mp, at->s, 14, 1);
    struct slice zone = zone_of(clock).len ? SLICE_NONE : zone_of(true_time);
    struct slice shown =
        build_datetime_of(mp, mapping_format(mp, "%.*s%.*s", SLICE_ARG(clock), SLICE_ARG(zone)));
    struct slice was = build_datetime_of(mp, true_time);
    struct when a, b;
    struct json *property, *seconds;
    struct cwe code;

    if (!when_parse_fhir(shown, false, &a) || !when_parse_fhir(was, false, &b))
        return false;
    cwe_read(mp, hl7_repeat(mp->m, hl7_field(at->s, 3), 0), &code);
    property = json_new(mp->a, JSON_OBJECT);
    json_set(property, "type", cwe_concept(mp, &code));
    seconds = json_push_object(mp->a, json_put_array(mp->a, property, "valueQuantity"));
    json_put_int(mp->a, seconds, "value", (a.lo_ms - b.lo_ms) / 1000);
    json_put_text(mp->a, seconds, "unit", "s");
    json_put_text(mp->a, seconds, "system", "http://unitsofmeasure.org");
    json_put_text(mp->a, seconds, "code", "s");
    return mapping_put(at, property);
}

static bool build_sync(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct cwe code, value;
    struct json *property, *concept;

    cwe_read(mp, at->raw, &value);
    concept = cwe_concept(mp, &value);
    if (!concept)
        return false;
    cwe_read(mp, hl7_repeat(mp->m, hl7_field(at->s, 3), 0), &code);
    property = json_new(mp->a, JSON_OBJECT);
    json_set(property, "type", cwe_concept(mp, &code));
    json_push(json_put_array(mp->a, property, "valueCode"), concept);
    return mapping_put(at, property);
}

static const struct row device_rows[] = {
    {1, 0, build_structure, NULL, NULL},         {3, 0, cwe_build, "type", NULL},
    {4, 0, build_structure, NULL, NULL},         {11, 0, build_structure, NULL, NULL},
    {18, 0, build_number, "identifier[]", NULL}, ROW_END,
};
#define PROPERTY_ROWS(builder)                                                                     \
    {                                                                                              \
        {1, 0, build_structure, NULL, NULL}, {2, 0, build_structure, NULL, NULL},                  \
            {3, 0, build_structure, "property[].type", NULL}, {4, 0, build_structure, NULL, NULL}, \
            {5, 0, builder, "property[]", NULL}, {11, 0, build_structure, NULL, NULL},             \
            {14, 0, build_structure, NULL, NULL}, ROW_END,                                         \
    }
static const struct row clock_rows[] = PROPERTY_ROWS(build_offset);
static const struct row sync_rows[] = PROPERTY_ROWS(build_sync);
/* A row that only opens a group: its code and time are the group's. */
static const struct row group_rows[] = {
    {1, 0, build_structure, NULL, NULL},  {3, 0, build_structure, NULL, NULL},
    {4, 0, build_structure, NULL, NULL},  {11, 0, build_structure, NULL, NULL},
    {14, 0, build_structure, NULL, NULL}, ROW_END,
};

/* The first number of OBX-4, "1" of "1.0.1.2"; empty for 0, which speaks for the whole message. */
static struct slice number_of(struct mapping *mp, const struct hl7_segment *obx)
{
    struct slice rest = mapping_value(mp, obx, 4, 1), first = slice_cut(&rest, '.');

    return slice_is(first, "0") ? SLICE_NONE : first;
}

static struct slice device_key(struct mapping *mp, const struct hl7_segment *obx)
{
    struct slice id = mapping_value(mp, obx, 18, 1);

    if (id.len)
        return mapping_format(mp, "device:%.*s", SLICE_ARG(id));
    return mapping_format(mp, "device:%.*s", SLICE_ARG(mapping_value(mp, obx, 3, 1)));
}

/* A row without value that names a device (OBX-18), or stands at the top. */
static bool is_device_row(struct mapping *mp, const struct hl7_segment *obx)
{
    struct slice place = mapping_value(mp, obx, 4, 1);

    if (!is_mdc(mp, obx) || hl7_field(obx, 5).len)
        return false;
    return hl7_field(obx, 18).len ||
           (number_of(mp, obx).len && slice_search(place, SLICE("."), 0) == place.len);
}

/* Messages may have thousands of rows: who is where is kept in a table, not looked for. */
static struct keys_slot *place_slot(struct mapping *mp, const char *what, struct slice place)
{
    return keys_at(mp->a, &mp->asked, mapping_format(mp, "%s:%.*s", what, SLICE_ARG(place)));
}

static void note_place(struct mapping *mp, const char *what, struct slice place, const void *value)
{
    struct keys_slot *slot = place_slot(mp, what, place);

    if (slot)
        slot->value = (void *)(uintptr_t)value;
}

static void add_property(struct mapping *mp, const struct hl7_segment *obx,
                         struct mapped_resource *device)
{
    if (!device)
        return;
    mapping_walk(mp, obx, slice_is(mapping_value(mp, obx, 3, 1), CLOCK) ? clock_rows : sync_rows,
                 device->resource);
}

void device_each(struct mapping *mp, const struct order *o)
{
    struct mapped_resource *device = NULL;

    for (size_t i = o->from; i < o->to; i++) {
        const struct hl7_segment *s = &mp->m->segments[i];

        if (!mapping_is(s, "OBX") || !is_device_row(mp, s))
            continue;
        device = mapping_resource(mp, "Device", NULL, device_key(mp, s));
        mapping_subject(mp, device->resource, "patient");
        mapping_walk(mp, s, device_rows, device->resource);
        note_place(mp, "device-row", number_of(mp, s), device);
    }
    for (size_t i = o->from; i < o->to; i++) {
        const struct hl7_segment *s = &mp->m->segments[i];

        if (!mapping_is(s, "OBX") || !is_mdc(mp, s))
            continue;
        if (hl7_field(s, 14).len)
            note_place(mp, "device-time", mapping_value(mp, s, 4, 1), s);
        if (is_device_row(mp, s))
            continue;
        if (is_attribute(mp, s))
            add_property(mp, s, device);
        else if (hl7_field(s, 5).len == 0)
            mapping_walk(mp, s, group_rows, NULL);
    }
}

const char *device_of(struct mapping *mp, const struct hl7_segment *obx)
{
    struct keys_slot *slot =
        is_mdc(mp, obx) ? place_slot(mp, "device-row", number_of(mp, obx)) : NULL;
    const struct mapped_resource *r = slot ? slot->value : NULL;

    return r ? arena_printf(mp->a, "Device/%.*s", SLICE_ARG(json_str(r->resource, "id"))) : NULL;
}

/* "1.0.1" of "1.0.1.2". */
static struct slice parent_of(struct slice place)
{
    size_t at = place.len;

    while (at > 0 && place.ptr[at - 1] != '.')
        at--;
    return at > 0 ? slice_sub(place, 0, at - 1) : SLICE_NONE;
}

struct slice device_time(struct mapping *mp, const struct hl7_segment *obx)
{
    struct slice place = mapping_value(mp, obx, 4, 1);

    if (hl7_field(obx, 14).len || !is_mdc(mp, obx))
        return mapping_value(mp, obx, 14, 1);
    for (place = parent_of(place); place.len; place = parent_of(place)) {
        struct keys_slot *slot = place_slot(mp, "device-time", place);

        if (slot && slot->value)
            return mapping_value(mp, slot->value, 14, 1);
    }
    return SLICE_NONE;
}

void device_celsius(struct mapping *mp, struct json *observation)
{
    struct json *quantity = json_get(observation, "valueQuantity"), *value, *extension;
    char text[40];
    double celsius;
    size_t dot;

    if (!slice_is(json_str(quantity, "code"), "[degF]") || !(value = json_get(quantity, "value")))
        return;
    extension = json_new(mp->a, JSON_OBJECT);
    json_put_text(mp->a, extension, "url", EXTEND_OWN "quantity-as-measured");
    json_set(extension, "valueQuantity", json_clone(mp->a, quantity));
    celsius = (strtod(arena_str(mp->a, value->text), NULL) - 32.0) * 5.0 / 9.0;
    dot = slice_search(value->text, SLICE("."), 0);
    (void)snprintf(text, sizeof(text), "%.*f",
                   dot < value->text.len && value->text.len - dot > 2 ? 2 : 1, celsius);
    json_set(quantity, "value", json_number(mp->a, arena_dup(mp->a, slice_str(text))));
    json_put_text(mp->a, quantity, "unit", "Cel");
    json_put_text(mp->a, quantity, "code", "Cel");
    mapping_put_at(mp->a, observation, "extension[]", extension);
}

const struct row_set device_sets[] = {
    {"OBX", "Device", device_rows, NULL},
    {"OBX", "Device", clock_rows, NULL},
    {"OBX", "Device", sync_rows, NULL},
    {"OBX", NULL, group_rows, NULL},
    ROW_SET_END,
};
