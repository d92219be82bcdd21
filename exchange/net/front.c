/* SPDX-License-Identifier: Apache-2.0
 *
 * See front.h. The listener is closed only when nothing is worked on any more, so that whoever
 * works can still answer; the last stream to close frees the front.
 */
#include "exchange/net/front.h"

#include <assert.h>
#include <stdlib.h>

#include "base/banned.h"

static void on_listener_closed(void *context)
{
    struct front *f = context;
    void (*done)(void *) = f->done;
    void *done_context = f->done_context;
    assert(f->state == FRONT_CLOSING && TAILQ_EMPTY(&f->guests));
    free(f);
    if (done)
        done(done_context);
}

static void settle(struct front *f)
{
    if (f->state != FRONT_DRAINING || f->working > 0)
        return;
    f->state = FRONT_CLOSING;
    listener_close(f->listener, on_listener_closed, f);
}

/* ── guests ──────────────────────────────────────────────────────────────────────────────────── */

static void on_ready(struct stream *s)
{
    struct front *f = stream_context(s);
    struct guest *g = f->state == FRONT_OPEN ? calloc(1, f->trade->guest_size) : NULL;
    if (!g) {
        stream_close(s);
        return;
    }
    g->front = f;
    g->stream = s;
    g->peer = *stream_peer(s);
    TAILQ_INSERT_TAIL(&f->guests, g, link);
    f->guest_count++;
    stream_set_data(s, g);
    f->trade->arrived(g);
}

static void on_closed(struct stream *s)
{
    struct guest *g = stream_data(s);
    if (!g) /* it never became one */
        return;
    g->stream = NULL;
    g->front->trade->left(g);
}

void front_part(struct guest *g)
{
    struct front *f = g->front;
    assert(!g->stream);
    TAILQ_REMOVE(&f->guests, g, link);
    f->guest_count--;
    free(g);
    settle(f);
}

void front_begin(struct front *f)
{
    f->working++;
}

void front_finish(struct front *f)
{
    assert(f->working > 0);
    f->working--;
    settle(f);
}

/* ── the front ───────────────────────────────────────────────────────────────────────────────── */

enum err front_open(const struct front_trade *trade, size_t size,
                    const struct listener_options *where, struct front **ret_front)
{
    assert(trade->arrived && trade->left && trade->closing && trade->data);
    assert(trade->guest_size >= sizeof(struct guest) && size >= sizeof(struct front));
    struct front *f = calloc(1, size);
    if (!f)
        return ERR_LIMIT;
    struct listener_options options = *where;
    f->trade = trade;
    f->events = (struct stream_events){.ready = on_ready,
                                       .data = trade->data,
                                       .closed = on_closed,
                                       .drained = trade->drained,
                                       .late = trade->late,
                                       .ended = trade->ended};
    TAILQ_INIT(&f->guests);
    options.events = &f->events;
    options.context = f;
    enum err err = listener_open(&options, &f->listener);
    if (err != ERR_OK) {
        free(f);
        return err;
    }
    *ret_front = f;
    return ERR_OK;
}

void front_close(struct front *f, void (*done)(void *context), void *context)
{
    assert(f->state == FRONT_OPEN);
    f->state = FRONT_DRAINING;
    f->done = done;
    f->done_context = context;
    listener_stop(f->listener);
    struct guest *g;
    TAILQ_FOREACH(g, &f->guests, link)
    {
        f->trade->closing(g);
    }
    settle(f);
}

bool front_is_closing(const struct front *f)
{
    return f->state != FRONT_OPEN;
}

unsigned short front_port(const struct front *f)
{
    return listener_port(f->listener);
}

void front_figures(const struct front *f, struct net_figures *ret_figures)
{
    listener_figures(f->listener, ret_figures);
}
