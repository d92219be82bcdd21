/* SPDX-License-Identifier: Apache-2.0
 *
 * One record as the line a person reads, for narratives and for the emergency page alike, so that
 * both say the same. A row is a JSON object: label (and label_en where we know the name in both
 * languages), value, unit, range, previous, detail (as recorded), note_ja/note_en (coded words),
 * date and until (JST, precision kept), source, mark.
 */
#ifndef MAPPERS_IPS_ROW_H
#define MAPPERS_IPS_ROW_H

#include "mappers/ips/facts.h"

/* The row of RESOURCE; PREVIOUS is the value before it of the same thing, or NULL. NULL only when
 * the arena is full. */
struct json *row_make(struct arena *arena, enum facts_section section, const struct json *resource,
                      const struct json *previous);

/* A FHIR date or dateTime for people: 2026, 2026-11, 2026-11-22, and with TIME 2026-11-22 09:30
 * (JST). */
struct slice row_date(struct arena *arena, struct slice text, bool time);

#endif
