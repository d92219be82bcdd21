/* SPDX-License-Identifier: Apache-2.0
 *
 * validate ssmix2 ROOT: the checks of mappers/ssmix2/inspect.h on every file of a standard storage,
 * counted by kind of data, and whether the exchange would take each file in. One object with
 * --json. Names of files hold patient numbers: this prints to its caller only, nothing is logged.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/when.h"
#include "exchange/cli/cli.h"
#include "exchange/cli/files.h"
#include "exchange/cli/ssmix2_report.h"
#include "exchange/cli/verdict.h"
#include "mappers/charset.h"

#include "base/banned.h"

#define PROGRESS_MS 1000

struct validation {
    const struct args *args;
    struct ssmix2_report *report;
    size_t root_len;                    /* length of ROOT and its slash */
    char last_valid[LIMIT_SSMIX2_PATH]; /* path of the last valid file, and its key */
    size_t last_key;
    int64_t began_ms, said_ms;
};

static void say_progress(struct validation *v)
{
    int64_t now = clock_monotonic_ms();

    if (now - v->began_ms < 2 * PROGRESS_MS || now - v->said_ms < PROGRESS_MS)
        return;
    v->said_ms = now;
    (void)fprintf(stderr, v->args->ja ? "%u 件済み、誤り %u 件\n" : "%u files, %u with errors\n",
                  v->report->files, v->report->refused);
}

/* Up to the fourth '_' of the file name: patient, date, kind, order. */
static size_t key_len(struct slice path)
{
    size_t at = 0;

    for (size_t slash = slice_find(path, '/', 0); slash < path.len;
         slash = slice_find(path, '/', at))
        at = slash + 1;
    for (unsigned i = 0; i < 4; i++)
        at = slice_find(path, '_', at) + 1;
    return at - 1;
}

/* Names come in order, so files of one key follow each other. */
static void check_count(struct validation *v, struct slice path, struct inspection *in)
{
    if (!in->named)
        return;
    in->judged[INSPECT_COUNT] = true;
    if (in->path.flag != SSMIX2_VALID)
        return;
    size_t key = key_len(path);
    if (v->last_key == key && memcmp(v->last_valid, path.ptr, key) == 0)
        (void)err_say(&in->found[INSPECT_COUNT], ERR_SEVERITY_ERROR, ERR_CONFLICT, "flag",
                      "another valid file has the same patient, care date, kind and order number",
                      "患者・診療日・データ種別・オーダ番号が同じ有効なファイルがほかにあります");
    v->last_key = key;
    memcpy(v->last_valid, path.ptr, key);
}

/* Would the door take it in? What only the standard asks for is said by the other checks. */
static void check_intake(struct arena *arena, struct inspection *in)
{
    struct err_list *found = &in->found[INSPECT_INTAKE];
    struct err_list said;

    in->judged[INSPECT_INTAKE] = true;
    if (!in->message || !in->named || in->path.flag == SSMIX2_OLD)
        return;
    err_list_init(&said, arena);
    enum err err = verdict_message(in->message, &in->path, &said, NULL);
    for (const struct err_item *i = said.first; i; i = i->next) {
        if (i->severity == ERR_SEVERITY_ERROR)
            (void)err_say(found, i->severity, i->code, i->place, i->en, i->ja);
    }
    if (err && found->errors == 0)
        err = err_add(found, err, "", NULL);
}

static enum err validate_one(void *context, const char *path)
{
    struct validation *v = context;
    struct slice relative = slice_str(path + (strlen(path) > v->root_len ? v->root_len : 0));
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    struct inspection in;
    struct buf bytes;
    enum err err = ERR_LIMIT;

    if (!arena || ssmix2_is_aside(relative)) {
        arena_free(arena);
        return arena ? ERR_OK : err;
    }
    buf_init(&bytes, LIMIT_SSMIX2_FILE);
    err = files_read(path, &bytes);
    inspect_file(arena, relative, buf_slice(&bytes), &in);
    if (err) {
        err = err_add(&in.found[INSPECT_INTAKE], err, "", NULL);
    } else {
        check_count(v, relative, &in);
        check_intake(arena, &in);
    }
    err = ssmix2_report_add(v->report, relative, &in);
    say_progress(v);
    buf_fini(&bytes);
    arena_free(arena);
    return err;
}

static int validate(struct validation *v, const char *root)
{
    size_t len = strlen(root);
    enum err err = ERR_OK;

    v->root_len = len > 0 && root[len - 1] == '/' ? len : len + 1;
    v->began_ms = clock_monotonic_ms();
    err = files_walk(root, validate_one, v);
    if (err)
        return cli_fail(v->args, err, root);
    err = ssmix2_report_print(v->report, args_flag(v->args, "json"), args_flag(v->args, "fields"),
                              v->args->ja);
    (void)fprintf(stderr,
                  v->args->ja ? "%u 件中 %u 件に誤り（%" PRId64 " ミリ秒）\n"
                              : "%u files, %u with errors (%" PRId64 " ms)\n",
                  v->report->files, v->report->refused, clock_monotonic_ms() - v->began_ms);
    if (err)
        return cli_exit(err);
    return v->report->refused > 0 ? CLI_INVALID : CLI_OK;
}

int cli_validate_ssmix2(const struct args *args)
{
    struct validation v = {.args = args};
    struct ssmix2_report report;
    int code = CLI_OK;

    if (charset_init() != ERR_OK || ssmix2_report_init(&report) != ERR_OK)
        return cli_fail(args, ERR_LIMIT, "validate");
    v.report = &report;
    if (!ssmix2_report_choose(&report, slice_str(args_value(args, "list"))))
        code = cli_usage(args, "--list takes fields like OBX-3,PV1-2 or PRB-3.1",
                         "--list には OBX-3,PV1-2 や PRB-3.1 のように項目を指定してください");
    if (!code)
        code = validate(&v, args->operands[0]);
    ssmix2_report_fini(&report);
    return code;
}
