/* SPDX-License-Identifier: Apache-2.0
 *
 * The MLLP door (HL7 v2 Implementation Guide, appendix C): <VT> message <FS><CR>. A connection
 * reads frames ahead and keeps them in a queue; what the door does with each:
 *
 *   WAITING -> RUNNING -> ANSWERED -> gone
 *
 * A frame runs when no earlier one of its connection shares a key with it (one patient's messages
 * keep their order), and its answer leaves when all earlier answers have left. An interface that
 * swallows a broken frame loses a message nobody misses, so every framing fault is counted, said
 * once in the log with its reason, and ends the connection after the answers due: the sender then
 * knows. Must not look inside a message.
 */
#include "exchange/net/mllp.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include "exchange/net/front.h"

#include "base/banned.h"

#define VT '\x0b'
#define FS '\x1c'
#define CR '\r'
#define LF '\n'
#define AHEAD_FRAMES 64u            /* of one connection, read and not answered */
#define AHEAD_BYTES LIMIT_MIB       /* their bytes; one frame may be larger */
#define CROWD 1024u                 /* running in all: then each connection has one at a time */
#define HEAD_OF_LARGE (64u * 1024u) /* of a frame too large: enough for its header */
#define UNSENT (64u * LIMIT_KIB)    /* more answers than this on their way: nothing is read */

enum call_state { WAITING, RUNNING, ANSWERED };

struct mllp_call {
    struct mllp_link *link;
    TAILQ_ENTRY(mllp_call) next;
    enum call_state state;
    struct mllp_keys keys;
    enum err fault;
    bool close;      /* the connection ends after its answer */
    struct buf said; /* framed answers that wait for earlier ones */
    size_t len;
    char bytes[];
};

TAILQ_HEAD(call_list, mllp_call);

/* A connection. */
struct mllp_link {
    struct guest guest;
    struct call_list calls; /* in the order they came */
    unsigned count;         /* of them */
    size_t bytes;
    bool deaf;     /* nothing more is read; it ends when the calls are answered */
    bool ending;   /* the stream was told to close */
    bool ended;    /* the peer sends no more; it is answered what it sent */
    bool stepping; /* in step() */
    bool timed;    /* the deadline of a begun frame runs */
    struct buf in;
    size_t at;      /* of in: where the next frame begins */
    size_t scanned; /* of in: no end of the frame before here */
};

struct mllp_server {
    struct front front; /* works on calls that are RUNNING */
    struct mllp_options options;
    struct mllp_figures figures;
};

static void step(struct mllp_link *l);

static struct mllp_server *server_of(const struct mllp_link *l)
{
    return (struct mllp_server *)l->guest.front;
}

static const char *const reasons[MLLP_FAULT_COUNT] = {
#define X(name, reason) [name] = reason,
    MLLP_FAULT_TABLE(X)
#undef X
};

const char *mllp_fault_reason(enum mllp_fault fault)
{
    assert(fault < MLLP_FAULT_COUNT);
    return reasons[fault];
}

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
    struct mllp_link *l = c->link;
    TAILQ_REMOVE(&l->calls, c, next);
    l->count--;
    l->bytes -= c->len;
    buf_fini(&c->said);
    free(c);
}

/* Frees a connection whose peer is gone, when nothing of it runs any more. What only waited will be
 * sent again. */
static void link_free_if_idle(struct mllp_link *l)
{
    struct mllp_call *c = TAILQ_FIRST(&l->calls);
    if (l->guest.stream || l->stepping)
        return;
    while (c) {
        struct mllp_call *following = TAILQ_NEXT(c, next);
        if (c->state != RUNNING)
            call_free(c);
        c = following;
    }
    if (l->count > 0)
        return;
    buf_fini(&l->in);
    front_part(&l->guest);
}

static void leave(struct mllp_link *l)
{
    l->deaf = true;
    if (l->guest.stream && !l->ending) {
        l->ending = true;
        stream_close(l->guest.stream);
    }
}

static void count_fault(struct mllp_link *l, enum mllp_fault fault)
{
    struct mllp_figures *figures = &server_of(l)->figures;
    figures->framing_errors++;
    figures->faults[fault]++;
    log_warn("mllp.framing", "reason=%s peer=%s port=%u", reasons[fault], l->guest.peer.address,
             l->guest.peer.local_port);
}

/* Counts and says a framing fault; the connection ends when what came before it is answered. */
static void fault(struct mllp_link *l, enum mllp_fault fault)
{
    count_fault(l, fault);
    l->deaf = true;
}

static enum mllp_fault why_bad(struct slice bytes)
{
    size_t start = 0;
    while (start < bytes.len && (bytes.ptr[start] == CR || bytes.ptr[start] == LF))
        start++;
    if (start < bytes.len && bytes.ptr[start] != VT)
        return MLLP_OUTSIDE;
    size_t end = slice_find(bytes, FS, start + 1);
    if (slice_find(slice_sub(bytes, 0, end), VT, start + 1) < end)
        return MLLP_START_INSIDE;
    return MLLP_END_INSIDE;
}

/* ---- reading ---- */

static bool add_call(struct mllp_link *l, struct slice frame, enum err fault)
{
    struct mllp_call *c = malloc(sizeof(*c) + frame.len);
    if (!c) {
        leave(l);
        return false;
    }
    *c = (struct mllp_call){.link = l, .state = WAITING, .fault = fault, .len = frame.len};
    c->close = fault != ERR_OK;
    buf_init(&c->said, LIMIT_MLLP_FRAME + 2 * LIMIT_MIB);
    if (frame.len)
        memcpy(c->bytes, frame.ptr, frame.len);
    if (server_of(l)->options.keys && !fault)
        server_of(l)->options.keys(frame, &c->keys);
    TAILQ_INSERT_TAIL(&l->calls, c, next);
    l->count++;
    l->bytes += c->len;
    server_of(l)->figures.frames++;
    return true;
}

/* True when the bytes not looked at yet may end or break the frame, so that a large frame is
 * searched once only. */
static bool worth_deframing(const struct mllp_link *l)
{
    if (l->scanned <= l->at || l->in.ptr[l->scanned - 1] == FS)
        return true;
    struct slice fresh = slice_sub(buf_slice(&l->in), l->scanned, l->in.len);
    return slice_find(fresh, FS, 0) < fresh.len || slice_find(fresh, VT, 0) < fresh.len;
}

/* A frame that will not fit is answered all the same, from its beginning; then the connection ends.
 */
static void take_too_large(struct mllp_link *l)
{
    count_fault(l, MLLP_TOO_LARGE);
    if (add_call(l, slice_sub(buf_slice(&l->in), l->at + 1, HEAD_OF_LARGE),
                 ERR_TOO_LARGE)) /* behind VT */
        l->deaf = true;
    buf_clear(&l->in);
    l->at = l->scanned = 0;
}

/* There is no whole frame; USED bytes at its place are none of it. */
static void await_rest(struct mllp_link *l, size_t used)
{
    l->at += used;
    l->scanned = l->in.len;
    if (l->in.len - l->at > LIMIT_MLLP_FRAME + 2) /* VT, and perhaps FS */
        take_too_large(l);
}

/* Reads one frame out of what came. False when there is none. */
static bool read_frame(struct mllp_link *l)
{
    struct slice input = slice_sub(buf_slice(&l->in), l->at, l->in.len);
    struct slice frame = SLICE_NONE;
    size_t used = 0;
    if (input.len == 0)
        return false;
    enum mllp_state found = worth_deframing(l) ? mllp_deframe(input, &frame, &used) : MLLP_MORE;
    if (found == MLLP_BAD) {
        fault(l, why_bad(input));
        return false;
    }
    if (found == MLLP_MORE) {
        await_rest(l, used);
        return false;
    }
    if (frame.len > LIMIT_MLLP_FRAME) {
        l->at += (size_t)(frame.ptr - input.ptr) - 1;
        take_too_large(l);
        return false;
    }
    l->at += used;
    l->scanned = l->at;
    l->timed = false;
    return add_call(l, frame, ERR_OK);
}

static bool has_room(const struct mllp_link *l)
{
    const struct mllp_server *server = server_of(l);
    bool several = server->front.working < CROWD && server->options.keys;
    if (l->deaf || l->ending || !l->guest.stream || stream_pending(l->guest.stream) > UNSENT)
        return false;
    return l->count == 0 || (several && l->count < AHEAD_FRAMES && l->bytes < AHEAD_BYTES);
}

/* What was read moves out of the buffer; a large one is given back. */
static void tidy_input(struct mllp_link *l)
{
    buf_drop(&l->in, l->at);
    l->scanned -= l->at < l->scanned ? l->at : l->scanned;
    l->at = 0;
    if (l->in.len == 0 && buf_err(&l->in) == ERR_OK)
        buf_reset(&l->in, LIMIT_KEEP_BYTES);
}

/* ---- running ---- */

static bool share_key(const struct mllp_keys *a, const struct mllp_keys *b)
{
    if (a->count == 0 || b->count == 0)
        return true;
    for (unsigned i = 0; i < a->count; i++)
        for (unsigned k = 0; k < b->count; k++)
            if (a->keys[i] == b->keys[k])
                return true;
    return false;
}

static bool may_run(const struct mllp_call *c)
{
    const struct mllp_call *other = TAILQ_FIRST(&c->link->calls);
    for (; other != c; other = TAILQ_NEXT(other, next))
        if (other->state != ANSWERED && share_key(&other->keys, &c->keys))
            return false;
    return true;
}

/* The first that waits and may run; NULL: none. */
static struct mllp_call *next_to_run(const struct mllp_link *l)
{
    struct mllp_call *c;
    TAILQ_FOREACH(c, &l->calls, next)
    {
        if (c->state == WAITING && may_run(c))
            return c;
    }
    return NULL;
}

static void run(struct mllp_call *c)
{
    const struct mllp_options *o = &server_of(c->link)->options;
    c->state = RUNNING;
    front_begin(c->link->guest.front);
    o->handle(c, o->context);
}

/* Sends what the first calls have to say, and forgets those that said all. */
static void send_answers(struct mllp_link *l)
{
    struct mllp_call *c = TAILQ_FIRST(&l->calls);
    while (c && l->guest.stream && !l->ending) {
        bool over = c->state == ANSWERED;
        bool close = c->close;
        if (c->said.len > 0)
            stream_write(l->guest.stream, buf_slice(&c->said));
        buf_clear(&c->said);
        if (!over)
            return;
        call_free(c);
        if (close)
            leave(l);
        c = TAILQ_FIRST(&l->calls);
    }
}

static void set_deadline(struct mllp_link *l)
{
    bool begun = l->in.len > l->at;
    if (begun && !l->deaf && has_room(l)) {
        if (!l->timed)
            stream_deadline(l->guest.stream, server_of(l)->options.frame_ms);
        l->timed = true;
        return;
    }
    l->timed = false;
    stream_deadline(l->guest.stream, l->count > 0 ? 0 : LIMIT_MLLP_IDLE_MS);
}

/* The peer sends no more: what it sent is read and answered, half a frame is a fault. */
static void hear_end(struct mllp_link *l)
{
    if (!l->ended || l->deaf || !has_room(l))
        return;
    if (l->in.len > l->at)
        fault(l, MLLP_CUT_OFF);
    l->deaf = true;
}

/* Whatever happened: reads, runs and answers what there is to. */
static void step(struct mllp_link *l)
{
    bool more = true;
    if (l->stepping)
        return;
    l->stepping = true;
    while (more) {
        struct mllp_call *c;
        more = false;
        while (has_room(l) && read_frame(l))
            more = true;
        while (l->guest.stream && !l->ending && (c = next_to_run(l))) {
            run(c);
            more = true;
        }
        send_answers(l);
    }
    l->stepping = false;
    hear_end(l);
    tidy_input(l);
    if (buf_err(&l->in) != ERR_OK && !l->deaf)
        fault(l, MLLP_NO_ROOM);
    if (l->deaf && l->count == 0)
        leave(l);
    if (l->guest.stream && !l->ending) {
        set_deadline(l);
        if (has_room(l))
            stream_resume(l->guest.stream);
        else
            stream_pause(l->guest.stream);
    }
    link_free_if_idle(l);
}

static void add_framed(struct mllp_call *c, struct slice message)
{
    static const char start[] = {VT}, end[] = {FS, CR};
    if (message.len == 0 || !c->link->guest.stream)
        return;
    buf_add(&c->said, slice_of(start, sizeof(start)));
    buf_add(&c->said, message);
    buf_add(&c->said, slice_of(end, sizeof(end)));
    if (buf_err(&c->said) != ERR_OK)
        c->close = true;
}

void mllp_say(struct mllp_call *c, struct slice message)
{
    assert(c->state == RUNNING);
    add_framed(c, message);
}

void mllp_answer(struct mllp_call *c, struct slice message, bool close)
{
    struct mllp_link *l = c->link;
    struct front *front = l->guest.front;
    assert(c->state == RUNNING);
    c->state = ANSWERED;
    c->close = c->close || close;
    add_framed(c, message);
    step(l);
    front_finish(front);
}

/* ---- events of the stream ---- */

static void on_arrived(struct guest *g)
{
    struct mllp_link *l = (struct mllp_link *)g;
    buf_init(&l->in, LIMIT_MLLP_FRAME + 2 * LIMIT_MIB);
    TAILQ_INIT(&l->calls);
    stream_deadline(l->guest.stream, LIMIT_MLLP_IDLE_MS);
}

static void on_data(struct stream *s, struct slice bytes)
{
    struct mllp_link *l = stream_data(s);
    if (l->deaf || l->ending)
        return;
    buf_add(&l->in, bytes);
    step(l);
}

static void on_drained(struct stream *s)
{
    step(stream_data(s));
}

static void on_ended(struct stream *s)
{
    struct mllp_link *l = stream_data(s);
    l->ended = true;
    step(l);
}

static void on_late(struct stream *s)
{
    struct mllp_link *l = stream_data(s);
    if (l->in.len > l->at && !l->deaf)
        fault(l, MLLP_TOO_SLOW);
    l->deaf = true;
    if (l->count == 0)
        leave(l);
}

static void on_left(struct guest *g)
{
    struct mllp_link *l = (struct mllp_link *)g;
    if (!l->deaf && l->in.len > l->at && !front_is_closing(g->front))
        fault(l, MLLP_CUT_OFF);
    link_free_if_idle(l);
}

/* What does not run yet never will: its sender has no answer and will send it again. */
static void on_closing(struct guest *g)
{
    struct mllp_link *l = (struct mllp_link *)g;
    struct mllp_call *c = TAILQ_FIRST(&l->calls);
    l->deaf = true;
    while (c) {
        struct mllp_call *following = TAILQ_NEXT(c, next);
        if (c->state == WAITING)
            call_free(c);
        c = following;
    }
    if (l->count == 0)
        leave(l);
}

static const struct front_trade TRADE = {.guest_size = sizeof(struct mllp_link),
                                         .arrived = on_arrived,
                                         .left = on_left,
                                         .closing = on_closing,
                                         .data = on_data,
                                         .drained = on_drained,
                                         .late = on_late,
                                         .ended = on_ended};

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
    struct front *front = NULL;
    if (!options->where.tls && !is_loopback(options->where.host))
        return ERR_INVALID;
    enum err err = front_open(&TRADE, sizeof(struct mllp_server), &options->where, &front);
    if (err != ERR_OK)
        return err;
    *ret_server = (struct mllp_server *)front;
    (*ret_server)->options = *options;
    if (options->frame_ms == 0)
        (*ret_server)->options.frame_ms = LIMIT_MLLP_FRAME_MS;
    return ERR_OK;
}

unsigned short mllp_port(const struct mllp_server *server)
{
    return front_port(&server->front);
}

void mllp_figures(const struct mllp_server *server, struct mllp_figures *ret_figures)
{
    *ret_figures = server->figures;
    ret_figures->connections = server->front.guest_count;
    ret_figures->running = server->front.working;
    front_figures(&server->front, &ret_figures->net);
}

void mllp_close(struct mllp_server *server, void (*done)(void *context), void *context)
{
    front_close(&server->front, done, context);
}

enum err mllp_call_fault(const struct mllp_call *c)
{
    return c->fault;
}

struct slice mllp_call_frame(const struct mllp_call *call)
{
    return slice_of(call->bytes, call->len);
}

const struct net_peer *mllp_call_peer(const struct mllp_call *call)
{
    return &call->link->guest.peer;
}
