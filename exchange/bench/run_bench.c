/* SPDX-License-Identifier: Apache-2.0
 *
 * tasuki bench: makes a region of its own in a temporary folder, serves it from a thread, runs the
 * benchmarks against it over real sockets, prints a table or JSON, removes the folder. With --dir
 * the region stays, and the next run uses what is there, since millions of records take their time.
 * Removes nothing but what lies in the folder that it made itself.
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
    (void)pthread_setname_np(pthread_self(), "loop");
    char text[400] = "";
    enum err err = server_run(s->server, text, sizeof(text));
    if (err)
        fprintf(stderr, "bench: %s\n", text);
    return (void *)(uintptr_t)err;
}

/* ── the region ──────────────────────────────────────────────────────────────────────────────── */

/* How many residents of the population DIR holds: the file "residents" beside the store. */
static unsigned residents_in(const char *dir)
{
    char path[LIMIT_SSMIX2_PATH], text[16] = "";
    uint64_t n = 0;
    snprintf(path, sizeof(path), "%s/residents", dir);
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(text, 1, sizeof(text), file) : 0;
    if (file)
        fclose(file);
    return slice_u64(slice_of(text, len), &n) ? (unsigned)n : 0;
}

static enum err note_residents(const char *dir, unsigned count)
{
    char path[LIMIT_SSMIX2_PATH];
    snprintf(path, sizeof(path), "%s/residents", dir);
    FILE *file = fopen(path, "we");
    bool ok = file && fprintf(file, "%u", count) > 0;
    if (file)
        ok = fclose(file) == 0 && ok;
    return ok ? ERR_OK : ERR_IO;
}

static enum err load_population(struct exchange *x, struct bench_site *site)
{
    unsigned have = residents_in(site->dir);
    if (have >= site->residents) {
        site->residents = have;
        return ERR_OK;
    }
    site->loaded = site->residents - have;
    enum err err = population_load(x, have, site->residents, site->resources, &site->load);
    return err ? err : note_residents(site->dir, site->residents);
}

static const struct benchmark {
    const char *name;
    unsigned
        patients; /* residents of the region, with documents; 0: as many as it needs, without */
    unsigned residents; /* of which --residents makes more or less; 0: it has none */
    unsigned resources; /* of each, unless --resources says otherwise */
    bool registered;    /* they are residents of the region, not a population of its hospital */
    /* Fills the store before anybody is served; NULL: nothing to fill. */
    enum err (*load)(struct exchange *x, struct bench_site *site);
    enum err (*run)(const struct bench_site *site, struct bench_figure *ret_figure);
} benches[] = {
    {"read", 0, 2000, POPULATION_RESOURCES, false, load_population, bench_read},
    {"intake", 0, 0, 0, false, NULL, bench_intake},
    {"mapper", 0, 0, 0, false, NULL, bench_mapper},
    {"parser", 0, 200, 0, false, NULL, bench_parser},
    {"ssmix2-cold", 0, 1000, 0, true, bench_ssmix2_load_cold, bench_ssmix2},
    {"ssmix2", 0, 1000, 0, true, bench_ssmix2_load, bench_ssmix2},
    {"transaction", 0, 0, 0, false, NULL, bench_transaction},
    {"import", 0, 2000, POPULATION_RESOURCES, false, load_population, bench_import},
    {"search", 0, 2000, POPULATION_RESOURCES, false, load_population, bench_search},
    {"everything", 0, 2000, 2 * POPULATION_RESOURCES, false, load_population, bench_everything},
};

/* The parties, and PATIENTS residents with documents (0: none). */
static enum err fill(struct served *s, struct region *region, unsigned patients)
{
    struct region_tally tally;
    enum err err = region_register(server_exchange(s->server), region);
    return err ? err : region_load(server_exchange(s->server), region, patients == 0, &tally);
}

/* How many residents BENCH's region has: the five of the stories at least. */
static unsigned registered(const struct benchmark *bench, const struct bench_site *site)
{
    unsigned wanted = bench->registered ? site->residents : bench->patients;
    return wanted > DEMO_STORY_COUNT ? wanted : DEMO_STORY_COUNT;
}

/* BENCH's region, filled and served until bench_stop. */
static enum err bench_start(const struct benchmark *bench, struct bench_site *site,
                            struct arena *arena, struct served *s)
{
    const char *dir = site->dir;
    struct region_options options = {
        .dir = dir, .patients = registered(bench, site), .seed = BENCH_SEED};
    struct region *region = NULL;
    struct err_list errors;
    struct conf conf;
    char text[512] = "", path[LIMIT_SSMIX2_PATH];
    enum err err = ERR_OK;
    if (!region_exists(dir))
        err =
            region_make(&options, clock_system.now_ms(&clock_system), text, sizeof(text), &region);
    err_list_init(&errors, arena);
    snprintf(path, sizeof(path), "%s/tasuki.conf", dir);
    if (!err)
        err = conf_read(arena, path, &errors, &conf);
    if (!err) {
        conf.watch_count = 0;
        err = server_open(&conf, on_ready, s, text, sizeof(text), &s->server);
    }
    if (!err && region)
        err = fill(s, region, bench->patients);
    if (!err)
        snprintf(site->store, sizeof(site->store), "%s", server_exchange(s->server)->conf.store);
    if (!err && bench->load)
        err = bench->load(server_exchange(s->server), site);
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

/* ── figures ─────────────────────────────────────────────────────────────────────────────────── */

static void print_json(const struct bench_figure *f, double ratio)
{
    printf(
        "{\"name\":\"%s\",\"unit\":\"%s\",\"rate\":%.0f,\"floor\":%.0f,\"ratio\":%.3f,\"bar\":%.2f,"
        "\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"count\":%llu,\"cpu_us\":%.1f,\"loop_us\":%.1f,"
        "\"readers_us\":%.1f,\"writer_us\":%.1f,\"clients_us\":%.1f,"
        "\"rss_mib\":%.1f,\"bytes_each\":%.0f}\n",
        f->name, f->unit, f->rate, f->floor_rate, ratio, f->bar, f->p50_ms, f->p99_ms,
        (unsigned long long)f->count, f->cpu_us, f->loop_us, f->readers_us, f->writer_us,
        f->clients_us, f->rss_mib, f->bytes_each);
}

static void print_figure(const struct bench_figure *f, bool json)
{
    double ratio = f->floor_rate > 0 ? f->rate / f->floor_rate : 0;
    if (json) {
        print_json(f, ratio);
        return;
    }
    printf("%-12s %8.0f %-22s floor %8.0f  ratio %5.1f %%", f->name, f->rate, f->unit,
           f->floor_rate, ratio * 100);
    if (f->bar > 0)
        printf("  (bar %2.0f %%)", f->bar * 100);
    if (f->p99_ms > 0)
        printf("  p50 %6.2f ms  p99 %6.2f ms", f->p50_ms, f->p99_ms);
    printf("  cpu %7.1f us", f->cpu_us);
    if (f->writer_us > 0)
        printf(" (loop %.0f, readers %.0f, writer %.0f, clients %.0f)", f->loop_us, f->readers_us,
               f->writer_us, f->clients_us);
    printf("  rss %5.1f MiB", f->rss_mib);
    if (f->bytes_each > 0)
        printf("  %.0f bytes of the store for each", f->bytes_each);
    printf("\n");
    fflush(stdout);
}

/* ── one benchmark ───────────────────────────────────────────────────────────────────────────── */

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

static enum err run_in(const char *dir, const struct benchmark *bench,
                       const struct run_bench_options *options)
{
    struct served served = {0};
    struct bench_figure figure = {0};
    struct arena *arena = arena_new(LIMIT_MIB);
    struct bench_site site = {.dir = dir,
                              .connections = options->connections ? options->connections : 16,
                              .seconds = options->seconds ? options->seconds : 5,
                              .results = options->results ? options->results : 5,
                              .rate = options->rate};
    if (bench->residents) {
        site.residents = options->residents ? options->residents : bench->residents;
        site.resources = options->resources ? options->resources : bench->resources;
    }
    enum err err = arena ? bench_start(bench, &site, arena, &served) : ERR_LIMIT;
    if (err) {
        arena_free(arena);
        return err;
    }
    site.system_port = served.ports.system;
    site.mllps_port = served.ports.mllps;
    site.exchange = server_exchange(served.server);
    err = bench->run(&site, &figure);
    bench_stop(&served);
    arena_free(arena);
    if (err)
        fprintf(stderr, "bench %s: %s / %s\n", bench->name, err_en(err), err_ja(err));
    else
        print_figure(&figure, options->json);
    return err;
}

static enum err run_one(const struct benchmark *bench, const struct run_bench_options *options)
{
    char dir[256]; /* paths below it are made in buffers of 512 */
    if (options->dir)
        return run_in(options->dir, bench, options);
    enum err err = make_folder(dir, sizeof(dir));
    if (err)
        return err;
    err = run_in(dir, bench, options);
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
        if (run_one(&benches[i], options))
            return CLI_FAILED;
    }
    for (size_t i = 0; !found && i < sizeof(benches) / sizeof(*benches); i++)
        fprintf(stderr, "%s%s", i ? ", " : "bench: ", benches[i].name);
    if (!found)
        fprintf(stderr, "\n");
    return found ? CLI_OK : CLI_USAGE;
}
