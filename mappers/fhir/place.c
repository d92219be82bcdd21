/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints a chain of places as FHIRPath. Names that come from the input and not from R4's tables are
 * cut and cleaned first: they go into answers and must not carry control characters or whole
 * documents.
 */
#include "mappers/fhir/place.h"

#include <inttypes.h>

#include "base/banned.h"

#define NAME_SHOWN 64

static struct slice clean(struct arena *arena, struct slice name)
{
    struct slice shown = arena_dup(arena, slice_sub(name, 0, NAME_SHOWN));
    char *bytes = shown.ptr ? arena_alloc(arena, shown.len + 1) : NULL;
    if (!bytes)
        return SLICE_NONE;
    for (size_t i = 0; i < shown.len; i++) {
        char c = shown.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        bytes[i] = plain || c == '_' || c == '-' ? c : '?';
    }
    return slice_of(bytes, shown.len);
}

static const char *own_name(struct arena *arena, const struct place *place)
{
    const struct definition_element *e = place->element;
    if (!e)
        return arena_str(arena, clean(arena, place->name));
    if (!e->choice)
        return e->name;
    return arena_printf(arena, "%.*s.ofType(%s)", (int)definition_base_len(e), e->name,
                        e->type->name);
}

const char *place_text(struct arena *arena, const struct place *place)
{
    const char *name = own_name(arena, place);
    const char *up = place->up ? place_text(arena, place->up) : NULL;
    if (!name)
        return "";
    if (place->index != PLACE_SINGLE)
        name = arena_printf(arena, "%s[%" PRId64 "]", name, place->index);
    if (name && up)
        name = arena_printf(arena, "%s.%s", up, name);
    return name ? name : "";
}
