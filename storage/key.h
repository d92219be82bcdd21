/* SPDX-License-Identifier: Apache-2.0
 *
 * Internal to storage/: keys of the value index ix_value(key, rid), by which a search that names no
 * person finds its first candidates, and of ix_id(key, rid). A key is a 64-bit hash of what is
 * sought; candidates are always compared in full afterwards (match.h), so that two values sharing a
 * key cost time and nothing else. Days are kept in order below zero, so that a span of days is one
 * range of keys. Keys are made from packed facets alone, so that those of a row about to change can
 * be found again from the row itself. Files depend on the numbers: another hash needs a migration.
 */
#ifndef STORAGE_KEY_H
#define STORAGE_KEY_H

#include "base/facet.h"

/* A record by type and logical id: of ix_id, where rid is the record's own. */
int64_t key_id(struct slice type, struct slice id);

/* The others are of ix_value. A Patient is entered under them by its own number; every other record
 * under the same key with KEY_BLOCK set, by the first number of its block of KEY_BLOCK_SIZE, once
 * for all of them: a chart holds the same codes over and over. */
#define KEY_BLOCK (INT64_C(1) << 61)
#define KEY_BLOCK_SIZE 64
/* Of ix_string: beside the parameter, as KEY_BLOCK. */
#define KEY_BLOCK_PARAM (INT64_C(1) << 16)
int64_t key_block_of(int64_t rid);

/* A group of records that a message replaces as a whole: no two of one chart may share a number. */
int64_t key_scope(struct slice scope);

/* All records of a type. */
int64_t key_type(struct slice type);
/* A token's code (without system), a uri, a reference's target, under PARAM; ASCII case does not count. */
int64_t key_value(uint16_t param, struct slice text);
/* The day (UTC) of a moment under PARAM; keys of one PARAM are in order of days. Spans longer than LIMIT_KEY_DAYS stand
 * under key_long only. */
int64_t key_day(uint16_t param, int64_t ms);
int64_t key_long(uint16_t param);

/* The keys FACET is entered under: 0 (none, or common), 1, or one per day of its span. Writes at most ROOM;
 * LIMIT_KEY_DAYS + 1 is always enough. */
unsigned key_of_facet(const struct facet_view *facet, int64_t *ret_keys, unsigned room);

/* FOLDED as the string index keeps it: at most LIMIT_KEY_TEXT bytes, whole characters. A prefix sought there is cut
 * the same way. */
struct slice key_text(struct slice folded);
/* Is FACET entered in the string index? */
bool key_is_string(const struct facet_view *facet);

#endif
