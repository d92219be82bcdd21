/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a FHIRPath expression, and after the first line end any JSON as what it runs on (a
 * small Patient when that is none). Compiling and evaluating must end well: a result, or a fault
 * with a place and texts in both languages. Elements in the result must hang where they say.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "mappers/fhir/fhirpath.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char patient[] =
    "{\"resourceType\":\"Patient\",\"id\":\"a\",\"name\":[{\"given\":[\"b\",null],\"_given\":[null,"
    "{\"id\":\"c\"}]}],\"birthDate\":\"2000-01-01\",\"multipleBirthInteger\":2,\"contained\":[{"
    "\"resourceType\":\"Observation\",\"id\":\"o\",\"valueQuantity\":{\"value\":1.50}}],"
    "\"generalPractitioner\":[{\"reference\":\"#o\"},{\"reference\":\"Practitioner/1\"}]}";

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void check_value(const struct fhirpath_value *v)
{
    must(!v->element == !v->parent);
    must(v->kind == FHIRPATH_OBJECT || v->text.len == 0 || v->text.ptr);
    if (!v->parent)
        return;
    must(v->node || v->shadow);
    struct json *member = json_get(v->parent, v->element->name);
    if (v->node)
        must(v->position < 0 ? member == v->node
                             : json_at(member, (uint32_t)v->position) == v->node);
}

static void run(struct arena *arena, struct slice text, struct json *resource)
{
    struct fhirpath *path = NULL;
    struct fhirpath_fault fault = {0};
    struct fhirpath_values values = {0};
    struct fhirpath_scene scene = {resource, NULL, NULL, NULL, NULL};
    enum err err = fhirpath_compile(arena, text, &path, &fault);
    if (!err)
        err = fhirpath_eval(path, arena, &scene, &values, &fault);
    must(!err || (fault.en && fault.ja && fault.column > 0));
    for (size_t i = 0; i < values.count; i++)
        check_value(&values.items[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    struct slice text = slice_cut(&rest, '\n');
    struct json *resource = NULL;
    struct json_fault fault;
    struct arena *arena = arena_new(16 * LIMIT_MIB);
    must(arena != NULL);
    if (!rest.ptr || json_parse(arena, rest, &resource, &fault) != ERR_OK) {
        enum err err = json_parse(arena, slice_str(patient), &resource, NULL);
        must(err == ERR_OK || arena_exhausted(arena));
    }
    if (resource)
        run(arena, text, resource);
    arena_free(arena);
    return 0;
}
