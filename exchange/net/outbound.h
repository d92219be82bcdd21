/* SPDX-License-Identifier: Apache-2.0
 *
 * POSTs that we send: a small HTTP/1.1 client on the same streams as the doors. One request at a time per connection;
 * a connection that may be kept serves the next request to the same place. Redirects are not followed, the body of an
 * answer is read for its framing only and thrown away. Servers are verified by name (tls.h); plain HTTP goes to
 * loopback addresses and nowhere else, whatever a name resolves to. All calls on the loop's thread.
 */
#ifndef EXCHANGE_NET_OUTBOUND_H
#define EXCHANGE_NET_OUTBOUND_H

#include <uv.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/slice.h"

struct tls_context;
struct outbound;

/* Where to: made by outbound_url only. */
struct outbound_target {
    bool tls;
    unsigned short port;
    char host[LIMIT_PUSH_HOST + 1];   /* lower case; an IPv6 address without its brackets */
    char path[LIMIT_PUSH_URL + 1];    /* with the query; begins with '/' */
};

/* Reads an absolute http or https URL, strictly: no user, no fragment, no control or other character that a URL has not.
 * ERR_INVALID. */
enum err outbound_url(struct slice url, struct outbound_target *ret_target) ERR_CHECKED;

struct outbound_result {
    enum err err;    /* ERR_OK: there is a status. ERR_IO (no connection, no trust), ERR_TIMEOUT, ERR_MALFORMED,
                        ERR_UNAVAILABLE (closing) */
    int status;
    const char *why; /* in English, static; never NULL */
};

struct outbound_post {
    const struct outbound_target *target;
    struct slice fields;      /* further lines, "Name: value\r\n" each; see outbound_field_ok */
    const char *content_type; /* NULL: no body */
    struct slice body;
    /* Exactly once, later, on the loop. */
    void (*done)(void *context, const struct outbound_result *result);
    void *context;
};

/* May LINE ("Name: value") stand among the fields: a token, a colon, printable text, and none of the fields that frame or
 * route the request? */
bool outbound_field_ok(struct slice line);

/* TLS (tls_client_new) may be NULL: then only plain targets. Borrowed. */
enum err outbound_open(uv_loop_t *loop, struct tls_context *tls, struct outbound **ret) ERR_CHECKED;
/* Copies everything and begins. An error: `done` is not called. */
enum err outbound_send(struct outbound *o, const struct outbound_post *post) ERR_CHECKED;
/* Ends what runs with ERR_UNAVAILABLE, closes all connections, then DONE once and frees itself. */
void outbound_close(struct outbound *o, void (*done)(void *context), void *context);

#endif
