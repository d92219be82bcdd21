/* SPDX-License-Identifier: Apache-2.0
 *
 * Accepting connections as the quota allows, and giving dirty streams their turn once before the
 * loop sleeps. Over the quota a connection is accepted and closed, or told so and closed, so that
 * the peer learns at once and the kernel's queue stays short. The socket is polled and accepted
 * from here, not by uv_listen, whose loop spins when files are out. Closing waits for every stream
 * and handle; the last one out calls back.
 */
#include "exchange/net/stream.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "exchange/net/stream_impl.h"

#include "base/banned.h"

#define BACKLOG 4096 /* the kernel takes what net.core.somaxconn lets it */

static const char *const reasons[NET_FAULT_COUNT] = {
#define X(name, reason) [name] = reason,
    NET_FAULT_TABLE(X)
#undef X
};

const char *net_fault_reason(enum net_fault fault)
{
    assert(fault < NET_FAULT_COUNT);
    return reasons[fault];
}

void listener_fault(struct listener *l, enum net_fault fault)
{
    l->figures.faults[fault]++;
}

static void on_prepare(uv_prepare_t *prepare);

static void on_idle(uv_idle_t *idle)
{
    (void)idle; /* only keeps the loop from sleeping */
}

/* One pass over the streams that were dirty when it began; later ones have their turn in the next.
 */
static void on_prepare(uv_prepare_t *prepare)
{
    struct listener *l = prepare->data;
    for (unsigned n = l->dirty_count; n > 0; n--) {
        struct stream *s = TAILQ_FIRST(&l->dirty);
        TAILQ_REMOVE(&l->dirty, s, turn);
        l->dirty_count--;
        s->dirty = false;
        stream_visit(s);
    }
    if (l->dirty_count > 0)
        uv_idle_start(&l->idle, on_idle);
    else
        uv_idle_stop(&l->idle);
}

/* ── accepting ───────────────────────────────────────────────────────────────────────────────── */

static void on_poll(uv_poll_t *poll, int status, int events);

static void on_again(uv_timer_t *timer)
{
    struct listener *l = timer->data;
    if (!l->stopped)
        uv_poll_start(&l->poll, UV_READABLE, on_poll);
}

/* Out of files or memory: looking again at once would only spin; who waits, waits in the kernel. */
static void pause_accepting(struct listener *l)
{
    listener_fault(l, NET_NO_FILES);
    uv_poll_stop(&l->poll);
    uv_timer_start(&l->again, on_again, LIMIT_ACCEPT_PAUSE_MS, 0);
}

static void admit(struct listener *l, int fd, const struct sockaddr *from)
{
    unsigned seat = QUOTA_NO_SEAT;
    enum quota_verdict verdict = quota_take(l->quota, from, &seat);
    if (verdict != QUOTA_TAKEN) {
        listener_fault(l, verdict == QUOTA_FULL ? NET_FULL : NET_SHARE);
        if (!l->says_full || l->refusing >= LIMIT_REFUSALS) {
            close(fd);
            return;
        }
    }
    stream_accept(l, fd, from, seat);
}

/* False when none waits, or none can be taken. */
static bool take_one(struct listener *l)
{
    struct sockaddr_storage from = {0};
    socklen_t size = sizeof(from);
    int fd = accept4(l->fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        admit(l, fd, (const struct sockaddr *)&from);
        return true;
    }
    switch (errno) {
    case EAGAIN:
        return false;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        pause_accepting(l);
        return false;
    default: /* that one connection's trouble (accept(2)) */
        return true;
    }
}

/* Some at a time: in a rush those who are in already have their turns between. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct listener *l = poll->data;
    (void)events;
    if (status < 0)
        return;
    for (unsigned n = 0; n < LIMIT_ACCEPT_AT_ONCE && !l->stopped && take_one(l); n++)
        ;
}

static enum err listen_at(struct listener *l, const struct sockaddr *address)
{
    static const int yes = 1;
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof(bound);
    socklen_t len =
        address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    l->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0 || setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        bind(l->fd, address, len) != 0 || listen(l->fd, BACKLOG) != 0 ||
        getsockname(l->fd, (struct sockaddr *)&bound, &size) != 0)
        return ERR_IO;
    l->port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                                : ((struct sockaddr_in *)&bound)->sin_port);
    return ERR_OK;
}

static void on_listener_handle_closed(uv_handle_t *handle)
{
    struct listener *l = handle->data;
    l->handles--;
    listener_settle(l);
}

/* What every listener has, also one that only dials. */
static void open_turns(struct listener *l)
{
    uv_prepare_init(l->loop, &l->prepare);
    uv_idle_init(l->loop, &l->idle);
    l->handles += 2;
    l->prepare.data = l->idle.data = l;
    uv_prepare_start(&l->prepare, on_prepare);
    uv_unref((uv_handle_t *)&l->prepare); /* the socket and the streams keep the loop alive */
}

static enum err open_socket(struct listener *l, const char *host, unsigned short port)
{
    struct sockaddr_storage address = {0};
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)&address) < 0 &&
        uv_ip6_addr(host, port, (struct sockaddr_in6 *)&address) < 0)
        return ERR_INVALID;
    enum err err = listen_at(l, (const struct sockaddr *)&address);
    if (!err && uv_poll_init(l->loop, &l->poll, l->fd) < 0)
        err = ERR_IO;
    if (err) {
        if (l->fd >= 0)
            close(l->fd);
        l->fd = -1;
        return err;
    }
    uv_timer_init(l->loop, &l->again);
    l->handles += 2;
    l->poll.data = l->again.data = l;
    l->stopped = false;
    uv_poll_start(&l->poll, UV_READABLE, on_poll);
    return ERR_OK;
}

enum err listener_open(const struct listener_options *options, struct listener **ret_listener)
{
    assert(options && options->loop && options->events && ret_listener);
    assert(options->events->ready && options->events->data && options->events->closed);
    struct listener *l = calloc(1, sizeof(*l));
    if (!l)
        return ERR_LIMIT;
    signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error code, not a signal */
    l->loop = options->loop;
    l->tls = options->tls;
    l->events = options->events;
    l->context = options->context;
    l->says_full = options->says_full;
    l->quota = options->quota ? options->quota : &l->own_quota;
    quota_init(&l->own_quota, LIMIT_CONNECTIONS, 0);
    l->fd = -1;
    l->stopped = true;
    TAILQ_INIT(&l->streams);
    TAILQ_INIT(&l->shaking);
    TAILQ_INIT(&l->dirty);
    enum err err = options->host ? open_socket(l, options->host, options->port) : ERR_OK;
    if (err != ERR_OK) {
        free(l);
        return err;
    }
    open_turns(l);
    *ret_listener = l;
    return ERR_OK;
}

void listener_stop(struct listener *l)
{
    if (l->stopped)
        return;
    l->stopped = true;
    uv_close((uv_handle_t *)&l->poll, on_listener_handle_closed);
    uv_close((uv_handle_t *)&l->again, on_listener_handle_closed);
    close(l->fd);
    l->fd = -1;
}

void listener_settle(struct listener *l)
{
    if (!l->closing || l->stream_count > 0)
        return;
    if (!l->folding) { /* the streams needed their turns until now */
        l->folding = true;
        uv_close((uv_handle_t *)&l->prepare, on_listener_handle_closed);
        uv_close((uv_handle_t *)&l->idle, on_listener_handle_closed);
    }
    if (l->handles > 0)
        return;
    void (*done)(void *) = l->done;
    void *context = l->done_context;
    free(l);
    if (done)
        done(context);
}

void listener_close(struct listener *l, void (*done)(void *context), void *context)
{
    assert(!l->closing);
    l->closing = true;
    l->done = done;
    l->done_context = context;
    listener_stop(l);
    struct stream *s;
    TAILQ_FOREACH(s, &l->streams, link)
    {
        if (s->state <= HANDSHAKE || s->state == LINGERING)
            stream_kill(s);
        else
            stream_close(s);
    }
    listener_settle(l);
}

unsigned short listener_port(const struct listener *l)
{
    return l->port;
}

void listener_figures(const struct listener *l, struct net_figures *ret_figures)
{
    *ret_figures = l->figures;
    ret_figures->open = l->stream_count;
}
