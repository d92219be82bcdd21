/* SPDX-License-Identifier: Apache-2.0
 *
 * Read, change, write as one step (see fhir_revise.h).
 */
#include "exchange/door/fhir_revise.h"

#include "exchange/door/fhir_conditional.h"
#include "exchange/gate/grant.h"
#include "exchange/gate/own_id.h"
#include "exchange/gate/refs.h"
#include "exchange/gate/wire.h"
#include "mappers/fhir/validate.h"
#include "storage/locate.h"

#include "base/banned.h"

/* ── the record as it is ─────────────────────────────────────────────────────────────────────── */

/* Among the caller's own only: others' cannot be written, so what they say must not show here either. */
static enum err read_own(struct session *s, struct request *r, struct record *ret_record)
{
    const struct fhir_input *in = r->input;
    struct grant own;
    int64_t person = 0;
    enum err err = ERR_OK;
    bool patient = slice_is(in->type, "Patient");
    if (patient)
        err = wire_person(s, r, in->id, &person);
    if (err)
        return err;
    grant_own(r, &own);
    session_bind(s, &own);
    err = patient ? record_read_patient(s, r->arena, person, ret_record)
                  : own_id_read(s, r, in->type, in->id, ret_record);
    session_bind(s, &r->grant);
    if (patient)
        r->person = person;
    return err;
}

static enum err read_matching(struct session *s, struct request *r, struct record *ret_record)
{
    struct fhir_input *in = r->input;
    enum err err = fhir_conditional_find(s, r, in->type, &in->condition);
    if (!err)
        err = fhir_conditional_single(r, &in->condition);
    if (!err && in->condition.count == 0)
        err = ERR_NOT_FOUND;
    if (!err)
        *ret_record = in->condition.match;
    return err;
}

static enum err read_now(struct session *s, struct request *r, struct record *ret_record)
{
    struct fhir_input *in = r->input;
    struct locate place;
    if (in->condition.criteria.len)
        return read_matching(s, r, ret_record);
    enum err err = read_own(s, r, ret_record);
    if (err == ERR_NOT_FOUND && !r->person && locate_record(s, in->type, in->id, &place) == ERR_OK)
        r->person = place.person; /* whom the refusal concerns */
    if (err == ERR_NOT_FOUND && !slice_is(in->type, "Patient"))
        err = write_not_his(s, r, in->type, in->id);
    return err;
}

/* ── the record as it will be ────────────────────────────────────────────────────────────────── */

static enum err check_kept(struct request *r, const struct json *then, const char *member,
                           struct slice must)
{
    const struct fhir_input *in = r->input;
    if (slice_eq(json_str(then, member), must))
        return ERR_OK;
    return err_add_words(&r->errors, ERR_INVALID,
                         arena_printf(r->arena, "%.*s.%s", SLICE_ARG(in->type), member),
                         "must not be changed", "変更できません");
}

static enum err prepare(struct session *s, struct request *r, const struct record *now,
                        struct json *then)
{
    struct fhir_input *in = r->input;
    const struct write_scope *scope = in->write.scope;
    struct slice id = refs_id(r, now);
    enum err err = check_kept(r, then, "resourceType", in->type);
    if (!err)
        err = check_kept(r, then, "id", id);
    if (!err)
        err = validate_resource(then, in->type, &r->errors);
    if (err)
        return err;
    in->revised_rid = now->rid;
    in->write = (struct write){.type = in->type,
                               .id = id,
                               .new_id = id,
                               .resource = then,
                               .expect_version = now->version,
                               .client_ids = true,
                               .scope = scope};
    return write_prepare(s, r, &in->write);
}

static enum err make(struct session *s, struct request *r, const struct record *now,
                     fhir_revise_cb change)
{
    struct json *resource = NULL, *then = NULL;
    int64_t expected = 0;
    enum err err = fhir_if_match(r, &expected);
    r->entity = fhir_entity(r, now->type, now->id);
    r->person = now->person;
    if (!err && expected > 0 && expected != now->version)
        err = err_add(&r->errors, ERR_PRECONDITION, "If-Match", "W/\"%lld\"",
                      (long long)now->version);
    if (!err)
        err = fhir_outward_json(s, r, now, &resource);
    if (!err)
        err = change(r, resource, &then);
    return err ? err : prepare(s, r, now, then);
}

enum err fhir_revise_look(struct session *s, struct request *r, fhir_revise_cb change)
{
    const struct fhir_input *in = r->input;
    struct record now;
    enum err err = write_allowed(r, in->type);
    if (!err)
        err = read_now(s, r, &now);
    return err ? err : make(s, r, &now, change);
}

enum err fhir_revise_apply(struct session *s, struct request *r, fhir_revise_cb change)
{
    struct fhir_input *in = r->input;
    struct record now;
    enum err err = read_now(s, r, &now);
    if (!err && (now.rid != in->revised_rid || now.version != in->write.expect_version))
        err = make(s, r, &now, change);
    return err ? err : write_apply(s, r, &in->write);
}
