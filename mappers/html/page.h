/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages by XSLT: a handler's JSON becomes a small XML tree (element per member, <item> per array
 * entry) and one of our own embedded style sheets makes HTML of it. Escaping is by construction.
 * libxslt with all five security preferences forbidden; style sheets compiled once.
 *
 * What a sheet sees: /page/l/ID are the fixed words (mappers/html/label.h) in the asked language,
 * /page/view is the JSON; $lang and $fragment are its parameters. A member whose name is no XML
 * name is <m name="...">.
 */
#ifndef MAPPERS_HTML_PAGE_H
#define MAPPERS_HTML_PAGE_H

#include "base/buf.h"
#include "base/json.h"

/* Compiles the embedded style sheets; once, before threads start. Again is harmless. */
enum err page_init(void) ERR_CHECKED;
void page_fini(void);

/* Renders VIEW through SHEET (e.g. "mappers/html/summary.xsl") with LANG "ja" or "en" and appends
 * the page. `fragment` omits the doctype (narrative div). Thread-safe. */
enum err page_render(const char *sheet, const struct json *view, const char *lang, bool fragment,
                     struct buf *out) ERR_CHECKED;

#endif
