/* SPDX-License-Identifier: Apache-2.0
 *
 * Three steps: bytes to UTF-8, a linear look that bounds what is expensive later, then libxml2. The
 * look agrees with the parser on every well-formed beginning of a document, and the parser stops at
 * the first fault, so what the look did not count is never built. A DOCTYPE is refused twice: by
 * the look, and by the parser's own callback in case the look should ever be fooled. Must not be
 * given RECOVER, NOENT or HUGE.
 */
#include "mappers/xml.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>
#include <pthread.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "mappers/charset.h"

#include "base/banned.h"

#define OPTIONS (XML_PARSE_NONET | XML_PARSE_COMPACT | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)
#define DECLARATION_MAX 256 /* an XML declaration that is longer is no honest one */

/* ── the process ──────────────────────────────────────────────────────────────────────────────────
 */

static pthread_once_t once = PTHREAD_ONCE_INIT;

static xmlParserInputPtr load_nothing(const char *url, const char *id, xmlParserCtxtPtr ctxt)
{
    (void)url;
    (void)id;
    (void)ctxt;
    return NULL;
}

static void say_nothing(void *context, const char *format, ...)
{
    (void)context;
    (void)format;
}

static void init(void)
{
    xmlInitParser();
    xmlSetExternalEntityLoader(load_nothing);
    xmlSetGenericErrorFunc(NULL, say_nothing);
    xmlThrDefSetGenericErrorFunc(NULL, say_nothing);
}

void xml_init(void)
{
    pthread_once(&once, init);
}

/* ── bytes to UTF-8 ───────────────────────────────────────────────────────────────────────────────
 */

static enum err fail(struct xml_fault *fault, enum err code, const char *en, const char *ja)
{
    fault->en = en;
    fault->ja = ja;
    return code;
}

static enum err fail_at(struct xml_fault *fault, struct slice text, size_t at, enum err code)
{
    fault->line = 1;
    fault->column = 1;
    for (size_t i = 0; i < at && i < text.len; i++) {
        fault->column++;
        if (text.ptr[i] == '\n') {
            fault->line++;
            fault->column = 1;
        }
    }
    return code;
}

static enum err bad_charset(struct xml_fault *fault)
{
    return fail(fault, ERR_CHARSET, "the character set is unknown or its rules are broken",
                "文字コードが不明か、規則に反しています");
}

static bool is_utf16(struct slice input, bool big)
{
    return big ? slice_starts(input, SLICE("\xFE\xFF")) ||
                     slice_starts(input, slice_of("\0<\0?", 4))
               : slice_starts(input, SLICE("\xFF\xFE")) ||
                     slice_starts(input, slice_of("<\0?\0", 4));
}

static void add_utf8(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_addc(out, (char)c);
    } else if (c < 0x800) {
        buf_addc(out, (char)(0xC0 | c >> 6));
        buf_addc(out, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        buf_addc(out, (char)(0xE0 | c >> 12));
        buf_addc(out, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_addc(out, (char)(0x80 | (c & 0x3F)));
    } else {
        buf_addc(out, (char)(0xF0 | c >> 18));
        buf_addc(out, (char)(0x80 | (c >> 12 & 0x3F)));
        buf_addc(out, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_addc(out, (char)(0x80 | (c & 0x3F)));
    }
}

static bool utf16_decode(struct slice in, bool big, struct buf *out)
{
    uint32_t high = 0;
    for (size_t i = 0; i + 1 < in.len; i += 2) {
        uint32_t a = (unsigned char)in.ptr[i], b = (unsigned char)in.ptr[i + 1];
        uint32_t c = big ? a << 8 | b : b << 8 | a;
        bool low = c >= 0xDC00 && c < 0xE000;
        if (low != (high != 0))
            return false;
        if (low)
            c = 0x10000 + ((high - 0xD800) << 10) + (c - 0xDC00);
        high = c >= 0xD800 && c < 0xDC00 ? c : 0;
        if (!high)
            add_utf8(out, c);
    }
    return in.len % 2 == 0 && !high;
}

/* The value of encoding="..." in the XML declaration; empty when it says none. */
static struct slice declared_encoding(struct slice text)
{
    struct slice name = SLICE("encoding");
    struct slice head = slice_sub(text, 0, DECLARATION_MAX);
    if (!slice_starts(head, SLICE("<?xml")))
        return SLICE_NONE;
    head.len = slice_search(head, SLICE("?>"), 0);
    size_t at = slice_search(head, name, 0);
    if (at == head.len)
        return SLICE_NONE;
    at += name.len;
    while (at < head.len && head.ptr[at] != '"' && head.ptr[at] != '\'')
        at++;
    if (at == head.len)
        return SLICE_NONE;
    size_t end = slice_find(head, head.ptr[at], at + 1);
    return slice_sub(head, at + 1, end - at - 1);
}

static bool charset_of(struct slice name, enum charset *ret_set)
{
    static const struct {
        const char *name;
        enum charset set;
    } names[] = {
        {"UTF-8", CHARSET_UTF8},
        {"UTF8", CHARSET_UTF8},
        {"US-ASCII", CHARSET_UTF8},
        {"ASCII", CHARSET_UTF8},
        {"Shift_JIS", CHARSET_SJIS},
        {"Shift-JIS", CHARSET_SJIS},
        {"SJIS", CHARSET_SJIS},
        {"x-sjis", CHARSET_SJIS},
        {"Windows-31J", CHARSET_SJIS},
        {"CP932", CHARSET_SJIS},
        {"MS932", CHARSET_SJIS},
        {"EUC-JP", CHARSET_EUCJP},
        {"ISO-2022-JP", CHARSET_ISO2022JP},
        {"ISO-8859-1", CHARSET_LATIN1},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (slice_ieq(name, slice_str(names[i].name))) {
            *ret_set = names[i].set;
            return true;
        }
    }
    return false;
}

static enum err decode_declared(struct slice input, struct buf *room, struct slice *ret_text,
                                struct xml_fault *fault)
{
    struct slice name = declared_encoding(input);
    enum charset set = CHARSET_UTF8;
    size_t at = 0;
    if (name.len && !charset_of(name, &set))
        return bad_charset(fault);
    if (set == CHARSET_UTF8) {
        *ret_text = input;
        return ERR_OK;
    }
    enum err err = charset_init();
    if (!err)
        err = charset_decode(set, input, room, &at);
    if (err == ERR_CHARSET)
        return fail_at(fault, input, at, bad_charset(fault));
    *ret_text = buf_slice(room);
    return err;
}

/* TEXT points into INPUT or into ROOM. */
static enum err to_utf8(struct slice input, struct buf *room, struct slice *ret_text,
                        struct xml_fault *fault)
{
    enum err err = ERR_OK;
    if (is_utf16(input, false) || is_utf16(input, true)) {
        if (!utf16_decode(input, is_utf16(input, true), room))
            return bad_charset(fault);
        *ret_text = buf_slice(room);
    } else {
        err = decode_declared(input, room, ret_text, fault);
    }
    if (!err)
        err = buf_err(room);
    if (err)
        return err;
    if (slice_starts(*ret_text, SLICE("\xEF\xBB\xBF")))
        *ret_text = slice_sub(*ret_text, 3, ret_text->len);
    size_t good = slice_utf8_len(*ret_text);
    return good == ret_text->len ? ERR_OK : fail_at(fault, *ret_text, good, bad_charset(fault));
}

bool xml_is_utf8(struct slice input)
{
    enum charset set = CHARSET_UTF8;
    struct slice mark = SLICE("\xEF\xBB\xBF");
    struct slice name = declared_encoding(
        slice_starts(input, mark) ? slice_sub(input, mark.len, input.len) : input);
    bool utf16 = is_utf16(input, false) || is_utf16(input, true);
    return !utf16 && (!name.len || (charset_of(name, &set) && set == CHARSET_UTF8));
}

/* ── the linear look ──────────────────────────────────────────────────────────────────────────────
 */

struct look {
    struct slice text;
    size_t at;
    unsigned depth;
    unsigned nodes;
    unsigned names;                      /* namespace declarations in scope */
    unsigned level[LIMIT_XML_DEPTH + 1]; /* of which made at each depth */
    struct xml_fault *fault;
};

static enum err look_fail(struct look *k, enum err code, const char *en, const char *ja)
{
    return fail_at(k->fault, k->text, k->at, fail(k->fault, code, en, ja));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Goes behind the next MARK; to the end when there is none: the parser will say so. */
static void skip_past(struct look *k, struct slice mark)
{
    size_t found = slice_search(k->text, mark, k->at);
    k->at = found == k->text.len ? found : found + mark.len;
}

static void leave(struct look *k)
{
    if (k->depth == 0)
        return; /* one end too many: not well-formed */
    k->names -= k->level[k->depth];
    k->level[k->depth] = 0;
    k->depth--;
}

/* What makes a start tag costly. Values are not counted in `size`: reading one is linear, and a
 * document in base64 is a value in FHIR. */
struct tag {
    size_t end;  /* its '>' */
    size_t size; /* bytes outside values */
    unsigned attributes, names;
};

static struct tag measure_tag(const struct look *k)
{
    struct slice xmlns = SLICE("xmlns");
    struct tag tag = {0};
    size_t word = 0, i = k->at + 1;
    for (; i < k->text.len && k->text.ptr[i] != '>' && tag.size <= LIMIT_XML_TAG; i++) {
        char c = k->text.ptr[i];
        tag.size++;
        if (c == '"' || c == '\'') {
            i = slice_find(k->text, c, i + 1);
        } else if (c == '=') {
            tag.attributes++;
            tag.names += slice_eq(slice_sub(k->text, word, xmlns.len), xmlns);
        } else if (!is_blank(c) && is_blank(k->text.ptr[i - 1])) {
            word = i;
        }
    }
    tag.end = i;
    return tag;
}

static enum err look_tag(struct look *k)
{
    struct tag tag = measure_tag(k);
    if (tag.size > LIMIT_XML_TAG || tag.attributes > LIMIT_XML_ATTRIBUTES)
        return look_fail(k, ERR_TOO_LARGE, "a tag is too long or has too many attributes",
                         "タグが長すぎるか、属性が多すぎます");
    if (k->depth == LIMIT_XML_DEPTH)
        return look_fail(k, ERR_TOO_DEEP, "elements are nested too deeply",
                         "要素の入れ子が深すぎます");
    if (k->names + tag.names > LIMIT_XML_NAMESPACES)
        return look_fail(k, ERR_TOO_LARGE, "too many namespaces are declared",
                         "名前空間の宣言が多すぎます");
    k->nodes += tag.attributes;
    k->level[++k->depth] = tag.names;
    k->names += tag.names;
    if (tag.end < k->text.len && k->text.ptr[tag.end - 1] == '/')
        leave(k);
    k->at = tag.end < k->text.len ? tag.end + 1 : k->text.len;
    return ERR_OK;
}

static enum err look_markup(struct look *k)
{
    struct slice rest = slice_sub(k->text, k->at, k->text.len);
    if (slice_starts(rest, SLICE("<!--"))) {
        k->at += 4;
        skip_past(k, SLICE("-->"));
    } else if (slice_starts(rest, SLICE("<![CDATA["))) {
        skip_past(k, SLICE("]]>"));
    } else if (slice_starts(rest, SLICE("<!"))) {
        return look_fail(k, ERR_MALFORMED, "a DOCTYPE is not accepted", "DOCTYPE 宣言は使えません");
    } else if (slice_starts(rest, SLICE("<?"))) {
        skip_past(k, SLICE("?>"));
    } else if (slice_starts(rest, SLICE("</"))) {
        leave(k);
        skip_past(k, SLICE(">"));
    } else {
        return look_tag(k);
    }
    return ERR_OK;
}

static enum err look_over(struct slice text, struct xml_fault *fault)
{
    struct look k = {.text = text, .fault = fault};
    enum err err = ERR_OK;
    while (!err) {
        k.at = slice_find(text, '<', k.at);
        if (k.at == text.len)
            break;
        k.nodes++;
        err = look_markup(&k);
        if (!err && k.nodes > LIMIT_XML_NODES)
            err = look_fail(&k, ERR_TOO_LARGE, "the document has too many elements",
                            "要素の数が多すぎます");
    }
    return err;
}

/* ── the parser ───────────────────────────────────────────────────────────────────────────────────
 */

static void refuse_subset(void *context, const xmlChar *name, const xmlChar *id, const xmlChar *uri)
{
    xmlParserCtxtPtr ctxt = context;
    (void)name;
    (void)id;
    (void)uri;
    ctxt->_private = ctxt; /* the flag: wellFormed alone does not tell */
    xmlStopParser(ctxt);
}

static enum err verdict(xmlParserCtxtPtr ctxt, struct xml_fault *fault)
{
    if (ctxt->_private)
        return fail(fault, ERR_MALFORMED, "a DOCTYPE is not accepted", "DOCTYPE 宣言は使えません");
    if (ctxt->myDoc && ctxt->wellFormed && ctxt->nsWellFormed && !ctxt->disableSAX)
        return ERR_OK;
    fault->line = ctxt->lastError.line > 0 ? (unsigned)ctxt->lastError.line : 0;
    fault->column = ctxt->lastError.int2 > 0 ? (unsigned)ctxt->lastError.int2 : 0;
    if (ctxt->lastError.code == XML_ERR_NO_MEMORY)
        return fail(fault, ERR_LIMIT, "memory ran out", "メモリーが足りません");
    return fail(fault, ERR_MALFORMED, "the XML is not well-formed", "XML の形式が不正です");
}

static enum err parse(struct slice text, struct _xmlDoc **ret_doc, struct xml_fault *fault)
{
    xmlParserCtxtPtr ctxt = xmlNewParserCtxt();
    if (!ctxt)
        return fail(fault, ERR_LIMIT, "memory ran out", "メモリーが足りません");
    ctxt->sax->internalSubset = refuse_subset;
    xmlDocPtr doc = xmlCtxtReadMemory(ctxt, text.ptr, (int)text.len, NULL, "UTF-8", OPTIONS);
    ctxt->myDoc = doc; /* what the call handed out; verdict() looks at it */
    enum err err = verdict(ctxt, fault);
    ctxt->myDoc = NULL;
    xmlFreeParserCtxt(ctxt);
    if (err)
        xmlFreeDoc(doc);
    else
        *ret_doc = doc;
    return err;
}

enum err xml_parse(struct slice input, struct _xmlDoc **ret_doc, struct xml_fault *ret_fault)
{
    struct xml_fault unused, *fault = ret_fault ? ret_fault : &unused;
    struct slice text = SLICE_NONE;
    struct buf room;
    *fault = (struct xml_fault){0};
    xml_init();
    if (input.len > LIMIT_XML_BYTES)
        return fail(fault, ERR_TOO_LARGE, "the document is too large", "文書が大きすぎます");
    buf_init(&room, LIMIT_XML_BYTES);
    enum err err = to_utf8(input, &room, &text, fault);
    if (!err && text.len == 0)
        err = fail(fault, ERR_MALFORMED, "the document is empty", "文書が空です");
    if (!err)
        err = look_over(text, fault);
    if (!err)
        err = parse(text, ret_doc, fault);
    if (err && !fault->en)
        err = fail(fault, err, err_en(err), err_ja(err));
    buf_fini(&room);
    return err;
}

void xml_free(struct _xmlDoc *doc)
{
    xmlFreeDoc(doc);
}

bool xml_root_is(const struct _xmlDoc *doc, const char *ns, const char *name)
{
    const xmlNode *root = xmlDocGetRootElement(doc);
    return root && root->ns && strcmp((const char *)root->ns->href, ns) == 0 &&
           strcmp((const char *)root->name, name) == 0;
}
