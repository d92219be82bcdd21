/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader threads: each takes one look at a time, runs it in a read transaction of its own
 * connection, so that everything the look sees is of one moment, and hands the job to the writer
 * for its audit row. A look that fails goes on to the writer too: refusals are recorded like
 * answers. Must not write.
 *
 * SQLite forgets a reader's pages whenever anything was committed, and each answer is: reading them
 * again was a third of a search. So one snapshot serves several looks, but only such as were handed
 * in before it began (whoever asks sees all that was acknowledged to him), and not for long.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/when.h"
#include "storage/session_impl.h"
#include "storage/sql.h"
#include "storage/store_impl.h"

#include "base/banned.h"

#define SNAPSHOT_MS                                                                                \
    5 /* looks served by one, at most: nobody must see a consent that was long withdrawn */

static enum err simple(struct session *s, const char *text)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s, text, SQL_OWN, &q);
    return err ? err : sql_run(q);
}

/* A read transaction that is open between looks. */
struct snapshot {
    struct session *session;
    bool open;
    uint64_t of;     /* jobs handed in when it began */
    int64_t ends_ms; /* monotonic */
};

static void leave(struct snapshot *shot)
{
    if (shot->open)
        (void)simple(shot->session, "COMMIT"); /* it wrote nothing */
    shot->open = false;
}

/* Moves on to a snapshot that has everything committed before JOB was handed in. */
static enum err enter(struct store *store, struct snapshot *shot, const struct store_job *job)
{
    int64_t now_ms = clock_monotonic_ms();
    if (shot->open && job->number <= shot->of && now_ms < shot->ends_ms)
        return ERR_OK;
    leave(shot);
    shot->ends_ms = now_ms + SNAPSHOT_MS;
    (void)pthread_mutex_lock(&store->lock);
    shot->of = store->submitted;
    (void)pthread_mutex_unlock(&store->lock);
    shot->session->transaction++;
    enum err err = simple(shot->session, "BEGIN");
    shot->open = !err;
    return err;
}

static enum err look(struct store *store, struct snapshot *shot, struct store_job *job)
{
    if (atomic_load_explicit(&store->stopped, memory_order_relaxed))
        return ERR_UNAVAILABLE;
    enum err err = enter(store, shot, job);
    if (err)
        return err;
    err = job->look(shot->session, job);
    session_bind(shot->session, NULL);
    if (err == ERR_IO || err == ERR_UNAVAILABLE)
        leave(shot);
    return err;
}

/* Lock held. Nobody's snapshot is held while he sleeps: the log could not start anew. */
static void sleep_until_woken(struct store *store, struct snapshot *shot)
{
    if (shot->open) {
        (void)pthread_mutex_unlock(&store->lock);
        leave(shot);
        (void)pthread_mutex_lock(&store->lock);
        return; /* something may have come */
    }
    store->readers_asleep++;
    (void)pthread_cond_wait(&store->look_ready, &store->lock);
    store->readers_asleep--;
}

void *readers_main(void *argument)
{
    struct reader_start start = *(struct reader_start *)argument;
    struct store *store = start.store;
    struct snapshot shot = {.session = start.session};
    free(argument);
    (void)pthread_setname_np(pthread_self(), "reader");
    (void)pthread_mutex_lock(&store->lock);
    for (;;) {
        struct store_job *job = store_pop(&store->looks);
        if (!job && store->closing)
            break;
        if (!job) {
            sleep_until_woken(store, &shot);
            continue;
        }
        (void)pthread_mutex_unlock(&store->lock);
        job->err = look(store, &shot, job);
        (void)pthread_mutex_lock(&store->lock);
        store_looked(store, job);
        store->looking--;
        if (store->writer_asleep && store->writes.first)
            (void)pthread_cond_signal(&store->write_ready);
    }
    /* The writer, when closing, waits for the last look. */
    (void)pthread_cond_signal(&store->write_ready);
    (void)pthread_mutex_unlock(&store->lock);
    leave(&shot);
    return NULL;
}
