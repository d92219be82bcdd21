/* SPDX-License-Identifier: Apache-2.0
 *
 * flock(2) rather than fcntl(2): the lock belongs to the open file and not to the process, so
 * closing another handle of it does not let go, and two holders within one process exclude each
 * other too. The store's own file is never locked so: SQLite locks that.
 */
#include "storage/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
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

enum err lock_take(const char *path, int *ret_lock)
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
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        err = errno == EWOULDBLOCK ? ERR_UNAVAILABLE : ERR_IO;
        (void)close(fd);
        return err;
    }
    *ret_lock = fd;
    return ERR_OK;
}

void lock_release(int lock)
{
    if (lock >= 0)
        (void)close(lock);
}
