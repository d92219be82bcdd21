/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks names of segments and fields up (names_table.c). A segment nobody here has named, such as a
 * sender's own Z segment, has none, and neither have its fields: nothing is made up.
 */
#include "mappers/hl7v2/names.h"

#include <stddef.h>

#include "base/banned.h"

static const struct names_table *table_of(struct slice segment)
{
    for (const struct names_table *t = names_tables; t->segment; t++) {
        if (slice_is(segment, t->segment))
            return t;
    }
    return NULL;
}

const struct names_pair *names_segment(struct slice segment)
{
    const struct names_table *t = table_of(segment);

    return t ? &t->name : NULL;
}

const struct names_pair *names_field(struct slice segment, unsigned n)
{
    const struct names_table *t = table_of(segment);

    for (unsigned i = 1; t && t->fields[i - 1].en; i++) {
        if (i == n)
            return &t->fields[i - 1];
    }
    return NULL;
}
