/* SPDX-License-Identifier: Apache-2.0
 *
 * backup, migrate status, migrate up, reindex: looking after the store.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/when.h"
#include "exchange/cli/cli.h"
#include "exchange/use/write.h"
#include "storage/record.h"

#include "base/banned.h"

struct copying {
    const char *file;
    bool made;
};

/* Copying is the use itself, so that the row says whether it succeeded; the copy ends before it. */
static enum err backup_look(struct session *s, struct request *r)
{
    struct copying *in = r->input;
    const char *slash = strrchr(in->file, '/');
    enum err err = ERR_OK;

    (void)s;
    r->entity = slash ? slash + 1 : in->file;
    err = store_backup(r->exchange->store, in->file);
    in->made = err == ERR_OK;
    return err;
}

static const struct use backup_use = {
    .event = "backup", .actors = 1u << GRANT_OPERATOR, .look = backup_look};

int cli_backup(const struct args *args)
{
    struct cli_place place;
    const char *file = args->operands[0];
    struct copying in = {.file = file};
    int code = CLI_OK;

    if (access(file, F_OK) == 0) {
        cli_say(args, "the file is there already; nothing was written",
                "そのファイルはすでにあります。何も書いていません");
        return CLI_FAILED;
    }
    code = cli_open(args, &place);
    if (!code)
        code = cli_use(&place, &backup_use, SLICE_NONE, &in);
    if (code && in.made)
        (void)unlink(file); /* no copy without its row */
    cli_close(&place);
    return code;
}

int cli_migrate_status(const struct args *args)
{
    struct cli_place place;
    struct buf created;
    int64_t created_ms = 0;
    int have = 0, want = 0;
    int code = cli_configure(args, &place);

    buf_init(&created, 64);

    if (!code) {
        enum err err = store_schema(place.conf.store, &have, &want);

        if (store_created(place.conf.store, &created_ms) == ERR_OK)
            when_print_instant(&created, created_ms);
        if (err)
            code = cli_fail(args, err, place.conf.store);
        else if (args_flag(args, "json"))
            (void)printf("{\"have\":%d,\"want\":%d,\"created\":\"%.*s\"}\n", have, want,
                         SLICE_ARG(buf_slice(&created)));
        else
            (void)printf(args->ja ? "スキーマ %d、このプログラムの最新は %d、作成 %.*s\n"
                                  : "schema %d, this program knows %d, made %.*s\n",
                         have, want, SLICE_ARG(buf_slice(&created)));
    }
    buf_fini(&created);
    cli_close(&place);
    return code;
}

/* ── search indexes anew ─────────────────────────────────────────────────────────────────────── */

/* One batch a request. apply may run twice: it begins from BEFORE each time. */
struct reindexing {
    struct record_reindexing before, after;
};

static enum err index_of(void *context, struct arena *arena, struct slice type, struct slice body,
                         struct record_index *ret_index)
{
    struct json *resource = NULL;
    struct json_fault fault;
    enum err err = json_parse(arena, body, &resource, &fault);

    (void)context;
    (void)type;
    return err ? err : write_index(arena, resource, ret_index);
}

static enum err reindex_apply(struct session *s, struct request *r)
{
    struct reindexing *in = r->input;
    enum err err = ERR_OK;

    in->after = in->before;
    err = record_reindex(s, index_of, NULL, &in->after);
    r->count = (int64_t)(in->after.count - in->before.count);
    return err;
}

static const struct use reindex_use = {
    .event = "reindex", .actors = 1u << GRANT_OPERATOR, .writes = true, .apply = reindex_apply};

static void say_progress(const struct args *args, const struct record_reindexing *state)
{
    (void)fprintf(stderr,
                  args->ja ? "索引 %" PRIu64 " / %" PRIu64 " 件\n"
                           : "indexed %" PRIu64 " of %" PRIu64 "\n",
                  state->count, state->total);
}

/* Batch after batch, each in its own transaction with its own audit row, so that a server beside is
 * never held up for long. */
static int reindex(struct cli_place *place, const struct args *args)
{
    struct reindexing in = {0};
    int code = CLI_OK;

    while (!code && !in.before.over) {
        code = cli_use(place, &reindex_use, SLICE_NONE, &in);
        if (code)
            break;
        in.before = in.after;
        if (!in.before.over)
            say_progress(args, &in.before);
    }
    if (!code)
        (void)printf(args->ja ? "%" PRIu64 " 件\n" : "%" PRIu64 " records\n", in.before.count);
    return code;
}

int cli_reindex(const struct args *args)
{
    struct cli_place place;
    int code = cli_open(args, &place);

    if (!code)
        code = reindex(&place, args);
    cli_close(&place);
    return code;
}

/* Opening the store runs the steps it lacks; what a step cannot make in SQL is made here. */
int cli_migrate_up(const struct args *args)
{
    struct cli_place place;
    int have = 0, want = 0, code = cli_configure(args, &place);
    enum err err = code ? ERR_OK : store_schema(place.conf.store, &have, &want);
    bool needs = false;

    if (!code && err)
        code = cli_fail(args, err, place.conf.store);
    cli_close(&place);
    if (!code && have < want)
        (void)fprintf(stderr, args->ja ? "スキーマ %d から %d へ\n" : "schema %d to %d\n", have,
                      want);
    if (code)
        return code;
    code = cli_open(args, &place);
    if (!code) {
        err = store_needs_reindex(place.conf.store, &needs);
        code = err ? cli_fail(args, err, place.conf.store) : CLI_OK;
    }
    if (!code && needs)
        code = reindex(&place, args);
    if (!code)
        (void)printf(args->ja ? "スキーマ %d\n" : "schema %d\n", want);
    cli_close(&place);
    return code;
}
