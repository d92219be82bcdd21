/* SPDX-License-Identifier: Apache-2.0
 *
 * What leaves without being asked for at that moment: deliveries of subscriptions (dispatch.h),
 * event streams (events.h), jobs of bulk export (export_run.h), feeds of HL7 v2 messages (feed.h).
 * Opened and closed by the server; all calls on the loop's thread.
 */
#ifndef EXCHANGE_PUSH_PUSH_H
#define EXCHANGE_PUSH_PUSH_H

#include <uv.h>

#include "exchange/exchange.h"

struct push;

/* Opens; from then on x->push is set. TEXT receives what went wrong (the CA file). */
enum err push_open(uv_loop_t *loop, struct exchange *x, char *ret_text, size_t size,
                   struct push **ret_push) ERR_CHECKED;
/* After the store's answers were collected: somebody may have written something. */
void push_wake(struct push *p);
/* Lets requests in flight end, closes connections and streams, then DONE once and frees itself. */
void push_close(struct push *p, void (*done)(void *context), void *context);

struct events;

/* Those who listen, for the door. */
struct events *push_events(struct push *p);
/* Figures for /metrics; P may be NULL. */
void push_print(const struct push *p, struct buf *out);

#endif
