/* SPDX-License-Identifier: Apache-2.0
 *
 * The writer thread: takes everything waiting, applies it in one transaction, commits once (group
 * commit: one fsync for all), and only then lets the jobs finish. A job whose apply fails is
 * rolled back alone to its savepoint and still audited. A job whose audit fails must not take the
 * others with it: the group is rolled back and each job tried alone. After an I/O error, above
 * all a failed fsync, nobody knows what is on disk; the kernel may have dropped the pages and
 * report success next time. So the writer never writes again: every later job ends with
 * ERR_UNAVAILABLE. A full disk is no such case; the group fails, the writer goes on.
 */
#include <assert.h>
#include <sqlite3.h>

#include "base/limits.h"
#include "storage/audit_impl.h"
#include "storage/record_impl.h"
#include "storage/session_impl.h"
#include "storage/sql.h"
#include "storage/store_impl.h"

#include "base/banned.h"

#define WRITER_WAL_WANTED 1000 /* pages in the log at which a checkpoint is asked for */
#define WRITER_WAL_LARGE 8192  /* pages (32 MiB) at which the log is to start anew */
#define WRITER_WAL_REST 250    /* pages not yet moved that the writer may be held up by then */
#define WRITER_WAL_HUGE 16384  /* pages at which it starts anew whatever is left */
#define WRITER_WAL_WAIT_MS                                                                         \
    50 /* how long it waits for readers then; otherwise it tries again later */

struct group {
    struct store_job *jobs[LIMIT_STORE_GROUP];
    enum err looks[LIMIT_STORE_GROUP]; /* outcomes of look: of a reader's, or of a quick one here */
    bool looked[LIMIT_STORE_GROUP];    /* a quick look ran: a second attempt must not repeat it */
    unsigned count;
    bool guarded; /* a savepoint for each apply, so that one can be undone alone */
    bool refused; /* an apply without one failed: nothing may be committed */
};

/* A savepoint copies every page that its job changes, a tenth of the writer's work, and most groups
 * need none. So a group is first tried without; one with a refused job is tried again with them,
 * and so are the next groups at once, for they often come together. */
#define WRITER_GUARDED_GROUPS 64

static enum err simple(struct session *s, const char *text)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s, text, SQL_OWN, &q);
    return err ? err : sql_run(q);
}

/* ── one transaction ─────────────────────────────────────────────────────────────────────────── */

static enum err begin(struct session *s)
{
    s->full = false;
    s->transaction++;
    return simple(s, "BEGIN IMMEDIATE");
}

static void roll_back(struct session *s)
{
    s->transaction++;
    s->audit.heads_due = s->audit.heads_asked = false;
    index_words_back(s, (struct index_words_mark){0});
    if (!sqlite3_get_autocommit(s->db) && simple(s, "ROLLBACK"))
        s->broken = true;
}

/* SQLite gives up the whole transaction on some errors (no memory, disk full, I/O). */
static bool lost(const struct session *s)
{
    return s->broken || s->full || sqlite3_get_autocommit(s->db);
}

static enum err apply(struct session *s, struct group *group, struct store_job *job)
{
    struct index_words_mark words;
    enum err err = index_words_begin(s, &words);
    if (!err && group->guarded)
        err = simple(s, "SAVEPOINT job");
    if (err)
        return err;
    job->err = job->apply(s, job);
    session_bind(s, NULL);
    group->refused = job->err && !group->guarded;
    if (lost(s) || group->refused)
        return ERR_UNAVAILABLE;
    if (job->err) {
        s->transaction++;
        index_words_back(s, words);
        err = simple(s, "ROLLBACK TO job");
    }
    return err || !group->guarded ? err : simple(s, "RELEASE job");
}

/* A quick look, once, in the transaction that will record it. */
static void look_here(struct session *s, struct group *group, unsigned i)
{
    struct store_job *job = group->jobs[i];
    if (!job->quick || !job->look || group->looked[i])
        return;
    group->looks[i] = job->look(s, job);
    group->looked[i] = true;
    session_bind(s, NULL);
}

/* Apply and audit of one job inside the transaction. A failure here is the group's. */
static enum err run_job(struct session *s, struct group *group, unsigned i)
{
    struct store_job *job = group->jobs[i];
    enum err look = group->looks[i];
    job->err = look;
    enum err err = look || !job->apply ? ERR_OK : apply(s, group, job);
    if (err)
        return err;
    err = job->audit(s, job);
    session_bind(s, NULL);
    return !err && lost(s) ? ERR_UNAVAILABLE : err;
}

static void after_commit(struct store *store)
{
    struct session *s = store->writer;
    (void)pthread_mutex_lock(&store->lock);
    store->commits++;
    if (s->audit.transaction == s->transaction)
        store->audit_seq = (uint64_t)s->audit.seq;
    if (s->audit.heads_due) {
        store->heads_due = true;
        (void)pthread_cond_signal(&store->checkpoint_due);
    }
    (void)pthread_mutex_unlock(&store->lock);
    s->audit.heads_due = false;
    index_words_back(s, (struct index_words_mark){0});
}

/* Jobs [FROM, FROM + COUNT) of the group in the transaction just begun: all of it, or nothing. */
static enum err attempt(struct store *store, struct group *group, unsigned from, unsigned count)
{
    struct session *s = store->writer;
    enum err err = ERR_OK;
    for (unsigned i = from; !err && i < from + count; i++) {
        look_here(s, group, i);
        err = run_job(s, group, i);
    }
    if (!err)
        err = index_words_enter(s);
    if (!err)
        err = simple(s, "COMMIT");
    if (err)
        roll_back(s);
    else
        after_commit(store);
    return err;
}

/* ── a group ─────────────────────────────────────────────────────────────────────────────────── */

static void note_failure(struct store *store)
{
    if (store->writer->broken)
        atomic_store(&store->stopped, true);
}

static void turn_away(struct group *group, unsigned from)
{
    for (unsigned i = from; i < group->count; i++)
        group->jobs[i]->err = ERR_UNAVAILABLE;
}

/* Each job in a transaction of its own, so that only those fail that fail by themselves. */
static void run_alone(struct store *store, struct group *group)
{
    struct session *s = store->writer;
    group->guarded = true;
    for (unsigned i = 0; i < group->count; i++) {
        if (begin(s) != ERR_OK) {
            turn_away(group, i);
            return;
        }
        if (attempt(store, group, i, 1) != ERR_OK)
            group->jobs[i]->err = ERR_UNAVAILABLE;
        if (s->broken || s->full) {
            turn_away(group, i);
            return;
        }
    }
}

/* All of the group in one transaction: without savepoints, and with them when that did not do. */
static enum err run_together(struct store *store, struct group *group)
{
    group->refused = false;
    group->guarded = store->guarded_groups > 0;
    store->guarded_groups -= group->guarded;
    enum err err = attempt(store, group, 0, group->count);
    if (!group->refused || store->writer->broken || store->writer->full)
        return err;
    store->guarded_groups = WRITER_GUARDED_GROUPS;
    group->guarded = true;
    err = begin(store->writer);
    return err ? err : attempt(store, group, 0, group->count);
}

/* An I/O error stops the writer for good; a transaction that cannot even begin (another process
 * holds the file) or a full disk turns the group away. */
static void run_group(struct store *store, struct group *group)
{
    struct session *s = store->writer;
    if (atomic_load(&store->stopped) || begin(s) != ERR_OK)
        turn_away(group, 0);
    else if (run_together(store, group) != ERR_OK) {
        if (s->broken || s->full || group->count == 1)
            turn_away(group, 0);
        else
            run_alone(store, group);
    }
    note_failure(store);
}

static void take_group(struct store *store, struct group *group)
{
    group->count = 0;
    while (group->count < LIMIT_STORE_GROUP && store->writes.first) {
        struct store_job *job = store_pop(&store->writes);
        group->looks[group->count] = job->err;
        group->looked[group->count] = false;
        group->jobs[group->count++] = job;
    }
}

static struct store_job *chain_of(const struct group *group)
{
    for (unsigned i = 0; i < group->count; i++)
        group->jobs[i]->next = i + 1 < group->count ? group->jobs[i + 1] : NULL;
    return group->jobs[0];
}

/* ── the thread ──────────────────────────────────────────────────────────────────────────────── */

static int after_commit_hook(void *context, sqlite3 *db, const char *name, int pages)
{
    (void)db, (void)name;
    struct store *store = context;
    atomic_store_explicit(&store->wal_pages, pages, memory_order_relaxed);
    return SQLITE_OK;
}

/* Under steady writing the checkpoint thread never catches up for good, and the log would grow
 * without end. When it has moved nearly all, the writer moves the rest itself and has the log start
 * anew; a reader of long ago may hold that up, but is not waited for. */
static void start_log_anew(struct store *store)
{
    sqlite3 *db = store->writer->db;
    (void)sqlite3_busy_timeout(db, WRITER_WAL_WAIT_MS);
    int rc = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
    (void)sqlite3_busy_timeout(db, SESSION_BUSY_MS);
    if (sql_code(store->writer, rc) == ERR_IO)
        note_failure(store);
}

/* Whenever the log has grown by so much, somebody must see to it. */
static void mind_the_log(struct store *store)
{
    int pages = atomic_load_explicit(&store->wal_pages, memory_order_relaxed);
    int left = pages - atomic_load_explicit(&store->wal_moved, memory_order_relaxed);
    if (pages < WRITER_WAL_WANTED || atomic_load(&store->stopped))
        return;
    if (pages >= WRITER_WAL_HUGE || (pages >= WRITER_WAL_LARGE && left <= WRITER_WAL_REST)) {
        store->wal_asked = pages;
        start_log_anew(store);
        return;
    }
    int step = pages >= WRITER_WAL_LARGE ? WRITER_WAL_REST : WRITER_WAL_WANTED;
    if (pages >= store->wal_asked && pages - store->wal_asked < step)
        return;
    store->wal_asked = pages;
    (void)pthread_mutex_lock(&store->lock);
    store->checkpoint_wanted = true;
    (void)pthread_cond_signal(&store->checkpoint_due);
    (void)pthread_mutex_unlock(&store->lock);
}

/* Signs the head so that the tail of the chain is covered, then leaves an empty log behind. */
static void orderly_end(struct store *store)
{
    struct session *s = store->writer;
    if (atomic_load(&store->stopped))
        return;
    if (begin(s) == ERR_OK) {
        if (audit_checkpoint_now(s) == ERR_OK && simple(s, "COMMIT") == ERR_OK)
            after_commit(store);
        else
            roll_back(s);
    }
    note_failure(store);
    if (!atomic_load(&store->stopped))
        (void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

/* Where the chain stands, for the figures before the first append. */
static void note_audit_seq(struct store *store)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(store->writer, "SELECT max(seq) FROM audit", SQL_OWN, &q);
    if (err)
        return;
    err = sql_row(q);
    if (!err)
        store->audit_seq = (uint64_t)sql_i64(q, 0);
    if (sql_done(q, err))
        note_failure(store);
}

void *writer_main(void *argument)
{
    struct store *store = argument;
    struct group group = {.count = 0};
    (void)pthread_setname_np(pthread_self(), "writer");
    (void)sqlite3_wal_hook(store->writer->db, after_commit_hook, store);
    (void)pthread_mutex_lock(&store->lock);
    note_audit_seq(store);
    for (;;) {
        while (!store->writes.first && !(store->closing && store->looking == 0)) {
            store->writer_asleep = true;
            (void)pthread_cond_wait(&store->write_ready, &store->lock);
            store->writer_asleep = false;
        }
        if (!store->writes.first)
            break;
        take_group(store, &group);
        (void)pthread_mutex_unlock(&store->lock);
        run_group(store, &group);
        store_finish(store, chain_of(&group));
        mind_the_log(store);
        (void)pthread_mutex_lock(&store->lock);
    }
    (void)pthread_mutex_unlock(&store->lock);
    orderly_end(store);
    return NULL;
}
