/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP front door: streams in, calls out. One call at a time per connection (pipelined requests wait), deadlines for
 * head, body and idle connections, a cap on connections. The peer is authenticated before a byte of the body is kept.
 */
#ifndef EXCHANGE_NET_HTTP_H
#define EXCHANGE_NET_HTTP_H

#include "exchange/net/http1.h"
#include "exchange/net/stream.h"

struct http_call;
struct http_server;

struct http_field {
    const char *name;
    struct slice value;
};

struct http_answer {
    int status;
    const char *content_type;      /* NULL: no body type */
    const struct http_field *fields; /* further fields */
    unsigned field_count;
    struct slice body;             /* copied; for HEAD only its length is sent */
    bool close;                    /* close the connection after this answer */
};

/* Answer of body_limit: do not read the body at all; the call is handled at once without it and the connection closed
 * after the answer (a caller who is refused anyway). */
#define HTTP_BODY_SKIP SIZE_MAX

struct http_options {
    struct listener_options where; /* but its events and context */
    unsigned head_ms, body_ms; /* whole head, whole body received; 0: LIMIT_HTTP_HEAD_MS, LIMIT_HTTP_BODY_MS */
    /* Before the body is read: the largest body this request may have (0: none allowed), so that routes without a body
     * refuse early. May be NULL (LIMIT_HTTP_BODY). Asked only when the request announces a body. */
    size_t (*body_limit)(const struct http1_request *head, const struct net_peer *peer, void *context);
    /* A complete request. Must lead to exactly one http_call_answer, now or later, on the loop thread. */
    void (*handle)(struct http_call *call, void *context);
    void *context;
};

/* Statuses that the door itself refuses with, before there is a call; 503: over the quota. */
#define HTTP_REFUSALS 9u
int http_refusal_status(unsigned i);

struct http_figures {
    uint64_t refusals[HTTP_REFUSALS];
    unsigned running; /* calls that are not answered yet, or being answered */
    struct net_figures net;
};

/* Listens; the port in force (asked for 0: any); what the listener counted. */
enum err http_open(const struct http_options *options, struct http_server **ret_server) ERR_CHECKED;
unsigned short http_port(const struct http_server *server);
void http_figures(const struct http_server *server, struct http_figures *ret_figures);
/* Stops accepting, lets running calls be answered (Connection: close), then DONE once. */
void http_close(struct http_server *server, void (*done)(void *context), void *context);

/* The request, its body and its peer; valid until answered, also when the peer is gone. */
const struct http1_request *http_call_request(const struct http_call *call);
struct slice http_call_body(const struct http_call *call);
const struct net_peer *http_call_peer(const struct http_call *call);
/* The loop that the call lives on. */
uv_loop_t *http_call_loop(const struct http_call *call);
/* Answers and releases the call. If the peer is gone the answer is dropped. Every answer carries Date, Content-Length,
 * Cache-Control: no-store, X-Content-Type-Options: nosniff. */
void http_call_answer(struct http_call *call, const struct http_answer *answer);

/* An answer whose length is not known when it begins: events, files made while they are sent. */
struct http_flow {
    /* All that was handed over has left: more may come. Told for the head, too. */
    void (*drained)(void *context);
    /* The peer left, or the server closes: the call is released, the last callback. Never from inside a call of the owner's. */
    void (*gone)(void *context);
    void *context;
};
/* Sends ANSWER's status and fields (its body is not looked at); pieces follow, chunked (RFC 9112 7.1; to HTTP/1.0 up to
 * the end of the connection). False: the peer is gone, or asked for the head alone: the call is released, nothing of FLOW
 * will be called. Instead of http_call_answer. */
bool http_call_begin(struct http_call *call, const struct http_answer *answer,
                     const struct http_flow *flow);
/* Hands over some bytes. The owner waits for `drained` before it makes more. */
void http_call_piece(struct http_call *call, struct slice bytes);
/* Ends the answer and releases the call. Not WHOLE: the connection is cut, so that the peer cannot take what it got for
 * all. */
void http_call_end(struct http_call *call, bool whole);

#endif
