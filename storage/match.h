/* SPDX-License-Identifier: Apache-2.0
 *
 * Internal to storage/: what a search term means against one record's packed facets (R4 search.html: prefixes,
 * modifiers, implicit ranges, composites), and a record's place in an order. Pure functions without SQL, so that an
 * oracle can test them exhaustively; search.c calls them from the statement.
 */
#ifndef STORAGE_MATCH_H
#define STORAGE_MATCH_H

#include "storage/search.h"

/* Do FACETS pass TERM? NOW_MS is for the approximate prefix of dates. */
bool match_term(struct slice facets, const struct search_term *term, int64_t now_ms);

/* A date's place is its start, in both directions. Appends a key for SORTS (SEARCH_BY_PARAM only looks at FACETS; the caller gives lastUpdated's sequence number and the
 * id for the others) so that memcmp orders as the sorts ask: descending parts are inverted, missing values last. Cut
 * to LIMIT_SORT_KEY. */
void match_sort_key(struct slice facets, int64_t seq, struct slice id, const struct search_sort *sorts,
                    size_t count, struct buf *out);

/* The sequence number in a key made for one sort by lastUpdated; 0 when KEY is no such key. */
int64_t match_sort_seq(struct slice key, bool descending);
/* The approximate prefix of dates: W and a tenth of its distance to now, either way (R4's own suggestion). */
struct when match_widened(struct when w, int64_t now_ms);

#endif
