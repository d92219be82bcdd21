/* SPDX-License-Identifier: Apache-2.0
 *
 * Look-up in the small translation tables. They are short (tens of rows), so a linear search it is;
 * a miss is an answer, never an error.
 */
#include "mappers/hl7v2/terms.h"

#include "base/banned.h"

#define UNIT_MAX 32u

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

const struct term *terms_unit(struct slice unit)
{
    char lower[UNIT_MAX];

    if (unit.len == 0 || unit.len >= sizeof(lower))
        return NULL;
    for (size_t i = 0; i < unit.len; i++) {
        char c = unit.ptr[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return terms_find(terms_ucum, slice_of(lower, unit.len));
}
