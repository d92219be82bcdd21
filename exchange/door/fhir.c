/* SPDX-License-Identifier: Apache-2.0
 *
 * The FHIR door: from an HTTP call to a request of the pipeline, and from its end to an HTTP
 * answer. No interaction's logic is here, and nothing of the body is looked at before the pipeline
 * knows the caller.
 */
#include "exchange/door/fhir_form.h"

#include <stdio.h>

#include "exchange/door/fhir_bundle.h"
#include "exchange/door/portal.h"
#include "exchange/pipeline.h"
#include "mappers/fhir/outcome.h"

#include "base/banned.h"

#define PREFIX "/fhir"
#define ANSWER_FIELDS (9 + PORTAL_PAGE_FIELDS + FHIR_FORM_FIELDS)

/* ── path ────────────────────────────────────────────────────────────────────────────────────── */

/* Splits the decoded path below /fhir into at most five segments; false when it has an empty or a broken one, or more. */
static bool split_path(struct arena *arena, struct slice path, struct slice seg[5],
                       unsigned *ret_count)
{
    unsigned count = 0;
    struct slice rest = slice_sub(path, strlen(PREFIX), path.len);
    if (rest.len && rest.ptr[0] == '/')
        rest = slice_sub(rest, 1, rest.len);
    while (rest.ptr && rest.len) {
        struct slice part = slice_cut(&rest, '/');
        if (count == 5 || !http1_decode(arena, part, false, &seg[count]) || !seg[count].len)
            return false;
        count++;
    }
    *ret_count = count;
    return true;
}

/* Shapes as patterns of segments: T type, I id, V version, O $operation, C type of a compartment, else the word
 * itself. */
static const struct {
    const char *words;
    enum fhir_shape shape;
} shapes[] = {
    {"", FHIR_ROOT},
    {"metadata", FHIR_SYSTEM},
    {"openapi.json", FHIR_SYSTEM},
    {"_search", FHIR_SYSTEM_SEARCH},
    {"_history", FHIR_SYSTEM_HISTORY},
    {"O", FHIR_SYSTEM_OPERATION},
    {"T", FHIR_TYPE},
    {"T _search", FHIR_TYPE_SEARCH},
    {"T _history", FHIR_TYPE_HISTORY},
    {"T O", FHIR_TYPE_OPERATION},
    {"T I", FHIR_INSTANCE},
    {"T I _history", FHIR_INSTANCE_HISTORY},
    {"T I _history V", FHIR_VERSION},
    {"T I _history V O", FHIR_VERSION_OPERATION},
    {"T I O", FHIR_INSTANCE_OPERATION},
    {"T I C", FHIR_COMPARTMENT},
    {"T I C _search", FHIR_COMPARTMENT_SEARCH},
    {"O I", FHIR_SYSTEM_JOB},
    {"O I V", FHIR_SYSTEM_FILE},
};

static bool segment_fits(struct fhir_input *in, struct slice word, struct slice segment)
{
    uint64_t version = 0;
    bool reserved = segment.ptr[0] == '$' || segment.ptr[0] == '_';
    if (word.len > 1)
        return slice_eq(word, segment);
    switch (word.ptr[0]) {
    case 'T':
        in->type = segment;
        return !reserved;
    case 'I':
        in->id = segment;
        return !reserved;
    case 'C':
        in->inner = segment;
        return !reserved;
    case 'O':
        in->name = slice_sub(segment, 1, segment.len);
        return segment.ptr[0] == '$' && segment.len > 1;
    default: /* V; what is no number is a version that never was */
        if (slice_u64(segment, &version) && version <= INT64_MAX)
            in->version = (int64_t)version;
        return true;
    }
}

static bool shape_fits(struct fhir_input *in, const char *words, const struct slice *seg,
                       unsigned n)
{
    struct slice rest = slice_str(words);
    in->type = in->id = in->name = in->inner = SLICE_NONE;
    in->version = 0;
    unsigned i = 0;
    while (rest.ptr && rest.len) {
        struct slice word = slice_cut(&rest, ' ');
        if (i == n || !segment_fits(in, word, seg[i]))
            return false;
        i++;
    }
    return i == n;
}

/* Which shape the segments have; fills type, id, version, name and inner of INPUT. */
static bool path_shape(struct fhir_input *in, const struct slice *seg, unsigned n)
{
    for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
        if (shape_fits(in, shapes[i].words, seg, n)) {
            in->shape = shapes[i].shape;
            if (in->shape == FHIR_SYSTEM)
                in->name = seg[0];
            return true;
        }
    return false;
}

void fhir_choose_route(struct request *r, struct slice path)
{
    struct fhir_input *in = r->input;
    struct slice seg[5];
    unsigned n = 0;
    bool good = split_path(r->arena, path, seg, &n);
    in->refusal = ERR_NOT_FOUND;
    in->route = NULL;
    in->shaped = good && path_shape(in, seg, n);
    if (in->shaped)
        in->route = fhir_route_find(r->method, in->shape, in->type, in->name, &in->refusal);
    r->use = in->route ? in->route->use : &fhir_use_refused;
}

/* ── headers ─────────────────────────────────────────────────────────────────────────────────── */

/* The form wanted: _format wins over Accept. */
/* Answers that are no form of FHIR, and what asks for them. */
static const struct {
    const struct use *use;
    const char *type;
} own_forms[] = {
    {&fhir_use_events, "text/event-stream"},
    {&fhir_use_export_file, "application/fhir+ndjson"},
    {&fhir_use_export_file, "application/ndjson"},
};

static bool wants_own_form(const struct fhir_input *in, struct slice accept)
{
    for (size_t i = 0; i < sizeof(own_forms) / sizeof(*own_forms); i++)
        if (in->route && in->route->use == own_forms[i].use &&
            slice_search(accept, slice_str(own_forms[i].type), 0) < accept.len)
            return true;
    return false;
}

static enum err choose_form(struct request *r, struct fhir_input *in,
                            const struct http1_request *head)
{
    struct slice field = http1_field(head, "Accept");
    enum err accept = fhir_media_accept(field, &in->wish);
    in->own_form = wants_own_form(in, field);
    if (in->own_form)
        accept = ERR_OK;
    enum err err = fhir_form_params(r, in->query);
    if (!err)
        err = fhir_form_params(r, in->form);
    in->html = in->wish.html;
    return err || in->wish.named || fhir_form_is_content(in) ? err : accept;
}

static void read_headers(struct request *r, struct fhir_input *in, const struct http1_request *head)
{
    struct slice prefer = http1_field(head, "Prefer");
    r->purpose = http1_field(head, "Tasuki-Purpose");
    r->user = http1_field(head, "Tasuki-User");
    r->role = http1_field(head, "Tasuki-Role");
    r->glass_token = http1_field(head, "Tasuki-Break-Glass");
    in->if_match = http1_field(head, "If-Match");
    in->if_none_match = http1_field(head, "If-None-Match");
    in->if_modified_since = http1_field(head, "If-Modified-Since");
    in->security_context = http1_field(head, "X-Security-Context");
    in->lenient = fhir_media_prefers(prefer, "handling", "lenient");
    in->whole = fhir_media_prefers(prefer, "return", "representation");
    in->outcome = fhir_media_prefers(prefer, "return", "OperationOutcome");
    in->minimal = in->outcome || fhir_media_prefers(prefer, "return", "minimal");
    in->if_none_exist = http1_field(head, "If-None-Exist");
    in->async = slice_search(prefer, SLICE("respond-async"), 0) < prefer.len;
    in->last_event = http1_field(head, "Last-Event-ID");
}

static bool has_form_body(const struct http1_request *head)
{
    struct slice type = http1_field(head, "Content-Type");
    type = slice_trim(slice_sub(type, 0, slice_find(type, ';', 0)));
    return slice_ieq(type, SLICE("application/x-www-form-urlencoded"));
}

/* A body must be of a kind that its route reads, and plain: what is compressed would look like broken text. */
static void check_media(struct request *r, struct fhir_input *in, const struct http1_request *head)
{
    struct slice coding = slice_trim(http1_field(head, "Content-Encoding"));
    if (!r->body.len || !in->route)
        return;
    if (coding.len && !slice_ieq(coding, SLICE("identity"))) {
        in->refusal = ERR_MEDIA_TYPE;
        in->refusal_place = "Content-Encoding";
        return;
    }
    if (in->shape == FHIR_TYPE_SEARCH || in->shape == FHIR_SYSTEM_SEARCH ||
        in->shape == FHIR_COMPARTMENT_SEARCH) {
        if (!has_form_body(head))
            in->refusal = ERR_MEDIA_TYPE;
        in->form = r->body;
        return;
    }
    in->body_type = http1_field(head, "Content-Type");
    if (slice_is(r->method, "PATCH") && fhir_media_is_json_patch(in->body_type)) {
        in->json_patch = true;
        in->body_media = FHIR_MEDIA_JSON;
        return;
    }
    enum err err = fhir_media_content(in->body_type, &in->body_media);
    if (!err && in->body_media == FHIR_MEDIA_OTHER && !fhir_form_is_content(in))
        err = ERR_MEDIA_TYPE;
    if (err)
        in->refusal = err;
}

/* ── in and out ──────────────────────────────────────────────────────────────────────────────── */

static void answer_error(struct request *r, struct http_answer *a)
{
    struct json *outcome = outcome_json(r->arena, r->job.err, &r->errors);
    buf_clear(&r->answer_buf);
    if (fhir_form_print(r, outcome, &r->answer_buf)) /* no memory: the status says enough */
        buf_clear(&r->answer_buf);
    a->status = err_http(r->job.err);
    a->content_type = fhir_form_type(r->input);
    a->body = buf_slice(&r->answer_buf);
}

static unsigned answer_fields(struct request *r, struct http_field *fields)
{
    const struct fhir_input *in = r->input;
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
    for (unsigned i = 0; i < FHIR_FORM_FIELDS && in->content; i++)
        fields[n++] = fhir_form_content_fields[i];
    for (unsigned i = 0;
         i < PORTAL_PAGE_FIELDS && !in->content && r->answer_type && strncmp(r->answer_type, "text/html", 9) == 0;
         i++)
        fields[n++] = portal_page_fields[i];
    for (unsigned i = 0; i < in->field_count; i++)
        fields[n++] = in->fields[i];
    if (r->location)
        fields[n++] = (struct http_field){"Location", slice_str(r->location)};
    return n;
}

static void send_answer(struct request *r)
{
    struct http_call *call = r->door_data;
    struct http_field fields[ANSWER_FIELDS];
    struct http_answer a = {.status = r->status ? r->status : 200};
    if (r->job.err) {
        answer_error(r, &a);
    } else if (a.status != 304) {
        a.body = r->answer_body.len ? r->answer_body : buf_slice(&r->answer_buf);
        a.content_type = r->answer_type ? r->answer_type : fhir_form_type(r->input);
        if (!a.body.len)
            a.content_type = NULL;
    }
    a.fields = fields;
    a.field_count = answer_fields(r, fields);
    http_call_answer(call, &a);
    request_free(r);
}

static void make_over(uv_work_t *work)
{
    struct request *r = work->data;
    r->job.err = fhir_form_make(r);
}

static void made_over(uv_work_t *work, int status)
{
    struct request *r = work->data;
    if (status)
        r->job.err = ERR_BUSY;
    send_answer(r);
}

/* What is small is made over at once; the loop must not be held up by what is not. */
static void make_and_send(struct request *r)
{
    struct fhir_input *in = r->input;
    size_t size = r->answer_body.len ? r->answer_body.len : r->answer_buf.len;
    in->work.data = r;
    if (size > LIMIT_FORM_AT_ONCE &&
        uv_queue_work(http_call_loop(r->door_data), &in->work, make_over, made_over) == 0)
        return;
    make_over(&in->work);
    send_answer(r);
}

static void answer_form(struct request *r)
{
    fhir_form_settle(r);
    if (fhir_form_needed(r))
        make_and_send(r);
    else
        send_answer(r);
}

/* A batch is answered when its entries are. */
static void fhir_answer(struct request *r)
{
    const struct fhir_input *in = r->input;
    if (!r->job.err && in->take_over) {
        in->take_over(r, r->door_data);
        request_free(r);
        return;
    }
    if (r->job.err || !fhir_batch_start(r, answer_form))
        answer_form(r);
}

size_t fhir_body_limit(const struct http1_request *head)
{
    return slice_is(head->method, "POST") || slice_is(head->method, "PUT") ||
                   slice_is(head->method, "PATCH")
               ? LIMIT_HTTP_BODY
               : 0;
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
    fhir_choose_route(r, head->path);
    read_headers(r, in, head);
    check_media(r, in, head);
    enum err form = choose_form(r, in, head);
    if (form && !in->refusal)
        in->refusal = form;
    if (in->refusal && in->route)
        r->use = &fhir_use_refused;
    pipeline_start(r);
}
