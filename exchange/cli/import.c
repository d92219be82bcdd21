/* SPDX-License-Identifier: Apache-2.0
 *
 * import ssmix2|fhir: bulk intake with the same verdicts as the doors. Resumable: a file of a
 * standard storage that was taken in unchanged is passed over. Progress on stderr after two
 * seconds. One line on stdout for each refused document.
 */
#include <stdio.h>

#include "base/limits.h"
#include "base/when.h"
#include "exchange/batch_tree.h"
#include "exchange/cli/cli.h"
#include "exchange/cli/files.h"
#include "exchange/cli/verdict.h"
#include "exchange/door/ssmix2_scan.h"
#include "exchange/use/intake.h"

#include "base/banned.h"

#define PROGRESS_MS 1000

struct import {
    const struct args *args;
    struct cli_place place;
    struct slice facility_key;
    struct batch batch;
    unsigned ended, refused, passed_over;
    int64_t began_ms, said_ms;
    enum err first; /* what the first refusal was */
};

static void say_progress(struct import *im)
{
    int64_t now = clock_monotonic_ms();

    if (now - im->began_ms < 2 * PROGRESS_MS || now - im->said_ms < PROGRESS_MS)
        return;
    im->said_ms = now;
    (void)fprintf(stderr, im->args->ja ? "%u 件済み、拒否 %u 件\n" : "%u done, %u refused\n",
                  im->ended, im->refused);
}

static void refuse(struct import *im, enum err err, const char *name, const struct err_list *errors)
{
    const struct err_item *first = errors ? errors->first : NULL;

    while (first && first->severity != ERR_SEVERITY_ERROR)
        first = first->next;
    if (im->refused++ == 0)
        im->first = err;
    (void)printf("%s: %s %s %s\n", name, err_name(err), first ? first->place : "",
                 first ? cli_pick(im->args, first->en, first->ja)
                       : cli_pick(im->args, err_en(err), err_ja(err)));
}

static void ended(void *context, struct request *r, void *tag)
{
    struct import *im = context;
    const struct intake *in = r->use == &intake_use ? r->input : NULL;

    im->ended++;
    if (r->job.err)
        refuse(im, r->job.err, tag ? tag : "", &r->errors);
    else if (in && in->seen == INBOX_SAME)
        im->passed_over++;
    say_progress(im);
}

/* OF_OPERATOR: without --facility it is the operator who brings it, and he brings nothing of residents. */
static int open_import(const struct args *args, bool of_operator, struct import *im)
{
    int code = CLI_OK;

    *im = (struct import){.args = args, .facility_key = slice_str(args_value(args, "facility"))};
    if (!im->facility_key.len && !of_operator)
        return cli_usage(args, "give --facility KEY", "--facility が要ります");
    code = cli_open(args, &im->place);
    if (!code && !im->facility_key.len)
        im->facility_key = im->place.operator_key;
    im->began_ms = clock_monotonic_ms();
    if (!code)
        batch_init(&im->batch, &im->place.exchange, ended, im);
    return code;
}

static int close_import(struct import *im, enum err err)
{
    batch_finish(&im->batch);
    (void)fprintf(stderr,
                  im->args->ja ? "%u 件、うち処理済み %u 件、拒否 %u 件\n"
                               : "%u documents, %u of them dealt with before, %u refused\n",
                  im->batch.started, im->passed_over, im->refused);
    if (im->batch.failed)
        err = im->batch.failed;
    if (!err && im->refused > 0)
        err = im->first;
    if (err == ERR_UNAUTHENTICATED)
        return CLI_NOT_FOUND; /* no such facility */
    return cli_exit(err);
}

/* ── standard storage ────────────────────────────────────────────────────────────────────────── */

static void unreadable(void *context, const struct ssmix2_file *file)
{
    refuse(context, file->err, file->path, NULL);
}

int cli_import_ssmix2(const struct args *args)
{
    struct import im;
    int code = open_import(args, false, &im);

    if (!code) {
        struct batch_tree tree = {
            .batch = &im.batch, .facility_key = im.facility_key, .unreadable = unreadable};
        enum err err = batch_tree(&tree, args->operands[0]);
        if (err)
            (void)cli_fail(args, err, args->operands[0]);
        code = close_import(&im, err);
    }
    cli_close(&im.place);
    return code;
}

/* ── FHIR ────────────────────────────────────────────────────────────────────────────────────── */

static enum err import_json(struct import *im, const char *path, struct slice text)
{
    return batch_resource(&im->batch, im->facility_key, 0, text,
                          arena_str(im->place.arena, slice_str(path)));
}

static enum err import_tree(struct import *im, const char *path, const struct json *resource)
{
    struct buf text;
    enum err err = ERR_OK;

    buf_init(&text, LIMIT_HTTP_BODY);
    json_print(&text, resource);
    err = buf_err(&text);
    if (!err)
        err = import_json(im, path, buf_slice(&text));
    buf_fini(&text);
    return err;
}

/* A Bundle is taken in entry by entry; its own envelope says nothing of a person. */
static enum err import_bundle(struct import *im, const char *path, const struct json *bundle)
{
    const struct json *entries = json_get(bundle, "entry");
    enum err err = ERR_OK;

    for (const struct json *e = entries ? entries->first : NULL; e && !err; e = e->next) {
        const struct json *resource = json_get(e, "resource");

        if (resource)
            err = import_tree(im, path, resource);
    }
    return err;
}

static enum err import_text(struct import *im, const char *path, struct slice text)
{
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    struct json *root = NULL;
    struct err_list errors;
    enum err err = ERR_LIMIT;

    if (!arena)
        return err;
    err_list_init(&errors, arena);
    err = verdict_parse(arena, text, &errors, &root);
    if (!err && slice_is(json_str(root, "resourceType"), "Bundle"))
        err = import_bundle(im, path, root);
    else if (!verdict_is_xml(text))
        err = import_json(im, path, text); /* what is wrong with it the door will say */
    else if (!err)
        err = import_tree(im, path, root);
    else {
        refuse(im, err, path, &errors);
        err = ERR_OK; /* go on with the next file */
    }
    arena_free(arena);
    return err;
}

static enum err import_one(void *context, const char *path)
{
    struct import *im = context;
    struct buf bytes;
    struct slice rest;
    enum err err = ERR_OK;

    buf_init(&bytes, LIMIT_HTTP_ANSWER);
    err = files_read(path, &bytes);
    rest = buf_slice(&bytes);
    if (!err && slice_ends(slice_str(path), SLICE(".ndjson"))) {
        while (rest.ptr && !err) {
            struct slice line = slice_trim(slice_cut(&rest, '\n'));

            if (line.len)
                err = import_text(im, path, line);
        }
    } else if (!err) {
        err = import_text(im, path, rest);
    }
    buf_fini(&bytes);
    return err;
}

int cli_import_fhir(const struct args *args)
{
    struct import im;
    enum err err = ERR_OK;
    int code = open_import(args, true, &im);

    if (!code) {
        for (unsigned i = 0; i < args->operand_count && !err; i++) {
            err = files_walk(args->operands[i], import_one, &im);
            if (err)
                (void)cli_fail(args, err, args->operands[i]);
        }
        code = close_import(&im, err);
    }
    cli_close(&im.place);
    return code;
}
