/* SPDX-License-Identifier: Apache-2.0
 *
 * The running exchange: what every request needs of the region. Made once at start (server.c, or a
 * command), read-only afterwards except through the store.
 */
#ifndef EXCHANGE_EXCHANGE_H
#define EXCHANGE_EXCHANGE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/when.h"
#include "exchange/conf.h"
#include "storage/store.h"

struct request;
struct push;

/* Patient-id keys of facilities already met (gate/wire.c). */
#define WIRE_CACHE 256
struct wire_cache {
    pthread_mutex_t lock;
    struct wire_entry {
        int64_t facility; /* 0: free */
        unsigned char key[32];
    } entries[WIRE_CACHE];
};

enum exchange_kept { EXCHANGE_KEPT_CAPABILITY, EXCHANGE_KEPT_OPENAPI, EXCHANGE_KEPT_COUNT };

struct exchange {
    struct conf conf;
    struct store *store;
    const struct clock *clock;
    unsigned char master[32];       /* from the key file; sub-keys by ids_derive */
    unsigned char key_resource[32]; /* ids of mapped resources */
    unsigned char key_cursor[32];   /* paging cursors */
    unsigned char key_audit[32];    /* MAC of the audit chain's signed heads */
    char base_url[128];             /* of the system listener: https://127.0.0.1:18000/fhir */
    char portal_url[128];           /* the same of the portal listener */
    struct wire_cache wires;
    /* What the FHIR door says of itself at each listener, printed once: anybody may ask for it, and it is long. */
    struct {
        pthread_mutex_t lock;
        struct buf text[EXCHANGE_KEPT_COUNT][2]; /* at base_url, at portal_url */
    } kept;
    int64_t home_facility; /* pseudo-facility of residents' own entries */
    int64_t started_ms;
    uint64_t writes; /* that succeeded in this process; loop thread: who follows the changes looks at it */
    atomic_uint subscription_writes; /* Subscriptions written or deleted; any thread */
    atomic_uint export_writes;       /* exports begun or cancelled; any thread */
    struct push *push;               /* what leaves by itself (push/push.h); NULL in commands */
    struct request *refused; /* not taken by the store (queue full): answered at the next collect;
                                loop thread */
};

/* The keys alone, without a store: starts X anew. */
enum err exchange_keys(struct exchange *x, const struct conf *conf, char *ret_text,
                       size_t text_size) ERR_CHECKED;
/* Opens store and keys of CONF; WAKE as in store_options. TEXT receives what went wrong. */
enum err exchange_open(struct exchange *x, const struct conf *conf, void (*wake)(void *),
                       void *context, char *ret_text, size_t text_size) ERR_CHECKED;
void exchange_close(struct exchange *x);

#endif
