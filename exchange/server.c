/* SPDX-License-Identifier: Apache-2.0
 *
 * The server (see server.h). One loop thread speaks to the network; the store's threads do the rest
 * and wake the loop through one uv_async. Stopping:
 *
 *     RUNNING --TERM--> DRAINING (doors refuse new work, running calls are answered) --last door
 * closed--> STOPPED
 */
#include "exchange/server.h"

#include <assert.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "base/log.h"
#include "exchange/door/fhir.h"
#include "exchange/door/mllp.h"
#include "exchange/door/ops.h"
#include "exchange/door/portal.h"
#include "exchange/door/ssmix2.h"
#include "exchange/net/http.h"
#include "exchange/net/quota.h"
#include "exchange/net/tls.h"
#include "exchange/pipeline.h"
#include "exchange/push/push.h"
#include "mappers/charset.h"
#include "mappers/html/page.h"
#include "storage/lock.h"

#include "base/banned.h"

#define RELOAD_MS 2000 /* certificates and CRL: far below the 60 s that a revocation may take */

enum server_http { HTTP_SYSTEM, HTTP_PORTAL, HTTP_OPS, HTTP_COUNT };
enum server_mllp { MLLP_TLS, MLLP_PLAIN, MLLP_COUNT };
_Static_assert(HTTP_COUNT == OPS_HTTP && MLLP_COUNT == OPS_MLLP,
               "named in door/ops.h, in this order");

struct server {
    struct exchange exchange;
    uv_loop_t loop;
    uv_async_t wake;
    uv_async_t stop;
    uv_signal_t signals[2];
    uv_timer_t reload;
    struct tls_context *tls_system;
    struct tls_context *tls_portal;
    struct http_server *http[HTTP_COUNT];
    struct mllp_server *mllp[MLLP_COUNT];
    struct door_mllp door_mllp[MLLP_COUNT];
    struct door_ssmix2 *watches[CONF_WATCHES_MAX];
    struct door_ops ops;
    struct push *push;
    struct quota quota;     /* connections of all listeners together, but for ops */
    struct quota quota_ops; /* monitoring looks in also when the others are full */
    unsigned doors_open;
    int lock;    /* nobody else serves this store; -1: not taken */
    bool opened; /* the loop exists */
    bool stopping;
    void (*on_ready)(struct server *s, void *context);
    void *context;
};

/* ── events ──────────────────────────────────────────────────────────────────────────────────── */

static void on_wake(uv_async_t *async)
{
    struct server *s = async->data;
    pipeline_collect(&s->exchange);
    if (s->push && !s->stopping)
        push_wake(s->push);
}

static void store_wake(void *context)
{
    struct server *s = context;
    uv_async_send(&s->wake);
}

static void on_reload(uv_timer_t *timer)
{
    struct server *s = timer->data;
    struct tls_context *all[] = {s->tls_system, s->tls_portal};
    for (unsigned i = 0; i < 2; i++)
        if (all[i] && tls_context_reload(all[i]))
            log_error("tls.reload", "listener=%s", i ? "portal" : "system");
}

static void close_handles(struct server *s)
{
    uv_close((uv_handle_t *)&s->wake, NULL);
    uv_close((uv_handle_t *)&s->stop, NULL);
    uv_close((uv_handle_t *)&s->reload, NULL);
    for (unsigned i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&s->signals[i], NULL);
}

static void on_door_closed(void *context)
{
    struct server *s = context;
    assert(s->doors_open > 0);
    if (--s->doors_open == 0)
        close_handles(s);
}

static void begin_stop(struct server *s)
{
    if (s->stopping)
        return;
    s->stopping = true;
    s->ops.stopping = true;
    log_info("server.stopping", "doors=%u", s->doors_open);
    s->doors_open++; /* this function's own share: the last door may close inside it */
    for (unsigned i = 0; i < HTTP_COUNT; i++)
        if (s->http[i]) {
            struct http_server *door = s->http[i];
            s->http[i] = NULL; /* the operator's page must not ask it any more */
            http_close(door, on_door_closed, s);
        }
    for (unsigned i = 0; i < MLLP_COUNT; i++)
        if (s->mllp[i]) {
            struct mllp_server *door = s->mllp[i];
            s->mllp[i] = NULL;
            mllp_close(door, on_door_closed, s);
        }
    for (unsigned i = 0; i < CONF_WATCHES_MAX; i++)
        if (s->watches[i])
            door_ssmix2_close(s->watches[i], on_door_closed, s);
    if (s->push)
        push_close(s->push, on_door_closed, s);
    on_door_closed(s);
}

static void on_stop(uv_async_t *async)
{
    begin_stop(async->data);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    begin_stop(handle->data);
}

/* ── opening ─────────────────────────────────────────────────────────────────────────────────── */

static enum err open_loop(struct server *s)
{
    if (uv_loop_init(&s->loop) != 0)
        return ERR_LIMIT;
    s->opened = true;
    uv_async_init(&s->loop, &s->wake, on_wake);
    uv_async_init(&s->loop, &s->stop, on_stop);
    uv_timer_init(&s->loop, &s->reload);
    for (unsigned i = 0; i < 2; i++) {
        uv_signal_init(&s->loop, &s->signals[i]);
        s->signals[i].data = s;
    }
    s->wake.data = s->stop.data = s->reload.data = s;
    return ERR_OK;
}

static enum err open_tls(struct server *s, char *ret_text, size_t size)
{
    const struct conf *c = &s->exchange.conf;
    struct tls_options options = {.cert_path = c->server_cert,
                                  .key_path = c->server_key,
                                  .ca_path = c->ca,
                                  .crl_path = c->crl,
                                  .require_client = true};
    enum err err = tls_context_new(&options, ret_text, size, &s->tls_system);
    options.require_client = false;
    return err ? err : tls_context_new(&options, ret_text, size, &s->tls_portal);
}

static size_t body_limit(const struct http1_request *head, const struct net_peer *peer,
                         void *context)
{
    (void)peer;
    (void)context;
    return fhir_body_limit(head);
}

static size_t no_body(const struct http1_request *head, const struct net_peer *peer, void *context)
{
    (void)head;
    (void)peer;
    (void)context;
    return 0;
}

static enum err open_http(struct server *s)
{
    const struct conf *c = &s->exchange.conf;
    const struct {
        int port;
        struct tls_context *tls;
        const char *host;
        void (*handle)(struct http_call *, void *);
        size_t (*limit)(const struct http1_request *, const struct net_peer *, void *);
        void *context;
    } doors[HTTP_COUNT] = {
        [HTTP_SYSTEM] = {c->system_port, s->tls_system, c->host, door_system_handle, body_limit,
                         &s->exchange},
        [HTTP_PORTAL] = {c->portal_port, s->tls_portal, c->host, door_portal_handle, body_limit,
                         &s->exchange},
        [HTTP_OPS] = {c->ops_port, NULL, "127.0.0.1", door_ops_handle, no_body, &s->ops},
    };
    enum err err = ERR_OK;
    for (unsigned i = 0; i < HTTP_COUNT && !err; i++) {
        if (doors[i].port < 0)
            continue;
        struct http_options options = {
            .where = {.loop = &s->loop,
                      .host = doors[i].host,
                      .port = (unsigned short)doors[i].port,
                      .tls = doors[i].tls,
                      .quota = i == HTTP_OPS ? &s->quota_ops : &s->quota},
            .body_limit = doors[i].limit,
            .handle = doors[i].handle,
            .context = doors[i].context};
        err = http_open(&options, &s->http[i]);
        s->doors_open += !err;
    }
    return err;
}

static enum err open_mllp(struct server *s)
{
    const struct conf *c = &s->exchange.conf;
    const int ports[MLLP_COUNT] = {c->mllps_port, c->mllp_facility ? c->mllp_port : -1};
    enum err err = ERR_OK;
    for (unsigned i = 0; i < MLLP_COUNT && !err; i++) {
        if (ports[i] < 0)
            continue;
        s->door_mllp[i] =
            (struct door_mllp){&s->exchange, i == MLLP_PLAIN ? c->mllp_facility : NULL};
        struct mllp_options options = {.where = {.loop = &s->loop,
                                                 .host = i == MLLP_PLAIN ? "127.0.0.1" : c->host,
                                                 .port = (unsigned short)ports[i],
                                                 .tls = i == MLLP_TLS ? s->tls_system : NULL,
                                                 .quota = &s->quota},
                                       .handle = door_mllp_handle,
                                       .keys = door_mllp_keys,
                                       .context = &s->door_mllp[i]};
        err = mllp_open(&options, &s->mllp[i]);
        s->doors_open += !err;
    }
    return err;
}

static enum err open_watches(struct server *s)
{
    const struct conf *c = &s->exchange.conf;
    enum err err = ERR_OK;
    for (unsigned i = 0; i < c->watch_count && !err; i++) {
        err = door_ssmix2_open(&s->loop, &s->exchange, c->watches[i].facility, c->watches[i].root,
                               &s->watches[i]);
        s->doors_open += !err;
    }
    return err;
}

static void name_urls(struct server *s)
{
    struct server_ports p = server_ports(s);
    struct exchange *x = &s->exchange;
    const char *host = x->conf.host ? x->conf.host : "127.0.0.1";
    snprintf(x->base_url, sizeof(x->base_url), "https://%s:%u/fhir", host, p.system);
    snprintf(x->portal_url, sizeof(x->portal_url), "https://%s:%u/fhir", host, p.portal);
}

static enum err open_doors(struct server *s, char *ret_text, size_t size)
{
    enum err err = open_tls(s, ret_text, size);
    if (!err)
        err = push_open(&s->loop, &s->exchange, ret_text, size, &s->push);
    if (err)
        return err;
    s->doors_open++;
    if ((err = open_http(s)) || (err = open_mllp(s)) || (err = open_watches(s)))
        snprintf(ret_text, size,
                 "a port cannot be opened (in use?) / ポートを開けません: system=%d portal=%d "
                 "mllps=%d mllp=%d ops=%d",
                 s->exchange.conf.system_port, s->exchange.conf.portal_port,
                 s->exchange.conf.mllps_port, s->exchange.conf.mllp_port,
                 s->exchange.conf.ops_port);
    else
        name_urls(s);
    return err;
}

/* Commands work beside the server, a second server does not, nor does anybody replace the store
 * under it. */
static enum err take_lock(struct server *s, const char *store, char *ret_text, size_t size)
{
    enum err err = lock_take(store, &s->lock);
    if (err == ERR_UNAVAILABLE)
        snprintf(ret_text, size,
                 "store %s: a server is running on it, or it is being restored / "
                 "すでにサーバーが動いているか、復元中です",
                 store);
    else if (err)
        snprintf(ret_text, size, "%s.lock: %s / %s", store, err_en(err), err_ja(err));
    return err;
}

/* A store whose search indexes are incomplete would answer as if records were not there. */
static enum err refuse_unindexed(const char *store, char *ret_text, size_t size)
{
    bool needs = false;
    enum err err = store_needs_reindex(store, &needs);
    if (err)
        snprintf(ret_text, size, "store %s: %s / %s", store, err_en(err), err_ja(err));
    else if (needs)
        snprintf(ret_text, size,
                 "store %s: its search indexes must be made first: tasuki migrate up / "
                 "先に検索索引を作ってください: tasuki migrate up",
                 store);
    return !err && needs ? ERR_UNAVAILABLE : err;
}

/* Each connection takes a file; the rest of the files is for the store and what else is open. */
static void open_quota(struct server *s, unsigned wanted)
{
    quota_raise_files();
    unsigned room = quota_room_now();
    unsigned cap = room < wanted ? room : wanted;
    if (cap < wanted)
        log_warn("server.files", "connections=%u wanted=%u reason=limit-of-open-files", cap,
                 wanted);
    quota_init(&s->quota, cap, cap > LIMIT_ADDRESS_SHARE ? cap / LIMIT_ADDRESS_SHARE : 1);
    quota_init(&s->quota_ops, LIMIT_OPS_CONNECTIONS, 0);
}

enum err server_open(const struct conf *conf, void (*on_ready)(struct server *s, void *context),
                     void *context, char *ret_text, size_t text_size, struct server **ret_server)
{
    struct server *s = calloc(1, sizeof(*s));
    enum err err = s ? ERR_OK : ERR_LIMIT;
    if (err)
        return err;
    s->lock = -1;
    signal(SIGPIPE, SIG_IGN);
    /* Few threads, many short-lived arenas: a heap for each busy thread suffices, and what start-up
     * used goes back (server_run). */
    mallopt(M_ARENA_MAX, 4);
    s->on_ready = on_ready;
    s->context = context;
    s->ops = (struct door_ops){.exchange = &s->exchange,
                               .mllp = (const struct mllp_server *const *)s->mllp,
                               .http = (const struct http_server *const *)s->http,
                               .quota = &s->quota};
    open_quota(s, (unsigned)conf->connections);
    if ((err = charset_init()) || (err = page_init()) || (err = open_loop(s))) {
        snprintf(ret_text, text_size, "%s / %s", err_en(err), err_ja(err));
        goto out;
    }
    err = take_lock(s, conf->store, ret_text, text_size);
    if (!err)
        err = exchange_open(&s->exchange, conf, store_wake, s, ret_text, text_size);
    if (!err)
        err = refuse_unindexed(conf->store, ret_text, text_size);
out:
    if (err) {
        server_free(s);
        return err;
    }
    *ret_server = s;
    return ERR_OK;
}

/* ── running ─────────────────────────────────────────────────────────────────────────────────── */

enum err server_run(struct server *s, char *ret_text, size_t text_size)
{
    enum err err = open_doors(s, ret_text, text_size);
    if (err) {
        log_error("server.start", "%s", ret_text);
        begin_stop(s);
    } else {
        uv_signal_start(&s->signals[0], on_signal, SIGTERM);
        uv_signal_start(&s->signals[1], on_signal, SIGINT);
        uv_timer_start(&s->reload, on_reload, RELOAD_MS, RELOAD_MS);
        malloc_trim(0);
        log_info("server.ready", "doors=%u", s->doors_open);
        if (s->on_ready)
            s->on_ready(s, s->context);
    }
    uv_run(&s->loop, UV_RUN_DEFAULT);
    server_free(s);
    return err;
}

void server_stop(struct server *s)
{
    uv_async_send(&s->stop);
}

void server_free(struct server *s)
{
    if (!s)
        return;
    if (s->opened && !s->stopping) { /* never run */
        close_handles(s);
        uv_run(&s->loop, UV_RUN_DEFAULT);
    }
    exchange_close(&s->exchange);
    lock_release(s->lock);
    if (s->opened)
        uv_loop_close(&s->loop);
    tls_context_free(s->tls_system);
    tls_context_free(s->tls_portal);
    page_fini();
    free(s);
}

struct exchange *server_exchange(struct server *s)
{
    return &s->exchange;
}

struct server_ports server_ports(const struct server *s)
{
    return (struct server_ports){
        .system = s->http[HTTP_SYSTEM] ? http_port(s->http[HTTP_SYSTEM]) : 0,
        .portal = s->http[HTTP_PORTAL] ? http_port(s->http[HTTP_PORTAL]) : 0,
        .ops = s->http[HTTP_OPS] ? http_port(s->http[HTTP_OPS]) : 0,
        .mllps = s->mllp[MLLP_TLS] ? mllp_port(s->mllp[MLLP_TLS]) : 0,
        .mllp = s->mllp[MLLP_PLAIN] ? mllp_port(s->mllp[MLLP_PLAIN]) : 0,
    };
}
