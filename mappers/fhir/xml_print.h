/* SPDX-License-Identifier: Apache-2.0
 *
 * The XML form of a resource (R4 xml.html), from the tree of its JSON form: elements in R4's order,
 * primitives' values as written, narrative as XHTML. Valid against HL7's schema when the resource is
 * valid R4. The tables of definition.h lead; no type has code of its own. Characters that XML cannot carry
 * at all (control characters, U+FFFE, U+FFFF) become U+FFFD; entities of HTML become characters.
 */
#ifndef MAPPERS_FHIR_XML_PRINT_H
#define MAPPERS_FHIR_XML_PRINT_H

#include "base/buf.h"
#include "base/json.h"

/* Prints RESOURCE with its XML declaration; PRETTY: a line for each element, indented. ERR_INTERNAL when it is
 * not of R4's shape (an unknown type or member, a list where there is none), else OUT's failure. */
enum err xml_print_resource(struct buf *out, const struct json *resource, bool pretty) ERR_CHECKED;

#endif
