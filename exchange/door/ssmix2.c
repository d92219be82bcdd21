/* SPDX-License-Identifier: Apache-2.0
 *
 * The SS-MIX2 door (see ssmix2.h).
 *
 *     RESTING --timer--> WALKING (worker thread) --batch--> FILING (requests in flight) --all
 * answered--> RESTING
 *        \______________________________ close ______________________________________/ -> CLOSED
 *
 * One batch at a time: the next walk begins when every file of the last one was answered, so a slow
 * store slows the walk and nothing piles up in memory.
 */
#include "exchange/door/ssmix2.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "exchange/door/ssmix2_scan.h"
#include "exchange/pipeline.h"
#include "exchange/use/intake.h"

#include "base/banned.h"

#define BATCH 1024
#define REST_MS 200 /* a file this long unchanged has been written whole */
#define INTERVAL_MS 500
#define INTERVAL_FACTOR 20 /* a walk that takes long is repeated less often */
#define RESCAN_MS 60000    /* the whole tree again, though every change should have been told */

enum door_state { RESTING, WALKING, FILING, CLOSED };

struct door_ssmix2 {
    struct exchange *exchange;
    const char *facility_key;
    const char *root;
    struct ssmix2_scan *scan;
    uv_timer_t timer;
    uv_work_t walk;
    enum door_state state;
    bool closing;
    struct ssmix2_batch batch;
    enum err walk_err;
    int64_t whole_began_ms, whole_ended_ms; /* the last walk of the whole tree; 0: under way */
    bool hears;
    size_t pending;
    void (*done)(void *context);
    void *done_context;
};

static void door_step(struct door_ssmix2 *d);

/* ── refused files ───────────────────────────────────────────────────────────────────────────── */

static bool write_whole(const char *path, struct slice bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    size_t done = 0;
    while (fd >= 0 && done < bytes.len) {
        ssize_t n = write(fd, bytes.ptr + done, bytes.len - done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    bool whole = fd >= 0 && done == bytes.len;
    if (fd >= 0)
        close(fd);
    return whole;
}

static void reason_text(struct request *r, const char *path, struct buf *out)
{
    buf_addf(out, "ファイル / file: %s\n", path);
    buf_addf(out, "結果 / result: %s (%s)\n", err_name(r->job.err), err_ack(r->job.err));
    for (const struct err_item *i = r->errors.first; i; i = i->next)
        buf_addf(out, "%s%s\n  日本語: %s\n  English: %s\n",
                 i->severity == ERR_SEVERITY_WARNING ? "(注意 / warning) " : "", i->place, i->ja,
                 i->en);
    if (!r->errors.first)
        buf_addf(out, "  日本語: %s\n  English: %s\n", err_ja(r->job.err), err_en(r->job.err));
}

/* By the file's own name; a second file of the same name gets the start of its digest as well. */
static void rejected_name(const char *dir, const char *path, const unsigned char *sha,
                          char *ret_name, size_t size)
{
    const char *slash = strrchr(path, '/');
    int n = snprintf(ret_name, size, "%s/%s", dir, slash ? slash + 1 : path);
    if (n > 0 && (size_t)n < size && access(ret_name, F_OK) == 0)
        snprintf(ret_name + n, size - (size_t)n, "~%02x%02x%02x%02x", sha[0], sha[1], sha[2],
                 sha[3]);
}

/* A copy of the file and its reason under rejected/. */
static void reject(struct door_ssmix2 *d, struct request *r, const char *path)
{
    char dir[LIMIT_SSMIX2_PATH * 2], target[LIMIT_SSMIX2_PATH * 4];
    const struct intake *in = r->input;
    struct buf text;
    snprintf(dir, sizeof(dir), "%s/rejected", d->root);
    mkdir(dir, 0750);
    buf_init(&text, LIMIT_MIB);
    reason_text(r, path, &text);
    rejected_name(dir, path, in->sha, target, sizeof(target));
    bool written = write_whole(target, r->body);
    size_t len = strlen(target);
    snprintf(target + len, sizeof(target) - len, ".txt");
    written = write_whole(target, buf_slice(&text)) && written;
    buf_fini(&text);
    if (!written) /* without the file's name: it holds the patient's number */
        log_error("ssmix2.rejected", "facility=%s cannot write below rejected/", d->facility_key);
    log_warn("ssmix2.rejected", "facility=%s err=%s place=%s", d->facility_key,
             err_name(r->job.err), r->errors.first ? r->errors.first->place : "");
}

/* ── filing ──────────────────────────────────────────────────────────────────────────────────── */

static void on_answer(struct request *r)
{
    struct door_ssmix2 *d = r->door_data;
    const struct intake *in = r->input;
    const char *path = arena_str(r->arena, in->path);
    if (r->job.err && err_http(r->job.err) >= 500)
        ssmix2_scan_forget(d->scan, path); /* ours, not the file's: try again */
    else if (r->job.err)
        reject(d, r, path);
    request_free(r);
    assert(d->pending > 0);
    d->pending--;
    door_step(d);
}

static bool file_one(struct door_ssmix2 *d, struct ssmix2_file *file)
{
    struct request *r = request_new(d->exchange, REQUEST_SSMIX2);
    struct intake *in = r ? ARENA_NEW(r->arena, struct intake) : NULL;
    if (!in || file->err == ERR_IO || file->err == ERR_LIMIT) {
        ssmix2_scan_forget(d->scan, file->path);
        request_free(r);
        return false;
    }
    in->path = slice_str(file->path);
    in->file =
        (struct inbox_file){.path = in->path, .size = file->size, .mtime_ns = file->mtime_ns};
    r->use = &intake_use;
    r->input = in;
    r->door_data = d;
    r->answer = on_answer;
    r->facility_key = slice_str(d->facility_key);
    r->peer = slice_str(d->facility_key);
    r->target = in->path;
    r->job.in_order = true;
    r->body = slice_of(file->bytes ? file->bytes : "", file->bytes ? (size_t)file->size : 0);
    if (file->err == ERR_TOO_LARGE) {
        enum err added = err_add(&r->errors, ERR_TOO_LARGE, file->path, NULL);
        (void)added;
    }
    d->pending++;
    pipeline_start(r);
    return true;
}

/* ── walking ─────────────────────────────────────────────────────────────────────────────────── */

/* Is it time for the whole tree again? Often where nobody tells of changes, never more than a
 * twentieth of the time. */
static void plan_whole(struct door_ssmix2 *d, int64_t now)
{
    int64_t took = d->whole_ended_ms - d->whole_began_ms;
    int64_t least = d->hears ? RESCAN_MS : INTERVAL_MS;

    if (d->whole_ended_ms == 0 || now - d->whole_ended_ms < least + took * INTERVAL_FACTOR)
        return;
    ssmix2_scan_again(d->scan);
    d->whole_began_ms = now;
    d->whole_ended_ms = 0;
}

static void on_walk(uv_work_t *work)
{
    struct door_ssmix2 *d = work->data;
    int64_t began = clock_monotonic_ms();
    plan_whole(d, began);
    d->walk_err = ssmix2_scan_walk(d->scan, BATCH, REST_MS, &d->batch);
    d->hears = ssmix2_scan_hears(d->scan);
    if (!d->batch.more && d->whole_ended_ms == 0)
        d->whole_ended_ms = clock_monotonic_ms();
}

/* They are mapped beside each other and filed in this order, each patient's as it was sent. */
static void file_all(struct door_ssmix2 *d)
{
    d->pending++; /* answers may come at once */
    for (size_t i = 0; !d->walk_err && i < d->batch.count && !d->closing; i++)
        file_one(d, &d->batch.files[i]);
    d->pending--;
}

static void on_walked(uv_work_t *work, int status)
{
    struct door_ssmix2 *d = work->data;
    (void)status;
    d->state = FILING;
    if (d->walk_err)
        log_warn("ssmix2.walk", "facility=%s err=%s", d->facility_key, err_name(d->walk_err));
    file_all(d);
    door_step(d);
}

static void on_timer(uv_timer_t *timer)
{
    struct door_ssmix2 *d = timer->data;
    if (d->state != RESTING || d->closing)
        return;
    d->state = WALKING;
    if (uv_queue_work(timer->loop, &d->walk, on_walk, on_walked) != 0)
        d->state = RESTING;
}

static void on_closed(uv_handle_t *handle)
{
    struct door_ssmix2 *d = handle->data;
    void (*done)(void *) = d->done;
    void *context = d->done_context;
    ssmix2_scan_free(d->scan);
    free(d);
    done(context);
}

static void door_step(struct door_ssmix2 *d)
{
    if (d->state == FILING && d->pending == 0) {
        bool more = d->batch.more;
        ssmix2_batch_fini(&d->batch);
        d->state = RESTING;
        if (!d->closing)
            uv_timer_start(&d->timer, on_timer, more ? 1 : INTERVAL_MS, 0);
    }
    if (d->state == RESTING && d->closing) {
        d->state = CLOSED;
        uv_close((uv_handle_t *)&d->timer, on_closed);
    }
}

enum err door_ssmix2_open(uv_loop_t *loop, struct exchange *x, const char *facility_key,
                          const char *root, struct door_ssmix2 **ret_door)
{
    struct door_ssmix2 *d = calloc(1, sizeof(*d));
    if (!d)
        return ERR_LIMIT;
    d->exchange = x;
    d->facility_key = facility_key;
    d->root = root;
    d->scan = ssmix2_scan_new(root);
    if (!d->scan) {
        free(d);
        return ERR_LIMIT;
    }
    d->whole_began_ms = clock_monotonic_ms();
    if (!ssmix2_scan_listen(d->scan))
        log_warn("ssmix2.watch", "facility=%s the file system tells of no changes; walking instead",
                 facility_key);
    d->walk.data = d;
    uv_timer_init(loop, &d->timer);
    d->timer.data = d;
    uv_timer_start(&d->timer, on_timer, 1, 0);
    *ret_door = d;
    return ERR_OK;
}

void door_ssmix2_close(struct door_ssmix2 *d, void (*done)(void *context), void *context)
{
    d->closing = true;
    d->done = done;
    d->done_context = context;
    uv_timer_stop(&d->timer);
    door_step(d);
}
