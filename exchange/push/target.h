/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a facility may have things sent: the operator's list ([push] targets). A list of URLs, each with a beginning of
 * the path, or the word "loopback" for this machine. An empty list: nowhere.
 */
#ifndef EXCHANGE_PUSH_TARGET_H
#define EXCHANGE_PUSH_TARGET_H

#include "exchange/net/outbound.h"

/* Is T on LIST (separated by spaces)? Scheme, host and port must be equal; the path must begin with the entry's, whole
 * segments. NULL list: empty. */
bool target_allowed(const char *list, const struct outbound_target *t);
/* Is every entry of LIST one that can be understood? The first that is not goes to *ret_bad. Plain HTTP is understood for
 * loopback addresses only. */
bool target_list_ok(const char *list, struct slice *ret_bad);

#endif
