/* SPDX-License-Identifier: Apache-2.0
 *
 * A small blocking client for benchmarks and tests: one connection per client, plain or TLS with a
 * client certificate; bytes out, one HTTP answer or one MLLP frame in. Deliberately simple and
 * impolite: it sends whatever it is told, also what no client should. Not for the server's own use.
 */
#ifndef EXCHANGE_BENCH_CLIENT_H
#define EXCHANGE_BENCH_CLIENT_H

#include "base/err.h"
#include "base/slice.h"

struct client;
struct client_trust;

/* Certificates shared by many clients (and threads). CERT and KEY may be NULL: no client
 * certificate. */
enum err client_trust_new(const char *ca_path, const char *cert_path, const char *key_path,
                          struct client_trust **ret_trust) ERR_CHECKED;
void client_trust_free(struct client_trust *trust);

struct client_options {
    const char *host; /* numeric */
    unsigned short port;
    const struct client_trust *trust; /* NULL: plain */
    unsigned timeout_ms;              /* of each send and receive; 0: 10 seconds */
    int tls_version;                  /* TLS1_2_VERSION ...; 0: the best */
};

struct client_answer {
    int status;
    bool close;        /* the server said it will close */
    struct slice head; /* status line and fields; valid until the next call */
    struct slice body;
};

/* ERR_IO: no connection or no handshake. */
enum err client_open(const struct client_options *options, struct client **ret_client) ERR_CHECKED;
void client_close(struct client *client);
enum err client_send(struct client *client, struct slice bytes) ERR_CHECKED;
/* Reads one final HTTP answer by its Content-Length (100 Continue is passed over). ERR_GONE: the
 * server closed first; ERR_TIMEOUT; ERR_MALFORMED. HEAD_ONLY: the answer of a HEAD request. */
enum err client_read_http(struct client *client, bool head_only,
                          struct client_answer *ret_answer) ERR_CHECKED;
/* Reads exactly LEN bytes. */
enum err client_read_raw(struct client *client, char *ret_bytes, size_t len) ERR_CHECKED;
/* Reads one MLLP frame; the slice is valid until the next call. */
enum err client_read_mllp(struct client *client, struct slice *ret_frame) ERR_CHECKED;
/* Prints, sends and reads: METHOD TARGET with FIELDS ("Name: value\r\n" each, may be empty) and
 * BODY. */
enum err client_http(struct client *client, const char *method, const char *target,
                     const char *fields, struct slice body,
                     struct client_answer *ret_answer) ERR_CHECKED;
/* Frames MESSAGE, sends it and reads the answer's frame. */
enum err client_mllp(struct client *client, struct slice message,
                     struct slice *ret_frame) ERR_CHECKED;
/* True when the server has closed: waits up to the timeout for the end, false when other bytes
 * came. */
bool client_at_end(struct client *client);
/* Ends our sending side only. */
void client_finish(struct client *client);

/* Runs BODY(0..COUNT-1, context) on COUNT threads and waits for all. ERR_LIMIT when one could not
 * start. */
enum err client_threads(unsigned count, void (*body)(unsigned index, void *context),
                        void *context) ERR_CHECKED;

#endif
