/* SPDX-License-Identifier: Apache-2.0
 *
 * The documents the doors speak must themselves be valid R4, and say what they are asked to say.
 */
#include "lib/fhir_t.h"

#include "mappers/fhir/outcome.h"
#include "mappers/fhir/validate.h"

#include "base/banned.h"

static void assert_valid(struct arena *a, const struct json *resource)
{
    struct err_list errors;
    err_list_init(&errors, a);
    assert_non_null(resource);
    if (validate_resource(resource, SLICE_NONE, &errors) != ERR_OK)
        fail_msg("%s: %s", errors.first->place, errors.first->en);
}

static void tells_each_error(void **state)
{
    (void)state;
    for (int code = ERR_OK; code < ERR_COUNT; code++) {
        struct arena *a = arena_new(T_ARENA_MAX);
        struct json *outcome = outcome_json(a, (enum err)code, NULL);
        struct json *issue = json_path(outcome, "issue", "0", NULL);
        assert_valid(a, outcome);
        assert_slice(json_str(issue, "severity"), code ? "error" : "information");
        assert_slice(json_str(issue, "diagnostics"), err_name((enum err)code));
        assert_null(json_get(issue, "expression"));
        arena_free(a);
    }
}

static void tells_a_list(void **state)
{
    struct arena *a = arena_new(T_ARENA_MAX);
    struct err_list errors;
    (void)state;
    err_list_init(&errors, a);
    (void)err_add(&errors, ERR_REQUIRED, "Patient.name", "%s", "x");
    (void)err_say(&errors, ERR_SEVERITY_WARNING, ERR_INVALID, "", "en", "ja");
    struct json *outcome = outcome_json(a, ERR_INTERNAL, &errors);
    assert_valid(a, outcome);
    assert_int_equal(json_get(outcome, "issue")->count, 2);
    assert_slice(json_path(outcome, "issue", "0", "expression", "0", NULL)->text, "Patient.name");
    assert_slice(json_path(outcome, "issue", "0", "code", NULL)->text, "required");
    assert_slice(json_path(outcome, "issue", "1", "details", "text", NULL)->text, "ja / en");
    assert_slice(json_path(outcome, "issue", "1", "severity", NULL)->text, "warning");
    err_list_init(&errors, a);
    outcome = outcome_json(a, ERR_BUSY, &errors);
    assert_slice(json_path(outcome, "issue", "0", "diagnostics", NULL)->text, "ERR_BUSY");
    arena_free(a);
}

static struct json *resource_of(struct json *statement, const char *type)
{
    struct json *list = json_path(statement, "rest", "0", "resource", NULL);
    for (struct json *r = list ? list->first : NULL; r; r = r->next) {
        if (slice_is(json_str(r, "type"), type))
            return r;
    }
    return NULL;
}

static void tells_what_it_can(void **state)
{
    static const struct outcome_route routes[] = {
        {.type = "AuditEvent", .interaction = "read"},
        {.interaction = "read conditional-read"},
        {.interaction = "vread read-history"},
        {.interaction = "search-type"},
        {.interaction = "search-type"},
        {.interaction = "conditional-delete conditional-patch"},
        {.interaction = "transaction batch"},
        {.type = "Patient", .operation = "match", .definition = "http://d/match"},
        {.type = "Patient", .operation = "match", .definition = "http://d/match"},
        {.type = "Patient", .operation = "break-glass", .definition = "https://h/fhir/OperationDefinition/x"},
        {.operation = "validate", .definition = "http://d/validate"},
        {.operation = "convert", .definition = "http://d/convert", .system = true},
    };
    struct arena *a = arena_new(T_ARENA_MAX);
    struct json *s = outcome_capability(a, "0.1.0", "https://h/fhir", 0, routes, T_COUNT(routes));
    (void)state;
    assert_false(arena_exhausted(a));
    assert_valid(a, s);
    assert_slice(json_str(s, "fhirVersion"), "4.0.1");
    assert_int_equal(json_path(s, "rest", "0", "resource", NULL)->count, 146);
    struct json *patient = resource_of(s, "Patient");
    assert_int_equal(json_get(patient, "interaction")->count, 3);
    assert_int_equal(json_get(patient, "operation")->count, 3);
    assert_slice(json_path(patient, "operation", "1", "definition", NULL)->text,
                 "https://h/fhir/OperationDefinition/x");
    assert_true(json_is_true(json_get(patient, "readHistory")));
    assert_slice(json_str(patient, "conditionalRead"), "full-support");
    assert_slice(json_str(patient, "conditionalDelete"), "single");
    assert_null(json_get(patient, "updateCreate"));
    assert_null(json_get(patient, "versioning"));
    assert_slice(json_path(patient, "searchParam", "0", "name", NULL)->text, "_id");
    assert_slice(json_path(patient, "searchParam", "0", "type", NULL)->text, "token");
    struct json *audit = resource_of(s, "AuditEvent");
    assert_int_equal(json_get(audit, "interaction")->count, 1);
    assert_null(json_get(audit, "searchParam"));
    assert_null(json_get(audit, "readHistory"));
    assert_slice(json_path(s, "rest", "0", "interaction", "1", "code", NULL)->text, "batch");
    assert_int_equal(json_path(s, "rest", "0", "operation", NULL)->count, 1);
    assert_slice(json_path(s, "rest", "0", "operation", "0", "name", NULL)->text, "convert");
    printf("%zu KiB of memory for the capability statement\n", arena_used(a) / 1024);
    arena_free(a);
}

static void lists_only_what_has_routes(void **state)
{
    static const struct outcome_route routes[] = {{.type = "Patient", .interaction = "read"}};
    struct arena *a = arena_new(T_ARENA_MAX);
    struct json *s = outcome_capability(a, "0.1.0", "https://h/fhir", 0, routes, 1);
    (void)state;
    assert_valid(a, s);
    assert_int_equal(json_path(s, "rest", "0", "resource", NULL)->count, 1);
    assert_valid(a, outcome_capability(a, "0.1.0", "https://h/fhir", 0, NULL, 0));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_each_error),
        cmocka_unit_test(tells_a_list),
        cmocka_unit_test(tells_what_it_can),
        cmocka_unit_test(lists_only_what_has_routes),
    };
    return T_RUN(tests);
}
