/* SPDX-License-Identifier: Apache-2.0
 *
 * front.c with a trade of one byte a command: every guest arrives once and parts once, closing
 * waits for what is worked on and lets it be answered, work may outlive its guest, and the last to
 * go frees the front.
 */
#include "exchange/net/front.h"

#include "exchange/bench/client.h"
#include "lib/loop.h"

#include "base/banned.h"

struct visitor {
    struct guest guest;
    bool at_work;
};

struct inn {
    struct front front;
    unsigned arrived, left,
        told;                /* guests that came, whose stream went, that heard of the closing */
    struct visitor *at_work; /* the last that asked for work */
};

struct world {
    struct loop loop;
    struct inn *inn;
    unsigned short port;
    enum err err;
    bool done;
    struct net_figures figures;
};

static struct inn *inn_of(struct guest *g)
{
    return (struct inn *)g->front;
}

static void on_arrived(struct guest *g)
{
    inn_of(g)->arrived++;
    assert_ptr_equal(stream_data(g->stream), g);
    assert_true(g->peer.address[0] != '\0');
}

static void on_left(struct guest *g)
{
    inn_of(g)->left++;
    assert_null(g->stream);
    if (!((struct visitor *)g)->at_work)
        front_part(g);
}

static void on_closing(struct guest *g)
{
    inn_of(g)->told++;
    if (!((struct visitor *)g)->at_work)
        stream_close(g->stream);
}

/* w: begin work; q: leave; anything else is echoed. */
static void on_data(struct stream *s, struct slice bytes)
{
    struct visitor *v = stream_data(s);
    if (bytes.ptr[0] == 'w') {
        v->at_work = true;
        inn_of(&v->guest)->at_work = v;
        front_begin(v->guest.front);
    } else if (bytes.ptr[0] == 'q') {
        stream_close(s);
    } else {
        stream_write(s, bytes);
    }
}

static const struct front_trade TRADE = {.guest_size = sizeof(struct visitor),
                                         .arrived = on_arrived,
                                         .left = on_left,
                                         .closing = on_closing,
                                         .data = on_data};

static void open_inn(void *context)
{
    struct world *w = context;
    struct listener_options where = {.loop = &w->loop.uv, .host = "127.0.0.1", .port = w->port};
    struct front *front = NULL;
    w->err = front_open(&TRADE, sizeof(struct inn), &where, &front);
    if (w->err)
        return;
    w->inn = (struct inn *)front;
    w->port = front_port(front);
}

static void on_done(void *context)
{
    struct world *w = context;
    w->done = true;
    w->inn = NULL;
}

static void close_inn(void *context)
{
    struct world *w = context;
    front_close(&w->inn->front, on_done, w);
    assert_true(w->done || front_is_closing(&w->inn->front));
}

/* What was worked on is done: answered if the guest is still there, who leaves. */
static void finish_work(void *context)
{
    struct world *w = context;
    struct visitor *v = w->inn->at_work;
    struct front *front = v->guest.front;
    v->at_work = false;
    if (v->guest.stream) {
        stream_write(v->guest.stream, SLICE("\x0b"
                                            "done\x1c\r"));
        stream_close(v->guest.stream);
    } else {
        front_part(&v->guest);
    }
    front_finish(front);
}

static void count(void *context)
{
    struct world *w = context;
    front_figures(&w->inn->front, &w->figures);
}

static void nothing(void *context)
{
    (void)context;
}

static void start(struct world *w)
{
    memset(w, 0, sizeof(*w));
    loop_init(&w->loop);
    loop_call(&w->loop, open_inn, w);
    assert_int_equal(w->err, ERR_OK);
}

static struct client *dial(const struct world *w)
{
    struct client_options o = {.host = "127.0.0.1", .port = w->port, .timeout_ms = 20000};
    struct client *c = NULL;
    assert_int_equal(client_open(&o, &c), ERR_OK);
    return c;
}

static void say(struct client *c, const char *text)
{
    assert_int_equal(client_send(c, slice_str(text)), ERR_OK);
}

static void wait_for(struct world *w, const unsigned *what, unsigned wanted)
{
    for (int i = 0; i < 5000 && *(const volatile unsigned *)what != wanted; i++) {
        usleep(1000);
        loop_call(&w->loop, nothing, NULL);
    }
    assert_int_equal(*what, wanted);
}

static void test_guests(void **state)
{
    struct world w;
    struct client *c[20];
    struct slice got;
    (void)state;
    start(&w);
    for (unsigned i = 0; i < T_COUNT(c); i++) {
        c[i] = dial(&w);
        say(c[i], "\x0bhello\x1c\r");
        assert_int_equal(client_read_mllp(c[i], &got), ERR_OK);
        assert_slice(got, "hello");
    }
    wait_for(&w, &w.inn->front.guest_count, 20);
    for (unsigned i = 0; i < T_COUNT(c); i++) {
        if (i % 2)
            say(c[i], "q");
        if (i % 2)
            assert_true(client_at_end(c[i]));
        client_close(c[i]);
    }
    wait_for(&w, &w.inn->left, 20);
    assert_int_equal(w.inn->arrived, 20);
    assert_int_equal(w.inn->front.guest_count, 0);
    loop_call(&w.loop, count, &w);
    assert_int_equal(w.figures.accepted, 20);
    assert_int_equal(w.figures.open, 0);
    loop_call(&w.loop, close_inn, &w);
    loop_fini(&w.loop);
    assert_true(w.done);
}

/* The idle go at once, nobody new comes, who is worked for hears the answer; then the front is
 * gone. */
static void test_closing_waits(void **state)
{
    struct world w;
    struct client *late = NULL;
    struct slice got;
    (void)state;
    start(&w);
    struct client *idle = dial(&w), *busy = dial(&w);
    say(busy, "w");
    wait_for(&w, &w.inn->front.working, 1);
    wait_for(&w, &w.inn->arrived, 2);
    loop_call(&w.loop, close_inn, &w);
    assert_int_equal(w.inn->told, 2);
    assert_true(client_at_end(idle));
    struct client_options o = {.host = "127.0.0.1", .port = w.port};
    assert_int_equal(client_open(&o, &late), ERR_IO);
    assert_false(w.done);
    assert_int_equal(w.inn->front.state, FRONT_DRAINING);
    loop_call(&w.loop, finish_work, &w);
    assert_int_equal(client_read_mllp(busy, &got), ERR_OK);
    assert_slice(got, "done");
    assert_true(client_at_end(busy));
    client_close(busy);
    client_close(idle);
    loop_fini(&w.loop);
    assert_true(w.done);
}

/* A guest that leaves while it is worked for: closing waits for the work, and the end of both comes
 * once. */
static void test_work_outlives_guest(void **state)
{
    struct world w;
    (void)state;
    start(&w);
    struct client *c = dial(&w);
    say(c, "w");
    wait_for(&w, &w.inn->front.working, 1);
    client_close(c);
    wait_for(&w, &w.inn->left, 1);
    assert_int_equal(w.inn->front.guest_count, 1);
    loop_call(&w.loop, finish_work, &w);
    wait_for(&w, &w.inn->front.guest_count, 0);
    c = dial(&w);
    say(c, "w");
    wait_for(&w, &w.inn->front.working, 1);
    client_close(c);
    wait_for(&w, &w.inn->left, 2);
    loop_call(&w.loop, close_inn, &w);
    assert_false(w.done);
    loop_call(&w.loop, finish_work, &w);
    loop_fini(&w.loop);
    assert_true(w.done);
}

static void test_port_taken(void **state)
{
    struct world w, second;
    (void)state;
    start(&w);
    memset(&second, 0, sizeof(second));
    loop_init(&second.loop);
    second.port = w.port;
    loop_call(&second.loop, open_inn, &second);
    assert_int_equal(second.err, ERR_IO);
    loop_fini(&second.loop);
    loop_call(&w.loop, close_inn, &w);
    loop_fini(&w.loop);
    assert_true(w.done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guests),
        cmocka_unit_test(test_closing_waits),
        cmocka_unit_test(test_work_outlives_guest),
        cmocka_unit_test(test_port_taken),
    };
    return T_RUN(tests);
}
