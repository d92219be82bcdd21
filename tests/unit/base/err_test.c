/* SPDX-License-Identifier: Apache-2.0
 *
 * The error table's columns are sane for every code, and the list keeps, counts and words what is
 * wrong, also when it overflows or its arena is full.
 */
#include "lib/t.h"

#include "base/arena.h"
#include "base/limits.h"

#include "base/banned.h"

static bool one_of(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0)
            return true;
    }
    return false;
}

static void columns_are_sane(void **state)
{
    /* HL7 table 0357 and FHIR R4 IssueType, as far as a refusal may use them. */
    static const char *const hl7[] = {"100", "101", "102", "103", "104", "200", "201",
                                      "202", "203", "204", "205", "206", "207"};
    static const char *const issues[] = {
        "invalid",    "structure",     "required",   "value",         "invariant",
        "security",   "login",         "unknown",    "expired",       "forbidden",
        "suppressed", "processing",    "duplicate",  "not-supported", "not-found",
        "deleted",    "too-long",      "conflict",   "too-costly",    "transient",
        "throttled",  "timeout",       "exception",  "code-invalid",  "multiple-matches",
        "extension",  "business-rule", "lock-error", "no-store",      "incomplete"};
    (void)state;
    for (unsigned i = 1; i < ERR_COUNT; i++) {
        enum err err = (enum err)i;
        assert_int_equal(strncmp(err_name(err), "ERR_", 4), 0);
        assert_in_range(err_http(err), 400, 599);
        assert_true(strcmp(err_ack(err), "AE") == 0 || strcmp(err_ack(err), "AR") == 0);
        assert_true(one_of(err_hl7(err), hl7, T_COUNT(hl7)));
        assert_true(one_of(err_issue(err), issues, T_COUNT(issues)));
        assert_true(strlen(err_en(err)) > 3);
        assert_true(strlen(err_ja(err)) > 3);
        assert_true(slice_is_utf8(slice_str(err_ja(err))));
        for (unsigned k = 0; k < i; k++) /* two codes never read the same */
            assert_string_not_equal(err_ja(err), err_ja((enum err)k));
    }
}

static void known_rows(void **state)
{
    (void)state;
    assert_string_equal(err_name(ERR_OK), "ERR_OK");
    assert_int_equal(err_http(ERR_OK), 200);
    assert_string_equal(err_ack(ERR_OK), "AA");
    assert_string_equal(err_hl7(ERR_OK), "0");
    assert_string_equal(err_issue(ERR_OK), "informational");
    assert_string_equal(err_en(ERR_OK), "ok");
    assert_string_equal(err_name(ERR_NOT_FOUND), "ERR_NOT_FOUND");
    assert_int_equal(err_http(ERR_NOT_FOUND), 404);
    assert_string_equal(err_issue(ERR_NOT_FOUND), "not-found");
    assert_string_equal(err_hl7(ERR_PATIENT_UNKNOWN), "204");
    assert_string_equal(err_name(ERR_INTERNAL), "ERR_INTERNAL");
    assert_int_equal(err_http(ERR_INTERNAL), 500);
}

static void words_items(void **state)
{
    struct arena *a = arena_new(100000);
    struct err_list list;
    char place[] = "Patient.name";
    (void)state;
    err_list_init(&list, a);
    assert_int_equal(err_list_code(&list), ERR_OK);
    assert_int_equal(err_say(&list, ERR_SEVERITY_WARNING, ERR_INVALID, "a", "en", "ja"),
                     ERR_INVALID);
    assert_int_equal(err_list_code(&list), ERR_OK); /* a warning refuses nothing */
    assert_int_equal(err_add(&list, ERR_REQUIRED, place, "%s %d", "family", 3), ERR_REQUIRED);
    place[0] = 'X'; /* the list has its own copy */
    assert_int_equal(err_add(&list, ERR_GONE, NULL, NULL), ERR_GONE);
    assert_int_equal(err_say(&list, ERR_SEVERITY_INFORMATION, ERR_OK, "c", "x", "y"), ERR_OK);
    assert_int_equal(err_list_code(&list), ERR_REQUIRED);
    assert_int_equal(list.kept, 4);
    assert_int_equal(list.errors, 2);
    assert_int_equal(list.warnings, 1);

    const struct err_item *item = list.first;
    assert_int_equal(item->severity, ERR_SEVERITY_WARNING);
    assert_string_equal(item->en, "en");
    assert_string_equal(item->ja, "ja");
    item = item->next;
    assert_int_equal(item->severity, ERR_SEVERITY_ERROR);
    assert_string_equal(item->place, "Patient.name");
    assert_string_equal(item->en, "a required element is missing: family 3");
    assert_string_equal(item->ja, "必須の項目がありません: family 3");
    item = item->next;
    assert_string_equal(item->place, "");
    assert_string_equal(item->en, "it was deleted");
    assert_string_equal(item->ja, "削除されています");
    assert_ptr_equal(item->next, list.last);
    assert_null(list.last->next);
    arena_free(a);
}

static void counts_beyond_the_limit(void **state)
{
    struct arena *a = arena_new(1000000);
    struct err_list list;
    unsigned seen = 0;
    (void)state;
    err_list_init(&list, a);
    for (int i = 0; i < 2 * LIMIT_ERR_ITEMS; i++)
        err_say(&list, ERR_SEVERITY_WARNING, ERR_INVALID, "w", "w", "w");
    assert_int_equal(list.kept, LIMIT_ERR_ITEMS);
    assert_int_equal(list.warnings, 2 * LIMIT_ERR_ITEMS);
    err_add(&list, ERR_FORBIDDEN, "first", "detail"); /* kept all the same */
    err_add(&list, ERR_GONE, "second", NULL);
    assert_int_equal(list.errors, 2);
    assert_int_equal(list.kept, LIMIT_ERR_ITEMS);
    assert_int_equal(err_list_code(&list), ERR_FORBIDDEN);
    for (const struct err_item *i = list.first; i; i = i->next)
        seen++;
    assert_int_equal(seen, LIMIT_ERR_ITEMS);
    assert_string_equal(list.last->place, "first");
    arena_free(a);
}

static void survives_a_full_arena(void **state)
{
    struct err_list list;
    (void)state;
    for (size_t max = 0; max < 400; max += 16) {
        struct arena *a = arena_new(max);
        err_list_init(&list, a);
        assert_int_equal(err_add(&list, ERR_GONE, "place", "%s", "detail"), ERR_GONE);
        assert_int_equal(err_say(&list, ERR_SEVERITY_ERROR, ERR_GONE, "place", "e", "j"), ERR_GONE);
        assert_int_equal(list.errors, 2);
        assert_int_not_equal(err_list_code(&list), ERR_OK);
        for (const struct err_item *i = list.first; i; i = i->next) {
            assert_non_null(i->place);
            assert_non_null(i->en);
            assert_non_null(i->ja);
        }
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_sane),      cmocka_unit_test(known_rows),
        cmocka_unit_test(words_items),           cmocka_unit_test(counts_beyond_the_limit),
        cmocka_unit_test(survives_a_full_arena),
    };
    return T_RUN(tests);
}
