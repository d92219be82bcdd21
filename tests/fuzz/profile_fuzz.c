/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a resource with the definitions it is checked against: profiles that slice, derive
 * from and contain themselves, value sets and code systems in any tangle. All must end, say what
 * they found, and leave the resource alone.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "mappers/fhir/claims.h"
#include "mappers/fhir/profile.h"
#include "mappers/fhir/valueset.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static enum err resolve(void *context, const char *type, struct slice canonical,
                        struct json **ret_definition)
{
    const struct json *list = context;
    for (struct json *i = list ? list->first : NULL; i; i = i->next) {
        if (slice_is(json_str(i, "resourceType"), type) &&
            slice_eq(json_str(i, "url"), canonical_url(canonical))) {
            *ret_definition = i;
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

static void check_set(struct arena *arena, const struct json *set,
                      const struct canonical_source *source)
{
    struct valueset_code *codes = NULL, found;
    enum valueset_answer answer = VALUESET_UNKNOWN;
    struct err_list errors;
    size_t count = 0;
    err_list_init(&errors, arena);
    enum err err = valueset_expand(arena, set, source, &errors, &codes, &count);
    must(err == ERR_OK || err == ERR_LIMIT || err == ERR_TOO_LARGE || errors.errors > 0);
    for (size_t i = 0; i < count && i < 4; i++) {
        must(count <= LIMIT_VALUESET_CODES);
        if (valueset_member(arena, set, source, codes[i].system, codes[i].code, &answer, &found) ==
            ERR_OK)
            must(answer != VALUESET_OUT || codes[i].system.len == 0 || codes[i].code.len == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *root = NULL;
    struct json_fault fault = {0};
    struct err_list errors;
    struct arena *arena = arena_new(16 * LIMIT_MIB);
    must(arena != NULL);
    err_list_init(&errors, arena);
    if (json_parse(arena, slice_of(data, size), &root, &fault) == ERR_OK) {
        struct json *definitions = json_get(root, "definitions");
        struct json *resource = json_get(root, "resource");
        const struct canonical_source source = {resolve, definitions};
        struct json *before = json_clone(arena, resource);
        for (struct json *i = definitions ? definitions->first : NULL; i && resource; i = i->next) {
            if (slice_is(json_str(i, "resourceType"), "ValueSet"))
                check_set(arena, i, &source);
            else if (profile_check(resource, i, &source, &errors) == ERR_INVALID)
                must(errors.errors > 0);
        }
        if (resource)
            (void)!claims_check(resource, &source, &errors);
        must(!resource || arena_exhausted(arena) || json_equal(before, resource));
    }
    arena_free(arena);
    return 0;
}
