/* SPDX-License-Identifier: Apache-2.0
 *
 * The portal's door: /fhir as on the system listener (for residents by card certificate), and a few
 * server-rendered pages. A page is the same use case as the FHIR interaction behind it, printed
 * through a style sheet.
 */
#ifndef EXCHANGE_DOOR_PORTAL_H
#define EXCHANGE_DOOR_PORTAL_H

#include "exchange/exchange.h"
#include "exchange/net/http.h"

/* Header fields of every page: nothing but our own style and pictures, no referrer. */
#define PORTAL_PAGE_FIELDS 2
extern const struct http_field portal_page_fields[PORTAL_PAGE_FIELDS];

/* Language of pages for a request: ?lang=, else Accept-Language, else Japanese. */
const char *portal_lang(const struct http1_request *head);
/* Answers a page of the resident whose card was read: "/", "/summary", "/history" (portal_page.c).
 * False: none of these. */
bool portal_page_start(struct http_call *call, struct exchange *x);
/* The first page for somebody without a card, or whose card opens no page. */
void portal_landing(struct http_call *call, const struct exchange *x, const char *lang);

/* http_options.handle with the struct exchange as context. */
void door_portal_handle(struct http_call *call, void *context);
/* The same for the system listener: /fhir only. */
void door_system_handle(struct http_call *call, void *context);

#endif
