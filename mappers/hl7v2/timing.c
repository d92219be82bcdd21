/* SPDX-License-Identifier: Apache-2.0
 *
 * TQ1 as a Timing. Invariants of R4 decide what can be said: a duration needs its unit (tim-1), a
 * relative offset needs an event that TQ1 does not name (tim-9), so TQ1-5 stays in the original.
 */
#include "mappers/hl7v2/timing.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/family.h"
#include "base/banned.h"

static bool build_code(struct spot *at)
{
    struct cwe c;

    cwe_read_sub(at->mp, hl7_component(at->mp->m, at->raw, 1), &c);
    return mapping_put(at, cwe_concept(at->mp, &c));
}

/* TM: HHMM[SS]. */
static bool build_time_of_day(struct spot *at)
{
    struct slice tm = mapping_part(at->mp, at->raw, 1);
    uint64_t number;

    if ((tm.len != 4 && tm.len != 6) || !slice_u64(tm, &number) ||
        number / (tm.len == 6 ? 10000 : 100) > 23 || number / (tm.len == 6 ? 100 : 1) % 100 > 59 ||
        (tm.len == 6 && number % 100 > 59))
        return false;
    return mapping_put(
        at, json_string(at->mp->a, mapping_format(at->mp, "%.2s:%.2s:%.2s", tm.ptr, tm.ptr + 2,
                                                  tm.len == 6 ? tm.ptr + 4 : "00")));
}

static const char *unit_of(struct slice code)
{
    static const struct {
        const char *code, *ucum;
    } units[] = {{"s", "s"},   {"sec", "s"}, {"min", "min"}, {"h", "h"},   {"hr", "h"},
                 {"d", "d"},   {"D", "d"},   {"wk", "wk"},   {"w", "wk"},  {"W", "wk"},
                 {"mo", "mo"}, {"a", "a"},   {"S", "s"},     {"M", "min"}, {"H", "h"}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (slice_is(code, units[i].code))
            return units[i].ucum;
    }
    return NULL;
}

/* TQ1-13 (CQ): how long each occurrence lasts. */
static bool build_duration(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice unit = mapping_clean(mp, hl7_sub(mp->m, hl7_component(mp->m, at->raw, 2), 1));
    const char *ucum = unit_of(unit);
    struct slice literal;
    struct json *repeat;

    if (!ucum || !build_decimal_of(mp, mapping_part(mp, at->raw, 1), &literal))
        return false;
    repeat = mapping_object_at(mp->a, at->target, "repeat");
    json_set(repeat, "duration", json_number(mp->a, literal));
    return json_put_text(mp->a, repeat, "durationUnit", ucum) != NULL;
}

/* TQ1-6 (CQ): over how long all of it stretches. */
static bool build_bounds(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice unit = mapping_clean(mp, hl7_sub(mp->m, hl7_component(mp->m, at->raw, 2), 1));
    const char *ucum = unit_of(unit);
    struct slice literal;
    struct json *duration;

    if (at->repeat > 0 || !ucum || !build_decimal_of(mp, mapping_part(mp, at->raw, 1), &literal))
        return false;
    duration = json_new(mp->a, JSON_OBJECT);
    json_set(duration, "value", json_number(mp->a, literal));
    json_put_text(mp->a, duration, "system", "http://unitsofmeasure.org");
    json_put_text(mp->a, duration, "code", ucum);
    return mapping_put(at, duration);
}

static const struct row code_rows[] = {{3, 0, build_code, "code", NULL}, ROW_END};
static const struct row repeat_rows[] = {
    {4, 0, build_time_of_day, "repeat.timeOfDay[]", NULL},
    {13, 0, build_duration, "repeat.duration", NULL},
    {14, 1, build_integer, "repeat.count", "positive"},
    ROW_END,
};
/* bounds[x] is one element: from and to where they are said, else how long. */
static const struct row period_rows[] = {
    {7, 0, build_datetime, "repeat.boundsPeriod.start", NULL},
    {8, 0, build_datetime, "repeat.boundsPeriod.end", NULL},
    ROW_END,
};
static const struct row bounds_rows[] = {
    {6, 0, build_bounds, "repeat.boundsDuration", NULL},
    ROW_END,
};

bool timing_says(const struct hl7_segment *tq1)
{
    static const unsigned fields[] = {3, 4, 6, 13, 14};

    for (size_t i = 0; tq1 && i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (hl7_field(tq1, fields[i]).len)
            return true;
    }
    return false;
}

void timing_rows(struct mapping *mp, const struct hl7_segment *tq1, struct json *timing)
{
    mapping_walk(mp, tq1, code_rows, timing);
    timing_repeat(mp, tq1, timing);
    mapping_walk(mp, tq1, period_rows, timing);
    if (!json_path(timing, "repeat", "boundsPeriod", NULL))
        mapping_walk(mp, tq1, bounds_rows, timing);
}

void timing_repeat(struct mapping *mp, const struct hl7_segment *tq1, struct json *timing)
{
    mapping_walk(mp, tq1, repeat_rows, timing);
}

const struct row_set timing_sets[] = {
    {"TQ1", "ServiceRequest.occurrenceTiming", code_rows, NULL},
    {"TQ1", "ServiceRequest.occurrenceTiming", repeat_rows, NULL},
    {"TQ1", "ServiceRequest.occurrenceTiming", period_rows, NULL},
    {"TQ1", "ServiceRequest.occurrenceTiming", bounds_rows, NULL},
    ROW_SET_END,
};
const struct row_set timing_repeat_sets[] = {
    {"TQ1", "MedicationRequest.dosageInstruction.timing", repeat_rows, NULL},
    ROW_SET_END,
};
