/* SPDX-License-Identifier: Apache-2.0
 *
 * Packed bodies: what goes in comes out, small JSON stays readable, the dictionary is at work, and
 * bytes that have changed are an error, never another body and never a crash.
 */
#include "lib/t.h"

#include "base/limits.h"
#include "storage/body.h"

#include "base/banned.h"

static const char observation[] =
    "{\"resourceType\":\"Observation\",\"status\":\"final\",\"category\":[{\"coding\":[{\"system\":"
    "\"http://terminology.hl7.org/CodeSystem/observation-category\",\"code\":\"laboratory\"}]}],"
    "\"code\":{\"coding\":[{\"system\":\"urn:oid:1.2.392.200119.4.504\",\"code\":"
    "\"3D046000001906202\",\"display\":\"HbA1c\"}]},\"subject\":{\"reference\":\"Patient/@\"},"
    "\"valueQuantity\":{\"value\":6.1,\"unit\":\"%\",\"system\":\"http://unitsofmeasure.org\"}}";

struct both {
    struct body_coder *coder;
    struct arena *arena;
    struct buf out;
};

static void both_open(struct both *b)
{
    assert_int_equal(body_coder_new(&b->coder), ERR_OK);
    b->arena = arena_new(4 * LIMIT_BODY);
    buf_init(&b->out, 2 * LIMIT_BODY);
}

static void both_close(struct both *b)
{
    body_coder_free(b->coder);
    arena_free(b->arena);
    buf_fini(&b->out);
}

static struct slice pack(struct both *b, struct slice bytes)
{
    buf_clear(&b->out);
    assert_int_equal(body_pack(b->coder, bytes, &b->out), ERR_OK);
    return buf_slice(&b->out);
}

static void comes_back(struct both *b, struct slice bytes)
{
    struct slice packed = pack(b, bytes), back = SLICE_NONE;
    bool same = false;
    assert_int_equal(body_unpack(b->coder, packed, b->arena, &back), ERR_OK);
    assert_true(slice_eq(back, bytes));
    assert_int_equal(body_same(b->coder, packed, bytes, &same), ERR_OK);
    assert_true(same);
    assert_int_equal(body_same(b->coder, packed, SLICE("{\"other\":1}"), &same), ERR_OK);
    assert_false(same);
}

static void test_what_goes_in_comes_out(void **state)
{
    (void)state;
    struct both b;
    both_open(&b);
    static const char *const texts[] = {"",   "{}",     "{\"v\":1}", "x",
                                        "\1", "\1\2\3", "[]",        observation};
    for (size_t i = 0; i < T_COUNT(texts); i++)
        comes_back(&b, slice_str(texts[i]));
    comes_back(&b, slice_of("a\0b\0{", 5));
    size_t len = 3 * LIMIT_MIB;
    char *large = malloc(len);
    assert_non_null(large);
    for (size_t i = 0; i < len; i++)
        large[i] = (char)(i * i >> 7);
    comes_back(&b, slice_of(large, len));
    free(large);
    both_close(&b);
}

static void test_forms(void **state)
{
    (void)state;
    struct both b;
    both_open(&b);
    assert_slice(pack(&b, SLICE("{\"v\":1}")), "{\"v\":1}"); /* small: as it is */
    assert_int_equal(pack(&b, SLICE_NONE).len, 0);
    struct slice packed = pack(&b, slice_str(observation));
    assert_int_equal(packed.ptr[0], 1);
    assert_true(packed.len * 3 <
                sizeof observation); /* without the dictionary it is more than half */
    /* Plain JSON of any length is read too: stores of version 1 have it. */
    struct slice back = SLICE_NONE;
    assert_int_equal(body_unpack(b.coder, slice_str(observation), b.arena, &back), ERR_OK);
    assert_slice(back, observation);
    buf_clear(&b.out);
    static char zeros[64];
    assert_int_equal(body_pack(b.coder, slice_of(zeros, LIMIT_BODY + 1), &b.out), ERR_TOO_LARGE);
    both_close(&b);
}

static void test_changed_bytes_are_an_error(void **state)
{
    (void)state;
    struct both b;
    both_open(&b);
    struct slice back = SLICE_NONE, packed = pack(&b, slice_str(observation));
    char *copy = malloc(packed.len);
    size_t refused = 0;
    assert_non_null(copy);
    for (size_t i = 0; i < packed.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(copy, packed.ptr, packed.len);
            copy[i] = (char)(copy[i] ^ (1 << bit));
            enum err err = body_unpack(b.coder, slice_of(copy, packed.len), b.arena, &back);
            /* A few bits of a frame mean nothing; what the others mean is under the checksum. */
            assert_true(err == ERR_IO || (!err && slice_is(back, observation)));
            refused += err == ERR_IO;
        }
        assert_int_equal(body_unpack(b.coder, slice_of(packed.ptr, i), b.arena, &back),
                         i == 0 ? ERR_OK : ERR_IO); /* cut short; no bytes are no body */
    }
    assert_true(refused * 20 > packed.len * 8 * 19);
    assert_int_equal(body_unpack(b.coder, SLICE("\2abc"), b.arena, &back), ERR_IO);
    assert_int_equal(body_unpack(b.coder, SLICE("\1"), b.arena, &back), ERR_IO);
    /* The coder is good for more after failures. */
    memcpy(copy, packed.ptr, packed.len);
    assert_int_equal(body_unpack(b.coder, slice_of(copy, packed.len), b.arena, &back), ERR_OK);
    assert_slice(back, observation);
    free(copy);
    both_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_goes_in_comes_out),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_changed_bytes_are_an_error),
    };
    return T_RUN(tests);
}
