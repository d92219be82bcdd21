/* SPDX-License-Identifier: Apache-2.0
 *
 * The events of a visit (see place.h). An Encounter says how a visit is now and some of what was
 * before; each event of the standard replaces what the one before it said. So the event that tells
 * how it is now is the last of all, and the others are those the Encounter is sure of: that a stay
 * began, and the leaves and places it lists with their times.
 */
#include "mappers/ssmix2/place.h"

#include "mappers/ssmix2/segment.h"

#include "base/banned.h"

#define NOW_LATE 100u /* behind all that was before */

struct visit {
    const struct json *encounter;
    const struct json *here; /* location[0] */
    struct slice status, begun, ended;
};

static struct slice start_of(const struct json *at)
{
    return json_str(json_get(at, "period"), "start");
}

static struct slice end_of(const struct json *at)
{
    return json_str(json_get(at, "period"), "end");
}

static bool is_planned_place(const struct json *location)
{
    return slice_is(json_str(location, "status"), "planned");
}

/* The leave that is going on, as the history of the status tells it. */
static const struct json *leave_now(const struct visit *v)
{
    const struct json *list = json_get(v->encounter, "statusHistory");

    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        if (slice_is(json_str(i, "status"), "onleave") && end_of(i).len == 0)
            return i;
    }
    return NULL;
}

/* ---- how it is now ---- */

static bool cancelled(const struct visit *v, struct place *ret)
{
    if (!slice_is(v->status, "cancelled") && !slice_is(v->status, "entered-in-error"))
        return false;
    *ret = (struct place){.kind = is_planned_place(v->here) ? "ADT-21" : "ADT-22",
                          .day = v->begun,
                          .cancelled = true};
    return true;
}

static bool planned(const struct visit *v, struct place *ret)
{
    *ret = (struct place){.kind = "ADT-21", .day = v->begun};
    return slice_is(v->status, "planned");
}

static bool discharged(const struct visit *v, struct place *ret)
{
    *ret = (struct place){.kind = "ADT-52", .day = v->ended};
    return slice_is(v->status, "finished");
}

static bool on_leave(const struct visit *v, struct place *ret)
{
    const struct json *leave = leave_now(v);

    *ret = (struct place){.kind = "ADT-31", .day = start_of(leave ? leave : v->here)};
    return slice_is(v->status, "onleave");
}

/* A leave whose end is when he came to where he is. */
static const struct json *leave_over(const struct visit *v)
{
    const struct json *list = json_get(v->encounter, "statusHistory");

    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        if (slice_is(json_str(i, "status"), "onleave") && end_of(i).len > 0 &&
            slice_eq(end_of(i), start_of(v->here)))
            return i;
    }
    return NULL;
}

static bool returned(const struct visit *v, struct place *ret)
{
    const struct json *leave = leave_over(v);

    *ret = (struct place){.kind = "ADT-32", .day = end_of(leave), .part = leave};
    return slice_is(v->status, "in-progress") && leave;
}

static bool moves_soon(const struct visit *v, struct place *ret)
{
    *ret = (struct place){.kind = "ADT-41", .day = start_of(v->here)};
    return is_planned_place(v->here) && start_of(v->here).len > 0;
}

static bool leaves_soon(const struct visit *v, struct place *ret)
{
    *ret = (struct place){.kind = "ADT-51", .day = end_of(v->here)};
    return is_planned_place(v->here);
}

/* A place with its own beginning is one he was moved to. */
static bool moved(const struct visit *v, struct place *ret)
{
    *ret = (struct place){.kind = "ADT-42", .day = start_of(v->here)};
    return slice_is(v->status, "in-progress") && start_of(v->here).len > 0;
}

static bool has_doctor(const struct visit *v, struct place *ret)
{
    const struct json *list = json_get(v->encounter, "participant");

    *ret = (struct place){.kind = "ADT-01"};
    for (const struct json *p = list ? list->first : NULL; p && slice_is(v->status, "in-progress");
         p = p->next) {
        const struct json *role = json_path(p, "type", "0", "coding", "0", NULL);
        if (slice_is(json_str(role, "code"), "ATND") && json_get(p, "individual"))
            return true;
    }
    return false;
}

static bool admitted(const struct visit *v, struct place *ret)
{
    *ret = (struct place){.kind = "ADT-22", .day = v->begun};
    return true;
}

/* The first that holds. */
static bool (*const now[])(const struct visit *, struct place *) = {
    cancelled,   planned,  discharged, on_leave,   moves_soon,
    leaves_soon, returned, moved,      has_doctor, admitted};

/* ---- what was before ---- */

struct course {
    struct place_book *book;
    struct write_item *item;
    unsigned late;
};

static bool put(struct course *c, struct place place, unsigned late)
{
    bool dated = strcmp(place.kind, "ADT-01") != 0;

    place.late = late;
    if (dated)
        place.day = segment_day(c->book->arena, place.day);
    if (dated && place.day.len == 0)
        return false;
    c->book->put(c->book, c->item, &place);
    return true;
}

static void put_leaves(struct course *c, const struct visit *v)
{
    const struct json *list = json_get(v->encounter, "statusHistory");
    const struct json *current = leave_now(v);
    const struct json *over = slice_is(v->status, "in-progress") ? leave_over(v) : NULL;

    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        if (!slice_is(json_str(i, "status"), "onleave"))
            continue;
        if (i != current || !slice_is(v->status, "onleave"))
            (void)put(c, (struct place){.kind = "ADT-31", .day = start_of(i), .part = i},
                      ++c->late);
        if (end_of(i).len > 0 && i != over)
            (void)put(c, (struct place){.kind = "ADT-32", .day = end_of(i), .part = i}, ++c->late);
    }
}

/* Places he was in before, each from when he came; the one he was admitted to is told by ADT-22. */
static void put_moves(struct course *c, const struct visit *v)
{
    const struct json *list = json_get(v->encounter, "location");

    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        if (i == v->here || !slice_is(json_str(i, "status"), "completed") || start_of(i).len == 0 ||
            slice_eq(start_of(i), v->begun))
            continue;
        (void)put(c, (struct place){.kind = "ADT-42", .day = start_of(i), .part = i}, ++c->late);
    }
}

static void put_stay(struct course *c, const struct visit *v)
{
    struct place place;
    size_t i = 0;

    while (!now[i](v, &place))
        i++;
    if (!place.cancelled && strcmp(place.kind, "ADT-21") != 0) {
        if (strcmp(place.kind, "ADT-22") != 0)
            (void)put(c, (struct place){.kind = "ADT-22", .day = v->begun}, ++c->late);
        put_moves(c, v);
        put_leaves(c, v);
    }
    if (put(c, place, NOW_LATE) || place.cancelled || strcmp(place.kind, "ADT-21") == 0)
        return;
    /* how it is now has no day of its own: that it began is still told */
    (void)put(c, (struct place){.kind = "ADT-22", .day = v->begun}, NOW_LATE);
}

void place_visit(struct place_book *book, struct write_item *item)
{
    static const char *const stays[] = {"IMP", "ACUTE", "NONAC", "SS", "OBSENC"};
    static const char *const calls[] = {"AMB", "EMER"};
    const struct json *e = item->resource;
    struct slice class = json_str(json_get(e, "class"), "code");
    struct visit v = {.encounter = e,
                      .here = json_path(e, "location", "0", NULL),
                      .status = json_str(e, "status"),
                      .begun = start_of(e),
                      .ended = end_of(e)};
    struct course c = {book, item, 0};

    /* unknown: a visit that orders and results mention; nobody said that it took place so */
    if (slice_is(v.status, "unknown"))
        return;
    for (size_t i = 0; i < sizeof(stays) / sizeof(stays[0]); i++) {
        if (slice_is(class, stays[i])) {
            put_stay(&c, &v);
            return;
        }
    }
    if (slice_is(v.status, "cancelled") || slice_is(v.status, "entered-in-error") ||
        slice_is(v.status, "planned"))
        return; /* the standard has no plan and no cancellation of a call */
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (slice_is(class, calls[i]))
            (void)put(&c, (struct place){.kind = "ADT-12", .day = v.begun}, 0);
    }
}
