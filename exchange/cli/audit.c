/* SPDX-License-Identifier: Apache-2.0
 *
 * audit verify|search|touched|export: proof that nobody touched the log, who did what, whom a
 * facility's doings were about, and the whole of it as lines. All but the proof are themselves
 * recorded.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/when.h"
#include "exchange/cli/cli.h"
#include "exchange/cli/resident.h"
#include "exchange/cli/table.h"
#include "exchange/use/claim.h"
#include "storage/audit.h"
#include "storage/person.h"

#include "base/banned.h"

int cli_audit_verify(const struct args *args)
{
    struct cli_place place;
    struct audit_verdict verdict = {0};
    enum err err = ERR_OK;
    int code = cli_open(args, &place);

    if (!code) {
        err = audit_verify(place.conf.store, place.conf.checkpoints, place.exchange.key_audit,
                           &verdict);
        if (err)
            code = cli_fail(args, err, place.conf.store);
        else if (args_flag(args, "json"))
            (void)printf("{\"ok\":%s,\"rows\":%" PRId64 ",\"checkpoints\":%" PRId64
                         ",\"bad\":%" PRId64 "}\n",
                         verdict.ok ? "true" : "false", verdict.rows, verdict.checkpoints,
                         verdict.ok ? 0 : verdict.bad_seq);
        else if (verdict.ok)
            (void)printf(args->ja ? "正常: %" PRId64 " 行、署名 %" PRId64 " 個\n"
                                  : "ok: %" PRId64 " rows, %" PRId64 " signed heads\n",
                         verdict.rows, verdict.checkpoints);
        else
            (void)printf(args->ja ? "不一致: %" PRId64 " 行目: %s\n"
                                  : "BROKEN at row %" PRId64 ": %s\n",
                         verdict.bad_seq, verdict.text);
        if (!err && !verdict.ok)
            code = CLI_INVALID;
    }
    cli_close(&place);
    return code;
}

struct search {
    struct arena *arena;
    struct slice card, facility_key;
    struct audit_filter filter;
    struct audit_row *rows;
    size_t count;
    uint64_t total;
};

static enum err search_look(struct session *s, struct request *r)
{
    struct search *in = r->input;
    struct facility facility;
    enum err err = ERR_OK;

    if (in->card.len) {
        err = person_by_card(s, claim_card(in->arena, in->card), &in->filter.person);
        if (err)
            return err_add(&r->errors, err, "--card", NULL);
        r->person = in->filter.person;
    }
    if (in->facility_key.len) {
        err = registry_facility_by_key(s, in->arena, in->facility_key, &facility);
        if (err)
            return err_add(&r->errors, err, "--facility", NULL);
        in->filter.facility = facility.id;
    }
    err = audit_list(s, in->arena, &in->filter, &in->rows, &in->count, &in->total);
    r->count = (int64_t)in->count;
    return err;
}

static const struct use search_use = {
    .event = "audit-search", .actors = 1u << GRANT_OPERATOR, .look = search_look};

static bool read_day(const struct args *args, const char *name, bool end, int64_t *ret_ms)
{
    const char *text = args_value(args, name);
    struct when when;

    if (!text)
        return true;
    if (!when_parse_fhir(slice_str(text), true, &when))
        return false;
    *ret_ms = end ? when.hi_ms : when.lo_ms;
    return true;
}

static int read_days(const struct args *args, struct audit_filter *filter)
{
    if (read_day(args, "from", false, &filter->from_ms) &&
        read_day(args, "to", true, &filter->to_ms))
        return CLI_OK;
    return cli_usage(args, "--from and --to are dates: 2026-11-22",
                     "--from と --to は日付です（2026-11-22）");
}

static void put_row(struct table *table, const struct audit_row *row)
{
    struct buf at;

    buf_init(&at, 64);
    when_print_instant(&at, row->at_ms);
    table_row(table);
    table_cellf(table, "%" PRId64, row->seq);
    table_cell(table, buf_slice(&at));
    table_cell(table, slice_str(row->event));
    table_cell(table, slice_str(row->outcome ? err_name(row->outcome) : "ok"));
    table_cell(table, slice_str(row->door));
    table_cell(table, slice_str(row->actor));
    table_cell(table, slice_str(row->user));
    table_cell(table, slice_str(row->purpose));
    table_cell(table, slice_str(row->entity));
    table_cellf(table, "%" PRId64, row->count);
    table_cell(table, slice_str(row->reason));
    buf_fini(&at);
}

int cli_audit_search(const struct args *args)
{
    static const char *const columns[] = {"seq",  "at",      "event",  "outcome", "door",   "actor",
                                          "user", "purpose", "entity", "count",   "reason", NULL};
    struct cli_place place;
    struct search in = {.card = slice_str(args_value(args, "card")),
                        .facility_key = slice_str(args_value(args, "facility"))};
    struct table table;
    uint64_t limit = 0;
    int code = CLI_OK;

    if (!args_number(args, "limit", 1, LIMIT_SEARCH_COUNT, 100, &limit))
        return cli_usage(args, "--limit: 1 to 1000; go on with an earlier --to",
                         "--limit は 1〜1000 です。続きは --to を早めてください");
    code = read_days(args, &in.filter);
    if (code)
        return code;
    in.filter.limit = (unsigned)limit;
    code = cli_open(args, &place);
    in.arena = place.arena;
    if (!code)
        code = cli_use(&place, &search_use, SLICE_NONE, &in);
    if (!code) {
        table_init(&table, place.arena, columns);
        for (size_t i = 0; i < in.count; i++)
            put_row(&table, &in.rows[i]);
        code = cli_exit(table_print(&table, args_flag(args, "json")));
    }
    if (!code && in.total > in.count)
        (void)fprintf(stderr, args->ja ? "%zu / %" PRIu64 " 行\n" : "%zu of %" PRIu64 " rows\n",
                      in.count, in.total);
    cli_close(&place);
    return code;
}

/* ── whom a facility touched ─────────────────────────────────────────────────────────────────── */

struct touched_row {
    struct slice card, known_as;
};

struct touched {
    struct arena *arena;
    struct slice facility_key;
    char entity[128];
    struct audit_filter filter;
    struct audit_touched *list;
    struct touched_row *names;
    size_t count;
};

static enum err touched_look(struct session *s, struct request *r)
{
    struct touched *in = r->input;
    struct facility facility;
    enum err err = registry_facility_by_key(s, in->arena, in->facility_key, &facility);

    if (err)
        return err_add(&r->errors, err, "--facility", NULL);
    (void)snprintf(in->entity, sizeof(in->entity), "Organization/%.*s",
                   SLICE_ARG(in->facility_key));
    r->entity = in->entity;
    in->filter.facility = facility.id;
    err = audit_touched(s, in->arena, &in->filter, &in->list, &in->count);
    if (!err && in->count > 0) {
        in->names = arena_array(in->arena, in->count, sizeof(*in->names));
        err = in->names ? ERR_OK : ERR_LIMIT;
    }
    for (size_t i = 0; i < in->count && !err; i++)
        err = resident_name(s, in->arena, in->list[i].person, &in->names[i].card,
                            &in->names[i].known_as);
    r->count = (int64_t)in->count;
    return err;
}

static const struct use touched_use = {
    .event = "audit-touched", .actors = 1u << GRANT_OPERATOR, .look = touched_look};

static enum err print_touched(const struct args *args, struct arena *arena,
                              const struct touched *in)
{
    static const char *const columns[] = {"card",  "known-as", "rows", "refused",
                                          "first", "last",     NULL};
    struct table table;

    table_init(&table, arena, columns);
    for (size_t i = 0; i < in->count; i++) {
        table_row(&table);
        table_cell(&table, in->names[i].card);
        table_cell(&table, in->names[i].known_as);
        table_cellf(&table, "%" PRId64, in->list[i].rows);
        table_cellf(&table, "%" PRId64, in->list[i].refused);
        table_instant(&table, in->list[i].first_ms);
        table_instant(&table, in->list[i].last_ms);
    }
    return table_print(&table, args_flag(args, "json"));
}

int cli_audit_touched(const struct args *args)
{
    struct cli_place place;
    struct touched in = {.facility_key = slice_str(args_value(args, "facility"))};
    int code = read_days(args, &in.filter);

    if (code)
        return code;
    if (in.facility_key.len == 0)
        return cli_usage(args, "give --facility KEY", "--facility KEY が要ります");
    code = cli_open(args, &place);
    in.arena = place.arena;
    if (!code)
        code = cli_use(&place, &touched_use, SLICE_NONE, &in);
    if (!code)
        code = cli_exit(print_touched(args, place.arena, &in));
    cli_close(&place);
    return code;
}

/* ── the whole chain ─────────────────────────────────────────────────────────────────────────── */

struct export
{
    const char *file;
    FILE *out;
};

static enum err put_line(void *context, struct slice line)
{
    struct export *in = context;

    return fwrite(line.ptr, 1, line.len, in->out) == line.len ? ERR_OK : ERR_IO;
}

/* The lines are on disk before the row says so; they end before it. */
static enum err export_look(struct session *s, struct request *r)
{
    struct export *in = r->input;
    const char *slash = strrchr(in->file, '/');
    enum err err = audit_export(s, put_line, in, &r->count);

    r->entity = slash ? slash + 1 : in->file;
    if (!err && (fflush(in->out) != 0 || fsync(fileno(in->out)) != 0))
        err = ERR_IO;
    return err;
}

static const struct use export_use = {
    .event = "audit-export", .actors = 1u << GRANT_OPERATOR, .look = export_look};

/* Whom the rows are about is in them: for the owner's eyes only, and never over another file. */
static FILE *open_new(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    return fd < 0 ? NULL : fdopen(fd, "w");
}

int cli_audit_export(const struct args *args)
{
    struct cli_place place;
    struct export in = {.file = args->operands[0]};
    int code = cli_open(args, &place);

    if (!code && !(in.out = open_new(in.file))) {
        cli_say(args, "the file is there already or cannot be made; nothing was written",
                "そのファイルはすでにあるか、作れません。何も書いていません");
        code = CLI_FAILED;
    }
    if (!code)
        code = cli_use(&place, &export_use, SLICE_NONE, &in);
    if (in.out && fclose(in.out) != 0 && !code)
        code = CLI_FAILED;
    if (code && in.out)
        (void)unlink(in.file);
    cli_close(&place);
    return code;
}
