/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes what a receiver and a subscriber send us: the head of an answer (taken or refused, never shorter than it
 * was taken), the URL of an endpoint (what is taken is printable and has no dot segments) and its headers.
 */
#include <stdint.h>
#include <stdlib.h>

#include "exchange/net/http1_answer.h"
#include "exchange/net/outbound.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void check_answer(struct slice input)
{
    struct http1_answer a, again;
    size_t used = 0, used_again = 0;
    if (http1_answer_head(input, &a, &used) != HTTP1_DONE)
        return;
    must(used > 0 && used <= input.len && a.status >= 200 && a.status < 600);
    must(!(a.chunked && (a.content_length || a.to_end)));
    must(http1_answer_head(slice_sub(input, 0, used), &again, &used_again) == HTTP1_DONE);
    must(used_again == used && again.status == a.status);
    must(http1_answer_head(slice_sub(input, 0, used - 1), &again, &used_again) == HTTP1_MORE);
}

static void check_url(struct slice input)
{
    struct outbound_target t;
    if (outbound_url(input, &t))
        return;
    must(t.host[0] && t.port && t.path[0] == '/');
    struct slice path = slice_str(t.path);
    for (size_t i = 0; i < path.len; i++)
        must(path.ptr[i] > 0x20 && path.ptr[i] < 0x7f && path.ptr[i] != '#');
    struct slice before = slice_sub(path, 0, slice_find(path, '?', 0));
    must(slice_search(before, SLICE("/../"), 0) == before.len && !slice_ends(before, SLICE("/..")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    check_answer(input);
    check_url(input);
    if (outbound_field_ok(input))
        must(memchr(input.ptr, '\n', input.len) == NULL && memchr(input.ptr, '\r', input.len) == NULL);
    return 0;
}
