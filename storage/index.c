/* SPDX-License-Identifier: Apache-2.0
 *
 * Search rows of a record: its id in ix_id, keys in ix_value, strings in ix_string, words in
 * ix_words. They follow the record within its transaction. What stood there before is found again
 * from the row's own packed facets, so that a new version touches only the keys that differ; in
 * practice most versions change few. A Patient's rows are his own; those of other records are their
 * block's (key.h), entered once and never taken out. Words are never dropped either: their rows
 * belong to a version's number and die with it (record_reindex drops the dead). Must not know what
 * a parameter means.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "storage/key.h"
#include "storage/record_impl.h"
#include "storage/session_impl.h"

#include "base/banned.h"

/* A row of ix_value (key) or of ix_string (parameter and text). */
struct entry {
    bool is_string;
    int64_t number;
    struct slice text;
};

static int compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->is_string != y->is_string)
        return x->is_string ? 1 : -1;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return slice_cmp(x->text, y->text);
}

static void add(struct buf *entries, struct entry entry)
{
    buf_add(entries, slice_of(&entry, sizeof entry));
}

static size_t count_of(const struct buf *entries)
{
    return entries->len / sizeof(struct entry);
}

static void add_facet(struct buf *entries, const struct facet_view *facet, bool patient)
{
    int64_t keys[LIMIT_KEY_DAYS + 1];
    unsigned count = key_of_facet(facet, keys, LIMIT_KEY_DAYS + 1);
    for (unsigned i = 0; i < count; i++)
        add(entries, (struct entry){.number = keys[i] | (patient ? 0 : KEY_BLOCK)});
    if (key_is_string(facet))
        add(entries, (struct entry){true, facet->param | (patient ? 0 : KEY_BLOCK_PARAM),
                                    key_text(facet->text)});
}

/* All entries of RECORD in STATE in order, each once. */
static enum err entries_of(const struct index_record *record, const struct index_state *state,
                           struct buf *entries)
{
    struct facet_reader reader;
    struct facet_view facet;
    buf_clear(entries);
    if (state->level == INDEX_ALL)
        add(entries,
            (struct entry){.number = record->key_of_type | (record->patient ? 0 : KEY_BLOCK)});
    facet_reader_init(&reader, state->facets);
    while (facet_next(&reader, &facet))
        add_facet(entries, &facet, record->patient);
    if (buf_err(entries))
        return buf_err(entries);
    size_t count = count_of(entries), kept = 0;
    if (count == 0)
        return ERR_OK;
    struct entry *items = (struct entry *)(void *)entries->ptr;
    qsort(items, count, sizeof *items, compare);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || compare(&items[kept - 1], &items[i]) != 0)
            items[kept++] = items[i];
    }
    entries->len = kept * sizeof *items;
    return kept > LIMIT_FACETS ? ERR_TOO_LARGE : ERR_OK;
}

static enum err take_out(struct session *s, const struct entry *entry, int64_t rid)
{
    static const char *const texts[] = {
        "DELETE FROM ix_value WHERE key = ?1 AND rid = ?2",
        "DELETE FROM ix_string WHERE param = ?1 AND folded = ?3 AND rid = ?2",
    };
    struct sql *q = NULL;
    enum err err = sql_prepare(s, texts[entry->is_string], SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, entry->number);
    sql_bind_i64(q, 2, rid);
    if (entry->is_string)
        sql_bind_text(q, 3, entry->text);
    return sql_run(q);
}

/* Rows of one record go in several at a time: one statement's beginning and end for all. */
#define ROWS_MAX 8u

struct entering {
    struct session *s;
    int64_t rid;
    const struct entry *rows[ROWS_MAX]; /* of one table */
    unsigned count;
};

#define VALUE_1 "INSERT OR IGNORE INTO ix_value(rid, key) VALUES (?1, ?2)"
#define STRING_1 "INSERT OR IGNORE INTO ix_string(rid, param, folded) VALUES (?1, ?2, ?3)"
#define VALUE_4 VALUE_1 ", (?1, ?3), (?1, ?4), (?1, ?5)"
#define STRING_4 STRING_1 ", (?1, ?4, ?5), (?1, ?6, ?7), (?1, ?8, ?9)"

static enum err enter_rows(struct entering *e)
{
    static const char *const texts[][ROWS_MAX] = {
        {VALUE_1, VALUE_1 ", (?1, ?3)", VALUE_1 ", (?1, ?3), (?1, ?4)", VALUE_4,
         VALUE_4 ", (?1, ?6)", VALUE_4 ", (?1, ?6), (?1, ?7)",
         VALUE_4 ", (?1, ?6), (?1, ?7), (?1, ?8)",
         VALUE_4 ", (?1, ?6), (?1, ?7), (?1, ?8), (?1, ?9)"},
        {STRING_1, STRING_1 ", (?1, ?4, ?5)", STRING_1 ", (?1, ?4, ?5), (?1, ?6, ?7)", STRING_4,
         STRING_4 ", (?1, ?10, ?11)", STRING_4 ", (?1, ?10, ?11), (?1, ?12, ?13)",
         STRING_4 ", (?1, ?10, ?11), (?1, ?12, ?13), (?1, ?14, ?15)",
         STRING_4 ", (?1, ?10, ?11), (?1, ?12, ?13), (?1, ?14, ?15), (?1, ?16, ?17)"},
    };
    struct sql *q = NULL;
    int at = 2;
    if (!e->count)
        return ERR_OK;
    enum err err =
        sql_prepare(e->s, texts[e->rows[0]->is_string][e->count - 1], SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, e->rid);
    for (unsigned i = 0; i < e->count; i++) {
        sql_bind_i64(q, at++, e->rows[i]->number);
        if (e->rows[i]->is_string)
            sql_bind_text(q, at++, e->rows[i]->text);
    }
    e->count = 0;
    return sql_run(q);
}

static enum err enter(struct entering *e, const struct entry *entry)
{
    enum err err = ERR_OK;
    if (e->count == ROWS_MAX || (e->count && e->rows[0]->is_string != entry->is_string))
        err = enter_rows(e);
    e->rows[e->count++] = entry;
    return err;
}

static enum err enter_id(struct session *s, const struct index_record *record)
{
    struct sql *q = NULL;
    enum err err =
        sql_prepare(s, "INSERT OR IGNORE INTO ix_id(key, rid) VALUES (?1, ?2)", SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, record->key_of_id);
    sql_bind_i64(q, 2, record->rid);
    return sql_run(q);
}

enum err index_change(struct session *s, const struct index_record *record,
                      const struct index_state *before, const struct index_state *after, bool anew)
{
    struct buf *old_entries = &s->scratch.before, *new_entries = &s->scratch.after;
    struct entering entering = {.s = s,
                                .rid = record->patient ? record->rid : key_block_of(record->rid)};
    enum err err = entries_of(record, after, new_entries);
    if (!err)
        err = entries_of(record, before, old_entries);
    if (!err && (before->level == INDEX_NOTHING || anew))
        err = enter_id(s, record);
    if (err)
        return err;
    const struct entry *old = (const void *)old_entries->ptr;
    const struct entry *new = (const void *)new_entries->ptr;
    const struct entry *old_end = old + count_of(old_entries);
    const struct entry *new_end = new + count_of(new_entries);
    while (!err && (old < old_end || new < new_end)) {
        int order = old == old_end ? 1 : new == new_end ? -1 : compare(old, new);
        if (order < 0 && record->patient)
            err = take_out(s, old, record->rid);
        else if (order > 0 || (order == 0 && anew))
            err = enter(&entering, new);
        old += order <= 0;
        new += order >= 0;
    }
    return err ? err : enter_rows(&entering);
}

/* ── words ───────────────────────────────────────────────────────────────────────────────────── */

#define WORDS_MUCH LIMIT_MIB

struct waiting {
    int64_t seq;
    size_t words_len, content_len, at; /* in the texts, one after the other */
};

enum err index_words(struct session *s, int64_t seq, struct slice words, struct slice content)
{
    struct waiting row = {seq, words.len, content.len, s->words.texts.len};
    if (words.len == 0 && content.len == 0)
        return ERR_OK;
    buf_add(&s->words.texts, words);
    buf_add(&s->words.texts, content);
    buf_add(&s->words.rows, slice_of(&row, sizeof row));
    enum err err = buf_err(&s->words.texts);
    return err ? err : buf_err(&s->words.rows);
}

static enum err enter_words(struct session *s, const struct waiting *row)
{
    struct slice texts = buf_slice(&s->words.texts);
    size_t middle = row->at + row->words_len;
    struct sql *q = NULL;
    enum err err = sql_prepare(s, "INSERT INTO ix_words(rowid, words, content) VALUES (?1, ?2, ?3)",
                               SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, row->seq);
    sql_bind_text(q, 2, slice_sub(texts, row->at, row->words_len));
    sql_bind_text(q, 3, slice_sub(texts, middle, row->content_len));
    return sql_run(q);
}

enum err index_words_enter(struct session *s)
{
    struct session_words *w = &s->words;
    enum err err = ERR_OK;
    while (!err && w->entered < w->rows.len) {
        err = enter_words(s, (const void *)(w->rows.ptr + w->entered));
        w->entered += sizeof(struct waiting);
    }
    return err;
}

enum err index_words_begin(struct session *s, struct index_words_mark *ret_mark)
{
    const struct session_words *w = &s->words;
    bool much = w->texts.len > WORDS_MUCH;
    enum err err = much ? index_words_enter(s) : ERR_OK;
    if (err)
        return err;
    if (much)
        index_words_back(s, (struct index_words_mark){0});
    *ret_mark = (struct index_words_mark){w->rows.len, w->texts.len, w->entered};
    return ERR_OK;
}

void index_words_back(struct session *s, struct index_words_mark mark)
{
    s->words.rows.len = mark.rows;
    s->words.texts.len = mark.texts;
    s->words.entered = mark.entered;
}
