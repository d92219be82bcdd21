/* SPDX-License-Identifier: Apache-2.0
 *
 * The FHIR door: from an HTTP call to a request of the pipeline, and from its end to an HTTP
 * answer. No interaction's logic is here, and nothing of the body is looked at before the pipeline
 * knows the caller.
 */
#include "exchange/door/fhir.h"

#include <stdio.h>

#include "exchange/door/portal.h"
#include "exchange/gate/refs.h"
#include "exchange/pipeline.h"
#include "mappers/fhir/outcome.h"

#include "base/banned.h"

#define PREFIX "/fhir"
#define ANSWER_FIELDS (6 + PORTAL_PAGE_FIELDS)
#define FHIR_JSON "application/fhir+json; charset=utf-8"

/* ── path ────────────────────────────────────────────────────────────────────────────────────── */

/* Splits the decoded path below /fhir into at most five segments. */
static unsigned split_path(struct arena *arena, struct slice path, struct slice seg[5])
{
    unsigned count = 0;
    struct slice rest = slice_sub(path, strlen(PREFIX), path.len);
    if (rest.len && rest.ptr[0] == '/')
        rest = slice_sub(rest, 1, rest.len);
    while (rest.ptr && rest.len) {
        struct slice part = slice_cut(&rest, '/');
        if (count == 5 || !http1_decode(arena, part, false, &seg[count]) || !seg[count].len)
            return 0;
        count++;
    }
    return count;
}

/* Which shape the segments have; fills type, id, version and name of INPUT. */
static bool path_shape(struct fhir_input *in, const struct slice *seg, unsigned n,
                       enum fhir_shape *ret_shape)
{
    uint64_t version = 0;
    if (n == 1 && slice_is(seg[0], "metadata")) {
        in->name = seg[0];
        *ret_shape = FHIR_SYSTEM;
        return true;
    }
    if (n == 0 || seg[0].ptr[0] == '$' || seg[0].ptr[0] == '_')
        return false;
    in->type = seg[0];
    if (n == 1) {
        *ret_shape = FHIR_TYPE;
    } else if (n == 2 && slice_is(seg[1], "_search")) {
        *ret_shape = FHIR_TYPE_SEARCH;
    } else if (n == 2 && seg[1].ptr[0] == '$') {
        in->name = slice_sub(seg[1], 1, seg[1].len);
        *ret_shape = FHIR_TYPE_OPERATION;
    } else if (n == 2) {
        in->id = seg[1];
        *ret_shape = FHIR_INSTANCE;
    } else if (n == 3 && seg[2].ptr[0] == '$') {
        in->id = seg[1];
        in->name = slice_sub(seg[2], 1, seg[2].len);
        *ret_shape = FHIR_INSTANCE_OPERATION;
    } else if (n >= 3 && slice_is(seg[2], "_history")) {
        in->id = seg[1];
        *ret_shape = n == 3 ? FHIR_INSTANCE_HISTORY : FHIR_VERSION;
        if (n == 4 && slice_u64(seg[3], &version) && version <= INT64_MAX)
            in->version = (int64_t)version;
        return n == 3 || n == 4;
    } else {
        return false;
    }
    return true;
}

static void choose_route(struct request *r, struct fhir_input *in, struct slice path)
{
    struct slice seg[5];
    enum fhir_shape shape = FHIR_SYSTEM;
    unsigned n = split_path(r->arena, path, seg);
    /* POST on the base is a batch or transaction. */
    in->refusal = n == 0 && slice_is(r->method, "POST") ? ERR_NOT_SUPPORTED : ERR_NOT_FOUND;
    if (path_shape(in, seg, n, &shape)) {
        in->shape = shape;
        in->route = fhir_route_find(r->method, shape, in->type, in->name, &in->refusal);
    }
    r->use = in->route ? in->route->use : &fhir_use_refused;
}

/* ── headers ─────────────────────────────────────────────────────────────────────────────────── */

static bool accepts(struct slice accept, const char *type)
{
    return slice_search(accept, slice_str(type), 0) < accept.len;
}

static void read_headers(struct request *r, struct fhir_input *in, const struct http1_request *head)
{
    struct slice prefer = http1_field(head, "Prefer");
    struct slice accept = http1_field(head, "Accept");
    r->purpose = http1_field(head, "Tasuki-Purpose");
    r->user = http1_field(head, "Tasuki-User");
    r->role = http1_field(head, "Tasuki-Role");
    r->glass_token = http1_field(head, "Tasuki-Break-Glass");
    in->if_match = http1_field(head, "If-Match");
    in->lenient = accepts(prefer, "handling=lenient");
    in->minimal = accepts(prefer, "return=minimal");
    in->html = accepts(accept, "text/html") && !accepts(accept, "json");
    if (http1_field(head, "If-None-Exist").len)
        in->refusal = ERR_NOT_SUPPORTED; /* never create a duplicate by ignoring it */
    if (accept.len && !accepts(accept, "json") && !accepts(accept, "*/*") &&
        !accepts(accept, "application/*") && !in->html)
        in->refusal = ERR_NOT_ACCEPTABLE;
}

static bool has_json_body(const struct http1_request *head)
{
    struct slice type = http1_field(head, "Content-Type");
    type = slice_trim(slice_sub(type, 0, slice_find(type, ';', 0)));
    return slice_ieq(type, SLICE("application/fhir+json")) ||
           slice_ieq(type, SLICE("application/json"));
}

static bool has_form_body(const struct http1_request *head)
{
    struct slice type = http1_field(head, "Content-Type");
    type = slice_trim(slice_sub(type, 0, slice_find(type, ';', 0)));
    return slice_ieq(type, SLICE("application/x-www-form-urlencoded"));
}

/* A body must be of the kind its route reads. */
static void check_media(struct request *r, struct fhir_input *in, const struct http1_request *head)
{
    if (!r->body.len || !in->route)
        return;
    if (in->route->shape == FHIR_TYPE_SEARCH) {
        if (!has_form_body(head))
            in->refusal = ERR_MEDIA_TYPE;
        in->form = r->body;
    } else if (!has_json_body(head)) {
        in->refusal = ERR_MEDIA_TYPE;
    }
}

/* ── in and out ──────────────────────────────────────────────────────────────────────────────── */

static void answer_error(struct request *r, struct http_answer *a)
{
    struct json *outcome = outcome_json(r->arena, r->job.err, &r->errors);
    buf_clear(&r->answer_buf);
    json_print(&r->answer_buf, outcome);
    a->status = err_http(r->job.err);
    a->content_type = FHIR_JSON;
    a->body = buf_slice(&r->answer_buf);
}

static unsigned answer_fields(struct request *r, struct http_field *fields)
{
    unsigned n = 0;
    struct buf date;
    fields[n++] = (struct http_field){"X-Request-Id", slice_str(r->id)};
    if (r->job.err == ERR_METHOD)
        fields[n++] = (struct http_field){"Allow", fhir_route_allow(r->arena, r->input)};
    if (r->job.err)
        return n;
    if (r->answer_version)
        fields[n++] = (struct http_field){
            "ETag", slice_str(arena_printf(r->arena, "W/\"%lld\"", (long long)r->answer_version))};
    if (r->answer_updated_ms) {
        buf_init(&date, 64);
        when_print_http(&date, r->answer_updated_ms);
        fields[n++] = (struct http_field){"Last-Modified", arena_dup(r->arena, buf_slice(&date))};
        buf_fini(&date);
    }
    for (unsigned i = 0;
         i < PORTAL_PAGE_FIELDS && r->answer_type && strncmp(r->answer_type, "text/html", 9) == 0;
         i++)
        fields[n++] = portal_page_fields[i];
    if (r->location)
        fields[n++] = (struct http_field){"Location", slice_str(r->location)};
    return n;
}

static void fhir_answer(struct request *r)
{
    struct http_call *call = r->door_data;
    struct http_field fields[ANSWER_FIELDS];
    struct http_answer a = {.status = r->status ? r->status : 200};
    const struct fhir_input *in = r->input;
    if (!r->job.err && in->print_later)
        r->job.err = refs_outward(NULL, r, &in->later, &r->answer_buf);
    if (r->job.err) {
        answer_error(r, &a);
    } else {
        a.body = r->answer_body.len ? r->answer_body : buf_slice(&r->answer_buf);
        a.content_type = a.body.len ? (r->answer_type ? r->answer_type : FHIR_JSON) : NULL;
    }
    a.fields = fields;
    a.field_count = answer_fields(r, fields);
    http_call_answer(call, &a);
    request_free(r);
}

size_t fhir_body_limit(const struct http1_request *head)
{
    return slice_is(head->method, "POST") || slice_is(head->method, "PUT") ||
                   slice_is(head->method, "PATCH")
               ? LIMIT_HTTP_BODY
               : 0; /* PATCH is read to be told that it is not supported */
}

static void refuse_without_memory(struct http_call *call)
{
    struct http_answer a = {.status = 503,
                            .content_type = "text/plain; charset=utf-8",
                            .body = SLICE("busy / 混み合っています\n")};
    http_call_answer(call, &a);
}

void fhir_handle(struct http_call *call, struct exchange *x, enum request_door door)
{
    const struct http1_request *head = http_call_request(call);
    const struct net_peer *peer = http_call_peer(call);
    struct request *r = request_new(x, door);
    struct fhir_input *in = r ? ARENA_NEW(r->arena, struct fhir_input) : NULL;
    if (!in) {
        request_free(r);
        refuse_without_memory(call);
        return;
    }
    r->input = in;
    r->door_data = call;
    r->answer = fhir_answer;
    r->has_cert = peer->has_cert;
    memcpy(r->fingerprint, peer->fingerprint, sizeof(r->fingerprint));
    r->peer = slice_str(peer->address);
    r->method = head->method;
    r->target = head->target;
    r->lang = portal_lang(head);
    if (door == REQUEST_PORTAL)
        r->base_url = x->portal_url;
    r->body = http_call_body(call);
    in->query = head->query;
    choose_route(r, in, head->path);
    read_headers(r, in, head);
    check_media(r, in, head);
    if (in->refusal && in->route)
        r->use = &fhir_use_refused;
    pipeline_start(r);
}
