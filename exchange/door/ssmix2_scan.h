/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding files of a storage that are new or changed and have come to rest. A walk goes through the
 * whole tree once, in pieces, and goes on where it stopped; between walks inotify says which
 * folders changed, where the file system tells (docs/decisions/0016). One patient's files come in
 * the order they were sent. Blocking; runs on a worker thread. Shared by the watched folder and
 * `tasuki import ssmix2`.
 */
#ifndef EXCHANGE_DOOR_SSMIX2_SCAN_H
#define EXCHANGE_DOOR_SSMIX2_SCAN_H

#include "base/err.h"
#include "base/slice.h"

struct ssmix2_scan; /* what earlier walks saw */

struct ssmix2_file {
    char *path; /* relative to the root */
    int64_t size;
    int64_t mtime_ns;
    char *bytes; /* content; NULL when it could not be read or is too large (err) */
    enum err err;
};

struct ssmix2_batch {
    struct ssmix2_file *files;
    size_t count;
    bool more;    /* there is more to look at; walk again at once */
    bool waiting; /* some files are not at rest yet */
};

/* A scan of ROOT (copied) that has seen nothing yet; NULL when memory is out. */
struct ssmix2_scan *ssmix2_scan_new(const char *root);
void ssmix2_scan_free(struct ssmix2_scan *scan);
/* Listens for changes from now on. False: nobody will tell (a network file system, no more
 * watches); then only walks find them. */
bool ssmix2_scan_listen(struct ssmix2_scan *scan);
/* Does it still hear of every change? A walk may have met the limit of watches. */
bool ssmix2_scan_hears(const struct ssmix2_scan *scan);
/* Begins a walk of the whole tree, unless one is under way. */
void ssmix2_scan_again(struct ssmix2_scan *scan);
/* Goes on: looks at folders still to be looked at and at those that changed, and reads at most
 * LIMIT files that are new or changed and whose last change is at least REST_MS old. The first call
 * walks the whole tree. */
enum err ssmix2_scan_walk(struct ssmix2_scan *scan, unsigned limit, unsigned rest_ms,
                          struct ssmix2_batch *ret_batch) ERR_CHECKED;
void ssmix2_batch_fini(struct ssmix2_batch *batch);
/* Forgets a file, so that the next look at its folder brings it again (it could not be taken now).
 */
void ssmix2_scan_forget(struct ssmix2_scan *scan, const char *path);

#endif
