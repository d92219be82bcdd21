/* SPDX-License-Identifier: Apache-2.0
 *
 * See quota.h. The share is asked before the cap, so that a greedy peer hears of his own share also
 * when all is taken.
 */
#include "exchange/net/quota.h"

#include <assert.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include "base/hash.h"
#include "base/ids.h"
#include "base/limits.h"

#include "base/banned.h"

void quota_init(struct quota *q, unsigned cap, unsigned share)
{
    assert(cap > 0);
    memset(q, 0, sizeof(*q));
    q->cap = cap;
    q->share = share ? share : cap;
    ids_random(&q->seed, sizeof(q->seed));
}

/* What of an address names the peer: in IPv6 everybody has a /64 to himself. */
static struct slice name_of(const struct sockaddr *from)
{
    const struct sockaddr_in *in4 = (const struct sockaddr_in *)from;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
    if (from->sa_family == AF_INET)
        return slice_of((const char *)&in4->sin_addr, 4);
    if (from->sa_family != AF_INET6)
        return SLICE_NONE;
    const char *bytes = (const char *)in6->sin6_addr.s6_addr;
    return IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) ? slice_of(bytes + 12, 4) : slice_of(bytes, 8);
}

enum quota_verdict quota_take(struct quota *q, const struct sockaddr *from, unsigned *ret_seat)
{
    unsigned seat = (unsigned)(hash_bytes(name_of(from), q->seed) % QUOTA_PLACES);
    if (q->held[seat] >= q->share && q->share < q->cap)
        return QUOTA_SHARE;
    if (q->open >= q->cap)
        return QUOTA_FULL;
    q->open++;
    q->held[seat]++;
    *ret_seat = seat;
    return QUOTA_TAKEN;
}

void quota_give(struct quota *q, unsigned seat)
{
    assert(seat < QUOTA_PLACES && q->open > 0 && q->held[seat] > 0);
    q->open--;
    q->held[seat]--;
}

/* ── files ───────────────────────────────────────────────────────────────────────────────────── */

static unsigned room(rlim_t files)
{
    if (files == RLIM_INFINITY || files > UINT32_MAX)
        return UINT32_MAX;
    return files > LIMIT_SPARE_FILES ? (unsigned)files - LIMIT_SPARE_FILES : 1;
}

unsigned quota_room_now(void)
{
    struct rlimit files;
    return getrlimit(RLIMIT_NOFILE, &files) == 0 ? room(files.rlim_cur) : 1;
}

unsigned quota_room_raised(void)
{
    struct rlimit files;
    return getrlimit(RLIMIT_NOFILE, &files) == 0 ? room(files.rlim_max) : 1;
}

void quota_raise_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == files.rlim_max)
        return;
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files); /* refused: the cap follows what is in force */
}
