/* SPDX-License-Identifier: Apache-2.0
 *
 * Bundles posted to the base (see fhir_bundle.h): reading the envelope, making a request of an entry, printing the
 * answers. What an entry means is known only to the interaction its method and URL lead to.
 */
#include "exchange/door/fhir_bundle.h"

#include "exchange/door/fhir_form.h"
#include "exchange/gate/grant.h"
#include "mappers/fhir/outcome.h"
#include "mappers/fhir/validate.h"

#include "base/banned.h"

#define EVERY_ACTOR ((1u << GRANT_FACILITY) | (1u << GRANT_RESIDENT) | (1u << GRANT_OPERATOR))
#define WRITERS EVERY_ACTOR

/* ── the envelope ────────────────────────────────────────────────────────────────────────────── */

static enum err bad_entry(struct request *r, unsigned number, const char *member)
{
    return err_add(&r->errors, ERR_REQUIRED,
                   arena_printf(r->arena, "Bundle.entry[%u].%s", number, member), NULL);
}

static enum err read_entry(struct request *r, const struct json *item, unsigned number,
                           struct fhir_entry *entry)
{
    const struct json *request = json_get(item, "request");
    *entry = (struct fhir_entry){
        .number = number,
        .full_url = json_str(item, "fullUrl"),
        .method = json_str(request, "method"),
        .url = json_str(request, "url"),
        .if_match = json_str(request, "ifMatch"),
        .if_none_exist = json_str(request, "ifNoneExist"),
        .if_none_match = json_str(request, "ifNoneMatch"),
        .resource = json_get(item, "resource"),
    };
    if (!request)
        return bad_entry(r, number, "request");
    if (!entry->method.len)
        return bad_entry(r, number, "request.method");
    if (!entry->url.len)
        return bad_entry(r, number, "request.url");
    bool needs = slice_is(entry->method, "POST") || slice_is(entry->method, "PUT") ||
                 slice_is(entry->method, "PATCH");
    return needs && !entry->resource ? bad_entry(r, number, "resource") : ERR_OK;
}

enum err fhir_bundle_entries(struct request *r, const struct json *bundle,
                             struct fhir_entry **ret_entries, size_t *ret_count)
{
    const struct json *array = json_get(bundle, "entry");
    size_t count = array && array->kind == JSON_ARRAY ? array->count : 0;
    struct fhir_entry *entries = arena_array(r->arena, count ? count : 1, sizeof(*entries));
    unsigned n = 0;
    enum err err = ERR_OK;
    if (count > LIMIT_BUNDLE_ENTRIES)
        return err_add(&r->errors, ERR_TOO_LARGE, "Bundle.entry", "%u", LIMIT_BUNDLE_ENTRIES);
    if (!entries)
        return ERR_LIMIT;
    for (const struct json *i = count ? array->first : NULL; i && !err; i = i->next, n++)
        err = read_entry(r, i, n, &entries[n]);
    if (err)
        return err;
    *ret_entries = entries;
    *ret_count = count;
    return ERR_OK;
}

/* ── a request of an entry ───────────────────────────────────────────────────────────────────── */

static bool answers_resource(const struct use *use)
{
    static const struct use *const others[] = {
        &fhir_use_openapi,       &fhir_use_events,        &fhir_use_export,
        &fhir_use_export_status, &fhir_use_export_cancel, &fhir_use_export_file};
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (use == others[i])
            return false;
    return true;
}

void fhir_bundle_route(struct request *r, struct slice url)
{
    struct fhir_input *in = r->input;
    struct slice local = refs_local(r, url);
    size_t mark = slice_find(local, '?', 0);
    in->query = mark < local.len ? slice_sub(local, mark + 1, local.len) : SLICE_NONE;
    local = slice_sub(local, 0, mark);
    if (local.len && local.ptr[0] == '/')
        local = slice_sub(local, 1, local.len);
    fhir_choose_route(r, slice_str(arena_printf(r->arena, "/fhir/%.*s", SLICE_ARG(local))));
    if (in->route && !answers_resource(r->use)) {
        in->route = NULL;
        in->refusal = ERR_NOT_SUPPORTED;
        r->use = &fhir_use_refused;
    }
}

struct request *fhir_bundle_child(struct request *parent, const struct fhir_entry *entry)
{
    const struct fhir_input *above = parent->input;
    struct request *child = ARENA_NEW(parent->arena, struct request);
    struct fhir_input *in = ARENA_NEW(parent->arena, struct fhir_input);
    if (!child || !in)
        return NULL;
    *child = *parent;
    child->job = (struct store_job){0};
    child->input = in;
    child->audits = NULL;
    child->audit_default_off = false;
    child->entity = child->reason = child->location = NULL;
    child->person = child->count = 0;
    child->body = SLICE_NONE;
    child->method = entry->method;
    child->target = entry->url;
    err_list_init(&child->errors, child->arena);
    buf_init(&child->answer_buf, LIMIT_HTTP_ANSWER);
    fhir_bundle_route(child, entry->url);
    in->wish.form = in->body_media = FHIR_MEDIA_JSON;
    in->resource = entry->resource;
    in->if_match = entry->if_match;
    in->if_none_exist = entry->if_none_exist;
    in->if_none_match = entry->if_none_match;
    in->lenient = above->lenient;
    in->minimal = !above->whole;
    return child;
}

const char *fhir_bundle_place(struct arena *arena, unsigned number, const char *place)
{
    const char *dot = strchr(place, '.');
    const char *text = dot && place[0] >= 'A' && place[0] <= 'Z'
                           ? arena_printf(arena, "Bundle.entry[%u].resource%s", number, dot)
                           : arena_printf(arena, "Bundle.entry[%u]%s%s", number,
                                          *place ? ": " : "", place);
    return text ? text : "";
}

/* ── the answer ──────────────────────────────────────────────────────────────────────────────── */

static const char *status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {{200, "200 OK"},        {201, "201 Created"},  {204, "204 No Content"},
                 {304, "304 Not Modified"}, {400, "400 Bad Request"}, {403, "403 Forbidden"},
                 {404, "404 Not Found"}, {409, "409 Conflict"}, {410, "410 Gone"},
                 {412, "412 Precondition Failed"}, {422, "422 Unprocessable Entity"}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (texts[i].status == status)
            return texts[i].text;
    return NULL;
}

static void print_answer(struct request *r, const struct fhir_entry_answer *a)
{
    struct buf *b = &r->answer_buf;
    const char *text = status_text(a->status);
    buf_addc(b, '{');
    if (a->body.len && !a->failed) {
        buf_adds(b, "\"resource\":");
        buf_add(b, a->body);
        buf_addc(b, ',');
    }
    buf_adds(b, "\"response\":{\"status\":\"");
    if (text)
        buf_adds(b, text);
    else
        buf_addf(b, "%d", a->status);
    buf_addc(b, '"');
    if (a->location)
        buf_addf(b, ",\"location\":\"%s\"", a->location);
    if (a->version)
        buf_addf(b, ",\"etag\":\"W/\\\"%lld\\\"\"", (long long)a->version);
    if (a->updated_ms) {
        buf_adds(b, ",\"lastModified\":\"");
        when_print_instant(b, a->updated_ms);
        buf_addc(b, '"');
    }
    if (a->body.len && a->failed) {
        buf_adds(b, ",\"outcome\":");
        buf_add(b, a->body);
    }
    buf_adds(b, "}}");
}

enum err fhir_bundle_print(struct request *r, const char *type,
                           const struct fhir_entry_answer *answers, size_t count)
{
    struct buf *b = &r->answer_buf;
    buf_addf(b, "{\"resourceType\":\"Bundle\",\"id\":\"%s\",\"type\":\"%s\"", r->id, type);
    for (size_t i = 0; i < count; i++) {
        buf_adds(b, i ? "," : ",\"entry\":[");
        print_answer(r, &answers[i]);
    }
    buf_adds(b, count ? "]}" : "}");
    return buf_err(b);
}

/* ── the interaction ─────────────────────────────────────────────────────────────────────────── */

static enum err bundle_apply(struct session *s, struct request *r)
{
    const struct fhir_input *in = r->input;
    if (in->transaction)
        return fhir_transaction_apply(s, r);
    return in->batch ? ERR_OK : fhir_bundle_print(r, "batch-response", NULL, 0);
}

/* Writes as one; decided anew, because a batch asks for less. */
static const struct use transaction_use = {.event = "transaction",
                                           .actors = WRITERS,
                                           .writes = true,
                                           .look = NULL,
                                           .apply = bundle_apply};

static enum err transaction_look(struct session *s, struct request *r, struct json *bundle)
{
    enum err err = validate_resource(bundle, SLICE("Bundle"), &r->errors);
    r->use = &transaction_use;
    if (!err)
        err = grant_make(r);
    if (err)
        return err;
    session_bind(s, &r->grant);
    return fhir_transaction_look(s, r, bundle);
}

static enum err bundle_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    enum err err = fhir_params(r);
    r->entity = "Bundle";
    if (!err)
        err = fhir_form_parse(r);
    if (err)
        return err;
    struct slice type = json_str(in->resource, "type");
    if (!slice_is(json_str(in->resource, "resourceType"), "Bundle"))
        return err_add(&r->errors, ERR_INVALID, "resourceType", "Bundle");
    if (slice_is(type, "transaction"))
        return transaction_look(s, r, in->resource);
    if (slice_is(type, "batch"))
        return fhir_batch_look(r, in->resource);
    return err_add(&r->errors, ERR_INVALID, "Bundle.type", "batch, transaction");
}

const struct use fhir_use_bundle = {
    .event = "batch", .actors = EVERY_ACTOR, .look = bundle_look, .apply = bundle_apply};
