/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS contexts (RFC 8446, RFC 5246 with RFC 9325's choices). A context is built from the bytes of
 * its four files; reload reads them, compares a digest and builds a whole new SSL_CTX, so that the
 * certificate store never mixes two CRLs: added to an old store, a newer CRL of the same date may
 * not be looked at. Without a CRL in its dates OpenSSL refuses every client certificate, which is
 * what we want. Nothing may be resumed: a resumed session would skip the CRL.
 */
#include "exchange/net/tls.h"

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/limits.h"

#include "base/banned.h"

#define VERIFY_DEPTH 3

enum file_kind { FILE_CERT, FILE_KEY, FILE_CA, FILE_CRL, FILE_COUNT };

struct tls_context {
    char *paths[FILE_COUNT]; /* CRL: NULL when none is configured */
    bool require_client;
    SSL_CTX *ctx;
    unsigned char digest[DIGEST_LEN]; /* of the files it was built from */
};

/* The files' bytes while a context is built. */
struct material {
    const struct tls_context *context;
    struct buf files[FILE_COUNT];
    STACK_OF(X509) * cas;
    char *text; /* where to say what is wrong */
    size_t text_size;
};

static enum err say(struct material *m, enum err err, enum file_kind kind, const char *what)
{
    snprintf(m->text, m->text_size, "%s: %s", m->context->paths[kind], what);
    ERR_clear_error();
    return err;
}

static enum err read_open_file(struct material *m, enum file_kind kind, int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return say(m, ERR_IO, kind, "not a regular file");
    if (kind == FILE_KEY && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return say(m, ERR_INVALID, kind,
                   "the private key may be read by others; remedy: chmod 600");
    /* Reserved at once: growing would leave copies of the key behind. */
    size_t size = (size_t)st.st_size;
    struct buf *to = &m->files[kind];
    if (size > LIMIT_TLS_FILE || !buf_reserve(to, size + 1))
        return say(m, ERR_INVALID, kind, "the file is too large");
    while (to->len < size) {
        ssize_t n = read(fd, to->ptr + to->len, size - to->len);
        if (n <= 0)
            return say(m, ERR_IO, kind, "cannot be read");
        to->len += (size_t)n;
    }
    return ERR_OK;
}

static enum err read_file(struct material *m, enum file_kind kind)
{
    const char *path = m->context->paths[kind];
    if (!path)
        return ERR_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return say(m, ERR_IO, kind, "cannot be opened");
    enum err err = read_open_file(m, kind, fd);
    close(fd);
    return err;
}

static void material_fini(struct material *m)
{
    for (int i = 0; i < FILE_COUNT; i++) {
        if (m->files[i].ptr)
            OPENSSL_cleanse(m->files[i].ptr, m->files[i].cap);
        buf_fini(&m->files[i]);
    }
    sk_X509_pop_free(m->cas, X509_free);
    m->cas = NULL;
}

static enum err material_read(struct material *m, unsigned char ret_digest[DIGEST_LEN])
{
    unsigned char digests[FILE_COUNT][DIGEST_LEN];
    for (int i = 0; i < FILE_COUNT; i++)
        buf_init(&m->files[i], LIMIT_TLS_FILE + 1);
    for (int i = 0; i < FILE_COUNT; i++) {
        enum err err = read_file(m, (enum file_kind)i);
        if (err != ERR_OK)
            return err;
        digest_sha256(buf_slice(&m->files[i]), digests[i]);
    }
    digest_sha256(slice_of(digests, sizeof(digests)), ret_digest);
    return ERR_OK;
}

/* A key with a passphrase would make OpenSSL ask on the terminal. */
static int no_passphrase(char *buf, int size, int writing, void *context)
{
    (void)buf, (void)size, (void)writing, (void)context;
    return 0;
}

static BIO *bio_of(const struct material *m, enum file_kind kind)
{
    return BIO_new_mem_buf(m->files[kind].len ? m->files[kind].ptr : "", (int)m->files[kind].len);
}

/* The server's certificate, then the ones between it and its root. */
static enum err use_cert(struct material *m, SSL_CTX *ctx)
{
    BIO *bio = bio_of(m, FILE_CERT);
    unsigned count = 0;
    bool ok = bio != NULL;
    while (ok) {
        X509 *cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
        if (!cert)
            break;
        ok = count++ == 0 ? SSL_CTX_use_certificate(ctx, cert) == 1
                          : SSL_CTX_add1_chain_cert(ctx, cert) == 1;
        X509_free(cert);
    }
    BIO_free(bio);
    if (!ok || count == 0)
        return say(m, ERR_INVALID, FILE_CERT, "holds no usable PEM certificate");
    return ERR_OK;
}

static enum err use_key(struct material *m, SSL_CTX *ctx)
{
    BIO *bio = bio_of(m, FILE_KEY);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    bool ok = key && SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
    bool read = key != NULL;
    EVP_PKEY_free(key);
    BIO_free(bio);
    if (!read)
        return say(m, ERR_INVALID, FILE_KEY, "holds no PEM private key without passphrase");
    if (!ok)
        return say(m, ERR_INVALID, FILE_KEY, "does not belong to the server certificate");
    return ERR_OK;
}

static enum err use_ca(struct material *m, SSL_CTX *ctx)
{
    BIO *bio = bio_of(m, FILE_CA);
    bool ok = bio != NULL;
    m->cas = sk_X509_new_null();
    while (ok && m->cas) {
        X509 *cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
        if (!cert)
            break;
        ok = X509_check_ca(cert) > 0 && X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), cert) &&
             SSL_CTX_add_client_CA(ctx, cert) == 1 && sk_X509_push(m->cas, cert) > 0;
        if (!ok)
            X509_free(cert);
    }
    BIO_free(bio);
    if (!ok)
        return say(m, ERR_INVALID, FILE_CA, "holds a certificate that is no CA's");
    if (!m->cas || sk_X509_num(m->cas) == 0)
        return say(m, ERR_INVALID, FILE_CA, "holds no PEM certificate");
    return ERR_OK;
}

/* A CRL that none of our CAs signed would be loaded and never matched: refuse it where it can be
 * said. */
static bool crl_is_ours(const struct material *m, X509_CRL *crl)
{
    for (int i = 0; i < sk_X509_num(m->cas); i++) {
        X509 *ca = sk_X509_value(m->cas, i);
        if (X509_NAME_cmp(X509_get_subject_name(ca), X509_CRL_get_issuer(crl)) == 0 &&
            X509_CRL_verify(crl, X509_get0_pubkey(ca)) == 1)
            return true;
    }
    return false;
}

static enum err use_crl(struct material *m, SSL_CTX *ctx)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    if (!m->context->paths[FILE_CRL])
        return ERR_OK;
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    BIO *bio = bio_of(m, FILE_CRL);
    unsigned count = 0;
    bool ok = bio != NULL;
    bool expired = false;
    while (ok) {
        X509_CRL *crl = PEM_read_bio_X509_CRL(bio, NULL, no_passphrase, NULL);
        if (!crl)
            break;
        count++;
        const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
        expired = expired || (next && X509_cmp_current_time(next) < 0);
        ok = crl_is_ours(m, crl) && X509_STORE_add_crl(store, crl) == 1;
        X509_CRL_free(crl);
    }
    BIO_free(bio);
    if (!ok)
        return say(m, ERR_INVALID, FILE_CRL, "holds a CRL that our CA did not sign");
    if (count == 0)
        return say(m, ERR_INVALID, FILE_CRL, "holds no PEM CRL");
    if (expired)
        (void)say(m, ERR_OK, FILE_CRL, "the CRL has expired: client certificates are refused");
    return ERR_OK;
}

static bool harden(SSL_CTX *ctx, bool require_client)
{
    static const unsigned char id[] = "tasuki";
    SSL_CTX_set_security_level(ctx, 2);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify_depth(ctx, VERIFY_DEPTH);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_verify(
        ctx, SSL_VERIFY_PEER | (require_client ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
           SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1) == 1 &&
           SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
           SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") == 1 &&
           SSL_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT) == 1;
}

static enum err material_build(struct material *m, SSL_CTX **ret_ctx)
{
    static enum err (*const steps[])(struct material *, SSL_CTX *) = {use_cert, use_key, use_ca,
                                                                      use_crl};
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx || !harden(ctx, m->context->require_client)) {
        SSL_CTX_free(ctx);
        return say(m, ERR_INTERNAL, FILE_CERT, "no TLS context could be made");
    }
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        enum err err = steps[i](m, ctx);
        if (err != ERR_OK) {
            SSL_CTX_free(ctx);
            return err;
        }
    }
    ERR_clear_error(); /* the PEM readers leave "no start line" at the end of a file */
    *ret_ctx = ctx;
    return ERR_OK;
}

/* Reads the files; builds and puts in force a new SSL_CTX when they differ from those of the old
 * one. */
static enum err renew(struct tls_context *context, char *text, size_t text_size)
{
    struct material m = {.context = context, .text = text, .text_size = text_size};
    unsigned char digest[DIGEST_LEN];
    SSL_CTX *ctx = NULL;
    enum err err = material_read(&m, digest);
    if (err == ERR_OK && context->ctx && memcmp(digest, context->digest, DIGEST_LEN) == 0)
        goto out;
    if (err == ERR_OK)
        err = material_build(&m, &ctx);
    if (err == ERR_OK) {
        SSL_CTX_free(context->ctx);
        context->ctx = ctx;
        memcpy(context->digest, digest, DIGEST_LEN);
    }
out:
    material_fini(&m);
    return err;
}

enum err tls_context_new(const struct tls_options *options, char *ret_text, size_t text_size,
                         struct tls_context **ret_context)
{
    assert(options && options->cert_path && options->key_path && options->ca_path);
    assert(ret_text && text_size > 0 && ret_context);
    const char *paths[FILE_COUNT] = {options->cert_path, options->key_path, options->ca_path,
                                     options->crl_path};
    struct tls_context *context = calloc(1, sizeof(*context));
    if (!context)
        return ERR_LIMIT;
    ret_text[0] = '\0';
    context->require_client = options->require_client;
    for (int i = 0; i < FILE_COUNT; i++) {
        context->paths[i] = paths[i] ? strdup(paths[i]) : NULL;
        if (paths[i] && !context->paths[i]) {
            tls_context_free(context);
            return ERR_LIMIT;
        }
    }
    enum err err = renew(context, ret_text, text_size);
    if (err != ERR_OK) {
        tls_context_free(context);
        return err;
    }
    *ret_context = context;
    return ERR_OK;
}

void tls_context_free(struct tls_context *context)
{
    if (!context)
        return;
    SSL_CTX_free(context->ctx);
    for (int i = 0; i < FILE_COUNT; i++)
        free(context->paths[i]);
    free(context);
}

enum err tls_context_reload(struct tls_context *context)
{
    char text[256];
    assert(context && context->ctx);
    return renew(context, text, sizeof(text));
}

SSL *tls_new_ssl(struct tls_context *context)
{
    SSL *ssl = SSL_new(context->ctx);
    if (ssl)
        SSL_set_accept_state(ssl);
    return ssl;
}

/* ---- dialling ---- */

enum err tls_client_new(const char *ca_path, char *ret_text, size_t text_size,
                        struct tls_context **ret_context)
{
    struct tls_context *context = calloc(1, sizeof(*context));
    if (!context)
        return ERR_LIMIT;
    ret_text[0] = '\0';
    context->ctx = SSL_CTX_new(TLS_client_method());
    bool made = context->ctx && harden(context->ctx, false) &&
                SSL_CTX_set_purpose(context->ctx, X509_PURPOSE_SSL_SERVER) == 1;
    bool trusting = made && (ca_path ? SSL_CTX_load_verify_file(context->ctx, ca_path) == 1
                                     : SSL_CTX_set_default_verify_paths(context->ctx) == 1);
    ERR_clear_error();
    if (!trusting) {
        snprintf(ret_text, text_size, "%s: %s", ca_path ? ca_path : "system store",
                 made ? "holds no usable CA certificate" : "no TLS context could be made");
        tls_context_free(context);
        return made ? ERR_INVALID : ERR_INTERNAL;
    }
    *ret_context = context;
    return ERR_OK;
}

enum err tls_client_identify(struct tls_context *context, const char *cert_path,
                             const char *key_path, char *ret_text, size_t text_size)
{
    struct material m = {.context = context, .text = ret_text, .text_size = text_size};
    unsigned char digest[DIGEST_LEN];
    assert(!context->paths[FILE_CERT]);
    context->paths[FILE_CERT] = strdup(cert_path);
    context->paths[FILE_KEY] = strdup(key_path);
    if (!context->paths[FILE_CERT] || !context->paths[FILE_KEY])
        return ERR_LIMIT;
    ret_text[0] = '\0';
    enum err err = material_read(&m, digest);
    if (!err)
        err = use_cert(&m, context->ctx);
    if (!err)
        err = use_key(&m, context->ctx);
    material_fini(&m);
    ERR_clear_error();
    return err;
}

static bool is_address(const char *host)
{
    struct in6_addr any;
    return inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1;
}

SSL *tls_new_dialling_ssl(struct tls_context *context, const char *host)
{
    SSL *ssl = SSL_new(context->ctx);
    if (!ssl)
        return NULL;
    bool address = is_address(host);
    bool named = address
                     ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1
                     : SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set_connect_state(ssl);
    if (named)
        return ssl;
    SSL_free(ssl);
    return NULL;
}
