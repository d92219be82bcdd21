/* SPDX-License-Identifier: Apache-2.0
 *
 * export ssmix2 DIR: writes a standard storage. With --facility, that facility's own data, of
 * everybody; only what changed since the last time is looked at. With --card as well, what the
 * facility may see of that resident, in one root for each facility it came from. --watch keeps the
 * tree up to date until the program is told to stop.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <errno.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/when.h"
#include "exchange/cli/cli.h"
#include "exchange/cli/index_ssmix2.h"
#include "exchange/use/ssmix2_export.h"
#include "exchange/use/ssmix2_tree.h"

#include "base/banned.h"

#define WATCH_MS 1000
#define INDEX_MS 60000 /* of a watched tree, at most so often */
#define PROGRESS_MS 1000
#define LEFT_MAX 64u

/* The last of a list stands for all further names. */
struct counted {
    char name[64];
    unsigned count;
};

struct export {
    const struct args *args;
    struct cli_place place;
    const char *root, *what;
    struct slice facility_key, card;
    struct ssmix2_tree_counts counts;
    unsigned patients, unnumbered;
    size_t replaced;
    struct counted left[LEFT_MAX], lacking[LEFT_MAX];
    int64_t began_ms, said_ms;
    char code[16]; /* of the facility whose tree it is */
    bool stale;    /* the index says something else than the tree */
    int64_t indexed_ms;
};

static volatile sig_atomic_t stopped;

static void on_signal(int signal)
{
    (void)signal;
    stopped = 1;
}

static void listen_for_end(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of writing */
}

/* ── running ─────────────────────────────────────────────────────────────────────────────────── */

/* As the facility, through the door of its storage: it then sees its own records and no others. */
static enum err run(struct export *x, const struct use *use, enum request_door door, void *input)
{
    struct request *r = request_new(&x->place.exchange, door);
    enum err err = r ? ERR_OK : ERR_LIMIT;

    if (err)
        return err;
    r->use = use;
    r->input = input;
    r->facility_key = x->facility_key;
    r->peer = SLICE("local");
    r->method = SLICE("tasuki");
    r->target = slice_str(x->args->verb->name);
    err = pipeline_run(r);
    if (err)
        cli_findings(x->args, &r->errors);
    if (x->card.len == 0)
        snprintf(x->code, sizeof(x->code), "%.*s", SLICE_ARG(r->caller.facility.code));
    request_free(r);
    return err;
}

/* Counts NAME in a list of names. */
static void count_name(struct counted *list, const char *name, unsigned count)
{
    unsigned i = 0;

    while (i < LEFT_MAX - 1 && list[i].name[0] && strcmp(name, list[i].name) != 0)
        i++;
    snprintf(list[i].name, sizeof(list[i].name), "%s", name);
    list[i].count += count;
}

static void count_left(struct export *x, const struct ssmix2_export *e)
{
    char name[64];

    for (const struct ssmix2_left *l = e->left; l; l = l->next) {
        snprintf(name, sizeof(name), "%.*s", SLICE_ARG(l->type));
        count_name(x->left, name, l->count);
    }
    for (const struct ssmix2_lacking *l = e->lacking; l; l = l->next) {
        snprintf(name, sizeof(name), "%s %.*s", l->kind, SLICE_ARG(l->place));
        count_name(x->lacking, name, (unsigned)l->count);
        log_warn("ssmix2.replaced", "facility=%.*s kind=%s place=%.*s characters=%zu",
                 SLICE_ARG(x->facility_key), l->kind, SLICE_ARG(l->place), l->count);
    }
    x->replaced += e->replaced;
}

static void say_progress(struct export *x)
{
    int64_t now = clock_monotonic_ms();

    if (now - x->began_ms < 2 * PROGRESS_MS || now - x->said_ms < PROGRESS_MS)
        return;
    x->said_ms = now;
    (void)fprintf(stderr, x->args->ja ? "患者 %u 人、%u 件書き込み\n" : "%u patients, %u files written\n",
                  x->patients, x->counts.written);
}

/* A source facility's files go into a root of its own, named by its code; the facility's own data
 * is the root itself. */
static enum err write_part(struct export *x, const struct ssmix2_export *e,
                           const struct ssmix2_export_part *part)
{
    char root[4096];
    int n = x->card.len > 0
                ? snprintf(root, sizeof(root), "%s/%.*s", x->root, SLICE_ARG(part->facility_code))
                : snprintf(root, sizeof(root), "%s", x->root);

    if (n < 0 || (size_t)n >= sizeof(root))
        return ERR_TOO_LARGE;
    if (x->card.len > 0)
        (void)mkdir(root, 0750); /* what is wrong with it, opening it says */
    unsigned before = x->counts.written + x->counts.deleted;
    enum err err = ssmix2_tree_sync(root, e->local_no, part->files, part->count,
                                    clock_system.now_ms(&clock_system), &x->counts);
    x->stale = x->stale || before != x->counts.written + x->counts.deleted;
    if (!err && x->card.len > 0)
        err = index_ssmix2_write(root, part->facility_code);
    return err;
}

static enum err write_one(struct export *x, int64_t chart)
{
    struct ssmix2_export e = {.arena = arena_new(LIMIT_ARENA_CHART),
                              .chart = chart,
                              .anew = args_flag(x->args, "anew"),
                              .card = x->card};
    enum err err = ERR_LIMIT;

    if (e.arena)
        err = chart > 0 ? run(x, &ssmix2_chart_use, REQUEST_SSMIX2, &e)
                        : run(x, &ssmix2_resident_use, REQUEST_COMMAND, &e);
    for (const struct ssmix2_export_part *part = e.parts; part && !err; part = part->next)
        err = write_part(x, &e, part);
    if (!err) {
        count_left(x, &e);
        x->patients++;
        x->unnumbered += e.local_no.len == 0;
        say_progress(x);
    }
    arena_free(e.arena);
    return err;
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* The charts that changed after *AFTER, each once however often, and up to where that is. */
static enum err find_changes(struct export *x, int64_t *after, int64_t **ret_charts,
                             size_t *ret_count)
{
    bool more = true;
    enum err err = ERR_OK;

    while (more && !err && !stopped) {
        struct ssmix2_changes page = {.arena = arena_new(LIMIT_ARENA_REQUEST), .after = *after};
        int64_t *charts = NULL;
        err = page.arena ? run(x, &ssmix2_changes_use, REQUEST_SSMIX2, &page) : ERR_LIMIT;
        if (!err)
            charts = realloc(*ret_charts, (*ret_count + page.count + 1) * sizeof(*charts));
        if (!err && !charts)
            err = ERR_LIMIT;
        if (charts) {
            *ret_charts = charts;
            if (page.count > 0)
                memcpy(charts + *ret_count, page.charts, page.count * sizeof(*charts));
            *ret_count += page.count;
            *after = page.last;
        }
        more = page.more;
        arena_free(page.arena);
    }
    if (*ret_count > 1)
        qsort(*ret_charts, *ret_count, sizeof(**ret_charts), by_number);
    return err;
}

/* Everything that changed after *AFTER. The number is noted only when all of it is on disk. */
static enum err write_changes(struct export *x, int64_t *after)
{
    int64_t last = *after, *charts = NULL;
    size_t count = 0;
    enum err err = find_changes(x, &last, &charts, &count);

    for (size_t i = 0; i < count && !err && !stopped; i++) {
        if (i == 0 || charts[i] != charts[i - 1])
            err = write_one(x, charts[i]);
    }
    if (!err && !stopped && last != *after) {
        err = ssmix2_tree_note(x->root, x->what, last);
        *after = last;
    }
    free(charts);
    return err;
}

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    (void)nanosleep(&t, NULL);
}

/* The index of the facility's own root, where it does not fit any more; of a run that was stopped,
 * where the tree was noted later than it. */
static enum err write_index(struct export *x)
{
    enum err err = ERR_OK;

    if ((x->stale || !index_ssmix2_is_newer(x->root, SSMIX2_TREE_STATE)) && x->code[0])
        err = index_ssmix2_write(x->root, slice_str(x->code));
    x->stale = x->stale && err;
    x->indexed_ms = clock_monotonic_ms();
    return err;
}

/* Until told to stop; a tree that changes all the time is indexed now and then. */
static enum err watch(struct export *x, int64_t *after)
{
    enum err err = ERR_OK;

    while (!err && !stopped) {
        pause_ms(WATCH_MS);
        err = write_changes(x, after);
        if (!err && clock_monotonic_ms() - x->indexed_ms >= INDEX_MS)
            err = write_index(x);
    }
    return err;
}

/* What the operating system says of it, where it is worth more than "writing failed". */
static void say_why(const struct export *x, int why)
{
    bool full = why == ENOSPC || why == EDQUOT || why == EFBIG;

    if (full)
        cli_say(x->args,
                "there is no room left for it; what is in DIR is whole. Run it again when there is room",
                "書き込む空きがありません。DIR にあるものは壊れていません。空きを作ってから再実行してください");
    else if (why)
        (void)fprintf(stderr, "%s\n", strerror(why));
}

static enum err write_storage(struct export *x)
{
    int64_t after = 0;
    int lock = -1;
    enum err err = ssmix2_tree_open(x->root, x->what, &after, &lock);

    if (err == ERR_IO)
        say_why(x, errno);
    if (err == ERR_BUSY)
        cli_say(x->args, "another export is writing DIR", "別の出力が DIR に書き込み中です");

    if (err == ERR_CONFLICT)
        cli_say(x->args, "DIR holds something else than this export; give a new folder",
                "DIR にはこの出力ではないものが入っています。新しいフォルダーを指定してください");
    if (!err && x->card.len > 0) {
        err = write_one(x, 0);
        if (!err)
            err = ssmix2_tree_note(x->root, x->what, 0);
    } else if (!err) {
        err = write_changes(x, &after);
        if (!err && !stopped)
            err = write_index(x);
        if (!err && args_flag(x->args, "watch"))
            err = watch(x, &after);
        if (!err)
            err = write_index(x);
    }
    if (err == ERR_IO && lock >= 0)
        say_why(x, x->counts.os_error ? x->counts.os_error : errno);
    if (lock >= 0)
        close(lock);
    return err;
}

static void say_result(const struct export *x)
{
    (void)printf(x->args->ja
                     ? "患者 %u 人: %u 件書き込み（うち差し替え %u 件）、変更なし %u 件、取り消し %u 件\n"
                     : "%u patients: %u files written (%u of them in place of others), %u as they were, %u "
                       "deleted\n",
                 x->patients, x->counts.written, x->counts.replaced, x->counts.same,
                 x->counts.deleted);
    for (unsigned i = 0; i < LEFT_MAX && x->left[i].name[0]; i++)
        (void)fprintf(stderr,
                      x->args->ja ? "%s %u 件: 標準化ストレージに置けないため除外\n"
                                  : "%s: %u left out, the standard storage has no place for them here\n",
                      x->left[i].name, x->left[i].count);
    if (x->unnumbered > 0)
        (void)fprintf(stderr,
                      x->args->ja ? "患者番号がパスに使えない患者 %u 人を除外\n"
                                  : "%u patients left out: no patient number that a path can hold\n",
                      x->unnumbered);
    if (x->replaced > 0)
        (void)fprintf(stderr, x->args->ja ? "JIS X 0208 にない文字 %zu 個を ■ に置き換え\n"
                                          : "%zu characters that JIS X 0208 lacks are ■ now\n",
                      x->replaced);
    for (unsigned i = 0; i < LEFT_MAX && x->lacking[i].name[0]; i++)
        (void)fprintf(stderr, "  %s: %u\n", x->lacking[i].name, x->lacking[i].count);
}

int cli_export_ssmix2(const struct args *args)
{
    struct export x = {.args = args,
                       .root = args->operands[0],
                       .facility_key = slice_str(args_value(args, "facility")),
                       .card = slice_str(args_value(args, "card"))};
    enum err err = ERR_OK;
    int code = CLI_OK;

    if (!x.facility_key.len)
        return cli_usage(args, "give --facility KEY", "--facility が要ります");
    if (x.card.len > 0 && args_flag(args, "watch"))
        return cli_usage(args, "--watch is for a facility's own data, without --card",
                         "--watch は施設自身のデータだけに使えます（--card とは併用できません）");
    listen_for_end();
    code = cli_open(args, &x.place);
    x.began_ms = clock_monotonic_ms();
    if (!code) {
        x.what = arena_printf(x.place.arena, "%.*s %.*s%s", SLICE_ARG(x.facility_key),
                              SLICE_ARG(x.card), args_flag(args, "anew") ? " anew" : "");
        err = x.what ? write_storage(&x) : ERR_LIMIT;
        if (err)
            code = err == ERR_UNAUTHENTICATED ? CLI_NOT_FOUND : cli_fail(args, err, x.root);
        else
            say_result(&x);
    }
    cli_close(&x.place);
    return code;
}
