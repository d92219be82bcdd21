/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs that run a server: serve, demo, bench. They only read their options; exchange/run.c
 * does the work.
 */
#include <stdio.h>

#include "exchange/cli/cli.h"
#include "exchange/run.h"

#include "base/banned.h"

#define PORT_BASE 18000
#define PATIENTS 200

static int bad_number(const struct args *args, const char *option)
{
    char en[80], ja[80];
    snprintf(en, sizeof(en), "--%s: not a number in range", option);
    snprintf(ja, sizeof(ja), "--%s: 範囲内の数ではありません", option);
    return cli_usage(args, en, ja);
}

int cli_serve(const struct args *args)
{
    const char *config = args_value(args, "config"), *dir = args_value(args, "dir");
    char path[4096];
    if (!config && !dir)
        return cli_usage(args, "serve needs --config FILE or --dir DIR",
                         "serve には --config FILE か --dir DIR が必要です");
    snprintf(path, sizeof(path), "%s/tasuki.conf", dir ? dir : "");
    return run_serve(config ? config : path);
}

int cli_demo(const struct args *args)
{
    struct region_options options = {.dir = args_value(args, "dir")};
    uint64_t port = 0, patients = 0;
    if (!args_number(args, "port-base", 0, 65531, PORT_BASE, &port))
        return bad_number(args, "port-base");
    if (!args_number(args, "patients", 5, 1000000, PATIENTS, &patients))
        return bad_number(args, "patients");
    if (!args_number(args, "seed", 0, UINT64_MAX, 1, &options.seed))
        return bad_number(args, "seed");
    options.port_base = (int)port;
    options.patients = (unsigned)patients;
    return run_demo(&options, args_flag(args, "empty"));
}

int cli_bench(const struct args *args)
{
    struct run_bench_options options = {.name = args->operand_count ? args->operands[0] : NULL,
                                        .dir = args_value(args, "dir"),
                                        .json = args_flag(args, "json")};
    uint64_t seconds = 0, connections = 0, residents = 0, resources = 0, results = 0, rate = 0;
    if (!args_number(args, "seconds", 1, 3600, 5, &seconds))
        return bad_number(args, "seconds");
    if (!args_number(args, "connections", 1, 256, 16, &connections))
        return bad_number(args, "connections");
    if (!args_number(args, "residents", 1, 10000000, 2000, &residents))
        return bad_number(args, "residents");
    if (!args_number(args, "resources", 0, 10000, 0, &resources))
        return bad_number(args, "resources");
    if (!args_number(args, "results", 1, 500, 5, &results))
        return bad_number(args, "results");
    if (!args_number(args, "rate", 0, 1000000, 0, &rate))
        return bad_number(args, "rate");
    options.results = (unsigned)results;
    options.rate = (unsigned)rate;
    options.resources = (unsigned)resources;
    options.residents = (unsigned)residents;
    options.seconds = (unsigned)seconds;
    options.connections = (unsigned)connections;
    return run_bench(&options);
}
