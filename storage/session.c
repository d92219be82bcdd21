/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection: how it is opened, what is bound to it. Settings follow from what the store
 * promises: WAL with synchronous=FULL (an acknowledged write is on disk), no automatic checkpoint
 * on the writer (a commit never waits for one; storage/checkpoint.c), the log written in pieces
 * (storage/log_vfs.h), no mmap (an I/O error must
 * be an error code, not a signal), defensive mode and an untrusted schema (a tampered file must
 * not run anything). Readers open the file read-only.
 */
#include "storage/session.h"

#include <assert.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "base/limits.h"
#include "storage/body.h"
#include "storage/gate.h"
#include "storage/log_vfs.h"
#include "storage/migrate.h"
#include "storage/session_impl.h"
#include "storage/sql.h"
#include "storage/words.h"

#include "base/banned.h"

#define SESSION_VALUE_MAX (64 * 1024 * 1024)
#define SESSION_TEXT_MAX (512 * 1024)
#define SESSION_PAGES_KEPT 64 /* of each connection's cache: not given back to malloc between transactions */

static void set_limits(sqlite3 *db)
{
    static const struct {
        int id;
        int value;
    } limits[] = {
        {SQLITE_LIMIT_LENGTH, SESSION_VALUE_MAX},
        {SQLITE_LIMIT_SQL_LENGTH, SESSION_TEXT_MAX},
        {SQLITE_LIMIT_ATTACHED, 0},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 4},
        {SQLITE_LIMIT_WORKER_THREADS, 0},
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        (void)sqlite3_limit(db, limits[i].id, limits[i].value);
}

static enum err set_switches(struct session *s)
{
    static const struct {
        int op;
        int value;
    } switches[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
    };
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        int now = -1;
        int rc = sqlite3_db_config(s->db, switches[i].op, switches[i].value, &now);
        if (rc != SQLITE_OK || now != switches[i].value)
            return rc == SQLITE_OK ? ERR_INTERNAL : sql_code(s, rc);
    }
    return ERR_OK;
}

/* WAL must really be on: on a file system without shared memory SQLite quietly keeps the old
 * mode. */
static enum err set_wal(struct session *s)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s, "PRAGMA journal_mode = WAL", SQL_OWN, &q);
    if (err)
        return err;
    err = sql_row(q);
    if (!err && !slice_is(sql_slice(q, 0), "wal"))
        err = ERR_IO;
    return sql_done(q, err);
}

static enum err set_up(struct session *s)
{
    /* Statements say where they begin (search_start.c): an index made for one of them would be over
     * all records. */
    static const char common[] = "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"
                                 "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2048;"
                                 "PRAGMA automatic_index = OFF;";
    /* The writer's pages stay warm, since nobody else writes; a reader's are dropped at every
     * commit anyhow. */
    static const char writing[] =
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -8192;"
        "PRAGMA wal_autocheckpoint = 0;";
    set_limits(s->db);
    enum err err = set_switches(s);
    if (!err)
        err = sql_exec(s, common);
    if (!err && s->writes)
        err = set_wal(s);
    if (!err && s->writes)
        err = sql_exec(s, writing);
    if (!err)
        err = words_register(s->db);
    if (!err)
        err = gate_functions(s); /* the schema's steps use them */
    if (!err && s->writes)
        err = migrate_run(s);
    if (!err)
        err = gate_open(s);
    return err;
}

/* Counting every allocation would take one lock for all threads at each; nothing here asks for the counts. Refused
 * harmlessly when SQLite is in use already. */
static void configure(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    (void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, SESSION_PAGES_KEPT);
}

#define SCRATCHES 7

static struct buf *const *scratch_of(struct session *s, struct buf *ret[SCRATCHES])
{
    ret[0] = &s->scratch.body;
    ret[1] = &s->scratch.facets;
    ret[2] = &s->scratch.former;
    ret[3] = &s->scratch.before;
    ret[4] = &s->scratch.after;
    ret[5] = &s->words.rows;
    ret[6] = &s->words.texts;
    return ret;
}

enum err session_coder(struct session *s, struct body_coder **ret_coder)
{
    enum err err = s->coder ? ERR_OK : body_coder_new(&s->coder);
    if (!err)
        *ret_coder = s->coder;
    return err;
}

enum err session_open(const struct store_options *options, bool writes,
                      struct session **ret_session)
{
    static pthread_once_t configured = PTHREAD_ONCE_INIT;
    (void)pthread_once(&configured, configure);
    struct session *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_LIMIT;
    struct buf *scratch[SCRATCHES];
    for (size_t i = 0; i < SCRATCHES; i++)
        buf_init(scratch_of(s, scratch)[i], 2 * LIMIT_BODY);
    s->options = options;
    s->writes = writes;
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    flags |= writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    const char *vfs = writes ? log_vfs_name() : NULL;
    enum err err = writes && !vfs ? ERR_LIMIT : ERR_OK;
    if (!err)
        err = sql_code(s, sqlite3_open_v2(options->path, &s->db, flags, vfs));
    if (!err)
        err = sql_code(s, sqlite3_busy_timeout(s->db, SESSION_BUSY_MS));
    if (!err)
        err = set_up(s);
    if (err) {
        session_close(s);
        return err;
    }
    *ret_session = s;
    return ERR_OK;
}

void session_close(struct session *s)
{
    if (!s)
        return;
    sql_forget(s);
    int rc = sqlite3_close(s->db);
    assert(rc == SQLITE_OK); /* a statement outside the table would be ours */
    gate_close(s);
    body_coder_free(s->coder);
    struct buf *scratch[SCRATCHES];
    for (size_t i = 0; i < SCRATCHES; i++)
        buf_fini(scratch_of(s, scratch)[i]);
    free(s);
}

void session_bind(struct session *s, const struct grant *grant)
{
    assert(!grant || grant->magic == GRANT_MAGIC);
    s->grant = grant;
    gate_forget(s);
}

const struct grant *session_grant(const struct session *s)
{
    return s->grant;
}

int64_t session_now_ms(struct session *s)
{
    return s->options->clock->now_ms(s->options->clock);
}

bool session_writes(const struct session *s)
{
    return s->writes;
}
