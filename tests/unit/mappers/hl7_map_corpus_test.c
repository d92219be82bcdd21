/* SPDX-License-Identifier: Apache-2.0
 *
 * Maps messages of the corpora: every readable SS-MIX2 sample must map to valid resources without
 * an error; all other v2 inputs must be mapped or refused, never crash, and what is mapped must be
 * valid R4.
 */
#include "hl7_map_run.h"

#include <ftw.h>

#include "mappers/charset.h"
#include "base/banned.h"

static struct {
    unsigned mapped, refused, invalid, empty;
    bool strict; /* refusals are failures */
} count;

static bool is_message(struct slice raw)
{
    return raw.len > 8 && memcmp(raw.ptr, "MSH", 3) == 0;
}

static int map_file(const char *path, const struct stat *info, int flag, struct FTW *where)
{
    size_t len = 0;
    char *raw;
    struct run run;

    (void)where;
    if (flag != FTW_F || info->st_size > 4 * 1024 * 1024)
        return 0;
    raw = run_read(path, &len);
    if (!raw || !is_message(slice_of(raw, len))) {
        count.empty++;
        free(raw);
        return 0;
    }
    run_message(slice_of(raw, len), &run);
    if (run.err != ERR_OK) {
        count.refused++;
        if (count.strict)
            print_error("refused %s: %s %s\n", path, err_name(run.err),
                        run.errors.first ? run.errors.first->place : "");
    } else if (run_faults(&run) > 0) {
        print_error("invalid result of %s\n", path);
        count.invalid++;
    } else {
        count.mapped++;
    }
    run_end(&run);
    free(raw);
    return 0;
}

static void walk(const char *name, bool strict)
{
    char path[1024];

    memset(&count, 0, sizeof(count));
    count.strict = strict;
    if (!t_corpus(name, path, sizeof(path))) {
        skip();
        return;
    }
    assert_int_equal(nftw(path, map_file, 16, FTW_PHYS), 0);
    printf("%s: %u mapped, %u refused, %u invalid, %u no message\n", name, count.mapped,
           count.refused, count.invalid, count.empty);
    assert_int_equal(count.invalid, 0);
}

static void maps_all_ssmix2_samples(void **state)
{
    (void)state;
    walk("japan/ssmix2-nho-sample/sampleData", true);
    assert_int_equal(count.refused, 0);
    assert_true(count.mapped >= 20);
}

static void survives_device_messages(void **state)
{
    (void)state;
    walk("japan/pcd01-ipf", false);
}

static void survives_foreign_messages(void **state)
{
    (void)state;
    walk("hl7v2/ms-inputs", false);
    walk("hl7v2/v2-fhir-pairs", false);
    walk("hl7v2/corpus", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_all_ssmix2_samples),
        cmocka_unit_test(survives_device_messages),
        cmocka_unit_test(survives_foreign_messages),
    };

    if (charset_init() != ERR_OK)
        return 1;
    return T_RUN(tests);
}
