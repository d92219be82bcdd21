/* SPDX-License-Identifier: Apache-2.0
 *
 * The HL7 v2 door: one MLLP frame becomes one intake request, its end one acknowledgement
 * (docs/doors/mllp.md).
 */
#ifndef EXCHANGE_DOOR_MLLP_H
#define EXCHANGE_DOOR_MLLP_H

#include "exchange/exchange.h"
#include "exchange/net/mllp.h"

struct door_mllp {
    struct exchange *exchange;
    const char
        *facility_key; /* plain port: the facility it stands for; NULL: by client certificate */
};

/* mllp_options.handle with a struct door_mllp as context. */
void door_mllp_handle(struct mllp_call *call, void *context);
/* mllp_options.keys: one for each number of the patient. */
void door_mllp_keys(struct slice frame, struct mllp_keys *ret_keys);

#endif
