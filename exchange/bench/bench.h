/* SPDX-License-Identifier: Apache-2.0
 *
 * The project's own benchmarks, each beside its floor in the same run on the same machine, because
 * absolute figures move by a third from hour to hour and ratios hold. Never a pass/fail test
 * (docs/benchmarks.md).
 */
#ifndef EXCHANGE_BENCH_BENCH_H
#define EXCHANGE_BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "exchange/bench/population.h"

struct exchange;

#define BENCH_SEED 1u /* of invented residents */

/* Processor time of this process and of its threads by name, in seconds; those that have ended are
 * in `all` alone. */
struct bench_cpu {
    double all, loop, readers, writer;
};

/* What filling the store took. */
struct bench_cost {
    double seconds;
    struct bench_cpu cpu;
    uint64_t commits;
    double rss_mib; /* at its end */
};

/* What a benchmark needs to know of the running region. */
struct bench_site {
    const char *dir; /* of the region: pki/, data/ */
    unsigned short system_port;
    unsigned short mllps_port;
    char store[512];           /* database file */
    struct exchange *exchange; /* the one under load, for its commit count */
    unsigned connections;
    unsigned seconds;
    unsigned results;   /* of each message of intake */
    unsigned rate;      /* of intake: messages a second, whether answered or not; 0: closed loop */
    unsigned residents; /* of the population there; 0: none */
    unsigned resources; /* of each */
    unsigned loaded;    /* of those residents, or files of ssmix2, by this run */
    struct bench_cost load; /* of that */
    double grown;           /* bytes of the store, by that */
    bool cold;              /* the page cache did not hold the files */
};

struct bench_figure {
    double cpu_us; /* of this process, clients included, for each; 0: not measured */
    double loop_us, readers_us, writer_us, clients_us; /* of that, by thread */
    double rss_mib;                                    /* while it ran */
    const char *name;
    char unit[32];     /* of rate */
    double rate;       /* per second */
    double floor_rate; /* 0: no floor */
    double p50_ms, p99_ms;
    uint64_t count;
    double bar;        /* ratio wanted; 0: none */
    double bytes_each; /* of the store's file, for each resource; 0: not measured */
};

/* GET Observation/[id] of the population over mutual TLS keep-alive; floor: the same network code
 * answering fixed bytes of the same size. */
enum err bench_read(const struct bench_site *site, struct bench_figure *ret_figure) ERR_CHECKED;
/* MLLP over mutual TLS, one ORU^R01 of site->results results each, acknowledged after the commit;
 * floor: storage/floor.h. The store should be empty before. */
enum err bench_intake(const struct bench_site *site, struct bench_figure *ret_figure) ERR_CHECKED;
/* hl7_lex on one thread over the ISO-2022-JP messages of site->residents invented residents; floor:
 * decoding their characters alone. */
enum err bench_parser(const struct bench_site *site, struct bench_figure *ret_figure) ERR_CHECKED;
/* Everything that is done with a message of intake before the store has it, on one thread; floor:
 * lexing it. */
enum err bench_mapper(const struct bench_site *site, struct bench_figure *ret_figure) ERR_CHECKED;
/* Import of a standard storage of those messages of one hospital; floor: reading the files and
 * writing the rows. Cold: none of the tree is in the page cache. */
enum err bench_ssmix2_load(struct exchange *x, struct bench_site *site) ERR_CHECKED;
enum err bench_ssmix2_load_cold(struct exchange *x, struct bench_site *site) ERR_CHECKED;
enum err bench_ssmix2(const struct bench_site *site, struct bench_figure *ret_figure) ERR_CHECKED;

/* On a population (population.h). Search by patient, code and date; $everything of a resident;
 * transactions of a Patient and an Observation (floor: the run's rows by bare inserts); the load
 * itself (floor: likewise). */
enum err bench_search(const struct bench_site *site, struct bench_figure *ret_figure) ERR_CHECKED;
enum err bench_everything(const struct bench_site *site,
                          struct bench_figure *ret_figure) ERR_CHECKED;
enum err bench_transaction(const struct bench_site *site,
                           struct bench_figure *ret_figure) ERR_CHECKED;
enum err bench_import(const struct bench_site *site, struct bench_figure *ret_figure) ERR_CHECKED;

/* Shared: a run of CONNECTIONS closed loops for SECONDS, STEP answering one exchange each; fills
 * rate, count and percentiles. */
struct client;
struct client_trust;
struct bench_load {
    const struct client_trust *trust;
    unsigned short port;
    unsigned connections;
    unsigned seconds;
    /* All connections together begin so many exchanges a second, each at its appointed time or,
     * when the connection still waits for an answer, right after it; latency counts from the
     * appointed time. 0: a closed loop. */
    unsigned rate;
    enum err (*step)(struct client *client, unsigned connection, uint64_t n, void *context);
    void *context;
};
enum err bench_load_run(const struct bench_load *load, struct bench_figure *figure) ERR_CHECKED;
/* As the population's facility: its certificate; the first entry's id of a searchset; resident N's Patient id; the
 * number of sample I among the residents. */
enum err bench_trust(const struct bench_site *site, struct client_trust **ret_trust) ERR_CHECKED;
enum err bench_first_id(struct client *client, const char *target, char *ret_id,
                        size_t size) ERR_CHECKED;
enum err bench_patient(struct client *client, unsigned n, char *ret_id, size_t size) ERR_CHECKED;
unsigned bench_resident(const struct bench_site *site, unsigned i);
/* Commits of the store under load, so far. */
uint64_t bench_commits(const struct bench_site *site);
/* How many of COUNT could be written a second if only the rows in the store had to be, in COMMITS
 * commits (rows.c). */
enum err bench_rows_floor(const struct bench_site *site, double count, uint64_t commits,
                          double *ret_rate) ERR_CHECKED;
/* Bytes of the pages in use in the store under load. */
enum err bench_store_bytes(const struct bench_site *site, double *ret_bytes) ERR_CHECKED;
void bench_cpu_now(struct bench_cpu *ret_cpu);
/* Of COUNT exchanges since BEFORE. */
void bench_cpu_each(const struct bench_cpu *before, uint64_t count, struct bench_figure *figure);
/* Around what fills X's store: begin, then end on the same cost. */
void bench_cost_begin(struct exchange *x, struct bench_cost *ret_cost);
void bench_cost_end(struct exchange *x, struct bench_cost *cost);
/* Rate, processor time and memory of COUNT things that COST filled. */
void bench_cost_each(const struct bench_cost *cost, uint64_t count, struct bench_figure *figure);
/* Of a clock, e.g. CLOCK_PROCESS_CPUTIME_ID: this process' processor time. */
double bench_seconds(clockid_t clock);
/* Resident memory of this process, in MiB. */
double bench_rss_mib(void);

#endif
