/* SPDX-License-Identifier: Apache-2.0
 *
 * intake rejected|show|replay|dismiss|unmapped|original: what the doors refused and why, a refused
 * message for people's eyes, filing it again, which fields were kept without mapping, and the bytes
 * of any message as they came. Messages are patient data: showing one is done as the facility that
 * sent it, and the row names the patient where he can be known.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/when.h"
#include "exchange/cli/cli.h"
#include "exchange/cli/files.h"
#include "exchange/cli/message_tree.h"
#include "exchange/cli/table.h"
#include "exchange/use/intake.h"
#include "mappers/hl7v2/lex.h"
#include "storage/inbox.h"
#include "storage/original.h"
#include "storage/person.h"
#include "storage/quarantine.h"

#include "base/banned.h"

#define DISMISSED "dismissed: " /* begins the text of an attempt that is none */

struct intake_job {
    struct arena *arena;
    struct slice facility_key; /* may be empty: unmapped of all */
    int64_t id;                /* of a refusal, to show */
    const char *sha_text;      /* of an original */
    unsigned char sha[DIGEST_LEN];
    struct quarantine_filter filter;
    struct quarantine_row *rejected, *shown;
    struct quarantine_replay *attempts; /* on the one shown */
    size_t attempt_count;
    struct slice *keys; /* of the facilities of rejected */
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
    enum err err = find_facility(s, r, &in->filter.facility);

    if (!err)
        err = quarantine_list(s, in->arena, &in->filter, &in->rejected, &in->count);
    in->keys = arena_array(in->arena, in->count + 1, sizeof(*in->keys));
    if (!err && !in->keys)
        err = ERR_LIMIT;
    for (size_t i = 0; i < in->count && !err; i++) {
        struct facility facility = {0};
        err = registry_facility_by_id(s, in->arena, in->rejected[i].facility, &facility);
        in->keys[i] = facility.key;
    }
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
    struct quarantine_filter filter = {
        .facility = r->grant.facility, .id = in->id, .settled = true};
    enum err err = quarantine_list(s, in->arena, &filter, &in->shown, &in->count);

    r->entity = arena_printf(r->arena, "quarantine:%" PRId64, in->id);
    if (!err && in->count == 0)
        err = err_add(&r->errors, ERR_NOT_FOUND, "ID", NULL);
    if (!err)
        err = quarantine_replays(s, in->arena, in->id, &in->attempts, &in->attempt_count);
    if (!err)
        err = original_get(s, in->arena, in->shown->sha, &in->bytes);
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
    static const char *const columns[] = {"id",    "at",   "facility", "door",  "name", "code",
                                          "place", "text", "replays",  "filed", NULL};
    struct table table;

    table_init(&table, arena, columns);
    for (size_t i = 0; i < in->count; i++) {
        const struct quarantine_row *row = &in->rejected[i];

        table_row(&table);
        table_cellf(&table, "%" PRId64, row->id);
        table_instant(&table, row->at_ms);
        table_cell(&table, in->keys[i]);
        table_cell(&table, row->door);
        table_cell(&table, row->name);
        table_cell(&table, slice_str(err_name(row->outcome)));
        table_cell(&table, row->place);
        table_cell(&table, args->ja ? row->ja : row->en);
        table_cellf(&table, "%" PRId64, row->replays);
        table_instant(&table, row->settled_ms);
    }
    return cli_exit(table_print(&table, args_flag(args, "json")));
}

/* The code that --reason names; ERR_OK when it was not given. */
static bool wanted_reason(const struct args *args, enum err *ret_reason)
{
    const char *name = args_value(args, "reason");

    *ret_reason = ERR_OK;
    for (unsigned i = 1; name && i < ERR_COUNT; i++) {
        if (strcmp(err_name((enum err)i), name) == 0)
            *ret_reason = (enum err)i;
    }
    return !name || *ret_reason != ERR_OK;
}

int cli_intake_rejected(const struct args *args)
{
    struct cli_place place;
    struct intake_job in = {.facility_key = slice_str(args_value(args, "facility")),
                            .filter.settled = args_flag(args, "all")};
    int code = CLI_OK;

    if (!wanted_reason(args, &in.filter.outcome))
        return cli_usage(args, "--reason: no such error code", "--reason: そのコードはありません");
    code = cli_open(args, &place);
    in.arena = place.arena;
    if (!code)
        code = cli_use(&place, &rejected_use, SLICE_NONE, &in);
    if (!code)
        code = print_rejected(args, place.arena, &in);
    cli_close(&place);
    return code;
}

/* ── filing again ────────────────────────────────────────────────────────────────────────────── */

struct attempt {
    const struct args *args;
    struct cli_place *place;
    struct slice bytes; /* corrected; empty: as it came */
    struct slice note;  /* why it is not to be filed; empty: it is */
    unsigned filed, refused;
    int code; /* of the first that was refused */
};

/* Said of what was filed: a message that newer ones have overtaken changes nothing. */
static const char *filed_word(const struct args *args, const struct intake *in)
{
    if (in->older && in->stored + in->removed == 0)
        return cli_pick(args, "filed: newer messages were there already, nothing changed",
                        "登録済み：より新しい電文があるため、記録は変わりません");
    return cli_pick(args, "filed", "登録済み");
}

static int file_again(struct attempt *t, const struct quarantine_row *row, struct slice key,
                      const char **ret_word)
{
    struct intake *in = ARENA_NEW(t->place->arena, struct intake);
    int code = CLI_FAILED;

    if (!in)
        return code;
    in->replay = row->id;
    if (slice_is(row->door, "ssmix2"))
        in->path = row->name;
    code = cli_use_body(t->place, &intake_replay_use, key, in, t->bytes);
    *ret_word = filed_word(t->args, in);
    return code;
}

struct dismissal {
    const struct quarantine_row *row;
    struct slice note;
};

static enum err dismiss_apply(struct session *s, struct request *r)
{
    const struct dismissal *d = r->input;
    struct quarantine_replay end = {
        .outcome = ERR_OK,
        .at_ms = r->grant.now_ms,
        .en = slice_str(arena_printf(r->arena, DISMISSED "%.*s", SLICE_ARG(d->note))),
        .ja = slice_str(arena_printf(r->arena, "登録せず処理済み：%.*s", SLICE_ARG(d->note))),
    };

    r->entity = arena_printf(r->arena, "quarantine:%" PRId64, d->row->id);
    r->reason = arena_str(r->arena, d->note);
    memcpy(end.sha, d->row->sha, sizeof(end.sha));
    return quarantine_replayed(s, r->grant.facility, d->row->id, &end);
}

static const struct use dismiss_use = {.event = "intake-dismiss",
                                       .actors = 1u << GRANT_FACILITY,
                                       .writes = true,
                                       .apply = dismiss_apply};

static void replay_one(struct attempt *t, const struct quarantine_row *row, struct slice key)
{
    struct dismissal dismissal = {row, t->note};
    const char *word = cli_pick(t->args, "dismissed", "処理済み");
    int code;

    (void)printf("%" PRId64 " ", row->id);
    (void)fflush(stdout); /* before what is said about it on stderr */
    code = t->note.len ? cli_use(t->place, &dismiss_use, key, &dismissal)
                       : file_again(t, row, key, &word);
    (void)puts(code ? cli_pick(t->args, "refused", "拒否") : word);
    t->filed += code == CLI_OK;
    if (code && t->refused++ == 0)
        t->code = code;
}

/* Does the command name ROW? */
static bool is_named(const struct args *args, const struct quarantine_row *row)
{
    for (unsigned i = 0; i < args->operand_count; i++) {
        int64_t id = 0;
        if (slice_i64(slice_str(args->operands[i]), &id) && id == row->id)
            return true;
    }
    return args->operand_count == 0;
}

/* The first number of the command that no waiting message has. */
static const char *missing_id(const struct args *args, const struct intake_job *in)
{
    for (unsigned i = 0; i < args->operand_count; i++) {
        int64_t id = 0;
        size_t k = 0;
        (void)slice_i64(slice_str(args->operands[i]), &id);
        while (k < in->count && in->rejected[k].id != id)
            k++;
        if (k == in->count)
            return args->operands[i];
    }
    return NULL;
}

static int replay_rows(struct attempt *t, const struct intake_job *in)
{
    const char *missing = missing_id(t->args, in);

    for (size_t i = in->count; i > 0; i--) { /* in the order they came */
        if (is_named(t->args, &in->rejected[i - 1]))
            replay_one(t, &in->rejected[i - 1], in->keys[i - 1]);
    }
    if (t->note.len)
        (void)fprintf(stderr, t->args->ja ? "%u 件処理済み\n" : "%u dismissed\n", t->filed);
    else
        (void)fprintf(stderr, t->args->ja ? "%u 件登録、%u 件拒否\n" : "%u filed, %u refused\n",
                      t->filed, t->refused);
    if (missing)
        return cli_fail(t->args, ERR_NOT_FOUND, missing);
    return t->code;
}

static bool ids_are_numbers(const struct args *args)
{
    for (unsigned i = 0; i < args->operand_count; i++) {
        int64_t id = 0;
        if (!slice_i64(slice_str(args->operands[i]), &id) || id <= 0)
            return false;
    }
    return true;
}

/* What the command picks of what waits, done one after the other. */
static int each_picked(const struct args *args, struct attempt *t)
{
    struct cli_place place;
    struct intake_job in = {.facility_key = slice_str(args_value(args, "facility"))};
    bool picked = args_flag(args, "all") || args_value(args, "reason") || in.facility_key.len;
    int code = CLI_OK;

    if (!wanted_reason(args, &in.filter.outcome))
        return cli_usage(args, "--reason: no such error code", "--reason: そのコードはありません");
    if ((args->operand_count == 0 && !picked) || !ids_are_numbers(args) ||
        (t->bytes.len && args->operand_count != 1))
        return cli_usage(
            args,
            "give numbers that \"intake rejected\" shows (one with --edit), or --all, "
            "--reason, --facility",
            "「intake rejected」の番号（--edit は 1 件）か、--all、--reason、--facility が"
            "要ります");
    code = cli_open(args, &place);
    in.arena = place.arena;
    t->args = args;
    t->place = &place;
    if (!code)
        code = cli_use(&place, &rejected_use, SLICE_NONE, &in);
    if (!code)
        code = replay_rows(t, &in);
    cli_close(&place);
    return code;
}

int cli_intake_replay(const struct args *args)
{
    struct attempt t = {.code = CLI_OK};
    const char *edit = args_value(args, "edit");
    struct buf bytes;
    enum err err = ERR_OK;
    int code;

    buf_init(&bytes, LIMIT_MLLP_FRAME);
    if (edit)
        err = files_read(edit, &bytes);
    t.bytes = buf_slice(&bytes);
    code = err ? cli_fail(args, err, edit) : each_picked(args, &t);
    buf_fini(&bytes);
    return code;
}

int cli_intake_dismiss(const struct args *args)
{
    struct attempt t = {.note = slice_trim(slice_str(args_value(args, "note")))};

    if (!t.note.len)
        return cli_usage(args, "--note says why it is not to be filed",
                         "--note に登録しない理由を書いてください");
    return each_picked(args, &t);
}

static void fill_unmapped(struct table *table, const struct cli_place *place, const void *input)
{
    const struct intake_job *in = input;

    (void)place;
    for (size_t i = 0; i < in->count; i++) {
        table_row(table);
        table_cell(table, in->unmapped[i].message);
        table_cell(table, in->unmapped[i].field);
        table_cellf(table, "%" PRId64, in->unmapped[i].seen);
    }
}

int cli_intake_unmapped(const struct args *args)
{
    static const char *const columns[] = {"message", "field", "times", NULL};
    static const struct cli_listing listing = {&unmapped_use, columns, fill_unmapped};
    struct intake_job in = {.facility_key = slice_str(args_value(args, "facility"))};

    return cli_list(args, &listing, &in, &in.arena);
}

/* What came of filing it again, a line each. */
static void put_attempts(const struct args *args, const struct intake_job *in)
{
    for (size_t i = 0; i < in->attempt_count; i++) {
        const struct quarantine_replay *attempt = &in->attempts[i];
        struct buf line;

        buf_init(&line, 16u * LIMIT_KIB);
        when_print_instant(&line, attempt->at_ms);
        if (attempt->outcome)
            buf_addf(&line, " %s %.*s %.*s", err_name(attempt->outcome), SLICE_ARG(attempt->place),
                     SLICE_ARG(args->ja ? attempt->ja : attempt->en));
        else if (slice_starts(attempt->en, SLICE(DISMISSED)))
            buf_addf(&line, " %.*s", SLICE_ARG(args->ja ? attempt->ja : attempt->en));
        else
            buf_addf(&line, " %s", cli_pick(args, "filed", "登録済み"));
        table_put(buf_slice(&line));
        (void)putchar('\n');
        buf_fini(&line);
    }
}

static int print_shown(const struct args *args, struct arena *arena, const struct intake_job *in)
{
    const struct quarantine_row *row = in->shown;
    struct message_finding finding = {.place = row->place,
                                      .code = slice_str(err_name(row->outcome)),
                                      .text = args->ja ? row->ja : row->en};
    enum err err = ERR_OK;

    if (args_flag(args, "raw"))
        return fwrite(in->bytes.ptr, 1, in->bytes.len, stdout) == in->bytes.len ? CLI_OK
                                                                                : CLI_FAILED;
    if (args_flag(args, "tree"))
        err = message_tree_print(args, arena, in->bytes, &finding);
    else
        err = message_tree_text(args, arena, in->bytes);
    if (!err && args_flag(args, "tree"))
        put_attempts(args, in);
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
    if (args_flag(args, "raw") + args_flag(args, "decoded") + args_flag(args, "tree") > 1)
        return cli_usage(args, "only one of --raw, --decoded, --tree",
                         "--raw、--decoded、--tree はどれか 1 つです");
    code = cli_open(args, &place);
    in.arena = place.arena;
    if (!code)
        code = cli_use(&place, &show_use, in.facility_key, &in);
    if (!code)
        code = print_shown(args, place.arena, &in);
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
