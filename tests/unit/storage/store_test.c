/* SPDX-License-Identifier: Apache-2.0
 *
 * The store as a machine: jobs pass look, apply, audit, commit and done in that order; a failing
 * apply takes back only itself, a failing audit only its job; groups from many threads arrive
 * complete; what was acknowledged is there after reopening; a newer schema is refused.
 */
#include "lib/t.h"

#include <pthread.h>
#include <sqlite3.h>

#include "lib/store_fixture.h"
#include "storage/session_impl.h"
#include "storage/sql.h"

#include "base/banned.h"

/* ── helpers: a row per job in table meta ──────────────────────────────────────────────────── */

static enum err put_meta(struct session *s, const char *key)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s, "INSERT INTO meta(key, value) VALUES (?1, x'00')", SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_str(q, 1, key);
    return sql_run(q);
}

struct count {
    const char *sql;
    int64_t value;
};
static enum err count_step(struct session *s, void *context)
{
    struct count *count = context;
    struct sql *q = NULL;
    enum err err = sql_prepare(s, count->sql, SQL_OWN, &q);
    if (err)
        return err;
    err = sql_row(q);
    if (!err)
        count->value = sql_i64(q, 0);
    return sql_done(q, err);
}
static int64_t count_of(struct fixture *f, const char *sql)
{
    struct count count = {sql, -1};
    assert_int_equal(fixture_read(f, count_step, &count), ERR_OK);
    return count.value;
}

/* ── order of steps ────────────────────────────────────────────────────────────────────────── */

struct trace {
    struct fixture_job fj; /* first: the job is found from it */
    char steps[8];
    unsigned count;
    enum err look, apply, audit;
    enum err seen_by_audit;
    pthread_t done_on;
};

static void step(struct trace *t, char name)
{
    t->steps[t->count++] = name;
}
static enum err trace_look(struct session *s, void *context)
{
    struct trace *t = context;
    assert_false(session_writes(s));
    step(t, 'l');
    return t->look;
}
static enum err trace_apply(struct session *s, void *context)
{
    struct trace *t = context;
    assert_true(session_writes(s));
    assert_null(session_grant(s));
    step(t, 'a');
    enum err err = put_meta(s, "trace");
    return err ? err : t->apply;
}
static enum err trace_audit(struct session *s, void *context)
{
    struct trace *t = context;
    assert_true(session_writes(s));
    static const struct grant grant = {.magic = GRANT_MAGIC};
    assert_null(session_grant(s));
    step(t, 'u');
    t->seen_by_audit = t->fj.job.err;
    session_bind(s, &grant); /* the store must unbind it: see test_grants_end_with_their_step */
    return t->audit;
}
static void trace_done(struct store_job *job)
{
    struct trace *t = (struct trace *)(void *)job;
    t->done_on = pthread_self();
    step(t, 'd');
}

static void submit_and_collect(struct fixture *f, struct trace *t)
{
    t->fj.job.done = trace_done;
    assert_int_equal(store_submit(f->store, &t->fj.job), ERR_OK);
    for (int i = 0; i < 5000 && store_collect(f->store) == 0; i++)
        usleep(1000);
    assert_true(pthread_equal(t->done_on, pthread_self()));
}

static void test_order_of_steps(void **state)
{
    (void)state;
    static const struct {
        bool look, apply;
        enum err look_err, apply_err, audit_err;
        const char *steps;
        enum err outcome, audited;
        int64_t rows;
    } rows[] = {
        {true, true, ERR_OK, ERR_OK, ERR_OK, "laud", ERR_OK, ERR_OK, 1},
        {false, true, ERR_OK, ERR_OK, ERR_OK, "aud", ERR_OK, ERR_OK, 1},
        {true, false, ERR_OK, ERR_OK, ERR_OK, "lud", ERR_OK, ERR_OK, 0},
        {false, false, ERR_OK, ERR_OK, ERR_OK, "ud", ERR_OK, ERR_OK, 0},
        {true, true, ERR_FORBIDDEN, ERR_OK, ERR_OK, "lud", ERR_FORBIDDEN, ERR_FORBIDDEN, 0},
        {true, true, ERR_OK, ERR_INVALID, ERR_OK, "laud", ERR_INVALID, ERR_INVALID, 0},
        {true, true, ERR_OK, ERR_OK, ERR_INTERNAL, "laud", ERR_UNAVAILABLE, ERR_OK, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        struct trace t = {
            .look = rows[i].look_err, .apply = rows[i].apply_err, .audit = rows[i].audit_err};
        fixture_open(&f);
        t.fj = fixture_job(rows[i].look ? trace_look : NULL, rows[i].apply ? trace_apply : NULL,
                           trace_audit, &t);
        submit_and_collect(&f, &t);
        assert_string_equal(t.steps, rows[i].steps);
        assert_int_equal(t.fj.job.err, rows[i].outcome);
        assert_int_equal(t.seen_by_audit, rows[i].audited);
        assert_int_equal(count_of(&f, "SELECT count(*) FROM meta WHERE key = 'trace'"),
                         rows[i].rows);
        fixture_close(&f);
    }
}

static void test_grants_end_with_their_step(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    for (int i = 0; i < 3; i++) { /* each step asserts that nothing is bound */
        struct trace t = {.apply = ERR_INVALID};
        t.fj = fixture_job(trace_look, trace_apply, trace_audit, &t);
        submit_and_collect(&f, &t);
        assert_string_equal(t.steps, "laud");
    }
    fixture_close(&f);
}

/* ── a bad job among good ones ─────────────────────────────────────────────────────────────── */

#define BATCH 40

struct member {
    struct fixture_job fj;
    int index;
    bool bad_apply, bad_audit;
    pthread_mutex_t *gate; /* the first waits here so that the rest become one group */
};

static enum err member_apply(struct session *s, void *context)
{
    struct member *m = context;
    char key[32];
    if (m->gate) {
        (void)pthread_mutex_lock(m->gate);
        (void)pthread_mutex_unlock(m->gate);
    }
    (void)snprintf(key, sizeof key, "member-%d", m->index);
    enum err err = put_meta(s, key);
    return err ? err : m->bad_apply ? ERR_INVALID : ERR_OK;
}
static enum err member_audit(struct session *s, void *context)
{
    struct member *m = context;
    const struct audit_row row = {.event = "member", .outcome = m->fj.job.err, .door = "test"};
    enum err err = audit_append(s, &row);
    return err ? err : m->bad_audit ? ERR_INTERNAL : ERR_OK;
}

static void test_bad_jobs_fail_alone(void **state)
{
    (void)state;
    static struct member members[BATCH];
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    struct fixture f;
    fixture_open(&f);
    (void)pthread_mutex_lock(&gate);
    for (int i = 0; i < BATCH; i++) {
        members[i] = (struct member){.index = i,
                                     .bad_apply = i % 10 == 3,
                                     .bad_audit = i % 10 == 7,
                                     .gate = i == 0 ? &gate : NULL};
        members[i].fj = fixture_job(NULL, member_apply, member_audit, &members[i]);
        assert_int_equal(store_submit(f.store, &members[i].fj.job), ERR_OK);
    }
    (void)pthread_mutex_unlock(&gate);
    for (unsigned done = 0, tries = 0; done < BATCH && tries < 5000; tries++) {
        done += store_collect(f.store);
        usleep(1000);
    }
    for (int i = 0; i < BATCH; i++) {
        assert_int_equal(members[i].fj.job.err, i % 10 == 3   ? ERR_INVALID
                                                : i % 10 == 7 ? ERR_UNAVAILABLE
                                                              : ERR_OK);
    }
    assert_int_equal(count_of(&f, "SELECT count(*) FROM meta WHERE key LIKE 'member-%'"), 32);
    assert_int_equal(count_of(&f, "SELECT count(*) FROM audit WHERE event = 'member'"), 36);
    fixture_close(&f);
}

/* ── in order ──────────────────────────────────────────────────────────────────────────────── */

#define ORDERED 20

static struct turns {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int looked;           /* looks that are over */
    int applied[ORDERED]; /* by whom, in order */
    int count;
} turns = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};

/* The first look ends after all others, which one other reader runs meanwhile; the third fails. */
static enum err turn_look(struct session *s, void *context)
{
    struct member *m = context;
    (void)s;
    (void)pthread_mutex_lock(&turns.lock);
    while (m->index == 0 && turns.looked < ORDERED - 1)
        (void)pthread_cond_wait(&turns.moved, &turns.lock);
    turns.looked++;
    (void)pthread_cond_broadcast(&turns.moved);
    (void)pthread_mutex_unlock(&turns.lock);
    return m->index == 2 ? ERR_INVALID : ERR_OK;
}

static enum err turn_apply(struct session *s, void *context)
{
    struct member *m = context;
    (void)s;
    turns.applied[turns.count++] = m->index;
    return ERR_OK;
}

static void test_in_order(void **state)
{
    (void)state;
    static struct member members[ORDERED];
    struct fixture f;
    fixture_open(&f);
    for (int i = 0; i < ORDERED; i++) {
        members[i] = (struct member){.index = i};
        members[i].fj = fixture_job(turn_look, turn_apply, member_audit, &members[i]);
        members[i].fj.job.in_order = true;
        assert_int_equal(store_submit(f.store, &members[i].fj.job), ERR_OK);
    }
    for (unsigned done = 0, tries = 0; done < ORDERED && tries < 5000; tries++) {
        done += store_collect(f.store);
        usleep(1000);
    }
    assert_int_equal(turns.count, ORDERED - 1);
    for (int i = 1; i < turns.count; i++)
        assert_true(turns.applied[i - 1] < turns.applied[i]);
    assert_int_equal(members[2].fj.job.err, ERR_INVALID);
    fixture_close(&f);
}

/* ── many threads ──────────────────────────────────────────────────────────────────────────── */

#define THREADS 8
#define PER_THREAD 200

struct caller {
    struct fixture *f;
    int index;
    int failed;
};
struct named {
    char key[32];
};
static enum err named_apply(struct session *s, void *context)
{
    struct named *n = context;
    return put_meta(s, n->key);
}
static void *caller_main(void *argument)
{
    struct caller *c = argument;
    for (int i = 0; i < PER_THREAD; i++) {
        struct named n;
        (void)snprintf(n.key, sizeof n.key, "caller-%d-%d", c->index, i);
        c->failed += fixture_write(c->f, named_apply, &n) != ERR_OK;
    }
    return NULL;
}

static void test_group_commit_from_threads(void **state)
{
    (void)state;
    struct fixture f;
    struct caller callers[THREADS];
    pthread_t threads[THREADS];
    struct store_figures figures;
    fixture_open(&f);
    for (int i = 0; i < THREADS; i++) {
        callers[i] = (struct caller){&f, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, caller_main, &callers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(callers[i].failed, 0);
    }
    assert_int_equal(count_of(&f, "SELECT count(*) FROM meta WHERE key LIKE 'caller-%'"),
                     THREADS * PER_THREAD);
    store_figures(f.store, &figures);
    assert_int_equal(figures.jobs, THREADS * PER_THREAD + 1);
    assert_int_equal(figures.audit_seq, THREADS * PER_THREAD + 1);
    assert_int_equal(figures.queued, 0);
    assert_false(figures.stopped);
    assert_true(figures.commits < figures.jobs); /* groups did form */
    fixture_close(&f);
}

/* ── what a look sees ──────────────────────────────────────────────────────────────────────── */

/* One reader. A look is held; meanwhile a row is written and acknowledged, and then two more looks
 * are handed in. They find the row, though the reader had a snapshot open when it came to them. */
struct held {
    struct fixture_job fj; /* first: the job is found from it */
    pthread_mutex_t *gate;
    const char *key;
    int64_t rows;
    bool done;
};
static enum err held_look(struct session *s, void *context)
{
    struct held *h = context;
    struct sql *q = NULL;
    if (h->gate) {
        (void)pthread_mutex_lock(h->gate);
        (void)pthread_mutex_unlock(h->gate);
    }
    enum err err = sql_prepare(s, "SELECT count(*) FROM meta WHERE key = ?1", SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_str(q, 1, h->key);
    err = sql_row(q);
    if (!err)
        h->rows = sql_i64(q, 0);
    return sql_done(q, err);
}
static void held_done(struct store_job *job)
{
    ((struct held *)(void *)job)->done = true;
}
static void hand_in(struct fixture *f, struct held *h)
{
    h->fj = fixture_job(held_look, NULL, NULL, h);
    h->fj.job.done = held_done;
    assert_int_equal(store_submit(f->store, &h->fj.job), ERR_OK);
}

static void test_looks_see_what_was_acknowledged(void **state)
{
    (void)state;
    struct fixture f;
    fixture_new(&f);
    assert_int_equal(fixture_try_open(&f, 1), ERR_OK);
    for (int i = 0; i < 20; i++) {
        pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
        struct named n;
        (void)snprintf(n.key, sizeof n.key, "seen-%d", i);
        struct held first = {.key = n.key}, held = {.key = n.key, .gate = &gate};
        struct held after[2] = {{.key = n.key}, {.key = n.key}};
        (void)pthread_mutex_lock(&gate);
        hand_in(&f, &first); /* leaves a snapshot open, if the next is there in time */
        hand_in(&f, &held);
        assert_int_equal(fixture_write(&f, named_apply, &n), ERR_OK);
        hand_in(&f, &after[0]);
        hand_in(&f, &after[1]);
        (void)pthread_mutex_unlock(&gate);
        for (int tries = 0;
             tries < 5000 && !(first.done && held.done && after[0].done && after[1].done);
             tries++) {
            (void)store_collect(f.store);
            usleep(100);
        }
        assert_int_equal(first.fj.job.err, ERR_OK);
        assert_int_equal(after[0].rows, 1);
        assert_int_equal(after[1].rows, 1);
    }
    fixture_close(&f);
}

/* ── durability without an orderly end ─────────────────────────────────────────────────────── */

static void copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    char bytes[8192];
    assert_non_null(in);
    assert_non_null(out);
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, in)) > 0;)
        assert_int_equal(fwrite(bytes, 1, n, out), n);
    (void)fclose(in);
    assert_int_equal(fclose(out), 0);
}

/* The files as they lie while the store is running are what a crash would leave. */
static void test_recovers_from_the_log(void **state)
{
    (void)state;
    struct fixture f, g;
    char from[128], to[128];
    fixture_open(&f);
    for (int i = 0; i < 30; i++) {
        struct named n;
        (void)snprintf(n.key, sizeof n.key, "kept-%d", i);
        assert_int_equal(fixture_write(&f, named_apply, &n), ERR_OK);
    }
    fixture_new(&g);
    copy_file(f.path, g.path);
    (void)snprintf(from, sizeof from, "%s-wal", f.path);
    (void)snprintf(to, sizeof to, "%s-wal", g.path);
    copy_file(from, to);
    assert_int_equal(fixture_try_open(&g, 1), ERR_OK);
    assert_int_equal(count_of(&g, "SELECT count(*) FROM meta WHERE key LIKE 'kept-%'"), 30);
    assert_int_equal(count_of(&g, "SELECT count(*) FROM audit WHERE event = 'test'"), 31);
    fixture_close(&g);
    fixture_close(&f);
}

static void test_orderly_close_leaves_no_log(void **state)
{
    (void)state;
    struct fixture f;
    struct named n = {"closed"};
    struct stat st;
    char log[128];
    fixture_open(&f);
    assert_int_equal(fixture_write(&f, named_apply, &n), ERR_OK);
    store_close(f.store);
    (void)snprintf(log, sizeof log, "%s-wal", f.path);
    assert_true(stat(log, &st) != 0 || st.st_size == 0);
    assert_int_equal(stat(f.checkpoint, &st), 0); /* the head was signed */
    assert_true(st.st_size > 0);
    assert_int_equal(fixture_try_open(&f, 1), ERR_OK);
    assert_int_equal(count_of(&f, "SELECT count(*) FROM meta WHERE key = 'closed'"), 1);
    fixture_close(&f);
}

/* Not only at the end: somebody who takes the file away from a running program must find it nearly
 * complete. */
static void test_heads_are_copied_meanwhile(void **state)
{
    (void)state;
    enum { MANY = 1005 }; /* one head is signed every 1,000 rows */
    static struct member members[MANY];
    struct fixture f;
    struct stat st = {0};
    fixture_open(&f);
    for (int i = 0; i < MANY; i++) {
        members[i] = (struct member){.index = i};
        members[i].fj = fixture_job(NULL, NULL, member_audit, &members[i]);
        assert_int_equal(store_submit(f.store, &members[i].fj.job), ERR_OK);
    }
    for (unsigned done = 0; done < MANY; usleep(1000))
        done += store_collect(f.store);
    for (int tries = 0; tries < 30000 && st.st_size == 0; tries++) {
        if (stat(f.checkpoint, &st) != 0)
            st.st_size = 0;
        usleep(1000);
    }
    assert_true(st.st_size > 0);
    fixture_close(&f);
}

/* Jobs handed in before the close are finished by it. */
static void test_close_finishes_what_was_submitted(void **state)
{
    (void)state;
    static struct member members[BATCH];
    struct fixture f;
    fixture_open(&f);
    for (int i = 0; i < BATCH; i++) {
        members[i] = (struct member){.index = i};
        members[i].fj = fixture_job(NULL, member_apply, member_audit, &members[i]);
        assert_int_equal(store_submit(f.store, &members[i].fj.job), ERR_OK);
    }
    store_close(f.store);
    for (int i = 0; i < BATCH; i++)
        assert_int_equal(members[i].fj.job.err, ERR_OK);
    assert_int_equal(fixture_try_open(&f, 1), ERR_OK);
    assert_int_equal(count_of(&f, "SELECT count(*) FROM meta WHERE key LIKE 'member-%'"), BATCH);
    fixture_close(&f);
}

/* A command beside the server: two stores on one file, both writing. The chain has no fork. */
static void test_two_programs_on_one_file(void **state)
{
    (void)state;
    struct fixture f, g;
    struct caller callers[2];
    pthread_t threads[2];
    struct audit_verdict verdict;
    fixture_open(&f);
    g = f;
    g.store = NULL;
    assert_int_equal(fixture_try_open(&g, 1), ERR_OK);
    callers[0] = (struct caller){&f, 0, 0};
    callers[1] = (struct caller){&g, 1, 0};
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, caller_main, &callers[i]), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(callers[i].failed, 0);
    }
    store_close(g.store);
    assert_int_equal(count_of(&f, "SELECT count(*) FROM meta WHERE key LIKE 'caller-%'"),
                     2 * PER_THREAD);
    store_close(f.store);
    f.store = NULL;
    assert_int_equal(audit_verify(f.path, f.checkpoint, f.key, &verdict), ERR_OK);
    assert_true(verdict.ok);
    assert_int_equal(verdict.rows, 2 * PER_THREAD + 1);
    fixture_close(&f);
}

/* The log goes into the file without anybody asking, and then starts anew instead of growing. */
static enum err large_apply(struct session *s, void *context)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "INSERT OR REPLACE INTO meta(key, value) VALUES"
                               " ('large', randomblob(400000))",
                               SQL_OWN, &q);
    (void)context;
    return err ? err : sql_run(q);
}

static void test_log_is_moved_into_the_file(void **state)
{
    (void)state;
    struct fixture f;
    struct stat file, log;
    char path[128];
    mode_t mask;
    mask = umask(0);
    fixture_open(&f);
    (void)umask(mask);
    (void)snprintf(path, sizeof path, "%s-wal", f.path);
    for (int i = 0; i < 200; i++) { /* 80 MB in all */
        assert_int_equal(fixture_write(&f, large_apply, NULL), ERR_OK);
        if (i % 20 == 19)
            usleep(50000);
    }
    for (int i = 0; i < 100 && (stat(f.path, &file) != 0 || file.st_size < 400000); i++)
        usleep(100000);
    assert_true(file.st_size >= 400000);
    assert_int_equal(stat(path, &log), 0);
    assert_true(log.st_size < 60000000);
    assert_int_equal(file.st_mode & 0777, 0600);
    assert_int_equal(log.st_mode & 0777, 0600);
    fixture_close(&f);
}

/* ── schema ────────────────────────────────────────────────────────────────────────────────── */

static void run_raw(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void test_schema_versions(void **state)
{
    (void)state;
    struct fixture f;
    int have = -1, want = -1;
    int64_t created_ms = -1;
    fixture_new(&f);
    assert_int_equal(store_schema(f.path, &have, &want), ERR_IO); /* no file */
    assert_int_equal(fixture_try_open(&f, 1), ERR_OK);
    store_close(f.store);
    assert_int_equal(store_schema(f.path, &have, &want), ERR_OK);
    assert_true(want >= 1);
    assert_int_equal(have, want);
    assert_int_equal(store_created(f.path, &created_ms), ERR_OK);
    assert_int_equal(created_ms, FIXTURE_NOW);
    f.clock.ms += 1000;
    assert_int_equal(fixture_try_open(&f, 1), ERR_OK);
    store_close(f.store);
    assert_int_equal(store_created(f.path, &created_ms), ERR_OK);
    assert_int_equal(created_ms, FIXTURE_NOW); /* once */
    run_raw(f.path, "DELETE FROM meta");
    assert_int_equal(store_created(f.path, &created_ms), ERR_NOT_FOUND);
    run_raw(f.path, "PRAGMA user_version = 9999");
    f.store = NULL;
    assert_int_equal(fixture_try_open(&f, 1), ERR_VERSION);
    assert_null(f.store);
    assert_int_equal(store_schema(f.path, &have, &want), ERR_OK);
    assert_int_equal(have, 9999);
    fixture_close(&f);
}

static void test_refuses_what_is_no_store(void **state)
{
    (void)state;
    struct fixture f;
    FILE *file;
    fixture_new(&f);
    file = fopen(f.path, "wb");
    assert_non_null(file);
    for (int i = 0; i < 400; i++)
        (void)fputs("this is not a database ", file);
    (void)fclose(file);
    assert_int_equal(fixture_try_open(&f, 1), ERR_IO);
    assert_null(f.store);
    fixture_close(&f);
}

static void test_backup_opens(void **state)
{
    (void)state;
    struct fixture f;
    struct named n = {"copied"};
    char copy[128];
    fixture_open(&f);
    assert_int_equal(fixture_write(&f, named_apply, &n), ERR_OK);
    (void)snprintf(copy, sizeof copy, "%.64s/copy.db", f.folder);
    assert_int_equal(store_backup(f.store, copy), ERR_OK);
    assert_int_equal(store_backup(f.store, copy), ERR_CONFLICT); /* never over a file there */
    store_close(f.store);
    (void)snprintf(f.path, sizeof f.path, "%.90s", copy);
    assert_int_equal(fixture_try_open(&f, 1), ERR_OK);
    assert_int_equal(count_of(&f, "SELECT count(*) FROM meta WHERE key = 'copied'"), 1);
    fixture_close(&f);
}

/* ── bounds ────────────────────────────────────────────────────────────────────────────────── */

static void test_queue_is_bounded(void **state)
{
    (void)state;
    static struct member members[LIMIT_STORE_QUEUE];
    struct member extra = {.index = -1};
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    struct fixture f;
    fixture_open(&f);
    (void)pthread_mutex_lock(&gate);
    for (unsigned i = 0; i < LIMIT_STORE_QUEUE; i++) {
        members[i] = (struct member){.index = (int)i, .gate = i == 0 ? &gate : NULL};
        members[i].fj = fixture_job(NULL, member_apply, member_audit, &members[i]);
        assert_int_equal(store_submit(f.store, &members[i].fj.job), ERR_OK);
    }
    extra.fj = fixture_job(NULL, member_apply, member_audit, &extra);
    assert_int_equal(store_submit(f.store, &extra.fj.job), ERR_BUSY);
    (void)pthread_mutex_unlock(&gate);
    for (unsigned done = 0; done < LIMIT_STORE_QUEUE; usleep(1000))
        done += store_collect(f.store);
    assert_int_equal(store_submit(f.store, &extra.fj.job), ERR_OK);
    fixture_close(&f);
}

static enum err endless_look(struct session *s, void *context)
{
    (void)context;
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                               " SELECT count(*) FROM n",
                               SQL_OWN, &q);
    return err ? err : sql_run(q);
}

static void test_endless_look_ends(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    assert_int_equal(fixture_read(&f, endless_look, NULL), ERR_TIMEOUT);
    assert_int_equal(count_of(&f, "SELECT 7"), 7); /* the reader lives */
    fixture_close(&f);
}

static enum err writing_look(struct session *s, void *context)
{
    (void)context;
    return put_meta(s, "forbidden");
}

static void test_readers_cannot_write(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    assert_int_equal(fixture_read(&f, writing_look, NULL), ERR_IO);
    assert_int_equal(count_of(&f, "SELECT count(*) FROM meta WHERE key = 'forbidden'"), 0);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_of_steps),
        cmocka_unit_test(test_grants_end_with_their_step),
        cmocka_unit_test(test_bad_jobs_fail_alone),
        cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_group_commit_from_threads),
        cmocka_unit_test(test_looks_see_what_was_acknowledged),
        cmocka_unit_test(test_recovers_from_the_log),
        cmocka_unit_test(test_orderly_close_leaves_no_log),
        cmocka_unit_test(test_heads_are_copied_meanwhile),
        cmocka_unit_test(test_close_finishes_what_was_submitted),
        cmocka_unit_test(test_two_programs_on_one_file),
        cmocka_unit_test(test_log_is_moved_into_the_file),
        cmocka_unit_test(test_schema_versions),
        cmocka_unit_test(test_refuses_what_is_no_store),
        cmocka_unit_test(test_backup_opens),
        cmocka_unit_test(test_queue_is_bounded),
        cmocka_unit_test(test_endless_look_ends),
        cmocka_unit_test(test_readers_cannot_write),
    };
    return T_RUN(tests);
}
