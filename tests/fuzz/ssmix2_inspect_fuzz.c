/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a file of a standard storage: the first line is its path, the rest its content.
 * Checks must end, and every finding must say what and where.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mappers/hl7v2/explain.h"
#include "mappers/ssmix2/inspect.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    struct slice path = slice_cut(&rest, '\n');
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    struct inspection in;

    must(arena != NULL && charset_init() == ERR_OK);
    inspect_file(arena, path, rest, &in);
    for (unsigned c = 0; c < INSPECT_CHECKS; c++) {
        for (const struct err_item *i = in.found[c].first; i; i = i->next) {
            struct slice en = SLICE_NONE, ja = SLICE_NONE;
            must(i->code != ERR_OK && i->en && i->ja);
            explain_place(arena, slice_str(i->place), &en, &ja);
            must((en.len > 0) == (ja.len > 0));
        }
    }
    must(in.judged[INSPECT_PATH] && (in.named || in.found[INSPECT_PATH].errors > 0));
    arena_free(arena);
    return 0;
}
