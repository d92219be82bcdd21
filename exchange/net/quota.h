/* SPDX-License-Identifier: Apache-2.0
 *
 * How many connections there may be, all listeners of a quota together, and how many of them one
 * address may hold, so that no peer can take them all. An address is an IPv4 address or the /64 of
 * an IPv6 one, whatever port it comes from. Addresses are counted by hash, in a table that does not
 * grow: two that meet in one place share a share. Also what bounds the cap: the files that the
 * process may open. Not for threads.
 */
#ifndef EXCHANGE_NET_QUOTA_H
#define EXCHANGE_NET_QUOTA_H

#include <stdint.h>
#include <sys/socket.h>

#define QUOTA_PLACES 4096u
#define QUOTA_NO_SEAT UINT32_MAX

struct quota {
    unsigned cap;   /* connections */
    unsigned share; /* of them for one address */
    unsigned open;  /* taken and not given back */
    uint64_t seed;  /* so that nobody can choose whom he meets */
    unsigned held[QUOTA_PLACES];
};

enum quota_verdict { QUOTA_TAKEN, QUOTA_FULL, QUOTA_SHARE };

/* SHARE 0: no address has a limit of its own. */
void quota_init(struct quota *q, unsigned cap, unsigned share);
/* A connection from FROM. TAKEN: *ret_seat is to be given back. */
enum quota_verdict quota_take(struct quota *q, const struct sockaddr *from, unsigned *ret_seat);
void quota_give(struct quota *q, unsigned seat);

/* Connections for which this process has files: of those it may open now, or could after
 * quota_raise_files, less what the store, logs and folders need (LIMIT_SPARE_FILES); at least 1, at
 * most UINT32_MAX. */
unsigned quota_room_now(void);
unsigned quota_room_raised(void);
/* Raises the soft limit of open files to the hard one. */
void quota_raise_files(void);

#endif
