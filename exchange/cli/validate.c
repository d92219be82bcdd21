/* SPDX-License-Identifier: Apache-2.0
 *
 * validate hl7|fhir: the server's verdict without storing. One line (or JSON object) for each
 * finding; exit code 3 when there are errors. What a place of a message is called is said in both
 * languages: it is read with the sender's engineers. (validate ssmix2: validate_ssmix2.c)
 */
#include <stdio.h>

#include "base/limits.h"
#include "exchange/cli/cli.h"
#include "exchange/cli/files.h"
#include "exchange/cli/table.h"
#include "exchange/cli/verdict.h"
#include "mappers/charset.h"
#include "mappers/hl7v2/explain.h"

#include "base/banned.h"

enum form { FORM_HL7, FORM_FHIR };

struct validation {
    const struct args *args;
    enum form form;
    struct arena *arena; /* of the table */
    struct table table;
    unsigned files, refused;
};

/* "検査結果: 検査値 / Observation/Result: Observation Value". */
static struct slice place_name(struct validation *v, const char *place)
{
    struct slice en = SLICE_NONE, ja = SLICE_NONE;

    explain_place(v->arena, slice_str(place), &en, &ja);
    if (en.len == 0)
        return SLICE_NONE;
    return slice_str(arena_printf(v->arena, "%.*s / %.*s", SLICE_ARG(ja), SLICE_ARG(en)));
}

static void put_findings(struct validation *v, const char *path, const struct err_list *errors)
{
    static const char *const severities[] = {"error", "warning", "information"};

    for (const struct err_item *i = errors->first; i; i = i->next) {
        table_row(&v->table);
        table_cell(&v->table, slice_str(path));
        table_cell(&v->table, slice_str(severities[i->severity]));
        table_cell(&v->table, slice_str(err_name(i->code)));
        table_cell(&v->table, slice_str(i->place));
        if (v->form == FORM_HL7)
            table_cell(&v->table, place_name(v, i->place));
        table_cell(&v->table, slice_str(cli_pick(v->args, i->en, i->ja)));
    }
}

static enum err judge(struct validation *v, struct arena *arena, struct err_list *errors,
                      struct slice bytes)
{
    if (v->form == FORM_FHIR)
        return verdict_fhir(arena, bytes, errors, NULL);
    return verdict_hl7(arena, bytes, errors, NULL);
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
        err = judge(v, arena, &errors, buf_slice(&bytes));
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
    static const char *const fhir[] = {"path", "severity", "code", "place", "text", NULL};
    static const char *const hl7[] = {"path", "severity", "code", "place", "name", "text", NULL};
    struct validation v = {.args = args, .form = form, .arena = arena_new(512u * LIMIT_MIB)};
    int code = CLI_OK;

    if (!v.arena || charset_init() != ERR_OK)
        return cli_fail(args, ERR_LIMIT, "validate");
    table_init(&v.table, v.arena, form == FORM_HL7 ? hl7 : fhir);
    for (unsigned i = 0; i < args->operand_count && !code; i++) {
        enum err err = files_walk(args->operands[i], validate_one, &v);
        if (err)
            code = cli_fail(args, err, args->operands[i]);
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

int cli_validate_fhir(const struct args *args)
{
    return validate(args, FORM_FHIR);
}
