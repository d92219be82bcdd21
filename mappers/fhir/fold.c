/* SPDX-License-Identifier: Apache-2.0
 *
 * Folding without ICU: one pass that decodes UTF-8, sends each character through a few ranges and
 * tables, and writes the result. It does what NFKC and case folding do for what Japanese records
 * contain (kana of both widths, full-width ASCII, accented Latin) and adds hiragana, dashes and
 * kanji of names. It must give the same result for text and for queries, and folding twice must
 * change nothing.
 */
#include "mappers/fhir/fold.h"

#include "mappers/fhir/fold_table.h"

#include "base/banned.h"

struct fold {
    char *out;
    size_t len;
    uint32_t last;    /* last character written, 0 at the start */
    bool space;       /* white space waits to be written */
    bool drop_spaces; /* names: no white space at all */
};

/* The next character; bytes that are not UTF-8 come out as themselves. */
static uint32_t decode(const unsigned char *at, size_t left, size_t *ret_len)
{
    uint32_t c = at[0];
    size_t len = c < 0xC2 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 1;
    *ret_len = 1;
    if (len == 1 || len > left)
        return c;
    c &= 0x7Fu >> len;
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return at[0];
        c = c << 6 | (at[i] & 0x3Fu);
    }
    *ret_len = len;
    return c;
}

static void encode(struct fold *f, uint32_t c)
{
    char *out = f->out + f->len;
    if (c < 0x80) {
        out[0] = (char)c;
        f->len += 1;
    } else if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        f->len += 2;
    } else if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        f->len += 3;
    } else {
        out[0] = (char)(0xF0 | c >> 18);
        out[1] = (char)(0x80 | (c >> 12 & 0x3F));
        out[2] = (char)(0x80 | (c >> 6 & 0x3F));
        out[3] = (char)(0x80 | (c & 0x3F));
        f->len += 4;
    }
}

static void put(struct fold *f, uint32_t c)
{
    if (f->space && f->len > 0)
        f->out[f->len++] = ' ';
    f->space = false;
    encode(f, c);
    f->last = c;
}

static bool is_space(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0D) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

/* Invisible: zero width, variation selectors (one glyph of the same kanji), combining Latin
 * accents. */
static bool is_ignored(uint32_t c)
{
    return (c >= 0x200B && c <= 0x200F) || c == 0x2060 || c == 0xFEFF || c == 0xAD ||
           (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0100 && c <= 0xE01EF) ||
           (c >= 0x300 && c <= 0x36F);
}

static bool is_dash(uint32_t c)
{
    return c == '-' || (c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0x2500 || c == 0x30FC ||
           c == 0xFE63;
}

static bool is_kana(uint32_t c)
{
    return c >= 0x30A1 && c <= 0x30FA;
}

/* KANA with a voiced (or half-voiced) mark as one character, or 0. */
static uint32_t voiced(uint32_t kana, bool half)
{
    if (kana >= 0x30CF && kana <= 0x30DB && (kana - 0x30CF) % 3 == 0)
        return kana + (half ? 2 : 1);
    if (half)
        return 0;
    if (kana >= 0x30AB && kana <= 0x30C1 && kana % 2 == 1)
        return kana + 1;
    if (kana == 0x30C4 || kana == 0x30C6 || kana == 0x30C8 || kana == 0x30FD)
        return kana + 1;
    return kana == 0x30A6 ? 0x30F4 : kana == 0x30EF ? 0x30F7 : kana == 0x30F2 ? 0x30FA : 0;
}

static void put_mark(struct fold *f, uint32_t mark)
{
    uint32_t whole = f->space ? 0 : voiced(f->last, mark == 0x309C);
    if (whole) {
        f->len -= 3; /* all kana take three bytes */
        put(f, whole);
    } else {
        put(f, mark);
    }
}

static uint32_t look_up(const struct fold_pair *pairs, size_t count, uint32_t c)
{
    size_t lo = 0;
    size_t hi = count;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (pairs[mid].from == c)
            return pairs[mid].to;
        if (pairs[mid].from < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    return c;
}

/* Greek and Cyrillic capitals, and accents beyond those of fold_latin. */
static uint32_t lower(uint32_t c)
{
    if (c >= 0x1E00 && c < 0x1F00 && fold_latin_more[c - 0x1E00] != '.')
        return (unsigned char)fold_latin_more[c - 0x1E00];
    if (c >= 0x1A0 && c < 0x3D0)
        c = look_up(fold_accents, fold_accents_count, c);
    if ((c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F))
        return c + 0x20;
    return c >= 0x400 && c <= 0x40F ? c + 0x50 : c;
}

static void put_latin(struct fold *f, uint32_t c)
{
    const char *plain = fold_latin[c - 0xC0];
    if (!*plain)
        put(f, c);
    for (; *plain; plain++)
        put(f, (unsigned char)*plain);
}

/* Forms of another width or script brought to the one that is kept. */
static uint32_t normal_form(uint32_t c)
{
    if (c >= 0xFF01 && c <= 0xFF5E)
        c -= 0xFEE0;
    else if (c >= 0xFF61 && c <= 0xFF9F)
        c = fold_half_kana[c - 0xFF61];
    if (c >= 'A' && c <= 'Z')
        return c + 32;
    if ((c >= 0x3041 && c <= 0x3096) || c == 0x309D || c == 0x309E)
        return c + 0x60;
    switch (c) {
    case 0x3099:
        return 0x309B; /* combining marks as spacing ones */
    case 0x309A:
        return 0x309C;
    case 0x301C:
        return '~'; /* wave dash */
    case 0x2019:
        return '\''; /* apostrophe of names */
    default:
        return c;
    }
}

/* Small ヵ and ヶ stand for カ and ケ in place names. */
static uint32_t place_kana(uint32_t c)
{
    return c == 0x30F5 ? 0x30AB : c == 0x30F6 ? 0x30B1 : c;
}

static void fold_one(struct fold *f, uint32_t c)
{
    c = place_kana(normal_form(c));
    if (is_space(c))
        f->space = !f->drop_spaces;
    else if (is_ignored(c))
        return;
    else if (c == 0x309B || c == 0x309C)
        put_mark(f, c);
    else if (is_dash(c)) /* after kana any dash is the long vowel mark */
        put(f, !f->space && (is_kana(f->last) || f->last == 0x30FC) ? 0x30FC : '-');
    else if (c >= 0xC0 && c < 0x180)
        put_latin(f, c);
    else
        put(f, c < 0x2E80 ? lower(c) : look_up(fold_kanji, fold_kanji_count, c));
}

static struct slice fold_all(struct arena *arena, struct slice text, bool drop_spaces)
{
    /* Only a dash grows: one byte to three, and a space may come before nothing that grows. */
    size_t dashes = 0;
    for (size_t i = 0; i < text.len; i++)
        dashes += text.ptr[i] == '-';
    struct fold f = {.drop_spaces = drop_spaces};
    f.out = arena_alloc(arena, text.len + 2 * dashes + 1);
    if (!f.out)
        return SLICE_NONE;
    for (size_t i = 0; i < text.len;) {
        size_t len;
        char plain =
            text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? (char)(text.ptr[i] | 0x20) : text.ptr[i];
        if ((plain >= 'a' && plain <= 'z') || (plain >= '0' && plain <= '9')) {
            put(&f, (unsigned char)plain);
            i++;
            continue;
        }
        uint32_t c = decode((const unsigned char *)text.ptr + i, text.len - i, &len);
        if (len == 1 && c >= 0x80)
            f.out[f.len++] = (char)c; /* not UTF-8: kept as it is */
        else
            fold_one(&f, c);
        i += len;
    }
    return slice_of(f.out, f.len);
}

struct slice fold_text(struct arena *arena, struct slice text)
{
    return fold_all(arena, text, false);
}

struct slice fold_name(struct arena *arena, struct slice text)
{
    return fold_all(arena, text, true);
}
