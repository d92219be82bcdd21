/* SPDX-License-Identifier: Apache-2.0
 *
 * Look-up in the small translation tables. They are short (tens of rows), so a linear search it is;
 * a miss is an answer, never an error.
 */
#include "mappers/hl7v2/terms.h"

#include "base/banned.h"

const struct term *terms_find(const struct term *table, struct slice code)
{
    for (; table->from; table++) {
        if (slice_is(code, table->from))
            return table;
    }
    return NULL;
}

const struct term *terms_find_prefix(const struct term *table, struct slice code)
{
    const struct term *best = NULL;

    for (; table->from; table++) {
        if (slice_starts(code, slice_str(table->from)) &&
            (!best || strlen(table->from) > strlen(best->from)))
            best = table;
    }
    return best;
}
