/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing a Subscription (see subscribe.h). R4 lets a client ask for `requested` and `off`; `active` and `error` are the
 * server's words. A subscription speaks with the certificate and purpose it was written with, so without a certificate
 * there is none.
 */
#include "exchange/push/subscribe.h"

#include "exchange/door/fhir_query.h"
#include "exchange/gate/grant.h"
#include "exchange/push/channel.h"
#include "exchange/push/notify.h"
#include "storage/subscription.h"

#include "base/banned.h"

/* The dispatcher, or the operator's command, writes a status in the subscriber's name. */
static bool is_servers_own(const struct request *r)
{
    return r->use == &notify_mark_use;
}

/* One whose end has passed is only kept, whatever it says of itself: there is nothing to deliver. */
static bool is_over(const struct request *r, const struct json *resource)
{
    struct slice end = json_str(resource, "end");
    struct when when;
    return end.len && when_parse_fhir(end, false, &when) && when.hi_ms <= r->grant.now_ms;
}

static enum err check_status(struct request *r, struct slice status)
{
    if (slice_is(status, "requested") || slice_is(status, "off"))
        return ERR_OK;
    return err_add_words(&r->errors, ERR_INVALID, "Subscription.status",
                         "a client writes requested or off",
                         "クライアントが書けるのは requested か off です");
}

/* What the search refuses is what this resource may not say: 422, not 400. */
static enum err check_criteria(struct session *s, struct request *r, const struct channel *channel)
{
    struct search search;
    enum err err = fhir_query_parse(s, r, channel->type, channel->filters, &search);
    if (err && err_http(err) >= 400 && err_http(err) < 500)
        return err_add(&r->errors, ERR_INVALID, "Subscription.criteria", "%.*s",
                       SLICE_ARG(channel->filters));
    return err;
}

enum err subscribe_check(struct session *s, struct request *r, const struct json *resource)
{
    struct channel channel = {0};
    if (is_servers_own(r) || is_over(r, resource))
        return ERR_OK;
    if (r->grant.actor != GRANT_FACILITY || !r->has_cert)
        return err_add_words(&r->errors, ERR_FORBIDDEN, "Subscription",
                             "only a facility's system, with its certificate",
                             "証明書を持つ施設のシステムだけです");
    enum err status = check_status(r, json_str(resource, "status"));
    enum err err = channel_read(r->arena, resource, r->exchange->conf.push_targets, &r->errors,
                                &channel);
    if (err || status)
        return err ? err : status;
    int64_t person = r->person;
    err = check_criteria(s, r, &channel);
    r->person = person ? person : r->person;
    return err;
}

enum err subscribe_note(struct session *s, struct request *r, const struct json *resource,
                        struct slice id, const struct record_mark *mark)
{
    struct subscription row = {0};
    enum subscription_state state = SUBSCRIPTION_OFF;
    size_t count = 0;
    if (!is_servers_own(r) && is_over(r, resource))
        return subscribe_forget(s, r, mark->rid);
    enum err err = subscription_get(s, r->arena, mark->rid, &row);
    if (err && err != ERR_NOT_FOUND)
        return err;
    if (!subscription_state_find(json_str(resource, "status"), &state))
        return ERR_INVALID;
    bool fresh = err == ERR_NOT_FOUND || row.state == SUBSCRIPTION_OFF;
    r->exchange->subscription_writes++;
    if (is_servers_own(r)) {
        row.state = state;
        return err ? err : subscription_put(s, &row);
    }
    err = fresh ? subscription_count(s, r->grant.facility, &count) : ERR_OK;
    if (!err && count >= LIMIT_SUBSCRIPTIONS)
        err = err_add(&r->errors, ERR_LIMIT, "Subscription", "%u", LIMIT_SUBSCRIPTIONS);
    if (err)
        return err;
    row = (struct subscription){
        .rid = mark->rid,
        .id = id,
        .facility = r->grant.facility,
        .purpose = slice_str(grant_purpose_code(r->grant.purpose)),
        .state = state,
        .position = fresh ? mark->seq : row.position,
    };
    memcpy(row.fingerprint, r->fingerprint, DIGEST_LEN);
    return subscription_put(s, &row);
}

enum err subscribe_forget(struct session *s, struct request *r, int64_t rid)
{
    r->exchange->subscription_writes++;
    return subscription_drop(s, rid);
}
