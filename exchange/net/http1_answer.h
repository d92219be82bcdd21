/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/1.1 answers as a client reads them (RFC 9112), strict and pure: how long the body is must be certain, or the
 * answer is refused. Nothing but status and framing is looked at.
 */
#ifndef EXCHANGE_NET_HTTP1_ANSWER_H
#define EXCHANGE_NET_HTTP1_ANSWER_H

#include "exchange/net/http1.h"

struct http1_answer {
    int status;     /* 200 to 599: interim answers are passed over */
    bool keep_alive;
    bool chunked;
    bool to_end;    /* the body goes on to the end of the connection */
    uint64_t content_length;
};

/* Parses a final answer's head from the start of BYTES (of a POST: a 204 or 304 has no body). MORE, DONE with *ret_used
 * bytes read, BAD; a head of more than LIMIT_HTTP_HEAD bytes is BAD. */
enum http1_state http1_answer_head(struct slice bytes, struct http1_answer *ret_answer,
                                   size_t *ret_used);

#endif
