/* SPDX-License-Identifier: Apache-2.0
 *
 * An eponymous virtual table (SQLite, "Table-valued functions") over packed facets: chained
 * searches walk from a record to those it names without a table of references. Both arguments are
 * needed; a cursor copies the facets, which SQLite lends for one call only.
 */
#include "storage/targets.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "base/facet.h"
#include "storage/session_impl.h"
#include "storage/sql.h"

#include "base/banned.h"

enum { COLUMN_TYPE, COLUMN_ID, COLUMN_CHART, COLUMN_FACETS, COLUMN_PARAM };

struct cursor {
    sqlite3_vtab_cursor base;
    unsigned char *bytes; /* the facets */
    size_t room;
    struct facet_reader reader;
    struct facet_view view;
    uint16_t param;
    bool at_end;
    sqlite3_int64 row;
};

static int connect_table(sqlite3 *db, void *aux, int argc, const char *const *argv,
                         sqlite3_vtab **ret_table, char **ret_text)
{
    (void)aux, (void)argc, (void)argv, (void)ret_text;
    int rc = sqlite3_declare_vtab(
        db, "CREATE TABLE x(type TEXT, id TEXT, chart INTEGER, facets HIDDEN, param HIDDEN)");
    if (rc != SQLITE_OK)
        return rc;
    sqlite3_vtab *table = sqlite3_malloc64(sizeof *table);
    if (!table)
        return SQLITE_NOMEM;
    *table = (sqlite3_vtab){0};
    (void)sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
    *ret_table = table;
    return SQLITE_OK;
}

static int disconnect_table(sqlite3_vtab *table)
{
    sqlite3_free(table);
    return SQLITE_OK;
}

/* Only with both arguments given. */
static int best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
    int facets = -1, param = -1;
    (void)table;
    for (int i = 0; i < info->nConstraint; i++) {
        const struct sqlite3_index_constraint *c = &info->aConstraint[i];
        if (c->op != SQLITE_INDEX_CONSTRAINT_EQ || !c->usable)
            continue;
        if (c->iColumn == COLUMN_FACETS)
            facets = i;
        else if (c->iColumn == COLUMN_PARAM)
            param = i;
    }
    if (facets < 0 || param < 0)
        return SQLITE_CONSTRAINT;
    info->aConstraintUsage[facets] = (struct sqlite3_index_constraint_usage){1, 1};
    info->aConstraintUsage[param] = (struct sqlite3_index_constraint_usage){2, 1};
    info->estimatedCost = 2;
    info->estimatedRows = 2;
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **ret_cursor)
{
    (void)table;
    struct cursor *cursor = calloc(1, sizeof *cursor);
    if (!cursor)
        return SQLITE_NOMEM;
    *ret_cursor = &cursor->base;
    return SQLITE_OK;
}

static struct cursor *cursor_of(sqlite3_vtab_cursor *base)
{
    return (struct cursor *)(void *)base;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
    free(cursor_of(base)->bytes);
    free(cursor_of(base));
    return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *base)
{
    struct cursor *cursor = cursor_of(base);
    cursor->row++;
    while (facet_next(&cursor->reader, &cursor->view) && cursor->view.param <= cursor->param) {
        if (cursor->view.param == cursor->param && cursor->view.kind == FACET_REFERENCE)
            return SQLITE_OK;
    }
    cursor->at_end = true;
    return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc,
                  sqlite3_value **argv)
{
    struct cursor *cursor = cursor_of(base);
    (void)number, (void)text, (void)argc;
    const void *bytes = sqlite3_value_blob(argv[0]);
    size_t len = bytes ? (size_t)sqlite3_value_bytes(argv[0]) : 0;
    if (len > cursor->room) {
        unsigned char *grown = realloc(cursor->bytes, len);
        if (!grown)
            return SQLITE_NOMEM;
        cursor->bytes = grown;
        cursor->room = len;
    }
    if (len)
        memcpy(cursor->bytes, bytes, len);
    facet_reader_init(&cursor->reader, slice_of(cursor->bytes, len));
    cursor->param = (uint16_t)sqlite3_value_int(argv[1]);
    cursor->at_end = false;
    cursor->row = 0;
    return next(base);
}

static int at_end(sqlite3_vtab_cursor *base)
{
    return cursor_of(base)->at_end;
}

static void result_text(sqlite3_context *context, struct slice text)
{
    sqlite3_result_text64(context, text.ptr ? text.ptr : "", text.len, SQLITE_TRANSIENT,
                          SQLITE_UTF8);
}

/* 0 for "@", the number for "@<number>", nothing for others. */
static void result_chart(sqlite3_context *context, struct slice type, struct slice id)
{
    int64_t chart = 0;
    bool other = slice_i64(slice_sub(id, 1, id.len), &chart) && chart > 0;
    if (slice_is(type, "Patient") && id.len && id.ptr[0] == '@' && (id.len == 1 || other))
        sqlite3_result_int64(context, chart);
    else
        sqlite3_result_null(context);
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *context, int number)
{
    struct slice text = cursor_of(base)->view.text;
    size_t slash = slice_find(text, '/', 0);
    struct slice type = slice_sub(text, 0, slash), id = slice_sub(text, slash + 1, text.len);
    if (number == COLUMN_TYPE)
        result_text(context, type);
    else if (number == COLUMN_ID)
        result_text(context, id);
    else if (number == COLUMN_CHART)
        result_chart(context, type, id);
    return SQLITE_OK;
}

static int row_id(sqlite3_vtab_cursor *base, sqlite3_int64 *ret_row)
{
    *ret_row = cursor_of(base)->row;
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .xConnect = connect_table,
    .xBestIndex = best_index,
    .xDisconnect = disconnect_table,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = next,
    .xEof = at_end,
    .xColumn = column,
    .xRowid = row_id,
};

enum err targets_open(struct session *s)
{
    enum err err =
        sql_code(s, sqlite3_create_module_v2(s->db, "tasuki_targets", &module, NULL, NULL));
    /* Connects it: its declaration is a CREATE TABLE, which no gated statement may compile. */
    return err ? err : sql_exec(s, "SELECT 1 FROM tasuki_targets(x'', 0)");
}
