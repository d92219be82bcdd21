/* SPDX-License-Identifier: Apache-2.0
 *
 * What must compare equal and what must stay apart; and that folding what is folded changes
 * nothing.
 */
#include "lib/t.h"

#include "mappers/fhir/fold.h"
#include "mappers/fhir/fold_table.h"

#include "base/banned.h"

#define ARENA_MAX (16u << 20)

static const struct {
    const char *in;
    const char *text; /* fold_text */
    const char *name; /* fold_name, or NULL: the same */
} rows[] = {
    {"", "", NULL},
    {"  ", "", NULL},
    {"YAMADA Taro", "yamada taro", "yamadataro"},
    {" a \t\n b ", "a b", "ab"},
    {"山田　太郎", "山田 太郎", "山田太郎"},
    {"ＡＢＣ１２３（株）", "abc123(株)", NULL},
    {"やまだ たろう", "ヤマダ タロウ", "ヤマダタロウ"},
    {"ﾔﾏﾀﾞ ﾀﾛｳ", "ヤマダ タロウ", "ヤマダタロウ"},
    {"ｶﾞｷﾞｸﾞｹﾞｺﾞﾊﾟﾋﾟﾌﾟﾍﾟﾎﾟﾊﾞﾎﾞｳﾞﾜﾞｦﾞ", "ガギグゲゴパピプペポバボヴヷヺ", NULL},
    {"ｱﾞﾝﾟ", "ア゛ン゜", NULL},
    {"ｶ ﾞ", "カ ゛", "ガ"},
    {"か\u3099は\u309A", "ガパ", NULL},
    {"カ゛ハ゜", "ガパ", NULL},
    {"｡｢｣､･", "。「」、・", NULL},
    {"サーバー", "サーバー", NULL},
    {"ｻｰﾊﾞｰ", "サーバー", NULL},
    {"サ-バ‐", "サーバー", NULL},
    {"サ−バ―", "サーバー", NULL},
    {"1ー2−3‐4", "1-2-3-4", NULL},
    {"ローーー", "ローーー", NULL},
    {"髙橋 﨑 渡邉 渡邊 齋藤 斉藤 齊藤 濵田 𠮷田 櫻井 澤 德",
     "高橋 崎 渡辺 渡辺 斎藤 斎藤 斎藤 浜田 吉田 桜井 沢 徳",
     "高橋崎渡辺渡辺斎藤斎藤斎藤浜田吉田桜井沢徳"},
    {"神\uFA19", "神神", NULL},
    {"辻\U000E0100邉\uFE00", "辻辺", NULL},
    {"龍ヶ崎 霞ヵ関", "竜ケ崎 霞カ関", "竜ケ崎霞カ関"},
    {"Müller ÀÉÎÕÜ ñç Straße Łódź Œuvre Þ", "muller aeiou nc strasse lodz oeuvre th",
     "mulleraeiounc"
     "strasselodzoeuvreth"},
    {"e\u0301", "e", NULL},
    {"Nguyễn Thị Ánh Tuyết, Trần Đức Phương", "nguyen thi anh tuyet, tran duc phuong",
     "nguyenthianhtuyet,tranducphuong"},
    {"Ștefan Țepeș Ǎ ǜ", "stefan tepes a u", "stefantepesau"},
    {"Άννα Έλλην Ώ ΐ", "αννα ελλην ω ι", "ανναελληνωι"},
    {"ΑΒΓ АБВ Ё", "αβγ абв ё", "αβγабвё"},
    {"a\u200Bb\uFEFFc\u00AD", "abc", NULL},
    {"O’Brien", "o'brien", NULL},
    {"10〜20～30", "10~20~30", NULL},
    {"×÷", "×÷", NULL},
    {"\xFFz\xE3\x81", "\xFFz\xE3\x81", NULL},
    {"😀 x", "😀 x", "😀x"},
};

static void folds(void **state)
{
    struct arena *a = arena_new(ARENA_MAX);
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct slice text = fold_text(a, slice_str(rows[i].in));
        struct slice name = fold_name(a, slice_str(rows[i].in));
        assert_non_null(text.ptr);
        assert_slice(text, rows[i].text);
        assert_slice(name, rows[i].name ? rows[i].name : rows[i].text);
        assert_slice(fold_text(a, text), rows[i].text);
        assert_true(slice_eq(fold_name(a, name), name));
    }
    arena_free(a);
}

static void keeps_apart(void **state)
{
    static const char *const pairs[][2] = {{"ハ", "バ"}, {"ツ", "ッ"}, {"キヤ", "キャ"},
                                           {"埼", "崎"}, {"大", "太"}, {"1", "11"},
                                           {"b", "d"}};
    struct arena *a = arena_new(ARENA_MAX);
    (void)state;
    for (size_t i = 0; i < T_COUNT(pairs); i++)
        assert_false(
            slice_eq(fold_text(a, slice_str(pairs[i][0])), fold_text(a, slice_str(pairs[i][1]))));
    arena_free(a);
}

static size_t put(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    size_t n = c < 0x10000 ? 3 : 4;
    out[0] = (char)(n == 3 ? 0xE0 | c >> 12 : 0xF0 | c >> 18);
    if (n == 4)
        out[1] = (char)(0x80 | (c >> 12 & 63));
    out[n - 2] = (char)(0x80 | (c >> 6 & 63));
    out[n - 1] = (char)(0x80 | (c & 63));
    return n;
}

/* Every character, alone and between neighbours that matter: valid UTF-8, and a fixed point. */
static void every_character_settles(void **state)
{
    static const char *const before[] = {"", "か", "-", " ", "x"};
    (void)state;
    for (uint32_t c = 1; c < 0x110000; c += c < 0x30000 || (c > 0xE0000 && c < 0xE0200) ? 1 : 997) {
        if (c >= 0xD800 && c < 0xE000)
            continue;
        struct arena *a = arena_new(1u << 16);
        for (size_t i = 0; i < T_COUNT(before); i++) {
            char text[32];
            size_t len = strlen(before[i]);
            memcpy(text, before[i], len);
            len += put(text + len, c);
            len += put(text + len, 0xFF9E);
            struct slice once = fold_text(a, slice_of(text, len));
            struct slice name = fold_name(a, slice_of(text, len));
            assert_true(slice_is_utf8(once));
            if (!slice_eq(fold_text(a, once), once) || !slice_eq(fold_name(a, name), name))
                fail_msg("U+%04X after \"%s\"", c, before[i]);
        }
        arena_free(a);
    }
}

static void kanji_table_is_sorted(void **state)
{
    (void)state;
    assert_true(fold_kanji_count > 500);
    for (size_t i = 0; i < fold_kanji_count; i++) {
        assert_true(i == 0 || fold_kanji[i - 1].from < fold_kanji[i].from);
        assert_true(fold_kanji[i].to >= 0x2E80 && fold_kanji[i].to < 0x10000);
        for (size_t k = 0; k < fold_kanji_count; k++)
            assert_int_not_equal(fold_kanji[k].from, fold_kanji[i].to);
    }
}

static void full_arena_says_so(void **state)
{
    struct arena *a = arena_new(16);
    (void)state;
    assert_null(fold_text(a, SLICE("a text that is longer than the arena is large")).ptr);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds),
        cmocka_unit_test(keeps_apart),
        cmocka_unit_test(every_character_settles),
        cmocka_unit_test(kanji_table_is_sorted),
        cmocka_unit_test(full_arena_says_so),
    };
    return T_RUN(tests);
}
