/* SPDX-License-Identifier: Apache-2.0
 *
 * Words: what a text is cut into, what an expression finds, and that no text can be more than text
 * in one.
 */
#include "lib/t.h"

#include <sqlite3.h>

#include "storage/words.h"

#include "base/banned.h"

/* A full-text table like the store's, in memory; rows count from 1. */
static sqlite3 *table(const char *const *words, const char *const *content, size_t count)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(words_register(db), ERR_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "CREATE VIRTUAL TABLE t USING fts5(words, content, content='',"
                                  " columnsize=0, tokenize='tasuki')",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "INSERT INTO t(rowid, words, content) VALUES(?,?,?)", -1, &q, NULL),
        SQLITE_OK);
    for (size_t i = 0; i < count; i++) {
        sqlite3_bind_int64(q, 1, (sqlite3_int64)i + 1);
        sqlite3_bind_text(q, 2, words[i], -1, SQLITE_STATIC);
        sqlite3_bind_text(q, 3, content[i], -1, SQLITE_STATIC);
        assert_int_equal(sqlite3_step(q), SQLITE_DONE);
        sqlite3_reset(q);
    }
    sqlite3_finalize(q);
    return db;
}

/* Rows found, as digits. */
static void find(sqlite3 *db, const char *text, bool narrative, struct buf *out)
{
    struct buf expression;
    sqlite3_stmt *q = NULL;
    int rc = SQLITE_ROW;
    buf_init(&expression, 65536);
    buf_clear(out);
    if (words_expression(slice_str(text), narrative, &expression)) {
        assert_int_equal(buf_err(&expression), ERR_OK);
        assert_int_equal(expression.ptr[expression.len], 0);
        assert_int_equal(
            sqlite3_prepare_v2(db, "SELECT rowid FROM t WHERE t MATCH ? ORDER BY 1", -1, &q, NULL),
            SQLITE_OK);
        sqlite3_bind_text(q, 1, expression.ptr, (int)expression.len, SQLITE_STATIC);
        while ((rc = sqlite3_step(q)) == SQLITE_ROW)
            buf_addf(out, "%d", sqlite3_column_int(q, 0));
        if (rc != SQLITE_DONE)
            print_error("%s: %s\n", expression.ptr, sqlite3_errmsg(db));
        assert_int_equal(rc, SQLITE_DONE);
        sqlite3_finalize(q);
    }
    buf_fini(&expression);
}

static void test_what_is_found(void **state)
{
    (void)state;
    static const char *const words[] = {
        "右肺癌ノ疑イ", "lung cancer, stage 2b", "", "HBA1C検査値 6.5%", "検査HBA1C",
        "癌",           "糖尿病 網膜症",         "",
    };
    static const char *const content[] = {
        "", "", "肺癌", "", "", "", "", "東京都 港区1-2",
    };
    static const struct {
        const char *text;
        bool narrative;
        const char *rows;
    } cases[] = {
        {"肺癌", true, "1"},
        {"肺癌", false, "13"},
        {"癌", false, "136"}, /* within, last of a run, alone */
        {"右", false, "1"},
        {"疑イ", false, "1"},
        {"疑", false, "1"},
        {"癌肺", false, ""}, /* another order */
        {"肺ノ", false, ""},
        {"右肺癌ノ疑イ", false, "1"},
        {"右癌", false, ""},
        {"cancer", false, "2"},
        {"can", false, ""},          /* whole words */
        {"cancer lung", false, "2"}, /* both, in any order */
        {"cancer-lung", false, ""},  /* as a whole: in this order */
        {"lung-cancer", false, "2"},
        {"HBA1C検査", false, "4"},
        {"検査HBA1C", false, "5"},
        {"査HBA1C", false, "5"},
        {"検査値", false, "4"},
        {"6.5", false, "4"},
        {"糖尿病 網膜", false, "7"},
        {"病網", false, ""}, /* not across a space */
        {"東京 港区", false, "8"},
        {"2b", false, "2"},
        {"", false, ""},
        {"  \t ", false, ""},
        {"、。", false, ""}, /* nothing to look for */
        {"癌 、", false, "136"},
    };
    sqlite3 *db = table(words, content, T_COUNT(words));
    struct buf out;
    buf_init(&out, 64);
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        find(db, cases[i].text, cases[i].narrative, &out);
        if (!slice_is(buf_slice(&out), cases[i].rows))
            print_error("case %zu: %s\n", i, cases[i].text);
        assert_slice(buf_slice(&out), cases[i].rows);
    }
    buf_fini(&out);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Whatever stands in the text, the expression is understood and means words only. */
static void test_text_is_only_text(void **state)
{
    (void)state;
    static const char *const words[] = {"a OR b", "\"quoted\" word", "near"},
                             *none[] = {"", "", ""};
    static const struct {
        const char *text, *rows;
    } cases[] = {
        {"zzz OR a", ""},
        {"a) OR (b", "1"},
        {"\"quoted\"", "2"},
        {"\"", ""},
        {"quoted\"word", "2"},
        {"content:a", ""},
        {"a*", "1"},
        {"qu*", ""},
        {"^word", "2"},
        {"NOT a", ""},
        {"NEAR(a b)", ""},
        {"{words}:a", ""},
        {"a\xff"
         "b",
         ""},
        {"\xe8\x82", ""},
        {"a\x01", "1"},
        {"-near", "3"},
    };
    sqlite3 *db = table(words, none, T_COUNT(words));
    struct buf out;
    buf_init(&out, 64);
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        find(db, cases[i].text, true, &out);
        if (!slice_is(buf_slice(&out), cases[i].rows))
            print_error("case %zu: %s\n", i, cases[i].text);
        assert_slice(buf_slice(&out), cases[i].rows);
    }
    struct buf expression;
    buf_init(&expression, 64);
    assert_true(words_expression(slice_of("a\0\"b", 4), true, &expression));
    assert_buf(&expression, "{words} : (\"a \"\"b\" )");
    buf_fini(&expression);
    buf_fini(&out);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_found),
        cmocka_unit_test(test_text_is_only_text),
    };
    return T_RUN(tests);
}
