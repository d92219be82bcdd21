/* SPDX-License-Identifier: Apache-2.0
 *
 * How long a feed waits: doubling, never more than the most, never less than three quarters of it,
 * whatever the dice say.
 */
#include "exchange/push/feed.h"

#include "base/limits.h"
#include "lib/t.h"

#include "base/banned.h"

static void test_waits(void **state)
{
    static const struct {
        unsigned failures;
        int64_t most;
    } rows[] = {{1, 1000},    {2, 2000},    {3, 4000},    {4, 8000},         {9, 256000},
                {10, 300000}, {19, 300000}, {20, 300000}, {1000000, 300000}, {0, 1000}};
    static const uint32_t dice[] = {0, 1, 499, 500, 999, 1000, UINT32_MAX};
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        assert_int_equal(feeds_wait_ms(rows[i].failures, 0), rows[i].most);
        for (size_t k = 0; k < T_COUNT(dice); k++) {
            int64_t wait = feeds_wait_ms(rows[i].failures, dice[k]);
            assert_true(wait <= rows[i].most && wait >= rows[i].most - rows[i].most / 4);
        }
    }
    assert_true(feeds_wait_ms(5, 0) != feeds_wait_ms(5, 999));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_waits)};
    return T_RUN(tests);
}
