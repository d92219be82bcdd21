/* SPDX-License-Identifier: Apache-2.0
 *
 * OBR with its OBX to DiagnosticReport (JP_DiagnosticReport_LabResult, _Common) and Observations. A
 * report's status is OBR-25; without it, it follows from its results: only all final makes it
 * final.
 */
#include "mappers/hl7v2/obr.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/document.h"
#include "mappers/hl7v2/extend.h"
#include "mappers/hl7v2/family.h"
#include "mappers/hl7v2/obx.h"
#include "mappers/hl7v2/spm.h"
#include "mappers/hl7v2/terms.h"
#include "mappers/hl7v2/xpn.h"
#include "base/banned.h"

static bool build_status(struct spot *at)
{
    const struct term *status = terms_find(terms_report_status, mapping_text(at));

    return status && mapping_put(at, json_string(at->mp->a, slice_str(status->to)));
}

/* NDL: the person is its first component, as sub-components. */
static bool build_interpreter(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice person = hl7_component(mp->m, at->raw, 1);
    struct slice family = mapping_clean(mp, hl7_sub(mp->m, person, 2));
    struct slice given = mapping_clean(mp, hl7_sub(mp->m, person, 3));
    struct slice number = mapping_clean(mp, hl7_sub(mp->m, person, 1));
    struct json *reference;

    if (family.len == 0 && given.len == 0 && number.len == 0)
        return false;
    reference = json_new(mp->a, JSON_OBJECT);
    json_put_str(mp->a, reference, "display",
                 family.len == 0 && given.len == 0
                     ? number
                     : mapping_format(mp, "%.*s%s%.*s", SLICE_ARG(family),
                                      family.len && given.len ? " " : "", SLICE_ARG(given)));
    return mapping_put(at, reference);
}

/* OBR-26 (PRL): the result that led to this group, "item:sub-id:value"; in microbiology the
 * organism that susceptibilities are of. */
static bool build_parent_result(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice item = mapping_clean(mp, hl7_sub(mp->m, hl7_component(mp->m, at->raw, 1), 1));
    struct slice sub = mapping_part(mp, at->raw, 2), value = mapping_part(mp, at->raw, 3);
    struct json *extension;

    if (item.len == 0 && sub.len == 0 && value.len == 0)
        return false;
    extension = json_new(mp->a, JSON_OBJECT);
    json_put_text(mp->a, extension, "url", at->row->arg);
    json_put_str(
        mp->a, extension, "valueString",
        mapping_format(mp, "%.*s:%.*s:%.*s", SLICE_ARG(item), SLICE_ARG(sub), SLICE_ARG(value)));
    return mapping_put(at, extension);
}

static const struct row report_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_identifier, "identifier[]", "order"},
    {3, 0, build_identifier, "identifier[]", "filler-order"},
    {4, 0, cwe_build_item, "code", NULL},
    {7, 0, build_datetime, "effectiveDateTime", NULL},
    {22, 0, build_instant, "issued", NULL},
    {24, 0, cwe_build, "category[]", "HL70074"},
    {25, 1, build_status, "status", NULL},
    {32, 0, build_interpreter, "resultsInterpreter[]", NULL},
    {33, 0, build_interpreter, "resultsInterpreter[]", NULL},
    {34, 0, build_interpreter, "performer[]", NULL},
    {35, 0, build_interpreter, "performer[]", NULL},
    ROW_END,
};
/* OBR-8 makes a period of the time (put_period). */
static const struct row end_rows[] = {{8, 0, build_elsewhere, "effectivePeriod.end", NULL},
                                      ROW_END};
/* The order's numbers are said once: by OBR, else by ORC. */
static const struct row orc_numbers[] = {
    {2, 0, build_identifier, "identifier[]", "order"},
    {3, 0, build_identifier, "identifier[]", "filler-order"},
    ROW_END,
};
static const struct row orc_rows[] = {
    {4, 0, extend_build_number, "identifier[]", "PGN order-group"},
    {16, 0, cwe_build_extension, "extension[]", EXTEND_OWN "order-reason"},
    {28, 0, extend_build_security, "meta.security[]", NULL},
    ROW_END,
};
/* A report without an order of its own speaks for the order too. */
static const struct row pair_rows[] = {
    {26, 0, build_parent_result, "extension[]", EXTEND_OWN "parent-result"},
    {29, 0, extend_build_numbered_extension, "extension[]", EXTEND_OWN "parent-order"},
    ROW_END,
};

static void put_period(struct mapping *mp, const struct hl7_segment *obr, struct json *report)
{
    struct slice end = build_datetime_of(mp, mapping_value(mp, obr, 8, 1));
    struct slice start = json_str(report, "effectiveDateTime");
    struct json *period;

    if (end.len == 0)
        return;
    mapping_mark(mp, obr, 8, MAPPING_USED);
    if (slice_eq(start, end))
        return;
    json_remove(report, "effectiveDateTime");
    period = json_put_object(mp->a, report, "effectivePeriod");
    json_put_str(mp->a, period, "start", start);
    json_put_str(mp->a, period, "end", end);
}

static const char *status_of_results(const struct json *report, struct mapping *mp)
{
    const struct json *list = json_get(report, "result");
    size_t finals = 0, all = 0;

    for (const struct json *ref = list ? list->first : NULL; ref; ref = ref->next) {
        struct slice path = json_str(ref, "reference");
        struct keys_slot *slot = keys_at(mp->a, &mp->made, path);
        const struct mapped_resource *r = slot ? slot->value : NULL;
        struct slice status = r ? json_str(r->resource, "status") : SLICE_NONE;

        all++;
        finals += slice_is(status, "final") || slice_is(status, "corrected") ||
                  slice_is(status, "amended") || slice_is(status, "cancelled");
    }
    if (all == 0)
        return "unknown";
    return finals == all ? "final" : finals ? "partial" : "preliminary";
}

static void put_category(struct mapping *mp, const char *category, struct json *report)
{
    static const struct {
        const char *category, *loinc, *display;
    } known[] = {{"laboratory", "LP29693-6", "検体検査"}, {"imaging", "LP29684-5", "放射線"}};

    for (size_t i = 0; category && i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(category, known[i].category) == 0)
            mapping_put_at(mp->a, report, "category[]",
                           cwe_constant(mp, "http://loinc.org", known[i].loinc, known[i].display));
    }
}

static struct mapped_resource *new_report(struct mapping *mp, const struct order *o,
                                          const struct obr_group *g)
{
    bool lab = g->category && strcmp(g->category, "laboratory") == 0;
    struct slice key =
        ARENA_JOIN(mp->a, SLICE("OBR:"), slice_str(g->kind), SLICE(":"), g->key_order, SLICE(":"),
                   mapping_value(mp, o->obr, 3, 1), SLICE(":"), mapping_value(mp, o->obr, 4, 1));
    struct mapped_resource *r =
        mapping_resource(mp, "DiagnosticReport",
                         lab ? "JP_DiagnosticReport_LabResult" : "JP_DiagnosticReport_Common",
                         mapping_unique(mp, "DiagnosticReport", key));

    r->scope = o->scope;
    mapping_subject(mp, r->resource, "subject");
    mapping_in_encounter(mp, r->resource, "encounter");
    put_category(mp, g->category, r->resource);
    mapping_walk(mp, o->obr, report_rows, r->resource);
    put_period(mp, o->obr, r->resource);
    mapping_walk(mp, o->obr, pair_rows, r->resource);
    if (!json_get(r->resource, "identifier"))
        mapping_walk(mp, o->orc, orc_numbers, r->resource);
    mapping_walk(mp, o->orc, orc_rows, r->resource);
    return r;
}

static struct slice first_of(struct slice a, struct slice b)
{
    return a.len ? a : b;
}

static void add_results(struct mapping *mp, const struct order *o,
                        const struct obx_context *context, struct mapped_resource *report)
{
    for (size_t i = o->from; i < o->to; i++) {
        const struct hl7_segment *s = &mp->m->segments[i];
        struct mapped_resource *observation;

        if (!mapping_is(s, "OBX"))
            continue;
        if (document_take(mp, s, o, report))
            continue;
        observation = obx_observation(mp, s, context);
        if (observation && report && !observation->remove)
            mapping_put_at(mp->a, report->resource, "result[]", mapping_reference(mp, observation));
    }
}

void obr_results(struct mapping *mp, const struct order *o, const struct obr_group *g)
{
    struct mapped_resource *request = order_request(mp, o, g->kind, true), *report = NULL;
    struct slice group = first_of(mapping_value(mp, o->obr, 4, 1), mapping_value(mp, o->obr, 3, 1));
    struct obx_context context = {
        .key = ARENA_JOIN(mp->a, slice_str(g->kind), SLICE(":"), g->key_order, SLICE(":"), group),
        .scope = o->scope,
        .category = g->category,
        .effective = first_of(mapping_value(mp, o->obr, 7, 1), spm_taken(mp, o)),
        .specimen = spm_specimen(mp, o),
        .request = request,
        .numbered = o->numbered,
    };
    struct json *specimen;

    if (g->report && cwe_says(mp, o->obr, 4))
        report = new_report(mp, o, g);
    add_results(mp, o, &context, report);
    if (!report)
        return;
    order_based_on(mp, request, report->resource);
    if (context.specimen) {
        specimen = json_new(mp->a, JSON_OBJECT);
        json_put_text(mp->a, specimen, "reference", context.specimen);
        mapping_put_at(mp->a, report->resource, "specimen[]", specimen);
    }
    if (!json_get(report->resource, "status"))
        json_put_text(mp->a, report->resource, "status", status_of_results(report->resource, mp));
}

const struct row_set obr_sets[] = {
    {"OBR", "DiagnosticReport", report_rows, NULL}, {"OBR", "DiagnosticReport", end_rows, NULL},
    {"OBR", "DiagnosticReport", pair_rows, NULL},   {"ORC", "DiagnosticReport", orc_numbers, NULL},
    {"ORC", "DiagnosticReport", orc_rows, NULL},    ROW_SET_END,
};
