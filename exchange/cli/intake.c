/* SPDX-License-Identifier: Apache-2.0
 *
 * intake rejected|unmapped|show|original: what the doors refused and why, which fields they kept
 * without mapping, the bytes of a refused message as text, and those of any message as they came.
 * Messages are patient data: showing one is done as the facility that sent it, and the row names
 * the patient where he can be known.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/when.h"
#include "exchange/cli/cli.h"
#include "exchange/cli/table.h"
#include "mappers/hl7v2/lex.h"
#include "storage/inbox.h"
#include "storage/original.h"
#include "storage/person.h"

#include "base/banned.h"

struct intake_job {
    struct arena *arena;
    struct slice facility_key; /* may be empty: unmapped of all */
    int64_t id;                /* of a refusal, to show */
    const char *sha_text;      /* of an original */
    unsigned char sha[DIGEST_LEN];
    struct quarantine_row *rejected;
    struct unmapped_row *unmapped;
    size_t count;
    struct slice bytes;
};

/* The facility that --facility names; 0 when it names none. */
static enum err find_facility(struct session *s, struct request *r, int64_t *ret_id)
{
    struct intake_job *in = r->input;
    struct facility facility = {0};
    enum err err = ERR_OK;

    if (in->facility_key.len)
        err = registry_facility_by_key(s, in->arena, in->facility_key, &facility);
    if (err)
        return err_add(&r->errors, err, "--facility", NULL);
    if (facility.id)
        r->entity = arena_printf(r->arena, "Organization/%.*s", SLICE_ARG(in->facility_key));
    *ret_id = facility.id;
    return ERR_OK;
}

static enum err rejected_look(struct session *s, struct request *r)
{
    struct intake_job *in = r->input;
    int64_t facility = 0;
    enum err err = find_facility(s, r, &facility);

    if (!err)
        err = quarantine_list(s, in->arena, facility, &in->rejected, &in->count);
    r->count = (int64_t)in->count;
    return err;
}

static enum err unmapped_look(struct session *s, struct request *r)
{
    struct intake_job *in = r->input;
    int64_t facility = 0;
    enum err err = find_facility(s, r, &facility);

    if (!err)
        err = unmapped_list(s, in->arena, facility, &in->unmapped, &in->count);
    r->count = (int64_t)in->count;
    return err;
}

/* Whom the message names by the facility's number; 0 when it cannot be known. */
static int64_t person_in(struct session *s, struct request *r, struct slice bytes)
{
    struct hl7_message *message = NULL;
    struct err_list dropped;
    int64_t person = 0, chart = 0;

    err_list_init(&dropped, r->arena);
    if (hl7_lex(r->arena, bytes, &dropped, &message) != ERR_OK || !hl7_find(message, "PID", 1))
        return 0;
    if (person_by_local(s, r->grant.facility,
                        slice_trim(hl7_value(message, hl7_find(message, "PID", 1), 3, 1)), &person,
                        &chart) != ERR_OK)
        return 0;
    return person;
}

static enum err show_look(struct session *s, struct request *r)
{
    struct intake_job *in = r->input;
    enum err err = quarantine_list(s, in->arena, r->grant.facility, &in->rejected, &in->count);
    size_t i = 0;

    r->entity = arena_printf(r->arena, "quarantine:%" PRId64, in->id);
    while (!err && i < in->count && in->rejected[i].id != in->id)
        i++;
    if (!err && i == in->count)
        err = err_add(&r->errors, ERR_NOT_FOUND, "ID", NULL);
    if (!err)
        err = original_get(s, in->arena, in->rejected[i].sha, &in->bytes);
    if (!err) {
        r->person = person_in(s, r, in->bytes);
        r->count = 1;
    }
    return err;
}

static enum err original_look(struct session *s, struct request *r)
{
    struct intake_job *in = r->input;
    enum err err = original_get(s, in->arena, in->sha, &in->bytes);

    r->entity = arena_printf(r->arena, "original:%s", in->sha_text);
    if (err)
        return err == ERR_NOT_FOUND ? err_add(&r->errors, err, "SHA", NULL) : err;
    r->person = person_in(s, r, in->bytes);
    r->count = 1;
    return ERR_OK;
}

static const struct use rejected_use = {
    .event = "intake-rejected", .actors = 1u << GRANT_OPERATOR, .look = rejected_look};
static const struct use unmapped_use = {
    .event = "intake-unmapped", .actors = 1u << GRANT_OPERATOR, .look = unmapped_look};
static const struct use show_use = {
    .event = "intake-show", .actors = 1u << GRANT_FACILITY, .look = show_look};
static const struct use original_use = {
    .event = "intake-original", .actors = 1u << GRANT_FACILITY, .look = original_look};

static int print_rejected(const struct args *args, struct arena *arena, const struct intake_job *in)
{
    static const char *const columns[] = {"id",   "at",    "door", "name",
                                          "code", "place", "text", NULL};
    struct table table;

    table_init(&table, arena, columns);
    for (size_t i = 0; i < in->count; i++) {
        const struct quarantine_row *row = &in->rejected[i];
        struct buf at;

        buf_init(&at, 64);
        when_print_instant(&at, row->at_ms);
        table_row(&table);
        table_cellf(&table, "%" PRId64, row->id);
        table_cell(&table, buf_slice(&at));
        table_cell(&table, row->door);
        table_cell(&table, row->name);
        table_cell(&table, slice_str(err_name(row->outcome)));
        table_cell(&table, row->place);
        table_cell(&table, args->ja ? row->ja : row->en);
        buf_fini(&at);
    }
    return cli_exit(table_print(&table, args_flag(args, "json")));
}

int cli_intake_rejected(const struct args *args)
{
    struct cli_place place;
    struct intake_job in = {.facility_key = slice_str(args_value(args, "facility"))};
    int code = CLI_OK;

    if (!in.facility_key.len)
        return cli_usage(args, "give --facility KEY", "--facility が要ります");
    code = cli_open(args, &place);
    in.arena = place.arena;
    if (!code)
        code = cli_use(&place, &rejected_use, SLICE_NONE, &in);
    if (!code)
        code = print_rejected(args, place.arena, &in);
    cli_close(&place);
    return code;
}

int cli_intake_unmapped(const struct args *args)
{
    static const char *const columns[] = {"message", "field", "times", NULL};
    struct cli_place place;
    struct intake_job in = {.facility_key = slice_str(args_value(args, "facility"))};
    struct table table;
    int code = cli_open(args, &place);

    in.arena = place.arena;
    if (!code)
        code = cli_use(&place, &unmapped_use, SLICE_NONE, &in);
    if (!code) {
        table_init(&table, place.arena, columns);
        for (size_t i = 0; i < in.count; i++) {
            table_row(&table);
            table_cell(&table, in.unmapped[i].message);
            table_cell(&table, in.unmapped[i].field);
            table_cellf(&table, "%" PRId64, in.unmapped[i].seen);
        }
        code = cli_exit(table_print(&table, args_flag(args, "json")));
    }
    cli_close(&place);
    return code;
}

/* What is UTF-8 as it is, every other byte as <E9>. */
static void add_bytes(struct slice bytes, struct buf *text)
{
    for (size_t i = 0; i < bytes.len;) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        size_t len = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        struct slice one = slice_sub(bytes, i, len);

        if (one.len == len && slice_is_utf8(one)) {
            buf_add(text, one);
            i += len;
        } else {
            buf_addf(text, "<%02X>", c);
            i++;
        }
    }
}

/* BYTES as text. A message may have been refused because its bytes are not in the set it names. */
static enum err decode(const struct args *args, struct arena *arena, struct slice bytes,
                       struct buf *text)
{
    struct hl7_header header;
    enum charset set = CHARSET_ASCII;
    enum err err = ERR_OK;

    hl7_peek(arena, bytes, &header);
    err = charset_from_hl7(header.charset, &set);
    if (!err)
        err = charset_decode(set, bytes, text, NULL);
    if (err != ERR_CHARSET)
        return err;
    cli_say(args, "not in the character set that MSH-18 names; what is not UTF-8 is shown as <XX>",
            "MSH-18 の文字集合では読めません。UTF-8 でないバイトは <XX> と表示します");
    add_bytes(bytes, text);
    return buf_err(text);
}

static int print_segments(const struct args *args, struct arena *arena, struct slice bytes)
{
    struct buf text;
    struct slice rest;
    enum err err = ERR_OK;

    buf_init(&text, 4 * LIMIT_MLLP_FRAME); /* <XX> for every byte */
    err = decode(args, arena, bytes, &text);
    rest = buf_slice(&text);
    while (!err && rest.len) {
        size_t end = 0;

        while (end < rest.len && rest.ptr[end] != '\r' && rest.ptr[end] != '\n')
            end++;
        if (end > 0) {
            table_put(slice_sub(rest, 0, end));
            (void)putchar('\n');
        }
        rest = slice_sub(rest, end < rest.len ? end + 1 : end, rest.len);
    }
    buf_fini(&text);
    return err ? cli_fail(args, err, args->verb->name) : CLI_OK;
}

int cli_intake_show(const struct args *args)
{
    struct cli_place place;
    struct intake_job in = {.facility_key = slice_str(args_value(args, "facility"))};
    int code = CLI_OK;

    if (!in.facility_key.len || !slice_i64(slice_str(args->operands[0]), &in.id) || in.id <= 0)
        return cli_usage(args, "give the number that \"intake rejected\" shows, and --facility KEY",
                         "「intake rejected」の番号と --facility が要ります");
    code = cli_open(args, &place);
    in.arena = place.arena;
    if (!code)
        code = cli_use(&place, &show_use, in.facility_key, &in);
    if (!code)
        code = print_segments(args, place.arena, in.bytes);
    cli_close(&place);
    return code;
}

/* Bytes, not text: for a file or a pipe, so that its SHA-256 is the one asked for. */
int cli_intake_original(const struct args *args)
{
    struct cli_place place;
    struct intake_job in = {.facility_key = slice_str(args_value(args, "facility")),
                            .sha_text = args->operands[0]};
    int code = CLI_OK;

    if (!in.facility_key.len || !digest_unhex(slice_str(in.sha_text), in.sha, sizeof(in.sha)))
        return cli_usage(args, "give the SHA-256 of the message in hex, and --facility KEY",
                         "電文の SHA-256（16進）と --facility が要ります");
    code = cli_open(args, &place);
    in.arena = place.arena;
    if (!code)
        code = cli_use(&place, &original_use, in.facility_key, &in);
    if (!code && fwrite(in.bytes.ptr, 1, in.bytes.len, stdout) != in.bytes.len)
        code = CLI_FAILED;
    cli_close(&place);
    return code;
}
