/* SPDX-License-Identifier: Apache-2.0
 *
 * OperationOutcome and CapabilityStatement (R4 operationoutcome.html, capabilitystatement.html).
 * The latter is made from the same tables that validate and search, and from the routes the door
 * really has, so that it cannot promise what is not there. Bytes only: who may see it is decided
 * elsewhere.
 */
#include "mappers/fhir/outcome.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/when.h"
#include "mappers/fhir/definition.h"

#include "base/banned.h"

#define INSTANT_MAX 64

/* ── OperationOutcome ────────────────────────────────────────────────────────────────────────── */

static void put_issue(struct arena *a, struct json *list, const struct err_item *item)
{
    static const char *const severities[] = {"error", "warning", "information"};
    struct json *issue = json_push_object(a, list);
    json_put_text(a, issue, "severity", severities[item->severity]);
    json_put_text(a, issue, "code", err_issue(item->code));
    struct json *details = json_put_object(a, issue, "details");
    const char *text = arena_printf(a, "%s / %s", item->ja, item->en);
    json_put_str(a, details, "text", slice_str(text));
    json_put_text(a, issue, "diagnostics", err_name(item->code));
    if (item->place && *item->place) {
        struct json *expression = json_put_array(a, issue, "expression");
        json_push(expression, json_string(a, arena_dup(a, slice_str(item->place))));
    }
}

struct json *outcome_json(struct arena *arena, enum err code, const struct err_list *errors)
{
    struct json *outcome = json_new(arena, JSON_OBJECT);
    json_put_text(arena, outcome, "resourceType", "OperationOutcome");
    struct json *list = json_put_array(arena, outcome, "issue");
    for (const struct err_item *i = errors ? errors->first : NULL; i; i = i->next)
        put_issue(arena, list, i);
    if (list && list->count == 0) {
        struct err_item alone = {.code = code,
                                 .severity = ERR_SEVERITY_ERROR,
                                 .place = "",
                                 .en = err_en(code),
                                 .ja = err_ja(code)};
        if (code == ERR_OK)
            alone.severity = ERR_SEVERITY_INFORMATION;
        put_issue(arena, list, &alone);
    }
    return outcome;
}

/* ── CapabilityStatement ─────────────────────────────────────────────────────────────────────── */

struct capability {
    struct arena *arena;
    const char *base_url;
    const struct outcome_route *routes;
    size_t count;
};

static const char *const system_interactions[] = {"transaction", "batch", "search-system",
                                                  "history-system", NULL};

/* Words that are no interactions: what they put into the entry of a type. NULL: true. */
static const struct {
    const char *word, *element, *value;
} features[] = {
    {"conditional-create", "conditionalCreate", NULL},
    {"conditional-read", "conditionalRead", "full-support"},
    {"conditional-update", "conditionalUpdate", NULL},
    {"conditional-delete", "conditionalDelete", "single"},
    {"conditional-patch", NULL, NULL}, /* R4 has no place to say it */
    {"read-history", "readHistory", NULL},
    {"update-create", "updateCreate", NULL},
    {"versioned-update", "versioning", "versioned-update"},
};
#define FEATURES (sizeof(features) / sizeof(*features))

static const char *const patch_formats[] = {"application/json-patch+json", "application/fhir+json",
                                            "application/fhir+xml"};
static const char *const kind_codes[] = {
    [FACET_TOKEN] = "token",   [FACET_STRING] = "string",       [FACET_DATE] = "date",
    [FACET_NUMBER] = "number", [FACET_QUANTITY] = "quantity",   [FACET_REFERENCE] = "reference",
    [FACET_URI] = "uri",       [FACET_COMPOSITE] = "composite", [FACET_SPECIAL] = "special"};

static bool is_system(struct slice interaction)
{
    for (const char *const *i = system_interactions; *i; i++) {
        if (slice_is(interaction, *i))
            return true;
    }
    return false;
}

/* Rows that name the type stand before rows for every type: a type with rows of its own has only
 * those, as in the door's table. Operations are always by name. */
static bool has_own_rows(const struct capability *c, const char *type)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct outcome_route *r = &c->routes[i];
        if (r->type && r->interaction && strcmp(r->type, type) == 0)
            return true;
    }
    return false;
}

/* The list named KEY, made when first needed: FHIR knows no empty lists. */
static struct json *list_of(struct arena *a, struct json *object, const char *key)
{
    struct json *list = json_get(object, key);
    return list ? list : json_put_array(a, object, key);
}

static bool has_item(const struct json *list, const char *member, const char *text)
{
    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        if (slice_is(json_str(i, member), text))
            return true;
    }
    return false;
}

static void put_interaction(const struct capability *c, struct json *object, struct slice code)
{
    const char *text = arena_str(c->arena, code);
    if (!text || has_item(json_get(object, "interaction"), "code", text))
        return;
    struct json *item = json_push_object(c->arena, list_of(c->arena, object, "interaction"));
    json_put_text(c->arena, item, "code", text);
}

static void put_feature(const struct capability *c, struct json *resource, size_t i)
{
    if (features[i].value)
        json_put_text(c->arena, resource, features[i].element, features[i].value);
    else if (features[i].element)
        json_put_bool(c->arena, resource, features[i].element, true);
}

/* The words of ROUTE that are of the system, or those that are of a type. */
static void put_words(const struct capability *c, struct json *object, const struct outcome_route *r,
                      bool system)
{
    struct slice rest = slice_str(r->interaction ? r->interaction : "");
    while (rest.ptr && rest.len) {
        struct slice word = slice_cut(&rest, ' ');
        size_t i = 0;
        while (i < FEATURES && !slice_is(word, features[i].word))
            i++;
        if (is_system(word) != system)
            continue;
        if (i < FEATURES)
            put_feature(c, object, i);
        else
            put_interaction(c, object, word);
    }
}

static void put_operation(const struct capability *c, struct json *object,
                          const struct outcome_route *r)
{
    if (has_item(json_get(object, "operation"), "name", r->operation))
        return; /* GET and POST of one operation */
    struct json *item = json_push_object(c->arena, list_of(c->arena, object, "operation"));
    json_put_text(c->arena, item, "name", r->operation);
    json_put_text(c->arena, item, "definition", r->definition);
}

static bool is_listed(const char *list, const char *word)
{
    struct slice rest = slice_str(list);
    while (list && rest.ptr)
        if (slice_is(slice_cut(&rest, ' '), word))
            return true;
    return !list;
}

/* What one can ask with a parameter, from its definition alone. */
static const char *describe_param(const struct capability *c, const struct definition_param *p)
{
    const char *text = "Modifiers: :missing";
    struct slice rest = slice_str(definition_modifiers(p->kind));
    while (rest.ptr && rest.len) {
        struct slice modifier = slice_cut(&rest, ' ');
        text = arena_printf(c->arena, "%s, :%.*s", text, SLICE_ARG(modifier));
    }
    for (size_t i = 0; i < p->part_count; i++)
        text = arena_printf(c->arena, "%s%s%s", text, i ? "$" : "; components: ",
                            p->parts[i].param->code);
    if (p->kind != FACET_REFERENCE)
        return text;
    return arena_printf(c->arena, "%s, :[type], chains; targets: %s", text,
                        *p->targets ? p->targets : "any type");
}

static void push_text(const struct capability *c, struct json *list, const char *text)
{
    json_push(list, json_string(c->arena, slice_str(text)));
}

/* What _include and _revinclude can name; parameters that may refer to anything are not repeated for each type. */
static void put_includes(const struct capability *c, struct json *resource, const char *type)
{
    struct json *includes = NULL, *reverse = NULL;
    const struct definition_param *p = NULL;
    size_t count = 0;
    const struct definition_param *params = definition_params(slice_str(type), &count);
    for (size_t i = 0; i < count; i++) {
        if (params[i].kind != FACET_REFERENCE)
            continue;
        if (!includes) {
            includes = json_put_array(c->arena, resource, "searchInclude");
            push_text(c, includes, "*");
            push_text(c, includes, arena_printf(c->arena, "%s:*", type));
        }
        push_text(c, includes, arena_printf(c->arena, "%s:%s", type, params[i].code));
    }
    while ((p = definition_next_referrer(slice_str(type), p))) {
        if (!*p->targets)
            continue;
        if (!reverse)
            reverse = json_put_array(c->arena, resource, "searchRevInclude");
        push_text(c, reverse, arena_printf(c->arena, "%s:%s", p->base, p->code));
    }
}

static void put_params(const struct capability *c, struct json *resource, const char *type,
                       const char *only)
{
    size_t count;
    const struct definition_param *params = definition_params(slice_str(type), &count);
    if (!only)
        put_includes(c, resource, type);
    for (size_t i = 0; i < count; i++) {
        if (!is_listed(only, params[i].code))
            continue;
        struct json *item = json_push_object(c->arena, list_of(c->arena, resource, "searchParam"));
        json_put_text(c->arena, item, "name", params[i].code);
        json_put_text(c->arena, item, "definition", params[i].url);
        json_put_text(c->arena, item, "type", kind_codes[params[i].kind]);
        bool plain = strcmp(params[i].code, "_id") == 0 ||
                     strcmp(params[i].code, "_lastUpdated") == 0; /* without modifiers */
        if (!only && !plain)
            json_put_text(c->arena, item, "documentation", describe_param(c, &params[i]));
    }
}

static void put_resource(const struct capability *c, struct json *rest, const char *type)
{
    bool own = has_own_rows(c, type);
    const char *params = NULL;
    struct json *resource = json_new(c->arena, JSON_OBJECT);
    json_put_text(c->arena, resource, "type", type);
    for (size_t i = 0; i < c->count; i++) {
        const struct outcome_route *r = &c->routes[i];
        if (r->type ? strcmp(r->type, type) == 0 : !own)
            put_words(c, resource, r, false);
        if (own && r->params && r->type && strcmp(r->type, type) == 0)
            params = r->params;
    }
    if (has_item(json_get(resource, "interaction"), "code", "search-type"))
        put_params(c, resource, type, params);
    for (size_t i = 0; i < c->count; i++) {
        const struct outcome_route *r = &c->routes[i];
        if (r->operation && !r->system && (!r->type || strcmp(r->type, type) == 0))
            put_operation(c, resource, r);
    }
    if (resource && (json_get(resource, "interaction") || own))
        json_push(list_of(c->arena, rest, "resource"), resource);
}

/* What every resource can be searched by and no element says; and the compartments. */
static void put_everywhere(const struct capability *c, struct json *rest)
{
    static const struct {
        const char *name, *type, *text;
    } params[] = {
        {"_text", "string", "words of the narrative"},
        {"_content", "string", "words of the whole resource"},
        {"_list", "string", "members of a List, by its id"},
        {"_has", "string", "_has:[type]:[reference]:[parameter], one in another and in chains"},
        {"_type", "token", "types to search, at the base and in compartments"},
    };
    static const char *const compartments[] = {"patient", "encounter", "relatedPerson",
                                               "practitioner", "device"};
    struct json *list = json_put_array(c->arena, rest, "searchParam");
    for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
        struct json *item = json_push_object(c->arena, list);
        json_put_text(c->arena, item, "name", params[i].name);
        json_put_text(c->arena, item, "type", params[i].type);
        json_put_text(c->arena, item, "documentation", params[i].text);
    }
    list = json_put_array(c->arena, rest, "compartment");
    for (size_t i = 0; i < sizeof(compartments) / sizeof(compartments[0]); i++)
        push_text(c, list,
                  arena_printf(c->arena, "http://hl7.org/fhir/CompartmentDefinition/%s",
                               compartments[i]));
}

static void put_rest(const struct capability *c, struct json *statement)
{
    size_t count;
    struct json *rest = json_push_object(c->arena, json_put_array(c->arena, statement, "rest"));
    json_put_text(c->arena, rest, "mode", "server");
    struct json *security = json_put_object(c->arena, rest, "security");
    json_put_text(c->arena, security, "description",
                  "TLS 1.2 以上のクライアント証明書で施設を認証します。同意に基づき開示します。 / "
                  "Facilities are authenticated by client certificate over TLS 1.2 or later; "
                  "disclosure follows the residents' consent.");
    const struct definition_type *const *types = definition_resources(&count);
    for (size_t i = 0; i < count; i++)
        put_resource(c, rest, types[i]->name);
    for (size_t i = 0; i < c->count; i++)
        if (!c->routes[i].type)
            put_words(c, rest, &c->routes[i], true);
    for (size_t i = 0; i < c->count; i++) {
        if (c->routes[i].operation && c->routes[i].system)
            put_operation(c, rest, &c->routes[i]);
    }
    put_everywhere(c, rest);
}

static struct slice instant(struct arena *arena, int64_t ms)
{
    struct buf text;
    buf_init(&text, INSTANT_MAX);
    when_print_instant(&text, ms);
    struct slice copy = arena_dup(arena, buf_slice(&text));
    buf_fini(&text);
    return copy;
}

struct json *outcome_capability(struct arena *arena, const char *version, const char *base_url,
                                int64_t built_ms, const struct outcome_route *routes, size_t count)
{
    struct capability c = {arena, base_url, routes, count};
    struct json *s = json_new(arena, JSON_OBJECT);
    json_put_text(arena, s, "resourceType", "CapabilityStatement");
    json_put_text(arena, s, "status", "active");
    json_put_str(arena, s, "date", instant(arena, built_ms));
    json_put_text(arena, s, "kind", "instance");
    struct json *software = json_put_object(arena, s, "software");
    json_put_text(arena, software, "name", "Tasuki");
    json_put_text(arena, software, "version", version);
    struct json *implementation = json_put_object(arena, s, "implementation");
    json_put_text(arena, implementation, "description",
                  "地域医療情報連携 / regional health record exchange");
    json_put_text(arena, implementation, "url", base_url);
    json_put_text(arena, s, "fhirVersion", "4.0.1");
    struct json *formats = json_put_array(arena, s, "format");
    json_push(formats, json_string(arena, SLICE("json")));
    json_push(formats, json_string(arena, SLICE("xml")));
    struct json *patches = json_put_array(arena, s, "patchFormat");
    for (size_t i = 0; i < sizeof(patch_formats) / sizeof(*patch_formats); i++)
        push_text(&c, patches, patch_formats[i]);
    put_rest(&c, s);
    return s;
}
