/* SPDX-License-Identifier: Apache-2.0
 *
 * One holder of a store's lock at a time, whatever name the store is called by; the lock file alone
 * locks nothing, and the end of a process lets go.
 */
#include "storage/lock.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/t.h"

#include "lib/store_fixture.h"

#include "base/banned.h"

static void test_one_holder(void **state)
{
    struct fixture f;
    int lock = -1, other = -1;

    (void)state;
    fixture_new(&f);
    assert_int_equal(lock_take(f.path, &lock), ERR_OK);
    assert_int_equal(lock_take(f.path, &other), ERR_UNAVAILABLE);
    assert_int_equal(other, -1);
    lock_release(lock);
    assert_int_equal(lock_take(f.path, &other), ERR_OK); /* the file is still there */
    lock_release(other);
    lock_release(-1);
    fixture_remove(&f);
    arena_free(f.arena);
}

/* The store may be called by a link, and be there or not. */
static void test_names(void **state)
{
    struct fixture f;
    char link_path[128], odd[128], whole[PATH_MAX], want[PATH_MAX];
    struct stat st;
    int lock = -1, other = -1;

    (void)state;
    fixture_new(&f);
    (void)snprintf(link_path, sizeof link_path, "%s/link.db", f.folder);
    (void)snprintf(odd, sizeof odd, "%s/./store.db", f.folder);
    assert_int_equal(lock_resolve(odd, whole), ERR_OK);
    assert_non_null(realpath(f.folder, want));
    (void)snprintf(want + strlen(want), sizeof want - strlen(want), "/store.db");
    assert_string_equal(whole, want);
    assert_int_equal(fixture_try_open(&f, 1), ERR_OK);
    store_close(f.store);
    assert_int_equal(symlink(f.path, link_path), 0);
    assert_int_equal(lock_take(f.path, &lock), ERR_OK);
    assert_int_equal(lock_take(link_path, &other), ERR_UNAVAILABLE);
    assert_int_equal(lock_take(odd, &other), ERR_UNAVAILABLE);
    (void)snprintf(odd, sizeof odd, "%s.lock", f.path);
    assert_int_equal(stat(odd, &st), 0);
    assert_int_equal(st.st_mode & 0777u, 0600);
    lock_release(lock);
    assert_int_equal(lock_take("/nonexistent/folder/store.db", &other), ERR_IO);
    fixture_remove(&f);
    arena_free(f.arena);
}

static void test_killed_holder(void **state)
{
    struct fixture f;
    int lock = -1, told[2];
    char byte = 0;

    (void)state;
    fixture_new(&f);
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        byte = lock_take(f.path, &lock) == ERR_OK ? 'y' : 'n';
        (void)!write(told[1], &byte, 1);
        (void)pause();
        _exit(0);
    }
    assert_int_equal(read(told[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    assert_int_equal(lock_take(f.path, &lock), ERR_UNAVAILABLE);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(lock_take(f.path, &lock), ERR_OK);
    lock_release(lock);
    (void)close(told[0]);
    (void)close(told[1]);
    fixture_remove(&f);
    arena_free(f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_holder),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_killed_holder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
