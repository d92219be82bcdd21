/* SPDX-License-Identifier: Apache-2.0
 *
 * The dispatcher of rest-hook subscriptions (R4 subscription.html#2.46.7.1; docs/decisions/0013):
 * follows the log of changes for each active Subscription, at least once, in order, each at its own
 * pace. It never runs SQL and never blocks: it asks the store by requests of the pipeline, one look
 * at a time, and sends through outbound.h.
 */
#ifndef EXCHANGE_PUSH_DISPATCH_H
#define EXCHANGE_PUSH_DISPATCH_H

#include <uv.h>

#include "exchange/exchange.h"
#include "exchange/net/outbound.h"

struct dispatch;

struct notify_poll;

/* POLLED is told what each poll saw, and whether the log has grown since the one before: for who
 * else follows. */
enum err dispatch_open(uv_loop_t *loop, struct exchange *x, struct outbound *out,
                       void (*polled)(void *context, const struct notify_poll *poll, bool grown),
                       void *context, struct dispatch **ret) ERR_CHECKED;
/* Something may have been written. */
void dispatch_wake(struct dispatch *d);
/* Ask also when there is no Subscription: somebody else follows. */
void dispatch_follow(struct dispatch *d, bool follow);
/* Begins nothing any more. Then OUT may be closed, and after it the dispatcher. */
void dispatch_stop(struct dispatch *d);
/* Lets requests in flight end, then DONE once and frees itself. OUT is closed: nothing it sends is
 * under way. */
void dispatch_close(struct dispatch *d, void (*done)(void *context), void *context);

#endif
