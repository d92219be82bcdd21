/* SPDX-License-Identifier: Apache-2.0
 *
 * Request memory: zeroed, aligned, apart from each other, and never more than the cap.
 */
#include "lib/t.h"

#include <stdalign.h>

#include "base/arena.h"
#include "base/limits.h"

#include "base/banned.h"

static void gives_zeroed_aligned_memory(void **state)
{
    struct arena *a = arena_new(10000000);
    (void)state;
    for (size_t size = 0; size < 3000; size += 7) {
        unsigned char *p = arena_alloc(a, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xAA, size);
    }
    assert_false(arena_exhausted(a));
    arena_free(a);
    arena_free(NULL);
}

static void keeps_allocations_apart(void **state)
{
    enum { COUNT = 2000 };
    static unsigned char *parts[COUNT];
    struct arena *a = arena_new(100000000);
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        size_t size = i % 100 == 99 ? 300000 / (i % 7 + 1) : i % 50 + 1;
        parts[i] = arena_alloc(a, size);
        assert_non_null(parts[i]);
        memset(parts[i], (int)(i & 255), size);
    }
    for (size_t i = 0; i < COUNT; i++) {
        size_t size = i % 100 == 99 ? 300000 / (i % 7 + 1) : i % 50 + 1;
        for (size_t k = 0; k < size; k++)
            assert_int_equal(parts[i][k], i & 255);
    }
    arena_free(a);
}

/* Chunks are used again without being cleared twice: what comes out must still be zero. */
static void gives_zeroed_memory_again(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 5; round++) {
        struct arena *a = arena_new(10000000);
        for (size_t size = 1; size < 40000; size = size * 3 + round) {
            unsigned char *p = arena_alloc(a, size);
            assert_non_null(p);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xAA, size);
        }
        arena_free(a);
    }
}

static void stops_at_the_cap(void **state)
{
    struct arena *a = arena_new(100);
    (void)state;
    assert_int_equal(arena_used(a), 0);
    assert_null(arena_alloc(a, 200));
    assert_true(arena_exhausted(a)); /* stays, though small requests still fit */
    assert_non_null(arena_alloc(a, 100));
    assert_true(arena_used(a) >= 100);
    assert_null(arena_alloc(a, 100));
    arena_free(a);

    a = arena_new(4096);
    size_t given = 0;
    while (arena_alloc(a, 16))
        given += 16;
    assert_int_equal(given, 4096);
    assert_true(arena_exhausted(a));
    arena_free(a);

    a = arena_new(SIZE_MAX);
    assert_null(arena_alloc(a, SIZE_MAX));
    assert_null(arena_alloc(a, SIZE_MAX / 2 + 1));
    assert_null(arena_array(a, SIZE_MAX / 4, 8));
    assert_non_null(arena_array(a, 10, 8));
    arena_free(a);

    a = arena_new(1000);
    assert_null(arena_array(a, SIZE_MAX / 2, 3));
    assert_true(arena_exhausted(a));
    arena_free(a);
}

static void copies_and_formats(void **state)
{
    struct arena *a = arena_new(100000);
    (void)state;
    char source[] = "text";
    struct slice copy = arena_dup(a, slice_str(source));
    char *str = arena_str(a, slice_str(source));
    source[0] = 'X';
    assert_slice(copy, "text");
    assert_int_equal(copy.ptr[4], 0);
    assert_string_equal(str, "text");
    assert_string_equal(arena_str(a, SLICE_NONE), "");
    assert_int_equal(arena_dup(a, SLICE_NONE).len, 0);
    assert_string_equal(arena_printf(a, "%s-%d", "a", 5), "a-5");
    assert_int_equal(strlen(arena_printf(a, "%5000d", 1)), 5000);
    arena_free(a);

    a = arena_new(16);
    assert_null(arena_dup(a, SLICE("a text that is longer than that")).ptr);
    assert_null(arena_str(a, SLICE("a text that is longer than that")));
    assert_null(arena_printf(a, "%s", "a text that is longer than that"));
    assert_true(arena_exhausted(a));
    arena_free(a);
}

static void joins(void **state)
{
    struct arena *a = arena_new(1000), *small = arena_new(16);
    struct slice joined = ARENA_JOIN(a, SLICE("ab"), SLICE_NONE, SLICE("/"), SLICE("cd"));
    (void)state;
    assert_slice(joined, "ab/cd");
    assert_int_equal(joined.ptr[joined.len], '\0');
    assert_slice(ARENA_JOIN(a, SLICE_NONE), "");
    assert_null(ARENA_JOIN(small, SLICE("0123456789"), SLICE("0123456789")).ptr);
    assert_true(arena_exhausted(small));
    arena_free(small);
    arena_free(a);
}

/* Longer than what is formatted in one go. */
static void formats_long_texts(void **state)
{
    struct arena *a = arena_new(LIMIT_MIB);
    char text[600];
    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (size_t len = 250; len < 260; len++) {
        const char *out = arena_printf(a, "%.*s", (int)len, text);
        assert_int_equal(strlen(out), len);
    }
    assert_int_equal(strlen(arena_printf(a, "<%s>", text)), sizeof(text) + 1);
    arena_free(a);
}

/* Allocations of all sizes up to one that has a chunk of its own, each whole and zeroed. */
static void mixes_sizes(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        struct arena *a = arena_new(16 * LIMIT_MIB);
        for (size_t size = 1; size < 300000; size = size * 3 + 1) {
            unsigned char *p = arena_alloc(a, size), *q = arena_alloc(a, 8);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xAA, size);
            assert_int_equal(q[0], 0);
        }
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_aligned_memory), cmocka_unit_test(keeps_allocations_apart),
        cmocka_unit_test(gives_zeroed_memory_again),   cmocka_unit_test(stops_at_the_cap),
        cmocka_unit_test(copies_and_formats),          cmocka_unit_test(joins),
        cmocka_unit_test(formats_long_texts),          cmocka_unit_test(mixes_sizes),
    };
    return T_RUN(tests);
}
