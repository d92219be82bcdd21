/* SPDX-License-Identifier: Apache-2.0
 *
 * Putting a backup back: what was in it is there and what came later is set aside, not lost; the
 * chain can be proved before and after; logs go with their store. And everything that must refuse
 * leaves the store's bytes and the folder as they were.
 */
#include "storage/restore.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include "lib/t.h"

#include "lib/store_fixture.h"
#include "storage/migrate.h"

#include "base/banned.h"

#define MARK ".before-restore-20261122170000000"

struct scene {
    struct fixture f;
    char backup[96];
    int64_t backup_rows, store_rows;
};

static int64_t number_of(const char *path, const char *text)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int64_t number = -1;

    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK);
    if (sqlite3_step(stmt) == SQLITE_ROW)
        number = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    return number;
}

static void change(const char *path, const char *text)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static const char *named(const struct scene *sc, const char *name)
{
    static char path[256];

    (void)snprintf(path, sizeof path, "%s/%s", sc->f.folder, name);
    return path;
}

static bool there(const struct scene *sc, const char *name)
{
    return access(named(sc, name), F_OK) == 0;
}

/* A store of five persons with a backup of the first three; both heads signed. */
static void scene_open(struct scene *sc)
{
    fixture_open(&sc->f);
    (void)snprintf(sc->backup, sizeof sc->backup, "%s/backup.db", sc->f.folder);
    for (int i = 0; i < 3; i++)
        (void)fixture_add_person(&sc->f);
    assert_int_equal(store_backup(sc->f.store, sc->backup), ERR_OK);
    (void)fixture_add_person(&sc->f);
    (void)fixture_add_person(&sc->f);
    store_close(sc->f.store);
    sc->f.store = NULL;
    sc->backup_rows = number_of(sc->backup, "SELECT max(seq) FROM audit");
    sc->store_rows = number_of(sc->f.path, "SELECT max(seq) FROM audit");
    assert_int_equal(sc->store_rows, sc->backup_rows + 2);
}

static void scene_close(struct scene *sc)
{
    fixture_remove(&sc->f);
    arena_free(sc->f.arena);
}

static enum err restore(const struct scene *sc, const char *file, bool verify,
                        struct restore_account *ret_account)
{
    const struct restore_order order = {.file = file,
                                        .store = sc->f.path,
                                        .heads = sc->f.checkpoint,
                                        .key = verify ? sc->f.key : NULL,
                                        .now_ms = FIXTURE_NOW};

    return restore_run(&order, ret_account);
}

static void assert_proved(const struct scene *sc)
{
    struct audit_verdict verdict;

    assert_int_equal(audit_verify(sc->f.path, sc->f.checkpoint, sc->f.key, &verdict), ERR_OK);
    if (!verdict.ok)
        fail_msg("%s", verdict.text);
}

/* ── back it comes ───────────────────────────────────────────────────────────────────────────── */

static void test_restore(void **state)
{
    struct scene sc;
    struct restore_account account;
    struct stat st;

    (void)state;
    scene_open(&sc);
    assert_int_equal(restore(&sc, sc.backup, true, &account), ERR_OK);
    assert_int_equal(account.last_row, sc.backup_rows);
    assert_int_equal(account.replaced_row, sc.store_rows);
    assert_int_equal(account.schema, migrate_newest());
    assert_string_equal(account.mark, MARK);
    assert_int_equal(stat(sc.f.path, &st), 0);
    assert_int_equal(st.st_mode & 0777u, 0600);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(number_of(sc.f.path, "SELECT count(*) FROM person"), 3);
    assert_int_equal(number_of(named(&sc, "store.db" MARK), "SELECT count(*) FROM person"), 5);
    assert_true(there(&sc, "heads.txt" MARK));
    assert_false(there(&sc, "heads.txt"));
    assert_false(there(&sc, "store.db.restoring"));
    assert_int_equal(number_of(sc.backup, "SELECT count(*) FROM person"), 3);
    /* It goes on from there, past the rows that were lost, and can be proved. */
    assert_int_equal(fixture_try_open(&sc.f, 1), ERR_OK);
    for (int i = 0; i < 4; i++)
        (void)fixture_add_person(&sc.f);
    store_close(sc.f.store);
    assert_true(there(&sc, "heads.txt"));
    assert_proved(&sc);
    /* The replaced store, its heads and its rows are whole. */
    struct audit_verdict verdict;
    char heads[192];
    (void)snprintf(heads, sizeof heads, "%s" MARK, sc.f.checkpoint);
    assert_int_equal(audit_verify(named(&sc, "store.db" MARK), heads, sc.f.key, &verdict), ERR_OK);
    assert_true(verdict.ok);
    assert_int_equal(verdict.rows, sc.store_rows);
    scene_close(&sc);
}

static void test_no_store(void **state)
{
    struct scene sc;
    struct restore_account account;

    (void)state;
    scene_open(&sc);
    assert_int_equal(unlink(sc.f.path), 0);
    assert_int_equal(unlink(sc.f.checkpoint), 0);
    assert_int_equal(restore(&sc, sc.backup, true, &account), ERR_OK);
    assert_int_equal(account.replaced_row, 0);
    assert_false(there(&sc, "store.db" MARK));
    assert_int_equal(number_of(sc.f.path, "SELECT count(*) FROM person"), 3);
    scene_close(&sc);
}

/* The same second twice: nothing that was set aside is written over. */
static void test_nothing_overwritten(void **state)
{
    struct scene sc;
    struct restore_account account;

    (void)state;
    scene_open(&sc);
    assert_int_equal(restore(&sc, sc.backup, false, &account), ERR_OK);
    assert_int_equal(restore(&sc, sc.backup, false, &account), ERR_CONFLICT);
    assert_int_equal(number_of(named(&sc, "store.db" MARK), "SELECT count(*) FROM person"), 5);
    assert_false(there(&sc, "store.db.restoring"));
    scene_close(&sc);
}

/* A heads file already set aside under this mark: the store keeps its one name. */
static void test_heads_stay(void **state)
{
    struct scene sc;
    struct restore_account account;
    char aside[160];

    (void)state;
    scene_open(&sc);
    (void)snprintf(aside, sizeof aside, "%s" MARK, sc.f.checkpoint);
    assert_int_equal(link(sc.f.checkpoint, aside), 0);
    assert_int_equal(restore(&sc, sc.backup, false, &account), ERR_CONFLICT);
    assert_false(there(&sc, "store.db" MARK));
    assert_int_equal(number_of(sc.f.path, "SELECT count(*) FROM person"), 5);
    assert_proved(&sc);
    scene_close(&sc);
}

/* ── logs ────────────────────────────────────────────────────────────────────────────────────── */

static void copy_bytes(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    char bytes[4096];
    size_t got = 0;

    assert_non_null(in);
    assert_non_null(out);
    while ((got = fread(bytes, 1, sizeof bytes, in)) > 0)
        assert_int_equal(fwrite(bytes, 1, got, out), got);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(fclose(in), 0);
}

/* Leaves the store as a killed server does: the last person is in the log only. */
static void crash(struct scene *sc)
{
    char wal[128], kept[128], kept_wal[128];

    (void)snprintf(wal, sizeof wal, "%s-wal", sc->f.path);
    (void)snprintf(kept, sizeof kept, "%s/kept", sc->f.folder);
    (void)snprintf(kept_wal, sizeof kept_wal, "%s/kept-wal", sc->f.folder);
    assert_int_equal(fixture_try_open(&sc->f, 1), ERR_OK);
    (void)fixture_add_person(&sc->f);
    copy_bytes(sc->f.path, kept);
    copy_bytes(wal, kept_wal);
    store_close(sc->f.store);
    assert_int_equal(rename(kept, sc->f.path), 0);
    assert_int_equal(rename(kept_wal, wal), 0);
}

static void test_old_log(void **state)
{
    struct scene sc;
    struct restore_account account;

    (void)state;
    scene_open(&sc);
    crash(&sc);
    assert_int_equal(restore(&sc, sc.backup, true, &account), ERR_OK);
    assert_int_equal(account.replaced_row, sc.store_rows + 1);
    assert_false(there(&sc, "store.db-wal"));
    assert_int_equal(number_of(sc.f.path, "SELECT count(*) FROM person"), 3);
    assert_int_equal(number_of(named(&sc, "store.db" MARK), "SELECT count(*) FROM person"), 6);
    scene_close(&sc);
}

/* The log of a store that cannot be read is no log of the new one; both are kept. */
static void test_unreadable_store(void **state)
{
    struct scene sc;
    struct restore_account account;
    FILE *file = NULL;

    (void)state;
    scene_open(&sc);
    crash(&sc);
    file = fopen(sc.f.path, "wb");
    assert_non_null(file);
    for (int i = 0; i < 4096; i++)
        assert_true(fputs("not a store", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(restore(&sc, sc.backup, true, &account), ERR_OK);
    assert_int_equal(account.replaced_row, -1);
    assert_false(there(&sc, "store.db-wal"));
    assert_false(there(&sc, "store.db-shm"));
    assert_true(there(&sc, "store.db" MARK));
    assert_true(there(&sc, "store.db" MARK "-wal"));
    assert_int_equal(number_of(sc.f.path, "SELECT count(*) FROM person"), 3);
    scene_close(&sc);
}

/* What was set aside with a log comes back with it. */
static void test_backup_with_log(void **state)
{
    struct scene sc;
    struct restore_account account;
    char from[128], to[128];

    (void)state;
    scene_open(&sc);
    crash(&sc);
    (void)snprintf(from, sizeof from, "%s-wal", sc.f.path);
    (void)snprintf(to, sizeof to, "%s/killed.db-wal", sc.f.folder);
    assert_int_equal(rename(from, to), 0);
    (void)snprintf(to, sizeof to, "%s/killed.db", sc.f.folder);
    assert_int_equal(rename(sc.f.path, to), 0);
    assert_int_equal(restore(&sc, to, true, &account), ERR_OK);
    assert_int_equal(account.last_row, sc.store_rows + 1);
    assert_int_equal(number_of(sc.f.path, "SELECT count(*) FROM person"), 6);
    assert_true(there(&sc, "killed.db-wal")); /* the backup itself is only read */
    scene_close(&sc);
}

/* ── refusals ────────────────────────────────────────────────────────────────────────────────── */

static void spoil(const struct scene *sc, long from_end)
{
    FILE *file = fopen(sc->backup, "r+b");

    assert_non_null(file);
    assert_int_equal(fseek(file, -from_end, SEEK_END), 0);
    for (int i = 0; i < 4096; i++)
        assert_int_equal(fputc(0xa5, file), 0xa5);
    assert_int_equal(fclose(file), 0);
}

static void make_missing(struct scene *sc)
{
    assert_int_equal(unlink(sc->backup), 0);
}
static void make_folder(struct scene *sc)
{
    assert_int_equal(unlink(sc->backup), 0);
    (void)snprintf(sc->backup, sizeof sc->backup, "%s", sc->f.folder);
}
static void make_text(struct scene *sc)
{
    FILE *file = fopen(sc->backup, "wb");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        assert_true(fputs("this is a letter\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
}
static void make_empty(struct scene *sc)
{
    assert_int_equal(truncate(sc->backup, 0), 0);
}
static void make_short(struct scene *sc)
{
    struct stat st;
    assert_int_equal(stat(sc->backup, &st), 0);
    assert_int_equal(truncate(sc->backup, st.st_size / 2), 0);
}
static void make_spoilt(struct scene *sc)
{
    /* A page in use: steps of the schema leave free ones. */
    const long at = (long)number_of(sc->backup, "SELECT (rootpage - 1) * 4096 FROM sqlite_schema"
                                                " WHERE name = 'record'");
    struct stat st;
    assert_int_equal(stat(sc->backup, &st), 0);
    spoil(sc, st.st_size - at);
}
static void make_newer(struct scene *sc)
{
    change(sc->backup, "PRAGMA user_version = 9999");
}
static void make_other(struct scene *sc)
{
    assert_int_equal(unlink(sc->backup), 0);
    fclose(fopen(sc->backup, "wb"));
    change(sc->backup, "CREATE TABLE t(a); PRAGMA user_version = 1");
}
static void make_itself(struct scene *sc)
{
    (void)snprintf(sc->backup, sizeof sc->backup, "%s", sc->f.path);
}
static void make_rewritten(struct scene *sc)
{
    change(sc->backup, "DROP TRIGGER audit_no_update; UPDATE audit SET user = 'x' WHERE seq = 2");
}
static void make_foreign(struct scene *sc) /* of another installation: another key signed it */
{
    struct scene other;
    scene_open(&other);
    memset(other.f.key, 8, sizeof other.f.key);
    assert_int_equal(fixture_try_open(&other.f, 1), ERR_OK);
    (void)fixture_add_person(&other.f);
    store_close(other.f.store);
    copy_bytes(other.f.path, sc->backup);
    scene_close(&other);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *what;
        void (*make)(struct scene *sc);
        bool verify;
        enum err want;
    } rows[] = {
        {"missing", make_missing, false, ERR_NOT_FOUND},
        {"folder", make_folder, false, ERR_INVALID},
        {"text", make_text, false, ERR_INVALID},
        {"empty", make_empty, false, ERR_INVALID},
        {"short", make_short, false, ERR_INVALID},
        {"spoilt", make_spoilt, false, ERR_INVALID},
        {"newer", make_newer, false, ERR_VERSION},
        {"another program's", make_other, false, ERR_INVALID},
        {"the store itself", make_itself, false, ERR_INVALID},
        {"rewritten", make_rewritten, true, ERR_INVALID},
        {"foreign", make_foreign, true, ERR_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct scene sc;
        struct restore_account account;
        enum err err = ERR_OK;

        scene_open(&sc);
        rows[i].make(&sc);
        err = restore(&sc, sc.backup, rows[i].verify, &account);
        if (err != rows[i].want)
            fail_msg("%s: %s: %s (%s)", rows[i].what, err_name(err), account.en, account.detail);
        assert_true(account.en[0] && account.ja[0]);
        assert_false(there(&sc, "store.db" MARK));
        assert_false(there(&sc, "store.db.restoring"));
        assert_false(there(&sc, "store.db.restoring-wal"));
        assert_true(there(&sc, "heads.txt"));
        assert_int_equal(number_of(sc.f.path, "SELECT count(*) FROM person"), 5);
        assert_proved(&sc);
        scene_close(&sc);
    }
}

/* Without the proof a broken chain is put in: the operator did not ask. */
static void test_unproved(void **state)
{
    struct scene sc;
    struct restore_account account;

    (void)state;
    scene_open(&sc);
    make_rewritten(&sc);
    assert_int_equal(restore(&sc, sc.backup, false, &account), ERR_OK);
    scene_close(&sc);
}

static void test_in_use(void **state)
{
    struct scene sc;
    struct restore_account account;

    (void)state;
    scene_open(&sc);
    assert_int_equal(fixture_try_open(&sc.f, 1), ERR_OK);
    assert_int_equal(restore(&sc, sc.backup, false, &account), ERR_UNAVAILABLE);
    (void)fixture_add_person(&sc.f); /* and it works on */
    store_close(sc.f.store);
    assert_int_equal(number_of(sc.f.path, "SELECT count(*) FROM person"), 6);
    assert_false(there(&sc, "store.db" MARK));
    assert_proved(&sc);
    scene_close(&sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_restore),
        cmocka_unit_test(test_no_store),
        cmocka_unit_test(test_nothing_overwritten),
        cmocka_unit_test(test_heads_stay),
        cmocka_unit_test(test_old_log),
        cmocka_unit_test(test_unreadable_store),
        cmocka_unit_test(test_backup_with_log),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_unproved),
        cmocka_unit_test(test_in_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
