/* SPDX-License-Identifier: Apache-2.0
 *
 * Read by id: every request is authenticated, decided in the SQL, rendered for its reader and
 * audited durably before its first byte. The floor is the same TLS and HTTP code with a handler
 * that answers fixed bytes: what no audited server on this code can beat.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/limits.h"
#include "exchange/bench/bench.h"
#include "exchange/bench/client.h"
#include "exchange/net/http.h"
#include "exchange/net/tls.h"

#include "base/banned.h"

#define IDS 200

struct reading {
    char targets[IDS][96];
    unsigned count;
    size_t body_len; /* of one answer, for the floor */
};

/* ── the measured side ───────────────────────────────────────────────────────────────────────── */

static enum err read_step(struct client *client, unsigned connection, uint64_t n, void *context)
{
    const struct reading *reading = context;
    struct client_answer answer;
    const char *target = reading->targets[(n * 7 + connection) % reading->count];
    enum err err = client_http(client, "GET", target, "", SLICE_NONE, &answer);
    return err ? err : answer.status == 200 ? ERR_OK : ERR_INTERNAL;
}

/* Which Observations hospital-a may read: by one search, as any client would. */
static enum err collect_ids(const struct client_trust *trust, unsigned short port,
                            struct reading *reading)
{
    struct client_options options = {.host = "127.0.0.1", .port = port, .trust = trust};
    struct client *client = NULL;
    struct client_answer answer = {0};
    struct json *bundle = NULL;
    struct json_fault fault;
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    enum err err = client_open(&options, &client);
    if (!err)
        err = client_http(client, "GET", "/fhir/Observation?_count=200", "", SLICE_NONE, &answer);
    if (!err && answer.status != 200)
        err = ERR_INTERNAL;
    if (!err)
        err = json_parse(arena, answer.body, &bundle, &fault);
    const struct json *entries = json_get(bundle, "entry");
    for (const struct json *e = entries ? entries->first : NULL; e && reading->count < IDS;
         e = e->next) {
        struct slice id = json_str(json_get(e, "resource"), "id");
        snprintf(reading->targets[reading->count++], sizeof(reading->targets[0]),
                 "/fhir/Observation/%.*s", SLICE_ARG(id));
    }
    if (!err && reading->count == 0)
        err = ERR_NOT_FOUND;
    if (!err)
        err = client_http(client, "GET", reading->targets[0], "", SLICE_NONE, &answer);
    if (!err)
        reading->body_len = answer.body.len;
    client_close(client);
    arena_free(arena);
    return err;
}

/* ── the floor ───────────────────────────────────────────────────────────────────────────────── */

struct responder {
    uv_loop_t loop;
    uv_async_t stop;
    struct http_server *server;
    struct tls_context *tls;
    char *body;
    size_t body_len;
    pthread_t thread;
};

static void respond(struct http_call *call, void *context)
{
    struct responder *r = context;
    struct http_answer answer = {.status = 200,
                                 .content_type = "application/fhir+json; charset=utf-8",
                                 .body = slice_of(r->body, r->body_len)};
    http_call_answer(call, &answer);
}

static void on_server_closed(void *context)
{
    struct responder *r = context;
    uv_close((uv_handle_t *)&r->stop, NULL);
}

static void on_stop(uv_async_t *async)
{
    struct responder *r = async->data;
    http_close(r->server, on_server_closed, r);
}

static void *responder_main(void *context)
{
    struct responder *r = context;
    uv_run(&r->loop, UV_RUN_DEFAULT);
    return NULL;
}

static enum err responder_start(struct responder *r, const char *dir)
{
    char cert[512], key[512], ca[512], crl[512], text[256];
    snprintf(cert, sizeof(cert), "%s/pki/server.pem", dir);
    snprintf(key, sizeof(key), "%s/pki/server.key", dir);
    snprintf(ca, sizeof(ca), "%s/pki/ca.pem", dir);
    snprintf(crl, sizeof(crl), "%s/pki/crl.pem", dir);
    struct tls_options tls = {
        .cert_path = cert, .key_path = key, .ca_path = ca, .crl_path = crl, .require_client = true};
    enum err err = tls_context_new(&tls, text, sizeof(text), &r->tls);
    if (err)
        return err;
    uv_loop_init(&r->loop);
    uv_async_init(&r->loop, &r->stop, on_stop);
    r->stop.data = r;
    r->body = malloc(r->body_len);
    if (!r->body)
        return ERR_LIMIT;
    memset(r->body, 'x', r->body_len);
    struct http_options options = {
        .loop = &r->loop, .host = "127.0.0.1", .tls = r->tls, .handle = respond, .context = r};
    err = http_open(&options, &r->server);
    if (!err && pthread_create(&r->thread, NULL, responder_main, r) != 0)
        err = ERR_LIMIT;
    return err;
}

static void responder_stop(struct responder *r)
{
    uv_async_send(&r->stop);
    pthread_join(r->thread, NULL);
    uv_loop_close(&r->loop);
    tls_context_free(r->tls);
    free(r->body);
}

static enum err floor_read(const struct bench_site *site, const struct client_trust *trust,
                           const struct reading *reading, double *ret_rate)
{
    struct responder r = {.body_len = reading->body_len};
    struct bench_figure floor = {0};
    enum err err = responder_start(&r, site->dir);
    if (err)
        return err;
    struct bench_load load = {.trust = trust,
                              .port = http_port(r.server),
                              .connections = site->connections,
                              .seconds = site->seconds,
                              .step = read_step,
                              .context = (void *)(uintptr_t)reading};
    err = bench_load_run(&load, &floor);
    responder_stop(&r);
    if (!err)
        *ret_rate = floor.rate;
    return err;
}

enum err bench_read(const struct bench_site *site, struct bench_figure *ret_figure)
{
    struct bench_figure figure = {.name = "read", .unit = "reads/s", .bar = 0.40};
    struct reading reading = {.count = 0};
    struct client_trust *trust = NULL;
    char ca[512], cert[512], key[512];
    snprintf(ca, sizeof(ca), "%s/pki/ca.pem", site->dir);
    snprintf(cert, sizeof(cert), "%s/pki/hospital-a.pem", site->dir);
    snprintf(key, sizeof(key), "%s/pki/hospital-a.key", site->dir);
    enum err err = client_trust_new(ca, cert, key, &trust);
    if (!err)
        err = collect_ids(trust, site->system_port, &reading);
    struct bench_load load = {.trust = trust,
                              .port = site->system_port,
                              .connections = site->connections,
                              .seconds = site->seconds,
                              .step = read_step,
                              .context = &reading};
    if (!err)
        err = bench_load_run(&load, &figure);
    if (!err)
        err = floor_read(site, trust, &reading, &figure.floor_rate);
    client_trust_free(trust);
    if (!err)
        *ret_figure = figure;
    return err;
}
