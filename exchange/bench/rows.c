/* SPDX-License-Identifier: Apache-2.0
 *
 * The floor of every benchmark that writes: the rows its run left in the store, written again by
 * bare inserts in as many commits (storage/floor.h). Of a huge store it would need all of it in
 * memory: the caller's affair.
 */
#include <stdio.h>

#include "exchange/bench/bench.h"
#include "exchange/exchange.h"
#include "storage/floor.h"

#include "base/banned.h"

uint64_t bench_commits(const struct bench_site *site)
{
    struct store_figures figures;
    store_figures(site->exchange->store, &figures);
    return figures.commits;
}

enum err bench_store_bytes(const struct bench_site *site, double *ret_bytes)
{
    return floor_store_bytes(site->store, ret_bytes);
}

enum err bench_rows_floor(const struct bench_site *site, double count, uint64_t commits,
                          double *ret_rate)
{
    char path[512];
    struct floor_result floor = {0};
    snprintf(path, sizeof(path), "%s/floor.db", site->dir);
    enum err err = floor_intake(site->store, path, commits, &floor);
    if (!err && floor.seconds > 0)
        *ret_rate = count / floor.seconds;
    return err;
}
