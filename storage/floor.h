/* SPDX-License-Identifier: Apache-2.0
 *
 * The floor of the intake benchmark: the rows a run left in a store, written again into a fresh
 * file of the same schema and settings by a bare loop of prepared inserts, GROUP messages a commit.
 * What the exchange adds on top (network, parsing, mapping, gate, audit chain) is the distance to
 * this. Not for the server's own use.
 */
#ifndef STORAGE_FLOOR_H
#define STORAGE_FLOOR_H

#include "base/err.h"
#include "base/slice.h"

struct floor_result {
    uint64_t rows;
    uint64_t commits;
    double seconds;
};

/* Reads the rows of FROM into memory, then times writing them to the new file TO in COMMITS equal
 * groups. */
enum err floor_intake(const char *from, const char *to, uint64_t commits,
                      struct floor_result *ret_result) ERR_CHECKED;

/* Bytes of the pages in use in the database at STORE, its log included. */
enum err floor_store_bytes(const char *store, double *ret_bytes) ERR_CHECKED;

/* Reading: all rows of one chart by one prepared statement, each body touched and nothing unpacked,
 * nobody asked who he is. One thread at a time. */
struct floor_reader;
enum err floor_reader_open(const char *store, struct floor_reader **ret_reader) ERR_CHECKED;
/* Of the Nth chart in a fixed disorder. Returns the number of rows. */
unsigned floor_reader_chart(struct floor_reader *reader, uint64_t n);
void floor_reader_close(struct floor_reader *reader);

#endif
