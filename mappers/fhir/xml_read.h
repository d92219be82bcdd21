/* SPDX-License-Identifier: Apache-2.0
 *
 * FHIR XML (R4 xml.html) read into the tree that the JSON form of the same resource would give, digit for
 * digit: lists become arrays, primitives' ids and extensions "_name" members, narrative its text. The
 * tables of definition.h lead; no type has code of its own. Only what cannot be said in JSON is refused
 * here (unknown or misplaced elements, attributes and text, the order of elements, another namespace, empty values);
 * whether the resource is good R4 is for validate.h to say of either form.
 */
#ifndef MAPPERS_FHIR_XML_READ_H
#define MAPPERS_FHIR_XML_READ_H

#include "base/err.h"
#include "base/json.h"

/* Reads INPUT (UTF-8) into ARENA; nothing of the tree points into INPUT. What is wrong goes to ERRORS, one
 * item, with a FHIRPath place or "line n column n", and its code is returned: ERR_MALFORMED (not
 * well-formed, or a DOCTYPE), ERR_CHARSET, ERR_UNKNOWN_ELEMENT, ERR_INVALID, ERR_TOO_DEEP, ERR_TOO_LARGE;
 * ERR_LIMIT when memory ran out. */
enum err xml_read_resource(struct arena *arena, struct slice input, struct json **ret_root,
                           struct err_list *errors) ERR_CHECKED;

#endif
