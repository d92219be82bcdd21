/* SPDX-License-Identifier: Apache-2.0
 *
 * The fixed words of all pages, each in Japanese and English, in one table keyed by id, so that no
 * page can be without one of them (tests/unit/mappers/html_page_test.c looks for every id the
 * sheets use).
 */
#ifndef MAPPERS_HTML_LABEL_H
#define MAPPERS_HTML_LABEL_H

struct label {
    const char *id; /* an XML name */
    const char *ja;
    const char *en;
};

/* Ends with a NULL id. */
extern const struct label label_table[];

#endif
