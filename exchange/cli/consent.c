/* SPDX-License-Identifier: Apache-2.0
 *
 * consent show|explain: the rules that stand, and what a facility may see of a resident and why,
 * decided by the same plain function that the tests hold against the gate.
 */
#include <stdio.h>

#include "base/category.h"
#include "base/when.h"
#include "exchange/cli/cli.h"
#include "exchange/cli/table.h"
#include "exchange/gate/grant.h"
#include "exchange/use/claim.h"
#include "storage/consent.h"
#include "storage/person.h"

#include "base/banned.h"

struct consent_job {
    struct arena *arena;
    struct slice card, facility_key;
    struct consent_rule *rules;
    size_t rule_count;
    struct facility facility;
    struct facility *facilities; /* to name them */
    size_t facility_count;
    int64_t now_ms;
};

static enum err rules_look(struct session *s, struct request *r)
{
    struct consent_job *in = r->input;
    enum err err = person_by_card(s, claim_card(in->arena, in->card), &r->person);

    in->now_ms = session_now_ms(s);
    if (!err)
        err = consent_rules(s, in->arena, r->person, &in->rules, &in->rule_count);
    if (!err)
        err = registry_facilities(s, in->arena, &in->facilities, &in->facility_count);
    if (!err && in->facility_key.len) {
        err = registry_facility_by_key(s, in->arena, in->facility_key, &in->facility);
        if (err)
            return err_add(&r->errors, err, "--facility", NULL);
    }
    return err;
}

static const struct use show_use = {
    .event = "consent-show", .actors = 1u << GRANT_OPERATOR, .look = rules_look};
static const struct use explain_use = {
    .event = "consent-explain", .actors = 1u << GRANT_OPERATOR, .look = rules_look};

static struct slice facility_name(const struct consent_job *in, int64_t id)
{
    for (size_t i = 0; i < in->facility_count; i++)
        if (in->facilities[i].id == id)
            return in->facilities[i].key;
    return SLICE("*");
}

static void put_purposes(struct table *table, uint32_t mask)
{
    struct buf text;

    buf_init(&text, 256);
    for (unsigned p = 0; p < GRANT_PURPOSE_COUNT; p++)
        if (mask & GRANT_PURPOSE_BIT(p))
            buf_addf(&text, "%s%s", text.len ? "," : "", grant_purpose_code((enum grant_purpose)p));
    table_cell(table, buf_slice(&text));
    buf_fini(&text);
}

static void put_categories(struct table *table, uint64_t mask)
{
    struct buf text;

    /* A Consent that names no category means all that concern him but consents and the log. */
    const uint64_t ordinary =
        CATEGORY_ALL & ~(CATEGORY_BIT(CATEGORY_NONE) | CATEGORY_BIT(CATEGORY_CONSENT) |
                         CATEGORY_BIT(CATEGORY_AUDIT));

    if ((mask & ordinary) == ordinary) {
        table_cell(table, SLICE("*"));
        return;
    }
    buf_init(&text, 1024);
    for (unsigned c = 0; c < CATEGORY_COUNT; c++)
        if (mask & CATEGORY_BIT(c))
            buf_addf(&text, "%s%s", text.len ? "," : "", category_code((enum category)c));
    table_cell(table, buf_slice(&text));
    buf_fini(&text);
}

static void put_day(struct table *table, int64_t ms)
{
    struct buf text;

    buf_init(&text, 32);
    if (ms != WHEN_MIN && ms != WHEN_MAX)
        when_print_date(&text, ms);
    table_cell(table, buf_slice(&text));
    buf_fini(&text);
}

static void put_rules(struct table *table, const struct consent_job *in)
{
    for (size_t i = 0; i < in->rule_count; i++) {
        const struct consent_rule *rule = &in->rules[i];

        table_row(table);
        table_cell(table, rule->permit ? SLICE("permit") : SLICE("deny"));
        table_cell(table, rule->nested ? SLICE("exception") : SLICE("rule"));
        table_cell(table, facility_name(in, rule->facility));
        put_purposes(table, rule->purposes);
        put_categories(table, rule->categories);
        put_day(table, rule->from_ms);
        put_day(table, rule->to_ms);
    }
}

static void put_decisions(struct table *table, const struct consent_job *in,
                          enum grant_purpose purpose)
{
    for (unsigned c = CATEGORY_DEMOGRAPHICS; c < CATEGORY_COUNT; c++) {
        const struct consent_rule *rule = NULL;
        bool permit = consent_decide(in->rules, in->rule_count, in->facility.id, purpose,
                                     (enum category)c, in->now_ms, &rule);

        table_row(table);
        table_cellf(table, "%s", category_code((enum category)c));
        table_cellf(table, "%s", category_ja((enum category)c));
        table_cell(table, permit ? SLICE("permit") : SLICE("deny"));
        if (!rule)
            table_cell(table, SLICE("no rule matches"));
        else
            table_cellf(table, "%s %s of %.*s", rule->permit ? "permit" : "deny",
                        rule->nested ? "exception" : "rule",
                        SLICE_ARG(facility_name(in, rule->facility)));
    }
}

static void fill_show(struct table *table, const struct cli_place *place, const void *input)
{
    const struct consent_job *in = input;

    (void)place;
    put_rules(table, in);
}

int cli_consent_show(const struct args *args)
{
    static const char *const columns[] = {"effect",     "part", "facility", "purposes",
                                          "categories", "from", "to",       NULL};
    static const struct cli_listing listing = {&show_use, columns, fill_show};
    struct consent_job in = {.card = slice_str(args->operands[0])};

    return cli_list(args, &listing, &in, &in.arena);
}

int cli_consent_explain(const struct args *args)
{
    static const char *const columns[] = {"category", "name", "decision", "because", NULL};
    struct cli_place place;
    struct consent_job in = {.card = slice_str(args->operands[0]),
                             .facility_key = slice_str(args_value(args, "facility"))};
    const char *code_text = args_value(args, "purpose");
    enum grant_purpose purpose = GRANT_TREAT;
    struct table table;
    int code = CLI_OK;

    if (!in.facility_key.len)
        return cli_usage(args, "give --facility KEY", "--facility が要ります");
    if (code_text && !grant_purpose_find(slice_str(code_text), &purpose))
        return cli_usage(args, "--purpose: TREAT ETREAT BTG HPAYMT HOPERAT COVERAGE PATRQT",
                         "--purpose: TREAT ETREAT BTG HPAYMT HOPERAT COVERAGE PATRQT");
    code = cli_open(args, &place);
    in.arena = place.arena;
    if (!code)
        code = cli_use(&place, &explain_use, SLICE_NONE, &in);
    if (!code) {
        table_init(&table, place.arena, columns);
        put_decisions(&table, &in, purpose);
        code = cli_exit(table_print(&table, args_flag(args, "json")));
    }
    cli_close(&place);
    return code;
}
