/* SPDX-License-Identifier: Apache-2.0
 *
 * exchange/demo/people: the same seed gives the same people, numbers are unique and carry valid
 * check digits, ages look like a town, and the story residents do not change with the seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/ids.h"
#include "base/limits.h"
#include "base/when.h"
#include "exchange/demo/name_table.h"
#include "exchange/demo/people.h"

#include "base/banned.h"

#define COUNT 2000u
#define NOW_MS INT64_C(1795334400000) /* 2026-11-22 17:00 JST */

static struct arena *arena;
static struct demo_person *people;

static int make(void **state)
{
    (void)state;
    arena = arena_new(64u * LIMIT_MIB);
    return people_make(arena, 1, COUNT, NOW_MS, &people) == ERR_OK ? 0 : -1;
}

static int drop(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void test_repeats(void **state)
{
    struct demo_person *again = NULL, *other = NULL;
    unsigned differ = 0;

    (void)state;
    assert_int_equal(people_make(arena, 1, COUNT, NOW_MS, &again), ERR_OK);
    assert_int_equal(people_make(arena, 2, COUNT, NOW_MS, &other), ERR_OK);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_string_equal(people[i].birth, again[i].birth);
        assert_string_equal(people[i].address, again[i].address);
        assert_ptr_equal(people[i].family, again[i].family);
        assert_int_equal(people[i].ill, again[i].ill);
        differ += strcmp(people[i].birth, other[i].birth) != 0;
    }
    assert_true(differ > COUNT * 9 / 10);
    for (unsigned i = 0; i < DEMO_STORY_COUNT; i++) {
        assert_string_equal(people[i].birth, other[i].birth);
        assert_string_equal(people[i].card, other[i].card);
        assert_string_equal(people[i].number, other[i].number);
        assert_string_equal(people[i].local[DEMO_HOSPITAL_A], other[i].local[DEMO_HOSPITAL_A]);
        assert_int_equal(people[i].story, i + 1);
        assert_true(people_story(people[i].story)[0] != '\0');
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void assert_unique(const char **texts, size_t count, const char *what)
{
    qsort(texts, count, sizeof(texts[0]), by_text);
    for (size_t i = 1; i < count; i++)
        if (strcmp(texts[i - 1], texts[i]) == 0)
            fail_msg("%s %s twice", what, texts[i]);
}

static void test_numbers(void **state)
{
    static const int widths[DEMO_FACILITY_COUNT] = {8, 7, 10, 8, 7, 9, 9};
    const char **texts = arena_array(arena, COUNT, sizeof(*texts));

    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        texts[i] = people[i].card;
        assert_int_equal(strlen(people[i].card), 12);
        assert_true(ids_luhn_ok(slice_str(people[i].card)));
        assert_int_equal(strlen(people[i].insurer), 8);
        assert_true(ids_luhn_ok(slice_str(people[i].insurer)));
        assert_int_equal(strlen(people[i].branch), 2);
    }
    assert_unique(texts, COUNT, "card");
    for (unsigned i = 0; i < COUNT; i++)
        texts[i] = people[i].number;
    assert_unique(texts, COUNT, "insured number");
    for (int f = 0; f < DEMO_GATEWAY_V; f++) {
        size_t n = 0;

        for (unsigned i = 0; i < COUNT; i++)
            if (people[i].local[f][0]) {
                assert_int_equal(strlen(people[i].local[f]), widths[f]);
                texts[n++] = people[i].local[f];
            }
        assert_unique(texts, n, "local number");
    }
}

static void test_town(void **state)
{
    unsigned old = 0, children = 0, women = 0, ill_children = 0, consenting = 0, diabetic = 0;

    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        const struct demo_person *p = &people[i];

        assert_true(p->age >= 0 && p->age <= 98);
        assert_true(p->local[p->home_doctor][0] != '\0');
        assert_true(slice_is_utf8(slice_str(p->address)));
        old += p->age >= 65;
        children += p->age < 15;
        women += p->sex == 'F';
        consenting += p->consent == DEMO_CONSENT_ALL;
        diabetic += (p->ill & DEMO_DIABETES) != 0;
        ill_children += p->age < 15 && (p->ill & (DEMO_DIABETES | DEMO_HYPERTENSION | DEMO_GOUT));
        assert_false(p->sex == 'M' && (p->ill & DEMO_BONE));
    }
    assert_in_range(old, COUNT * 25 / 100, COUNT * 37 / 100);
    assert_in_range(children, COUNT * 8 / 100, COUNT * 16 / 100);
    assert_in_range(women, COUNT * 46 / 100, COUNT * 56 / 100);
    assert_in_range(consenting, COUNT * 80 / 100, COUNT * 90 / 100);
    assert_in_range(diabetic, COUNT * 5 / 100, COUNT * 14 / 100);
    assert_int_equal(ill_children, 0);
}

static void test_tables(void **state)
{
    (void)state;
    assert_true(demo_family_count >= 120);
    assert_true(demo_given_men_count >= 80 && demo_given_women_count >= 80);
    for (int year = 1926; year <= 2026; year++) {
        unsigned men = 0, women = 0;

        for (size_t i = 0; i < demo_given_men_count; i++)
            men += year >= demo_given_men[i].from && year <= demo_given_men[i].to;
        for (size_t i = 0; i < demo_given_women_count; i++)
            women += year >= demo_given_women[i].from && year <= demo_given_women[i].to;
        assert_true(men >= 5 && women >= 5);
    }
    for (int f = 0; f < DEMO_FACILITY_COUNT; f++) {
        assert_int_equal(strlen(demo_facilities[f].code), 10);
        assert_true(ids_luhn_ok(slice_str(demo_facilities[f].code)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_town),
        cmocka_unit_test(test_tables),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
