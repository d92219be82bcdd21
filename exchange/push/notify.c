/* SPDX-License-Identifier: Apache-2.0
 *
 * What a subscription needs of the store (see notify.h). A look passes over changes in order until
 * one is for the subscriber: still current, no delete marker, passing the criteria, visible; a
 * bounded number at a time, so that a long stretch of the log keeps no reader. Must not decide
 * about visibility: every record comes through the gate.
 */
#include "exchange/push/notify.h"

#include <stdio.h>

#include "exchange/door/fhir_query.h"
#include "exchange/gate/refs.h"
#include "exchange/use/write.h"
#include "storage/change.h"

#include "base/banned.h"

/* ── what is next ────────────────────────────────────────────────────────────────────────────── */

static enum err read_subscription(struct session *s, struct request *r, struct slice id,
                                  struct json **ret_resource)
{
    struct record record;
    struct json_fault fault = {0};
    enum err err = record_read(s, r->arena, SLICE("Subscription"), id, &record);
    if (!err && record.facility != r->grant.facility)
        err = ERR_NOT_FOUND;
    return err ? err : json_parse(r->arena, record.body, ret_resource, &fault);
}

static enum err read_channel(struct session *s, struct request *r, struct notify *n)
{
    struct json *resource = NULL;
    enum err err = read_subscription(s, r, n->id, &resource);
    if (err)
        return err;
    if (!slice_is(json_str(resource, "status"), "active"))
        return ERR_GONE;
    err = channel_read(r->arena, resource, r->exchange->conf.push_targets, &r->errors, &n->channel);
    if (!err && n->channel.ends_ms <= r->grant.now_ms)
        err = ERR_PRECONDITION;
    return err;
}

/* A resident has a Patient record at each facility; a reader is shown one of them. */
static enum err is_the_patient(struct session *s, struct request *r, const struct record *record,
                               bool *ret_is)
{
    struct record shown;
    enum err err;
    *ret_is = true;
    if (!slice_is(record->type, "Patient"))
        return ERR_OK;
    err = record_read_patient(s, r->arena, record->person, &shown);
    *ret_is = !err && shown.rid == record->rid;
    return err == ERR_NOT_FOUND || err == ERR_GONE ? ERR_OK : err;
}

static enum err is_for_him(struct session *s, struct request *r, const struct search *search,
                           const struct record *record, bool *ret_is)
{
    enum err err = ERR_OK;
    *ret_is = false;
    if (record->deleted)
        return ERR_OK;
    err = search_matches(s, search, record->rid, ret_is);
    return err || !*ret_is ? err : is_the_patient(s, r, record, ret_is);
}

static enum err disclose(struct session *s, struct request *r, struct notify *n,
                         const struct record *record)
{
    n->seq = record->seq;
    r->person = record->person;
    r->entity = fhir_entity(r, record->type, record->id);
    r->count = 1;
    r->audit_default_off = false;
    r->query = arena_printf(r->arena, "Subscription/%.*s %s%s", SLICE_ARG(n->id),
                            n->posting ? n->channel.target.tls ? "https://" : "http://" : "events",
                            n->posting ? n->channel.target.host : "");
    return n->channel.payload ? refs_outward(s, r, record, &r->answer_buf) : ERR_OK;
}

static enum err next_change(struct session *s, struct request *r, struct notify *n,
                            const struct search *search)
{
    struct change_query query = {.types = &n->channel.type,
                                 .type_count = 1,
                                 .oldest_first = true,
                                 .current_only = true,
                                 .after_given = true,
                                 .after = n->after,
                                 .limit = LIMIT_PUSH_SCAN};
    struct change_result found = {0};
    enum err err = change_last(s, &n->scanned);
    if (!err)
        err = change_list(s, r->arena, &query, &found);
    for (size_t i = 0; i < found.count && !err; i++) {
        bool his = false;
        err = is_for_him(s, r, search, &found.records[i], &his);
        if (!err && his)
            return disclose(s, r, n, &found.records[i]);
    }
    n->more = found.more;
    if (found.more && found.count)
        n->scanned = found.records[found.count - 1].seq;
    return err;
}

static enum err notify_look(struct session *s, struct request *r)
{
    struct notify *n = r->input;
    struct search search;
    enum err err = read_channel(s, r, n);
    r->audit_default_off = true;
    if (!err)
        err = fhir_query_parse(s, r, n->channel.type, n->channel.filters, &search);
    if (err)
        return err;
    if (n->posting && !n->channel.posts)
        return change_last(s, &n->scanned);
    r->person = 0; /* whom the criteria name is no disclosure */
    return next_change(s, r, n, &search);
}

const struct use notify_use = {
    .event = "notify", .actors = 1u << GRANT_FACILITY, .look = notify_look};

/* ── what became of it ───────────────────────────────────────────────────────────────────────── */

/* The next version of the resource, with STATUS and, for an error, why. */
static enum err set_status(struct session *s, struct request *r, struct notify_mark *m,
                           enum subscription_state state, const char *reason)
{
    struct json *resource = NULL;
    enum err err = read_subscription(s, r, m->id, &resource);
    if (err)
        return err;
    json_put_text(r->arena, resource, "status", subscription_state_code(state));
    json_remove(resource, "error");
    if (reason)
        json_put_text(r->arena, resource, "error", reason);
    json_put_str(r->arena, resource, "id", m->id);
    if (arena_exhausted(r->arena))
        return ERR_LIMIT;
    struct write w = {
        .type = SLICE("Subscription"), .id = m->id, .resource = resource, .client_ids = true};
    err = write_prepare(s, r, &w);
    if (!err)
        err = write_apply(s, r, &w);
    r->entity = fhir_entity(r, w.type, m->id);
    r->audit_default_off = false;
    r->count = 1;
    return err;
}

/* 1 s, 2 s, 4 s ... */
static int64_t next_attempt(const struct request *r, unsigned failures)
{
    int64_t wait = failures < 20 ? INT64_C(1000) << failures : LIMIT_PUSH_BACKOFF_MS;
    return r->grant.now_ms + (wait < LIMIT_PUSH_BACKOFF_MS ? wait : LIMIT_PUSH_BACKOFF_MS);
}

static enum err count_failure(struct session *s, struct request *r, struct notify_mark *m)
{
    struct subscription row;
    enum err err = subscription_get(s, r->arena, m->rid, &row);
    if (err)
        return err;
    unsigned failures = row.stuck == m->seq ? row.failures + 1 : 1;
    err = subscription_fail(s, m->rid, m->seq, next_attempt(r, failures - 1), slice_str(m->reason));
    if (err || failures < LIMIT_PUSH_FAILURES)
        return err;
    return set_status(s, r, m, SUBSCRIPTION_ERROR, m->reason);
}

/* What failed is tried at once, by whoever looks at the table next. */
static enum err forgive(struct session *s, struct request *r, struct notify_mark *m)
{
    struct subscription row;
    enum err err = subscription_get(s, r->arena, m->rid, &row);
    if (!err)
        err = subscription_advance(s, m->rid, row.position);
    return err ? err : set_status(s, r, m, SUBSCRIPTION_REQUESTED, NULL);
}

static enum err mark_apply(struct session *s, struct request *r)
{
    struct notify_mark *m = r->input;
    enum err err = ERR_OK;
    r->audit_default_off = true;
    switch (m->verdict) {
    case NOTIFY_ACTIVATE:
        err = set_status(s, r, m, SUBSCRIPTION_ACTIVE, NULL);
        break;
    case NOTIFY_DELIVERED:
        err = subscription_advance(s, m->rid, m->seq);
        break;
    case NOTIFY_FAILED:
        err = count_failure(s, r, m);
        break;
    case NOTIFY_STOP:
        err = set_status(s, r, m, SUBSCRIPTION_ERROR, m->reason);
        break;
    case NOTIFY_END:
        err = set_status(s, r, m, SUBSCRIPTION_OFF, NULL);
        break;
    case NOTIFY_RETRY:
        err = forgive(s, r, m);
        break;
    }
    return err ? err : subscription_get(s, r->arena, m->rid, &m->now);
}

const struct use notify_mark_use = {.event = "subscription-status",
                                    .actors = 1u << GRANT_FACILITY,
                                    .writes = true,
                                    .apply = mark_apply};

/* ── who waits ───────────────────────────────────────────────────────────────────────────────── */

static enum err poll_look(struct session *s, struct request *r)
{
    struct notify_poll *p = r->input;
    enum err err = change_last(s, &p->last);
    if (!err)
        err = subscription_list(s, r->arena, &p->list, &p->count);
    if (!err && r->exchange->conf.feed_count > 0)
        err = feed_list(s, r->arena, &p->feeds, &p->feed_count);
    return err;
}

const struct use notify_poll_use = {.event = "notify-poll", .anyone = true, .look = poll_look};
