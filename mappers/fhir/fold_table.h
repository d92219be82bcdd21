/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables behind fold.c. Private to mappers/fhir (and the test that they are sorted).
 */
#ifndef MAPPERS_FHIR_FOLD_TABLE_H
#define MAPPERS_FHIR_FOLD_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct fold_pair {
    uint32_t from;
    uint32_t to;
};

extern const struct fold_pair fold_kanji[];
extern const size_t fold_kanji_count;
extern const char *const fold_latin[];
extern const uint16_t fold_half_kana[];
extern const char fold_latin_more[];
extern const struct fold_pair fold_accents[];
extern const size_t fold_accents_count;

#endif
