/* SPDX-License-Identifier: Apache-2.0
 *
 * Two sorts: by thing, to find the newest of each and the one before it; then by what a reader
 * wants first. Stable, because the place in the input is the last key. A resource without a time is
 * kept: it cannot be said to be old.
 */
#include "mappers/ips/pick.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/when.h"

#include "base/banned.h"

/* The start of the day MONTHS calendar months before NOW (a few days more at the end of a month).
 */
static int64_t months_before(int64_t now_ms, unsigned months)
{
    int number = when_day_number(now_ms);
    int total = number / 10000 * 12 + number / 100 % 100 - 1 - (int)months;
    int day = number % 100 > 28 ? 28 : number % 100;
    return when_from_date(total / 12, total % 12 + 1, day);
}

static bool in_window(const struct pick *p, const struct pick_rules *rules)
{
    const struct facts_about *about = &facts_sections[p->section];
    unsigned months = rules->emergency ? about->months_emergency : about->months;
    if (rules->all || months == 0 || p->time == WHEN_MIN)
        return true;
    if (p->section == FACTS_MEDICATIONS && p->rank == FACTS_URGENT)
        return true;
    return facts_time_last(p->resource, rules->now_ms) >= months_before(rules->now_ms, months);
}

static int compare_time(int64_t a, int64_t b)
{
    return (a < b) - (a > b); /* newest first */
}

static int by_thing(const void *a, const void *b)
{
    const struct pick *x = a, *y = b;
    int order = x->section != y->section ? (x->section < y->section ? -1 : 1)
                                         : slice_cmp(x->thing, y->thing);
    if (!order && x->section == FACTS_ALLERGIES)
        order = (int)x->rank - (int)y->rank; /* the gravest first: others may only repeat it */
    if (!order)
        order = compare_time(x->time, y->time);
    return order ? order : x->index < y->index ? -1 : 1;
}

static int by_reading(const void *a, const void *b)
{
    const struct pick *x = a, *y = b;
    bool ranked = x->section != FACTS_MEDICATIONS; /* drugs: newest first, marks tell the rest */
    int order = x->section != y->section ? (x->section < y->section ? -1 : 1) : 0;
    if (!order && ranked && x->rank != y->rank)
        order = x->rank < y->rank ? -1 : 1;
    if (!order)
        order = compare_time(x->newest, y->newest);
    if (!order)
        order = slice_cmp(x->thing, y->thing);
    if (!order)
        order = compare_time(x->time, y->time);
    return order ? order : x->index < y->index ? -1 : 1;
}

static bool same_thing(const struct pick *a, const struct pick *b)
{
    return a->section == b->section && slice_eq(a->thing, b->thing);
}

/* The same allergen again, from another hospital, with nothing to add to what the gravest record
 * says. */
static bool only_repeats(struct arena *arena, const struct pick *first, const struct pick *p)
{
    struct slice reaction = facts_reaction(arena, p->resource);
    if (p->section != FACTS_ALLERGIES || (p->rank == FACTS_OVER) != (first->rank == FACTS_OVER))
        return false;
    return !reaction.len || slice_eq(reaction, facts_reaction(arena, first->resource));
}

/* Sorted by thing: keeps the newest of each, ties each to the one before it. Returns how many stay.
 */
static size_t keep_newest(struct arena *arena, struct pick *items, size_t count)
{
    size_t kept = 0, first = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned limit = facts_sections[items[i].section].per_thing;
        if (!same_thing(&items[first], &items[i]))
            first = i;
        items[i].newest = limit ? items[first].time : items[i].time;
        items[i].older = i > first && (limit || only_repeats(arena, &items[first], &items[i]));
        if (i == first && limit > 1 && i + 1 < count && same_thing(&items[i], &items[i + 1]))
            items[i].previous = items[i + 1].resource;
        items[i].drop = limit && i - first >= limit;
    }
    for (size_t i = 0; i < count; i++)
        if (!items[i].drop)
            items[kept++] = items[i];
    return kept;
}

static size_t keep_bounded(struct pick_list *list)
{
    size_t kept = 0;
    unsigned in_section = 0;
    enum facts_section section = FACTS_SECTIONS;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].section != section)
            in_section = 0;
        section = list->items[i].section;
        if (in_section < LIMIT_SUMMARY_ROWS || list->items[i].older)
            list->items[kept++] = list->items[i];
        else
            list->left_out[section]++;
        in_section += !list->items[i].older;
    }
    return kept;
}

enum err pick_all(struct arena *arena, const struct json *const *resources, size_t count,
                  const struct pick_rules *rules, struct pick_list *ret_list)
{
    struct pick_list list = {.items = arena_array(arena, count + 1, sizeof(struct pick))};
    if (!list.items)
        return ERR_LIMIT;
    for (size_t i = 0; i < count; i++) {
        struct pick p = {.resource = resources[i], .index = i};
        if (!json_str(p.resource, "id").len || !facts_section_of(p.resource, &p.section))
            continue;
        p.rank = facts_rank_of(arena, p.section, p.resource);
        p.time = facts_time(p.resource);
        p.thing = facts_thing(arena, p.section, p.resource);
        if (in_window(&p, rules))
            list.items[list.count++] = p;
        else
            list.left_out[p.section]++;
    }
    if (arena_exhausted(arena))
        return ERR_LIMIT;
    qsort(list.items, list.count, sizeof(*list.items), by_thing);
    list.count = keep_newest(arena, list.items, list.count);
    qsort(list.items, list.count, sizeof(*list.items), by_reading);
    list.count = keep_bounded(&list);
    *ret_list = list;
    return ERR_OK;
}
