/* SPDX-License-Identifier: Apache-2.0
 *
 * What the FHIR interactions share: parameters, the body, bundles, and the use of a path that was
 * refused.
 */
#include <stdio.h>

#include "exchange/door/fhir_form.h"
#include "exchange/gate/refs.h"
#include "exchange/gate/wire.h"
#include "mappers/fhir/validate.h"
#include "storage/locate.h"
#include "storage/person.h"

#include "base/banned.h"

#define EVERY_ACTOR ((1u << GRANT_FACILITY) | (1u << GRANT_RESIDENT) | (1u << GRANT_OPERATOR))

/* ── a refused path, said only to known callers ──────────────────────────────────────────────── */

static enum err refused_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    (void)s;
    return err_add(&r->errors, in->refusal, in->refusal_place ? in->refusal_place : "", NULL);
}

const struct use fhir_use_refused = {
    .event = "refused", .actors = EVERY_ACTOR, .look = refused_look};

/* ── parameters ──────────────────────────────────────────────────────────────────────────────── */

static enum err params_of(struct request *r, struct slice text)
{
    struct fhir_input *in = r->input;
    struct slice rest = text;
    while (rest.ptr && rest.len) {
        struct slice pair = slice_cut(&rest, '&'), name, value;
        if (!pair.len)
            continue;
        name = slice_sub(pair, 0, slice_find(pair, '=', 0));
        value = slice_sub(pair, name.len + 1, pair.len);
        if (in->param_count == LIMIT_SEARCH_PARAMS)
            return err_add(&r->errors, ERR_TOO_LARGE, "", "more than %u parameters",
                           LIMIT_SEARCH_PARAMS);
        struct fhir_param *p = &in->params[in->param_count++];
        if (!http1_decode(r->arena, name, true, &name) ||
            !http1_decode(r->arena, value, true, &value))
            return err_add(&r->errors, ERR_BAD_PARAM, "", "escapes");
        p->name = slice_sub(name, 0, slice_find(name, ':', 0));
        p->modifier = slice_sub(name, p->name.len + 1, name.len);
        p->value = value;
    }
    return ERR_OK;
}

/* At most this many parameters are in TEXT. */
static size_t room_for(struct slice text)
{
    size_t room = text.len > 0;
    for (size_t i = 0; i < text.len; i++)
        room += text.ptr[i] == '&';
    return room;
}

enum err fhir_params(struct request *r)
{
    struct fhir_input *in = r->input;
    size_t room = room_for(in->query) + room_for(in->form);
    enum err err;
    in->param_count = 0;
    if (!room)
        return ERR_OK;
    in->params = arena_array(r->arena, room < LIMIT_SEARCH_PARAMS ? room : LIMIT_SEARCH_PARAMS,
                             sizeof(*in->params));
    if (!in->params)
        return ERR_LIMIT;
    err = params_of(r, in->query);
    if (!err)
        err = params_of(r, in->form);
    return err;
}

bool fhir_param_is_format(const struct fhir_param *p)
{
    return slice_is(p->name, "_format") || slice_is(p->name, "_pretty");
}

enum err fhir_no_params(struct request *r)
{
    struct fhir_input *in = r->input;
    enum err err = fhir_params(r);
    for (unsigned i = 0; i < in->param_count && !err; i++)
        if (!fhir_param_is_format(&in->params[i]))
            err = err_add(&r->errors, ERR_UNKNOWN_PARAM,
                          arena_printf(r->arena, "%.*s", SLICE_ARG(in->params[i].name)),
                          "_format, _pretty");
    return err;
}

/* ── body ────────────────────────────────────────────────────────────────────────────────────── */

enum err fhir_parse_body(struct request *r)
{
    struct fhir_input *in = r->input;
    if (in->checked && !slice_eq(json_str(in->resource, "resourceType"), in->type))
        return err_add(&r->errors, ERR_INVALID, "resourceType", "%.*s", SLICE_ARG(in->type));
    if (in->checked)
        return ERR_OK;
    enum err err = fhir_form_parse(r);
    return err ? err : validate_resource(in->resource, in->type, &r->errors);
}

/* ── answers ─────────────────────────────────────────────────────────────────────────────────── */

enum err fhir_answer_json(struct request *r, const struct json *value)
{
    if (!value || arena_exhausted(r->arena))
        return ERR_LIMIT;
    json_print(&r->answer_buf, value);
    return buf_err(&r->answer_buf);
}

enum err fhir_answer_kept(struct request *r, enum exchange_kept which,
                          const struct json *(*make)(struct request *r))
{
    struct exchange *x = r->exchange;
    struct buf *kept = &x->kept.text[which][r->base_url == x->portal_url];
    enum err err = ERR_OK;
    (void)pthread_mutex_lock(&x->kept.lock);
    if (!kept->len) {
        const struct json *made = make(r);
        err = made && !arena_exhausted(r->arena) ? ERR_OK : ERR_LIMIT;
        if (!err)
            json_print(kept, made);
        err = err ? err : buf_err(kept);
    }
    if (err)
        buf_clear(kept);
    (void)pthread_mutex_unlock(&x->kept.lock);
    if (!err)
        buf_add(&r->answer_buf, buf_slice(kept));
    return err ? err : buf_err(&r->answer_buf);
}

enum err fhir_answer_record(struct session *s, struct request *r, const struct record *record)
{
    r->answer_version = record->version;
    r->answer_updated_ms = record->updated_ms;
    return refs_outward(s, r, record, &r->answer_buf);
}

void fhir_answer_later(struct request *r, const struct record *record)
{
    struct fhir_input *in = r->input;
    r->answer_version = record->version;
    r->answer_updated_ms = record->updated_ms;
    in->later = *record;
    in->print_later = true;
}

enum err fhir_outward_json(struct session *s, struct request *r, const struct record *record,
                           struct json **ret_resource)
{
    struct json_fault fault;
    struct buf text;
    buf_init(&text, LIMIT_HTTP_ANSWER);
    enum err err = refs_outward(s, r, record, &text);
    struct slice kept = arena_dup(r->arena, buf_slice(&text));
    buf_fini(&text);
    if (!err && !kept.ptr)
        err = ERR_LIMIT;
    return err ? err : json_parse(r->arena, kept, ret_resource, &fault);
}

const char *fhir_entity(struct request *r, struct slice type, struct slice id)
{
    if (slice_is(type, "Patient"))
        return "Patient/@";
    return arena_printf(r->arena, "%.*s/%.*s", SLICE_ARG(type), SLICE_ARG(id));
}

enum err fhir_instance_person(struct session *s, struct request *r, int64_t *ret_person)
{
    struct fhir_input *in = r->input;
    enum err err = wire_person(s, r, in->id, ret_person);
    if (!err)
        r->person = *ret_person;
    return err;
}

enum err fhir_deleted_patient(struct session *s, struct request *r, int64_t person,
                              struct slice *ret_id)
{
    struct locate place = {0};
    int64_t chart = 0;
    enum err err = person_chart(s, r->grant.facility, person, &chart);
    if (err)
        return err;
    *ret_id = refs_patient_record(r, chart);
    err = locate_record(s, SLICE("Patient"), *ret_id, &place);
    return !err && !place.deleted ? ERR_NOT_FOUND : err;
}

void fhir_bundle_begin(struct request *r, const char *type, int64_t total)
{
    struct buf *b = &r->answer_buf;
    buf_addf(b, "{\"resourceType\":\"Bundle\",\"id\":\"%s\",\"meta\":{\"lastUpdated\":\"", r->id);
    when_print_instant(b, r->grant.now_ms);
    buf_addf(b, "\"},\"type\":\"%s\"", type);
    if (total >= 0)
        buf_addf(b, ",\"total\":%lld", (long long)total);
}

enum err fhir_bundle_entry(struct session *s, struct request *r, const struct record *record,
                           const char *mode)
{
    struct buf *b = &r->answer_buf;
    struct slice id = refs_id(r, record);
    enum err err;
    buf_adds(b, r->count++ ? "," : ",\"entry\":[");
    buf_addf(b, "{\"fullUrl\":\"%s/%.*s/%.*s\",\"resource\":", r->base_url, SLICE_ARG(record->type),
             SLICE_ARG(id));
    err = refs_outward(s, r, record, b);
    if (mode)
        buf_addf(b, ",\"search\":{\"mode\":\"%s\"}", mode);
    buf_addc(b, '}');
    return err;
}

enum err fhir_bundle_end(struct request *r)
{
    buf_adds(&r->answer_buf, r->count ? "]}" : "}");
    return buf_err(&r->answer_buf);
}
