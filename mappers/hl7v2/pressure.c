/* SPDX-License-Identifier: Apache-2.0
 *
 * What makes two OBX one measurement: the same group (OBR), the same time, the same sub-id, and the
 * same series: JLAC10 counts measurements in the fifth place of its code (9A751 and 9A761 are the
 * first of a day), a device puts both under one parent in OBX-4. Whatever is ambiguous (two
 * systolic values of one key), taken back, or measured otherwise (another device, another arm)
 * stays as it came, two Observations.
 */
#include "mappers/hl7v2/pressure.h"

#include "mappers/hl7v2/device.h"
#include "mappers/hl7v2/terms.h"
#include "base/banned.h"

#define JLAC10_SERIES 4u /* place of the count in "9A751..." */

struct met {
    const struct hl7_segment *at[2]; /* systolic, diastolic */
    unsigned count[2];
};

const char *pressure_loinc(struct mapping *mp, const struct hl7_segment *obx,
                           const char **ret_display)
{
    struct slice system = mapping_value(mp, obx, 3, 3), code = mapping_value(mp, obx, 3, 1);
    const struct term *t = NULL;

    if (slice_is(system, "JC10") || slice_is(system, "JLAC10"))
        t = terms_find_prefix(terms_vital_loinc, code);
    else if (slice_is(system, "MDC"))
        t = terms_find(terms_vital_loinc, code);
    else if (slice_is(system, "LN") || slice_is(system, "LOINC"))
        for (t = terms_vital_loinc; t->from && !slice_is(code, t->to);)
            t++;
    if (!t || !t->from)
        return NULL;
    *ret_display = t->display;
    return t->to;
}

static struct slice series_of(struct mapping *mp, const struct hl7_segment *obx)
{
    struct slice system = mapping_value(mp, obx, 3, 3), code = mapping_value(mp, obx, 3, 1);
    struct slice sub = mapping_value(mp, obx, 4, 1);
    size_t end = sub.len;

    if (slice_is(system, "MDC")) {
        while (end > 0 && sub.ptr[end - 1] != '.')
            end--;
        return slice_sub(sub, 0, end > 0 ? end - 1 : 0);
    }
    if (slice_is(system, "LN") || slice_is(system, "LOINC") || code.len <= JLAC10_SERIES)
        return sub;
    return mapping_format(mp, "%.*s%s%.*s",
                          SLICE_ARG(slice_sub(code, JLAC10_SERIES, code.len - JLAC10_SERIES)),
                          sub.len ? ":" : "", SLICE_ARG(sub));
}

/* 0 systolic, 1 diastolic, -1 neither, or nothing to show. */
static int side_of(struct mapping *mp, const struct hl7_segment *obx)
{
    const char *display, *loinc;
    struct slice status = mapping_value(mp, obx, 11, 1);

    if (hl7_field(obx, 5).len == 0 || slice_is(status, "D") || slice_is(status, "X") ||
        !(loinc = pressure_loinc(mp, obx, &display)))
        return -1;
    return strcmp(loinc, PRESSURE_SYSTOLIC) == 0    ? 0
           : strcmp(loinc, PRESSURE_DIASTOLIC) == 0 ? 1
                                                    : -1;
}

static struct met *met_at(struct mapping *mp, unsigned group, const struct hl7_segment *obx)
{
    struct keys_slot *slot =
        keys_at(mp->a, &mp->pressures,
                mapping_format(mp, "%u:%.*s:%.*s", group, SLICE_ARG(series_of(mp, obx)),
                               SLICE_ARG(device_time(mp, obx))));

    if (slot && !slot->value)
        slot->value = ARENA_NEW(mp->a, struct met);
    return slot ? slot->value : NULL;
}

static void note_segment(struct mapping *mp, const struct hl7_segment *s, struct met *met)
{
    struct keys_slot *slot =
        keys_at(mp->a, &mp->pressures,
                arena_dup(mp->a, slice_of((const char *)&s, sizeof(s)))); /* by address */

    if (slot)
        slot->value = met;
}

/* One pass over the message, at the first OBX that asks. */
static void note_all(struct mapping *mp)
{
    unsigned group = 0;

    for (size_t i = 0; i < mp->m->segment_count; i++) {
        const struct hl7_segment *s = &mp->m->segments[i];
        struct met *met;
        int side;

        if (mapping_is(s, "OBR"))
            group = s->ordinal;
        if (!mapping_is(s, "OBX") || (side = side_of(mp, s)) < 0)
            continue;
        met = met_at(mp, group, s);
        if (!met)
            return;
        met->at[side] = s;
        met->count[side]++;
        note_segment(mp, s, met);
    }
}

/* Both may say how and where it was measured; where both do, they must agree. */
static bool agree(const struct hl7_segment *a, const struct hl7_segment *b)
{
    static const unsigned fields[] = {10, 15, 16, 17, 18, 20, 23, 25};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        struct slice x = hl7_field(a, fields[i]), y = hl7_field(b, fields[i]);

        if (x.len && y.len && !slice_eq(x, y))
            return false;
    }
    return true;
}

bool pressure_pair(struct mapping *mp, const struct hl7_segment *obx, struct pressure *ret_pair)
{
    const struct met *met;
    struct keys_slot *slot;

    if (side_of(mp, obx) < 0)
        return false;
    if (mp->pressures.filled == 0)
        note_all(mp);
    slot = keys_at(mp->a, &mp->pressures, slice_of((const char *)&obx, sizeof(obx)));
    met = slot ? slot->value : NULL;
    if (!met || met->count[0] != 1 || met->count[1] != 1 || !agree(met->at[0], met->at[1]))
        return false;
    *ret_pair = (struct pressure){met->at[0], met->at[1], series_of(mp, obx)};
    return true;
}
