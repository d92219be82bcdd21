/* SPDX-License-Identifier: Apache-2.0
 *
 * Who runs on a store: a file "<store>.lock" beside it, held with flock(2) by the one server of the
 * store for its life, and by whoever replaces the store. Administrative commands do not take it:
 * they work beside a server. The kernel lets go when a process ends, however it ends, so the file
 * stays where it is and means nothing by itself; removing it would let two holders in.
 */
#ifndef STORAGE_LOCK_H
#define STORAGE_LOCK_H

#include <limits.h>

#include "base/err.h"

/* The one name of the store at PATH: links in it followed, whether the file is there or not.
 * ERR_IO when its folder is not there. */
enum err lock_resolve(const char *path, char ret_path[PATH_MAX]) ERR_CHECKED;
/* Takes the lock of the store at PATH. ERR_UNAVAILABLE: somebody has it. */
enum err lock_take(const char *path, int *ret_lock) ERR_CHECKED;
/* Lets go; -1 is fine. */
void lock_release(int lock);

#endif
