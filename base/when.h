/* SPDX-License-Identifier: Apache-2.0
 *
 * Points and spans of time as HL7 and FHIR write them, and the injected clock. A partial date is the
 * half-open span [lo, hi) it covers. Milliseconds since 1970-01-01T00:00Z in int64_t everywhere.
 * Times without a zone are Japan Standard Time (+09:00; no daylight saving).
 */
#ifndef BASE_WHEN_H
#define BASE_WHEN_H

#include "base/buf.h"
#include "base/slice.h"

struct when {
    int64_t lo_ms; /* inclusive */
    int64_t hi_ms; /* exclusive */
};

#define WHEN_MIN INT64_MIN
#define WHEN_MAX INT64_MAX
#define WHEN_JST_MINUTES 540

/* FHIR date, dateTime or instant (R4 datatypes.html#dateTime): YYYY, YYYY-MM, YYYY-MM-DD,
 * YYYY-MM-DDThh:mm[:ss[.f+]](Z|+hh:mm). False when malformed or not in the calendar. With a time the
 * zone is required, unless LENIENT (search parameters), where JST is assumed and hh:mm is allowed. */
bool when_parse_fhir(struct slice text, bool lenient, struct when *ret_when);
/* HL7 v2 TS/DTM: YYYY[MM[DD[HH[MM[SS[.f+]]]]]][+/-ZZZZ]. */
bool when_parse_hl7(struct slice text, struct when *ret_when);
/* Writes an HL7 TS as FHIR dateTime of the same precision (seconds added where FHIR demands them,
 * JST where no zone was given). False (nothing written) when malformed. */
bool when_hl7_to_fhir(struct slice text, struct buf *out);
/* Writes the same but only its date part: YYYY, YYYY-MM or YYYY-MM-DD. */
bool when_hl7_to_date(struct slice text, struct buf *out);
/* FHIR instant with milliseconds in JST: 2026-11-22T17:00:00.000+09:00 */
void when_print_instant(struct buf *out, int64_t ms);
/* YYYY-MM-DD in JST. */
void when_print_date(struct buf *out, int64_t ms);
/* HL7 TS YYYYMMDDHHMMSS.mmm+0900 and its 17-digit form without point and zone. */
void when_print_hl7(struct buf *out, int64_t ms);
void when_print_stamp(struct buf *out, int64_t ms);
/* HTTP date (RFC 9110 section 5.6.7), always GMT. */
void when_print_http(struct buf *out, int64_t ms);
/* Reads one in the form that when_print_http writes; of the older forms none. The name of the day is
 * not looked at. */
bool when_parse_http(struct slice text, int64_t *ret_ms);
/* JST calendar day of MS as YYYYMMDD number, e.g. 20261122. */
int when_day_number(int64_t ms);
/* Midnight JST of the day YYYY,MM,DD in ms. */
int64_t when_from_date(int year, int month, int day);

/* The clock everything that stores or decides asks; tests inject their own. */
struct clock {
    int64_t (*now_ms)(const struct clock *c); /* wall clock */
};
extern const struct clock clock_system;
/* Monotonic milliseconds, for timers and measurements only. */
int64_t clock_monotonic_ms(void);

#endif
