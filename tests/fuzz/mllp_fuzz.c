/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes mllp_deframe: every frame taken lies inside the input, holds neither start nor end block,
 * and is the same when found in a shorter input; input that is incomplete stays harmless one byte
 * shorter.
 */
#include <stdint.h>
#include <stdlib.h>

#include "exchange/net/mllp.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void check_frame(struct slice input, struct slice frame, size_t used)
{
    struct slice again;
    size_t used_again = 0;
    must(used >= 3 && used <= input.len);
    must(frame.ptr > input.ptr && frame.len <= used - 3);
    must(slice_find(frame, '\x0b', 0) == frame.len);
    must(slice_find(frame, '\x1c', 0) == frame.len);
    must(mllp_deframe(slice_sub(input, 0, used), &again, &used_again) == MLLP_FRAME);
    must(slice_eq(again, frame) && used_again == used);
    must(mllp_deframe(slice_sub(input, 0, used - 1), &again, &used_again) == MLLP_MORE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    for (;;) {
        struct slice frame = SLICE_NONE;
        size_t used = 0;
        enum mllp_state state = mllp_deframe(rest, &frame, &used);
        if (state == MLLP_MORE)
            must(used <= rest.len);
        if (state != MLLP_FRAME)
            return 0;
        check_frame(rest, frame, used);
        rest = slice_sub(rest, used, rest.len - used);
    }
}
