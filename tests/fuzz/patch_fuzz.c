/* SPDX-License-Identifier: Apache-2.0
 *
 * Any JSON {"target": ..., "patch": ...}: a list is taken as JSON Patch, anything else as FHIRPath Patch. It must end
 * well: a result that is not too deep, or an error that is told; the target stays as it was.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "mappers/fhir/patch_fhirpath.h"
#include "mappers/fhir/patch_json.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static unsigned height_of(const struct json *value)
{
    unsigned height = 0;
    for (const struct json *c = value->first; c; c = c->next) {
        unsigned below = height_of(c);
        height = below > height ? below : height;
    }
    return height + 1;
}

static void check_counts(const struct json *value)
{
    const struct json *last = NULL;
    uint32_t count = 0;
    for (const struct json *c = value->first; c; c = c->next, count++) {
        check_counts(c);
        last = c;
    }
    must(count == value->count && value->last == last);
}

static void apply(struct arena *arena, const struct json *target, const struct json *patch)
{
    struct err_list errors;
    struct json *patched = NULL;
    struct json *before = json_clone(arena, target);
    err_list_init(&errors, arena);
    enum err err = patch->kind == JSON_ARRAY
                       ? patch_json_apply(arena, target, patch, &patched, &errors)
                       : patch_fhirpath_apply(arena, target, patch, &patched, &errors);
    must(json_equal(before, target) || arena_exhausted(arena));
    must((err == ERR_OK) == (patched != NULL));
    must(err == ERR_OK ? errors.errors == 0 : errors.errors == 1 || arena_exhausted(arena));
    if (patched) {
        check_counts(patched);
        must(height_of(patched) <= LIMIT_JSON_DEPTH);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *root = NULL;
    struct json_fault fault;
    struct arena *arena = arena_new(16 * LIMIT_MIB);
    must(arena != NULL);
    if (json_parse(arena, slice_of(data, size), &root, &fault) == ERR_OK) {
        const struct json *target = json_get(root, "target");
        const struct json *patch = json_get(root, "patch");
        if (target && patch)
            apply(arena, target, patch);
    }
    arena_free(arena);
    return 0;
}
