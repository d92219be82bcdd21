/* SPDX-License-Identifier: Apache-2.0
 *
 * Creating a resource from inside (see fhir_load.h). The type and id are read from the text;
 * everything else is the pipeline's.
 */
#include "exchange/door/fhir_load.h"

#include "exchange/door/fhir.h"

#include "base/banned.h"

/* Types that are kept under the id they come with: loading them again changes nothing. */
static bool keeps_id(struct slice type)
{
    static const char *const kept[] = {"Organization", "CodeSystem",      "ConceptMap",
                                       "NamingSystem", "SearchParameter", "StructureDefinition",
                                       "ValueSet"};
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        if (slice_is(type, kept[i]))
            return true;
    return false;
}

static void route_by_content(struct request *r, struct fhir_input *in)
{
    struct json *resource = NULL;
    struct json_fault fault;
    r->use = &fhir_use_create;
    if (json_parse(r->arena, r->body, &resource, &fault))
        return; /* the use case will say what is wrong */
    in->type = json_str(resource, "resourceType");
    if (keeps_id(in->type) && json_str(resource, "id").len) {
        in->id = json_str(resource, "id");
        r->use = &fhir_use_update;
    }
}

static struct request *local_request(struct exchange *x, struct slice facility_key,
                                     struct slice body)
{
    struct request *r = request_new(x, REQUEST_COMMAND);
    struct fhir_input *in = r ? ARENA_NEW(r->arena, struct fhir_input) : NULL;
    if (!in) {
        request_free(r);
        return NULL;
    }
    r->input = in;
    r->facility_key = facility_key;
    r->peer = SLICE("local");
    r->body = body;
    in->wish.form = in->body_media = FHIR_MEDIA_JSON;
    in->minimal = true;
    r->method = SLICE("POST");
    return r;
}

struct request *fhir_load_bundle(struct exchange *x, struct slice facility_key,
                                 struct slice bundle_json)
{
    struct request *r = local_request(x, facility_key, bundle_json);
    if (!r)
        return NULL;
    r->use = &fhir_use_bundle;
    r->target = SLICE("/fhir");
    return r;
}

struct request *fhir_load_request(struct exchange *x, struct slice facility_key,
                                  int64_t resident_person, struct slice resource_json)
{
    struct request *r = local_request(x, facility_key, resource_json);
    if (!r)
        return NULL;
    struct fhir_input *in = r->input;
    if (!facility_key.len)
        r->caller.person = resident_person;
    route_by_content(r, in);
    r->target = slice_str(arena_printf(r->arena, "/fhir/%.*s", SLICE_ARG(in->type)));
    return r;
}
