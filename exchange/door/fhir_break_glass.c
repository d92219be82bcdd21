/* SPDX-License-Identifier: Apache-2.0
 *
 * Patient/$break-glass: an emergency facility opens one resident's record for 60 minutes, with a
 * reason. Refused when the resident forbade it. The opening, its use and its refusal are all in the
 * audit chain and in the resident's own access history.
 */
#include <stdio.h>

#include "base/ids.h"
#include "exchange/door/fhir_operation.h"
#include "exchange/gate/refs.h"
#include "exchange/gate/wire.h"
#include "exchange/use/claim.h"
#include "storage/consent.h"
#include "storage/glass.h"

#include "base/banned.h"

static const char *const reasons[] = {"unconscious", "life-threat", "unable-to-consent", "other"};

/* Kinds of facility that meet emergencies, and roles that may decide on one. */
static bool may_open(const struct request *r)
{
    enum facility_kind kind = r->caller.facility.kind;
    bool place = kind == FACILITY_EMERGENCY || kind == FACILITY_HOSPITAL || kind == FACILITY_CLINIC;
    bool role = !r->staff_role_known || r->staff_role == STAFF_DOCTOR ||
                r->staff_role == STAFF_NURSE || r->staff_role == STAFF_PARAMEDIC;
    return place && role;
}

static const struct json *parameter(const struct json *parameters, const char *name)
{
    const struct json *list = json_get(parameters, "parameter");
    for (const struct json *p = list ? list->first : NULL; p; p = p->next)
        if (slice_is(json_str(p, "name"), name))
            return p;
    return NULL;
}

/* The text of a parameter given as valueCode, valueString or valueId. */
static struct slice parameter_text(const struct json *p)
{
    static const char *const members[] = {"valueCode", "valueString", "valueId", "valueUri"};
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        if (json_str(p, members[i]).len)
            return json_str(p, members[i]);
    const struct json *coding = json_path(p, "valueCodeableConcept", "coding", "0", NULL);
    return json_str(coding ? coding : json_get(p, "valueCoding"), "code");
}

static enum err find_patient(struct session *s, struct request *r, const struct json *parameters)
{
    const struct json *by_id = parameter(parameters, "patient");
    const struct json *identifier =
        json_get(parameter(parameters, "identifier"), "valueIdentifier");
    struct slice system = json_str(identifier, "system"), value = json_str(identifier, "value");
    struct slice plain = parameter_text(parameter(parameters, "identifier"));
    enum err err = ERR_REQUIRED;
    if (plain.len) { /* system|value, or a bare card number */
        size_t bar = slice_find(plain, '|', 0);
        system = bar < plain.len ? slice_sub(plain, 0, bar) : SLICE(REFS_SYSTEM_CARD);
        value = bar < plain.len ? slice_sub(plain, bar + 1, plain.len) : plain;
    }
    if (slice_is(system, REFS_SYSTEM_CARD))
        value = claim_card(r->arena, value);
    if (value.len)
        err = refs_identifier(s, r, system, value, &r->person);
    else if (by_id && json_get(by_id, "valueReference"))
        err =
            refs_person(s, r, json_str(json_get(by_id, "valueReference"), "reference"), &r->person);
    else if (by_id)
        err = refs_person(s, r, parameter_text(by_id), &r->person);
    if (err == ERR_REQUIRED)
        return err_add(&r->errors, err, "Parameters.parameter", "identifier, patient");
    return err;
}

static enum err read_reason(struct request *r, const struct json *parameters)
{
    struct slice code = parameter_text(parameter(parameters, "reason"));
    struct slice text = parameter_text(parameter(parameters, "text"));
    bool known = false;
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        known = known || slice_is(code, reasons[i]);
    if (!code.len)
        return err_add(&r->errors, ERR_REQUIRED, "Parameters.parameter:reason", NULL);
    if (!known)
        return err_add(&r->errors, ERR_INVALID, "Parameters.parameter:reason",
                       "unconscious, life-threat, unable-to-consent, other");
    if (slice_is(code, "other") && !text.len)
        return err_add(&r->errors, ERR_REQUIRED, "Parameters.parameter:text", "reason other");
    if (text.len > LIMIT_GLASS_TEXT * 4) /* characters, in UTF-8 */
        return err_add(&r->errors, ERR_TOO_LARGE, "Parameters.parameter:text", NULL);
    r->glass.reason = code;
    r->glass.text = text;
    r->reason = text.len ? arena_printf(r->arena, "%.*s: %.*s", SLICE_ARG(code), SLICE_ARG(text))
                         : arena_str(r->arena, code);
    return ERR_OK;
}

static enum err break_glass_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    bool forbids = false;
    enum err err;
    if (!may_open(r))
        return err_add(&r->errors, ERR_FORBIDDEN, "Tasuki-Role", "emergency access");
    in->type = SLICE("Parameters");
    err = fhir_parse_body(r);
    if (!err)
        err = find_patient(s, r, in->resource); /* before the rest: a refusal, too, is about him */
    if (!err)
        err = fhir_operation_names(r, in->resource);
    if (!err)
        err = read_reason(r, in->resource);
    if (!err)
        err = consent_forbids_emergency(s, r->person, r->grant.facility, r->grant.now_ms, &forbids);
    if (!err && forbids)
        err = err_add(&r->errors, ERR_EMERGENCY_FORBIDDEN, "", NULL);
    return err;
}

static enum err answer_session(struct request *r, const char *token, const struct glass *glass)
{
    char wire[IDS_WIRE_LEN + 1];
    struct buf when;
    struct json *answer = json_new(r->arena, JSON_OBJECT);
    wire_id(r, r->person, wire);
    buf_init(&when, 64);
    when_print_instant(&when, glass->expires_ms);
    json_put_text(r->arena, answer, "resourceType", "Parameters");
    struct json *list = json_put_array(r->arena, answer, "parameter");
    struct json *p = json_push_object(r->arena, list);
    json_put_text(r->arena, p, "name", "patient");
    json_put_str(r->arena, json_put_object(r->arena, p, "valueReference"), "reference",
                 slice_str(arena_printf(r->arena, "Patient/%s", wire)));
    p = json_push_object(r->arena, list);
    json_put_text(r->arena, p, "name", "session");
    json_put_text(r->arena, p, "valueString", token);
    p = json_push_object(r->arena, list);
    json_put_text(r->arena, p, "name", "expires");
    json_put_str(r->arena, p, "valueInstant", arena_dup(r->arena, buf_slice(&when)));
    buf_fini(&when);
    return fhir_answer_json(r, answer);
}

static enum err break_glass_apply(struct session *s, struct request *r)
{
    char token[IDS_UUID_LEN + 1];
    struct glass glass = r->glass;
    glass.facility = r->grant.facility;
    glass.person = r->person;
    glass.user = r->user;
    glass.opened_ms = r->grant.now_ms;
    glass.expires_ms = r->grant.now_ms + LIMIT_GLASS_MS;
    ids_uuid(token);
    enum err err = glass_open(s, slice_str(token), &glass);
    if (!err) {
        r->entity = "Patient/@";
        err = answer_session(r, token, &glass);
    }
    return err;
}

const struct use fhir_use_break_glass = {.event = "break-glass",
                                         .actors = 1u << GRANT_FACILITY,
                                         .writes = true,
                                         .opens_glass = true,
                                         .look = break_glass_look,
                                         .apply = break_glass_apply};
