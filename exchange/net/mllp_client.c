/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection out (see mllp_client.h). Its moves; each way to IDLE or READY out of RESOLVING,
 * DIALLING or ASKED tells `done`, as the last thing it does:
 *
 *     IDLE --connect--> RESOLVING --addresses--> DIALLING --ready--> READY --send--> ASKED
 * --frame--> READY
 *
 *     state      event                          then
 *     RESOLVING  no such name, none allowed     IDLE: ERR_IO
 *     DIALLING   closed                         DIALLING the next address; none left, IDLE: ERR_IO
 *     DIALLING   ready                          READY: ERR_OK
 *     READY      closed, bytes nobody asked for, idle for long    IDLE
 *     ASKED      a whole frame                  READY: ERR_OK
 *     ASKED      a frame and more               IDLE: ERR_OK (the rest belongs to no message)
 *     ASKED      bytes that are no frame, too many    IDLE: ERR_MALFORMED
 *     ASKED      late                           IDLE: ERR_TIMEOUT
 *     ASKED      closed                         IDLE: ERR_IO
 *     any        mllp_client_close              (freed): ERR_UNAVAILABLE
 */
#include "exchange/net/mllp_client.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "exchange/net/mllp.h"
#include "exchange/net/resolve.h"
#include "exchange/net/stream.h"

#include "base/banned.h"

enum client_state { IDLE, RESOLVING, DIALLING, READY, ASKED };

struct mllp_client {
    struct mllp_client_options options;
    enum client_state state;
    struct listener *listener; /* listens nowhere */
    struct resolve names;
    struct stream *stream; /* the one in use; streams that were hung up close behind our back */
    struct buf in;
    mllp_client_cb done;
    void *context;
    bool closing;
    void (*closed)(void *context);
    void *closed_context;
};

/* ── ends ────────────────────────────────────────────────────────────────────────────────────── */

void mllp_client_hang_up(struct mllp_client *c)
{
    struct stream *s = c->stream;
    c->stream = NULL;
    if (c->state == READY)
        c->state = IDLE;
    if (!s)
        return;
    stream_set_data(s, NULL);
    stream_close(s);
}

/* What ran is over; the next may be begun from inside. */
static void tell(struct mllp_client *c, enum client_state state, enum err err, const char *why,
                 struct slice answer)
{
    struct mllp_client_result result = {.err = err, .why = why, .answer = answer};
    mllp_client_cb done = c->done;
    void *context = c->context;
    c->state = state;
    c->done = NULL;
    if (done)
        done(context, &result);
}

static void fail(struct mllp_client *c, enum err err, const char *why)
{
    mllp_client_hang_up(c);
    tell(c, IDLE, err, why, SLICE_NONE);
}

static void on_listener_closed(void *context)
{
    struct mllp_client *c = context;
    void (*closed)(void *) = c->closed;
    void *closed_context = c->closed_context;
    buf_fini(&c->in);
    free(c);
    closed(closed_context);
}

static void settle(struct mllp_client *c)
{
    if (c->closing && !c->names.running)
        listener_close(c->listener, on_listener_closed, c);
}

/* ── answers ─────────────────────────────────────────────────────────────────────────────────── */

static void take_answer(struct mllp_client *c)
{
    struct slice frame = SLICE_NONE;
    size_t used = 0;
    switch (mllp_deframe(buf_slice(&c->in), &frame, &used)) {
    case MLLP_MORE:
        break;
    case MLLP_BAD:
        fail(c, ERR_MALFORMED, "the answer is not framed as MLLP");
        break;
    case MLLP_FRAME: {
        struct buf whole = c->in;
        bool alone = used == whole.len;
        buf_init(&c->in, LIMIT_HL7_ACK);
        stream_deadline(c->stream, LIMIT_FEED_IDLE_MS);
        if (!alone)
            mllp_client_hang_up(c);
        tell(c, alone ? READY : IDLE, ERR_OK, "", frame);
        buf_fini(&whole);
        break;
    }
    }
}

static bool is_blank(struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.ptr[i] != '\r' && bytes.ptr[i] != '\n')
            return false;
    return true;
}

static void on_data(struct stream *s, struct slice bytes)
{
    struct mllp_client *c = stream_data(s);
    if (!c)
        return;
    if (c->state != ASKED) {
        if (!is_blank(bytes)) /* nobody asked */
            mllp_client_hang_up(c);
        return;
    }
    buf_add(&c->in, bytes);
    if (buf_err(&c->in))
        fail(c, ERR_MALFORMED, "the answer is too large");
    else
        take_answer(c);
}

/* ── the connection ──────────────────────────────────────────────────────────────────────────── */

static void dial(struct mllp_client *c);

static void on_ready(struct stream *s)
{
    struct mllp_client *c = stream_data(s);
    if (!c)
        return;
    stream_deadline(s, LIMIT_FEED_IDLE_MS);
    tell(c, READY, ERR_OK, "", SLICE_NONE);
}

static void on_late(struct stream *s)
{
    struct mllp_client *c = stream_data(s);
    if (!c)
        stream_close(s);
    else if (c->state == ASKED)
        fail(c, ERR_TIMEOUT, "no answer in time");
    else if (c->state == READY)
        mllp_client_hang_up(c);
    else
        stream_close(s); /* `closed` tells */
}

static void on_closed(struct stream *s)
{
    struct mllp_client *c = stream_data(s);
    const char *why = stream_why(s);
    if (!c)
        return;
    c->stream = NULL;
    if (c->state == READY)
        c->state = IDLE;
    else if (c->state == DIALLING && resolve_more(&c->names))
        dial(c);
    else
        tell(c, IDLE, ERR_IO, why, SLICE_NONE);
}

static const struct stream_events EVENTS = {
    .ready = on_ready, .data = on_data, .closed = on_closed, .late = on_late};

static void dial(struct mllp_client *c)
{
    c->state = DIALLING;
    if (stream_dial(c->listener, resolve_next(&c->names), c->options.host, c->options.connect_ms, c,
                    &c->stream))
        tell(c, IDLE, ERR_IO, "no socket", SLICE_NONE);
}

static void on_resolved(struct resolve *names, const char *why)
{
    struct mllp_client *c = names->context;
    if (c->closing)
        settle(c);
    else if (why)
        tell(c, IDLE, ERR_IO, why, SLICE_NONE);
    else
        dial(c);
}

bool mllp_client_connected(const struct mllp_client *c)
{
    return c->state == READY;
}

void mllp_client_connect(struct mllp_client *c, mllp_client_cb done, void *context)
{
    const struct mllp_client_options *o = &c->options;
    assert(c->state == IDLE && !c->stream && !c->closing);
    c->done = done;
    c->context = context;
    c->state = RESOLVING;
    const char *why = resolve_begin(o->loop, &c->names, o->host, o->port,
                                    !o->tls && !o->plain_anywhere, on_resolved, c);
    if (why)
        tell(c, IDLE, ERR_IO, why, SLICE_NONE);
}

void mllp_client_send(struct mllp_client *c, struct slice message, mllp_client_cb done,
                      void *context)
{
    assert(c->state == READY && c->stream && !c->closing);
    c->done = done;
    c->context = context;
    c->state = ASKED;
    buf_clear(&c->in);
    stream_write(c->stream, SLICE("\x0b"));
    stream_write(c->stream, message);
    stream_write(c->stream, SLICE("\x1c\r"));
    stream_deadline(c->stream, c->options.answer_ms);
}

/* ── the whole ───────────────────────────────────────────────────────────────────────────────── */

enum err mllp_client_open(const struct mllp_client_options *options,
                          struct mllp_client **ret_client)
{
    struct mllp_client *c = calloc(1, sizeof(*c));
    if (!c)
        return ERR_LIMIT;
    c->options = *options;
    buf_init(&c->in, LIMIT_HL7_ACK);
    struct listener_options listening = {
        .loop = options->loop, .tls = options->tls, .events = &EVENTS, .context = c};
    enum err err = listener_open(&listening, &c->listener);
    if (err)
        free(c);
    else
        *ret_client = c;
    return err;
}

void mllp_client_close(struct mllp_client *c, void (*done)(void *context), void *context)
{
    c->closed = done;
    c->closed_context = context;
    c->closing = true;
    if (c->names.running)
        resolve_cancel(&c->names);
    fail(c, ERR_UNAVAILABLE, "closing");
    settle(c);
}
