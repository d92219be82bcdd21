/* SPDX-License-Identifier: Apache-2.0
 *
 * A writer's session on a new store in a temporary folder, for tests of what runs inside a
 * transaction. The threads of store.c are left out on purpose: cmocka's assertions must fail in the
 * test's own thread. Time is what the test says.
 */
#ifndef TESTS_UNIT_STORAGE_BENCH_H
#define TESTS_UNIT_STORAGE_BENCH_H

#include <sqlite3.h>
#include <unistd.h>

#include "storage/audit_impl.h"
#include "storage/record_impl.h"
#include "storage/session_impl.h"
#include "tests/lib/t.h"

static int64_t bench_now = INT64_C(1795334400000); /* 2026-11-22 JST */

static inline int64_t bench_clock(const struct clock *c)
{
    (void)c;
    return bench_now;
}
static const struct clock bench_clock_fixed = {bench_clock};
static const unsigned char bench_key[32] = "an invented key of 32 bytes ....";

struct bench {
    char dir[64];
    char db[96];
    char file[96]; /* checkpoint file outside */
    struct store_options options;
    struct session *s;
    struct arena *arena;
};

static inline void bench_begin(struct bench *b)
{
    b->s->own = true;
    assert_int_equal(sqlite3_exec(b->s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    b->s->own = false;
    b->s->transaction++;
}

static inline void bench_end(struct bench *b, bool commit)
{
    if (commit)
        assert_int_equal(index_words_enter(b->s), ERR_OK);
    index_words_back(b->s, (struct index_words_mark){0});
    b->s->own = true;
    assert_int_equal(sqlite3_exec(b->s->db, commit ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL),
                     SQLITE_OK);
    b->s->own = false;
    b->s->transaction++;
    if (commit)
        audit_copy_heads(b->s);
}

/* A session with a transaction begun. */
static inline void bench_session(struct bench *b)
{
    assert_int_equal(session_open(&b->options, true, &b->s), ERR_OK);
    bench_begin(b);
}

static inline int bench_open(void **state)
{
    struct bench *b = calloc(1, sizeof *b);

    snprintf(b->dir, sizeof b->dir, "/tmp/tasuki-test-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    snprintf(b->db, sizeof b->db, "%s/db", b->dir);
    snprintf(b->file, sizeof b->file, "%s/heads", b->dir);
    b->options = (struct store_options){
        .path = b->db, .checkpoint_path = b->file, .key = bench_key, .clock = &bench_clock_fixed};
    b->arena = arena_new(64u << 20);
    bench_session(b);
    *state = b;
    return 0;
}

static inline void bench_close_session(struct bench *b)
{
    if (!sqlite3_get_autocommit(b->s->db))
        bench_end(b, true);
    session_close(b->s);
    b->s = NULL;
}

static inline int bench_close(void **state)
{
    struct bench *b = *state;
    static const char *const tails[] = {"", "-wal", "-shm"};
    char path[128];

    if (b->s)
        bench_close_session(b);
    arena_free(b->arena);
    for (size_t i = 0; i < T_COUNT(tails); i++) {
        snprintf(path, sizeof path, "%s%s", b->db, tails[i]);
        unlink(path);
    }
    unlink(b->file);
    rmdir(b->dir);
    free(b);
    return 0;
}

/* The one number that TEXT selects, past every gate; NULL is -1. */
static inline int64_t bench_ask(struct bench *b, const char *text)
{
    sqlite3_stmt *stmt = NULL;
    int64_t value = -1;

    b->s->own = true;
    if (sqlite3_prepare_v2(b->s->db, text, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(b->s->db));
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    if (sqlite3_column_type(stmt, 0) != SQLITE_NULL)
        value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    b->s->own = false;
    return value;
}

static inline void bench_do(struct bench *b, const char *text)
{
    b->s->own = true;
    if (sqlite3_exec(b->s->db, text, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(b->s->db));
    b->s->own = false;
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, bench_open, bench_close)

#endif
