/* SPDX-License-Identifier: Apache-2.0
 *
 * Where each Subscription stands in the log of changes (docs/decisions/0013). What it asks for is in the resource, read
 * through the gate; here is only what the dispatcher must know to ask on its behalf. Releases nothing about anybody.
 */
#ifndef STORAGE_SUBSCRIPTION_H
#define STORAGE_SUBSCRIPTION_H

#include "base/arena.h"
#include "base/digest.h"
#include "storage/session.h"

#define SUBSCRIPTION_STATE_TABLE(X)                                                                \
    X(SUBSCRIPTION_REQUESTED, "requested")                                                         \
    X(SUBSCRIPTION_ACTIVE, "active")                                                               \
    X(SUBSCRIPTION_ERROR, "error")                                                                 \
    X(SUBSCRIPTION_OFF, "off")

enum subscription_state {
#define X(name, code) name,
    SUBSCRIPTION_STATE_TABLE(X)
#undef X
        SUBSCRIPTION_STATE_COUNT
};

struct subscription {
    int64_t rid;
    struct slice id;
    int64_t facility;
    struct slice facility_key;             /* read only */
    unsigned char fingerprint[DIGEST_LEN]; /* certificate that wrote it */
    struct slice purpose;                  /* v3-ActReason code */
    enum subscription_state state;
    int64_t position; /* last change dealt with */
    int64_t stuck;    /* change that could not be delivered; 0: none */
    unsigned failures;
    int64_t next_ms;     /* not before */
    struct slice reason; /* of the last failure */
};

/* Code of Subscription.status, and back; false when there is no such code. */
const char *subscription_state_code(enum subscription_state state);
bool subscription_state_find(struct slice code, enum subscription_state *ret_state);

/* ERR_NOT_FOUND. Texts in ARENA. */
enum err subscription_get(struct session *s, struct arena *arena, int64_t rid,
                          struct subscription *ret) ERR_CHECKED;
/* All of them, by rid. */
enum err subscription_list(struct session *s, struct arena *arena, struct subscription **ret_list,
                           size_t *ret_count) ERR_CHECKED;
/* How many a facility has that are not off. */
enum err subscription_count(struct session *s, int64_t facility, size_t *ret_count) ERR_CHECKED;
/* Inserts or replaces by rid. Writer session, as all below. */
enum err subscription_put(struct session *s, const struct subscription *subscription) ERR_CHECKED;
/* Moves the position to SEQ (never back) and forgets failures; nothing when RID is not there. */
enum err subscription_advance(struct session *s, int64_t rid, int64_t seq) ERR_CHECKED;
/* Counts a failure on change SEQ; REASON is cut to LIMIT_PUSH_REASON. */
enum err subscription_fail(struct session *s, int64_t rid, int64_t seq, int64_t next_ms,
                           struct slice reason) ERR_CHECKED;
/* Forgets RID. */
enum err subscription_drop(struct session *s, int64_t rid) ERR_CHECKED;

#endif
