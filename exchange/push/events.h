/* SPDX-License-Identifier: Apache-2.0
 *
 * Server-sent events (WHATWG HTML, section 9.2): facilities' systems that listen to a Subscription of theirs instead of, or besides, being posted to.
 * Each event is asked for like a delivery (notify.h): under the listener's grant at that moment, audited before it leaves.
 * A listener that does not read gets nothing more, and is cut by the stream's own clock.
 */
#ifndef EXCHANGE_PUSH_EVENTS_H
#define EXCHANGE_PUSH_EVENTS_H

#include <uv.h>

#include "exchange/net/http.h"
#include "exchange/request.h"

struct events;

/* FOLLOW is told when the first listener comes and when the last has gone: whether events_wake is wanted. */
enum err events_open(uv_loop_t *loop, struct exchange *x, void (*follow)(void *context, bool wanted),
                     void *context, struct events **ret) ERR_CHECKED;
/* Is there room for one more? */
bool events_full(const struct events *e);
/* The id of the event of change SEQ, as listeners to Subscription ID see it: closed, for change numbers count what others wrote
 * too. Appended to OUT. */
void events_place_print(const struct exchange *x, struct slice id, int64_t seq, struct buf *out);
/* The change behind such an id; false when it is none of this Subscription. */
bool events_place_read(const struct exchange *x, struct slice id, struct slice text, int64_t *ret_seq);
/* Answers CALL as a stream of the events of Subscription ID after change AFTER, for the caller of R (copied). */
void events_begin(struct events *e, struct http_call *call, const struct request *r, struct slice id,
                  int64_t after);
/* The log has grown. */
void events_wake(struct events *e);
/* Ends the streams, lets looks in flight end, then DONE once and frees itself. */
void events_close(struct events *e, void (*done)(void *context), void *context);

#endif
