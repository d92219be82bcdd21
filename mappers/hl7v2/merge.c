/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads merges, links and unlinks (see merge.h). Each MRG belongs to the PID before it, and each
 * number of the institution in it is one pair. All of a message or nothing: a pair that cannot be
 * read refuses them all, since the sender will send the same message again.
 */
#include "mappers/hl7v2/merge.h"

#include "base/limits.h"
#include "base/banned.h"

static const struct {
    const char *trigger;
    enum merge_kind kind;
    bool by_mrg; /* else by a second PID */
} kinds[] = {
    {"A18", MERGE_LINK, true}, {"A24", MERGE_LINK, false}, {"A30", MERGE_LINK, true},
    {"A34", MERGE_LINK, true}, {"A36", MERGE_LINK, true},  {"A37", MERGE_UNLINK, false},
    {"A39", MERGE_LINK, true}, {"A40", MERGE_LINK, true},  {"A46", MERGE_LINK, true},
    {"A47", MERGE_LINK, true},
};

struct reading {
    const struct hl7_message *m;
    struct err_list *errors;
    struct hl7_merge *merge;
    const struct hl7_segment *pid; /* that further numbers belong to */
    bool paired;                   /* it has one already */
};

static struct slice part(const struct hl7_message *m, struct slice raw)
{
    return slice_trim(hl7_unescape(m, raw));
}

/* A number of the institution: without a type or of type PI or MR, and not the clinic card (pid.c).
 */
static bool is_local(const struct hl7_message *m, struct slice cx)
{
    struct slice type = part(m, hl7_component(m, cx, 5));
    struct slice authority = part(m, hl7_sub(m, hl7_component(m, cx, 4), 1));

    return !slice_is(authority, "TASUKI") &&
           (type.len == 0 || slice_is(type, "PI") || slice_is(type, "MR"));
}

/* The N-th (from 1) number of the institution in FIELD; empty when there are fewer. */
static struct slice local_no(const struct hl7_message *m, struct slice field, unsigned n)
{
    unsigned count = hl7_repeats(m, field);

    for (unsigned r = 0; r < count; r++) {
        struct slice cx = hl7_repeat(m, field, r);
        struct slice number = part(m, hl7_component(m, cx, 1));
        if (number.len > 0 && !hl7_is_null(number) && is_local(m, cx) && --n == 0)
            return number;
    }
    return SLICE_NONE;
}

static const char *place_of(const struct reading *r, const char *segment, unsigned ordinal,
                            unsigned field)
{
    const char *place = arena_printf(r->m->arena, "%s[%u]-%u", segment, ordinal, field);
    return place ? place : "";
}

static enum err missing(struct reading *r, const char *place)
{
    return err_say(r->errors, ERR_SEVERITY_ERROR, ERR_REQUIRED, place,
                   "the second patient number is missing", "2 つ目の患者番号がありません");
}

static enum err add_pair(struct reading *r, struct slice other, const char *place)
{
    struct hl7_merge *merge = r->merge;
    struct slice number = local_no(r->m, hl7_field(r->pid, 3), 1);

    if (slice_eq(number, other))
        return err_say(r->errors, ERR_SEVERITY_ERROR, ERR_INVALID, place,
                       "a number cannot be joined to or parted from itself",
                       "同じ番号どうしは統合も分離もできません");
    if (merge->count == LIMIT_MERGE_PAIRS)
        return err_say(r->errors, ERR_SEVERITY_ERROR, ERR_TOO_LARGE, place,
                       "more numbers than one message may join",
                       "1 つのメッセージで統合できる番号の数を超えています");
    merge->pairs[merge->count++] = (struct hl7_merge_pair){number, other, place};
    r->paired = true;
    return ERR_OK;
}

/* Every number of the institution in MRG-1. */
static enum err read_mrg(struct reading *r, const struct hl7_segment *mrg)
{
    const char *place = place_of(r, "MRG", mrg->ordinal, 1);
    struct slice field = hl7_field(mrg, 1), other = local_no(r->m, field, 1);
    enum err err = ERR_OK;

    if (other.len == 0 || !r->pid)
        return missing(r, place);
    for (unsigned n = 1; !err && other.len > 0; other = local_no(r->m, field, ++n))
        err = add_pair(r, other, place);
    return err;
}

/* PID and its MRG, as often as they come; a PID without one joins nothing to anybody. */
static enum err read_merges(struct reading *r)
{
    enum err err = ERR_OK;

    for (size_t i = 0; i < r->m->segment_count && !err; i++) {
        const struct hl7_segment *s = &r->m->segments[i];

        if (slice_is(s->name, "MRG")) {
            err = read_mrg(r, s);
        } else if (slice_is(s->name, "PID")) {
            if (r->pid && !r->paired)
                return missing(r, place_of(r, "MRG", r->pid->ordinal, 1));
            r->pid = s;
            r->paired = false;
        }
    }
    return err || r->paired ? err : missing(r, place_of(r, "MRG", r->pid ? r->pid->ordinal : 1, 1));
}

static enum err read_link(struct reading *r)
{
    const char *place = place_of(r, "PID", 2, 3);
    struct slice other = local_no(r->m, hl7_field(hl7_find(r->m, "PID", 2), 3), 1);

    r->pid = hl7_find(r->m, "PID", 1);
    if (other.len == 0)
        return missing(r, place);
    if (hl7_find(r->m, "PID", 3))
        return err_say(r->errors, ERR_SEVERITY_ERROR, ERR_INVALID, place_of(r, "PID", 3, 3),
                       "one message may link or part two numbers only",
                       "1 つのメッセージで関連付け・分離できるのは 2 つの番号だけです");
    return add_pair(r, other, place);
}

enum err hl7_merge_parse(const struct hl7_message *m, struct err_list *errors,
                         struct hl7_merge *ret_merge)
{
    struct hl7_header h;
    struct hl7_merge merge = {.kind = MERGE_NONE};
    struct reading r = {.m = m, .errors = errors, .merge = &merge};
    size_t i = 0;
    enum err err;

    hl7_header_of(m, &h);
    while (i < sizeof(kinds) / sizeof(kinds[0]) && !slice_is(h.trigger, kinds[i].trigger))
        i++;
    if (!slice_is(h.type, "ADT") || i == sizeof(kinds) / sizeof(kinds[0])) {
        *ret_merge = merge;
        return ERR_OK;
    }
    merge.kind = kinds[i].kind;
    merge.pairs = arena_array(m->arena, LIMIT_MERGE_PAIRS, sizeof(*merge.pairs));
    if (!merge.pairs)
        return err_add(errors, ERR_LIMIT, "MSH", NULL);
    err = kinds[i].by_mrg ? read_merges(&r) : read_link(&r);
    if (err == ERR_OK)
        *ret_merge = merge;
    return err;
}
