/* SPDX-License-Identifier: Apache-2.0
 *
 * One step of a bulk export: a stretch of the log of changes is looked through under the caller's grant, what belongs to
 * the export goes into the lists of its types (files of row and version), and how far it came is stored. Reading is done
 * on a reader's thread, also the writing of the lists; the writer only notes the lengths.
 */
#ifndef EXCHANGE_PUSH_EXPORT_STEP_H
#define EXCHANGE_PUSH_EXPORT_STEP_H

#include "exchange/request.h"
#include "storage/export.h"

/* r->input of export_step_use. */
struct export_step {
    struct slice id;
    /* ── found ── */
    struct export_job job; /* as it stands afterwards */
    struct export_lists *lists;
};
extern const struct use export_step_use;

/* r->input of export_jobs_use: no caller, no audit row. */
struct export_jobs {
    struct export_job *jobs;
    size_t count;
};
extern const struct use export_jobs_use;

/* r->input of export_end_use: forgets the job (time is over, or it cannot go on: REASON). By the facility itself. */
struct export_end {
    struct slice id;
    const char *reason; /* NULL: remove it; else it failed, and says why until its time is over */
};
extern const struct use export_end_use;

/* Path of a job's folder, and of one of its files; in ARENA. */
const char *export_step_folder(struct arena *arena, const struct exchange *x, struct slice id);
const char *export_step_file(struct arena *arena, const struct exchange *x, struct slice id,
                             unsigned number);
/* Removes the files of a job; nothing is an error. Any thread. */
void export_step_remove(struct arena *arena, const struct exchange *x, struct slice id);

/* One line of a list. */
struct export_line {
    int64_t rid;
    int64_t version;
};
#define EXPORT_LINE_BYTES 16
/* At most MAX lines from line FROM of the list at PATH. */
enum err export_step_read(struct arena *arena, const char *path, uint64_t from, size_t max,
                          struct export_line **ret_lines, size_t *ret_count) ERR_CHECKED;

#endif
