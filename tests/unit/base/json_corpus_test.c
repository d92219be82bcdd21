/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON test suite's files: y_ must be accepted, n_ refused, i_ (left open by the RFC) must only
 * end well. We refuse four y_ files on purpose: duplicate names and U+0000 make two readers of one
 * record see different things. What is accepted must survive printing and reading again.
 */
#include "lib/t.h"

#include <dirent.h>

#include "base/json.h"
#include "base/limits.h"

#include "base/banned.h"

#define FOLDER "torture/json-testsuite/test_parsing"

static const char *const refused_on_purpose[] = {
    "y_object_duplicated_key.json",
    "y_object_duplicated_key_and_value.json",
    "y_object_escaped_null_in_key.json",
    "y_string_null_escape.json",
};

struct counts {
    unsigned passed, failed, open, deviating;
};

static bool deviates(const char *name)
{
    for (size_t i = 0; i < T_COUNT(refused_on_purpose); i++) {
        if (strcmp(name, refused_on_purpose[i]) == 0)
            return true;
    }
    return false;
}

static char *read_all(const char *path, size_t *ret_len)
{
    FILE *file = fopen(path, "rb");
    struct stat info;
    assert_non_null(file);
    assert_int_equal(stat(path, &info), 0);
    size_t len = (size_t)info.st_size;
    char *bytes = malloc(len ? len : 1);
    assert_int_equal(fread(bytes, 1, len, file), len);
    fclose(file);
    *ret_len = len;
    return bytes;
}

static bool survives_printing(struct arena *arena, const struct json *root)
{
    struct buf out;
    struct json *again = NULL;
    buf_init(&out, LIMIT_HTTP_ANSWER);
    json_print(&out, root);
    bool ok = buf_err(&out) == ERR_OK &&
              json_parse(arena, buf_slice(&out), &again, NULL) == ERR_OK && json_equal(root, again);
    buf_fini(&out);
    return ok;
}

static void check_file(const char *folder, const char *name, struct counts *counts)
{
    char path[4096];
    size_t len = 0;
    struct json *root = NULL;
    struct json_fault fault = {0};
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    char *bytes = read_all(path, &len);
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    bool accepted = json_parse(arena, slice_of(bytes, len), &root, &fault) == ERR_OK;
    bool ok = accepted ? survives_printing(arena, root) : fault.en != NULL && fault.offset <= len;
    if (deviates(name)) {
        ok = ok && !accepted;
        counts->deviating++;
    } else if (name[0] == 'i') {
        counts->open++;
    } else {
        ok = ok && accepted == (name[0] == 'y');
    }
    if (!ok)
        print_error("%s: %s\n", name, accepted ? "accepted" : "refused");
    counts->passed += ok;
    counts->failed += !ok;
    arena_free(arena);
    free(bytes);
}

static void agrees_with_the_suite(void **state)
{
    char folder[3000];
    struct counts counts = {0};
    (void)state;
    if (!t_corpus(FOLDER, folder, sizeof(folder)))
        skip();
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (slice_ends(slice_str(e->d_name), SLICE(".json")))
            check_file(folder, e->d_name, &counts);
    }
    closedir(dir);
    printf("json-testsuite: %u passed, %u failed, 0 skipped (%u open, %u refused on purpose)\n",
           counts.passed, counts.failed, counts.open, counts.deviating);
    assert_int_equal(counts.failed, 0);
    assert_true(counts.passed > 250);
    assert_int_equal(counts.deviating, T_COUNT(refused_on_purpose));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_the_suite)};
    return T_RUN(tests);
}
