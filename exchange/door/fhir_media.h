/* SPDX-License-Identifier: Apache-2.0
 *
 * Which form of FHIR a request brings and wants (R4 http.html#mime-type, #ops; RFC 9110 section 12.5.1;
 * RFC 7240): Content-Type, Accept with its weights, _format, Prefer. Pure functions over the fields' text. The version of
 * FHIR may be named (fhirVersion=4.0) and must then be ours. Knows no routes: whether a page or the raw
 * bytes of a Binary can be had is the caller's question.
 */
#ifndef EXCHANGE_DOOR_FHIR_MEDIA_H
#define EXCHANGE_DOOR_FHIR_MEDIA_H

#include "base/err.h"
#include "base/slice.h"

enum fhir_media {
    FHIR_MEDIA_OTHER, /* none of these, or not named at all */
    FHIR_MEDIA_JSON,
    FHIR_MEDIA_XML,
    FHIR_MEDIA_HTML,
    FHIR_MEDIA_COUNT
};

struct fhir_wish {
    enum fhir_media form; /* FHIR_MEDIA_JSON or FHIR_MEDIA_XML */
    bool html;            /* a page before either, where there is one */
    bool raw;             /* something else before either: of a Binary its content */
    bool named;           /* by _format */
};

/* What a Content-Type says; FHIR_MEDIA_OTHER also for an absent one. ERR_MEDIA_TYPE when it is of another version of FHIR
 * or another character set than UTF-8. */
enum err fhir_media_content(struct slice field, enum fhir_media *ret_media) ERR_CHECKED;

#define FHIR_MEDIA_JSON_PATCH_NAME "application/json-patch+json"
/* Is FIELD the type of a JSON Patch (RFC 6902)? */
bool fhir_media_is_json_patch(struct slice field);

/* What an Accept field wants; an empty one wants JSON. ERR_NOT_ACCEPTABLE when no form of FHIR and no page would do;
 * the wish is filled then too, for a Binary's content. */
enum err fhir_media_accept(struct slice field, struct fhir_wish *ret_wish) ERR_CHECKED;

/* What the value of _format wants: json, xml, html or a media type. ERR_NOT_ACCEPTABLE, wish untouched. */
enum err fhir_media_format(struct slice value, struct fhir_wish *ret_wish) ERR_CHECKED;

/* Does a Prefer field ask NAME=VALUE? */
bool fhir_media_prefers(struct slice field, const char *name, const char *value);

#endif
