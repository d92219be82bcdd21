/* SPDX-License-Identifier: Apache-2.0
 *
 * Opens and closes the store, takes jobs in and gives them back. The file is created, switched to
 * WAL and migrated before its folder is synced, and nothing is acknowledged before that: without
 * the folder's sync a power cut could take the whole new file. What a job does is its owner's;
 * when it may be answered is decided here and in writer.c. Must not run a job's steps on the
 * owner's thread.
 */
#include "storage/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "storage/audit_impl.h"
#include "storage/lock.h"
#include "storage/migrate.h"
#include "storage/session_impl.h"
#include "storage/sql.h"
#include "storage/store_impl.h"

#include "base/banned.h"

/* ── queues ──────────────────────────────────────────────────────────────────────────────────── */

void store_push(struct store_queue *queue, struct store_job *job)
{
    job->next = NULL;
    if (queue->last)
        queue->last->next = job;
    else
        queue->first = job;
    queue->last = job;
}

struct store_job *store_pop(struct store_queue *queue)
{
    struct store_job *job = queue->first;
    if (!job)
        return NULL;
    queue->first = job->next;
    if (!queue->first)
        queue->last = NULL;
    job->next = NULL;
    return job;
}

/* ── open ────────────────────────────────────────────────────────────────────────────────────── */

enum err store_sync_folder(const char *path)
{
    char *copy = strdup(path);
    if (!copy)
        return ERR_LIMIT;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd < 0)
        return ERR_IO;
    enum err err = fsync(fd) == 0 ? ERR_OK : ERR_IO;
    (void)close(fd);
    return err;
}

/* Patient data: nobody else on the machine reads the file. SQLite gives its log the same mode. */
static enum err create_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return ERR_IO;
    (void)close(fd);
    return ERR_OK;
}

static enum err copy_options(struct store *store, const struct store_options *options)
{
    store->options = *options;
    store->path = strdup(options->path);
    if (!store->path)
        return ERR_LIMIT;
    store->options.path = store->path;
    if (options->checkpoint_path) {
        store->checkpoint_path = strdup(options->checkpoint_path);
        if (!store->checkpoint_path)
            return ERR_LIMIT;
        store->options.checkpoint_path = store->checkpoint_path;
    }
    if (!store->options.clock)
        store->options.clock = &clock_system;
    if (store->options.readers == 0)
        store->options.readers = 2;
    assert(store->options.readers <= STORE_READERS_MAX);
    return ERR_OK;
}

static enum err open_sessions(struct store *store)
{
    enum err err = lock_share(store->path, &store->shared);
    if (!err)
        err = create_private(store->path);
    if (!err)
        err = session_open(&store->options, true, &store->writer);
    if (!err)
        err = store_sync_folder(store->path);
    for (unsigned i = 0; !err && i < store->options.readers; i++)
        err = session_open(&store->options, false, &store->readers[i]);
    return err;
}

static void close_sessions(struct store *store)
{
    for (unsigned i = 0; i < STORE_READERS_MAX; i++)
        session_close(store->readers[i]);
    if (store->writer && (store->writer->broken || atomic_load(&store->stopped)))
        (void)sqlite3_db_config(store->writer->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    session_close(store->writer);
}

static void init_shared(struct store *store)
{
    pthread_condattr_t attributes;
    int rc = pthread_condattr_init(&attributes);
    rc |= pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    rc |= pthread_mutex_init(&store->lock, NULL);
    rc |= pthread_cond_init(&store->look_ready, NULL);
    rc |= pthread_cond_init(&store->write_ready, NULL);
    rc |= pthread_cond_init(&store->checkpoint_due, &attributes);
    assert(rc == 0);
    (void)pthread_condattr_destroy(&attributes);
}

static void free_store(struct store *store)
{
    close_sessions(store);
    lock_release(store->shared);
    (void)pthread_cond_destroy(&store->checkpoint_due);
    (void)pthread_cond_destroy(&store->write_ready);
    (void)pthread_cond_destroy(&store->look_ready);
    (void)pthread_mutex_destroy(&store->lock);
    free(store->checkpoint_path);
    free(store->path);
    free(store);
}

static bool start_reader(struct store *store, unsigned i)
{
    struct reader_start *start = malloc(sizeof *start);
    if (!start)
        return false;
    *start = (struct reader_start){store, store->readers[i]};
    if (pthread_create(&store->reader_threads[i], NULL, readers_main, start) == 0)
        return true;
    free(start);
    return false;
}

/* Stops whatever was started: readers first, since they feed the writer; the checkpoints last. */
static void stop_threads(struct store *store, bool writer, bool checkpoint)
{
    (void)pthread_mutex_lock(&store->lock);
    store->closing = true;
    (void)pthread_cond_broadcast(&store->look_ready);
    (void)pthread_cond_broadcast(&store->write_ready);
    (void)pthread_cond_broadcast(&store->checkpoint_due);
    (void)pthread_mutex_unlock(&store->lock);
    for (unsigned i = 0; i < store->reader_count; i++)
        (void)pthread_join(store->reader_threads[i], NULL);
    if (writer)
        (void)pthread_join(store->writer_thread, NULL);
    if (checkpoint)
        (void)pthread_join(store->checkpoint_thread, NULL);
}

static enum err start_threads(struct store *store)
{
    if (pthread_create(&store->writer_thread, NULL, writer_main, store) != 0)
        return ERR_LIMIT;
    bool checkpoint = pthread_create(&store->checkpoint_thread, NULL, checkpoint_main, store) == 0;
    bool ok = checkpoint;
    while (ok && store->reader_count < store->options.readers) {
        ok = start_reader(store, store->reader_count);
        store->reader_count += ok;
    }
    if (ok)
        return ERR_OK;
    stop_threads(store, true, checkpoint);
    return ERR_LIMIT;
}

enum err store_open(const struct store_options *options, struct store **ret_store)
{
    struct store *store = calloc(1, sizeof *store);
    if (!store)
        return ERR_LIMIT;
    store->shared = -1;
    init_shared(store);
    enum err err = copy_options(store, options);
    if (!err)
        err = open_sessions(store);
    if (!err)
        err = start_threads(store);
    if (err) {
        free_store(store);
        return err;
    }
    *ret_store = store;
    return ERR_OK;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    stop_threads(store, true, true);
    if (!atomic_load(&store->stopped))
        audit_copy_heads(store->writer); /* with the last, of the orderly end */
    (void)store_collect(store);
    assert(store->held == 0);
    free_store(store);
}

/* ── jobs ────────────────────────────────────────────────────────────────────────────────────── */

static void enter_order(struct store *store, struct store_job *job)
{
    job->looked = false;
    job->next_in_order = NULL;
    if (store->order_last)
        store->order_last->next_in_order = job;
    else
        store->order_first = job;
    store->order_last = job;
}

void store_looked(struct store *store, struct store_job *job)
{
    if (!job->in_order) {
        store_push(&store->writes, job);
        return;
    }
    job->looked = true;
    while (store->order_first && store->order_first->looked) {
        struct store_job *turn = store->order_first;
        store->order_first = turn->next_in_order;
        if (!store->order_first)
            store->order_last = NULL;
        store_push(&store->writes, turn);
    }
}

enum err store_submit(struct store *store, struct store_job *job)
{
    assert(job->audit && !(job->in_order && job->quick));
    job->err = ERR_OK;
    (void)pthread_mutex_lock(&store->lock);
    enum err err = store->closing                     ? ERR_UNAVAILABLE
                   : store->held >= LIMIT_STORE_QUEUE ? ERR_BUSY
                                                      : ERR_OK;
    bool wake_reader = false, wake_writer = false;
    if (!err) {
        store->held++;
        job->number = ++store->submitted;
        if (job->in_order)
            enter_order(store, job);
        if (job->look && !job->quick) {
            store->looking++;
            store_push(&store->looks, job);
            wake_reader = store->readers_asleep > 0;
        } else {
            store_looked(store, job);
            wake_writer = store->writer_asleep;
        }
    }
    (void)pthread_mutex_unlock(&store->lock);
    if (wake_reader)
        (void)pthread_cond_signal(&store->look_ready);
    if (wake_writer)
        (void)pthread_cond_signal(&store->write_ready);
    return err;
}

unsigned store_collect(struct store *store)
{
    (void)pthread_mutex_lock(&store->lock);
    struct store_job *job = store->finished.first;
    store->finished = (struct store_queue){NULL, NULL};
    (void)pthread_mutex_unlock(&store->lock);
    unsigned count = 0;
    while (job) {
        struct store_job *next = job->next; /* done() may free the job */
        job->next = NULL;
        if (job->done)
            job->done(job);
        job = next;
        count++;
    }
    return count;
}

/* A job somebody waits for. It stands in the queues for the caller's own job, so that whoever
 * runs store_collect meanwhile does not meet it. */
struct waiting {
    struct store_job job;
    struct store_job *inner;
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool finished;
};

static enum err waiting_look(struct session *s, struct store_job *job)
{
    struct store_job *inner = ((struct waiting *)(void *)job)->inner;
    return inner->look(s, inner);
}

static enum err waiting_apply(struct session *s, struct store_job *job)
{
    struct store_job *inner = ((struct waiting *)(void *)job)->inner;
    return inner->apply(s, inner);
}

static enum err waiting_audit(struct session *s, struct store_job *job)
{
    struct store_job *inner = ((struct waiting *)(void *)job)->inner;
    inner->err = job->err;
    return inner->audit(s, inner);
}

/* Runs on a store thread; after the unlock WAITING may be gone. */
static void waiting_done(struct store_job *job)
{
    struct waiting *waiting = (struct waiting *)(void *)job;
    (void)pthread_mutex_lock(&waiting->lock);
    waiting->finished = true;
    (void)pthread_cond_signal(&waiting->over);
    (void)pthread_mutex_unlock(&waiting->lock);
}

void store_finish(struct store *store, struct store_job *chain)
{
    bool wake = false;
    uint64_t count = 0;
    (void)pthread_mutex_lock(&store->lock);
    while (chain) {
        struct store_job *job = chain;
        chain = job->next;
        count++;
        if (job->done == waiting_done) {
            waiting_done(job);
            continue;
        }
        wake = wake || !store->finished.first;
        store_push(&store->finished, job);
    }
    store->held -= (unsigned)count;
    store->jobs += count;
    (void)pthread_mutex_unlock(&store->lock);
    if (wake && store->options.wake)
        store->options.wake(store->options.wake_context);
}

enum err store_run(struct store *store, struct store_job *job)
{
    struct waiting waiting = {
        .job = {.quick = job->quick,
                .look = job->look ? waiting_look : NULL,
                .apply = job->apply ? waiting_apply : NULL,
                .audit = waiting_audit,
                .done = waiting_done},
        .inner = job,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .over = PTHREAD_COND_INITIALIZER,
    };
    assert(job->audit);
    enum err err = store_submit(store, &waiting.job); /* from here on the job is the threads' */
    if (err)
        return job->err = err;
    (void)pthread_mutex_lock(&waiting.lock);
    while (!waiting.finished)
        (void)pthread_cond_wait(&waiting.over, &waiting.lock);
    (void)pthread_mutex_unlock(&waiting.lock);
    (void)pthread_cond_destroy(&waiting.over);
    (void)pthread_mutex_destroy(&waiting.lock);
    job->err = err = waiting.job.err;
    if (job->done)
        job->done(job);
    return err;
}

/* ── figures, copies ─────────────────────────────────────────────────────────────────────────── */

void store_figures(struct store *store, struct store_figures *ret_figures)
{
    (void)pthread_mutex_lock(&store->lock);
    *ret_figures = (struct store_figures){
        .commits = store->commits,
        .jobs = store->jobs,
        .queued = store->held,
        .audit_seq = store->audit_seq,
        .stopped = atomic_load(&store->stopped),
    };
    (void)pthread_mutex_unlock(&store->lock);
}

/* One step copies every page inside one read transaction: a consistent moment, and no writer
 * waits. */
static enum err copy_pages(sqlite3 *from, sqlite3 *to)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (!backup)
        return sql_code(NULL, sqlite3_errcode(to));
    int rc = sqlite3_backup_step(backup, -1);
    int finish = sqlite3_backup_finish(backup);
    if (rc != SQLITE_DONE)
        return rc == SQLITE_OK ? ERR_IO : sql_code(NULL, rc);
    return sql_code(NULL, finish);
}

enum err store_backup(struct store *store, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? ERR_CONFLICT : ERR_IO;
    (void)close(fd);
    sqlite3 *from = NULL, *to = NULL;
    enum err err = sql_code(NULL, sqlite3_open_v2(store->path, &from, SQLITE_OPEN_READONLY, NULL));
    if (!err)
        err = sql_code(NULL, sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE, NULL));
    if (!err)
        err = sql_code(NULL, sqlite3_busy_timeout(from, 5000));
    if (!err)
        err = copy_pages(from, to);
    if (sqlite3_close(to) != SQLITE_OK && !err)
        err = ERR_IO;
    (void)sqlite3_close(from);
    if (!err)
        err = store_sync_folder(path);
    if (err)
        (void)unlink(path);
    return err;
}

/* The one number that TEXT asks of the file at PATH. NONE: what no row means. */
static enum err ask_file(const char *path, const char *text, enum err none, int64_t *ret_number)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    enum err err = sql_code(NULL, sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL));
    if (!err)
        err = sql_code(NULL, sqlite3_prepare_v2(db, text, -1, &stmt, NULL));
    if (!err) {
        int rc = sqlite3_step(stmt);
        err = rc == SQLITE_DONE ? none : sql_code(NULL, rc);
    }
    if (!err)
        *ret_number = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    return err;
}

enum err store_schema(const char *path, int *ret_have, int *ret_want)
{
    int64_t have = 0;
    enum err err = ask_file(path, "PRAGMA user_version", ERR_IO, &have);
    if (err)
        return err;
    *ret_have = (int)have;
    *ret_want = migrate_newest();
    return ERR_OK;
}

enum err store_needs_reindex(const char *path, bool *ret_needs)
{
    int64_t rows = 0;
    enum err err = ask_file(path, "SELECT count(*) FROM meta WHERE key = 'reindex'", ERR_IO, &rows);
    if (!err)
        *ret_needs = rows > 0;
    return err;
}

enum err store_created(const char *path, int64_t *ret_created_ms)
{
    return ask_file(path, "SELECT value FROM meta WHERE key = 'created_ms'", ERR_NOT_FOUND,
                    ret_created_ms);
}
