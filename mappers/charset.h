/* SPDX-License-Identifier: Apache-2.0
 *
 * Character sets that Japanese hospitals send, to UTF-8 and back. ISO-2022-JP is our own decoder:
 * it must run before any HL7 delimiter is looked for, because double-byte characters contain the
 * delimiters' bytes, and glibc's passes some escapes through as raw bytes and maps JIS-Roman \ ~ to
 * other characters. The JIS X 0208 tables (with NEC row 13 and IBM extensions) are filled once from
 * glibc's CP932/EUC-JP.
 */
#ifndef MAPPERS_CHARSET_H
#define MAPPERS_CHARSET_H

#include "base/buf.h"
#include "base/err.h"

enum charset {
    CHARSET_ASCII,
    CHARSET_ISO2022JP, /* ASCII + ISO IR-87 (and IR-14 Roman, IR-13 kana, JIS C 6226 on input) */
    CHARSET_UTF8,
    CHARSET_SJIS,      /* CP932 */
    CHARSET_EUCJP,
    CHARSET_LATIN1
};

/* Fills the tables; call once before threads start (again is harmless). ERR_UNAVAILABLE when the C
 * library lacks CP932. */
enum err charset_init(void) ERR_CHECKED;

/* The set that MSH-18 names, in all spellings seen ("~ISO IR87", "~ISOIR87", "ASCII~ISO IR87",
 * "UNICODE UTF-8", "8859/1", "SHIFT_JIS", "EUC-JP", "ISO-2022-JP" ...). Empty: ASCII. ERR_CHARSET
 * unknown. */
enum err charset_from_hl7(struct slice msh18, enum charset *ret_charset) ERR_CHECKED;

/* Appends BYTES as UTF-8. ISO-2022-JP state resets to ASCII at each CR and LF (a shift left open
 * is tolerated and reported). ERR_CHARSET on a byte the set does not have; ret_offset (may be
 * NULL) says where, and OUT is as before. On success ret_offset says where the first shift was
 * left open, or is bytes.len. */
enum err charset_decode(enum charset set, struct slice bytes, struct buf *out,
                        size_t *ret_offset) ERR_CHECKED;

/* Appends UTF-8 TEXT in SET. Characters the set lacks become U+25A0 (■; in ASCII and Latin-1 a
 * question mark) and are counted. For ISO-2022-JP half-width kana become full-width and
 * U+FF5E/FF0D/2225/FFE0..2 their JIS twins first. */
enum err charset_encode(enum charset set, struct slice text, struct buf *out,
                        size_t *ret_replaced) ERR_CHECKED;

#endif
