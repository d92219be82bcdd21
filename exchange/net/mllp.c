/* SPDX-License-Identifier: Apache-2.0
 *
 * The MLLP door (HL7 v2 Implementation Guide, appendix C): <VT> message <FS><CR>, one message at a
 * time per connection.
 *
 *   FRAME -> RUNNING -> FRAME ... -> ENDING
 *
 * An interface that swallows a broken frame loses a message nobody misses, so every framing fault
 * is counted, said once in the log with its reason, and ends the connection: the sender then knows.
 * Must not look inside a message.
 */
#include "exchange/net/mllp.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"

#include "base/banned.h"

#define VT '\x0b'
#define FS '\x1c'
#define CR '\r'
#define LF '\n'
#define AHEAD_MAX (64u * LIMIT_KIB) /* read ahead of the running call, to see the peer go */
#define HEAD_OF_LARGE (64u * 1024u) /* of a frame too large: enough for its header */
#define KEEP (64u * LIMIT_KIB)      /* buffers up to here are kept */

enum call_state { FRAME, RUNNING, ENDING };

struct mllp_call {
    struct mllp_server *server;
    struct stream *stream; /* NULL: the peer is gone */
    TAILQ_ENTRY(mllp_call) link;
    enum call_state state;
    bool held; /* paused until what was written has left */
    bool stepping;
    bool timed; /* the deadline of a begun frame runs */
    struct net_peer peer;
    struct buf in;   /* the frame being read or handled; not moved while the call runs */
    struct buf more; /* what came meanwhile */
    size_t at;       /* of in: where the frame begins */
    size_t scanned;  /* of in: no end of the frame before here */
    size_t next;     /* of in: behind the frame that is handled */
    struct slice frame;
    enum err fault; /* of the frame handed over */
};

TAILQ_HEAD(call_list, mllp_call);

struct mllp_server {
    struct mllp_options options;
    struct listener *listener;
    struct call_list calls;
    struct mllp_figures figures;
    unsigned busy;
    bool closing, listener_closing;
    void (*done)(void *context);
    void *done_context;
};

static void step(struct mllp_call *c);

enum mllp_state mllp_deframe(struct slice bytes, struct slice *ret_frame, size_t *ret_used)
{
    assert(ret_frame && ret_used);
    size_t start = 0;
    while (start < bytes.len && (bytes.ptr[start] == CR || bytes.ptr[start] == LF))
        start++;
    if (start == bytes.len) {
        *ret_used = start;
        return MLLP_MORE;
    }
    if (bytes.ptr[start] != VT)
        return MLLP_BAD;
    size_t end = slice_find(bytes, FS, start + 1);
    if (slice_find(slice_sub(bytes, 0, end), VT, start + 1) < end)
        return MLLP_BAD;
    if (end + 1 >= bytes.len) {
        *ret_used = start;
        return MLLP_MORE;
    }
    if (bytes.ptr[end + 1] != CR)
        return MLLP_BAD;
    *ret_frame = slice_sub(bytes, start + 1, end - start - 1);
    *ret_used = end + 2;
    return MLLP_FRAME;
}

/* ---- life of a connection ---- */

static void call_free(struct mllp_call *c)
{
    TAILQ_REMOVE(&c->server->calls, c, link);
    buf_fini(&c->in);
    buf_fini(&c->more);
    free(c);
}

static void on_listener_closed(void *context)
{
    struct mllp_server *server = context;
    void (*done)(void *) = server->done;
    void *done_context = server->done_context;
    assert(TAILQ_EMPTY(&server->calls));
    free(server);
    if (done)
        done(done_context);
}

static void settle(struct mllp_server *server)
{
    if (!server->closing || server->busy > 0 || server->listener_closing)
        return;
    server->listener_closing = true;
    listener_close(server->listener, on_listener_closed, server);
}

static void leave(struct mllp_call *c)
{
    c->state = ENDING;
    if (c->stream)
        stream_close(c->stream);
}

/* Counts and says a framing fault; the connection ends. */
static void fault(struct mllp_call *c, const char *reason)
{
    c->server->figures.framing_errors++;
    log_warn("mllp.framing", "reason=%s peer=%s port=%u", reason, c->peer.address,
             c->peer.local_port);
    leave(c);
}

static const char *why_bad(struct slice bytes)
{
    size_t start = 0;
    while (start < bytes.len && (bytes.ptr[start] == CR || bytes.ptr[start] == LF))
        start++;
    if (start < bytes.len && bytes.ptr[start] != VT)
        return "bytes-outside-frame";
    size_t end = slice_find(bytes, FS, start + 1);
    if (slice_find(slice_sub(bytes, 0, end), VT, start + 1) < end)
        return "start-block-inside-frame";
    return "end-block-inside-frame";
}

/* True when the bytes not looked at yet may end or break the frame, so that a large frame is
 * searched once only. */
static bool worth_deframing(struct mllp_call *c)
{
    struct slice fresh = slice_sub(buf_slice(&c->in), c->scanned, c->in.len);
    if (c->scanned == c->at || c->in.ptr[c->scanned - 1] == FS)
        return true;
    return slice_find(fresh, FS, 0) < fresh.len || slice_find(fresh, VT, 0) < fresh.len;
}

static void await_frame(struct mllp_call *c)
{
    if (c->in.len == c->at) {
        stream_deadline(c->stream, LIMIT_MLLP_IDLE_MS);
    } else if (!c->timed) {
        c->timed = true;
        stream_deadline(c->stream, LIMIT_MLLP_FRAME_MS);
    }
    stream_resume(c->stream);
}

static void run(struct mllp_call *c)
{
    c->state = RUNNING;
    c->server->busy++;
    c->server->figures.frames++;
    stream_deadline(c->stream, 0);
    c->server->options.handle(c, c->server->options.context);
}

/* A frame that will not fit is answered all the same, from its beginning; then the connection ends. */
static bool run_too_large(struct mllp_call *c)
{
    c->server->figures.framing_errors++;
    log_warn("mllp.framing", "reason=frame-too-large peer=%s port=%u", c->peer.address,
             c->peer.local_port);
    c->fault = ERR_TOO_LARGE;
    c->frame = slice_sub(buf_slice(&c->in), c->at + 1, HEAD_OF_LARGE); /* behind VT */
    c->next = c->in.len;
    stream_pause(c->stream);
    run(c);
    return true;
}

/* True when the frame is too large already and was handed over so. */
static bool await_rest(struct mllp_call *c, size_t droppable)
{
    buf_drop(&c->in, c->at + droppable);
    c->at = 0;
    c->scanned = c->in.len;
    if (c->in.len > LIMIT_MLLP_FRAME + 2) /* VT, and perhaps FS */
        return run_too_large(c);
    await_frame(c);
    return false;
}

/* Looks for the next frame. True when one was handed over. */
static bool read_frame(struct mllp_call *c)
{
    size_t used = 0;
    c->held = false;
    if (stream_pending(c->stream) > KEEP) { /* on_drained goes on */
        c->held = true;
        stream_pause(c->stream);
        return false;
    }
    if (!worth_deframing(c))
        return await_rest(c, 0);
    struct slice input = slice_sub(buf_slice(&c->in), c->at, c->in.len);
    switch (mllp_deframe(input, &c->frame, &used)) {
    case MLLP_MORE:
        return await_rest(c, used);
    case MLLP_BAD:
        fault(c, why_bad(input));
        return false;
    default:
        if (c->frame.len > LIMIT_MLLP_FRAME) {
            c->at += (size_t)(c->frame.ptr - input.ptr) - 1;
            return run_too_large(c);
        }
        c->next = c->at + used;
        run(c);
        return true;
    }
}

static void step(struct mllp_call *c)
{
    if (c->stepping)
        return;
    c->stepping = true;
    while (c->state == FRAME && read_frame(c))
        ;
    c->stepping = false;
}

/* What follows the handled frame becomes the next input; moved only when it must be joined with
 * what came meanwhile. */
static void turn_over(struct mllp_call *c)
{
    c->at = c->scanned = c->next;
    c->timed = false;
    c->frame = SLICE_NONE;
    if (c->at < c->in.len && c->more.len == 0)
        return;
    if (c->at < c->in.len) {
        buf_drop(&c->in, c->at);
        buf_add(&c->in, buf_slice(&c->more));
        buf_clear(&c->more);
    } else {
        struct buf swap = c->in;
        c->in = c->more;
        c->more = swap;
        if (c->more.cap > KEEP)
            buf_fini(&c->more);
        else
            buf_clear(&c->more);
    }
    c->at = c->scanned = 0;
}

static void write_frame(struct mllp_call *c, struct slice message)
{
    static const char start[] = {VT}, end[] = {FS, CR};
    struct buf framed;
    buf_init(&framed, message.len + 3);
    buf_add(&framed, slice_of(start, sizeof(start)));
    buf_add(&framed, message);
    buf_add(&framed, slice_of(end, sizeof(end)));
    if (buf_err(&framed) == ERR_OK)
        stream_write(c->stream, buf_slice(&framed));
    else
        leave(c);
    buf_fini(&framed);
}

void mllp_answer(struct mllp_call *c, struct slice message, bool close)
{
    struct mllp_server *server = c->server;
    assert(c->state == RUNNING);
    server->busy--;
    if (!c->stream) {
        call_free(c);
        settle(server);
        return;
    }
    c->state = FRAME;
    if (message.len > 0)
        write_frame(c, message);
    if (close || server->closing || c->fault) {
        leave(c);
    } else if (c->state == FRAME) {
        turn_over(c);
        if (buf_err(&c->in) != ERR_OK)
            leave(c);
        step(c);
    }
    settle(server);
}

/* ---- events of the stream ---- */

static void on_ready(struct stream *s)
{
    struct mllp_server *server = stream_context(s);
    struct mllp_call *c = server->closing ? NULL : calloc(1, sizeof(*c));
    if (!c) {
        stream_close(s);
        return;
    }
    c->server = server;
    c->stream = s;
    c->peer = *stream_peer(s);
    buf_init(&c->in, LIMIT_MLLP_FRAME + 2 * LIMIT_MIB);
    buf_init(&c->more, LIMIT_MLLP_FRAME + 2 * LIMIT_MIB);
    TAILQ_INSERT_TAIL(&server->calls, c, link);
    stream_set_data(s, c);
    stream_deadline(s, LIMIT_MLLP_IDLE_MS);
}

static void on_data(struct stream *s, struct slice bytes)
{
    struct mllp_call *c = stream_data(s);
    struct buf *to = c->state == RUNNING ? &c->more : &c->in;
    if (c->state == ENDING)
        return;
    buf_add(to, bytes);
    if (buf_err(to) != ERR_OK)
        fault(c, "no-room");
    else if (c->state == RUNNING && c->more.len > AHEAD_MAX)
        stream_pause(s);
    else
        step(c);
}

static void on_drained(struct stream *s)
{
    struct mllp_call *c = stream_data(s);
    if (c && c->held)
        step(c);
}

static void on_late(struct stream *s)
{
    struct mllp_call *c = stream_data(s);
    if (c && c->state == FRAME && c->in.len > c->at)
        fault(c, "frame-too-slow");
    else if (c)
        leave(c);
    else
        stream_close(s);
}

static void on_closed(struct stream *s)
{
    struct mllp_call *c = stream_data(s);
    if (!c)
        return;
    struct mllp_server *server = c->server;
    c->stream = NULL;
    if (c->state == RUNNING) /* freed by its answer */
        return;
    if (c->state == FRAME && c->in.len > c->at && !server->closing)
        fault(c, "cut-off");
    call_free(c);
    settle(server);
}

static const struct stream_events EVENTS = {.ready = on_ready,
                                            .data = on_data,
                                            .closed = on_closed,
                                            .drained = on_drained,
                                            .late = on_late};

/* ---- the server ---- */

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

enum err mllp_open(const struct mllp_options *options, struct mllp_server **ret_server)
{
    assert(options && options->handle && ret_server);
    if (!options->tls && !is_loopback(options->host))
        return ERR_INVALID;
    struct mllp_server *server = calloc(1, sizeof(*server));
    if (!server)
        return ERR_LIMIT;
    server->options = *options;
    TAILQ_INIT(&server->calls);
    struct listener_options lo = {.loop = options->loop,
                                  .host = options->host,
                                  .port = options->port,
                                  .tls = options->tls,
                                  .events = &EVENTS,
                                  .context = server,
                                  .quota = options->quota};
    enum err err = listener_open(&lo, &server->listener);
    if (err != ERR_OK) {
        free(server);
        return err;
    }
    *ret_server = server;
    return ERR_OK;
}

unsigned short mllp_port(const struct mllp_server *server)
{
    return listener_port(server->listener);
}

void mllp_figures(const struct mllp_server *server, struct mllp_figures *ret_figures)
{
    *ret_figures = server->figures;
    listener_figures(server->listener, &ret_figures->net);
}

void mllp_close(struct mllp_server *server, void (*done)(void *context), void *context)
{
    assert(!server->closing);
    server->closing = true;
    server->done = done;
    server->done_context = context;
    listener_stop(server->listener);
    struct mllp_call *c;
    TAILQ_FOREACH(c, &server->calls, link)
    {
        if (c->state == FRAME)
            leave(c);
    }
    settle(server);
}

enum err mllp_call_fault(const struct mllp_call *c)
{
    return c->fault;
}

struct slice mllp_call_frame(const struct mllp_call *call)
{
    return call->frame;
}

const struct net_peer *mllp_call_peer(const struct mllp_call *call)
{
    return &call->peer;
}
