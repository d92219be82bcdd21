/* SPDX-License-Identifier: Apache-2.0
 *
 * Moves committed pages from the write-ahead log into the file, on a thread and a connection of
 * its own, so that no commit waits for it: always in passive mode, when the log has grown and
 * every few seconds while something was committed. An I/O error here means the same as one on the
 * writer: stop.
 */
#include <assert.h>
#include <sqlite3.h>
#include <time.h>

#include "storage/sql.h"
#include "storage/store_impl.h"

#include "base/banned.h"

#define CHECKPOINT_EVERY_S 5

static enum err open_plain(const char *path, sqlite3 **ret_db)
{
    sqlite3 *db = NULL;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    enum err err = sql_code(NULL, sqlite3_open_v2(path, &db, flags, NULL));
    if (!err)
        err = sql_code(NULL, sqlite3_exec(db,
                                          "PRAGMA synchronous = FULL; PRAGMA mmap_size = 0;"
                                          "PRAGMA cache_size = -64;",
                                          NULL, NULL, NULL));
    if (!err)
        err = sql_code(NULL, sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL));
    if (err)
        (void)sqlite3_close(db);
    else
        *ret_db = db;
    return err;
}

/* Busy is no failure: somebody else is at it, or a reader holds an old page; there is a next
 * time. */
static enum err passive(sqlite3 *db)
{
    int rc = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return (rc & 0xff) == SQLITE_BUSY ? ERR_OK : sql_code(NULL, rc);
}

/* Waits until the log is large, time is up, or the store closes; false for the last. Lock held. */
static bool wait_for_work(struct store *store)
{
    struct timespec until;
    int rc = clock_gettime(CLOCK_MONOTONIC, &until);
    assert(rc == 0);
    until.tv_sec += CHECKPOINT_EVERY_S;
    rc = 0;
    while (!store->closing && !store->checkpoint_wanted && rc == 0)
        rc = pthread_cond_timedwait(&store->checkpoint_due, &store->lock, &until);
    store->checkpoint_wanted = false;
    return !store->closing;
}

void *checkpoint_main(void *argument)
{
    struct store *store = argument;
    sqlite3 *db = NULL;
    enum err err = open_plain(store->path, &db);
    uint64_t done = 0;
    (void)pthread_setname_np(pthread_self(), "checkpoint");
    (void)pthread_mutex_lock(&store->lock);
    while (!err && wait_for_work(store)) {
        uint64_t commits = store->commits;
        if (commits == done || atomic_load(&store->stopped))
            continue;
        (void)pthread_mutex_unlock(&store->lock);
        err = passive(db);
        done = commits;
        (void)pthread_mutex_lock(&store->lock);
    }
    (void)pthread_mutex_unlock(&store->lock);
    if (err == ERR_IO)
        atomic_store(&store->stopped, true);
    (void)sqlite3_close(db);
    return NULL;
}
