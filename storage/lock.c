/* SPDX-License-Identifier: Apache-2.0
 *
 * flock(2) and locks of the open file description rather than fcntl(2)'s own: these belong to the
 * open file and not to the process, so closing another handle of it does not let go, and two
 * holders within one process exclude each other too. The two kinds do not see each other. The
 * store's own file is never locked so: SQLite locks that.
 */
#include "storage/lock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/slice.h"

#include "base/banned.h"

enum err lock_resolve(const char *path, char ret_path[PATH_MAX])
{
    char copy[PATH_MAX], folder[PATH_MAX], whole[PATH_MAX];
    const char *name = strrchr(path, '/');
    int n = snprintf(copy, sizeof copy, "%s", path);

    if (n <= 0 || n >= (int)sizeof copy)
        return ERR_TOO_LARGE;
    if (realpath(path, whole)) {
        memcpy(ret_path, whole, strlen(whole) + 1);
        return ERR_OK;
    }
    if (errno != ENOENT || !realpath(dirname(copy), folder))
        return ERR_IO;
    n = snprintf(whole, sizeof whole, "%s/%s", folder, name ? name + 1 : path);
    if (n >= (int)sizeof whole)
        return ERR_TOO_LARGE;
    memcpy(ret_path, whole, (size_t)n + 1);
    return ERR_OK;
}

/* Root may work for the owner, who must be able to open the file afterwards. */
static void give_to_owner(int fd, const char *store)
{
    char copy[PATH_MAX];
    struct stat st;

    (void)snprintf(copy, sizeof copy, "%s", store);
    if (geteuid() == 0 && stat(dirname(copy), &st) == 0 && fchown(fd, st.st_uid, st.st_gid) != 0)
        return; /* no worse than before */
}

static enum err open_lock(const char *path, int *ret_fd)
{
    char whole[PATH_MAX], name[PATH_MAX];
    enum err err = lock_resolve(path, whole);
    int n = 0, fd = -1;

    if (err)
        return err;
    n = snprintf(name, sizeof name, "%s.lock", whole);
    if (n >= (int)sizeof name)
        return ERR_TOO_LARGE;
    fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return ERR_IO;
    give_to_owner(fd, whole);
    *ret_fd = fd;
    return ERR_OK;
}

/* The first byte, by an open file description lock: as flock's it belongs to the open file. */
static enum err lock_byte(int fd, short type)
{
    struct flock range = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};

    if (fcntl(fd, F_OFD_SETLK, &range) == 0)
        return ERR_OK;
    return errno == EAGAIN || errno == EACCES ? ERR_UNAVAILABLE : ERR_IO;
}

enum err lock_take(const char *path, int *ret_lock)
{
    int fd = -1;
    enum err err = open_lock(path, &fd);

    if (!err && flock(fd, LOCK_EX | LOCK_NB) != 0)
        err = errno == EWOULDBLOCK ? ERR_UNAVAILABLE : ERR_IO;
    if (err)
        lock_release(fd);
    else
        *ret_lock = fd;
    return err;
}

enum err lock_share(const char *path, int *ret_lock)
{
    int fd = -1;
    enum err err = open_lock(path, &fd);

    if (!err)
        err = lock_byte(fd, F_RDLCK);
    if (err)
        lock_release(fd);
    else
        *ret_lock = fd;
    return err;
}

enum err lock_exclude(int lock)
{
    return lock_byte(lock, F_WRLCK);
}

void lock_admit(int lock)
{
    enum err err = lock_byte(lock, F_UNLCK);

    assert(!err); /* a lock of ours, on an open file */
}

void lock_release(int lock)
{
    if (lock >= 0)
        (void)close(lock);
}
