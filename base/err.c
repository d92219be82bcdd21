/* SPDX-License-Identifier: Apache-2.0
 *
 * The columns of the error table and the list of what is wrong with one input. The list copies all
 * texts into its arena, so that callers may build them anywhere. It keeps LIMIT_ERR_ITEMS items and
 * counts the rest; the first error is always kept, even behind a flood of warnings, because the
 * answer's status comes from it.
 */
#include "base/err.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"

#include "base/banned.h"

static const struct {
    const char *name;
    int http;
    const char *ack;
    const char *hl7;
    const char *issue;
    const char *en;
    const char *ja;
} rows[] = {
#define X(name, http, ack, code, issue, en, ja) {#name, http, ack, code, issue, en, ja},
    X(ERR_OK, 200, "AA", "0", "informational", "ok", "正常です") ERR_TABLE(X)
#undef X
};

const char *err_name(enum err err)
{
    assert(err < ERR_COUNT);
    return rows[err].name;
}

int err_http(enum err err)
{
    assert(err < ERR_COUNT);
    return rows[err].http;
}

const char *err_ack(enum err err)
{
    assert(err < ERR_COUNT);
    return rows[err].ack;
}

const char *err_hl7(enum err err)
{
    assert(err < ERR_COUNT);
    return rows[err].hl7;
}

const char *err_issue(enum err err)
{
    assert(err < ERR_COUNT);
    return rows[err].issue;
}

const char *err_en(enum err err)
{
    assert(err < ERR_COUNT);
    return rows[err].en;
}

const char *err_ja(enum err err)
{
    assert(err < ERR_COUNT);
    return rows[err].ja;
}

void err_list_init(struct err_list *list, struct arena *arena)
{
    *list = (struct err_list){.arena = arena};
}

static void append(struct err_list *list, struct err_item *item)
{
    if (list->last)
        list->last->next = item;
    else
        list->first = item;
    list->last = item;
    list->kept++;
}

/* The item to fill, or NULL when this one is only counted. Counts it. */
static struct err_item *item_new(struct err_list *list, enum err_severity severity)
{
    bool first_error = severity == ERR_SEVERITY_ERROR && list->errors == 0;
    list->errors += severity == ERR_SEVERITY_ERROR;
    list->warnings += severity == ERR_SEVERITY_WARNING;
    if (list->kept >= LIMIT_ERR_ITEMS)
        return first_error ? list->last : NULL;
    struct err_item *item = ARENA_NEW(list->arena, struct err_item);
    if (item)
        append(list, item);
    return item;
}

/* A copy in the list's arena; the table's own text when memory is out, so that no text is NULL. */
static const char *keep(struct err_list *list, const char *text, const char *otherwise)
{
    const char *copy = text ? arena_str(list->arena, slice_str(text)) : NULL;
    return copy ? copy : otherwise;
}

enum err err_say(struct err_list *list, enum err_severity severity, enum err code,
                 const char *place, const char *en, const char *ja)
{
    assert(list && list->arena);
    struct err_item *item = item_new(list, severity);
    if (!item)
        return code;
    item->code = code;
    item->severity = severity;
    item->place = keep(list, place, "");
    item->en = keep(list, en, err_en(code));
    item->ja = keep(list, ja, err_ja(code));
    return code;
}

enum err err_add(struct err_list *list, enum err code, const char *place, const char *detail_format,
                 ...)
{
    char *detail = NULL;
    assert(list && list->arena);
    struct err_item *item = item_new(list, ERR_SEVERITY_ERROR);
    if (!item)
        return code;
    *item = (struct err_item){.code = code, .severity = ERR_SEVERITY_ERROR, .next = item->next};
    item->place = keep(list, place, "");
    item->en = err_en(code);
    item->ja = err_ja(code);
    if (!detail_format)
        return code;
    va_list args;
    va_start(args, detail_format);
    int len = vasprintf(&detail, detail_format, args);
    va_end(args);
    if (len < 0)
        return code;
    const char *en = arena_printf(list->arena, "%s: %s", err_en(code), detail);
    const char *ja = arena_printf(list->arena, "%s: %s", err_ja(code), detail);
    free(detail);
    item->en = en ? en : item->en;
    item->ja = ja ? ja : item->ja;
    return code;
}

enum err err_add_words(struct err_list *list, enum err code, const char *place, const char *en,
                       const char *ja)
{
    struct err_item *item = item_new(list, ERR_SEVERITY_ERROR);
    if (!item)
        return code;
    const char *en_text = arena_printf(list->arena, "%s: %s", err_en(code), en);
    const char *ja_text = arena_printf(list->arena, "%s: %s", err_ja(code), ja);
    *item = (struct err_item){.code = code, .severity = ERR_SEVERITY_ERROR, .next = item->next};
    item->place = keep(list, place, "");
    item->en = en_text ? en_text : err_en(code);
    item->ja = ja_text ? ja_text : err_ja(code);
    return code;
}

enum err err_list_code(const struct err_list *list)
{
    for (const struct err_item *i = list->first; i; i = i->next) {
        if (i->severity == ERR_SEVERITY_ERROR)
            return i->code;
    }
    return list->errors ? ERR_LIMIT : ERR_OK; /* no memory was left to keep even one */
}
