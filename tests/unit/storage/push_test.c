/* SPDX-License-Identifier: Apache-2.0
 *
 * subscription.c and export.c: positions only grow, failures count on one change, a job that was cancelled cannot be
 * stepped, and all of it is there after the store was closed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/store_fixture.h"
#include "lib/t.h"
#include "storage/export.h"
#include "storage/subscription.h"

#include "base/banned.h"

static int64_t facility;

static enum err make_facility(struct session *s, void *context)
{
    struct facility f = {.key = SLICE("hospital-a"),
                         .code = SLICE("1310000001"),
                         .name = SLICE("A"),
                         .kind = FACILITY_HOSPITAL,
                         .active = true};
    (void)context;
    return registry_put_facility(s, &f, &facility);
}

static void start(struct fixture *f)
{
    fixture_open(f);
    assert_int_equal(fixture_write(f, make_facility, NULL), ERR_OK);
}

static struct subscription sample(int64_t rid)
{
    struct subscription row = {.rid = rid,
                               .id = SLICE("sub-1"),
                               .facility = facility,
                               .purpose = SLICE("TREAT"),
                               .state = SUBSCRIPTION_ACTIVE,
                               .position = 100};
    memset(row.fingerprint, 9, DIGEST_LEN);
    return row;
}

/* ---- subscriptions ---- */

struct look {
    struct fixture *f;
    int64_t rid;
    struct subscription row;
    struct subscription *list;
    size_t count, of_facility;
};

static enum err read_back(struct session *s, void *context)
{
    struct look *l = context;
    enum err err = subscription_get(s, l->f->arena, l->rid, &l->row);
    if (!err)
        err = subscription_list(s, l->f->arena, &l->list, &l->count);
    return err ? err : subscription_count(s, facility, &l->of_facility);
}

static enum err put_two(struct session *s, void *context)
{
    struct subscription one = sample(7), two = sample(5);
    (void)context;
    two.state = SUBSCRIPTION_OFF;
    enum err err = subscription_put(s, &one);
    return err ? err : subscription_put(s, &two);
}

static enum err fail_thrice(struct session *s, void *context)
{
    enum err err = subscription_fail(s, 7, 120, 5000, SLICE("no"));
    (void)context;
    if (!err)
        err = subscription_fail(s, 7, 120, 9000, SLICE("no again"));
    return err;
}

static enum err fail_other(struct session *s, void *context)
{
    (void)context;
    return subscription_fail(s, 7, 130, 9000, SLICE("another"));
}

static enum err advance(struct session *s, void *context)
{
    return subscription_advance(s, 7, *(int64_t *)context);
}

static enum err drop(struct session *s, void *context)
{
    (void)context;
    return subscription_drop(s, 7);
}

static void test_subscription(void **state)
{
    struct fixture f;
    int64_t seq = 0;
    (void)state;
    start(&f);
    struct look l = {.f = &f, .rid = 7};
    assert_int_equal(fixture_write(&f, read_back, &l), ERR_NOT_FOUND);
    assert_int_equal(fixture_write(&f, put_two, NULL), ERR_OK);
    assert_int_equal(fixture_write(&f, read_back, &l), ERR_OK);
    assert_slice(l.row.id, "sub-1");
    assert_slice(l.row.facility_key, "hospital-a");
    assert_slice(l.row.purpose, "TREAT");
    assert_int_equal(l.row.fingerprint[31], 9);
    assert_int_equal(l.count, 2);
    assert_int_equal(l.list[0].rid, 5);
    assert_int_equal(l.of_facility, 1); /* one is off */
    assert_int_equal(fixture_write(&f, fail_thrice, NULL), ERR_OK);
    assert_int_equal(fixture_write(&f, read_back, &l), ERR_OK);
    assert_int_equal(l.row.failures, 2);
    assert_int_equal(l.row.stuck, 120);
    assert_int_equal(l.row.next_ms, 9000);
    assert_slice(l.row.reason, "no again");
    assert_int_equal(fixture_write(&f, fail_other, NULL), ERR_OK);
    assert_int_equal(fixture_write(&f, read_back, &l), ERR_OK);
    assert_int_equal(l.row.failures, 1); /* on another change it is the first */
    seq = 130;
    assert_int_equal(fixture_write(&f, advance, &seq), ERR_OK);
    seq = 110; /* reported late */
    assert_int_equal(fixture_write(&f, advance, &seq), ERR_OK);
    assert_int_equal(fixture_write(&f, read_back, &l), ERR_OK);
    assert_int_equal(l.row.position, 130);
    assert_int_equal(l.row.failures, 0);
    assert_int_equal(l.row.stuck, 0);
    assert_int_equal(fixture_write(&f, drop, NULL), ERR_OK);
    assert_int_equal(fixture_write(&f, read_back, &l), ERR_NOT_FOUND);
    fixture_close(&f);
}

static void test_states(void **state)
{
    enum subscription_state found = SUBSCRIPTION_OFF;
    (void)state;
    for (unsigned i = 0; i < SUBSCRIPTION_STATE_COUNT; i++) {
        assert_true(subscription_state_find(
            slice_str(subscription_state_code((enum subscription_state)i)), &found));
        assert_int_equal(found, i);
    }
    assert_false(subscription_state_find(SLICE("Active"), &found));
}

/* ---- exports ---- */

struct exports {
    struct fixture *f;
    struct export_job job;
    struct export_file *files;
    size_t file_count, job_count;
};

static enum err add_job(struct session *s, void *context)
{
    struct exports *e = context;
    return export_add(s, &e->job);
}

static enum err step(struct session *s, void *context)
{
    struct exports *e = context;
    struct export_file one = {.number = 1, .type = SLICE("Observation"), .lines = 3};
    struct export_file two = {.number = 2, .type = SLICE("Patient"), .deleted = true, .lines = 1};
    enum err err = export_step(s, &e->job);
    if (!err)
        err = export_put_file(s, e->job.id, &one);
    if (!err)
        err = export_put_file(s, e->job.id, &two);
    one.lines = 5;
    return err ? err : export_put_file(s, e->job.id, &one);
}

static enum err read_exports(struct session *s, void *context)
{
    struct exports *e = context;
    struct export_job *jobs = NULL;
    enum err err = export_list(s, e->f->arena, &jobs, &e->job_count);
    if (!err)
        err = export_files(s, e->f->arena, e->job.id, &e->files, &e->file_count);
    return err ? err : export_get(s, e->f->arena, e->job.id, &e->job);
}

static enum err drop_job(struct session *s, void *context)
{
    struct exports *e = context;
    return export_drop(s, e->job.id);
}

static void test_export(void **state)
{
    struct fixture f;
    (void)state;
    start(&f);
    struct exports e = {.f = &f,
                        .job = {.id = SLICE("job-1"),
                                .facility = facility,
                                .purpose = SLICE("HOPERAT"),
                                .level = EXPORT_GROUP,
                                .group_id = SLICE("g"),
                                .request = SLICE("https://x/fhir/$export?_type=Patient"),
                                .query = SLICE("_type=Patient"),
                                .snapshot_ms = 77,
                                .created_ms = 78}};
    assert_int_equal(fixture_write(&f, add_job, &e), ERR_OK);
    e.job.position = 4096;
    e.job.state = EXPORT_DONE;
    e.job.expires_ms = 99;
    assert_int_equal(fixture_write(&f, step, &e), ERR_OK);
    e.job = (struct export_job){.id = SLICE("job-1")};
    assert_int_equal(fixture_write(&f, read_exports, &e), ERR_OK);
    assert_slice(e.job.facility_key, "hospital-a");
    assert_slice(e.job.group_id, "g");
    assert_slice(e.job.query, "_type=Patient");
    assert_int_equal(e.job.level, EXPORT_GROUP);
    assert_int_equal(e.job.state, EXPORT_DONE);
    assert_int_equal(e.job.position, 4096);
    assert_int_equal(e.job.snapshot_ms, 77);
    assert_int_equal(e.job.expires_ms, 99);
    assert_int_equal(e.file_count, 2);
    assert_int_equal(e.files[0].lines, 5);
    assert_true(e.files[1].deleted);
    assert_slice(e.files[1].type, "Patient");
    assert_int_equal(fixture_write(&f, drop_job, &e), ERR_OK);
    assert_int_equal(fixture_write(&f, step, &e), ERR_NOT_FOUND); /* cancelled under way */
    assert_int_equal(fixture_write(&f, read_exports, &e), ERR_NOT_FOUND);
    assert_int_equal(e.job_count, 0);
    assert_int_equal(e.file_count, 0);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subscription),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_export),
    };
    return T_RUN(tests);
}
