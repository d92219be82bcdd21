/* SPDX-License-Identifier: Apache-2.0
 *
 * The growing buffer: its maximum is exact, a failure stays, and nothing is written after one.
 */
#include "lib/t.h"

#include "base/banned.h"

static void collects(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 1000);
    assert_null(b.ptr);
    buf_add(&b, SLICE_NONE);
    buf_adds(&b, NULL);
    assert_int_equal(b.len, 0);
    buf_add(&b, SLICE("ab"));
    buf_adds(&b, "cd");
    buf_addc(&b, 'e');
    buf_addf(&b, "-%d-%s", 7, "x");
    assert_buf(&b, "abcde-7-x");
    buf_drop(&b, 0);
    buf_drop(&b, 3);
    assert_buf(&b, "de-7-x");
    buf_drop(&b, 6);
    assert_buf(&b, "");
    buf_fini(&b);
    buf_fini(NULL);
    assert_int_equal(b.max, 1000);
    buf_adds(&b, "again");
    assert_buf(&b, "again");
    buf_fini(&b);
}

static void keeps_its_maximum(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 100);
    for (int i = 0; i < 100; i++)
        buf_addc(&b, 'x');
    assert_int_equal(buf_err(&b), ERR_OK);
    assert_int_equal(b.len, 100);
    assert_true(b.cap <= 100);
    buf_addc(&b, 'y');
    assert_int_equal(buf_err(&b), ERR_TOO_LARGE);
    buf_adds(&b, "");
    assert_int_equal(b.len, 100);
    assert_null(buf_reserve(&b, 0));
    buf_drop(&b, 50);
    buf_adds(&b, "z"); /* the failure stays although there is room again */
    assert_int_equal(b.len, 50);
    buf_clear(&b);
    assert_int_equal(buf_err(&b), ERR_OK);
    assert_int_equal(b.len, 0);
    buf_adds(&b, "z");
    assert_buf(&b, "z");
    assert_null(buf_reserve(&b, SIZE_MAX));
    assert_int_equal(buf_err(&b), ERR_TOO_LARGE);
    buf_fini(&b);
    assert_int_equal(buf_err(&b), ERR_OK);
}

static void adds_all_or_nothing(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 4);
    buf_adds(&b, "abc");
    buf_adds(&b, "de");
    assert_slice(buf_slice(&b), "abc");
    assert_int_equal(buf_err(&b), ERR_TOO_LARGE);
    buf_clear(&b);
    buf_addf(&b, "%s", "abcd"); /* exactly full: no room for a NUL is needed */
    assert_buf(&b, "abcd");
    buf_fini(&b);
    buf_init(&b, 0);
    assert_non_null(buf_reserve(&b, 0));
    buf_addc(&b, 'a');
    assert_int_equal(buf_err(&b), ERR_TOO_LARGE);
    buf_fini(&b);
}

static void grows_far_and_formats_long_texts(void **state)
{
    struct buf b;
    char text[1000];
    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    buf_init(&b, 2000000);
    for (int i = 0; i < 1000; i++)
        buf_addf(&b, "<%s>", text);
    assert_int_equal(buf_err(&b), ERR_OK);
    assert_int_equal(b.len, 1001000);
    assert_int_equal(b.ptr[0], '<');
    assert_int_equal(b.ptr[1000999], '>');
    assert_int_equal(b.ptr[1001 * 500], '<');
    for (size_t len = 254; len <= 257; len++) { /* around the size of the buffer inside */
        buf_clear(&b);
        buf_addf(&b, "%.*s", (int)len, text);
        assert_true(slice_eq(buf_slice(&b), slice_of(text, len)));
    }
    buf_fini(&b);
}

static void resets_to_what_it_may_keep(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 10000);
    buf_adds(&b, "small");
    const char *kept = b.ptr;
    buf_reset(&b, 4096);
    assert_int_equal(b.len, 0);
    assert_ptr_equal(b.ptr, kept);
    assert_non_null(buf_reserve(&b, 5000));
    buf_reset(&b, 4096);
    assert_null(b.ptr);
    assert_int_equal(b.cap, 0);
    assert_null(buf_reserve(&b, 10001)); /* the maximum stands, failure is forgotten with the content */
    buf_reset(&b, 4096);
    assert_int_equal(buf_err(&b), ERR_OK);
    buf_fini(&b);
}

static void writes_big_endian(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 100);
    buf_add_u32(&b, 0x01020384u);
    buf_add_u64(&b, UINT64_C(0xFF02030405060708));
    assert_int_equal(b.len, 12);
    assert_memory_equal(b.ptr, "\x01\x02\x03\x84\xFF\x02\x03\x04\x05\x06\x07\x08", 12);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collects),
        cmocka_unit_test(keeps_its_maximum),
        cmocka_unit_test(adds_all_or_nothing),
        cmocka_unit_test(grows_far_and_formats_long_texts),
        cmocka_unit_test(resets_to_what_it_may_keep),
        cmocka_unit_test(writes_big_endian),
    };
    return T_RUN(tests);
}
