/* SPDX-License-Identifier: Apache-2.0
 *
 * Audit row to BALP AuditEvent. The event table gives subtype, action and the agents' types, which
 * BALP reverses for reading (the data flows from the server). What the row does not say is not
 * invented.
 */
#include "exchange/use/audit_event.h"

#include <string.h>

#include "base/digest.h"
#include "base/limits.h"
#include "exchange/gate/refs.h"
#include "exchange/gate/wire.h"
#include "mappers/fhir/definition.h"
#include "mappers/fhir/primitive.h"

#include "base/banned.h"

#define DCM "http://dicom.nema.org/resources/ontology/DCM"
#define PARTICIPATION "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
#define SYSTEM_TYPE "http://terminology.hl7.org/CodeSystem/audit-event-type"
#define SYSTEM_ACTION "http://hl7.org/fhir/audit-event-action"
#define SYSTEM_OUTCOME "http://hl7.org/fhir/audit-event-outcome"
#define SYSTEM_INTERACTION "http://hl7.org/fhir/restful-interaction"
#define SYSTEM_EVENT "urn:tasuki:audit-event"
#define SYSTEM_ROLE "urn:tasuki:role"
#define SYSTEM_ENTITY_TYPE "http://terminology.hl7.org/CodeSystem/audit-entity-type"
#define SYSTEM_ENTITY_ROLE "http://terminology.hl7.org/CodeSystem/object-role"
#define SYSTEM_BALP_ENTITY "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"

static const struct event_row {
    const char *event, *subtype, *action;
    const char *client, *server, *user; /* agent types */
    const char *text;                   /* what the resident reads */
    bool query;                         /* what was asked is told, not one resource */
} events[] = {
    {"read", "read", "R", "110152", "110153", "IRCP", "閲覧 / read", false},
    {"vread", "vread", "R", "110152", "110153", "IRCP", "旧版の閲覧 / read of a former version",
     false},
    {"history", "history-instance", "R", "110152", "110153", "IRCP", "履歴の閲覧 / history", false},
    {"history-type", "history-type", "R", "110152", "110153", "IRCP",
     "種別ごとの履歴の閲覧 / history of a type", true},
    {"history-system", "history-system", "R", "110152", "110153", "IRCP",
     "全体の履歴の閲覧 / history of everything", true},
    {"search", "search-type", "E", "110153", "110152", "IRCP", "検索 / search", true},
    {"match", "operation", "E", "110153", "110152", "IRCP", "本人照合 / match", true},
    {"summary", "operation", "R", "110152", "110153", "IRCP", "サマリーの閲覧 / summary", false},
    {"everything", "operation", "R", "110152", "110153", "IRCP", "全記録の閲覧 / everything",
     false},
    {"explain-access", "operation", "E", "110153", "110152", "IRCP",
     "閲覧可否の照会 / explain access", false},
    {"access-history", "operation", "R", "110152", "110153", "IRCP",
     "閲覧記録の参照 / access history", false},
    {"create", "create", "C", "110153", "110152", "AUT", "登録 / create", false},
    {"update", "update", "U", "110153", "110152", "AUT", "更新 / update", false},
    {"patch", "patch", "U", "110153", "110152", "AUT", "部分更新 / patch", false},
    {"delete", "delete", "D", "110150", "custodian", "AUT", "削除 / delete", false},
    {"pdq", "operation", "E", "110153", "110152", "IRCP", "患者の検索 / PDQ", true},
    {"pix", "operation", "E", "110153", "110152", "IRCP", "患者番号の照会 / PIX", true},
    {"intake-replay", "create", "C", "110153", "110152", "AUT", "受信のやり直し / intake replay",
     false},
    {"intake-dismiss", "operation", "E", "110153", "110152", "AUT",
     "受信を登録せず処理済みに / intake dismissed", false},
    {"intake", "create", "C", "110153", "110152", "AUT", "受信 / intake", false},
    {"validate", "operation", "E", "110153", "110152", "IRCP", "検査 / validate", false},
    {"terminology", "operation", "E", "110153", "110152", "IRCP", "用語の照会 / terminology",
     false},
    {"break-glass", "operation", "E", "110153", "110152", "IRCP", "緊急閲覧の開始 / break-glass",
     false},
    {"meta", "operation", "R", "110152", "110153", "IRCP", "タグの閲覧 / meta", false},
    {"meta-add", "operation", "U", "110153", "110152", "AUT", "タグの追加 / meta-add", false},
    {"meta-delete", "operation", "U", "110153", "110152", "AUT", "タグの削除 / meta-delete", false},
    {"lastn", "operation", "E", "110153", "110152", "IRCP", "最新の検査値の検索 / lastn", true},
    {"document", "operation", "R", "110152", "110153", "IRCP", "文書の閲覧 / document", false},
    {"ihe-pix", "operation", "E", "110153", "110152", "IRCP", "患者番号の照会 / PIXm", true},
    {"convert", "operation", "E", "110153", "110152", "IRCP", "形式の変換 / convert", false},
    {"transaction", "transaction", "E", "110153", "110152", "AUT", "一括登録 / transaction", false},
    {"batch", "batch", "E", "110153", "110152", "AUT", "一括要求 / batch", false},
    {"notify", "operation", "R", "110152", "110153", "IRCP", "購読による通知 / notification",
     false},
    {"events", "operation", "E", "110153", "110152", "IRCP", "購読の受信開始 / listening", false},
    {"export", "operation", "R", "110152", "110153", "IRCP", "一括出力 / bulk export", false},
    {"export-ssmix2", "operation", "R", "110152", "110153", "IRCP",
     "SS-MIX2 への書き出し / SS-MIX2 export", false},
    {"export-begin", "operation", "E", "110153", "110152", "IRCP",
     "一括出力の開始 / bulk export asked for", true},
};

static const struct event_row *find_event(const char *event)
{
    static const struct event_row other = {"",     "operation",        "E",  "110153", "110152",
                                           "IRCP", "操作 / operation", false};
    for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
        if (strcmp(events[i].event, event) == 0)
            return &events[i];
    return &other;
}

static struct json *put_coding(struct arena *a, struct json *holder, const char *system,
                               const char *code)
{
    struct json *c = holder;
    json_put_text(a, c, "system", system);
    json_put_text(a, c, "code", code);
    return c;
}

static struct json *push_concept(struct arena *a, struct json *holder, const char *name,
                                 const char *system, const char *code)
{
    struct json *concept = json_push_object(a, json_put_array(a, holder, name));
    put_coding(a, json_push_object(a, json_put_array(a, concept, "coding")), system, code);
    return concept;
}

static struct json *agent(struct arena *a, struct json *agents, const char *type_code,
                          bool requestor)
{
    const char *system = strcmp(type_code, "custodian") == 0
                             ? "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
                         : strlen(type_code) == 6 ? DCM
                                                  : PARTICIPATION;
    struct json *g = json_push_object(a, agents);
    struct json *type = json_put_object(a, g, "type");
    put_coding(a, json_push_object(a, json_put_array(a, type, "coding")), system, type_code);
    json_put_bool(a, g, "requestor", requestor);
    return g;
}

/* Who asked: a facility by name and code, the resident himself, or somebody unknown. */
static enum err put_who(struct session *s, struct request *r, struct json *g,
                        const struct audit_row *row)
{
    struct arena *a = r->arena;
    struct facility f;
    char wire[IDS_WIRE_LEN + 1];
    struct json *who = json_put_object(a, g, "who");
    if (strcmp(row->actor, "resident") == 0 && row->person > 0) {
        wire_id(r, row->person, wire);
        json_put_text(a, who, "reference", arena_printf(a, "Patient/%s", wire));
        json_put_text(a, who, "display", "本人 / the resident");
        return ERR_OK;
    }
    if (row->facility > 0) {
        enum err err = registry_facility_by_id(s, a, row->facility, &f);
        if (err)
            return err;
        json_put_str(a, who, "reference",
                     slice_str(arena_printf(a, "Organization/%.*s", SLICE_ARG(f.key))));
        struct json *id = json_put_object(a, who, "identifier");
        json_put_text(a, id, "system", AUDIT_EVENT_INSTITUTION);
        json_put_str(a, id, "value", f.code);
        json_put_str(a, who, "display", f.name);
        return ERR_OK;
    }
    json_put_text(a, who, "display", row->actor[0] ? row->actor : "unknown");
    return ERR_OK;
}

static void put_purpose(struct arena *a, struct json *g, const struct audit_row *row)
{
    if (row->purpose[0])
        push_concept(a, g, "purposeOfUse", "http://terminology.hl7.org/CodeSystem/v3-ActReason",
                     row->purpose);
}

static enum err put_agents(struct session *s, struct request *r, struct json *event,
                           const struct event_row *e, const struct audit_row *row)
{
    struct arena *a = r->arena;
    struct json *agents = json_put_array(a, event, "agent");
    struct json *client = agent(a, agents, e->client, row->user[0] == 0);
    enum err err = put_who(s, r, client, row);
    if (err)
        return err;
    struct json *network = json_put_object(a, client, "network");
    json_put_text(a, network, "address", row->peer[0] ? row->peer : "local");
    json_put_text(a, network, "type", "2");
    put_purpose(a, client, row);
    struct json *server = agent(a, agents, e->server, false);
    json_put_text(a, json_put_object(a, server, "who"), "display",
                  r->exchange->conf.region ? r->exchange->conf.region : "Tasuki");
    network = json_put_object(a, server, "network");
    json_put_text(a, network, "address",
                  r->exchange->conf.host ? r->exchange->conf.host : "localhost");
    json_put_text(a, network, "type", "2");
    if (!row->user[0])
        return ERR_OK;
    struct json *user = agent(a, agents, e->user, true);
    struct json *who = json_put_object(a, json_put_object(a, user, "who"), "identifier");
    json_put_text(a, who, "value", row->user);
    if (row->role[0])
        push_concept(a, user, "role", SYSTEM_ROLE, row->role);
    put_purpose(a, user, row);
    return ERR_OK;
}

static void put_entity_type(struct arena *a, struct json *entity, const char *type,
                            const char *role)
{
    put_coding(a, json_put_object(a, entity, "type"), SYSTEM_ENTITY_TYPE, type);
    put_coding(a, json_put_object(a, entity, "role"), SYSTEM_ENTITY_ROLE, role);
}

static void put_query(struct request *r, struct json *entities, const struct audit_row *row)
{
    struct arena *a = r->arena;
    struct json *entity = json_push_object(a, entities);
    struct buf text;
    put_entity_type(a, entity, "2", "24");
    buf_init(&text, LIMIT_HTTP_HEAD * 2);
    /* A resident sees that and what was searched, not the terms: they may name other people. */
    struct slice query = slice_str(row->query);
    if (r->grant.actor == GRANT_RESIDENT)
        query = slice_sub(query, 0, slice_find(query, '?', 0));
    digest_base64(&text, query, false);
    json_put_str(a, entity, "query", arena_dup(a, buf_slice(&text)));
    buf_fini(&text);
}

static void put_detail(struct arena *a, struct json *entity, const char *type, const char *value)
{
    struct json *detail = json_get(entity, "detail");
    if (!value || !value[0])
        return;
    if (!detail)
        detail = json_put_array(a, entity, "detail");
    struct json *d = json_push_object(a, detail);
    json_put_text(a, d, "type", type);
    json_put_text(a, d, "valueString", value);
}

static void put_request(struct arena *a, struct json *transaction, const char *request)
{
    struct json *what = json_put_object(a, json_put_object(a, transaction, "what"), "identifier");
    json_put_text(a, what, "value", request);
    put_coding(a, json_put_object(a, transaction, "type"), SYSTEM_BALP_ENTITY, "XrequestId");
}

/* Type/id of a type there is, with or without a version. What was asked for may be anything. */
static bool is_reference(struct slice entity)
{
    struct slice rest = entity;
    const struct definition_type *type = definition_type(slice_cut(&rest, '/'));
    struct slice id = slice_cut(&rest, '/');
    return type && type->kind == DEFINITION_RESOURCE && primitive_is_id(id) &&
           (!rest.ptr || slice_is(slice_cut(&rest, '/'), "_history"));
}

/* Is the thing touched told, besides the resident himself? */
static bool names_data(const struct audit_row *row)
{
    return row->entity[0] && strcmp(row->entity, "Patient/@") != 0 && strchr(row->entity, '/');
}

bool audit_event_is_shown(const struct request *r, const struct audit_row *row)
{
    return r->grant.actor != GRANT_FACILITY || strcmp(row->reason, REQUEST_VAIN) != 0;
}

bool audit_event_tells(const struct request *r, const struct audit_row *row)
{
    const char *action = find_event(row->event)->action;
    if (row->person <= 0 || r->grant.actor != GRANT_FACILITY)
        return row->person > 0;
    return row->outcome == ERR_OK &&
           (row->count > 0 || strchr("CUD", *action) || strcmp(row->event, "break-glass") == 0 ||
            strcmp(row->event, "explain-access") == 0);
}

static void put_entities(struct request *r, struct json *event, const struct audit_row *row)
{
    struct arena *a = r->arena;
    struct json *entities = json_put_array(a, event, "entity");
    char wire[IDS_WIRE_LEN + 1];
    bool is_query = find_event(row->event)->query;
    if (audit_event_tells(r, row)) {
        struct json *patient = json_push_object(a, entities);
        wire_id(r, row->person, wire);
        json_put_text(a, json_put_object(a, patient, "what"), "reference",
                      arena_printf(a, "Patient/%s", wire));
        put_entity_type(a, patient, "1", "1");
        put_detail(a, patient, "reason", row->reason);
        put_detail(a, patient, "count", arena_printf(a, "%lld", (long long)row->count));
    }
    if (is_query) {
        put_query(r, entities, row);
    } else if (names_data(row)) {
        struct json *data = json_push_object(a, entities);
        json_put_text(a, json_put_object(a, data, "what"),
                      is_reference(slice_str(row->entity)) ? "reference" : "display", row->entity);
        put_entity_type(a, data, "2", "4");
    }
    if (row->request[0])
        put_request(a, json_push_object(a, entities), row->request);
    if (!entities->first)
        json_remove(event, "entity"); /* a command about nobody */
}

static const char *outcome_code(const struct audit_row *row)
{
    return row->outcome == ERR_OK ? "0" : err_http(row->outcome) >= 500 ? "8" : "4";
}

static void put_outcome(struct arena *a, struct json *event, const struct audit_row *row)
{
    json_put_text(a, event, "outcome", outcome_code(row));
    if (row->outcome != ERR_OK)
        json_put_text(a, event, "outcomeDesc",
                      arena_printf(a, "%s / %s", err_ja(row->outcome), err_en(row->outcome)));
}

enum err audit_event_json(struct session *s, struct request *r, const struct audit_row *row,
                          struct json **ret_event)
{
    struct arena *a = r->arena;
    const struct event_row *e = find_event(row->event);
    struct json *event = json_new(a, JSON_OBJECT);
    struct buf when;
    buf_init(&when, 64);
    when_print_instant(&when, row->at_ms);
    struct slice at = arena_dup(a, buf_slice(&when));
    buf_fini(&when);
    json_put_text(a, event, "resourceType", "AuditEvent");
    json_put_text(a, event, "id", arena_printf(a, "%lld", (long long)row->seq));
    struct json *meta = json_put_object(a, event, "meta");
    json_put_text(a, meta, "versionId", "1");
    json_put_str(a, meta, "lastUpdated", at);
    put_coding(a, json_put_object(a, event, "type"), SYSTEM_TYPE, "rest");
    struct json *subtype = json_push_object(a, json_put_array(a, event, "subtype"));
    put_coding(a, subtype, SYSTEM_INTERACTION, e->subtype);
    struct json *own = json_push_object(a, json_get(event, "subtype"));
    put_coding(a, own, SYSTEM_EVENT, row->event);
    json_put_text(a, own, "display", e->text);
    json_put_text(a, event, "action", e->action);
    json_put_str(a, event, "recorded", at);
    put_outcome(a, event, row);
    enum err err = put_agents(s, r, event, e, row);
    if (err)
        return err;
    struct json *source = json_put_object(a, event, "source");
    json_put_text(a, json_put_object(a, source, "observer"), "display", "Tasuki");
    put_entities(r, event, row);
    if (arena_exhausted(a))
        return ERR_LIMIT;
    *ret_event = event;
    return ERR_OK;
}

/* ── codes ───────────────────────────────────────────────────────────────────────────────────── */

static size_t entity_codes(const struct request *r, const struct audit_row *row, bool roles,
                           struct audit_event_code codes[AUDIT_EVENT_CODES])
{
    const char *system = roles ? SYSTEM_ENTITY_ROLE : SYSTEM_ENTITY_TYPE;
    size_t n = 0;
    if (audit_event_tells(r, row))
        codes[n++] = (struct audit_event_code){system, "1"};
    if (find_event(row->event)->query)
        codes[n++] = (struct audit_event_code){system, roles ? "24" : "2"};
    else if (names_data(row))
        codes[n++] = (struct audit_event_code){system, roles ? "4" : "2"};
    if (row->request[0] && !roles)
        codes[n++] = (struct audit_event_code){SYSTEM_BALP_ENTITY, "XrequestId"};
    return n;
}

size_t audit_event_codes(const struct request *r, const struct audit_row *row,
                         enum audit_event_part part,
                         struct audit_event_code ret_codes[AUDIT_EVENT_CODES])
{
    const struct event_row *e = find_event(row->event);
    switch (part) {
    case AUDIT_EVENT_ACTION:
        ret_codes[0] = (struct audit_event_code){SYSTEM_ACTION, e->action};
        return 1;
    case AUDIT_EVENT_OUTCOME:
        ret_codes[0] = (struct audit_event_code){SYSTEM_OUTCOME, outcome_code(row)};
        return 1;
    case AUDIT_EVENT_TYPE:
        ret_codes[0] = (struct audit_event_code){SYSTEM_TYPE, "rest"};
        return 1;
    case AUDIT_EVENT_SUBTYPE:
        ret_codes[0] = (struct audit_event_code){SYSTEM_INTERACTION, e->subtype};
        ret_codes[1] = (struct audit_event_code){SYSTEM_EVENT, row->event};
        return 2;
    case AUDIT_EVENT_AGENT_ROLE:
        ret_codes[0] = (struct audit_event_code){SYSTEM_ROLE, row->role};
        return row->user[0] && row->role[0];
    case AUDIT_EVENT_ENTITY_TYPE:
        return entity_codes(r, row, false, ret_codes);
    case AUDIT_EVENT_ENTITY_ROLE:
        return entity_codes(r, row, true, ret_codes);
    }
    return 0;
}

bool audit_event_refers(const struct audit_row *row)
{
    return !find_event(row->event)->query && names_data(row) &&
           is_reference(slice_str(row->entity));
}
