/* SPDX-License-Identifier: Apache-2.0
 *
 * read and vread of one resource (R4 http.html#read, #vread). What the gate does
 * not show does not exist: the answer is the same as for an id that never was. Whom a refused read
 * concerned is still found, for the audit row.
 */
#include "exchange/door/fhir_form.h"
#include "exchange/door/fhir_operation.h"
#include "exchange/gate/own_id.h"
#include "exchange/gate/refs.h"
#include "storage/locate.h"

#include "base/banned.h"

#define READERS ((1u << GRANT_FACILITY) | (1u << GRANT_RESIDENT) | (1u << GRANT_OPERATOR))

/* Only what shapes the answer. */
static enum err read_params(struct request *r)
{
    struct fhir_input *in = r->input;
    enum err err = fhir_params(r);
    for (unsigned i = 0; i < in->param_count && !err; i++) {
        const struct fhir_param *p = &in->params[i];
        bool subset = slice_is(p->name, "_summary") || slice_is(p->name, "_elements");
        if (!subset && !fhir_param_is_format(p) && !in->lenient)
            err = err_add(&r->errors, ERR_UNKNOWN_PARAM,
                          arena_printf(r->arena, "%.*s", SLICE_ARG(p->name)),
                          "_format, _pretty, _summary, _elements");
    }
    return err ? err : fhir_form_subset(r);
}

enum err fhir_instance_record(struct session *s, struct request *r, struct record *ret_record)
{
    struct fhir_input *in = r->input;
    struct locate place;
    struct slice id;
    int64_t person = 0;
    enum err err;
    if (slice_is(in->type, "Patient")) {
        err = fhir_instance_person(s, r, &person);
        if (!err)
            err = record_read_patient(s, r->arena, person, ret_record);
        if (err == ERR_NOT_FOUND && person > 0 && !fhir_deleted_patient(s, r, person, &id))
            err = record_read(s, r->arena, in->type, id, ret_record); /* ERR_GONE */
        return err;
    }
    if (fhir_operation_is_ours(r->arena, in->type, in->id))
        return fhir_operation_record(r, in->id, ret_record);
    err = own_id_read(s, r, in->type, in->id, ret_record);
    /* Refused: whom would it have been about? */
    if (err == ERR_NOT_FOUND && locate_record(s, in->type, in->id, &place) == ERR_OK)
        r->person = place.person;
    return err;
}

static enum err read_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    struct record record;
    enum err err = read_params(r);
    if (err)
        return err;
    r->entity = fhir_entity(r, in->type, in->id);
    err = fhir_instance_record(s, r, &record);
    if (err)
        return err;
    r->person = record.person;
    r->count = 1;
    if (!refs_simple(&record))
        return fhir_answer_record(s, r, &record);
    fhir_answer_later(r, &record);
    return ERR_OK;
}

const struct use fhir_use_read = {
    .event = "read", .actors = READERS, .quick = true, .look = read_look};

enum err fhir_instance_rid(struct session *s, struct request *r, int64_t *ret_rid)
{
    struct fhir_input *in = r->input;
    struct record record;
    struct locate place;
    struct slice id = in->id;
    int64_t person = 0;
    enum err err;
    if (slice_is(in->type, "Patient")) {
        err = fhir_instance_person(s, r, &person);
        if (!err)
            err = record_read_patient(s, r->arena, person, &record);
        if (!err)
            *ret_rid = record.rid;
        if (err != ERR_NOT_FOUND || person == 0 || fhir_deleted_patient(s, r, person, &id))
            return err;
    }
    err = own_id_stored(s, r, in->type, id, &id);
    if (!err)
        err = locate_record(s, in->type, id, &place);
    if (!err) {
        r->person = place.person;
        *ret_rid = place.rid;
    }
    return err;
}

static enum err vread_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    struct record record;
    int64_t rid = 0;
    enum err err = read_params(r);
    if (err)
        return err;
    r->entity = arena_printf(r->arena, "%s/_history/%lld", fhir_entity(r, in->type, in->id),
                             (long long)in->version);
    err = fhir_instance_rid(s, r, &rid);
    if (!err)
        err = record_read_version(s, r->arena, rid, in->version, &record);
    if (!err && record.deleted)
        err = ERR_GONE;
    if (err)
        return err;
    r->count = 1;
    return fhir_answer_record(s, r, &record);
}

const struct use fhir_use_vread = {
    .event = "vread", .actors = READERS, .quick = true, .look = vread_look};
