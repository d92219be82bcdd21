/* SPDX-License-Identifier: Apache-2.0
 *
 * The sending side of MLLP over real sockets: every move of its table, told exactly once each;
 * plain text that stays on this machine; receivers that answer in pieces, too much, nothing, or
 * close; a certificate of our own.
 */
#include "exchange/net/mllp_client.h"

#include "base/buf.h"
#include "base/limits.h"
#include "exchange/net/stream.h"
#include "exchange/net/tls.h"
#include "lib/loop.h"
#include "lib/pki.h"

#include "base/banned.h"

#define FRAME(text) "\x0b" text "\x1c\r"

/* A receiver that says what it is told to when a whole frame came. */
struct world {
    struct loop loop;
    struct pki pki;
    char paths[5][128];
    struct tls_context *server_tls, *client_tls;
    struct listener *receiver;
    const char *says; /* NULL: nothing */
    const char *then; /* said a turn later: the answer in two pieces */
    bool closes;
    unsigned accepted, with_cert;
    struct stream *last;
    struct buf got;
    struct mllp_client_options options;
    struct mllp_client *client;
    struct slice message;
    bool connected, closing;
    sem_t told;
    unsigned count; /* of results */
    struct mllp_client_result result;
    char answer[256];
};

static void on_ready(struct stream *s)
{
    struct world *w = stream_context(s);
    w->accepted++;
    w->with_cert += stream_peer(s)->has_cert;
    w->last = s;
}

static void on_data(struct stream *s, struct slice bytes)
{
    struct world *w = stream_context(s);
    buf_add(&w->got, bytes);
    if (!slice_ends(bytes, SLICE("\x1c\r")))
        return;
    if (w->says)
        stream_write(s, slice_str(w->says));
    if (w->closes)
        stream_close(s);
}

static void on_drained(struct stream *s)
{
    struct world *w = stream_context(s);
    if (w->then)
        stream_write(s, slice_str(w->then));
    w->then = NULL;
}

static void on_gone(struct stream *s)
{
    struct world *w = stream_context(s);
    w->last = NULL;
}

static const struct stream_events RECEIVER = {
    .ready = on_ready, .data = on_data, .drained = on_drained, .closed = on_gone};

static void open_receiver(void *context)
{
    struct world *w = context;
    struct listener_options o = {.loop = &w->loop.uv,
                                 .host = "127.0.0.1",
                                 .tls = w->server_tls,
                                 .events = &RECEIVER,
                                 .context = w};
    assert_int_equal(listener_open(&o, &w->receiver), ERR_OK);
}

static void open_client(void *context)
{
    struct world *w = context;
    w->options.loop = &w->loop.uv;
    w->options.port = w->options.port ? w->options.port : listener_port(w->receiver);
    assert_int_equal(mllp_client_open(&w->options, &w->client), ERR_OK);
}

static void on_told(void *context, const struct mllp_client_result *result)
{
    struct world *w = context;
    w->result = *result;
    snprintf(w->answer, sizeof(w->answer), "%.*s", SLICE_ARG(result->answer));
    w->count++;
    sem_post(&w->told);
}

static void connect_now(void *context)
{
    struct world *w = context;
    mllp_client_connect(w->client, on_told, w);
}

static void send_now(void *context)
{
    struct world *w = context;
    mllp_client_send(w->client, w->message, on_told, w);
}

static void look_now(void *context)
{
    struct world *w = context;
    w->connected = mllp_client_connected(w->client);
}

static void hang_up_now(void *context)
{
    struct world *w = context;
    mllp_client_hang_up(w->client);
}

static void wait_told(struct world *w)
{
    while (sem_wait(&w->told) != 0)
        ;
}

static enum err dial(struct world *w)
{
    loop_call(&w->loop, connect_now, w);
    wait_told(w);
    return w->result.err;
}

static enum err tell(struct world *w, const char *text)
{
    w->message = slice_str(text);
    loop_call(&w->loop, send_now, w);
    wait_told(w);
    return w->result.err;
}

static bool connected(struct world *w)
{
    loop_call(&w->loop, look_now, w);
    return w->connected;
}

static void world_start(struct world *w, const char *host, bool tls)
{
    char text[256];
    memset(w, 0, sizeof(*w));
    pki_open(&w->pki);
    const char *server = pki_path(&w->pki, "server.pem", w->paths[0]);
    const char *key = pki_path(&w->pki, "server.key", w->paths[1]);
    const char *ca = pki_path(&w->pki, "ca.pem", w->paths[2]);
    struct tls_options o = {
        .cert_path = server, .key_path = key, .ca_path = ca, .require_client = true};
    if (tls) {
        assert_int_equal(tls_context_new(&o, text, sizeof(text), &w->server_tls), ERR_OK);
        assert_int_equal(tls_client_new(ca, text, sizeof(text), &w->client_tls), ERR_OK);
    }
    w->options = (struct mllp_client_options){
        .host = host, .tls = w->client_tls, .connect_ms = 5000, .answer_ms = 60000};
    buf_init(&w->got, LIMIT_MIB);
    sem_init(&w->told, 0, 0);
    loop_init(&w->loop);
    loop_call(&w->loop, open_receiver, w);
}

static void on_client_closed(void *context)
{
    struct world *w = context;
    w->client = NULL;
}

static void close_client(void *context)
{
    struct world *w = context;
    if (w->client && !w->closing)
        mllp_client_close(w->client, on_client_closed, w);
    w->closing = true;
}

static void close_receiver(void *context)
{
    struct world *w = context;
    listener_close(w->receiver, NULL, NULL);
}

static void world_stop(struct world *w)
{
    loop_call(&w->loop, close_client, w);
    loop_call(&w->loop, close_receiver, w);
    loop_fini(&w->loop);
    assert_null(w->client);
    tls_context_free(w->server_tls);
    tls_context_free(w->client_tls);
    pki_close(&w->pki);
    buf_fini(&w->got);
    sem_destroy(&w->told);
}

static void test_messages(void **state)
{
    struct world w;
    (void)state;
    world_start(&w, "localhost", false);
    loop_call(&w.loop, open_client, &w);
    assert_false(connected(&w));
    assert_int_equal(dial(&w), ERR_OK);
    assert_true(connected(&w));
    w.says = FRAME("answer");
    for (int i = 0; i < 5; i++) {
        buf_clear(&w.got);
        assert_int_equal(tell(&w, "message"), ERR_OK);
        assert_string_equal(w.answer, "answer");
        assert_buf(&w.got, FRAME("message"));
    }
    assert_int_equal(w.accepted, 1); /* one connection for all */
    assert_int_equal(w.count, 6);
    loop_call(&w.loop, hang_up_now, &w);
    assert_false(connected(&w));
    assert_int_equal(dial(&w), ERR_OK);
    assert_int_equal(tell(&w, "message"), ERR_OK);
    assert_int_equal(w.accepted, 2);
    world_stop(&w);
}

/* ASKED and what can follow: what is told, and whether the connection is kept. */
static const struct {
    const char *says, *then;
    bool closes;
    unsigned answer_ms;
    enum err err;
    bool kept;
    const char *answer;
} answers[] = {
    {FRAME("a"), NULL, false, 60000, ERR_OK, true, "a"},
    {"\r\n" FRAME("a"), NULL, false, 60000, ERR_OK, true, "a"},
    {"\x0b"
     "in ",
     "two\x1c\r", false, 60000, ERR_OK, true, "in two"},
    {FRAME("a") FRAME("b"), NULL, false, 60000, ERR_OK, false, "a"},
    {FRAME(""), NULL, false, 60000, ERR_OK, true, ""},
    {"HTTP/1.1 400 Bad Request\r\n\r\n", NULL, false, 60000, ERR_MALFORMED, false, ""},
    {"\x0b"
     "a\x1cx",
     NULL, false, 60000, ERR_MALFORMED, false, ""},
    {"\x0b"
     "half",
     NULL, true, 60000, ERR_IO, false, ""},
    {NULL, NULL, true, 60000, ERR_IO, false, ""},
    {NULL, NULL, false, 50, ERR_TIMEOUT, false, ""},
    {"\x0b"
     "half",
     NULL, false, 50, ERR_TIMEOUT, false, ""},
};

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(answers); i++) {
        struct world w;
        world_start(&w, "127.0.0.1", false);
        w.options.answer_ms = answers[i].answer_ms;
        w.says = answers[i].says;
        w.then = answers[i].then;
        w.closes = answers[i].closes;
        loop_call(&w.loop, open_client, &w);
        assert_int_equal(dial(&w), ERR_OK);
        enum err err = tell(&w, "message");
        if (err != answers[i].err || strcmp(w.answer, answers[i].answer) != 0 ||
            connected(&w) != answers[i].kept || w.count != 2)
            fail_msg("%zu: %s \"%s\" kept %d told %u: %s", i, err_name(err), w.answer, w.connected,
                     w.count, w.result.why);
        world_stop(&w);
    }
}

static void test_too_large(void **state)
{
    struct world w;
    (void)state;
    world_start(&w, "127.0.0.1", false);
    char *large = malloc(LIMIT_HL7_ACK + 2);
    memset(large, 'x', LIMIT_HL7_ACK + 1);
    large[0] = '\x0b';
    large[LIMIT_HL7_ACK + 1] = '\0';
    w.says = large;
    loop_call(&w.loop, open_client, &w);
    assert_int_equal(dial(&w), ERR_OK);
    assert_int_equal(tell(&w, "message"), ERR_MALFORMED);
    world_stop(&w);
    free(large);
}

static void test_nobody_there(void **state)
{
    static const struct {
        const char *host;
        unsigned short port;
        const char *why; /* NULL: whatever the system says */
    } cases[] = {{"127.0.0.1", 1, NULL},
                 {"no.such.name.invalid", 2575, NULL},
                 {"192.0.2.1", 2575, "no address that may be used"}};
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct world w;
        world_start(&w, cases[i].host, false);
        w.options.port = cases[i].port;
        loop_call(&w.loop, open_client, &w);
        assert_int_equal(dial(&w), ERR_IO);
        if (cases[i].why)
            assert_string_equal(w.result.why, cases[i].why);
        assert_int_equal(w.count, 1);
        assert_false(connected(&w));
        world_stop(&w);
    }
}

static void speak(void *context)
{
    struct world *w = context;
    stream_write(w->last, SLICE("unasked"));
}

static void drop(void *context)
{
    struct world *w = context;
    stream_close(w->last);
}

/* READY: whoever speaks unasked, or closes, is left; nothing is told, for nothing was asked. */
static void test_unasked(void **state)
{
    void (*const acts[])(void *) = {speak, drop};
    (void)state;
    for (size_t i = 0; i < T_COUNT(acts); i++) {
        struct world w;
        world_start(&w, "127.0.0.1", false);
        loop_call(&w.loop, open_client, &w);
        assert_int_equal(dial(&w), ERR_OK);
        while (!*(struct stream *volatile *)&w.last)
            usleep(1000);
        loop_call(&w.loop, acts[i], &w);
        for (int n = 0; n < 5000 && connected(&w); n++)
            usleep(1000);
        assert_false(connected(&w));
        assert_int_equal(w.count, 1);
        assert_int_equal(dial(&w), ERR_OK);
        world_stop(&w);
    }
}

static void ask_and_close(void *context)
{
    struct world *w = context;
    w->message = SLICE("message");
    mllp_client_send(w->client, w->message, on_told, w);
    close_client(w);
}

static void dial_and_close(void *context)
{
    struct world *w = context;
    mllp_client_connect(w->client, on_told, w);
    close_client(w);
}

static void test_close_in_the_middle(void **state)
{
    struct world w;
    (void)state;
    world_start(&w, "localhost", false);
    loop_call(&w.loop, open_client, &w);
    assert_int_equal(dial(&w), ERR_OK);
    loop_call(&w.loop, ask_and_close, &w);
    wait_told(&w);
    assert_int_equal(w.result.err, ERR_UNAVAILABLE);
    assert_int_equal(w.count, 2);
    world_stop(&w);
    world_start(&w, "localhost", false);
    loop_call(&w.loop, open_client, &w);
    loop_call(&w.loop, dial_and_close, &w);
    wait_told(&w);
    assert_int_equal(w.result.err, ERR_UNAVAILABLE);
    world_stop(&w);
    assert_int_equal(w.count, 1);
}

static void test_certificates(void **state)
{
    struct world w;
    char text[256];
    (void)state;
    world_start(&w, "localhost", true);
    pki_issue(&w.pki, PKI_CLIENT, "client", 7, NULL);
    const char *cert = pki_path(&w.pki, "client.pem", w.paths[3]);
    const char *key = pki_path(&w.pki, "client.key", w.paths[4]);
    assert_int_equal(tls_client_identify(w.client_tls, cert, key, text, sizeof(text)), ERR_OK);
    w.says = FRAME("answer");
    loop_call(&w.loop, open_client, &w);
    assert_int_equal(dial(&w), ERR_OK);
    assert_int_equal(tell(&w, "message"), ERR_OK);
    assert_int_equal(w.with_cert, 1);
    world_stop(&w);
    /* without one: turned away, at the latest when it sends */
    world_start(&w, "localhost", true);
    w.says = FRAME("answer");
    loop_call(&w.loop, open_client, &w);
    assert_true(dial(&w) == ERR_IO || !connected(&w) || tell(&w, "message") == ERR_IO);
    assert_int_equal(w.got.len, 0);
    world_stop(&w);
    /* a name that the receiver's certificate does not carry */
    world_start(&w, "127.0.0.2", true);
    loop_call(&w.loop, open_client, &w);
    assert_int_equal(dial(&w), ERR_IO);
    world_stop(&w);
}

static void test_bad_identity(void **state)
{
    struct world w;
    char text[256], path[128];
    (void)state;
    world_start(&w, "localhost", true);
    assert_int_equal(
        tls_client_identify(w.client_tls, "/none.pem", "/none.key", text, sizeof(text)), ERR_IO);
    assert_non_null(strstr(text, "/none.pem"));
    tls_context_free(w.client_tls);
    assert_int_equal(tls_client_new(w.paths[2], text, sizeof(text), &w.client_tls), ERR_OK);
    assert_int_equal(chmod(w.paths[1], 0644), 0);
    assert_int_equal(tls_client_identify(w.client_tls, w.paths[0],
                                         pki_path(&w.pki, "server.key", path), text, sizeof(text)),
                     ERR_INVALID);
    assert_non_null(strstr(text, "chmod 600"));
    world_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),     cmocka_unit_test(test_answers),
        cmocka_unit_test(test_too_large),    cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_unasked),      cmocka_unit_test(test_close_in_the_middle),
        cmocka_unit_test(test_certificates), cmocka_unit_test(test_bad_identity),
    };
    return T_RUN(tests);
}
