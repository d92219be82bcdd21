/* SPDX-License-Identifier: Apache-2.0
 *
 * Packed bodies as a damaged file might hold them: any bytes are an error or a body within bounds.
 * And any bytes packed come back.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "storage/body.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct body_coder *coder;
    struct slice in = slice_of(data, size), out = SLICE_NONE;
    struct arena *arena = arena_new(2 * LIMIT_BODY);
    struct buf packed;
    bool same = false;
    if (!coder)
        must(body_coder_new(&coder) == ERR_OK);
    buf_init(&packed, 2 * LIMIT_BODY);
    enum err err = body_unpack(coder, in, arena, &out);
    must(err == ERR_OK || err == ERR_IO || err == ERR_LIMIT);
    must(err || out.len <= LIMIT_BODY);
    if (!err && out.len)
        must(body_same(coder, in, out, &same) == ERR_OK && same);
    must(body_pack(coder, in, &packed) == ERR_OK);
    must(body_unpack(coder, buf_slice(&packed), arena, &out) == ERR_OK && slice_eq(out, in));
    buf_fini(&packed);
    arena_free(arena);
    return 0;
}
