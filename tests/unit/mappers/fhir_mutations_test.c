/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/cases/fhir/mutations.json: valid resources, and one thing broken in one of them in each row
 * ("put" at a JSON Pointer, or taken away when there is no "put"). Each must give exactly one error
 * (or as many as "errors" says), the first with the code and the expression named. Every rule of
 * the invariant table must be readable too.
 */
#include "lib/fhir_t.h"

#include <inttypes.h>

#include "base/limits.h"
#include "mappers/fhir/invariant.h"
#include "mappers/fhir/validate.h"

#include "base/banned.h"

#define FILE_NAME "tests/cases/fhir/mutations.json"

static struct json *load(struct arena *arena)
{
    struct json *root = NULL;
    char *bytes = arena_alloc(arena, LIMIT_MIB);
    FILE *file = fopen(FILE_NAME, "rb");
    assert_non_null(file);
    size_t n = fread(bytes, 1, LIMIT_MIB, file);
    fclose(file);
    assert_int_equal(json_parse(arena, slice_of(bytes, n), &root, NULL), ERR_OK);
    return root;
}

static struct json *child(struct json *json, struct slice name)
{
    uint64_t n;
    if (json->kind == JSON_ARRAY)
        return slice_u64(name, &n) ? json_at(json, (uint32_t)n) : NULL;
    return json_get_slice(json, name);
}

/* Puts VALUE (NULL: nothing) where the pointer AT leads. */
static void mutate(struct arena *arena, struct json *json, struct slice at, struct json *value)
{
    struct slice rest = slice_sub(at, 1, at.len);
    struct slice name = slice_cut(&rest, '/');
    while (rest.ptr) {
        json = child(json, name);
        assert_non_null(json);
        name = slice_cut(&rest, '/');
    }
    if (json->kind == JSON_OBJECT) {
        if (value)
            json_set(json, arena_str(arena, name), value);
        else
            assert_true(json_remove(json, arena_str(arena, name)));
        return;
    }
    struct json *old = child(json, name);
    if (!old) {
        json_push(json, value);
        return;
    }
    struct json *next = old->next;
    assert_non_null(value);
    *old = *value;
    old->next = next;
}

static bool run_row(const struct json *bases, const struct json *row, const char *text)
{
    struct arena *arena = arena_new(T_ARENA_MAX);
    struct err_list errors;
    struct json *json = json_clone(arena, json_get_slice(bases, json_str(row, "base")));
    assert_non_null(json);
    mutate(arena, json, json_str(row, "at"), json_clone(arena, json_get(row, "put")));
    err_list_init(&errors, arena);
    enum err err = validate_resource(json, SLICE_NONE, &errors);
    const struct err_item *first = errors.first;
    while (first && first->severity != ERR_SEVERITY_ERROR)
        first = first->next;
    unsigned wanted = json_get(row, "errors") ? 2 : 1;
    bool good = first && slice_is(json_str(row, "code"), err_name(err)) &&
                errors.errors == wanted && slice_is(json_str(row, "expression"), first->place);
    if (!good) {
        print_error("%s\n", text);
        for (const struct err_item *i = errors.first; i; i = i->next)
            print_error("   %s at %s: %s\n", err_name(i->code), i->place, i->en);
    }
    arena_free(arena);
    return good;
}

static void bases_are_valid(void **state)
{
    struct arena *arena = arena_new(T_ARENA_MAX);
    struct err_list errors;
    (void)state;
    for (struct json *b = json_get(load(arena), "bases")->first; b; b = b->next) {
        err_list_init(&errors, arena);
        if (validate_resource(b, SLICE_NONE, &errors) || errors.warnings)
            fail_msg("%.*s: %s: %s", SLICE_ARG(b->key), errors.first->place, errors.first->en);
    }
    arena_free(arena);
}

static void each_mutation_is_found(void **state)
{
    struct arena *arena = arena_new(T_ARENA_MAX);
    struct json *root = load(arena);
    unsigned passed = 0, failed = 0;
    (void)state;
    for (struct json *row = json_get(root, "mutations")->first; row; row = row->next) {
        struct buf text;
        buf_init(&text, LIMIT_MIB);
        json_print(&text, row);
        buf_addc(&text, '\0');
        if (run_row(json_get(root, "bases"), row, text.ptr))
            passed++;
        else
            failed++;
        buf_fini(&text);
    }
    printf("mutations: %u found, %u not\n", passed, failed);
    assert_int_equal(failed, 0);
    assert_true(passed >= 150);
    arena_free(arena);
}

/* Every rule can be read, and the table is sorted. */
static void rules_can_be_read(void **state)
{
    struct arena *arena = arena_new(T_ARENA_MAX);
    struct json *nothing = json_new(arena, JSON_OBJECT);
    (void)state;
    for (size_t i = 0; i < invariant_count; i++) {
        const struct invariant *row = &invariant_table[i];
        if (row->rule)
            (void)invariant_rule(row->rule, nothing, arena);
        assert_true(i == 0 || strcmp(invariant_table[i - 1].type, row->type) <= 0);
        assert_true(strcmp(row->type, "Element") == 0 || strcmp(row->type, "DomainResource") == 0 ||
                    definition_type(slice_str(row->type)));
    }
    assert_true(invariant_known(SLICE("obs-6")) && invariant_known(SLICE("ref-1")));
    assert_false(invariant_known(SLICE("jp-1")));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bases_are_valid),
        cmocka_unit_test(each_mutation_is_found),
        cmocka_unit_test(rules_can_be_read),
    };
    return T_RUN(tests);
}
