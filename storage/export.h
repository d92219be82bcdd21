/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs of bulk export and what their files list (docs/decisions/0014). No content is kept: a file is pairs of row and
 * version, read through the gate when it is fetched. The store keeps how far each file is good, so that a job goes on
 * after a crash.
 */
#ifndef STORAGE_EXPORT_H
#define STORAGE_EXPORT_H

#include "base/arena.h"
#include "base/digest.h"
#include "storage/session.h"

enum export_level { EXPORT_SYSTEM, EXPORT_PATIENT, EXPORT_GROUP };
enum export_state { EXPORT_RUNNING, EXPORT_DONE, EXPORT_FAILED };

struct export_job {
    struct slice id;
    int64_t facility;
    struct slice facility_key; /* read only */
    unsigned char fingerprint[DIGEST_LEN];
    struct slice purpose;
    enum export_level level;
    struct slice group_id;
    struct slice request; /* URL of the kick-off */
    struct slice query;   /* its parameters, URL-encoded */
    int64_t snapshot_ms;
    enum export_state state;
    int64_t position;
    struct slice reason;
    int64_t created_ms;
    int64_t expires_ms; /* 0: not yet known */
};

struct export_file {
    unsigned number;
    struct slice type;
    bool deleted;
    uint64_t lines;
};

/* ERR_NOT_FOUND. Texts in ARENA. */
enum err export_get(struct session *s, struct arena *arena, struct slice id,
                    struct export_job *ret_job) ERR_CHECKED;
/* All jobs, oldest first (at most LIMIT_EXPORT_JOBS). */
enum err export_list(struct session *s, struct arena *arena, struct export_job **ret_jobs,
                     size_t *ret_count) ERR_CHECKED;
/* Files of a job by number. */
enum err export_files(struct session *s, struct arena *arena, struct slice id,
                      struct export_file **ret_files, size_t *ret_count) ERR_CHECKED;

/* Writer session, as all below. */
enum err export_add(struct session *s, const struct export_job *job) ERR_CHECKED;
/* Where the job stands now: state, position, reason, expires_ms. ERR_NOT_FOUND when it was cancelled. */
enum err export_step(struct session *s, const struct export_job *job) ERR_CHECKED;
/* Inserts or replaces a file of JOB by number. */
enum err export_put_file(struct session *s, struct slice job, const struct export_file *file) ERR_CHECKED;
/* Forgets job and files; the bytes on disk are the caller's. */
enum err export_drop(struct session *s, struct slice id) ERR_CHECKED;

#endif
