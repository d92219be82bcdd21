/* SPDX-License-Identifier: Apache-2.0
 *
 * THE order every request goes through, whatever its door (design invariant 9). The functions below
 * are its steps, in order; the store runs them: look on a reader thread, apply and audit on the
 * writer, done on the loop.
 */
#include "exchange/pipeline.h"

#include <assert.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/log.h"
#include "exchange/gate/grant.h"
#include "exchange/gate/wire.h"
#include "storage/consent.h"

#include "base/banned.h"

static const char *const door_names[] = {
    [REQUEST_FHIR] = "fhir",     [REQUEST_PORTAL] = "portal",   [REQUEST_MLLP] = "mllp",
    [REQUEST_SSMIX2] = "ssmix2", [REQUEST_COMMAND] = "command",
    [REQUEST_PUSH] = "push",
};

/* Who asks: by certificate, or by configuration for doors that know their facility. */
static enum err identify_caller(struct session *s, struct request *r)
{
    if (r->facility_key.len) {
        enum err err = registry_facility_by_key(s, r->arena, r->facility_key, &r->caller.facility);
        return err == ERR_NOT_FOUND ? err_add(&r->errors, ERR_UNAUTHENTICATED, "", NULL) : err;
    }
    if (r->caller.person > 0 && r->door == REQUEST_COMMAND)
        return ERR_OK; /* loading a demo region on a resident's behalf */
    if (!r->has_cert)
        return err_add(&r->errors, ERR_UNAUTHENTICATED, "", NULL);
    enum err err = registry_cert(s, r->arena, r->fingerprint, &r->caller);
    if (err == ERR_CERT_UNREGISTERED)
        return err_add(&r->errors, err, "", NULL);
    if (!err && r->caller.revoked)
        return err_add(&r->errors, ERR_CERT_REVOKED, "", NULL);
    return err;
}

/* For whom: the person a facility vouches for must be on its staff list, in the role it claims. */
static enum err identify_staff(struct session *s, struct request *r)
{
    struct slice name;
    enum staff_role claimed = STAFF_SYSTEM, listed = STAFF_SYSTEM;
    if (r->role.len && !staff_role_find(r->role, &claimed))
        return err_add(&r->errors, ERR_BAD_HEADER, "Tasuki-Role",
                       "doctor, nurse, pharmacist, clerk, paramedic, system");
    if (r->role.len) {
        r->staff_role = claimed;
        r->staff_role_known = true;
    }
    if (!r->user.len || r->caller.person > 0)
        return ERR_OK;
    enum err err = registry_staff(s, r->arena, r->caller.facility.id, r->user, &name, &listed);
    if (err == ERR_NOT_FOUND)
        return err_add(&r->errors, ERR_BAD_HEADER, "Tasuki-User",
                       "not on the facility's staff list");
    if (err)
        return err;
    if (r->role.len && claimed != listed)
        return err_add(&r->errors, ERR_FORBIDDEN, "Tasuki-Role", "not this user's role");
    r->staff_role = listed;
    r->staff_role_known = true;
    return ERR_OK;
}

/* An emergency session counts only with purpose BTG, for the facility that opened it, until it
 * expires. */
static enum err identify_glass(struct session *s, struct request *r)
{
    if (!slice_is(r->purpose, "BTG") || !r->glass_token.len || r->caller.facility.id <= 0)
        return ERR_OK;
    struct glass glass;
    bool forbids = false;
    enum err err =
        glass_find(s, r->arena, r->glass_token, r->caller.facility.id, session_now_ms(s), &glass);
    if (err == ERR_NOT_FOUND)
        return ERR_OK; /* grant_make refuses when there is none */
    if (err)
        return err;
    r->person = glass.person; /* whatever becomes of the request, it is about him */
    err = consent_forbids_emergency(s, glass.person, r->caller.facility.id, session_now_ms(s),
                                    &forbids);
    if (!err && forbids) /* he forbade it after the glass was broken */
        return err_add(&r->errors, ERR_EMERGENCY_FORBIDDEN, "", NULL);
    r->glass = glass;
    return err;
}

static enum err permit(struct session *s, struct request *r)
{
    enum err err = identify_caller(s, r);
    if (!err)
        err = identify_staff(s, r);
    if (!err)
        err = identify_glass(s, r);
    if (!err)
        err = grant_make(r);
    if (err)
        return err;
    wire_prepare(r);
    session_bind(s, &r->grant);
    return ERR_OK;
}

static enum err pipeline_look(struct session *s, struct store_job *job)
{
    struct request *r = (struct request *)job;
    enum err err = r->use->anyone ? ERR_OK : permit(s, r);
    if (!err && r->use->look)
        err = r->use->look(s, r);
    return err;
}

/* The store may roll a whole group back and try each job alone: a second attempt must find what the
 * first one found. */
static void begin_attempt(struct request *r)
{
    if (!r->applied)
        r->errors_before = r->errors;
    r->errors = r->errors_before;
    if (r->errors.last)
        r->errors.last->next = NULL;
    buf_clear(&r->answer_buf);
    r->applied = true;
}

/* The writer asks again: a certificate revoked while the request waited must not write. */
static enum err pipeline_apply(struct session *s, struct store_job *job)
{
    struct request *r = (struct request *)job;
    begin_attempt(r);
    enum err err = permit(s, r);
    return err ? err : r->use->apply(s, r);
}

static const char *text_of(struct request *r, struct slice text)
{
    return text.len ? arena_str(r->arena, text) : "";
}

/* Why: the use case's own words, the reason the glass was broken for, or the refusal. */
static const char *audit_reason(struct request *r)
{
    if (r->reason)
        return r->reason;
    if (r->job.err)
        return err_name(r->job.err);
    if (r->granted && r->grant.emergency)
        return arena_printf(r->arena, "break-glass: %.*s", SLICE_ARG(r->glass.reason));
    return "";
}

/* What every row of this request says alike. */
static struct audit_row audit_defaults(struct request *r)
{
    const struct registry_caller *c = &r->caller;
    return (struct audit_row){
        .event = r->use->event,
        .outcome = r->job.err,
        .door = door_names[r->door],
        .actor = c->person > 0        ? "resident"
                 : c->facility.id > 0 ? text_of(r, c->facility.key)
                                      : "unknown",
        .facility = c->facility.id,
        .user = text_of(r, r->user),
        .role = r->staff_role_known ? staff_role_code(r->staff_role) : "",
        .purpose = r->granted ? grant_purpose_code(r->grant.purpose) : "",
        .person = r->person,
        .entity = r->entity,
        .query = r->query,
        .count = r->job.err ? 0 : r->count,
        .reason = audit_reason(r),
        .request = r->id,
        .peer = text_of(r, r->peer),
    };
}

static enum err pipeline_audit(struct session *s, struct store_job *job)
{
    struct request *r = (struct request *)job;
    enum err err = ERR_OK;
    if (r->use->anyone)
        return ERR_OK;
    if (job->err && r->use->refused && r->granted)
        err = r->use->refused(s, r);
    struct audit_row row = audit_defaults(r);
    if (!err && (!r->audit_default_off || job->err))
        err = audit_append(s, &row);
    for (struct request_audit *a = r->audits; a && !err && !job->err; a = a->next) {
        row.person = a->row.person;
        row.entity = a->row.entity;
        row.count = a->row.count;
        row.reason = a->row.reason ? a->row.reason : audit_reason(r);
        err = audit_append(s, &row);
    }
    return err;
}

static void pipeline_done(struct store_job *job)
{
    struct request *r = (struct request *)job;
    if (job->err == ERR_INTERNAL || job->err == ERR_IO || job->err == ERR_UNAVAILABLE)
        log_error("request.failed", "id=%s event=%s err=%s", r->id, r->use->event,
                  err_name(job->err));
    if (r->use->writes && !job->err)
        r->exchange->writes++;
    if (r->answer)
        r->answer(r);
}

/* The request line as the audit row keeps it; made before the store takes over, whose writer has
 * better to do. */
static const char *query_of(struct request *r)
{
    struct slice a = r->method, b = r->target;
    char *text = a.len ? arena_alloc(r->arena, a.len + b.len + 2) : NULL;
    if (!text)
        return text_of(r, b);
    memcpy(text, a.ptr, a.len);
    text[a.len] = ' ';
    if (b.len)
        memcpy(text + a.len + 1, b.ptr, b.len);
    return text;
}

static void pipeline_prepare(struct request *r)
{
    r->query = query_of(r);
    assert(r->use && r->use->event && r->exchange && r->exchange->store);
    assert(!r->use->writes || r->use->apply);
    r->job.look = pipeline_look;
    r->job.quick = r->use->quick;
    r->job.apply = r->use->apply ? pipeline_apply : NULL;
    r->job.audit = pipeline_audit;
    r->job.done = pipeline_done;
}

void pipeline_start(struct request *r)
{
    pipeline_prepare(r);
    enum err err = store_submit(r->exchange->store, &r->job);
    if (!err)
        return;
    r->job.err = err;
    r->next = r->exchange->refused;
    r->exchange->refused = r;
}

unsigned pipeline_collect(struct exchange *x)
{
    unsigned count = store_collect(x->store);
    while (x->refused) {
        struct request *r = x->refused;
        x->refused = r->next;
        pipeline_done(&r->job);
        count++;
    }
    return count;
}

enum err pipeline_run(struct request *r)
{
    pipeline_prepare(r);
    r->answer = NULL;
    return store_run(r->exchange->store, &r->job);
}
