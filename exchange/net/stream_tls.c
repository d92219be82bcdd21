/* SPDX-License-Identifier: Apache-2.0
 *
 * The TLS filter of a stream: network bytes go into one memory BIO, what OpenSSL wants to send
 * comes out of the other. Nothing here touches the socket, so a record never blocks the loop. A
 * certificate counts only after the handshake ended and the chain was verified. A handshake that
 * fails is counted and closed; its alert is sent, nothing is logged.
 */
#include "exchange/net/stream_impl.h"

#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "exchange/net/tls.h"

#include "base/banned.h"

bool stream_tls_start(struct stream *s)
{
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());
    s->ssl = s->host ? tls_new_dialling_ssl(s->listener->tls, s->host)
                        : tls_new_ssl(s->listener->tls);
    if (!in || !out || !s->ssl) {
        BIO_free(in);
        BIO_free(out);
        return false;
    }
    BIO_set_mem_eof_return(in, -1); /* empty means "later", not the end */
    BIO_set_mem_eof_return(out, -1);
    SSL_set_bio(s->ssl, in, out);
    return true;
}

/* Moves what OpenSSL wants to send to the stream. */
static void drain(struct stream *s)
{
    BIO *out = SSL_get_wbio(s->ssl);
    size_t n = BIO_ctrl_pending(out);
    if (n == 0)
        return;
    char *to = n <= INT_MAX ? buf_reserve(&s->out, n) : NULL;
    if (!to || BIO_read(out, to, (int)n) != (int)n) {
        stream_kill(s);
        return;
    }
    s->out.len += n;
    stream_mark(s);
}

/* A failed handshake or record: the alert leaves, then the stream closes. */
static void fail(struct stream *s)
{
    long verdict = SSL_get_verify_result(s->ssl);
    ERR_clear_error();
    s->why = verdict == X509_V_OK ? "the TLS handshake failed" : X509_verify_cert_error_string(verdict);
    s->broken = true;
    drain(s);
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
        drain(s);
        if (s->state != HANDSHAKE)
            return;
        stream_unshake(s);
        s->state = OPEN;
        stream_deadline(s, 0);
        know_peer(s);
        s->listener->events->ready(s);
        return;
    }
    if (SSL_get_error(s->ssl, result) == SSL_ERROR_WANT_READ)
        drain(s);
    else
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
        if (why == SSL_ERROR_WANT_READ)
            drain(s);
        else if (why == SSL_ERROR_ZERO_RETURN)
            stream_end(s);
        else
            fail(s);
        return;
    }
}

void stream_tls_feed(struct stream *s, struct slice bytes)
{
    assert(bytes.len <= STREAM_READ_BYTES);
    if (bytes.len > 0 &&
        BIO_write(SSL_get_rbio(s->ssl), bytes.ptr, (int)bytes.len) != (int)bytes.len) {
        stream_kill(s);
        return;
    }
    if (s->state == HANDSHAKE)
        shake_hands(s);
    deliver(s);
}

void stream_tls_write(struct stream *s, struct slice bytes)
{
    size_t written = 0;
    ERR_clear_error();
    if (SSL_write_ex(s->ssl, bytes.ptr, bytes.len, &written) != 1 || written != bytes.len)
        fail(s);
    else
        drain(s);
}

void stream_tls_bye(struct stream *s)
{
    ERR_clear_error();
    SSL_shutdown(s->ssl);
    ERR_clear_error();
    drain(s);
}
