/* SPDX-License-Identifier: Apache-2.0
 *
 * The character set of the standard storage (guide section 1.7): ASCII and JIS X 0208 by ISO-2022
 * escapes, nothing else. Stricter than what the readers take: half-width kana, vendor rows and
 * other sets are decoded at the doors but may not stand in a storage.
 */
#ifndef MAPPERS_SSMIX2_JIS_H
#define MAPPERS_SSMIX2_JIS_H

#include "base/arena.h"

/* Adds to FOUND what BYTES has beyond that; at most one finding of a sort. */
void jis_check(struct arena *arena, struct slice bytes, struct err_list *found);

#endif
