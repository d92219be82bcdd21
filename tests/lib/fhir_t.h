/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON in tests of FHIR mappers, written with ' for " so that it can be read in C.
 */
#ifndef TESTS_LIB_FHIR_T_H
#define TESTS_LIB_FHIR_T_H

#include "lib/t.h"

#include "base/json.h"

#define T_ARENA_MAX (64u << 20)

/* TEXT parsed, with every ' read as ". */
static inline struct json *t_json(struct arena *arena, const char *text)
{
    struct json *root = NULL;
    struct json_fault fault = {0};
    char *copy = arena_str(arena, slice_str(text));
    assert_non_null(copy);
    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    if (json_parse(arena, slice_str(copy), &root, &fault) != ERR_OK)
        print_error("%s\nat %zu: %s\n", text, fault.offset, fault.en);
    assert_non_null(root);
    return root;
}

#endif
