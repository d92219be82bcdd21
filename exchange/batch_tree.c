/* SPDX-License-Identifier: Apache-2.0
 *
 * A storage as a batch (see batch_tree.h).
 */
#include "exchange/batch_tree.h"

#include "exchange/door/ssmix2_scan.h"

#include "base/banned.h"

#define WALK_FILES 256u /* read at once, while those before are worked on */

static enum err file_all(const struct batch_tree *tree, const struct ssmix2_batch *files)
{
    enum err err = ERR_OK;

    for (size_t i = 0; i < files->count && !err; i++) {
        const struct ssmix2_file *file = &files->files[i];

        if (file->bytes)
            err = batch_file(tree->batch, tree->facility_key, file);
        else
            tree->unreadable(tree->batch->context, file);
    }
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
    batch_finish(tree->batch);
    ssmix2_scan_free(scan);
    return err;
}
