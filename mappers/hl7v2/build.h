/* SPDX-License-Identifier: Apache-2.0
 *
 * Builders for plain elements: text, dates, numbers, quantities, identifiers. Each makes one
 * element of one repetition, at its row's path; a value it cannot represent exactly is warned about
 * and left to the original.
 */
#ifndef MAPPERS_HL7V2_BUILD_H
#define MAPPERS_HL7V2_BUILD_H

#include "mappers/hl7v2/mapping.h"

/* Carries nothing of its own (set ids, delimiters, what selects the mapper). */
bool build_structure(struct spot *at);
/* Declares a field that code beside the table maps, together with others; makes nothing itself. */
bool build_elsewhere(struct spot *at);
/* Text; at a path that already has text, on a new line. */
bool build_string(struct spot *at);
/* {"text": ...} (Annotation, or CodeableConcept of text only). */
bool build_text_object(struct spot *at);
/* {"display": ...}: a Reference by name. */
bool build_display(struct spot *at);
/* date, dateTime, instant (the last two from TS or the first component of DR); impossible dates are
 * warned about. */
bool build_date(struct spot *at);
bool build_datetime(struct spot *at);
bool build_instant(struct spot *at);
/* A decimal, literal kept. A CQ's unit component is left to another row. */
bool build_decimal(struct spot *at);
/* Unsigned integer; with any arg from 1 on. */
bool build_integer(struct spot *at);
/* Sets unit, system, code in the Quantity at path from a CWE. */
bool build_unit(struct spot *at);
/* CQ: quantity^unit (unit as sub-components) as a Quantity at path. */
bool build_quantity(struct spot *at);
/* Identifier with the institution's own system of name arg ("order"); the value is component 1
 * (EI-1) or the row's. */
bool build_identifier(struct spot *at);
/* A decimal FHIR can hold, digits kept: "+5" 5, ".5" 0.5, "007" 7, "1.20" 1.20. False for anything
 * else. */
bool build_decimal_of(struct mapping *mp, struct slice text, struct slice *ret_literal);
/* Unit, system and code of a CWE or a plain text into a Quantity. */
struct cwe;
void build_unit_of(struct mapping *mp, struct json *quantity, const struct cwe *unit);
/* HL7 time to FHIR dateTime or date text; empty when impossible. */
struct slice build_datetime_of(struct mapping *mp, struct slice ts);
/* The same, but empty also for a date without a time of day. */
struct slice build_instant_of(struct mapping *mp, struct slice ts);
struct slice build_date_of(struct mapping *mp, struct slice ts);
/* `period` of OBJECT: since and until when, components FROM and FROM + 1 of a repetition, else the
 * two halves of the older component RANGE (0: none). */
void build_period_of(struct mapping *mp, struct slice raw, unsigned range, unsigned from,
                     struct json *object);

#endif
