/* SPDX-License-Identifier: Apache-2.0
 *
 * See intake_beside.h. The document is read before what lies beside it where both are there
 * (ssmix2_scan.c); it may come later, and be refused then. Nothing is lost: the bytes stay, and
 * `tasuki intake replay` files them.
 */
#include "exchange/use/intake_beside.h"

#include "exchange/use/intake_store.h"
#include "storage/original.h"
#include "storage/quarantine.h"
#include "storage/record.h"

#include "base/banned.h"

#define EN "the document this file lies beside was refused"
#define JA "同じフォルダーの文書が拒否されているため、このファイルも受け付けません"
#define PLACE "main_document"

/* The folder of PATH with its last '/'. */
static struct slice folder_of(struct slice path)
{
    while (path.len && path.ptr[path.len - 1] != '/')
        path.len--;
    return path;
}

enum err intake_beside_look(struct session *s, struct request *r, struct intake *in)
{
    struct slice folder = folder_of(in->path);
    enum err outcome = ERR_OK, err;
    if (in->replay || extended_is_main(in->extended))
        return ERR_OK;
    err = inbox_file_outcome(s, r->caller.facility.id,
                             slice_str(arena_printf(r->arena, "%.*s" PLACE, SLICE_ARG(folder))),
                             &outcome);
    if (err || !outcome)
        return err;
    return err_say(&r->errors, ERR_SEVERITY_ERROR, outcome, PLACE, EN, JA);
}

static enum err quarantine_file(struct session *s, struct request *r,
                                const struct inbox_filed *file)
{
    struct quarantine_row row = {.facility = r->grant.facility,
                                 .door = SLICE("ssmix2"),
                                 .name = file->path,
                                 .place = SLICE(PLACE),
                                 .en = SLICE(EN),
                                 .ja = SLICE(JA),
                                 .outcome = r->job.err,
                                 .at_ms = r->grant.now_ms};
    memcpy(row.sha, file->sha, sizeof(row.sha));
    return quarantine_put(s, &row);
}

/* Mapping is a function of path and bytes: the same ids come out as when it was filed. */
static enum err take_back(struct session *s, struct request *r, const struct inbox_filed *file)
{
    struct mapper_env env = {.facility_code = r->caller.facility.code,
                             .facility_name = r->caller.facility.name,
                             .now_ms = r->grant.now_ms,
                             .original = file->sha,
                             .id_of = intake_id,
                             .context = r};
    struct extended_path path = {0};
    struct err_list dropped;
    struct mapped *mapped = NULL;
    struct slice bytes = SLICE_NONE;
    enum err err;
    err_list_init(&dropped, r->arena);
    err = extended_parse(r->arena, file->path, &dropped, &path);
    if (!err)
        err = original_get(s, r->arena, file->sha, &bytes);
    if (!err)
        err = extended_map(r->arena, &path, bytes, &env, &dropped, &mapped);
    if (err)
        return err;
    for (const struct mapped_resource *m = mapped->first; m && !err; m = m->next) {
        struct record_mark mark = {0};
        err = record_delete(s, slice_str(m->type), json_str(m->resource, "id"), 0, &mark);
        if (err == ERR_NOT_FOUND)
            err = ERR_OK;
    }
    if (!err)
        err = quarantine_file(s, r, file);
    return err ? err : inbox_file_refuse(s, r->grant.facility, file->path, r->job.err);
}

enum err intake_beside_take_back(struct session *s, struct request *r, struct intake *in)
{
    struct inbox_filed *files = NULL;
    size_t count = 0;
    enum err err;
    if (!in->extended || !extended_is_main(in->extended) || in->replay)
        return ERR_OK;
    err = inbox_filed_list(s, r->arena, r->grant.facility, folder_of(in->path), &files, &count);
    for (size_t i = 0; i < count; i++)
        if (slice_eq(files[i].path, in->path))
            return err; /* it was filed before: whose the folder is was sure then */
    if (!err && count > 0)
        session_bind(s, &r->grant); /* what refuses a request is run without one */
    for (size_t i = 0; i < count && !err; i++)
        err = take_back(s, r, &files[i]);
    return err;
}
