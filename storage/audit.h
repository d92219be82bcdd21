/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit chain: one row per event and person, appended in the transaction of what it records
 * (or, for a read, durable before the first byte of the answer). hash = SHA-256("tasuki-audit-1" ||
 * canonical row || previous hash), the canonical row being every column length-prefixed in schema
 * order. Signed heads (HMAC under the store's key) go to audit_checkpoint and to a file outside the
 * store, so that cutting off the tail shows too. exchange/use/audit_event.c shows rows as IHE BALP
 * AuditEvents.
 */
#ifndef STORAGE_AUDIT_H
#define STORAGE_AUDIT_H

#include "base/arena.h"
#include "storage/session.h"

/* Texts are borrowed; NULL counts as empty. Ids only, never names or values. */
struct audit_row {
    int64_t seq;   /* filled by audit_append / on reading */
    int64_t at_ms; /* 0 on append: now */
    const char *event;
    enum err outcome;
    const char *door;
    const char *actor;
    int64_t facility; /* 0 = none */
    const char *user;
    const char *role;
    const char *purpose;
    int64_t person; /* 0 = about nobody */
    const char *entity;
    const char *query;
    int64_t count;
    const char *reason;
    const char *request;
    const char *peer;
};

/* Appends and chains. Writer session. */
enum err audit_append(struct session *s, const struct audit_row *row) ERR_CHECKED;

struct audit_filter {
    int64_t person;         /* 0 = any */
    int64_t facility;       /* 0 = any */
    int64_t from_ms, to_ms; /* 0 = open */
    int64_t before_seq;     /* 0 = newest */
    int64_t after_seq;      /* with oldest_first: only later ones */
    bool oldest_first;
    /* What a row has to pass besides, or NULL. Texts are borrowed for the call. Every row of the
     * rest is then read, so the statement's deadline counts. */
    bool (*keep)(void *context, const struct audit_row *row);
    void *context;
    unsigned limit;
};
/* Newest first, unless told otherwise; the total is of all pages. The caller must be entitled (the
 * resident himself, or an operator): checked against the bound grant, ERR_FORBIDDEN otherwise. */
enum err audit_list(struct session *s, struct arena *arena, const struct audit_filter *filter,
                    struct audit_row **ret_rows, size_t *ret_count,
                    uint64_t *ret_total) ERR_CHECKED;
/* One row by seq, under the same rule; ERR_NOT_FOUND. */
enum err audit_get(struct session *s, struct arena *arena, int64_t seq,
                   struct audit_row *ret_row) ERR_CHECKED;

/* Whom FACILITY touched: one entry per resident with the number of rows, of those among them that
 * were refused, and the first and last time; the last touched first. Rows about a person who was
 * found to be another count as the other's. filter: facility (needed), from_ms, to_ms. Operator
 * only. */
struct audit_touched {
    int64_t person;
    int64_t rows, refused;
    int64_t first_ms, last_ms;
};
enum err audit_touched(struct session *s, struct arena *arena, const struct audit_filter *filter,
                       struct audit_touched **ret_list, size_t *ret_count) ERR_CHECKED;

/* Hands every row of the chain, oldest first and as of this session's snapshot, to SINK: one JSON
 * object with every column, the hash in hex and a line end. A text that is not UTF-8 is an object
 * {"base64": ...}. LINE is borrowed; SINK's error ends it. Operator only. */
enum err audit_export(struct session *s, enum err (*sink)(void *context, struct slice line),
                      void *context, int64_t *ret_rows) ERR_CHECKED;

/* Proves the chain in the file at DB_PATH and against the checkpoints in it and in CHECKPOINT_PATH
 * (may be NULL). Opens the file itself, read-only; works beside a running server. */
struct audit_verdict {
    bool ok;
    int64_t rows;
    int64_t checkpoints;
    int64_t bad_seq; /* first row that does not fit, when !ok */
    char text[200];  /* what is wrong there */
};
enum err audit_verify(const char *db_path, const char *checkpoint_path, const unsigned char key[32],
                      struct audit_verdict *ret_verdict) ERR_CHECKED;

#endif
