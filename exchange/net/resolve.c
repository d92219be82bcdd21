/* SPDX-License-Identifier: Apache-2.0
 *
 * Names to addresses, on libuv's workers (see resolve.h). An address goes the same way as a name,
 * so that an owner has one path, on which nothing comes back from inside his own call.
 */
#include "exchange/net/resolve.h"

#include <stdio.h>
#include <string.h>

#include "base/banned.h"

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

static void add(struct resolve *r, const struct sockaddr *address)
{
    size_t size = address->sa_family == AF_INET    ? sizeof(struct sockaddr_in)
                  : address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                   : 0;
    if (!size || r->count == LIMIT_PUSH_ADDRESSES || (r->loopback_only && !is_loopback(address)))
        return;
    memcpy(&r->addresses[r->count++], address, size);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct resolve *r = request->data;
    r->running = false;
    for (struct addrinfo *a = list; a && !status; a = a->ai_next)
        add(r, a->ai_addr);
    uv_freeaddrinfo(list);
    if (r->cancelled)
        r->done(r, "closing");
    else if (status)
        r->done(r, uv_strerror(status));
    else
        r->done(r, r->count ? NULL : "no address that may be used");
}

const char *resolve_begin(uv_loop_t *loop, struct resolve *r, const char *host, unsigned short port,
                          bool loopback_only, void (*done)(struct resolve *r, const char *why),
                          void *context)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char service[8];
    snprintf(service, sizeof(service), "%u", port);
    *r = (struct resolve){.loopback_only = loopback_only, .done = done, .context = context};
    r->request.data = r;
    int rc = uv_getaddrinfo(loop, &r->request, on_resolved, host, service, &hints);
    r->running = rc == 0;
    return rc < 0 ? uv_strerror(rc) : NULL;
}

void resolve_cancel(struct resolve *r)
{
    r->cancelled = true;
    (void)uv_cancel((uv_req_t *)&r->request); /* on_resolved comes either way */
}

bool resolve_more(const struct resolve *r)
{
    return r->at < r->count;
}

const struct sockaddr *resolve_next(struct resolve *r)
{
    return resolve_more(r) ? (const struct sockaddr *)&r->addresses[r->at++] : NULL;
}
