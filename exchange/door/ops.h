/* SPDX-License-Identifier: Apache-2.0
 *
 * The operator's door: /livez, /readyz, /metrics (Prometheus text), /version, on loopback only. No
 * patient data, no ids.
 */
#ifndef EXCHANGE_DOOR_OPS_H
#define EXCHANGE_DOOR_OPS_H

#include "exchange/exchange.h"
#include "exchange/net/http.h"
#include "exchange/net/mllp.h"
#include "exchange/net/quota.h"

struct door_ops {
    struct exchange *exchange;
    /* For their figures; may hold NULLs. */
    const struct http_server *const *http;
    const struct mllp_server *const *mllp;
    const struct quota *quota;
    bool stopping;
};

/* The listeners in the order of those lists, as metrics name them. */
#define OPS_HTTP_NAMES                                                                             \
    {                                                                                              \
        "system", "portal", "ops"                                                                  \
    }
#define OPS_MLLP_NAMES                                                                             \
    {                                                                                              \
        "mllps", "mllp"                                                                            \
    }
#define OPS_HTTP 3u
#define OPS_MLLP 2u

/* http_options.handle with a struct door_ops as context. */
void door_ops_handle(struct http_call *call, void *context);

#endif
