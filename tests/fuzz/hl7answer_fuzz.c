/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes what a receiver of a feed sends back: frame by frame as the client cuts it out, then the
 * acknowledgement. What is taken has one of six codes, texts of one line, bounded, and is taken
 * again the same.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "exchange/net/mllp.h"
#include "mappers/charset.h"
#include "mappers/hl7v2/answer.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void check_text(struct slice text)
{
    must(slice_is_utf8(text) && text.len <= LIMIT_PUSH_REASON);
    for (size_t i = 0; i < text.len; i++)
        must((unsigned char)text.ptr[i] >= 0x20 && text.ptr[i] != 0x7f);
}

static void check_answer(struct slice bytes)
{
    static const char *const codes[] = {"AA", "CA", "AE", "AR", "CE", "CR"};
    struct arena *arena = arena_new(16 * LIMIT_MIB);
    struct answer a, again;
    bool known = false;
    if (arena && answer_read(arena, bytes, &a) == ERR_OK) {
        for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
            known = known || slice_is(a.code, codes[i]);
        must(known);
        must((a.verdict == ANSWER_ACCEPTED) == (a.code.ptr[1] == 'A'));
        check_text(a.text);
        check_text(a.fault);
        check_text(a.control_id);
        must(answer_read(arena, bytes, &again) == ERR_OK && slice_eq(again.text, a.text));
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    struct slice input = slice_of(data, size), frame = SLICE_NONE;
    size_t used = 0;
    if (!ready)
        must(charset_init() == ERR_OK);
    ready = true;
    check_answer(input);
    if (mllp_deframe(input, &frame, &used) == MLLP_FRAME)
        check_answer(frame);
    return 0;
}
