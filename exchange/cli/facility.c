/* SPDX-License-Identifier: Apache-2.0
 *
 * facility list|add|disable|enable. Disabling takes effect with the next request: certificates are
 * looked up at each.
 */
#include "base/ids.h"
#include "exchange/cli/cli.h"
#include "exchange/cli/table.h"

#include "base/banned.h"

struct listing {
    struct arena *arena;
    struct facility *facilities;
    size_t count;
};

static enum err list_look(struct session *s, struct request *r)
{
    struct listing *in = r->input;

    return registry_facilities(s, in->arena, &in->facilities, &in->count);
}

static const struct use list_use = {
    .event = "facility-list", .actors = 1u << GRANT_OPERATOR, .look = list_look};

static void fill_list(struct table *table, const struct cli_place *place, const void *input)
{
    const struct listing *in = input;

    (void)place;
    for (size_t i = 0; i < in->count; i++) {
        table_row(table);
        table_cell(table, in->facilities[i].key);
        table_cell(table, in->facilities[i].code);
        table_cell(table, slice_str(facility_kind_code(in->facilities[i].kind)));
        table_cell(table, in->facilities[i].active ? SLICE("yes") : SLICE("no"));
        table_cell(table, in->facilities[i].name);
    }
}

int cli_facility_list(const struct args *args)
{
    static const char *const columns[] = {"key", "code", "kind", "active", "name", NULL};
    static const struct cli_listing listing = {&list_use, columns, fill_list};
    struct listing in = {0};

    return cli_list(args, &listing, &in, &in.arena);
}

/* A key is a file name and a word on the wire. */
static bool key_ok(struct slice key)
{
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && i > 0)))
            return false;
    }
    return key.len > 0 && key.len <= 40;
}

static enum err add_apply(struct session *s, struct request *r)
{
    int64_t id = 0;

    return registry_put_facility(s, r->input, &id);
}

static const struct use add_use = {
    .event = "facility-add", .actors = 1u << GRANT_OPERATOR, .writes = true, .apply = add_apply};

int cli_facility_add(const struct args *args)
{
    struct cli_place place;
    struct facility facility = {.key = slice_str(args->operands[0]),
                                .code = slice_str(args_value(args, "code")),
                                .name = slice_str(args_value(args, "name")),
                                .active = true};
    int code = CLI_OK;

    if (!key_ok(facility.key))
        return cli_usage(args, "a key has a-z, 0-9 and -", "キーは英小文字・数字・- だけです");
    if (facility.code.len != 10 || !ids_luhn_ok(facility.code))
        return cli_usage(args, "--code is 10 digits with a valid check digit",
                         "--code は検証番号の合う10桁です");
    if (!facility.name.len ||
        !facility_kind_find(slice_str(args_value(args, "kind")), &facility.kind))
        return cli_usage(args, "--name and --kind are needed", "--name と --kind が要ります");
    code = cli_open(args, &place);
    if (!code)
        code = cli_use(&place, &add_use, SLICE_NONE, &facility);
    cli_close(&place);
    return code;
}

struct switching {
    struct arena *arena;
    struct slice key;
    bool active;
};

static enum err switch_apply(struct session *s, struct request *r)
{
    const struct switching *in = r->input;
    struct facility facility;
    int64_t id = 0;
    enum err err = registry_facility_by_key(s, in->arena, in->key, &facility);

    if (err)
        return err;
    if (facility.kind == FACILITY_OPERATOR || facility.kind == FACILITY_HOME)
        return ERR_FORBIDDEN; /* nobody could undo it; residents write there */
    r->entity = arena_printf(r->arena, "Organization/%.*s", SLICE_ARG(in->key));
    facility.active = in->active;
    return registry_put_facility(s, &facility, &id);
}

static const struct use disable_use = {.event = "facility-disable",
                                       .actors = 1u << GRANT_OPERATOR,
                                       .writes = true,
                                       .apply = switch_apply};
static const struct use enable_use = {.event = "facility-enable",
                                      .actors = 1u << GRANT_OPERATOR,
                                      .writes = true,
                                      .apply = switch_apply};

static int switch_facility(const struct args *args, const struct use *use, bool active)
{
    struct cli_place place;
    struct switching in = {.key = slice_str(args->operands[0]), .active = active};
    int code = cli_open(args, &place);

    in.arena = place.arena;
    if (!code)
        code = cli_use(&place, use, SLICE_NONE, &in);
    cli_close(&place);
    return code;
}

int cli_facility_disable(const struct args *args)
{
    return switch_facility(args, &disable_use, false);
}

int cli_facility_enable(const struct args *args)
{
    return switch_facility(args, &enable_use, true);
}
