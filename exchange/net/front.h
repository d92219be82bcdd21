/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a front door, whatever is spoken through it: a listener, the connections behind it
 * (guests), how much is being worked on for them, and the orderly end. What is spoken (http.c,
 * mllp.c) is a trade: it says how large a guest is and what happens to one; framing, deadlines and
 * answers are the trade's alone. A front's moves:
 *
 *     OPEN --front_close--> DRAINING --nothing worked on--> CLOSING --last stream and handle
 * closed--> (DONE, freed)
 *
 *     state     event                      then
 *     OPEN      a stream is ready          a guest; the trade's `arrived`
 *     DRAINING  a stream is ready          closed at once: its handshake was under way
 *     any       a guest's stream closed    guest->stream is NULL, the trade's `left`, which parts
 * now or when its work is done OPEN      front_close                nothing more is accepted; the
 * trade's `closing` for each guest; DRAINING DRAINING  front_finish, front_part   nothing is worked
 * on any more: the streams that are left are closed; CLOSING
 *
 * All on the loop's thread. Must not look at a byte.
 */
#ifndef EXCHANGE_NET_FRONT_H
#define EXCHANGE_NET_FRONT_H

#include <sys/queue.h>

#include "exchange/net/stream.h"

struct front;

/* A connection; the first member of what the trade keeps of one. */
struct guest {
    struct front *front;
    struct stream *stream; /* NULL: the peer is gone */
    struct net_peer peer;
    TAILQ_ENTRY(guest) link;
};

struct front_trade {
    size_t guest_size; /* of the struct that begins with the guest; made of zeros */
    /* Its stream is open: buffers, deadline. */
    void (*arrived)(struct guest *g);
    /* The stream is gone, nothing can be said any more. front_part must follow, now or later. */
    void (*left)(struct guest *g);
    /* The front closes: leave now, or after what is being worked on. */
    void (*closing)(struct guest *g);
    /* As in stream_events, called by the stream itself; stream_data() is the guest. */
    void (*data)(struct stream *s, struct slice bytes);
    void (*drained)(struct stream *s);
    void (*late)(struct stream *s);
    void (*ended)(struct stream *s);
};

enum front_state { FRONT_OPEN, FRONT_DRAINING, FRONT_CLOSING };

/* The first member of a trade's server. */
struct front {
    const struct front_trade *trade;
    struct stream_events events;
    struct listener *listener;
    TAILQ_HEAD(guest_list, guest) guests;
    unsigned guest_count;
    unsigned working; /* front_begin without its front_finish */
    enum front_state state;
    void (*done)(void *context);
    void *done_context;
};

/* Makes a server of SIZE bytes, zeros but for the front at its beginning, and listens as WHERE says
 * (events and context are the front's to set). Freed by itself after front_close. */
enum err front_open(const struct front_trade *trade, size_t size,
                    const struct listener_options *where, struct front **ret_front) ERR_CHECKED;
void front_close(struct front *f, void (*done)(void *context), void *context);

/* Something is worked on for a guest; it is no longer. After front_finish F may be freed. */
void front_begin(struct front *f);
void front_finish(struct front *f);
/* Forgets a guest whose stream is gone and frees it. F may be freed with the last. */
void front_part(struct guest *g);

/* front_close was called; the port in force; what the listener counted. */
bool front_is_closing(const struct front *f);
unsigned short front_port(const struct front *f);
void front_figures(const struct front *f, struct net_figures *ret_figures);

#endif
