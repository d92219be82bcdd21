/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables by name (see relate.h). The first who refers to a record is kept: a result belongs to one
 * report here.
 */
#include "mappers/ssmix2/relate.h"

#include "mappers/hl7v2/keys.h"

#include "base/banned.h"

struct relate {
    struct arena *arena;
    struct keys by[RELATE_COUNT];
};

static void note(struct relate *r, enum relate_how how, struct slice name, struct write_item *item)
{
    struct keys_slot *slot = name.len > 0 ? keys_at(r->arena, &r->by[how], name) : NULL;

    if (slot && !slot->value)
        slot->value = item;
}

static struct slice name_of(struct arena *a, const struct write_item *item)
{
    return slice_str(arena_printf(a, "%.*s/%.*s", SLICE_ARG(item->type), SLICE_ARG(item->id)));
}

static void note_references(struct relate *r, struct write_item *item)
{
    static const struct {
        const char *type, *member;
        enum relate_how how;
    } said[] = {
        {"DiagnosticReport", "result", RELATE_REPORT},
        {"ServiceRequest", "supportingInfo", RELATE_ASKER},
        {"ImagingStudy", "basedOn", RELATE_STUDY},
        {"Observation", "basedOn", RELATE_RESULT},
    };

    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        const struct json *list = NULL;
        if (slice_is(item->type, said[i].type))
            list = json_get(item->resource, said[i].member);
        for (const struct json *ref = list ? list->first : NULL; ref; ref = ref->next)
            note(r, said[i].how, json_str(ref, "reference"), item);
    }
}

struct relate *relate_make(struct arena *arena, struct write_item *items, size_t count)
{
    struct relate *r = ARENA_NEW(arena, struct relate);

    if (!r)
        return NULL;
    r->arena = arena;
    for (size_t i = 0; i < count; i++) {
        note(r, RELATE_NAME, name_of(arena, &items[i]), &items[i]);
        note_references(r, &items[i]);
    }
    return arena_exhausted(arena) ? NULL : r;
}

struct write_item *relate_find(struct relate *relate, enum relate_how how, struct slice name)
{
    struct keys_slot *slot = name.len > 0 ? keys_at(relate->arena, &relate->by[how], name) : NULL;

    return slot ? slot->value : NULL;
}

struct write_item *relate_of(struct relate *relate, enum relate_how how,
                             const struct write_item *item)
{
    return relate_find(relate, how, name_of(relate->arena, item));
}

struct write_item *relate_follow(struct relate *relate, const struct json *reference)
{
    return relate_find(relate, RELATE_NAME, json_str(reference, "reference"));
}
