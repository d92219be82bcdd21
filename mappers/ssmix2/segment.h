/* SPDX-License-Identifier: Apache-2.0
 *
 * Segments of outgoing messages, field by field, and FHIR elements as the text of a field: the
 * other direction of mappers/hl7v2/cwe.h and its neighbours. Texts are UTF-8; the usual delimiters
 * are escaped. An element that is absent is an empty field, never an invented one.
 */
#ifndef MAPPERS_SSMIX2_SEGMENT_H
#define MAPPERS_SSMIX2_SEGMENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "mappers/hl7v2/terms.h"

struct segment {
    struct arena *arena;
    struct buf *out;
    unsigned field; /* the last one begun */
};

/* Begins NAME; fields follow in rising order; segment_end writes the CR. */
void segment_begin(struct segment *s, const char *name);
void segment_end(struct segment *s);
/* Puts VALUE, which is text of a field already, into field N. Empty: nothing. */
void segment_put(struct segment *s, unsigned n, struct slice value);
/* The same where the standard wants something: the HL7 null when VALUE is empty. */
void segment_must(struct segment *s, unsigned n, struct slice value);
/* Puts one more repetition into field N. */
void segment_again(struct segment *s, unsigned n, struct slice value);
void segment_number(struct segment *s, unsigned n, unsigned value);

/* Texts of fields, in ARENA. */
struct slice segment_escape(struct arena *a, struct slice text);
/* A dateTime, date or instant as TS in Japanese time, of the same precision. */
struct slice segment_time(struct arena *a, struct slice fhir);
/* The eight digits of its day, or empty. */
struct slice segment_day(struct arena *a, struct slice fhir);
/* A CodeableConcept as CWE: two codings, and its text where it says something else. */
struct slice segment_concept(struct arena *a, const struct json *concept);
struct slice segment_coding(struct arena *a, const struct json *coding);
/* The name a code system has in CWE-3. */
struct slice segment_system(struct arena *a, struct slice url);
/* A Reference to a person as XCN. */
struct slice segment_person(struct arena *a, const struct json *reference);
/* A HumanName as XPN, an Address as XAD, a ContactPoint as XTN. */
struct slice segment_name(struct arena *a, const struct json *name);
/* The kana reading that a single name carries, as XPN of its own; empty: none. */
struct slice segment_reading(struct arena *a, const struct json *name);
struct slice segment_address(struct arena *a, const struct json *address);
struct slice segment_telecom(struct arena *a, const struct json *point);
/* The unit of a Quantity as CWE. */
struct slice segment_unit(struct arena *a, const struct json *quantity);
/* The code that the table turns into TO; empty when none does. */
struct slice segment_back(const struct term *table, struct slice to);
/* The value of the identifier in LIST whose system ends with ":" NAME, or is NAME. */
struct slice segment_identifier(const struct json *list, const char *name);
/* The extension called URL, or NULL. */
const struct json *segment_extension(const struct json *element, const char *url);
/* Formatted, in ARENA; empty when it is full. */
#define segment_format(a, ...) slice_str(arena_printf((a), __VA_ARGS__))

#endif
