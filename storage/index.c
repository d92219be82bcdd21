/* SPDX-License-Identifier: Apache-2.0
 *
 * Search rows of a record: keys in ix_value, strings in ix_string, words in ix_words. They follow
 * the record within its transaction. What stood there before is found again from the row's own
 * packed facets, so that a new version touches only the keys that differ; in practice most versions
 * change few. Words are never dropped: their rows belong to a version's number and die with it
 * (record_reindex drops the dead). Must not know what a parameter means.
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

static void add_facet(struct buf *entries, const struct facet_view *facet)
{
    int64_t keys[LIMIT_KEY_DAYS + 1];
    unsigned count = key_of_facet(facet, keys, LIMIT_KEY_DAYS + 1);
    for (unsigned i = 0; i < count; i++)
        add(entries, (struct entry){.number = keys[i]});
    if (key_is_string(facet))
        add(entries, (struct entry){true, facet->param, key_text(facet->text)});
}

/* All entries of STATE in order, each once. */
static enum err entries_of(const struct index_state *state, struct buf *entries)
{
    struct facet_reader reader;
    struct facet_view facet;
    buf_clear(entries);
    for (unsigned i = 0; i < state->key_count; i++)
        add(entries, (struct entry){.number = state->keys[i]});
    facet_reader_init(&reader, state->facets);
    while (facet_next(&reader, &facet))
        add_facet(entries, &facet);
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

static enum err run(struct session *s, const struct entry *entry, int64_t rid,
                    const char *const texts[2])
{
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

static enum err enter(struct session *s, const struct entry *entry, int64_t rid)
{
    static const char *const texts[] = {
        "INSERT OR IGNORE INTO ix_value(key, rid) VALUES (?1, ?2)",
        "INSERT OR IGNORE INTO ix_string(param, rid, folded) VALUES (?1, ?2, ?3)",
    };
    return run(s, entry, rid, texts);
}

static enum err take_out(struct session *s, const struct entry *entry, int64_t rid)
{
    static const char *const texts[] = {
        "DELETE FROM ix_value WHERE key = ?1 AND rid = ?2",
        "DELETE FROM ix_string WHERE param = ?1 AND folded = ?3 AND rid = ?2",
    };
    return run(s, entry, rid, texts);
}

enum err index_change(struct session *s, int64_t rid, const struct index_state *before,
                      const struct index_state *after, bool anew)
{
    struct buf *old_entries = &s->scratch.before, *new_entries = &s->scratch.after;
    enum err err = entries_of(after, new_entries);
    if (!err)
        err = entries_of(before, old_entries);
    if (err)
        return err;
    const struct entry *old = (const void *)old_entries->ptr;
    const struct entry *new = (const void *)new_entries->ptr;
    const struct entry *old_end = old + count_of(old_entries);
    const struct entry *new_end = new + count_of(new_entries);
    while (!err && (old < old_end || new < new_end)) {
        int order = old == old_end ? 1 : new == new_end ? -1 : compare(old, new);
        if (order < 0)
            err = take_out(s, old, rid);
        else if (order > 0 || anew)
            err = enter(s, new, rid);
        old += order <= 0;
        new += order >= 0;
    }
    return err;
}

enum err index_words(struct session *s, int64_t seq, struct slice words, struct slice content)
{
    if (words.len == 0 && content.len == 0)
        return ERR_OK;
    struct sql *q = NULL;
    enum err err = sql_prepare(s, "INSERT INTO ix_words(rowid, words, content) VALUES (?1, ?2, ?3)",
                               SQL_OWN, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, seq);
    sql_bind_text(q, 2, words);
    sql_bind_text(q, 3, content);
    return sql_run(q);
}
