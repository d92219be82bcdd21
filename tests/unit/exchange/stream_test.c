/* SPDX-License-Identifier: Apache-2.0
 *
 * stream.c and listener.c without a protocol: one `closed` for every stream, closing from inside
 * `data`, pausing, the deadline, the cap on connections, what waits to be written, and closing a
 * listener with streams in every state.
 */
#include "exchange/net/stream.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/resource.h>

#include "base/limits.h"
#include "exchange/bench/client.h"
#include "exchange/net/quota.h"
#include "lib/loop.h"

#include "base/banned.h"

struct pool {
    struct loop loop;
    struct listener_options options;
    struct listener *listener;
    struct quota quota;
    unsigned short port;
    enum err err;
    bool done;
    struct net_figures figures;
    unsigned ready, closed, drained, late;
    uint64_t bytes;
    struct stream *last;
    bool in_data;
};

static void on_ready(struct stream *s)
{
    struct pool *p = stream_context(s);
    p->ready++;
    p->last = s;
    stream_set_data(s, p);
}

/* Commands by first byte: c close now, e echo and close, p pause, d deadline of 100 ms, w write 1
 * MiB, m 48 MiB, f flood; everything else is echoed. */
static void on_data(struct stream *s, struct slice bytes)
{
    static char block[LIMIT_MIB];
    struct pool *p = stream_data(s);
    assert_false(p->in_data);
    p->in_data = true;
    p->bytes += bytes.len;
    switch (bytes.ptr[0]) {
    case 'c':
        stream_close(s);
        stream_close(s);
        stream_write(s, SLICE("too late"));
        break;
    case 'e':
        stream_write(s, bytes);
        stream_close(s);
        break;
    case 'p':
        stream_pause(s);
        break;
    case 'd':
        stream_deadline(s, 60000);
        stream_deadline(s, 100);
        break;
    case 'w':
        stream_write(s, slice_of(block, sizeof(block)));
        break;
    case 'm':
        for (int i = 0; i < 48; i++)
            stream_write(s, slice_of(block, sizeof(block)));
        break;
    case 'f':
        for (int i = 0; i < 65; i++)
            stream_write(s, slice_of(block, sizeof(block)));
        break;
    default:
        stream_write(s, slice_sub(bytes, 0, 1));
        stream_write(s, slice_sub(bytes, 1, bytes.len));
    }
    p->in_data = false;
}

static void on_closed(struct stream *s)
{
    struct pool *p = stream_context(s);
    p->closed++;
    if (p->last == s)
        p->last = NULL;
}

static void on_drained(struct stream *s)
{
    struct pool *p = stream_context(s);
    p->drained++;
}

static void on_late(struct stream *s)
{
    struct pool *p = stream_context(s);
    p->late++;
    stream_write(s, SLICE("late"));
    stream_close(s);
}

static const struct stream_events EVENTS = {.ready = on_ready,
                                            .data = on_data,
                                            .closed = on_closed,
                                            .drained = on_drained,
                                            .late = on_late};

static void open_pool(void *context)
{
    struct pool *p = context;
    p->err = listener_open(&p->options, &p->listener);
    if (p->err == ERR_OK)
        p->port = listener_port(p->listener);
}

static void on_done(void *context)
{
    struct pool *p = context;
    p->done = true;
}

static void close_pool(void *context)
{
    struct pool *p = context;
    listener_close(p->listener, on_done, p);
}

static void count_pool(void *context)
{
    struct pool *p = context;
    listener_figures(p->listener, &p->figures);
}

static void resume_last(void *context)
{
    struct pool *p = context;
    stream_resume(p->last);
}

static void nothing(void *context)
{
    (void)context;
}

static void pool_start(struct pool *p)
{
    memset(p, 0, sizeof(*p));
    loop_init(&p->loop);
    quota_init(&p->quota, LIMIT_CONNECTIONS, 0);
    p->options = (struct listener_options){.loop = &p->loop.uv,
                                           .host = "127.0.0.1",
                                           .events = &EVENTS,
                                           .context = p,
                                           .quota = &p->quota};
    loop_call(&p->loop, open_pool, p);
    assert_int_equal(p->err, ERR_OK);
}

static void pool_stop(struct pool *p)
{
    loop_call(&p->loop, close_pool, p);
    loop_fini(&p->loop);
    assert_true(p->done);
    assert_int_equal(p->ready, p->closed);
    assert_int_equal(p->quota.open, 0);
}

static struct client *dial(const struct pool *p)
{
    struct client_options o = {.host = "127.0.0.1", .port = p->port};
    struct client *c = NULL;
    assert_int_equal(client_open(&o, &c), ERR_OK);
    return c;
}

static void say(struct client *c, const char *text)
{
    assert_int_equal(client_send(c, slice_str(text)), ERR_OK);
}

static void wait_for(struct pool *p, const unsigned *what, unsigned count)
{
    for (int i = 0; i < 1000 && *(const volatile unsigned *)what < count; i++) {
        usleep(2000);
        loop_call(&p->loop, nothing, NULL);
    }
    assert_int_equal(*what, count);
}

static void test_close_inside_data(void **state)
{
    struct pool p;
    struct slice got;
    (void)state;
    pool_start(&p);
    struct client *c = dial(&p);
    say(c, "c");
    assert_true(client_at_end(c));
    client_close(c);
    wait_for(&p, &p.closed, 1);
    c = dial(&p);
    say(c, "e\x0b"
           "answer\x1c\r");
    assert_int_equal(client_read_mllp(c, &got), ERR_MALFORMED); /* it came, all of it */
    client_close(c);
    wait_for(&p, &p.closed, 2);
    pool_stop(&p);
}

static void test_echo(void **state)
{
    struct pool p;
    struct slice got;
    (void)state;
    pool_start(&p);
    struct client *c = dial(&p);
    say(c, "\x0bhello\x1c\r");
    assert_int_equal(client_read_mllp(c, &got), ERR_OK);
    assert_slice(got, "hello");
    wait_for(&p, &p.drained, 1); /* once for the two writes of one turn */
    assert_int_equal(p.bytes, 8);
    client_close(c);
    wait_for(&p, &p.closed, 1);
    pool_stop(&p);
}

static void test_pause(void **state)
{
    struct pool p;
    struct slice got;
    (void)state;
    pool_start(&p);
    struct client *c = dial(&p);
    say(c, "p");
    for (int i = 0; i < 1000 && *(volatile uint64_t *)&p.bytes < 1; i++)
        usleep(2000);
    say(c, "\x0bx\x1c\r");
    usleep(50000);
    assert_int_equal(p.bytes, 1);
    loop_call(&p.loop, resume_last, &p);
    assert_int_equal(client_read_mllp(c, &got), ERR_OK);
    assert_int_equal(p.bytes, 5);
    client_close(c);
    pool_stop(&p);
}

static void test_deadline(void **state)
{
    struct pool p;
    struct slice got;
    (void)state;
    pool_start(&p);
    struct client *c = dial(&p);
    uint64_t begin = loop_now_ms();
    say(c, "d");
    assert_int_equal(client_read_mllp(c, &got), ERR_GONE); /* "late", then the end */
    assert_in_range(loop_now_ms() - begin, 90, 3000);
    client_close(c);
    wait_for(&p, &p.late, 1);
    wait_for(&p, &p.closed, 1);
    loop_call(&p.loop, count_pool, &p);
    assert_int_equal(p.figures.faults[NET_LATE], 1);
    pool_stop(&p);
}

/* More than the cap is never kept waiting: the stream is given up. */
static void test_flood(void **state)
{
    struct pool p;
    struct slice got;
    (void)state;
    pool_start(&p);
    struct client *c = dial(&p);
    say(c, "f");
    assert_int_equal(client_read_mllp(c, &got), ERR_GONE);
    client_close(c);
    wait_for(&p, &p.closed, 1);
    loop_call(&p.loop, count_pool, &p);
    assert_int_equal(p.figures.faults[NET_STALLED], 1);
    pool_stop(&p);
}

static void test_cap(void **state)
{
    struct pool p;
    struct slice got;
    (void)state;
    pool_start(&p);
    struct client *first = dial(&p);
    say(first, "x");
    wait_for(&p, &p.ready, 1);
    p.quota.cap = 2;
    struct client *second = dial(&p);
    wait_for(&p, &p.ready, 2);
    struct client *third = dial(&p);
    assert_true(client_at_end(third));
    assert_int_equal(p.ready, 2);
    client_close(second);
    wait_for(&p, &p.closed, 1);
    struct client *fourth = dial(&p);
    say(fourth, "\x0b"
                "4\x1c\r");
    assert_int_equal(client_read_mllp(fourth, &got), ERR_OK);
    loop_call(&p.loop, count_pool, &p);
    assert_int_equal(p.figures.faults[NET_FULL], 1);
    assert_int_equal(p.figures.accepted, 3);
    assert_int_equal(p.figures.open, 2);
    client_close(first);
    client_close(third);
    client_close(fourth);
    wait_for(&p, &p.closed, 3);
    pool_stop(&p);
}

/* One address holds its share and no more, whoever else has room. */
static void test_share(void **state)
{
    struct pool p;
    (void)state;
    pool_start(&p);
    p.quota.share = 2;
    struct client *c[3];
    for (unsigned i = 0; i < 3; i++)
        c[i] = dial(&p);
    assert_true(client_at_end(c[2]));
    wait_for(&p, &p.ready, 2);
    loop_call(&p.loop, count_pool, &p);
    assert_int_equal(p.figures.faults[NET_SHARE], 1);
    assert_int_equal(p.figures.faults[NET_FULL], 0);
    client_close(c[0]);
    wait_for(&p, &p.closed, 1);
    struct client *again = dial(&p);
    wait_for(&p, &p.ready, 3);
    client_close(again);
    client_close(c[1]);
    client_close(c[2]);
    wait_for(&p, &p.closed, 3);
    pool_stop(&p);
}

/* With no file for another connection the loop goes on, does not spin, and takes who waits when
 * there is one. */
static void test_out_of_files(void **state)
{
    static int filler[4096];
    struct pool p;
    struct rlimit before, low;
    unsigned count = 0;
    char got = 0;
    (void)state;
    pool_start(&p);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(p.port)};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    int mine = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(mine >= 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = before;
    low.rlim_cur = (rlim_t)mine + 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    while (count < T_COUNT(filler) && (filler[count] = open("/dev/null", O_RDONLY)) >= 0)
        count++;
    assert_in_range(count, 1, T_COUNT(filler) - 1);
    assert_int_equal(connect(mine, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(send(mine, "x", 1, 0), 1);
    for (int i = 0; i < 2000 && p.figures.faults[NET_NO_FILES] < 2; i++) {
        usleep(5000);
        loop_call(&p.loop, count_pool, &p); /* the loop answers */
    }
    assert_in_range(p.figures.faults[NET_NO_FILES], 2,
                    200); /* a pause each; a loop that spins counts thousands */
    assert_int_equal(p.ready, 0);
    while (count > 0)
        close(filler[--count]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(recv(mine, &got, 1, 0), 1);
    assert_int_equal(got, 'x');
    close(mine);
    wait_for(&p, &p.closed, 1);
    pool_stop(&p);
}

/* A peer that stops reading is given up after the stall limit; one that reads slowly is not. */
static void test_stall(void **state)
{
    struct pool p;
    struct slice got;
    (void)state;
    pool_start(&p);
    struct client *stuck = dial(&p), *slow = dial(&p);
    uint64_t begin = loop_now_ms();
    say(stuck, "m"); /* far more than two sockets hold, and than the slow one reads meanwhile */
    say(slow, "m");
    while (loop_now_ms() - begin < LIMIT_WRITE_STALL_MS + 3000) {
        static char bytes[262144]; /* at a pace that a busy machine does not turn into a stall */
        usleep(400000);
        assert_int_equal(client_read_raw(slow, bytes, sizeof(bytes)), ERR_OK);
    }
    wait_for(&p, &p.closed, 1); /* a busy machine's timers are late */
    loop_call(&p.loop, count_pool, &p);
    assert_int_equal(p.figures.faults[NET_STALLED], 1);
    assert_int_equal(p.closed, 1);
    say(slow, "c");
    assert_int_equal(client_read_mllp(slow, &got), ERR_GONE);
    client_close(stuck);
    client_close(slow);
    wait_for(&p, &p.closed, 2);
    pool_stop(&p);
}

/* Idle, paused, lingering, and one that never reads what waits for it. */
static void test_close_listener(void **state)
{
    struct pool p;
    (void)state;
    pool_start(&p);
    struct client *c[4];
    for (unsigned i = 0; i < 4; i++) {
        c[i] = dial(&p);
        wait_for(&p, &p.ready, i + 1);
    }
    say(c[1], "p");
    say(c[2], "c");
    say(c[3], "w");
    usleep(50000);
    uint64_t begin = loop_now_ms();
    loop_call(&p.loop, close_pool, &p);
    assert_true(client_at_end(c[0]));
    client_close(c[3]);
    loop_fini(&p.loop);
    assert_true(loop_now_ms() - begin < 5000);
    assert_true(p.done);
    assert_int_equal(p.closed, 4);
    for (unsigned i = 0; i < 3; i++)
        client_close(c[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_close_inside_data),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_out_of_files),
        cmocka_unit_test(test_stall),
        cmocka_unit_test(test_close_listener),
    };
    return T_RUN(tests);
}
