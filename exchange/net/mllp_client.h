/* SPDX-License-Identifier: Apache-2.0
 *
 * The sending side of MLLP (HL7 v2 Implementation Guide appendix C; original mode, v2.5
 * section 2.9.2): one connection to one receiver, one message at a time, which its answer ends.
 * Must not look inside a message: whether an answer is one to it is the owner's to say
 * (mappers/hl7v2/answer.h). All calls on the loop's thread.
 */
#ifndef EXCHANGE_NET_MLLP_CLIENT_H
#define EXCHANGE_NET_MLLP_CLIENT_H

#include <uv.h>

#include "base/err.h"
#include "base/slice.h"

struct tls_context;
struct mllp_client;

struct mllp_client_options {
    uv_loop_t *loop;
    const char *host; /* name or address; borrowed, as all here */
    unsigned short port;
    struct tls_context *tls; /* tls_client_new; NULL: plain */
    bool plain_anywhere;     /* without TLS also beyond loopback */
    unsigned connect_ms, answer_ms;
};

struct mllp_client_result {
    enum err err; /* ERR_OK; ERR_IO (no connection, no trust, cut off), ERR_TIMEOUT, ERR_MALFORMED
                     (no frame), ERR_UNAVAILABLE (closing) */
    const char *why;     /* in English, static; never NULL */
    struct slice answer; /* of a send: the frame's content; gone when `done` returns */
};

typedef void (*mllp_client_cb)(void *context, const struct mllp_client_result *result);

/* Connects nowhere yet. */
enum err mllp_client_open(const struct mllp_client_options *options,
                          struct mllp_client **ret_client) ERR_CHECKED;
/* Is there a connection? It may be gone the next moment. */
bool mllp_client_connected(const struct mllp_client *c);
/* Connects (name, connection, handshake). DONE once, on the loop; later, unless nothing could be
 * asked at all. Not while something runs, nor when connected. */
void mllp_client_connect(struct mllp_client *c, mllp_client_cb done, void *context);
/* Frames MESSAGE (copied) and waits for the answer; needs a connection, nothing may run. DONE once,
 * later. After any failure the connection is closed: an answer that comes late must not be taken
 * for that of the next message. */
void mllp_client_send(struct mllp_client *c, struct slice message, mllp_client_cb done,
                      void *context);
/* Closes the connection, if any: what came is not to be trusted. Not while something runs. */
void mllp_client_hang_up(struct mllp_client *c);
/* What runs ends with ERR_UNAVAILABLE; then DONE once, and it is freed. */
void mllp_client_close(struct mllp_client *c, void (*done)(void *context), void *context);

#endif
