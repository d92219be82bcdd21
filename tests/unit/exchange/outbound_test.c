/* SPDX-License-Identifier: Apache-2.0
 *
 * POSTs going out: which URLs and fields may be printed, which answers are certain, and calls over real sockets: kept
 * and stale connections, answers of every framing, servers that lie, hang or cannot be trusted, closing in the middle.
 */
#include "exchange/net/outbound.h"

#include "exchange/net/http.h"
#include "exchange/net/http1_answer.h"
#include "exchange/net/tls.h"
#include "lib/loop.h"
#include "lib/pki.h"

#include "base/banned.h"

/* ---- pure ---- */

static void test_urls(void **state)
{
    static const struct {
        const char *url;
        bool good, tls;
        unsigned port;
        const char *host, *path;
    } cases[] = {
        {"https://a.example/hook", true, true, 443, "a.example", "/hook"},
        {"HTTPS://A.Example:8443/x?y=%20z", true, true, 8443, "a.example", "/x?y=%20z"},
        {"http://127.0.0.1:1", true, false, 1, "127.0.0.1", "/"},
        {"http://[::1]:80/a", true, false, 80, "::1", "/a"},
        {"https://a.example?q", true, true, 443, "a.example", "/?q"},
        {"ftp://a.example/", false, false, 0, NULL, NULL},
        {"//a.example/", false, false, 0, NULL, NULL},
        {"https://user@a.example/", false, false, 0, NULL, NULL},
        {"https://a.example@evil.example/", false, false, 0, NULL, NULL},
        {"https://a.example\\@evil/", false, false, 0, NULL, NULL},
        {"https://a.example/#x", false, false, 0, NULL, NULL},
        {"https://a.example/a b", false, false, 0, NULL, NULL},
        {"https://a.example/a\r\nX: y", false, false, 0, NULL, NULL},
        {"https://a.example/hook/../admin", false, false, 0, NULL, NULL},
        {"https://a.example/hook/%2e%2E/admin", false, false, 0, NULL, NULL},
        {"https://a.example/hook%2Fx", false, false, 0, NULL, NULL},
        {"https://a.example/%0d%0a", false, false, 0, NULL, NULL},
        {"https://a.example/%2", false, false, 0, NULL, NULL},
        {"https://a.example:0/", false, false, 0, NULL, NULL},
        {"https://a.example:65536/", false, false, 0, NULL, NULL},
        {"https://a.example:/", false, false, 0, NULL, NULL},
        {"https:///x", false, false, 0, NULL, NULL},
        {"https://[::1/x", false, false, 0, NULL, NULL},
        {"https://[a.example]/x", false, false, 0, NULL, NULL},
        {"https://-a/x", false, false, 0, NULL, NULL},
        {"", false, false, 0, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct outbound_target t;
        enum err err = outbound_url(slice_str(cases[i].url), &t);
        if ((err == ERR_OK) != cases[i].good)
            fail_msg("%s: %s", cases[i].url, err_name(err));
        if (err)
            continue;
        assert_int_equal(t.tls, cases[i].tls);
        assert_int_equal(t.port, cases[i].port);
        assert_string_equal(t.host, cases[i].host);
        assert_string_equal(t.path, cases[i].path);
    }
}

static void test_long_urls(void **state)
{
    char url[LIMIT_PUSH_URL + 64];
    struct outbound_target t;
    (void)state;
    memset(url, 'a', sizeof(url));
    memcpy(url, "https://", 8);
    assert_int_equal(outbound_url(slice_of(url, LIMIT_PUSH_URL), &t), ERR_INVALID); /* all host */
    url[20] = '/';
    assert_int_equal(outbound_url(slice_of(url, LIMIT_PUSH_URL), &t), ERR_OK);
    assert_int_equal(strlen(t.path), LIMIT_PUSH_URL - 20);
    assert_int_equal(outbound_url(slice_of(url, LIMIT_PUSH_URL + 1), &t), ERR_INVALID);
}

static void test_field_lines(void **state)
{
    static const struct {
        const char *line;
        bool good;
    } cases[] = {
        {"Authorization: Bearer abc", true}, {"X-Any:1", true},
        {"no colon", false},                 {": value", false},
        {"A B: c", false},                   {"X: a\r\nHost: b", false},
        {"X: \x7f", false},                  {"host: evil", false},
        {"Content-Length: 3", false},        {"transfer-encoding: chunked", false},
        {"Connection: close", false},        {"Content-Type: text/html", false},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++)
        if (outbound_field_ok(slice_str(cases[i].line)) != cases[i].good)
            fail_msg("%s", cases[i].line);
}

static void test_answer_heads(void **state)
{
    static const struct {
        const char *text;
        enum http1_state want;
        int status;
        bool keep_alive, chunked, to_end;
        uint64_t length;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", HTTP1_DONE, 200, true, false, false, 5},
        {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", HTTP1_DONE, 200, true, false, false, 0},
        {"HTTP/1.1 204 No Content\r\n\r\n", HTTP1_DONE, 204, true, false, false, 0},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP1_DONE, 200, true, true, false, 0},
        {"HTTP/1.1 200 OK\r\n\r\n", HTTP1_DONE, 200, false, false, true, 0},
        {"HTTP/1.1 500 No\r\nConnection: a, Close\r\nContent-Length: 1\r\n\r\n", HTTP1_DONE, 500, false, false, false, 1},
        {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", HTTP1_DONE, 200, false, false, false, 1},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 C\r\nContent-Length: 0\r\n\r\n", HTTP1_DONE, 201, true, false, false, 0},
        {"HTTP/1.1 100 Continue\r\n\r\n", HTTP1_MORE, 0, false, false, false, 0},
        {"HTTP/1.1 200 OK\r\n", HTTP1_MORE, 0, false, false, false, 0},
        {"", HTTP1_MORE, 0, false, false, false, 0},
        {"HTTP/1.1 101 Switching\r\n\r\n", HTTP1_BAD, 0, false, false, false, 0},
        {"HTTP/2 200\r\n\r\n", HTTP1_BAD, 0, false, false, false, 0},
        {"HTTP/1.1 2000 OK\r\n\r\n", HTTP1_BAD, 0, false, false, false, 0},
        {"HTTP/1.1 99 OK\r\n\r\n", HTTP1_BAD, 0, false, false, false, 0},
        {"HTTP/1.1 200 OK\n\n", HTTP1_BAD, 0, false, false, false, 0},
        {"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", HTTP1_BAD, 0, false, false, false, 0},
        {"HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\n", HTTP1_BAD, 0, false, false, false, 0},
        {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", HTTP1_BAD, 0, false, false, false, 0},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", HTTP1_BAD, 0, false, false, false, 0},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP1_BAD, 0, false, false, false, 0},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", HTTP1_BAD, 0, false, false, false, 0},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct http1_answer a = {0};
        size_t used = 0;
        enum http1_state got = http1_answer_head(slice_str(cases[i].text), &a, &used);
        if (got != cases[i].want)
            fail_msg("%s: %d", cases[i].text, (int)got);
        if (got != HTTP1_DONE)
            continue;
        assert_int_equal(used, strlen(cases[i].text));
        assert_int_equal(a.status, cases[i].status);
        assert_int_equal(a.keep_alive, cases[i].keep_alive);
        assert_int_equal(a.chunked, cases[i].chunked);
        assert_int_equal(a.to_end, cases[i].to_end);
        assert_int_equal(a.content_length, cases[i].length);
    }
}

/* ---- over sockets ---- */

/* A receiver (http.c), one that says what it is told to (a plain listener), and what goes out to them. */
struct world {
    struct loop loop;
    struct pki pki;
    char paths[3][128];
    struct tls_context *server_tls, *client_tls;
    struct http_server *http, *https;
    struct listener *script;
    const char *says;    /* what the script answers */
    bool script_closes;  /* after that */
    unsigned script_accepts;
    struct outbound *out;
    struct buf got; /* bodies and fields the receiver saw */
    unsigned handled;
    struct http_call *held;
    /* one send at a time from the test's thread */
    struct outbound_post post;
    enum err sent;
    sem_t answered;
    struct outbound_result result;
    unsigned done;
    unsigned accepted;
};

static void handle(struct http_call *call, void *context)
{
    struct world *w = context;
    const struct http1_request *r = http_call_request(call);
    struct http_answer a = {.status = 200};
    w->handled++;
    buf_clear(&w->got);
    buf_addf(&w->got, "%.*s %.*s|%.*s|%.*s|%.*s", SLICE_ARG(r->method), SLICE_ARG(r->target),
             SLICE_ARG(http1_field(r, "Authorization")), SLICE_ARG(http1_field(r, "Content-Type")),
             SLICE_ARG(http_call_body(call)));
    if (slice_is(r->path, "/hold")) {
        w->held = call;
        return;
    }
    if (slice_is(r->path, "/see-other"))
        a.status = 302;
    http_call_answer(call, &a);
}

static void script_ready(struct stream *s)
{
    struct world *w = stream_context(s);
    w->script_accepts++;
}

static void script_data(struct stream *s, struct slice bytes)
{
    struct world *w = stream_context(s);
    if (!slice_ends(bytes, SLICE("end")) || !w->says)
        return;
    stream_write(s, slice_str(w->says));
    if (w->script_closes)
        stream_close(s);
}

static void script_closed(struct stream *s)
{
    (void)s;
}

static const struct stream_events SCRIPT = {
    .ready = script_ready, .data = script_data, .closed = script_closed};

static void open_world(void *context)
{
    struct world *w = context;
    struct http_options o = {
        .where = {.loop = &w->loop.uv, .host = "127.0.0.1"}, .handle = handle, .context = w};
    struct listener_options l = {
        .loop = &w->loop.uv, .host = "127.0.0.1", .events = &SCRIPT, .context = w};
    assert_int_equal(http_open(&o, &w->http), ERR_OK);
    o.where.tls = w->server_tls;
    assert_int_equal(http_open(&o, &w->https), ERR_OK);
    assert_int_equal(listener_open(&l, &w->script), ERR_OK);
    assert_int_equal(outbound_open(&w->loop.uv, w->client_tls, &w->out), ERR_OK);
}

static void on_out_closed(void *context)
{
    struct world *w = context;
    w->out = NULL;
}

static void close_world(void *context)
{
    struct world *w = context;
    if (w->out)
        outbound_close(w->out, on_out_closed, w);
    if (w->held) {
        struct http_answer a = {.status = 200};
        http_call_answer(w->held, &a);
    }
    http_close(w->http, NULL, NULL);
    http_close(w->https, NULL, NULL);
    listener_close(w->script, NULL, NULL);
}

static void world_start(struct world *w)
{
    char text[256];
    memset(w, 0, sizeof(*w));
    pki_open(&w->pki);
    struct tls_options o = {.cert_path = pki_path(&w->pki, "server.pem", w->paths[0]),
                            .key_path = pki_path(&w->pki, "server.key", w->paths[1]),
                            .ca_path = pki_path(&w->pki, "ca.pem", w->paths[2])};
    assert_int_equal(tls_context_new(&o, text, sizeof(text), &w->server_tls), ERR_OK);
    assert_int_equal(tls_client_new(w->paths[2], text, sizeof(text), &w->client_tls), ERR_OK);
    buf_init(&w->got, LIMIT_MIB);
    sem_init(&w->answered, 0, 0);
    loop_init(&w->loop);
    loop_call(&w->loop, open_world, w);
}

static void world_stop(struct world *w)
{
    loop_call(&w->loop, close_world, w);
    loop_fini(&w->loop);
    tls_context_free(w->server_tls);
    tls_context_free(w->client_tls);
    pki_close(&w->pki);
    buf_fini(&w->got);
    sem_destroy(&w->answered);
}

static void close_out(void *context)
{
    struct world *w = context;
    outbound_close(w->out, NULL, NULL);
    w->out = NULL;
}

static void open_out(void *context)
{
    struct world *w = context;
    assert_int_equal(outbound_open(&w->loop.uv, w->client_tls, &w->out), ERR_OK);
}

static void on_done(void *context, const struct outbound_result *result)
{
    struct world *w = context;
    w->result = *result;
    w->done++;
    sem_post(&w->answered);
}

static void send_now(void *context)
{
    struct world *w = context;
    w->sent = outbound_send(w->out, &w->post);
}

static void begin_post(struct world *w, const char *url, struct slice body)
{
    static struct outbound_target target;
    assert_int_equal(outbound_url(slice_str(url), &target), ERR_OK);
    w->post = (struct outbound_post){.target = &target,
                                     .fields = SLICE("Authorization: s3cret\r\n"),
                                     .content_type = body.ptr ? "text/plain" : NULL,
                                     .body = body,
                                     .done = on_done,
                                     .context = w};
    loop_call(&w->loop, send_now, w);
    assert_int_equal(w->sent, ERR_OK);
}

static const struct outbound_result *post(struct world *w, const char *url, struct slice body)
{
    begin_post(w, url, body);
    while (sem_wait(&w->answered) != 0)
        ;
    return &w->result;
}

static const char *url_of(const char *scheme, const char *host, unsigned port, const char *path)
{
    static char text[200];
    snprintf(text, sizeof(text), "%s://%s:%u%s", scheme, host, port, path);
    return text;
}

static void count_accepted(void *context)
{
    struct world *w = context;
    struct http_figures f;
    http_figures(w->http, &f);
    w->accepted = (unsigned)f.net.accepted;
}

static void test_posts(void **state)
{
    struct world w;
    (void)state;
    world_start(&w);
    const char *url = url_of("http", "127.0.0.1", http_port(w.http), "/a?b=c");
    for (int i = 0; i < 20; i++) {
        assert_int_equal(post(&w, url, SLICE("body"))->err, ERR_OK);
        assert_int_equal(w.result.status, 200);
        assert_buf(&w.got, "POST /a?b=c|s3cret|text/plain|body");
    }
    assert_int_equal(post(&w, url, SLICE_NONE)->status, 200);
    assert_buf(&w.got, "POST /a?b=c|s3cret||");
    loop_call(&w.loop, count_accepted, &w);
    assert_int_equal(w.accepted, 1); /* one connection for all */
    url = url_of("http", "127.0.0.1", http_port(w.http), "/see-other");
    assert_int_equal(post(&w, url, SLICE("x"))->status, 302);
    assert_int_equal(w.handled, 22);
    url = url_of("http", "localhost", http_port(w.http), "/named");
    assert_int_equal(post(&w, url, SLICE("x"))->status, 200);
    world_stop(&w);
}

static void test_tls(void **state)
{
    struct world w;
    char text[256];
    struct tls_context *system = NULL;
    (void)state;
    world_start(&w);
    const char *url = url_of("https", "localhost", http_port(w.https), "/a");
    struct outbound_result r = *post(&w, url, SLICE("body"));
    if (r.err)
        fail_msg("%s %s", err_name(r.err), r.why);
    assert_buf(&w.got, "POST /a|s3cret|text/plain|body");
    /* a name the certificate does not carry */
    url = url_of("https", "127.0.0.2", http_port(w.https), "/a");
    assert_int_equal(post(&w, url, SLICE("body"))->err, ERR_IO);
    assert_int_equal(tls_client_new(w.paths[1], text, sizeof(text), &system), ERR_INVALID);
    assert_int_equal(w.handled, 1);
    /* a CA we do not know */
    assert_int_equal(tls_client_new(NULL, text, sizeof(text), &system), ERR_OK);
    loop_call(&w.loop, close_out, &w);
    tls_context_free(w.client_tls);
    w.client_tls = system;
    loop_call(&w.loop, open_out, &w);
    url = url_of("https", "localhost", http_port(w.https), "/a");
    assert_int_equal(post(&w, url, SLICE("body"))->err, ERR_IO);
    assert_int_equal(w.handled, 1);
    world_stop(&w);
}

static void test_nobody_there(void **state)
{
    struct world w;
    (void)state;
    world_start(&w);
    assert_int_equal(post(&w, "http://192.0.2.1/x", SLICE("secret"))->err, ERR_IO);
    assert_string_equal(w.result.why, "no address that may be used");
    assert_int_equal(post(&w, "http://no.such.name.invalid/x", SLICE("secret"))->err, ERR_IO);
    assert_int_equal(post(&w, "http://127.0.0.1:1/x", SLICE("secret"))->err, ERR_IO);
    world_stop(&w);
}

static void test_answers(void **state)
{
    static const struct {
        const char *says;
        bool closes;
        enum err err;
        int status;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\n\r\nto the end", true, ERR_OK, 200},
        {"HTTP/1.1 201 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", false, ERR_OK, 201},
        {"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno", false, ERR_OK, 500},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", true, ERR_IO, 0},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore than asked", false, ERR_OK, 200},
        {"SSH-2.0-x\r\n", false, ERR_MALFORMED, 0},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", false, ERR_MALFORMED, 0},
        {"", true, ERR_IO, 0},
    };
    struct world w;
    (void)state;
    world_start(&w);
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        w.says = cases[i].says;
        w.script_closes = cases[i].closes;
        const char *url = url_of("http", "127.0.0.1", listener_port(w.script), "/");
        struct outbound_result r = *post(&w, url, SLICE("end"));
        if (r.err != cases[i].err || r.status != cases[i].status)
            fail_msg("%s: %s %d %s", cases[i].says, err_name(r.err), r.status, r.why);
    }
    world_stop(&w);
}

/* The receiver closed the kept connection meanwhile, or as the next request came: asked once more. */
static void test_stale(void **state)
{
    struct world w;
    (void)state;
    world_start(&w);
    const char *url = url_of("http", "127.0.0.1", listener_port(w.script), "/");
    w.says = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    assert_int_equal(post(&w, url, SLICE("end"))->err, ERR_OK);
    assert_int_equal(w.script_accepts, 1);
    w.says = "";
    w.script_closes = true; /* this line says nothing and closes; and so does the next */
    assert_int_equal(post(&w, url, SLICE("end"))->err, ERR_IO);
    assert_int_equal(w.script_accepts, 2);
    assert_int_equal(w.done, 2);
    world_stop(&w);
}

static void test_close_in_the_middle(void **state)
{
    struct world w;
    (void)state;
    world_start(&w);
    begin_post(&w, url_of("http", "127.0.0.1", http_port(w.http), "/hold"), SLICE("x"));
    for (int i = 0; i < 1000 && !*(struct http_call *volatile *)&w.held; i++)
        usleep(2000);
    assert_non_null(w.held);
    loop_call(&w.loop, close_out, &w);
    while (sem_wait(&w.answered) != 0)
        ;
    assert_int_equal(w.result.err, ERR_UNAVAILABLE);
    assert_int_equal(w.done, 1);
    world_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),         cmocka_unit_test(test_long_urls),
        cmocka_unit_test(test_field_lines),  cmocka_unit_test(test_answer_heads),
        cmocka_unit_test(test_posts),        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_nobody_there), cmocka_unit_test(test_answers),
        cmocka_unit_test(test_stale),        cmocka_unit_test(test_close_in_the_middle),
    };
    return T_RUN(tests);
}
