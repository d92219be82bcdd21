/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the audit record: a resident reads everything about himself
 * (Patient/[id]/$access-history, AuditEvent?patient=), a facility its own actions, an operator all.
 * Reading it is itself an event in it. Nobody writes it; a facility may keep AuditEvents of its own
 * systems beside it (PUT under an id that is no number): they are seen by nobody else, and no
 * search of the record finds them.
 */
#include "exchange/door/fhir_audit_query.h"
#include "exchange/door/fhir_page.h"
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

static enum err add_event(struct session *s, struct request *r, const struct audit_row *row,
                          const struct subset *subset)
{
    struct json *event = NULL;
    enum err err = audit_event_json(s, r, row, &event);
    if (!err)
        err = subset_apply(r->arena, event, subset);
    if (err)
        return err;
    buf_adds(&r->answer_buf, r->count++ ? "," : ",\"entry\":[");
    buf_addf(&r->answer_buf, "{\"fullUrl\":\"%s/AuditEvent/%lld\",\"resource\":", r->base_url,
             (long long)row->seq);
    json_print(&r->answer_buf, event);
    buf_adds(&r->answer_buf, ",\"search\":{\"mode\":\"match\"}}");
    return ERR_OK;
}

static enum err audit_page(struct session *s, struct request *r, struct fhir_audit_query *q)
{
    struct audit_row *rows = NULL;
    size_t count = 0;
    uint64_t total = 0;
    bool too_long = false, more;
    enum err err = ERR_OK;
    size_t limit = q->filter.limit++; /* one more, to see whether there is another page */
    if (q->filter.person >= 0)
        err = audit_list(s, r->arena, &q->filter, &rows, &count, &total);
    if (err)
        return err;
    more = count > limit && !q->count_only;
    count = q->count_only ? 0 : more ? limit : count;
    fhir_bundle_begin(r, "searchset", q->no_total && !q->count_only ? -1 : (int64_t)total);
    struct fhir_cursor next = {.number = count ? rows[count - 1].seq : 0};
    err = fhir_page_links(r, q->ignored, more ? &next : NULL, &too_long);
    for (size_t i = 0; i < count && !err; i++)
        err = add_event(s, r, &rows[i], &q->subset);
    return err ? err : fhir_bundle_end(r);
}

static enum err access_history_look(struct session *s, struct request *r)
{
    struct fhir_audit_query query;
    int64_t person = 0;
    enum err err = fhir_instance_person(s, r, &person);
    if (!err)
        err = fhir_audit_query(s, r, true, &query);
    if (!err && r->grant.actor == GRANT_RESIDENT && person != r->grant.person)
        err = ERR_NOT_FOUND;
    if (err)
        return err;
    query.filter.person = person;
    return audit_page(s, r, &query);
}

const struct use fhir_use_access_history = {.event = "access-history",
                                            .actors = RESIDENT | (1u << GRANT_OPERATOR),
                                            .look = access_history_look};

static enum err audit_search_look(struct session *s, struct request *r)
{
    struct fhir_audit_query query;
    struct audit_filter *filter = &query.filter;
    enum err err = fhir_audit_query(s, r, false, &query);
    if (err)
        return err;
    if (r->grant.actor == GRANT_RESIDENT && filter->person && filter->person != r->grant.person)
        filter->person = -1; /* somebody else's: as if there were nothing */
    if (filter->person >= 0)
        own_filter(r, filter);
    r->person = r->grant.actor == GRANT_RESIDENT ? r->grant.person
                : filter->person > 0             ? filter->person
                                                 : 0;
    r->entity = "AuditEvent";
    return audit_page(s, r, &query);
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
    if (err == ERR_NOT_FOUND || err == ERR_FORBIDDEN || (!err && !audit_event_is_shown(r, &row)))
        return ERR_NOT_FOUND;
    if (!err)
        err = audit_event_json(s, r, &row, &event);
    if (err)
        return err;
    r->person = audit_event_tells(r, &row) ? row.person : 0;
    r->count = 1;
    return fhir_answer_json(r, event);
}

const struct use fhir_use_audit_read = {
    .event = "access-history", .actors = READERS, .look = audit_read_look};
