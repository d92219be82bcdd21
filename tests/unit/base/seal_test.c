/* SPDX-License-Identifier: Apache-2.0
 *
 * Closed words: opened only with their key, for what they were bound to, and not one bit changed; the same word is the same
 * text; what is inside cannot be read from outside.
 */
#include "lib/t.h"

#include "base/digest.h"
#include "base/seal.h"

#include "base/banned.h"

static const unsigned char key_a[SEAL_KEY_LEN] = "key a key a key a key a key a k";
static const unsigned char key_b[SEAL_KEY_LEN] = "key b key b key b key b key b k";

static void opens_only_what_it_closed(void **state)
{
    static const struct {
        const unsigned char *key;
        const char *bound;
        bool opens;
    } cases[] = {{key_a, "page", true}, {key_b, "page", false}, {key_a, "pag", false}, {key_a, "", false}};
    struct buf text, plain;
    (void)state;
    buf_init(&text, 1000);
    seal_close(key_a, SLICE("page"), SLICE("17 and a key"), &text);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        buf_init(&plain, 100);
        assert_int_equal(seal_open(cases[i].key, slice_str(cases[i].bound), buf_slice(&text), &plain),
                         cases[i].opens);
        assert_true(slice_eq(buf_slice(&plain), cases[i].opens ? SLICE("17 and a key") : SLICE("")));
        buf_fini(&plain);
    }
    buf_fini(&text);
}

static void changed_or_cut_it_stays_closed(void **state)
{
    struct buf text, plain;
    (void)state;
    buf_init(&text, 1000);
    buf_init(&plain, 100);
    seal_close(key_a, SLICE("page"), SLICE("12345678"), &text);
    assert_int_equal(text.len, 32); /* 24 bytes */
    for (size_t i = 0; i < text.len; i++) {
        char was = text.ptr[i];
        text.ptr[i] = was == 'A' ? 'B' : 'A';
        assert_false(seal_open(key_a, SLICE("page"), buf_slice(&text), &plain));
        text.ptr[i] = was;
        assert_false(seal_open(key_a, SLICE("page"), slice_of(text.ptr, i), &plain));
    }
    assert_int_equal(plain.len, 0);
    assert_true(seal_open(key_a, SLICE("page"), buf_slice(&text), &plain));
    buf_fini(&plain);
    buf_fini(&text);
}

static void says_nothing_but_whether_it_is_the_same(void **state)
{
    struct buf one, again, next;
    unsigned same = 0;
    (void)state;
    buf_init(&one, 1000), buf_init(&again, 1000), buf_init(&next, 1000);
    seal_close(key_a, SLICE(""), SLICE("\0\0\0\0\0\0\0\1"), &one);
    seal_close(key_a, SLICE(""), SLICE("\0\0\0\0\0\0\0\1"), &again);
    seal_close(key_a, SLICE(""), SLICE("\0\0\0\0\0\0\0\2"), &next);
    assert_true(slice_eq(buf_slice(&one), buf_slice(&again)));
    for (size_t i = 0; i < one.len; i++)
        same += one.ptr[i] == next.ptr[i];
    assert_true(same < 12); /* of 32: one in 64 by chance */
    buf_fini(&one), buf_fini(&again), buf_fini(&next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_only_what_it_closed),
        cmocka_unit_test(changed_or_cut_it_stays_closed),
        cmocka_unit_test(says_nothing_but_whether_it_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
