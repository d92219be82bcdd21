/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the time-like data types of R4 (datatypes.html#Period, #Timing) as spans, for search rows
 * and for a record's clinical time alike, so that both always agree.
 */
#include "mappers/fhir/span.h"

#include "base/banned.h"

static bool read_text(const struct json *v, struct when *ret_when)
{
    return v && v->kind == JSON_STRING && when_parse_fhir(v->text, false, ret_when);
}

/* A period written the wrong way round covers what lies between all the same. */
static bool read_period(const struct json *v, struct when *ret_when)
{
    struct when from = {WHEN_MIN, WHEN_MIN};
    struct when to = {WHEN_MAX, WHEN_MAX};
    bool start = read_text(json_get(v, "start"), &from);
    bool end = read_text(json_get(v, "end"), &to);
    if (start && end && to.lo_ms < from.lo_ms) {
        struct when swap = from;
        from = to;
        to = swap;
    }
    if (start || end)
        *ret_when = (struct when){from.lo_ms, to.hi_ms};
    return start || end;
}

static bool read_timing(const struct json *v, struct when *ret_when)
{
    struct when one;
    struct when all = {WHEN_MAX, WHEN_MIN};
    const struct json *events = json_get(v, "event");
    bool any = read_period(json_path(v, "repeat", "boundsPeriod", NULL), &all);
    const struct json *e = events && events->kind == JSON_ARRAY ? events->first : NULL;
    for (; e; e = e->next) {
        if (!read_text(e, &one))
            continue;
        any = true;
        all.lo_ms = one.lo_ms < all.lo_ms ? one.lo_ms : all.lo_ms;
        all.hi_ms = one.hi_ms > all.hi_ms ? one.hi_ms : all.hi_ms;
    }
    if (any)
        *ret_when = all;
    return any;
}

bool span_of(const struct json *value, struct when *ret_when)
{
    return value && (read_text(value, ret_when) || read_period(value, ret_when) ||
                     read_timing(value, ret_when));
}
