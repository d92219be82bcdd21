/* SPDX-License-Identifier: Apache-2.0
 *
 * validate hl7|ssmix2|fhir: the server's verdict without storing. One line (or JSON object) for
 * each finding; exit code 3 when there are errors.
 */
#include <stdio.h>

#include "base/limits.h"
#include "exchange/cli/cli.h"
#include "exchange/cli/files.h"
#include "exchange/cli/table.h"
#include "exchange/cli/verdict.h"
#include "mappers/charset.h"

#include "base/banned.h"

enum form { FORM_HL7, FORM_SSMIX2, FORM_FHIR };

struct validation {
    const struct args *args;
    enum form form;
    struct arena *arena; /* of the table */
    struct table table;
    size_t root_len; /* length of ROOT and its slash */
    unsigned files, refused;
};

static void put_findings(struct validation *v, const char *path, const struct err_list *errors)
{
    static const char *const severities[] = {"error", "warning", "information"};

    for (const struct err_item *i = errors->first; i; i = i->next) {
        table_row(&v->table);
        table_cell(&v->table, slice_str(path));
        table_cell(&v->table, slice_str(severities[i->severity]));
        table_cell(&v->table, slice_str(err_name(i->code)));
        table_cell(&v->table, slice_str(i->place));
        table_cell(&v->table, slice_str(cli_pick(v->args, i->en, i->ja)));
    }
}

static enum err judge(struct validation *v, struct arena *arena, const char *path,
                      struct err_list *errors, struct slice bytes)
{
    struct slice relative = SLICE_NONE;

    if (v->form == FORM_FHIR)
        return verdict_fhir(arena, bytes, errors, NULL);
    if (v->form == FORM_SSMIX2)
        relative = slice_str(path + (strlen(path) > v->root_len ? v->root_len : 0));
    return verdict_hl7(arena, bytes, relative, errors, NULL);
}

static enum err validate_one(void *context, const char *path)
{
    struct validation *v = context;
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    struct err_list errors;
    struct buf bytes;
    enum err err = ERR_LIMIT;

    if (!arena)
        return err;
    err_list_init(&errors, arena);
    buf_init(&bytes, LIMIT_SSMIX2_FILE);
    err = files_read(path, &bytes);
    if (err)
        err = err_add(&errors, err, "", NULL);
    else
        err = judge(v, arena, path, &errors, buf_slice(&bytes));
    if (err && errors.errors == 0)
        err = err_add(&errors, err, "", NULL);
    v->files++;
    v->refused += err != ERR_OK || errors.errors > 0;
    put_findings(v, path, &errors);
    buf_fini(&bytes);
    arena_free(arena);
    return ERR_OK; /* go on with the next file */
}

static int validate(const struct args *args, enum form form)
{
    static const char *const columns[] = {"path", "severity", "code", "place", "text", NULL};
    struct validation v = {.args = args, .form = form, .arena = arena_new(512u * LIMIT_MIB)};
    int code = CLI_OK;

    if (!v.arena || charset_init() != ERR_OK)
        return cli_fail(args, ERR_LIMIT, "validate");
    table_init(&v.table, v.arena, columns);
    for (unsigned i = 0; i < args->operand_count && !code; i++) {
        const char *path = args->operands[i];
        size_t len = strlen(path);
        enum err err = ERR_OK;

        v.root_len = len > 0 && path[len - 1] == '/' ? len : len + 1;
        err = files_walk(path, validate_one, &v);
        if (err)
            code = cli_fail(args, err, path);
    }
    if (!code)
        code = cli_exit(table_print(&v.table, args_flag(args, "json")));
    (void)fprintf(stderr, args->ja ? "%u 件中 %u 件に誤り\n" : "%u files, %u with errors\n",
                  v.files, v.refused);
    arena_free(v.arena);
    return code ? code : v.refused > 0 ? CLI_INVALID : CLI_OK;
}

int cli_validate_hl7(const struct args *args)
{
    return validate(args, FORM_HL7);
}

int cli_validate_ssmix2(const struct args *args)
{
    return validate(args, FORM_SSMIX2);
}

int cli_validate_fhir(const struct args *args)
{
    return validate(args, FORM_FHIR);
}
