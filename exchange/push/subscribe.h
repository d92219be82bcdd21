/* SPDX-License-Identifier: Apache-2.0
 *
 * A Subscription on its way into the store: what the write of one does besides (exchange/use/write.c). Check refuses what
 * cannot be done, note tells the dispatcher's table in the same transaction.
 */
#ifndef EXCHANGE_PUSH_SUBSCRIBE_H
#define EXCHANGE_PUSH_SUBSCRIBE_H

#include "exchange/request.h"
#include "storage/record.h"

/* May RESOURCE be written by this caller? Status requested or off, a channel we have, criteria that can be searched. The
 * server's own writing of a status (notify_mark_use) is not checked. */
enum err subscribe_check(struct session *s, struct request *r,
                         const struct json *resource) ERR_CHECKED;
/* After it was written: the table's row. Writer session. */
enum err subscribe_note(struct session *s, struct request *r, const struct json *resource,
                        struct slice id, const struct record_mark *mark) ERR_CHECKED;
/* After it was deleted. */
enum err subscribe_forget(struct session *s, struct request *r, int64_t rid) ERR_CHECKED;

#endif
