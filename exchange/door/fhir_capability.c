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

static enum err make_statement(struct request *r, struct buf *out)
{
    size_t room = 0, n = 0;
    while (fhir_routes[room].method)
        room++;
    struct outcome_route *routes = arena_array(r->arena, room, sizeof(*routes));
    if (!routes)
        return ERR_LIMIT;
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
    const struct json *statement = outcome_capability(r->arena, TASUKI_VERSION, r->base_url,
                                                      r->exchange->started_ms, routes, n);
    if (!statement || arena_exhausted(r->arena))
        return ERR_LIMIT;
    json_print(out, statement);
    return buf_err(out);
}

/* Made when first asked for, then kept: it says the same as long as the program runs. */
static enum err capability_look(struct session *s, struct request *r)
{
    struct exchange *x = r->exchange;
    struct buf *kept = &x->capabilities.text[r->base_url == x->portal_url];
    enum err err = ERR_OK;
    (void)s;
    (void)pthread_mutex_lock(&x->capabilities.lock);
    if (!kept->len)
        err = make_statement(r, kept);
    if (err)
        buf_clear(kept);
    (void)pthread_mutex_unlock(&x->capabilities.lock);
    if (!err)
        buf_add(&r->answer_buf, buf_slice(kept));
    return err ? err : buf_err(&r->answer_buf);
}

const struct use fhir_use_capability = {
    .event = "capabilities", .anyone = true, .look = capability_look};
