/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to base/facet.c: texts and systems that packed facets name by a number.
 */
#ifndef BASE_FACET_TABLE_H
#define BASE_FACET_TABLE_H

#include "base/slice.h"

struct facet_known_system {
    const char *name;
    uint64_t hash; /* facet_system of the name */
};

extern const struct facet_known_system facet_known_systems[];
extern const size_t facet_known_system_count;
extern const struct slice facet_known_texts[];
extern const size_t facet_known_text_count;
/* Places in facet_known_texts, shorter ones first, then by bytes. */
extern const uint8_t facet_known_order[];

#endif
