/* SPDX-License-Identifier: Apache-2.0
 *
 * GET Subscription/[id]/$events: listening to a Subscription as server-sent events (docs/decisions/0013). The look finds
 * out whether the caller may listen and from where on; the stream itself is exchange/push/events.c.
 */
#include "exchange/door/fhir.h"
#include "exchange/gate/own_id.h"
#include "exchange/push/events.h"
#include "exchange/push/push.h"
#include "storage/change.h"

#include "base/banned.h"

struct listening {
    int64_t after;
};

static void begin(struct request *r, struct http_call *call)
{
    const struct fhir_input *in = r->input;
    const struct listening *own = in->own;
    struct http_answer closing = {.status = 503, .content_type = "text/plain"};
    if (r->exchange->push)
        events_begin(push_events(r->exchange->push), call, r, in->id, own->after);
    else
        http_call_answer(call, &closing);
}

/* From now on, or after the event the listener saw last. */
static enum err read_place(struct session *s, struct request *r, int64_t *ret_after)
{
    const struct fhir_input *in = r->input;
    int64_t last = 0;
    enum err err = change_last(s, &last);
    if (err || !in->last_event.len) {
        *ret_after = last;
        return err;
    }
    if (!events_place_read(r->exchange, in->id, in->last_event, ret_after) || *ret_after > last)
        return err_add(&r->errors, ERR_BAD_HEADER, "Last-Event-ID", NULL);
    return ERR_OK;
}

static enum err events_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    struct listening *own = ARENA_NEW(r->arena, struct listening);
    struct json_fault fault = {0};
    struct json *resource = NULL;
    struct record record;
    enum err err = own ? own_id_read(s, r, in->type, in->id, &record) : ERR_LIMIT;
    r->entity = fhir_entity(r, in->type, in->id);
    if (!err && record.facility != r->grant.facility)
        err = ERR_NOT_FOUND;
    if (!err)
        err = json_parse(r->arena, record.body, &resource, &fault);
    if (err)
        return err;
    if (!in->own_form)
        return err_add(&r->errors, ERR_NOT_ACCEPTABLE, "Accept", "text/event-stream");
    if (!slice_is(json_str(resource, "status"), "active"))
        return err_add_words(&r->errors, ERR_CONFLICT, "Subscription.status", "not active",
                             "active ではありません");
    in->own = own;
    in->take_over = begin;
    return read_place(s, r, &own->after);
}

const struct use fhir_use_events = {
    .event = "events", .actors = 1u << GRANT_FACILITY, .look = events_look};
