/* SPDX-License-Identifier: Apache-2.0
 *
 * create, update and delete (R4 http.html#create, #update, #delete): what these interactions say over HTTP; the
 * writing itself is exchange/use/write.c. An answer exists only after the commit.
 */
#include "exchange/door/fhir.h"
#include "exchange/door/fhir_conditional.h"
#include "exchange/door/fhir_operation.h"
#include "exchange/gate/refs.h"

#include "base/banned.h"

#define WRITERS ((1u << GRANT_FACILITY) | (1u << GRANT_RESIDENT) | (1u << GRANT_OPERATOR))

enum err fhir_if_match(struct request *r, int64_t *ret_version)
{
    struct fhir_input *in = r->input;
    struct slice tag = slice_trim(in->if_match);
    uint64_t n = 0;
    *ret_version = RECORD_ANY;
    if (!tag.len)
        return ERR_OK;
    if (slice_is(tag, "*")) {
        *ret_version = RECORD_THERE;
        return ERR_OK;
    }
    if (slice_starts(tag, SLICE("W/")))
        tag = slice_sub(tag, 2, tag.len);
    if (tag.len < 3 || tag.ptr[0] != '"' || tag.ptr[tag.len - 1] != '"' ||
        !slice_u64(slice_sub(tag, 1, tag.len - 2), &n) || n == 0 || n > INT64_MAX)
        return err_add(&r->errors, ERR_BAD_HEADER, "If-Match", "W/\"n\", *");
    *ret_version = (int64_t)n;
    return ERR_OK;
}

/* ── look: everything that needs no writing ──────────────────────────────────────────────────── */

static enum err look_write(struct session *s, struct request *r, bool client_ids)
{
    struct fhir_input *in = r->input;
    enum err err = fhir_no_params(r);
    if (!err)
        err = write_allowed(r, in->type);
    if (!err)
        err = fhir_if_match(r, &in->write.expect_version);
    if (!err)
        err = fhir_parse_body(r);
    if (err)
        return err;
    in->write.type = in->type;
    in->write.id = in->id;
    in->write.resource = in->resource;
    in->write.client_ids = client_ids;
    return write_prepare(s, r, &in->write);
}

static enum err create_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    if (!in->condition.criteria.len)
        in->condition.criteria = in->if_none_exist;
    return look_write(s, r, false);
}

enum err fhir_same_id(struct request *r, const struct json *resource, struct slice id)
{
    struct fhir_input *in = r->input;
    if (slice_eq(json_str(resource, "id"), id))
        return ERR_OK;
    return err_add_words(&r->errors, ERR_MALFORMED,
                         arena_printf(r->arena, "%.*s.id", SLICE_ARG(in->type)),
                         "must equal the id in the URL", "URLのidと一致しません");
}

static enum err update_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    if ((slice_is(in->type, "AuditEvent") && fhir_audit_is_ours(in->id)) ||
        fhir_operation_is_ours(r->arena, in->type, in->id))
        return err_add(&r->errors, ERR_METHOD, "", NULL);
    enum err err = look_write(s, r, true);
    if (!err && slice_is(slice_trim(in->if_none_match), "*")) /* RFC 9110 section 13.1.2 */
        in->write.expect_version = RECORD_ABSENT;
    return err ? err : fhir_same_id(r, in->resource, in->id);
}

/* ── apply: one transaction with the audit row ───────────────────────────────────────────────── */

/* What is stored now, and where: as a write made it, or as it was there already. */
static enum err answer_stored(struct session *s, struct request *r, const struct record *record,
                              int status)
{
    const struct fhir_input *in = r->input;
    struct slice id = refs_id(r, record);
    r->status = status;
    r->count = 1;
    r->person = record->person;
    r->entity = fhir_entity(r, record->type, id);
    r->location = arena_printf(r->arena, "%s/%.*s/%.*s/_history/%lld", r->base_url,
                               SLICE_ARG(record->type), SLICE_ARG(id), (long long)record->version);
    r->answer_version = record->version;
    r->answer_updated_ms = record->updated_ms;
    return in->minimal ? ERR_OK : refs_outward(s, r, record, &r->answer_buf);
}

enum err fhir_answer_written(struct session *s, struct request *r, const struct write *w)
{
    struct record record = write_record(r, w);
    return answer_stored(s, r, &record, w->mark.created ? 201 : 200);
}

static enum err write_request_apply(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    enum err err = write_apply(s, r, &in->write);
    return err ? err : fhir_answer_written(s, r, &in->write);
}

/* If-None-Exist: what is there already is not created again. */
static enum err create_apply(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    enum err err = ERR_OK;
    if (in->condition.criteria.len)
        err = fhir_conditional_find(s, r, in->type, &in->condition);
    if (!err)
        err = fhir_conditional_single(r, &in->condition);
    if (!err && in->condition.count == 1)
        return answer_stored(s, r, &in->condition.match, 200);
    return err ? err : write_request_apply(s, r);
}

const struct use fhir_use_create = {.event = "create",
                                    .actors = WRITERS,
                                    .writes = true,
                                    .look = create_look,
                                    .apply = create_apply};
const struct use fhir_use_update = {.event = "update",
                                    .actors = WRITERS,
                                    .writes = true,
                                    .look = update_look,
                                    .apply = write_request_apply};

/* ── delete ──────────────────────────────────────────────────────────────────────────────────── */

static enum err delete_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    enum err err = fhir_no_params(r);
    if (!err)
        err = fhir_if_match(r, &in->write.expect_version);
    if (err)
        return err;
    r->entity = fhir_entity(r, in->type, in->id);
    in->write.type = in->type;
    in->write.id = in->id;
    return write_prepare_delete(s, r, &in->write);
}

static enum err delete_apply(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    enum err err = write_apply_delete(s, r, &in->write);
    r->status = 204;
    r->count = in->write.mark.unchanged ? 0 : 1;
    return err;
}

const struct use fhir_use_delete = {.event = "delete",
                                    .actors = WRITERS,
                                    .writes = true,
                                    .look = delete_look,
                                    .apply = delete_apply};
