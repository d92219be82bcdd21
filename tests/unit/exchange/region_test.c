/* SPDX-License-Identifier: Apache-2.0
 *
 * exchange/demo/region: a whole region in a temporary folder. The files are those of the contract,
 * the parties are known by certificate, every invented document passes every rule of the exchange,
 * and the audit chain holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/when.h"
#include "exchange/demo/region.h"
#include "storage/audit.h"
#include "storage/person.h"

#include "base/banned.h"

#define PATIENTS 24u

static char dir[64];
static struct region *region;
static struct exchange exchange;

static struct conf read_conf(struct arena *arena)
{
    struct err_list errors;
    struct conf conf;

    err_list_init(&errors, arena);
    if (conf_read(arena, region->conf_path, &errors, &conf) != ERR_OK)
        fail_msg("%s: %s", errors.first->place, errors.first->en);
    return conf;
}

static int make(void **state)
{
    static struct arena *arena;
    struct region_options options = {
        .dir = dir, .port_base = 18000, .patients = PATIENTS, .seed = 7};
    struct conf conf;
    char text[256] = "";

    (void)snprintf(dir, sizeof(dir), "/tmp/tasuki-region-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    if (region_make(&options, clock_system.now_ms(&clock_system), text, sizeof(text), &region)) {
        print_error("%s\n", text);
        return -1;
    }
    arena = arena_new(LIMIT_MIB);
    *state = arena;
    conf = read_conf(arena);
    if (exchange_open(&exchange, &conf, NULL, NULL, text, sizeof(text))) {
        print_error("%s\n", text);
        return -1;
    }
    return region_register(&exchange, region) == ERR_OK ? 0 : -1;
}

static int drop(void **state)
{
    char command[128];

    exchange_close(&exchange);
    region_free(region);
    arena_free(*state);
    (void)snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

static unsigned mode_of(const char *name)
{
    char path[128];
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (stat(path, &st) != 0)
        fail_msg("%s is missing", path);
    return (unsigned)st.st_mode & 0777u;
}

static void test_files(void **state)
{
    static const char *const files[] = {
        "pki/ca.pem",
        "pki/crl.pem",
        "pki/server.pem",
        "pki/hospital-a.pem",
        "pki/hospital-b.pem",
        "pki/clinic-c.pem",
        "pki/emergency-e.pem",
        "pki/pharmacy-p.pem",
        "pki/insurer-i.pem",
        "pki/city-m.pem",
        "pki/gateway-v.pem",
        "pki/operator.pem",
        "pki/resident-1.pem",
        "pki/resident-5.key",
        "inbox/hospital-a",
        "inbox/hospital-a.cda",
        "inbox/emergency-e",
        "inbox/insurer-i.cda",
        "data",
        "log",
        "tasuki.conf",
        "demo.json",
        "data/tasuki.db",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        (void)mode_of(files[i]);
    assert_int_equal(mode_of("master.key"), 0600);
    assert_int_equal(mode_of("pki/operator.key"), 0600);
    assert_true(region_exists(dir));
}

static void test_made_once(void **state)
{
    struct region *again = NULL;
    char text[256];

    (void)state;
    assert_int_equal(region_make(&region->options, 0, text, sizeof(text), &again), ERR_CONFLICT);
    assert_null(again);
}

static void test_description(void **state)
{
    struct arena *arena = arena_new(16u * LIMIT_MIB);
    char path[128], *bytes = arena_alloc(arena, LIMIT_MIB);
    struct json *root = NULL, *first = NULL;
    struct json_fault fault;
    FILE *f = NULL;
    size_t len = 0;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/demo.json", dir);
    f = fopen(path, "r");
    assert_non_null(f);
    len = fread(bytes, 1, LIMIT_MIB, f);
    (void)fclose(f);
    assert_int_equal(json_parse(arena, slice_of(bytes, len), &root, &fault), ERR_OK);
    assert_int_equal(json_get(root, "residents")->count, PATIENTS);
    first = json_path(root, "residents", "0", NULL);
    assert_true(slice_is(json_str(first, "key"), "resident-1"));
    assert_int_equal(json_str(first, "card").len, 12);
    assert_int_equal(json_str(first, "birthDate").len, 10);
    assert_true(json_str(json_get(first, "localNumbers"), "hospital-b").len > 0);
    assert_true(json_str(first, "story").len > 0);
    first = json_path(root, "facilities", "0", NULL);
    assert_true(slice_is(json_str(first, "key"), "hospital-a"));
    assert_int_equal(json_str(first, "code").len, 10);
    assert_true(json_get(root, "staff")->count >= 20);
    arena_free(arena);
}

/* ── what the store knows ────────────────────────────────────────────────────────────────────── */

struct question {
    struct store_job job;
    struct arena *arena;
    struct registry_caller hospital, resident;
    int64_t by_card;
    struct facility home;
};

static enum err ask(struct session *s, struct store_job *job)
{
    struct question *q = (struct question *)job;
    enum err err = registry_cert(s, q->arena, region->facility_certs[DEMO_HOSPITAL_A].fingerprint,
                                 &q->hospital);

    if (!err)
        err = registry_cert(s, q->arena, region->resident_certs[2].fingerprint, &q->resident);
    if (!err)
        err = person_by_card(s, slice_str(region->people[2].card), &q->by_card);
    if (!err)
        err = registry_facility_by_key(s, q->arena, SLICE("home"), &q->home);
    return err;
}

static enum err no_audit(struct session *s, struct store_job *job)
{
    (void)s;
    (void)job;
    return ERR_OK;
}

static void test_parties(void **state)
{
    struct question q = {.job = {.look = ask, .audit = no_audit}, .arena = arena_new(LIMIT_MIB)};

    (void)state;
    assert_int_equal(store_run(exchange.store, &q.job), ERR_OK);
    assert_true(slice_is(q.hospital.facility.key, "hospital-a"));
    assert_int_equal(q.hospital.facility.kind, FACILITY_HOSPITAL);
    assert_int_equal(q.resident.person, region->persons[2]);
    assert_int_equal(q.by_card, region->persons[2]);
    assert_true(slice_is(q.home.code, "0000000000"));
    arena_free(q.arena);
}

static void test_records(void **state)
{
    struct region_tally tally;
    struct audit_verdict verdict;
    int64_t before = clock_monotonic_ms();

    (void)state;
    assert_int_equal(region_load(&exchange, region, false, &tally), ERR_OK);
    print_message("%u documents, %u refused, %d ms\n", tally.documents, tally.refused,
                  (int)(clock_monotonic_ms() - before));
    if (tally.refused > 0)
        fail_msg("%s", tally.first);
    assert_true(tally.documents > PATIENTS * 12);
    assert_int_equal(
        audit_verify(exchange.conf.store, exchange.conf.checkpoints, exchange.key_audit, &verdict),
        ERR_OK);
    assert_true(verdict.ok);
    assert_true(verdict.rows > (int64_t)tally.documents);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),       cmocka_unit_test(test_made_once),
        cmocka_unit_test(test_description), cmocka_unit_test(test_parties),
        cmocka_unit_test(test_records),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
