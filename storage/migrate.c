/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the embedded schema steps a file lacks. The version is read again inside the write
 * transaction, so that two programs opening one new file at the same time do not both create it.
 * A step that fails leaves the file as it was. Must not change or skip a step that was ever
 * released.
 */
#include "storage/migrate.h"

#include <assert.h>
#include <stdio.h>

#include "base/asset.h"
#include "storage/session_impl.h"
#include "storage/sql.h"

#include "base/banned.h"

static const char folder[] = "storage/schema/";

/* The number in "storage/schema/NNNN_name.sql". */
static int step_number(const struct asset *asset)
{
    struct slice path = slice_str(asset->path);
    assert(slice_starts(path, slice_str(folder)));
    uint64_t number = 0;
    bool ok = slice_u64(slice_sub(path, sizeof folder - 1, 4), &number);
    assert(ok && number > 0);
    return (int)number;
}

int migrate_newest(void)
{
    int newest = 0;
    for (const struct asset *a = storage_assets; a->path; a++) {
        int number = step_number(a);
        if (number > newest)
            newest = number;
    }
    return newest;
}

static enum err version_of(struct session *s, int *ret_version)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s, "PRAGMA user_version", SQL_OWN, &q);
    if (err)
        return err;
    err = sql_row(q);
    if (!err)
        *ret_version = (int)sql_i64(q, 0);
    return sql_done(q, err);
}

static enum err set_version(struct session *s, int version)
{
    char text[64];
    (void)snprintf(text, sizeof text, "PRAGMA user_version = %d", version);
    return sql_exec(s, text);
}

/* When the file was made: said once, with the first step, and a fact of the file from then on. */
static enum err note_creation(struct session *s)
{
    struct sql *q = NULL;
    enum err err =
        sql_prepare(s, "INSERT INTO meta(key, value) VALUES('created_ms', ?)", SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, session_now_ms(s));
    return sql_run(q);
}

static enum err run_step(struct session *s, const struct asset *asset)
{
    int have = 0;
    enum err err = sql_exec(s, "BEGIN IMMEDIATE");
    if (err)
        return err;
    err = version_of(s, &have);
    if (!err && have < step_number(asset)) {
        err = sql_exec(s, (const char *)asset->bytes);
        if (!err && have == 0)
            err = note_creation(s);
        if (!err)
            err = set_version(s, step_number(asset));
    }
    if (!err)
        err = sql_exec(s, "COMMIT");
    if (err && sql_exec(s, "ROLLBACK"))
        return err;
    return err;
}

enum err migrate_run(struct session *s)
{
    int have = 0;
    enum err err = version_of(s, &have);
    if (!err && have > migrate_newest())
        return ERR_VERSION;
    for (const struct asset *a = storage_assets; !err && a->path; a++) {
        if (step_number(a) > have)
            err = run_step(s, a);
    }
    return err;
}
