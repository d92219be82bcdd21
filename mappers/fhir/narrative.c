/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over a narrative, with a stack of open tags. It is a checker, not a parser: whatever it
 * does not positively know is refused. Lists follow R4 narrative.html (the text formatting chapters
 * of HTML 4.0). It must never change the text, and never accept what an XML parser would refuse in
 * its tags.
 */
#include "mappers/fhir/narrative.h"

#include "base/limits.h"

#include "base/banned.h"

struct scan {
    const char *at;
    const char *end;
    const char *const *open[LIMIT_FHIR_NARRATIVE_DEPTH]; /* entries of tags[] */
    size_t depth;
    bool content; /* text or image seen */
    const char *en;
    const char *ja;
};

static const char *const tags[] = {
    "a",      "abbr",    "acronym", "address", "area",  "b",     "bdo",      "big",   "blockquote",
    "br",     "caption", "center",  "cite",    "code",  "col",   "colgroup", "dd",    "del",
    "dfn",    "div",     "dl",      "dt",      "em",    "font",  "h1",       "h2",    "h3",
    "h4",     "h5",      "h6",      "hr",      "i",     "img",   "ins",      "kbd",   "li",
    "map",    "ol",      "p",       "pre",     "q",     "s",     "samp",     "small", "span",
    "strike", "strong",  "sub",     "sup",     "table", "tbody", "td",       "tfoot", "th",
    "thead",  "tr",      "tt",      "u",       "ul",    "var",   NULL};

static const char *const attributes[] = {
    "abbr",        "accesskey",   "align",   "alt",      "axis",    "bgcolor",  "border",
    "cellpadding", "cellspacing", "char",    "charoff",  "charset", "cite",     "class",
    "clear",       "color",       "colspan", "compact",  "coords",  "datetime", "dir",
    "face",        "frame",       "headers", "height",   "href",    "hreflang", "hspace",
    "id",          "ismap",       "lang",    "longdesc", "name",    "nohref",   "noshade",
    "nowrap",      "rel",         "rev",     "rowspan",  "rules",   "scope",    "shape",
    "size",        "span",        "src",     "start",    "style",   "summary",  "tabindex",
    "title",       "type",        "usemap",  "valign",   "value",   "vspace",   "width",
    "xml:lang",    "xml:space",   "xmlns",   NULL};

#define ATTRIBUTES (sizeof(attributes) / sizeof(*attributes))

static const char *const link_attributes[] = {"cite", "href", "longdesc", "src", "usemap", NULL};
static const char *const schemes[] = {"http", "https", "mailto", "tel", "ftp", "urn", NULL};
static const char *const bad_styles[] = {"javascript:", "vbscript:", "expression(",  "url(",
                                         "@import",     "behavior:", "-moz-binding", "&",
                                         "\\",          NULL};

static bool fail(struct scan *s, const char *en, const char *ja)
{
    s->en = en;
    s->ja = ja;
    return false;
}

static const char *const *find(const char *const *list, struct slice name)
{
    for (; *list; list++) {
        if ((*list)[0] == name.ptr[0] && slice_is(name, *list))
            return list;
    }
    return NULL;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool at_space(const struct scan *s)
{
    return s->at < s->end && is_space(*s->at);
}

static bool skip_space(struct scan *s)
{
    bool any = at_space(s);
    while (at_space(s))
        s->at++;
    return any;
}

static bool take(struct scan *s, const char *text)
{
    size_t len = strlen(text);
    if ((size_t)(s->end - s->at) < len || memcmp(s->at, text, len) != 0)
        return false;
    s->at += len;
    return true;
}

/* Letters, digits and ':'; empty when there are none. */
static struct slice take_name(struct scan *s)
{
    const char *from = s->at;
    while (s->at < s->end) {
        char c = *s->at;
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != ':' && c != '-')
            break;
        s->at++;
    }
    return slice_of(from, (size_t)(s->at - from));
}

/* &name; &#12; &#x1F; */
static bool entity(struct scan *s)
{
    const char *from = ++s->at;
    bool number = take(s, "#");
    bool hex = number && take(s, "x");
    from += number + hex;
    while (s->at < s->end && s->at - from < 32 && *s->at != ';') {
        char c = *s->at;
        bool digit = c >= '0' && c <= '9';
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool hex_letter = letter && (c | 32) <= 'f';
        if (!digit && !(hex ? hex_letter : letter && !number))
            return fail(s, "an entity is malformed", "実体参照が不正です");
        s->at++;
    }
    if (s->at == from || !take(s, ";"))
        return fail(s, "an entity is malformed", "実体参照が不正です");
    return true;
}

static bool contains(struct slice text, const char *needle)
{
    size_t len = strlen(needle);
    for (size_t i = 0; i + len <= text.len; i++) {
        if (slice_ieq(slice_sub(text, i, len), slice_of(needle, len)))
            return true;
    }
    return false;
}

/* A relative address, or one with a scheme that cannot run anything. The scheme must be written
 * plainly. */
static bool link_ok(struct slice tag, struct slice name, struct slice value)
{
    char scheme[8] = {0};
    size_t n = 0;
    for (; n < value.len && value.ptr[n] != ':'; n++) {
        char c = value.ptr[n];
        if (c == '/' || c == '?' || c == '#')
            return true;
        if (c == '&' || c == '\\' || (unsigned char)c <= ' ')
            return false;
    }
    if (n == value.len)
        return true;
    if (n < sizeof(scheme)) {
        for (size_t i = 0; i < n; i++) {
            char c = value.ptr[i];
            scheme[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
        }
    }
    if (slice_is(tag, "img") && slice_is(name, "src") && strcmp(scheme, "data") == 0)
        return slice_starts(value, SLICE("data:image/")) && !contains(value, "svg");
    return n > 0 && find(schemes, slice_str(scheme)) != NULL;
}

static bool style_ok(struct slice value)
{
    for (const char *const *bad = bad_styles; *bad; bad++) {
        if (contains(value, *bad))
            return false;
    }
    return true;
}

/* SEEN: which of attributes[] the tag has already. */
static bool attribute_ok(struct scan *s, struct slice tag, struct slice name, struct slice value,
                         bool seen[ATTRIBUTES])
{
    const char *const *known = find(attributes, name);
    if (!known)
        return fail(s, "an attribute is not allowed in narrative", "使えない属性があります");
    if (seen[known - attributes])
        return fail(s, "an attribute is given twice", "同じ属性が二度あります");
    seen[known - attributes] = true;
    if (slice_is(name, "xmlns") && !slice_is(value, "http://www.w3.org/1999/xhtml"))
        return fail(s, "the name space must be XHTML", "名前空間は XHTML でなければなりません");
    if (find(link_attributes, name) && !link_ok(tag, name, value))
        return fail(s, "a link's scheme is not allowed", "リンクのスキームが許可されていません");
    if (slice_is(name, "style") && !style_ok(value))
        return fail(s, "a style is not allowed", "許可されないスタイルがあります");
    return true;
}

static bool attribute(struct scan *s, struct slice tag, bool seen[ATTRIBUTES])
{
    struct slice name = take_name(s);
    skip_space(s);
    if (name.len == 0 || !take(s, "="))
        return fail(s, "a tag is malformed", "タグが不正です");
    skip_space(s);
    char quote = s->at < s->end ? *s->at : 0;
    if (quote != '"' && quote != '\'')
        return fail(s, "an attribute is not quoted", "属性値に引用符がありません");
    const char *from = ++s->at;
    while (s->at < s->end && *s->at != quote) {
        if (*s->at == '<')
            return fail(s, "a tag is malformed", "タグが不正です");
        if (*s->at != '&')
            s->at++;
        else if (!entity(s))
            return false;
    }
    if (s->at == s->end)
        return fail(s, "a tag is not closed", "タグが閉じていません");
    struct slice value = slice_of(from, (size_t)(s->at++ - from));
    return attribute_ok(s, tag, name, value, seen);
}

static bool open_tag(struct scan *s)
{
    bool seen[ATTRIBUTES] = {false};
    struct slice name = take_name(s);
    const char *const *tag = name.len > 0 ? find(tags, name) : NULL;
    if (!tag)
        return fail(s, "a tag is not allowed in narrative", "使えないタグがあります");
    if (s->depth == 0 && !slice_is(name, "div"))
        return fail(s, "a <div> is expected", "<div> が必要です");
    s->content |= slice_is(name, "img");
    while (skip_space(s) && s->at < s->end && *s->at != '>' && *s->at != '/') {
        if (!attribute(s, name, seen))
            return false;
    }
    if (take(s, "/>"))
        return true;
    if (!take(s, ">"))
        return fail(s, "a tag is malformed", "タグが不正です");
    if (s->depth == LIMIT_FHIR_NARRATIVE_DEPTH)
        return fail(s, "the tags are nested too deeply", "タグの入れ子が深すぎます");
    s->open[s->depth++] = tag;
    return true;
}

static bool close_tag(struct scan *s)
{
    struct slice name = take_name(s);
    skip_space(s);
    if (s->depth == 0 || !slice_is(name, *s->open[s->depth - 1]) || !take(s, ">"))
        return fail(s, "an end tag does not match", "終了タグが対応していません");
    s->depth--;
    return true;
}

static bool comment(struct scan *s)
{
    size_t left = (size_t)(s->end - s->at);
    size_t at = slice_search(slice_of(s->at, left), SLICE("--"), 0);
    s->at += at;
    if (at == left || !take(s, "-->"))
        return fail(s, "a comment is malformed", "コメントが不正です");
    return true;
}

static bool character(struct scan *s)
{
    unsigned char c = (unsigned char)*s->at;
    if (c < 0x20 && !is_space((char)c))
        return fail(s, "a control character is not allowed", "制御文字は使えません");
    s->content |= !is_space((char)c);
    s->at++;
    return true;
}

bool narrative_ok(struct slice div, const char **ret_en, const char **ret_ja)
{
    struct scan s = {.at = div.ptr, .end = div.ptr + div.len};
    bool ok = div.len > 0 && *s.at == '<';
    if (!ok)
        fail(&s, "a <div> is expected", "<div> が必要です");
    while (ok && s.at < s.end) {
        if (take(&s, "<!--"))
            ok = comment(&s);
        else if (take(&s, "</"))
            ok = close_tag(&s);
        else if (take(&s, "<"))
            ok = open_tag(&s);
        else if (*s.at == '&')
            ok = s.content = entity(&s);
        else
            ok = character(&s);
        if (ok && s.depth == 0)
            break;
    }
    skip_space(&s);
    if (ok && (s.depth > 0 || s.at < s.end))
        ok = fail(&s, "it must be exactly one <div> element",
                  "1個の <div> 要素でなければなりません");
    if (ok && !s.content)
        (void)fail(&s, "a narrative should say something", "説明文に内容がありません");
    *ret_en = s.en;
    *ret_ja = s.ja;
    return ok;
}
