/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms of bodies and answers (R4 http.html#mime-type, #summary, #return, #cread,
 * binary.html#rest). An answer is made over from the JSON that was printed: the common case,
 * compact JSON, costs nothing, and the identifiers in it are the reader's already. Must never show
 * more than was printed.
 */
#include "exchange/door/fhir_form.h"

#include <assert.h>

#include "base/digest.h"
#include "base/when.h"
#include "exchange/gate/refs.h"
#include "mappers/fhir/outcome.h"
#include "mappers/fhir/xml_print.h"
#include "mappers/fhir/xml_read.h"

#include "base/banned.h"

#define FHIR_JSON "application/fhir+json; charset=utf-8"
#define FHIR_XML "application/fhir+xml; charset=utf-8"
#define UNKNOWN_CONTENT "application/octet-stream"
#define TYPE_MAX 200 /* of a Content-Type that we repeat */

const struct http_field fhir_form_content_fields[FHIR_FORM_FIELDS] = {
    {"Content-Disposition", {"attachment", sizeof("attachment") - 1}},
    {"Content-Security-Policy",
     {"sandbox; default-src 'none'", sizeof("sandbox; default-src 'none'") - 1}},
};

/* ── parameters ──────────────────────────────────────────────────────────────────────────────── */

static enum err read_param(struct fhir_input *in, struct slice name, struct slice value)
{
    if (slice_is(name, "_format")) {
        in->refusal_place = "_format";
        return fhir_media_format(value, &in->wish);
    }
    if (slice_is(name, "_pretty")) {
        in->refusal_place = "_pretty";
        in->pretty = slice_is(value, "true");
        return in->pretty || slice_is(value, "false") ? ERR_OK : ERR_BAD_PARAM;
    }
    return ERR_OK;
}

enum err fhir_form_params(struct request *r, struct slice text)
{
    struct fhir_input *in = r->input;
    struct slice rest = text;
    const char *refused = in->refusal_place; /* for something else, before */
    enum err err = ERR_OK;
    while (rest.ptr && rest.len && !err) {
        struct slice pair = slice_cut(&rest, '&'), name, value;
        size_t end = slice_find(pair, '=', 0);
        if (slice_starts(pair, SLICE("_")) &&
            http1_decode(r->arena, slice_sub(pair, 0, end), true, &name) &&
            http1_decode(r->arena, slice_sub(pair, end + 1, pair.len), true, &value))
            err = read_param(in, name, value);
    }
    if (!err)
        in->refusal_place = refused;
    return err;
}

enum err fhir_form_subset(struct request *r)
{
    struct fhir_input *in = r->input;
    struct slice summary = SLICE_NONE, elements = SLICE_NONE;
    for (unsigned i = 0; i < in->param_count; i++) {
        if (slice_is(in->params[i].name, "_summary"))
            summary = in->params[i].value;
        if (slice_is(in->params[i].name, "_elements"))
            elements = in->params[i].value;
    }
    enum err err = subset_parse(r->arena, summary, elements, &in->subset);
    if (err == ERR_BAD_PARAM || in->subset.mode == SUBSET_COUNT)
        return err_add(&r->errors, ERR_BAD_PARAM, elements.len ? "_elements" : "_summary",
                       "true, false, text, data");
    for (size_t i = 0; i < in->subset.count && !err; i++)
        if (!in->lenient && !subset_known(in->type, in->subset.elements[i]))
            err = err_add(&r->errors, ERR_BAD_PARAM, "_elements", "%.*s",
                          SLICE_ARG(slice_sub(in->subset.elements[i], 0, LIMIT_FHIR_ID)));
    return err;
}

static bool is_read(const struct fhir_input *in)
{
    return in->route && (in->shape == FHIR_INSTANCE || in->shape == FHIR_VERSION) &&
           strcmp(in->route->method, "GET") == 0;
}

bool fhir_form_is_content(const struct fhir_input *in)
{
    if (!in->route || !slice_is(in->type, "Binary"))
        return false;
    if (is_read(in))
        return in->wish.raw;
    bool writes = (in->shape == FHIR_TYPE && strcmp(in->route->method, "POST") == 0) ||
                  (in->shape == FHIR_INSTANCE && strcmp(in->route->method, "PUT") == 0);
    return writes && in->body_media == FHIR_MEDIA_OTHER && in->body_type.len;
}

/* ── bodies ──────────────────────────────────────────────────────────────────────────────────── */

static enum err parse_json(struct request *r)
{
    struct fhir_input *in = r->input;
    struct json_fault fault = {0};
    enum err err = json_parse(r->arena, r->body, &in->resource, &fault);
    if (err != ERR_MALFORMED && err != ERR_TOO_DEEP)
        return err;
    const char *place = arena_printf(r->arena, "line %u column %u", fault.line, fault.column);
    return err_add_words(&r->errors, err, place ? place : "", fault.en ? fault.en : "",
                         fault.ja ? fault.ja : "");
}

/* The resource that a Binary's content stands for. */
static enum err wrap_content(struct request *r)
{
    struct fhir_input *in = r->input;
    struct json *binary = json_new(r->arena, JSON_OBJECT);
    struct buf text;
    json_put_text(r->arena, binary, "resourceType", "Binary");
    json_put_str(r->arena, binary, "id", in->id);
    json_put_str(r->arena, binary, "contentType", in->body_type);
    if (in->security_context.len)
        json_put_str(r->arena, json_put_object(r->arena, binary, "securityContext"), "reference",
                     in->security_context);
    buf_init(&text, LIMIT_HTTP_BODY * 2);
    digest_base64(&text, r->body, false);
    enum err err = buf_err(&text);
    if (!err)
        json_put_str(r->arena, binary, "data", arena_dup(r->arena, buf_slice(&text)));
    buf_fini(&text);
    in->resource = binary;
    return err ? err : arena_exhausted(r->arena) ? ERR_LIMIT : ERR_OK;
}

enum err fhir_form_parse(struct request *r)
{
    struct fhir_input *in = r->input;
    if (!r->body.len)
        return err_add(&r->errors, ERR_MALFORMED, "", "no body");
    if (fhir_form_is_content(in))
        return wrap_content(r);
    if (in->body_media == FHIR_MEDIA_XML)
        return xml_read_resource(r->arena, r->body, &in->resource, &r->errors);
    return parse_json(r);
}

/* ── answers ─────────────────────────────────────────────────────────────────────────────────── */

/* Does LIST of entity tags name VERSION? Weakly compared, as R4's tags are. */
static bool names_version(struct slice list, int64_t version)
{
    struct slice rest = list;
    while (rest.ptr) {
        struct slice tag = slice_trim(slice_cut(&rest, ','));
        uint64_t n = 0;
        if (slice_is(tag, "*"))
            return true;
        if (slice_starts(tag, SLICE("W/")))
            tag = slice_sub(tag, 2, tag.len);
        if (tag.len > 2 && tag.ptr[0] == '"' && tag.ptr[tag.len - 1] == '"' &&
            slice_u64(slice_sub(tag, 1, tag.len - 2), &n) && n == (uint64_t)version)
            return true;
    }
    return false;
}

static bool not_modified(const struct request *r)
{
    const struct fhir_input *in = r->input;
    int64_t since_ms = 0;
    if (!is_read(in) || r->job.err || !r->answer_version)
        return false;
    if (in->if_none_match.len) /* then the date does not count: RFC 9110 section 13.1.3 */
        return names_version(in->if_none_match, r->answer_version);
    return in->if_modified_since.len && when_parse_http(in->if_modified_since, &since_ms) &&
           r->answer_updated_ms / 1000 * 1000 <= since_ms;
}

/* Not of operations and transactions: their answers are what they are for. */
static bool wants_outcome(const struct request *r)
{
    const struct fhir_input *in = r->input;
    return in->outcome && !r->job.err && r->use->writes && in->route && in->route->interaction &&
           (in->shape == FHIR_TYPE || in->shape == FHIR_INSTANCE);
}

static enum err put_outcome(struct request *r)
{
    struct json *outcome = json_new(r->arena, JSON_OBJECT);
    json_put_text(r->arena, outcome, "resourceType", "OperationOutcome");
    struct json *issue = json_push_object(r->arena, json_put_array(r->arena, outcome, "issue"));
    json_put_text(r->arena, issue, "severity", "information");
    json_put_text(r->arena, issue, "code", "informational");
    json_put_text(r->arena, json_put_object(r->arena, issue, "details"), "text",
                  "処理しました / done");
    buf_clear(&r->answer_buf);
    r->status = r->status == 204 ? 200 : r->status;
    return fhir_answer_json(r, outcome);
}

void fhir_form_settle(struct request *r)
{
    const struct fhir_input *in = r->input;
    if (not_modified(r))
        r->status = 304;
    else if (!r->job.err && in->print_later)
        r->job.err = refs_outward(NULL, r, &in->later, &r->answer_buf);
    if (wants_outcome(r))
        r->job.err = put_outcome(r);
}

const char *fhir_form_type(const struct fhir_input *in)
{
    return in->wish.form == FHIR_MEDIA_XML ? FHIR_XML : FHIR_JSON;
}

enum err fhir_form_print(struct request *r, const struct json *resource, struct buf *out)
{
    const struct fhir_input *in = r->input;
    if (!resource)
        return ERR_LIMIT;
    if (in->wish.form == FHIR_MEDIA_XML)
        return xml_print_resource(out, resource, in->pretty);
    if (in->pretty)
        json_print_pretty(out, resource);
    else
        json_print(out, resource);
    return buf_err(out);
}

static struct slice printed(const struct request *r)
{
    return r->answer_body.len ? r->answer_body : buf_slice(&r->answer_buf);
}

bool fhir_form_needed(const struct request *r)
{
    const struct fhir_input *in = r->input;
    if (r->job.err || r->status == 304 || r->answer_type || !printed(r).len)
        return false;
    return in->wish.form == FHIR_MEDIA_XML || in->pretty || in->subset.mode != SUBSET_ALL ||
           (is_read(in) && fhir_form_is_content(in));
}

/* A media type that can stand in a header field and be taken for nothing else. */
static bool is_plain_type(struct slice type)
{
    size_t slash = slice_find(type, '/', 0);
    for (size_t i = 0; i < type.len; i++)
        if (type.ptr[i] < 0x20 || type.ptr[i] > 0x7e || type.ptr[i] == ',')
            return false;
    return slash > 0 && slash + 1 < type.len && type.len <= TYPE_MAX;
}

static enum err print_content(struct request *r, const struct json *binary, struct buf *out)
{
    struct slice type = json_str(binary, "contentType");
    struct slice data = json_str(binary, "data");
    struct fhir_input *in = r->input;
    if (!slice_is(json_str(binary, "resourceType"), "Binary"))
        return ERR_INTERNAL;
    r->answer_type = is_plain_type(type) ? arena_str(r->arena, type) : UNKNOWN_CONTENT;
    in->content = true;
    if (data.len && !digest_unbase64(data, false, out))
        return err_add(&r->errors, ERR_NOT_ACCEPTABLE, "Binary.data", NULL);
    return r->answer_type ? buf_err(out) : ERR_LIMIT;
}

static enum err make(struct request *r, struct arena *arena, struct buf *out)
{
    struct fhir_input *in = r->input;
    struct json *root = NULL;
    struct json_fault fault;
    enum err err = json_parse(arena, printed(r), &root, &fault);
    if (err)
        return err == ERR_LIMIT ? ERR_TOO_LARGE : ERR_INTERNAL;
    if (is_read(in) && fhir_form_is_content(in))
        return print_content(r, root, out);
    err = subset_apply(arena, root, &in->subset);
    if (!err)
        err = fhir_form_print(r, root, out);
    if (!err)
        r->answer_type = fhir_form_type(in);
    return err;
}

enum err fhir_form_make(struct request *r)
{
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    struct buf out;
    buf_init(&out, LIMIT_HTTP_ANSWER);
    enum err err = arena ? make(r, arena, &out) : ERR_LIMIT;
    if (!err) {
        buf_fini(&r->answer_buf);
        r->answer_buf = out;
        r->answer_body = SLICE_NONE;
    } else {
        r->answer_type = NULL;
        buf_fini(&out);
    }
    arena_free(arena);
    return err;
}
