/* SPDX-License-Identifier: Apache-2.0
 *
 * subscription list|retry: which Subscriptions there are, which of them wait or have given up and
 * why, and going on with one. A retry asks for `requested` in the subscriber's name; the server's
 * dispatcher sees it within seconds. With
 * --skip the change that could not be delivered is left out for good.
 */
#include <inttypes.h>

#include "exchange/cli/cli.h"
#include "exchange/cli/table.h"
#include "exchange/push/notify.h"
#include "storage/change.h"

#include "base/banned.h"

struct subscription_job {
    struct arena *arena;
    struct subscription *list;
    size_t count;
};

static enum err list_look(struct session *s, struct request *r)
{
    struct subscription_job *in = r->input;
    enum err err = subscription_list(s, in->arena, &in->list, &in->count);
    r->count = (int64_t)in->count;
    return err;
}

static const struct use list_use = {
    .event = "subscription-list", .actors = 1u << GRANT_OPERATOR, .look = list_look};

static void put_row(struct table *table, const struct subscription *row)
{
    table_row(table);
    table_cell(table, row->id);
    table_cell(table, row->facility_key);
    table_cell(table, slice_str(subscription_state_code(row->state)));
    table_instant(table, change_ms(row->position));
    table_instant(table, change_ms(row->stuck));
    table_cellf(table, "%u", row->failures);
    table_cell(table, row->reason);
}

static void fill_list(struct table *table, const struct cli_place *place, const void *input)
{
    const struct subscription_job *in = input;

    (void)place;
    for (size_t i = 0; i < in->count; i++)
        put_row(table, &in->list[i]);
}

int cli_subscription_list(const struct args *args)
{
    static const char *const columns[] = {"id",    "facility", "status", "position",
                                          "stuck", "failures", "reason", NULL};
    static const struct cli_listing listing = {&list_use, columns, fill_list};
    struct subscription_job in = {0};

    return cli_list(args, &listing, &in, &in.arena);
}

static const struct subscription *find(const struct subscription_job *in, const char *id)
{
    for (size_t i = 0; i < in->count; i++)
        if (slice_is(in->list[i].id, id))
            return &in->list[i];
    return NULL;
}

static int retry(const struct args *args, struct cli_place *place, const struct subscription *row)
{
    struct notify_mark mark = {.rid = row->rid,
                               .id = row->id,
                               .seq = row->stuck,
                               .verdict = args_flag(args, "skip") && row->stuck ? NOTIFY_DELIVERED
                                                                                : NOTIFY_RETRY};
    int code = cli_use(place, &notify_mark_use, row->facility_key, &mark);
    if (!code && mark.verdict == NOTIFY_DELIVERED) {
        mark.verdict = NOTIFY_RETRY;
        code = cli_use(place, &notify_mark_use, row->facility_key, &mark);
    }
    return code;
}

int cli_subscription_retry(const struct args *args)
{
    struct cli_place place;
    struct subscription_job in = {0};
    int code = cli_open(args, &place);

    in.arena = place.arena;
    if (!code)
        code = cli_use(&place, &list_use, SLICE_NONE, &in);
    const struct subscription *row = code ? NULL : find(&in, args->operands[0]);
    if (!code)
        code = row ? retry(args, &place, row) : cli_fail(args, ERR_NOT_FOUND, args->operands[0]);
    cli_close(&place);
    return code;
}
