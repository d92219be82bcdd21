/* SPDX-License-Identifier: Apache-2.0
 *
 * The message that a feed's next changes make: a run of changes of one chart, their reports as they
 * stand now, and the bytes.
 */
#ifndef EXCHANGE_PUSH_FEED_FIND_H
#define EXCHANGE_PUSH_FEED_FIND_H

#include "exchange/push/feed_turn.h"
#include "storage/record.h"

/* What a message tells, as it was read: it must still be so when the disclosure is recorded. */
struct feed_seen {
    struct slice type, id; /* of a Patient: no id */
    int64_t person;
    int64_t seq;
    bool deleted;
    const struct feed_seen *next;
};

/* Looks for the next changes: in (in->after, until], of in->chart where that is given; UNTIL 0: to
 * the log's end. Fills what in->until and after describes, the message, r->person, entity and
 * count. Needs the facility's grant bound. */
enum err feed_find(struct session *s, struct request *r, struct feed_turn *in,
                   int64_t until) ERR_CHECKED;
/* Is all that the message tells still there and visible, unchanged? */
enum err feed_find_holds(struct session *s, struct request *r, const struct feed_turn *in,
                         bool *ret_holds) ERR_CHECKED;

#endif
