/* SPDX-License-Identifier: Apache-2.0
 *
 * A small certificate authority for tests, made anew in a temporary folder each run: a CA,
 * certificates of servers and clients, CRLs. EC P-256 throughout. Any failure ends the test
 * program, so that callers read straight.
 */
#ifndef TESTS_LIB_PKI_H
#define TESTS_LIB_PKI_H

#include <dirent.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/t.h"

struct pki {
    char dir[64];
    EVP_PKEY *ca_key;
    X509 *ca;
};

enum pki_kind { PKI_CA, PKI_SERVER, PKI_CLIENT, PKI_SELF_SIGNED, PKI_EXPIRED };

static inline void pki_must(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "pki: %s failed\n", what);
    abort();
}

/* DIR/NAME in TEXT. */
static inline const char *pki_path(const struct pki *p, const char *name, char text[128])
{
    snprintf(text, 128, "%s/%s", p->dir, name);
    return text;
}

static inline void pki_extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    pki_must(ext && X509_add_ext(cert, ext, -1), "extension");
    X509_EXTENSION_free(ext);
}

static inline X509 *pki_certify(struct pki *p, enum pki_kind kind, const char *name, long serial,
                                EVP_PKEY *key)
{
    X509 *cert = X509_new();
    bool by_self = kind == PKI_CA || kind == PKI_SELF_SIGNED;
    X509 *issuer = by_self ? cert : p->ca;
    pki_must(cert && X509_set_version(cert, 2), "X509_new");
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
    X509_gmtime_adj(X509_getm_notBefore(cert), -2 * 86400);
    X509_gmtime_adj(X509_getm_notAfter(cert), kind == PKI_EXPIRED ? -86400 : 30 * 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer));
    X509_set_pubkey(cert, key);
    if (kind == PKI_CA) {
        pki_extend(cert, issuer, NID_basic_constraints, "critical,CA:TRUE");
        pki_extend(cert, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    } else {
        pki_extend(cert, issuer, NID_key_usage, "critical,digitalSignature");
        pki_extend(cert, issuer, NID_ext_key_usage,
                   kind == PKI_SERVER ? "serverAuth" : "clientAuth");
    }
    if (kind == PKI_SERVER)
        pki_extend(cert, issuer, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
    pki_must(X509_sign(cert, by_self ? key : p->ca_key, EVP_sha256()) > 0, "X509_sign");
    return cert;
}

static inline void pki_write(const struct pki *p, const char *stem, X509 *cert, EVP_PKEY *key)
{
    char name[64], path[128];
    snprintf(name, sizeof(name), "%s.pem", stem);
    FILE *file = fopen(pki_path(p, name, path), "w");
    pki_must(file && PEM_write_X509(file, cert), path);
    fclose(file);
    snprintf(name, sizeof(name), "%s.key", stem);
    file = fopen(pki_path(p, name, path), "w");
    pki_must(file && chmod(path, 0600) == 0 &&
                 PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL),
             path);
    fclose(file);
}

/* Writes STEM.pem and STEM.key; the SHA-256 of the DER goes to RET_FINGERPRINT (may be NULL). */
static inline void pki_issue(struct pki *p, enum pki_kind kind, const char *stem, long serial,
                             unsigned char *ret_fingerprint)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    pki_must(key != NULL, "EVP_EC_gen");
    X509 *cert = pki_certify(p, kind, stem, serial, key);
    pki_write(p, stem, cert, key);
    if (ret_fingerprint)
        pki_must(X509_digest(cert, EVP_sha256(), ret_fingerprint, NULL), "X509_digest");
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* Writes crl.pem naming the certificates SERIALS[COUNT]; its next update is NEXT_S seconds from
 * now. */
static inline void pki_crl(struct pki *p, const long *serials, unsigned count, long next_s)
{
    char path[128];
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *last = X509_gmtime_adj(NULL, -3600), *next = X509_gmtime_adj(NULL, next_s);
    pki_must(crl && X509_CRL_set_version(crl, 1), "X509_CRL_new");
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(p->ca));
    X509_CRL_set1_lastUpdate(crl, last);
    X509_CRL_set1_nextUpdate(crl, next);
    for (unsigned i = 0; i < count; i++) {
        X509_REVOKED *revoked = X509_REVOKED_new();
        ASN1_INTEGER *serial = ASN1_INTEGER_new();
        ASN1_INTEGER_set(serial, serials[i]);
        X509_REVOKED_set_serialNumber(revoked, serial);
        X509_REVOKED_set_revocationDate(revoked, last);
        X509_CRL_add0_revoked(crl, revoked);
        ASN1_INTEGER_free(serial);
    }
    X509_CRL_sort(crl);
    pki_must(X509_CRL_sign(crl, p->ca_key, EVP_sha256()) > 0, "X509_CRL_sign");
    FILE *file = fopen(pki_path(p, "crl.pem", path), "w");
    pki_must(file && PEM_write_X509_CRL(file, crl), path);
    fclose(file);
    ASN1_TIME_free(last);
    ASN1_TIME_free(next);
    X509_CRL_free(crl);
}

/* A folder with ca.pem, server.pem/.key and an empty crl.pem. */
static inline void pki_open(struct pki *p)
{
    char path[128];
    snprintf(p->dir, sizeof(p->dir), "/tmp/tasuki-pki-XXXXXX");
    pki_must(mkdtemp(p->dir) != NULL, "mkdtemp");
    p->ca_key = EVP_EC_gen("P-256");
    pki_must(p->ca_key != NULL, "EVP_EC_gen");
    p->ca = pki_certify(p, PKI_CA, "Test CA", 1, p->ca_key);
    FILE *file = fopen(pki_path(p, "ca.pem", path), "w");
    pki_must(file && PEM_write_X509(file, p->ca), path);
    fclose(file);
    pki_issue(p, PKI_SERVER, "server", 2, NULL);
    pki_crl(p, NULL, 0, 86400);
}

static inline void pki_close(struct pki *p)
{
    DIR *dir = opendir(p->dir);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        char path[400];
        snprintf(path, sizeof(path), "%s/%s", p->dir, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    if (dir)
        closedir(dir);
    rmdir(p->dir);
    X509_free(p->ca);
    EVP_PKEY_free(p->ca_key);
}

#endif
