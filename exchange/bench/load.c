/* SPDX-License-Identifier: Apache-2.0
 *
 * A load on many connections. Closed: each sends its next request when the last was answered. Open:
 * each has a timetable, and a late answer makes the next ones late too, which their latencies tell.
 * Latencies are kept in a histogram of 1/16-octave buckets from 1 microsecond up, so memory does
 * not grow with the run.
 */
#include "exchange/bench/bench.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/slice.h"
#include "exchange/bench/client.h"

#include "base/banned.h"

#define CONNECTIONS_MAX 256
#define BUCKETS 512

struct run {
    const struct bench_load *load;
    _Atomic int err;
    _Atomic uint64_t count;
    _Atomic uint64_t client_ns; /* processor time of the clients */
    _Atomic uint64_t buckets[BUCKETS];
    double began, end;
};

double bench_seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double bench_rss_mib(void)
{
    static const char field[] = "VmRSS:";
    char line[128];
    double kib = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, field, sizeof(field) - 1) == 0)
            kib = strtod(line + sizeof(field) - 1, NULL);
    if (file)
        fclose(file);
    return kib / 1024;
}

static double now_seconds(void)
{
    return bench_seconds(CLOCK_MONOTONIC);
}

static unsigned bucket_of(double seconds)
{
    double octaves = log2(seconds * 1e6 + 1) * 16;
    return octaves < 0 ? 0 : octaves >= BUCKETS ? BUCKETS - 1 : (unsigned)octaves;
}

static double percentile_ms(const struct run *run, double share)
{
    uint64_t wanted = (uint64_t)((double)run->count * share), seen = 0;
    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += run->buckets[i];
        if (seen >= wanted && seen > 0)
            return (exp2((i + 1) / 16.0) - 1) / 1000;
    }
    return 0;
}

/* When connection INDEX is to begin its Nth exchange: now, or by the timetable, after waiting for
 * it. */
static double appointed(const struct run *run, unsigned index, uint64_t n)
{
    const struct bench_load *load = run->load;
    double now = now_seconds();
    if (load->rate == 0)
        return now;
    double at = run->began + ((double)n * load->connections + index) / load->rate;
    if (at > now) {
        struct timespec until = {.tv_sec = (time_t)at, .tv_nsec = (long)((at - floor(at)) * 1e9)};
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
    return at;
}

static void loop(unsigned index, void *context)
{
    struct run *run = context;
    const struct bench_load *load = run->load;
    struct client_options options = {.host = "127.0.0.1", .port = load->port, .trust = load->trust};
    struct client *client = NULL;
    enum err err = client_open(&options, &client);
    for (uint64_t n = 0; !err && run->err == ERR_OK; n++) {
        double began = appointed(run, index, n);
        if (began >= run->end)
            break;
        err = load->step(client, index, n, load->context);
        if (!err) {
            atomic_fetch_add(&run->count, 1);
            atomic_fetch_add(&run->buckets[bucket_of(now_seconds() - began)], 1);
        }
    }
    if (err)
        run->err = (int)err;
    client_close(client);
    atomic_fetch_add(&run->client_ns, (uint64_t)(bench_seconds(CLOCK_THREAD_CPUTIME_ID) * 1e9));
}

enum err bench_load_run(const struct bench_load *load, struct bench_figure *figure)
{
    struct run run = {.load = load};
    double cpu = bench_seconds(CLOCK_PROCESS_CPUTIME_ID);
    run.began = now_seconds();
    run.end = run.began + load->seconds;
    enum err err = client_threads(load->connections, loop, &run);
    double took = now_seconds() - run.began;
    if (!err)
        err = (enum err)run.err;
    cpu = bench_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    figure->count = run.count;
    figure->cpu_us = run.count ? cpu * 1e6 / (double)run.count : 0;
    figure->client_us = run.count ? (double)run.client_ns / 1e3 / (double)run.count : 0;
    figure->rss_mib = bench_rss_mib();
    figure->rate = (double)run.count / took;
    figure->p50_ms = percentile_ms(&run, 0.5);
    figure->p99_ms = percentile_ms(&run, 0.99);
    return err;
}
