/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks a resource along the definition tables, which tell text for people from text for machines.
 * Narrative is read as the markup that validation has accepted; anything else in it does no harm,
 * it only gives odd words.
 */
#include "mappers/fhir/words.h"

#include "base/limits.h"
#include "mappers/fhir/definition.h"
#include "mappers/fhir/fold.h"
#include "mappers/fhir/gen/tables.h"

#include "base/banned.h"

struct words {
    struct buf narrative;
    struct buf content;
};

/* ── narrative ───────────────────────────────────────────────────────────────────────────────── */

/* Elements that do not part words: H<sub>2</sub>O. */
static const char *const inline_tags[] = {
    "a", "abbr", "acronym", "b",    "big",    "cite", "code", "dfn", "em", "i",  "q",
    "s", "samp", "small",   "span", "strong", "sub",  "sup",  "tt",  "u",  "var"};

static bool is_inline(struct slice name)
{
    for (size_t i = 0; i < sizeof(inline_tags) / sizeof(*inline_tags); i++) {
        if (slice_is(name, inline_tags[i]))
            return true;
    }
    return false;
}

static void add_character(struct buf *out, uint64_t c)
{
    if (c < 0x80) {
        buf_addc(out, (char)(c < 0x20 ? ' ' : c));
    } else if (c < 0x800) {
        buf_addc(out, (char)(0xC0 | c >> 6));
        buf_addc(out, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000 && (c < 0xD800 || c > 0xDFFF)) {
        buf_addc(out, (char)(0xE0 | c >> 12));
        buf_addc(out, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_addc(out, (char)(0x80 | (c & 0x3F)));
    } else if (c >= 0x10000 && c <= 0x10FFFF) {
        buf_addc(out, (char)(0xF0 | c >> 18));
        buf_addc(out, (char)(0x80 | (c >> 12 & 0x3F)));
        buf_addc(out, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_addc(out, (char)(0x80 | (c & 0x3F)));
    }
}

static uint64_t hexadecimal(struct slice digits)
{
    uint64_t v = 0;
    for (size_t i = 0; i < digits.len && v <= 0x10FFFF; i++) {
        char c = digits.ptr[i];
        v = v * 16 + (uint64_t)(c >= '0' && c <= '9'   ? c - '0'
                                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                       : 0x110000);
    }
    return v;
}

/* NAME stands between & and ;. Signs that are no letters part words. */
static void add_entity(struct buf *out, struct slice name)
{
    uint64_t c = ' ';
    if (slice_starts(name, SLICE("#x")))
        c = hexadecimal(slice_sub(name, 2, name.len));
    else if (slice_starts(name, SLICE("#")))
        (void)slice_u64(slice_sub(name, 1, name.len), &c);
    else if (slice_is(name, "amp"))
        c = '&';
    else if (slice_is(name, "lt"))
        c = '<';
    else if (slice_is(name, "gt"))
        c = '>';
    else if (slice_is(name, "apos"))
        c = '\'';
    add_character(out, c);
}

/* Skips the tag or comment at AT; returns where it ends. */
static size_t skip_tag(struct buf *out, struct slice text, size_t at)
{
    if (slice_starts(slice_sub(text, at, text.len), SLICE("<!--")))
        return slice_search(text, SLICE("-->"), at) + 3;
    size_t from = at + 1 + (at + 1 < text.len && text.ptr[at + 1] == '/');
    size_t to = from;
    while (to < text.len && text.ptr[to] >= 'a' && text.ptr[to] <= 'z')
        to++;
    if (!is_inline(slice_sub(text, from, to - from)))
        buf_addc(out, ' ');
    for (char quote = 0; to < text.len; to++) {
        char c = text.ptr[to];
        if (quote ? c == quote : c == '"' || c == '\'')
            quote = quote ? 0 : c;
        else if (c == '>' && !quote)
            break;
    }
    return to + 1;
}

/* Where the entity that begins at AT has its semicolon, or 0. */
static size_t entity_end(struct slice text, size_t at)
{
    size_t end = at + 1;
    while (end < text.len &&
           (text.ptr[end] == '#' || (text.ptr[end] >= '0' && text.ptr[end] <= '9') ||
            ((text.ptr[end] | 0x20) >= 'a' && (text.ptr[end] | 0x20) <= 'z')))
        end++;
    return end < text.len && text.ptr[end] == ';' ? end : 0;
}

static void add_narrative(struct buf *out, struct slice text)
{
    for (size_t at = 0; at < text.len;) {
        size_t semicolon = text.ptr[at] == '&' ? entity_end(text, at) : 0;
        if (text.ptr[at] == '<') {
            at = skip_tag(out, text, at);
        } else if (semicolon > 0) {
            add_entity(out, slice_sub(text, at + 1, semicolon - at - 1));
            at = semicolon + 1;
        } else {
            size_t end = at + 1;
            while (end < text.len && text.ptr[end] != '<' && text.ptr[end] != '&')
                end++;
            buf_add(out, slice_sub(text, at, end - at));
            at = end;
        }
    }
    buf_addc(out, ' ');
}

/* ── content ─────────────────────────────────────────────────────────────────────────────────── */

/* Identifiers are numbers that not every reader may learn or confirm (exchange/gate/refs.h), so
 * they are no words. */
static bool is_for_people(const struct definition_type *owner, const struct definition_element *e)
{
    if (owner == &tables_types[TABLES_AT_IDENTIFIER])
        return false;
    switch (e->type - &tables_types[TABLES_PRIMITIVE]) {
    case TABLES_MARKDOWN:
        return true;
    case TABLES_CODE:
        return !e->codes;
    case TABLES_STRING:
        return strcmp(e->name, "id") != 0 &&
               !(owner == &tables_types[TABLES_AT_REFERENCE] && strcmp(e->name, "reference") == 0);
    default:
        return false;
    }
}

static bool is_markup(const struct definition_type *type)
{
    return type == &tables_types[TABLES_PRIMITIVE + TABLES_XHTML];
}

static void add_object(struct words *w, const struct definition_type *type,
                       const struct json *object);

static void add_value(struct words *w, const struct definition_type *owner,
                      const struct definition_element *e, const struct json *v)
{
    if (v->kind == JSON_OBJECT) {
        const struct definition_type *type =
            e->type ? e->type : definition_type(json_str(v, "resourceType"));
        if (type)
            add_object(w, type, v);
    } else if (v->kind == JSON_STRING && e->type && is_markup(e->type)) {
        add_narrative(&w->narrative, v->text);
        add_narrative(&w->content, v->text);
    } else if (v->kind == JSON_STRING && e->type && is_for_people(owner, e)) {
        buf_add(&w->content, v->text);
        buf_addc(&w->content, ' ');
    }
}

/* As deep as the JSON, which is bounded. A member _x holds the extensions of x. */
static void add_object(struct words *w, const struct definition_type *type,
                       const struct json *object)
{
    for (const struct json *m = object->first; m; m = m->next) {
        bool beside = m->key.len > 1 && m->key.ptr[0] == '_';
        const struct definition_element *e =
            definition_element(type, slice_sub(m->key, beside, m->key.len));
        if (!e)
            continue;
        if (m->kind != JSON_ARRAY)
            add_value(w, type, e, m);
        for (const struct json *i = m->kind == JSON_ARRAY ? m->first : NULL; i; i = i->next)
            add_value(w, type, e, i);
    }
}

static enum err fold_into(struct arena *arena, const struct buf *text, struct slice *ret_folded)
{
    enum err err = buf_err(text);
    if (err)
        return err;
    *ret_folded = text->len > 0 ? fold_text(arena, buf_slice(text)) : SLICE_NONE;
    return text->len > 0 && !ret_folded->ptr ? ERR_LIMIT : ERR_OK;
}

enum err words_extract(struct arena *arena, const struct json *resource, struct slice *ret_words,
                       struct slice *ret_content)
{
    struct words w;
    struct slice words = SLICE_NONE;
    struct slice content = SLICE_NONE;
    const struct definition_type *type = definition_type(json_str(resource, "resourceType"));
    buf_init(&w.narrative, 2 * LIMIT_HTTP_BODY);
    buf_init(&w.content, 2 * LIMIT_HTTP_BODY);
    if (type)
        add_object(&w, type, resource);
    enum err err = fold_into(arena, &w.narrative, &words);
    if (!err)
        err = fold_into(arena, &w.content, &content);
    buf_fini(&w.narrative);
    buf_fini(&w.content);
    if (err)
        return err;
    *ret_words = words;
    *ret_content = content;
    return ERR_OK;
}
