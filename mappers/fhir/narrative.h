/* SPDX-License-Identifier: Apache-2.0
 *
 * Narrative.div against an allow-list of tags and attributes (R4 narrative.html#xhtml):
 * well-formed, no script, no event handlers, no links with active schemes, nothing loaded from
 * elsewhere by style. What passes may be shown inside our own pages. Private to mappers/fhir.
 */
#ifndef MAPPERS_FHIR_NARRATIVE_H
#define MAPPERS_FHIR_NARRATIVE_H

#include "base/slice.h"

/* True when DIV may stand; else says why in both languages (static texts). An empty one may stand,
 * as R4's own examples have some, but gets texts for a warning. No texts: NULL. */
bool narrative_ok(struct slice div, const char **ret_en, const char **ret_ja);

#endif
