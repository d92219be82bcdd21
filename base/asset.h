/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of the tree that are linked into the program (schema, style sheets, sample configuration),
 * made by cmake/embed.cmake, so that the one binary needs no files beside it.
 */
#ifndef BASE_ASSET_H
#define BASE_ASSET_H

#include <stddef.h>

struct asset {
    const char *path;           /* path in the tree, e.g. "storage/schema/0001_first_light.sql" */
    const unsigned char *bytes; /* followed by one NUL that is not counted */
    size_t len;
};

/* Tables end with a NULL path and are sorted by path. */
extern const struct asset mappers_assets[];
extern const struct asset storage_assets[];
extern const struct asset storage_dicts[];
extern const struct asset exchange_assets[];

/* The asset with this path in TABLE, or NULL. */
const struct asset *asset_find(const struct asset *table, const char *path);

#endif
