/* SPDX-License-Identifier: Apache-2.0
 *
 * The report is the mapper's own (mappers/hl7v2/coverage.c); here it is only printed. Types of
 * messages that are not in it are refused when they come.
 */
#include "exchange/cli/map_coverage.h"

#include <stdio.h>

#include "base/limits.h"
#include "exchange/cli/table.h"
#include "mappers/hl7v2/coverage.h"

#include "base/banned.h"

static const char *const columns[] = {"message", "segment",     "mapped", "read",
                                      "kept",    "kept fields", NULL};

/* Numbers of the fields in STATE, runs shortened: "1-3,7". */
static struct slice numbers(struct arena *arena, const struct json *fields, const char *state,
                            unsigned *ret_count)
{
    struct buf out;
    struct slice text;
    unsigned n = 0, from = 0;

    *ret_count = 0;
    buf_init(&out, 4096);
    for (const struct json *f = fields->first;; f = f->next) {
        bool in = f && slice_is(json_str(f, "state"), state);

        n++;
        *ret_count += in;
        if (in && from == 0)
            from = n;
        if (!in && from) {
            buf_addf(&out, "%s%u", out.len ? "," : "", from);
            if (n - 1 > from)
                buf_addf(&out, "-%u", n - 1);
            from = 0;
        }
        if (!f)
            break;
    }
    text = arena_dup(arena, buf_slice(&out));
    buf_fini(&out);
    return text;
}

static void add_segment(struct table *t, const struct json *message, const struct json *segment)
{
    const struct json *fields = json_get(segment, "fields");
    unsigned mapped, read, kept;
    struct slice which;

    (void)numbers(t->arena, fields, "mapped", &mapped);
    (void)numbers(t->arena, fields, "read", &read);
    which = numbers(t->arena, fields, "kept", &kept);
    table_row(t);
    table_cell(t, json_str(message, "message"));
    table_cell(t, json_str(segment, "segment"));
    table_cellf(t, "%u", mapped);
    table_cellf(t, "%u", read);
    table_cellf(t, "%u", kept);
    table_cell(t, which);
}

static enum err print_table(struct arena *arena, const struct json *messages)
{
    struct table t;

    table_init(&t, arena, columns);
    for (const struct json *m = messages->first; m; m = m->next)
        for (const struct json *s = json_get(m, "segments")->first; s; s = s->next)
            add_segment(&t, m, s);
    return table_print(&t, false);
}

/* All messages, or those named. */
static struct json *report(const struct args *args, struct arena *arena)
{
    struct json *all = coverage_report(arena, SLICE_NONE), *messages = json_get(all, "messages");
    struct json *list = json_new(arena, JSON_ARRAY);

    if (args->operand_count == 0 || !all)
        return all;
    for (size_t i = 0; i < args->operand_count; i++) {
        for (const struct json *m = messages->first; m; m = m->next)
            if (slice_is(json_str(m, "message"), args->operands[i]))
                json_push(list, json_clone(arena, m));
    }
    json_set(all, "messages", list);
    return all;
}

int map_coverage(const struct args *args)
{
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    struct json *all = arena ? report(args, arena) : NULL;
    struct buf out;
    enum err err = all ? ERR_OK : ERR_LIMIT;

    if (!err && json_get(all, "messages")->count == 0)
        err = ERR_UNKNOWN_TYPE;
    if (!err && args_flag(args, "json")) {
        buf_init(&out, LIMIT_HTTP_ANSWER);
        json_print(&out, all);
        err = buf_err(&out);
        if (!err)
            (void)printf("%.*s\n", SLICE_ARG(buf_slice(&out)));
        buf_fini(&out);
    } else if (!err) {
        err = print_table(arena, json_get(all, "messages"));
    }
    arena_free(arena);
    if (err)
        return cli_fail(args, err, args->operand_count ? args->operands[0] : "map --coverage");
    if (!args_flag(args, "json"))
        cli_say(args, "messages of other types are refused (AR 200)",
                "これ以外の種別の電文は拒否します(AR 200)");
    return 0;
}
