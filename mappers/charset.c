/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoders and encoders, one step function a set. A step eats input until it ends or its small
 * output block is full, so that the hot loops never ask for memory. ASCII runs go eight bytes at a
 * time. ISO-2022-JP follows ISO/IEC 2022 as Japanese HL7 uses it (guide section 1.7): every line
 * starts in ASCII; JIS X 0201 Roman is read as ASCII, because its \ and ~ are HL7's delimiters. No
 * 8-bit byte is ever guessed at.
 */
#include "mappers/charset.h"

#include "mappers/charset_table.h"

#include <assert.h>

#include "base/banned.h"

#define BLOCK 8192u
#define BLOCK_SPARE 16u /* the longest single write: eight bytes of ASCII */
#define ESC 0x1B
#define GETA 0x25A0u /* the black square that stands for a character the set lacks */

enum shift { SHIFT_ASCII, SHIFT_ROMAN, SHIFT_KANA, SHIFT_0208, SHIFT_0212 };

struct decoding {
    const unsigned char *at, *end;
    unsigned char *out, *stop;
    const struct charset_table *table;
    enum shift shift;
    const unsigned char *open; /* first line end met with a shift still open, or NULL */
};

typedef enum err (*step_cb)(struct decoding *d);

/* ---- names ---- */

static const struct {
    const char *name; /* upper case, without spaces and - _ / */
    enum charset set;
} names[] = {
    {"", CHARSET_ASCII},
    {"ASCII", CHARSET_ASCII},
    {"USASCII", CHARSET_ASCII},
    {"ISOIR6", CHARSET_ASCII},
    {"ISOIR13", CHARSET_ISO2022JP},
    {"ISOIR14", CHARSET_ISO2022JP},
    {"ISOIR42", CHARSET_ISO2022JP},
    {"ISOIR87", CHARSET_ISO2022JP},
    {"ISO2022IR13", CHARSET_ISO2022JP},
    {"ISO2022IR87", CHARSET_ISO2022JP},
    {"ISO2022IR159", CHARSET_ISO2022JP},
    {"JISX0208", CHARSET_ISO2022JP},
    {"ISOIR159", CHARSET_ISO2022JP},
    {"ISO2022JP", CHARSET_ISO2022JP},
    {"CSISO2022JP", CHARSET_ISO2022JP},
    {"JIS", CHARSET_ISO2022JP},
    {"UNICODEUTF8", CHARSET_UTF8},
    {"UNICODE", CHARSET_UTF8},
    {"UTF8", CHARSET_UTF8},
    {"ISOIR192", CHARSET_UTF8},
    {"SHIFTJIS", CHARSET_SJIS},
    {"SJIS", CHARSET_SJIS},
    {"XSJIS", CHARSET_SJIS},
    {"MSKANJI", CHARSET_SJIS},
    {"CSWINDOWS31J", CHARSET_SJIS},
    {"CP932", CHARSET_SJIS},
    {"MS932", CHARSET_SJIS},
    {"WINDOWS31J", CHARSET_SJIS},
    {"EUCJP", CHARSET_EUCJP},
    {"XEUCJP", CHARSET_EUCJP},
    {"UJIS", CHARSET_EUCJP},
    {"88591", CHARSET_LATIN1},
    {"ISO88591", CHARSET_LATIN1},
    {"ISOIR100", CHARSET_LATIN1},
    {"LATIN1", CHARSET_LATIN1},
};

static enum err set_of_name(struct slice text, enum charset *ret_set)
{
    char key[16];
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == ' ' || c == '-' || c == '_' || c == '/')
            continue;
        if (len == sizeof(key))
            return ERR_CHARSET;
        key[len++] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (slice_is(slice_of(key, len), names[i].name)) {
            *ret_set = names[i].set;
            return ERR_OK;
        }
    }
    return ERR_CHARSET;
}

enum err charset_from_hl7(struct slice msh18, enum charset *ret_charset)
{
    enum charset result = CHARSET_ASCII;
    struct slice rest = msh18;

    while (rest.ptr) {
        enum charset set = CHARSET_ASCII;
        enum err err = set_of_name(slice_cut(&rest, '~'), &set);
        if (err != ERR_OK)
            return err;
        if (set == CHARSET_ASCII || set == result)
            continue;
        if (result != CHARSET_ASCII) /* two sets that cannot both hold */
            return ERR_CHARSET;
        result = set;
    }
    *ret_charset = result;
    return ERR_OK;
}

enum err charset_init(void)
{
    return charset_table_fill();
}

/* ---- decoding ---- */

static unsigned char *put_utf8(unsigned char *out, unsigned cp)
{
    assert(cp < 0x10000);
    if (cp < 0x80) {
        *out++ = (unsigned char)cp;
        return out;
    }
    if (cp < 0x800) {
        *out++ = (unsigned char)(0xC0 | cp >> 6);
    } else {
        *out++ = (unsigned char)(0xE0 | cp >> 12);
        *out++ = (unsigned char)(0x80 | (cp >> 6 & 0x3F));
    }
    *out++ = (unsigned char)(0x80 | (cp & 0x3F));
    return out;
}

/* Copies printable ASCII up to the first control or 8-bit byte, the end, or a full block. */
static void copy_ascii(struct decoding *d)
{
    const uint64_t high = UINT64_C(0x8080808080808080);
    const uint64_t space = UINT64_C(0x2020202020202020);
    const unsigned char *at = d->at;
    unsigned char *out = d->out;

    while (d->end - at >= 8 && out < d->stop) {
        uint64_t x;
        memcpy(&x, at, 8);
        if ((x | (x - space)) & high)
            break;
        memcpy(out, &x, 8);
        at += 8;
        out += 8;
    }
    while (at < d->end && out < d->stop && *at >= 0x20 && *at < 0x80)
        *out++ = *at++;
    d->at = at;
    d->out = out;
}

/* Double-byte characters as long as they come. Stops before a byte that is none. */
static enum err copy_double(struct decoding *d, const uint16_t *cells, unsigned base)
{
    const unsigned char *at = d->at;
    unsigned char *out = d->out;
    enum err err = ERR_OK;

    while (d->end - at >= 2 && out < d->stop) {
        unsigned row = at[0] - base;
        unsigned cell = at[1] - base;
        if (row >= CHARSET_ROWS || cell >= CHARSET_ROWS)
            break;
        unsigned cp = cells[row * CHARSET_ROWS + cell];
        if (cp == 0) {
            err = ERR_CHARSET;
            break;
        }
        out = put_utf8(out, cp);
        at += 2;
    }
    d->at = at;
    d->out = out;
    return err;
}

static const struct {
    const char *bytes; /* after ESC */
    enum shift shift;
} escapes[] = {
    {"(B", SHIFT_ASCII}, {"(J", SHIFT_ROMAN}, {"(I", SHIFT_KANA},  {"$B", SHIFT_0208},
    {"$@", SHIFT_0208},  {"$(B", SHIFT_0208}, {"$(@", SHIFT_0208}, {"$(D", SHIFT_0212},
};

static enum err take_escape(struct decoding *d)
{
    struct slice rest = slice_of(d->at + 1, (size_t)(d->end - d->at) - 1);

    for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
        struct slice bytes = slice_str(escapes[i].bytes);
        if (rest.len >= bytes.len && memcmp(rest.ptr, bytes.ptr, bytes.len) == 0) {
            d->shift = escapes[i].shift;
            d->at += 1 + bytes.len;
            return ERR_OK;
        }
    }
    return ERR_CHARSET;
}

static bool shift_is_open(enum shift shift)
{
    return shift != SHIFT_ASCII && shift != SHIFT_ROMAN;
}

/* The byte at d->at, which is not a character of the current shift: escape, line end, white space,
 * or wrong. */
static enum err take_control(struct decoding *d)
{
    unsigned char c = *d->at;

    if (c == ESC)
        return take_escape(d);
    if (c == '\r' || c == '\n') {
        if (shift_is_open(d->shift) && !d->open)
            d->open = d->at;
        d->shift = SHIFT_ASCII;
    } else if (c > 0x20 || c == 0x0E ||
               c == 0x0F) { /* SO and SI would shift to sets we do not hold */
        return ERR_CHARSET;
    }
    *d->out++ = c;
    d->at++;
    return ERR_OK;
}

static void copy_kana(struct decoding *d)
{
    while (d->at < d->end && d->out < d->stop && *d->at >= 0x21 && *d->at <= 0x5F)
        d->out = put_utf8(d->out, *d->at++ + 0xFF61u - 0x21u);
}

static enum err step_iso2022jp(struct decoding *d)
{
    enum err err = ERR_OK;

    while (d->at < d->end && d->out < d->stop && err == ERR_OK) {
        switch (d->shift) {
        case SHIFT_KANA:
            copy_kana(d);
            break;
        case SHIFT_0208:
            err = copy_double(d, d->table->jis, 0x21);
            break;
        case SHIFT_0212:
            err = copy_double(d, d->table->jis0212, 0x21);
            break;
        case SHIFT_ASCII:
        case SHIFT_ROMAN:
        default:
            copy_ascii(d);
            break;
        }
        if (err == ERR_OK && d->at < d->end && d->out < d->stop)
            err = take_control(d);
    }
    return err;
}

static enum err step_ascii(struct decoding *d)
{
    while (d->at < d->end && d->out < d->stop) {
        copy_ascii(d);
        if (d->at == d->end || d->out >= d->stop)
            break;
        if (*d->at >= 0x80)
            return ERR_CHARSET;
        *d->out++ = *d->at++;
    }
    return ERR_OK;
}

static enum err step_latin1(struct decoding *d)
{
    for (; d->at < d->end && d->out < d->stop; d->at++) {
        if (*d->at >= 0x80 && *d->at < 0xA0) /* C1 controls: the sender means another set */
            return ERR_CHARSET;
        d->out = put_utf8(d->out, *d->at);
    }
    return ERR_OK;
}

static unsigned sjis_pair(const struct decoding *d)
{
    unsigned lead = d->at[0];

    if (d->end - d->at < 2 || lead == 0xA0 || lead > 0xFC || d->at[1] < 0x40 || d->at[1] > 0xFC)
        return 0;
    lead = lead < 0xA0 ? lead - 0x81 : lead - 0xC1;
    return d->table->sjis[lead * CHARSET_SJIS_TRAILS + d->at[1] - 0x40u];
}

static enum err step_sjis(struct decoding *d)
{
    while (d->at < d->end && d->out < d->stop) {
        unsigned c = *d->at;
        if (c < 0x80) {
            copy_ascii(d);
            if (d->at < d->end && d->out < d->stop && *d->at < 0x20)
                *d->out++ = *d->at++;
        } else if (c >= 0xA1 && c <= 0xDF) {
            d->out = put_utf8(d->out, c + 0xFF61u - 0xA1u);
            d->at++;
        } else {
            unsigned cp = c == 0x80 ? 0 : sjis_pair(d);
            if (cp == 0)
                return ERR_CHARSET;
            d->out = put_utf8(d->out, cp);
            d->at += 2;
        }
    }
    return ERR_OK;
}

/* The 0x8E (half-width kana) and 0x8F (JIS X 0212) forms. */
static enum err take_euc_single_shift(struct decoding *d)
{
    size_t left = (size_t)(d->end - d->at);

    if (d->at[0] == 0x8E && left >= 2 && d->at[1] >= 0xA1 && d->at[1] <= 0xDF) {
        d->out = put_utf8(d->out, d->at[1] + 0xFF61u - 0xA1u);
        d->at += 2;
        return ERR_OK;
    }
    if (d->at[0] != 0x8F || left < 3 || d->at[1] < 0xA1 || d->at[2] < 0xA1 || d->at[1] == 0xFF ||
        d->at[2] == 0xFF)
        return ERR_CHARSET;
    unsigned cp = d->table->jis0212[(d->at[1] - 0xA1) * CHARSET_ROWS + d->at[2] - 0xA1];
    if (cp == 0)
        return ERR_CHARSET;
    d->out = put_utf8(d->out, cp);
    d->at += 3;
    return ERR_OK;
}

static enum err step_eucjp(struct decoding *d)
{
    enum err err = ERR_OK;

    while (d->at < d->end && d->out < d->stop && err == ERR_OK) {
        const unsigned char *before = d->at;
        if (*d->at < 0x20)
            *d->out++ = *d->at++;
        else if (*d->at < 0x80)
            copy_ascii(d);
        else if (*d->at >= 0xA1)
            err = copy_double(d, d->table->jis, 0xA1);
        else
            err = take_euc_single_shift(d);
        if (err == ERR_OK && d->at == before)
            err = ERR_CHARSET;
    }
    return err;
}

static const step_cb steps[] = {
    [CHARSET_ASCII] = step_ascii, [CHARSET_ISO2022JP] = step_iso2022jp, [CHARSET_SJIS] = step_sjis,
    [CHARSET_EUCJP] = step_eucjp, [CHARSET_LATIN1] = step_latin1,
};

static bool needs_table(enum charset set)
{
    return set == CHARSET_ISO2022JP || set == CHARSET_SJIS || set == CHARSET_EUCJP;
}

static enum err decode_utf8(struct slice bytes, struct buf *out, size_t *ret_offset)
{
    size_t valid = slice_utf8_len(bytes);

    if (valid == bytes.len)
        buf_add(out, bytes);
    if (ret_offset)
        *ret_offset = valid;
    return valid == bytes.len ? buf_err(out) : ERR_CHARSET;
}

/* Runs the set's steps over all of D, block by block. */
static enum err decode_blocks(struct decoding *d, enum charset set, struct buf *out)
{
    unsigned char block[BLOCK + BLOCK_SPARE];
    enum err err = ERR_OK;

    d->stop = block + BLOCK;
    while (d->at < d->end && err == ERR_OK) {
        d->out = block;
        err = steps[set](d);
        assert(d->out <= block + sizeof(block));
        buf_add(out, slice_of(block, (size_t)(d->out - block)));
        if (buf_err(out) != ERR_OK)
            err = buf_err(out);
    }
    d->out = d->stop = NULL; /* the block ends here */
    return err;
}

enum err charset_decode(enum charset set, struct slice bytes, struct buf *out, size_t *ret_offset)
{
    const unsigned char *start = (const unsigned char *)bytes.ptr;
    struct decoding d = {.at = start, .table = charset_table()};
    size_t old_len = out->len;

    if (set == CHARSET_UTF8)
        return decode_utf8(bytes, out, ret_offset);
    assert((size_t)set < sizeof(steps) / sizeof(steps[0]) && steps[set]);
    assert(d.table || !needs_table(set)); /* charset_init was not called */
    d.end = bytes.len > 0 ? start + bytes.len : start;
    enum err err = decode_blocks(&d, set, out);
    if (err != ERR_OK)
        out->len = old_len;
    else if (d.open)
        d.at = d.open;
    else if (shift_is_open(d.shift) && bytes.len > 0)
        d.at = d.end - 1;
    if (ret_offset && bytes.len > 0)
        *ret_offset = (size_t)(d.at - start);
    else if (ret_offset)
        *ret_offset = 0;
    return err;
}

/* ---- encoding ---- */

/* Characters that JIS and Microsoft map to different code points; each stands in for the other
 * where the set has only one of them. The last three are what JIS X 0201 Roman and word processors
 * leave behind. */
static const uint16_t twins[][2] = {
    {0x301C, 0xFF5E}, {0x2212, 0xFF0D}, {0x2016, 0x2225}, {0x00A2, 0xFFE0}, {0x00A3, 0xFFE1},
    {0x00AC, 0xFFE2}, {0x2015, 0x2014}, {0xFFE5, 0x00A5}, {0xFFE3, 0x203E},
};

/* U+FF61..U+FF9F in full width. */
static const uint16_t wide_kana[63] = {
    0x3002, 0x300C, 0x300D, 0x3001, 0x30FB, 0x30F2, 0x30A1, 0x30A3, 0x30A5, 0x30A7, 0x30A9,
    0x30E3, 0x30E5, 0x30E7, 0x30C3, 0x30FC, 0x30A2, 0x30A4, 0x30A6, 0x30A8, 0x30AA, 0x30AB,
    0x30AD, 0x30AF, 0x30B1, 0x30B3, 0x30B5, 0x30B7, 0x30B9, 0x30BB, 0x30BD, 0x30BF, 0x30C1,
    0x30C4, 0x30C6, 0x30C8, 0x30CA, 0x30CB, 0x30CC, 0x30CD, 0x30CE, 0x30CF, 0x30D2, 0x30D5,
    0x30D8, 0x30DB, 0x30DE, 0x30DF, 0x30E0, 0x30E1, 0x30E2, 0x30E4, 0x30E6, 0x30E8, 0x30E9,
    0x30EA, 0x30EB, 0x30EC, 0x30ED, 0x30EF, 0x30F3, 0x309B, 0x309C,
};

struct encoding {
    const unsigned char *at, *end;
    struct buf *out;
    const struct charset_table *table;
    enum charset set;
    bool shifted;
    size_t replaced;
};

/* The next code point of text that is known to be UTF-8. */
static unsigned next_code_point(struct encoding *e)
{
    unsigned c = *e->at++;
    unsigned more = c < 0xC0 ? 0 : c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
    unsigned cp = more > 0 ? c & (0x3Fu >> more) : c;

    assert((size_t)(e->end - e->at) >= more);
    for (; more > 0; more--)
        cp = cp << 6 | (*e->at++ & 0x3Fu);
    return cp;
}

static bool is_half_kana(unsigned cp)
{
    return cp >= 0xFF61 && cp <= 0xFF9F;
}

/* Full width of half-width kana CP, taking a following (semi-)voiced sound mark in where that is
 * one letter. */
static unsigned widen_kana(struct encoding *e, unsigned cp)
{
    unsigned wide = wide_kana[cp - 0xFF61];
    bool voiced = false;
    bool semi = false;

    if (e->end - e->at >= 3 && e->at[0] == 0xEF && e->at[1] == 0xBE) { /* U+FF9E, U+FF9F */
        voiced = e->at[2] == 0x9E;
        semi = e->at[2] == 0x9F;
    }
    bool row_h = cp >= 0xFF8A && cp <= 0xFF8E;
    if (voiced && cp == 0xFF73)
        wide = 0x30F4;
    else if (voiced && ((cp >= 0xFF76 && cp <= 0xFF84) || row_h))
        wide += 1;
    else if (semi && row_h)
        wide += 2;
    else
        return wide;
    e->at += 3;
    return wide;
}

static uint16_t code_of(const uint16_t *to, unsigned cp)
{
    if (cp > 0xFFFF)
        return 0;
    if (to[cp])
        return to[cp];
    for (size_t i = 0; i < sizeof(twins) / sizeof(twins[0]); i++) {
        if (twins[i][0] == cp)
            return to[twins[i][1]];
        if (twins[i][1] == cp)
            return to[twins[i][0]];
    }
    return 0;
}

static void shift_to(struct encoding *e, bool shifted)
{
    if (e->shifted != shifted)
        buf_adds(e->out, shifted ? "\x1B$B" : "\x1B(B");
    e->shifted = shifted;
}

static void add_pair(struct buf *out, unsigned code)
{
    buf_addc(out, (char)(unsigned char)(code >> 8));
    buf_addc(out, (char)(unsigned char)(code & 0xFF));
}

static void put_iso2022jp(struct encoding *e, unsigned cp)
{
    if (is_half_kana(cp))
        cp = widen_kana(e, cp);
    unsigned code = code_of(e->table->to_jis, cp);
    e->replaced += code == 0;
    shift_to(e, true);
    add_pair(e->out, code ? code : e->table->to_jis[GETA]);
}

static void put_eucjp(struct encoding *e, unsigned cp)
{
    unsigned code = code_of(e->table->to_jis, cp);

    if (is_half_kana(cp)) {
        add_pair(e->out, 0x8E00u | (cp - 0xFF61u + 0xA1u));
        return;
    }
    e->replaced += code == 0;
    add_pair(e->out, 0x8080u | (code ? code : e->table->to_jis[GETA]));
}

static void put_sjis(struct encoding *e, unsigned cp)
{
    unsigned code = code_of(e->table->to_sjis, cp);

    if (is_half_kana(cp)) {
        buf_addc(e->out, (char)(unsigned char)(cp - 0xFF61u + 0xA1u));
        return;
    }
    e->replaced += code == 0;
    add_pair(e->out, code ? code : e->table->to_sjis[GETA]);
}

/* One character beyond ASCII. */
static void put_character(struct encoding *e, unsigned cp)
{
    switch (e->set) {
    case CHARSET_ISO2022JP:
        put_iso2022jp(e, cp);
        return;
    case CHARSET_EUCJP:
        put_eucjp(e, cp);
        return;
    case CHARSET_SJIS:
        put_sjis(e, cp);
        return;
    case CHARSET_LATIN1:
        if (cp >= 0xA0 && cp <= 0xFF) {
            buf_addc(e->out, (char)(unsigned char)cp);
            return;
        }
        break;
    case CHARSET_ASCII:
    case CHARSET_UTF8:
    default:
        break;
    }
    e->replaced++;
    buf_addc(e->out, '?');
}

/* A control character that would be read back as a shift. */
static bool shifts(const struct encoding *e, unsigned cp)
{
    return e->set == CHARSET_ISO2022JP && (cp == ESC || cp == 0x0E || cp == 0x0F);
}

enum err charset_encode(enum charset set, struct slice text, struct buf *out, size_t *ret_replaced)
{
    const unsigned char *start = (const unsigned char *)text.ptr;
    struct encoding e = {.at = start, .out = out, .table = charset_table(), .set = set};
    size_t old_len = out->len;

    assert(e.table || !needs_table(set)); /* charset_init was not called */
    if (!slice_is_utf8(text))
        return ERR_CHARSET;
    if (set == CHARSET_UTF8) {
        buf_add(out, text);
        e.end = e.at;
    } else {
        e.end = text.len > 0 ? start + text.len : start;
    }
    while (e.at < e.end) {
        unsigned cp = next_code_point(&e);
        if (cp >= 0x80 || shifts(&e, cp)) {
            put_character(&e, cp);
            continue;
        }
        shift_to(&e, false);
        buf_addc(out, (char)cp);
    }
    shift_to(&e, false);
    if (buf_err(out) != ERR_OK) {
        out->len = old_len;
        return buf_err(out);
    }
    if (ret_replaced)
        *ret_replaced = e.replaced;
    return ERR_OK;
}
