/* SPDX-License-Identifier: Apache-2.0
 *
 * The forms a literal reference may have (R4 references.html#literal): relative, absolute,
 * urn:uuid, urn:oid, fragment. Form only: whether the target exists is not asked here. Private to
 * mappers/fhir.
 */
#ifndef MAPPERS_FHIR_REFERENCE_H
#define MAPPERS_FHIR_REFERENCE_H

#include "base/json.h"
#include "base/slice.h"

enum reference_form {
    REFERENCE_BAD,
    REFERENCE_FRAGMENT, /* #id, or # for the container */
    REFERENCE_RELATIVE, /* Type/id, with or without a version; Type?query; the mappers' Patient/@ */
    REFERENCE_ABSOLUTE, /* any other absolute URI */
    REFERENCE_UUID,     /* urn:uuid: and a UUID */
    REFERENCE_OID,      /* urn:oid: and an OID */
    REFERENCE_BAD_URN   /* urn:uuid: or urn:oid: and something else */
};

/* The form of TEXT. *RET_TYPE is the resource type the text itself names, or empty: of a relative
 * one, and of an absolute one that ends in Type/id as a server's address does. */
enum reference_form reference_form(struct slice text, struct slice *ret_type);
/* The resource types that ELEMENT of TYPE may point to, separated by spaces; NULL: any. */
const char *reference_targets(const char *type, const char *element);
/* Is the type NAME among TARGETS? */
bool reference_may_target(const char *targets, struct slice name);
/* Does TEXT begin with a URI scheme and ':' and go on? */
bool reference_has_scheme(struct slice text);

#endif
