/* SPDX-License-Identifier: Apache-2.0
 *
 * card issue|revoke|lookup: the common clinic card. A card is issued to a resident whom a facility
 * knows already, or to a new one. The number identifies the card; it authenticates nobody.
 */
#include <stdio.h>

#include "base/ids.h"
#include "base/when.h"
#include "exchange/cli/cli.h"
#include "exchange/cli/table.h"
#include "exchange/use/claim.h"
#include "storage/person.h"

#include "base/banned.h"

struct card_job {
    struct arena *arena;
    struct slice facility_key, local_no; /* issue: known already */
    struct mapped_patient patient;       /* issue: new */
    char number[13];                     /* issued */
    struct slice given;                  /* revoke, lookup */
    struct person_chart_row *charts;
    size_t chart_count;
};

static enum err find_or_register(struct session *s, struct card_job *in, int64_t *ret_person)
{
    struct facility facility;
    struct person_claim claim = {0};
    int64_t chart = 0;
    enum err err = ERR_OK;

    if (!in->facility_key.len) {
        err = claim_from_mapped(in->arena, &in->patient, &claim);
        return err ? err : person_register(s, &claim, ret_person);
    }
    err = registry_facility_by_key(s, in->arena, in->facility_key, &facility);
    return err ? err : person_by_local(s, facility.id, in->local_no, ret_person, &chart);
}

static enum err issue_apply(struct session *s, struct request *r)
{
    struct card_job *in = r->input;
    int64_t person = 0;
    enum err err = find_or_register(s, in, &person);

    if (!err)
        err = person_free_card(s, in->number);
    if (!err)
        err = person_issue_card(s, person, slice_str(in->number));
    r->person = person;
    return err;
}

static const struct use issue_use = {
    .event = "card-issue", .actors = 1u << GRANT_OPERATOR, .writes = true, .apply = issue_apply};

static bool new_resident(const struct args *args, struct mapped_patient *ret_patient)
{
    struct mapped_patient p = {.name = slice_str(args_value(args, "name")),
                               .kana = slice_str(args_value(args, "kana")),
                               .birth_date = slice_str(args_value(args, "birth-date")),
                               .gender = slice_str(args_value(args, "gender"))};
    struct when when;

    *ret_patient = p;
    return p.name.len && p.kana.len && p.birth_date.len == 10 &&
           when_parse_fhir(p.birth_date, false, &when) &&
           (slice_is(p.gender, "male") || slice_is(p.gender, "female") ||
            slice_is(p.gender, "other") || slice_is(p.gender, "unknown"));
}

int cli_card_issue(const struct args *args)
{
    struct cli_place place;
    struct card_job in = {.facility_key = slice_str(args_value(args, "facility")),
                          .local_no = slice_str(args_value(args, "local"))};
    int code = CLI_OK;

    if (!in.facility_key.len != !in.local_no.len ||
        (!in.facility_key.len && !new_resident(args, &in.patient)))
        return cli_usage(
            args, "give --facility KEY --local NUMBER, or --name --kana --birth-date --gender",
            "--facility と --local、または --name --kana --birth-date --gender が要ります");
    code = cli_open(args, &place);
    in.arena = place.arena;
    if (!code)
        code = cli_use(&place, &issue_use, SLICE_NONE, &in);
    if (!code)
        (void)printf("%.4s-%.4s-%.4s\n", in.number, in.number + 4, in.number + 8);
    cli_close(&place);
    return code;
}

/* ── revoke, lookup ──────────────────────────────────────────────────────────────────────────── */

static enum err revoke_apply(struct session *s, struct request *r)
{
    struct card_job *in = r->input;
    enum err err = person_by_card(s, in->given, &r->person);

    return err ? err : person_revoke_card(s, in->given);
}

static enum err lookup_look(struct session *s, struct request *r)
{
    struct card_job *in = r->input;
    enum err err = person_by_card(s, in->given, &r->person);

    return err ? err : person_charts(s, in->arena, r->person, &in->charts, &in->chart_count);
}

static const struct use revoke_use = {
    .event = "card-revoke", .actors = 1u << GRANT_OPERATOR, .writes = true, .apply = revoke_apply};
static const struct use lookup_use = {
    .event = "card-lookup", .actors = 1u << GRANT_OPERATOR, .look = lookup_look};

/* Opens and runs USE for the card that the command names; refuses numbers that cannot be. */
static int on_card(const struct args *args, const struct use *use, struct cli_place *place,
                   struct card_job *in)
{
    int code = cli_open(args, place);

    in->arena = place->arena;
    if (code)
        return code;
    in->given = claim_card(place->arena, slice_str(args->operands[0]));
    if (in->given.len != 12 || !ids_luhn_ok(in->given)) {
        cli_say(args, "not a card number: 12 digits, the last a check digit",
                "診察券番号ではありません（12桁、末尾は検証番号）");
        return CLI_INVALID;
    }
    return cli_use(place, use, SLICE_NONE, in);
}

int cli_card_revoke(const struct args *args)
{
    struct cli_place place;
    struct card_job in = {0};
    int code = on_card(args, &revoke_use, &place, &in);

    cli_close(&place);
    return code;
}

int cli_card_lookup(const struct args *args)
{
    static const char *const columns[] = {"card", "facility", "local", NULL};
    struct cli_place place;
    struct card_job in = {0};
    struct table table;
    int code = on_card(args, &lookup_use, &place, &in);

    if (!code) {
        table_init(&table, place.arena, columns);
        for (size_t i = 0; i < in.chart_count; i++) {
            table_row(&table);
            table_cell(&table, in.given);
            table_cell(&table, in.charts[i].facility_key);
            table_cell(&table, in.charts[i].local_no);
        }
        code = cli_exit(table_print(&table, args_flag(args, "json")));
    }
    cli_close(&place);
    return code;
}
