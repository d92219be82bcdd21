/* SPDX-License-Identifier: Apache-2.0
 *
 * staff add|list|remove: the people a facility may vouch for in the Tasuki-User header. Adding
 * somebody again changes name and role. Nobody signs in with this; it only bounds whom a facility
 * may name.
 */
#include "exchange/cli/cli.h"
#include "exchange/cli/table.h"

#include "base/banned.h"

#define USER_LEN 64u

struct staff_job {
    struct arena *arena;
    struct slice facility_key, user, name;
    enum staff_role role;
};

/* A user is a word in a header and in the audit record. */
static bool user_ok(struct slice user)
{
    for (size_t i = 0; i < user.len; i++)
        if (user.ptr[i] <= ' ' || user.ptr[i] > '~')
            return false;
    return user.len > 0 && user.len <= USER_LEN;
}

/* The facility whose list is changed, which the audit row names. */
static enum err find_facility(struct session *s, struct request *r, int64_t *ret_facility)
{
    const struct staff_job *in = r->input;
    struct facility facility;
    enum err err = registry_facility_by_key(s, in->arena, in->facility_key, &facility);

    if (err)
        return err_add(&r->errors, err, "--facility", NULL);
    r->entity = arena_printf(r->arena, "Organization/%.*s", SLICE_ARG(in->facility_key));
    *ret_facility = facility.id;
    return ERR_OK;
}

static enum err add_apply(struct session *s, struct request *r)
{
    const struct staff_job *in = r->input;
    int64_t facility = 0;
    enum err err = find_facility(s, r, &facility);

    if (err)
        return err;
    r->reason = arena_printf(r->arena, "%.*s: %s", SLICE_ARG(in->user), staff_role_code(in->role));
    return registry_put_staff(s, facility, in->user, in->name, in->role);
}

static const struct use add_use = {
    .event = "staff-add", .actors = 1u << GRANT_OPERATOR, .writes = true, .apply = add_apply};

int cli_staff_add(const struct args *args)
{
    struct cli_place place;
    struct staff_job in = {.facility_key = slice_str(args_value(args, "facility")),
                           .user = slice_str(args_value(args, "user")),
                           .name = slice_str(args_value(args, "name"))};
    int code = CLI_OK;

    if (!in.facility_key.len || !in.name.len || !user_ok(in.user) ||
        !staff_role_find(slice_str(args_value(args, "role")), &in.role))
        return cli_usage(args,
                         "give --facility KEY, --user ID (no blanks), --name NAME and --role: "
                         "doctor nurse pharmacist clerk paramedic system",
                         "--facility、--user（空白なし）、--name、--role が要ります（役割: "
                         "doctor nurse pharmacist clerk paramedic system）");
    code = cli_open(args, &place);
    in.arena = place.arena;
    if (!code)
        code = cli_use(&place, &add_use, SLICE_NONE, &in);
    cli_close(&place);
    return code;
}

static enum err remove_apply(struct session *s, struct request *r)
{
    const struct staff_job *in = r->input;
    int64_t facility = 0;
    enum err err = find_facility(s, r, &facility);

    if (err)
        return err;
    r->reason = arena_str(r->arena, in->user);
    err = registry_remove_staff(s, facility, in->user);
    return err ? err_add(&r->errors, err, "--user", NULL) : ERR_OK;
}

static const struct use remove_use = {
    .event = "staff-remove", .actors = 1u << GRANT_OPERATOR, .writes = true, .apply = remove_apply};

int cli_staff_remove(const struct args *args)
{
    struct cli_place place;
    struct staff_job in = {.facility_key = slice_str(args_value(args, "facility")),
                           .user = slice_str(args_value(args, "user"))};
    int code = CLI_OK;

    if (!in.facility_key.len || !in.user.len)
        return cli_usage(args, "give --facility KEY and --user ID",
                         "--facility と --user が要ります");
    code = cli_open(args, &place);
    in.arena = place.arena;
    if (!code)
        code = cli_use(&place, &remove_use, SLICE_NONE, &in);
    cli_close(&place);
    return code;
}

/* ── list ────────────────────────────────────────────────────────────────────────────────────── */

struct staff_list {
    struct arena *arena;
    struct slice facility_key;
    struct registry_staff_row *rows;
    size_t count;
};

static enum err list_look(struct session *s, struct request *r)
{
    struct staff_list *in = r->input;
    struct facility facility = {.id = 0};
    enum err err = in->facility_key.len
                       ? registry_facility_by_key(s, in->arena, in->facility_key, &facility)
                       : ERR_OK;

    if (err)
        return err_add(&r->errors, err, "--facility", NULL);
    return registry_staff_list(s, in->arena, facility.id, &in->rows, &in->count);
}

static const struct use list_use = {
    .event = "staff-list", .actors = 1u << GRANT_OPERATOR, .look = list_look};

static void fill_list(struct table *table, const struct cli_place *place, const void *input)
{
    const struct staff_list *in = input;

    (void)place;
    for (size_t i = 0; i < in->count; i++) {
        table_row(table);
        table_cell(table, in->rows[i].facility_key);
        table_cell(table, in->rows[i].user);
        table_cell(table, slice_str(staff_role_code(in->rows[i].role)));
        table_cell(table, in->rows[i].name);
    }
}

int cli_staff_list(const struct args *args)
{
    static const char *const columns[] = {"facility", "user", "role", "name", NULL};
    static const struct cli_listing listing = {&list_use, columns, fill_list};
    struct staff_list in = {.facility_key = slice_str(args_value(args, "facility"))};

    return cli_list(args, &listing, &in, &in.arena);
}
