/* SPDX-License-Identifier: Apache-2.0
 *
 * The patient as the top of a page shows him: name, birth date (age), sex, number, in that order
 * (NHS CUI patient banner), kana beside kanji, Western year with the Japanese era in brackets.
 * Computed here because style sheets know no dates.
 */
#ifndef MAPPERS_IPS_BANNER_H
#define MAPPERS_IPS_BANNER_H

#include "base/json.h"

/* name, kana, roman, birth_ja/_en, age_ja/_en, sex_ja/_en, deceased, ids [{label_ja, label_en,
 * value}], phone, contacts
 * [{name, phone}]; absent where the record does not say. NULL only when the arena is full. */
struct json *banner_make(struct arena *arena, const struct json *patient, int64_t now_ms);

#endif
