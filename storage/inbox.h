/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of intake: messages already answered, files already dealt with, and which fields were kept
 * without being mapped. What was refused: quarantine.h.
 */
#ifndef STORAGE_INBOX_H
#define STORAGE_INBOX_H

#include "base/arena.h"
#include "base/digest.h"
#include "storage/session.h"

struct inbox_key {
    int64_t facility;
    struct slice sender, control_id, kind;
};
enum inbox_seen { INBOX_NEW, INBOX_SAME, INBOX_REUSED };

/* Was this message answered before? INBOX_SAME fills the answer given then (same content);
 * INBOX_REUSED: the control id came with other content. */
enum err inbox_find(struct session *s, struct arena *arena, const struct inbox_key *key,
                    const unsigned char sha[DIGEST_LEN], enum inbox_seen *ret_seen,
                    enum err *ret_outcome, struct slice *ret_answer) ERR_CHECKED;
enum err inbox_put(struct session *s, const struct inbox_key *key,
                   const unsigned char sha[DIGEST_LEN], enum err outcome,
                   struct slice answer) ERR_CHECKED;

struct inbox_file {
    int64_t facility;
    struct slice path; /* relative to the watched root */
    int64_t size;
    int64_t mtime_ns;
};
/* True in *ret_seen when exactly this path, size and mtime was dealt with. */
enum err inbox_file_seen(struct session *s, const struct inbox_file *file, bool *ret_seen) ERR_CHECKED;
enum err inbox_file_put(struct session *s, const struct inbox_file *file,
                        const unsigned char sha[DIGEST_LEN], enum err outcome) ERR_CHECKED;

/* What became of the file whose path begins with PREFIX, if one was refused; else ERR_OK in *ret_outcome. */
enum err inbox_file_outcome(struct session *s, int64_t facility, struct slice prefix,
                            enum err *ret_outcome) ERR_CHECKED;

/* What was filed at PATH is refused after all. Writer session. */
enum err inbox_file_refuse(struct session *s, int64_t facility, struct slice path,
                           enum err outcome) ERR_CHECKED;

/* Files below PREFIX (relative to the root, with its last '/') that were filed, and what they held. */
struct inbox_filed {
    struct slice path;
    unsigned char sha[DIGEST_LEN];
};
enum err inbox_filed_list(struct session *s, struct arena *arena, int64_t facility,
                          struct slice prefix, struct inbox_filed **ret_rows,
                          size_t *ret_count) ERR_CHECKED;

/* Adds SEEN to the count of a field that was kept only in the original. Writer session. */
enum err unmapped_add(struct session *s, int64_t facility, struct slice message, struct slice field,
                      unsigned seen) ERR_CHECKED;
struct unmapped_row {
    struct slice message, field;
    int64_t seen;
};
enum err unmapped_list(struct session *s, struct arena *arena, int64_t facility,
                       struct unmapped_row **ret_rows, size_t *ret_count) ERR_CHECKED;

#endif
