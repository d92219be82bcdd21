/* SPDX-License-Identifier: Apache-2.0
 *
 * The growing buffer: capacity doubles, so that adding is linear on the whole, and never passes the
 * maximum given at birth. The first failure stays until buf_clear(); a half-written text must never
 * be sent, so whoever sends asks buf_err() first.
 */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/banned.h"

#define CAP_FIRST 64

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_fini(struct buf *b)
{
    if (!b)
        return;
    free(b->ptr);
    buf_init(b, b->max);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->err = ERR_OK;
}

static size_t next_cap(const struct buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : CAP_FIRST;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    return cap > b->max ? b->max : cap;
}

void buf_reset(struct buf *b, size_t keep)
{
    if (b->cap > keep)
        buf_fini(b);
    else
        buf_clear(b);
}

char *buf_reserve(struct buf *b, size_t more)
{
    if (b->err)
        return NULL;
    if (more > b->max - b->len) {
        b->err = ERR_TOO_LARGE;
        return NULL;
    }
    if (!b->ptr || more > b->cap - b->len) {
        size_t cap = next_cap(b, b->len + more);
        char *grown = realloc(b->ptr, cap ? cap : 1); /* a maximum of 0 still gives a pointer */
        if (!grown) {
            b->err = ERR_LIMIT;
            return NULL;
        }
        b->ptr = grown;
        b->cap = cap;
    }
    return b->ptr + b->len;
}

void buf_add(struct buf *b, struct slice s)
{
    if (s.len == 0)
        return;
    char *to = buf_reserve(b, s.len);
    if (!to)
        return;
    memcpy(to, s.ptr, s.len);
    b->len += s.len;
}

void buf_adds(struct buf *b, const char *text)
{
    buf_add(b, slice_str(text));
}

void buf_addc_more(struct buf *b, char c)
{
    char *to = buf_reserve(b, 1);
    if (!to)
        return;
    *to = c;
    b->len++;
}

void buf_addf(struct buf *b, const char *format, ...)
{
    char small[256];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    assert(len >= 0);
    if ((size_t)len < sizeof(small)) {
        buf_add(b, slice_of(small, (size_t)len));
        return;
    }
    char *whole = NULL; /* its NUL must not count against the maximum, hence not written in place */
    va_start(args, format);
    len = vasprintf(&whole, format, args);
    va_end(args);
    if (len < 0) {
        b->err = b->err ? b->err : ERR_LIMIT;
        return;
    }
    buf_add(b, slice_of(whole, (size_t)len));
    free(whole);
}

void buf_add_decimal(struct buf *b, uint64_t v, unsigned width)
{
    char digits[24];
    unsigned n = 0;
    assert(width < sizeof(digits));
    do {
        digits[sizeof(digits) - ++n] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0 || n < width);
    buf_add(b, slice_of(digits + sizeof(digits) - n, n));
}

void buf_add_u32(struct buf *b, uint32_t v)
{
    char bytes[4];
    for (int i = 0; i < 4; i++)
        bytes[i] = (char)(v >> (24 - 8 * i));
    buf_add(b, slice_of(bytes, sizeof(bytes)));
}

void buf_add_u64(struct buf *b, uint64_t v)
{
    char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(v >> (56 - 8 * i));
    buf_add(b, slice_of(bytes, sizeof(bytes)));
}

void buf_drop(struct buf *b, size_t n)
{
    assert(n <= b->len);
    if (n == 0)
        return;
    b->len -= n;
    memmove(b->ptr, b->ptr + n, b->len);
}

struct slice buf_slice(const struct buf *b)
{
    return slice_of(b->ptr, b->len);
}

enum err buf_err(const struct buf *b)
{
    return b->err;
}
