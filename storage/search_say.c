/* SPDX-License-Identifier: Apache-2.0
 *
 * A statement's text and its parameters, written side by side. Text comes from literals of
 * search*.c only; whatever came from outside is a parameter. Failure is sticky: memory, the bound
 * on the text or on the parameters.
 */
#include <assert.h>

#include "base/limits.h"
#include "storage/search_impl.h"
#include "storage/record_impl.h"
#include "storage/session_impl.h"

#include "base/banned.h"

#define SEARCH_PARAMS_MAX 32000u /* SQLite's own bound is 32766 */

static void fail(struct search_compose *c, enum err err)
{
    if (!c->err)
        c->err = err;
}

void *search_alloc(struct search_compose *c, size_t count, size_t size)
{
    void *memory = arena_array(c->arena, count ? count : 1, size);
    if (!memory)
        fail(c, ERR_LIMIT);
    return memory;
}

void search_say(struct search_compose *c, struct search_at at, const char *text)
{
    for (;;) {
        size_t plain = strcspn(text, "#^");
        buf_add(&c->text, slice_of(text, plain));
        if (!text[plain])
            return;
        buf_add_decimal(&c->text, text[plain] == '#' ? at.own : at.outer, 0);
        text += plain + 1;
    }
}

/* Twice the room, when it is used up. */
static bool has_room(struct search_compose *c)
{
    if (c->err || c->count < c->room)
        return !c->err;
    unsigned room = c->room ? 2 * c->room : 64;
    if (room > 2 * SEARCH_PARAMS_MAX) {
        fail(c, ERR_TOO_LARGE);
        return false;
    }
    struct search_param *params = search_alloc(c, room, sizeof *params);
    if (!params)
        return false;
    if (c->count)
        memcpy(params, c->params, c->count * sizeof *params);
    c->params = params;
    c->room = room;
    return true;
}

static void add_param(struct search_compose *c, struct search_param param)
{
    if (!has_room(c))
        return;
    if (c->count == SEARCH_PARAMS_MAX)
        fail(c, ERR_TOO_LARGE);
    else
        c->params[c->count++] = param;
}

void search_bind_int(struct search_compose *c, int64_t value)
{
    add_param(c, (struct search_param){.kind = SEARCH_PARAM_INT, .integer = value});
}

void search_bind_text(struct search_compose *c, struct slice value)
{
    add_param(c, (struct search_param){.kind = SEARCH_PARAM_TEXT, .text = value});
}

void search_bind_blob(struct search_compose *c, struct slice value)
{
    add_param(c, (struct search_param){.kind = SEARCH_PARAM_BLOB, .text = value});
}

void search_bind_pass(struct search_compose *c, struct search_pass *pass)
{
    add_param(c, (struct search_param){.kind = SEARCH_PARAM_POINTER,
                                       .pointer = pass,
                                       .pointer_type = SEARCH_PASS_POINTER});
}

void search_bind_sorts(struct search_compose *c)
{
    add_param(c, (struct search_param){.kind = SEARCH_PARAM_POINTER,
                                       .pointer = c->sorts,
                                       .pointer_type = SEARCH_ORDER_POINTER});
}

static size_t padded(size_t count)
{
    size_t size = 1;
    while (size < count)
        size *= 2;
    return size;
}

/* " IN (?,?...)" for COUNT values, and how many are to be bound. */
static size_t say_marks(struct search_compose *c, size_t count)
{
    size_t marks = padded(count);
    assert(count > 0);
    buf_adds(&c->text, " IN (?");
    for (size_t i = 1; i < marks && !buf_err(&c->text); i++)
        buf_adds(&c->text, ",?");
    buf_adds(&c->text, ")");
    return marks;
}

void search_say_texts(struct search_compose *c, const struct slice *values, size_t count)
{
    size_t marks = say_marks(c, count);
    for (size_t i = 0; i < marks && !c->err; i++)
        search_bind_text(c, values[i < count ? i : count - 1]);
}

void search_say_ints(struct search_compose *c, const int64_t *values, size_t count)
{
    size_t marks = say_marks(c, count);
    for (size_t i = 0; i < marks && !c->err; i++)
        search_bind_int(c, values[i < count ? i : count - 1]);
}

struct search_at search_alias(struct search_compose *c, unsigned outer)
{
    return (struct search_at){++c->aliases, outer};
}

struct search_compose search_aside(const struct search_compose *c)
{
    struct search_compose other = {.session = c->session, .arena = c->arena, .now_ms = c->now_ms};
    buf_init(&other.text, c->text.max);
    return other;
}

void search_say_anew(struct search_compose *c)
{
    buf_clear(&c->text);
    c->count = 0;
    c->aliases = 0;
    c->unions = 0;
    c->in_blocks = false;
}

static void bind_one(struct sql *q, int index, const struct search_param *p)
{
    switch (p->kind) {
    case SEARCH_PARAM_INT:
        sql_bind_i64(q, index, p->integer);
        break;
    case SEARCH_PARAM_TEXT:
        sql_bind_text(q, index, p->text);
        break;
    case SEARCH_PARAM_BLOB:
        sql_bind_blob(q, index, p->text.ptr, p->text.len);
        break;
    case SEARCH_PARAM_POINTER:
        sql_bind_pointer(q, index, p->pointer, p->pointer_type);
        break;
    }
}

enum err search_prepare(struct search_compose *c, struct sql **ret_sql)
{
    buf_addc(&c->text, '\0');
    enum err err = c->err ? c->err : buf_err(&c->text);
    if (!err && c->session->writes)
        err = index_words_enter(c->session); /* what this transaction wrote is found by its words, too */
    if (!err)
        err = sql_prepare_composed(c->session, c->text.ptr, ret_sql);
    for (unsigned i = 0; !err && i < c->count; i++)
        bind_one(*ret_sql, (int)i + 1, &c->params[i]);
    return err;
}
