/* SPDX-License-Identifier: Apache-2.0
 *
 * Folding of text for comparison: full and half width made equal (NFKC's effect for kana, digits, Latin), case, hiragana
 * to katakana, accents dropped, white space collapsed, small list of name-kanji variants (髙→高 ...). Not for display.
 */
#ifndef MAPPERS_FHIR_FOLD_H
#define MAPPERS_FHIR_FOLD_H

#include "base/arena.h"

/* Folded copy in ARENA ({NULL,0} when the arena is full). */
struct slice fold_text(struct arena *arena, struct slice text);
/* The same with all white space removed: for names in matching. */
struct slice fold_name(struct arena *arena, struct slice text);

#endif
