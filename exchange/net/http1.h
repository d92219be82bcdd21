/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/1.1 request parser (RFC 9112, RFC 9110), strict and pure: bytes in, request out, no I/O. Whatever could be read
 * two ways (both Content-Length and Transfer-Encoding, several lengths, obs-fold, bare CR or LF, white space before the
 * colon, ...) is refused and the connection closed after the answer, so that no request can be smuggled.
 */
#ifndef EXCHANGE_NET_HTTP1_H
#define EXCHANGE_NET_HTTP1_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"

struct http1_field {
    struct slice name;  /* as sent; compare with slice_ieq */
    struct slice value; /* trimmed */
};

struct http1_request {
    struct slice method;
    struct slice target;  /* in origin form, or "*" for OPTIONS; of an absolute form without scheme and authority */
    struct slice path;    /* before '?', still percent-encoded */
    struct slice query;   /* after '?' */
    struct http1_field fields[LIMIT_HTTP_FIELDS];
    unsigned field_count;
    bool v1_0; /* HTTP/1.0: must not be sent a chunked answer */
    bool keep_alive;
    bool expect_continue;
    bool chunked;
    uint64_t content_length; /* of the body when not chunked */
};

enum http1_state { HTTP1_MORE, HTTP1_DONE, HTTP1_BAD };

/* Parses a head from the start of BYTES. MORE: incomplete. DONE: request filled (slices point into BYTES), *ret_used
 * bytes belong to the head. BAD: *ret_status says 400, 414, 431, 501 or 505. */
enum http1_state http1_head(struct slice bytes, struct http1_request *ret_request, size_t *ret_used,
                            int *ret_status);

/* Decoder of a chunked body: feed bytes, content is appended to OUT. */
struct http1_chunks {
    unsigned state;
    uint64_t left;
    unsigned line; /* bytes of the current size line or trailer */
};
enum http1_state http1_chunk(struct http1_chunks *c, struct slice bytes, struct buf *out,
                             size_t *ret_used);

/* The value of a field, or {NULL,0}; a field that must be single and came twice is refused by http1_head for the
 * framing fields only. */
struct slice http1_field(const struct http1_request *r, const char *name);

/* Decodes %XX (and '+' as space when FORM) into the arena; false on malformed escapes, NUL or invalid UTF-8. */
bool http1_decode(struct arena *arena, struct slice text, bool form, struct slice *ret_text);

#endif
