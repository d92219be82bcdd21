/* SPDX-License-Identifier: Apache-2.0
 *
 * A table on stdout: aligned columns for people, an array of objects for programs.
 */
#ifndef EXCHANGE_CLI_TABLE_H
#define EXCHANGE_CLI_TABLE_H

#include "base/arena.h"

#define TABLE_COLUMNS_MAX 12

struct table_row;
struct table {
    struct arena *arena;
    const char *const *columns; /* ends with NULL */
    unsigned count;
    struct table_row *first, *last;
};

/* An empty table with COLUMNS, whose rows live in ARENA. */
void table_init(struct table *t, struct arena *arena, const char *const *columns);
/* Starts a row; its cells are empty until table_cell. */
void table_row(struct table *t);
/* Next cell of the last row (copied). */
void table_cell(struct table *t, struct slice text);
void table_cellf(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The instant MS as FHIR writes it; empty for 0, which is never. */
void table_instant(struct table *t, int64_t ms);
/* Prints TEXT to stdout so that it cannot command a terminal: control characters appear as their
 * pictures (U+2400). */
void table_put(struct slice text);
/* Prints to stdout. ERR_LIMIT when memory ran out before. */
enum err table_print(const struct table *t, bool json) ERR_CHECKED;

#endif
