/* SPDX-License-Identifier: Apache-2.0
 *
 * Every category has its own code and name, and is found again by its code only.
 */
#include "lib/t.h"

#include "base/category.h"

#include "base/banned.h"

static void each_is_found_by_its_code(void **state)
{
    uint64_t all = 0;
    (void)state;
    for (unsigned i = 0; i < CATEGORY_COUNT; i++) {
        enum category c = (enum category)i;
        enum category found = CATEGORY_COUNT;
        assert_true(category_find(slice_str(category_code(c)), &found));
        assert_int_equal(found, c);
        assert_true(strlen(category_ja(c)) > 0);
        assert_true(slice_is_utf8(slice_str(category_ja(c))));
        all |= CATEGORY_BIT(c);
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(category_ja(c), category_ja((enum category)k));
    }
    assert_true(all == CATEGORY_ALL);
}

static void known_rows(void **state)
{
    (void)state;
    assert_string_equal(category_code(CATEGORY_LABORATORY), "laboratory");
    assert_string_equal(category_ja(CATEGORY_LABORATORY), "検体検査");
    assert_string_equal(category_code(CATEGORY_HOME_VITAL), "home-vital");
    assert_string_equal(category_code(CATEGORY_NONE), "none");
}

static void unknown_codes_are_refused(void **state)
{
    static const char *const bad[] = {"",    "Laboratory",  "laboratory ",
                                      "lab", "laboratoryx", "検体検査"};
    (void)state;
    for (size_t i = 0; i < T_COUNT(bad); i++) {
        enum category found = CATEGORY_AUDIT;
        assert_false(category_find(slice_str(bad[i]), &found));
        assert_int_equal(found, CATEGORY_AUDIT);
    }
    enum category found;
    assert_false(category_find(SLICE_NONE, &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_found_by_its_code),
        cmocka_unit_test(known_rows),
        cmocka_unit_test(unknown_codes_are_refused),
    };
    return T_RUN(tests);
}
