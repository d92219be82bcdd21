/* SPDX-License-Identifier: Apache-2.0
 *
 * See log_vfs.h. Only files that SQLite opens as a log are wrapped; all others are the VFS's below.
 * What could not be written is forgotten: SQLite then rolls back, and its next transaction begins
 * again at the same place.
 */
#include "storage/log_vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define LOG_PIECE_MAX                                                                              \
    (124 * 1024) /* 30 pages; SQLite's unix VFS takes less than 128 KiB at a time */

struct log_file {
    sqlite3_file base; /* first: SQLite's view of it */
    sqlite3_file *below;
    char *bytes; /* to be written at `at`; NULL before the first */
    int len;
    sqlite3_int64 at;
};

static sqlite3_vfs *below;
static sqlite3_vfs vfs;

static struct log_file *log_of(sqlite3_file *file)
{
    return (struct log_file *)file;
}

static int flush(struct log_file *log)
{
    int len = log->len;
    log->len = 0;
    return len ? log->below->pMethods->xWrite(log->below, log->bytes, len, log->at) : SQLITE_OK;
}

static bool has_room(struct log_file *log, int count)
{
    if (!log->bytes)
        log->bytes = malloc(LOG_PIECE_MAX);
    return log->bytes && count <= LOG_PIECE_MAX - log->len;
}

static int log_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
    struct log_file *log = log_of(file);
    int rc = SQLITE_OK;
    if (log->len && (at != log->at + log->len || !has_room(log, count)))
        rc = flush(log);
    if (rc != SQLITE_OK)
        return rc;
    if (!has_room(log, count))
        return log->below->pMethods->xWrite(log->below, bytes, count, at);
    if (log->len == 0)
        log->at = at;
    memcpy(log->bytes + log->len, bytes, (size_t)count);
    log->len += count;
    return SQLITE_OK;
}

static int log_close(sqlite3_file *file)
{
    struct log_file *log = log_of(file);
    int rc = flush(log), closed = log->below->pMethods->xClose(log->below);
    free(log->bytes);
    log->bytes = NULL;
    return rc ? rc : closed;
}

static int log_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 at)
{
    struct log_file *log = log_of(file);
    int rc = flush(log);
    return rc ? rc : log->below->pMethods->xRead(log->below, bytes, count, at);
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct log_file *log = log_of(file);
    int rc = flush(log);
    return rc ? rc : log->below->pMethods->xTruncate(log->below, size);
}

static int log_sync(sqlite3_file *file, int flags)
{
    struct log_file *log = log_of(file);
    int rc = flush(log);
    return rc ? rc : log->below->pMethods->xSync(log->below, flags);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    struct log_file *log = log_of(file);
    int rc = flush(log);
    return rc ? rc : log->below->pMethods->xFileSize(log->below, ret_size);
}

static int log_lock(sqlite3_file *file, int lock)
{
    return log_of(file)->below->pMethods->xLock(log_of(file)->below, lock);
}

static int log_unlock(sqlite3_file *file, int lock)
{
    return log_of(file)->below->pMethods->xUnlock(log_of(file)->below, lock);
}

static int log_reserved(sqlite3_file *file, int *ret_lock)
{
    return log_of(file)->below->pMethods->xCheckReservedLock(log_of(file)->below, ret_lock);
}

static int log_control(sqlite3_file *file, int op, void *argument)
{
    struct log_file *log = log_of(file);
    int rc = flush(log);
    return rc ? rc : log->below->pMethods->xFileControl(log->below, op, argument);
}

static int log_sector(sqlite3_file *file)
{
    return log_of(file)->below->pMethods->xSectorSize(log_of(file)->below);
}

static int log_device(sqlite3_file *file)
{
    return log_of(file)->below->pMethods->xDeviceCharacteristics(log_of(file)->below);
}

static const sqlite3_io_methods methods = {
    .iVersion = 1, /* no shared memory, no mapping: those are the database's */
    .xClose = log_close,
    .xRead = log_read,
    .xWrite = log_write,
    .xTruncate = log_truncate,
    .xSync = log_sync,
    .xFileSize = log_size,
    .xLock = log_lock,
    .xUnlock = log_unlock,
    .xCheckReservedLock = log_reserved,
    .xFileControl = log_control,
    .xSectorSize = log_sector,
    .xDeviceCharacteristics = log_device,
};

static int log_open(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags,
                    int *ret_flags)
{
    (void)self;
    if (!(flags & SQLITE_OPEN_WAL))
        return below->xOpen(below, name, file, flags, ret_flags);
    struct log_file *log = log_of(file);
    *log = (struct log_file){.below = (sqlite3_file *)(log + 1)};
    log->below->pMethods = NULL;
    int rc = below->xOpen(below, name, log->below, flags, ret_flags);
    if (log->below->pMethods)
        log->base.pMethods = &methods;
    return rc;
}

static void make(void)
{
    below = sqlite3_vfs_find(NULL);
    if (!below)
        return;
    vfs = *below;
    vfs.pNext = NULL;
    vfs.zName = "tasuki-log";
    vfs.szOsFile = (int)sizeof(struct log_file) + below->szOsFile;
    vfs.xOpen = log_open;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
        below = NULL;
}

const char *log_vfs_name(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, make);
    return below ? vfs.zName : NULL;
}
