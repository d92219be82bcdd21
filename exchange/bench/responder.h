/* SPDX-License-Identifier: Apache-2.0
 *
 * The bare responder: the same TLS and HTTP code as the server with a handler that answers fixed bytes, after a step of the
 * caller's choice. What no server on this network code can beat; a floor, not a door.
 */
#ifndef EXCHANGE_BENCH_RESPONDER_H
#define EXCHANGE_BENCH_RESPONDER_H

#include <stdint.h>

#include "base/err.h"

struct responder;

struct responder_options {
    const char *dir; /* region whose certificates it has */
    size_t body_len; /* of each answer */
    void (*step)(void *context, uint64_t n); /* before each answer, on its one thread; or NULL */
    void *context;
};

/* Serves on a free port from a thread of its own. */
enum err responder_start(const struct responder_options *options,
                         struct responder **ret_responder) ERR_CHECKED;
unsigned short responder_port(const struct responder *responder);
void responder_stop(struct responder *responder);

#endif
