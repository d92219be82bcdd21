/* SPDX-License-Identifier: Apache-2.0
 *
 * The floor of the intake benchmark (see floor.h). Tables are copied by name, values as SQLite
 * holds them; only the inserts and commits are timed.
 */
#include "storage/floor.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "storage/record_impl.h"
#include "storage/session_impl.h"
#include "storage/store.h"

#include "base/banned.h"

/* Everything an intake writes; registry tables come first, their rows are few. */
static const struct {
    const char *name;
    const char *order; /* in which its rows came, where that is not the table's own */
} tables[] = {
    {"facility", ""},
    {"person", ""},
    {"card", ""},
    {"chart", ""},
    {"link_log", ""},
    {"original", ""},
    {"record", ""},
    {"change", ""},
    {"record_version", ""},
    {"scope", ""},
    {"ix_id", " ORDER BY rid"},
    {"ix_value", " ORDER BY rid"},
    {"ix_string", " ORDER BY rid"},
    {"ix_words_data", ""},
    {"ix_words_idx", ""},
    {"audit", ""},
    {"audit_ref", ""},
    {"audit_checkpoint", ""},
    {"inbox", ""},
    {"unmapped", ""},
    {"insured", ""},
    {"said", ""},
};
#define TABLES (sizeof(tables) / sizeof(*tables))

struct rows {
    sqlite3_value **values; /* rows x columns */
    size_t rows;
    size_t room;
    int columns;
    sqlite3_stmt *insert;
};

struct floor {
    sqlite3 *from, *to;
    struct rows table[TABLES];
};

static enum err keep_row(struct rows *t, sqlite3_stmt *q)
{
    if (t->rows == t->room) {
        size_t room = t->room ? t->room * 2 : 1024;
        sqlite3_value **grown = realloc(t->values, room * (size_t)t->columns * sizeof(*grown));
        if (!grown)
            return ERR_LIMIT;
        t->values = grown;
        t->room = room;
    }
    for (int c = 0; c < t->columns; c++)
        t->values[t->rows * (size_t)t->columns + (size_t)c] =
            sqlite3_value_dup(sqlite3_column_value(q, c));
    t->rows++;
    return ERR_OK;
}

static enum err read_table(struct floor *f, size_t i)
{
    char text[128];
    sqlite3_stmt *q = NULL;
    enum err err = ERR_OK;
    snprintf(text, sizeof(text), "SELECT * FROM %s%s", tables[i].name, tables[i].order);
    if (sqlite3_prepare_v2(f->from, text, -1, &q, NULL) != SQLITE_OK)
        return ERR_IO;
    f->table[i].columns = sqlite3_column_count(q);
    while (!err && sqlite3_step(q) == SQLITE_ROW)
        err = keep_row(&f->table[i], q);
    sqlite3_finalize(q);
    return err;
}

static enum err prepare_insert(struct floor *f, size_t i)
{
    char text[512];
    int n = snprintf(text, sizeof(text), "INSERT OR REPLACE INTO %s VALUES(?", tables[i].name);
    for (int c = 1; c < f->table[i].columns; c++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, ",?");
    snprintf(text + n, sizeof(text) - (size_t)n, ")");
    return sqlite3_prepare_v2(f->to, text, -1, &f->table[i].insert, NULL) == SQLITE_OK ? ERR_OK
                                                                                       : ERR_IO;
}

/* The store's own schema. */
static enum err make_target(const char *path)
{
    const struct store_options options = {.path = path, .clock = &clock_system};
    struct session *s = NULL;
    enum err err = session_open(&options, true, &s);
    if (!err)
        session_close(s);
    return err;
}

/* The same settings as the store's writer. */
static enum err open_target(struct floor *f, const char *path)
{
    enum err err = make_target(path);
    if (err)
        return err;
    if (sqlite3_open_v2(path, &f->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
            SQLITE_OK ||
        sqlite3_exec(
            f->to,
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000",
            NULL, NULL, NULL) != SQLITE_OK)
        return ERR_IO;
    return ERR_OK;
}

static enum err write_slice(struct rows *t, uint64_t group, uint64_t groups, uint64_t *rows)
{
    size_t from = (size_t)((uint64_t)t->rows * group / groups),
           to = (size_t)((uint64_t)t->rows * (group + 1) / groups);
    for (size_t r = from; r < to; r++) {
        for (int c = 0; c < t->columns; c++)
            sqlite3_bind_value(t->insert, c + 1, t->values[r * (size_t)t->columns + (size_t)c]);
        int rc = sqlite3_step(t->insert);
        sqlite3_reset(t->insert);
        if (rc != SQLITE_DONE)
            return ERR_IO;
        (*rows)++;
    }
    return ERR_OK;
}

static enum err write_group(struct floor *f, uint64_t group, uint64_t groups, uint64_t *rows)
{
    enum err err =
        sqlite3_exec(f->to, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK ? ERR_OK : ERR_IO;
    for (size_t i = 0; i < TABLES && !err; i++)
        err = write_slice(&f->table[i], group, groups, rows);
    if (!err && sqlite3_exec(f->to, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        err = ERR_IO;
    return err;
}

static void floor_fini(struct floor *f)
{
    for (size_t i = 0; i < TABLES; i++) {
        for (size_t v = 0; v < f->table[i].rows * (size_t)f->table[i].columns; v++)
            sqlite3_value_free(f->table[i].values[v]);
        free(f->table[i].values);
        sqlite3_finalize(f->table[i].insert);
    }
    sqlite3_close(f->from);
    sqlite3_close(f->to);
}

enum err floor_intake(const char *from, const char *to, uint64_t commits,
                      struct floor_result *ret_result)
{
    struct floor f = {0};
    struct floor_result result = {.commits = commits ? commits : 1};
    struct timespec began, ended;
    enum err err =
        sqlite3_open_v2(from, &f.from, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK ? ERR_OK : ERR_IO;
    for (size_t i = 0; i < TABLES && !err; i++)
        err = read_table(&f, i);
    if (!err)
        err = open_target(&f, to);
    for (size_t i = 0; i < TABLES && !err; i++)
        err = prepare_insert(&f, i);
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (uint64_t g = 0; g < result.commits && !err; g++)
        err = write_group(&f, g, result.commits, &result.rows);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    floor_fini(&f);
    result.seconds =
        (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
    if (!err)
        *ret_result = result;
    return err;
}

enum err floor_store_bytes(const char *store, double *ret_bytes)
{
    static const char text[] =
        "SELECT (p.page_count - f.freelist_count) * s.page_size"
        " FROM pragma_page_count p, pragma_freelist_count f, pragma_page_size s";
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    enum err err = ERR_IO;
    if (sqlite3_open_v2(store, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, text, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW) {
        *ret_bytes = sqlite3_column_double(q, 0);
        err = ERR_OK;
    }
    sqlite3_finalize(q);
    sqlite3_close(db);
    return err;
}

/* ── reading ─────────────────────────────────────────────────────────────────────────────────── */

struct floor_reader {
    sqlite3 *db;
    sqlite3_stmt *rows;
    uint64_t charts;
    unsigned char touched; /* so that no reading is left out */
};

static enum err count_charts(struct floor_reader *r)
{
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(r->db, "SELECT max(id) FROM chart", -1, &q, NULL) == SQLITE_OK &&
        sqlite3_step(q) == SQLITE_ROW)
        r->charts = (uint64_t)sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return r->charts ? ERR_OK : ERR_NOT_FOUND;
}

enum err floor_reader_open(const char *store, struct floor_reader **ret_reader)
{
    static const char text[] =
        "SELECT facets, body FROM record WHERE rid >= ?1 AND rid < ?2 AND deleted = 0";
    struct floor_reader *r = calloc(1, sizeof(*r));
    if (!r)
        return ERR_LIMIT;
    enum err err = sqlite3_open_v2(store, &r->db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
                           sqlite3_prepare_v2(r->db, text, -1, &r->rows, NULL) == SQLITE_OK
                       ? count_charts(r)
                       : ERR_IO;
    if (err)
        floor_reader_close(r);
    else
        *ret_reader = r;
    return err;
}

unsigned floor_reader_chart(struct floor_reader *r, uint64_t n)
{
    int64_t chart = (int64_t)(n * UINT64_C(2654435761) % r->charts) + 1;
    unsigned rows = 0;
    sqlite3_bind_int64(r->rows, 1, chart << RECORD_CHART_BITS);
    sqlite3_bind_int64(r->rows, 2, (chart + 1) << RECORD_CHART_BITS);
    for (; sqlite3_step(r->rows) == SQLITE_ROW; rows++) {
        const unsigned char *body = sqlite3_column_blob(r->rows, 1);
        r->touched ^= body && sqlite3_column_bytes(r->rows, 1) ? *body : 0;
    }
    sqlite3_reset(r->rows);
    return rows;
}

void floor_reader_close(struct floor_reader *r)
{
    if (!r)
        return;
    sqlite3_finalize(r->rows);
    sqlite3_close(r->db);
    free(r);
}
