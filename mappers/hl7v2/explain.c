/* SPDX-License-Identifier: Apache-2.0
 *
 * Places in words (see explain.h), by the names of names.h. A place that is none, such as a part of
 * a path or "line 7", is left alone.
 */
#include "mappers/hl7v2/explain.h"

#include "mappers/hl7v2/names.h"

#include "base/banned.h"

/* The field number behind "SEG[n]-"; 0 when the place names a segment only. */
static unsigned field_of(struct slice place)
{
    size_t dash = slice_find(place, '-', 3);
    struct slice rest = slice_sub(place, dash + 1, place.len);
    uint64_t number = 0;

    if (dash >= place.len)
        return 0;
    rest = slice_sub(rest, 0, slice_find(rest, '.', 0));
    return slice_u64(rest, &number) && number < 1000 ? (unsigned)number : 0;
}

void explain_place(struct arena *arena, struct slice place, struct slice *ret_en,
                   struct slice *ret_ja)
{
    struct slice segment = slice_sub(place, 0, 3);
    const struct names_pair *s = names_segment(segment);
    const struct names_pair *f = names_field(segment, field_of(place));
    bool ends = place.len == 3 || (place.len > 3 && (place.ptr[3] == '[' || place.ptr[3] == '-'));

    *ret_en = *ret_ja = SLICE_NONE;
    if (!s || !ends)
        return;
    *ret_en = slice_str(arena_printf(arena, "%s%s%s", s->en, f ? ": " : "", f ? f->en : ""));
    *ret_ja = slice_str(arena_printf(arena, "%s%s%s", s->ja, f ? ": " : "", f ? f->ja : ""));
}
