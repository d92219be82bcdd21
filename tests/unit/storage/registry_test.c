/* SPDX-License-Identifier: Apache-2.0
 *
 * The registry: who a certificate belongs to, and that neither a revoked one nor one of a facility
 * switched off speaks again.
 */
#include "storage/registry.h"

#include "tests/unit/storage/bench.h"

#include "base/banned.h"

static const unsigned char print_one[DIGEST_LEN] = {1};
static const unsigned char print_two[DIGEST_LEN] = {2};
static const unsigned char print_three[DIGEST_LEN] = {3};

static struct facility sample(const char *key, const char *code)
{
    return (struct facility){.key = slice_str(key),
                             .code = slice_str(code),
                             .name = SLICE("架空病院"),
                             .kind = FACILITY_CLINIC,
                             .active = true};
}

static int64_t put(struct bench *b, const struct facility *facility)
{
    int64_t id = 0;

    assert_int_equal(registry_put_facility(b->s, facility, &id), ERR_OK);
    return id;
}

static void test_codes(void **state)
{
    enum facility_kind kind;
    enum staff_role role;

    (void)state;
    for (unsigned i = 0; i < FACILITY_KIND_COUNT; i++) {
        assert_true(
            facility_kind_find(slice_str(facility_kind_code((enum facility_kind)i)), &kind));
        assert_int_equal(kind, i);
    }
    for (unsigned i = 0; i < STAFF_ROLE_COUNT; i++) {
        assert_true(staff_role_find(slice_str(staff_role_code((enum staff_role)i)), &role));
        assert_int_equal(role, i);
    }
    assert_false(facility_kind_find(SLICE("Hospital"), &kind));
    assert_false(staff_role_find(SLICE(""), &role));
}

static void test_facility(void **state)
{
    struct bench *b = *state;
    struct facility a = sample("clinic-c", "1310000001");
    struct facility other = sample("clinic-d", "1310000001");
    struct facility got = {0};
    struct facility *all = NULL;
    size_t count = 0;
    int64_t id = put(b, &a);

    assert_int_equal(registry_facility_by_key(b->s, b->arena, a.key, &got), ERR_OK);
    assert_int_equal(got.id, id);
    assert_slice(got.name, "架空病院");
    assert_int_equal(got.kind, FACILITY_CLINIC);
    assert_true(got.active);
    a.name = SLICE("新架空病院");
    assert_int_equal(put(b, &a), id); /* updates by key */
    assert_int_equal(registry_facility_by_code(b->s, b->arena, a.code, &got), ERR_OK);
    assert_slice(got.name, "新架空病院");
    assert_int_equal(registry_facility_by_id(b->s, b->arena, id, &got), ERR_OK);
    assert_int_equal(registry_facility_by_id(b->s, b->arena, 99, &got), ERR_NOT_FOUND);
    assert_int_equal(registry_facility_by_key(b->s, b->arena, SLICE("x"), &got), ERR_NOT_FOUND);
    assert_int_equal(registry_put_facility(b->s, &other, &id), ERR_CONFLICT);
    other.code = SLICE("");
    assert_int_equal(registry_put_facility(b->s, &other, &id), ERR_REQUIRED);
    other.code = SLICE("1310000002");
    put(b, &other);
    assert_int_equal(registry_facilities(b->s, b->arena, &all, &count), ERR_OK);
    assert_int_equal(count, 2);
    assert_slice(all[1].key, "clinic-d");
}

static void test_staff(void **state)
{
    struct bench *b = *state;
    struct facility a = sample("clinic-c", "1310000001");
    int64_t id = put(b, &a);
    struct slice name = SLICE("untouched");
    enum staff_role role = STAFF_CLERK;

    assert_int_equal(registry_staff(b->s, b->arena, id, SLICE("d1"), &name, &role), ERR_NOT_FOUND);
    assert_slice(name, "untouched");
    assert_int_equal(registry_put_staff(b->s, id, SLICE("d1"), SLICE("架空 医師"), STAFF_NURSE),
                     ERR_OK);
    assert_int_equal(registry_put_staff(b->s, id, SLICE("d1"), SLICE("架空 医師"), STAFF_DOCTOR),
                     ERR_OK);
    assert_int_equal(registry_staff(b->s, b->arena, id, SLICE("d1"), &name, &role), ERR_OK);
    assert_slice(name, "架空 医師");
    assert_int_equal(role, STAFF_DOCTOR);
    assert_int_equal(registry_staff(b->s, b->arena, id + 1, SLICE("d1"), &name, &role),
                     ERR_NOT_FOUND);
    bench_do(b, "UPDATE staff SET active = 0");
    assert_int_equal(registry_staff(b->s, b->arena, id, SLICE("d1"), &name, &role), ERR_NOT_FOUND);
    assert_int_equal(registry_put_staff(b->s, id, SLICE(""), SLICE("x"), STAFF_DOCTOR),
                     ERR_REQUIRED);
}

static void test_cert(void **state)
{
    struct bench *b = *state;
    struct facility a = sample("clinic-c", "1310000001");
    struct registry_caller caller = {0};
    int64_t id = put(b, &a);

    bench_do(b, "INSERT INTO person(id, created_ms) VALUES(3, 0)");
    assert_int_equal(registry_cert(b->s, b->arena, print_one, &caller), ERR_CERT_UNREGISTERED);
    assert_int_equal(registry_put_cert(b->s, print_one, SLICE("clinic-c"), SLICE("0A1B"), id, 0),
                     ERR_OK);
    assert_int_equal(registry_put_cert(b->s, print_two, SLICE("resident-1"), SLICE("0c"), 0, 3),
                     ERR_OK);
    assert_int_equal(registry_cert(b->s, b->arena, print_one, &caller), ERR_OK);
    assert_int_equal(caller.facility.id, id);
    assert_slice(caller.facility.key, "clinic-c");
    assert_int_equal(caller.person, 0);
    assert_false(caller.revoked);
    assert_int_equal(registry_cert(b->s, b->arena, print_two, &caller), ERR_OK);
    assert_int_equal(caller.facility.id, 0);
    assert_int_equal(caller.person, 3);
    /* the same again is fine, for another owner it is not */
    assert_int_equal(registry_put_cert(b->s, print_one, SLICE("clinic-c"), SLICE("0A1B"), id, 0),
                     ERR_OK);
    assert_int_equal(registry_put_cert(b->s, print_one, SLICE("x"), SLICE("0A1B"), 0, 3),
                     ERR_CONFLICT);
    a.active = false;
    put(b, &a);
    assert_int_equal(registry_cert(b->s, b->arena, print_one, &caller), ERR_CERT_UNREGISTERED);
    a.active = true;
    put(b, &a);
    bench_do(b, "UPDATE facility SET kind = 99");
    assert_int_equal(registry_cert(b->s, b->arena, print_one, &caller), ERR_CERT_UNREGISTERED);
}

static void test_revoke(void **state)
{
    struct bench *b = *state;
    struct facility a = sample("clinic-c", "1310000001");
    struct registry_caller caller = {0};
    struct registry_cert_row *rows = NULL;
    struct slice serial = SLICE_NONE;
    size_t count = 0;
    int64_t id = put(b, &a);

    assert_int_equal(registry_put_cert(b->s, print_one, SLICE("c"), SLICE("0A"), id, 0), ERR_OK);
    bench_now += 1000;
    assert_int_equal(registry_put_cert(b->s, print_two, SLICE("c"), SLICE("0B"), id, 0), ERR_OK);
    assert_int_equal(registry_put_cert(b->s, print_three, SLICE("d"), SLICE("0C"), id, 0), ERR_OK);
    assert_int_equal(registry_revoke_cert(b->s, b->arena, SLICE("c"), &serial), ERR_OK);
    assert_slice(serial, "0b"); /* the newest of the name */
    assert_int_equal(registry_revoke_cert(b->s, b->arena, SLICE("c"), &serial), ERR_OK);
    assert_slice(serial, "0a");
    assert_int_equal(registry_revoke_cert(b->s, b->arena, SLICE("c"), &serial), ERR_NOT_FOUND);
    assert_int_equal(registry_revoke_cert(b->s, b->arena, SLICE("0C"), &serial), ERR_OK);
    assert_slice(serial, "0c");
    assert_int_equal(registry_cert(b->s, b->arena, print_one, &caller), ERR_OK);
    assert_true(caller.revoked); /* so that the refusal names whom it refused */
    assert_int_equal(caller.facility.id, id);
    assert_int_equal(registry_put_cert(b->s, print_one, SLICE("c"), SLICE("0A"), id, 0),
                     ERR_CONFLICT);
    assert_int_equal(registry_cert(b->s, b->arena, print_one, &caller), ERR_OK);
    assert_true(caller.revoked);
    assert_int_equal(registry_certs(b->s, b->arena, &rows, &count), ERR_OK);
    assert_int_equal(count, 3);
    assert_int_equal(rows[0].revoked_ms, bench_now);
    assert_slice(rows[0].fingerprint_hex,
                 "0100000000000000000000000000000000000000000000000000000000000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes), BENCH_TEST(test_facility), BENCH_TEST(test_staff),
        BENCH_TEST(test_cert),        BENCH_TEST(test_revoke),
    };
    return T_RUN(tests);
}
