/* SPDX-License-Identifier: Apache-2.0
 *
 * Outgoing feeds: HL7 v2 messages over MLLP to the systems that the configuration names ([feed
 * NAME]; docs/doors/feed.md, docs/decisions/0019). At least once, in order, each feed at its own
 * pace. Follows the same log and the same poll as the dispatcher of subscriptions; never runs SQL
 * and never blocks.
 */
#ifndef EXCHANGE_PUSH_FEED_H
#define EXCHANGE_PUSH_FEED_H

#include <uv.h>

#include "exchange/exchange.h"
#include "storage/feed.h"

struct feeds;

/* TEXT receives what went wrong (a certificate). Without feeds in the configuration *ret is NULL.
 */
enum err feeds_open(uv_loop_t *loop, struct exchange *x, char *ret_text, size_t size,
                    struct feeds **ret) ERR_CHECKED;
/* A poll has read the log's last number and the table. */
void feeds_polled(struct feeds *f, int64_t last, const struct feed *rows, size_t count);
/* Figures, in the text form of Prometheus. */
void feeds_print(const struct feeds *f, struct buf *out);
/* Ends what is sent, lets requests in flight end, then DONE once and frees itself. */
void feeds_close(struct feeds *f, void (*done)(void *context), void *context);

/* How long to wait after FAILURES in a row (from 1): doubling from a second, at most five minutes,
 * and of that between three quarters and all, by RANDOM, so that feeds that failed together do not
 * come back together. */
int64_t feeds_wait_ms(unsigned failures, uint32_t random);

#endif
