/* SPDX-License-Identifier: Apache-2.0
 *
 * A host name to the addresses that may be dialled, one after the other (outbound.h,
 * mllp_client.h). Plain text leaves this machine under no name: where that is asked for, only
 * loopback addresses come out, whatever a name resolves to.
 */
#ifndef EXCHANGE_NET_RESOLVE_H
#define EXCHANGE_NET_RESOLVE_H

#include <uv.h>

#include "base/err.h"
#include "base/limits.h"

struct resolve {
    uv_getaddrinfo_t request;
    bool running; /* with libuv; then it must not be freed */
    bool cancelled;
    bool loopback_only;
    struct sockaddr_storage addresses[LIMIT_PUSH_ADDRESSES];
    unsigned count, at;
    void (*done)(struct resolve *r, const char *why);
    void *context;
};

/* Asks for HOST, a name or an address. DONE comes once, later, on the loop: WHY is NULL, or what
 * went wrong in English (static; r->cancelled says that it was cancelled). The answer is what
 * failed at once, then DONE never comes: NULL for nothing. */
const char *resolve_begin(uv_loop_t *loop, struct resolve *r, const char *host, unsigned short port,
                          bool loopback_only, void (*done)(struct resolve *r, const char *why),
                          void *context) ERR_CHECKED;
/* DONE still comes. */
void resolve_cancel(struct resolve *r);
/* The next address, NULL when none is left. */
const struct sockaddr *resolve_next(struct resolve *r);
bool resolve_more(const struct resolve *r);

#endif
