/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs tests/cases/hl7v2/<name>/in.hl7 through the mapper and compares the result with expect.json
 * beside it. A new case needs no C: write in.hl7 (UTF-8, one segment a line), run with
 * TASUKI_WRITE_CASES=1, read every line of the expect.json it writes, and commit it only if that is
 * what the standard says.
 */
#include "hl7_map_run.h"

#include <dirent.h>

#include "mappers/charset.h"
#include "base/banned.h"

#define CASES "tests/cases/hl7v2"

/* JSON with one value a line, for people who review expectations. */
static void print_tree(FILE *file, const struct json *value, int depth)
{
    struct buf text;
    bool list = value->kind == JSON_ARRAY;

    if ((list || value->kind == JSON_OBJECT) && value->count) {
        fprintf(file, "%s\n", list ? "[" : "{");
        for (const struct json *c = value->first; c; c = c->next) {
            fprintf(file, "%*s", (depth + 1) * 2, "");
            if (!list) {
                buf_init(&text, 1 << 20);
                json_print_string(&text, c->key);
                fprintf(file, "%.*s: ", (int)text.len, text.ptr);
                buf_fini(&text);
            }
            print_tree(file, c, depth + 1);
            fprintf(file, "%s\n", c->next ? "," : "");
        }
        fprintf(file, "%*s%s", depth * 2, "", list ? "]" : "}");
        return;
    }
    buf_init(&text, 1 << 24);
    json_print(&text, value);
    fprintf(file, "%.*s", (int)text.len, text.ptr);
    buf_fini(&text);
}

static void write_case(const char *path, const struct json *tree)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    print_tree(file, tree, 0);
    fputc('\n', file);
    fclose(file);
}

/* Says the first place where two trees differ. */
static bool same(const struct json *got, const struct json *want, const char *path)
{
    char below[512];
    unsigned n = 0;

    if (got && want && json_equal(got, want))
        return true;
    if (!got || !want || got->kind != want->kind || !got->first || !want->first) {
        struct buf g, w;
        buf_init(&g, 1 << 16);
        buf_init(&w, 1 << 16);
        if (got)
            json_print(&g, got);
        if (want)
            json_print(&w, want);
        print_error("at %s:\n  got  %.*s\n  want %.*s\n", path, (int)g.len, g.ptr ? g.ptr : "",
                    (int)w.len, w.ptr ? w.ptr : "");
        buf_fini(&g);
        buf_fini(&w);
        return false;
    }
    for (const struct json *w = want->first; w; w = w->next, n++) {
        const struct json *g =
            want->kind == JSON_ARRAY ? json_at(got, n) : json_get_slice(got, w->key);
        snprintf(below, sizeof(below), "%s/%.*s%u", path, SLICE_ARG(w->key), n);
        if (!same(g, w, below))
            return false;
    }
    print_error("at %s: more than expected\n", path);
    return false;
}

static bool run_case(const char *name)
{
    char path[512];
    size_t len = 0, want_len = 0;
    char *raw, *want_text;
    struct run run;
    struct json *tree, *want = NULL;
    struct json_fault fault;
    bool ok = false;

    snprintf(path, sizeof(path), CASES "/%s/in.hl7", name);
    raw = run_read(path, &len);
    if (!raw)
        return false;
    run_message(slice_of(raw, len), &run);
    tree = run_tree(&run);
    snprintf(path, sizeof(path), CASES "/%s/expect.json", name);
    if (getenv("TASUKI_WRITE_CASES"))
        write_case(path, tree);
    want_text = run_read(path, &want_len);
    if (want_text && json_parse(run.arena, slice_of(want_text, want_len), &want, &fault) == ERR_OK)
        ok = same(tree, want, name);
    else
        print_error("%s: expect.json is missing or no JSON\n", name);
    if (run.mapped && run_faults(&run) > 0)
        ok = false;
    run_end(&run);
    free(raw);
    free(want_text);
    return ok;
}

static void maps_every_case(void **state)
{
    DIR *dir = opendir(CASES);
    unsigned passed = 0, failed = 0;

    (void)state;
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (e->d_name[0] == '.')
            continue;
        if (run_case(e->d_name)) {
            passed++;
        } else {
            print_error("case %s failed\n", e->d_name);
            failed++;
        }
    }
    closedir(dir);
    printf("cases: %u passed, %u failed\n", passed, failed);
    assert_int_equal(failed, 0);
    assert_true(passed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(maps_every_case)};

    if (charset_init() != ERR_OK)
        return 1;
    return T_RUN(tests);
}
