/* SPDX-License-Identifier: Apache-2.0
 *
 * Accepting connections up to a cap, and giving dirty streams their turn once before the loop
 * sleeps. Over the cap a connection is accepted and closed, so that the peer learns at once and the
 * kernel's queue stays short. Closing waits for every stream and handle; the last one out calls
 * back.
 */
#include "exchange/net/stream.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "exchange/net/stream_impl.h"

#include "base/banned.h"

#define BACKLOG 511
#define SPARE_FILES 128 /* for the store, logs and watched folders */

static unsigned connection_cap(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY)
        return LIMIT_CONNECTIONS;
    if (files.rlim_cur <= SPARE_FILES + 1)
        return 1;
    rlim_t room = files.rlim_cur - SPARE_FILES;
    return room < LIMIT_CONNECTIONS ? (unsigned)room : LIMIT_CONNECTIONS;
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

struct refusal {
    uv_tcp_t tcp;
    struct listener *listener;
};

static void on_refused(uv_handle_t *handle)
{
    struct refusal *r = handle->data;
    struct listener *l = r->listener;
    free(r);
    l->refusing--;
    listener_settle(l);
}

static void refuse(struct listener *l)
{
    struct refusal *r = calloc(1, sizeof(*r));
    if (!r)
        return;
    r->listener = l;
    if (uv_tcp_init(l->loop, &r->tcp) < 0) {
        free(r);
        return;
    }
    r->tcp.data = r;
    l->refusing++;
    l->figures.refused++;
    (void)uv_accept((uv_stream_t *)&l->tcp, (uv_stream_t *)&r->tcp);
    uv_close((uv_handle_t *)&r->tcp, on_refused);
}

static void on_connection(uv_stream_t *handle, int status)
{
    struct listener *l = handle->data;
    if (status < 0 || l->stopped)
        return;
    if (l->quota->open >= l->cap || !stream_accept(l))
        refuse(l);
}

static enum err bind_to(struct listener *l, const char *host, unsigned short port)
{
    struct sockaddr_storage address = {0};
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)&address) < 0 &&
        uv_ip6_addr(host, port, (struct sockaddr_in6 *)&address) < 0)
        return ERR_INVALID;
    if (uv_tcp_bind(&l->tcp, (struct sockaddr *)&address, 0) < 0 ||
        uv_listen((uv_stream_t *)&l->tcp, BACKLOG, on_connection) < 0)
        return ERR_IO;
    int size = sizeof(address);
    if (uv_tcp_getsockname(&l->tcp, (struct sockaddr *)&address, &size) < 0)
        return ERR_IO;
    l->port = ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                                  : ((struct sockaddr_in *)&address)->sin_port);
    return ERR_OK;
}

static void on_listener_handle_closed(uv_handle_t *handle)
{
    struct listener *l = handle->data;
    l->handles--;
    listener_settle(l);
}

static enum err open_handles(struct listener *l)
{
    if (uv_tcp_init(l->loop, &l->tcp) < 0)
        return ERR_IO;
    uv_prepare_init(l->loop, &l->prepare);
    uv_idle_init(l->loop, &l->idle);
    l->handles = 3;
    l->tcp.data = l->prepare.data = l->idle.data = l;
    uv_prepare_start(&l->prepare, on_prepare);
    uv_unref((uv_handle_t *)&l->prepare); /* the socket and the streams keep the loop alive */
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
    l->quota = options->quota ? options->quota : &l->own_quota;
    l->cap = connection_cap();
    TAILQ_INIT(&l->streams);
    TAILQ_INIT(&l->shaking);
    TAILQ_INIT(&l->dirty);
    enum err err = open_handles(l);
    if (err != ERR_OK) {
        free(l);
        return err;
    }
    if (!options->host) {
        l->stopped = true;
        uv_close((uv_handle_t *)&l->tcp, on_listener_handle_closed);
        *ret_listener = l;
        return ERR_OK;
    }
    err = bind_to(l, options->host, options->port);
    if (err != ERR_OK) {
        listener_close(l, NULL, NULL); /* frees itself from the loop */
        return err;
    }
    *ret_listener = l;
    return ERR_OK;
}

void listener_stop(struct listener *l)
{
    if (l->stopped)
        return;
    l->stopped = true;
    uv_close((uv_handle_t *)&l->tcp, on_listener_handle_closed);
}

void listener_settle(struct listener *l)
{
    if (!l->closing || l->stream_count > 0 || l->refusing > 0)
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
