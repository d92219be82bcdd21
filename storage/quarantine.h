/* SPDX-License-Identifier: Apache-2.0
 *
 * Dead letters: what the doors refused, with its reason, until somebody files it again. Nothing is
 * ever deleted here: a message that was filed in the end keeps its row and every attempt.
 */
#ifndef STORAGE_QUARANTINE_H
#define STORAGE_QUARANTINE_H

#include "base/arena.h"
#include "base/digest.h"
#include "storage/session.h"

struct quarantine_row {
    int64_t id;
    int64_t facility;
    struct slice door, name, place, en, ja;
    enum err outcome;
    int64_t at_ms;
    int64_t settled_ms; /* 0: it waits */
    int64_t replays;    /* attempts so far */
    unsigned char sha[DIGEST_LEN];
};

/* Keeps a refusal (once per content; one that was settled waits again). The original must have been
 * put. Writer session. */
enum err quarantine_put(struct session *s, const struct quarantine_row *row) ERR_CHECKED;

struct quarantine_filter {
    int64_t facility;  /* 0: of all */
    int64_t id;        /* 0: any */
    enum err outcome;  /* ERR_OK: any */
    bool settled;      /* those filed in the end, too */
};
/* The rows, newest first. */
enum err quarantine_list(struct session *s, struct arena *arena,
                         const struct quarantine_filter *filter, struct quarantine_row **ret_rows,
                         size_t *ret_count) ERR_CHECKED;

/* One attempt to file a refused message again. */
struct quarantine_replay {
    int64_t at_ms; /* 0: now */
    enum err outcome;
    struct slice place, en, ja;
    unsigned char sha[DIGEST_LEN]; /* of the bytes tried */
};
/* Notes an attempt on the row ID of FACILITY: accepted, the row is settled; refused with the bytes
 * it came in, its reason is the new one. ERR_NOT_FOUND. Writer session. */
enum err quarantine_replayed(struct session *s, int64_t facility, int64_t id,
                             const struct quarantine_replay *replay) ERR_CHECKED;
/* The attempts on a row, oldest first. */
enum err quarantine_replays(struct session *s, struct arena *arena, int64_t id,
                            struct quarantine_replay **ret_rows, size_t *ret_count) ERR_CHECKED;

#endif
