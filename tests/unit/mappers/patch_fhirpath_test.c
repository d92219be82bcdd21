/* SPDX-License-Identifier: Apache-2.0
 *
 * FHIRPath Patch over the cases in tests/cases/fhirpatch. There an operation is written short: its
 * parts as members, texts without their type. Here it becomes Parameters. Then what is no patch,
 * and bounds.
 */
#include "lib/fhir_t.h"
#include "lib/patch_case.h"

#include "base/limits.h"
#include "mappers/fhir/patch_fhirpath.h"

#include "base/banned.h"

/* {"type": "add", "path": ...} as the parts of an operation. */
static void add_operation(struct arena *a, struct json *list, const struct json *operation)
{
    struct json *parameter = json_push_object(a, list);
    json_put_text(a, parameter, "name", "operation");
    struct json *parts = json_put_array(a, parameter, "part");
    for (const struct json *m = operation->first; m; m = m->next) {
        bool type = slice_is(m->key, "type");
        struct json *part = m->kind == JSON_STRING ? json_new(a, JSON_OBJECT) : json_clone(a, m);
        json_push(parts, part);
        json_put_str(a, part, "name", m->key);
        json_put_str(a, part, type ? "valueCode" : "valueString", m->text);
    }
}

static struct json *parameters_of(struct arena *a, const struct json *operations)
{
    struct json *parameters = json_new(a, JSON_OBJECT);
    json_put_text(a, parameters, "resourceType", "Parameters");
    struct json *list = json_put_array(a, parameters, "parameter");
    for (const struct json *o = operations->first; o; o = o->next)
        add_operation(a, list, o);
    return parameters;
}

static bool run_case(struct arena *a, const struct json *c)
{
    struct patch_case_run run = {.target = json_get(c, "target"),
                                 .expected = json_get(c, "expected"),
                                 .code = json_str(c, "error"),
                                 .place = json_str(c, "place")};
    struct json *parameters = parameters_of(a, json_get(c, "operations"));
    struct json *before = json_clone(a, run.target);
    struct json *given = json_clone(a, parameters);
    err_list_init(&run.errors, a);
    run.err = patch_fhirpath_apply(a, run.target, parameters, &run.patched, &run.errors);
    assert_true(json_equal(before, run.target));
    assert_true(json_equal(given, parameters));
    return patch_case_judge(json_str(c, "comment"), &run);
}

static void own_cases(void **state)
{
    (void)state;
    assert_int_equal(patch_case_file("tests/cases/fhirpatch/operations.json", run_case), 0);
}

static void refuses_what_is_no_patch(void **state)
{
    static const char *const bad[] = {
        "{'resourceType':'Patient'}",
        "[]",
        "1",
        "{'resourceType':'Parameters','parameter':1}",
        "{'resourceType':'Parameters','parameter':[1]}",
        "{'resourceType':'Parameters','parameter':[{'name':'operation'}]}",
        "{'resourceType':'Parameters','parameter':[{'name':'other','part':[]}]}",
        "{'resourceType':'Parameters','parameter':[{'name':'operation','part':{}}]}",
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(bad); i++) {
        struct arena *a = arena_new(T_ARENA_MAX);
        struct err_list errors;
        struct json *patched = NULL;
        err_list_init(&errors, a);
        assert_int_equal(patch_fhirpath_apply(a, t_json(a, "{'resourceType':'Patient'}"),
                                              t_json(a, bad[i]), &patched, &errors),
                         ERR_MALFORMED);
        assert_null(patched);
        assert_int_equal(errors.errors, 1);
        arena_free(a);
    }
}

static enum err apply(const char *target, const char *operation, unsigned times)
{
    struct arena *a = arena_new(T_ARENA_MAX);
    struct err_list errors;
    struct json *patched = NULL;
    struct json *list = json_new(a, JSON_ARRAY);
    err_list_init(&errors, a);
    for (unsigned i = 0; i < times; i++)
        json_push(list, t_json(a, operation));
    enum err err =
        patch_fhirpath_apply(a, t_json(a, target), parameters_of(a, list), &patched, &errors);
    if (err)
        printf("%s: %s\n", err_name(err), errors.first ? errors.first->en : "");
    assert_true(err == ERR_OK ? patched && errors.errors == 0 : !patched && errors.errors == 1);
    arena_free(a);
    return err;
}

static void bounds(void **state)
{
    static const char target[] = "{'resourceType':'Patient','extension':[{'url':'u'}]}";
    static const char telecom[] = "{'type':'add','path':'Patient','name':'telecom','value':{'"
                                  "valueContactPoint':{'value':'1'}}}";
    static const char deeper[] =
        "{'type':'add','path':'descendants().where(url = %context.x or true)"
        ".ofType(Extension).last()','name':'extension','value':{"
        "'part':[{'name':'url','valueUri':'u'}]}}";
    static const char costly[] =
        "{'type':'delete','path':'descendants().select(%resource.descendants()"
        ".select(%resource.descendants())).where(false)'}";
    (void)state;
    assert_int_equal(apply(target, telecom, LIMIT_PATCH_OPERATIONS), ERR_OK);
    assert_int_equal(apply(target, telecom, LIMIT_PATCH_OPERATIONS + 1), ERR_TOO_LARGE);
    assert_int_equal(apply(target, deeper, 20), ERR_OK);
    assert_int_equal(apply(target, deeper, 40), ERR_TOO_DEEP);
    assert_int_equal(
        apply("{'resourceType':'Patient','name':[{'given':['a','b','c','d','e','f','g',"
              "'h','i','j','k','l','m','n','o','p']}]}",
              costly, LIMIT_PATCH_OPERATIONS),
        ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_cases),
        cmocka_unit_test(refuses_what_is_no_patch),
        cmocka_unit_test(bounds),
    };
    return T_RUN(tests);
}
