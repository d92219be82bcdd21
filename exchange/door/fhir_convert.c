/* SPDX-License-Identifier: Apache-2.0
 *
 * $convert (R4 resource-operation-convert): a resource comes in one form and goes out in the other. It is checked as a body to
 * store is, nothing of it is looked up or kept; the form is made like that of every answer (fhir_form.c).
 */
#include "exchange/door/fhir_form.h"
#include "mappers/fhir/definition.h"
#include "mappers/fhir/validate.h"

#include "base/banned.h"

#define ANYBODY ((1u << GRANT_FACILITY) | (1u << GRANT_RESIDENT) | (1u << GRANT_OPERATOR))

/* The resource may come as it is, or as the parameter "input". */
static const struct json *input_of(const struct json *body)
{
    const struct json *list = json_get(body, "parameter");
    for (const struct json *p = list ? list->first : NULL; p; p = p->next)
        if (slice_is(json_str(p, "name"), "input") && json_get(p, "resource"))
            return json_get(p, "resource");
    return body;
}

static enum err convert_look(struct session *s, struct request *r)
{
    const struct fhir_input *in = r->input;
    enum err err = fhir_no_params(r);
    (void)s;
    if (!err)
        err = fhir_form_parse(r);
    struct slice type = json_str(in->resource, "resourceType");
    const struct definition_type *known = err ? NULL : definition_type(type);
    if (!err && (!known || known->kind != DEFINITION_RESOURCE))
        err = err_add(&r->errors, ERR_INVALID, "resourceType", NULL);
    if (!err)
        err = validate_resource(in->resource, type, &r->errors);
    return err ? err : fhir_answer_json(r, input_of(in->resource));
}

const struct use fhir_use_convert = {.event = "convert", .actors = ANYBODY, .look = convert_look};
