/* SPDX-License-Identifier: Apache-2.0
 *
 * feed list|show|retry|drop: how far the feeds are, what their receivers refused, and an operator's
 * word on it. What a receiver said is shown as he said it; what the message told is not kept and
 * not shown.
 */
#include <inttypes.h>
#include <stdio.h>

#include "exchange/cli/cli.h"
#include "exchange/cli/table.h"
#include "exchange/push/feed_turn.h"
#include "storage/change.h"

#include "base/banned.h"

struct feed_job {
    struct arena *arena;
    struct slice name; /* show */
    bool all;
    struct feed *list;
    size_t count;
    struct feed_letter *letters;
    size_t letter_count;
    int64_t last;
};

static enum err list_look(struct session *s, struct request *r)
{
    struct feed_job *in = r->input;
    enum err err = change_last(s, &in->last);
    if (!err)
        err = feed_list(s, in->arena, &in->list, &in->count);
    r->count = (int64_t)in->count;
    return err;
}

static enum err show_look(struct session *s, struct request *r)
{
    struct feed_job *in = r->input;
    struct feed row;
    enum err err = feed_get(s, in->arena, in->name, &row);
    if (!err)
        err = feed_letter_list(s, in->arena, in->name, in->all, LIMIT_FEED_LETTERS, &in->letters,
                               &in->letter_count);
    r->count = (int64_t)in->letter_count;
    return err;
}

static const struct use list_use = {
    .event = "feed-list", .actors = 1u << GRANT_OPERATOR, .look = list_look};
static const struct use show_use = {
    .event = "feed-show", .actors = 1u << GRANT_OPERATOR, .look = show_look};

static const struct conf_feed *conf_of(const struct cli_place *place, struct slice name)
{
    const struct conf *conf = &place->exchange.conf;
    for (unsigned i = 0; i < conf->feed_count; i++)
        if (slice_is(name, conf->feeds[i].name))
            return &conf->feeds[i];
    return NULL;
}

static void put_feed(struct table *table, const struct cli_place *place, const struct feed *row)
{
    const struct conf_feed *conf = conf_of(place, row->name);
    table_row(table);
    table_cell(table, row->name);
    table_cell(table, slice_str(conf ? conf->facility : ""));
    if (conf)
        table_cellf(table, "mllp%s://%s:%d", conf->tls ? "s" : "", conf->host, conf->port);
    else
        table_cell(table, SLICE("not configured"));
    table_instant(table, change_ms(row->position));
    table_cell(table, row->until ? row->control_id : SLICE_NONE);
    table_cellf(table, "%u", row->failures);
    table_instant(table, row->next_ms);
    table_cellf(table, "%" PRId64, row->sent);
    table_instant(table, row->sent_ms);
    table_cellf(table, "%" PRId64, row->refused);
    table_cellf(table, "%" PRId64, row->waiting + row->wanted);
    table_cell(table, row->reason);
}

static void fill_list(struct table *table, const struct cli_place *place, const void *input)
{
    const struct feed_job *in = input;

    for (size_t i = 0; i < in->count; i++)
        put_feed(table, place, &in->list[i]);
}

int cli_feed_list(const struct args *args)
{
    static const char *const columns[] = {"feed",     "facility", "to",   "position", "underway",
                                          "failures", "next",     "sent", "last",     "refused",
                                          "letters",  "reason",   NULL};
    static const struct cli_listing listing = {&list_use, columns, fill_list};
    struct feed_job in = {0};

    return cli_list(args, &listing, &in, &in.arena);
}

static void put_letter(struct table *table, const struct feed_letter *letter)
{
    table_row(table);
    table_cellf(table, "%" PRId64, letter->id);
    table_instant(table, letter->at_ms);
    table_cell(table, slice_str(feed_letter_code(letter->state)));
    table_cell(table, letter->control_id);
    table_cell(table, letter->code);
    table_cellf(table, "%u", letter->attempts);
    table_instant(table, change_ms(letter->until));
    table_cell(table, letter->reason);
}

static void fill_show(struct table *table, const struct cli_place *place, const void *input)
{
    const struct feed_job *in = input;

    (void)place;
    for (size_t i = 0; i < in->letter_count; i++)
        put_letter(table, &in->letters[i]);
}

int cli_feed_show(const struct args *args)
{
    static const char *const columns[] = {"letter",   "at",      "state",  "message", "code",
                                          "attempts", "changed", "reason", NULL};
    static const struct cli_listing listing = {&show_use, columns, fill_show};
    struct feed_job in = {.name = slice_str(args->operands[0]), .all = args_flag(args, "all")};

    return cli_list(args, &listing, &in, &in.arena);
}

static int steer(const struct args *args, enum feed_order order)
{
    struct feed_steer in = {
        .name = slice_str(args->operands[0]), .order = order, .all = args_flag(args, "all")};
    struct cli_place place;
    bool letter = args->operand_count > 1;
    int code;

    if (letter && (!slice_i64(slice_str(args->operands[1]), &in.letter) || in.letter <= 0))
        return cli_usage(args, "give the number that \"feed show\" shows",
                         "「feed show」の番号が要ります");
    code = cli_open(args, &place);
    if (!code)
        code = cli_use(&place, &feed_steer_use, SLICE_NONE, &in);
    if (!code)
        (void)printf("%" PRId64 "\n", in.count);
    cli_close(&place);
    return code;
}

int cli_feed_retry(const struct args *args)
{
    return steer(args, FEED_RETRY);
}

int cli_feed_drop(const struct args *args)
{
    return steer(args, FEED_DROP);
}
