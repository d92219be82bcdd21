/* SPDX-License-Identifier: Apache-2.0
 *
 * The log's VFS stands on a shim that counts and fails writes of the log: a commit is one write,
 * however many pages it has up to a piece; what a transaction spilled is read back; other
 * connections find every commit whole; what could not be written is rolled back and the next
 * transaction begins well.
 */
#include "lib/t.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "storage/log_vfs.h"

#include "base/banned.h"

/* ── below: SQLite's own VFS, counted ──────────────────────────────────────────────────────── */

static sqlite3_vfs *real_vfs;
static sqlite3_vfs counted_vfs;
static sqlite3_io_methods counted; /* of the log: the real ones but for xWrite */
static int (*real_write)(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at);
static int writes, largest;
static bool full;

static int count_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
    writes++;
    largest = count > largest ? count : largest;
    return full ? SQLITE_FULL : real_write(file, bytes, count, at);
}

static int count_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                      int *ret_flags)
{
    (void)vfs;
    int rc = real_vfs->xOpen(real_vfs, name, file, flags, ret_flags);
    if (rc == SQLITE_OK && (flags & SQLITE_OPEN_WAL)) {
        counted = *file->pMethods;
        real_write = counted.xWrite;
        counted.xWrite = count_write;
        file->pMethods = &counted;
    }
    return rc;
}

static int install(void **state)
{
    (void)state;
    real_vfs = sqlite3_vfs_find(NULL);
    counted_vfs = *real_vfs;
    counted_vfs.zName = "tasuki-counted";
    counted_vfs.xOpen = count_open;
    return sqlite3_vfs_register(&counted_vfs, 1) == SQLITE_OK ? 0 : -1;
}

/* ── a writing connection over it, and another beside ──────────────────────────────────────── */

struct pair {
    char folder[64], path[96];
    sqlite3 *writer, *other;
};

static int run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int64_t ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    return value;
}

static void open_pair(struct pair *p)
{
    *p = (struct pair){.folder = "/tmp/tasuki-log-XXXXXX"};
    assert_non_null(mkdtemp(p->folder));
    (void)snprintf(p->path, sizeof p->path, "%s/a.db", p->folder);
    full = false;
    assert_int_equal(sqlite3_open_v2(p->path, &p->writer,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, log_vfs_name()),
                     SQLITE_OK);
    assert_int_equal(run(p->writer, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                                    "PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = 20;"
                                    "CREATE TABLE t(n INTEGER PRIMARY KEY, b)"),
                     SQLITE_OK);
    assert_int_equal(sqlite3_open(p->path, &p->other), SQLITE_OK);
}

static void close_pair(struct pair *p)
{
    char path[128];
    assert_int_equal(sqlite3_close(p->other), SQLITE_OK);
    assert_int_equal(sqlite3_close(p->writer), SQLITE_OK);
    (void)snprintf(path, sizeof path, "%s-wal", p->path);
    assert_int_not_equal(access(path, F_OK), 0); /* folded in */
    assert_int_equal(unlink(p->path), 0);
    assert_int_equal(rmdir(p->folder), 0);
}

#define ROWS(from, to)                                                                             \
    "INSERT INTO t WITH RECURSIVE c(i) AS (VALUES(" from                                           \
    ") UNION ALL SELECT i + 1 FROM c WHERE i < " to ") SELECT i, randomblob(3000) FROM c;"

static void test_a_commit_is_one_write(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    writes = 0;
    assert_int_equal(run(p.writer, ROWS("1", "10")), SQLITE_OK); /* some twelve pages */
    assert_int_equal(writes, 1);
    assert_int_equal(ask(p.other, "SELECT count(*) FROM t WHERE length(b) = 3000"), 10);
    close_pair(&p);
}

static void test_spilled_pages_are_read_back(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    assert_int_equal(run(p.writer, ROWS("1", "300")), SQLITE_OK);
    largest = 0;
    assert_int_equal(run(p.writer, "BEGIN;" ROWS("301", "900") "UPDATE t SET b = zeroblob(n)"),
                     SQLITE_OK);
    assert_int_equal(ask(p.writer, "SELECT count(*) FROM t WHERE length(b) = n"), 900);
    assert_int_equal(ask(p.other, "SELECT count(*) FROM t"), 300); /* not yet */
    assert_int_equal(run(p.writer, "COMMIT"), SQLITE_OK);
    assert_in_range(largest, 60000, 128 * 1024 - 1);
    assert_int_equal(ask(p.other, "SELECT sum(length(b)) FROM t"), 900 * 901 / 2);
    assert_int_equal(run(p.writer, "BEGIN;" ROWS("901", "1500") "ROLLBACK;" ROWS("901", "905")),
                     SQLITE_OK);
    assert_int_equal(ask(p.other, "SELECT count(*) FROM t"), 905);
    assert_int_equal(run(p.writer, "PRAGMA wal_checkpoint(RESTART);" ROWS("906", "910")),
                     SQLITE_OK);
    assert_int_equal(ask(p.other, "SELECT count(*) FROM t"), 910);
    assert_int_equal(ask(p.other, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    close_pair(&p);
}

static void test_what_cannot_be_written_is_rolled_back(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    assert_int_equal(run(p.writer, ROWS("1", "5")), SQLITE_OK);
    full = true;
    assert_int_equal(run(p.writer, ROWS("6", "9")), SQLITE_FULL);
    assert_int_equal(run(p.writer, ROWS("6", "200")), SQLITE_FULL);
    full = false;
    if (!sqlite3_get_autocommit(p.writer))
        assert_int_equal(run(p.writer, "ROLLBACK"), SQLITE_OK);
    assert_int_equal(ask(p.other, "SELECT count(*) FROM t"), 5);
    assert_int_equal(run(p.writer, ROWS("6", "7")), SQLITE_OK);
    assert_int_equal(ask(p.other, "SELECT count(*) FROM t"), 7);
    assert_int_equal(ask(p.other, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    close_pair(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_commit_is_one_write),
        cmocka_unit_test(test_spilled_pages_are_read_back),
        cmocka_unit_test(test_what_cannot_be_written_is_rolled_back),
    };
    return cmocka_run_group_tests(tests, install, NULL);
}
