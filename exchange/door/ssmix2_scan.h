/* SPDX-License-Identifier: Apache-2.0
 *
 * Walking a standard-storage root: which files are new since the last walk and have come to rest.
 * Blocking; runs on a worker thread. Shared by the watched folder and `tasuki import ssmix2`.
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
    bool more; /* the walk stopped at its limit; walk again at once */
};

/* A scan of ROOT (copied) that has seen nothing yet; NULL when memory is out. */
struct ssmix2_scan *ssmix2_scan_new(const char *root);
void ssmix2_scan_free(struct ssmix2_scan *scan);
/* Walks and reads at most LIMIT files that are new or changed and whose last change is at least
 * REST_MS old. */
enum err ssmix2_scan_walk(struct ssmix2_scan *scan, unsigned limit, unsigned rest_ms,
                          struct ssmix2_batch *ret_batch) ERR_CHECKED;
void ssmix2_batch_fini(struct ssmix2_batch *batch);
/* Forgets a file, so that the next walk brings it again (it could not be taken now). */
void ssmix2_scan_forget(struct ssmix2_scan *scan, const char *path);

#endif
