/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks libxml2's tree and R4's tables side by side. The order of elements is checked by walking
 * the table's order list forward only. A narrative is taken from the input's own bytes where they
 * are XHTML as JSON would carry it, because a printed tree has other quotes, entities and spaces
 * than what was sent; a second, linear look finds those bytes, as the tree does not know them. Must
 * never see a document that xml_parse did not accept.
 */
#include "mappers/fhir/xml_read.h"

#include <libxml/tree.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mappers/fhir/gen/tables.h"
#include "mappers/fhir/place.h"
#include "mappers/xml.h"

#include "base/banned.h"

#define FHIR_NS "http://hl7.org/fhir"
#define XHTML_NS "http://www.w3.org/1999/xhtml"
#define SCHEMA_NS "http://www.w3.org/2001/XMLSchema-instance"

struct reader {
    struct arena *arena;
    struct err_list *errors;
    struct _xmlDoc *doc;
    struct slice text; /* the input: where narratives are cut out */
    size_t text_at;    /* behind the last one */
    unsigned depth;    /* open objects and arrays of the JSON form */
};

/* One object while its children are gone through. */
struct object {
    const struct definition_type *type;
    const struct place *at;
    struct json *json;
    size_t order;                          /* where in type->order we are */
    const struct definition_element *list; /* whose items are being gathered, or NULL */
    struct json *values, *extras; /* its arrays; extras: of a primitive's ids, extensions */
    bool any_value, any_extra;
};

static enum err read_object(struct reader *k, const xmlNode *node, struct object *o);
static enum err read_resource(struct reader *k, const xmlNode *node, const struct place *at,
                              struct json **ret_json);

/* ── small things ────────────────────────────────────────────────────────────────────────────── */

static enum err refuse(struct reader *k, enum err code, const struct place *at, const xmlNode *node,
                       const char *en, const char *ja)
{
    long line = node ? xmlGetLineNo(node) : 0;
    const char *long_en = arena_printf(k->arena, "%s (line %ld)", en, line);
    const char *long_ja = arena_printf(k->arena, "%s(%ld 行目)", ja, line);
    return err_add_words(k->errors, code, place_text(k->arena, at), long_en ? long_en : en,
                         long_ja ? long_ja : ja);
}

static struct slice name_of(const xmlChar *name)
{
    return slice_str((const char *)name);
}

static bool in_namespace(const xmlNs *ns, const char *href)
{
    return ns && ns->href && strcmp((const char *)ns->href, href) == 0;
}

static bool is_resource(const struct definition_type *type)
{
    return type->kind == DEFINITION_RESOURCE;
}

static enum tables_primitive primitive_of(const struct definition_type *type)
{
    return (enum tables_primitive)(type - &tables_types[TABLES_PRIMITIVE]);
}

/* Element.id and Extension.url are attributes; a resource's id is an element. */
static bool is_attribute(const struct definition_type *type, const char *name)
{
    if (is_resource(type))
        return false;
    return strcmp(name, "id") == 0 ||
           (strcmp(name, "url") == 0 && strcmp(type->name, "Extension") == 0);
}

/* JSON must be able to hold what is read: it is printed, stored and read again. */
static enum err deeper(struct reader *k, const xmlNode *node, const struct place *at)
{
    if (k->depth >= LIMIT_JSON_DEPTH)
        return refuse(k, ERR_TOO_DEEP, at, node, "elements are nested too deeply",
                      "要素の入れ子が深すぎます");
    k->depth++;
    return ERR_OK;
}

static bool is_blank(const xmlChar *text)
{
    for (; text && *text; text++)
        if (*text != ' ' && *text != '\t' && *text != '\n' && *text != '\r')
            return false;
    return true;
}

/* Steps over what is no element: white space, comments, processing instructions. */
static enum err skip_to_element(struct reader *k, const xmlNode **node, const struct place *at)
{
    for (; *node && (*node)->type != XML_ELEMENT_NODE; *node = (*node)->next) {
        const xmlNode *n = *node;
        bool quiet = n->type == XML_COMMENT_NODE || n->type == XML_PI_NODE ||
                     (n->type == XML_TEXT_NODE && is_blank(n->content));
        if (!quiet)
            return refuse(k, ERR_INVALID, at, n,
                          "text is not allowed here; use the value attribute",
                          "ここに文字は置けません。value 属性を使います");
    }
    return ERR_OK;
}

/* ── attributes ──────────────────────────────────────────────────────────────────────────────── */

static enum err attribute_text(struct reader *k, const xmlAttr *a, const struct place *at,
                               struct slice *ret_text)
{
    const xmlNode *only = a->children;
    if (only && !only->next && only->type == XML_TEXT_NODE) {
        *ret_text = arena_dup(k->arena, name_of(only->content));
    } else {
        xmlChar *text = xmlNodeListGetString(k->doc, a->children, 1);
        *ret_text = arena_dup(k->arena, name_of(text));
        xmlFree(text);
    }
    if (arena_exhausted(k->arena))
        return ERR_LIMIT;
    if (!ret_text->len)
        return refuse(k, ERR_INVALID, at, a->parent, "an attribute must not be empty",
                      "属性の値が空です");
    return ERR_OK;
}

static enum err refuse_attribute(struct reader *k, const xmlAttr *a, const struct place *up)
{
    struct place at = {up, NULL, name_of(a->name), PLACE_SINGLE};
    return refuse(k, ERR_UNKNOWN_ELEMENT, &at, a->parent, "the attribute is not known here",
                  "この属性はここでは使えません");
}

/* The attributes of NODE into OBJECT (id, Extension.url); `value` into RET_VALUE when it may have
 * one. */
static enum err read_attributes(struct reader *k, const xmlNode *node, struct object *o,
                                struct slice *ret_value)
{
    bool root = node->parent == (const xmlNode *)k->doc;
    for (const xmlAttr *a = node->properties; a; a = a->next) {
        struct slice name = name_of(a->name), text;
        struct place at = {o->at, NULL, name, PLACE_SINGLE};
        bool value = ret_value && slice_is(name, "value");
        if (root && in_namespace(a->ns, SCHEMA_NS))
            continue; /* xsi:schemaLocation: a hint that nobody follows */
        if (a->ns || !(value || is_attribute(o->type, (const char *)a->name)))
            return refuse_attribute(k, a, o->at);
        enum err err = attribute_text(k, a, value ? o->at : &at, &text);
        if (err)
            return err;
        if (value)
            *ret_value = text;
        else
            json_put_str(k->arena, o->json, slice_is(name, "id") ? "id" : "url", text);
    }
    return ERR_OK;
}

/* ── primitives ──────────────────────────────────────────────────────────────────────────────── */

static size_t digits(struct slice s, size_t at)
{
    while (at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9')
        at++;
    return at;
}

/* A number as JSON writes it (RFC 8259 section 6); R4's decimals are of the same form. */
static bool is_number(struct slice s)
{
    size_t at = s.len && s.ptr[0] == '-', from = at;
    at = digits(s, at);
    if (at == from || (at > from + 1 && s.ptr[from] == '0'))
        return false;
    if (at < s.len && s.ptr[at] == '.') {
        from = at + 1;
        at = digits(s, from);
        if (at == from)
            return false;
    }
    if (at < s.len && (s.ptr[at] | 32) == 'e') {
        at++;
        at += at < s.len && (s.ptr[at] == '+' || s.ptr[at] == '-');
        from = at;
        at = digits(s, from);
        if (at == from)
            return false;
    }
    return at == s.len;
}

/* What is no boolean or number stays a string: validation refuses it by its place. */
static struct json *primitive_value(struct arena *arena, const struct definition_type *type,
                                    struct slice text)
{
    switch (primitive_of(type)) {
    case TABLES_BOOLEAN:
        if (slice_is(text, "true") || slice_is(text, "false"))
            return json_new(arena, slice_is(text, "true") ? JSON_TRUE : JSON_FALSE);
        break;
    case TABLES_DECIMAL:
    case TABLES_INTEGER:
    case TABLES_POSITIVE_INT:
    case TABLES_UNSIGNED_INT:
        if (is_number(text))
            return json_number(arena, text);
        break;
    default:
        break;
    }
    return json_string(arena, text);
}

/* RET_VALUE: the value or NULL; RET_EXTRA: an object of id and extensions or NULL; never both NULL.
 */
static enum err read_primitive(struct reader *k, const xmlNode *node,
                               const struct definition_type *type, const struct place *at,
                               struct json **ret_value, struct json **ret_extra)
{
    struct object o = {.type = type, .at = at, .json = json_new(k->arena, JSON_OBJECT)};
    struct slice text = SLICE_NONE;
    unsigned depth = k->depth;
    enum err err = read_attributes(k, node, &o, &text);
    if (!err && (node->children || (o.json && o.json->count)))
        err = deeper(k, node, at);
    if (!err)
        err = read_object(k, node, &o);
    if (err)
        return err;
    k->depth = depth;
    if (arena_exhausted(k->arena))
        return ERR_LIMIT;
    if (!text.len && !o.json->count)
        return refuse(k, ERR_INVALID, at, node, "the element has neither a value nor extensions",
                      "要素に値も拡張もありません");
    *ret_value = text.len ? primitive_value(k->arena, type, text) : NULL;
    *ret_extra = o.json->count ? o.json : NULL;
    return ERR_OK;
}

/* ── narrative ───────────────────────────────────────────────────────────────────────────────── */

static size_t past(struct slice text, const char *mark, size_t at)
{
    size_t found = slice_search(text, slice_str(mark), at);
    return found == text.len ? found : found + strlen(mark);
}

/* The '>' that ends the start tag at AT. */
static size_t tag_end(struct slice text, size_t at)
{
    for (; at < text.len && text.ptr[at] != '>'; at++)
        if (text.ptr[at] == '"' || text.ptr[at] == '\'')
            at = slice_find(text, text.ptr[at], at + 1);
    return at < text.len ? at : text.len - 1;
}

/* Is the start tag TAG ("<x:div ...") of an element named div in any namespace? */
static bool is_div_tag(struct slice tag)
{
    size_t end = 1;
    while (end < tag.len && !strchr(" \t\r\n/>", tag.ptr[end]))
        end++;
    struct slice name = slice_sub(tag, 1, end - 1);
    size_t colon = slice_find(name, ':', 0);
    return slice_is(colon < name.len ? slice_sub(name, colon + 1, name.len) : name, "div");
}

/* The bytes of the next outermost div of the input. No element of R4 but a narrative is named div,
 * and the walk stops at the first fault, so it is the one that the walk has come to. */
static struct slice next_div(struct reader *k)
{
    struct slice text = k->text;
    size_t from = 0, depth = 0, at = k->text_at;
    while ((at = slice_find(text, '<', at)) < text.len) {
        struct slice rest = slice_sub(text, at, text.len);
        size_t end = at;
        bool opens = false, closes = false;
        if (slice_starts(rest, SLICE("<!--")))
            end = past(text, "-->", at + 4);
        else if (slice_starts(rest, SLICE("<![CDATA[")))
            end = past(text, "]]>", at);
        else if (slice_starts(rest, SLICE("<?")))
            end = past(text, "?>", at);
        else {
            end = tag_end(text, at);
            closes = text.ptr[at + 1] == '/' || text.ptr[end - 1] == '/';
            opens = text.ptr[at + 1] != '/';
            end++;
        }
        if (opens && (depth || is_div_tag(rest))) {
            from = depth++ ? from : at;
        } else {
            closes = closes && depth;
        }
        if (closes && depth && --depth == 0) {
            k->text_at = end;
            return slice_sub(text, from, end - from);
        }
        at = end;
    }
    return SLICE_NONE;
}

/* Is all of it in XHTML's namespace? PLAIN also: declared on the div itself, without prefixes. */
static bool is_xhtml(const xmlNode *node, bool *plain)
{
    if (node->type != XML_ELEMENT_NODE)
        return node->type != XML_ENTITY_REF_NODE;
    if (!in_namespace(node->ns, XHTML_NS))
        return false;
    *plain &= !node->ns->prefix;
    for (const xmlNs *ns = node->nsDef; ns; ns = ns->next)
        *plain &= !ns->prefix;
    for (const xmlAttr *a = node->properties; a; a = a->next)
        if (a->ns && strcmp((const char *)a->ns->prefix, "xml") != 0)
            return false;
    for (const xmlNode *i = node->children; i; i = i->next)
        if (!is_xhtml(i, plain))
            return false;
    return true;
}

static void print_text(struct buf *out, const xmlChar *text, bool attribute)
{
    for (const char *c = (const char *)text; c && *c; c++) {
        if (*c == '&')
            buf_adds(out, "&amp;");
        else if (*c == '<')
            buf_adds(out, "&lt;");
        else if (*c == '>')
            buf_adds(out, "&gt;");
        else if (*c == '"' && attribute)
            buf_adds(out, "&quot;");
        else if (*c == '\r' || (attribute && (*c == '\n' || *c == '\t')))
            buf_addf(out, "&#%d;", *c);
        else
            buf_addc(out, *c);
    }
}

static void print_attributes(const struct reader *k, struct buf *out, const xmlNode *node)
{
    for (const xmlAttr *a = node->properties; a; a = a->next) {
        xmlChar *text = xmlNodeListGetString(k->doc, a->children, 1);
        buf_addf(out, " %s%s=\"", a->ns ? "xml:" : "", (const char *)a->name);
        print_text(out, text, true);
        buf_addc(out, '"');
        xmlFree(text);
    }
}

/* XHTML without prefixes, when the input's own bytes will not do. */
static void print_xhtml(const struct reader *k, struct buf *out, const xmlNode *node, bool top)
{
    if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE)
        print_text(out, node->content, false);
    if (node->type != XML_ELEMENT_NODE)
        return;
    buf_addc(out, '<');
    buf_adds(out, (const char *)node->name);
    if (top)
        buf_adds(out, " xmlns=\"" XHTML_NS "\"");
    print_attributes(k, out, node);
    buf_adds(out, node->children ? ">" : "/>");
    for (const xmlNode *i = node->children; i; i = i->next)
        print_xhtml(k, out, i, false);
    if (node->children)
        buf_addf(out, "</%s>", (const char *)node->name);
}

static bool as_sent(struct slice raw)
{
    return slice_starts(raw, SLICE("<div")) && slice_find(raw, '\r', 0) == raw.len &&
           slice_search(raw, SLICE("<![CDATA["), 0) == raw.len &&
           slice_search(raw, SLICE("<?"), 0) == raw.len;
}

static enum err read_narrative(struct reader *k, const xmlNode *node, const struct place *at,
                               struct json **ret_value)
{
    struct slice raw = next_div(k);
    bool plain = node->nsDef != NULL;
    struct buf out;
    if (!is_xhtml(node, &plain))
        return refuse(k, ERR_INVALID, at, node, "the narrative must be XHTML",
                      "説明文は XHTML でなければなりません");
    if (plain && as_sent(raw)) {
        *ret_value = json_string(k->arena, arena_dup(k->arena, raw));
        return ERR_OK;
    }
    buf_init(&out, LIMIT_XML_BYTES);
    print_xhtml(k, &out, node, true);
    enum err err = buf_err(&out);
    if (!err)
        *ret_value = json_string(k->arena, arena_dup(k->arena, buf_slice(&out)));
    buf_fini(&out);
    return err;
}

/* ── elements ────────────────────────────────────────────────────────────────────────────────── */

static const char *beside(struct arena *arena, const struct definition_element *e)
{
    return arena_printf(arena, "_%s", e->name);
}

/* The list that was being gathered is complete. */
static void end_list(struct reader *k, struct object *o)
{
    if (!o->list)
        return;
    k->depth--;
    if (o->any_value)
        json_set(o->json, o->list->name, o->values);
    const char *name = o->any_extra ? beside(k->arena, o->list) : NULL;
    if (name)
        json_set(o->json, name, o->extras);
    o->list = NULL;
    o->any_value = o->any_extra = false;
}

static enum err begin_list(struct reader *k, const xmlNode *node, struct object *o,
                           const struct definition_element *e)
{
    enum err err = deeper(k, node, o->at);
    o->list = e;
    o->values = json_new(k->arena, JSON_ARRAY);
    o->extras = json_new(k->arena, JSON_ARRAY);
    return err;
}

/* Goes forward in the order list to E. */
static enum err check_order(struct reader *k, const xmlNode *node, struct object *o,
                            const struct definition_element *e, const struct place *at)
{
    const struct definition_type *type = o->type;
    bool again = o->order > 0 && type->order[o->order - 1] == e;
    if (again)
        return e->many ? ERR_OK
                       : refuse(k, ERR_INVALID, at, node, "the element may occur only once",
                                "この要素は1回しか使えません");
    size_t i = o->order;
    while (i < type->element_count && type->order[i] != e)
        i++;
    if (i == type->element_count)
        return refuse(k, ERR_INVALID, at, node, "the element comes too late: XML has R4's order",
                      "要素の順序が違います");
    o->order = i + 1;
    return ERR_OK;
}

static enum err add_primitive(struct reader *k, const xmlNode *node, struct object *o,
                              const struct definition_element *e, const struct place *at)
{
    struct json *value = NULL, *extra = NULL;
    enum err err = primitive_of(e->type) == TABLES_XHTML
                       ? read_narrative(k, node, at, &value)
                       : read_primitive(k, node, e->type, at, &value, &extra);
    if (err)
        return err;
    o->any_value |= value != NULL;
    o->any_extra |= extra != NULL;
    if (e->many) {
        json_push(o->values, value ? value : json_new(k->arena, JSON_NULL));
        json_push(o->extras, extra ? extra : json_new(k->arena, JSON_NULL));
        return ERR_OK;
    }
    json_set(o->json, e->name, value);
    const char *name = extra ? beside(k->arena, e) : NULL;
    if (name)
        json_set(o->json, name, extra);
    o->any_value = o->any_extra = false;
    return ERR_OK;
}

/* <contained>, Bundle.entry.resource ...: exactly one resource inside. */
static enum err read_inner(struct reader *k, const xmlNode *node, const struct place *at,
                           struct json **ret_json)
{
    const xmlNode *inner = node->children, *more;
    if (node->properties)
        return refuse_attribute(k, node->properties, at);
    enum err err = skip_to_element(k, &inner, at);
    if (!err && !inner)
        err = refuse(k, ERR_INVALID, at, node, "a resource is expected", "リソースが必要です");
    if (err)
        return err;
    more = inner->next;
    err = skip_to_element(k, &more, at);
    if (!err && more)
        err = refuse(k, ERR_INVALID, at, more, "exactly one resource is expected",
                     "リソースは1つだけ置けます");
    return err ? err : read_resource(k, inner, at, ret_json);
}

static enum err read_complex(struct reader *k, const xmlNode *node,
                             const struct definition_type *type, const struct place *at,
                             struct json **ret_json)
{
    struct object o = {.type = type, .at = at, .json = json_new(k->arena, JSON_OBJECT)};
    enum err err = deeper(k, node, at);
    if (!err)
        err = read_attributes(k, node, &o, NULL);
    if (!err)
        err = read_object(k, node, &o);
    k->depth -= !err;
    *ret_json = o.json;
    return err;
}

static enum err add_complex(struct reader *k, const xmlNode *node, struct object *o,
                            const struct definition_element *e, const struct place *at)
{
    struct json *value = NULL;
    enum err err =
        e->type ? read_complex(k, node, e->type, at, &value) : read_inner(k, node, at, &value);
    if (err)
        return err;
    if (e->many) {
        o->any_value = true;
        json_push(o->values, value);
    } else {
        json_set(o->json, e->name, value);
    }
    return ERR_OK;
}

static enum err read_element(struct reader *k, const xmlNode *node, struct object *o)
{
    struct slice name = name_of(node->name);
    const struct definition_element *e = definition_element(o->type, name);
    struct place at = {o->at, e, name, PLACE_SINGLE};
    bool xhtml = e && e->type && e->type == &tables_types[TABLES_PRIMITIVE + TABLES_XHTML];
    if (!in_namespace(node->ns, xhtml ? XHTML_NS : FHIR_NS))
        return refuse(k, ERR_UNKNOWN_ELEMENT, &at, node, "it is in another namespace",
                      "名前空間が違います");
    if (!e || is_attribute(o->type, e->name))
        return refuse(k, ERR_UNKNOWN_ELEMENT, &at, node,
                      e ? "it must be an attribute" : "R4 has no such element here",
                      e ? "属性として書きます" : "R4 にない要素です");
    if (o->list != e)
        end_list(k, o);
    if (o->list == e)
        at.index = o->values ? o->values->count : 0;
    else if (e->many)
        at.index = 0;
    enum err err = check_order(k, node, o, e, &at);
    if (!err && e->many && !o->list)
        err = begin_list(k, node, o, e);
    if (err)
        return err;
    return e->type && e->type->kind == DEFINITION_PRIMITIVE ? add_primitive(k, node, o, e, &at)
                                                            : add_complex(k, node, o, e, &at);
}

/* The child elements of NODE as members of o->json. */
static enum err read_object(struct reader *k, const xmlNode *node, struct object *o)
{
    const xmlNode *child = node->children;
    enum err err = skip_to_element(k, &child, o->at);
    while (!err && child) {
        err = read_element(k, child, o);
        child = child->next;
        if (!err && arena_exhausted(k->arena))
            err = ERR_LIMIT;
        if (!err)
            err = skip_to_element(k, &child, o->at);
    }
    if (!err)
        end_list(k, o);
    return err;
}

static enum err read_resource(struct reader *k, const xmlNode *node, const struct place *at,
                              struct json **ret_json)
{
    struct slice name = name_of(node->name);
    const struct definition_type *type = definition_type(name);
    struct place root = {NULL, NULL, name, PLACE_SINGLE};
    const struct place *here = at ? at : &root;
    struct object o = {.at = here, .json = json_new(k->arena, JSON_OBJECT)};
    if (!in_namespace(node->ns, FHIR_NS))
        return refuse(k, ERR_UNKNOWN_ELEMENT, here, node, "the namespace must be " FHIR_NS,
                      "名前空間は " FHIR_NS " でなければなりません");
    if (!type || !is_resource(type))
        return refuse(k, ERR_UNKNOWN_ELEMENT, here, node, "this is not a resource type of R4",
                      "R4 のリソース型ではありません");
    o.type = type;
    json_put_text(k->arena, o.json, "resourceType", type->name);
    enum err err = deeper(k, node, here);
    if (!err)
        err = read_attributes(k, node, &o, NULL);
    if (!err)
        err = read_object(k, node, &o);
    k->depth -= !err;
    *ret_json = o.json;
    return err;
}

/* ── the document ────────────────────────────────────────────────────────────────────────────── */

static enum err parse(struct reader *k)
{
    struct xml_fault fault = {0};
    enum err err = ERR_CHARSET;
    if (!xml_is_utf8(k->text))
        return err_add_words(k->errors, err, "", "FHIR is UTF-8", "FHIR の文字コードは UTF-8 です");
    err = xml_parse(k->text, &k->doc, &fault);
    if (!err)
        return ERR_OK;
    const char *place =
        fault.line ? arena_printf(k->arena, "line %u column %u", fault.line, fault.column) : "";
    return err_add_words(k->errors, err, place ? place : "", fault.en, fault.ja);
}

enum err xml_read_resource(struct arena *arena, struct slice input, struct json **ret_root,
                           struct err_list *errors)
{
    struct reader k = {.arena = arena, .errors = errors, .text = input};
    struct json *root = NULL;
    enum err err = parse(&k);
    if (err)
        return err;
    err = read_resource(&k, xmlDocGetRootElement(k.doc), NULL, &root);
    xml_free(k.doc);
    if (!err && arena_exhausted(arena))
        err = ERR_LIMIT;
    if (!err)
        *ret_root = root;
    return err;
}
