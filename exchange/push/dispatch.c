/* SPDX-License-Identifier: Apache-2.0
 *
 * The dispatcher (see dispatch.h). One line per Subscription:
 *
 *     QUIET --something was written--> DUE --its turn--> LOOKING --found--> POSTING --2xx-->
 * MARKING --> DUE
 *
 *     state    event                                  then
 *     QUIET    the log has grown                      DUE
 *     DUE      no other line is looking               LOOKING: what is next for it
 *     LOOKING  found                                  POSTING
 *     LOOKING  nothing, more of the log to look at    DUE, behind the others
 *     LOOKING  nothing                                QUIET; its position is stored now and then
 * (MARKING) LOOKING  not active, not there                  dropped LOOKING  refused (certificate,
 * criteria)        MARKING as error; ended: MARKING as off LOOKING  the store is busy WAITING a
 * little POSTING  2xx                                    MARKING as delivered POSTING  anything
 * else                          MARKING as failed MARKING  delivered, activated DUE MARKING  failed
 * WAITING as long as the row says MARKING  error, off                             dropped MARKING
 * could not be stored                    WAITING a little: delivered again rather than never
 *     WAITING  time                                   DUE
 *
 * A poll reads the table and the log's last number: after writes of this process, and every POLL_MS
 * for those of commands. Rows that are new make lines, rows that are gone or not active drop
 * theirs.
 */
#include "exchange/push/dispatch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/log.h"
#include "exchange/pipeline.h"
#include "exchange/push/notify.h"
#include "storage/change.h"

#include "base/banned.h"

#define POLL_MS 2000 /* writes of other processes are seen within */
#define PAUSE_MS 20  /* between polls while others write */
#define BUSY_MS 5000 /* when the store cannot be asked */
#define STORE_MS                                                                                   \
    60000 /* a position without deliveries is stored when it has moved by so much of the log */

enum line_state { QUIET, DUE, LOOKING, POSTING, MARKING, WAITING };

struct line {
    struct dispatch *d;
    TAILQ_ENTRY(line) link;
    TAILQ_ENTRY(line) turn; /* d->due, while DUE */
    enum line_state state;
    int64_t rid;
    char *id, *facility_key, *purpose;
    unsigned char fingerprint[DIGEST_LEN];
    int64_t after;  /* looked at */
    int64_t stored; /* position in the table */
    int64_t seq;    /* being delivered */
    enum notify_verdict verdict;
    uint64_t wait_until; /* loop time, while WAITING */
    bool stale;          /* the log has grown since its look began */
    bool dropped;        /* goes when what runs has ended */
    bool seen;           /* in the poll's list */
};

TAILQ_HEAD(line_list, line);

struct dispatch {
    uv_loop_t *loop;
    struct exchange *x;
    struct outbound *out;
    void (*polled)(void *context, const struct notify_poll *poll, bool grown);
    void *context;
    uv_timer_t poll_timer, wait_timer;
    struct line_list lines, due;
    int64_t last; /* of the log, as the last poll saw it */
    uint64_t writes_seen, polled_at;
    unsigned subscriptions_seen, rows;
    bool follow, polling, poll_again, looking;
    unsigned pending; /* requests in the pipeline */
    unsigned handles;
    bool closing;
    void (*done)(void *context);
    void *done_context;
};

static void advance(struct dispatch *d);
static void poll_now(struct dispatch *d);

/* ── lines ───────────────────────────────────────────────────────────────────────────────────── */

static void line_free(struct line *l)
{
    if (l->state == DUE)
        TAILQ_REMOVE(&l->d->due, l, turn);
    TAILQ_REMOVE(&l->d->lines, l, link);
    free(l->id);
    free(l->facility_key);
    free(l->purpose);
    free(l);
}

static bool is_idle(const struct line *l)
{
    return l->state == QUIET || l->state == DUE || l->state == WAITING;
}

static void set_state(struct line *l, enum line_state state)
{
    if (l->state == DUE)
        TAILQ_REMOVE(&l->d->due, l, turn);
    l->state = state;
    if (state == DUE)
        TAILQ_INSERT_TAIL(&l->d->due, l, turn);
}

static void on_wait(uv_timer_t *timer)
{
    struct dispatch *d = timer->data;
    struct line *l;
    uint64_t now = uv_now(d->loop);
    TAILQ_FOREACH(l, &d->lines, link)
    {
        if (l->state == WAITING && l->wait_until <= now)
            set_state(l, DUE);
    }
    advance(d);
}

static void arm_wait(struct dispatch *d)
{
    uint64_t now = uv_now(d->loop), first = UINT64_MAX;
    struct line *l;
    TAILQ_FOREACH(l, &d->lines, link)
    {
        if (l->state == WAITING && l->wait_until < first)
            first = l->wait_until;
    }
    if (first != UINT64_MAX && !d->closing)
        uv_timer_start(&d->wait_timer, on_wait, first > now ? first - now : 1, 0);
}

static void wait_for(struct line *l, int64_t wait_ms)
{
    set_state(l, WAITING);
    l->wait_until = uv_now(l->d->loop) + (wait_ms > 0 ? (uint64_t)wait_ms : 1);
}

static char *copy_of(struct slice text)
{
    return strndup(text.ptr ? text.ptr : "", text.len);
}

/* Takes over what the row says; false when memory is out. */
static bool line_fill(struct line *l, const struct subscription *row)
{
    char *id = copy_of(row->id), *key = copy_of(row->facility_key),
         *purpose = copy_of(row->purpose);
    if (!id || !key || !purpose) {
        free(id);
        free(key);
        free(purpose);
        return false;
    }
    free(l->id);
    free(l->facility_key);
    free(l->purpose);
    l->id = id;
    l->facility_key = key;
    l->purpose = purpose;
    memcpy(l->fingerprint, row->fingerprint, DIGEST_LEN);
    l->stored = row->position;
    return true;
}

static struct line *find_line(struct dispatch *d, int64_t rid)
{
    struct line *l;
    TAILQ_FOREACH(l, &d->lines, link)
    {
        if (l->rid == rid)
            return l;
    }
    return NULL;
}

static struct line *new_line(struct dispatch *d, const struct subscription *row)
{
    struct line *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    l->d = d;
    l->rid = row->rid;
    l->after = row->position;
    TAILQ_INSERT_TAIL(&d->lines, l, link);
    return l;
}

/* ── requests ────────────────────────────────────────────────────────────────────────────────── */

static struct request *new_request(struct dispatch *d, const struct use *use, void *data,
                                   void (*answer)(struct request *r))
{
    struct request *r = request_new(d->x, REQUEST_PUSH);
    if (!r)
        return NULL;
    r->use = use;
    r->door_data = data;
    r->answer = answer;
    r->peer = SLICE("push");
    return r;
}

static void start(struct dispatch *d, struct request *r)
{
    d->pending++;
    pipeline_start(r);
}

static void after_mark(struct line *l, const struct subscription *now)
{
    struct dispatch *d = l->d;
    if (now->state == SUBSCRIPTION_ERROR)
        log_warn("subscription.error", "id=%s facility=%s reason=%.*s", l->id, l->facility_key,
                 SLICE_ARG(now->reason));
    if (now->state != SUBSCRIPTION_ACTIVE) {
        l->dropped = true;
        return;
    }
    l->stored = now->position;
    if (l->after < now->position)
        l->after = now->position;
    if (l->verdict == NOTIFY_FAILED)
        wait_for(l, now->next_ms - d->x->clock->now_ms(d->x->clock));
    else
        set_state(l, DUE);
}

static void on_marked(struct request *r)
{
    struct line *l = r->door_data;
    struct dispatch *d = l->d;
    const struct notify_mark *m = r->input;
    d->pending--;
    if (!r->job.err)
        after_mark(l, &m->now);
    else if (r->job.err == ERR_NOT_FOUND || r->job.err == ERR_GONE)
        l->dropped = true;
    else
        wait_for(l, BUSY_MS);
    request_free(r);
    if (l->dropped)
        line_free(l);
    advance(d);
}

static void mark(struct line *l, enum notify_verdict verdict, int64_t seq, const char *reason)
{
    struct dispatch *d = l->d;
    struct request *r = new_request(d, &notify_mark_use, l, on_marked);
    struct notify_mark *m = r ? ARENA_NEW(r->arena, struct notify_mark) : NULL;
    if (!m) {
        request_free(r);
        wait_for(l, BUSY_MS);
        return;
    }
    m->rid = l->rid;
    m->id = arena_dup(r->arena, slice_str(l->id));
    m->verdict = l->verdict = verdict;
    m->seq = seq;
    m->reason = reason ? arena_str(r->arena, slice_str(reason)) : NULL;
    r->facility_key = arena_dup(r->arena, slice_str(l->facility_key));
    r->input = m;
    set_state(l, MARKING);
    start(d, r);
}

/* ── delivering ──────────────────────────────────────────────────────────────────────────────── */

static void on_posted(void *context, const struct outbound_result *result)
{
    struct line *l = context;
    struct dispatch *d = l->d;
    char reason[LIMIT_PUSH_REASON];
    if (d->closing) {
        set_state(l, QUIET);
        return;
    }
    if (!result->err && result->status >= 200 && result->status < 300) {
        mark(l, NOTIFY_DELIVERED, l->seq, NULL);
    } else {
        if (result->err)
            snprintf(reason, sizeof(reason), "%s: %s", err_en(result->err), result->why);
        else
            snprintf(reason, sizeof(reason), "the receiver answered %d", result->status);
        log_info("subscription.failed", "id=%s facility=%s reason=%s", l->id, l->facility_key,
                 reason);
        mark(l, NOTIFY_FAILED, l->seq, reason);
    }
    advance(d);
}

static void deliver(struct line *l, struct request *r)
{
    const struct notify *n = r->input;
    struct outbound_post post = {
        .target = &n->channel.target,
        .fields = n->channel.fields,
        .content_type = n->channel.payload ? "application/fhir+json; charset=utf-8" : NULL,
        .body = buf_slice(&r->answer_buf),
        .done = on_posted,
        .context = l,
    };
    l->seq = n->seq;
    set_state(l, POSTING);
    enum err err = outbound_send(l->d->out, &post);
    if (err)
        mark(l, NOTIFY_FAILED, l->seq, err_en(err));
}

/* Nothing for it in what was looked at. */
static void nothing_found(struct line *l, const struct notify *n)
{
    if (l->after < n->scanned)
        l->after = n->scanned;
    if (n->more || l->stale)
        set_state(l, DUE);
    else if (change_ms(l->after) - change_ms(l->stored) > STORE_MS)
        mark(l, NOTIFY_DELIVERED, l->after, NULL);
    else
        set_state(l, QUIET);
}

static void look_failed(struct line *l, enum err err)
{
    switch (err) {
    case ERR_NOT_FOUND:
    case ERR_GONE:
        l->dropped = true;
        break;
    case ERR_PRECONDITION:
        mark(l, NOTIFY_END, 0, NULL);
        break;
    default:
        if (err_http(err) >= 500 || err == ERR_TIMEOUT)
            wait_for(l, BUSY_MS);
        else
            mark(l, NOTIFY_STOP, 0, err_en(err));
    }
}

static void on_looked(struct request *r)
{
    struct line *l = r->door_data;
    struct dispatch *d = l->d;
    const struct notify *n = r->input;
    d->pending--;
    d->looking = false;
    set_state(l, QUIET);
    if (!l->dropped && !d->closing) {
        if (r->job.err)
            look_failed(l, r->job.err);
        else if (n->seq)
            deliver(l, r);
        else
            nothing_found(l, n);
    }
    request_free(r);
    if (l->dropped && is_idle(l))
        line_free(l);
    advance(d);
}

static void look(struct line *l)
{
    struct dispatch *d = l->d;
    struct request *r = new_request(d, &notify_use, l, on_looked);
    struct notify *n = r ? ARENA_NEW(r->arena, struct notify) : NULL;
    if (!n) {
        request_free(r);
        wait_for(l, BUSY_MS);
        return;
    }
    n->id = arena_dup(r->arena, slice_str(l->id));
    n->after = l->after;
    n->posting = true;
    r->has_cert = true;
    memcpy(r->fingerprint, l->fingerprint, DIGEST_LEN);
    r->purpose = arena_dup(r->arena, slice_str(l->purpose));
    r->input = n;
    l->stale = false;
    set_state(l, LOOKING);
    d->looking = true;
    start(d, r);
}

/* ── polling ─────────────────────────────────────────────────────────────────────────────────── */

static void take_row(struct dispatch *d, const struct subscription *row)
{
    struct line *l = find_line(d, row->rid);
    bool works = row->state == SUBSCRIPTION_REQUESTED || row->state == SUBSCRIPTION_ACTIVE;
    if (!works)
        return;
    if (!l)
        l = new_line(d, row);
    if (!l || !line_fill(l, row)) {
        if (l && is_idle(l))
            line_free(l);
        return; /* no memory: the next poll tries again */
    }
    l->seen = true;
    if (!is_idle(l))
        return;
    int64_t wait_ms = row->next_ms - d->x->clock->now_ms(d->x->clock);
    if (row->state == SUBSCRIPTION_REQUESTED) {
        l->after = row->position;
        mark(l, NOTIFY_ACTIVATE, 0, NULL);
    } else if (row->failures && wait_ms > 0) {
        wait_for(l, wait_ms < LIMIT_PUSH_BACKOFF_MS ? wait_ms : LIMIT_PUSH_BACKOFF_MS);
    } else if (l->state == QUIET && l->after < d->last) {
        set_state(l, DUE);
    }
}

static void take_rows(struct dispatch *d, const struct notify_poll *p)
{
    struct line *l, *next;
    TAILQ_FOREACH(l, &d->lines, link)
    {
        l->seen = false;
        l->stale = l->stale || p->last > d->last;
    }
    bool grown = p->last > d->last;
    d->last = p->last > d->last ? p->last : d->last;
    d->rows = (unsigned)p->count;
    for (size_t i = 0; i < p->count; i++)
        take_row(d, &p->list[i]);
    for (l = TAILQ_FIRST(&d->lines); l; l = next) {
        next = TAILQ_NEXT(l, link);
        if (!l->seen && is_idle(l))
            line_free(l);
        else if (!l->seen && l->state == LOOKING)
            l->dropped = true;
    }
    d->polled(d->context, p, grown);
}

static void on_poll_timer(uv_timer_t *timer)
{
    poll_now(timer->data);
}

static void on_polled(struct request *r)
{
    struct dispatch *d = r->door_data;
    d->pending--;
    d->polling = false;
    if (!r->job.err && !d->closing)
        take_rows(d, r->input);
    request_free(r);
    bool wanted = d->poll_again || d->follow || d->rows > 0;
    if (wanted && !d->closing)
        uv_timer_start(&d->poll_timer, on_poll_timer, d->poll_again ? PAUSE_MS : POLL_MS, 0);
    advance(d);
}

static void poll_now(struct dispatch *d)
{
    struct request *r =
        d->closing || d->polling ? NULL : new_request(d, &notify_poll_use, d, on_polled);
    struct notify_poll *p = r ? ARENA_NEW(r->arena, struct notify_poll) : NULL;
    d->poll_again = d->polling;
    if (!p) {
        request_free(r);
        return;
    }
    uv_timer_stop(&d->poll_timer);
    r->input = p;
    d->polling = true;
    d->polled_at = uv_now(d->loop);
    start(d, r);
}

void dispatch_wake(struct dispatch *d)
{
    unsigned subscriptions = atomic_load(&d->x->subscription_writes);
    bool grown = d->x->writes != d->writes_seen;
    bool told = subscriptions != d->subscriptions_seen;
    d->writes_seen = d->x->writes;
    d->subscriptions_seen = subscriptions;
    if (!told && !(grown && (d->rows > 0 || d->follow)))
        return;
    uint64_t since = uv_now(d->loop) - d->polled_at;
    if (d->polling)
        d->poll_again = true;
    else if (since >= PAUSE_MS)
        poll_now(d);
    else if (!d->closing)
        uv_timer_start(&d->poll_timer, on_poll_timer, PAUSE_MS - since, 0);
}

void dispatch_follow(struct dispatch *d, bool follow)
{
    d->follow = follow;
    if (follow)
        poll_now(d);
}

/* ── the whole ───────────────────────────────────────────────────────────────────────────────── */

static void on_handle_closed(uv_handle_t *handle)
{
    struct dispatch *d = handle->data;
    if (--d->handles > 0)
        return;
    void (*done)(void *) = d->done;
    void *context = d->done_context;
    while (!TAILQ_EMPTY(&d->lines))
        line_free(TAILQ_FIRST(&d->lines));
    free(d);
    done(context);
}

/* The next line's turn; or, closing, the end when nothing runs any more. */
static void advance(struct dispatch *d)
{
    struct line *l = TAILQ_FIRST(&d->due);
    if (d->closing) {
        if (d->pending == 0 && d->done && !uv_is_closing((uv_handle_t *)&d->poll_timer)) {
            uv_close((uv_handle_t *)&d->poll_timer, on_handle_closed);
            uv_close((uv_handle_t *)&d->wait_timer, on_handle_closed);
        }
        return;
    }
    if (l && !d->looking)
        look(l);
    arm_wait(d);
}

enum err dispatch_open(uv_loop_t *loop, struct exchange *x, struct outbound *out,
                       void (*polled)(void *context, const struct notify_poll *poll, bool grown),
                       void *context, struct dispatch **ret)
{
    struct dispatch *d = calloc(1, sizeof(*d));
    if (!d)
        return ERR_LIMIT;
    d->loop = loop;
    d->x = x;
    d->out = out;
    d->polled = polled;
    d->context = context;
    TAILQ_INIT(&d->lines);
    TAILQ_INIT(&d->due);
    uv_timer_init(loop, &d->poll_timer);
    uv_timer_init(loop, &d->wait_timer);
    d->handles = 2;
    d->poll_timer.data = d->wait_timer.data = d;
    d->subscriptions_seen = atomic_load(&x->subscription_writes);
    poll_now(d);
    *ret = d;
    return ERR_OK;
}

void dispatch_stop(struct dispatch *d)
{
    d->closing = true;
    uv_timer_stop(&d->poll_timer);
    uv_timer_stop(&d->wait_timer);
}

void dispatch_close(struct dispatch *d, void (*done)(void *context), void *context)
{
    dispatch_stop(d);
    d->done = done;
    d->done_context = context;
    advance(d);
}
