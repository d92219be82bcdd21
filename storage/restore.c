/* SPDX-License-Identifier: Apache-2.0
 *
 * Copy, check, close the old, swap (see restore.h). The copy is judged and not the backup, since
 * judging may have to fold a log into the file and backups lie on read-only media. The old store
 * leaves WAL mode: that folds its log in, so that no moment of the swap has a store without its
 * log, and works for the only connection alone, so a program that knows no lock of ours shows. Must
 * not trust the backup's schema, nor leave a log of the old store beside the new one: SQLite would
 * replay it.
 */
#include "storage/restore.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/when.h"
#include "storage/audit.h"
#include "storage/lock.h"
#include "storage/migrate.h"
#include "storage/store_impl.h"
#include "storage/words.h"

#include "base/banned.h"

#define CHUNK LIMIT_MIB
#define LAST_ROW "SELECT coalesce(max(seq), 0) FROM audit"
#define BUSY_MS 1000 /* a command that is just ending */

struct restoring {
    const struct restore_order *order;
    struct restore_account *account;
    char store[PATH_MAX];
    char copy[PATH_MAX];
};

static const char *const logs[] = {"-wal", "-journal"};

static enum err blame(struct restoring *r, enum err err, const char *en, const char *ja)
{
    r->account->en = en;
    r->account->ja = ja;
    return err;
}

static enum err join(char ret_path[PATH_MAX], const char *path, const char *suffix)
{
    int n = snprintf(ret_path, PATH_MAX, "%s%s", path, suffix);

    return n > 0 && n < PATH_MAX ? ERR_OK : ERR_TOO_LARGE;
}

/* ── copying ─────────────────────────────────────────────────────────────────────────────────── */

static enum err write_all(int to, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t put = write(to, bytes, len);

        if (put < 0 && errno != EINTR)
            return ERR_IO;
        if (put > 0) {
            bytes += put;
            len -= (size_t)put;
        }
    }
    return ERR_OK;
}

static enum err copy_bytes(int from, int to)
{
    char *bytes = malloc(CHUNK);
    enum err err = bytes ? ERR_OK : ERR_LIMIT;

    while (!err) {
        ssize_t got = read(from, bytes, CHUNK);

        if (got == 0)
            break;
        if (got > 0)
            err = write_all(to, bytes, (size_t)got);
        else if (errno != EINTR)
            err = ERR_IO;
    }
    free(bytes);
    return err;
}

static enum err copy_file(const char *from, const char *to)
{
    struct stat st;
    int in = open(from, O_RDONLY | O_NONBLOCK | O_CLOEXEC), out = -1;
    enum err err = ERR_OK;

    if (in < 0)
        return errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO;
    if (fstat(in, &st) != 0 || !S_ISREG(st.st_mode))
        err = ERR_INVALID;
    if (!err && (out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
        err = ERR_IO;
    if (!err)
        err = copy_bytes(in, out);
    if (out >= 0 && close(out) != 0 && !err)
        err = ERR_IO;
    (void)close(in);
    return err;
}

/* Also what an earlier attempt left that was cut short: the lock is ours. */
static void remove_copy(const struct restoring *r)
{
    static const char *const all[] = {"", "-wal", "-shm", "-journal"};
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (join(path, r->copy, all[i]) == ERR_OK)
            (void)unlink(path);
}

static bool same_file(const char *a, const char *b)
{
    struct stat one, other;

    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

static enum err make_copy(struct restoring *r)
{
    char from[PATH_MAX], to[PATH_MAX];
    enum err err = ERR_OK;

    if (same_file(r->order->file, r->store))
        return blame(r, ERR_INVALID, "FILE is the store itself",
                     "FILE は現在の保存領域そのものです");
    remove_copy(r);
    err = copy_file(r->order->file, r->copy);
    for (size_t i = 0; i < sizeof logs / sizeof logs[0] && !err; i++) {
        err = join(from, r->order->file, logs[i]);
        if (!err)
            err = join(to, r->copy, logs[i]);
        if (!err)
            err = copy_file(from, to);
        if (err == ERR_NOT_FOUND)
            err = ERR_OK;
    }
    if (err == ERR_NOT_FOUND)
        return blame(r, err, "there is no such backup", "その控えはありません");
    if (err == ERR_INVALID)
        return blame(r, err, "this is not a file", "ファイルではありません");
    return !err ? ERR_OK
                : blame(r, err, "the backup cannot be copied beside the store",
                        "控えを保存領域の隣に写せません");
}

/* ── asking a file ───────────────────────────────────────────────────────────────────────────── */

struct said {
    int64_t number;
    char text[200];
};

static enum err code_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
        return ERR_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_NOMEM:
        return ERR_LIMIT;
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return ERR_IO;
    default:
        return ERR_INVALID;
    }
}

static enum err open_plain(const char *path, sqlite3 **ret_db)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(db, BUSY_MS);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (rc == SQLITE_OK && words_register(db) != ERR_OK) /* newer SQLite checks the full-text index, too */
        rc = SQLITE_NOMEM;
    if (rc != SQLITE_OK)
        (void)sqlite3_close(db);
    else
        *ret_db = db;
    return code_of(rc);
}

/* The first column of the first row of TEXT; no row is ERR_INVALID. */
static enum err ask(sqlite3 *db, const char *text, struct said *ret_said)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, text, -1, &stmt, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        const unsigned char *answer = sqlite3_column_text(stmt, 0);

        (void)snprintf(ret_said->text, sizeof ret_said->text, "%s",
                       answer ? (const char *)answer : "");
        ret_said->number = sqlite3_column_int64(stmt, 0);
        rc = SQLITE_OK;
    } else {
        (void)snprintf(ret_said->text, sizeof ret_said->text, "%s", sqlite3_errmsg(db));
    }
    (void)sqlite3_finalize(stmt);
    return code_of(rc);
}

/* ── checking the copy ───────────────────────────────────────────────────────────────────────── */

static enum err check_version(struct restoring *r, sqlite3 *db)
{
    struct said version = {.text = ""}, last = {.text = ""};

    if (ask(db, "PRAGMA user_version", &version) != ERR_OK || version.number < 1)
        return blame(r, ERR_INVALID, "this is not a store of this program",
                     "このプログラムの保存領域ではありません");
    if (version.number > migrate_newest()) {
        (void)snprintf(r->account->detail, sizeof r->account->detail, "schema %" PRId64,
                       version.number);
        return blame(r, ERR_VERSION, "a newer version of this program made the backup",
                     "控えはこのプログラムの新しい版で作られています");
    }
    if (ask(db, LAST_ROW, &last) != ERR_OK)
        return blame(r, ERR_INVALID, "the backup has no audit chain", "控えに監査記録がありません");
    r->account->schema = (int)version.number;
    r->account->last_row = last.number;
    return ERR_OK;
}

static enum err check_pages(struct restoring *r, sqlite3 *db)
{
    struct said said = {.text = ""};
    enum err err = ask(db, "PRAGMA journal_mode = DELETE", &said);

    if (!err && strcmp(said.text, "delete") != 0)
        err = ERR_INVALID;
    if (!err)
        err = ask(db, "PRAGMA integrity_check(1)", &said);
    if (!err && strcmp(said.text, "ok") != 0)
        err = ERR_INVALID;
    if (!err)
        return ERR_OK;
    (void)snprintf(r->account->detail, sizeof r->account->detail, "%s", said.text);
    return err == ERR_INVALID ? blame(r, err, "the backup is damaged, or not a store",
                                      "控えが壊れているか、保存領域ではありません")
                              : blame(r, err, "the copy cannot be checked", "写しを検査できません");
}

static enum err check_copy(struct restoring *r)
{
    sqlite3 *db = NULL;
    enum err err = open_plain(r->copy, &db);

    if (err)
        return blame(r, err, "the copy cannot be opened", "写しを開けません");
    err = check_pages(r, db);
    if (!err)
        err = check_version(r, db);
    (void)sqlite3_close(db);
    return err;
}

static enum err prove_copy(struct restoring *r)
{
    struct audit_verdict verdict = {0};
    enum err err = audit_verify(r->copy, NULL, r->order->key, &verdict);

    if (err)
        return blame(r, err, "the audit chain cannot be read", "監査記録の連鎖を読めません");
    if (verdict.ok)
        return ERR_OK;
    (void)snprintf(r->account->detail, sizeof r->account->detail, "%s", verdict.text);
    return blame(r, ERR_INVALID, "the backup's audit chain is broken",
                 "控えの監査記録の連鎖が切れています");
}

/* ── the old store ───────────────────────────────────────────────────────────────────────────── */

/* A store that cannot be read is no reason to refuse: it may be why there is a restore. */
static enum err close_old(struct restoring *r)
{
    struct said said = {.text = ""};
    sqlite3 *db = NULL;
    enum err err = ERR_OK;

    if (access(r->store, F_OK) != 0)
        return ERR_OK;
    r->account->replaced_row = -1;
    err = open_plain(r->store, &db);
    if (!err)
        err = ask(db, "PRAGMA journal_mode = DELETE", &said);
    if (!err && ask(db, LAST_ROW, &said) == ERR_OK)
        r->account->replaced_row = said.number;
    (void)sqlite3_close(db);
    return err != ERR_BUSY
               ? ERR_OK
               : blame(r, ERR_UNAVAILABLE, "another process has the store open; let it end first",
                       "別のプロセスが保存領域を使用中です。終わらせてください");
}

/* ── the swap ────────────────────────────────────────────────────────────────────────────────── */

static enum err sync_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum err err = ERR_OK;

    if (fd < 0)
        return ERR_IO;
    if (fsync(fd) != 0)
        err = ERR_IO;
    (void)close(fd);
    return err;
}

/* Moves PATH to its name with the mark; fine when there is none. Never onto another file. */
static enum err move_aside(const char *path, const char *mark)
{
    char aside[PATH_MAX];
    enum err err = join(aside, path, mark);

    if (err || access(path, F_OK) != 0)
        return err;
    if (access(aside, F_OK) == 0)
        return ERR_CONFLICT;
    if (rename(path, aside) != 0)
        return ERR_IO;
    return store_sync_folder(path);
}

/* The logs go with the store they belong to, under the names SQLite looks for. */
static enum err move_logs(struct restoring *r, const char *aside)
{
    char from[PATH_MAX], to[PATH_MAX];
    enum err err = ERR_OK;

    for (size_t i = 0; i < sizeof logs / sizeof logs[0] && !err; i++) {
        err = join(from, r->store, logs[i]);
        if (!err)
            err = join(to, aside, logs[i]);
        if (!err && rename(from, to) != 0 && errno != ENOENT)
            err = ERR_IO;
    }
    if (!err)
        err = join(from, r->store, "-shm");
    if (!err && unlink(from) != 0 && errno != ENOENT)
        err = ERR_IO;
    return err;
}

static enum err set_aside(struct restoring *r)
{
    const char *heads = r->order->heads;
    char aside[PATH_MAX];
    bool old = access(r->store, F_OK) == 0;
    enum err err = join(aside, r->store, r->account->mark);

    if (!err && old && link(r->store, aside) != 0)
        err = errno == EEXIST ? ERR_CONFLICT : ERR_IO;
    if (err)
        return err;
    if (heads)
        err = move_aside(heads, r->account->mark);
    if (err && old)
        (void)unlink(aside); /* the second name only */
    return err ? err : move_logs(r, aside);
}

static enum err swap(struct restoring *r)
{
    enum err err = sync_file(r->copy);

    if (err)
        return blame(r, err, "the copy did not reach the disk", "写しがディスクに届きません");
    err = set_aside(r);
    if (err)
        return blame(r, err, "what is there cannot be set aside", "今あるものを脇へ移せません");
    if (rename(r->copy, r->store) != 0)
        return blame(r, ERR_IO, "the copy cannot take its place", "写しを置き換えられません");
    err = store_sync_folder(r->store);
    return !err ? ERR_OK
                : blame(r, err, "the folder did not reach the disk", "フォルダーを同期できません");
}

/* What root put in, the server that runs as the owner could not open. */
static enum err check_owner(struct restoring *r)
{
    char folder[PATH_MAX];
    struct stat st;

    (void)snprintf(folder, sizeof folder, "%s", r->store);
    if (stat(r->store, &st) != 0 && stat(dirname(folder), &st) != 0)
        return blame(r, ERR_IO, "there is no folder for the store",
                     "保存領域のフォルダーがありません");
    return st.st_uid == geteuid()
               ? ERR_OK
               : blame(r, ERR_FORBIDDEN, "the store is another user's: run this as its owner",
                       "保存領域の所有者として実行してください");
}

static enum err name_all(struct restoring *r)
{
    struct buf stamp;
    enum err err = lock_resolve(r->order->store, r->store);

    if (!err)
        err = join(r->copy, r->store, ".restoring");
    buf_init(&stamp, 32);
    when_print_stamp(&stamp, r->order->now_ms);
    (void)snprintf(r->account->mark, sizeof r->account->mark, ".before-restore-%.*s",
                   SLICE_ARG(buf_slice(&stamp)));
    buf_fini(&stamp);
    return !err ? ERR_OK
                : blame(r, err, "there is no folder for the store",
                        "保存領域のフォルダーがありません");
}

enum err restore_run(const struct restore_order *order, struct restore_account *ret_account)
{
    struct restoring r = {.order = order, .account = ret_account};
    enum err err = ERR_OK;

    assert(order->file && order->store);
    *ret_account = (struct restore_account){.en = "", .ja = ""};
    err = name_all(&r);
    if (err)
        return err;
    err = check_owner(&r);
    if (err)
        return err;
    err = make_copy(&r);
    if (!err)
        err = check_copy(&r);
    if (!err && order->key)
        err = prove_copy(&r);
    if (!err)
        err = close_old(&r);
    if (!err)
        err = swap(&r);
    if (err)
        remove_copy(&r);
    return err;
}
