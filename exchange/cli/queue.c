/* SPDX-License-Identifier: Apache-2.0
 *
 * patient queue|dismiss: likely links that intake left to a human. `patient link` answers yes,
 * dismiss answers no; either way the question does not come again. Questions are named by their own
 * number, charts and residents as everywhere by facility number and card.
 */
#include <inttypes.h>

#include "base/when.h"
#include "exchange/cli/cli.h"
#include "exchange/cli/resident.h"
#include "exchange/cli/table.h"
#include "storage/person.h"

#include "base/banned.h"

struct queue_row {
    const struct person_question *question;
    struct slice facility_key, local_no; /* of the chart */
    struct slice card;                   /* of the candidate, when he has one */
    struct slice known_as;               /* his charts: "hospital-a:123 clinic-c:7" */
};

struct queue_job {
    struct arena *arena;
    struct queue_row *rows;
    size_t count;
    int64_t id; /* dismiss */
};

/* ROW about its question; both people may see that it was asked. */
static enum err name_both(struct session *s, struct request *r, struct queue_row *row)
{
    struct queue_job *in = r->input;
    const struct person_question *question = row->question;
    struct person_chart_row *charts = NULL;
    int64_t person = 0, facility = 0;
    size_t count = 0;
    enum err err = person_of_chart(s, question->chart, &person, &facility);

    if (!err)
        err = person_charts(s, in->arena, person, &charts, &count);
    for (size_t i = 0; i < count && !err; i++)
        if (charts[i].chart == question->chart) {
            row->facility_key = charts[i].facility_key;
            row->local_no = charts[i].local_no;
        }
    if (!err)
        err = resident_name(s, in->arena, question->candidate, &row->card, &row->known_as);
    if (!err)
        err = request_audit(r, person, "", 1);
    return err ? err : request_audit(r, question->candidate, "", 1);
}

static enum err queue_look(struct session *s, struct request *r)
{
    struct queue_job *in = r->input;
    struct person_question *questions = NULL;
    enum err err = person_queue(s, in->arena, &questions, &in->count);

    if (!err && in->count > 0) {
        in->rows = arena_array(in->arena, in->count, sizeof(*in->rows));
        err = in->rows ? ERR_OK : ERR_LIMIT;
    }
    for (size_t i = 0; i < in->count && !err; i++) {
        in->rows[i].question = &questions[i];
        err = name_both(s, r, &in->rows[i]);
    }
    r->count = (int64_t)in->count;
    return err;
}

static enum err dismiss_apply(struct session *s, struct request *r)
{
    struct queue_job *in = r->input;
    struct person_question *questions = NULL;
    size_t count = 0, i = 0;
    int64_t facility = 0;
    enum err err = person_queue(s, in->arena, &questions, &count);

    while (!err && i < count && questions[i].id != in->id)
        i++;
    if (!err && i == count)
        err = err_add(&r->errors, ERR_NOT_FOUND, "QUESTION", NULL);
    if (!err)
        err = person_of_chart(s, questions[i].chart, &r->person, &facility);
    if (!err)
        err = person_dismiss(s, questions[i].chart, questions[i].candidate);
    return err ? err : request_audit(r, questions[i].candidate, "", 0);
}

static const struct use queue_use = {
    .event = "patient-queue", .actors = 1u << GRANT_OPERATOR, .look = queue_look};
static const struct use dismiss_use = {.event = "patient-dismiss",
                                       .actors = 1u << GRANT_OPERATOR,
                                       .writes = true,
                                       .apply = dismiss_apply};

static void put_row(struct table *table, const struct queue_row *row)
{
    struct buf at;

    buf_init(&at, 64);
    when_print_instant(&at, row->question->at_ms);
    table_row(table);
    table_cellf(table, "%" PRId64, row->question->id);
    table_cell(table, buf_slice(&at));
    table_cell(table, row->facility_key);
    table_cell(table, row->local_no);
    table_cell(table, row->card);
    table_cell(table, row->known_as);
    table_cellf(table, "%u", row->question->agreeing);
    buf_fini(&at);
}

static void fill_patient_queue(struct table *table, const struct cli_place *place,
                               const void *input)
{
    const struct queue_job *in = input;

    (void)place;
    for (size_t i = 0; i < in->count; i++)
        put_row(table, &in->rows[i]);
}

int cli_patient_queue(const struct args *args)
{
    static const char *const columns[] = {"question",  "at",       "facility", "local",
                                          "candidate", "known-as", "agreeing", NULL};
    static const struct cli_listing listing = {&queue_use, columns, fill_patient_queue};
    struct queue_job in = {0};

    return cli_list(args, &listing, &in, &in.arena);
}

int cli_patient_dismiss(const struct args *args)
{
    struct cli_place place;
    struct queue_job in = {0};
    int code = CLI_OK;

    if (!slice_i64(slice_str(args->operands[0]), &in.id) || in.id <= 0)
        return cli_usage(args, "give the number that \"patient queue\" shows",
                         "「patient queue」の番号が要ります");
    code = cli_open(args, &place);
    in.arena = place.arena;
    if (!code)
        code = cli_use(&place, &dismiss_use, SLICE_NONE, &in);
    cli_close(&place);
    return code;
}
