/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON Patch over the cases in tests/cases/jsonpatch and those of the public corpus, which have the
 * same form: doc, patch, and expected or error. Then its bounds.
 */
#include "lib/fhir_t.h"
#include "lib/patch_case.h"

#include "base/limits.h"
#include "mappers/fhir/patch_json.h"

#include "base/banned.h"

static bool run_case(struct arena *a, const struct json *c)
{
    struct patch_case_run run = {.target = json_get(c, "doc"),
                                 .expected = json_get(c, "expected"),
                                 .place = json_str(c, "place")};
    struct slice code = json_str(c, "error");
    run.code = slice_starts(code, SLICE("ERR_")) ? code : SLICE_NONE; /* the corpus has words */
    err_list_init(&run.errors, a);
    struct json *before = json_clone(a, run.target);
    run.err = patch_json_apply(a, run.target, json_get(c, "patch"), &run.patched, &run.errors);
    assert_true(json_equal(before, run.target));
    return patch_case_judge(json_str(c, "comment"), &run);
}

static void own_cases(void **state)
{
    (void)state;
    assert_int_equal(patch_case_file("tests/cases/jsonpatch/operations.json", run_case), 0);
}

static void corpus_cases(void **state)
{
    char path[2048];
    (void)state;
    if (!t_corpus("fhir/patch/json-patch-tests.json", path, sizeof(path)))
        skip();
    assert_int_equal(patch_case_file(path, run_case), 0);
}

static enum err apply(const char *doc, const char *operation, unsigned times)
{
    struct arena *a = arena_new(T_ARENA_MAX);
    struct err_list errors;
    struct json *patched = NULL;
    struct json *patch = json_new(a, JSON_ARRAY);
    err_list_init(&errors, a);
    for (unsigned i = 0; i < times; i++)
        json_push(patch, t_json(a, operation));
    enum err err = patch_json_apply(a, t_json(a, doc), patch, &patched, &errors);
    assert_true(err == ERR_OK || (errors.errors == 1 && !patched));
    arena_free(a);
    return err;
}

static void bounds(void **state)
{
    static const char doubling[] = "{'op':'copy','from':'/a','path':'/a/-'}";
    static const char wider[] = "{'op':'copy','from':'','path':'/a/0/b'}";
    static const char plain[] = "{'op':'add','path':'/x','value':1}";
    (void)state;
    assert_int_equal(apply("{'a':[1]}", doubling, 10), ERR_OK);
    assert_int_equal(apply("{'a':[1]}", doubling, 40), ERR_TOO_LARGE);
    assert_int_equal(apply("{'a':[{}]}", wider, 5), ERR_OK);
    assert_int_equal(apply("{'a':[{}]}", wider, 40), ERR_TOO_DEEP);
    assert_int_equal(apply("{}", plain, LIMIT_PATCH_OPERATIONS), ERR_OK);
    assert_int_equal(apply("{}", plain, LIMIT_PATCH_OPERATIONS + 1), ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_cases),
        cmocka_unit_test(corpus_cases),
        cmocka_unit_test(bounds),
    };
    return T_RUN(tests);
}
