/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes to and from a peer on libuv, with or without TLS (a filter of OpenSSL memory BIOs), for both doors that
 * listen (HTTP, MLLP) and for what is sent out (outbound.h). One owner per stream: its callbacks record and step. All calls on the loop's thread.
 */
#ifndef EXCHANGE_NET_STREAM_H
#define EXCHANGE_NET_STREAM_H

#include <uv.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/slice.h"

struct tls_context;
struct stream;
struct listener;
struct quota;

/* Who is on the other side, fixed when the stream is ready (after the handshake). */
struct net_peer {
    bool tls;
    bool has_cert;                          /* a client certificate that our CA signed and the CRL does not name */
    unsigned char fingerprint[DIGEST_LEN];  /* SHA-256 of its DER */
    char address[64];                       /* numeric, with port */
    unsigned short local_port;
};

/* Why a connection was refused or given up, with the reason that the metrics name. */
#define NET_FAULT_TABLE(X)                                                                                                     \
    X(NET_FULL, "full")                       /* all connections there may be are taken */                                     \
    X(NET_SHARE, "address-share")             /* its address holds its share */                                                \
    X(NET_NO_FILES, "no-files")               /* nothing accepted for a moment: no file or memory for it */                    \
    X(NET_HANDSHAKE, "handshake")             /* no or bad certificate, no common version, garbage, too slow ... */            \
    X(NET_HANDSHAKE_CROWD, "handshake-crowd") /* the oldest of too many handshakes at once */                                  \
    X(NET_LATE, "deadline")                                                                                                    \
    X(NET_STALLED, "stalled") /* stopped reading, or let too much wait */

enum net_fault {
#define X(name, reason) name,
    NET_FAULT_TABLE(X)
#undef X
        NET_FAULT_COUNT
};
const char *net_fault_reason(enum net_fault fault);

/* Counted since a listener was opened. */
struct net_figures {
    uint64_t accepted; /* and not refused */
    uint64_t faults[NET_FAULT_COUNT];
    unsigned open;
};

struct stream_events {
    /* The peer is known; the owner may set its data with stream_set_data. */
    void (*ready)(struct stream *s);
    /* Bytes came. Not called again before it returned; may call stream_pause. */
    void (*data)(struct stream *s, struct slice bytes);
    /* The stream failed or was closed; last callback, exactly once, also if ready never
     * fired. The stream is freed after it returns. */
    void (*closed)(struct stream *s);
    /* What was written has left (all pending bytes); may be NULL. */
    void (*drained)(struct stream *s);
    /* The deadline passed; may be NULL, then the stream is closed. */
    void (*late)(struct stream *s);
    /* The peer will send no more, but may still read; the owner closes. May be NULL, then the stream is closed. */
    void (*ended)(struct stream *s);
};

struct listener_options {
    uv_loop_t *loop;
    const char *host;             /* NULL: listen nowhere, the streams are made by stream_dial */
    unsigned short port;          /* 0: any free port, see listener_port */
    struct tls_context *tls;      /* NULL: plain; borrowed */
    const struct stream_events *events;
    void *context;                /* stream_context() of every stream */
    struct quota *quota;          /* shared, borrowed; NULL: one of its own, without shares */
    bool says_full;               /* over the quota some connections are let in to be told so (stream_is_refused) */
};

/* Listens. ERR_IO (port taken ...). */
enum err listener_open(const struct listener_options *options, struct listener **ret_listener) ERR_CHECKED;
unsigned short listener_port(const struct listener *l);
/* Stops accepting; the streams go on. Idempotent. */
void listener_stop(struct listener *l);
/* Stops accepting, closes the streams that are left after they drained, then calls DONE once and frees itself. */
void listener_close(struct listener *l, void (*done)(void *context), void *context);
/* What was counted since it was opened. */
void listener_figures(const struct listener *l, struct net_figures *ret_figures);

/* Begins a connection to ADDRESS; with tls (a context of tls_client_new) the server must prove to be HOST, a DNS name or
 * an address. Made on a listener without a host. `ready` follows, or `closed`; the deadline TIMEOUT_MS covers connecting and handshake, then
 * it is over. ERR_LIMIT: no memory or socket. */
enum err stream_dial(struct listener *l, const struct sockaddr *address, const char *host,
                     unsigned timeout_ms, void *data, struct stream **ret_stream) ERR_CHECKED;

/* The listener's context; the owner's data; who is at the other end. */
void *stream_context(const struct stream *s);
void stream_set_data(struct stream *s, void *data);
void *stream_data(const struct stream *s);
const struct net_peer *stream_peer(const struct stream *s);
/* It is over the quota: to be told so and closed, soon. */
bool stream_is_refused(const struct stream *s);
/* Why a stream that was dialled was closed, in English; static. */
const char *stream_why(const struct stream *s);
/* Copies (or encrypts) BYTES and sends them. Several writes of one turn of the loop leave together. */
void stream_write(struct stream *s, struct slice bytes);
/* Bytes accepted but not yet taken by the kernel. */
size_t stream_pending(const struct stream *s);
/* Stops / resumes `data`. */
void stream_pause(struct stream *s);
void stream_resume(struct stream *s);
/* Closes after what was written has left; `closed` follows. Idempotent. */
void stream_close(struct stream *s);
/* (Re)starts the one deadline of the stream; when it passes `late` is told, or the stream is closed. 0 cancels. */
void stream_deadline(struct stream *s, unsigned timeout_ms);

#endif
