/* SPDX-License-Identifier: Apache-2.0
 *
 * The runner of feeds (see feed.h). One line a feed:
 *
 *     QUIET --log grew--> DUE --its turn--> ASKING --found--> CONNECTING --> ASKING --offered-->
 * SENT --answer--> ASKING
 *
 *     state       event                                       then
 *     QUIET       the log has grown, a letter is wanted       DUE
 *     DUE         no other line is asking                     ASKING: settle the last verdict, find
 * the next message ASKING      a message, no connection                    CONNECTING ASKING      a
 * message, noted and audited                SENT ASKING      more of the log to look at, or it
 * changed   DUE, behind the others ASKING      nothing                                     QUIET
 *     ASKING      a failure was noted                         WAITING until the row says
 *     ASKING      the store is busy, the facility unknown     WAITING a little, with the verdict
 * kept CONNECTING  connected                                   DUE CONNECTING  not DUE with verdict
 * failed SENT        AA, CA                                      DUE with verdict accepted SENT AE,
 * AR, CE, CR                              DUE with verdict refused: a dead letter SENT        no
 * answer, none to this message, garbage    hung up, DUE with verdict failed WAITING     time; an
 * operator says so                   DUE any         feeds_close nothing is begun any more
 *
 * A verdict is kept until a turn has written it: killed before that, the message is sent once more,
 * with the same MSH-10.
 */
#include "exchange/push/feed.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/ids.h"
#include "base/log.h"
#include "exchange/net/mllp_client.h"
#include "exchange/net/tls.h"
#include "exchange/pipeline.h"
#include "exchange/push/feed_turn.h"
#include "mappers/hl7v2/answer.h"
#include "storage/change.h"

#include "base/banned.h"

#define BUSY_MS 5000 /* when the store cannot be asked */
/* Time of the log that one turn walks: where little is visible, a statement without an end would
 * run into its clock each time. It shrinks where even so much is too much. */
#define WINDOW_MS (10 * 60 * 1000)
#define WINDOW_LEAST_MS 1000

enum line_state { QUIET, DUE, ASKING, CONNECTING, SENT, WAITING };

struct line {
    struct feeds *f;
    const struct conf_feed *conf;
    struct mllp_client *client;
    struct tls_context *tls;
    uv_timer_t timer; /* while WAITING */
    enum line_state state;
    bool stale;         /* something happened since its turn began */
    bool waits_for_row; /* WAITING as the row says: an operator may end it */
    int64_t scanned, window_ms;
    unsigned failures;
    char message_id[REPORT_CONTROL_ID + 1];
    enum feed_verdict verdict; /* not written yet */
    char code[4], reason[LIMIT_PUSH_REASON + 1];
    /* for the figures */
    int64_t position, sent, refused, waiting;
};

struct feeds {
    struct exchange *x;
    struct line lines[LIMIT_FEEDS];
    unsigned count, turn; /* turn: whose is next */
    int64_t last;         /* of the log */
    bool asking;
    unsigned pending; /* requests, clients and handles */
    bool closing, handles_closing;
    void (*done)(void *context);
    void *done_context;
};

static void advance(struct feeds *f);

int64_t feeds_wait_ms(unsigned failures, uint32_t random)
{
    int64_t whole =
        failures < 20 ? INT64_C(500) << (failures ? failures : 1) : LIMIT_PUSH_BACKOFF_MS;
    if (whole > LIMIT_PUSH_BACKOFF_MS)
        whole = LIMIT_PUSH_BACKOFF_MS;
    return whole - whole / 4 * (int64_t)(random % 1000) / 1000;
}

/* ── waiting ─────────────────────────────────────────────────────────────────────────────────── */

static void on_timer(uv_timer_t *timer)
{
    struct line *l = timer->data;
    if (l->state == WAITING)
        l->state = DUE;
    advance(l->f);
}

static void wait_for(struct line *l, int64_t wait_ms, bool waits_for_row)
{
    l->state = WAITING;
    l->waits_for_row = waits_for_row;
    if (!l->f->closing)
        uv_timer_start(&l->timer, on_timer, wait_ms > 0 ? (uint64_t)wait_ms : 1, 0);
}

static void wake(struct line *l)
{
    if (l->state == QUIET)
        l->state = DUE;
    else
        l->stale = true;
}

/* ── verdicts ────────────────────────────────────────────────────────────────────────────────── */

static void judge(struct line *l, enum feed_verdict verdict, const char *code, const char *reason)
{
    l->verdict = verdict;
    snprintf(l->code, sizeof(l->code), "%s", code);
    snprintf(l->reason, sizeof(l->reason), "%s", reason);
    l->state = DUE;
    /* what the other side wrote may name a patient: it goes to the store, not to the log */
    if (verdict != FEED_ACCEPTED)
        log_info("feed.failed", "feed=%s id=%s code=%s reason=%s", l->conf->name, l->message_id,
                 code, verdict == FEED_FAILED ? reason : "");
}

static void distrust(struct line *l, const char *reason)
{
    mllp_client_hang_up(l->client);
    judge(l, FEED_FAILED, "", reason);
}

static void judge_answer(struct line *l, struct arena *arena, struct slice bytes)
{
    struct answer a;
    char reason[LIMIT_PUSH_REASON + 1];
    if (!arena || answer_read(arena, bytes, &a)) {
        distrust(l, "the answer is no HL7 acknowledgement");
    } else if (!slice_is(a.control_id, l->message_id)) {
        distrust(l, "the answer is to another message");
    } else if (a.verdict == ANSWER_ACCEPTED) {
        judge(l, FEED_ACCEPTED, "", "");
    } else {
        snprintf(reason, sizeof(reason), "%.*s%s%.*s", SLICE_ARG(slice_sub(a.fault, 0, 40)),
                 a.fault.len && a.text.len ? ": " : "", SLICE_ARG(a.text));
        reason[slice_utf8_len(slice_str(reason))] = '\0';
        judge(l, FEED_REFUSED, a.code.ptr, reason);
    }
}

static void on_answered(void *context, const struct mllp_client_result *result)
{
    struct line *l = context;
    struct arena *arena = arena_new(4 * LIMIT_MIB);
    if (l->f->closing)
        l->state = QUIET;
    else if (result->err)
        judge(l, FEED_FAILED, "", result->why);
    else
        judge_answer(l, arena, result->answer);
    arena_free(arena);
    advance(l->f);
}

static void on_connected(void *context, const struct mllp_client_result *result)
{
    struct line *l = context;
    if (l->f->closing)
        l->state = QUIET;
    else if (result->err)
        judge(l, FEED_FAILED, "", result->why);
    else
        l->state = DUE;
    advance(l->f);
}

/* ── turns ───────────────────────────────────────────────────────────────────────────────────── */

static void send_message(struct line *l, const struct feed_turn *t)
{
    snprintf(l->message_id, sizeof(l->message_id), "%s", t->message_id);
    l->state = SENT;
    if (mllp_client_connected(l->client))
        mllp_client_send(l->client, t->message, on_answered, l);
    else
        judge(l, FEED_FAILED, "", "the connection was closed");
}

static void go_on(struct line *l, const struct feed_turn *t)
{
    bool failed = l->verdict == FEED_FAILED;
    l->verdict = FEED_NONE;
    l->message_id[0] = '\0';
    l->scanned = t->scanned;
    l->window_ms = l->window_ms < WINDOW_MS / 2 ? l->window_ms * 2 : WINDOW_MS;
    l->position = t->now.position;
    l->sent = t->now.sent;
    l->refused = t->now.refused;
    l->failures = t->now.failures;
    if (failed) {
        wait_for(l, t->now.next_ms - l->f->x->clock->now_ms(l->f->x->clock), true);
    } else if (t->offered) {
        send_message(l, t);
    } else if (t->until && !t->more && !t->offer) {
        l->state = CONNECTING;
        mllp_client_connect(l->client, on_connected, l);
    } else {
        l->state = t->more || l->stale ? DUE : QUIET;
    }
}

/* The caller is not known, or may not treat: an operator must mend it. */
static void turn_failed(struct line *l, enum err err)
{
    if (err == ERR_TIMEOUT && l->window_ms / 8 >= WINDOW_LEAST_MS)
        l->window_ms /= 8;
    bool ours = err_http(err) >= 500 || err == ERR_TIMEOUT || err == ERR_CONFLICT;
    log_warn("feed.turn", "feed=%s facility=%s err=%s", l->conf->name, l->conf->facility,
             err_name(err));
    wait_for(l, ours ? BUSY_MS : LIMIT_PUSH_BACKOFF_MS, false);
}

static void on_turned(struct request *r)
{
    struct line *l = r->door_data;
    struct feeds *f = l->f;
    f->pending--;
    f->asking = false;
    if (f->closing)
        l->state = QUIET;
    else if (r->job.err)
        turn_failed(l, r->job.err);
    else
        go_on(l, r->input);
    request_free(r);
    advance(f);
}

static void ask(struct line *l)
{
    struct feeds *f = l->f;
    struct request *r = request_new(f->x, REQUEST_PUSH);
    struct feed_turn *t = r ? ARENA_NEW(r->arena, struct feed_turn) : NULL;
    uint32_t random = 0;
    if (!t) {
        request_free(r);
        wait_for(l, BUSY_MS, false);
        return;
    }
    ids_random(&random, sizeof(random));
    t->conf = l->conf;
    t->verdict = l->verdict;
    t->control_id = arena_dup(r->arena, slice_str(l->message_id));
    t->code = arena_dup(r->arena, slice_str(l->code));
    t->reason = arena_dup(r->arena, slice_str(l->reason));
    t->wait_ms = feeds_wait_ms(l->failures + 1, random);
    t->scanned = l->scanned;
    t->window_ms = l->window_ms;
    t->offer = mllp_client_connected(l->client);
    r->use = &feed_turn_use;
    r->input = t;
    r->door_data = l;
    r->answer = on_turned;
    r->peer = SLICE("push");
    r->facility_key = arena_dup(r->arena, slice_str(l->conf->facility));
    r->purpose = SLICE("TREAT");
    l->stale = false;
    l->state = ASKING;
    f->asking = true;
    f->pending++;
    pipeline_start(r);
}

/* ── what the poll saw ───────────────────────────────────────────────────────────────────────── */

static void take_row(struct line *l, const struct feed *row, bool grown)
{
    /* as many failures as we know of: not a row that was read before the last was written */
    bool ended =
        row->failures == l->failures && row->next_ms <= l->f->x->clock->now_ms(l->f->x->clock);
    l->waiting = row->waiting + row->wanted;
    if (grown || row->wanted > 0)
        wake(l);
    if (l->state == WAITING && l->waits_for_row && ended) {
        uv_timer_stop(&l->timer);
        l->state = DUE;
    }
}

void feeds_polled(struct feeds *f, int64_t last, const struct feed *rows, size_t count)
{
    if (!f || f->closing)
        return;
    bool grown = last > f->last;
    f->last = grown ? last : f->last;
    for (unsigned i = 0; i < f->count; i++)
        for (size_t k = 0; k < count; k++)
            if (slice_is(rows[k].name, f->lines[i].conf->name))
                take_row(&f->lines[i], &rows[k], grown);
    advance(f);
}

/* ── figures ─────────────────────────────────────────────────────────────────────────────────── */

static double lag_of(const struct line *l)
{
    int64_t behind = change_ms(l->f->last) - change_ms(l->position);
    bool idle = l->state == QUIET && !l->stale;
    return idle || behind < 0 ? 0.0 : (double)behind / 1000.0;
}

static double sent_of(const struct line *l)
{
    return (double)l->sent;
}

static double refused_of(const struct line *l)
{
    return (double)l->refused;
}

static double waiting_of(const struct line *l)
{
    return (double)l->waiting;
}

static double failures_of(const struct line *l)
{
    return (double)l->failures;
}

static double connected_of(const struct line *l)
{
    return mllp_client_connected(l->client) || l->state == SENT ? 1.0 : 0.0;
}

void feeds_print(const struct feeds *f, struct buf *out)
{
    static const struct {
        const char *name, *type, *help;
        double (*value)(const struct line *l);
    } figures[] = {
        {"tasuki_feed_lag_seconds", "gauge", "How far a feed is behind the newest change.", lag_of},
        {"tasuki_feed_sent_total", "counter", "Messages the receiver accepted.", sent_of},
        {"tasuki_feed_refused_total", "counter", "Messages the receiver refused.", refused_of},
        {"tasuki_feed_dead_letters", "gauge", "Refused messages that wait for a human.",
         waiting_of},
        {"tasuki_feed_failures", "gauge", "Attempts in a row without an answer.", failures_of},
        {"tasuki_feed_connected", "gauge", "1 while there is a connection.", connected_of},
    };
    for (size_t i = 0; f && i < sizeof(figures) / sizeof(figures[0]); i++) {
        buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", figures[i].name, figures[i].help,
                 figures[i].name, figures[i].type);
        for (unsigned k = 0; k < f->count; k++)
            buf_addf(out, "%s{feed=\"%s\"} %g\n", figures[i].name, f->lines[k].conf->name,
                     figures[i].value(&f->lines[k]));
    }
}

/* ── the whole ───────────────────────────────────────────────────────────────────────────────── */

static void settle(struct feeds *f)
{
    void (*done)(void *) = f->done;
    void *context = f->done_context;
    if (!done || f->pending > 0)
        return;
    for (unsigned i = 0; i < f->count; i++)
        tls_context_free(f->lines[i].tls);
    free(f);
    done(context);
}

static void advance(struct feeds *f)
{
    if (f->closing) {
        settle(f);
        return;
    }
    for (unsigned i = 0; i < f->count && !f->asking; i++) {
        struct line *l = &f->lines[f->turn++ % f->count];
        if (l->state == DUE)
            ask(l);
    }
}

static enum err open_tls(struct line *l, char *text, size_t size)
{
    const struct conf_feed *c = l->conf;
    enum err err = tls_client_new(c->ca[0] ? c->ca : NULL, text, size, &l->tls);
    if (!err && c->cert[0])
        err = tls_client_identify(l->tls, c->cert, c->key, text, size);
    return err;
}

static enum err open_line(struct feeds *f, uv_loop_t *loop, const struct conf_feed *conf,
                          char *text, size_t size)
{
    struct line *l = &f->lines[f->count++];
    *l = (struct line){.f = f, .conf = conf, .state = DUE, .window_ms = WINDOW_MS};
    enum err err = conf->tls ? open_tls(l, text, size) : ERR_OK;
    struct mllp_client_options options = {.loop = loop,
                                          .host = conf->host,
                                          .port = (unsigned short)conf->port,
                                          .tls = l->tls,
                                          .plain_anywhere = conf->allow_plain,
                                          .connect_ms = (unsigned)conf->connect_s * 1000,
                                          .answer_ms = (unsigned)conf->answer_s * 1000};
    if (!err)
        err = mllp_client_open(&options, &l->client);
    if (err)
        return err;
    uv_timer_init(loop, &l->timer);
    l->timer.data = l;
    f->pending += 2;
    return ERR_OK;
}

enum err feeds_open(uv_loop_t *loop, struct exchange *x, char *ret_text, size_t size,
                    struct feeds **ret)
{
    if (x->conf.feed_count == 0)
        return ERR_OK;
    struct feeds *f = calloc(1, sizeof(*f));
    enum err err = f ? ERR_OK : ERR_LIMIT;
    for (unsigned i = 0; i < x->conf.feed_count && !err; i++)
        err = open_line(f, loop, &x->conf.feeds[i], ret_text, size);
    if (err) /* the program ends; what was opened goes with it */
        return err;
    f->x = x;
    *ret = f;
    advance(f);
    return ERR_OK;
}

static void on_part_closed(void *context)
{
    struct feeds *f = context;
    f->pending--;
    settle(f);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct line *l = handle->data;
    on_part_closed(l->f);
}

void feeds_close(struct feeds *f, void (*done)(void *context), void *context)
{
    if (!f) {
        done(context);
        return;
    }
    f->closing = true;
    f->pending++; /* this function's own share */
    f->done = done;
    f->done_context = context;
    for (unsigned i = 0; i < f->count; i++) {
        mllp_client_close(f->lines[i].client, on_part_closed, f);
        uv_close((uv_handle_t *)&f->lines[i].timer, on_timer_closed);
    }
    on_part_closed(f);
}
