/* SPDX-License-Identifier: Apache-2.0
 *
 * The log writes one line per event whatever the fields hold, and from several threads at once.
 */
#include "lib/t.h"

#include <pthread.h>

#include "base/log.h"

#include "base/banned.h"

struct capture {
    FILE *file;
    char *text;
    size_t len;
};

static void capture_begin(struct capture *c, enum log_level level)
{
    c->file = open_memstream(&c->text, &c->len);
    log_open(c->file, level);
}

static void capture_end(struct capture *c)
{
    log_open(NULL, LOG_INFO_LEVEL);
    fclose(c->file);
}

static void writes_one_line(void **state)
{
    struct capture c;
    (void)state;
    capture_begin(&c, LOG_INFO_LEVEL);
    log_info("door_open", "port=%d name=%s", 8443, "mllp");
    capture_end(&c);
    /* 2026-11-22T17:00:00.000+09:00 and a space come first */
    assert_int_equal(c.text[10], 'T');
    assert_memory_equal(c.text + 23, "+09:00 ", 7);
    assert_slice(slice_sub(slice_str(c.text), 30, 100), "INFO door_open port=8443 name=mllp\n");
    free(c.text);
}

static void escapes_control_characters(void **state)
{
    struct capture c;
    (void)state;
    capture_begin(&c, LOG_WARN_LEVEL);
    log_warn("e\nx", "a=%s", "1\r\n2026 INFO forged\t\x1B[31m\x7F日本");
    capture_end(&c);
    assert_slice(slice_sub(slice_str(c.text), 30, 200),
                 "WARN e\\x0Ax a=1\\x0D\\x0A2026 INFO forged\\x09\\x1B[31m\\x7F日本\n");
    free(c.text);
}

static void keeps_the_level(void **state)
{
    struct capture c;
    (void)state;
    capture_begin(&c, LOG_WARN_LEVEL);
    log_info("no", "a=%d", 1);
    log_event(LOG_DEBUG_LEVEL, "no", "a=%d", 1);
    log_error("yes", "a=%d", 1);
    log_event(LOG_WARN_LEVEL, "bare", NULL);
    capture_end(&c);
    assert_int_equal(slice_search(slice_str(c.text), SLICE(" no"), 0), c.len);
    assert_true(slice_search(slice_str(c.text), SLICE("ERROR yes a=1\n"), 0) < c.len);
    assert_true(slice_ends(slice_str(c.text), SLICE("WARN bare\n")));
    free(c.text);
}

static void cuts_long_lines(void **state)
{
    struct capture c;
    (void)state;
    for (int width = 2046; width <= 2050; width++) {
        capture_begin(&c, LOG_INFO_LEVEL);
        log_info("long", "%*d", width, 1);
        capture_end(&c);
        assert_int_equal(slice_find(slice_str(c.text), '\n', 0), c.len - 1);
        assert_int_equal(slice_ends(slice_str(c.text), SLICE("...\n")), width > 2047);
        free(c.text);
    }
}

static void *write_many(void *arg)
{
    for (int i = 0; i < 500; i++)
        log_info("thread", "name=%s", (const char *)arg);
    return NULL;
}

static void assert_whole_line(struct slice line)
{
    struct slice name = slice_sub(line, line.len - 99, 99);
    assert_int_equal(line.len, 30 + strlen("INFO thread name=") + 99);
    for (size_t i = 0; i < name.len; i++)
        assert_int_equal(name.ptr[i], name.ptr[0]);
}

/* Into a real file: the thread sanitizer does not know the lock inside a memory stream. */
static void keeps_threads_apart(void **state)
{
    static char names[4][100];
    static char line[1000];
    FILE *file = tmpfile();
    pthread_t threads[4];
    unsigned lines = 0;
    (void)state;
    assert_non_null(file);
    log_open(file, LOG_INFO_LEVEL);
    for (size_t i = 0; i < T_COUNT(threads); i++) {
        memset(names[i], (int)('a' + i), sizeof(names[i]) - 1);
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, names[i]), 0);
    }
    for (size_t i = 0; i < T_COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    log_open(NULL, LOG_INFO_LEVEL);
    rewind(file);
    for (; fgets(line, sizeof(line), file); lines++)
        assert_whole_line(slice_of(line, strlen(line) - 1));
    assert_int_equal(lines, 2000);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_one_line),     cmocka_unit_test(escapes_control_characters),
        cmocka_unit_test(keeps_the_level),     cmocka_unit_test(cuts_long_lines),
        cmocka_unit_test(keeps_threads_apart),
    };
    return T_RUN(tests);
}
