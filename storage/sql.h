/* SPDX-License-Identifier: Apache-2.0
 *
 * Internal to storage/: prepare, bind, step, columns. A statement is compiled once per connection
 * and found again by the address of its (static) text. SQLite's codes become enum err in sql.c
 * and nowhere else.
 *
 *     struct sql *q;
 *     enum err err = sql_prepare(s, "SELECT person FROM card WHERE number = ?", SQL_OWN, &q);
 *     if (err)
 *         return err;
 *     sql_bind_text(q, 1, number);
 *     err = sql_row(q);                  // ERR_OK: a row; ERR_NOT_FOUND: none
 *     if (!err)
 *         person = sql_i64(q, 0);
 *     return sql_done(q, err);           // always; resets, answers the first failure
 *
 * Binding and copying failures are sticky in the statement: sql_step, sql_row, sql_run and
 * sql_done tell them, so callers need not check each one. A statement may not be prepared again
 * before sql_done.
 */
#ifndef STORAGE_SQL_H
#define STORAGE_SQL_H

#include "base/arena.h"
#include "storage/session.h"

struct sql;

enum sql_access {
    SQL_OWN,  /* the store's own: identity, registry, audit, consent rules, and all writing */
    SQL_GATED /* releases patient data: may read the gated views (storage/gate.h) and nothing else
               */
};

/* The statement of TEXT (a string literal: it is remembered by address) on this connection. A
 * gated text that reaches round the views does not compile: ERR_FORBIDDEN. */
enum err sql_prepare(struct session *s, const char *text, enum sql_access access,
                     struct sql **ret_sql) ERR_CHECKED;
/* The gated statement of a composed text (NUL-terminated, copied), from a bounded cache. Only
 * search.c and change.c. */
enum err sql_prepare_composed(struct session *s, const char *text,
                              struct sql **ret_sql) ERR_CHECKED;

/* Parameters count from 1. Texts and blobs are borrowed until sql_done. */
void sql_bind_i64(struct sql *q, int index, int64_t value);
void sql_bind_real(struct sql *q, int index, double value);
void sql_bind_text(struct sql *q, int index, struct slice text);
void sql_bind_str(struct sql *q, int index, const char *text); /* NULL binds the empty text */
void sql_bind_blob(struct sql *q, int index, const void *bytes, size_t len);
void sql_bind_null(struct sql *q, int index);
/* A pointer for a function of ours that asks for TYPE (a literal): to SQL it is NULL. */
void sql_bind_pointer(struct sql *q, int index, void *pointer, const char *type);
/* Value, or NULL when it is 0 / empty: for nullable columns. */
void sql_bind_i64_or_null(struct sql *q, int index, int64_t value);
void sql_bind_text_or_null(struct sql *q, int index, struct slice text);

/* Before the first step, on a reader: ERR_TIMEOUT after so long instead of LIMIT_SEARCH_MS. Until sql_done. */
void sql_within(struct sql *q, unsigned within_ms);
/* Next row: *ret_row tells whether there is one. */
enum err sql_step(struct sql *q, bool *ret_row) ERR_CHECKED;
/* Next row or ERR_NOT_FOUND. */
enum err sql_row(struct sql *q) ERR_CHECKED;
/* Runs to the end and calls sql_done: for statements that return nothing. */
enum err sql_run(struct sql *q) ERR_CHECKED;
/* Resets and unbinds; answers ERR if set, else the sticky failure. NULL is fine. */
enum err sql_done(struct sql *q, enum err err) ERR_CHECKED;

/* A failure in what a caller makes of a row: sticky, as if the statement had failed. */
void sql_fail(struct sql *q, enum err err);
/* The session Q was prepared on. */
struct session *sql_session(const struct sql *q);

/* Columns count from 0. NULL reads as 0 / empty. */
int64_t sql_i64(struct sql *q, int column);
bool sql_is_null(struct sql *q, int column);
/* Borrowed until the next step; text and blob alike. */
struct slice sql_slice(struct sql *q, int column);
/* The same, ended by a NUL. */
const char *sql_str(struct sql *q, int column);
/* Copied into ARENA (with a NUL behind it); memory running out is sticky. */
struct slice sql_dup(struct sql *q, int column, struct arena *arena);
/* Exactly LEN bytes of a blob into RET; false (untouched) when it is NULL or of other length. */
bool sql_bytes(struct sql *q, int column, void *ret, size_t len);

/* What SQLite's code RC means to us; on a writer's session it also notes broken and full. S may
 * be NULL. */
enum err sql_code(struct session *s, int rc) ERR_CHECKED;
/* Runs a text of any number of statements (settings, migrations, views), never one with values in
 * it. */
enum err sql_exec(struct session *s, const char *text) ERR_CHECKED;
/* Forgets every compiled statement; for session_close. */
void sql_forget(struct session *s);

/* Rows changed by the last writing statement, and the rowid of the last insert, of this
 * connection. */
int64_t sql_changes(struct session *s);
int64_t sql_last_id(struct session *s);

#endif
