/* SPDX-License-Identifier: Apache-2.0
 *
 * MLLP intake: 16 hospitals' connections send laboratory results (OUL^R22, five results each) for a
 * thousand patients; each waits for its AA, which waits for the commit. The floor writes the rows
 * of the very run with bare inserts in as many commits.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "exchange/bench/bench.h"
#include "exchange/bench/client.h"
#include "exchange/exchange.h"

#include "base/banned.h"

#define PATIENTS 1000u

static const struct {
    const char *code, *name, *unit;
} results[] = {
    {"3A010000002327101", "総蛋白", "g/dL"}, {"3B035000002327201", "AST", "U/L"},
    {"3B045000002327201", "ALT", "U/L"},     {"3C015000002327101", "クレアチニン", "mg/dL"},
    {"3D046000001906202", "HbA1c", "%"},
};

static void print_message(struct buf *out, unsigned connection, uint64_t n)
{
    unsigned patient = ((unsigned)n * 61 + connection * 13) % PATIENTS;
    unsigned long long order = (unsigned long long)connection * 1000000000ull + n;
    buf_addf(out,
             "MSH|^~\\&|BENCH|LAB%u|GW|TASUKI|20261101093000||OUL^R22^OUL_R22|B%u-%llu|P|2.5||||||"
             "UNICODE UTF-8\r",
             connection, connection, (unsigned long long)n);
    buf_addf(out, "PID|0001||9%06u^^^^PI||負荷^太郎%u^^^^^L^I~フカ^タロウ^^^^^L^P||19600101|M\r",
             patient, patient);
    buf_addf(out, "PV1|0001|O|01^^^^^C\rSPM|1|S%015llu||023^血清^JC10|||||||||||||20261101090000\r",
             order);
    buf_addf(out,
             "OBR|1|%015llu|S%015llu|E002^生化学的検査^99O03|||20261101090000\rORC|SC|%015llu\r",
             order, order, order);
    for (unsigned i = 0; i < sizeof(results) / sizeof(*results); i++)
        buf_addf(out, "OBX|%u|NM|%s^%s^JC10||%u.%u|%s^%s^ISO+|1.0-9.0||||F|||20261101090000\r",
                 i + 1, results[i].code, results[i].name, (unsigned)((n + i) % 9 + 1),
                 (unsigned)(n % 10), results[i].unit, results[i].unit);
}

static enum err intake_step(struct client *client, unsigned connection, uint64_t n, void *context)
{
    struct buf message;
    struct slice ack;
    enum err err;
    (void)context;
    buf_init(&message, LIMIT_MIB);
    print_message(&message, connection, n);
    err = client_mllp(client, buf_slice(&message), &ack);
    buf_fini(&message);
    if (err)
        return err;
    return slice_search(ack, SLICE("\rMSA|AA|"), 0) < ack.len ? ERR_OK : ERR_INTERNAL;
}

enum err bench_intake(const struct bench_site *site, struct bench_figure *ret_figure)
{
    struct bench_figure figure = {.name = "intake", .unit = "messages/s (5 results)", .bar = 0.40};
    struct client_trust *trust = NULL;
    char ca[512], cert[512], key[512];
    snprintf(ca, sizeof(ca), "%s/pki/ca.pem", site->dir);
    snprintf(cert, sizeof(cert), "%s/pki/hospital-b.pem", site->dir);
    snprintf(key, sizeof(key), "%s/pki/hospital-b.key", site->dir);
    enum err err = client_trust_new(ca, cert, key, &trust);
    struct bench_load load = {.trust = trust,
                              .port = site->mllps_port,
                              .connections = site->connections,
                              .seconds = site->seconds,
                              .step = intake_step};
    uint64_t before = bench_commits(site);
    if (!err)
        err = bench_load_run(&load, &figure);
    if (!err)
        err = bench_rows_floor(site, (double)figure.count, bench_commits(site) - before, &figure.floor_rate);
    client_trust_free(trust);
    if (!err)
        *ret_figure = figure;
    return err;
}
