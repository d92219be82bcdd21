/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables: widths count Japanese characters double, as terminals do.
 */
#include "exchange/cli/table.h"

#include <assert.h>
#include <stdio.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/when.h"

#include "base/banned.h"

struct table_row {
    struct slice cells[TABLE_COLUMNS_MAX];
    unsigned used;
    struct table_row *next;
};

void table_init(struct table *t, struct arena *arena, const char *const *columns)
{
    *t = (struct table){.arena = arena, .columns = columns};
    while (columns[t->count])
        t->count++;
    assert(t->count <= TABLE_COLUMNS_MAX);
}

void table_row(struct table *t)
{
    struct table_row *row = ARENA_NEW(t->arena, struct table_row);

    if (!row)
        return;
    if (t->last)
        t->last->next = row;
    else
        t->first = row;
    t->last = row;
}

void table_cell(struct table *t, struct slice text)
{
    if (!t->last)
        return;
    assert(t->last->used < t->count);
    t->last->cells[t->last->used++] = text.len ? arena_dup(t->arena, text) : SLICE_NONE;
}

void table_cellf(struct table *t, const char *format, ...)
{
    char text[256];
    va_list args;
    int n = 0;

    va_start(args, format);
    n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (n >= (int)sizeof(text))
        n = (int)sizeof(text) - 1;
    table_cell(t, slice_of(text, n > 0 ? (size_t)n : 0));
}

/* Columns of a terminal that TEXT takes: what needs three UTF-8 bytes or more is two wide (kanji,
 * kana). */
static unsigned width_of(struct slice text)
{
    unsigned width = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c < 0x80 || (c >= 0xc0 && c < 0xe0))
            width += 1;
        else if (c >= 0xe0)
            width += 2;
    }
    return width;
}

void table_instant(struct table *t, int64_t ms)
{
    struct buf at;

    buf_init(&at, 64);
    if (ms > 0)
        when_print_instant(&at, ms);
    table_cell(t, buf_slice(&at));
    buf_fini(&at);
}

void table_put(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c == 0xc2 && i + 1 < text.len && (unsigned char)text.ptr[i + 1] < 0xa0) {
            (void)fputs("\xef\xbf\xbd", stdout); /* C1 controls have no pictures */
            i++;
        } else if (c < 0x20 || c == 0x7f) {
            (void)printf("\xe2\x90%c", c == 0x7f ? 0xa1 : 0x80 + c);
        } else {
            (void)putchar(c);
        }
    }
}

static void print_cell(struct slice text, unsigned width, bool last)
{
    unsigned have = width_of(text);

    table_put(text);
    if (!last)
        (void)printf("%*s", (int)(width > have ? width - have : 0) + 2, "");
}

static void print_text(const struct table *t)
{
    unsigned widths[TABLE_COLUMNS_MAX];

    for (unsigned i = 0; i < t->count; i++) {
        widths[i] = width_of(slice_str(t->columns[i]));
        for (const struct table_row *row = t->first; row; row = row->next)
            if (width_of(row->cells[i]) > widths[i])
                widths[i] = width_of(row->cells[i]);
    }
    for (unsigned i = 0; i < t->count; i++)
        print_cell(slice_str(t->columns[i]), widths[i], i + 1 == t->count);
    (void)putchar('\n');
    for (const struct table_row *row = t->first; row; row = row->next) {
        for (unsigned i = 0; i < t->count; i++)
            print_cell(row->cells[i], widths[i], i + 1 == t->count);
        (void)putchar('\n');
    }
}

static enum err print_json(const struct table *t)
{
    struct json *list = json_new(t->arena, JSON_ARRAY);
    struct buf out;
    enum err err = ERR_OK;

    for (const struct table_row *row = t->first; row; row = row->next) {
        struct json *item = json_push_object(t->arena, list);

        for (unsigned i = 0; i < t->count; i++)
            (void)json_set(item, t->columns[i], json_string(t->arena, row->cells[i]));
    }
    buf_init(&out, LIMIT_HTTP_ANSWER);
    if (list)
        json_print(&out, list);
    err = !list || arena_exhausted(t->arena) ? ERR_LIMIT : buf_err(&out);
    if (!err)
        (void)printf("%.*s\n", SLICE_ARG(buf_slice(&out)));
    buf_fini(&out);
    return err;
}

enum err table_print(const struct table *t, bool json)
{
    if (arena_exhausted(t->arena))
        return ERR_LIMIT;
    if (json)
        return print_json(t);
    print_text(t);
    return ERR_OK;
}
