/* SPDX-License-Identifier: Apache-2.0
 *
 * A batch (R4 http.html#transaction): entries that have nothing to do with each other. Each becomes a request of its own
 * that goes the whole way of the pipeline, with its own transaction and audit rows; a few at a time, so that one
 * batch does not fill the store's queue. All of this file but fhir_batch_look runs on the loop's thread.
 *
 *     recorded --start--> running --an entry's answer, next entry started--> running --last answer--> answered
 */
#include <assert.h>

#include "exchange/door/fhir_bundle.h"
#include "exchange/door/fhir_form.h"
#include "exchange/pipeline.h"
#include "mappers/fhir/outcome.h"

#include "base/banned.h"

struct fhir_batch {
    struct request *parent;
    struct fhir_entry *entries;
    struct fhir_entry_answer *answers;
    size_t count, started, answered;
    void (*done)(struct request *r);
};

/* One entry at work: its request must know where its answer goes. */
struct batch_slot {
    struct fhir_batch *batch;
    unsigned number;
};

enum err fhir_batch_look(struct request *r, struct json *bundle)
{
    struct fhir_input *in = r->input;
    struct fhir_batch *batch = ARENA_NEW(r->arena, struct fhir_batch);
    if (!batch)
        return ERR_LIMIT;
    enum err err = fhir_bundle_entries(r, bundle, &batch->entries, &batch->count);
    if (err)
        return err;
    batch->answers = arena_array(r->arena, batch->count ? batch->count : 1, sizeof(*batch->answers));
    if (!batch->answers)
        return ERR_LIMIT;
    r->count = (int64_t)batch->count;
    in->batch = batch->count ? batch : NULL;
    return ERR_OK;
}

/* ── an entry ────────────────────────────────────────────────────────────────────────────────── */

static struct slice body_of(struct request *child, const struct fhir_entry *entry)
{
    struct buf text;
    struct slice body = SLICE_NONE;
    if (!entry->resource)
        return body;
    buf_init(&text, LIMIT_HTTP_BODY);
    json_print(&text, entry->resource);
    if (!buf_err(&text))
        body = arena_dup(child->arena, buf_slice(&text));
    buf_fini(&text);
    return body;
}

/* A request with an arena of its own, like one that came alone. */
static struct request *entry_request(struct fhir_batch *batch, const struct fhir_entry *entry)
{
    const struct request *parent = batch->parent;
    const struct fhir_input *above = parent->input;
    struct request *r = request_new(parent->exchange, parent->door);
    struct fhir_input *in = r ? ARENA_NEW(r->arena, struct fhir_input) : NULL;
    struct batch_slot *slot = r ? ARENA_NEW(r->arena, struct batch_slot) : NULL;
    if (!in || !slot) {
        request_free(r);
        return NULL;
    }
    *slot = (struct batch_slot){batch, entry->number};
    r->input = in;
    r->door_data = slot;
    r->has_cert = parent->has_cert;
    memcpy(r->fingerprint, parent->fingerprint, sizeof(r->fingerprint));
    r->facility_key = parent->facility_key;
    r->peer = parent->peer;
    r->lang = parent->lang;
    r->base_url = parent->base_url;
    r->purpose = parent->purpose;
    r->user = parent->user;
    r->role = parent->role;
    r->glass_token = parent->glass_token;
    r->method = entry->method;
    r->target = entry->url;
    r->body = body_of(r, entry);
    fhir_bundle_route(r, entry->url);
    if (in->shape == FHIR_ROOT && r->use == &fhir_use_bundle)
        r->use = &fhir_use_refused; /* no batch in a batch */
    in->wish.form = in->body_media = FHIR_MEDIA_JSON;
    in->if_match = entry->if_match;
    in->if_none_exist = entry->if_none_exist;
    in->if_none_match = entry->if_none_match;
    in->lenient = above->lenient;
    in->minimal = !above->whole;
    return r;
}

static struct slice outcome_of(struct request *parent, struct request *r)
{
    struct buf text;
    buf_init(&text, LIMIT_HTTP_ANSWER);
    json_print(&text, outcome_json(r->arena, r->job.err, &r->errors));
    struct slice body = arena_dup(parent->arena, buf_slice(&text));
    buf_fini(&text);
    return body;
}

static void keep_answer(struct fhir_batch *batch, struct request *r, unsigned number)
{
    struct request *parent = batch->parent;
    struct fhir_entry_answer *a = &batch->answers[number];
    fhir_form_settle(r);
    if (fhir_form_needed(r))
        r->job.err = fhir_form_make(r);
    if (r->job.err) {
        *a = (struct fhir_entry_answer){
            .status = err_http(r->job.err), .failed = true, .body = outcome_of(parent, r)};
        return;
    }
    *a = (struct fhir_entry_answer){
        .status = r->status ? r->status : 200,
        .location = r->location ? arena_str(parent->arena, slice_str(r->location)) : NULL,
        .version = r->answer_version,
        .updated_ms = r->answer_updated_ms,
        .body = slice_is(r->method, "HEAD") || r->status == 304
                    ? SLICE_NONE
                    : arena_dup(parent->arena, buf_slice(&r->answer_buf)),
    };
}

/* ── the batch ───────────────────────────────────────────────────────────────────────────────── */

static void finish(struct fhir_batch *batch)
{
    struct request *r = batch->parent;
    r->job.err = arena_exhausted(r->arena)
                     ? ERR_LIMIT
                     : fhir_bundle_print(r, "batch-response", batch->answers, batch->count);
    batch->done(r);
}

static void start_next(struct fhir_batch *batch);

static void entry_answered(struct request *r)
{
    struct batch_slot slot = *(struct batch_slot *)r->door_data;
    keep_answer(slot.batch, r, slot.number);
    request_free(r);
    slot.batch->answered++;
    start_next(slot.batch);
    if (slot.batch->answered == slot.batch->count)
        finish(slot.batch);
}

/* An entry there was no memory for is answered like one that was refused. */
static void start_next(struct fhir_batch *batch)
{
    while (batch->started < batch->count) {
        struct fhir_entry *entry = &batch->entries[batch->started++];
        struct request *r = entry_request(batch, entry);
        if (r) {
            r->answer = entry_answered;
            pipeline_start(r);
            return;
        }
        batch->answers[entry->number] =
            (struct fhir_entry_answer){.status = err_http(ERR_BUSY), .failed = true};
        batch->answered++;
    }
}

bool fhir_batch_start(struct request *r, void (*done)(struct request *r))
{
    struct fhir_input *in = r->input;
    struct fhir_batch *batch = in->batch;
    if (!batch)
        return false;
    in->batch = NULL;
    batch->parent = r;
    batch->done = done;
    for (unsigned i = 0; i < LIMIT_BATCH_WINDOW && batch->started < batch->count; i++)
        start_next(batch);
    if (batch->answered == batch->count)
        finish(batch);
    return true;
}
