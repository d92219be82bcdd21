/* SPDX-License-Identifier: Apache-2.0
 *
 * Moves committed pages from the write-ahead log into the file, on a thread and a connection of
 * its own, so that no commit waits for it: always in passive mode, when the log has grown and
 * every few seconds while something was committed. An I/O error here means the same as one on the
 * writer: stop. Beside that it copies signed heads of the audit chain to the file outside, for the
 * same reason: each copy makes a file grow, and on a busy disk that may take the file system
 * seconds.
 */
#include <assert.h>
#include <sqlite3.h>
#include <time.h>

#include "storage/audit_impl.h"
#include "storage/session_impl.h"
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
static enum err passive(struct store *store, sqlite3 *db)
{
    int pages = 0, moved = 0;
    int rc = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);
    if (rc == SQLITE_OK)
        atomic_store_explicit(&store->wal_moved, moved, memory_order_relaxed);
    return (rc & 0xff) == SQLITE_BUSY ? ERR_OK : sql_code(NULL, rc);
}

/* Waits until there is something to do, time is up, or the store closes; false for the last. Lock
 * held. */
static bool wait_for_work(struct store *store)
{
    struct timespec until;
    int rc = clock_gettime(CLOCK_MONOTONIC, &until);
    assert(rc == 0);
    until.tv_sec += CHECKPOINT_EVERY_S;
    rc = 0;
    while (!store->closing && !store->checkpoint_wanted && !store->heads_due && rc == 0)
        rc = pthread_cond_timedwait(&store->checkpoint_due, &store->lock, &until);
    return !store->closing;
}

/* What a checkpoint needs of a session: statements of the store's own, and how far the file outside
 * reaches. */
static enum err open_keeper(struct store *store, struct session *keeper)
{
    *keeper = (struct session){.options = &store->options};
    return open_plain(store->path, &keeper->db);
}

static void close_keeper(struct session *keeper)
{
    sql_forget(keeper);
    (void)sqlite3_close(keeper->db);
}

/* One round; the log is left alone when only heads were asked for. */
static enum err keep(struct store *store, struct session *keeper, bool log, bool heads)
{
    keeper->audit.heads_due = heads;
    audit_copy_heads(keeper);
    return log ? passive(store, keeper->db) : ERR_OK;
}

void *checkpoint_main(void *argument)
{
    struct store *store = argument;
    struct session keeper;
    enum err err = open_keeper(store, &keeper);
    uint64_t done = 0;
    (void)pthread_setname_np(pthread_self(), "checkpoint");
    (void)pthread_mutex_lock(&store->lock);
    while (!err && wait_for_work(store)) {
        uint64_t commits = store->commits;
        bool heads = store->heads_due;
        bool log = commits != done && (store->checkpoint_wanted || !heads);
        store->checkpoint_wanted = store->heads_due = false;
        if ((!heads && !log) || atomic_load(&store->stopped))
            continue;
        (void)pthread_mutex_unlock(&store->lock);
        err = keep(store, &keeper, log, heads);
        done = log ? commits : done;
        (void)pthread_mutex_lock(&store->lock);
    }
    (void)pthread_mutex_unlock(&store->lock);
    if (err == ERR_IO)
        atomic_store(&store->stopped, true);
    close_keeper(&keeper);
    return NULL;
}
