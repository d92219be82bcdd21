/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes http1.c: a head is taken or refused, and what was taken is not taken one byte shorter,
 * points into the input and has no two lengths; the rest read as a chunked body gives the same in
 * one piece and byte by byte.
 */
#include <stdint.h>
#include <stdlib.h>

#include "exchange/net/http1.h"

#include "base/banned.h"

#define BODY_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static bool inside(struct slice part, struct slice whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void check_head(struct slice input, const struct http1_request *r, size_t used)
{
    struct http1_request again;
    size_t used_again = 0;
    int status = 0;
    must(used > 0 && used <= input.len);
    must(http1_head(slice_sub(input, 0, used), &again, &used_again, &status) == HTTP1_DONE);
    must(used_again == used);
    must(http1_head(slice_sub(input, 0, used - 1), &again, &used_again, &status) == HTTP1_MORE);
    must(r->method.len > 0 && inside(r->method, input));
    must(r->target.len > 0 && inside(r->target, input));
    must(!(r->chunked && r->content_length > 0));
    must(r->field_count <= LIMIT_HTTP_FIELDS);
    for (unsigned i = 0; i < r->field_count; i++) {
        must(inside(r->fields[i].name, input) && inside(r->fields[i].value, input));
        must(slice_find(r->fields[i].value, '\n', 0) == r->fields[i].value.len);
    }
}

static void check_chunks(struct slice input)
{
    struct http1_chunks whole = {0}, bytewise = {0};
    struct buf a, b;
    size_t used = 0, total = 0, used_one = 0;
    buf_init(&a, BODY_MAX);
    buf_init(&b, BODY_MAX);
    enum http1_state first = http1_chunk(&whole, input, &a, &used);
    enum http1_state second = HTTP1_MORE;
    while (second == HTTP1_MORE && total < input.len) {
        second = http1_chunk(&bytewise, slice_sub(input, total, 1), &b, &used_one);
        total += second == HTTP1_BAD ? 0 : used_one;
    }
    must(first == second);
    if (first != HTTP1_BAD)
        must(used == total);
    if (buf_err(&a) == ERR_OK && buf_err(&b) == ERR_OK)
        must(slice_eq(buf_slice(&a), buf_slice(&b)));
    buf_fini(&a);
    buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    struct http1_request r;
    size_t used = 0;
    int status = 0;
    switch (http1_head(input, &r, &used, &status)) {
    case HTTP1_DONE:
        check_head(input, &r, used);
        check_chunks(slice_sub(input, used, size - used));
        break;
    case HTTP1_BAD:
        must(status == 400 || status == 414 || status == 431 || status == 501 || status == 505);
        check_chunks(input);
        break;
    default:
        check_chunks(input);
    }
    struct arena *arena = arena_new(LIMIT_MIB);
    struct slice text;
    if (arena && http1_decode(arena, input, size % 2 == 0, &text))
        must(text.len <= input.len && slice_is_utf8(text));
    arena_free(arena);
    return 0;
}
