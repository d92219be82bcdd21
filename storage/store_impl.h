/* SPDX-License-Identifier: Apache-2.0
 *
 * Internal to storage/: what the store's threads share. One lock guards the queues and flags;
 * nobody holds it while talking to SQLite. A thread is woken only if it said it sleeps, so that
 * under load, when everybody is busy, handing a job on costs no system call.
 */
#ifndef STORAGE_STORE_IMPL_H
#define STORAGE_STORE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "storage/store.h"

#define STORE_READERS_MAX 8

struct store_queue {
    struct store_job *first;
    struct store_job *last;
};

struct store {
    struct store_options options; /* our copy; path and checkpoint_path are ours, too */
    char *path;
    char *checkpoint_path;

    pthread_mutex_t lock;
    pthread_cond_t look_ready;  /* readers sleep here */
    pthread_cond_t write_ready; /* the writer */
    pthread_cond_t checkpoint_due;
    struct store_queue looks, writes, finished;
    struct store_job *order_first,
        *order_last;  /* jobs in order between submit and writes, by next_in_order */
    unsigned held;    /* jobs between submit and finished */
    uint64_t submitted; /* jobs ever */
    unsigned looking; /* jobs waiting for or in a look */
    unsigned readers_asleep;
    bool writer_asleep;
    bool closing;
    bool checkpoint_wanted; /* the log grew large */
    bool heads_due;         /* signed heads are to be copied to the file outside */
    uint64_t commits, jobs, audit_seq;

    atomic_bool stopped;  /* after a storage failure: nothing is written any more */
    atomic_int wal_pages; /* pages in the log after the last commit */
    atomic_int wal_moved; /* pages of it that the last checkpoint found moved into the file */
    int wal_asked;        /* writer only: pages when it last asked for a checkpoint */

    int shared; /* says that the store is open (storage/lock.h); -1: not yet */
    struct session *writer;
    struct session *readers[STORE_READERS_MAX];
    pthread_t writer_thread, checkpoint_thread;
    pthread_t reader_threads[STORE_READERS_MAX];
    unsigned reader_count;
};

/* To the end of QUEUE, from its front (NULL when empty). Called with the lock held. */
void store_push(struct store_queue *queue, struct store_job *job);
struct store_job *store_pop(struct store_queue *queue);
/* JOB's look is over: it goes on to the writer, or waits for its turn and goes with the last one
 * before it. Called with the lock held. */
void store_looked(struct store *store, struct store_job *job);
/* Hands a finished chain (linked by next) to the owner and wakes him if nothing was waiting for
 * him. Calls without the lock. */
void store_finish(struct store *store, struct store_job *chain);

/* Makes the entries of PATH's folder durable. */
enum err store_sync_folder(const char *path) ERR_CHECKED;

/* Thread bodies; the argument is the store. A reader is told by its session. */
void *writer_main(void *argument);
struct reader_start {
    struct store *store;
    struct session *session;
};
void *readers_main(void *argument); /* a struct reader_start, freed there */
void *checkpoint_main(void *argument);

#endif
