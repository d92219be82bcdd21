/* SPDX-License-Identifier: Apache-2.0
 *
 * One stream's life (states in stream_impl.h): reading, gathering writes, deadlines, closing. A
 * close waits for the bytes written, sends FIN, then lets the peer read for a moment
 * (LIMIT_LINGER_MS), because closing a socket with unread input resets it and the peer would lose
 * our last answer. Must not know any protocol above TLS.
 */
#include "exchange/net/stream.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "exchange/net/stream_impl.h"
#include "exchange/net/tls.h"

#include "base/banned.h"

static struct stream *stream_of(const void *handle)
{
    return ((const uv_handle_t *)handle)->data;
}

/* ---- the one timer ---- */

static void on_timer(uv_timer_t *timer);

static uint64_t earliest(uint64_t a, uint64_t b)
{
    return a == 0 ? b : b == 0 ? a : a < b ? a : b;
}

/* A deadline that moves later leaves the running timer alone; on_timer looks again. */
static void arm(struct stream *s)
{
    uint64_t due = earliest(earliest(s->deadline_at, s->stall_at), s->linger_at);
    if (due == 0 || s->state == CLOSING)
        return;
    if (uv_is_active((uv_handle_t *)&s->timer) && s->timer_due <= due)
        return;
    uint64_t now = uv_now(s->listener->loop);
    uv_timer_start(&s->timer, on_timer, due > now ? due - now : 0, 0);
    s->timer_due = due;
}

static void start_stall_clock(struct stream *s)
{
    s->queue_seen = uv_stream_get_write_queue_size((uv_stream_t *)&s->tcp);
    s->stall_at = uv_now(s->listener->loop) + LIMIT_WRITE_STALL_MS;
    arm(s);
}

static void pass_deadline(struct stream *s)
{
    struct listener *l = s->listener;
    s->deadline_at = 0;
    listener_fault(l, s->state <= HANDSHAKE ? NET_HANDSHAKE : NET_LATE);
    if (s->state <= HANDSHAKE) {
        s->why = "no connection in time";
        stream_kill(s);
    } else if (s->state == OPEN && l->events->late) {
        l->events->late(s);
    } else {
        stream_close(s);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct stream *s = stream_of(timer);
    uint64_t now = uv_now(s->listener->loop);
    if (s->stall_at && now >= s->stall_at) {
        if (uv_stream_get_write_queue_size((uv_stream_t *)&s->tcp) < s->queue_seen) {
            start_stall_clock(s);
        } else {
            listener_fault(s->listener, NET_STALLED);
            stream_kill(s);
        }
    }
    if (s->linger_at && now >= s->linger_at)
        stream_kill(s);
    if (s->deadline_at && now >= s->deadline_at && s->state < FLUSHING)
        pass_deadline(s);
    arm(s);
}

void stream_deadline(struct stream *s, unsigned timeout_ms)
{
    if (s->state >= FLUSHING)
        return;
    s->deadline_at = timeout_ms ? uv_now(s->listener->loop) + timeout_ms : 0;
    arm(s);
}

/* ---- the end ---- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct stream *s = stream_of(handle);
    struct listener *l = s->listener;
    if (--s->handles > 0)
        return;
    if (s->dirty) {
        TAILQ_REMOVE(&l->dirty, s, turn);
        l->dirty_count--;
    }
    TAILQ_REMOVE(&l->streams, s, link);
    l->stream_count--;
    if (s->seat != QUOTA_NO_SEAT)
        quota_give(l->quota, s->seat);
    l->refusing -= s->refused;
    l->events->closed(s);
    SSL_free(s->ssl);
    free(s->host);
    buf_fini(&s->held);
    buf_fini(&s->out);
    buf_fini(&s->sending);
    free(s);
    listener_settle(l);
}

void stream_unshake(struct stream *s)
{
    assert(s->state == HANDSHAKE);
    TAILQ_REMOVE(&s->listener->shaking, s, shake);
    s->listener->shaking_count--;
}

void stream_kill(struct stream *s)
{
    if (s->state == CLOSING)
        return;
    if (s->state == HANDSHAKE)
        stream_unshake(s);
    s->state = CLOSING;
    s->deadline_at = s->stall_at = s->linger_at = 0;
    uv_close((uv_handle_t *)&s->tcp, on_handle_closed);
    uv_close((uv_handle_t *)&s->timer, on_handle_closed);
}

static void read_on(struct stream *s);

static void on_shutdown(uv_shutdown_t *request, int status)
{
    struct stream *s = request->data;
    if (s->state != SHUTTING)
        return;
    if (status < 0 || s->ended || s->listener->closing) {
        stream_kill(s);
        return;
    }
    s->state = LINGERING;
    s->linger_at = uv_now(s->listener->loop) + LIMIT_LINGER_MS;
    arm(s);
    read_on(s);
}

static void begin_shutdown(struct stream *s)
{
    s->state = SHUTTING;
    s->stall_at = 0;
    s->shutdown.data = s;
    if (uv_shutdown(&s->shutdown, (uv_stream_t *)&s->tcp, on_shutdown) < 0)
        stream_kill(s);
}

void stream_close(struct stream *s)
{
    if (s->state >= FLUSHING)
        return;
    if (s->state == DIALLING) {
        stream_kill(s);
        return;
    }
    if (s->state == HANDSHAKE)
        stream_unshake(s);
    else if (s->ssl && !s->broken)
        stream_tls_bye(s);
    if (s->state == CLOSING)
        return;
    s->state = FLUSHING;
    s->deadline_at = 0;
    stream_mark(s);
}

void stream_end(struct stream *s)
{
    bool again = s->ended; /* TLS says it, then TCP */
    s->ended = true;
    if (s->state == HANDSHAKE) {
        listener_fault(s->listener, NET_HANDSHAKE);
        stream_kill(s);
    } else if (s->state == LINGERING) {
        stream_kill(s);
    } else if (s->state == OPEN && s->listener->events->ended) {
        if (!again)
            s->listener->events->ended(s);
    } else {
        stream_close(s);
    }
}

/* ---- writing ---- */

size_t stream_pending(const struct stream *s)
{
    return s->out.len +
           (s->writing ? uv_stream_get_write_queue_size((const uv_stream_t *)&s->tcp) : 0);
}

void stream_mark(struct stream *s)
{
    struct listener *l = s->listener;
    if (s->dirty || s->state == CLOSING)
        return;
    s->dirty = true;
    TAILQ_INSERT_TAIL(&l->dirty, s, turn);
    l->dirty_count++;
}

void stream_write(struct stream *s, struct slice bytes)
{
    if (s->state != OPEN || bytes.len == 0)
        return;
    if (stream_pending(s) + bytes.len > LIMIT_HTTP_ANSWER) {
        listener_fault(s->listener, NET_STALLED);
        stream_kill(s);
        return;
    }
    s->owed = true;
    if (s->ssl)
        stream_tls_write(s, bytes);
    else
        buf_add(&s->out, bytes);
    if (buf_err(&s->out) != ERR_OK)
        stream_kill(s);
    stream_mark(s);
}

/* All that was written has left. */
static void settle_writes(struct stream *s)
{
    s->stall_at = 0;
    if (s->state == FLUSHING) {
        begin_shutdown(s);
    } else if (s->state == OPEN && s->owed) {
        s->owed = false;
        if (s->listener->events->drained)
            s->listener->events->drained(s);
    }
}

static void on_write(uv_write_t *request, int status)
{
    struct stream *s = request->data;
    s->writing = false;
    buf_reset(&s->sending, LIMIT_KEEP_BYTES);
    if (status < 0) {
        stream_kill(s);
        return;
    }
    if (s->out.len > 0)
        stream_mark(s);
    else
        settle_writes(s);
}

/* What the kernel did not take at once goes on as a uv_write from the other buffer. */
static void write_rest(struct stream *s, size_t sent)
{
    struct buf swap = s->sending;
    s->sending = s->out;
    s->out = swap;
    s->sent = sent;
    uv_buf_t rest = {.base = s->sending.ptr + sent, .len = s->sending.len - sent};
    s->write.data = s;
    if (uv_write(&s->write, (uv_stream_t *)&s->tcp, &rest, 1, on_write) < 0) {
        stream_kill(s);
        return;
    }
    s->writing = true;
    start_stall_clock(s);
}

static void flush(struct stream *s)
{
    if (s->state >= SHUTTING || s->writing)
        return;
    if (s->out.len == 0) {
        settle_writes(s);
        return;
    }
    uv_buf_t all = {.base = s->out.ptr, .len = s->out.len};
    int n = uv_try_write((uv_stream_t *)&s->tcp, &all, 1);
    if (n < 0 && n != UV_EAGAIN) {
        stream_kill(s);
        return;
    }
    size_t sent = n > 0 ? (size_t)n : 0;
    if (sent < s->out.len) {
        write_rest(s, sent);
        return;
    }
    buf_reset(&s->out, LIMIT_KEEP_BYTES);
    settle_writes(s);
}

void stream_visit(struct stream *s)
{
    if (s->state == OPEN && !s->paused) {
        if (s->ssl)
            stream_tls_feed(s, SLICE_NONE);
        if (s->state == OPEN && !s->paused)
            read_on(s);
    }
    flush(s);
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    struct listener *l = stream_of(handle)->listener;
    (void)suggested;
    *ret_buf = (uv_buf_t){.base = l->read_bytes, .len = sizeof(l->read_bytes)};
}

static void on_read(uv_stream_t *handle, ssize_t n, const uv_buf_t *bytes)
{
    struct stream *s = stream_of(handle);
    if (n == 0 || s->state == CLOSING)
        return;
    if (n == UV_EOF) {
        uv_read_stop(handle);
        s->reading = false;
        stream_end(s);
    } else if (n < 0) {
        if (s->state == HANDSHAKE)
            listener_fault(s->listener, NET_HANDSHAKE);
        stream_kill(s);
    } else if (s->state <= OPEN) {
        if (s->ssl)
            stream_tls_feed(s, slice_of(bytes->base, (size_t)n));
        else
            s->listener->events->data(s, slice_of(bytes->base, (size_t)n));
    } /* else: closing, what still comes is thrown away */
}

static void read_on(struct stream *s)
{
    if (s->reading || s->ended || s->state == CLOSING)
        return;
    if (uv_read_start((uv_stream_t *)&s->tcp, on_alloc, on_read) < 0)
        stream_kill(s);
    else
        s->reading = true;
}

void stream_pause(struct stream *s)
{
    s->paused = true;
    if (s->reading && s->state == OPEN) {
        uv_read_stop((uv_stream_t *)&s->tcp);
        s->reading = false;
    }
}

void stream_resume(struct stream *s)
{
    if (!s->paused)
        return;
    s->paused = false;
    stream_mark(s);
}

/* ---- the beginning ---- */

static void name_peer(struct stream *s, const struct sockaddr *address)
{
    char host[48] = "?";
    s->peer.local_port = s->listener->port;
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
        uv_ip6_name(in6, host, sizeof(host));
        snprintf(s->peer.address, sizeof(s->peer.address), "[%s]:%u", host, ntohs(in6->sin6_port));
    } else {
        const struct sockaddr_in *in4 = (const struct sockaddr_in *)address;
        uv_ip4_name(in4, host, sizeof(host));
        snprintf(s->peer.address, sizeof(s->peer.address), "%s:%u", host, ntohs(in4->sin_port));
    }
}

/* From here on S is the loop's: it ends by on_handle_closed only. */
static struct stream *enrol(struct listener *l, const struct sockaddr *address)
{
    struct stream *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    if (uv_tcp_init(l->loop, &s->tcp) < 0) {
        free(s);
        return NULL;
    }
    uv_timer_init(l->loop, &s->timer);
    s->handles = 2;
    s->listener = l;
    s->tcp.data = s->timer.data = s;
    s->state = OPEN;
    s->seat = QUOTA_NO_SEAT;
    name_peer(s, address);
    buf_init(&s->held, 2 * STREAM_READ_BYTES); /* one read; the owner paused in it */
    buf_init(&s->out, LIMIT_HTTP_ANSWER + LIMIT_MIB);
    buf_init(&s->sending, LIMIT_HTTP_ANSWER + LIMIT_MIB);
    TAILQ_INSERT_TAIL(&l->streams, s, link);
    l->stream_count++;
    return s;
}

static void begin_handshake(struct stream *s)
{
    struct listener *l = s->listener;
    s->state = HANDSHAKE;
    TAILQ_INSERT_TAIL(&l->shaking, s, shake);
    l->shaking_count++;
    s->peer.tls = true;
    if (!stream_tls_start(s)) {
        stream_kill(s);
        return;
    }
    if (l->shaking_count > LIMIT_TLS_HANDSHAKES) {
        listener_fault(l, NET_HANDSHAKE_CROWD);
        stream_kill(TAILQ_FIRST(&l->shaking));
    }
    stream_deadline(s, s->refused ? LIMIT_REFUSAL_MS : LIMIT_TLS_HANDSHAKE_MS);
}

void stream_accept(struct listener *l, int fd, const struct sockaddr *from, unsigned seat)
{
    struct stream *s = enrol(l, from);
    if (!s) {
        close(fd);
        if (seat != QUOTA_NO_SEAT)
            quota_give(l->quota, seat);
        listener_fault(l, NET_NO_FILES);
        return;
    }
    s->seat = seat;
    s->refused = seat == QUOTA_NO_SEAT;
    l->refusing += s->refused;
    l->figures.accepted += !s->refused;
    if (uv_tcp_open(&s->tcp, fd) < 0) {
        close(fd);
        stream_kill(s);
        return;
    }
    uv_tcp_nodelay(&s->tcp, 1);
    uv_tcp_keepalive(&s->tcp, 1, 60);
    if (l->tls)
        begin_handshake(s);
    else
        l->events->ready(s);
    if (!s->paused)
        read_on(s);
}

/* ---- dialling ---- */

static void on_connect(uv_connect_t *request, int status)
{
    struct stream *s = request->data;
    if (s->state != DIALLING)
        return;
    if (status < 0) {
        s->why = uv_strerror(status);
        stream_kill(s);
        return;
    }
    uv_tcp_nodelay(&s->tcp, 1);
    if (!s->host) {
        s->state = OPEN;
        stream_deadline(s, 0);
        s->listener->events->ready(s);
    } else {
        s->state = HANDSHAKE;
        TAILQ_INSERT_TAIL(&s->listener->shaking, s, shake);
        s->listener->shaking_count++;
        s->peer.tls = true;
        if (stream_tls_start(s))
            stream_tls_feed(s, SLICE_NONE); /* ours is the first word */
        else
            stream_kill(s);
    }
    if (s->state <= OPEN && !s->paused)
        read_on(s);
}

enum err stream_dial(struct listener *l, const struct sockaddr *address, const char *host,
                     unsigned timeout_ms, void *data, struct stream **ret_stream)
{
    struct stream *s = l->closing ? NULL : enrol(l, address);
    if (!s)
        return ERR_LIMIT;
    s->state = DIALLING;
    s->data = data;
    s->connect.data = s;
    *ret_stream = s;
    s->host = host && l->tls ? strdup(host) : NULL;
    if ((host && l->tls && !s->host) ||
        uv_tcp_connect(&s->connect, &s->tcp, address, on_connect) < 0)
        stream_kill(s); /* `closed` tells */
    else
        stream_deadline(s, timeout_ms);
    return ERR_OK;
}

/* ---- what it knows ---- */

void *stream_context(const struct stream *s)
{
    return s->listener->context;
}

void stream_set_data(struct stream *s, void *data)
{
    s->data = data;
}

void *stream_data(const struct stream *s)
{
    return s->data;
}

const struct net_peer *stream_peer(const struct stream *s)
{
    return &s->peer;
}

bool stream_is_refused(const struct stream *s)
{
    return s->refused;
}

const char *stream_why(const struct stream *s)
{
    return s->why ? s->why : "the connection was closed";
}
