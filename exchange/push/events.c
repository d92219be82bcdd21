/* SPDX-License-Identifier: Apache-2.0
 *
 * Listeners to events (see events.h). One ear per stream:
 *
 *     SENDING --drained--> DUE --its turn--> LOOKING --found--> SENDING
 *
 *     state    event                            then
 *     SENDING  all has left                     DUE
 *     DUE      no other ear is looking          LOOKING
 *     LOOKING  found                            SENDING that event
 *     LOOKING  nothing, more of the log         DUE, behind the others
 *     LOOKING  nothing                          QUIET
 *     LOOKING  refused, not active any more     the stream ends
 *     LOOKING  the store is busy                QUIET until the next beat
 *     QUIET    the log has grown, a beat        DUE
 *     any      the peer left                    gone; freed when no look is under way
 *
 * The beat (a comment every LIMIT_EVENT_BEAT_MS) also makes a look, so that a revoked certificate or a Subscription that
 * was turned off ends the stream although nothing happens.
 */
#include "exchange/push/events.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/seal.h"
#include "exchange/pipeline.h"
#include "exchange/push/notify.h"

#include "base/banned.h"

enum ear_state { SENDING, DUE, LOOKING, QUIET };

struct ear {
    struct events *e;
    TAILQ_ENTRY(ear) link;
    TAILQ_ENTRY(ear) turn; /* e->due, while DUE */
    enum ear_state state;
    struct http_call *call; /* NULL: gone */
    struct arena *arena;    /* of the texts below and of the ear itself */
    struct slice id, purpose, user, role, peer;
    unsigned char fingerprint[DIGEST_LEN];
    int64_t after;
    bool stale; /* the log has grown since its look began */
};

TAILQ_HEAD(ear_list, ear);

struct events {
    uv_loop_t *loop;
    struct exchange *x;
    void (*follow)(void *context, bool wanted);
    void *context;
    uv_timer_t timer;
    struct ear_list ears, due;
    unsigned count;
    bool looking, closing;
    void (*done)(void *context);
    void *done_context;
};

static void advance(struct events *e);

static void set_state(struct ear *ear, enum ear_state state)
{
    if (ear->state == DUE)
        TAILQ_REMOVE(&ear->e->due, ear, turn);
    ear->state = state;
    if (state == DUE)
        TAILQ_INSERT_TAIL(&ear->e->due, ear, turn);
}

static void ear_free(struct ear *ear)
{
    struct events *e = ear->e;
    set_state(ear, QUIET);
    TAILQ_REMOVE(&e->ears, ear, link);
    arena_free(ear->arena);
    if (--e->count == 0) {
        uv_timer_stop(&e->timer);
        if (!e->closing)
            e->follow(e->context, false);
    }
}

static void hang_up(struct ear *ear)
{
    struct http_call *call = ear->call;
    ear->call = NULL;
    if (call)
        http_call_end(call, true);
}

/* ── the id of an event ──────────────────────────────────────────────────────────────────────── */

#define BOUND_MAX 256

static void say_bound(struct slice id, struct buf *out)
{
    buf_adds(out, "event ");
    buf_add(out, id);
}

void events_place_print(const struct exchange *x, struct slice id, int64_t seq, struct buf *out)
{
    struct buf bound, word;
    buf_init(&bound, BOUND_MAX);
    buf_init(&word, sizeof(seq));
    say_bound(id, &bound);
    buf_add_u64(&word, (uint64_t)seq);
    seal_close(x->key_cursor, buf_slice(&bound), buf_slice(&word), out);
    buf_fini(&word);
    buf_fini(&bound);
}

bool events_place_read(const struct exchange *x, struct slice id, struct slice text, int64_t *ret_seq)
{
    struct buf bound, word;
    uint64_t seq = 0;
    buf_init(&bound, BOUND_MAX);
    buf_init(&word, sizeof(seq));
    say_bound(id, &bound);
    bool good = seal_open(x->key_cursor, buf_slice(&bound), text, &word) && !buf_err(&word) &&
                word.len == sizeof(seq);
    for (size_t i = 0; good && i < sizeof(seq); i++)
        seq = seq << 8 | (unsigned char)word.ptr[i];
    if (good)
        *ret_seq = (int64_t)seq;
    buf_fini(&word);
    buf_fini(&bound);
    return good;
}

/* ── looking ─────────────────────────────────────────────────────────────────────────────────── */

static void send_event(struct ear *ear, struct request *r, const struct notify *n)
{
    struct buf text;
    buf_init(&text, LIMIT_HTTP_ANSWER);
    buf_adds(&text, "event: change\nid: ");
    events_place_print(ear->e->x, ear->id, n->seq, &text);
    buf_adds(&text, "\ndata: ");
    buf_add(&text, n->channel.payload ? buf_slice(&r->answer_buf) : SLICE("{}"));
    buf_adds(&text, "\n\n");
    ear->after = n->seq;
    set_state(ear, SENDING);
    if (buf_err(&text))
        hang_up(ear);
    else
        http_call_piece(ear->call, buf_slice(&text));
    buf_fini(&text);
}

static void on_looked(struct request *r)
{
    struct ear *ear = r->door_data;
    struct events *e = ear->e;
    const struct notify *n = r->input;
    bool busy = r->job.err && (err_http(r->job.err) >= 500 || r->job.err == ERR_TIMEOUT);
    e->looking = false;
    set_state(ear, QUIET);
    if (ear->call && r->job.err && !busy)
        hang_up(ear);
    if (!ear->call) {
        ear_free(ear);
    } else if (!r->job.err && n->seq) {
        send_event(ear, r, n);
        if (!ear->call)
            ear_free(ear);
    } else if (!r->job.err) {
        ear->after = ear->after < n->scanned ? n->scanned : ear->after;
        set_state(ear, n->more || ear->stale ? DUE : QUIET);
    }
    request_free(r);
    advance(e);
}

static void look(struct ear *ear)
{
    struct events *e = ear->e;
    struct request *r = request_new(e->x, REQUEST_PUSH);
    struct notify *n = r ? ARENA_NEW(r->arena, struct notify) : NULL;
    if (!n) {
        request_free(r);
        set_state(ear, QUIET);
        return;
    }
    n->id = arena_dup(r->arena, ear->id);
    n->after = ear->after;
    r->use = &notify_use;
    r->input = n;
    r->door_data = ear;
    r->answer = on_looked;
    r->has_cert = true;
    memcpy(r->fingerprint, ear->fingerprint, DIGEST_LEN);
    r->purpose = ear->purpose; /* the ear outlives its look */
    r->user = ear->user;
    r->role = ear->role;
    r->peer = ear->peer;
    ear->stale = false;
    set_state(ear, LOOKING);
    e->looking = true;
    pipeline_start(r);
}

/* ── the stream ──────────────────────────────────────────────────────────────────────────────── */

static void on_drained(void *context)
{
    struct ear *ear = context;
    if (ear->state != SENDING)
        return;
    set_state(ear, DUE);
    advance(ear->e);
}

static void on_gone(void *context)
{
    struct ear *ear = context;
    ear->call = NULL;
    if (ear->state != LOOKING)
        ear_free(ear);
}

static void on_beat(uv_timer_t *timer)
{
    struct events *e = timer->data;
    struct ear *ear;
    TAILQ_FOREACH(ear, &e->ears, link)
    {
        if (ear->state != QUIET || !ear->call)
            continue;
        set_state(ear, SENDING); /* drained: it looks */
        http_call_piece(ear->call, SLICE(": beat\n\n"));
    }
}

bool events_full(const struct events *e)
{
    return e->closing || e->count >= LIMIT_EVENT_STREAMS;
}

static struct ear *new_ear(struct events *e, const struct request *r, struct slice id)
{
    struct arena *arena = arena_new(LIMIT_KIB * 64);
    struct ear *ear = arena ? ARENA_NEW(arena, struct ear) : NULL;
    if (!ear) {
        arena_free(arena);
        return NULL;
    }
    *ear = (struct ear){.e = e,
                        .state = SENDING,
                        .arena = arena,
                        .id = arena_dup(arena, id),
                        .purpose = arena_dup(arena, r->purpose),
                        .user = arena_dup(arena, r->user),
                        .role = arena_dup(arena, r->role),
                        .peer = arena_dup(arena, r->peer)};
    memcpy(ear->fingerprint, r->fingerprint, DIGEST_LEN);
    if (!arena_exhausted(arena))
        return ear;
    arena_free(arena);
    return NULL;
}

static void refuse(struct http_call *call)
{
    struct http_answer a = {.status = 503,
                            .content_type = "text/plain; charset=utf-8",
                            .body = SLICE("busy / 混み合っています\n")};
    http_call_answer(call, &a);
}

void events_begin(struct events *e, struct http_call *call, const struct request *r, struct slice id,
                  int64_t after)
{
    struct ear *ear = events_full(e) ? NULL : new_ear(e, r, id);
    struct http_field field = {"X-Request-Id", slice_str(r->id)};
    struct http_answer a = {
        .status = 200, .content_type = "text/event-stream", .fields = &field, .field_count = 1};
    struct http_flow flow = {on_drained, on_gone, ear};
    if (!ear) {
        refuse(call);
        return;
    }
    ear->after = after;
    ear->call = call;
    TAILQ_INSERT_TAIL(&e->ears, ear, link);
    if (e->count++ == 0) {
        uv_timer_start(&e->timer, on_beat, LIMIT_EVENT_BEAT_MS, LIMIT_EVENT_BEAT_MS);
        e->follow(e->context, true);
    }
    if (!http_call_begin(call, &a, &flow))
        ear_free(ear);
    else
        http_call_piece(call, SLICE(": listening\nretry: 2000\n\n"));
}

/* ── the whole ───────────────────────────────────────────────────────────────────────────────── */

void events_wake(struct events *e)
{
    struct ear *ear;
    TAILQ_FOREACH(ear, &e->ears, link)
    {
        ear->stale = true;
        if (ear->state == QUIET)
            set_state(ear, DUE);
    }
    advance(e);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct events *e = handle->data;
    void (*done)(void *) = e->done;
    void *context = e->done_context;
    free(e);
    done(context);
}

static void advance(struct events *e)
{
    struct ear *ear = TAILQ_FIRST(&e->due);
    if (e->closing) {
        if (!e->looking && !uv_is_closing((uv_handle_t *)&e->timer))
            uv_close((uv_handle_t *)&e->timer, on_timer_closed);
        return;
    }
    if (ear && !e->looking)
        look(ear);
}

enum err events_open(uv_loop_t *loop, struct exchange *x, void (*follow)(void *context, bool wanted),
                     void *context, struct events **ret)
{
    struct events *e = calloc(1, sizeof(*e));
    if (!e)
        return ERR_LIMIT;
    e->loop = loop;
    e->x = x;
    e->follow = follow;
    e->context = context;
    TAILQ_INIT(&e->ears);
    TAILQ_INIT(&e->due);
    uv_timer_init(loop, &e->timer);
    e->timer.data = e;
    *ret = e;
    return ERR_OK;
}

void events_close(struct events *e, void (*done)(void *context), void *context)
{
    struct ear *ear = TAILQ_FIRST(&e->ears), *next;
    e->closing = true;
    e->done = done;
    e->done_context = context;
    for (; ear; ear = next) {
        next = TAILQ_NEXT(ear, link);
        hang_up(ear);
        if (ear->state != LOOKING)
            ear_free(ear);
    }
    advance(e);
}
