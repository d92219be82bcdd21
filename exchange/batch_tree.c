/* SPDX-License-Identifier: Apache-2.0
 *
 * A storage as a batch (see batch_tree.h).
 */
#include "exchange/batch_tree.h"

#include "exchange/door/ssmix2_scan.h"

#include "base/banned.h"

#define WALK_FILES 8192u

static enum err file_wave(const struct batch_tree *tree, const struct ssmix2_batch *files,
                          unsigned wave)
{
    enum err err = ERR_OK;

    for (size_t i = 0; i < files->count && !err; i++) {
        struct ssmix2_file *file = &files->files[i];

        if (file->wave != wave)
            continue;
        if (file->bytes)
            err = batch_file(tree->batch, tree->facility_key, file, file->path);
        else
            tree->unreadable(tree->batch->context, file);
    }
    batch_finish(
        tree->batch); /* the paths are the batch's; one patient's files wait for each other */
    return err;
}

static enum err file_all(const struct batch_tree *tree, const struct ssmix2_batch *files)
{
    enum err err = ERR_OK;

    for (unsigned wave = 0; wave < files->waves && !err; wave++)
        err = file_wave(tree, files, wave);
    return err;
}

enum err batch_tree(const struct batch_tree *tree, const char *root)
{
    struct ssmix2_scan *scan = ssmix2_scan_new(root);
    struct ssmix2_batch files = {0};
    bool more = true;
    enum err err = scan ? ERR_OK : ERR_LIMIT;

    while (!err && more) {
        err = ssmix2_scan_walk(scan, WALK_FILES, 0, &files);
        if (err)
            break;
        err = file_all(tree, &files);
        more = files.more;
        ssmix2_batch_fini(&files);
    }
    ssmix2_scan_free(scan);
    return err;
}
