/* SPDX-License-Identifier: Apache-2.0
 *
 * Emergency sessions: found by the right token, at the right facility, in time, and by nothing
 * else.
 */
#include "storage/glass.h"

#include "base/limits.h"
#include "tests/unit/storage/bench.h"

#include "base/banned.h"

static const struct glass sample = {.facility = 7,
                                    .person = 3,
                                    .user = {"dr-1", 4},
                                    .reason = {"unconscious", 11},
                                    .text = {"found in the street", 19},
                                    .opened_ms = 1000,
                                    .expires_ms = 1000 + LIMIT_GLASS_MS};

static void test_find(void **state)
{
    static const struct {
        const char *token;
        int64_t facility;
        int64_t now_ms;
        enum err want;
    } cases[] = {
        {"0123456789abcdef", 7, 1000, ERR_OK},
        {"0123456789abcdef", 7, 999 + LIMIT_GLASS_MS, ERR_OK},
        {"0123456789abcdef", 7, 1000 + LIMIT_GLASS_MS, ERR_NOT_FOUND}, /* over */
        {"0123456789abcdef", 7, 999, ERR_NOT_FOUND},                   /* the clock went back */
        {"0123456789abcdef", 8, 1000, ERR_NOT_FOUND},                  /* another's token */
        {"0123456789abcdeg", 7, 1000, ERR_NOT_FOUND},
        {"", 7, 1000, ERR_NOT_FOUND},
    };
    struct bench *b = *state;

    assert_int_equal(glass_open(b->s, SLICE("0123456789abcdef"), &sample), ERR_OK);
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct glass got = {0};

        assert_int_equal(glass_find(b->s, b->arena, slice_str(cases[i].token), cases[i].facility,
                                    cases[i].now_ms, &got),
                         cases[i].want);
        assert_int_equal(got.person, cases[i].want == ERR_OK ? 3 : 0);
        if (cases[i].want == ERR_OK) {
            assert_slice(got.user, "dr-1");
            assert_slice(got.reason, "unconscious");
            assert_slice(got.text, "found in the street");
            assert_int_equal(got.expires_ms, 1000 + LIMIT_GLASS_MS);
        }
    }
}

static void test_token_is_not_kept(void **state)
{
    struct bench *b = *state;

    assert_int_equal(glass_open(b->s, SLICE("0123456789abcdef"), &sample), ERR_OK);
    assert_int_equal(bench_ask(b, "SELECT count(*) FROM glass WHERE token_sha ="
                                  " x'30313233343536373839616263646566'"),
                     0);
    assert_int_equal(bench_ask(b, "SELECT length(token_sha) FROM glass"), 32);
    assert_int_equal(glass_open(b->s, SLICE("0123456789abcdef"), &sample), ERR_CONFLICT);
}

static void test_long_text(void **state)
{
    struct bench *b = *state;
    struct glass glass = sample;
    static char text[4 * LIMIT_GLASS_TEXT + 1];

    memset(text, 'x', sizeof text);
    glass.text = slice_of(text, sizeof text);
    assert_int_equal(glass_open(b->s, SLICE("0123456789abcdef"), &glass), ERR_TOO_LARGE);
    glass.text.len--;
    assert_int_equal(glass_open(b->s, SLICE("0123456789abcdef"), &glass), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(test_find),
        BENCH_TEST(test_token_is_not_kept),
        BENCH_TEST(test_long_text),
    };
    return T_RUN(tests);
}
