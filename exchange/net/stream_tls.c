/* SPDX-License-Identifier: Apache-2.0
 *
 * The TLS filter of a stream. OpenSSL reads from and writes to a BIO of our own: it reads what the
 * network just brought, where it lies, and what it writes goes into the stream's `out`; so nothing
 * is copied twice and an idle connection keeps no buffers between. Only what a paused owner does
 * not want yet is kept (`held`). Nothing here touches the socket, so a record never blocks the
 * loop. A certificate counts only after the handshake ended and the chain was verified. A handshake
 * that fails is counted and closed; its alert is sent, nothing is logged.
 */
#include "exchange/net/stream_impl.h"

#include <assert.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <pthread.h>

#include "exchange/net/tls.h"

#include "base/banned.h"

/* ── the BIO ─────────────────────────────────────────────────────────────────────────────────── */

static int on_bio_read(BIO *bio, char *to, int max)
{
    struct stream *s = BIO_get_data(bio);
    struct slice have =
        s->held.len > 0 ? slice_sub(buf_slice(&s->held), s->held_at, s->held.len) : s->fresh;
    struct slice part = slice_sub(have, 0, max > 0 ? (size_t)max : 0);
    BIO_clear_retry_flags(bio);
    if (part.len == 0) {
        BIO_set_retry_read(bio); /* later, not the end */
        return -1;
    }
    memcpy(to, part.ptr, part.len);
    if (s->held.len > 0)
        s->held_at += part.len;
    else
        s->fresh = slice_sub(s->fresh, part.len, s->fresh.len);
    return (int)part.len;
}

static int on_bio_write(BIO *bio, const char *bytes, int len)
{
    struct stream *s = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (len <= 0)
        return len;
    buf_add(&s->out, slice_of(bytes, (size_t)len));
    if (buf_err(&s->out) != ERR_OK)
        return -1;
    stream_mark(s);
    return len;
}

static long on_bio_ctrl(BIO *bio, int what, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return what == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO_METHOD *method; /* one for the process; NULL: no memory for it */
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
    if (!method || BIO_meth_set_read(method, on_bio_read) != 1 ||
        BIO_meth_set_write(method, on_bio_write) != 1 ||
        BIO_meth_set_ctrl(method, on_bio_ctrl) != 1) {
        BIO_meth_free(method);
        method = NULL;
    }
}

bool stream_tls_start(struct stream *s)
{
    pthread_once(&method_once, make_method);
    BIO *bio = method ? BIO_new(method) : NULL;
    s->ssl =
        s->host ? tls_new_dialling_ssl(s->listener->tls, s->host) : tls_new_ssl(s->listener->tls);
    if (!bio || !s->ssl) {
        BIO_free(bio);
        return false;
    }
    BIO_set_data(bio, s);
    BIO_set_init(bio, 1);
    SSL_set_bio(s->ssl, bio, bio);
    return true;
}

/* Keeps for later what came and was not read, in the order it came. */
static void hold(struct stream *s)
{
    if (s->state > OPEN) {
        s->fresh = SLICE_NONE;
        return;
    }
    if (s->held_at > 0 && s->held_at == s->held.len) {
        buf_reset(&s->held, LIMIT_KEEP_BYTES);
        s->held_at = 0;
    }
    if (s->fresh.len > 0 && s->held_at > 0) {
        buf_drop(&s->held, s->held_at);
        s->held_at = 0;
    }
    buf_add(&s->held, s->fresh);
    s->fresh = SLICE_NONE;
    if (buf_err(&s->held) != ERR_OK)
        stream_kill(s);
}

/* ── handshake and records ───────────────────────────────────────────────────────────────────── */

/* A failed handshake or record: the alert leaves, then the stream closes. */
static void fail(struct stream *s)
{
    long verdict = SSL_get_verify_result(s->ssl);
    ERR_clear_error();
    s->why =
        verdict == X509_V_OK ? "the TLS handshake failed" : X509_verify_cert_error_string(verdict);
    s->broken = true;
    if (s->state == HANDSHAKE)
        listener_fault(s->listener, NET_HANDSHAKE);
    stream_close(s);
}

static void know_peer(struct stream *s)
{
    X509 *cert = SSL_get1_peer_certificate(s->ssl);
    unsigned len = 0;
    if (cert && SSL_get_verify_result(s->ssl) == X509_V_OK)
        s->peer.has_cert =
            X509_digest(cert, EVP_sha256(), s->peer.fingerprint, &len) == 1 && len == DIGEST_LEN;
    X509_free(cert);
}

static void shake_hands(struct stream *s)
{
    ERR_clear_error();
    int result = SSL_do_handshake(s->ssl);
    if (result == 1) {
        stream_unshake(s);
        s->state = OPEN;
        stream_deadline(s, 0);
        know_peer(s);
        s->listener->events->ready(s);
        return;
    }
    if (SSL_get_error(s->ssl, result) != SSL_ERROR_WANT_READ)
        fail(s);
}

/* Hands decrypted bytes to the owner until there are none, or it pauses or closes. */
static void deliver(struct stream *s)
{
    char *plain = s->listener->plain_bytes;
    while (s->state == OPEN && !s->paused) {
        ERR_clear_error();
        int n = SSL_read(s->ssl, plain, STREAM_PLAIN_BYTES);
        if (n > 0) {
            s->listener->events->data(s, slice_of(plain, (size_t)n));
            continue;
        }
        int why = SSL_get_error(s->ssl, n);
        if (why == SSL_ERROR_ZERO_RETURN)
            stream_end(s);
        else if (why != SSL_ERROR_WANT_READ)
            fail(s);
        return;
    }
}

void stream_tls_feed(struct stream *s, struct slice bytes)
{
    assert(bytes.len <= STREAM_READ_BYTES && s->fresh.len == 0);
    s->fresh = bytes;
    if (s->held.len > 0)
        hold(s); /* behind what waits already */
    if (s->state == HANDSHAKE)
        shake_hands(s);
    deliver(s);
    hold(s);
}

void stream_tls_write(struct stream *s, struct slice bytes)
{
    size_t written = 0;
    ERR_clear_error();
    if (SSL_write_ex(s->ssl, bytes.ptr, bytes.len, &written) != 1 || written != bytes.len)
        fail(s);
}

void stream_tls_bye(struct stream *s)
{
    ERR_clear_error();
    SSL_shutdown(s->ssl);
    ERR_clear_error();
}
