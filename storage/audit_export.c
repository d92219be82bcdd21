/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole chain as lines of JSON, for whoever is to hold it outside the store: every column and
 * the hash, so that the chain can be proved again from the lines alone (docs/audit.md). Read in
 * pieces, each a statement of its own within the session's one snapshot, because a statement of a
 * reader has a time limit and a chain has none. Must leave nothing out and change no byte.
 */
#include "storage/audit_impl.h"

#include <inttypes.h>

#include "base/json.h"
#include "storage/sql.h"

#include "base/banned.h"

#define PIECE 1000 /* rows of one statement */
#define COLUMN_HASH 17

static void add_name(struct buf *out, const char *name)
{
    buf_addf(out, "%s\"%s\":", out->len > 1 ? "," : "", name);
}

static void add_int(struct buf *out, const char *name, int64_t value, bool null)
{
    add_name(out, name);
    if (null)
        buf_adds(out, "null");
    else
        buf_addf(out, "%" PRId64, value);
}

static void add_text(struct buf *out, const char *name, struct slice text)
{
    add_name(out, name);
    if (slice_is_utf8(text)) {
        json_print_string(out, text);
        return;
    }
    buf_adds(out, "{\"base64\":\"");
    digest_base64(out, text, false);
    buf_adds(out, "\"}");
}

static void print_row(struct buf *out, struct sql *q)
{
    int column = 0;

    buf_clear(out);
    buf_addc(out, '{');
#define INT(name) add_int(out, #name, sql_i64(q, column), false), column++;
#define ID(name) add_int(out, #name, sql_i64(q, column), sql_is_null(q, column)), column++;
#define TEXT(name) add_text(out, #name, sql_slice(q, column)), column++;
    AUDIT_COLUMNS(INT, ID, TEXT)
#undef INT
#undef ID
#undef TEXT
    add_name(out, "hash");
    buf_addc(out, '"');
    digest_hex(out, sql_slice(q, COLUMN_HASH));
    buf_adds(out, "\"}\n");
}

struct exporting {
    enum err (*sink)(void *context, struct slice line);
    void *context;
    struct buf line;
    int64_t seq, rows;
};

/* The next rows after in->seq. */
static enum err export_piece(struct session *s, struct exporting *in, bool *ret_more)
{
    struct sql *q;
    int count = 0;
    bool more = false;
    enum err err =
        sql_prepare(s,
                    "SELECT seq, at_ms, event, outcome, door, actor, facility, user, role, purpose,"
                    " person, entity, query, count, reason, request, peer, hash FROM audit"
                    " WHERE seq > ?1 ORDER BY seq LIMIT ?2",
                    SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, in->seq);
    sql_bind_i64(q, 2, PIECE);
    while (err == ERR_OK && (err = sql_step(q, &more)) == ERR_OK && more) {
        print_row(&in->line, q);
        in->seq = sql_i64(q, 0);
        in->rows++;
        count++;
        err = buf_err(&in->line);
        if (err == ERR_OK)
            err = in->sink(in->context, buf_slice(&in->line));
    }
    *ret_more = count == PIECE;
    return sql_done(q, err);
}

enum err audit_export(struct session *s, enum err (*sink)(void *context, struct slice line),
                      void *context, int64_t *ret_rows)
{
    const struct grant *grant = session_grant(s);
    struct exporting in = {.sink = sink, .context = context, .seq = INT64_MIN};
    bool more = true;
    enum err err = ERR_OK;

    if (!grant || grant->magic != GRANT_MAGIC || grant->actor != GRANT_OPERATOR)
        return ERR_FORBIDDEN;
    buf_init(&in.line, AUDIT_ROW_MAX);
    while (more && err == ERR_OK)
        err = export_piece(s, &in, &more);
    buf_fini(&in.line);
    if (err == ERR_OK)
        *ret_rows = in.rows;
    return err;
}
