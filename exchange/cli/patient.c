/* SPDX-License-Identifier: Apache-2.0
 *
 * patient show|link|unlink|undo: the relay index by hand. Charts are named by facility and its
 * patient number, residents by card; internal numbers never appear. No clinical row moves, and each
 * change can be undone.
 */
#include <stdio.h>

#include "exchange/cli/cli.h"
#include "exchange/cli/table.h"
#include "exchange/use/claim.h"
#include "storage/person.h"

#include "base/banned.h"

struct chart_job {
    struct arena *arena;
    struct slice facility_key, local_no, card;
    struct person_chart_row *charts;
    size_t chart_count;
    struct person_ids ids;
};

/* The person and the chart the command names, by facility and number. */
static enum err find_chart(struct session *s, struct request *r, int64_t *ret_chart)
{
    struct chart_job *in = r->input;
    struct facility facility;
    enum err err = registry_facility_by_key(s, in->arena, in->facility_key, &facility);

    if (err)
        return err_add(&r->errors, err, "--facility", NULL);
    err = person_by_local(s, facility.id, in->local_no, &r->person, ret_chart);
    return err ? err_add(&r->errors, err, "--local", NULL) : ERR_OK;
}

static enum err show_look(struct session *s, struct request *r)
{
    struct chart_job *in = r->input;
    int64_t chart = 0;
    enum err err = in->card.len ? person_by_card(s, claim_card(in->arena, in->card), &r->person)
                                : find_chart(s, r, &chart);

    if (!err)
        err = person_charts(s, in->arena, r->person, &in->charts, &in->chart_count);
    if (!err)
        err = person_identifiers(s, in->arena, r->person, 0, true, &in->ids);
    return err;
}

static enum err link_apply(struct session *s, struct request *r)
{
    struct chart_job *in = r->input;
    int64_t chart = 0, person = 0;
    enum err err = find_chart(s, r, &chart);

    if (!err) {
        err = person_by_card(s, claim_card(in->arena, in->card), &person);
        if (err)
            return err_add(&r->errors, err, "--card", NULL);
    }
    if (!err)
        err = person_link(s, chart, person, "operator");
    if (!err)
        err = request_audit(r, person, "", 0); /* both residents may see that it happened */
    return err;
}

static enum err unlink_apply(struct session *s, struct request *r)
{
    int64_t chart = 0, person = 0;
    enum err err = find_chart(s, r, &chart);

    return err ? err : person_unlink(s, chart, &person);
}

static enum err undo_apply(struct session *s, struct request *r)
{
    int64_t chart = 0;
    enum err err = find_chart(s, r, &chart);

    return err ? err : person_undo(s, chart);
}

static const struct use show_use = {
    .event = "patient-show", .actors = 1u << GRANT_OPERATOR, .look = show_look};
static const struct use link_use = {
    .event = "patient-link", .actors = 1u << GRANT_OPERATOR, .writes = true, .apply = link_apply};
static const struct use unlink_use = {.event = "patient-unlink",
                                      .actors = 1u << GRANT_OPERATOR,
                                      .writes = true,
                                      .apply = unlink_apply};
static const struct use undo_use = {
    .event = "patient-undo", .actors = 1u << GRANT_OPERATOR, .writes = true, .apply = undo_apply};

static int print_charts(const struct args *args, struct cli_place *place,
                        const struct chart_job *in)
{
    static const char *const columns[] = {"kind", "facility", "value", NULL};
    struct table table;

    table_init(&table, place->arena, columns);
    if (in->ids.card.len) {
        table_row(&table);
        table_cell(&table, SLICE("card"));
        table_cell(&table, SLICE_NONE);
        table_cell(&table, in->ids.card);
    }
    for (size_t i = 0; i < in->ids.insured_count; i++) {
        table_row(&table);
        table_cell(&table, SLICE("insured"));
        table_cell(&table, SLICE_NONE);
        table_cell(&table, in->ids.insured[i]);
    }
    for (size_t i = 0; i < in->chart_count; i++) {
        table_row(&table);
        table_cell(&table, SLICE("chart"));
        table_cell(&table, in->charts[i].facility_key);
        table_cell(&table, in->charts[i].local_no);
    }
    return cli_exit(table_print(&table, args_flag(args, "json")));
}

static int run(const struct args *args, const struct use *use, bool by_card, bool both)
{
    struct cli_place place;
    struct chart_job in = {.facility_key = slice_str(args_value(args, "facility")),
                           .local_no = slice_str(args_value(args, "local"))};
    bool by_chart = in.facility_key.len && in.local_no.len;
    int code = CLI_OK;

    if (by_card && args->operand_count > 0)
        in.card = slice_str(args->operands[0]);
    if (both)
        in.card = slice_str(args_value(args, "card"));
    if (!(by_chart || (by_card && in.card.len)) || (both && !in.card.len))
        return cli_usage(args,
                         both      ? "give --facility KEY --local NUMBER --card NUMBER"
                         : by_card ? "give CARD, or --facility KEY --local NUMBER"
                                   : "give --facility KEY --local NUMBER",
                         both      ? "--facility、--local、--card が要ります"
                         : by_card ? "診察券番号か、--facility と --local が要ります"
                                   : "--facility と --local が要ります");
    code = cli_open(args, &place);
    in.arena = place.arena;
    if (!code)
        code = cli_use(&place, use, SLICE_NONE, &in);
    if (!code && by_card)
        code = print_charts(args, &place, &in);
    cli_close(&place);
    return code;
}

int cli_patient_show(const struct args *args)
{
    return run(args, &show_use, true, false);
}

int cli_patient_link(const struct args *args)
{
    return run(args, &link_use, false, true);
}

int cli_patient_unlink(const struct args *args)
{
    return run(args, &unlink_use, false, false);
}

int cli_patient_undo(const struct args *args)
{
    return run(args, &undo_use, false, false);
}
