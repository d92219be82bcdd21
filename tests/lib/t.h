/* SPDX-License-Identifier: Apache-2.0
 *
 * What every unit test includes: cmocka with the headers it wants before it, and the few words our
 * tests share. Kept thin on purpose: a reader should need to know cmocka only.
 */
#ifndef TESTS_LIB_T_H
#define TESTS_LIB_T_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/slice.h"

/* return T_RUN(tests); at the end of main. */
#define T_RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)
#define T_COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline void t_assert_slice(struct slice got, struct slice want, const char *file, int line)
{
    if (slice_eq(got, want))
        return;
    print_error("got  (%zu bytes): %.*s\nwant (%zu bytes): %.*s\n", got.len, SLICE_ARG(got),
                want.len, SLICE_ARG(want));
    _fail(file, line);
}

/* A slice, and the content of a buffer that has not failed, hold exactly TEXT. */
#define assert_slice(got, text) t_assert_slice((got), slice_str(text), __FILE__, __LINE__)
#define assert_buf(buf, text)                                                                      \
    do {                                                                                           \
        assert_int_equal(buf_err(buf), ERR_OK);                                                    \
        t_assert_slice(buf_slice(buf), slice_str(text), __FILE__, __LINE__);                       \
    } while (0)

/* The path of a folder or file of the corpora in $TASUKI_CORPORA or beside the tree, into PATH of
 * SIZE bytes. False, said by name, when it is absent: then the test calls skip(). */
static inline bool t_corpus(const char *name, char *path, size_t size)
{
    struct stat info;
    const char *root = getenv("TASUKI_CORPORA");
    snprintf(path, size, "%s/%s", root ? root : "../shared/data", name);
    if (stat(path, &info) == 0)
        return true;
    printf("skipped: corpus %s is not here\n", name);
    return false;
}

#endif
