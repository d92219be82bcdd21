/* SPDX-License-Identifier: Apache-2.0
 *
 * The one way in for XML from outside (XML 1.0, CDA documents soon). Nothing is ever fetched, no
 * DTD is accepted, no entity beyond the five of XML itself exists; sizes, counts and depth are
 * checked by a linear look over the text before libxml2 sees it, because libxml2 is quadratic in
 * attributes and namespaces. Character sets are converted by our own tables, so that a declaration
 * cannot change what the check saw.
 */
#ifndef MAPPERS_XML_H
#define MAPPERS_XML_H

#include "base/err.h"
#include "base/slice.h"

struct _xmlDoc; /* libxml2's; its headers are for mappers/ only */

/* Where and why a document was refused. Lines and columns count from 1, columns in bytes of UTF-8;
 * 0 where the place is not known. */
struct xml_fault {
    unsigned line;
    unsigned column;
    const char *en; /* static text */
    const char *ja;
};

/* Prepares libxml2 for the whole process: no external entities, no text on stderr. Any thread, any
 * number of times; xml_parse and page_init call it themselves. */
void xml_init(void);

/* Parses all of INPUT (UTF-8, UTF-16 with a mark, Shift_JIS, EUC-JP, ISO-2022-JP, ISO-8859-1 by
 * declaration). ERR_MALFORMED (not well-formed, or a DOCTYPE), ERR_CHARSET, ERR_TOO_LARGE,
 * ERR_TOO_DEEP or ERR_LIMIT; RET_FAULT (may be NULL) then says why. The tree owns its text. */
enum err xml_parse(struct slice input, struct _xmlDoc **ret_doc,
                   struct xml_fault *ret_fault) ERR_CHECKED;
/* Does INPUT say, by mark or declaration, that it is UTF-8, or nothing (which means the same)? */
bool xml_is_utf8(struct slice input);
/* NULL is fine. */
void xml_free(struct _xmlDoc *doc);
/* Is the root element NAME in namespace NS? */
bool xml_root_is(const struct _xmlDoc *doc, const char *ns, const char *name);

#endif
