/* SPDX-License-Identifier: Apache-2.0
 *
 * Every expression of R4's official search parameters compiles and runs over every official example
 * without an error. Prints counts and speed.
 */
#include "lib/fhir_t.h"

#include <dirent.h>
#include <time.h>

#include "mappers/fhir/fhirpath.h"

#include "base/banned.h"

#define EXPRESSIONS_MAX 2000

struct expressions {
    struct fhirpath *paths[EXPRESSIONS_MAX];
    const char *names[EXPRESSIONS_MAX];
    size_t count;
    unsigned without;
};

struct tally {
    unsigned passed, failed, skipped;
    size_t items;
};

static struct json *read_json(struct arena *a, const char *folder, const char *name)
{
    char path[4096];
    char piece[65536];
    size_t n;
    struct buf text;
    struct json *root = NULL;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    buf_init(&text, T_ARENA_MAX);
    while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
        buf_add(&text, slice_of(piece, n));
    fclose(file);
    struct slice copy = arena_dup(a, buf_slice(&text));
    buf_fini(&text);
    assert_int_equal(json_parse(a, copy, &root, NULL), ERR_OK);
    return root;
}

typedef void (*file_cb)(struct arena *a, const char *name, struct json *root, void *context);

static void each_file(const char *folder, const char *prefix, struct arena *keep, file_cb call,
                      void *context)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        struct slice name = slice_str(e->d_name);
        if (!slice_starts(name, slice_str(prefix)) || !slice_ends(name, SLICE(".json")))
            continue;
        struct arena *a = keep ? keep : arena_new(T_ARENA_MAX * 8);
        call(a, e->d_name, read_json(a, folder, e->d_name), context);
        if (!keep)
            arena_free(a);
    }
    closedir(dir);
}

static void compile_one(struct arena *a, const char *name, struct json *root, void *context)
{
    struct expressions *all = context;
    struct fhirpath_fault fault = {0};
    struct slice text = json_str(root, "expression");
    if (text.len == 0) {
        all->without++;
        return;
    }
    assert_true(all->count < EXPRESSIONS_MAX);
    enum err err = fhirpath_compile(a, text, &all->paths[all->count], &fault);
    if (err)
        print_error("%s: %s at %u\n", name, fault.en, fault.column);
    assert_int_equal(err, ERR_OK);
    all->names[all->count++] = arena_str(a, slice_str(name));
}

struct work {
    const struct expressions *all;
    struct tally tally;
};

static void run_one(struct arena *a, const char *name, struct json *root, void *context)
{
    struct work *work = context;
    struct fhirpath_scene scene = {root, NULL, NULL, NULL, NULL};
    if (!json_get(root, "resourceType")) {
        work->tally.skipped++; /* package.json */
        return;
    }
    for (size_t i = 0; i < work->all->count; i++) {
        struct fhirpath_fault fault = {0};
        struct fhirpath_values values = {0};
        enum err err = fhirpath_eval(work->all->paths[i], a, &scene, &values, &fault);
        work->tally.items += values.count;
        if (err)
            print_error("%s on %s: %s at %u\n", work->all->names[i], name, fault.en, fault.column);
        *(err ? &work->tally.failed : &work->tally.passed) += 1;
    }
}

static void search_parameters(void **state)
{
    char definitions[2048];
    char examples[2048];
    struct expressions all = {.count = 0};
    struct work work = {&all, {0}};
    (void)state;
    if (!t_corpus("fhir/r4-schemas/hl7.fhir.r4.core/package", definitions, sizeof(definitions)) ||
        !t_corpus("fhir/r4-examples", examples, sizeof(examples)))
        skip();
    struct arena *a = arena_new(T_ARENA_MAX * 8);
    each_file(definitions, "SearchParameter-", a, compile_one, &all);
    clock_t start = clock();
    each_file(examples, "", NULL, run_one, &work);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    printf("%zu expressions (%u parameters have none): %u evaluations passed, %u failed, %u files "
           "skipped; %zu items, %.2f us each\n",
           all.count, all.without, work.tally.passed, work.tally.failed, work.tally.skipped,
           work.tally.items, seconds * 1e6 / work.tally.passed);
    assert_int_equal(work.tally.failed, 0);
    assert_true(all.count > 1300 && work.tally.items > 5000);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(search_parameters)};
    return T_RUN(tests);
}
