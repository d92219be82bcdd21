/* SPDX-License-Identifier: Apache-2.0
 *
 * The store: one SQLite file (WAL, synchronous=FULL), reader threads, one writer thread that
 * commits in groups. Every piece of work is a store_job that passes, in this order,
 *
 *     look   reader thread, read snapshot      parse, map, decide, fetch, render
 *     apply  writer thread, own savepoint      change records; an error rolls this job back alone
 *     audit  writer thread, same transaction   append to the chain; runs whatever came before
 *     (COMMIT, shared by all jobs waiting: group commit, one fsync)
 *     done   the caller's thread, from store_collect
 *
 * so that no answer exists before its audit record is durable, and an acknowledged write is on
 * disk. After a failed fsync the writer stops for good: every later job ends with ERR_UNAVAILABLE.
 */
#ifndef STORAGE_STORE_H
#define STORAGE_STORE_H

#include "base/err.h"
#include "base/when.h"

struct store;
struct session;

struct store_options {
    const char *path;            /* database file; created with its schema when absent */
    const char *checkpoint_path; /* file for copies of signed audit heads; NULL = none */
    const unsigned char
        *key;         /* 32 bytes, for audit checkpoints' MAC; borrowed for the store's life */
    unsigned readers; /* reader threads, 1..8; 0 = 2 */
    const struct clock *clock; /* NULL = clock_system */
    /* Called from the store's threads when store_collect has something; must only wake the owner.
     */
    void (*wake)(void *context);
    void *wake_context;
};

struct store_job {
    /* Any of look and apply may be NULL; audit may not. A failing look skips apply; the error is
     * then in job->err when audit and done run. audit failing turns the job away; the others of its
     * group are rolled back and run once more, so apply and audit must be able to run twice on the
     * same job. */
    enum err (*look)(struct session *s, struct store_job *job);
    enum err (*apply)(struct session *s, struct store_job *job);
    enum err (*audit)(struct session *s, struct store_job *job);
    void (*done)(struct store_job *job); /* from store_collect; the job is the caller's again */
    /* look is a few point reads: run it on the writer thread too, in the very transaction that
     * records it. Saves a hop and shares the writer's warm pages; a slow look there would hold
     * everybody up. */
    bool quick;
    /* Its apply runs after those of all jobs that asked for the same and were submitted before it,
     * although looks run beside each other: one source's documents, of which a later one may
     * replace an earlier one. Not with quick. */
    bool in_order;
    enum err err; /* outcome: of look, of apply, or ERR_UNAVAILABLE */
    /* the store's, while it holds the job */
    struct store_job *next;
    struct store_job *next_in_order;
    uint64_t number; /* counts what was handed in */
    bool looked;     /* of a job in order: its look is over */
};

/* Opens or creates. ERR_IO, ERR_VERSION (made by a newer Tasuki), ERR_UNAVAILABLE (stayed
 * busy: another process is changing it, or is putting a backup in its place). Starts the threads.
 */
enum err store_open(const struct store_options *options, struct store **ret_store) ERR_CHECKED;
/* Finishes what was submitted, stops the threads, closes. Jobs finished meanwhile must still be
 * collected by store_collect before this is called a last time; NULL is fine. */
void store_close(struct store *store);

/* Hands the job over. ERR_BUSY (queue full; done never fires). Thread-safe. */
enum err store_submit(struct store *store, struct store_job *job) ERR_CHECKED;
/* Runs done() of every finished job on the calling thread; returns how many. */
unsigned store_collect(struct store *store);
/* Submits and waits; for commands and tests, not for a loop thread. done() may be NULL. Returns
 * job->err. */
enum err store_run(struct store *store, struct store_job *job);

/* Figures for /metrics. */
struct store_figures {
    uint64_t commits;
    uint64_t jobs;
    uint64_t queued;
    uint64_t audit_seq;
    bool stopped; /* the writer stopped after a storage failure */
};
void store_figures(struct store *store, struct store_figures *ret_figures);

/* Online copy into a new file, while the store is in use. */
enum err store_backup(struct store *store, const char *path) ERR_CHECKED;

/* Schema version of the file at PATH and the newest this program knows. */
enum err store_schema(const char *path, int *ret_have, int *ret_want) ERR_CHECKED;
/* Are the search indexes of the file at PATH incomplete? (Migrated from a version without them, or
 * a reindex that was stopped.) Searches would not find what is there. */
enum err store_needs_reindex(const char *path, bool *ret_needs) ERR_CHECKED;
/* When the file at PATH was made; ERR_NOT_FOUND when it does not say. */
enum err store_created(const char *path, int64_t *ret_created_ms) ERR_CHECKED;

#endif
