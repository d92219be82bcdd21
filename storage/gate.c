/* SPDX-License-Identifier: Apache-2.0
 *
 * The gate inside the SQL (design invariant 1). Three parts that lean on each other:
 *
 *   context    tasuki_*() functions answer from the grant bound to the session, NULL without one.
 *              Every visibility test below compares with one of them, so NULL, that is no row, is
 *              the default.
 *   views      the visibility rule, written once (VISIBLE) and wrapped round every table that
 *              could tell whether a record exists: records, versions, changes, each search index.
 *   authorizer a gated statement may read the views' columns; a base table only through a view,
 *              which SQLite reports by the name of the innermost view responsible. All else does
 *              not compile. Two things the authorizer is not told rightly, so the words for them
 *              are refused: a common table expression named like a view passes for the view
 *              (WITH), and columns joined by their names are not reported (NATURAL, USING).
 *              The full-text index prepares statements of its own on its shadow tables while
 *              one of ours runs; those may pass, but only while none of ours is being compiled.
 *
 * Consent itself is one statement (DECISION), evaluated once per person and category of a job and
 * remembered: rows of one person lie together, so a scan asks the memory, not the rules. The
 * memory ends with the binding, with any change on the connection, and with the session. Must
 * never answer from anything but the bound grant and the rows of this snapshot.
 */
#include "storage/gate.h"

#include <assert.h>
#include <ctype.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/category.h"
#include "base/when.h"
#include "storage/key.h"
#include "storage/record.h"
#include "storage/search_impl.h"
#include "storage/session_impl.h"
#include "storage/sql.h"
#include "storage/targets.h"

#include "base/banned.h"

/* The views name these by number. */
static_assert(GRANT_FACILITY == 0 && GRANT_RESIDENT == 1 && GRANT_INTAKE == 3,
              "see OPENS, v_chart");
static_assert(RECORD_NORMAL == 0 && RECORD_WITHHELD == 2 && RECORD_PRIVATE == 3,
              "see OPENS, VISIBLE_VERSION");
static_assert(KEY_BLOCK == INT64_C(1) << 61 && KEY_BLOCK_PARAM == 1 << 16 && KEY_BLOCK_SIZE == 64,
              "see INDEX_VIEW");
static_assert(CATEGORY_NONE == 0 && CATEGORY_COUNT == 25, "see v_access");

#define GATE_MEMO_SLOTS 1024 /* power of two: persons x categories of one job, most recent */

struct gate_memo {
    uint64_t generation; /* entries of another generation are forgotten */
    int64_t changes;     /* the connection's change counter they were found under */
    struct gate_answer {
        uint64_t generation;
        int64_t person;
        int32_t category;
        bool permits;
    } answers[GATE_MEMO_SLOTS];
};

/* ── consent ─────────────────────────────────────────────────────────────────────────────────── */

/* storage/consent.h's decision. A matching rule's rank is 0 nested deny, 1 nested permit, 2 root
 * deny, 3 root permit; the least rank of a Consent is its word (odd: permit), and the least word
 * of all Consents is the answer: 1 permit, 0 deny, NULL when nothing matches. A Consent is one
 * rid, and a rid has one chart. */
static const char DECISION[] = "SELECT min(word) FROM ("
                               " SELECT min((1 - u.nested) * 2 + u.effect) & 1 AS word"
                               " FROM chart k CROSS JOIN consent_rule u ON u.chart = k.id"
                               " WHERE k.person = ?1 AND (u.facility = 0 OR u.facility = ?2)"
                               "  AND (u.purposes >> ?3) & 1 AND (u.categories >> ?4) & 1"
                               "  AND u.from_ms <= ?5 AND ?5 < u.to_ms"
                               " GROUP BY u.rid)";

static enum err decide(struct session *s, int64_t person, int64_t category, bool *ret_permits)
{
    const struct grant *grant = s->grant;
    struct sql *q = NULL;
    enum err err = sql_prepare(s, DECISION, SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, person);
    sql_bind_i64(q, 2, grant->facility);
    sql_bind_i64(q, 3, (int64_t)grant->purpose);
    sql_bind_i64(q, 4, category);
    sql_bind_i64(q, 5, grant->now_ms);
    bool permits = false;
    err = sql_row(q);
    if (!err)
        permits = !sql_is_null(q, 0) && sql_i64(q, 0) == 1;
    err = sql_done(q, err);
    if (!err)
        *ret_permits = permits;
    return err;
}

void gate_forget(struct session *s)
{
    if (s->memo)
        s->memo->generation++;
}

static struct gate_answer *answer_slot(struct gate_memo *memo, int64_t person, int64_t category)
{
    uint64_t place = (uint64_t)person * CATEGORY_COUNT + (uint64_t)category;
    return &memo->answers[place & (GATE_MEMO_SLOTS - 1)];
}

static enum err permits(struct session *s, int64_t person, int64_t category, bool *ret_permits)
{
    struct gate_memo *memo = s->memo;
    int64_t changes = sqlite3_total_changes64(s->db);
    if (memo->changes != changes) {
        memo->changes = changes;
        memo->generation++;
    }
    struct gate_answer *answer = answer_slot(memo, person, category);
    if (answer->generation != memo->generation || answer->person != person ||
        answer->category != (int32_t)category) {
        bool found = false;
        enum err err = decide(s, person, category, &found);
        if (err)
            return err;
        *answer = (struct gate_answer){memo->generation, person, (int32_t)category, found};
    }
    *ret_permits = answer->permits;
    return ERR_OK;
}

/* ── context functions ───────────────────────────────────────────────────────────────────────── */

static const struct grant *context_grant(sqlite3_context *context)
{
    const struct session *s = sqlite3_user_data(context);
    return s->grant;
}

static void answer_if(sqlite3_context *context, bool given, int64_t value)
{
    if (given)
        sqlite3_result_int64(context, value);
    else
        sqlite3_result_null(context);
}

/* enum grant_actor of the bound grant. */
static void fn_actor(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc, (void)argv;
    const struct grant *g = context_grant(context);
    answer_if(context, g, g ? (int64_t)g->actor : 0);
}

/* The facility whose own records the grant shows. */
static void fn_facility(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc, (void)argv;
    const struct grant *g = context_grant(context);
    bool given = g && (g->actor == GRANT_FACILITY || g->actor == GRANT_INTAKE) && g->facility > 0;
    answer_if(context, given, given ? g->facility : 0);
}

/* The resident who reads about himself. */
static void fn_person(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc, (void)argv;
    const struct grant *g = context_grant(context);
    bool given = g && g->actor == GRANT_RESIDENT && g->person > 0;
    answer_if(context, given, given ? g->person : 0);
}

static bool emergency_given(const struct grant *g)
{
    return g && g->actor == GRANT_FACILITY && g->facility > 0 && g->emergency && g->person > 0;
}

/* The one person an emergency session opened. */
static void fn_emergency(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc, (void)argv;
    const struct grant *g = context_grant(context);
    bool given = emergency_given(g);
    answer_if(context, given, given ? g->person : 0);
}

/* The categories it opened. */
static void fn_emergency_mask(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc, (void)argv;
    const struct grant *g = context_grant(context);
    bool given = emergency_given(g);
    answer_if(context, given, given ? (int64_t)(g->emergency_mask & CATEGORY_ALL) : 0);
}

/* tasuki_permits(person, category): does consent permit the grant's facility? 1, or 0 for
 * anything else. */
static void fn_permits(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc;
    struct session *s = sqlite3_user_data(context);
    const struct grant *g = s->grant;
    int64_t person = sqlite3_value_int64(argv[0]); /* NULL reads as 0 */
    int64_t category = sqlite3_value_int64(argv[1]);
    bool found = false;
    if (g && g->actor == GRANT_FACILITY && g->facility > 0 && person > 0 &&
        category > CATEGORY_NONE && category < CATEGORY_COUNT) {
        enum err err = permits(s, person, category, &found);
        if (err) {
            sqlite3_result_error(context, "consent could not be read", -1);
            sqlite3_result_error_code(context, err == ERR_TIMEOUT ? SQLITE_INTERRUPT
                                               : err == ERR_IO    ? SQLITE_IOERR
                                                                  : SQLITE_ERROR);
            return;
        }
    }
    sqlite3_result_int(context, found);
}

/* ── keys of the value index, of values a statement holds ────────────────────────────────────── */

static struct slice text_of(sqlite3_value *value)
{
    const void *ptr = sqlite3_value_text(value);
    int len = sqlite3_value_bytes(value);
    return ptr && len > 0 ? slice_of(ptr, (size_t)len) : SLICE_NONE;
}

static void fn_key(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc;
    uint16_t param = (uint16_t)sqlite3_value_int(argv[0]);
    sqlite3_result_int64(context, key_value(param, text_of(argv[1])));
}

static void fn_key_id(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc;
    sqlite3_result_int64(context, key_id(text_of(argv[0]), text_of(argv[1])));
}

static void fn_key_type(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc;
    sqlite3_result_int64(context, key_type(text_of(argv[0])));
}

static void fn_key_scope(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc;
    sqlite3_result_int64(context, key_scope(text_of(argv[0])));
}

static const struct context_function {
    const char *name;
    int argc;
    void (*fn)(sqlite3_context *context, int argc, sqlite3_value **argv);
} context_functions[] = {
    {"tasuki_actor", 0, fn_actor},
    {"tasuki_facility", 0, fn_facility},
    {"tasuki_person", 0, fn_person},
    {"tasuki_emergency", 0, fn_emergency},
    {"tasuki_emergency_mask", 0, fn_emergency_mask},
    {"tasuki_permits", 2, fn_permits},
    {"tasuki_key", 2, fn_key},
    {"tasuki_key_id", 2, fn_key_id},
    {"tasuki_key_type", 1, fn_key_type},
    {"tasuki_key_scope", 1, fn_key_scope},
};
#define CONTEXT_FUNCTION_COUNT (sizeof context_functions / sizeof context_functions[0])

enum err gate_functions(struct session *s)
{
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    for (size_t i = 0; i < CONTEXT_FUNCTION_COUNT; i++) {
        const struct context_function *f = &context_functions[i];
        int rc =
            sqlite3_create_function_v2(s->db, f->name, f->argc, flags, s, f->fn, NULL, NULL, NULL);
        if (rc != SQLITE_OK)
            return sql_code(s, rc);
    }
    return ERR_OK;
}

/* ── views ───────────────────────────────────────────────────────────────────────────────────── */

/* Is a record of PERSON in CATEGORY with LABEL opened to a reader who is not its source? */
#define OPENS(person, category, label)                                                             \
    "CASE tasuki_actor()"                                                                          \
    " WHEN 0 THEN tasuki_permits(" person ", " category ")"                                        \
    " OR (" label " = 0 AND (tasuki_emergency_mask() >> " category ") & 1"                         \
    " AND " person " = tasuki_emergency())"                                                        \
    " WHEN 1 THEN " label " <> 2 AND " person " = tasuki_person()"                                 \
    " END"

/* The rule of visibility. C: the row with chart and facility; V: that with category and label. What is private is its
 * source's alone. */
#define VISIBLE_VERSION(c, v)                                                                      \
    "(" c ".facility = tasuki_facility()"                                                          \
    " OR (" v ".label <> 3"                                                                        \
    " AND ((" c ".chart = 0 AND tasuki_actor() IS NOT NULL)"                                       \
    " OR " OPENS("(SELECT k.person FROM chart k WHERE k.id = " c ".chart)", v ".category",         \
                 v ".label") ")))"
#define VISIBLE(r) VISIBLE_VERSION(r, r)

#define PERSON "coalesce((SELECT k.person FROM chart k WHERE k.id = r.chart), 0) AS person"

/* RID: where the number is sought, so that a range of numbers cuts the index it comes from. */
#define RECORD_LIST(rid)                                                                           \
    rid " AS rid, r.type, r.id, r.version, r.seq, r.chart, " PERSON ", r.facility, r.category,"    \
        " r.label, r.when_lo, r.when_hi, r.deleted, r.facets, r.body"

#define RECORD_VIEW(more, where)                                                             \
    "SELECT " RECORD_LIST("r.rid") more " FROM main.record r WHERE " where VISIBLE("r")

#define ID_VIEW                                                                                    \
    "SELECT " RECORD_LIST("x.rid") ", x.key FROM main.ix_id x CROSS JOIN main.record r"            \
                                   " ON r.rid = x.rid WHERE r.deleted = 0 AND " VISIBLE("r")

/* A row stands for a Patient (OF_BLOCK 0) or for all that is no Patient in the block it names (1):
 * key.h. */
#define INDEX_VIEW(columns, table, of_block)                                                       \
    "SELECT " RECORD_LIST(                                                                         \
        "r.rid") ", x.rid AS at, " columns " FROM main." table                                     \
                 " x CROSS JOIN main.record r ON r.rid >= x.rid AND r.rid <= x.rid + " of_block    \
                 " * 63"                                                                           \
                 " WHERE " of_block " = (r.type <> 'Patient') AND r.deleted = 0 AND " VISIBLE("r")

/* The row of a version: everything that may differ between versions is its own. */
#define VERSION_LIST                                                                               \
    "o.rid, r.type, r.id, o.version, o.seq, r.chart, " PERSON ", r.facility, o.category,"          \
    " o.label, o.deleted, o.body"

#define NEXT_SEQ                                                                                   \
    "coalesce((SELECT n.seq FROM main.record_version n WHERE n.rid = o.rid"                        \
    " AND n.version = o.version + 1), r.seq)"

#define VERSION_VIEW                                                                               \
    "SELECT " VERSION_LIST ", " NEXT_SEQ " AS until"                                               \
    " FROM main.record_version o CROSS JOIN main.record r ON r.rid = o.rid"                        \
    " WHERE " VISIBLE("r") " AND " VISIBLE_VERSION("r", "o")

/* A change made the current version (then o is empty) or a former one. */
#define CHANGE_VIEW                                                                                \
    "SELECT c.seq, c.rid, c.version, r.type, r.id, r.chart, " PERSON ", r.facility,"               \
    " coalesce(o.category, r.category) AS category, coalesce(o.label, r.label) AS label,"          \
    " coalesce(o.deleted, r.deleted) AS deleted, coalesce(o.body, r.body) AS body,"                \
    " CASE WHEN o.seq IS NOT NULL THEN " NEXT_SEQ " END AS until"                                  \
    " FROM main.change c CROSS JOIN main.record r ON r.rid = c.rid"                                \
    " LEFT JOIN main.record_version o ON o.seq = c.seq"                                            \
    " WHERE " VISIBLE("r") " AND (r.seq = c.seq OR (o.seq IS NOT NULL AND "                        \
    VISIBLE_VERSION("r", "o") "))"

/* Rows of former versions stay in the full-text index; the current one's number is its row's. */
#define WORDS_VIEW                                                                                 \
    "SELECT " RECORD_LIST("r.rid") ", x.ix_words AS ix_words FROM main.ix_words x"                 \
    " CROSS JOIN main.change c ON c.seq = x.rowid CROSS JOIN main.record r ON r.rid = c.rid"       \
    " WHERE r.seq = x.rowid AND r.deleted = 0 AND " VISIBLE("r")

/* Which charts there are tells nothing clinical, and a facility must be able to ask for any
 * person's records; a resident asks for his own, a door for its own. */
#define CHART_VIEW                                                                                 \
    "SELECT k.id AS chart, k.person, k.id << 32 AS rid_lo, (k.id + 1) << 32 AS rid_hi"             \
    " FROM main.chart k WHERE CASE tasuki_actor() WHEN 0 THEN tasuki_facility() IS NOT NULL"       \
    " WHEN 1 THEN k.person = tasuki_person() WHEN 3 THEN k.facility = tasuki_facility() END"

#define ACCESS_VIEW                                                                                \
    "SELECT k.person, c.column1 AS category FROM main.chart k CROSS JOIN"                          \
    " (VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10),(11),(12),(13),(14),(15),(16),"             \
    "(17),(18),(19),(20),(21),(22),(23),(24)) c"                                                   \
    " WHERE " OPENS("k.person", "c.column1", "0")

static const struct gated_view {
    const char *name;
    const char *select;
} gated_views[] = {
    {"v_record", RECORD_VIEW("", "r.deleted = 0 AND ")},
    {"v_record_all", RECORD_VIEW(", NULL AS until", "")},
    {"v_record_version", VERSION_VIEW},
    {"v_by_id", ID_VIEW},
    {"v_by_value", INDEX_VIEW("x.key", "ix_value", "((x.key >> 61) & 1)")},
    {"v_by_string", INDEX_VIEW("x.param, x.folded", "ix_string", "(x.param >> 16)")},
    {"v_by_words", WORDS_VIEW},
    {"v_change", CHANGE_VIEW},
    {"v_chart", CHART_VIEW},
    {"v_access", ACCESS_VIEW},
};
#define GATED_VIEW_COUNT (sizeof gated_views / sizeof gated_views[0])

static enum err add_views(struct session *s)
{
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < GATED_VIEW_COUNT; i++) {
        char text[4096];
        int len = snprintf(text, sizeof text, "CREATE TEMP VIEW %s AS %s", gated_views[i].name,
                           gated_views[i].select);
        assert(len > 0 && (size_t)len < sizeof text);
        err = sql_exec(s, text);
    }
    return err;
}

/* ── authorizer ──────────────────────────────────────────────────────────────────────────────── */

static bool among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; name && i < count; i++) {
        if (strcasecmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

static bool is_view(const char *name)
{
    for (size_t i = 0; name && i < GATED_VIEW_COUNT; i++) {
        if (strcasecmp(name, gated_views[i].name) == 0)
            return true;
    }
    return false;
}

static bool may_call(const char *name)
{
    static const char *const plain[] = {"count", "min",   "max",          "coalesce",   "instr",
                                        "abs",   "match", "tasuki_match", "tasuki_sort"};
    if (among(name, plain, sizeof plain / sizeof plain[0]))
        return true;
    for (size_t i = 0; i < CONTEXT_FUNCTION_COUNT; i++) {
        if (name && strcasecmp(name, context_functions[i].name) == 0)
            return true;
    }
    return false;
}

/* The tables behind the views. */
static bool is_behind(const char *table)
{
    static const char *const tables[] = {"record", "record_version", "change",    "chart",
                                         "ix_id",  "ix_value",       "ix_string", "ix_words"};
    return among(table, tables, sizeof tables / sizeof tables[0]);
}

/* What the full-text index reads while it answers: statements that it prepares inside a step. Nothing of ours is
 * compiled there but what was compiled before, unchanged, after a change of the schema. */
static bool is_of_words(int action, const char *first)
{
    static const char *const shadows[] = {"ix_words_data", "ix_words_idx", "ix_words_config",
                                          "ix_words_docsize"};
    if (action == SQLITE_PRAGMA)
        return among(first, (const char *const[]){"data_version"}, 1);
    return action == SQLITE_READ && among(first, shadows, sizeof shadows / sizeof shadows[0]);
}

static int authorize_gated(const struct session *s, int action, const char *first,
                           const char *second, const char *view)
{
    if (!s->compiling && is_of_words(action, first))
        return SQLITE_OK;
    switch (action) {
    case SQLITE_SELECT:
        return SQLITE_OK;
    case SQLITE_READ:
        return is_view(first) || (is_view(view) && is_behind(first)) ||
                       among(first, (const char *const[]){"tasuki_targets"}, 1)
                   ? SQLITE_OK
                   : SQLITE_DENY;
    case SQLITE_FUNCTION:
        return may_call(second) ? SQLITE_OK : SQLITE_DENY;
    default: /* writing, PRAGMA, ATTACH, CREATE, recursion, transactions, whatever comes later */
        return SQLITE_DENY;
    }
}

static int authorize(void *context, int action, const char *first, const char *second,
                     const char *database, const char *view)
{
    (void)database;
    const struct session *s = context;
    if (!s->own)
        return authorize_gated(s, action, first, second, view);
    return action == SQLITE_ATTACH || action == SQLITE_DETACH ? SQLITE_DENY : SQLITE_OK;
}

static bool word_at(const char *text, const char *at, const char *word)
{
    size_t len = strlen(word);
    bool starts = at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
    return starts && strncasecmp(at, word, len) == 0 && !isalnum((unsigned char)at[len]) &&
           at[len] != '_';
}

bool gate_text_ok(const char *text)
{
    static const char *const words[] = {"with", "natural", "using"};
    for (const char *p = text; *p; p++) {
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            if (word_at(text, p, words[i]))
                return false;
        }
    }
    return true;
}

/* ── statements must end ─────────────────────────────────────────────────────────────────────── */

static int past_deadline(void *context)
{
    const struct session *s = context;
    return s->active > 0 && clock_monotonic_ms() > s->deadline_ms;
}

enum err gate_open(struct session *s)
{
    s->memo = calloc(1, sizeof *s->memo);
    if (!s->memo)
        return ERR_LIMIT;
    s->memo->generation = 1;
    enum err err = search_fn_open(s);
    if (!err)
        err = targets_open(s);
    if (!err)
        err = add_views(s);
    if (err)
        return err;
    if (!s->writes)
        sqlite3_progress_handler(s->db, 20000, past_deadline, s);
    return sql_code(s, sqlite3_set_authorizer(s->db, authorize, s));
}

void gate_close(struct session *s)
{
    free(s->memo);
    s->memo = NULL;
}
