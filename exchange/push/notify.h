/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking on a subscriber's behalf what has changed that he may see, and noting what became of it.
 * Both are requests of the pipeline, so consent is decided by the gate at that moment and a
 * disclosure is in the audit chain before its bytes leave. Used by the dispatcher of rest-hooks and
 * by those who listen to events.
 */
#ifndef EXCHANGE_PUSH_NOTIFY_H
#define EXCHANGE_PUSH_NOTIFY_H

#include "exchange/push/channel.h"
#include "exchange/request.h"
#include "storage/feed.h"
#include "storage/subscription.h"

/* r->input of notify_use; texts in r's arena. */
struct notify {
    struct slice id; /* logical id of the Subscription */
    int64_t after;   /* change number: what comes after it */
    bool posting;    /* for its endpoint: a Subscription that is only listened to has nothing */
    /* ── found ── */
    struct channel channel;
    int64_t seq;     /* the change to deliver, its resource in r->answer_buf; 0: nothing now */
    int64_t scanned; /* with seq 0: everything up to here needs no further look */
    bool more;       /* with seq 0: there is more to look at */
};

/* Finds the next change for the subscriber. ERR_NOT_FOUND, ERR_GONE: no such Subscription, or it is
 * not active; ERR_PRECONDITION: it has ended. Without anything found it leaves no audit row. */
extern const struct use notify_use;

enum notify_verdict {
    NOTIFY_ACTIVATE,  /* status active */
    NOTIFY_DELIVERED, /* position to seq */
    NOTIFY_FAILED,    /* count a failure on seq; too many: status error */
    NOTIFY_STOP,      /* status error */
    NOTIFY_END,       /* status off */
    NOTIFY_RETRY      /* status requested: an operator has it go on */
};

/* r->input of notify_mark_use: by the facility itself, named by r->facility_key, whatever became of
 * its certificate. */
struct notify_mark {
    int64_t rid;
    struct slice id;
    enum notify_verdict verdict;
    int64_t seq;
    const char *reason; /* of a failure, in English */
    /* ── found ── */
    struct subscription now; /* the row afterwards */
};
extern const struct use notify_mark_use;

/* r->input of notify_poll_use: no caller, no audit row. */
struct notify_poll {
    int64_t last; /* change number */
    struct subscription *list;
    size_t count;
    struct feed *feeds; /* of a configuration that has some */
    size_t feed_count;
};
extern const struct use notify_poll_use;

#endif
