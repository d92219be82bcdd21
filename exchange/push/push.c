/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening, waking and closing what leaves by itself (see push.h). Order of the end: nothing new is
 * begun, what is being sent is cut, then everybody waits for the requests that are still in the
 * store's hands.
 */
#include "exchange/push/push.h"

#include <stdio.h>
#include <stdlib.h>

#include "exchange/net/tls.h"
#include "exchange/push/dispatch.h"
#include "exchange/push/events.h"
#include "exchange/push/export_run.h"
#include "exchange/push/feed.h"
#include "exchange/push/notify.h"

#include "base/banned.h"

struct push {
    struct exchange *x;
    struct tls_context *tls;
    struct outbound *out;
    struct dispatch *dispatch;
    struct events *events;
    struct export_run *exports;
    struct feeds *feeds; /* NULL: none are configured */
    unsigned exports_seen;
    unsigned parts; /* still open */
    void (*done)(void *context);
    void *done_context;
};

static void on_polled(void *context, const struct notify_poll *poll, bool grown)
{
    struct push *p = context;
    if (grown)
        events_wake(p->events);
    feeds_polled(p->feeds, poll->last, poll->feeds, poll->feed_count);
}

static void on_follow(void *context, bool wanted)
{
    struct push *p = context;
    dispatch_follow(p->dispatch, wanted || p->feeds);
}

enum err push_open(uv_loop_t *loop, struct exchange *x, char *ret_text, size_t size,
                   struct push **ret_push)
{
    const char *ca = x->conf.push_ca && x->conf.push_ca[0] ? x->conf.push_ca : NULL;
    const char *targets = x->conf.push_targets;
    struct push *p = calloc(1, sizeof(*p));
    enum err err = p ? ERR_OK : ERR_LIMIT;
    if (!err && targets && targets[0])
        err = tls_client_new(ca, ret_text, size, &p->tls);
    if (!err)
        err = outbound_open(loop, p->tls, &p->out);
    if (!err)
        err = events_open(loop, x, on_follow, p, &p->events);
    if (!err)
        err = export_run_open(loop, x, &p->exports);
    if (!err)
        err = dispatch_open(loop, x, p->out, on_polled, p, &p->dispatch);
    if (!err)
        err = feeds_open(loop, x, ret_text, size, &p->feeds);
    if (err) { /* the program ends; what was opened goes with it */
        if (!ret_text[0])
            snprintf(ret_text, size, "%s / %s", err_en(err), err_ja(err));
        return err;
    }
    p->x = x;
    x->push = p;
    dispatch_follow(p->dispatch, p->feeds != NULL);
    *ret_push = p;
    return ERR_OK;
}

void push_wake(struct push *p)
{
    unsigned exports = atomic_load(&p->x->export_writes);
    dispatch_wake(p->dispatch);
    if (exports != p->exports_seen)
        export_run_wake(p->exports);
    p->exports_seen = exports;
}

struct events *push_events(struct push *p)
{
    return p->events;
}

void push_print(const struct push *p, struct buf *out)
{
    if (p)
        feeds_print(p->feeds, out);
}

static void on_part_closed(void *context)
{
    struct push *p = context;
    if (--p->parts > 0)
        return;
    void (*done)(void *) = p->done;
    void *done_context = p->done_context;
    tls_context_free(p->tls);
    free(p);
    done(done_context);
}

static void on_out_closed(void *context)
{
    struct push *p = context;
    dispatch_close(p->dispatch, on_part_closed, p);
}

void push_close(struct push *p, void (*done)(void *context), void *context)
{
    p->x->push = NULL;
    p->done = done;
    p->done_context = context;
    p->parts = 4;
    dispatch_stop(p->dispatch);
    feeds_close(p->feeds, on_part_closed, p);
    outbound_close(p->out, on_out_closed, p);
    events_close(p->events, on_part_closed, p);
    export_run_close(p->exports, on_part_closed, p);
}
