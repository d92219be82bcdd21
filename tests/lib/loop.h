/* SPDX-License-Identifier: Apache-2.0
 *
 * A libuv loop on a thread of its own, so that a test can talk to a server of the same process with
 * blocking calls and assert in the main thread. Work for the loop is handed over by loop_call,
 * which waits. loop_fini insists that every handle was closed.
 */
#ifndef TESTS_LIB_LOOP_H
#define TESTS_LIB_LOOP_H

#include <pthread.h>
#include <semaphore.h>
#include <uv.h>

#include "lib/t.h"

struct loop {
    uv_loop_t uv;
    uv_async_t poke;
    pthread_t thread;
    sem_t done;
    void (*work)(void *context);
    void *context;
    bool stopping;
};

static inline void loop_on_poke(uv_async_t *poke)
{
    struct loop *l = poke->data;
    if (l->work)
        l->work(l->context);
    l->work = NULL;
    if (l->stopping)
        uv_close((uv_handle_t *)poke, NULL);
    sem_post(&l->done);
}

static inline void *loop_run(void *argument)
{
    struct loop *l = argument;
    uv_run(&l->uv, UV_RUN_DEFAULT);
    return NULL;
}

static inline void loop_init(struct loop *l)
{
    memset(l, 0, sizeof(*l));
    sem_init(&l->done, 0, 0);
    assert_int_equal(uv_loop_init(&l->uv), 0);
    assert_int_equal(uv_async_init(&l->uv, &l->poke, loop_on_poke), 0);
    l->poke.data = l;
    assert_int_equal(pthread_create(&l->thread, NULL, loop_run, l), 0);
}

/* Runs WORK on the loop's thread and waits until it returned. */
static inline void loop_call(struct loop *l, void (*work)(void *context), void *context)
{
    l->work = work;
    l->context = context;
    uv_async_send(&l->poke);
    while (sem_wait(&l->done) != 0)
        ;
}

/* Waits until the loop has nothing left: whatever was opened on it must be closing. */
static inline void loop_fini(struct loop *l)
{
    l->stopping = true;
    loop_call(l, NULL, NULL);
    pthread_join(l->thread, NULL);
    assert_int_equal(uv_loop_close(&l->uv), 0);
    sem_destroy(&l->done);
}

static inline uint64_t loop_now_ms(void)
{
    return uv_hrtime() / 1000000;
}

#endif
