/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /fhir/metadata: the CapabilityStatement, from the same route table that answers requests.
 * Needs no known caller and holds nothing about anybody.
 */
#include "exchange/door/fhir.h"
#include "exchange/version.h"
#include "mappers/fhir/outcome.h"

#include "base/banned.h"

#define ROUTES_MAX 128

static enum err capability_look(struct session *s, struct request *r)
{
    struct outcome_route routes[ROUTES_MAX];
    size_t n = 0;
    (void)s;
    for (const struct fhir_route *row = fhir_routes; row->method && n < ROUTES_MAX; row++) {
        bool operation = row->shape == FHIR_TYPE_OPERATION || row->shape == FHIR_INSTANCE_OPERATION;
        if (row->use && (row->interaction || operation) && row->shape >= FHIR_TYPE)
            routes[n++] = (struct outcome_route){row->type, row->interaction,
                                                 operation ? row->name : NULL, row->params};
    }
    return fhir_answer_json(r, outcome_capability(r->arena, TASUKI_VERSION, r->base_url,
                                                  r->exchange->started_ms, routes, n));
}

const struct use fhir_use_capability = {
    .event = "capabilities", .anyone = true, .look = capability_look};
