/* SPDX-License-Identifier: Apache-2.0
 *
 * What stream.c, stream_tls.c and listener.c share and nobody else may see.
 *
 *   [DIALLING ->] HANDSHAKE -> OPEN -> FLUSHING -> SHUTTING -> LINGERING -> CLOSING -> (closed, freed)
 *
 * (plain streams start OPEN, or go there from DIALLING; any state may fall to CLOSING by stream_kill). Work that must not run
 * inside the owner's calls (sending, going on after a pause) is done once a turn, in the listener's
 * prepare callback, for the streams on its dirty list: so several writes of one turn leave in one
 * system call, and no call of the owner re-enters the owner.
 */
#ifndef EXCHANGE_NET_STREAM_IMPL_H
#define EXCHANGE_NET_STREAM_IMPL_H

#include <openssl/ssl.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/limits.h"
#include "exchange/net/quota.h"
#include "exchange/net/stream.h"

#define STREAM_READ_BYTES (64u * LIMIT_KIB)
#define STREAM_PLAIN_BYTES (16u * LIMIT_KIB) /* one TLS record's content */

enum stream_state { DIALLING, HANDSHAKE, OPEN, FLUSHING, SHUTTING, LINGERING, CLOSING };

struct stream {
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_write_t write;
    uv_shutdown_t shutdown;
    uv_connect_t connect;
    struct listener *listener;
    TAILQ_ENTRY(stream) link;  /* listener->streams */
    TAILQ_ENTRY(stream) shake; /* listener->shaking, while in HANDSHAKE */
    TAILQ_ENTRY(stream) turn;  /* listener->dirty, while `dirty` */
    SSL *ssl;                  /* NULL: plain */
    struct net_peer peer;
    void *data;
    enum stream_state state;
    char *host;      /* whom we dial and the certificate must name; NULL: they dialled us, or plain */
    const char *why; /* it failed before it was ready; NULL: not said */
    unsigned seat; /* of the quota; QUOTA_NO_SEAT: refused, or dialled by us */
    bool refused;
    bool dirty;
    bool paused;
    bool reading;
    bool writing; /* `sending` is with the kernel */
    bool owed;    /* the owner wrote and was not told `drained` */
    bool ended;   /* the peer's end was seen */
    bool broken;  /* TLS failed: no close_notify */
    unsigned handles;
    struct slice fresh;                        /* TLS: came from the network, during stream_tls_feed only */
    struct buf held;                           /* TLS: came and was not wanted yet */
    size_t held_at;                            /* of `held`: wanted next */
    struct buf out;                            /* to be sent, encrypted already */
    struct buf sending;                        /* being sent by a uv_write */
    size_t sent;                               /* of `sending`, before the uv_write began */
    size_t queue_seen;                         /* when the stall clock was last started */
    uint64_t deadline_at, stall_at, linger_at; /* loop time in ms; 0: none */
    uint64_t timer_due;
};

TAILQ_HEAD(stream_list, stream);

struct listener {
    int fd; /* listens; -1: no longer, or nowhere */
    uv_poll_t poll;
    uv_timer_t again; /* after a pause in accepting */
    uv_prepare_t prepare;
    uv_idle_t idle; /* active while the dirty list is not empty: the loop must not sleep */
    uv_loop_t *loop;
    struct tls_context *tls;
    const struct stream_events *events;
    void *context;
    struct quota *quota;
    struct quota own_quota;
    bool says_full;
    unsigned short port;
    struct net_figures figures;
    struct stream_list streams;
    struct stream_list shaking;
    struct stream_list dirty;
    unsigned stream_count, shaking_count, dirty_count;
    unsigned refusing; /* refused connections that are being told so */
    unsigned handles;
    bool stopped, closing, folding;
    void (*done)(void *context);
    void *done_context;
    char read_bytes[STREAM_READ_BYTES];
    char plain_bytes[STREAM_PLAIN_BYTES];
};

/* Makes a stream of the accepted FD, which is closed when it cannot be. SEAT of L's quota, or QUOTA_NO_SEAT: refused. */
void stream_accept(struct listener *l, int fd, const struct sockaddr *from, unsigned seat);
/* Closes at once, dropping what was not sent. Idempotent. */
void stream_kill(struct stream *s);
/* Puts S on the dirty list. */
void stream_mark(struct stream *s);
/* The turn of a dirty stream. */
void stream_visit(struct stream *s);
/* The peer will send no more. */
void stream_end(struct stream *s);
/* Leaves HANDSHAKE. */
void stream_unshake(struct stream *s);

/* Counts. */
void listener_fault(struct listener *l, enum net_fault fault);
/* The last handle or stream of L may be gone. */
void listener_settle(struct listener *l);

/* False when memory is out. */
bool stream_tls_start(struct stream *s);
/* Takes bytes from the network, or (empty) goes on with those held back. */
void stream_tls_feed(struct stream *s, struct slice bytes);
void stream_tls_write(struct stream *s, struct slice bytes);
/* Adds our close_notify to what is to be sent. */
void stream_tls_bye(struct stream *s);

#endif
