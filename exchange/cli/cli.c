/* SPDX-License-Identifier: Apache-2.0
 *
 * From main's arguments to a verb, and the pieces verbs share: messages, exit codes, opening a
 * place, running a use case as the operator.
 */
#include "exchange/cli/cli.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "exchange/cli/table.h"
#include "mappers/charset.h"

#include "base/banned.h"

#define PLACE_ARENA (512u * LIMIT_MIB) /* a listing of a whole region */

const char *cli_pick(const struct args *args, const char *en, const char *ja)
{
    return args->ja ? ja : en;
}

void cli_say(const struct args *args, const char *en, const char *ja)
{
    (void)fprintf(stderr, "tasuki: %s\n", cli_pick(args, en, ja));
}

int cli_usage(const struct args *args, const char *en, const char *ja)
{
    cli_say(args, en, ja);
    (void)fprintf(stderr, "%s: tasuki help %s\n", cli_pick(args, "see", "参照"),
                  args->verb ? args->verb->name : "");
    return CLI_USAGE;
}

int cli_exit(enum err err)
{
    switch (err) {
    case ERR_OK:
        return CLI_OK;
    case ERR_NOT_FOUND:
    case ERR_GONE:
    case ERR_PATIENT_UNKNOWN:
        return CLI_NOT_FOUND;
    case ERR_FORBIDDEN:
    case ERR_EMERGENCY_FORBIDDEN:
    case ERR_UNAUTHENTICATED:
    case ERR_CERT_UNREGISTERED:
    case ERR_CERT_REVOKED:
        return CLI_REFUSED;
    case ERR_BUSY:
    case ERR_TIMEOUT:
    case ERR_UNAVAILABLE:
        return CLI_TRY_AGAIN;
    case ERR_IO:
    case ERR_INTERNAL:
    case ERR_LIMIT:
    case ERR_NOT_SUPPORTED:
        return CLI_FAILED;
    default:
        return CLI_INVALID; /* the input's fault */
    }
}

int cli_fail(const struct args *args, enum err err, const char *what)
{
    (void)fprintf(stderr, "tasuki: %s: %s\n", what, cli_pick(args, err_en(err), err_ja(err)));
    return cli_exit(err);
}

void cli_findings(const struct args *args, const struct err_list *errors)
{
    for (const struct err_item *i = errors->first; i; i = i->next)
        (void)fprintf(stderr, "%s%s%s\n", i->place, i->place[0] ? ": " : "",
                      cli_pick(args, i->en, i->ja));
}

/* ── a place ─────────────────────────────────────────────────────────────────────────────────── */

int cli_configure(const struct args *args, struct cli_place *ret_place)
{
    const char *file = args_value(args, "config");
    const char *dir = args_value(args, "dir");
    char path[PATH_MAX];
    int n = 0;

    *ret_place = (struct cli_place){.args = args, .arena = arena_new(PLACE_ARENA)};
    if (!ret_place->arena)
        return cli_fail(args, ERR_LIMIT, "memory");
    err_list_init(&ret_place->errors, ret_place->arena);
    if (!file == !dir)
        return cli_usage(args, "give --config FILE or --dir DIR",
                         "--config FILE か --dir DIR のどちらかを指定してください");
    n = file ? snprintf(path, sizeof(path), "%s", file)
             : snprintf(path, sizeof(path), "%s/tasuki.conf", dir);
    if (n <= 0 || n >= (int)sizeof(path))
        return cli_fail(args, ERR_TOO_LARGE, "path");
    if (conf_read(ret_place->arena, path, &ret_place->errors, &ret_place->conf) != ERR_OK) {
        cli_findings(args, &ret_place->errors);
        return CLI_FAILED;
    }
    return CLI_OK;
}

struct seek {
    struct store_job job;
    struct cli_place *place;
};

/* The operator's facility, on whose behalf commands act. */
static enum err seek_operator(struct session *s, struct store_job *job)
{
    struct cli_place *place = ((struct seek *)job)->place;
    struct facility *facilities = NULL;
    size_t count = 0;
    enum err err = registry_facilities(s, place->arena, &facilities, &count);

    for (size_t i = 0; i < count && !err; i++)
        if (facilities[i].kind == FACILITY_OPERATOR && facilities[i].active)
            place->operator_key = facilities[i].key;
    return err;
}

static enum err no_audit(struct session *s, struct store_job *job)
{
    (void)s;
    (void)job;
    return ERR_OK;
}

int cli_open(const struct args *args, struct cli_place *ret_place)
{
    char text[512] = "";
    struct seek seek = {.job = {.look = seek_operator, .audit = no_audit}, .place = ret_place};
    int code = cli_configure(args, ret_place);
    enum err err = ERR_OK;

    if (code)
        return code;
    if (charset_init() != ERR_OK)
        return cli_fail(args, ERR_UNAVAILABLE, "CP932");
    err = exchange_open(&ret_place->exchange, &ret_place->conf, NULL, NULL, text, sizeof(text));
    if (err) {
        (void)fprintf(stderr, "tasuki: %s\n", text);
        return err == ERR_UNAVAILABLE ? CLI_TRY_AGAIN : CLI_FAILED;
    }
    ret_place->open = true;
    err = store_run(ret_place->exchange.store, &seek.job);
    return err ? cli_fail(args, err, ret_place->conf.store) : CLI_OK;
}

void cli_close(struct cli_place *place)
{
    if (place->open)
        exchange_close(&place->exchange);
    place->open = false;
    arena_free(place->arena);
    place->arena = NULL;
}

int cli_use(struct cli_place *place, const struct use *use, struct slice facility_key, void *input)
{
    return cli_use_body(place, use, facility_key, input, SLICE_NONE);
}

int cli_use_body(struct cli_place *place, const struct use *use, struct slice facility_key,
                 void *input, struct slice body)
{
    struct request *r = request_new(&place->exchange, REQUEST_COMMAND);
    enum err err = r ? ERR_OK : ERR_LIMIT;

    if (err)
        return cli_fail(place->args, err, use->event);
    r->use = use;
    r->input = input;
    r->body = body;
    r->facility_key = facility_key.len ? facility_key : place->operator_key;
    r->peer = SLICE("local");
    r->method = SLICE("tasuki");
    r->target = slice_str(place->args->verb->name);
    if (r->facility_key.len == 0) {
        request_free(r);
        cli_say(place->args,
                "no operator is registered: tasuki facility add operator --kind operator",
                "運用者が登録されていません");
        return CLI_REFUSED;
    }
    err = pipeline_run(r);
    if (err == ERR_UNAUTHENTICATED && facility_key.len) { /* there is no such facility to act as */
        err = ERR_NOT_FOUND;
        (void)cli_fail(place->args, err, "--facility");
    } else if (err && r->errors.first) {
        cli_findings(place->args, &r->errors);
    } else if (err) {
        (void)cli_fail(place->args, err, place->args->verb->name);
    }
    request_free(r);
    return cli_exit(err);
}

/* ── main ────────────────────────────────────────────────────────────────────────────────────── */

static const char *environment_language(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);

        if (value && value[0])
            return value;
    }
    return NULL;
}

int cli_main(int argc, char **argv)
{
    struct args args;
    int code = CLI_OK;

    if (!args_parse(cli_verbs, argc, argv, environment_language(), &args))
        return cli_usage(&args, args.problem, args.problem);
    code = args.help ? cli_help(&args) : args.verb->run(&args);
    if (fflush(stdout) != 0 && code == CLI_OK)
        code = CLI_FAILED; /* what was asked for did not arrive */
    return code;
}

int cli_list(const struct args *args, const struct cli_listing *listing, void *input,
             struct arena **ret_arena)
{
    struct cli_place place;
    struct table table;
    int code = cli_open(args, &place);

    *ret_arena = place.arena;
    if (!code)
        code = cli_use(&place, listing->use, SLICE_NONE, input);
    if (!code) {
        table_init(&table, place.arena, listing->columns);
        listing->fill(&table, &place, input);
        code = cli_exit(table_print(&table, args_flag(args, "json")));
    }
    cli_close(&place);
    return code;
}
