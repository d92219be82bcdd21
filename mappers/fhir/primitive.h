/* SPDX-License-Identifier: Apache-2.0
 *
 * The formats of R4's primitive types (datatypes.html), checked exactly and in one pass over the
 * bytes. Private to mappers/fhir.
 */
#ifndef MAPPERS_FHIR_PRIMITIVE_H
#define MAPPERS_FHIR_PRIMITIVE_H

#include "base/json.h"
#include "mappers/fhir/gen/tables.h"

/* Does VALUE have the JSON kind and the format of TYPE? xhtml: only that it is a string. */
bool primitive_ok(enum tables_primitive type, const struct json *value);
/* What TYPE looks like, for a person who must mend the input. */
const char *primitive_en(enum tables_primitive type);
const char *primitive_ja(enum tables_primitive type);

/* [A-Za-z0-9.-]{1,64} */
bool primitive_is_id(struct slice text);
/* Bytes without white space and control characters, at least one. */
bool primitive_is_uri(struct slice text);
/* urn:uuid: and 36 characters in lower case; urn:oid: and numbers with points between. */
bool primitive_is_uuid(struct slice text);
bool primitive_is_oid(struct slice text);

#endif
