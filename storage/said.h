/* SPDX-License-Identifier: Apache-2.0
 *
 * When a sender last spoke of a thing: messages arrive late, are sent again or filed again from
 * quarantine, and the older one must not undo the newer (decision 0009). Times of different senders
 * are never compared, since their clocks are not one.
 */
#ifndef STORAGE_SAID_H
#define STORAGE_SAID_H

#include "storage/session.h"

/* SENDER says something of WHAT (a scope, or a resource's type and id) of CHART, at AT_MS.
 * *ret_older: it has said something newer before; else AT_MS is noted. Writer session. */
enum err said_note(struct session *s, int64_t chart, struct slice sender, struct slice what,
                   int64_t at_ms, bool *ret_older) ERR_CHECKED;
/* Only asks. */
enum err said_is_older(struct session *s, int64_t chart, struct slice sender, struct slice what,
                       int64_t at_ms, bool *ret_older) ERR_CHECKED;

#endif
