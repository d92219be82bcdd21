/* SPDX-License-Identifier: Apache-2.0
 *
 * MLLP framing (HL7 v2 Implementation Guide appendix C): <VT> message <FS><CR>. One frame at a time per connection is
 * handed over; the next is handed over after mllp_answer. Framing errors (bytes outside a frame, VT or FS inside data,
 * a frame too large or too slow) are counted and the connection is closed with a logged reason.
 */
#ifndef EXCHANGE_NET_MLLP_H
#define EXCHANGE_NET_MLLP_H

#include "exchange/net/stream.h"

struct mllp_server;
struct mllp_call;

struct mllp_options {
    uv_loop_t *loop;
    const char *host;
    unsigned short port;
    struct net_quota *quota; /* as in listener_options */
    struct tls_context *tls; /* NULL: plain, then HOST must be a loopback address (ERR_INVALID otherwise) */
    /* A complete frame; exactly one mllp_answer must follow. */
    void (*handle)(struct mllp_call *call, void *context);
    void *context;
};

struct mllp_figures {
    uint64_t frames;
    uint64_t framing_errors;
    struct net_figures net;
};

/* As in http.h: listens; port in force; stops and calls DONE once; counts. */
enum err mllp_open(const struct mllp_options *options, struct mllp_server **ret_server) ERR_CHECKED;
unsigned short mllp_port(const struct mllp_server *server);
void mllp_close(struct mllp_server *server, void (*done)(void *context), void *context);
void mllp_figures(const struct mllp_server *server, struct mllp_figures *ret_figures);

/* The frame's content and who sent it; valid until mllp_answer. */
struct slice mllp_call_frame(const struct mllp_call *call);
/* ERR_OK; or ERR_TOO_LARGE: the frame holds only the beginning of a message that is too large, to be
 * refused; the connection ends after the answer. */
enum err mllp_call_fault(const struct mllp_call *call);
const struct net_peer *mllp_call_peer(const struct mllp_call *call);
/* Frames MESSAGE, sends it and releases the call; an empty MESSAGE sends nothing. CLOSE ends the connection after it. */
void mllp_answer(struct mllp_call *call, struct slice message, bool close);

/* Pure deframer, fuzzed: looks at the start of BYTES. MORE: incomplete, *ret_used bytes (CR, LF between frames) may be
 * dropped already. FRAME: *ret_frame and *ret_used. BAD. CR and LF before a frame are passed over. */
enum mllp_state { MLLP_MORE, MLLP_FRAME, MLLP_BAD };
enum mllp_state mllp_deframe(struct slice bytes, struct slice *ret_frame, size_t *ret_used);

#endif
