/* SPDX-License-Identifier: Apache-2.0
 *
 * The public cases of FHIRPath Patch, which are XML: input, diff (Parameters), and output or error.
 * Each part is cut out of the file as text and read as a resource. Prints counts; nothing is
 * skipped.
 */
#include "lib/fhir_t.h"
#include "lib/patch_case.h"

#include "mappers/fhir/patch_fhirpath.h"
#include "mappers/fhir/xml_read.h"

#include "base/banned.h"

/* The text between <TAG ...> and </TAG> in TEXT; {NULL,0} when there is none. */
static struct slice between(struct slice text, const char *tag)
{
    char open[32];
    char close[32];
    snprintf(open, sizeof(open), "<%s>", tag);
    snprintf(close, sizeof(close), "</%s>", tag);
    size_t from = slice_search(text, slice_str(open), 0);
    size_t to = slice_search(text, slice_str(close), from);
    if (from == text.len || to == text.len)
        return SLICE_NONE;
    return slice_trim(slice_sub(text, from + strlen(open), to - from - strlen(open)));
}

static struct json *read_resource(struct arena *a, struct slice text)
{
    struct err_list errors;
    struct json *root = NULL;
    err_list_init(&errors, a);
    enum err err = xml_read_resource(a, text, &root, &errors);
    if (err)
        print_error("%.*s\n%s: %s\n", SLICE_ARG(text), errors.first->place, errors.first->en);
    return root;
}

static bool run_case(struct arena *a, struct slice name, struct slice text)
{
    struct slice output = between(text, "output");
    struct patch_case_run run = {.target = read_resource(a, between(text, "input"))};
    struct json *diff = read_resource(a, between(text, "diff"));
    err_list_init(&run.errors, a);
    if (!run.target || !diff)
        return false;
    if (output.len > 0)
        run.expected = read_resource(a, output);
    run.err = patch_fhirpath_apply(a, run.target, diff, &run.patched, &run.errors);
    return patch_case_judge(name, &run);
}

static void corpus_cases(void **state)
{
    char path[2048];
    struct buf text;
    char piece[65536];
    size_t n;
    unsigned passed = 0;
    unsigned failed = 0;
    (void)state;
    if (!t_corpus("fhir/patch/fhir-patch-tests.xml", path, sizeof(path)))
        skip();
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    buf_init(&text, T_ARENA_MAX);
    while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
        buf_add(&text, slice_of(piece, n));
    fclose(file);
    struct slice all = buf_slice(&text);
    size_t at = slice_search(all, SLICE("<case "), 0);
    while (at < all.len) {
        struct arena *a = arena_new(T_ARENA_MAX);
        size_t next = slice_search(all, SLICE("<case "), at + 1);
        struct slice one = slice_sub(all, at, next - at);
        size_t name = slice_search(one, SLICE("name=\""), 0) + 6;
        *(run_case(a, slice_sub(one, name, slice_find(one, '"', name) - name), one) ? &passed
                                                                                    : &failed) += 1;
        arena_free(a);
        at = next;
    }
    printf("%s: %u passed, %u failed, 0 skipped\n", path, passed, failed);
    buf_fini(&text);
    assert_int_equal(failed, 0);
    assert_true(passed >= 33);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(corpus_cases)};
    return T_RUN(tests);
}
