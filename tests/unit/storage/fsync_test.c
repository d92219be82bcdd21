/* SPDX-License-Identifier: Apache-2.0
 *
 * When the disk fails: a shim in front of SQLite's own VFS fails the n-th sync, or every write
 * for want of space. Whatever was acknowledged must be in the file afterwards, a job that was
 * refused must say so, a failed sync stops the writer for good, and a full disk does not.
 */
#include "lib/t.h"

#include <sqlite3.h>
#include <stdatomic.h>

#include "lib/store_fixture.h"
#include "storage/sql.h"

#include "base/banned.h"

/* ── the shim ──────────────────────────────────────────────────────────────────────────────── */

static sqlite3_vfs *real_vfs;
static sqlite3_vfs shim_vfs;
static atomic_int syncs;     /* seen so far */
static atomic_int fail_sync; /* the one to fail, counted from 1; 0: none */
static atomic_bool disk_full;

struct shim_file {
    sqlite3_file base;
    sqlite3_file *real; /* right behind this struct */
};
static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct shim_file *)file)->real;
}

static int shim_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}
static int shim_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 at)
{
    return real_of(file)->pMethods->xRead(real_of(file), bytes, count, at);
}
static int shim_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
    if (atomic_load(&disk_full))
        return SQLITE_FULL;
    return real_of(file)->pMethods->xWrite(real_of(file), bytes, count, at);
}
static int shim_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}
static int shim_sync(sqlite3_file *file, int flags)
{
    if (atomic_fetch_add(&syncs, 1) + 1 == atomic_load(&fail_sync))
        return SQLITE_IOERR_FSYNC;
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}
static int shim_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), ret_size);
}
static int shim_lock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xLock(real_of(file), lock);
}
static int shim_unlock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), lock);
}
static int shim_reserved(sqlite3_file *file, int *ret_lock)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret_lock);
}
static int shim_control(sqlite3_file *file, int op, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, argument);
}
static int shim_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}
static int shim_device(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}
static int shim_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret_map)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, ret_map);
}
static int shim_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}
static void shim_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}
static int shim_shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods shim_methods = {
    .iVersion = 2,
    .xClose = shim_close,
    .xRead = shim_read,
    .xWrite = shim_write,
    .xTruncate = shim_truncate,
    .xSync = shim_sync,
    .xFileSize = shim_size,
    .xLock = shim_lock,
    .xUnlock = shim_unlock,
    .xCheckReservedLock = shim_reserved,
    .xFileControl = shim_control,
    .xSectorSize = shim_sector,
    .xDeviceCharacteristics = shim_device,
    .xShmMap = shim_shm_map,
    .xShmLock = shim_shm_lock,
    .xShmBarrier = shim_shm_barrier,
    .xShmUnmap = shim_shm_unmap,
};

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                     int *ret_flags)
{
    struct shim_file *shim = (struct shim_file *)file;
    (void)vfs;
    shim->real = (sqlite3_file *)(shim + 1);
    shim->real->pMethods = NULL;
    int rc = real_vfs->xOpen(real_vfs, name, shim->real, flags, ret_flags);
    shim->base.pMethods = shim->real->pMethods ? &shim_methods : NULL;
    return rc;
}

static int install_shim(void **state)
{
    (void)state;
    real_vfs = sqlite3_vfs_find(NULL);
    shim_vfs = *real_vfs;
    shim_vfs.zName = "tasuki-fault";
    shim_vfs.szOsFile = (int)sizeof(struct shim_file) + real_vfs->szOsFile;
    shim_vfs.xOpen = shim_open;
    return sqlite3_vfs_register(&shim_vfs, 1) == SQLITE_OK ? 0 : -1;
}

static void faults_off(void)
{
    atomic_store(&syncs, 0);
    atomic_store(&fail_sync, 0);
    atomic_store(&disk_full, false);
}

/* ── the scenario ──────────────────────────────────────────────────────────────────────────── */

#define JOBS 6

static enum err put_meta(struct session *s, void *context)
{
    struct sql *q = NULL;
    enum err err =
        sql_prepare(s, "INSERT INTO meta(key, value) VALUES (?1, zeroblob(20000))", SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, *(const int *)context);
    return sql_run(q);
}
struct has {
    int key;
    bool found;
    int64_t audited;
};
static enum err has_meta(struct session *s, void *context)
{
    struct has *has = context;
    struct sql *q = NULL;
    enum err err = sql_prepare(s,
                               "SELECT EXISTS (SELECT 1 FROM meta WHERE key = ?1),"
                               " (SELECT count(*) FROM audit)",
                               SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, has->key);
    err = sql_row(q);
    if (!err) {
        has->found = sql_i64(q, 0) != 0;
        has->audited = sql_i64(q, 1);
    }
    return sql_done(q, err);
}

/* Runs the jobs with the N-th sync failing; false when the scenario no longer has so many syncs. */
static bool run_with_failing_sync(int n)
{
    struct fixture f;
    struct store_figures figures = {0};
    enum err answers[JOBS];
    int64_t acknowledged = 0;
    bool refused = false;
    fixture_new(&f);
    faults_off();
    atomic_store(&fail_sync, n);
    enum err opened = fixture_try_open(&f, 1);
    if (opened) {
        assert_int_equal(opened, ERR_IO); /* failed while being made: nothing was promised */
    } else {
        for (int i = 0; i < JOBS; i++) {
            answers[i] = fixture_write(&f, put_meta, &i);
            acknowledged += answers[i] == ERR_OK;
            assert_true(answers[i] == ERR_OK || answers[i] == ERR_UNAVAILABLE);
            if (refused) /* once stopped, for good */
                assert_int_equal(answers[i], ERR_UNAVAILABLE);
            refused = refused || answers[i] != ERR_OK;
        }
        store_figures(f.store, &figures);
        assert_int_equal(figures.stopped, refused);
        if (refused)
            assert_int_equal(fixture_read(&f, has_meta, &(struct has){0}), ERR_UNAVAILABLE);
        store_close(f.store);
    }
    bool reached = atomic_load(&syncs) >= n;
    faults_off();
    f.store = NULL;
    assert_int_equal(fixture_try_open(&f, 1), ERR_OK);
    struct has has = {0};
    for (int i = 0; !opened && i < JOBS; i++) {
        has.key = i;
        assert_int_equal(fixture_read(&f, has_meta, &has), ERR_OK);
        if (answers[i] == ERR_OK)
            assert_true(has.found);
        if (i == 0)
            assert_true(has.audited >= acknowledged);
    }
    int again = 100; /* a new start writes again */
    assert_int_equal(fixture_write(&f, put_meta, &again), ERR_OK);
    fixture_close(&f);
    return reached;
}

static void test_no_false_acknowledgement(void **state)
{
    (void)state;
    int n = 1;
    while (n < 200 && run_with_failing_sync(n))
        n++;
    assert_in_range(n, JOBS + 1, 199); /* every sync of the scenario had its turn */
    print_message("%d syncs failed one at a time\n", n - 1);
}

static void test_full_disk_is_no_end(void **state)
{
    (void)state;
    struct fixture f;
    struct store_figures figures = {0};
    int first = 1, second = 2, third = 3;
    struct has has = {.key = 2};
    faults_off();
    fixture_open(&f);
    assert_int_equal(fixture_write(&f, put_meta, &first), ERR_OK);
    atomic_store(&disk_full, true);
    assert_int_equal(fixture_write(&f, put_meta, &second), ERR_UNAVAILABLE);
    atomic_store(&disk_full, false);
    store_figures(f.store, &figures);
    assert_false(figures.stopped);
    assert_int_equal(fixture_write(&f, put_meta, &third), ERR_OK);
    assert_int_equal(fixture_read(&f, has_meta, &has), ERR_OK);
    assert_false(has.found);
    has.key = 3;
    assert_int_equal(fixture_read(&f, has_meta, &has), ERR_OK);
    assert_true(has.found);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_false_acknowledgement),
        cmocka_unit_test(test_full_disk_is_no_end),
    };
    return cmocka_run_group_tests(tests, install_shim, NULL);
}
