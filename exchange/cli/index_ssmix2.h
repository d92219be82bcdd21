/* SPDX-License-Identifier: Apache-2.0
 *
 * The index of a storage (SSMIXIDX) made anew from its tree, for the command of that name and for
 * exports, which leave none that does not fit behind.
 */
#ifndef EXCHANGE_CLI_INDEX_SSMIX2_H
#define EXCHANGE_CLI_INDEX_SSMIX2_H

#include "base/err.h"
#include "base/slice.h"

/* Writes ROOT/SSMIXIDX.tsv, of the facility with that code, under the usual volume label. ERR_IO,
 * ERR_LIMIT. */
enum err index_ssmix2_write(const char *root, struct slice code) ERR_CHECKED;
/* Is the index there, and not older than ROOT/NAME? */
bool index_ssmix2_is_newer(const char *root, const char *name);

#endif
