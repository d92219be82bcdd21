/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the cases of one file, a list of objects, and judges what a patch made of each: the expected
 * document (digit for digit), or an error, with its code and place where the case names them.
 */
#ifndef TESTS_LIB_PATCH_CASE_H
#define TESTS_LIB_PATCH_CASE_H

#include "lib/fhir_t.h"

#include "base/err.h"

struct patch_case_run {
    const struct json *target;
    const struct json *expected; /* NULL: an error is expected */
    struct slice code;           /* empty: any */
    struct slice place;          /* empty: any */
    struct json *patched;
    struct err_list errors;
    enum err err;
};

static inline void patch_case_show(const char *what, const struct json *value)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    if (value)
        json_print(&text, value);
    print_error("  %s %.*s\n", what, SLICE_ARG(buf_slice(&text)));
    buf_fini(&text);
}

static inline bool patch_case_judge(struct slice name, const struct patch_case_run *run)
{
    const struct err_item *first = run->errors.first;
    bool ok;
    if (run->expected)
        ok = run->err == ERR_OK && run->errors.errors == 0 &&
             json_equal(run->patched, run->expected);
    else
        ok = run->err != ERR_OK && !run->patched && run->errors.errors == 1 &&
             (run->code.len == 0 || slice_is(run->code, err_name(run->err))) &&
             (run->place.len == 0 || slice_is(run->place, first->place));
    if (ok)
        return true;
    print_error("%.*s\n  got %s at '%s': %s\n", SLICE_ARG(name), err_name(run->err),
                first ? first->place : "", first ? first->en : "");
    patch_case_show("got ", run->patched);
    patch_case_show("want", run->expected);
    return false;
}

/* How many cases of the file at PATH fail. Prints the counts. */
static inline unsigned patch_case_file(const char *path,
                                       bool (*run)(struct arena *a, const struct json *c))
{
    unsigned passed = 0;
    unsigned failed = 0;
    char piece[65536];
    size_t n;
    struct buf text;
    struct json *root = NULL;
    struct arena *a = arena_new(T_ARENA_MAX);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    buf_init(&text, T_ARENA_MAX);
    while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
        buf_add(&text, slice_of(piece, n));
    fclose(file);
    assert_int_equal(json_parse(a, buf_slice(&text), &root, NULL), ERR_OK);
    for (const struct json *c = root->first; c; c = c->next)
        *(run(a, c) ? &passed : &failed) += 1;
    printf("%s: %u passed, %u failed, 0 skipped\n", path, passed, failed);
    buf_fini(&text);
    arena_free(a);
    return failed;
}

#endif
