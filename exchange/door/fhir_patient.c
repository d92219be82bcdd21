/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations on one resident: $summary (IPS document, as JSON or as the emergency page) and
 * $explain-access. Both read through the same gate as a plain read; neither has a way of its own
 * to the data.
 */
#include <assert.h>

#include "mappers/fhir/definition.h"
#include "exchange/door/fhir_operation.h"
#include "exchange/door/fhir_query.h"
#include "exchange/gate/refs.h"
#include "exchange/gate/wire.h"
#include "mappers/html/page.h"
#include "mappers/ips/summary.h"
#include "storage/consent.h"
#include "storage/person.h"

#include "base/ids.h"

#include "base/banned.h"

#define READERS ((1u << GRANT_FACILITY) | (1u << GRANT_RESIDENT))
#define SUMMARY_MAX 500 /* resources of one type in a summary: the newest */

/* ── gathering ───────────────────────────────────────────────────────────────────────────────── */

struct gather {
    struct json **items;
    size_t count;
    size_t room;
};

/* RECORD as this reader sees it, as a tree. */
static enum err read_outward(struct session *s, struct request *r, const struct record *record,
                             struct json **ret_resource)
{
    struct json_fault fault;
    struct buf text;
    buf_init(&text, LIMIT_HTTP_ANSWER);
    enum err err = refs_outward(s, r, record, &text);
    struct slice kept = arena_dup(r->arena, buf_slice(&text));
    buf_fini(&text);
    return err ? err : json_parse(r->arena, kept, ret_resource, &fault);
}

/* Says where RESOURCE comes from, for the summary's lines (mappers/ips/summary.h). */
static enum err tag_source(struct session *s, struct request *r, int64_t facility,
                           struct json *resource)
{
    struct facility f;
    struct json *meta = json_get(resource, "meta"), *tags = json_get(meta, "tag");
    enum err err = registry_facility_by_id(s, r->arena, facility, &f);
    if (err || !meta)
        return err;
    if (!tags)
        tags = json_put_array(r->arena, meta, "tag");
    struct json *tag = json_push_object(r->arena, tags);
    json_put_text(r->arena, tag, "system", "urn:tasuki:facility");
    json_put_str(r->arena, tag, "code", f.key);
    json_put_str(r->arena, tag, "display", f.name);
    return arena_exhausted(r->arena) ? ERR_LIMIT : ERR_OK;
}

/* What a summary is made of, and by which date the newest of it is known. */
static const struct summary_type {
    const char *type;
    const char *date;
} summary_types[] = {
    {"AllergyIntolerance", "date"},
    {"Condition", "onset-date"},
    {"MedicationRequest", "authoredon"},
    {"MedicationStatement", "effective"},
    {"MedicationAdministration", "effective-time"},
    {"Procedure", "date"},
    {"Observation", "date"},
    {"DiagnosticReport", "date"},
    {"Encounter", "date"},
    {"Immunization", "date"},
};

static enum err gather_type(struct session *s, struct request *r, const struct summary_type *of,
                            int64_t person, struct gather *g)
{
    struct slice types[] = {slice_str(of->type)};
    const struct definition_param *date = definition_param(types[0], slice_str(of->date));
    assert(date);
    const struct search_sort sort = {.order = SEARCH_BY_PARAM,
                                     .param = date->number,
                                     .kind = FACET_DATE,
                                     .descending = true};
    const struct search_filter of_person = {
        .kind = SEARCH_PERSONS, .persons = &person, .person_count = 1};
    struct search search = {.types = types,
                            .type_count = 1,
                            .filters = {&of_person, 1},
                            .limit = SUMMARY_MAX,
                            .sorts = &sort,
                            .sort_count = 1};
    struct search_result found = {0};
    enum err err = search_run(s, r->arena, &search, &found);
    for (size_t i = 0; i < found.count && !err && g->count < g->room; i++) {
        struct json **item = &g->items[g->count];
        err = read_outward(s, r, &found.records[i], item);
        if (!err)
            err = tag_source(s, r, found.records[i].facility, *item);
        g->count += !err;
    }
    return err;
}

static enum err read_patient(struct session *s, struct request *r, int64_t person,
                             struct json **ret_patient)
{
    struct record record;
    enum err err = record_read_patient(s, r->arena, person, &record);
    if (err)
        return err == ERR_GONE ? ERR_NOT_FOUND : err;
    return read_outward(s, r, &record, ret_patient);
}

/* ── $summary ────────────────────────────────────────────────────────────────────────────────── */


/* The emergency page: the same document through a style sheet. */
static enum err answer_page(struct request *r, const struct json *bundle)
{
    struct json *view = NULL;
    enum err err = summary_view(r->arena, bundle, r->grant.now_ms, &view);
    r->answer_type = "text/html; charset=utf-8";
    return err ? err
               : page_render("mappers/html/summary.xsl", view, r->lang, false, &r->answer_buf);
}

static enum err summary_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    struct gather g = {.room = SUMMARY_MAX * 4};
    struct json *patient = NULL, *bundle = NULL;
    uint64_t visible = 0;
    int64_t person = 0;
    enum err err = fhir_operation_params(r);
    if (!err)
        err = fhir_instance_person(s, r, &person);
    r->entity = "Patient/@";
    if (!err)
        err = read_patient(s, r, person, &patient);
    if (!err)
        err = search_visible(s, person, &visible);
    g.items = arena_array(r->arena, g.room, sizeof(*g.items));
    if (!err && !g.items)
        err = ERR_LIMIT;
    for (size_t i = 0; i < sizeof(summary_types) / sizeof(*summary_types) && !err; i++)
        err = gather_type(s, r, &summary_types[i], person, &g);
    if (err)
        return err;
    struct summary_input input = {
        .patient = patient,
        .resources = (const struct json *const *)g.items,
        .count = g.count,
        .base_url = slice_str(r->base_url),
        .author = slice_str(r->exchange->conf.region ? r->exchange->conf.region : "Tasuki"),
        .now_ms = r->grant.now_ms,
        .emergency = r->grant.emergency,
        .withheld = CATEGORY_ALL & ~visible,
    };
    err = summary_bundle(r->arena, &input, ids_uuid, &bundle);
    if (err)
        return err;
    r->count = (int64_t)g.count + 1;
    if (!in->html)
        return fhir_answer_json(r, bundle);
    return answer_page(r, bundle);
}

const struct use fhir_use_summary = {.event = "summary", .actors = READERS, .look = summary_look};

/* ── $explain-access ─────────────────────────────────────────────────────────────────────────── */

static void explain_category(struct request *r, struct json *list, enum category c, bool permitted,
                             const char *why)
{
    struct json *p = json_push_object(r->arena, list);
    json_put_text(r->arena, p, "name", category_code(c));
    struct json *parts = json_put_array(r->arena, p, "part");
    struct json *part = json_push_object(r->arena, parts);
    json_put_text(r->arena, part, "name", "permitted");
    json_put_bool(r->arena, part, "valueBoolean", permitted);
    part = json_push_object(r->arena, parts);
    json_put_text(r->arena, part, "name", "rule");
    json_put_text(r->arena, part, "valueString", why);
}

static const char *rule_text(struct request *r, const struct consent_rule *rule)
{
    if (r->grant.emergency)
        return "emergency / 緊急閲覧";
    if (r->grant.actor == GRANT_RESIDENT)
        return "the resident himself / 本人";
    if (!rule)
        return "no consent: denied / 同意がないため不可";
    return rule->permit ? "consent permits / 同意あり" : "consent denies / 本人が拒否";
}

static enum err explain_access_look(struct session *s, struct request *r)
{
    struct consent_rule *rules = NULL;
    size_t count = 0;
    uint64_t visible = 0;
    int64_t person = 0, chart = 0;
    enum err err = fhir_operation_params(r);
    if (!err)
        err = fhir_instance_person(s, r, &person);
    r->entity = "Patient/@";
    if (!err)
        err = search_visible(s, person, &visible);
    if (!err &&
        !visible) /* to a caller who may see nothing and has no chart the resident does not exist */
        err = person_chart(s, r->grant.facility, person, &chart);
    if (err == ERR_NOT_FOUND)
        return err_add(&r->errors, err, "", "Patient");
    if (!err)
        err = consent_rules(s, r->arena, person, &rules, &count);
    if (err)
        return err;
    struct json *answer = json_new(r->arena, JSON_OBJECT);
    json_put_text(r->arena, answer, "resourceType", "Parameters");
    struct json *list = json_put_array(r->arena, answer, "parameter");
    for (unsigned c = CATEGORY_DEMOGRAPHICS; c < CATEGORY_COUNT; c++) {
        const struct consent_rule *rule = NULL;
        consent_decide(rules, count, r->grant.facility, r->grant.purpose, (enum category)c,
                       r->grant.now_ms, &rule);
        explain_category(r, list, (enum category)c, visible & CATEGORY_BIT(c), rule_text(r, rule));
    }
    return fhir_answer_json(r, answer);
}

const struct use fhir_use_explain_access = {
    .event = "explain-access", .actors = READERS, .look = explain_access_look};
