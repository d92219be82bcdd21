/* SPDX-License-Identifier: Apache-2.0
 *
 * Files and folders for commands. Blocking; never used by the server.
 */
#include "exchange/cli/files.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdint.h>
#include <unistd.h>

#include "base/limits.h"

#include "base/banned.h"

enum err files_read(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum err err = ERR_OK;

    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO;
    while (!err) {
        char *room = buf_reserve(out, 64u * LIMIT_KIB);
        ssize_t n = room ? read(fd, room, 64u * LIMIT_KIB) : 0;

        if (!room)
            err = buf_err(out);
        else if (n < 0)
            err = errno == EINTR ? ERR_OK : ERR_IO;
        else if (n == 0)
            break;
        else
            out->len += (size_t)n;
    }
    (void)close(fd);
    return err;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

enum err files_walk(const char *path, enum err (*fn)(void *context, const char *path),
                    void *context)
{
    char *const paths[] = {(char *)(uintptr_t)path, NULL};
    enum err err = ERR_OK;
    FTS *tree = NULL;

    if (access(path, F_OK) != 0)
        return ERR_NOT_FOUND;
    tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    if (!tree)
        return ERR_IO;
    for (FTSENT *e = fts_read(tree); e && !err; e = fts_read(tree)) {
        if (e->fts_level > 0 && e->fts_name[0] == '.')
            (void)fts_set(tree, e, FTS_SKIP);
        else if (e->fts_info == FTS_F)
            err = fn(context, e->fts_path);
        else if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR)
            err = ERR_IO;
    }
    (void)fts_close(tree);
    return err;
}
