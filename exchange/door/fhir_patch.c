/* SPDX-License-Identifier: Apache-2.0
 *
 * PATCH of one resource, by id or by criteria (R4 http.html#patch): a JSON Patch, or a FHIRPath Patch in either form of FHIR.
 * An entry of a batch or transaction cannot carry a JSON Patch as its resource: there it comes in a Binary. This file
 * only finds out what patch was sent; fhir_revise.c does the rest.
 */
#include "base/digest.h"
#include "exchange/door/fhir_conditional.h"
#include "exchange/door/fhir_form.h"
#include "exchange/door/fhir_revise.h"
#include "mappers/fhir/patch_fhirpath.h"
#include "mappers/fhir/patch_json.h"
#include "mappers/fhir/validate.h"

#include "base/banned.h"

#define WRITERS ((1u << GRANT_FACILITY) | (1u << GRANT_RESIDENT) | (1u << GRANT_OPERATOR))

/* The JSON Patch in a Binary (R4 http.html#jsonpatch). */
static enum err unwrap(struct request *r, const struct json *binary)
{
    struct fhir_input *in = r->input;
    struct json_fault fault = {0};
    struct buf text;
    if (!fhir_media_is_json_patch(json_str(binary, "contentType")))
        return err_add(&r->errors, ERR_MEDIA_TYPE, "Binary.contentType",
                       FHIR_MEDIA_JSON_PATCH_NAME);
    buf_init(&text, LIMIT_HTTP_BODY);
    bool good = digest_unbase64(json_str(binary, "data"), false, &text) && !buf_err(&text);
    struct slice bytes = arena_dup(r->arena, buf_slice(&text));
    buf_fini(&text);
    if (!good || !bytes.len)
        return err_add(&r->errors, ERR_MALFORMED, "Binary.data", NULL);
    in->json_patch = true;
    enum err err = json_parse(r->arena, bytes, &in->patch, &fault);
    return err ? err_add_words(&r->errors, err, "Binary.data", fault.en ? fault.en : "",
                               fault.ja ? fault.ja : "")
               : ERR_OK;
}

static enum err read_patch(struct request *r)
{
    struct fhir_input *in = r->input;
    enum err err = in->checked ? ERR_OK : fhir_form_parse(r);
    if (err)
        return err;
    in->patch = in->resource;
    if (in->json_patch)
        return ERR_OK;
    struct slice type = json_str(in->resource, "resourceType");
    if (slice_is(type, "Binary"))
        return unwrap(r, in->resource);
    if (!slice_is(type, "Parameters"))
        return err_add(&r->errors, ERR_MALFORMED, "resourceType", "Parameters");
    return in->checked ? ERR_OK : validate_resource(in->resource, type, &r->errors);
}

static enum err change(struct request *r, const struct json *now, struct json **ret_then)
{
    const struct fhir_input *in = r->input;
    return in->json_patch
               ? patch_json_apply(r->arena, now, in->patch, ret_then, &r->errors)
               : patch_fhirpath_apply(r->arena, now, in->patch, ret_then, &r->errors);
}

static enum err patch_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    enum err err = ERR_OK;
    if (in->shape == FHIR_INSTANCE)
        err = fhir_no_params(r);
    else if (!in->condition.criteria.len)
        in->condition.criteria = fhir_conditional_criteria(r);
    if (in->shape != FHIR_INSTANCE && !in->condition.criteria.len)
        err = err_add_words(&r->errors, ERR_PRECONDITION, "",
                            "the criteria name nothing to look for", "検索条件がありません");
    if (!err)
        err = read_patch(r);
    return err ? err : fhir_revise_look(s, r, change);
}

static enum err patch_apply(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    enum err err = fhir_revise_apply(s, r, change);
    return err ? err : fhir_answer_written(s, r, &in->write);
}

const struct use fhir_use_patch = {.event = "patch",
                                   .actors = WRITERS,
                                   .writes = true,
                                   .look = patch_look,
                                   .apply = patch_apply};
