/* SPDX-License-Identifier: Apache-2.0
 *
 * Read by id: every request is authenticated, decided in the SQL, rendered for its reader and
 * audited durably before its first byte. The floor is the same TLS and HTTP code with a handler
 * that answers fixed bytes: what no audited server on this code can beat.
 */
#include <stdio.h>
#include <stdlib.h>

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

/* One Observation each of IDS residents, who lie anywhere in the file, and how long an answer is.
 */
static enum err collect_ids(const struct bench_site *site, const struct client_trust *trust,
                            struct reading *reading)
{
    struct client_options options = {
        .host = "127.0.0.1", .port = site->system_port, .trust = trust};
    struct client *client = NULL;
    struct client_answer answer = {0};
    enum err err = client_open(&options, &client);
    for (unsigned i = 0; i < IDS && !err; i++) {
        char target[160], id[72];
        err = bench_patient(client, bench_resident(site, i), id, sizeof(id));
        snprintf(target, sizeof(target), "/fhir/Observation?patient=%s&_count=1", id);
        if (!err)
            err = bench_first_id(client, target, id, sizeof(id));
        snprintf(reading->targets[reading->count++], sizeof(reading->targets[0]),
                 "/fhir/Observation/%s", id);
    }
    if (!err)
        err = client_http(client, "GET", reading->targets[0], "", SLICE_NONE, &answer);
    if (!err)
        reading->body_len = answer.body.len;
    client_close(client);
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
    struct bench_figure figure = {.name = "read", .unit = "reads/s", .bar = 0.50};
    struct reading reading = {.count = 0};
    struct client_trust *trust = NULL;
    enum err err = bench_trust(site, &trust);
    if (!err)
        err = collect_ids(site, trust, &reading);
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
