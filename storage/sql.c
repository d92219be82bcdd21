/* SPDX-License-Identifier: Apache-2.0
 *
 * Prepare, bind, step, columns, and the one place where SQLITE_* becomes enum err. Statements are
 * compiled once per connection: static texts live in a table found by address, composed ones
 * (search.c) in a small table that gives up the longest unused. Which of the two worlds a
 * statement belongs to (own or gated) is set for the authorizer around compiling and around every
 * step, because SQLite may compile again inside a step after a schema change; at rest a
 * connection is gated. Must not log and must not know any table.
 */
#include "storage/sql.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/when.h"
#include "storage/gate.h"
#include "storage/session_impl.h"

#include "base/banned.h"

#define SQL_STATIC_SLOTS 512 /* power of two; more texts than the store has */
#define SQL_COMPOSED_SLOTS 48

struct sql {
    struct session *session;
    sqlite3_stmt *stmt;
    const char *key; /* static: the text's address; composed: a copy of it */
    uint64_t used;   /* composed: when last taken, in takings */
    unsigned within_ms; /* 0: LIMIT_SEARCH_MS; until sql_done */
    enum err err;    /* sticky until sql_done */
    bool own;
    bool taken;    /* between prepare and done */
    bool stepping; /* between first step and done */
    bool at_end;
};

struct sql_cache {
    struct sql *fixed[SQL_STATIC_SLOTS];
    unsigned fixed_count;
    struct sql *composed[SQL_COMPOSED_SLOTS];
    uint64_t takings;
};

static enum err code_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return ERR_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
        return ERR_UNAVAILABLE;
    case SQLITE_INTERRUPT:
        return ERR_TIMEOUT;
    case SQLITE_NOMEM:
        return ERR_LIMIT;
    case SQLITE_TOOBIG:
        return ERR_TOO_LARGE;
    case SQLITE_CONSTRAINT:
        return ERR_CONFLICT;
    case SQLITE_AUTH:
        return ERR_FORBIDDEN;
    case SQLITE_IOERR:
        return rc == SQLITE_IOERR_NOMEM ? ERR_LIMIT : ERR_IO;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
        return ERR_IO;
    default:
        return ERR_INTERNAL;
    }
}

enum err sql_code(struct session *s, int rc)
{
    enum err err = code_of(rc);
    if (s && s->writes) {
        if (err == ERR_IO)
            s->broken = true;
        if ((rc & 0xff) == SQLITE_FULL)
            s->full = true;
    }
    return err;
}

enum err sql_exec(struct session *s, const char *text)
{
    bool before = s->own;
    s->own = true;
    int rc = sqlite3_exec(s->db, text, NULL, NULL, NULL);
    s->own = before;
    return sql_code(s, rc);
}

/* ── compiling and the two tables ────────────────────────────────────────────────────────────── */

static int prepare(struct session *s, const char *text, bool own, sqlite3_stmt **ret_stmt,
                   const char **ret_tail)
{
    bool before = s->own, compiling = s->compiling;
    s->own = own;
    s->compiling = true;
    int rc = sqlite3_prepare_v3(s->db, text, -1, SQLITE_PREPARE_PERSISTENT, ret_stmt, ret_tail);
    s->own = before;
    s->compiling = compiling;
    return rc;
}

/* Connects the full-text table outside any gated statement. */
static enum err touch_words(struct session *s)
{
    return sql_exec(s, "SELECT rowid FROM ix_words WHERE 0");
}

static enum err compile(struct session *s, const char *text, bool own, struct sql **ret_sql)
{
    if (!own && !gate_text_ok(text))
        return ERR_FORBIDDEN;
    struct sql *q = calloc(1, sizeof *q);
    if (!q)
        return ERR_LIMIT;
    const char *tail = NULL;
    int rc = prepare(s, text, own, &q->stmt, &tail);
    /* The full-text table may have to be connected anew (after a change of the schema), and reads its shadow tables
     * then, which no gated statement may while it is compiled. */
    if ((rc & 0xff) == SQLITE_AUTH && !own && touch_words(s) == ERR_OK)
        rc = prepare(s, text, own, &q->stmt, &tail);
    /* Nested deeper than SQLite's parser was built for: the asker's doing, no fault of ours. */
    if (rc == SQLITE_ERROR && !own && strcmp(sqlite3_errmsg(s->db), "parser stack overflow") == 0)
        rc = SQLITE_TOOBIG;
    enum err err = sql_code(s, rc);
    if (!err && !q->stmt)
        err = ERR_INTERNAL;
    if (!err && !own && (*tail || !sqlite3_stmt_readonly(q->stmt)))
        err = ERR_FORBIDDEN;
    if (err) {
        sqlite3_finalize(q->stmt);
        free(q);
        return err;
    }
    q->session = s;
    q->own = own;
    *ret_sql = q;
    return ERR_OK;
}

static struct sql_cache *cache_of(struct session *s)
{
    if (!s->cache)
        s->cache = calloc(1, sizeof *s->cache);
    return s->cache;
}

static struct sql *take(struct sql *q)
{
    assert(!q->taken); /* prepared again before sql_done */
    q->taken = true;
    q->err = ERR_OK;
    return q;
}

static struct sql **fixed_slot(struct sql_cache *cache, const char *text)
{
    uint64_t hash = (uint64_t)(uintptr_t)text * UINT64_C(0x9e3779b97f4a7c15);
    size_t i = (size_t)(hash >> 40) & (SQL_STATIC_SLOTS - 1);
    while (cache->fixed[i] && cache->fixed[i]->key != text)
        i = (i + 1) & (SQL_STATIC_SLOTS - 1);
    return &cache->fixed[i];
}

enum err sql_prepare(struct session *s, const char *text, enum sql_access access,
                     struct sql **ret_sql)
{
    struct sql_cache *cache = cache_of(s);
    if (!cache)
        return ERR_LIMIT;
    struct sql **slot = fixed_slot(cache, text);
    if (!*slot) {
        assert(cache->fixed_count < SQL_STATIC_SLOTS * 3 / 4);
        struct sql *q = NULL;
        enum err err = compile(s, text, access == SQL_OWN, &q);
        if (err)
            return err;
        q->key = text;
        *slot = q;
        cache->fixed_count++;
    }
    assert((*slot)->own == (access == SQL_OWN));
    *ret_sql = take(*slot);
    return ERR_OK;
}

static void drop(struct sql *q)
{
    if (!q)
        return;
    sqlite3_finalize(q->stmt);
    free(q);
}

static void drop_composed(struct sql *q)
{
    if (q)
        free((char *)(uintptr_t)q->key);
    drop(q);
}

/* The slot of TEXT, or the one to use for it: an empty one, else the longest unused. */
static struct sql **composed_slot(struct sql_cache *cache, const char *text)
{
    struct sql **best = NULL;
    for (size_t i = 0; i < SQL_COMPOSED_SLOTS; i++) {
        struct sql **slot = &cache->composed[i];
        if (*slot && strcmp((*slot)->key, text) == 0)
            return slot;
        if (*slot && (*slot)->taken)
            continue;
        if (!best || (*best && (!*slot || (*slot)->used < (*best)->used)))
            best = slot;
    }
    return best;
}

enum err sql_prepare_composed(struct session *s, const char *text, struct sql **ret_sql)
{
    struct sql_cache *cache = cache_of(s);
    if (!cache)
        return ERR_LIMIT;
    struct sql **slot = composed_slot(cache, text);
    if (!slot)
        return ERR_LIMIT;
    if (!*slot || strcmp((*slot)->key, text) != 0) {
        char *key = strdup(text);
        if (!key)
            return ERR_LIMIT;
        struct sql *q = NULL;
        enum err err = compile(s, text, false, &q);
        if (err) {
            free(key);
            return err;
        }
        drop_composed(*slot);
        q->key = key;
        *slot = q;
    }
    (*slot)->used = ++cache->takings;
    *ret_sql = take(*slot);
    return ERR_OK;
}

void sql_forget(struct session *s)
{
    if (!s->cache)
        return;
    for (size_t i = 0; i < SQL_STATIC_SLOTS; i++)
        drop(s->cache->fixed[i]);
    for (size_t i = 0; i < SQL_COMPOSED_SLOTS; i++)
        drop_composed(s->cache->composed[i]);
    free(s->cache);
    s->cache = NULL;
}

/* ── parameters ──────────────────────────────────────────────────────────────────────────────── */

static void bound(struct sql *q, int rc)
{
    assert(rc != SQLITE_RANGE &&
           rc != SQLITE_MISUSE); /* no such parameter, or bound while running */
    if (rc != SQLITE_OK && !q->err)
        q->err = sql_code(q->session, rc);
}

void sql_bind_i64(struct sql *q, int index, int64_t value)
{
    bound(q, sqlite3_bind_int64(q->stmt, index, value));
}

void sql_bind_real(struct sql *q, int index, double value)
{
    bound(q, sqlite3_bind_double(q->stmt, index, value));
}

void sql_bind_text(struct sql *q, int index, struct slice text)
{
    const char *ptr = text.ptr ? text.ptr : "";
    bound(q, sqlite3_bind_text64(q->stmt, index, ptr, text.len, SQLITE_STATIC, SQLITE_UTF8));
}

void sql_bind_str(struct sql *q, int index, const char *text)
{
    sql_bind_text(q, index, slice_str(text));
}

void sql_bind_blob(struct sql *q, int index, const void *bytes, size_t len)
{
    bound(q, sqlite3_bind_blob64(q->stmt, index, bytes ? bytes : "", len, SQLITE_STATIC));
}

void sql_bind_null(struct sql *q, int index)
{
    bound(q, sqlite3_bind_null(q->stmt, index));
}

void sql_bind_pointer(struct sql *q, int index, void *pointer, const char *type)
{
    bound(q, sqlite3_bind_pointer(q->stmt, index, pointer, type, NULL));
}

void sql_bind_i64_or_null(struct sql *q, int index, int64_t value)
{
    if (value)
        sql_bind_i64(q, index, value);
    else
        sql_bind_null(q, index);
}

void sql_bind_text_or_null(struct sql *q, int index, struct slice text)
{
    if (text.len)
        sql_bind_text(q, index, text);
    else
        sql_bind_null(q, index);
}

/* ── running ─────────────────────────────────────────────────────────────────────────────────── */

/* The deadline is one statement's: those that run inside another (the gate's) share the outer
 * one's. */
static void start(struct sql *q)
{
    struct session *s = q->session;
    q->stepping = true;
    q->at_end = false;
    if (s->active++ == 0 && !s->writes)
        s->deadline_ms = clock_monotonic_ms() + (q->within_ms ? q->within_ms : LIMIT_SEARCH_MS);
}

void sql_within(struct sql *q, unsigned within_ms)
{
    assert(q->taken && !q->stepping);
    q->within_ms = within_ms;
}

enum err sql_step(struct sql *q, bool *ret_row)
{
    assert(q->taken);
    if (q->err)
        return q->err;
    if (!q->stepping)
        start(q);
    if (q->at_end) {
        *ret_row = false;
        return ERR_OK;
    }
    struct session *s = q->session;
    bool before = s->own;
    s->own = q->own;
    int rc = sqlite3_step(q->stmt);
    s->own = before;
    q->err = sql_code(s, rc);
    if (q->err)
        return q->err;
    q->at_end = rc != SQLITE_ROW;
    *ret_row = rc == SQLITE_ROW;
    return ERR_OK;
}

enum err sql_row(struct sql *q)
{
    bool row = false;
    enum err err = sql_step(q, &row);
    return err ? err : row ? ERR_OK : ERR_NOT_FOUND;
}

enum err sql_run(struct sql *q)
{
    bool row = true;
    enum err err = ERR_OK;
    while (!err && row)
        err = sql_step(q, &row);
    return sql_done(q, err);
}

enum err sql_done(struct sql *q, enum err err)
{
    if (!q)
        return err;
    assert(q->taken);
    if (!err)
        err = q->err;
    sqlite3_reset(q->stmt);
    sqlite3_clear_bindings(q->stmt);
    if (q->stepping) {
        assert(q->session->active > 0);
        q->session->active--;
    }
    q->taken = q->stepping = q->at_end = false;
    q->within_ms = 0;
    q->err = ERR_OK;
    return err;
}

void sql_fail(struct sql *q, enum err err)
{
    if (!q->err)
        q->err = err;
}

struct session *sql_session(const struct sql *q)
{
    return q->session;
}

/* ── columns ─────────────────────────────────────────────────────────────────────────────────── */

int64_t sql_i64(struct sql *q, int column)
{
    return sqlite3_column_int64(q->stmt, column);
}

bool sql_is_null(struct sql *q, int column)
{
    return sqlite3_column_type(q->stmt, column) == SQLITE_NULL;
}

struct slice sql_slice(struct sql *q, int column)
{
    const void *ptr = sqlite3_column_blob(q->stmt, column); /* a text's bytes, too */
    int len = sqlite3_column_bytes(q->stmt, column);
    return len > 0 && ptr ? slice_of(ptr, (size_t)len) : SLICE_NONE;
}

const char *sql_str(struct sql *q, int column)
{
    const unsigned char *text = sqlite3_column_text(q->stmt, column);
    return text ? (const char *)text : "";
}

struct slice sql_dup(struct sql *q, int column, struct arena *arena)
{
    struct slice borrowed = sql_slice(q, column);
    struct slice copy = arena_dup(arena, borrowed);
    if (copy.len != borrowed.len && !q->err)
        q->err = ERR_LIMIT;
    return copy;
}

bool sql_bytes(struct sql *q, int column, void *ret, size_t len)
{
    struct slice bytes = sql_slice(q, column);
    if (bytes.len != len)
        return false;
    memcpy(ret, bytes.ptr, len);
    return true;
}

int64_t sql_changes(struct session *s)
{
    return sqlite3_changes64(s->db);
}

int64_t sql_last_id(struct session *s)
{
    return sqlite3_last_insert_rowid(s->db);
}
