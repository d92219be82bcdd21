/* SPDX-License-Identifier: Apache-2.0
 *
 * A load on many connections. Closed: each sends its next request when the last was answered. Open:
 * each has a timetable, and a late answer makes the next ones late too, which their latencies tell.
 * Latencies are kept in a histogram of 1/16-octave buckets from 1 microsecond up, so memory does
 * not grow with the run.
 */
#include "exchange/bench/bench.h"

#include <dirent.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/slice.h"
#include "exchange/bench/client.h"
#include "exchange/exchange.h"

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

/* ── processor time ──────────────────────────────────────────────────────────────────────────── */

/* The first LEN bytes of a small file of the kernel's about thread ID; "" when it has ended. */
static void read_about(const char *id, const char *what, char *ret_text, size_t size)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/task/%.20s/%s", id, what);
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(ret_text, 1, size - 1, file) : 0;
    if (file)
        fclose(file);
    ret_text[len] = '\0';
}

void bench_cpu_now(struct bench_cpu *ret_cpu)
{
    struct bench_cpu cpu = {.all = bench_seconds(CLOCK_PROCESS_CPUTIME_ID)};
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *e = tasks ? readdir(tasks) : NULL; e; e = readdir(tasks)) {
        char name[32], spent[64];
        read_about(e->d_name, "comm", name, sizeof(name));
        read_about(e->d_name, "schedstat", spent, sizeof(spent)); /* nanoseconds come first */
        double *sum = strcmp(name, "loop\n") == 0     ? &cpu.loop
                      : strcmp(name, "reader\n") == 0 ? &cpu.readers
                      : strcmp(name, "writer\n") == 0 ? &cpu.writer
                                                      : NULL;
        if (sum)
            *sum += strtod(spent, NULL) / 1e9;
    }
    if (tasks)
        closedir(tasks);
    *ret_cpu = cpu;
}

static void cpu_since(const struct bench_cpu *before, struct bench_cpu *ret_cpu)
{
    bench_cpu_now(ret_cpu);
    ret_cpu->all -= before->all;
    ret_cpu->loop -= before->loop;
    ret_cpu->readers -= before->readers;
    ret_cpu->writer -= before->writer;
}

static void share(const struct bench_cpu *cpu, uint64_t count, struct bench_figure *figure)
{
    double each = count ? 1e6 / (double)count : 0;
    figure->cpu_us = cpu->all * each;
    figure->loop_us = cpu->loop * each;
    figure->readers_us = cpu->readers * each;
    figure->writer_us = cpu->writer * each;
}

void bench_cpu_each(const struct bench_cpu *before, uint64_t count, struct bench_figure *figure)
{
    struct bench_cpu spent;
    cpu_since(before, &spent);
    share(&spent, count, figure);
}

void bench_cost_begin(struct exchange *x, struct bench_cost *ret_cost)
{
    struct store_figures figures;
    store_figures(x->store, &figures);
    *ret_cost =
        (struct bench_cost){.seconds = bench_seconds(CLOCK_MONOTONIC), .commits = figures.commits};
    bench_cpu_now(&ret_cost->cpu);
}

void bench_cost_end(struct exchange *x, struct bench_cost *cost)
{
    struct store_figures figures;
    struct bench_cpu before = cost->cpu;
    cpu_since(&before, &cost->cpu);
    store_figures(x->store, &figures);
    cost->seconds = bench_seconds(CLOCK_MONOTONIC) - cost->seconds;
    cost->commits = figures.commits - cost->commits;
    cost->rss_mib = bench_rss_mib();
}

void bench_cost_each(const struct bench_cost *cost, uint64_t count, struct bench_figure *figure)
{
    figure->rate = cost->seconds > 0 ? (double)count / cost->seconds : 0;
    figure->rss_mib = cost->rss_mib;
    figure->count = count;
    share(&cost->cpu, count, figure);
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
    struct bench_cpu cpu;
    bench_cpu_now(&cpu);
    run.began = now_seconds();
    run.end = run.began + load->seconds;
    enum err err = client_threads(load->connections, loop, &run);
    double took = now_seconds() - run.began;
    if (!err)
        err = (enum err)run.err;
    figure->count = run.count;
    bench_cpu_each(&cpu, run.count, figure);
    figure->clients_us = run.count ? (double)run.client_ns / 1e3 / (double)run.count : 0;
    figure->rss_mib = bench_rss_mib();
    figure->rate = (double)run.count / took;
    figure->p50_ms = percentile_ms(&run, 0.5);
    figure->p99_ms = percentile_ms(&run, 0.99);
    return err;
}
