/* SPDX-License-Identifier: Apache-2.0
 *
 * Maps messages of the corpora: every readable SS-MIX2 sample must map to valid resources without
 * an error; all other inputs, whatever they are, must be mapped or refused with a reason, never crash,
 * and what is mapped must be valid R4.
 */
#include "hl7_map_run.h"

#include <ftw.h>

#include "mappers/charset.h"
#include "base/banned.h"

static struct {
    unsigned mapped, refused, invalid;
    unsigned reasons[ERR_COUNT];
    bool strict; /* refusals are failures */
} count;

static int map_file(const char *path, const struct stat *info, int flag, struct FTW *where)
{
    size_t len = 0;
    char *raw;
    struct run run;

    (void)where;
    if (flag != FTW_F || info->st_size > 4 * 1024 * 1024)
        return 0;
    raw = run_read(path, &len);
    if (!raw)
        return 0;
    run_message(slice_of(raw, len), &run);
    if (run.err != ERR_OK) {
        count.refused++;
        count.reasons[run.err]++;
        if (!run.errors.errors) {
            print_error("refused without a reason: %s\n", path);
            count.invalid++;
        }
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
    printf("%s: %u mapped, %u refused, %u invalid\n", name, count.mapped, count.refused,
           count.invalid);
    for (size_t i = 0; i < T_COUNT(count.reasons); i++) {
        if (count.reasons[i])
            printf("  refused with %s: %u\n", err_name((enum err)i), count.reasons[i]);
    }
    assert_int_equal(count.invalid, 0);
}

static void maps_all_ssmix2_samples(void **state)
{
    (void)state;
    walk("japan/ssmix2-nho-sample/sampleData", true);
    assert_true(count.refused <= 1); /* a note that lies among them is no message */
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
