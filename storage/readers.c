/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader threads: each takes one look at a time, runs it in one read transaction of its own
 * connection, so that everything the look sees is of one moment, and hands the job to the writer
 * for its audit row. A look that fails goes on to the writer too: refusals are recorded like
 * answers. Must not write.
 */
#include <assert.h>
#include <stdlib.h>

#include "storage/session_impl.h"
#include "storage/sql.h"
#include "storage/store_impl.h"

#include "base/banned.h"

static enum err simple(struct session *s, const char *text)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s, text, SQL_OWN, &q);
    return err ? err : sql_run(q);
}

static enum err look(struct store *store, struct session *s, struct store_job *job)
{
    if (atomic_load_explicit(&store->stopped, memory_order_relaxed))
        return ERR_UNAVAILABLE;
    enum err err = simple(s, "BEGIN");
    if (err)
        return err;
    err = job->look(s, job);
    session_bind(s, NULL);
    enum err end = simple(s, "COMMIT");
    return err ? err : end;
}

void *readers_main(void *argument)
{
    struct reader_start start = *(struct reader_start *)argument;
    struct store *store = start.store;
    free(argument);
    (void)pthread_setname_np(pthread_self(), "reader");
    (void)pthread_mutex_lock(&store->lock);
    for (;;) {
        struct store_job *job = store_pop(&store->looks);
        if (!job && store->closing)
            break;
        if (!job) {
            store->readers_asleep++;
            (void)pthread_cond_wait(&store->look_ready, &store->lock);
            store->readers_asleep--;
            continue;
        }
        (void)pthread_mutex_unlock(&store->lock);
        job->err = look(store, start.session, job);
        (void)pthread_mutex_lock(&store->lock);
        store_looked(store, job);
        store->looking--;
        if (store->writer_asleep && store->writes.first)
            (void)pthread_cond_signal(&store->write_ready);
    }
    /* The writer, when closing, waits for the last look. */
    (void)pthread_cond_signal(&store->write_ready);
    (void)pthread_mutex_unlock(&store->lock);
    return NULL;
}
