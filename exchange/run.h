/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs that run a server: serve, demo, bench. The command line (exchange/cli) parses, these
 * do.
 */
#ifndef EXCHANGE_RUN_H
#define EXCHANGE_RUN_H

#include "exchange/cli/exit.h"
#include "exchange/demo/region.h"

/* Serves the installation of CONF_PATH until TERM. */
int run_serve(const char *conf_path);

/* Makes (or opens again) the sample region and serves it; prints the ready line on stdout.
 * options->dir NULL: a new temporary folder. EMPTY: parties only. */
int run_demo(const struct region_options *options, bool empty);

struct run_bench_options {
    const char *name;     /* one of run_bench.c's; NULL: all */
    const char *dir;      /* region to keep, and to use again; NULL: a new one, removed at the end */
    unsigned residents;   /* of the population; 0: 2,000 */
    unsigned resources;   /* of each resident; 0: 50, of everything 100 */
    unsigned connections; /* 0: 16 */
    unsigned seconds;     /* 0: 5 */
    unsigned results;     /* of a message of intake; 0: 5 */
    unsigned rate;        /* of intake: messages a second; 0: as many as are answered */
    bool json;
};
int run_bench(const struct run_bench_options *options);

#endif
