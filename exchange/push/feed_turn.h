/* SPDX-License-Identifier: Apache-2.0
 *
 * One turn of a feed (docs/decisions/0019): what became of the last message is settled, and the
 * next one is found, made, and noted as under way, together with the audit row of its disclosure,
 * in one commit before a byte of it leaves. A request of the pipeline in the name of the facility,
 * so consent is decided by the gate at that moment.
 */
#ifndef EXCHANGE_PUSH_FEED_TURN_H
#define EXCHANGE_PUSH_FEED_TURN_H

#include "exchange/request.h"
#include "mappers/feed/report.h"
#include "storage/feed.h"

enum feed_verdict {
    FEED_NONE,     /* nothing is known of a message, if one is under way: it is sent again */
    FEED_ACCEPTED, /* AA, CA */
    FEED_REFUSED,  /* AE, AR, CE, CR: a dead letter */
    FEED_FAILED    /* no answer, or none to it: tried again after wait_ms */
};

struct feed_seen;

/* r->input of feed_turn_use; texts in r's arena. */
struct feed_turn {
    const struct conf_feed *conf;
    enum feed_verdict verdict;
    struct slice
        control_id; /* of the message the verdict is on; empty for a failure before any was sent */
    struct slice code, reason;
    int64_t wait_ms;
    bool offer;        /* there is a connection: what is found will be sent */
    int64_t window_ms; /* of the log's time that the look may walk */
    int64_t scanned;   /* nothing up to here needs a look; afterwards: the same, further */
    /* ── found ── */
    struct feed was; /* the row as the look saw it; without until: nothing was under way */
    bool fresh;      /* there was no row */
    int64_t after, until, chart,
        letter; /* what the message is made of; until 0: nothing was found */
    bool gone;  /* what was under way, or wanted, has nothing left to tell */
    struct slice message;
    char message_id[REPORT_CONTROL_ID + 1];
    const char *unsendable; /* why it cannot be sent; a dead letter at once */
    const struct feed_seen *seen;
    bool offered; /* to be sent now */
    bool more;    /* there is more to look at */
    struct feed now;
};
extern const struct use feed_turn_use;

/* r->input of feed_steer_use: an operator's word. By a command, in the operator's name. */
enum feed_order { FEED_RETRY, FEED_DROP };
struct feed_steer {
    struct slice name;
    int64_t letter; /* 0: what is under way */
    bool all;       /* every letter that waits */
    enum feed_order order;
    /* ── found ── */
    int64_t count; /* letters and messages changed */
};
extern const struct use feed_steer_use;

#endif
