/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes that grow, born with a maximum. Failure is sticky: once memory or the maximum runs out,
 * further writes do nothing and buf_err() tells; so a printer checks once, at its end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/err.h"
#include "base/slice.h"

struct buf {
    char *ptr;
    size_t len;
    size_t cap;
    size_t max;
    enum err err; /* ERR_OK, ERR_LIMIT (no memory) or ERR_TOO_LARGE (maximum) */
};

/* An empty buffer that will never hold more than MAX bytes; allocates nothing yet. */
void buf_init(struct buf *b, size_t max);
/* Frees the bytes; the buffer is then empty and reusable with the same maximum. NULL is fine. */
void buf_fini(struct buf *b);
/* Forgets the content and any failure, keeps the memory. */
void buf_clear(struct buf *b);
/* The same, but keeps no more than KEEP bytes of memory: for buffers that wait a long time. */
void buf_reset(struct buf *b, size_t keep);
/* Makes room for MORE bytes beyond len and returns where they go, or NULL (failure is sticky). */
char *buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, struct slice s);
void buf_adds(struct buf *b, const char *text);
void buf_addc_more(struct buf *b, char c); /* of buf_addc: when there is no room */
static inline void buf_addc(struct buf *b, char c)
{
    if (b->len < b->cap && !b->err)
        b->ptr[b->len++] = c;
    else
        buf_addc_more(b, c);
}
void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Decimal digits of V; with WIDTH > 0 padded with zeros to at least that many. Cheaper than
 * buf_addf where every request prints. */
void buf_add_decimal(struct buf *b, uint64_t v, unsigned width);
/* Big-endian integers, for canonical binary records. */
void buf_add_u32(struct buf *b, uint32_t v);
void buf_add_u64(struct buf *b, uint64_t v);
/* Drops the first N bytes (moves the rest down). */
void buf_drop(struct buf *b, size_t n);
/* What is in it; valid until the next write. */
struct slice buf_slice(const struct buf *b);
/* The sticky failure, or ERR_OK. */
enum err buf_err(const struct buf *b);

#endif
