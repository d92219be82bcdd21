/* SPDX-License-Identifier: Apache-2.0
 *
 * serve and demo (see run.h): configuration, region, server, in that order.
 */
#include "exchange/run.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "exchange/conf.h"
#include "exchange/server.h"

#include "base/banned.h"

static void say_errors(const struct err_list *errors)
{
    for (const struct err_item *i = errors->first; i; i = i->next)
        fprintf(stderr, "%s: %s / %s\n", i->place, i->en, i->ja);
}

static FILE *open_log(const struct conf *conf)
{
    FILE *file = conf->log && strcmp(conf->log, "-") != 0 ? fopen(conf->log, "ae") : NULL;
    log_open(file ? file : stderr, LOG_INFO_LEVEL);
    return file;
}

static void close_log(FILE *file)
{
    log_open(stderr, LOG_INFO_LEVEL);
    if (file)
        fclose(file);
}

/* What keeps a server from starting is for whoever started it, not only for the log. */
static int run_to_end(struct server *server)
{
    char text[400] = "";
    enum err err = server_run(server, text, sizeof(text));
    if (err)
        fprintf(stderr, "tasuki: %s\n", text);
    return err ? CLI_FAILED : CLI_OK;
}

int run_serve(const char *conf_path)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct err_list errors;
    struct conf conf;
    struct server *server = NULL;
    char text[512] = "";
    int code = CLI_FAILED;
    err_list_init(&errors, arena);
    if (conf_read(arena, conf_path, &errors, &conf)) {
        say_errors(&errors);
        arena_free(arena);
        return CLI_FAILED;
    }
    FILE *log = open_log(&conf);
    if (server_open(&conf, NULL, NULL, text, sizeof(text), &server))
        fprintf(stderr, "tasuki: %s\n", text);
    else
        code = run_to_end(server);
    close_log(log);
    arena_free(arena);
    return code;
}

/* ── demo ────────────────────────────────────────────────────────────────────────────────────── */

static void on_ready(struct server *server, void *context)
{
    const char *dir = context;
    struct server_ports p = server_ports(server);
    printf("ready system=https://127.0.0.1:%u/fhir portal=https://127.0.0.1:%u/ mllps=127.0.0.1:%u "
           "mllp=127.0.0.1:%u "
           "ops=http://127.0.0.1:%u dir=%s\n",
           p.system, p.portal, p.mllps, p.mllp, p.ops, dir);
    fflush(stdout);
}

/* Parties and, unless EMPTY, everybody's records, before anything listens. */
static enum err fill(struct server *server, struct region *region, bool empty)
{
    struct region_tally tally = {0};
    struct exchange *x = server_exchange(server);
    enum err err = region_register(x, region);
    if (!err)
        err = region_load(x, region, empty, &tally);
    if (!err && tally.refused)
        fprintf(stderr, "demo: %u of %u documents refused, first: %s\n", tally.refused,
                tally.documents, tally.first);
    return err;
}

static int demo_serve(const struct region_options *options, bool empty)
{
    struct region *region = NULL;
    struct server *server = NULL;
    struct err_list errors;
    struct conf conf;
    char text[512] = "";
    char path[LIMIT_SSMIX2_PATH];
    struct arena *arena = arena_new(LIMIT_MIB);
    bool fresh = !region_exists(options->dir);
    int code = CLI_FAILED;
    FILE *log = NULL;
    err_list_init(&errors, arena);
    snprintf(path, sizeof(path), "%s/tasuki.conf", options->dir);
    if (fresh &&
        region_make(options, clock_system.now_ms(&clock_system), text, sizeof(text), &region)) {
        fprintf(stderr, "tasuki: %s\n", text);
        goto out;
    }
    if (conf_read(arena, path, &errors, &conf)) {
        say_errors(&errors);
        goto out;
    }
    log = open_log(&conf);
    if (server_open(&conf, on_ready, (void *)(uintptr_t)options->dir, text, sizeof(text),
                    &server)) {
        fprintf(stderr, "tasuki: %s\n", text);
        goto out;
    }
    enum err err = region ? fill(server, region, empty) : ERR_OK;
    region_free(region);
    region = NULL;
    if (err) {
        fprintf(stderr, "tasuki: demo: %s / %s\n", err_en(err), err_ja(err));
        server_free(server);
    } else {
        code = run_to_end(server);
    }
out:
    region_free(region);
    close_log(log);
    arena_free(arena);
    return code;
}

int run_demo(const struct region_options *options, bool empty)
{
    struct region_options chosen = *options;
    const char *tmp = getenv("TMPDIR");
    char made[256];
    if (!chosen.dir) {
        snprintf(made, sizeof(made), "%s/tasuki-demo-XXXXXX", tmp && *tmp ? tmp : "/tmp");
        chosen.dir = mkdtemp(made);
        if (!chosen.dir) {
            fprintf(stderr, "tasuki: no temporary folder / 一時フォルダーを作れません\n");
            return CLI_FAILED;
        }
    }
    return demo_serve(&chosen, empty);
}
