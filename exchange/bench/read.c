/* SPDX-License-Identifier: Apache-2.0
 *
 * Read by id: every request is authenticated, decided in the SQL, rendered for its reader and
 * audited durably before its first byte. The floor is the same TLS and HTTP code with a handler
 * that answers fixed bytes: what no audited server on this code can beat.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/limits.h"
#include "exchange/bench/bench.h"
#include "exchange/bench/client.h"
#include "exchange/bench/responder.h"

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

static enum err floor_read(const struct bench_site *site, const struct client_trust *trust,
                           const struct reading *reading, double *ret_rate)
{
    struct responder *r = NULL;
    struct bench_figure floor = {0};
    struct responder_options options = {.dir = site->dir, .body_len = reading->body_len};
    enum err err = responder_start(&options, &r);
    if (err)
        return err;
    struct bench_load load = {.trust = trust,
                              .port = responder_port(r),
                              .connections = site->connections,
                              .seconds = site->seconds,
                              .step = read_step,
                              .context = (void *)(uintptr_t)reading};
    err = bench_load_run(&load, &floor);
    responder_stop(r);
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
