/* SPDX-License-Identifier: Apache-2.0
 *
 * Proves the audit chain: recomputes every row in order and holds the result against the signed
 * heads in the store and in the file outside it. Opens the store by itself, read-only, in one
 * snapshot, and trusts nothing in it: column types are checked, because a changed schema could let
 * other types in. The outside file is read before the snapshot is taken; heads reach it after
 * COMMIT, so a running server can never make it look as if rows were cut off. Must not change
 * anything, nor share code with the writer but the canonical form.
 */
#include "storage/audit_impl.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/banned.h"

#define HEADS_MAX (512u * 1024u * 1024u) /* bytes of heads in memory: some 5 million */

struct proof {
    struct audit_verdict *verdict;
    const unsigned char *key;
    bool file_missing;
    struct buf file_bytes; /* struct audit_checkpoint[], sorted by seq */
    size_t file_at;        /* next one not yet held against a row */
    sqlite3 *db;
    sqlite3_stmt *rows;
    sqlite3_stmt *heads;
    bool have_head; /* `head` is the next one of the table */
    struct audit_checkpoint head;
    struct buf canon;
    int64_t seq; /* of the last good row */
    unsigned char hash[DIGEST_LEN];
};

__attribute__((format(printf, 3, 4))) static void fail(struct proof *p, int64_t seq,
                                                       const char *format, ...)
{
    struct audit_verdict *v = p->verdict;
    va_list args;

    v->ok = false;
    v->bad_seq = seq;
    va_start(args, format);
    vsnprintf(v->text, sizeof v->text, format, args);
    va_end(args);
}

/* ── the file outside ────────────────────────────────────────────────────────────────────────── */

static size_t file_count(const struct proof *p)
{
    return p->file_bytes.len / sizeof(struct audit_checkpoint);
}

static const struct audit_checkpoint *file_head(const struct proof *p, size_t at)
{
    return at < file_count(p)
               ? (const struct audit_checkpoint *)(const void *)p->file_bytes.ptr + at
               : NULL;
}

/* A crash can tear the line being written; the writer ends the piece with a line end and writes the
 * whole line again, so a piece is fine exactly when what follows begins with it. *TORN keeps the
 * longest piece not yet followed by its line. */
static bool take_line(struct proof *p, struct slice line, struct buf *torn)
{
    struct slice piece = buf_slice(torn);
    struct audit_checkpoint head;

    if (audit_checkpoint_parse(line, &head)) {
        bool whole = slice_starts(line, piece);

        buf_clear(torn);
        buf_add(&p->file_bytes, slice_of(&head, sizeof head));
        return whole;
    }
    if (line.len <= piece.len)
        return slice_starts(piece, line);
    if (!slice_starts(line, piece))
        return false;
    buf_clear(torn);
    buf_add(torn, line);
    return true;
}

static int head_order(const void *a, const void *b)
{
    int64_t x = ((const struct audit_checkpoint *)a)->seq;
    int64_t y = ((const struct audit_checkpoint *)b)->seq;

    return (x > y) - (x < y);
}

/* ERR_OK with a failed verdict when the file was edited. */
static enum err read_file(struct proof *p, const char *path)
{
    char bytes[AUDIT_LINE_MAX];
    struct buf torn;
    FILE *file = fopen(path, "re");
    int64_t number = 0;
    enum err err;

    if (!file) {
        p->file_missing = true;
        return errno == ENOENT ? ERR_OK : ERR_IO;
    }
    buf_init(&torn, AUDIT_LINE_MAX);
    while (p->verdict->ok && fgets(bytes, sizeof bytes, file)) {
        struct slice line = slice_str(bytes);

        number++;
        if (line.len == 0 || line.ptr[line.len - 1] != '\n') {
            if (!feof(file))
                fail(p, 0, "line %" PRId64 " of the checkpoint file is not one", number);
            break; /* the torn last line of a crash */
        }
        line.len--;
        if (!take_line(p, line, &torn))
            fail(p, 0, "line %" PRId64 " of the checkpoint file is not one", number);
    }
    err = ferror(file) ? ERR_IO : buf_err(&p->file_bytes);
    fclose(file);
    buf_fini(&torn);
    if (err == ERR_OK && file_count(p) > 1)
        qsort(p->file_bytes.ptr, file_count(p), sizeof(struct audit_checkpoint), head_order);
    return err;
}

/* ── the store ───────────────────────────────────────────────────────────────────────────────── */

static enum err open_store(struct proof *p, const char *db_path)
{
    int rc = sqlite3_open_v2(db_path, &p->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc != SQLITE_OK)
        return rc == SQLITE_CANTOPEN ? ERR_NOT_FOUND : ERR_IO;
    sqlite3_busy_timeout(p->db, 10000);
    sqlite3_exec(p->db, "PRAGMA query_only=1; PRAGMA trusted_schema=0; PRAGMA mmap_size=0;", NULL,
                 NULL, NULL);
    return ERR_OK;
}

/* An SQLite failure in mid-proof: trouble of the moment, or a damaged store (a verdict). */
static enum err sqlite_trouble(struct proof *p)
{
    switch (sqlite3_errcode(p->db) & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_NOMEM:
        return ERR_LIMIT;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return ERR_IO;
    default:
        fail(p, p->seq + 1, "the store is damaged after row %" PRId64 ": %.100s", p->seq,
             sqlite3_errmsg(p->db));
        return ERR_OK;
    }
}

static enum err prepare(struct proof *p)
{
    static const char rows[] =
        "SELECT seq, at_ms, event, outcome, door, actor, facility, user, role, purpose, person,"
        " entity, query, count, reason, request, peer, hash FROM main.audit ORDER BY seq";
    static const char heads[] =
        "SELECT seq, at_ms, hash, mac FROM main.audit_checkpoint ORDER BY seq";

    if (sqlite3_exec(p->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(p->db, rows, -1, &p->rows, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(p->db, heads, -1, &p->heads, NULL) != SQLITE_OK)
        return sqlite_trouble(p);
    return ERR_OK;
}

static bool is_digest(sqlite3_stmt *stmt, int column)
{
    return sqlite3_column_type(stmt, column) == SQLITE_BLOB &&
           sqlite3_column_bytes(stmt, column) == DIGEST_LEN;
}

static enum err next_table_head(struct proof *p)
{
    int rc = sqlite3_step(p->heads);

    p->have_head = rc == SQLITE_ROW;
    if (rc == SQLITE_DONE)
        return ERR_OK;
    if (rc != SQLITE_ROW)
        return sqlite_trouble(p);
    p->head.seq = sqlite3_column_int64(p->heads, 0);
    p->head.at_ms = sqlite3_column_int64(p->heads, 1);
    if (!is_digest(p->heads, 2) || !is_digest(p->heads, 3)) {
        fail(p, p->head.seq, "checkpoint %" PRId64 " is not one", p->head.seq);
        return ERR_OK;
    }
    memcpy(p->head.hash, sqlite3_column_blob(p->heads, 2), DIGEST_LEN);
    memcpy(p->head.mac, sqlite3_column_blob(p->heads, 3), DIGEST_LEN);
    return ERR_OK;
}

static bool read_int(sqlite3_stmt *stmt, int column, int64_t *ret_value)
{
    *ret_value = sqlite3_column_int64(stmt, column);
    return sqlite3_column_type(stmt, column) == SQLITE_INTEGER;
}

static bool read_id(sqlite3_stmt *stmt, int column, int64_t *ret_value, bool *ret_null)
{
    int type = sqlite3_column_type(stmt, column);

    *ret_value = sqlite3_column_int64(stmt, column);
    *ret_null = type == SQLITE_NULL;
    return type == SQLITE_INTEGER || type == SQLITE_NULL;
}

static bool read_text(sqlite3_stmt *stmt, int column, struct slice *ret_text)
{
    bool is_text = sqlite3_column_type(stmt, column) == SQLITE_TEXT;
    const unsigned char *text = sqlite3_column_text(stmt, column);

    *ret_text = slice_of(text, text ? (size_t)sqlite3_column_bytes(stmt, column) : 0);
    return is_text && text;
}

/* False when a column's type is not the schema's. The hash is column 17. */
static bool read_row(sqlite3_stmt *stmt, struct audit_canon *ret_row)
{
    bool good = true;
    int column = 0;

#define INT(name) good &= read_int(stmt, column++, &ret_row->name);
#define ID(name) good &= read_id(stmt, column++, &ret_row->name, &ret_row->name##_null);
#define TEXT(name) good &= read_text(stmt, column++, &ret_row->name);
    AUDIT_COLUMNS(INT, ID, TEXT)
#undef INT
#undef ID
#undef TEXT
    return good && is_digest(stmt, column);
}

/* ── the proof ───────────────────────────────────────────────────────────────────────────────── */

static void hold_against(struct proof *p, const struct audit_checkpoint *head, const char *where)
{
    unsigned char mac[DIGEST_LEN];

    audit_checkpoint_sign(p->key, head, mac);
    if (!digest_equal(mac, head->mac, DIGEST_LEN))
        fail(p, head->seq, "checkpoint %" PRId64 " in the %s is not signed with this key",
             head->seq, where);
    else if (!digest_equal(head->hash, p->hash, DIGEST_LEN))
        fail(p, head->seq, "rows up to %" PRId64 " were rewritten: checkpoint in the %s differs",
             head->seq, where);
}

/* Holds row p->seq against the checkpoints that name it. Both lists must know the same ones, but
 * that the newest may not have reached the file. */
static enum err check_heads(struct proof *p)
{
    const struct audit_checkpoint *f = file_head(p, p->file_at);
    bool in_table = p->have_head && p->head.seq == p->seq;
    bool in_file = f && f->seq == p->seq;

    if ((p->have_head && p->head.seq < p->seq) || (f && f->seq < p->seq))
        fail(p, p->seq, "a checkpoint names a row before the first");
    else if (in_file && !in_table)
        fail(p, p->seq, "checkpoint %" PRId64 " was taken out of the store", p->seq);
    else if (in_table && !in_file && f)
        fail(p, p->seq, "checkpoint %" PRId64 " was taken out of the file", p->seq);
    for (; p->verdict->ok && f && f->seq == p->seq; f = file_head(p, ++p->file_at))
        hold_against(p, f, "file");
    if (!p->verdict->ok || !in_table)
        return ERR_OK;
    hold_against(p, &p->head, "store");
    p->verdict->checkpoints++;
    return next_table_head(p);
}

static enum err check_row(struct proof *p)
{
    struct audit_canon row;
    unsigned char hash[DIGEST_LEN];
    bool typed = read_row(p->rows, &row);

    if (row.seq != p->seq + 1) {
        fail(p, p->seq + 1, "row %" PRId64 " is missing", p->seq + 1);
        return ERR_OK;
    }
    if (!typed) {
        fail(p, row.seq, "row %" PRId64 " has a column of another type", row.seq);
        return ERR_OK;
    }
    audit_canon_print(&p->canon, &row, p->hash);
    if (buf_err(&p->canon) != ERR_OK)
        return buf_err(&p->canon);
    digest_sha256(buf_slice(&p->canon), hash);
    if (!digest_equal(hash, sqlite3_column_blob(p->rows, 17), DIGEST_LEN)) {
        fail(p, row.seq, "row %" PRId64 " was changed", row.seq);
        return ERR_OK;
    }
    memcpy(p->hash, hash, DIGEST_LEN);
    p->seq = row.seq;
    p->verdict->rows++;
    return check_heads(p);
}

/* What is left over names rows that are not there. */
static void check_end(struct proof *p)
{
    const struct audit_checkpoint *f = file_head(p, p->file_at);
    int64_t named = f ? file_head(p, file_count(p) - 1)->seq : 0;

    if (p->have_head && p->head.seq > named)
        named = p->head.seq;
    if (named != 0)
        fail(p, p->seq + 1,
             "cut off: the last row is %" PRId64 ", checkpoint %" PRId64 " was signed", p->seq,
             named);
    else if (p->file_missing && p->verdict->checkpoints > 0)
        fail(p, 0, "the checkpoint file is missing");
}

/* The smallest seq that TEXT finds, its ?1 being the last row of the last whole block; 0: none. */
static enum err find_seq(struct proof *p, const char *text, int64_t *ret_seq)
{
    sqlite3_stmt *stmt = NULL;
    enum err err = ERR_OK;

    if (sqlite3_prepare_v2(p->db, text, -1, &stmt, NULL) != SQLITE_OK)
        return sqlite_trouble(p);
    sqlite3_bind_int64(stmt, 1, p->seq / AUDIT_REF_ROWS * AUDIT_REF_ROWS);
    if (sqlite3_step(stmt) == SQLITE_ROW)
        *ret_seq = sqlite3_column_int64(stmt, 0);
    else
        err = sqlite_trouble(p);
    sqlite3_finalize(stmt);
    return err;
}

/* The index by person and facility must say what the rows say: what it hid, a resident would not
 * see; what it added, he would see of another. */
static enum err check_refs(struct proof *p)
{
    static const char hidden[] =
        "SELECT min(seq) FROM main.audit a WHERE seq <= ?1 AND (person IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM main.audit_ref WHERE kind = 1 AND who = a.person AND seq = a.seq)"
        " OR facility IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM main.audit_ref WHERE kind = 2 AND who = a.facility AND seq = a.seq))";
    static const char added[] =
        "SELECT min(r.seq) FROM main.audit_ref r LEFT JOIN main.audit a ON a.seq = r.seq"
        " WHERE r.seq > ?1 OR r.who IS NOT CASE r.kind WHEN 1 THEN a.person WHEN 2 THEN a.facility"
        " END";
    int64_t seq = 0;
    enum err err = find_seq(p, hidden, &seq);

    if (err == ERR_OK && p->verdict->ok && seq == 0)
        err = find_seq(p, added, &seq);
    if (err == ERR_OK && p->verdict->ok && seq != 0)
        fail(p, seq, "the index of persons and facilities does not fit row %" PRId64, seq);
    return err;
}

static enum err check_all(struct proof *p)
{
    enum err err = next_table_head(p);

    while (err == ERR_OK && p->verdict->ok) {
        int rc = sqlite3_step(p->rows);

        if (rc == SQLITE_DONE) {
            check_end(p);
            return p->verdict->ok ? check_refs(p) : ERR_OK;
        }
        err = rc == SQLITE_ROW ? check_row(p) : sqlite_trouble(p);
    }
    return err;
}

enum err audit_verify(const char *db_path, const char *checkpoint_path, const unsigned char key[32],
                      struct audit_verdict *ret_verdict)
{
    struct audit_verdict verdict = {.ok = true};
    struct proof p = {.verdict = &verdict, .key = key};
    enum err err = ERR_OK;

    assert(db_path && key);
    buf_init(&p.file_bytes, HEADS_MAX);
    buf_init(&p.canon, AUDIT_ROW_MAX);
    if (checkpoint_path)
        err = read_file(&p, checkpoint_path);
    if (err == ERR_OK && verdict.ok)
        err = open_store(&p, db_path);
    if (err == ERR_OK && verdict.ok)
        err = prepare(&p);
    if (err == ERR_OK && verdict.ok)
        err = check_all(&p);
    sqlite3_finalize(p.rows);
    sqlite3_finalize(p.heads);
    sqlite3_close(p.db);
    buf_fini(&p.canon);
    buf_fini(&p.file_bytes);
    if (err == ERR_OK)
        *ret_verdict = verdict;
    return err;
}
