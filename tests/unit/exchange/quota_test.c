/* SPDX-License-Identifier: Apache-2.0
 *
 * quota.c: the cap, each address's share of it, what counts as one address, places given back, and
 * what the limit of open files leaves room for.
 */
#include "exchange/net/quota.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/limits.h"
#include "lib/t.h"

#include "base/banned.h"

static struct sockaddr_storage at(const char *text, unsigned short port)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *in4 = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;
    if (inet_pton(AF_INET, text, &in4->sin_addr) == 1) {
        in4->sin_family = AF_INET;
        in4->sin_port = htons(port);
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(port);
    }
    return address;
}

static enum quota_verdict take(struct quota *q, const char *from, unsigned *seat)
{
    static unsigned short port = 1000;
    struct sockaddr_storage address = at(from, port++);
    return quota_take(q, (const struct sockaddr *)&address, seat);
}

static void test_cap_and_share(void **state)
{
    static struct quota q;
    unsigned seats[8], other = 7;
    (void)state;
    quota_init(&q, 8, 3);
    q.seed = 1; /* so that these addresses are known not to meet one another */
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(take(&q, "192.0.2.1", &seats[i]), QUOTA_TAKEN);
    assert_int_equal(take(&q, "192.0.2.1", &other), QUOTA_SHARE);
    assert_int_equal(other, 7); /* untouched */
    quota_give(&q, seats[0]);
    assert_int_equal(take(&q, "192.0.2.1", &seats[0]), QUOTA_TAKEN);
    for (unsigned i = 3; i < 8; i++) {
        char name[20];
        snprintf(name, sizeof(name), "198.51.100.%u", i);
        assert_int_equal(take(&q, name, &seats[i]), QUOTA_TAKEN);
    }
    assert_int_equal(take(&q, "203.0.113.9", &other), QUOTA_FULL);
    assert_int_equal(q.open, 8);
    for (unsigned i = 0; i < 8; i++)
        quota_give(&q, seats[i]);
    assert_int_equal(q.open, 0);
    for (unsigned i = 0; i < QUOTA_PLACES; i++)
        assert_int_equal(q.held[i], 0);
}

/* Without a share one address may have all. */
static void test_no_share(void **state)
{
    static struct quota q;
    unsigned seat = 0;
    (void)state;
    quota_init(&q, 50, 0);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(take(&q, "127.0.0.1", &seat), QUOTA_TAKEN);
    assert_int_equal(take(&q, "127.0.0.1", &seat), QUOTA_FULL);
}

static void test_what_is_one_address(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"2001:db8::1", "2001:db8::ffff:2", true}, /* one /64 */
        {"2001:db8:0:1::1", "2001:db8:0:2::1", false},
        {"::ffff:192.0.2.1", "192.0.2.1", true}, /* by a listener of both */
        {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        static struct quota q;
        unsigned a = 0, b = 0;
        quota_init(&q, 10, 5);
        q.seed = 2;
        assert_int_equal(take(&q, cases[i].a, &a), QUOTA_TAKEN);
        assert_int_equal(take(&q, cases[i].b, &b), QUOTA_TAKEN);
        if ((a == b) != cases[i].same)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
    }
}

/* Many addresses spread: none is refused because of the others, far from its share. */
static void test_many_addresses(void **state)
{
    static struct quota q;
    (void)state;
    quota_init(&q, 20000, 64);
    for (unsigned i = 0; i < 20000; i++) {
        char name[20];
        unsigned seat = 0;
        snprintf(name, sizeof(name), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        assert_int_equal(take(&q, name, &seat), QUOTA_TAKEN);
    }
}

static void test_files(void **state)
{
    struct rlimit before, low;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = before;
    low.rlim_cur = LIMIT_SPARE_FILES + 10;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    assert_int_equal(quota_room_now(), 10);
    unsigned raised = quota_room_raised();
    assert_true(before.rlim_max == RLIM_INFINITY || before.rlim_max > UINT32_MAX ||
                raised == before.rlim_max - LIMIT_SPARE_FILES);
    quota_raise_files();
    assert_int_equal(quota_room_now(), raised);
    low.rlim_cur = LIMIT_SPARE_FILES - 100;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    assert_int_equal(quota_room_now(), 1); /* never none */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cap_and_share),
        cmocka_unit_test(test_no_share),
        cmocka_unit_test(test_what_is_one_address),
        cmocka_unit_test(test_many_addresses),
        cmocka_unit_test(test_files),
    };
    return T_RUN(tests);
}
