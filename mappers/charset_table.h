/* SPDX-License-Identifier: Apache-2.0
 *
 * The character tables behind charset.c: JIS X 0208 with NEC row 13 and the NEC-selected IBM rows
 * 89-92, JIS X 0212, and Windows code page 932, in both directions. Filled once from the C
 * library's EUC-JP and CP932, so that no table of ours can disagree with the platform's. Code
 * points are all in the basic plane. Nobody but charset.c looks in here.
 */
#ifndef MAPPERS_CHARSET_TABLE_H
#define MAPPERS_CHARSET_TABLE_H

#include "base/err.h"

#include <stdint.h>

#define CHARSET_ROWS 94
#define CHARSET_SJIS_LEADS 60   /* 0x81-0x9F, 0xE0-0xFC */
#define CHARSET_SJIS_TRAILS 189 /* 0x40-0xFC, 0x7F stays empty */

struct charset_table {
    uint16_t jis[CHARSET_ROWS * CHARSET_ROWS]; /* row * 94 + cell, both from 0; 0 = unassigned */
    uint16_t jis0212[CHARSET_ROWS * CHARSET_ROWS];
    uint16_t sjis[CHARSET_SJIS_LEADS * CHARSET_SJIS_TRAILS];
    uint16_t to_jis[65536];  /* JIS X 0208 proper only: two bytes 0x2121..0x7E7E; 0 = none */
    uint16_t to_sjis[65536]; /* two bytes; 0 = none */
};

/* Fills the tables; later calls do nothing. ERR_UNAVAILABLE when the C library lacks a set. */
enum err charset_table_fill(void) ERR_CHECKED;
/* The filled tables, or NULL before charset_table_fill. */
const struct charset_table *charset_table(void);

#endif
