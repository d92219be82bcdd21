/* SPDX-License-Identifier: Apache-2.0
 *
 * What a Subscription resource (R4 subscription.html) asks for, read in one place: when it is written, to refuse what
 * cannot be done, and each time something is to be delivered.
 */
#ifndef EXCHANGE_PUSH_CHANNEL_H
#define EXCHANGE_PUSH_CHANNEL_H

#include "base/json.h"
#include "exchange/net/outbound.h"

struct channel {
    struct slice status;
    struct slice type;     /* of the criteria: "Observation" */
    struct slice filters;  /* the rest, URL-encoded: "code=..." */
    bool posts;            /* it has an endpoint; else it is only listened to */
    struct outbound_target target;
    struct slice fields;   /* of the POST: "Name: value\r\n" each */
    bool payload;          /* the resource is sent; else only that there is something */
    int64_t ends_ms;       /* INT64_MAX: never */
};

/* Reads RESOURCE; TARGETS is the operator's list (target.h). What cannot be done goes to ERRORS with its place, the first
 * refusal is returned. */
enum err channel_read(struct arena *arena, const struct json *resource, const char *targets,
                      struct err_list *errors, struct channel *ret_channel) ERR_CHECKED;

#endif
