/* SPDX-License-Identifier: Apache-2.0
 *
 * Fills the character tables cell by cell through iconv: about 30,000 two-byte conversions, a few
 * milliseconds at start. JIS X 0208 comes from EUC-JP (so 0x2141 is U+301C, 0x215D U+2212); the
 * vendor rows that EUC-JP does not have (13, 89-92) come from CP932, which is what Japanese senders
 * mean by them. The way back follows Windows: of two code positions of one character the standard's
 * wins over NEC's, NEC's row 13 over IBM's, and the NEC-selected copies of the IBM rows are never
 * written.
 */
#include "mappers/charset_table.h"

#include <assert.h>
#include <iconv.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/banned.h"

static struct charset_table table;
static bool table_ready;

/* The one code point that BYTES mean in CD's set; 0 when they mean nothing, or ASCII, or more than
 * one. */
static uint16_t one_code_point(iconv_t cd, const unsigned char *bytes, size_t len)
{
    char in[3];
    unsigned char out[8];
    char *from = in;
    char *to = (char *)out;
    size_t from_left = len;
    size_t to_left = sizeof(out);

    assert(len <= sizeof(in));
    for (size_t i = 0; i < len; i++)
        in[i] = (char)bytes[i];
    (void)iconv(cd, NULL, NULL, NULL, NULL);
    if (iconv(cd, &from, &from_left, &to, &to_left) == (size_t)-1 || from_left > 0)
        return 0;
    if (to_left != sizeof(out) - 2)
        return 0;
    uint16_t cp = (uint16_t)(out[0] << 8 | out[1]);
    /* A double-byte character must never become a byte that HL7 could take for a delimiter. */
    return cp < 0x80 ? 0 : cp;
}

/* Position (row, cell from 0) in Shift_JIS bytes. */
static void sjis_of(unsigned row, unsigned cell, unsigned char ret_bytes[2])
{
    ret_bytes[0] = (unsigned char)(row / 2 + (row < 62 ? 0x81 : 0xC1));
    if (row % 2 == 0)
        ret_bytes[1] = (unsigned char)(cell + (cell < 63 ? 0x40 : 0x41));
    else
        ret_bytes[1] = (unsigned char)(cell + 0x9F);
}

static bool vendor_row(unsigned row)
{
    return row == 12 || (row >= 88 && row <= 91);
}

static void fill_jis(iconv_t euc, iconv_t sjis)
{
    for (unsigned row = 0; row < CHARSET_ROWS; row++) {
        for (unsigned cell = 0; cell < CHARSET_ROWS; cell++) {
            unsigned char bytes[3] = {0x8F, (unsigned char)(row + 0xA1),
                                      (unsigned char)(cell + 0xA1)};
            unsigned at = row * CHARSET_ROWS + cell;
            uint16_t cp = one_code_point(euc, bytes + 1, 2);

            table.jis0212[at] = one_code_point(euc, bytes, 3);
            if (cp == 0 && vendor_row(row)) {
                sjis_of(row, cell, bytes);
                cp = one_code_point(sjis, bytes, 2);
            } else if (cp != 0 && !vendor_row(row) && table.to_jis[cp] == 0) {
                table.to_jis[cp] = (uint16_t)((row + 0x21) << 8 | (cell + 0x21));
            }
            table.jis[at] = cp;
        }
    }
}

static void fill_sjis(iconv_t sjis)
{
    for (unsigned lead = 0; lead < CHARSET_SJIS_LEADS; lead++) {
        for (unsigned trail = 0; trail < CHARSET_SJIS_TRAILS; trail++) {
            unsigned char bytes[2] = {(unsigned char)(lead + (lead < 31 ? 0x81 : 0xC1)),
                                      (unsigned char)(trail + 0x40)};
            if (bytes[1] == 0x7F)
                continue;
            uint16_t cp = one_code_point(sjis, bytes, 2);
            table.sjis[lead * CHARSET_SJIS_TRAILS + trail] = cp;
            bool copy = bytes[0] == 0xED || bytes[0] == 0xEE;
            if (cp != 0 && !copy && table.to_sjis[cp] == 0)
                table.to_sjis[cp] = (uint16_t)(bytes[0] << 8 | bytes[1]);
        }
    }
}

enum err charset_table_fill(void)
{
    enum err err = ERR_UNAVAILABLE;

    if (table_ready)
        return ERR_OK;
    iconv_t none = (iconv_t)-1;
    iconv_t euc = iconv_open("UTF-16BE", "EUC-JP");
    iconv_t sjis = iconv_open("UTF-16BE", "CP932");
    if (euc == none || sjis == none)
        goto out;
    fill_jis(euc, sjis);
    fill_sjis(sjis);
    /* U+3042 is row 4 cell 2: a table without it is no table. */
    if (table.to_jis[0x3042] != 0x2422 || table.to_sjis[0x3042] != 0x82A0)
        goto out;
    table_ready = true;
    err = ERR_OK;
out:
    if (euc != none)
        iconv_close(euc);
    if (sjis != none)
        iconv_close(sjis);
    return err;
}

const struct charset_table *charset_table(void)
{
    return table_ready ? &table : NULL;
}
