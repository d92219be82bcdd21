/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading what a command is given: one file, or every file of a folder.
 */
#ifndef EXCHANGE_CLI_FILES_H
#define EXCHANGE_CLI_FILES_H

#include "base/buf.h"

/* Appends the content of PATH. ERR_NOT_FOUND, ERR_IO, ERR_TOO_LARGE (the buffer's maximum). */
enum err files_read(const char *path, struct buf *out) ERR_CHECKED;
/* Calls FN with every regular file under PATH (or PATH itself), in order of name; hidden ones are
 * left out. Stops at FN's first error. ERR_NOT_FOUND when there is no PATH. */
enum err files_walk(const char *path, enum err (*fn)(void *context, const char *path),
                    void *context) ERR_CHECKED;

#endif
