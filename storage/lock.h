/* SPDX-License-Identifier: Apache-2.0
 *
 * Who runs on a store and who has it open, told by a file "<store>.lock" beside it. The one server
 * of a store holds it with flock(2) for its life, and so does whoever replaces the store. Apart from
 * that everybody who has the store open, commands beside a server too, shares a lock on the file's
 * first byte; replacing needs that one alone, since a connection that outlived the swap would leave
 * its log beside the new store. The kernel lets go when a process ends, however it ends, so the file
 * stays where it is and means nothing by itself; removing it would let two holders in.
 */
#ifndef STORAGE_LOCK_H
#define STORAGE_LOCK_H

#include <limits.h>

#include "base/err.h"

/* The one name of the store at PATH: links in it followed, whether the file is there or not.
 * ERR_IO when its folder is not there. */
enum err lock_resolve(const char *path, char ret_path[PATH_MAX]) ERR_CHECKED;
/* Serves or replaces the store at PATH, alone. ERR_UNAVAILABLE: somebody else does. */
enum err lock_take(const char *path, int *ret_lock) ERR_CHECKED;
/* Has the store at PATH open, beside others. ERR_UNAVAILABLE: it is being replaced. */
enum err lock_share(const char *path, int *ret_lock) ERR_CHECKED;
/* With a lock taken: nobody may have the store open until lock_admit or lock_release.
 * ERR_UNAVAILABLE: somebody has. */
enum err lock_exclude(int lock) ERR_CHECKED;
void lock_admit(int lock);
/* Lets go of either; -1 is fine. */
void lock_release(int lock);

#endif
