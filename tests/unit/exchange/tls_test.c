/* SPDX-License-Identifier: Apache-2.0
 *
 * tls.c and the TLS filter of streams over real sockets, seen from a client: who gets in, who does
 * not, what a new CRL changes, that nothing is resumed, and what old protocol versions and odd
 * files meet. A small HTTP server answers with what it knows of its peer.
 */
#include <openssl/ssl.h>

#include "exchange/bench/client.h"
#include "exchange/net/quota.h"
#include "exchange/net/http.h"
#include "exchange/net/tls.h"
#include "lib/loop.h"
#include "lib/pki.h"

#include "base/banned.h"

struct world {
    struct pki pki;
    struct tls_options options;
    char paths[4][128];
    struct loop loop;
    struct tls_context *tls;
    struct http_server *server;
    unsigned short port;
    struct http_figures figures;
    enum err err;
};

/* "none" or the fingerprint; a large body when asked for one. */
static void handle(struct http_call *call, void *context)
{
    const struct net_peer *peer = http_call_peer(call);
    struct buf b;
    uint64_t size = 0;
    (void)context;
    assert_true(peer->tls);
    buf_init(&b, 64 * LIMIT_MIB);
    if (slice_u64(http_call_request(call)->query, &size))
        memset(buf_reserve(&b, size), 'x', size);
    b.len = size;
    if (size == 0 && peer->has_cert)
        digest_hex(&b, slice_of(peer->fingerprint, DIGEST_LEN));
    else if (size == 0)
        buf_adds(&b, "none");
    buf_add(&b, http_call_body(call));
    struct http_answer a = {.status = 200, .content_type = "text/plain", .body = buf_slice(&b)};
    http_call_answer(call, &a);
    buf_fini(&b);
}

static void open_server(void *context)
{
    struct world *w = context;
    struct http_options o = {.where = {.loop = &w->loop.uv, .host = "127.0.0.1", .tls = w->tls},
                             .handle = handle};
    w->err = http_open(&o, &w->server);
    if (w->err == ERR_OK)
        w->port = http_port(w->server);
}

static void close_server(void *context)
{
    struct world *w = context;
    http_close(w->server, NULL, NULL);
}

static void reload(void *context)
{
    struct world *w = context;
    w->err = tls_context_reload(w->tls);
}

static void count(void *context)
{
    struct world *w = context;
    http_figures(w->server, &w->figures);
}

static void world_files(struct world *w, bool require_client)
{
    memset(w, 0, sizeof(*w));
    pki_open(&w->pki);
    w->options = (struct tls_options){
        .cert_path = pki_path(&w->pki, "server.pem", w->paths[0]),
        .key_path = pki_path(&w->pki, "server.key", w->paths[1]),
        .ca_path = pki_path(&w->pki, "ca.pem", w->paths[2]),
        .crl_path = pki_path(&w->pki, "crl.pem", w->paths[3]),
        .require_client = require_client,
    };
}

static void world_start(struct world *w)
{
    char text[256];
    enum err err = tls_context_new(&w->options, text, sizeof(text), &w->tls);
    if (err != ERR_OK)
        print_error("%s\n", text);
    assert_int_equal(err, ERR_OK);
    loop_init(&w->loop);
    loop_call(&w->loop, open_server, w);
    assert_int_equal(w->err, ERR_OK);
}

static void world_stop(struct world *w)
{
    loop_call(&w->loop, close_server, w);
    loop_fini(&w->loop);
    tls_context_free(w->tls);
    pki_close(&w->pki);
}

static struct client_trust *trust_of(const struct world *w, const char *stem)
{
    char ca[128], cert[128], key[128], name[64];
    struct client_trust *trust = NULL;
    pki_path(&w->pki, "ca.pem", ca);
    if (stem) {
        snprintf(name, sizeof(name), "%s.pem", stem);
        pki_path(&w->pki, name, cert);
        snprintf(name, sizeof(name), "%s.key", stem);
        pki_path(&w->pki, name, key);
    }
    assert_int_equal(client_trust_new(ca, stem ? cert : NULL, stem ? key : NULL, &trust), ERR_OK);
    return trust;
}

static enum err dial(const struct world *w, const struct client_trust *trust, int version,
                     struct client **ret_client)
{
    struct client_options o = {
        .host = "127.0.0.1", .port = w->port, .trust = trust, .tls_version = version};
    return client_open(&o, ret_client);
}

/* Connects with the certificate STEM (NULL: none) and asks who we are; false when we are not let
 * in. With TLS 1.3 the refusal comes after the client's side of the handshake, at the first read.
 */
static bool asks(const struct world *w, const char *stem, int version, char text[80])
{
    struct client_trust *trust = trust_of(w, stem);
    struct client *c = NULL;
    struct client_answer a;
    enum err err = dial(w, trust, version, &c);
    if (err == ERR_OK)
        err = client_http(c, "GET", "/", "", SLICE_NONE, &a);
    if (err == ERR_OK)
        snprintf(text, 80, "%.*s", SLICE_ARG(a.body));
    client_close(c);
    client_trust_free(trust);
    return err == ERR_OK;
}

static const int VERSIONS[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* ---- tests ---- */

static void test_who_gets_in(void **state)
{
    static const struct {
        const char *stem;
        enum pki_kind kind;
        bool in; /* where a certificate is required */
    } cases[] = {
        {"client", PKI_CLIENT, true},    {"selfmade", PKI_SELF_SIGNED, false},
        {"expired", PKI_EXPIRED, false}, {"wrongpurpose", PKI_SERVER, false},
        {"revoked", PKI_CLIENT, false},
    };
    (void)state;
    for (int require = 0; require < 2; require++) {
        struct world w;
        unsigned refused = 0;
        char text[80] = "";
        world_files(&w, require);
        const long revoked[] = {104};
        pki_crl(&w.pki, revoked, 1, 86400);
        world_start(&w);
        for (size_t i = 0; i < T_COUNT(cases); i++) {
            unsigned char fingerprint[DIGEST_LEN];
            char hex[80];
            struct buf b;
            pki_issue(&w.pki, cases[i].kind, cases[i].stem, 100 + (long)i, fingerprint);
            buf_init(&b, 80);
            digest_hex(&b, slice_of(fingerprint, DIGEST_LEN));
            snprintf(hex, sizeof(hex), "%.*s", (int)b.len, b.ptr);
            buf_fini(&b);
            for (size_t v = 0; v < 2; v++) {
                bool in = asks(&w, cases[i].stem, VERSIONS[v], text);
                if (in != cases[i].in)
                    print_error("%s: %s\n", cases[i].stem, in ? "let in" : "refused");
                assert_true(in == cases[i].in);
                if (in)
                    assert_string_equal(text, hex);
                refused += !in;
            }
        }
        for (size_t v = 0; v < 2; v++) { /* no certificate */
            bool in = asks(&w, NULL, VERSIONS[v], text);
            assert_true(in == !require);
            if (in)
                assert_string_equal(text, "none");
            refused += !in;
        }
        loop_call(&w.loop, count, &w);
        assert_int_equal(w.figures.net.faults[NET_HANDSHAKE], refused);
        world_stop(&w);
    }
}

/* The same certificate, before and after the CRL names it: new connections are refused, old ones go
 * on. */
static void test_revoked_later(void **state)
{
    struct world w;
    char text[80];
    struct client *old = NULL;
    struct client_answer a;
    const long revoked[] = {50};
    (void)state;
    world_files(&w, true);
    pki_issue(&w.pki, PKI_CLIENT, "client", 50, NULL);
    pki_issue(&w.pki, PKI_CLIENT, "other", 51, NULL);
    world_start(&w);
    struct client_trust *trust = trust_of(&w, "client");
    assert_int_equal(dial(&w, trust, 0, &old), ERR_OK);
    assert_int_equal(client_http(old, "GET", "/", "", SLICE_NONE, &a), ERR_OK);
    pki_crl(&w.pki, revoked, 1, 86400);
    assert_true(asks(&w, "client", 0, text)); /* not loaded yet */
    loop_call(&w.loop, reload, &w);
    assert_int_equal(w.err, ERR_OK);
    for (size_t v = 0; v < 2; v++) {
        assert_false(asks(&w, "client", VERSIONS[v], text));
        assert_true(asks(&w, "other", VERSIONS[v], text));
    }
    assert_int_equal(client_http(old, "GET", "/", "", SLICE_NONE, &a), ERR_OK);
    client_close(old);
    client_trust_free(trust);
    world_stop(&w);
}

static void test_reload_failures(void **state)
{
    struct world w;
    char text[80];
    (void)state;
    world_files(&w, true);
    pki_issue(&w.pki, PKI_CLIENT, "client", 50, NULL);
    pki_crl(&w.pki, NULL, 0, 3);
    world_start(&w);
    uint64_t begin = loop_now_ms();
    assert_true(asks(&w, "client", 0, text));
    unlink(w.options.crl_path);
    loop_call(&w.loop, reload, &w);
    assert_int_equal(w.err, ERR_IO);
    FILE *file = fopen(w.options.crl_path, "w");
    fprintf(file, "no CRL\n");
    fclose(file);
    loop_call(&w.loop, reload, &w);
    assert_int_equal(w.err, ERR_INVALID);
    assert_true(loop_now_ms() - begin < 2000);
    assert_true(asks(&w, "client", 0, text)); /* the old one is in force until it expires */
    sleep(4);
    assert_false(asks(&w, "client", 0, text)); /* then nobody gets in */
    pki_crl(&w.pki, NULL, 0, 86400);
    loop_call(&w.loop, reload, &w);
    assert_int_equal(w.err, ERR_OK);
    assert_true(asks(&w, "client", 0, text));
    world_stop(&w);
}

/* A client that keeps its session and offers it again gets a full handshake. */
static void test_no_resumption(void **state)
{
    struct world w;
    char path[128];
    (void)state;
    world_files(&w, true);
    pki_issue(&w.pki, PKI_CLIENT, "client", 50, NULL);
    world_start(&w);
    for (size_t v = 0; v < 2; v++) {
        SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
        SSL_SESSION *session = NULL;
        SSL_CTX_set_max_proto_version(ctx, VERSIONS[v]);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT);
        SSL_CTX_use_certificate_chain_file(ctx, pki_path(&w.pki, "client.pem", path));
        SSL_CTX_use_PrivateKey_file(ctx, pki_path(&w.pki, "client.key", path), SSL_FILETYPE_PEM);
        for (int round = 0; round < 2; round++) {
            char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n", answer[4096], port[16];
            snprintf(port, sizeof(port), "%u", w.port);
            BIO *bio = BIO_new_ssl_connect(ctx);
            SSL *ssl = NULL;
            BIO_get_ssl(bio, &ssl);
            BIO_set_conn_hostname(bio, "127.0.0.1");
            BIO_set_conn_port(bio, port);
            if (session)
                SSL_set_session(ssl, session);
            assert_int_equal(BIO_do_connect(bio), 1);
            assert_true(BIO_write(bio, request, (int)strlen(request)) > 0);
            assert_true(BIO_read(bio, answer, sizeof(answer)) > 0);
            assert_int_equal(SSL_session_reused(ssl), 0);
            SSL_SESSION_free(session);
            session = SSL_get1_session(ssl);
            assert_false(VERSIONS[v] == TLS1_3_VERSION && SSL_SESSION_is_resumable(session));
            BIO_free_all(bio);
        }
        SSL_SESSION_free(session);
        SSL_CTX_free(ctx);
    }
    world_stop(&w);
}

/* Old versions and suites without forward secrecy or AEAD find nothing in common. */
static void test_weak_offers(void **state)
{
    static const struct {
        int version;
        const char *ciphers;
        bool in;
    } cases[] = {
        {TLS1_VERSION, "ALL:@SECLEVEL=0", false},
        {TLS1_1_VERSION, "ALL:@SECLEVEL=0", false},
        {TLS1_2_VERSION, "AES128-GCM-SHA256:@SECLEVEL=0", false},
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0", false},
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-CCM:@SECLEVEL=0", false},
        {TLS1_2_VERSION, "DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0", false},
        {TLS1_2_VERSION, "aNULL:eNULL:@SECLEVEL=0", false},
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", true},
        {TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305", true},
    };
    struct world w;
    (void)state;
    world_files(&w, false);
    world_start(&w);
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
        char port[16];
        SSL_CTX_set_security_level(ctx, 0);
        SSL_CTX_set_min_proto_version(ctx, cases[i].version);
        SSL_CTX_set_max_proto_version(ctx, cases[i].version);
        assert_int_equal(SSL_CTX_set_cipher_list(ctx, cases[i].ciphers), 1);
        snprintf(port, sizeof(port), "%u", w.port);
        BIO *bio = BIO_new_ssl_connect(ctx);
        BIO_set_conn_hostname(bio, "127.0.0.1");
        BIO_set_conn_port(bio, port);
        bool in = BIO_do_connect(bio) == 1;
        if (in != cases[i].in)
            print_error("%s: %s\n", cases[i].ciphers, in ? "let in" : "refused");
        assert_true(in == cases[i].in);
        BIO_free_all(bio);
        SSL_CTX_free(ctx);
    }
    world_stop(&w);
}

static void spoil(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    pki_must(file && fputs(text, file) >= 0, path);
    fclose(file);
}

/* Every bad file is named, and nothing is opened with it. */
static void test_bad_files(void **state)
{
    static const struct {
        const char *file;
        const char *content; /* NULL: removed */
        enum err err;
    } cases[] = {
        {"server.pem", NULL, ERR_IO},     {"server.key", NULL, ERR_IO},
        {"ca.pem", NULL, ERR_IO},         {"crl.pem", NULL, ERR_IO},
        {"server.pem", "x", ERR_INVALID}, {"server.key", "x", ERR_INVALID},
        {"ca.pem", "", ERR_INVALID},      {"crl.pem", "", ERR_INVALID},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct world w;
        char text[256] = "", path[128];
        world_files(&w, true);
        pki_path(&w.pki, cases[i].file, path);
        if (cases[i].content)
            spoil(path, cases[i].content);
        else
            unlink(path);
        assert_int_equal(tls_context_new(&w.options, text, sizeof(text), &w.tls), cases[i].err);
        assert_non_null(strstr(text, path));
        assert_null(w.tls);
        pki_close(&w.pki);
    }
}

static void test_odd_files(void **state)
{
    struct world w, other;
    char text[256] = "";
    (void)state;
    world_files(&w, true);
    assert_int_equal(chmod(w.options.key_path, 0640), 0);
    assert_int_equal(tls_context_new(&w.options, text, sizeof(text), &w.tls), ERR_INVALID);
    assert_non_null(strstr(text, w.options.key_path));
    assert_int_equal(chmod(w.options.key_path, 0604), 0);
    assert_int_equal(tls_context_new(&w.options, text, sizeof(text), &w.tls), ERR_INVALID);
    assert_int_equal(chmod(w.options.key_path, 0400), 0);
    assert_int_equal(tls_context_new(&w.options, text, sizeof(text), &w.tls), ERR_OK);
    assert_string_equal(text, "");
    tls_context_free(w.tls);
    w.tls = NULL;
    world_files(&other, true); /* its CA has the same name and another key */
    struct tls_options mixed = w.options;
    mixed.crl_path = other.options.crl_path;
    assert_int_equal(tls_context_new(&mixed, text, sizeof(text), &w.tls), ERR_INVALID);
    assert_non_null(strstr(text, other.options.crl_path));
    mixed = w.options;
    mixed.key_path = other.options.key_path;
    assert_int_equal(tls_context_new(&mixed, text, sizeof(text), &w.tls), ERR_INVALID);
    assert_non_null(strstr(text, other.options.key_path));
    mixed = w.options;
    mixed.ca_path = w.options.cert_path;
    assert_int_equal(tls_context_new(&mixed, text, sizeof(text), &w.tls), ERR_INVALID);
    pki_close(&other.pki);
    pki_issue(&w.pki, PKI_CLIENT, "client", 50, NULL);
    pki_crl(&w.pki, NULL, 0, -60); /* expired: the server starts, clients are refused */
    assert_int_equal(chmod(w.options.key_path, 0600), 0);
    assert_int_equal(tls_context_new(&w.options, text, sizeof(text), &w.tls), ERR_OK);
    assert_non_null(strstr(text, "expired"));
    tls_context_free(w.tls);
    world_start(&w);
    char answer[80];
    assert_false(asks(&w, "client", 0, answer));
    world_stop(&w);
}

/* Records larger than one, both ways, and in the smallest pieces. */
static void test_large(void **state)
{
    struct world w;
    struct client *c = NULL;
    struct client_answer a;
    struct buf b;
    (void)state;
    world_files(&w, true);
    pki_issue(&w.pki, PKI_CLIENT, "client", 50, NULL);
    world_start(&w);
    struct client_trust *trust = trust_of(&w, "client");
    assert_int_equal(dial(&w, trust, 0, &c), ERR_OK);
    assert_int_equal(client_http(c, "GET", "/?20000000", "", SLICE_NONE, &a), ERR_OK);
    assert_int_equal(a.body.len, 20000000);
    buf_init(&b, 8 * LIMIT_MIB);
    for (unsigned i = 0; i < 8 * LIMIT_MIB; i++)
        buf_addc(&b, (char)(i * 13));
    assert_int_equal(client_http(c, "POST", "/", "", buf_slice(&b), &a), ERR_OK);
    assert_int_equal(a.body.len, 64 + b.len);
    assert_true(slice_eq(slice_sub(a.body, 64, b.len), buf_slice(&b)));
    const char *request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    for (const char *p = request; *p; p++)
        assert_int_equal(client_send(c, slice_of(p, 1)), ERR_OK);
    assert_int_equal(client_read_http(c, false, &a), ERR_OK);
    assert_int_equal(a.body.len, 64);
    buf_fini(&b);
    client_close(c);
    client_trust_free(trust);
    world_stop(&w);
}

/* Peers that do not speak TLS, or break off: closed, counted, and the next one is served. */
static void test_garbage(void **state)
{
    struct world w;
    char text[80];
    (void)state;
    world_files(&w, false);
    world_start(&w);
    struct client_options o = {.host = "127.0.0.1", .port = w.port};
    const struct slice inputs[] = {SLICE("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
                                   SLICE("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"),
                                   SLICE("\x16\x03\x01\xff\xff"), SLICE("\x80\x80\x01\x03\x01"),
                                   SLICE("")};
    for (size_t i = 0; i < T_COUNT(inputs); i++) {
        struct client *c = NULL;
        assert_int_equal(client_open(&o, &c), ERR_OK);
        assert_int_equal(client_send(c, inputs[i]), ERR_OK);
        client_finish(c);
        struct slice none;
        assert_int_equal(client_read_mllp(c, &none), ERR_GONE); /* after an alert, perhaps */
        client_close(c);
    }
    assert_true(asks(&w, NULL, 0, text));
    loop_call(&w.loop, count, &w);
    assert_int_equal(w.figures.net.faults[NET_HANDSHAKE], T_COUNT(inputs));
    world_stop(&w);
}

/* Silent connections are dropped at the handshake's deadline; over the cap, the oldest at once. */
static void test_slow_handshakes(void **state)
{
    struct world w;
    char text[80];
    static struct client *mute[LIMIT_TLS_HANDSHAKES + 1];
    (void)state;
    quota_raise_files();
    if (quota_room_now() < 2 * T_COUNT(mute))
        skip(); /* both ends are here */
    world_files(&w, false);
    world_start(&w);
    struct client_options o = {.host = "127.0.0.1", .port = w.port, .timeout_ms = 15000};
    uint64_t begin = loop_now_ms();
    for (size_t i = 0; i < T_COUNT(mute); i++)
        assert_int_equal(client_open(&o, &mute[i]), ERR_OK);
    assert_true(client_at_end(mute[0]));
    loop_call(&w.loop, count, &w);
    assert_true(w.figures.net.faults[NET_HANDSHAKE_CROWD] >= 1);
    assert_true(asks(&w, NULL, 0, text));
    for (size_t i = 1; i < T_COUNT(mute); i++)
        assert_true(client_at_end(mute[i]));
    assert_true(loop_now_ms() - begin >= LIMIT_TLS_HANDSHAKE_MS - 500);
    for (size_t i = 0; i < T_COUNT(mute); i++)
        client_close(mute[i]);
    world_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_gets_in),     cmocka_unit_test(test_revoked_later),
        cmocka_unit_test(test_reload_failures), cmocka_unit_test(test_no_resumption),
        cmocka_unit_test(test_weak_offers),     cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_odd_files),       cmocka_unit_test(test_large),
        cmocka_unit_test(test_garbage),         cmocka_unit_test(test_slow_handshakes),
    };
    return T_RUN(tests);
}
