/* SPDX-License-Identifier: Apache-2.0
 *
 * An object's members are sorted into R4's order by one look-up each, then printed along the order
 * list. A narrative is text in JSON and markup here: it was checked to be whole tags when it came
 * in, so only what HTML allows and XML does not is changed. Must never print a member that the
 * tables do not know: then the answer fails instead of leaving something out.
 */
#include "mappers/fhir/xml_print.h"

#include <libxml/HTMLparser.h>

#include "base/limits.h"
#include "mappers/fhir/gen/tables.h"

#include "base/banned.h"

#define FHIR_NS "http://hl7.org/fhir"
#define XHTML_NS "http://www.w3.org/1999/xhtml"
#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */
#define INDENT 2
#define ENTITY_MAX 32 /* the name of an entity */

struct printer {
    struct buf *out;
    bool pretty;
    unsigned depth;
};

/* An object's members by their element's place in type->elements: its value, and what stands beside
 * it under "_name". */
struct members {
    const struct json *value[TABLES_ELEMENTS_MAX];
    const struct json *beside[TABLES_ELEMENTS_MAX];
};

static enum err print_resource(struct printer *p, const struct json *resource);
static enum err print_object(struct printer *p, const struct definition_type *type,
                             const struct json *object, const char *name);

/* ── characters ──────────────────────────────────────────────────────────────────────────────── */

/* Length of the character at AT that XML cannot carry; 0 when it can. */
static size_t unfit(struct slice s, size_t at)
{
    unsigned char c = (unsigned char)s.ptr[at];
    if (c < 0x20)
        return c != '\t' && c != '\n' && c != '\r';
    if (c == 0xEF && s.len - at >= 3 && s.ptr[at + 1] == '\xBF' &&
        (s.ptr[at + 2] == '\xBE' || s.ptr[at + 2] == '\xBF'))
        return 3;
    return 0;
}

/* What stands for C in an attribute's value; NULL: itself. */
static const char *escape(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\t':
        return "&#9;";
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    default:
        return NULL;
    }
}

static void print_attribute(struct buf *out, const char *name, struct slice text)
{
    size_t from = 0, bad;
    buf_addc(out, ' ');
    buf_adds(out, name);
    buf_adds(out, "=\"");
    for (size_t i = 0; i < text.len; i += bad ? bad : 1) {
        const char *other = escape(text.ptr[i]);
        bad = other ? 0 : unfit(text, i);
        if (!other && !bad)
            continue;
        buf_add(out, slice_sub(text, from, i - from));
        buf_adds(out, other ? other : REPLACEMENT);
        from = i + (bad ? bad : 1);
    }
    buf_add(out, slice_sub(text, from, text.len - from));
    buf_addc(out, '"');
}

/* ── tags ────────────────────────────────────────────────────────────────────────────────────── */

static void new_line(struct printer *p)
{
    static const char blanks[] = "                                ";
    if (!p->pretty)
        return;
    buf_addc(p->out, '\n');
    for (size_t left = (size_t)p->depth * INDENT; left;) {
        size_t n = left < sizeof(blanks) - 1 ? left : sizeof(blanks) - 1;
        buf_add(p->out, slice_of(blanks, n));
        left -= n;
    }
}

/* "<name", to be followed by attributes and '>' or "/>". */
static void begin(struct printer *p, const char *name)
{
    new_line(p);
    buf_addc(p->out, '<');
    buf_adds(p->out, name);
}

static void open_tag(struct printer *p)
{
    buf_addc(p->out, '>');
    p->depth++;
}

static void close_tag(struct printer *p, const char *name)
{
    p->depth--;
    new_line(p);
    buf_adds(p->out, "</");
    buf_adds(p->out, name);
    buf_addc(p->out, '>');
}

/* ── narrative ───────────────────────────────────────────────────────────────────────────────── */

/* The code point that the number between "&#" and ';' names, if XML can carry it; else 0xFFFD. */
static unsigned long number(struct slice digits)
{
    bool hex = digits.len && (digits.ptr[0] | 32) == 'x';
    unsigned long n = 0;
    for (size_t i = hex; i < digits.len && n <= 0x10FFFF; i++) {
        char c = digits.ptr[i];
        unsigned long d =
            c <= '9' ? (unsigned long)(c - '0') : (unsigned long)((c | 32) - 'a' + 10);
        n = n * (hex ? 16 : 10) + d;
    }
    bool control = n < 0x20 && n != '\t' && n != '\n' && n != '\r';
    bool none = n > 0x10FFFF || (n >= 0xD800 && n < 0xE000) || n == 0xFFFE || n == 0xFFFF;
    return control || none ? 0xFFFD : n;
}

static bool is_xml_entity(struct slice name)
{
    return slice_is(name, "amp") || slice_is(name, "lt") || slice_is(name, "gt") ||
           slice_is(name, "quot") || slice_is(name, "apos");
}

/* The reference at AT ("&...;"); returns what follows. XML has five names, HTML has 253. */
static size_t print_reference(struct buf *out, struct slice text, size_t at)
{
    char name[ENTITY_MAX + 1] = {0};
    size_t end = slice_find(text, ';', at);
    struct slice word = slice_sub(text, at + 1, end - at - 1);
    if (end == text.len || !word.len || word.len > ENTITY_MAX) {
        buf_adds(out, "&amp;");
        return at + 1;
    }
    memcpy(name, word.ptr, word.len);
    const htmlEntityDesc *html = is_xml_entity(word) ? NULL : htmlEntityLookup((xmlChar *)name);
    unsigned long code = word.ptr[0] == '#' ? number(slice_sub(word, 1, word.len)) : 0;
    if (code == 0xFFFD || html)
        buf_addf(out, "&#%u;", html ? html->value : 0xFFFDu);
    else if (code || is_xml_entity(word))
        buf_add(out, slice_sub(text, at, end + 1 - at));
    else
        buf_addf(out, "&amp;%s;", name);
    return end + 1;
}

/* Has the tag that TEXT begins with an attribute xmlns? */
static bool declares_namespace(struct slice text)
{
    size_t word = 0;
    for (size_t i = 1; i < text.len && text.ptr[i] != '>'; i++) {
        char c = text.ptr[i], before = text.ptr[i - 1];
        if (c == '"' || c == '\'')
            i = slice_find(text, c, i + 1);
        else if (c == '=' && slice_is(slice_trim(slice_sub(text, word, i - word)), "xmlns"))
            return true;
        else if (strchr(" \t\r\n", before) && !strchr(" \t\r\n=", c))
            word = i;
    }
    return false;
}

/* The comment at AT, or as much of it as there is; returns what follows. */
static size_t print_comment(struct buf *out, struct slice text, size_t at)
{
    size_t end = slice_search(text, SLICE("-->"), at + 4);
    end = end < text.len ? end + 3 : end;
    for (size_t bad; at < end; at += bad ? bad : 1) {
        bad = unfit(text, at);
        buf_add(out, bad ? SLICE(REPLACEMENT) : slice_sub(text, at, 1));
    }
    return end;
}

static size_t print_piece(struct buf *out, struct slice text, size_t at)
{
    struct slice rest = slice_sub(text, at, 4);
    size_t bad = unfit(text, at);
    if (slice_is(rest, "<!--"))
        return print_comment(out, text, at);
    if (rest.ptr[0] == '&')
        return print_reference(out, text, at);
    if (bad)
        buf_adds(out, REPLACEMENT);
    else if (rest.ptr[0] == '\r')
        buf_adds(out, "&#13;");
    else if (rest.ptr[0] == '>' && at > 1 && text.ptr[at - 1] == ']' && text.ptr[at - 2] == ']')
        buf_adds(out, "&gt;");
    else
        buf_addc(out, rest.ptr[0]);
    return at + (bad ? bad : 1);
}

/* False when TEXT holds no div. */
static bool print_narrative(struct buf *out, struct slice text)
{
    size_t at = 0;
    while (slice_starts(slice_sub(text, at, text.len), SLICE("<!--"))) { /* before the div */
        at = slice_search(text, SLICE("-->"), at + 4);
        at = at < text.len ? at + 3 : at;
        while (at < text.len && strchr(" \t\r\n", text.ptr[at]))
            at++;
    }
    struct slice div = slice_sub(text, at, text.len);
    if (!slice_starts(div, SLICE("<div")))
        return false;
    buf_adds(out, declares_namespace(div) ? "<div" : "<div xmlns=\"" XHTML_NS "\"");
    for (at += 4; at < text.len;)
        at = print_piece(out, text, at);
    return true;
}

/* ── elements ────────────────────────────────────────────────────────────────────────────────── */

static const struct definition_element *element_of(const struct definition_type *type,
                                                   struct slice key, bool *ret_beside)
{
    *ret_beside = key.len && key.ptr[0] == '_';
    return definition_element(type, *ret_beside ? slice_sub(key, 1, key.len) : key);
}

/* False when a member is not in the table. */
static bool sort_members(const struct definition_type *type, const struct json *object,
                         struct members *m)
{
    bool resource = type->kind == DEFINITION_RESOURCE, beside;
    memset(m->value, 0, type->element_count * sizeof(*m->value));
    memset(m->beside, 0, type->element_count * sizeof(*m->beside));
    for (const struct json *i = object->first; i; i = i->next) {
        if (resource && slice_is(i->key, "resourceType"))
            continue;
        const struct definition_element *e = element_of(type, i->key, &beside);
        if (!e)
            return false;
        (beside ? m->beside : m->value)[e - type->elements] = i;
    }
    return true;
}

static struct slice value_text(const struct json *value)
{
    switch (value->kind) {
    case JSON_TRUE:
        return SLICE("true");
    case JSON_FALSE:
        return SLICE("false");
    default:
        return value->text;
    }
}

static enum err print_primitive(struct printer *p, const struct definition_element *e,
                                const struct json *value, const struct json *beside)
{
    struct slice id = json_str(beside, "id");
    const struct json *extensions = json_get(beside, "extension");
    enum err err = ERR_OK;
    if (value && value->kind >= JSON_ARRAY)
        return ERR_INTERNAL;
    if (e->type == &tables_types[TABLES_PRIMITIVE + TABLES_XHTML]) {
        new_line(p);
        return value && print_narrative(p->out, value->text) ? ERR_OK : ERR_INTERNAL;
    }
    begin(p, e->name);
    if (id.len)
        print_attribute(p->out, "id", id);
    if (value && value->kind != JSON_NULL)
        print_attribute(p->out, "value", value_text(value));
    if (!extensions) {
        buf_adds(p->out, "/>");
        return ERR_OK;
    }
    open_tag(p);
    for (const struct json *i = extensions->first; i && !err; i = i->next)
        err =
            print_object(p, definition_element(e->type, SLICE("extension"))->type, i, "extension");
    close_tag(p, e->name);
    return err;
}

static enum err print_inner(struct printer *p, const char *name, const struct json *resource)
{
    begin(p, name);
    open_tag(p);
    enum err err = print_resource(p, resource);
    close_tag(p, name);
    return err;
}

static enum err print_value(struct printer *p, const struct definition_element *e,
                            const struct json *value, const struct json *beside)
{
    if (e->type && e->type->kind == DEFINITION_PRIMITIVE)
        return print_primitive(p, e, value, beside);
    if (beside || !value)
        return ERR_INTERNAL;
    return e->type ? print_object(p, e->type, value, e->name) : print_inner(p, e->name, value);
}

/* Both lists at once; either may be missing or end early. */
static enum err print_list(struct printer *p, const struct definition_element *e,
                           const struct json *values, const struct json *besides)
{
    enum err err = ERR_OK;
    if ((values && values->kind != JSON_ARRAY) || (besides && besides->kind != JSON_ARRAY))
        return ERR_INTERNAL;
    const struct json *value = values ? values->first : NULL;
    const struct json *beside = besides ? besides->first : NULL;
    while ((value || beside) && !err) {
        bool extra = beside && beside->kind == JSON_OBJECT;
        err = print_value(p, e, value, extra ? beside : NULL);
        value = value ? value->next : NULL;
        beside = beside ? beside->next : NULL;
    }
    return err;
}

static bool is_attribute(const struct definition_type *type, const struct definition_element *e)
{
    if (type->kind == DEFINITION_RESOURCE)
        return false;
    return strcmp(e->name, "id") == 0 ||
           (strcmp(e->name, "url") == 0 && strcmp(type->name, "Extension") == 0);
}

static enum err print_children(struct printer *p, const struct definition_type *type,
                               const struct members *m)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < type->element_count && !err; i++) {
        const struct definition_element *e = type->order[i];
        const struct json *value = m->value[e - type->elements];
        const struct json *beside = m->beside[e - type->elements];
        if ((!value && !beside) || is_attribute(type, e))
            continue;
        err = e->many ? print_list(p, e, value, beside) : print_value(p, e, value, beside);
    }
    return err;
}

static bool has_children(const struct definition_type *type, const struct json *object)
{
    bool beside;
    for (const struct json *i = object->first; i; i = i->next) {
        const struct definition_element *e = element_of(type, i->key, &beside);
        if (e && !is_attribute(type, e))
            return true;
    }
    return false;
}

static enum err print_object(struct printer *p, const struct definition_type *type,
                             const struct json *object, const char *name)
{
    struct members m;
    if (object->kind != JSON_OBJECT || p->depth > LIMIT_XML_DEPTH ||
        !sort_members(type, object, &m))
        return ERR_INTERNAL;
    begin(p, name);
    for (size_t i = 0; i < type->element_count; i++) {
        const struct definition_element *e = type->order[i];
        const struct json *value = m.value[e - type->elements];
        if (value && is_attribute(type, e))
            print_attribute(p->out, e->name, value->text);
    }
    if (!has_children(type, object)) {
        buf_adds(p->out, "/>");
        return ERR_OK;
    }
    open_tag(p);
    enum err err = print_children(p, type, &m);
    close_tag(p, name);
    return err;
}

static enum err print_resource(struct printer *p, const struct json *resource)
{
    struct members m;
    const struct definition_type *type = definition_type(json_str(resource, "resourceType"));
    if (!type || type->kind != DEFINITION_RESOURCE || p->depth > LIMIT_XML_DEPTH ||
        !sort_members(type, resource, &m))
        return ERR_INTERNAL;
    begin(p, type->name);
    if (p->depth == 0)
        print_attribute(p->out, "xmlns", SLICE(FHIR_NS));
    open_tag(p);
    enum err err = print_children(p, type, &m);
    close_tag(p, type->name);
    return err;
}

enum err xml_print_resource(struct buf *out, const struct json *resource, bool pretty)
{
    struct printer p = {.out = out, .pretty = pretty};
    buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    enum err err = print_resource(&p, resource);
    if (pretty)
        buf_addc(out, '\n');
    return err ? err : buf_err(out);
}
