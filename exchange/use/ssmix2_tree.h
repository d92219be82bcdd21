/* SPDX-License-Identifier: Apache-2.0
 *
 * A standard-storage tree being written: brings one patient's files to what they should be, by the
 * rules of INS and DEL (guide section 1.3). The tree itself says what was written before, so that
 * nothing can fall apart from it; the only state beside it is the number of the last change.
 * A crash at any point leaves either the old file or the new one valid, and running again completes
 * it. Blocking; knows nothing of the store.
 */
#ifndef EXCHANGE_USE_SSMIX2_TREE_H
#define EXCHANGE_USE_SSMIX2_TREE_H

#include "base/err.h"
#include "base/slice.h"

#define SSMIX2_TREE_STATE ".tasuki-export"

struct ssmix2_tree_file {
    struct slice path; /* relative to the root, with its flag: 1, or 0 for a cancellation */
    struct slice bytes;
};

struct ssmix2_tree_counts {
    unsigned written, same, replaced, deleted;
    int os_error; /* errno of what ended it with ERR_IO */
};

/* Makes the files of patient LOCAL_NO below ROOT what FILES say: new and changed ones are written
 * (a former one becomes history, flag 2), those of keys that are not among them are invalidated
 * (flag 0) with a cancelling message of time NOW_MS. Durable once noted. ERR_IO, ERR_LIMIT,
 * ERR_INVALID (a path that is none). */
enum err ssmix2_tree_sync(const char *root, struct slice local_no,
                          const struct ssmix2_tree_file *files, size_t count, int64_t now_ms,
                          struct ssmix2_tree_counts *counts) ERR_CHECKED;

/* The state of an export in ROOT: what it is of (WHAT, one line), and up to which change. Opening
 * makes ROOT when it is absent, and keeps others out of it until *RET_LOCK is closed. ERR_CONFLICT
 * when ROOT holds something else: another export, or files that none made; ERR_BUSY when another
 * program is writing it; ERR_IO (errno says why). */
enum err ssmix2_tree_open(const char *root, const char *what, int64_t *ret_after,
                          int *ret_lock) ERR_CHECKED;
enum err ssmix2_tree_note(const char *root, const char *what, int64_t after) ERR_CHECKED;

#endif
