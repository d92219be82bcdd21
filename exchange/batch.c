/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests in bulk (see batch.h). Each keeps a copy of its bytes until it has ended.
 */
#include "exchange/batch.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include "base/limits.h"
#include "exchange/door/fhir_load.h"
#include "exchange/door/ssmix2_scan.h"
#include "exchange/use/intake.h"

#include "base/banned.h"

#define IN_FLIGHT_MAX 512u
#define BYTES_MAX                                                                                  \
    LIMIT_MIB /* of those in flight: a Bundle takes some twenty times its size while it is worked  \
                 on */
#define WAIT_NS 200000L

/* A request under way and the bytes it works on. */
struct pending {
    struct batch *batch;
    void *tag;
    size_t len;
    char bytes[];
};

void batch_init(struct batch *b, struct exchange *x,
                void (*ended)(void *context, struct request *r, void *tag), void *context)
{
    *b = (struct batch){.exchange = x, .ended = ended, .context = context};
}

static void answered(struct request *r)
{
    struct pending *pending = r->door_data;
    struct batch *b = pending->batch;

    assert(b->in_flight > 0);
    b->in_flight--;
    b->bytes -= pending->len;
    if (r->job.err == ERR_UNAVAILABLE)
        b->failed = r->job.err;
    b->ended(b->context, r, pending->tag);
    request_free(r);
    free(pending);
}

/* Waits until at most MAX requests with BYTES are under way. */
static void drain(struct batch *b, unsigned max, size_t bytes)
{
    while (b->in_flight > max || b->bytes > bytes)
        if (pipeline_collect(b->exchange) == 0)
            (void)nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
}

void batch_finish(struct batch *b)
{
    drain(b, 0, 0);
}

/* BYTES and a path after them, each with a NUL that is not counted. */
static struct pending *keep(struct batch *b, void *tag, struct slice bytes, struct slice path)
{
    struct pending *pending = malloc(sizeof(*pending) + bytes.len + path.len + 2);

    if (!pending)
        return NULL;
    pending->batch = b;
    pending->tag = tag;
    pending->len = bytes.len;
    if (bytes.len)
        memcpy(pending->bytes, bytes.ptr, bytes.len);
    pending->bytes[bytes.len] = '\0';
    if (path.len)
        memcpy(pending->bytes + bytes.len + 1, path.ptr, path.len);
    pending->bytes[bytes.len + 1 + path.len] = '\0';
    return pending;
}

static enum err start(struct batch *b, struct request *r, struct pending *pending)
{
    if (!r) {
        free(pending);
        return ERR_LIMIT;
    }
    r->door_data = pending;
    r->answer = answered;
    b->in_flight++;
    b->bytes += pending->len;
    b->started++;
    pipeline_start(r);
    if (b->in_flight >= IN_FLIGHT_MAX || b->bytes >= BYTES_MAX)
        drain(b, IN_FLIGHT_MAX / 2, BYTES_MAX / 2);
    return b->failed;
}

static struct request *message_request(struct batch *b, enum request_door door,
                                       struct slice facility_key, struct slice body)
{
    struct request *r = request_new(b->exchange, door);
    struct intake *in = r ? ARENA_NEW(r->arena, struct intake) : NULL;

    if (!in) {
        request_free(r);
        return NULL;
    }
    r->use = &intake_use;
    r->input = in;
    r->facility_key = arena_dup(r->arena, facility_key);
    r->peer = SLICE("local");
    r->body = body;
    return r;
}

enum err batch_message(struct batch *b, struct slice facility_key, struct slice bytes, void *tag)
{
    struct pending *pending = keep(b, tag, bytes, SLICE_NONE);
    struct request *r = pending ? message_request(b, REQUEST_COMMAND, facility_key,
                                                  slice_of(pending->bytes, bytes.len))
                                : NULL;

    return start(b, r, pending);
}

enum err batch_file(struct batch *b, struct slice facility_key, const struct ssmix2_file *file)
{
    struct slice bytes = slice_of(file->bytes, (size_t)file->size);
    struct slice path = slice_str(file->path);
    struct pending *pending = keep(b, NULL, bytes, path);
    struct request *r = NULL;
    struct intake *in = NULL;

    if (pending)
        r = message_request(b, REQUEST_SSMIX2, facility_key, slice_of(pending->bytes, bytes.len));
    if (!r)
        return start(b, NULL, pending);
    pending->tag = pending->bytes + bytes.len + 1;
    in = r->input;
    in->path = slice_of(pending->tag, path.len);
    in->file =
        (struct inbox_file){.path = in->path, .size = file->size, .mtime_ns = file->mtime_ns};
    r->target = in->path;
    r->job.in_order = true;
    return start(b, r, pending);
}

enum err batch_resource(struct batch *b, struct slice facility_key, int64_t resident,
                        struct slice json, void *tag)
{
    struct pending *pending = keep(b, tag, json, facility_key);
    struct request *r = NULL;

    if (pending)
        r = fhir_load_request(b->exchange,
                              slice_of(pending->bytes + json.len + 1, facility_key.len), resident,
                              slice_of(pending->bytes, json.len));
    return start(b, r, pending);
}

enum err batch_bundle(struct batch *b, struct slice facility_key, struct slice json, void *tag)
{
    struct pending *pending = keep(b, tag, json, facility_key);
    struct request *r = NULL;

    if (pending)
        r = fhir_load_bundle(b->exchange, slice_of(pending->bytes + json.len + 1, facility_key.len),
                             slice_of(pending->bytes, json.len));
    return start(b, r, pending);
}
