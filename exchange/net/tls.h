/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS for listeners (security guide T6, T9): TLS 1.3 and 1.2 with AEAD only, client certificates
 * required or optional, checked against one CA and its CRL. No session tickets, no resumption, no
 * renegotiation, no compression. Loading a CRL builds a fresh certificate store; connections
 * accepted before are re-checked per request through the registry, new ones meet the fresh store.
 */
#ifndef EXCHANGE_NET_TLS_H
#define EXCHANGE_NET_TLS_H

#include <openssl/ssl.h>

#include "base/err.h"

struct tls_options {
    const char *cert_path; /* PEM chain of the server */
    const char *key_path;  /* PEM; refused when others may read it */
    const char *ca_path;   /* PEM of the CA of client certificates */
    const char *crl_path;  /* PEM; NULL = none configured */
    bool require_client;   /* false: ask, accept without */
};

struct tls_context;

/* ERR_IO / ERR_INVALID; TEXT (size bytes) receives what is wrong, with the file's name. A CRL that
 * is configured but missing, malformed or not signed by the CA is an error; an expired one is not
 * (TEXT says so), but no client certificate is accepted until a newer one is loaded. TEXT is empty
 * when all is well. */
enum err tls_context_new(const struct tls_options *options, char *ret_text, size_t text_size,
                         struct tls_context **ret_context) ERR_CHECKED;
void tls_context_free(struct tls_context *context);
/* Loads CRL and certificates again if their files changed; on failure the old ones stay, unless the
 * CRL in force has expired: then client certificates are refused (fail closed). Call from a timer
 * on the loop thread. */
enum err tls_context_reload(struct tls_context *context) ERR_CHECKED;
/* A new server-side connection object of the context in force. */
SSL *tls_new_ssl(struct tls_context *context);

/* A context for connections of our own: servers are checked against CA_PATH (PEM), NULL: the
 * system's store. */
enum err tls_client_new(const char *ca_path, char *ret_text, size_t text_size,
                        struct tls_context **ret_context) ERR_CHECKED;
/* Gives a dialling context a certificate of its own (PEM chain and key; the key is refused when
 * others may read it), for servers that ask who we are. */
enum err tls_client_identify(struct tls_context *context, const char *cert_path,
                             const char *key_path, char *ret_text, size_t text_size) ERR_CHECKED;
/* A new connection object that dials: the server's certificate must be good and name HOST (DNS name
 * or address). */
SSL *tls_new_dialling_ssl(struct tls_context *context, const char *host);

#endif
