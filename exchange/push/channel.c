/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a Subscription (see channel.h), element by element: one function each, run in order. Whether the resource is
 * valid R4 was checked before; here it is about what this server can do. Must not look at records.
 */
#include "exchange/push/channel.h"

#include "base/when.h"
#include "exchange/push/target.h"
#include "mappers/fhir/definition.h"

#include "base/banned.h"

struct reading {
    struct arena *arena;
    const struct json *resource, *channel;
    const char *targets;
    struct err_list *errors;
    struct channel *out;
};

static enum err read_type(struct reading *r)
{
    if (slice_is(json_str(r->channel, "type"), "rest-hook"))
        return ERR_OK;
    return err_add_words(r->errors, ERR_INVALID, "Subscription.channel.type",
                         "rest-hook; it can also be listened to at Subscription/[id]/$events",
                         "rest-hook だけです。Subscription/[id]/$events で受けることもできます");
}

static enum err read_endpoint(struct reading *r)
{
    struct slice endpoint = json_str(r->channel, "endpoint");
    r->out->posts = endpoint.len > 0;
    if (!endpoint.len)
        return ERR_OK;
    if (outbound_url(endpoint, &r->out->target))
        return err_add_words(r->errors, ERR_INVALID, "Subscription.channel.endpoint",
                             "not an absolute http(s) URL that can be used",
                             "使える http(s) の絶対 URL ではありません");
    if (!target_allowed(r->targets, &r->out->target))
        return err_add_words(r->errors, ERR_INVALID, "Subscription.channel.endpoint",
                             "not on the operator's list of targets",
                             "運用者が許可した送信先にありません");
    return ERR_OK;
}

static enum err read_headers(struct reading *r)
{
    const struct json *headers = json_get(r->channel, "header");
    struct buf lines;
    unsigned count = 0;
    enum err err = ERR_OK;
    buf_init(&lines, (LIMIT_PUSH_HEADER + 2) * LIMIT_PUSH_HEADERS);
    for (const struct json *h = headers ? headers->first : NULL; h && !err; h = h->next) {
        if (count++ == LIMIT_PUSH_HEADERS || !outbound_field_ok(h->text))
            err = err_add_words(r->errors, ERR_INVALID, "Subscription.channel.header",
                                "not \"Name: value\", not to be set, or too many",
                                "「Name: value」でないか、指定できない項目か、多すぎます");
        buf_add(&lines, h->text);
        buf_adds(&lines, "\r\n");
    }
    if (!err)
        err = buf_err(&lines);
    r->out->fields = arena_dup(r->arena, buf_slice(&lines));
    buf_fini(&lines);
    return err;
}

static enum err read_payload(struct reading *r)
{
    struct slice payload = json_str(r->channel, "payload");
    r->out->payload = payload.len > 0;
    if (!payload.len || slice_is(payload, "application/fhir+json"))
        return ERR_OK;
    return err_add(r->errors, ERR_INVALID, "Subscription.channel.payload", "application/fhir+json");
}

static enum err read_criteria(struct reading *r)
{
    struct slice text = json_str(r->resource, "criteria");
    size_t question = slice_find(text, '?', 0);
    struct channel *out = r->out;
    out->type = slice_sub(text, 0, question);
    out->filters = slice_sub(text, question + 1, text.len);
    const struct definition_type *type = definition_type(out->type);
    if (!type || type->kind != DEFINITION_RESOURCE || slice_is(out->type, "AuditEvent") ||
        text.len > LIMIT_PUSH_CRITERIA)
        return err_add_words(r->errors, ERR_INVALID, "Subscription.criteria",
                             "not a search of one type: \"Type?parameter=value\"",
                             "「Type?parameter=value」の形の、1種別の検索ではありません");
    return ERR_OK;
}

static enum err read_end(struct reading *r)
{
    struct slice end = json_str(r->resource, "end");
    struct when when;
    r->out->ends_ms = INT64_MAX;
    if (!end.len)
        return ERR_OK;
    if (!when_parse_fhir(end, false, &when))
        return err_add(r->errors, ERR_INVALID, "Subscription.end", NULL);
    r->out->ends_ms = when.lo_ms;
    return ERR_OK;
}

enum err channel_read(struct arena *arena, const struct json *resource, const char *targets,
                      struct err_list *errors, struct channel *ret_channel)
{
    static enum err (*const steps[])(struct reading *) = {
        read_type, read_endpoint, read_headers, read_payload, read_criteria, read_end};
    struct channel channel = {.status = json_str(resource, "status")};
    struct reading r = {.arena = arena,
                        .resource = resource,
                        .channel = json_get(resource, "channel"),
                        .targets = targets,
                        .errors = errors,
                        .out = &channel};
    enum err first = ERR_OK;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        enum err err = steps[i](&r);
        if (!first)
            first = err;
    }
    if (!first)
        *ret_channel = channel;
    return first;
}
