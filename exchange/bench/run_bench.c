/* SPDX-License-Identifier: Apache-2.0
 *
 * tasuki bench: makes a region of its own in a temporary folder, serves it from a thread, runs the
 * benchmarks against it over real sockets, prints a table or JSON, removes the folder. Removes
 * nothing but what lies in the folder that it made itself.
 */
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "exchange/bench/bench.h"
#include "exchange/bench/population.h"
#include "exchange/run.h"
#include "exchange/server.h"

#include "base/banned.h"

struct served {
    struct server *server;
    struct server_ports ports;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool ready;
    pthread_t thread;
};

static void on_ready(struct server *server, void *context)
{
    struct served *s = context;
    pthread_mutex_lock(&s->mutex);
    s->ports = server_ports(server);
    s->ready = true;
    pthread_cond_signal(&s->cond);
    pthread_mutex_unlock(&s->mutex);
}

static void *serve_main(void *context)
{
    struct served *s = context;
    enum err err = server_run(s->server);
    return (void *)(uintptr_t)err;
}

/* A region with PATIENTS residents (0: parties only) and a population of POPULATION more, served until bench_stop. */
static enum err bench_start(const char *dir, unsigned patients, unsigned population,
                            double *ret_load_seconds, struct arena *arena, struct served *s)
{
    struct region_options options = {.dir = dir, .patients = patients ? patients : 5, .seed = 1};
    struct region *region = NULL;
    struct region_tally tally;
    struct err_list errors;
    struct conf conf;
    char text[512] = "", path[LIMIT_SSMIX2_PATH];
    enum err err =
        region_make(&options, clock_system.now_ms(&clock_system), text, sizeof(text), &region);
    err_list_init(&errors, arena);
    snprintf(path, sizeof(path), "%s/tasuki.conf", dir);
    if (!err)
        err = conf_read(arena, path, &errors, &conf);
    if (!err) {
        conf.watch_count = 0;
        err = server_open(&conf, on_ready, s, text, sizeof(text), &s->server);
    }
    if (!err)
        err = region_register(server_exchange(s->server), region);
    if (!err)
        err = region_load(server_exchange(s->server), region, patients == 0, &tally);
    if (!err && population)
        err = population_load(server_exchange(s->server), 0, population, ret_load_seconds);
    region_free(region);
    if (err) {
        fprintf(stderr, "bench: %s %s\n", err_en(err), text);
        server_free(s->server);
        return err;
    }
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->cond, NULL);
    if (pthread_create(&s->thread, NULL, serve_main, s) != 0)
        return ERR_LIMIT;
    pthread_mutex_lock(&s->mutex);
    while (!s->ready)
        pthread_cond_wait(&s->cond, &s->mutex);
    pthread_mutex_unlock(&s->mutex);
    return ERR_OK;
}

static void bench_stop(struct served *s)
{
    server_stop(s->server);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->cond);
    pthread_mutex_destroy(&s->mutex);
}

static void print_figure(const struct bench_figure *f, bool json)
{
    double ratio = f->floor_rate > 0 ? f->rate / f->floor_rate : 0;
    if (json)
        printf("{\"name\":\"%s\",\"unit\":\"%s\",\"rate\":%.0f,\"floor\":%.0f,\"ratio\":%.3f,"
               "\"bar\":%.2f,\"p50_ms\":%.2f,"
               "\"p99_ms\":%.2f,\"count\":%llu,\"bytes_each\":%.0f}\n",
               f->name, f->unit, f->rate, f->floor_rate, ratio, f->bar, f->p50_ms, f->p99_ms,
               (unsigned long long)f->count, f->bytes_each);
    else
        printf("%-8s %10.0f %-24s floor %10.0f  ratio %5.1f %%  (bar %2.0f %%)  p50 %6.2f ms  p99 "
               "%6.2f ms\n",
               f->name, f->rate, f->unit, f->floor_rate, ratio * 100, f->bar * 100, f->p50_ms,
               f->p99_ms);
    if (!json && f->bytes_each > 0)
        printf("%-8s %10.0f bytes of the store for each\n", "", f->bytes_each);
    fflush(stdout);
}

static const struct {
    const char *name;
    unsigned patients;
    bool population; /* of --residents */
    enum err (*run)(const struct bench_site *site, struct bench_figure *ret_figure);
} benches[] = {{"read", 50, false, bench_read},
               {"intake", 0, false, bench_intake},
               {"transaction", 0, false, bench_transaction},
               {"import", 0, true, bench_import},
               {"search", 0, true, bench_search},
               {"everything", 0, true, bench_everything}};

#define RESIDENTS_DEFAULT 2000u

/* A new folder under $TMPDIR. */
static enum err make_folder(char *ret_dir, size_t size)
{
    const char *tmp = getenv("TMPDIR");
    int n = snprintf(ret_dir, size, "%s/tasuki-bench-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (n > 0 && (size_t)n < size && mkdtemp(ret_dir))
        return ERR_OK;
    fprintf(stderr, "bench: no temporary folder / 一時フォルダーを作れません\n");
    return ERR_IO;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

/* Links are removed, not followed; another file system mounted below stays. */
static void remove_folder(const char *dir)
{
    if (nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
        fprintf(stderr, "bench: %s could not be removed / を消せません\n", dir);
}

static enum err run_in(const char *dir, size_t i, const struct run_bench_options *options)
{
    struct served served = {0};
    struct bench_figure figure = {0};
    char store[PATH_MAX];
    struct arena *arena = arena_new(LIMIT_MIB);
    unsigned residents = !benches[i].population ? 0
                         : options->residents   ? options->residents
                                                : RESIDENTS_DEFAULT;
    double load_seconds = 0;
    enum err err = arena ? bench_start(dir, benches[i].patients, residents, &load_seconds, arena,
                                       &served)
                         : ERR_LIMIT;
    if (err) {
        arena_free(arena);
        return err;
    }
    snprintf(store, sizeof(store), "%s", server_exchange(served.server)->conf.store);
    struct bench_site site = {.dir = dir,
                              .system_port = served.ports.system,
                              .mllps_port = served.ports.mllps,
                              .store = store,
                              .exchange = server_exchange(served.server),
                              .residents = residents,
                              .load_seconds = load_seconds,
                              .connections = options->connections ? options->connections : 16,
                              .seconds = options->seconds ? options->seconds : 5};
    err = benches[i].run(&site, &figure);
    bench_stop(&served);
    arena_free(arena);
    if (err)
        fprintf(stderr, "bench %s: %s / %s\n", benches[i].name, err_en(err), err_ja(err));
    else
        print_figure(&figure, options->json);
    return err;
}

static enum err run_one(size_t i, const struct run_bench_options *options)
{
    char dir[256]; /* paths below it are made in buffers of 512 */
    enum err err = make_folder(dir, sizeof(dir));
    if (err)
        return err;
    err = run_in(dir, i, options);
    remove_folder(dir);
    return err;
}

int run_bench(const struct run_bench_options *options)
{
    bool found = false;
    log_open(stderr, LOG_ERROR_LEVEL);
    for (size_t i = 0; i < sizeof(benches) / sizeof(*benches); i++) {
        if (options->name && strcmp(options->name, benches[i].name) != 0)
            continue;
        found = true;
        if (run_one(i, options))
            return CLI_FAILED;
    }
    if (!found)
        fprintf(stderr, "bench: read, intake, transaction, import, search, everything\n");
    return found ? CLI_OK : CLI_USAGE;
}
