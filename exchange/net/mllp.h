/* SPDX-License-Identifier: Apache-2.0
 *
 * MLLP framing (HL7 v2 Implementation Guide appendix C): <VT> message <FS><CR>. A sender may send on without waiting: frames
 * that have nothing to do with one another are handed over at once, others one after the other; answers leave in the order
 * of the frames. Framing errors (bytes outside a frame, VT or FS inside data, a frame too large or too slow) are counted by
 * kind and the connection is closed with a logged reason.
 */
#ifndef EXCHANGE_NET_MLLP_H
#define EXCHANGE_NET_MLLP_H

#include "exchange/net/stream.h"

struct mllp_server;
struct mllp_call;

/* What a frame is about, as numbers: two frames of a connection that share one are handed over in their order, one after the
 * other's answer. count 0: not known; it waits for all before it, and all after it wait for it. */
#define MLLP_KEYS_MAX 8u
struct mllp_keys {
    uint64_t keys[MLLP_KEYS_MAX];
    unsigned count;
};

struct mllp_options {
    struct listener_options where; /* but its events and context; without tls the host must be loopback (ERR_INVALID) */
    unsigned frame_ms; /* from start block to end block; 0: LIMIT_MLLP_FRAME_MS */
    /* A complete frame; exactly one mllp_answer must follow. */
    void (*handle)(struct mllp_call *call, void *context);
    /* Fills *ret_keys, which is empty; NULL: no frame's are known, so they come one at a time. */
    void (*keys)(struct slice frame, struct mllp_keys *ret_keys);
    void *context;
};

/* Kinds of framing errors, with the reason that the log and the metrics name. */
#define MLLP_FAULT_TABLE(X)                                                                                                    \
    X(MLLP_OUTSIDE, "bytes-outside-frame")                                                                                     \
    X(MLLP_START_INSIDE, "start-block-inside-frame")                                                                           \
    X(MLLP_END_INSIDE, "end-block-inside-frame")                                                                               \
    X(MLLP_TOO_LARGE, "frame-too-large")                                                                                       \
    X(MLLP_TOO_SLOW, "frame-too-slow")                                                                                         \
    X(MLLP_CUT_OFF, "cut-off")                                                                                                 \
    X(MLLP_NO_ROOM, "no-room")

enum mllp_fault {
#define X(name, reason) name,
    MLLP_FAULT_TABLE(X)
#undef X
        MLLP_FAULT_COUNT
};
const char *mllp_fault_reason(enum mllp_fault fault);

struct mllp_figures {
    uint64_t frames;
    uint64_t framing_errors; /* all kinds together */
    uint64_t faults[MLLP_FAULT_COUNT];
    unsigned connections; /* open now */
    unsigned running;     /* frames handed over and not answered yet */
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
/* Frames MESSAGE as a first part of the answer; mllp_answer must follow. */
void mllp_say(struct mllp_call *call, struct slice message);
/* Frames MESSAGE, sends it and releases the call; an empty MESSAGE sends nothing. CLOSE ends the connection after it. */
void mllp_answer(struct mllp_call *call, struct slice message, bool close);

/* Pure deframer, fuzzed: looks at the start of BYTES. MORE: incomplete, *ret_used bytes (CR, LF between frames) may be
 * dropped already. FRAME: *ret_frame and *ret_used. BAD. CR and LF before a frame are passed over. */
enum mllp_state { MLLP_MORE, MLLP_FRAME, MLLP_BAD };
enum mllp_state mllp_deframe(struct slice bytes, struct slice *ret_frame, size_t *ret_used);

#endif
