/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads merges, links and unlinks (see merge.h). One pair a message: a message about more people than
 * two is refused, since an error in it could not be told to belong to one of them.
 */
#include "mappers/hl7v2/merge.h"

#include "base/banned.h"

static const struct {
    const char *trigger;
    enum merge_kind kind;
    const char *segment; /* of the second number, its field, and which one it is */
    unsigned field, ordinal;
} kinds[] = {
    {"A18", MERGE_LINK, "MRG", 1, 1}, {"A24", MERGE_LINK, "PID", 3, 2},
    {"A30", MERGE_LINK, "MRG", 1, 1}, {"A34", MERGE_LINK, "MRG", 1, 1},
    {"A36", MERGE_LINK, "MRG", 1, 1}, {"A37", MERGE_UNLINK, "PID", 3, 2},
    {"A39", MERGE_LINK, "MRG", 1, 1}, {"A40", MERGE_LINK, "MRG", 1, 1},
    {"A46", MERGE_LINK, "MRG", 1, 1}, {"A47", MERGE_LINK, "MRG", 1, 1},
};

static struct slice part(const struct hl7_message *m, struct slice raw)
{
    return slice_trim(hl7_unescape(m, raw));
}

/* A number of the institution: without a type or of type PI or MR, and not the clinic card (pid.c). */
static bool is_local(const struct hl7_message *m, struct slice cx)
{
    struct slice type = part(m, hl7_component(m, cx, 5));
    struct slice authority = part(m, hl7_sub(m, hl7_component(m, cx, 4), 1));

    return !slice_is(authority, "TASUKI") &&
           (type.len == 0 || slice_is(type, "PI") || slice_is(type, "MR"));
}

static struct slice local_no(const struct hl7_message *m, struct slice field)
{
    unsigned count = hl7_repeats(m, field);

    for (unsigned r = 0; r < count; r++) {
        struct slice cx = hl7_repeat(m, field, r);
        struct slice number = part(m, hl7_component(m, cx, 1));
        if (number.len > 0 && !hl7_is_null(number) && is_local(m, cx))
            return number;
    }
    return SLICE_NONE;
}

enum err hl7_merge_parse(const struct hl7_message *m, struct err_list *errors,
                         struct hl7_merge *ret_merge)
{
    struct hl7_header h;
    struct hl7_merge merge = {.kind = MERGE_NONE, .place = ""};
    size_t i = 0;

    hl7_header_of(m, &h);
    while (i < sizeof(kinds) / sizeof(kinds[0]) && !slice_is(h.trigger, kinds[i].trigger))
        i++;
    if (!slice_is(h.type, "ADT") || i == sizeof(kinds) / sizeof(kinds[0])) {
        *ret_merge = merge;
        return ERR_OK;
    }
    const struct hl7_segment *other = hl7_find(m, kinds[i].segment, kinds[i].ordinal);
    const char *place =
        arena_printf(m->arena, "%s[%u]-%u", kinds[i].segment, kinds[i].ordinal, kinds[i].field);
    merge = (struct hl7_merge){.kind = kinds[i].kind,
                               .other_no = local_no(m, hl7_field(other, kinds[i].field)),
                               .place = place ? place : ""};
    if (merge.other_no.len == 0)
        return err_say(errors, ERR_SEVERITY_ERROR, ERR_REQUIRED, merge.place,
                       "the second patient number is missing", "2 つ目の患者番号がありません");
    if (hl7_find(m, kinds[i].segment, kinds[i].ordinal + 1))
        return err_say(errors, ERR_SEVERITY_ERROR, ERR_INVALID, merge.place,
                       "one message may join or part two numbers only",
                       "1 つのメッセージで扱えるのは 2 つの番号だけです");
    *ret_merge = merge;
    return ERR_OK;
}
