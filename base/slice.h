/* SPDX-License-Identifier: Apache-2.0
 *
 * Borrowed bytes: pointer and length, never NUL-trusted. Whoever made the bytes owns them.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *ptr; /* may be NULL only when len is 0 */
    size_t len;
};

#define SLICE(literal) ((struct slice){("" literal), sizeof(literal) - 1})
#define SLICE_NONE ((struct slice){NULL, 0})
/* For printf: "%.*s", SLICE_ARG(s) */
#define SLICE_ARG(s) (int)(s).len, (s).ptr ? (s).ptr : ""

static inline struct slice slice_of(const void *ptr, size_t len)
{
    return (struct slice){ptr, len};
}
/* A C string, or the empty slice for NULL. */
static inline struct slice slice_str(const char *text)
{
    return (struct slice){text, text ? strlen(text) : 0};
}
static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}
static inline bool slice_is(struct slice a, const char *text)
{
    return slice_eq(a, slice_str(text));
}

/* Order as memcmp, shorter first: <0, 0, >0. */
int slice_cmp(struct slice a, struct slice b);
/* ASCII letters compared without case. */
bool slice_ieq(struct slice a, struct slice b);
bool slice_starts(struct slice s, struct slice prefix);
bool slice_ends(struct slice s, struct slice suffix);
/* Bytes [from, from+len) clipped to S. */
struct slice slice_sub(struct slice s, size_t from, size_t len);
/* Without leading and trailing ASCII white space. */
struct slice slice_trim(struct slice s);
/* Index of the first C at or after FROM, or S.len. */
size_t slice_find(struct slice s, char c, size_t from);
/* First occurrence of NEEDLE at or after FROM, or S.len. */
size_t slice_search(struct slice s, struct slice needle, size_t from);
/* Takes the part before the next SEPARATOR off *REST and returns it (without the separator); the
 * whole rest when there is none. *REST becomes {NULL,0} after the last part. A caller loops while
 * rest->ptr is not NULL. */
struct slice slice_cut(struct slice *rest, char separator);
/* An unsigned / signed decimal number that fills the whole slice; false otherwise, untouched. */
bool slice_u64(struct slice s, uint64_t *ret_value);
bool slice_i64(struct slice s, int64_t *ret_value);
/* Well-formed UTF-8 (RFC 3629: no overlong, no surrogates, <= U+10FFFF)? */
bool slice_is_utf8(struct slice s);
/* How many bytes from the start are well-formed UTF-8: where a fault lies, or s.len. */
size_t slice_utf8_len(struct slice s);

#endif
