/* SPDX-License-Identifier: Apache-2.0
 *
 * Appending to the audit chain, its signed heads, and reading it back for those entitled. The head
 * is asked of the file once per transaction, since another process may have appended in between,
 * and remembered until the transaction ends. Rows follow IHE ATNA (ITI-20) in what they keep. Must
 * never update or delete a row (triggers refuse it too), nor keep names or values: ids only.
 */
#include "storage/audit_impl.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "storage/person_impl.h"
#include "storage/session_impl.h"
#include "storage/sql.h"

#include "base/banned.h"

#define LINES_MAX (64u * 1024u * 1024u) /* copied at once: all there ever were, at worst */
#define FILE_END 4096                   /* bytes read to find the last line */

/* ── append ──────────────────────────────────────────────────────────────────────────────────── */

static enum err know_head(struct session *s)
{
    struct session_audit *head = &s->audit;
    struct sql *q;
    bool found = false;
    enum err err;

    assert(s->writes && s->transaction != 0);
    if (head->transaction == s->transaction)
        return ERR_OK;
    err = sql_prepare(s, "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    err = sql_step(q, &found);
    head->transaction = 0;
    head->seq = 0;
    memset(head->hash, 0, DIGEST_LEN);
    if (err == ERR_OK && found) {
        head->seq = sql_i64(q, 0);
        if (!sql_bytes(q, 1, head->hash, DIGEST_LEN))
            err = ERR_IO; /* not a chain any more; appending would hide where it broke */
    }
    err = sql_done(q, err);
    if (err == ERR_OK)
        head->transaction = s->transaction;
    return err;
}

static struct audit_canon canon_of(const struct audit_row *row)
{
    struct audit_canon canon;

#define INT(name) canon.name = (int64_t)row->name;
#define ID(name)                                                                                   \
    canon.name = row->name;                                                                        \
    canon.name##_null = row->name == 0;
#define TEXT(name) canon.name = slice_str(row->name);
    AUDIT_COLUMNS(INT, ID, TEXT)
#undef INT
#undef ID
#undef TEXT
    return canon;
}

static enum err insert_row(struct session *s, const struct audit_canon *row,
                           const unsigned char hash[DIGEST_LEN])
{
    struct sql *q;
    int column = 1;
    enum err err =
        sql_prepare(s,
                    "INSERT INTO audit(seq, at_ms, event, outcome, door, actor, facility,"
                    " user, role, purpose, person, entity, query, count, reason, request,"
                    " peer, hash) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                    SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
#define INT(name) sql_bind_i64(q, column++, row->name);
#define ID(name) sql_bind_i64_or_null(q, column++, row->name);
#define TEXT(name) sql_bind_text(q, column++, row->name);
    AUDIT_COLUMNS(INT, ID, TEXT)
#undef INT
#undef ID
#undef TEXT
    sql_bind_blob(q, column, hash, DIGEST_LEN);
    return sql_run(q);
}

/* Signs the head; the row lands in the transaction of what it covers. */
static enum err sign_head(struct session *s)
{
    struct audit_checkpoint head = {.seq = s->audit.seq, .at_ms = session_now_ms(s)};
    struct sql *q;
    enum err err;

    if (!s->options->key)
        return ERR_OK;
    memcpy(head.hash, s->audit.hash, DIGEST_LEN);
    audit_checkpoint_sign(s->options->key, &head, head.mac);
    err = sql_prepare(s,
                      "INSERT INTO audit_checkpoint(seq, at_ms, hash, mac) VALUES(?,?,?,?)"
                      " ON CONFLICT DO NOTHING",
                      SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, head.seq);
    sql_bind_i64(q, 2, head.at_ms);
    sql_bind_blob(q, 3, head.hash, DIGEST_LEN);
    sql_bind_blob(q, 4, head.mac, DIGEST_LEN);
    s->audit.heads_due = true;
    return sql_run(q);
}

/* Enters the block of rows that ends with SEQ into audit_ref, sorted, so that each page is touched
 * once. */
static enum err enter_block(struct session *s, int64_t seq)
{
    static const char *const texts[] = {
        "INSERT OR IGNORE INTO audit_ref SELECT 1, person, seq FROM audit WHERE seq > ?1 AND "
        "person IS NOT NULL"
        " ORDER BY person, seq",
        "INSERT OR IGNORE INTO audit_ref SELECT 2, facility, seq FROM audit WHERE seq > ?1"
        " AND facility IS NOT NULL ORDER BY facility, seq",
    };
    struct sql *q;
    enum err err = ERR_OK;

    for (unsigned i = 0; i < 2 && err == ERR_OK; i++) {
        err = sql_prepare(s, texts[i], SQL_OWN, &q);
        if (err != ERR_OK)
            return err;
        sql_bind_i64(q, 1, seq - AUDIT_REF_ROWS);
        err = sql_run(q);
    }
    return err;
}

enum err audit_append(struct session *s, const struct audit_row *row)
{
    struct audit_canon canon = canon_of(row);
    unsigned char hash[DIGEST_LEN];
    struct buf bytes;
    enum err err = know_head(s);

    if (err != ERR_OK)
        return err;
    canon.seq = s->audit.seq + 1;
    if (canon.at_ms == 0)
        canon.at_ms = session_now_ms(s);
    buf_init(&bytes, AUDIT_ROW_MAX);
    (void)buf_reserve(&bytes, 1024);
    audit_canon_print(&bytes, &canon, s->audit.hash);
    err = buf_err(&bytes);
    if (err == ERR_OK)
        digest_sha256(buf_slice(&bytes), hash);
    buf_fini(&bytes);
    if (err == ERR_OK)
        err = insert_row(s, &canon, hash);
    if (err != ERR_OK)
        return err;
    s->audit.seq = canon.seq;
    memcpy(s->audit.hash, hash, DIGEST_LEN);
    if (!s->audit.heads_asked)
        s->audit.heads_due = s->audit.heads_asked = true;
    if (canon.seq % AUDIT_REF_ROWS == 0)
        err = enter_block(s, canon.seq);
    if (err != ERR_OK)
        return err;
    return canon.seq % AUDIT_CHECKPOINT_ROWS == 0 ? sign_head(s) : ERR_OK;
}

enum err audit_checkpoint_now(struct session *s)
{
    enum err err = know_head(s);

    if (err != ERR_OK || s->audit.seq == 0)
        return err;
    return sign_head(s);
}

/* ── the file outside ────────────────────────────────────────────────────────────────────────── */

/* The last whole line of BYTES names how far the file reaches; 0 when there is none. */
static int64_t last_seq(struct slice bytes)
{
    struct audit_checkpoint head;
    size_t end = bytes.len;

    while (end > 0 && bytes.ptr[end - 1] != '\n')
        end--;
    while (end > 0) {
        size_t start = end - 1;

        while (start > 0 && bytes.ptr[start - 1] != '\n')
            start--;
        if (audit_checkpoint_parse(slice_sub(bytes, start, end - 1 - start), &head))
            return head.seq;
        end = start;
    }
    return 0;
}

/* Looks where the file ends. A line torn by a crash is ended: the next starts on its own. */
static bool find_end(struct session *s, int file, struct buf *lines)
{
    char bytes[FILE_END];
    off_t size = lseek(file, 0, SEEK_END);
    off_t from = size > FILE_END ? size - FILE_END : 0;
    ssize_t got = size < 0 ? -1 : pread(file, bytes, sizeof bytes, from);

    if (got < 0)
        return false;
    if (got > 0 && bytes[got - 1] != '\n')
        buf_addc(lines, '\n');
    if (!s->audit.copied_known)
        s->audit.copied_seq = last_seq(slice_of(bytes, (size_t)got));
    s->audit.copied_known = true;
    return true;
}

static enum err missing_lines(struct session *s, struct buf *lines, int64_t *ret_last)
{
    struct audit_checkpoint head;
    struct sql *q;
    bool more = false;
    enum err err = sql_prepare(s,
                               "SELECT seq, at_ms, hash, mac FROM audit_checkpoint WHERE seq > ?"
                               " ORDER BY seq",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, s->audit.copied_seq);
    while ((err = sql_step(q, &more)) == ERR_OK && more) {
        head.seq = sql_i64(q, 0);
        head.at_ms = sql_i64(q, 1);
        if (!sql_bytes(q, 2, head.hash, DIGEST_LEN) || !sql_bytes(q, 3, head.mac, DIGEST_LEN)) {
            err = ERR_IO;
            break;
        }
        audit_checkpoint_print(lines, &head);
        *ret_last = head.seq;
    }
    err = sql_done(q, err);
    return err != ERR_OK ? err : buf_err(lines);
}

static bool write_lines(int file, struct slice lines)
{
    if (lines.len == 0)
        return true;
    return write(file, lines.ptr, lines.len) == (ssize_t)lines.len && fdatasync(file) == 0;
}

void audit_copy_heads(struct session *s)
{
    int64_t last = s->audit.copied_seq;
    struct buf lines;
    int file;

    if (!s->options->checkpoint_path || (!s->audit.heads_due && s->audit.copied_known))
        return;
    s->audit.heads_due = false;
    file = open(s->options->checkpoint_path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        return;
    buf_init(&lines, LINES_MAX);
    if (find_end(s, file, &lines) && missing_lines(s, &lines, &last) == ERR_OK &&
        write_lines(file, buf_slice(&lines)))
        s->audit.copied_seq = last > s->audit.copied_seq ? last : s->audit.copied_seq;
    else
        s->audit.copied_known = false; /* looks again after the next commit */
    buf_fini(&lines);
    close(file);
}

/* ── reading ─────────────────────────────────────────────────────────────────────────────────── */

#define COLUMNS                                                                                    \
    "SELECT seq, at_ms, event, outcome, door, actor, facility, user, role, purpose, person,"       \
    " entity, query, count, reason, request, peer FROM audit "
#define RANGE " AND at_ms >= ?3 AND at_ms < ?4 AND seq < ?5 "
#define LATER " AND seq > ?6"
#define NEWEST " ORDER BY seq DESC LIMIT ?7"
#define OLDEST " ORDER BY seq LIMIT ?7"
/* A resident's rows include those about a person he was found to be: one whose charts have all
 * become his. Undoing the link takes them away again. */
#define PERSONS                                                                                    \
    "(SELECT ?1 UNION SELECT l.from_person FROM chart c JOIN link_log l"                           \
    " ON l.chart = c.id WHERE c.person = ?1"                                                       \
    " AND " PERSON_BECAME("l.from_person", "?1") ")"
/* Rows by audit_ref, and by reading those that came after its last whole block. */
#define ROWS_OF(kind, column, who)                                                                 \
    "seq IN (SELECT r.seq FROM audit_ref r WHERE r.kind = " kind " AND r.who IN " who              \
    " UNION ALL SELECT t.seq FROM audit t WHERE t.seq > (SELECT max(m.seq) / " AUDIT_REF_TEXT      \
    " * " AUDIT_REF_TEXT " FROM audit m) AND t." column " IN " who ")"
#define ABOUT_PERSON "WHERE " ROWS_OF("1", "person", PERSONS) " AND (?2 = 0 OR facility = ?2)" RANGE
#define OF_FACILITY "WHERE " ROWS_OF("2", "facility", "(?2)") " AND ?1 = 0" RANGE
#define OF_ANY "WHERE ?1 = 0 AND ?2 = 0" RANGE

static const char *text_in(struct sql *q, int column, struct arena *arena)
{
    struct slice text = sql_dup(q, column, arena);
    return text.ptr ? text.ptr : "";
}

/* Without an arena the texts are borrowed until the next step. */
static void read_row(struct sql *q, struct arena *arena, struct audit_row *ret_row)
{
    int column = 0;

#define INT(name) ret_row->name = (__typeof__(ret_row->name))sql_i64(q, column++);
#define ID(name) INT(name)
#define TEXT(name)                                                                                 \
    ret_row->name = arena ? text_in(q, column, arena) : sql_str(q, column);                        \
    column++;
    AUDIT_COLUMNS(INT, ID, TEXT)
#undef INT
#undef ID
#undef TEXT
}

/* The resident about himself, a facility about its own doings, the operator anything. */
static bool entitled(const struct grant *grant, int64_t person, int64_t facility)
{
    if (!grant || grant->magic != GRANT_MAGIC)
        return false;
    switch (grant->actor) {
    case GRANT_RESIDENT:
        return grant->person > 0 && person == grant->person;
    case GRANT_FACILITY:
        return grant->facility > 0 && facility == grant->facility;
    case GRANT_OPERATOR:
        return true;
    case GRANT_INTAKE:
        break;
    }
    return false;
}

enum audit_by { BY_PERSON, BY_FACILITY, BY_NONE };

enum list_text { LIST_NEWEST, LIST_OLDEST, LIST_COUNT };

/* The filter's rows; PAGED: only those of the page that it begins. */
static enum err prepare_list(struct session *s, const struct audit_filter *filter,
                             enum list_text text, bool paged, struct sql **ret_sql)
{
#define TEXTS(where)                                                                               \
    {                                                                                              \
        COLUMNS where LATER NEWEST, COLUMNS where LATER OLDEST,                                    \
            "SELECT count(*) FROM audit " where                                                    \
    }
    static const char *const texts[][3] = {
        [BY_PERSON] = TEXTS(ABOUT_PERSON),
        [BY_FACILITY] = TEXTS(OF_FACILITY),
        [BY_NONE] = TEXTS(OF_ANY),
    };
#undef TEXTS
    enum audit_by by = filter->person ? BY_PERSON : filter->facility ? BY_FACILITY : BY_NONE;
    struct sql *q;
    enum err err = sql_prepare(s, texts[by][text], SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, filter->person);
    sql_bind_i64(q, 2, filter->facility);
    sql_bind_i64(q, 3, filter->from_ms ? filter->from_ms : INT64_MIN);
    sql_bind_i64(q, 4, filter->to_ms ? filter->to_ms : INT64_MAX);
    sql_bind_i64(q, 5, filter->before_seq && paged ? filter->before_seq : INT64_MAX);
    if (text != LIST_COUNT)
        sql_bind_i64(q, 6, paged ? filter->after_seq : 0);
    *ret_sql = q;
    return ERR_OK;
}

/* What audit_list collects. */
struct audit_found {
    struct audit_row *rows;
    size_t count, room;
    uint64_t total;
};

static enum err count_list(struct session *s, const struct audit_filter *filter,
                           uint64_t *ret_total)
{
    struct sql *q;
    uint64_t total = 0;
    enum err err = prepare_list(s, filter, LIST_COUNT, false, &q);

    if (err != ERR_OK)
        return err;
    err = sql_row(q);
    if (err == ERR_OK)
        total = (uint64_t)sql_i64(q, 0);
    err = sql_done(q, err);
    if (err == ERR_OK)
        *ret_total = total;
    return err;
}

static enum err read_page(struct session *s, struct arena *arena, const struct audit_filter *filter,
                          struct audit_found *found)
{
    struct sql *q;
    bool more = true;
    enum err err =
        prepare_list(s, filter, filter->oldest_first ? LIST_OLDEST : LIST_NEWEST, true, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 7, (int64_t)found->room);
    while (found->count < found->room && (err = sql_step(q, &more)) == ERR_OK && more)
        read_row(q, arena, &found->rows[found->count++]);
    return sql_done(q, err);
}

static bool on_page(const struct audit_filter *filter, int64_t seq)
{
    return filter->oldest_first ? seq > filter->after_seq
                                : !filter->before_seq || seq < filter->before_seq;
}

/* Every row is looked at, for the total; those of the page are copied. */
static enum err sift_list(struct session *s, struct arena *arena, const struct audit_filter *filter,
                          struct audit_found *found)
{
    struct sql *q;
    bool more = true;
    enum err err =
        prepare_list(s, filter, filter->oldest_first ? LIST_OLDEST : LIST_NEWEST, false, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 7, -1);
    while ((err = sql_step(q, &more)) == ERR_OK && more) {
        struct audit_row row;
        read_row(q, NULL, &row);
        if (!filter->keep(filter->context, &row))
            continue;
        found->total++;
        if (found->count < found->room && on_page(filter, row.seq))
            read_row(q, arena, &found->rows[found->count++]);
    }
    return sql_done(q, err);
}

enum err audit_list(struct session *s, struct arena *arena, const struct audit_filter *filter,
                    struct audit_row **ret_rows, size_t *ret_count, uint64_t *ret_total)
{
    const unsigned most = LIMIT_SEARCH_COUNT + 1; /* a page, and one to see whether there is another */
    struct audit_found found = {.room = filter->limit == 0     ? LIMIT_SEARCH_COUNT_DEFAULT
                                        : filter->limit > most ? most
                                                               : filter->limit};
    enum err err = ERR_FORBIDDEN;

    if (entitled(session_grant(s), filter->person, filter->facility))
        err = filter->keep ? ERR_OK : count_list(s, filter, &found.total);
    if (err != ERR_OK)
        return err;
    if (!filter->keep && found.room > found.total)
        found.room = (size_t)found.total;
    found.rows = arena_array(arena, found.room + 1, sizeof *found.rows);
    if (!found.rows)
        return ERR_LIMIT;
    err = filter->keep ? sift_list(s, arena, filter, &found) : read_page(s, arena, filter, &found);
    if (err != ERR_OK)
        return err;
    *ret_rows = found.rows;
    *ret_count = found.count;
    *ret_total = found.total;
    return ERR_OK;
}

/* Is a row about PERSON one that the resident of the grant may read as his own? */
static enum err is_his(struct session *s, int64_t person, bool *ret_his)
{
    const struct grant *grant = session_grant(s);
    struct sql *q;
    enum err err;

    *ret_his = grant->actor != GRANT_RESIDENT;
    if (*ret_his || person == 0)
        return ERR_OK;
    err = sql_prepare(s, "SELECT ?2 = ?1 OR " PERSON_BECAME("?2", "?1"), SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, grant->person);
    sql_bind_i64(q, 2, person);
    err = sql_row(q);
    if (err == ERR_OK)
        *ret_his = sql_i64(q, 0) != 0;
    return sql_done(q, err);
}

enum err audit_get(struct session *s, struct arena *arena, int64_t seq, struct audit_row *ret_row)
{
    const struct grant *grant = session_grant(s);
    struct audit_row row;
    struct sql *q;
    bool his = false;
    enum err err;

    if (!grant || !entitled(grant, grant->person, grant->facility))
        return ERR_FORBIDDEN;
    err = sql_prepare(s, COLUMNS "WHERE seq = ?", SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, seq);
    err = sql_row(q);
    if (err == ERR_OK)
        read_row(q, arena, &row);
    err = sql_done(q, err);
    if (err == ERR_OK)
        err = is_his(s, row.person, &his);
    if (err != ERR_OK)
        return err;
    /* Another's row looks like one that never was. */
    if (!his || (grant->actor == GRANT_FACILITY && row.facility != grant->facility))
        return ERR_NOT_FOUND;
    *ret_row = row;
    return ERR_OK;
}

/* ── whom a facility touched ─────────────────────────────────────────────────────────────────── */

static int by_person(const void *a, const void *b)
{
    int64_t x = ((const struct audit_touched *)a)->person;
    int64_t y = ((const struct audit_touched *)b)->person;

    return (x > y) - (x < y);
}

static int latest_first(const void *a, const void *b)
{
    int64_t x = ((const struct audit_touched *)a)->last_ms;
    int64_t y = ((const struct audit_touched *)b)->last_ms;

    return x == y ? by_person(a, b) : (x < y) - (x > y);
}

/* Puts entries of one person into one. Returns how many are left. */
static size_t merge_touched(struct audit_touched *list, size_t count)
{
    size_t kept = 0;

    qsort(list, count, sizeof *list, by_person);
    for (size_t i = 0; i < count; i++) {
        struct audit_touched *last = kept ? &list[kept - 1] : NULL;

        if (!last || last->person != list[i].person) {
            list[kept++] = list[i];
            continue;
        }
        last->rows += list[i].rows;
        last->refused += list[i].refused;
        last->first_ms = list[i].first_ms < last->first_ms ? list[i].first_ms : last->first_ms;
        last->last_ms = list[i].last_ms > last->last_ms ? list[i].last_ms : last->last_ms;
    }
    qsort(list, kept, sizeof *list, latest_first);
    return kept;
}

/* The persons as the rows name them. */
static enum err read_touched(struct sql *q, struct arena *arena, struct audit_touched **ret_list,
                             size_t *ret_count)
{
    struct audit_touched *list = NULL;
    size_t count = 0;
    bool more = false;
    enum err err = ERR_OK;

    while (!err && (err = sql_step(q, &more)) == ERR_OK && more) {
        if (!list)
            list = arena_array(arena, (size_t)sql_i64(q, 5), sizeof *list);
        if (!list)
            err = ERR_LIMIT;
        else
            list[count++] = (struct audit_touched){sql_i64(q, 0), sql_i64(q, 1), sql_i64(q, 2),
                                                   sql_i64(q, 3), sql_i64(q, 4)};
    }
    err = sql_done(q, err);
    if (err == ERR_OK) {
        *ret_list = list;
        *ret_count = count;
    }
    return err;
}

enum err audit_touched(struct session *s, struct arena *arena, const struct audit_filter *filter,
                       struct audit_touched **ret_list, size_t *ret_count)
{
    const struct grant *grant = session_grant(s);
    struct audit_touched *list = NULL;
    struct sql *q;
    size_t count = 0;
    enum err err = ERR_OK;

    if (!grant || grant->magic != GRANT_MAGIC || grant->actor != GRANT_OPERATOR)
        return ERR_FORBIDDEN;
    err = sql_prepare(s,
                      "SELECT person, count(*), sum(outcome <> 0), min(at_ms), max(at_ms),"
                      " count(*) OVER () FROM audit " OF_FACILITY
                      " AND person IS NOT NULL GROUP BY person",
                      SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, 0);
    sql_bind_i64(q, 2, filter->facility);
    sql_bind_i64(q, 3, filter->from_ms ? filter->from_ms : INT64_MIN);
    sql_bind_i64(q, 4, filter->to_ms ? filter->to_ms : INT64_MAX);
    sql_bind_i64(q, 5, INT64_MAX);
    err = read_touched(q, arena, &list, &count);
    for (size_t i = 0; i < count && err == ERR_OK; i++)
        err = person_now(s, list[i].person, &list[i].person);
    if (err != ERR_OK)
        return err;
    *ret_count = count ? merge_touched(list, count) : 0;
    *ret_list = list;
    return ERR_OK;
}
