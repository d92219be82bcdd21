/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks up an embedded file by its path. A plain walk: the tables hold some dozen rows and are
 * asked at start only, and a walk does not depend on the order in which the build lists the files.
 * It must not copy or change the bytes: they are part of the program's text.
 */
#include "base/asset.h"

#include <assert.h>
#include <string.h>

#include "base/banned.h"

const struct asset *asset_find(const struct asset *table, const char *path)
{
    assert(table && path);
    for (; table->path; table++) {
        if (strcmp(table->path, path) == 0)
            return table;
    }
    return NULL;
}
