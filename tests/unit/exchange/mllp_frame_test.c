/* SPDX-License-Identifier: Apache-2.0
 *
 * mllp.c: the deframer against a table, then the door over real sockets: order, answers given
 * later, frames in pieces, several at once, and every framing fault counted and ending its
 * connection with nothing handed over.
 */
#include "exchange/net/mllp.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "base/log.h"
#include "exchange/bench/client.h"
#include "lib/loop.h"

#include "base/banned.h"

#define VT "\x0b"
#define END "\x1c\r"

struct frame_case {
    const char *name;
    struct slice bytes;
    enum mllp_state expect;
    const char *frame;
    size_t used;
};
#define C(name, text, expect, frame, used)                                                         \
    {                                                                                              \
        name, {text, sizeof(text) - 1}, expect, frame, used                                        \
    }

static const struct frame_case FRAMES[] = {
    C("nothing", "", MLLP_MORE, NULL, 0),
    C("start only", VT, MLLP_MORE, NULL, 0),
    C("no end", VT "MSH|", MLLP_MORE, NULL, 0),
    C("FS at the end", VT "MSH|\x1c", MLLP_MORE, NULL, 0),
    C("one", VT "MSH|\rPID|" END, MLLP_FRAME, "MSH|\rPID|", 12),
    C("empty", VT END, MLLP_FRAME, "", 3),
    C("FS CR LF", VT "A" END "\n", MLLP_FRAME, "A", 4),
    C("CR LF before", "\r\n\r" VT "A" END, MLLP_FRAME, "A", 7),
    C("CR LF only", "\r\n", MLLP_MORE, NULL, 2),
    C("CR LF and start", "\r\n" VT "A", MLLP_MORE, NULL, 2),
    C("two", VT "A" END VT "B" END, MLLP_FRAME, "A", 4),
    C("no start", "MSH|" END, MLLP_BAD, NULL, 0),
    C("space before", " " VT "A" END, MLLP_BAD, NULL, 0),
    C("end first", END, MLLP_BAD, NULL, 0),
    C("VT inside", VT "A" VT "B" END, MLLP_BAD, NULL, 0),
    C("VT VT", VT VT "B" END, MLLP_BAD, NULL, 0),
    C("VT inside, no end", VT "A" VT "B", MLLP_BAD, NULL, 0),
    C("FS inside",
      VT "A\x1c"
         "B" END,
      MLLP_BAD, NULL, 0),
    C("FS LF", VT "A\x1c\n", MLLP_BAD, NULL, 0),
    C("FS FS CR", VT "A\x1c" END, MLLP_BAD, NULL, 0),
    C("HTTP", "GET / HTTP/1.1\r\n", MLLP_BAD, NULL, 0),
    C("NUL first", "\0" VT "A" END, MLLP_BAD, NULL, 0),
};

static void test_deframe(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(FRAMES); i++) {
        struct slice frame = SLICE_NONE;
        size_t used = 0;
        enum mllp_state got = mllp_deframe(FRAMES[i].bytes, &frame, &used);
        if (got != FRAMES[i].expect || used != FRAMES[i].used)
            print_error("%s: state %d, used %zu\n", FRAMES[i].name, (int)got, used);
        assert_int_equal(got, FRAMES[i].expect);
        assert_int_equal(used, FRAMES[i].used);
        if (FRAMES[i].frame)
            assert_slice(frame, FRAMES[i].frame);
    }
}

/* ---- the door ---- */

struct door {
    struct loop loop;
    struct mllp_options options;
    struct mllp_server *server;
    unsigned short port;
    enum err err;
    struct mllp_call *held;
    struct mllp_figures figures;
    FILE *log;
    char *log_text;
    size_t log_len;
};

/* Answers "ACK:" and the message; holds "hold", says nothing to "mute", closes after "bye". */
static void handle(struct mllp_call *call, void *context)
{
    struct door *door = context;
    struct buf b;
    struct slice frame = mllp_call_frame(call);
    if (slice_is(frame, "hold")) {
        door->held = call;
        return;
    }
    buf_init(&b, LIMIT_MLLP_FRAME + 4);
    if (mllp_call_fault(call)) {
        assert_int_equal(mllp_call_fault(call), ERR_TOO_LARGE);
        buf_adds(&b, "too large:");
        buf_add(&b, slice_sub(frame, 0, 8));
        mllp_answer(call, buf_slice(&b), false);
        buf_fini(&b);
        return;
    }
    buf_adds(&b, "ACK:");
    buf_add(&b, frame);
    mllp_answer(call, slice_is(frame, "mute") ? SLICE_NONE : buf_slice(&b), slice_is(frame, "bye"));
    buf_fini(&b);
}

static void open_door(void *context)
{
    struct door *door = context;
    door->err = mllp_open(&door->options, &door->server);
    if (door->err == ERR_OK)
        door->port = mllp_port(door->server);
}

static void close_door(void *context)
{
    struct door *door = context;
    mllp_close(door->server, NULL, NULL);
}

static void count_door(void *context)
{
    struct door *door = context;
    mllp_figures(door->server, &door->figures);
}

static void release(void *context)
{
    struct door *door = context;
    mllp_answer(door->held, SLICE("held"), false);
    door->held = NULL;
}

static void start_with(struct door *door, unsigned frame_ms)
{
    memset(door, 0, sizeof(*door));
    door->log = open_memstream(&door->log_text, &door->log_len);
    log_open(door->log, LOG_INFO_LEVEL);
    loop_init(&door->loop);
    door->options = (struct mllp_options){
        .where = {.loop = &door->loop.uv, .host = "127.0.0.1"}, .handle = handle, .context = door};
    door->options.frame_ms = frame_ms;
    loop_call(&door->loop, open_door, door);
    assert_int_equal(door->err, ERR_OK);
}

static void door_start(struct door *door)
{
    start_with(door, 0);
}

static void door_stop(struct door *door)
{
    loop_call(&door->loop, close_door, door);
    loop_fini(&door->loop);
    log_open(stderr, LOG_INFO_LEVEL);
    fclose(door->log);
    free(door->log_text);
}

static struct client *dial(const struct door *door)
{
    struct client_options o = {.host = "127.0.0.1", .port = door->port, .timeout_ms = 20000};
    struct client *c = NULL;
    assert_int_equal(client_open(&o, &c), ERR_OK);
    return c;
}

static void say(struct client *c, struct slice bytes)
{
    assert_int_equal(client_send(c, bytes), ERR_OK);
}

static struct slice hear(struct client *c)
{
    struct slice frame = SLICE_NONE;
    assert_int_equal(client_read_mllp(c, &frame), ERR_OK);
    return frame;
}

static void test_messages(void **state)
{
    struct door door;
    struct slice got;
    (void)state;
    door_start(&door);
    struct client *c = dial(&door);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(client_mllp(c, SLICE("MSH|\rPID|\r"), &got), ERR_OK);
        assert_slice(got, "ACK:MSH|\rPID|\r");
    }
    say(c, SLICE(VT "a" END VT "b" END "\n" VT "mute" END "\r\n" VT "c"));
    assert_slice(hear(c), "ACK:a");
    assert_slice(hear(c), "ACK:b");
    const struct slice rest = SLICE("d" END VT "e" END);
    for (size_t i = 0; i < rest.len; i++)
        say(c, slice_sub(rest, i, 1));
    assert_slice(hear(c), "ACK:cd");
    assert_slice(hear(c), "ACK:e");
    assert_int_equal(client_mllp(c, SLICE("bye"), &got), ERR_OK);
    assert_slice(got, "ACK:bye");
    assert_true(client_at_end(c));
    client_close(c);
    loop_call(&door.loop, count_door, &door);
    assert_int_equal(door.figures.frames, 106);
    assert_int_equal(door.figures.framing_errors, 0);
    assert_int_equal(door.figures.net.accepted, 1);
    door_stop(&door);
}

static void wait_held(const struct door *door)
{
    for (int i = 0; i < 1000 && !*(struct mllp_call *const volatile *)&door->held; i++)
        usleep(5000);
    assert_non_null(door->held);
}

static void test_answer_later(void **state)
{
    struct door door;
    struct buf b;
    (void)state;
    door_start(&door);
    struct client *c = dial(&door);
    say(c, SLICE(VT "hold" END VT "a" END));
    wait_held(&door);
    buf_init(&b, LIMIT_MIB);
    for (int i = 0; i < 20000; i++)
        buf_addf(&b, VT "%d" END, i);
    say(c, buf_slice(&b));
    usleep(50000);
    loop_call(&door.loop, release, &door);
    assert_slice(hear(c), "held");
    assert_slice(hear(c), "ACK:a");
    for (int i = 0; i < 20000; i++) {
        char want[32];
        snprintf(want, sizeof(want), "ACK:%d", i);
        assert_slice(hear(c), want);
    }
    say(c, SLICE(VT "hold" END)); /* and the peer goes while it runs */
    wait_held(&door);
    client_close(c);
    usleep(50000);
    loop_call(&door.loop, release, &door);
    buf_fini(&b);
    loop_call(&door.loop, count_door, &door);
    assert_int_equal(door.figures.framing_errors, 0);
    door_stop(&door);
}

/* The key of a frame is its first letter; of '?' none is known. */
static void keys_of(struct slice frame, struct mllp_keys *ret_keys)
{
    if (frame.len == 0 || frame.ptr[0] == '?')
        return;
    ret_keys->keys[0] = (unsigned char)frame.ptr[0];
    ret_keys->count = 1;
}

struct crossing {
    struct door door;
    char ran[256]; /* frames in the order they were handed over */
    struct mllp_call *held[16];
    unsigned held_count;
};

/* Holds what ends with '!'; answers the others at once, with a first part. */
static void handle_crossing(struct mllp_call *call, void *context)
{
    struct crossing *x = context;
    struct slice frame = mllp_call_frame(call);
    size_t len = strlen(x->ran);
    snprintf(x->ran + len, sizeof(x->ran) - len, "%.*s ", SLICE_ARG(frame));
    if (frame.ptr[frame.len - 1] == '!') {
        x->held[x->held_count++] = call;
        return;
    }
    mllp_say(call, SLICE("first"));
    mllp_answer(call, frame, slice_is(frame, "?bye"));
}

static void release_first(void *context)
{
    struct crossing *x = context;
    struct mllp_call *call = x->held[0];
    memmove(x->held, x->held + 1, --x->held_count * sizeof(x->held[0]));
    mllp_answer(call, mllp_call_frame(call), false);
}

static void wait_ran(struct crossing *x, const char *want)
{
    for (int i = 0; i < 1000 && strcmp((const char *)x->ran, want) != 0; i++)
        usleep(5000);
    assert_string_equal(x->ran, want);
}

static void open_crossing(struct crossing *x)
{
    memset(x, 0, sizeof(*x));
    loop_init(&x->door.loop);
    x->door.options =
        (struct mllp_options){.where = {.loop = &x->door.loop.uv, .host = "127.0.0.1"},
                              .handle = handle_crossing,
                              .keys = keys_of,
                              .context = x};
    loop_call(&x->door.loop, open_door, &x->door);
    assert_int_equal(x->door.err, ERR_OK);
}

/* Different patients side by side, one's messages in order, answers in the order of the frames. */
static void test_pipeline(void **state)
{
    struct crossing x;
    (void)state;
    open_crossing(&x);
    struct client *c = dial(&x.door);
    say(c, SLICE(VT "a1!" END VT "b1" END VT "a2" END VT "b2!" END VT "?x" END VT "c1" END));
    wait_ran(&x, "a1! b1 b2! ");
    loop_call(&x.door.loop, release_first, &x);
    assert_slice(hear(c), "a1!");
    assert_slice(hear(c), "first");
    assert_slice(hear(c), "b1");
    assert_slice(hear(c), "first");
    assert_slice(hear(c), "a2");
    assert_string_equal(x.ran,
                        "a1! b1 b2! a2 "); /* what is not known waits for all, all wait for it */
    loop_call(&x.door.loop, release_first, &x);
    assert_slice(hear(c), "b2!");
    assert_slice(hear(c), "first");
    assert_slice(hear(c), "?x");
    assert_slice(hear(c), "first");
    assert_slice(hear(c), "c1");
    assert_string_equal(x.ran, "a1! b1 b2! a2 ?x c1 ");
    /* A fault ends the connection, but not before what came ahead of it is answered. */
    say(c, SLICE(VT "d!" END VT "e" END "garbage"));
    wait_ran(&x, "a1! b1 b2! a2 ?x c1 d! e ");
    loop_call(&x.door.loop, release_first, &x);
    assert_slice(hear(c), "d!");
    assert_slice(hear(c), "first");
    assert_slice(hear(c), "e");
    assert_true(client_at_end(c));
    client_close(c);
    loop_call(&x.door.loop, count_door, &x.door);
    assert_int_equal(x.door.figures.faults[MLLP_OUTSIDE], 1);
    assert_int_equal(x.door.figures.framing_errors, 1);
    assert_int_equal(x.door.figures.frames, 8);
    loop_call(&x.door.loop, close_door, &x.door);
    loop_fini(&x.door.loop);
}

/* The peer goes, and the server ends, while some run and some wait. */
static void test_pipeline_ends(void **state)
{
    struct crossing x;
    (void)state;
    open_crossing(&x);
    struct client *gone = dial(&x.door);
    say(gone, SLICE(VT "a!" END VT "a2" END VT "b!" END));
    wait_ran(&x, "a! b! ");
    client_close(gone);
    usleep(50000);
    loop_call(&x.door.loop, release_first, &x);
    wait_ran(&x, "a! b! a2 "); /* it came whole before the end */
    loop_call(&x.door.loop, release_first, &x);
    struct client *c = dial(&x.door);
    say(c, SLICE(VT "c!" END VT "c2" END VT "d" END));
    wait_ran(&x, "a! b! a2 c! d ");
    loop_call(&x.door.loop, close_door, &x.door);
    loop_call(&x.door.loop, release_first, &x);
    assert_slice(hear(c), "c!");
    assert_slice(hear(c), "first");
    assert_slice(hear(c), "d");
    assert_true(client_at_end(c));
    client_close(c);
    loop_fini(&x.door.loop);
    assert_string_equal(x.ran, "a! b! a2 c! d ");
}

static void test_faults(void **state)
{
    static const struct {
        struct slice bytes;
        const char *reason;
    } cases[] = {
        {SLICE("MSH|^~\\&|\r"), "bytes-outside-frame"},
        {SLICE(VT "a" END "x"), "bytes-outside-frame"},
        {SLICE(VT "a" VT "b" END), "start-block-inside-frame"},
        {SLICE(VT "a\x1c"
                  "b" END),
         "end-block-inside-frame"},
    };
    struct door door;
    (void)state;
    door_start(&door);
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct client *c = dial(&door);
        say(c, cases[i].bytes);
        if (i == 1)
            assert_slice(hear(c), "ACK:a");
        assert_true(client_at_end(c));
        client_close(c);
        loop_call(&door.loop, count_door, &door);
        assert_int_equal(door.figures.framing_errors, i + 1);
        fflush(door.log);
        assert_non_null(strstr(door.log_text, cases[i].reason));
    }
    assert_int_equal(door.figures.faults[MLLP_OUTSIDE], 2);
    assert_int_equal(door.figures.faults[MLLP_START_INSIDE], 1);
    assert_int_equal(door.figures.faults[MLLP_END_INSIDE], 1);
    assert_int_equal(door.figures.frames, 1);
    struct client *cut = dial(&door); /* broken off in the middle */
    say(cut, SLICE(VT "MSH|half"));
    client_close(cut);
    for (int i = 0; i < 200 && door.figures.framing_errors < 5; i++) {
        usleep(5000);
        loop_call(&door.loop, count_door, &door);
    }
    assert_int_equal(door.figures.framing_errors, 5);
    assert_int_equal(door.figures.frames, 1);
    fflush(door.log);
    assert_non_null(strstr(door.log_text, "cut-off"));
    struct client *good = dial(&door); /* others are served */
    say(good, SLICE(VT "x" END));
    assert_slice(hear(good), "ACK:x");
    client_close(good);
    door_stop(&door);
}

static void test_sizes(void **state)
{
    struct door door;
    struct slice got;
    struct buf b;
    (void)state;
    door_start(&door);
    buf_init(&b, LIMIT_MLLP_FRAME + 1);
    for (size_t i = 0; i < LIMIT_MLLP_FRAME; i++)
        buf_addc(&b, (char)('a' + i % 23));
    struct client *c = dial(&door);
    assert_int_equal(client_mllp(c, buf_slice(&b), &got), ERR_OK);
    assert_int_equal(got.len, LIMIT_MLLP_FRAME + 4);
    assert_true(slice_eq(slice_sub(got, 4, b.len), buf_slice(&b)));
    assert_int_equal(client_mllp(c, SLICE("small"), &got), ERR_OK);
    assert_slice(got, "ACK:small");
    buf_addc(&b, 'x');
    assert_int_equal(client_mllp(c, buf_slice(&b), &got), ERR_OK);
    assert_slice(got, "too large:abcdefgh"); /* answered from its beginning, then closed */
    assert_true(client_at_end(c));
    client_close(c);
    buf_fini(&b);
    loop_call(&door.loop, count_door, &door);
    assert_int_equal(door.figures.framing_errors, 1);
    assert_int_equal(door.figures.frames, 3);
    door_stop(&door);
}

/* Who ends his side only hears all answers to what came whole; half a frame behind it is a fault.
 */
static void test_half_closed(void **state)
{
    struct door door;
    (void)state;
    door_start(&door);
    for (unsigned i = 0; i < 2; i++) {
        struct client *c = dial(&door);
        say(c, i ? SLICE(VT "hold" END VT "a" END VT "b" END VT "half")
                 : SLICE(VT "hold" END VT "a" END VT "b" END "\n"));
        client_finish(c);
        wait_held(&door);
        usleep(20000);
        loop_call(&door.loop, release, &door);
        assert_slice(hear(c), "held");
        assert_slice(hear(c), "ACK:a");
        assert_slice(hear(c), "ACK:b");
        assert_true(client_at_end(c));
        client_close(c);
        loop_call(&door.loop, count_door, &door);
        assert_int_equal(door.figures.faults[MLLP_CUT_OFF], i);
    }
    assert_int_equal(door.figures.framing_errors, 1);
    assert_int_equal(door.figures.frames, 6);
    door_stop(&door);
}

/* A socket that does what no client library lets one do. */
static int raw_dial(const struct door *door)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(door->port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static void wait_fault(struct door *door, enum mllp_fault fault, uint64_t count)
{
    for (int i = 0; i < 4000 && door->figures.faults[fault] < count; i++) {
        usleep(5000);
        loop_call(&door->loop, count_door, door);
    }
    assert_int_equal(door->figures.faults[fault], count);
}

/* Cut off by a reset, at every place of a frame, and once between frames, which is no fault. */
static void test_reset(void **state)
{
    static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    static const char *const begun[] = {VT, VT "MSH|", VT "MSH|\r\x1c", "\r\n" VT "M"};
    struct door door;
    (void)state;
    door_start(&door);
    for (unsigned i = 0; i <= T_COUNT(begun); i++) {
        char got[16];
        int fd = raw_dial(&door);
        assert_int_equal(send(fd, VT "a" END, 4, 0), 4);
        assert_int_equal(recv(fd, got, 8, MSG_WAITALL), 8);
        if (i < T_COUNT(begun))
            assert_true(send(fd, begun[i], strlen(begun[i]), 0) > 0);
        usleep(20000);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
        close(fd);
        if (i < T_COUNT(begun))
            wait_fault(&door, MLLP_CUT_OFF, i + 1);
    }
    for (int i = 0; i < 2000 && door.figures.connections > 0; i++) {
        usleep(5000);
        loop_call(&door.loop, count_door, &door);
    }
    assert_int_equal(door.figures.connections, 0);
    assert_int_equal(door.figures.framing_errors, T_COUNT(begun));
    door_stop(&door);
}

/* A byte now and then is no progress: from start block to end block there is one deadline. */
static void test_too_slow(void **state)
{
    struct door door;
    unsigned sent = 0;
    (void)state;
    start_with(&door, 400);
    int fd = raw_dial(&door);
    assert_int_equal(send(fd, VT, 1, 0), 1);
    while (sent < 20000 && send(fd, "x", 1, MSG_NOSIGNAL) == 1) {
        usleep(10000);
        sent++;
    }
    assert_true(sent < 20000);
    wait_fault(&door, MLLP_TOO_SLOW, 1);
    assert_int_equal(door.figures.frames, 0);
    close(fd);
    struct client *patient = dial(&door); /* between frames there is time */
    say(patient, SLICE(VT "a" END));
    assert_slice(hear(patient), "ACK:a");
    usleep(600000);
    say(patient, SLICE(VT "b" END));
    assert_slice(hear(patient), "ACK:b");
    client_close(patient);
    assert_int_equal(door.figures.framing_errors, 1);
    door_stop(&door);
}

/* A start block and no end of bytes: 16 MiB are looked at, then it is answered, what comes while the answer is on its way is thrown
 * away, and it is over. */
static void test_no_end(void **state)
{
    static char block[LIMIT_MIB];
    struct door door;
    ssize_t n = 0;
    (void)state;
    door_start(&door);
    int fd = raw_dial(&door);
    memset(block, 'y', sizeof(block));
    assert_int_equal(send(fd, VT, 1, 0), 1);
    for (unsigned i = 0; i < 20000 && n >= 0; i++)
        n = send(fd, block, sizeof(block), MSG_NOSIGNAL);
    assert_true(n < 0); /* it was not listened to up to the end */
    close(fd);
    wait_fault(&door, MLLP_TOO_LARGE, 1);
    assert_int_equal(door.figures.frames, 1); /* its beginning, for the answer */
    assert_int_equal(door.figures.framing_errors, 1);
    door_stop(&door);
}

/* Sends what goes without waiting; how much. */
static size_t push(int fd, struct slice *rest)
{
    size_t sent = 0;
    ssize_t n;
    while (rest->len > 0 && (n = send(fd, rest->ptr, rest->len, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0) {
        *rest = slice_sub(*rest, (size_t)n, rest->len);
        sent += (size_t)n;
    }
    return sent;
}

/* A sender that reads no answers is not read on: what it may pile up is bounded, and nothing of it
 * is lost. */
static void test_back_pressure(void **state)
{
    enum { COUNT = 1000, SIZE = 100000 };
    struct door door;
    struct buf all;
    char scrap[65536];
    size_t answered = 0, quiet = 0;
    (void)state;
    door_start(&door);
    buf_init(&all, (size_t)COUNT * (SIZE + 3));
    for (unsigned i = 0; i < COUNT; i++) {
        buf_addc(&all, '\x0b');
        for (unsigned k = 0; k < SIZE; k += 10)
            buf_addf(&all, "%09u|", i);
        buf_adds(&all, END);
    }
    assert_int_equal(buf_err(&all), ERR_OK);
    struct slice rest = buf_slice(&all);
    int fd = raw_dial(&door);
    while (quiet < 50) { /* until nothing was taken for half a second */
        quiet = push(fd, &rest) > 0 ? 0 : quiet + 1;
        usleep(10000);
    }
    assert_true(rest.len > all.len / 2); /* two sockets' buffers and a few frames; not 100 MB */
    const size_t want = (size_t)COUNT * (SIZE + 7);
    while (answered < want) {
        ssize_t n = recv(fd, scrap, sizeof(scrap), 0);
        assert_true(n > 0);
        answered += (size_t)n;
        push(fd, &rest);
    }
    assert_int_equal(answered, want);
    close(fd);
    buf_fini(&all);
    loop_call(&door.loop, count_door, &door);
    assert_int_equal(door.figures.frames, COUNT);
    assert_int_equal(door.figures.framing_errors, 0);
    door_stop(&door);
}

static void test_plain_is_local(void **state)
{
    static const struct {
        const char *host;
        bool ok;
    } cases[] = {{"127.0.0.1", true}, {"127.1.2.3", true}, {"0.0.0.0", false},
                 {"10.0.0.1", false}, {"::", false},       {"localhost", false}};
    uv_loop_t loop;
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct mllp_options o = {.where = {.loop = &loop, .host = cases[i].host}, .handle = handle};
        struct mllp_server *server = NULL;
        enum err err = mllp_open(&o, &server);
        assert_int_equal(err, cases[i].ok ? ERR_OK : ERR_INVALID);
        if (err == ERR_OK)
            mllp_close(server, NULL, NULL);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deframe),       cmocka_unit_test(test_messages),
        cmocka_unit_test(test_answer_later),  cmocka_unit_test(test_faults),
        cmocka_unit_test(test_sizes),         cmocka_unit_test(test_plain_is_local),
        cmocka_unit_test(test_half_closed),   cmocka_unit_test(test_reset),
        cmocka_unit_test(test_too_slow),      cmocka_unit_test(test_no_end),
        cmocka_unit_test(test_back_pressure), cmocka_unit_test(test_pipeline),
        cmocka_unit_test(test_pipeline_ends),
    };
    return T_RUN(tests);
}
