/* SPDX-License-Identifier: Apache-2.0
 *
 * Patterns of segments (see order.h): Glushkov's construction. Each name of a pattern is a place;
 * a group knows the places it can begin with, end with, and whether it may be empty; joining
 * groups adds who follows whom. Matching keeps the set of places the row may have reached.
 */
#include "mappers/ssmix2/order.h"

#include <assert.h>

#include "base/banned.h"

#define WORDS (ORDER_PLACES / 64u)
#define DEPTH_MAX 16u

struct set {
    uint64_t bits[WORDS];
};

struct order {
    struct slice names[ORDER_PLACES];
    struct set follow[ORDER_PLACES];
    struct set first, last;
    unsigned count;
};

struct group {
    struct set first, last;
    bool empty; /* may be nothing */
};

struct reader {
    struct order *order;
    struct slice rest;
    unsigned depth;
};

static void set_add(struct set *s, unsigned place)
{
    s->bits[place / 64] |= UINT64_C(1) << (place % 64);
}

static bool set_has(const struct set *s, unsigned place)
{
    return (s->bits[place / 64] >> (place % 64)) & 1;
}

static void set_join(struct set *s, const struct set *other)
{
    for (unsigned i = 0; i < WORDS; i++)
        s->bits[i] |= other->bits[i];
}

static void connect(struct order *o, const struct set *from, const struct set *to)
{
    for (unsigned i = 0; i < o->count; i++) {
        if (set_has(from, i))
            set_join(&o->follow[i], to);
    }
}

/* ---- reading ---- */

static struct group read_choice(struct reader *r);

static void skip_blanks(struct reader *r)
{
    while (r->rest.len > 0 && *r->rest.ptr == ' ')
        r->rest = slice_sub(r->rest, 1, r->rest.len);
}

static bool take(struct reader *r, char c)
{
    if (r->rest.len == 0 || *r->rest.ptr != c)
        return false;
    r->rest = slice_sub(r->rest, 1, r->rest.len);
    return true;
}

static struct group read_name(struct reader *r)
{
    struct group g = {0};
    struct order *o = r->order;

    assert(r->rest.len >= 3 && o->count < ORDER_PLACES);
    o->names[o->count] = slice_sub(r->rest, 0, 3);
    set_add(&g.first, o->count);
    set_add(&g.last, o->count);
    o->count++;
    r->rest = slice_sub(r->rest, 3, r->rest.len);
    return g;
}

static struct group read_item(struct reader *r)
{
    struct group g;

    if (take(r, '(')) {
        assert(r->depth < DEPTH_MAX);
        r->depth++;
        g = read_choice(r);
        r->depth--;
        bool closed = take(r, ')');
        assert(closed);
        (void)closed;
    } else {
        g = read_name(r);
    }
    if (take(r, '?')) {
        g.empty = true;
    } else if (take(r, '*')) {
        g.empty = true;
        connect(r->order, &g.last, &g.first);
    } else if (take(r, '+')) {
        connect(r->order, &g.last, &g.first);
    }
    return g;
}

static struct group read_row(struct reader *r)
{
    struct group all = {.empty = true};

    for (skip_blanks(r); r->rest.len > 0 && *r->rest.ptr != ')' && *r->rest.ptr != '|';
         skip_blanks(r)) {
        struct group g = read_item(r);
        connect(r->order, &all.last, &g.first);
        if (all.empty)
            set_join(&all.first, &g.first);
        if (!g.empty)
            all.last = (struct set){0};
        set_join(&all.last, &g.last);
        all.empty = all.empty && g.empty;
    }
    return all;
}

static struct group read_choice(struct reader *r)
{
    struct group all = read_row(r);

    while (take(r, '|')) {
        struct group g = read_row(r);
        set_join(&all.first, &g.first);
        set_join(&all.last, &g.last);
        all.empty = all.empty || g.empty;
    }
    return all;
}

struct order *order_read(struct arena *arena, const char *pattern)
{
    struct reader r = {.order = ARENA_NEW(arena, struct order), .rest = slice_str(pattern)};

    if (!r.order)
        return NULL;
    struct group all = read_choice(&r);
    assert(r.rest.len == 0 && !all.empty);
    r.order->first = all.first;
    r.order->last = all.last;
    return r.order;
}

/* ---- matching ---- */

bool order_knows(const struct order *o, struct slice name)
{
    for (unsigned i = 0; i < o->count; i++) {
        if (slice_eq(o->names[i], name))
            return true;
    }
    return false;
}

size_t order_match(const struct order *o, const struct slice *names, size_t count)
{
    struct set may = o->first; /* what may come next */
    bool end = false;

    for (size_t n = 0; n < count; n++) {
        struct set next = {0};
        bool any = false;
        end = false;
        for (unsigned i = 0; i < o->count; i++) {
            if (!set_has(&may, i) || !slice_eq(o->names[i], names[n]))
                continue;
            set_join(&next, &o->follow[i]);
            end = end || set_has(&o->last, i);
            any = true;
        }
        if (!any)
            return n;
        may = next;
    }
    return end ? count + 1 : count;
}
