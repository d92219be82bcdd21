/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /fhir/openapi.json: the same routes as an OpenAPI document (3.1, the first that knows client certificates as a way to
 * say who one is). A path is written out for each type where types differ, in searches by their parameters and where a type
 * has rows of its own; all else is one path with {type}. Methods are asked of fhir_route_find, as requests are. Bodies are only
 * said to be FHIR: what is valid there, R4 says.
 */
#include "exchange/door/fhir_operation.h"
#include "exchange/version.h"
#include "mappers/fhir/definition.h"

#include "base/banned.h"

#define EVERY_TYPE "Basic" /* has no rows of its own: stands for all that have none */

struct openapi {
    struct arena *arena;
    struct json *paths, *parameters, *schemas;
};

static struct json *reference(const struct openapi *o, struct json *list, const char *kind,
                              const char *name)
{
    struct json *item = json_push_object(o->arena, list);
    json_put_text(o->arena, item, "$ref",
                  arena_printf(o->arena, "#/components/%s/%s", kind, name));
    return item;
}

/* ── parameters ──────────────────────────────────────────────────────────────────────────────── */

/* All that are neither R4's search parameters nor an operation's. */
static const struct common {
    const char *name, *in, *type, *text;
} commons[] = {
    {"type", "path", NULL, "リソース種別 / resource type"},
    {"id", "path", "string", "論理ID / logical id"},
    {"vid", "path", "integer", "版 / version"},
    {"inner", "path", "string", "種別または * / type, or *"},
    {"job", "path", "string", "ジョブ / job"},
    {"file", "path", "integer", "ファイル番号 / number of a file"},
    {"_count", "query", "integer", "1ページの件数 / resources of a page"},
    {"_cursor", "query", "string", "続き（next リンクにある値） / what a next link holds"},
    {"_sort", "query", "string", "並べ替え / order"},
    {"_include", "query", "string", "参照先も返す / what the matches refer to"},
    {"_revinclude", "query", "string", "参照元も返す / what refers to the matches"},
    {"_total", "query", "string", "none, estimate, accurate"},
    {"_summary", "query", "string", "true, text, data, count, false"},
    {"_elements", "query", "string", "返す要素 / elements wanted"},
    {"_since", "query", "string", "これ以後 / since then"},
    {"_at", "query", "string", "この時に有効だった版 / current at that time"},
    {"_format", "query", "string", "json, xml"},
    {"_pretty", "query", "boolean", "字下げ / indented"},
    {"If-Match", "header", "string", "W/\"n\""},
    {"If-None-Match", "header", "string", "W/\"n\""},
    {"If-None-Exist", "header", "string", "検索条件 / criteria"},
    {"Prefer", "header", "string", "return=minimal, return=OperationOutcome, handling=lenient"},
    {"Tasuki-Purpose", "header", "string", "利用目的 / purpose"},
    {"Tasuki-User", "header", "string", "利用者 / user"},
    {"Tasuki-Role", "header", "string", "役割 / role"},
    {"Tasuki-Break-Glass", "header", "string", "緊急閲覧 / emergency session"},
};

static void put_schema(const struct openapi *o, struct json *holder, const char *type)
{
    struct json *schema = json_put_object(o->arena, holder, "schema");
    if (type)
        json_put_text(o->arena, schema, "type", type);
    else
        json_put_text(o->arena, schema, "$ref", "#/components/schemas/ResourceType");
}

static void put_commons(const struct openapi *o)
{
    for (size_t i = 0; i < sizeof(commons) / sizeof(*commons); i++) {
        const struct common *c = &commons[i];
        struct json *p = json_put_object(o->arena, o->parameters, c->name);
        json_put_text(o->arena, p, "name", c->name);
        json_put_text(o->arena, p, "in", c->in);
        json_put_text(o->arena, p, "description", c->text);
        if (strcmp(c->in, "path") == 0)
            json_put_bool(o->arena, p, "required", true);
        put_schema(o, p, c->type);
    }
}

static void put_common(const struct openapi *o, struct json *list, const char *names)
{
    struct slice rest = slice_str(names);
    while (rest.ptr && rest.len)
        reference(o, list, "parameters", arena_str(o->arena, slice_cut(&rest, ' ')));
}

/* The last part of the definition's url: "Patient-birthdate", "clinical-date". */
static const char *param_key(const struct definition_param *p)
{
    const char *slash = strrchr(p->url, '/');
    return slash ? slash + 1 : p->url;
}

/* May be given more than once: each time must hold. */
static void put_repeated(const struct openapi *o, struct json *p)
{
    struct json *schema = json_put_object(o->arena, p, "schema");
    json_put_text(o->arena, schema, "type", "array");
    json_put_text(o->arena, json_put_object(o->arena, schema, "items"), "type", "string");
    json_put_text(o->arena, p, "style", "form");
    json_put_bool(o->arena, p, "explode", true);
}

static void put_search_params(const struct openapi *o, struct json *list, struct slice type,
                              const char *only)
{
    size_t count = 0;
    const struct definition_param *params = definition_params(type, &count);
    for (size_t i = 0; i < count; i++) {
        const struct definition_param *d = &params[i];
        struct slice rest = slice_str(only ? only : d->code);
        bool listed = false;
        while (rest.ptr)
            listed = slice_is(slice_cut(&rest, ' '), d->code) || listed;
        if (!listed)
            continue;
        reference(o, list, "parameters", param_key(d));
        if (json_get(o->parameters, param_key(d)))
            continue;
        struct json *p = json_put_object(o->arena, o->parameters, param_key(d));
        json_put_text(o->arena, p, "name", d->code);
        json_put_text(o->arena, p, "in", "query");
        json_put_text(o->arena, p, "description", d->url);
        put_repeated(o, p);
    }
}

static void put_operation_params(const struct openapi *o, struct json *list,
                                 const struct fhir_operation *op)
{
    for (const struct fhir_operation_param *d = op->params; d->name; d++) {
        if (d->out || d->part_of || !d->type || (d->type[0] >= 'A' && d->type[0] <= 'Z'))
            continue; /* what only a body can hold */
        struct json *p = json_push_object(o->arena, list);
        json_put_text(o->arena, p, "name", d->name);
        json_put_text(o->arena, p, "in", "query");
        json_put_text(o->arena, p, "description", arena_printf(o->arena, "%s / %s", d->ja, d->en));
        json_put_bool(o->arena, p, "required", d->min > 0);
        if (strcmp(d->max, "1") == 0)
            put_schema(o, p, "string");
        else
            put_repeated(o, p);
    }
}

/* ── bodies ──────────────────────────────────────────────────────────────────────────────────── */

static void put_content(const struct openapi *o, struct json *holder, const char *const *types)
{
    struct json *content = json_put_object(o->arena, holder, "content");
    for (; *types; types++) {
        struct json *media = json_put_object(o->arena, content, *types);
        struct json *schema = json_put_object(o->arena, media, "schema");
        bool json = strstr(*types, "json") && !strstr(*types, "patch");
        if (json)
            json_put_text(o->arena, schema, "$ref", "#/components/schemas/Resource");
    }
}

static void put_body(const struct openapi *o, struct json *operation, const struct fhir_route *row)
{
    static const char *const fhir[] = {"application/fhir+json", "application/fhir+xml", NULL};
    static const char *const patch[] = {"application/json-patch+json", "application/fhir+json",
                                        "application/fhir+xml", NULL};
    static const char *const form[] = {"application/x-www-form-urlencoded", NULL};
    bool searches = row->shape == FHIR_TYPE_SEARCH || row->shape == FHIR_SYSTEM_SEARCH ||
                    row->shape == FHIR_COMPARTMENT_SEARCH;
    struct json *body;
    if (strcmp(row->method, "GET") == 0 || strcmp(row->method, "DELETE") == 0)
        return;
    body = json_put_object(o->arena, operation, "requestBody");
    put_content(o, body, searches ? form : strcmp(row->method, "PATCH") == 0 ? patch : fhir);
    json_put_bool(o->arena, body, "required", !searches && !fhir_operation_of(row));
}

static void put_responses(const struct openapi *o, struct json *operation)
{
    static const char *const codes[] = {"2XX", "default"};
    static const char *const names[] = {"done", "refused"};
    struct json *responses = json_put_object(o->arena, operation, "responses");
    for (size_t i = 0; i < 2; i++)
        json_put_text(o->arena, json_put_object(o->arena, responses, codes[i]), "$ref",
                      arena_printf(o->arena, "#/components/responses/%s", names[i]));
}

/* ── operations ──────────────────────────────────────────────────────────────────────────────── */

static bool is_search(const struct fhir_route *row)
{
    return (row->shape == FHIR_TYPE || row->shape == FHIR_ROOT || row->shape == FHIR_COMPARTMENT) &&
           strcmp(row->method, "GET") == 0;
}

static bool is_history_row(const struct fhir_route *row)
{
    const struct fhir_input in = {.shape = row->shape};
    return fhir_is_history(&in);
}

static void put_parameters(const struct openapi *o, struct json *list, const struct fhir_route *row,
                           struct slice type)
{
    const struct fhir_operation *op = fhir_operation_of(row);
    bool get = strcmp(row->method, "GET") == 0;
    if (op && get)
        put_operation_params(o, list, op);
    if (is_search(row)) {
        if (row->shape == FHIR_TYPE)
            put_search_params(o, list, type, row->params);
        put_common(o, list, "_count _cursor _sort _include _revinclude _total _summary _elements");
    }
    if (is_history_row(row))
        put_common(o, list, "_since _at _count _cursor");
    if (row->shape == FHIR_INSTANCE)
        put_common(o, list, get ? "_summary _elements If-None-Match" : "If-Match");
    if (row->shape == FHIR_TYPE && strcmp(row->method, "POST") == 0)
        put_common(o, list, "If-None-Exist");
    put_common(o, list, get ? "_format _pretty" : "_format _pretty Prefer");
    if (!row->use->anyone)
        put_common(o, list, "Tasuki-Purpose Tasuki-User Tasuki-Role Tasuki-Break-Glass");
}

static const char *summary_of(const struct openapi *o, const struct fhir_route *row)
{
    const struct fhir_operation *op = fhir_operation_of(row);
    if (op)
        return arena_printf(o->arena, "%s / %s", op->ja, op->en);
    return row->interaction ? row->interaction : row->use->event;
}

static void put_operation(const struct openapi *o, struct json *item, const struct fhir_route *row,
                          struct slice type, const char *path)
{
    char method[8] = {0};
    for (size_t i = 0; row->method[i] && i + 1 < sizeof(method); i++)
        method[i] = (char)(row->method[i] | 0x20);
    struct json *operation = json_put_object(o->arena, item, arena_str(o->arena, slice_str(method)));
    const char *tag = type.len && !slice_is(type, EVERY_TYPE) ? arena_str(o->arena, type) : "FHIR";
    json_push(json_put_array(o->arena, operation, "tags"), json_string(o->arena, slice_str(tag)));
    json_put_text(o->arena, operation, "operationId", arena_printf(o->arena, "%s %s", method, path));
    json_put_text(o->arena, operation, "summary", summary_of(o, row));
    put_parameters(o, json_put_array(o->arena, operation, "parameters"), row, type);
    put_body(o, operation, row);
    put_responses(o, operation);
    if (row->use->anyone)
        json_put_array(o->arena, operation, "security");
}

/* ── paths ───────────────────────────────────────────────────────────────────────────────────── */

/* %T: the type, %O: the operation or name. */
static const char *const patterns[] = {
    [FHIR_ROOT] = "/",
    [FHIR_SYSTEM] = "/%O",
    [FHIR_SYSTEM_SEARCH] = "/_search",
    [FHIR_SYSTEM_HISTORY] = "/_history",
    [FHIR_SYSTEM_OPERATION] = "/$%O",
    [FHIR_TYPE] = "/%T",
    [FHIR_TYPE_SEARCH] = "/%T/_search",
    [FHIR_TYPE_HISTORY] = "/%T/_history",
    [FHIR_INSTANCE] = "/%T/{id}",
    [FHIR_INSTANCE_HISTORY] = "/%T/{id}/_history",
    [FHIR_VERSION] = "/%T/{id}/_history/{vid}",
    [FHIR_COMPARTMENT] = "/%T/{id}/{inner}",
    [FHIR_COMPARTMENT_SEARCH] = "/%T/{id}/{inner}/_search",
    [FHIR_TYPE_OPERATION] = "/%T/$%O",
    [FHIR_INSTANCE_OPERATION] = "/%T/{id}/$%O",
    [FHIR_VERSION_OPERATION] = "/%T/{id}/_history/{vid}/$%O",
    [FHIR_SYSTEM_JOB] = "/$%O/{job}",
    [FHIR_SYSTEM_FILE] = "/$%O/{job}/{file}",
};

static const char *path_of(const struct openapi *o, enum fhir_shape shape, const char *type,
                           const char *name)
{
    struct buf out;
    buf_init(&out, LIMIT_HTTP_LINE);
    for (const char *p = patterns[shape]; *p; p++) {
        if (*p != '%') {
            buf_addc(&out, *p);
            continue;
        }
        p++;
        buf_adds(&out, *p == 'T' ? type : name ? name : "");
    }
    const char *path = arena_str(o->arena, buf_slice(&out));
    buf_fini(&out);
    return path ? path : "";
}

/* The parameters in braces. */
static void put_path_params(const struct openapi *o, struct json *item, const char *path)
{
    struct slice rest = slice_str(path);
    struct json *list = NULL;
    for (;;) {
        size_t open = slice_find(rest, '{', 0);
        if (open == rest.len)
            return;
        rest = slice_sub(rest, open + 1, rest.len);
        if (!list)
            list = json_put_array(o->arena, item, "parameters");
        reference(o, list, "parameters", arena_str(o->arena, slice_cut(&rest, '}')));
    }
}

/* One path with whatever methods the door answers there; WRITTEN is the type as the path has it. */
static void put_path(const struct openapi *o, const struct fhir_route *row, const char *written,
                     struct slice type)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    const char *path = path_of(o, row->shape, written, row->name);
    if (json_get(o->paths, path))
        return;
    struct json *item = json_put_object(o->arena, o->paths, path);
    put_path_params(o, item, path);
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
        enum err err = ERR_OK;
        const struct fhir_route *found =
            fhir_route_find(slice_str(methods[i]), row->shape, type,
                            slice_str(row->name ? row->name : ""), &err);
        if (found)
            put_operation(o, item, found, type, path);
    }
}

static void put_every_type(const struct openapi *o, const struct fhir_route *row)
{
    size_t count = 0;
    const struct definition_type *const *types = definition_resources(&count);
    for (size_t i = 0; i < count; i++)
        put_path(o, row, types[i]->name, slice_str(types[i]->name));
}

static void put_compartments(const struct openapi *o, const struct fhir_route *row)
{
    static const char *const holders[] = {"Patient", "Encounter", "Practitioner", "RelatedPerson",
                                          "Device"};
    for (size_t i = 0; i < sizeof(holders) / sizeof(*holders); i++)
        put_path(o, row, holders[i], slice_str(holders[i]));
}

static void put_row(const struct openapi *o, const struct fhir_route *row)
{
    bool typed = strstr(patterns[row->shape], "%T") != NULL;
    if (row->shape == FHIR_COMPARTMENT || row->shape == FHIR_COMPARTMENT_SEARCH)
        put_compartments(o, row);
    else if (row->shape == FHIR_TYPE || row->shape == FHIR_TYPE_SEARCH)
        put_every_type(o, row); /* by parameters; the longer paths under them follow the shorter */
    else if (row->type)
        put_path(o, row, row->type, slice_str(row->type));
    else if (typed)
        put_path(o, row, "{type}", SLICE(EVERY_TYPE));
    else
        put_path(o, row, "", SLICE_NONE);
}

/* ── the document ────────────────────────────────────────────────────────────────────────────── */

static void put_schemas(const struct openapi *o)
{
    size_t count = 0;
    const struct definition_type *const *types = definition_resources(&count);
    struct json *resource = json_put_object(o->arena, o->schemas, "Resource");
    json_put_text(o->arena, resource, "type", "object");
    json_put_text(o->arena, resource, "description",
                  "FHIR R4: https://hl7.org/fhir/R4/fhir.schema.json.zip");
    struct json *name = json_put_object(
        o->arena, json_put_object(o->arena, resource, "properties"), "resourceType");
    json_put_text(o->arena, name, "type", "string");
    struct json *required = json_put_array(o->arena, resource, "required");
    json_push(required, json_string(o->arena, SLICE("resourceType")));
    struct json *type = json_put_object(o->arena, o->schemas, "ResourceType");
    json_put_text(o->arena, type, "type", "string");
    struct json *list = json_put_array(o->arena, type, "enum");
    for (size_t i = 0; i < count; i++)
        json_push(list, json_string(o->arena, slice_str(types[i]->name)));
}

static void put_components(struct openapi *o, struct json *components)
{
    static const char *const fhir[] = {"application/fhir+json", "application/fhir+xml", NULL};
    o->schemas = json_put_object(o->arena, components, "schemas");
    o->parameters = json_put_object(o->arena, components, "parameters");
    put_schemas(o);
    put_commons(o);
    struct json *responses = json_put_object(o->arena, components, "responses");
    struct json *done = json_put_object(o->arena, responses, "done");
    json_put_text(o->arena, done, "description", "結果 / the result");
    put_content(o, done, fhir);
    struct json *refused = json_put_object(o->arena, responses, "refused");
    json_put_text(o->arena, refused, "description", "OperationOutcome");
    put_content(o, refused, fhir);
    struct json *scheme = json_put_object(
        o->arena, json_put_object(o->arena, components, "securitySchemes"), "certificate");
    json_put_text(o->arena, scheme, "type", "mutualTLS");
    json_put_text(o->arena, scheme, "description",
                  "施設または本人のクライアント証明書 / client certificate of a facility or a resident");
}

static const struct json *make_document(struct request *r)
{
    struct openapi o = {.arena = r->arena};
    struct json *d = json_new(r->arena, JSON_OBJECT);
    json_put_text(r->arena, d, "openapi", "3.1.0");
    struct json *info = json_put_object(r->arena, d, "info");
    json_put_text(r->arena, info, "title", "Tasuki FHIR R4");
    json_put_text(r->arena, info, "version", TASUKI_VERSION);
    json_put_text(r->arena, info, "description",
                  "地域医療情報連携。詳しくは /metadata / regional health record exchange; see /metadata");
    struct json *server = json_push_object(r->arena, json_put_array(r->arena, d, "servers"));
    json_put_text(r->arena, server, "url", r->base_url);
    struct json *security = json_push_object(r->arena, json_put_array(r->arena, d, "security"));
    json_put_array(r->arena, security, "certificate");
    o.paths = json_put_object(r->arena, d, "paths");
    put_components(&o, json_put_object(r->arena, d, "components"));
    for (const struct fhir_route *row = fhir_routes; row->method; row++)
        put_row(&o, row);
    return d;
}

static enum err openapi_look(struct session *s, struct request *r)
{
    (void)s;
    r->answer_type = "application/json; charset=utf-8";
    return fhir_answer_kept(r, EXCHANGE_KEPT_OPENAPI, make_document);
}

const struct use fhir_use_openapi = {
    .event = "openapi", .anyone = true, .look = openapi_look};
