/* SPDX-License-Identifier: Apache-2.0
 *
 * THE order, for every door (design invariant 9):
 *
 *   identify who asks -> purpose and role -> emergency session -> grant -> use.look (reader)
 *     -> identify again and use.apply (writer, same transaction as the audit) -> audit -> commit ->
 * answer
 *
 * A refusal anywhere goes straight to audit. A door cannot build its own order: it fills a request
 * and starts it.
 */
#ifndef EXCHANGE_PIPELINE_H
#define EXCHANGE_PIPELINE_H

#include "exchange/request.h"

/* Starts R. r->answer fires exactly once, later, from store_collect on the loop thread, with
 * r->job.err; if the queue is full it fires from the next turn too (never inside this call): the
 * pipeline keeps a list the loop drains by pipeline_collect. */
void pipeline_start(struct request *r);
/* Runs the answers that are due; returns how many. Call when the store woke the loop. */
unsigned pipeline_collect(struct exchange *x);
/* Runs R to its end on this thread (commands, demo loading); r->answer is not called. Returns
 * r->job.err. */
enum err pipeline_run(struct request *r);

#endif
