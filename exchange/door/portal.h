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

/* http_options.handle with the struct exchange as context. */
void door_portal_handle(struct http_call *call, void *context);
/* The same for the system listener: /fhir only. */
void door_system_handle(struct http_call *call, void *context);

#endif
