/* SPDX-License-Identifier: Apache-2.0
 *
 * The report walks the same tables as the mapper (family_table.c), which asserts that it walks no
 * others: there is no second list that could go stale. How many fields a segment has comes from the
 * standard (v2.5; v2.6 and later where a table maps beyond).
 */
#include "mappers/hl7v2/coverage.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/family.h"
#include "base/banned.h"

#define FIELDS_MAX 80u
#define SEGMENTS_MAX 64u

/* Fields of the segments that messages here have, HL7 v2.5 and SS-MIX2. */
static const struct {
    const char *segment;
    unsigned fields;
} sizes[] = {
    {"ACC", 11}, {"AIG", 14}, {"AIL", 12}, {"AIP", 12}, {"AIS", 12}, {"AL1", 6},  {"BLG", 3},
    {"CTD", 7},  {"CTI", 3},  {"DB1", 8},  {"DG1", 21}, {"EVN", 7},  {"FT1", 31}, {"GT1", 57},
    {"IAM", 20}, {"IN1", 53}, {"IN2", 72}, {"IN3", 28}, {"IPC", 9},  {"MSH", 21}, {"NK1", 39},
    {"NTE", 4},  {"OBR", 49}, {"OBX", 19}, {"ODS", 4},  {"ORC", 30}, {"PD1", 21}, {"PDA", 9},
    {"PID", 39}, {"PR1", 20}, {"PRB", 25}, {"PRT", 15}, {"PV1", 52}, {"PV2", 49}, {"RGS", 3},
    {"ROL", 12}, {"RXA", 26}, {"RXC", 9},  {"RXD", 33}, {"RXE", 44}, {"RXO", 28}, {"RXR", 6},
    {"SAC", 44}, {"SCH", 27}, {"SPM", 29}, {"TQ1", 14}, {"TQ2", 10}, {"TXA", 23}, {"ZE1", 12},
    {"ZE2", 7},  {"ZI1", 2},  {"ZPD", 2},  {"ZPR", 7},
};

/* Fields of the mapping sets in use that are kept in the original only, and why; 0: any field. */
static const struct {
    const char *segment;
    unsigned field;
    const char *why;
} kept[] = {
    {"AIG", 9, "an offset from a start that the message says itself"},
    {"AIL", 7, "the same"},
    {"AIP", 7, "the same"},
    {"AIS", 5, "the same"},
    {"EVN", 2, "MSH-7 is when it was recorded"},
    {"EVN", 4, "why an event was recorded is no fact of the visit"},
    {"EVN", 5, "who typed it is the sender's affair"},
    {"EVN", 7, "the facility is known by its certificate"},
    {"NK1", 12, "an employee number of somebody else"},
    {"NK1", 33, "numbers of somebody else"},
    {"NK1", 37, "the individual number of somebody else must not be held"},
    {"NTE", 2, "who wrote it is NTE-5"},
    {"ORC", 19, "who typed it is the sender's affair"},
    {"PD1", 7, "a living will is a document, not a flag"},
    {"PID", 18, "accounts are not exchanged"},
    {"PID", 19, "in Japan the individual number, which health records must not hold"},
    {"PID", 20, "a driver's licence identifies nobody to a hospital"},
    {"PID", 31, "who is unknown to his hospital cannot be linked"},
    {"PID", 33, "the message's own time orders changes"},
    {"PID", 34, "MSH-4 names the source"},
    {"PID", 35, "people only"},
    {"PID", 36, "people only"},
    {"PID", 39, "no tribes are recorded in Japan"},
    {"PV1", 20, "a financial class is no insurance: IN1"},
    {"PV1", 43, "the place before the last: its own message said it"},
    {"RXO", 18, "strength is part of the product's code (HOT, YJ)"},
    {"RXO", 19, "the same"},
    {"RXO", 25, "the same"},
    {"RXO", 26, "the same"},
    {"TQ1", 5, "an offset needs an event TQ1 does not name (R4 tim-9)"},
    {"TQ1", 12, "how orders hang together is ORC-4 and ORC-8"},
    {"IAM", 6, "an action, not a fact: it steers what is kept"},
    {"MSH", 0, "the envelope: kept by the inbox, told by the Provenance"},
};

const char *coverage_why_kept(struct slice segment, unsigned field)
{
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        if ((kept[i].field == field || !kept[i].field) && slice_is(segment, kept[i].segment))
            return kept[i].why;
    }
    return NULL;
}

static unsigned fields_of(const char *segment)
{
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (strcmp(segment, sizes[i].segment) == 0)
            return sizes[i].fields;
    }
    return 0;
}

/* Calls FN for each row of family F that is about SEGMENT (NULL: of any). */
typedef void (*row_cb)(void *context, const struct row_set *set, const struct row *row);

static void each_row(const struct family *f, const char *segment, row_cb fn, void *context)
{
    for (const struct row_set *const *list = f->sets; *list; list++) {
        for (const struct row_set *set = *list; set->segment; set++) {
            if ((segment && strcmp(set->segment, segment) != 0) ||
                !mapping_set_has(set, slice_str(f->trigger)))
                continue;
            for (const struct row *row = set->rows; row && row->field; row++)
                fn(context, set, row);
        }
    }
}

struct field {
    bool read, mapped;
    struct json *to;
};

struct segment_report {
    struct arena *a;
    struct field *fields; /* [FIELDS_MAX + 1] */
    unsigned highest;
};

static bool is_mapped(const struct row_set *set, const struct row *row)
{
    return set->resource && (row->build != build_structure || row->path);
}

static void note_row(void *context, const struct row_set *set, const struct row *row)
{
    struct segment_report *r = context;
    struct field *f = &r->fields[row->field <= FIELDS_MAX ? row->field : 0];
    struct json *text;

    if (row->field > r->highest && row->field <= FIELDS_MAX)
        r->highest = row->field;
    f->read = true;
    if (!is_mapped(set, row))
        return;
    f->mapped = true;
    text = json_string(r->a,
                       slice_str(arena_printf(r->a, "%s%s%s", set->resource, row->path ? "." : "",
                                              row->path ? row->path : "")));
    if (!f->to)
        f->to = json_new(r->a, JSON_ARRAY);
    for (const struct json *i = f->to ? f->to->first : NULL; i && text; i = i->next) {
        if (slice_eq(i->text, text->text))
            return;
    }
    json_push(f->to, text);
}

static struct json *report_segment(struct arena *a, const struct family *f, const char *segment)
{
    struct segment_report r = {.a = a, .highest = fields_of(segment)};
    struct json *out = json_new(a, JSON_OBJECT), *list;

    r.fields = arena_array(a, FIELDS_MAX + 1, sizeof(*r.fields));
    json_put_text(a, out, "segment", segment);
    list = json_put_array(a, out, "fields");
    if (!r.fields)
        return NULL;
    each_row(f, segment, note_row, &r);
    for (unsigned n = 1; n <= r.highest; n++) {
        struct json *field = json_push_object(a, list);
        const struct field *at = &r.fields[n];

        json_put_text(a, field, "field", arena_printf(a, "%s-%u", segment, n));
        json_put_text(a, field, "state", at->mapped ? "mapped" : at->read ? "read" : "kept");
        if (at->to)
            json_set(field, "to", at->to);
        if (!at->read && coverage_why_kept(slice_str(segment), n))
            json_put_text(a, field, "why", coverage_why_kept(slice_str(segment), n));
    }
    return out;
}

static bool is_listed(const char *const *seen, size_t count, const char *segment)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(seen[i], segment) == 0)
            return true;
    }
    return false;
}

static struct json *report_message(struct arena *a, const struct family *f)
{
    const char *seen[SEGMENTS_MAX];
    size_t count = 0;
    struct json *out = json_new(a, JSON_OBJECT), *list;

    json_put_text(a, out, "message", arena_printf(a, "%s^%s", f->type, f->trigger));
    list = json_put_array(a, out, "segments");
    for (const struct row_set *const *sets = f->sets; *sets; sets++) {
        for (const struct row_set *set = *sets; set->segment; set++) {
            if (count == SEGMENTS_MAX || is_listed(seen, count, set->segment))
                continue;
            seen[count++] = set->segment;
            json_push(list, report_segment(a, f, set->segment));
        }
    }
    return out;
}

struct json *coverage_report(struct arena *arena, struct slice message)
{
    struct json *out = json_new(arena, JSON_OBJECT), *list;

    json_put_text(arena, out, "mapper", MAPPING_NAME);
    list = json_put_array(arena, out, "messages");
    for (const struct family *f = families; f->type; f++) {
        const char *name = arena_printf(arena, "%s^%s", f->type, f->trigger);

        if (message.len == 0 || slice_eq(message, slice_str(name)))
            json_push(list, report_message(arena, f));
    }
    return arena_exhausted(arena) ? NULL : out;
}

struct question {
    unsigned field;
    struct slice resource;
    bool found;
};

static void answer(void *context, const struct row_set *set, const struct row *row)
{
    struct question *q = context;

    if (row->field == q->field && is_mapped(set, row) &&
        (q->resource.len == 0 || slice_starts(slice_str(set->resource), q->resource)))
        q->found = true;
}

bool coverage_maps(struct slice segment, unsigned field, struct slice resource)
{
    struct question q = {field, resource, false};
    char name[4] = "";

    if (segment.len != 3)
        return false;
    memcpy(name, segment.ptr, 3);
    for (const struct family *f = families; f->type && !q.found; f++)
        each_row(f, name, answer, &q);
    return q.found;
}

bool coverage_uses(struct slice segment)
{
    for (const struct family *f = families; f->type; f++) {
        for (const struct row_set *const *list = f->sets; *list; list++) {
            for (const struct row_set *set = *list; set->segment; set++) {
                if (set->rows && slice_is(segment, set->segment))
                    return true;
            }
        }
    }
    return false;
}
