/* SPDX-License-Identifier: Apache-2.0
 *
 * body_dump STORE FOLDER: writes bodies and originals of a store, unpacked, one file each, at most
 * 400 of a type: what storage/body_dict.sh trains the dictionary on. Past every gate, so for
 * invented regions only.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "storage/body.h"

#include "base/banned.h"

/* Ids and digests are as good as random, so their order is a fair choice. */
static const char RECORDS[] =
    "SELECT body FROM (SELECT body, row_number() OVER (PARTITION BY type ORDER BY id) AS n"
    " FROM record WHERE deleted = 0) WHERE n <= 400";
static const char ORIGINALS[] =
    "SELECT bytes FROM original WHERE packed = 1 ORDER BY sha LIMIT 400";

static enum err write_one(const char *folder, const char *kind, unsigned n, struct slice bytes)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s-%05u", folder, kind, n);
    FILE *file = fopen(path, "wbe");
    if (!file)
        return ERR_IO;
    size_t put = fwrite(bytes.ptr, 1, bytes.len, file);
    return fclose(file) == 0 && put == bytes.len ? ERR_OK : ERR_IO;
}

static enum err dump(sqlite3 *db, struct body_coder *coder, const char *text, const char *folder,
                     const char *kind)
{
    sqlite3_stmt *q = NULL;
    enum err err = sqlite3_prepare_v2(db, text, -1, &q, NULL) == SQLITE_OK ? ERR_OK : ERR_IO;
    for (unsigned n = 0; !err && sqlite3_step(q) == SQLITE_ROW; n++) {
        struct arena *arena = arena_new(2 * LIMIT_BODY);
        struct slice bytes = SLICE_NONE;
        const void *packed = sqlite3_column_blob(q, 0);
        size_t len = (size_t)sqlite3_column_bytes(q, 0);
        err = arena ? body_unpack(coder, slice_of(packed, len), arena, &bytes) : ERR_LIMIT;
        if (!err)
            err = write_one(folder, kind, n, bytes);
        arena_free(arena);
    }
    (void)sqlite3_finalize(q);
    return err;
}

int main(int argc, char **argv)
{
    struct body_coder *coder = NULL;
    sqlite3 *db = NULL;
    if (argc != 3) {
        (void)fprintf(stderr, "body_dump STORE FOLDER\n");
        return 2;
    }
    enum err err = body_coder_new(&coder);
    if (!err && sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        err = ERR_IO;
    if (!err)
        err = dump(db, coder, RECORDS, argv[2], "record");
    if (!err)
        err = dump(db, coder, ORIGINALS, argv[2], "original");
    (void)sqlite3_close(db);
    body_coder_free(coder);
    if (err)
        (void)fprintf(stderr, "body_dump: %s\n", err_en(err));
    return err ? 1 : 0;
}
