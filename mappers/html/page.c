/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON to an XML tree to HTML. The tree and the transformation context belong to one call; only the
 * compiled sheets are shared, and they are read-only after page_init. libxslt may read, write or
 * reach nothing; an xsl:include is resolved by ourselves from the embedded files before compiling.
 * Text reaches the page only through libxml2's serializer, so that nothing in a record can become
 * markup.
 */
#include "mappers/html/page.h"

#include <assert.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxslt/security.h>
#include <libxslt/transform.h>
#include <libxslt/xslt.h>
#include <libxslt/xsltInternals.h>
#include <libxslt/xsltutils.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/asset.h"
#include "base/limits.h"
#include "mappers/html/label.h"
#include "mappers/xml.h"

#include "base/banned.h"

#define SHEETS_MAX 16
#define NAME_MAX_LEN 64
#define REPLACEMENT "\xEF\xBF\xBD"
#define XSLT_NS "http://www.w3.org/1999/XSL/Transform"

struct sheet {
    const char *path;
    xsltStylesheetPtr style;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sheet sheets[SHEETS_MAX];
static size_t sheet_count;
static xsltSecurityPrefsPtr nothing_allowed;

/* ── sheets ───────────────────────────────────────────────────────────────────────────────────────
 */

static void say_nothing(void *context, const char *format, ...)
{
    (void)context;
    (void)format;
}

static xmlDocPtr read_sheet(const struct asset *asset)
{
    return xmlReadMemory((const char *)asset->bytes, (int)asset->len, asset->path, "UTF-8",
                         XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
}

static bool is_include(const xmlNode *node)
{
    return node->type == XML_ELEMENT_NODE && node->ns &&
           strcmp((const char *)node->ns->href, XSLT_NS) == 0 &&
           strcmp((const char *)node->name, "include") == 0;
}

/* Puts copies of the included sheet's top-level elements where the xsl:include stands. */
static bool include_one(xmlNodePtr include)
{
    char path[128];
    xmlChar *href = xmlGetNoNsProp(include, BAD_CAST "href");
    snprintf(path, sizeof(path), "mappers/html/%s", href ? (const char *)href : "");
    xmlFree(href);
    const struct asset *asset = asset_find(mappers_assets, path);
    xmlDocPtr doc = asset ? read_sheet(asset) : NULL;
    if (!doc)
        return false;
    const xmlNode *root = xmlDocGetRootElement(doc);
    for (xmlNodePtr n = root->children; n; n = n->next) {
        xmlNodePtr copy = n->type == XML_ELEMENT_NODE ? xmlDocCopyNode(n, include->doc, 1) : NULL;
        if (copy)
            xmlAddPrevSibling(include, copy);
    }
    xmlFreeDoc(doc);
    xmlUnlinkNode(include);
    xmlFreeNode(include);
    return true;
}

static bool include_all(xmlDocPtr doc)
{
    const xmlNode *root = xmlDocGetRootElement(doc);
    xmlNodePtr next = NULL;
    for (xmlNodePtr n = root ? root->children : NULL; n; n = next) {
        next = n->next;
        if (is_include(n) && !include_one(n))
            return false;
    }
    return root != NULL;
}

static xsltStylesheetPtr compile(const struct asset *asset)
{
    xmlDocPtr doc = read_sheet(asset);
    xsltStylesheetPtr style = doc && include_all(doc) ? xsltParseStylesheetDoc(doc) : NULL;
    if (!style)
        xmlFreeDoc(doc); /* a compiled sheet owns its document */
    if (style && style->errors) {
        xsltFreeStylesheet(style);
        style = NULL;
    }
    return style;
}

static bool forbid_all(xsltSecurityPrefsPtr prefs)
{
    static const xsltSecurityOption options[] = {
        XSLT_SECPREF_READ_FILE, XSLT_SECPREF_WRITE_FILE, XSLT_SECPREF_CREATE_DIRECTORY,
        XSLT_SECPREF_READ_NETWORK, XSLT_SECPREF_WRITE_NETWORK};
    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
        if (xsltSetSecurityPrefs(prefs, options[i], xsltSecurityForbid) != 0)
            return false;
    return true;
}

static void drop_sheets(void)
{
    for (size_t i = 0; i < sheet_count; i++)
        xsltFreeStylesheet(sheets[i].style);
    sheet_count = 0;
    xsltFreeSecurityPrefs(nothing_allowed);
    nothing_allowed = NULL;
}

static enum err compile_all(void)
{
    nothing_allowed = xsltNewSecurityPrefs();
    if (!nothing_allowed || !forbid_all(nothing_allowed))
        return ERR_INTERNAL;
    for (const struct asset *a = mappers_assets; a->path; a++) {
        if (!slice_ends(slice_str(a->path), SLICE(".xsl")))
            continue;
        xsltStylesheetPtr style = sheet_count < SHEETS_MAX ? compile(a) : NULL;
        if (!style)
            return ERR_INTERNAL;
        sheets[sheet_count++] = (struct sheet){a->path, style};
    }
    return ERR_OK;
}

enum err page_init(void)
{
    enum err err = ERR_OK;
    xml_init();
    pthread_mutex_lock(&lock);
    if (!nothing_allowed) {
        xsltInit();
        xsltSetGenericErrorFunc(NULL, say_nothing);
        err = compile_all();
        if (err)
            drop_sheets();
    }
    pthread_mutex_unlock(&lock);
    return err;
}

void page_fini(void)
{
    pthread_mutex_lock(&lock);
    drop_sheets();
    pthread_mutex_unlock(&lock);
}

static xsltStylesheetPtr find_sheet(const char *path)
{
    for (size_t i = 0; i < sheet_count; i++)
        if (strcmp(sheets[i].path, path) == 0)
            return sheets[i].style;
    return NULL;
}

/* ── JSON to XML ──────────────────────────────────────────────────────────────────────────────────
 */

struct tree {
    xmlDocPtr doc;
    struct buf room; /* for names and texts that must be rewritten */
    enum err err;
};

/* How many bytes from the start may stand in an XML document as they are. */
static size_t clean_len(struct slice s)
{
    size_t good = slice_utf8_len(s);
    for (size_t i = 0; i < good; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
            return i;
        if (c == 0xEF && (unsigned char)s.ptr[i + 1] == 0xBF && (unsigned char)s.ptr[i + 2] >= 0xBE)
            return i; /* U+FFFE, U+FFFF */
    }
    return good;
}

/* S with U+FFFD for what XML cannot hold: seen to be missing, not silently gone. Followed by a NUL.
 */
static struct slice clean(struct tree *t, struct slice s)
{
    buf_clear(&t->room);
    for (;;) {
        size_t good = clean_len(s);
        buf_add(&t->room, slice_sub(s, 0, good));
        if (good == s.len)
            break;
        bool wide = (unsigned char)s.ptr[good] == 0xEF && s.len - good >= 3 &&
                    slice_is_utf8(slice_sub(s, good, 3));
        buf_adds(&t->room, REPLACEMENT);
        s = slice_sub(s, good + (wide ? 3 : 1), s.len);
    }
    buf_addc(&t->room, '\0');
    if (buf_err(&t->room)) {
        t->err = ERR_LIMIT;
        return SLICE("");
    }
    return slice_of(t->room.ptr, t->room.len - 1);
}

static bool is_name(struct slice key)
{
    if (key.len == 0 || key.len >= NAME_MAX_LEN)
        return false;
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        bool later = i > 0 && ((c >= '0' && c <= '9') || c == '-' || c == '.');
        if (!letter && !later)
            return false;
    }
    return true;
}

static xmlNodePtr add_element(struct tree *t, xmlNodePtr parent, struct slice key)
{
    bool plain = is_name(key);
    struct slice name = clean(t, key);
    xmlNodePtr node = xmlNewDocNode(t->doc, NULL, BAD_CAST(plain ? name.ptr : "m"), NULL);
    if (!node || (!plain && !xmlNewProp(node, BAD_CAST "name", BAD_CAST name.ptr))) {
        xmlFreeNode(node);
        t->err = ERR_LIMIT;
        return NULL;
    }
    return xmlAddChild(parent, node);
}

static void add_text(struct tree *t, xmlNodePtr parent, struct slice text)
{
    if (clean_len(text) < text.len)
        text = clean(t, text);
    if (text.len == 0)
        return;
    xmlNodePtr node = xmlNewDocTextLen(t->doc, BAD_CAST text.ptr, (int)text.len);
    if (!node)
        t->err = ERR_LIMIT;
    else
        xmlAddChild(parent, node);
}

static void add_value(struct tree *t, xmlNodePtr parent, const struct json *v, unsigned depth)
{
    bool array = v->kind == JSON_ARRAY;
    if (depth > LIMIT_JSON_DEPTH)
        t->err = ERR_TOO_DEEP;
    if (t->err || v->kind == JSON_NULL)
        return;
    if (!array && v->kind != JSON_OBJECT) {
        add_text(t, parent,
                 v->kind == JSON_TRUE    ? SLICE("true")
                 : v->kind == JSON_FALSE ? SLICE("false")
                                         : v->text);
        return;
    }
    for (const struct json *c = v->first; c && !t->err; c = c->next) {
        xmlNodePtr node = add_element(t, parent, array ? SLICE("item") : c->key);
        if (node)
            add_value(t, node, c, depth + 1);
    }
}

static void add_labels(struct tree *t, xmlNodePtr parent, bool english)
{
    for (const struct label *l = label_table; l->id && !t->err; l++) {
        xmlNodePtr node = add_element(t, parent, slice_str(l->id));
        if (node)
            add_text(t, node, slice_str(english ? l->en : l->ja));
    }
}

static enum err build_tree(const struct json *view, bool english, xmlDocPtr *ret_doc)
{
    struct tree t = {.doc = xmlNewDoc(BAD_CAST "1.0")};
    xmlNodePtr root = t.doc ? xmlNewDocNode(t.doc, NULL, BAD_CAST "page", NULL) : NULL;
    if (!root) {
        xmlFreeDoc(t.doc);
        return ERR_LIMIT;
    }
    xmlDocSetRootElement(t.doc, root);
    buf_init(&t.room, LIMIT_HTTP_ANSWER);
    xmlNodePtr labels = add_element(&t, root, SLICE("l"));
    xmlNodePtr body = add_element(&t, root, SLICE("view"));
    if (labels && body) {
        add_labels(&t, labels, english);
        add_value(&t, body, view, 0);
    }
    buf_fini(&t.room);
    if (t.err)
        xmlFreeDoc(t.doc);
    else
        *ret_doc = t.doc;
    return t.err;
}

/* ── XML to HTML ──────────────────────────────────────────────────────────────────────────────────
 */

static xmlDocPtr transform(xsltStylesheetPtr style, xmlDocPtr doc, bool english, bool fragment)
{
    const char *params[] = {"lang", english ? "'en'" : "'ja'", "fragment", fragment ? "1" : "0",
                            NULL};
    xmlDocPtr result = NULL;
    xsltTransformContextPtr ctxt = xsltNewTransformContext(style, doc);
    if (!ctxt)
        return NULL;
    xsltSetTransformErrorFunc(ctxt, NULL, say_nothing);
    ctxt->maxTemplateDepth = LIMIT_PAGE_DEPTH;
    ctxt->opLimit = LIMIT_PAGE_XPATH_OPS;
    if (xsltSetCtxtSecurityPrefs(nothing_allowed, ctxt) == 0)
        result = xsltApplyStylesheetUser(style, doc, params, NULL, NULL, ctxt);
    if (result && ctxt->state != XSLT_STATE_OK) {
        xmlFreeDoc(result);
        result = NULL;
    }
    xsltFreeTransformContext(ctxt);
    return result;
}

enum err page_render(const char *sheet, const struct json *view, const char *lang, bool fragment,
                     struct buf *out)
{
    bool english = strcmp(lang, "en") == 0;
    xsltStylesheetPtr style = find_sheet(sheet);
    xmlDocPtr doc = NULL;
    xmlChar *text = NULL;
    int len = 0;
    assert(english || strcmp(lang, "ja") == 0);
    assert(style); /* page_init was called, and SHEET is in the tree */
    enum err err = build_tree(view, english, &doc);
    if (err)
        return err;
    xmlDocPtr result = transform(style, doc, english, fragment);
    if (!result || xsltSaveResultToString(&text, &len, result, style) != 0 || !text) {
        err = ERR_INTERNAL;
        goto out;
    }
    if (!fragment)
        buf_adds(out, "<!DOCTYPE html>\n");
    buf_add(out, slice_of(text, (size_t)len));
    err = buf_err(out);
out:
    xmlFree(text);
    xmlFreeDoc(result);
    xmlFreeDoc(doc);
    return err;
}
