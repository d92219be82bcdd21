/* SPDX-License-Identifier: Apache-2.0
 *
 * What the store itself needs of the audit chain, beside audit.h: signed heads and their copy
 * outside. Only storage/ includes this. A signed head (checkpoint) is made every
 * AUDIT_CHECKPOINT_ROWS rows inside the transaction of its row; its line in the outside file must
 * be written after COMMIT only, or the file could promise rows that were rolled back. Nothing is
 * remembered between the two but a flag: the lines are read back from audit_checkpoint, so a crash
 * in between is made good at the next commit.
 *
 *     line: seq SP at_ms SP hash(64 hex) SP mac(64 hex) LF, opened O_APPEND, then fdatasync
 *     mac:  HMAC-SHA-256(key, "tasuki-checkpoint-1" || seq || at_ms || hash), integers 64-bit
 *           big-endian
 */
#ifndef STORAGE_AUDIT_IMPL_H
#define STORAGE_AUDIT_IMPL_H

#include "base/buf.h"
#include "base/digest.h"
#include "storage/audit.h"

#define AUDIT_CHECKPOINT_ROWS 1000
/* Rows entered into audit_ref at a time, as number and as SQL text. */
#define AUDIT_REF_ROWS 500
#define AUDIT_REF_TEXT "500"
#define AUDIT_ROW_MAX (64u * 1024u * 1024u) /* bytes of a canonical row: our own, never reached */
#define AUDIT_LINE_MAX 256                  /* of the file: at most 20+20+64+64+4 */

/* Inside the writer's open transaction: signs the present head unless it is signed already or the
 * chain is empty. For an orderly close, so that the tail is covered. */
enum err audit_checkpoint_now(struct session *s) ERR_CHECKED;
/* Outside any transaction of S: copies committed checkpoints that the file lacks, if heads_due says so or nobody looked
 * at the file yet; else it is cheap. A failure undoes nothing; the lines are tried again at the next call. */
void audit_copy_heads(struct session *s);

/* The columns of a row in schema order, without the hash: the one list behind the canonical form,
 * the statements and the prover. INT never NULL; ID an integer, or NULL for none (0 here); TEXT. */
#define AUDIT_COLUMNS(INT, ID, TEXT)                                                               \
    INT(seq)                                                                                       \
    INT(at_ms)                                                                                     \
    TEXT(event)                                                                                    \
    INT(outcome)                                                                                   \
    TEXT(door)                                                                                     \
    TEXT(actor)                                                                                    \
    ID(facility)                                                                                   \
    TEXT(user)                                                                                     \
    TEXT(role)                                                                                     \
    TEXT(purpose)                                                                                  \
    ID(person)                                                                                     \
    TEXT(entity)                                                                                   \
    TEXT(query)                                                                                    \
    INT(count)                                                                                     \
    TEXT(reason)                                                                                   \
    TEXT(request)                                                                                  \
    TEXT(peer)

/* A row as it is hashed; texts are borrowed slices so that a row read needs no copies. */
struct audit_canon {
#define INT(name) int64_t name;
#define ID(name)                                                                                   \
    int64_t name;                                                                                  \
    bool name##_null;
#define TEXT(name) struct slice name;
    AUDIT_COLUMNS(INT, ID, TEXT)
#undef INT
#undef ID
#undef TEXT
};
/* Replaces the content of OUT: "tasuki-audit-1", every column (tag, length, bytes), PREVIOUS. */
void audit_canon_print(struct buf *out, const struct audit_canon *row,
                       const unsigned char previous[DIGEST_LEN]);

struct audit_checkpoint {
    int64_t seq;
    int64_t at_ms;
    unsigned char hash[DIGEST_LEN];
    unsigned char mac[DIGEST_LEN];
};
/* The signature that belongs to seq, at_ms and hash. */
void audit_checkpoint_sign(const unsigned char key[32], const struct audit_checkpoint *head,
                           unsigned char ret_mac[DIGEST_LEN]);
/* The line of the file, with its line end; and back, without. False when LINE is not one. */
void audit_checkpoint_print(struct buf *out, const struct audit_checkpoint *head);
bool audit_checkpoint_parse(struct slice line, struct audit_checkpoint *ret_head);

#endif
