/* SPDX-License-Identifier: Apache-2.0
 *
 * Internal to storage/: what a session is made of. One session is one connection, used by one
 * thread: a reader's (read-only file handle, one read transaction per look) or the writer's.
 * Nothing outside storage/ includes this.
 */
#ifndef STORAGE_SESSION_IMPL_H
#define STORAGE_SESSION_IMPL_H

#include "base/buf.h"
#include "base/digest.h"
#include "storage/session.h"

#define SESSION_BUSY_MS 5000 /* a command may be writing beside the server */

struct body_coder;
struct sqlite3;
struct sql;
struct sql_cache;
struct gate_memo;

/* Of storage/audit.c: the head of the chain as last read or appended in the writer's transaction
 * number `transaction` (another process may append between two transactions, so it is good only
 * for this one), and how far the checkpoint file outside is known to reach. */
struct session_audit {
    uint64_t transaction; /* 0: nothing known */
    int64_t seq;
    unsigned char hash[DIGEST_LEN];
    /* Set by audit_append when a signed head is to go to the file outside, and at a session's first append, which makes
     * good what a crash kept from it. Forgotten by a rollback; after the COMMIT somebody sees to it. */
    bool heads_due, heads_asked;
    bool copied_known; /* copied_seq was read from the file */
    int64_t copied_seq;
};

/* Of storage/registry.c: the last certificate looked up, good inside one transaction of the writer: the requests of a group come
 * mostly from few systems. */
struct session_cert {
    uint64_t transaction; /* 0: nothing known */
    unsigned char fingerprint[DIGEST_LEN];
    int64_t person;
    bool revoked;
    int64_t facility;
    int kind;
    char texts[512]; /* key, code, name, each with a NUL */
};

/* Of storage/change.c: the last number given out, as read or given in the writer's transaction; another process may
 * give out more between two. */
struct session_change {
    uint64_t transaction; /* 0: nothing known */
    int64_t seq;
};

/* Of storage/record.c: the chart last written into in the writer's transaction, whose it is, and the last number given
 * out in it. A chart never changes its facility; nobody else writes before the transaction ends. */
struct session_chart {
    uint64_t transaction; /* 0: nothing known */
    int64_t chart;
    int64_t facility;
    int64_t last_rid;
};

/* Of storage/record.c: the group last written into in the writer's transaction, and numbers of
 * records it is known to span (table scope). */
struct session_scope {
    uint64_t transaction; /* 0: nothing known */
    int64_t chart, scope;
    int64_t low, high;
};

/* Of storage/original.c: the original last asked for in the writer's transaction. */
struct session_original {
    uint64_t transaction; /* 0: nothing known */
    int64_t facility, number;
    unsigned char sha[DIGEST_LEN];
};

/* Of storage/index.c: words of the transaction's records that are not in ix_words yet. */
struct session_words {
    struct buf rows;  /* struct waiting of index.c */
    struct buf texts; /* what they point into */
    size_t entered;   /* bytes of rows that are in ix_words by now */
};

/* Of storage/record.c and index.c: what one write packs and compares; kept so that no write asks for memory. */
struct session_scratch {
    struct buf body;   /* packed */
    struct buf facets; /* packed, to be written */
    struct buf former; /* packed, as they stood */
    struct buf before, after; /* entries of the search indexes */
};

struct session {
    struct sqlite3 *db;
    const struct store_options
        *options;              /* the store's copy: key, checkpoint_path, clock (never NULL) */
    const struct grant *grant; /* bound, or NULL: then the gate shows nothing */
    struct sql_cache *cache;   /* compiled statements */
    struct gate_memo *memo;    /* consent answers of the grant now bound */
    bool writes;
    bool own;        /* the authorizer's mode: a statement of the store's own compiles or runs */
    bool compiling;  /* inside sqlite3_prepare of a statement of ours (gate.c) */
    unsigned active; /* statements between first step and done */
    int64_t deadline_ms; /* monotonic end of the running statement (readers) */
    /* Writer only. A new number at every BEGIN and every rollback, so that what was remembered of
     * the file is known to be stale. Never 0 inside a transaction. */
    uint64_t transaction;
    bool broken; /* I/O error or corruption seen: the writer must stop for good */
    bool full;   /* the disk is full: this group fails */
    struct session_audit audit;
    struct session_cert cert;
    struct session_change change;
    struct session_chart chart;
    struct session_scope scope;
    struct session_original original;
    struct session_words words;
    struct session_scratch scratch;
    struct body_coder *coder; /* made when first used: session_coder */
};

/* Opens the connection: settings, context functions, gated views, authorizer. OPTIONS must
 * outlive it. */
enum err session_open(const struct store_options *options, bool writes,
                      struct session **ret_session) ERR_CHECKED;
/* For storage/body.h. */
enum err session_coder(struct session *s, struct body_coder **ret_coder) ERR_CHECKED;
/* NULL is fine. */
void session_close(struct session *s);

#endif
