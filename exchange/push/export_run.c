/* SPDX-License-Identifier: Apache-2.0
 *
 * The runner of export jobs (see export_run.h). One request at a time:
 *
 *     RESTING --woken, time--> LISTING --a job runs--> STEPPING --> LISTING ...
 *
 *     state     event                              then
 *     RESTING   woken, the timer                   LISTING
 *     LISTING   a job's time is over               ENDING
 *     LISTING   a job is running                   STEPPING, the jobs in turn
 *     LISTING   none                               RESTING until the next one's time is over
 *     STEPPING  done or cancelled                  LISTING
 *     STEPPING  the store is busy                  RESTING a little
 *     STEPPING  refused, files cannot be written   ENDING: it failed, and says so until its time is over
 *     ENDING    done                               LISTING
 *
 * Between two steps others have their turn at the readers.
 */
#include "exchange/push/export_run.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "exchange/pipeline.h"
#include "exchange/push/export_step.h"

#include "base/banned.h"

#define BUSY_MS 5000
#define CHECK_MS 60000 /* for jobs whose time is over */

enum run_state { RESTING, LISTING, STEPPING, ENDING };

struct export_run {
    uv_loop_t *loop;
    struct exchange *x;
    uv_timer_t timer;
    enum run_state state;
    bool woken, closing;
    char current[40]; /* job stepped last: the next one's turn comes after it */
    char facility_key[64];
    void (*done)(void *context);
    void *done_context;
};

static void advance(struct export_run *e);

static struct request *new_request(struct export_run *e, const struct use *use,
                                   void (*answer)(struct request *r))
{
    struct request *r = request_new(e->x, REQUEST_PUSH);
    if (!r)
        return NULL;
    r->use = use;
    r->door_data = e;
    r->answer = answer;
    r->peer = SLICE("push");
    return r;
}

static void on_timer(uv_timer_t *timer)
{
    struct export_run *e = timer->data;
    e->woken = true;
    advance(e);
}

static void rest(struct export_run *e, uint64_t wait_ms)
{
    e->state = RESTING;
    if (!e->closing && wait_ms)
        uv_timer_start(&e->timer, on_timer, wait_ms, 0);
    advance(e);
}

/* ── ending ──────────────────────────────────────────────────────────────────────────────────── */

static void on_ended(struct request *r)
{
    struct export_run *e = r->door_data;
    bool good = !r->job.err || r->job.err == ERR_NOT_FOUND;
    request_free(r);
    e->woken = good;
    rest(e, good ? 0 : BUSY_MS);
}

static void end_job(struct export_run *e, const struct export_job *job, const char *reason)
{
    struct request *r = new_request(e, &export_end_use, on_ended);
    struct export_end *in = r ? ARENA_NEW(r->arena, struct export_end) : NULL;
    if (!in) {
        request_free(r);
        rest(e, BUSY_MS);
        return;
    }
    in->id = arena_dup(r->arena, job->id);
    in->reason = reason;
    r->facility_key = arena_dup(r->arena, job->facility_key);
    r->input = in;
    e->state = ENDING;
    pipeline_start(r);
}

/* ── stepping ────────────────────────────────────────────────────────────────────────────────── */

static void on_stepped(struct request *r)
{
    struct export_run *e = r->door_data;
    const struct export_step *step = r->input;
    enum err err = r->job.err;
    struct export_job job = {.id = slice_str(e->current), .facility_key = slice_str(e->facility_key)};
    bool busy = err == ERR_BUSY || err == ERR_UNAVAILABLE || err == ERR_TIMEOUT;
    if (!err && step->job.state == EXPORT_DONE)
        log_info("export.done", "id=%s", e->current);
    request_free(r);
    if (err && !busy && err != ERR_NOT_FOUND && err != ERR_GONE && !e->closing) {
        log_warn("export.failed", "id=%s err=%s", e->current, err_name(err));
        end_job(e, &job, err_en(err));
        return;
    }
    e->woken = !busy;
    rest(e, busy ? BUSY_MS : 0);
}

static void step_job(struct export_run *e, const struct export_job *job)
{
    struct request *r = new_request(e, &export_step_use, on_stepped);
    struct export_step *step = r ? ARENA_NEW(r->arena, struct export_step) : NULL;
    if (!step) {
        request_free(r);
        rest(e, BUSY_MS);
        return;
    }
    snprintf(e->current, sizeof(e->current), "%.*s", SLICE_ARG(job->id));
    snprintf(e->facility_key, sizeof(e->facility_key), "%.*s", SLICE_ARG(job->facility_key));
    step->id = arena_dup(r->arena, job->id);
    r->has_cert = true;
    memcpy(r->fingerprint, job->fingerprint, DIGEST_LEN);
    r->purpose = arena_dup(r->arena, job->purpose);
    r->input = step;
    e->state = STEPPING;
    pipeline_start(r);
}

/* ── listing ─────────────────────────────────────────────────────────────────────────────────── */

static const struct export_job *find_expired(const struct export_run *e, const struct export_jobs *in)
{
    int64_t now = e->x->clock->now_ms(e->x->clock);
    for (size_t i = 0; i < in->count; i++)
        if (in->jobs[i].expires_ms && in->jobs[i].expires_ms <= now)
            return &in->jobs[i];
    return NULL;
}

/* The running job after the one that was stepped last. */
static const struct export_job *find_next(const struct export_run *e, const struct export_jobs *in)
{
    size_t from = 0;
    for (size_t i = 0; i < in->count; i++)
        if (slice_is(in->jobs[i].id, e->current))
            from = i + 1;
    for (size_t i = 0; i < in->count; i++) {
        const struct export_job *job = &in->jobs[(from + i) % in->count];
        if (job->state == EXPORT_RUNNING)
            return job;
    }
    return NULL;
}

static void on_listed(struct request *r)
{
    struct export_run *e = r->door_data;
    const struct export_jobs *in = r->input;
    const struct export_job *expired = NULL, *next = NULL;
    if (!r->job.err && !e->closing && !(expired = find_expired(e, in)))
        next = find_next(e, in);
    if (expired)
        end_job(e, expired, NULL);
    else if (next)
        step_job(e, next);
    else
        rest(e, r->job.err ? BUSY_MS : in->count ? CHECK_MS : 0);
    request_free(r);
}

static void list_jobs(struct export_run *e)
{
    struct request *r = new_request(e, &export_jobs_use, on_listed);
    struct export_jobs *in = r ? ARENA_NEW(r->arena, struct export_jobs) : NULL;
    if (!in) {
        request_free(r);
        uv_timer_start(&e->timer, on_timer, BUSY_MS, 0);
        return;
    }
    r->input = in;
    e->woken = false;
    e->state = LISTING;
    pipeline_start(r);
}

/* ── the whole ───────────────────────────────────────────────────────────────────────────────── */

static void on_timer_closed(uv_handle_t *handle)
{
    struct export_run *e = handle->data;
    void (*done)(void *) = e->done;
    void *context = e->done_context;
    free(e);
    done(context);
}

static void advance(struct export_run *e)
{
    if (e->state != RESTING)
        return;
    if (e->closing && !uv_is_closing((uv_handle_t *)&e->timer))
        uv_close((uv_handle_t *)&e->timer, on_timer_closed);
    else if (!e->closing && e->woken)
        list_jobs(e);
}

void export_run_wake(struct export_run *e)
{
    e->woken = true;
    advance(e);
}

enum err export_run_open(uv_loop_t *loop, struct exchange *x, struct export_run **ret)
{
    struct export_run *e = calloc(1, sizeof(*e));
    if (!e)
        return ERR_LIMIT;
    e->loop = loop;
    e->x = x;
    uv_timer_init(loop, &e->timer);
    e->timer.data = e;
    export_run_wake(e);
    *ret = e;
    return ERR_OK;
}

void export_run_close(struct export_run *e, void (*done)(void *context), void *context)
{
    e->closing = true;
    e->done = done;
    e->done_context = context;
    uv_timer_stop(&e->timer);
    advance(e);
}
