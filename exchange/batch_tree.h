/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole standard or extended storage as a batch: its files that are new or changed, one patient's
 * in the order they were sent. Shared by `tasuki import ssmix2` and its benchmark.
 */
#ifndef EXCHANGE_BATCH_TREE_H
#define EXCHANGE_BATCH_TREE_H

#include "exchange/batch.h"

struct batch_tree {
    struct batch *batch; /* a file's path is the tag of its request */
    struct slice facility_key;
    /* Called with a file that could not be read, or is too large (file->err); CONTEXT is
     * batch->context. */
    void (*unreadable)(void *context, const struct ssmix2_file *file);
};

/* Takes in the tree below ROOT and waits until all of it has ended. */
enum err batch_tree(const struct batch_tree *tree, const char *root) ERR_CHECKED;

#endif
