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

struct door_ops {
    struct exchange *exchange;
    const struct mllp_server *const *mllp; /* for their figures; may hold NULLs */
    unsigned mllp_count;
    bool stopping;
};

/* http_options.handle with a struct door_ops as context. */
void door_ops_handle(struct http_call *call, void *context);

#endif
