/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the audit record: a resident reads everything about himself
 * (Patient/[id]/$access-history, AuditEvent?patient=), a facility its own actions, an operator all.
 * Reading it is itself an event in it. Nobody writes it; a facility may keep AuditEvents of its own systems beside it
 * (PUT under an id that is no number): they are seen by nobody else, and no search of the record finds them.
 */
#include "exchange/door/fhir_query.h"
#include "exchange/gate/refs.h"
#include "exchange/gate/wire.h"
#include "exchange/use/audit_event.h"

#include "base/banned.h"

#define RESIDENT (1u << GRANT_RESIDENT)
#define READERS (RESIDENT | (1u << GRANT_FACILITY) | (1u << GRANT_OPERATOR))

/* A resident reads about himself, a facility what it did, an operator what he asked for. */
static void own_filter(const struct request *r, struct audit_filter *filter)
{
    if (r->grant.actor == GRANT_RESIDENT)
        filter->person = r->grant.person;
    else if (r->grant.actor == GRANT_FACILITY)
        filter->facility = r->grant.facility;
}

static enum err audit_page(struct session *s, struct request *r, struct audit_filter *filter)
{
    const struct fhir_input *in = r->input;
    struct audit_row *rows = NULL;
    size_t count = 0;
    uint64_t total = 0;
    enum err err = audit_list(s, r->arena, filter, &rows, &count, &total);
    if (err)
        return err;
    fhir_bundle_begin(r, "searchset", (int64_t)total);
    if (count == filter->limit && count > 0 && (uint64_t)count < total) {
        buf_addf(&r->answer_buf, ",\"link\":[{\"relation\":\"next\",\"url\":\"%s/", r->base_url);
        if (in->name.len)
            buf_addf(&r->answer_buf, "Patient/%.*s/$access-history", SLICE_ARG(in->id));
        else
            buf_adds(&r->answer_buf, "AuditEvent");
        buf_addf(&r->answer_buf, "?_count=%u&_before=%lld\"}]", filter->limit,
                 (long long)rows[count - 1].seq);
    }
    for (size_t i = 0; i < count && !err; i++) {
        struct json *event = NULL;
        err = audit_event_json(s, r, &rows[i], &event);
        if (err)
            break;
        buf_adds(&r->answer_buf, r->count++ ? "," : ",\"entry\":[");
        buf_addf(&r->answer_buf, "{\"fullUrl\":\"%s/AuditEvent/%lld\",\"resource\":", r->base_url,
                 (long long)rows[i].seq);
        json_print(&r->answer_buf, event);
        buf_adds(&r->answer_buf, ",\"search\":{\"mode\":\"match\"}}");
    }
    return err ? err : fhir_bundle_end(r);
}

static enum err filter_param(struct session *s, struct request *r, const struct fhir_param *p,
                             struct audit_filter *filter)
{
    uint64_t n = 0;
    enum search_op op;
    struct when when;
    enum err err;
    if (slice_is(p->name, "_count") && slice_u64(p->value, &n) && n > 0) {
        filter->limit = n > LIMIT_SEARCH_COUNT ? LIMIT_SEARCH_COUNT : (unsigned)n;
    } else if (slice_is(p->name, "_before") && slice_u64(p->value, &n) && n <= INT64_MAX) {
        filter->before_seq = (int64_t)n;
    } else if (slice_is(p->name, "date") && fhir_query_date(p->value, &op, &when)) {
        if (op == SEARCH_EQ || op == SEARCH_GE || op == SEARCH_GT || op == SEARCH_SA)
            filter->from_ms = op == SEARCH_EQ || op == SEARCH_GE ? when.lo_ms : when.hi_ms;
        if (op == SEARCH_EQ || op == SEARCH_LE || op == SEARCH_LT || op == SEARCH_EB)
            filter->to_ms = op == SEARCH_EQ || op == SEARCH_LE ? when.hi_ms : when.lo_ms;
    } else if (slice_is(p->name, "patient")) {
        err = refs_person(s, r, p->value, &filter->person);
        if (err == ERR_NOT_FOUND)
            filter->person = -1;
        else if (err)
            return err;
    } else if (!fhir_param_is_format(p)) {
        return err_add(&r->errors, ERR_UNKNOWN_PARAM,
                       arena_printf(r->arena, "%.*s", SLICE_ARG(p->name)), "patient, date, _count");
    }
    return ERR_OK;
}

static enum err filter_params(struct session *s, struct request *r, struct audit_filter *filter)
{
    struct fhir_input *in = r->input;
    enum err err = fhir_params(r);
    filter->limit = LIMIT_SEARCH_COUNT_DEFAULT * 2;
    for (unsigned i = 0; i < in->param_count && !err; i++)
        err = filter_param(s, r, &in->params[i], filter);
    return err;
}

static enum err access_history_look(struct session *s, struct request *r)
{
    struct audit_filter filter = {0};
    int64_t person = 0;
    enum err err = fhir_instance_person(s, r, &person);
    if (!err)
        err = filter_params(s, r, &filter);
    if (!err && r->grant.actor == GRANT_RESIDENT && person != r->grant.person)
        err = ERR_NOT_FOUND;
    if (err)
        return err;
    filter.person = person;
    return audit_page(s, r, &filter);
}

const struct use fhir_use_access_history = {.event = "access-history",
                                            .actors = RESIDENT | (1u << GRANT_OPERATOR),
                                            .look = access_history_look};

static enum err audit_search_look(struct session *s, struct request *r)
{
    struct audit_filter filter = {0};
    enum err err = filter_params(s, r, &filter);
    if (err)
        return err;
    if (r->grant.actor == GRANT_RESIDENT && filter.person && filter.person != r->grant.person)
        filter.person = -1; /* somebody else's: as if there were nothing */
    if (filter.person >= 0)
        own_filter(r, &filter);
    r->person = r->grant.actor == GRANT_RESIDENT ? r->grant.person
                : filter.person > 0              ? filter.person
                                                 : 0;
    r->entity = "AuditEvent";
    if (filter.person < 0) {
        fhir_bundle_begin(r, "searchset", 0);
        return fhir_bundle_end(r);
    }
    return audit_page(s, r, &filter);
}

const struct use fhir_use_audit_search = {
    .event = "access-history", .actors = READERS, .look = audit_search_look};

bool fhir_audit_is_ours(struct slice id)
{
    for (size_t i = 0; i < id.len; i++)
        if (id.ptr[i] < '0' || id.ptr[i] > '9')
            return false;
    return true;
}

static enum err audit_read_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    struct audit_row row;
    struct json *event = NULL;
    uint64_t seq = 0;
    enum err err = ERR_NOT_FOUND;
    if (!fhir_audit_is_ours(in->id))
        return fhir_use_read.look(s, r);
    r->entity = fhir_entity(r, in->type, in->id);
    if (slice_u64(in->id, &seq) && seq <= INT64_MAX)
        err = audit_get(s, r->arena, (int64_t)seq, &row);
    if (err == ERR_NOT_FOUND || err == ERR_FORBIDDEN)
        return ERR_NOT_FOUND;
    if (!err)
        err = audit_event_json(s, r, &row, &event);
    if (err)
        return err;
    r->person = row.person;
    r->count = 1;
    return fhir_answer_json(r, event);
}

const struct use fhir_use_audit_read = {
    .event = "access-history", .actors = READERS, .look = audit_read_look};
