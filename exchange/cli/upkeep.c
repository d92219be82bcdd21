/* SPDX-License-Identifier: Apache-2.0
 *
 * backup, migrate status, reindex: looking after the store.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/when.h"
#include "exchange/cli/cli.h"
#include "exchange/gate/refs.h"
#include "mappers/fhir/facets.h"
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

struct reindexing {
    uint64_t count;
};

static enum err facets_of(void *context, struct arena *arena, struct slice type, struct slice body,
                          struct facet_list *ret_facets)
{
    struct json *resource = NULL;
    struct json_fault fault;
    enum err err = json_parse(arena, body, &resource, &fault);

    (void)context;
    (void)type;
    if (!err)
        err = facets_extract(arena, resource, ret_facets);
    if (!err)
        refs_filter_facets(ret_facets);
    return err;
}

static enum err reindex_apply(struct session *s, struct request *r)
{
    struct reindexing *in = r->input;
    enum err err = record_reindex(s, facets_of, NULL, &in->count);

    r->count = (int64_t)in->count;
    return err;
}

static const struct use reindex_use = {
    .event = "reindex", .actors = 1u << GRANT_OPERATOR, .writes = true, .apply = reindex_apply};

int cli_reindex(const struct args *args)
{
    struct cli_place place;
    struct reindexing in = {0};
    int code = cli_open(args, &place);

    if (!code)
        code = cli_use(&place, &reindex_use, SLICE_NONE, &in);
    if (!code)
        (void)printf(args->ja ? "%" PRIu64 " 件\n" : "%" PRIu64 " records\n", in.count);
    cli_close(&place);
    return code;
}
