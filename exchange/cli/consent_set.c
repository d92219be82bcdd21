/* SPDX-License-Identifier: Apache-2.0
 *
 * consent set: a consent given on paper at a facility's counter, recorded on the facility's behalf.
 * It is an update of the facility's own Consent for this resident and these recipients, through the
 * same checks as one sent over FHIR; given again it replaces what this command recorded before,
 * never what the resident himself or another said.
 */
#include <stdio.h>

#include "base/limits.h"
#include "base/when.h"
#include "exchange/batch.h"
#include "exchange/cli/cli.h"
#include "exchange/gate/grant.h"
#include "exchange/use/claim.h"
#include "storage/person.h"

#include "base/banned.h"

#define SYSTEM_SET "urn:tasuki:consent-set"
#define ACT_REASON "http://terminology.hl7.org/CodeSystem/v3-ActReason"
#define PARTICIPATION "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"

struct setting {
    const struct args *args;
    struct arena *arena;
    struct slice facility, card, recipient, purpose, until;
    bool permit, withdraw;
    int code;
};

static void put_coding(struct arena *a, struct json *array, const char *system, const char *code)
{
    struct json *coding = json_push_object(a, array);
    json_put_text(a, coding, "system", system);
    json_put_text(a, coding, "code", code);
}

static void put_concept(struct arena *a, struct json *concept, const char *system, const char *code)
{
    put_coding(a, json_put_array(a, concept, "coding"), system, code);
}

static void put_provision(const struct setting *in, struct json *consent)
{
    struct arena *a = in->arena;
    struct json *p = json_put_object(a, consent, "provision");
    json_put_text(a, p, "type", in->permit ? "permit" : "deny");
    if (in->until.len)
        json_put_str(a, json_put_object(a, p, "period"), "end", in->until);
    if (in->recipient.len) {
        struct json *actor = json_push_object(a, json_put_array(a, p, "actor"));
        put_concept(a, json_put_object(a, actor, "role"), PARTICIPATION, "IRCP");
        json_put_text(a, json_put_object(a, actor, "reference"), "reference",
                      arena_printf(a, "Organization/%.*s", SLICE_ARG(in->recipient)));
    }
    if (in->purpose.len)
        put_coding(a, json_put_array(a, p, "purpose"), ACT_REASON, arena_str(a, in->purpose));
}

static struct json *make_consent(const struct setting *in, const char *identifier)
{
    struct arena *a = in->arena;
    struct json *consent = json_new(a, JSON_OBJECT);
    struct buf now;
    json_put_text(a, consent, "resourceType", "Consent");
    struct json *id = json_push_object(a, json_put_array(a, consent, "identifier"));
    json_put_text(a, id, "system", SYSTEM_SET);
    json_put_text(a, id, "value", identifier);
    json_put_text(a, consent, "status", in->withdraw ? "inactive" : "active");
    put_concept(a, json_put_object(a, consent, "scope"),
                "http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy");
    put_concept(a, json_push_object(a, json_put_array(a, consent, "category")), "http://loinc.org",
                "59284-0");
    struct json *patient = json_put_object(a, json_put_object(a, consent, "patient"), "identifier");
    json_put_text(a, patient, "system", "urn:tasuki:clinic-card");
    json_put_str(a, patient, "value", in->card);
    buf_init(&now, 64);
    when_print_instant(&now, clock_system.now_ms(&clock_system));
    json_put_str(a, consent, "dateTime", arena_dup(a, buf_slice(&now)));
    buf_fini(&now);
    json_put_text(a, json_push_object(a, json_put_array(a, consent, "policy")), "uri",
                  "urn:tasuki:policy:opt-in");
    put_provision(in, consent);
    return consent;
}

/* One entry: an update by the identifier, among the facility's own. */
static struct json *make_bundle(const struct setting *in)
{
    struct arena *a = in->arena;
    const char *identifier =
        arena_printf(a, "%.*s.%.*s", SLICE_ARG(in->card),
                     SLICE_ARG(in->recipient.len ? in->recipient : SLICE("all")));
    struct json *bundle = json_new(a, JSON_OBJECT);
    json_put_text(a, bundle, "resourceType", "Bundle");
    json_put_text(a, bundle, "type", "transaction");
    struct json *entry = json_push_object(a, json_put_array(a, bundle, "entry"));
    struct json *consent = make_consent(in, identifier ? identifier : "");
    json_set(entry, "resource", consent);
    struct json *request = json_put_object(a, entry, "request");
    json_put_text(a, request, "method", "PUT");
    json_put_text(a, request, "url",
                  arena_printf(a, "Consent?identifier=" SYSTEM_SET "%%7C%s", identifier));
    return bundle;
}

/* A word that means nobody must not become a Consent: kept by PUT, it would count for the least it
 * can mean. */
static enum err parties_look(struct session *s, struct request *r)
{
    const struct setting *in = r->input;
    struct facility facility;
    enum err err = registry_facility_by_key(s, in->arena, in->facility, &facility);
    if (err)
        return err_add(&r->errors, err, "--facility", NULL);
    err = in->recipient.len ? registry_facility_by_key(s, in->arena, in->recipient, &facility)
                            : ERR_OK;
    if (err)
        return err_add(&r->errors, err, "--for", NULL);
    err = person_by_card(s, in->card, &r->person);
    return err ? err_add(&r->errors, err, "CARD", NULL) : ERR_OK;
}

static const struct use parties_use = {
    .event = "consent-set", .actors = 1u << GRANT_OPERATOR, .look = parties_look};

static void ended(void *context, struct request *r, void *tag)
{
    struct setting *in = context;
    (void)tag;
    in->code = r->job.err == ERR_UNAUTHENTICATED ? CLI_NOT_FOUND : cli_exit(r->job.err);
    if (r->job.err && r->errors.first)
        cli_findings(in->args, &r->errors);
    else if (r->job.err)
        (void)cli_fail(in->args, r->job.err, "consent set");
}

static int record(struct cli_place *place, struct setting *in)
{
    struct batch batch;
    struct buf text;
    enum err err;
    buf_init(&text, LIMIT_HTTP_BODY);
    json_print(&text, make_bundle(in));
    err = arena_exhausted(in->arena) ? ERR_LIMIT : buf_err(&text);
    batch_init(&batch, &place->exchange, ended, in);
    if (!err)
        err = batch_bundle(&batch, in->facility, buf_slice(&text), NULL);
    batch_finish(&batch);
    buf_fini(&text);
    return err ? cli_exit(err) : in->code;
}

int cli_consent_set(const struct args *args)
{
    struct slice type = slice_str(args_value(args, "type"));
    struct setting in = {.args = args,
                         .facility = slice_str(args_value(args, "facility")),
                         .recipient = slice_str(args_value(args, "for")),
                         .purpose = slice_str(args_value(args, "purpose")),
                         .until = slice_str(args_value(args, "until")),
                         .withdraw = slice_is(type, "withdraw"),
                         .permit = slice_is(type, "permit")};
    struct cli_place place;
    enum grant_purpose purpose;
    int code;
    if (in.purpose.len && !grant_purpose_find(in.purpose, &purpose))
        return cli_usage(args, "--purpose: TREAT ETREAT BTG HPAYMT HOPERAT COVERAGE PATRQT",
                         "--purpose: TREAT ETREAT BTG HPAYMT HOPERAT COVERAGE PATRQT");
    if (!in.facility.len || !(in.permit || in.withdraw || slice_is(type, "deny")))
        return cli_usage(args, "give --facility KEY and --type permit, deny or withdraw",
                         "--facility と --type（permit、deny、withdraw）が要ります");
    code = cli_open(args, &place);
    in.card = code ? SLICE_NONE : claim_card(place.arena, slice_str(args->operands[0]));
    in.arena = place.arena;
    if (!code)
        code = cli_use(&place, &parties_use, SLICE_NONE, &in);
    if (!code)
        code = record(&place, &in);
    cli_close(&place);
    return code;
}
