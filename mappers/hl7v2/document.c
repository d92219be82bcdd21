/* SPDX-License-Identifier: Apache-2.0
 *
 * ED is source^type^subtype^encoding^data (v2.5 chapter 2A). Encodings are Base64, Hex and A
 * (none); what is not well-formed stays in the original only. Senders disagree about the media type
 * of CDA (text/xml, multipart/x-hl7-cda-level-one ...), so its root element decides.
 */
#include "mappers/hl7v2/document.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/family.h"
#include "mappers/hl7v2/terms.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/banned.h"

#define CDA_LOOK                                                                                   \
    4096u /* a ClinicalDocument opens within the first bytes, behind prolog and comments */

static struct slice lower(struct mapping *mp, struct slice text)
{
    char *out = arena_alloc(mp->a, text.len + 1);

    for (size_t i = 0; out && i < text.len; i++) {
        char c = text.ptr[i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return slice_of(out, out ? text.len : 0);
}

static bool is_token(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '+'))
            return false;
    }
    return s.len > 0;
}

struct document {
    struct slice content_type;
    struct slice bytes;
    bool cda;
};

static bool is_cda(struct slice bytes)
{
    struct slice head = slice_sub(bytes, 0, bytes.len < CDA_LOOK ? bytes.len : CDA_LOOK);

    return slice_search(head, SLICE("<ClinicalDocument"), 0) < head.len;
}

static bool decode(struct mapping *mp, struct slice encoding, struct slice data,
                   struct slice *ret_bytes)
{
    struct buf bytes;
    bool ok;

    if (slice_is(encoding, "a")) {
        *ret_bytes = data;
        return data.len > 0;
    }
    if (slice_is(encoding, "hex")) {
        unsigned char *out = arena_alloc(mp->a, data.len / 2 + 1);

        ok = out && data.len > 0 && data.len % 2 == 0 && digest_unhex(data, out, data.len / 2);
        if (ok)
            *ret_bytes = slice_of((char *)out, data.len / 2);
        return ok;
    }
    buf_init(&bytes, LIMIT_MLLP_FRAME);
    ok = slice_is(encoding, "base64") && digest_unbase64(data, false, &bytes) &&
         buf_err(&bytes) == ERR_OK && bytes.len > 0;
    if (ok)
        *ret_bytes = arena_dup(mp->a, buf_slice(&bytes));
    buf_fini(&bytes);
    return ok && ret_bytes->len > 0;
}

static bool read_ed(struct mapping *mp, struct slice raw, struct document *ret)
{
    static const char *const types[] = {"text", "image", "audio", "video", "application"};
    struct slice type = lower(mp, mapping_part(mp, raw, 2));
    struct slice subtype = lower(mp, mapping_part(mp, raw, 3));
    struct slice encoding = lower(mp, mapping_part(mp, raw, 4));
    bool known = false;

    if (!decode(mp, encoding, mapping_part(mp, raw, 5), &ret->bytes))
        return false;
    ret->cda = is_cda(ret->bytes);
    if (!ret->cda && !is_token(subtype))
        return false;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        known = known || slice_is(type, types[i]);
    ret->content_type =
        ret->cda ? SLICE("text/xml")
                 : mapping_format(mp, "%.*s/%.*s", SLICE_ARG(known ? type : SLICE("application")),
                                  SLICE_ARG(subtype));
    return true;
}

static struct slice base64(struct mapping *mp, struct slice bytes)
{
    struct buf text;
    struct slice out = SLICE_NONE;

    buf_init(&text, LIMIT_MLLP_FRAME * 2);
    digest_base64(&text, bytes, false);
    if (buf_err(&text) == ERR_OK)
        out = arena_dup(mp->a, buf_slice(&text));
    buf_fini(&text);
    return out;
}

static bool build_presented(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct document d = {0};
    struct json *attachment;

    if (!read_ed(mp, at->raw, &d))
        return false;
    attachment = json_new(mp->a, JSON_OBJECT);
    json_put_str(mp->a, attachment, "contentType", d.content_type);
    json_put_str(mp->a, attachment, "data", base64(mp, d.bytes));
    json_put_str(mp->a, attachment, "title", mapping_value(mp, at->s, 3, 2));
    return mapping_put(at, attachment);
}

static const struct row presented_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_structure, NULL, NULL},
    {3, 0, build_structure, "presentedForm[].title", NULL},
    {5, 0, build_presented, "presentedForm[]", NULL},
    {11, 0, build_structure, NULL, NULL},
    ROW_END,
};

static struct json *attachment_in(struct mapping *mp, struct mapped_resource *document,
                                  struct slice content_type, struct slice title)
{
    struct json *content = json_new(mp->a, JSON_OBJECT);
    struct json *attachment = json_put_object(mp->a, content, "attachment");

    json_put_str(mp->a, attachment, "contentType", content_type);
    json_put_str(mp->a, attachment, "title", title);
    mapping_put_at(mp->a, document->resource, "content[]", content);
    return attachment;
}

struct mapped_resource *document_binary(struct mapping *mp, struct slice content_type,
                                        struct slice bytes, struct slice key, struct slice title,
                                        struct mapped_resource *document)
{
    struct mapped_resource *binary =
        mapping_resource(mp, "Binary", NULL, mapping_unique(mp, "Binary", key));
    struct json *attachment = attachment_in(mp, document, content_type, title);

    binary->scope = document->scope;
    json_put_str(mp->a, binary->resource, "contentType", content_type);
    mapping_subject(mp, binary->resource, "securityContext");
    json_put_str(mp->a, binary->resource, "data", base64(mp, bytes));
    json_put_str(mp->a, attachment, "url",
                 mapping_format(mp, "Binary/%.*s", SLICE_ARG(json_str(binary->resource, "id"))));
    json_put_int(mp->a, attachment, "size", (int64_t)bytes.len);
    return binary;
}

static bool build_bytes(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct json *root = at->target;
    struct keys_slot *slot =
        keys_at(mp->a, &mp->roots, slice_of((const char *)&root, sizeof(root)));
    struct mapped_resource *document = slot ? slot->value : NULL;
    struct mapped_resource *binary;
    struct document d = {0};
    struct slice key;

    if (!document || !read_ed(mp, at->raw, &d))
        return false;
    key = mapping_format(mp, "%.*s:%u", SLICE_ARG(json_str(root, "id")), at->repeat);
    binary =
        document_binary(mp, d.content_type, d.bytes, key, mapping_value(mp, at->s, 3, 2), document);
    mapping_source(mp, at->s, binary->resource);
    mp->now = document;
    return true;
}

static bool is_url(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] <= ' ' || (unsigned char)s.ptr[i] >= 0x7F)
            return false;
    }
    return slice_search(s, SLICE("://"), 0) < s.len;
}

/* RP: pointer^application^type^subtype. Only what can be a URL is one. */
static bool build_pointer(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice url = mapping_part(mp, at->raw, 1);
    struct slice type = lower(mp, mapping_part(mp, at->raw, 3));
    struct slice subtype = lower(mp, mapping_part(mp, at->raw, 4));
    struct json *content, *attachment;

    if (!is_url(url))
        return false;
    content = json_new(mp->a, JSON_OBJECT);
    attachment = json_put_object(mp->a, content, "attachment");
    if (is_token(type) && is_token(subtype))
        json_put_str(mp->a, attachment, "contentType",
                     mapping_format(mp, "%.*s/%.*s", SLICE_ARG(type), SLICE_ARG(subtype)));
    json_put_str(mp->a, attachment, "url", url);
    json_put_str(mp->a, attachment, "title", mapping_value(mp, at->s, 3, 2));
    return mapping_put(at, content);
}

static const struct row bytes_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_structure, NULL, NULL},
    {3, 0, build_structure, "content[].attachment.title", NULL},
    {5, 0, build_bytes, "content[].attachment", NULL},
    {11, 0, build_structure, NULL, NULL},
    ROW_END,
};
static const struct row pointer_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_structure, NULL, NULL},
    {3, 0, build_structure, "content[].attachment.title", NULL},
    {5, 0, build_pointer, "content[]", NULL},
    {11, 0, build_structure, NULL, NULL},
    ROW_END,
};
static const struct row type_rows[] = {
    {3, 0, cwe_build, "type", NULL}, {14, 0, build_instant, "date", NULL}, ROW_END};

bool document_content(struct mapping *mp, const struct hl7_segment *obx,
                      struct mapped_resource *document)
{
    struct slice type = mapping_value(mp, obx, 2, 1);
    const struct json *list;
    uint32_t before;

    list = json_get(document->resource, "content");
    before = list ? list->count : 0;
    if (slice_is(type, "ED"))
        mapping_walk(mp, obx, bytes_rows, document->resource);
    else if (slice_is(type, "RP"))
        mapping_walk(mp, obx, pointer_rows, document->resource);
    list = json_get(document->resource, "content");
    return list && list->count > before;
}

/* The document of one OBX of results: a DocumentReference beside the report. */
static bool alone(struct mapping *mp, const struct hl7_segment *obx, const struct order *o)
{
    const struct term *status = terms_find(terms_obx_status, mapping_value(mp, obx, 11, 1));
    struct slice key = mapping_format(mp, "ED:%.*s:%.*s:%.*s", SLICE_ARG(o->number),
                                      SLICE_ARG(mapping_value(mp, obx, 3, 1)),
                                      SLICE_ARG(mapping_value(mp, obx, 4, 1)));
    struct mapped_resource *r = mapping_resource(mp, "DocumentReference", "JP_DocumentReference",
                                                 mapping_unique(mp, "DocumentReference", key));

    r->scope = o->scope;
    json_put_text(mp->a, r->resource, "status", "current");
    json_put_text(mp->a, r->resource, "docStatus",
                  status && strcmp(status->to, "final") == 0 ? "final" : "preliminary");
    mapping_subject(mp, r->resource, "subject");
    mapping_walk(mp, obx, type_rows, r->resource);
    if (mp->encounter)
        json_put_text(mp->a, mapping_object_at(mp->a, r->resource, "context.encounter[0]"),
                      "reference", mp->encounter);
    if (document_content(mp, obx, r))
        return true;
    mapping_withdraw(mp, r);
    return false;
}

bool document_take(struct mapping *mp, const struct hl7_segment *obx, const struct order *o,
                   struct mapped_resource *report)
{
    struct slice type = mapping_value(mp, obx, 2, 1);
    struct document d = {0};

    if (slice_is(type, "RP"))
        return alone(mp, obx, o);
    if (!slice_is(type, "ED"))
        return false;
    if (!read_ed(mp, hl7_repeat(mp->m, hl7_field(obx, 5), 0), &d) || (report && !d.cda)) {
        if (report)
            mapping_walk(mp, obx, presented_rows, report->resource);
        return true;
    }
    return alone(mp, obx, o);
}

const struct row_set document_sets[] = {
    {"OBX", "DiagnosticReport", presented_rows, NULL},
    {"OBX", "DocumentReference", bytes_rows, NULL},
    {"OBX", "DocumentReference", pointer_rows, NULL},
    {"OBX", "DocumentReference", type_rows, NULL},
    ROW_SET_END,
};
