/* SPDX-License-Identifier: Apache-2.0
 *
 * What answers in pages share (R4 http.html#paging): the self and next links, the signed word that says where the next page
 * begins, and the audit rows of what a page releases. A cursor is bound to who asks, why, and the whole query, so that it
 * opens nothing to anybody else and cannot be turned to another query; what is visible is decided anew on each page.
 */
#ifndef EXCHANGE_DOOR_FHIR_PAGE_H
#define EXCHANGE_DOOR_FHIR_PAGE_H

#include "exchange/door/fhir.h"

/* A place in a result; what the numbers mean is the interaction's affair. */
struct fhir_cursor {
    int64_t number;
    int64_t snapshot;
    struct slice key; /* at most LIMIT_SORT_KEY bytes */
};

/* PLACE as a word of the next link; NULL when memory is out. */
const char *fhir_cursor_print(struct request *r, const struct fhir_cursor *place);
/* The place that CURSOR says; ERR_BAD_PARAM when it was not made for this caller, purpose and query. */
enum err fhir_cursor_parse(struct request *r, struct slice cursor,
                           struct fhir_cursor *ret_place) ERR_CHECKED;

/* Appends TEXT as a part of a query, percent-encoded. */
void fhir_page_escape(struct buf *out, struct slice text);
/* Appends ,"link":[…] to the answer: self is the request as it was understood, without the parameters IGNORED (NULL: none)
 * by position, with the cursor it came with; and if NEXT is not NULL the page that begins there. *ret_too_long: no request
 * line could ask for that one, so it is left out. */
enum err fhir_page_links(struct request *r, const bool *ignored, const struct fhir_cursor *next,
                         bool *ret_too_long) ERR_CHECKED;
/* One audit row for each person in RECORDS, with how many of his resources are released. */
enum err fhir_page_audit(struct request *r, const struct record *records, size_t count) ERR_CHECKED;

#endif
