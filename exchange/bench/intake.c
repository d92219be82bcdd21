/* SPDX-License-Identifier: Apache-2.0
 *
 * MLLP intake: connections of hospital-b send laboratory results (ORU^R01, site->results OBX each)
 * of a thousand patients; each waits for its AA, which waits for the commit. The floor writes the
 * rows of the very run with bare inserts in as many commits.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "exchange/bench/bench.h"
#include "exchange/bench/client.h"
#include "exchange/bench/message.h"
#include "exchange/exchange.h"

#include "base/banned.h"

static enum err intake_step(struct client *client, unsigned connection, uint64_t n, void *context)
{
    struct buf message;
    struct slice ack;
    const struct bench_site *site = context;
    enum err err;
    buf_init(&message, LIMIT_MIB);
    bench_message(&message, connection, n, site->results);
    err = client_mllp(client, buf_slice(&message), &ack);
    buf_fini(&message);
    if (err)
        return err;
    return slice_search(ack, SLICE("\rMSA|AA|"), 0) < ack.len ? ERR_OK : ERR_INTERNAL;
}

enum err bench_intake(const struct bench_site *site, struct bench_figure *ret_figure)
{
    struct bench_site asked = *site;
    struct bench_figure figure = {.name = "intake", .bar = site->rate ? 0 : 0.50};
    struct client_trust *trust = NULL;
    char ca[512], cert[512], key[512];
    double bytes_before = 0, bytes_after = 0;
    snprintf(figure.unit, sizeof(figure.unit), "messages/s (%u results)", site->results);
    snprintf(ca, sizeof(ca), "%s/pki/ca.pem", site->dir);
    snprintf(cert, sizeof(cert), "%s/pki/hospital-b.pem", site->dir);
    snprintf(key, sizeof(key), "%s/pki/hospital-b.key", site->dir);
    enum err err = client_trust_new(ca, cert, key, &trust);
    struct bench_load load = {.trust = trust,
                              .port = site->mllps_port,
                              .connections = site->connections,
                              .seconds = site->seconds,
                              .rate = site->rate,
                              .step = intake_step,
                              .context = &asked};
    uint64_t before = bench_commits(site);
    if (!err)
        err = bench_store_bytes(site, &bytes_before);
    if (!err)
        err = bench_load_run(&load, &figure);
    uint64_t commits = bench_commits(site) - before;
    if (!err)
        err = bench_store_bytes(site, &bytes_after);
    if (!err)
        err = bench_rows_floor(site, (double)figure.count, commits, &figure.floor_rate);
    if (!err && figure.count)
        figure.bytes_each = (bytes_after - bytes_before) / (double)figure.count;
    client_trust_free(trust);
    if (!err)
        *ret_figure = figure;
    return err;
}
