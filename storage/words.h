/* SPDX-License-Identifier: Apache-2.0
 *
 * Internal to storage/: words for _text and _content (R4 search.html#content). The full-text index ix_words (FTS5)
 * is cut into words by a tokenizer of its own, "tasuki", that must be there on every connection that touches it. Text
 * comes folded already (width, case, kana: mappers/fhir/fold.h). Words of letters and digits stand as they are; of
 * Japanese, which puts no spaces between words, every two neighbouring characters are a word, and so is the last
 * character of a run, so that a single one can be sought.
 */
#ifndef STORAGE_WORDS_H
#define STORAGE_WORDS_H

#include "base/buf.h"

struct sqlite3;

/* Makes the tokenizer known to the connection DB. */
enum err words_register(struct sqlite3 *db) ERR_CHECKED;

/* Appends to OUT (NUL-terminated, not counted) what to bind to MATCH so that TEXT, folded, is found: every part
 * between white space must stand in it as a whole. NARRATIVE: in the narrative only. False (nothing appended) when
 * there is nothing in TEXT to look for: such a search finds nothing. Failures of OUT are sticky in it. */
bool words_expression(struct slice text, bool narrative, struct buf *out);

#endif
