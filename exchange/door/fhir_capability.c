/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /fhir/metadata: the CapabilityStatement, from the same route table that answers requests.
 * Needs no known caller and holds nothing about anybody.
 */
#include "exchange/door/fhir_operation.h"
#include "exchange/version.h"
#include "mappers/fhir/outcome.h"

#include "base/banned.h"

/* HL7's own definition where there is one, so that a client knows it without asking; ours says what of it is supported. */
static const char *definition_of(struct request *r, const struct fhir_operation *op)
{
    return op->base ? op->base : fhir_operation_url(r->arena, r->base_url, op);
}

static const struct json *make_statement(struct request *r)
{
    size_t room = 0, n = 0;
    while (fhir_routes[room].method)
        room++;
    struct outcome_route *routes = arena_array(r->arena, room, sizeof(*routes));
    if (!routes)
        return NULL;
    for (const struct fhir_route *row = fhir_routes; row->method; row++) {
        const struct fhir_operation *op = fhir_operation_of(row);
        if (row->use && (row->interaction || op))
            routes[n++] = (struct outcome_route){
                .type = row->type,
                .interaction = row->interaction,
                .operation = op ? op->name : NULL,
                .params = row->params,
                .definition = op ? definition_of(r, op) : NULL,
                .system = row->shape == FHIR_SYSTEM_OPERATION};
    }
    return outcome_capability(r->arena, TASUKI_VERSION, r->base_url, r->exchange->started_ms, routes,
                              n);
}

static enum err capability_look(struct session *s, struct request *r)
{
    (void)s;
    return fhir_answer_kept(r, EXCHANGE_KEPT_CAPABILITY, make_statement);
}

const struct use fhir_use_capability = {
    .event = "capabilities", .anyone = true, .look = capability_look};
