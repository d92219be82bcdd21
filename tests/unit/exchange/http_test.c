/* SPDX-License-Identifier: Apache-2.0
 *
 * http.c over real sockets: order of pipelined requests, bodies, limits, deadlines, answers given
 * later, peers that go, graceful close. The server runs on its own thread; each test ends with a
 * loop that closes clean.
 */
#include "exchange/net/http.h"

#include "exchange/bench/client.h"
#include "exchange/net/quota.h"
#include "lib/loop.h"

#include "base/banned.h"

#define HELD_MAX 8

struct site {
    struct loop loop;
    struct http_options options;
    struct quota quota;
    struct http_server *server;
    unsigned short port;
    enum err err;
    bool closed;
    unsigned handled;
    struct http_call *held[HELD_MAX];
    unsigned held_count;
    struct http_figures figures;
    size_t limit;
    struct http_call *flow;
    unsigned flow_left, flow_gone;
    bool flow_cut, flow_began;
};

static void answer_text(struct http_call *call, int status, struct slice body)
{
    struct http_answer a = {.status = status, .content_type = "text/plain", .body = body};
    http_call_answer(call, &a);
}

static void route_echo(struct http_call *call, struct site *site)
{
    (void)site;
    answer_text(call, 200, http_call_body(call));
}

static void route_path(struct http_call *call, struct site *site)
{
    (void)site;
    answer_text(call, 200, http_call_request(call)->target);
}

static void route_big(struct http_call *call, struct site *site)
{
    struct buf b;
    uint64_t size = 0;
    (void)site;
    assert_true(slice_u64(http_call_request(call)->query, &size));
    buf_init(&b, size + 1);
    for (uint64_t i = 0; i < size; i++)
        buf_addc(&b, (char)('a' + i % 23));
    answer_text(call, 200, buf_slice(&b));
    buf_fini(&b);
}

static void route_hold(struct http_call *call, struct site *site)
{
    site->held[site->held_count++] = call;
}

static void route_fields(struct http_call *call, struct site *site)
{
    struct http_field fields[] = {{"Location", SLICE("/x")}, {"cache-control", SLICE("max-age=5")}};
    struct http_answer a = {.status = 201, .fields = fields, .field_count = 2};
    (void)site;
    http_call_answer(call, &a);
}

static void route_split(struct http_call *call, struct site *site)
{
    struct http_field fields[] = {{"Location", SLICE("/x\r\nSet-Cookie: a=b")}};
    struct http_answer a = {.status = 201, .fields = fields, .field_count = 1};
    (void)site;
    http_call_answer(call, &a);
}

static void route_empty(struct http_call *call, struct site *site)
{
    struct http_answer a = {.status = 204};
    (void)site;
    http_call_answer(call, &a);
}

static void route_refuse(struct http_call *call, struct site *site)
{
    (void)site;
    answer_text(call, http_call_body(call).len == 0 ? 401 : 200, SLICE("who?"));
}

/* /flow?N: N pieces of 100,000 bytes, each when the last has left; /flow?0 waits. /cut: ends before
 * its end. */
static void flow_drained(void *context)
{
    static char block[100000];
    struct site *site = context;
    if (site->flow_left == 0)
        return;
    memset(block, 'x', sizeof(block));
    http_call_piece(site->flow, slice_of(block, sizeof(block)));
    http_call_piece(site->flow, SLICE_NONE);
    if (--site->flow_left == 0)
        http_call_end(site->flow, !site->flow_cut);
}

static void flow_gone(void *context)
{
    struct site *site = context;
    site->flow_gone++;
}

static void route_flow(struct http_call *call, struct site *site)
{
    struct http_flow flow = {flow_drained, flow_gone, site};
    struct http_answer a = {.status = 200, .content_type = "text/plain"};
    uint64_t count = 0;
    assert_true(slice_u64(http_call_request(call)->query, &count));
    site->flow = call;
    site->flow_left = (unsigned)count;
    site->flow_cut = slice_is(http_call_request(call)->path, "/cut");
    site->flow_began = http_call_begin(call, &a, &flow);
}

static const struct {
    const char *path;
    void (*run)(struct http_call *call, struct site *site);
} ROUTES[] = {
    {"/flow", route_flow},   {"/cut", route_flow},      {"/echo", route_echo},
    {"/none", route_echo},   {"/small", route_echo},    {"/big", route_big},
    {"/hold", route_hold},   {"/fields", route_fields}, {"/split", route_split},
    {"/empty", route_empty}, {"/skip", route_refuse},
};

static void handle(struct http_call *call, void *context)
{
    struct site *site = context;
    site->handled++;
    for (size_t i = 0; i < T_COUNT(ROUTES); i++) {
        if (slice_is(http_call_request(call)->path, ROUTES[i].path)) {
            ROUTES[i].run(call, site);
            return;
        }
    }
    route_path(call, site);
}

static size_t body_limit(const struct http1_request *head, const struct net_peer *peer,
                         void *context)
{
    struct site *site = context;
    (void)peer;
    if (slice_is(head->path, "/skip"))
        return HTTP_BODY_SKIP;
    if (slice_is(head->path, "/none"))
        return 0;
    return slice_is(head->path, "/small") ? 10 : site->limit;
}

static void open_site(void *context)
{
    struct site *site = context;
    site->err = http_open(&site->options, &site->server);
    if (site->err == ERR_OK)
        site->port = http_port(site->server);
}

static void on_site_closed(void *context)
{
    struct site *site = context;
    site->closed = true;
}

static void close_site(void *context)
{
    struct site *site = context;
    http_close(site->server, on_site_closed, site);
}

static void count_site(void *context)
{
    struct site *site = context;
    http_figures(site->server, &site->figures);
}

static void start_with(struct site *site, unsigned head_ms, unsigned body_ms)
{
    memset(site, 0, sizeof(*site));
    loop_init(&site->loop);
    site->limit = LIMIT_HTTP_BODY;
    quota_init(&site->quota, LIMIT_CONNECTIONS, 0);
    site->options = (struct http_options){
        .where = {.loop = &site->loop.uv, .host = "127.0.0.1", .quota = &site->quota},
        .body_limit = body_limit,
        .handle = handle,
        .context = site};
    site->options.head_ms = head_ms;
    site->options.body_ms = body_ms;
    loop_call(&site->loop, open_site, site);
    assert_int_equal(site->err, ERR_OK);
}

static void site_start(struct site *site)
{
    start_with(site, 0, 0);
}

static void site_stop(struct site *site)
{
    loop_call(&site->loop, close_site, site);
    loop_fini(&site->loop);
    assert_true(site->closed);
}

static struct client *dial(const struct site *site)
{
    struct client_options o = {.host = "127.0.0.1", .port = site->port, .timeout_ms = 20000};
    struct client *c = NULL;
    assert_int_equal(client_open(&o, &c), ERR_OK);
    return c;
}

static void say(struct client *c, const char *text)
{
    assert_int_equal(client_send(c, slice_str(text)), ERR_OK);
}

static struct client_answer hear(struct client *c)
{
    struct client_answer a = {0};
    assert_int_equal(client_read_http(c, false, &a), ERR_OK);
    return a;
}

/* ---- tests ---- */

static void test_keep_alive(void **state)
{
    struct site site;
    struct client_answer a;
    (void)state;
    site_start(&site);
    struct client *c = dial(&site);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(client_http(c, "GET", "/x?y", "", SLICE_NONE, &a), ERR_OK);
        assert_int_equal(a.status, 200);
        assert_slice(a.body, "/x?y");
        assert_false(a.close);
    }
    assert_int_equal(client_http(c, "POST", "/echo", "", SLICE("hello"), &a), ERR_OK);
    assert_slice(a.body, "hello");
    assert_true(slice_search(a.head, SLICE("Cache-Control: no-store\r\n"), 0) < a.head.len);
    assert_true(slice_search(a.head, SLICE("X-Content-Type-Options: nosniff\r\n"), 0) < a.head.len);
    assert_true(slice_search(a.head, SLICE("\r\nDate: "), 0) < a.head.len);
    assert_int_equal(client_http(c, "HEAD", "/x?y", "", SLICE_NONE, &a), ERR_OK);
    assert_int_equal(a.body.len, 0);
    assert_true(slice_search(a.head, SLICE("Content-Length: 4\r\n"), 0) < a.head.len);
    assert_int_equal(client_http(c, "GET", "/empty", "", SLICE_NONE, &a), ERR_OK);
    assert_int_equal(a.status, 204);
    assert_true(slice_search(a.head, SLICE("Content-Length"), 0) == a.head.len);
    assert_int_equal(client_http(c, "GET", "/x", "Connection: close\r\n", SLICE_NONE, &a), ERR_OK);
    assert_true(a.close);
    assert_true(client_at_end(c));
    client_close(c);
    c = dial(&site);
    say(c, "GET /old HTTP/1.0\r\n\r\n");
    assert_slice(hear(c).body, "/old");
    assert_true(client_at_end(c));
    client_close(c);
    site_stop(&site);
}

static void test_fields(void **state)
{
    struct site site;
    struct client_answer a;
    (void)state;
    site_start(&site);
    struct client *c = dial(&site);
    assert_int_equal(client_http(c, "GET", "/fields", "", SLICE_NONE, &a), ERR_OK);
    assert_int_equal(a.status, 201);
    assert_true(slice_search(a.head, SLICE("Location: /x\r\n"), 0) < a.head.len);
    assert_true(slice_search(a.head, SLICE("no-store"), 0) == a.head.len);
    assert_int_equal(client_http(c, "GET", "/split", "", SLICE_NONE, &a), ERR_OK);
    assert_int_equal(a.status, 500);
    assert_true(slice_search(a.head, SLICE("Set-Cookie"), 0) == a.head.len);
    client_close(c);
    site_stop(&site);
}

static void test_pipelined(void **state)
{
    struct site site;
    (void)state;
    site_start(&site);
    struct client *c = dial(&site);
    say(c, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
           "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\ntwo"
           "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
           "2\r\nth\r\n3\r\nree\r\n0\r\n\r\n"
           "GET /4 HTTP/1.1\r\nHost: x\r\n\r\nGET /5 HTTP/1.1\r\nHo");
    assert_slice(hear(c).body, "/1");
    assert_slice(hear(c).body, "two");
    assert_slice(hear(c).body, "three");
    assert_slice(hear(c).body, "/4");
    say(c, "st: x\r\n\r\n");
    assert_slice(hear(c).body, "/5");
    client_close(c);
    site_stop(&site);
}

/* Thousands of requests in one go: answered in order, and no stack grows with them. */
static void test_many_pipelined(void **state)
{
    struct site site;
    struct buf b;
    (void)state;
    site_start(&site);
    buf_init(&b, LIMIT_MIB);
    for (int i = 0; i < 5000; i++)
        buf_addf(&b, "GET /%d HTTP/1.1\r\nHost: x\r\n\r\n", i);
    struct client *c = dial(&site);
    assert_int_equal(client_send(c, buf_slice(&b)), ERR_OK);
    for (int i = 0; i < 5000; i++) {
        char want[16];
        snprintf(want, sizeof(want), "/%d", i);
        assert_slice(hear(c).body, want);
    }
    client_close(c);
    buf_fini(&b);
    site_stop(&site);
}

static void release_held(void *context)
{
    struct site *site = context;
    while (site->held_count > 0) {
        struct http_call *call = site->held[--site->held_count];
        answer_text(call, 200, http_call_request(call)->target);
    }
}

static void wait_handled(struct site *site, unsigned count)
{
    for (int i = 0; i < 1000 && *(volatile unsigned *)&site->handled < count; i++)
        usleep(5000);
    assert_int_equal(site->handled, count);
}

/* What comes while a call runs waits, also when much of it comes, and the request stays readable.
 */
static void test_answer_later(void **state)
{
    struct site site;
    struct buf b;
    (void)state;
    site_start(&site);
    struct client *c = dial(&site);
    say(c, "GET /hold?first HTTP/1.1\r\nHost: x\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_handled(&site, 1);
    buf_init(&b, LIMIT_MIB);
    for (int i = 0; i < 3000; i++)
        buf_addf(&b, "GET /%d HTTP/1.1\r\nHost: x\r\n\r\n", i);
    assert_int_equal(client_send(c, buf_slice(&b)), ERR_OK);
    usleep(50000);
    assert_int_equal(site.handled, 1);
    loop_call(&site.loop, release_held, &site);
    assert_slice(hear(c).body, "/hold?first");
    assert_slice(hear(c).body, "/a");
    for (int i = 0; i < 3000; i++) {
        char want[16];
        snprintf(want, sizeof(want), "/%d", i);
        assert_slice(hear(c).body, want);
    }
    client_close(c);
    buf_fini(&b);
    site_stop(&site);
}

/* Gone for good while its call runs: the request stays readable, the answer goes nowhere. */
static void test_peer_goes(void **state)
{
    struct site site;
    (void)state;
    site_start(&site);
    struct client *c = dial(&site);
    say(c, "GET /empty HTTP/1.1\r\nHost: x\r\n\r\nGET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_handled(&site, 2);
    client_close(c); /* with an answer unread: a reset */
    for (int i = 0; i < 1000 && site.figures.net.open != 0; i++) {
        usleep(5000);
        loop_call(&site.loop, count_site, &site);
    }
    loop_call(&site.loop, release_held, &site);
    site_stop(&site);
}

/* Who ends his side only is answered all that he asked, whole requests first, then the half one. */
static void test_half_closed(void **state)
{
    static const struct {
        const char *rest; /* of what is sent before the end */
        int status;       /* 0: the end */
    } cases[] = {
        {"", 0},
        {"GET /x HTTP/1.1\r\nHost:", 400},
        {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel", 400},
        {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 400},
    };
    struct site site;
    (void)state;
    site_start(&site);
    for (unsigned i = 0; i < T_COUNT(cases); i++) {
        struct client *c = dial(&site);
        say(c, "GET /hold?first HTTP/1.1\r\nHost: x\r\n\r\n"
               "GET /big?200000 HTTP/1.1\r\nHost: x\r\n\r\n");
        if (cases[i].rest[0])
            say(c, cases[i].rest);
        client_finish(c);
        wait_handled(&site, 2 * i + 1);
        usleep(20000);
        loop_call(&site.loop, release_held, &site);
        assert_slice(hear(c).body, "/hold?first");
        assert_int_equal(hear(c).body.len, 200000);
        if (cases[i].status)
            assert_int_equal(hear(c).status, cases[i].status);
        assert_true(client_at_end(c));
        client_close(c);
    }
    site_stop(&site);
}

static void test_large(void **state)
{
    static const size_t sizes[] = {65000, 65536, 70000, 131072, 1000000, 10000000};
    struct site site;
    struct client_answer a;
    struct buf b;
    (void)state;
    site_start(&site);
    struct client *c = dial(&site);
    for (size_t i = 0; i < T_COUNT(sizes); i++) {
        char target[32];
        snprintf(target, sizeof(target), "/big?%zu", sizes[i]);
        assert_int_equal(client_http(c, "GET", target, "", SLICE_NONE, &a), ERR_OK);
        assert_int_equal(a.body.len, sizes[i]);
        for (size_t j = 0; j < sizes[i]; j += 997)
            assert_int_equal(a.body.ptr[j], 'a' + j % 23);
    }
    buf_init(&b, LIMIT_HTTP_BODY + 1);
    for (size_t i = 0; i < LIMIT_HTTP_BODY; i++)
        buf_addc(&b, (char)(i * 7));
    assert_int_equal(client_http(c, "POST", "/echo", "", buf_slice(&b), &a), ERR_OK);
    assert_int_equal(a.status, 200);
    assert_true(slice_eq(a.body, buf_slice(&b)));
    buf_addc(&b, 'x');
    (void)!client_http(c, "POST", "/echo", "Expect: 100-continue\r\n", buf_slice(&b), &a);
    assert_int_equal(a.status, 413);
    assert_true(a.close);
    client_close(c);
    buf_fini(&b);
    site_stop(&site);
}

static void test_chunked_limit(void **state)
{
    struct site site;
    (void)state;
    site_start(&site);
    struct client *c = dial(&site);
    say(c, "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    say(c, "a\r\n0123456789\r\n0\r\n\r\n");
    assert_slice(hear(c).body, "0123456789");
    say(c, "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    say(c, "b\r\n0123456789x\r\n0\r\n\r\n");
    assert_int_equal(hear(c).status, 413);
    assert_true(client_at_end(c));
    client_close(c);
    c = dial(&site);
    say(c, "POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx");
    assert_int_equal(hear(c).status, 413);
    client_close(c);
    c = dial(&site);
    say(c, "POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(hear(c).status, 200);
    say(c, "POST /skip HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\npart of it");
    assert_int_equal(hear(c).status, 401);
    assert_true(client_at_end(c));
    client_close(c);
    site_stop(&site);
}

static void test_continue(void **state)
{
    struct site site;
    (void)state;
    site_start(&site);
    struct client *c = dial(&site);
    say(c, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    usleep(50000);
    assert_int_equal(site.handled, 0);
    say(c, "hello");
    assert_slice(hear(c).body, "hello"); /* the client passed over the 100 */
    client_close(c);
    site_stop(&site);
}

/* After a refusal nothing of what follows is taken for a request. */
static void test_bad(void **state)
{
    static const struct {
        const char *bytes;
        int status;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
         "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
         400},
        {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5 "
         "\r\nhello\r\n0\r\n\r\n"
         "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
        {"GET / HTTP/1.2\r\nHost: x\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", 505},
        {"\x16\x03\x01\x02", 400},
    };
    struct site site;
    (void)state;
    site_start(&site);
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct client *c = dial(&site);
        say(c, cases[i].bytes);
        struct client_answer a = hear(c);
        assert_int_equal(a.status, cases[i].status);
        assert_true(a.close);
        assert_true(client_at_end(c));
        client_close(c);
    }
    assert_int_equal(site.handled, 0);
    site_stop(&site);
}

/* All slow peers at once, so that the test waits for one deadline only. */
static void test_slow(void **state)
{
    struct site site;
    (void)state;
    site_start(&site);
    struct client *head = dial(&site), *mute = dial(&site), *good = dial(&site);
    uint64_t begin = loop_now_ms();
    say(head, "GET / HT");
    for (int i = 0; i < 8; i++) {
        sleep(1);
        say(head, "T");
        say(good, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_int_equal(hear(good).status, 200);
    }
    assert_int_equal(hear(head).status, 408);
    assert_true(client_at_end(head));
    assert_true(client_at_end(mute));
    assert_in_range(loop_now_ms() - begin, LIMIT_HTTP_HEAD_MS - 1000, LIMIT_HTTP_HEAD_MS + 4000);
    say(good, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(hear(good).status, 200);
    client_close(head);
    client_close(mute);
    client_close(good);
    site_stop(&site);
}

/* A byte now and then does not help a body, a chunked one neither; a flood of fields has the head's
 * deadline and its limits. */
static void test_dribble(void **state)
{
    static const char *const heads[] = {
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n",
        "GET /x HTTP/1.1\r\nHost: x\r\nA: ",
    };
    struct site site;
    (void)state;
    start_with(&site, 500, 500);
    for (unsigned i = 0; i < T_COUNT(heads); i++) {
        struct client *c = dial(&site);
        unsigned sent = 0;
        say(c, heads[i]);
        while (sent < 20000 && client_send(c, SLICE("y")) == ERR_OK) {
            usleep(10000);
            loop_call(&site.loop, count_site, &site);
            if (site.figures.refusals[1] == i + 1)
                break;
            sent++;
        }
        assert_true(sent < 20000);
        assert_int_equal(hear(c).status, 408);
        client_close(c);
    }
    assert_int_equal(http_refusal_status(1), 408);
    assert_int_equal(site.handled, 0);
    site_stop(&site);
}

static void test_graceful_close(void **state)
{
    struct site site;
    (void)state;
    site_start(&site);
    struct client *busy = dial(&site), *idle = dial(&site), *half = dial(&site);
    say(busy, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    say(half, "GET / HT");
    say(idle, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(hear(idle).status, 200);
    wait_handled(&site, 2);
    loop_call(&site.loop, close_site, &site);
    assert_true(client_at_end(idle));
    assert_true(client_at_end(half));
    assert_false(site.closed);
    struct client_options o = {.host = "127.0.0.1", .port = site.port};
    struct client *late = NULL;
    assert_int_equal(client_open(&o, &late), ERR_IO);
    loop_call(&site.loop, release_held, &site);
    struct client_answer a = hear(busy);
    assert_int_equal(a.status, 200);
    assert_true(a.close);
    assert_true(client_at_end(busy));
    client_close(busy);
    client_close(idle);
    client_close(half);
    loop_fini(&site.loop);
    assert_true(site.closed);
}

/* Over the quota: some are told 503 when they ask, the silent are closed soon, more are closed at
 * once, and who is in stays. */
static void test_full(void **state)
{
    static const char get[] = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";
    struct site site;
    struct client *told[LIMIT_REFUSALS];
    (void)state;
    site_start(&site);
    struct client *in = dial(&site);
    say(in, get);
    assert_int_equal(hear(in).status, 200);
    site.quota.cap = 1;
    for (unsigned i = 0; i < LIMIT_REFUSALS; i++)
        told[i] = dial(&site);
    struct client *more = dial(&site);
    assert_true(client_at_end(more));
    client_close(more);
    say(told[0], "HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n");
    struct client_answer a = {0};
    assert_int_equal(client_read_http(told[0], true, &a), ERR_OK);
    assert_int_equal(a.status, 503);
    assert_true(client_at_end(told[0]));
    say(told[1], "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    a = hear(told[1]);
    assert_int_equal(a.status, 503);
    assert_true(a.close);
    assert_true(slice_search(a.head, SLICE("Retry-After: 10\r\n"), 0) < a.head.len);
    assert_true(client_at_end(told[1]));
    say(told[2], "GET /half");
    a = hear(told[2]);
    assert_int_equal(a.status, 408);
    for (unsigned i = 3; i < LIMIT_REFUSALS; i++)
        assert_true(client_at_end(told[i]));
    say(in, get);
    assert_int_equal(hear(in).status, 200);
    assert_int_equal(site.handled, 2);
    client_close(in);
    for (unsigned i = 0; i < LIMIT_REFUSALS; i++)
        client_close(told[i]);
    for (int i = 0; i < 1000 && site.quota.open > 0; i++)
        usleep(5000);
    in = dial(&site); /* and now there is room again */
    say(in, get);
    assert_int_equal(hear(in).status, 200);
    client_close(in);
    loop_call(&site.loop, count_site, &site);
    assert_int_equal(site.figures.net.faults[NET_FULL], LIMIT_REFUSALS + 1);
    assert_int_equal(site.figures.net.accepted, 2);
    for (unsigned i = 0; i < HTTP_REFUSALS; i++)
        if (http_refusal_status(i) == 503)
            assert_int_equal(site.figures.refusals[i], 2);
    site_stop(&site);
}

/* Many threads, mixed requests, connections that break off in the middle. */
static void hammer(unsigned index, void *context)
{
    const struct site *site = context;
    for (int i = 0; i < 30; i++) {
        struct client_answer a = {0};
        struct client *c = dial(site);
        assert_int_equal(client_http(c, "GET", "/x", "", SLICE_NONE, &a), ERR_OK);
        assert_int_equal(client_http(c, "GET", "/big?200000", "", SLICE_NONE, &a), ERR_OK);
        assert_int_equal(a.body.len, 200000);
        if ((i + (int)index) % 3 == 0)
            (void)!client_send(c, SLICE("GET /big?9000000 HTTP/1.1\r\nHost: x\r\n\r\n"));
        if ((i + (int)index) % 3 == 1)
            (void)!client_send(
                c, SLICE("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab"));
        client_close(c);
    }
}

static void test_hammer(void **state)
{
    struct site site;
    (void)state;
    site_start(&site);
    assert_int_equal(client_threads(8, hammer, &site), ERR_OK);
    loop_call(&site.loop, count_site, &site);
    assert_int_equal(site.figures.net.accepted, 240);
    assert_int_equal(site.figures.net.faults[NET_FULL], 0);
    site_stop(&site);
}

static void test_port_taken(void **state)
{
    struct site site;
    struct http_server *second = NULL;
    (void)state;
    site_start(&site);
    struct http_options o = site.options;
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    o.where.loop = &loop;
    o.where.port = site.port;
    assert_int_equal(http_open(&o, &second), ERR_IO);
    o.where.host = "not an address";
    assert_int_equal(http_open(&o, &second), ERR_INVALID);
    assert_null(second);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    site_stop(&site);
}

/* Reads to the end of a chunked answer (or of the connection) and counts what came. */
static size_t read_chunks(struct client *c, bool *ret_whole)
{
    size_t total = 0;
    *ret_whole = false;
    for (;;) {
        char line[16] = {0};
        size_t at = 0;
        unsigned long size = 0;
        char scrap[1000];
        do {
            if (at == sizeof(line) - 1 || client_read_raw(c, line + at, 1))
                return total;
        } while (line[at++] != '\n');
        size = strtoul(line, NULL, 16);
        total += size;
        for (unsigned long left = size; left > 0;) {
            size_t n = left < sizeof(scrap) ? left : sizeof(scrap);
            if (client_read_raw(c, scrap, n))
                return total;
            left -= n;
        }
        if (client_read_raw(c, line, 2))
            return total;
        if (size == 0) {
            *ret_whole = true;
            return total;
        }
    }
}

static void read_flow_head(struct client *c, const char *want)
{
    char head[600] = {0};
    size_t at = 0;
    while (at < 4 || memcmp(head + at - 4, "\r\n\r\n", 4) != 0) {
        assert_true(at < sizeof(head) - 1);
        assert_int_equal(client_read_raw(c, head + at++, 1), ERR_OK);
    }
    if (!strstr(head, want))
        fail_msg("%s", head);
    assert_null(strstr(head, "Content-Length"));
}

static void test_flow(void **state)
{
    struct site site;
    struct client_answer a;
    bool whole = false;
    (void)state;
    site_start(&site);
    struct client *c = dial(&site);
    say(c, "GET /flow?50 HTTP/1.1\r\nHost: x\r\n\r\nGET /after HTTP/1.1\r\nHost: x\r\n\r\n");
    read_flow_head(c, "Transfer-Encoding: chunked\r\n");
    assert_int_equal(read_chunks(c, &whole), 5000000);
    assert_true(whole);
    assert_slice(hear(c).body, "/after");
    assert_int_equal(client_http(c, "HEAD", "/flow?0", "", SLICE_NONE, &a), ERR_OK);
    assert_false(site.flow_began);
    assert_true(slice_search(a.head, SLICE("chunked"), 0) < a.head.len);
    say(c, "GET /cut?3 HTTP/1.1\r\nHost: x\r\n\r\n");
    read_flow_head(c, "chunked");
    assert_int_equal(read_chunks(c, &whole), 300000);
    assert_false(whole);
    client_close(c);
    c = dial(&site);
    say(c, "GET /flow?1 HTTP/1.0\r\n\r\n");
    read_flow_head(c, "Connection: close\r\n");
    char *all = calloc(1, 100000);
    assert_non_null(all);
    assert_int_equal(client_read_raw(c, all, 100000), ERR_OK);
    assert_int_equal(all[99999], 'x');
    assert_true(client_at_end(c));
    free(all);
    client_close(c);
    assert_int_equal(site.flow_gone, 0);
    site_stop(&site);
}

/* The owner is told once when the peer leaves, and when the server closes. */
static void test_flow_gone(void **state)
{
    struct site site;
    (void)state;
    site_start(&site);
    struct client *c = dial(&site);
    say(c, "GET /flow?0 HTTP/1.1\r\nHost: x\r\n\r\n");
    read_flow_head(c, "chunked");
    client_close(c);
    for (int i = 0; i < 1000 && *(volatile unsigned *)&site.flow_gone == 0; i++)
        usleep(2000);
    assert_int_equal(site.flow_gone, 1);
    c = dial(&site);
    say(c, "GET /flow?0 HTTP/1.1\r\nHost: x\r\n\r\n");
    read_flow_head(c, "chunked");
    site_stop(&site);
    assert_int_equal(site.flow_gone, 2);
    assert_true(client_at_end(c));
    client_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keep_alive),   cmocka_unit_test(test_fields),
        cmocka_unit_test(test_pipelined),    cmocka_unit_test(test_many_pipelined),
        cmocka_unit_test(test_answer_later), cmocka_unit_test(test_peer_goes),
        cmocka_unit_test(test_large),        cmocka_unit_test(test_chunked_limit),
        cmocka_unit_test(test_continue),     cmocka_unit_test(test_bad),
        cmocka_unit_test(test_slow),         cmocka_unit_test(test_graceful_close),
        cmocka_unit_test(test_hammer),       cmocka_unit_test(test_port_taken),
        cmocka_unit_test(test_flow),         cmocka_unit_test(test_flow_gone),
        cmocka_unit_test(test_dribble),      cmocka_unit_test(test_half_closed),
        cmocka_unit_test(test_full),
    };
    return T_RUN(tests);
}
