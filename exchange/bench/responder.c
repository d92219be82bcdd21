/* SPDX-License-Identifier: Apache-2.0
 *
 * The bare responder (see responder.h). Asks nobody who he is and records nothing.
 */
#include "exchange/bench/responder.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "exchange/net/http.h"
#include "exchange/net/tls.h"

#include "base/banned.h"

struct responder {
    struct responder_options options;
    uv_loop_t loop;
    uv_async_t stop;
    struct http_server *server;
    struct tls_context *tls;
    char *body;
    uint64_t count;
    pthread_t thread;
};

static void respond(struct http_call *call, void *context)
{
    struct responder *r = context;
    struct http_answer answer = {.status = 200,
                                 .content_type = "application/fhir+json; charset=utf-8",
                                 .body = slice_of(r->body, r->options.body_len)};
    if (r->options.step)
        r->options.step(r->options.context, r->count++);
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

static enum err open_tls(struct responder *r)
{
    char cert[512], key[512], ca[512], crl[512], text[256];
    const char *dir = r->options.dir;
    snprintf(cert, sizeof(cert), "%s/pki/server.pem", dir);
    snprintf(key, sizeof(key), "%s/pki/server.key", dir);
    snprintf(ca, sizeof(ca), "%s/pki/ca.pem", dir);
    snprintf(crl, sizeof(crl), "%s/pki/crl.pem", dir);
    struct tls_options tls = {
        .cert_path = cert, .key_path = key, .ca_path = ca, .crl_path = crl, .require_client = true};
    return tls_context_new(&tls, text, sizeof(text), &r->tls);
}

static void release(struct responder *r)
{
    tls_context_free(r->tls);
    free(r->body);
    free(r);
}

enum err responder_start(const struct responder_options *options, struct responder **ret_responder)
{
    struct responder *r = calloc(1, sizeof(*r));
    if (!r)
        return ERR_LIMIT;
    r->options = *options;
    r->body = malloc(options->body_len + 1);
    enum err err = r->body ? open_tls(r) : ERR_LIMIT;
    if (err) {
        release(r);
        return err;
    }
    memset(r->body, 'x', options->body_len);
    uv_loop_init(&r->loop);
    uv_async_init(&r->loop, &r->stop, on_stop);
    r->stop.data = r;
    struct http_options http = {
        .where = {.loop = &r->loop, .host = "127.0.0.1", .tls = r->tls},
        .handle = respond,
        .context = r};
    err = http_open(&http, &r->server);
    if (!err && pthread_create(&r->thread, NULL, responder_main, r) != 0)
        err = ERR_LIMIT;
    if (!err)
        *ret_responder = r;
    return err; /* a benchmark that could not begin ends the program: nothing is taken down here */
}

unsigned short responder_port(const struct responder *responder)
{
    return http_port(responder->server);
}

void responder_stop(struct responder *r)
{
    uv_async_send(&r->stop);
    pthread_join(r->thread, NULL);
    uv_loop_close(&r->loop);
    release(r);
}
