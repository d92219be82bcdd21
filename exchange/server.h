/* SPDX-License-Identifier: Apache-2.0
 *
 * The server: the loop, the doors, their ordered start and stop. `tasuki serve` and `tasuki demo`
 * run one.
 */
#ifndef EXCHANGE_SERVER_H
#define EXCHANGE_SERVER_H

#include "exchange/exchange.h"

struct server;

/* Opens store and doors as CONF says. ERR_UNAVAILABLE: another server has the store (its lock,
 * storage/lock.h, is held until the server is freed). TEXT receives what went wrong. ON_READY (may be NULL) is
 * called from the loop once everything listens. */
enum err server_open(const struct conf *conf, void (*on_ready)(struct server *s, void *context),
                     void *context, char *ret_text, size_t text_size,
                     struct server **ret_server) ERR_CHECKED;
/* Starts the doors and runs until TERM or INT, or server_stop; answers what was accepted; closes
 * everything and frees. On failure RET_TEXT says why, for people. */
enum err server_run(struct server *s, char *ret_text, size_t text_size) ERR_CHECKED;
/* Ends server_run; from any thread. */
void server_stop(struct server *s);
/* Frees a server that was opened and never run; NULL is fine. */
void server_free(struct server *s);

struct exchange *server_exchange(struct server *s);
/* Ports in force (asked-for 0 means any): after on_ready. 0 = off. */
struct server_ports {
    unsigned short system, portal, mllps, mllp, ops;
};
struct server_ports server_ports(const struct server *s);

#endif
