/* SPDX-License-Identifier: Apache-2.0
 *
 * Does a row of segment names follow a pattern? A pattern is names, "( ... )" groups and "|"
 * between alternatives, each thing followed by "?", "*" or "+" where it may be missing or repeat;
 * all parts are separated by blanks except the marks. Matching follows all ways at once, so its
 * time is segments times pattern, whatever the message.
 */
#ifndef MAPPERS_SSMIX2_ORDER_H
#define MAPPERS_SSMIX2_ORDER_H

#include "base/arena.h"

#define ORDER_PLACES 192u /* names in one pattern */

/* The names of a pattern and who may follow whom; read once, used for any number of messages. */
struct order;

/* Reads PATTERN, which is ours (asserted to be well-formed). NULL when ARENA is full. */
struct order *order_read(struct arena *arena, const char *pattern);
/* Does the pattern speak of NAME at all? Segments it does not know are additions of a sender. */
bool order_knows(const struct order *order, struct slice name);
/* The index of the first name that may not stand where it stands; COUNT when the row ends too
 * early; COUNT + 1 when all of it is right. */
size_t order_match(const struct order *order, const struct slice *names, size_t count);

#endif
