/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates and the revocation list with OpenSSL (RFC 5280 sections 4.1, 4.2, 5). Serials are
 * 128 random bits (positive, as 4.1.2.2 asks). Keys are written with mode 0600 from the first byte
 * on, and every file appears whole: written beside and renamed. Nothing here decides about trust.
 */
#include "exchange/demo/pki.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/ids.h"
#include "base/slice.h"

#include "base/banned.h"

#define PKI_BACK_SECONDS (60L * 60L) /* clocks that are a little behind */
#define PKI_LEAF_DAYS 730
#define PKI_CA_DAYS 3650
#define PKI_CRL_DAYS 30
#define PKI_LOOPBACK_NAMES "DNS:localhost,IP:127.0.0.1,IP:::1"
#define PKI_DAY_SECONDS (24L * 60L * 60L)

struct authority {
    X509 *cert;
    EVP_PKEY *key;
};

/* ── files ───────────────────────────────────────────────────────────────────────────────────── */

static bool path_of(char path[PATH_MAX], const char *dir, const char *name, const char *suffix)
{
    int n = snprintf(path, PATH_MAX, "%s/%s%s", dir, name, suffix);

    return n > 0 && n < PATH_MAX;
}

/* Writes what BIO holds to DIR/NAME+SUFFIX with MODE, whole or not at all. */
static enum err save(BIO *bio, const char *dir, const char *name, const char *suffix, mode_t mode)
{
    char path[PATH_MAX], beside[PATH_MAX];
    char *bytes = NULL;
    long len = BIO_get_mem_data(bio, &bytes);
    enum err err = ERR_IO;
    int fd = -1;

    if (!path_of(path, dir, name, suffix) || !path_of(beside, dir, name, ".new"))
        return ERR_TOO_LARGE;
    (void)unlink(beside);
    fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return ERR_IO;
    if (len > 0 && write(fd, bytes, (size_t)len) == len && fsync(fd) == 0)
        err = ERR_OK;
    if (close(fd) != 0)
        err = ERR_IO;
    if (!err && rename(beside, path) != 0)
        err = ERR_IO;
    if (err)
        (void)unlink(beside);
    return err;
}

static enum err save_cert(const char *dir, const char *name, X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    enum err err = bio && PEM_write_bio_X509(bio, cert) == 1 ? save(bio, dir, name, ".pem", 0644)
                                                             : ERR_INTERNAL;

    BIO_free(bio);
    return err;
}

static enum err save_key(const char *dir, const char *name, EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    enum err err = ERR_INTERNAL;

    if (!bio)
        bio = BIO_new(BIO_s_mem());
    if (bio && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1)
        err = save(bio, dir, name, ".key", 0600);
    BIO_free(bio);
    return err;
}

static enum err save_crl(const char *dir, X509_CRL *crl)
{
    BIO *bio = BIO_new(BIO_s_mem());
    enum err err = bio && PEM_write_bio_X509_CRL(bio, crl) == 1
                       ? save(bio, dir, "crl", ".pem", 0644)
                       : ERR_INTERNAL;

    BIO_free(bio);
    return err;
}

static FILE *open_pem(const char *dir, const char *name, const char *suffix)
{
    char path[PATH_MAX];

    return path_of(path, dir, name, suffix) ? fopen(path, "re") : NULL;
}

static void authority_close(struct authority *ca)
{
    X509_free(ca->cert);
    EVP_PKEY_free(ca->key);
}

static enum err authority_open(const char *dir, struct authority *ret_ca)
{
    struct authority ca = {NULL, NULL};
    FILE *cert = open_pem(dir, "ca", ".pem");
    FILE *key = open_pem(dir, "ca", ".key");
    enum err err = ERR_NOT_FOUND;

    if (cert && key) {
        err = ERR_INVALID;
        ca.cert = PEM_read_X509(cert, NULL, NULL, NULL);
        ca.key = PEM_read_PrivateKey(key, NULL, NULL, NULL);
        if (ca.cert && ca.key && X509_check_private_key(ca.cert, ca.key) == 1)
            err = ERR_OK;
    }
    if (cert)
        (void)fclose(cert);
    if (key)
        (void)fclose(key);
    if (err)
        authority_close(&ca);
    else
        *ret_ca = ca;
    return err;
}

/* ── certificates ────────────────────────────────────────────────────────────────────────────── */

static bool set_serial(X509 *cert)
{
    unsigned char bytes[PKI_SERIAL_HEX_LEN / 2];
    BIGNUM *number = NULL;
    bool ok = false;

    ids_random(bytes, sizeof(bytes));
    bytes[0] = (unsigned char)((bytes[0] & 0x3f) | 0x40); /* positive, and always of full length */
    number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
    BN_free(number);
    return ok;
}

static bool add_name(X509_NAME *name, const char *field, const char *text)
{
    return !text || !text[0] ||
           X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)text, -1,
                                      -1, 0) == 1;
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension = NULL;
    bool ok = false;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    ok = extension && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static bool add_server_names(X509 *cert, X509 *issuer, const char *host)
{
    char names[512];
    ASN1_OCTET_STRING *address = NULL;

    if (!host || !host[0])
        return add_extension(cert, issuer, NID_subject_alt_name, PKI_LOOPBACK_NAMES);
    if (strlen(host) > 255 || strpbrk(host, ",\r\n "))
        return false;
    address = a2i_IPADDRESS(host);
    (void)snprintf(names, sizeof(names), PKI_LOOPBACK_NAMES ",%s:%s", address ? "IP" : "DNS", host);
    ASN1_OCTET_STRING_free(address);
    return add_extension(cert, issuer, NID_subject_alt_name, names);
}

/* A certificate with everything but names and extensions. */
static X509 *new_cert(EVP_PKEY *key, int days)
{
    X509 *cert = X509_new();

    if (cert && X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
        X509_gmtime_adj(X509_getm_notBefore(cert), -PKI_BACK_SECONDS) &&
        X509_gmtime_adj(X509_getm_notAfter(cert), days * PKI_DAY_SECONDS) &&
        X509_set_pubkey(cert, key) == 1)
        return cert;
    X509_free(cert);
    return NULL;
}

static X509 *make_root(EVP_PKEY *key, const char *region)
{
    X509 *cert = new_cert(key, PKI_CA_DAYS);

    if (cert && add_name(X509_get_subject_name(cert), "O", region) &&
        add_name(X509_get_subject_name(cert), "CN", "Tasuki CA") &&
        X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1 &&
        add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
        add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
        add_extension(cert, cert, NID_subject_key_identifier, "hash") &&
        X509_sign(cert, key, EVP_sha256()) > 0)
        return cert;
    X509_free(cert);
    return NULL;
}

static X509 *make_leaf(const struct authority *ca, EVP_PKEY *key, enum pki_kind kind,
                       const struct pki_subject *subject)
{
    X509 *cert = new_cert(key, PKI_LEAF_DAYS);
    X509_NAME *name = cert ? X509_get_subject_name(cert) : NULL;
    const char *usage = kind == PKI_SERVER ? "serverAuth" : "clientAuth";

    if (cert && add_name(name, "O", subject->organization) && add_name(name, "OU", subject->unit) &&
        add_name(name, "CN", subject->common_name ? subject->common_name : subject->name) &&
        X509_set_issuer_name(cert, X509_get_subject_name(ca->cert)) == 1 &&
        add_extension(cert, ca->cert, NID_basic_constraints, "critical,CA:FALSE") &&
        add_extension(cert, ca->cert, NID_key_usage, "critical,digitalSignature") &&
        add_extension(cert, ca->cert, NID_ext_key_usage, usage) &&
        add_extension(cert, ca->cert, NID_subject_key_identifier, "hash") &&
        add_extension(cert, ca->cert, NID_authority_key_identifier, "keyid:always") &&
        (kind != PKI_SERVER || add_server_names(cert, ca->cert, subject->host)) &&
        X509_sign(cert, ca->key, EVP_sha256()) > 0)
        return cert;
    X509_free(cert);
    return NULL;
}

static bool describe(X509 *cert, struct pki_cert *ret_cert)
{
    unsigned int len = 0;
    struct pki_cert out = {{0}, ""};
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get_serialNumber(cert), NULL);
    unsigned char bytes[PKI_SERIAL_HEX_LEN / 2];
    bool ok = number && BN_bn2binpad(number, bytes, sizeof(bytes)) == (int)sizeof(bytes) &&
              X509_digest(cert, EVP_sha256(), out.fingerprint, &len) == 1 && len == DIGEST_LEN;

    for (size_t i = 0; ok && i < sizeof(bytes); i++)
        (void)snprintf(out.serial_hex + 2 * i, 3, "%02x", bytes[i]);
    BN_free(number);
    if (ok)
        *ret_cert = out;
    return ok;
}

enum err pki_make_ca(const char *dir, const char *region)
{
    char path[PATH_MAX];
    EVP_PKEY *key = NULL;
    X509 *cert = NULL;
    enum err err = ERR_INTERNAL;

    if (!path_of(path, dir, "ca", ".key"))
        return ERR_TOO_LARGE;
    if (access(path, F_OK) == 0)
        return ERR_CONFLICT;
    key = EVP_EC_gen("P-256");
    cert = key ? make_root(key, region) : NULL;
    if (!cert)
        goto out;
    err = save_cert(dir, "ca", cert);
    if (!err)
        err = save_key(dir, "ca", key);
    if (!err)
        err = pki_revoke(dir, NULL, 0);
out:
    X509_free(cert);
    EVP_PKEY_free(key);
    return err;
}

enum err pki_issue(const char *dir, enum pki_kind kind, const struct pki_subject *subject,
                   struct pki_cert *ret_cert)
{
    struct authority ca = {NULL, NULL};
    EVP_PKEY *key = NULL;
    X509 *cert = NULL;
    struct pki_cert made;
    enum err err = ERR_OK;

    if (!subject->name || !subject->name[0] || strchr(subject->name, '/'))
        return ERR_INVALID;
    err = authority_open(dir, &ca);
    if (err)
        return err;
    err = ERR_INTERNAL;
    key = EVP_EC_gen("P-256");
    cert = key ? make_leaf(&ca, key, kind, subject) : NULL;
    if (!cert || !describe(cert, &made))
        goto out;
    err = save_key(dir, subject->name, key);
    if (!err)
        err = save_cert(dir, subject->name, cert);
    if (!err)
        *ret_cert = made;
out:
    X509_free(cert);
    EVP_PKEY_free(key);
    authority_close(&ca);
    return err;
}

/* ── revocation list ─────────────────────────────────────────────────────────────────────────── */

static X509_CRL *read_crl(const char *dir)
{
    FILE *file = open_pem(dir, "crl", ".pem");
    X509_CRL *crl = file ? PEM_read_X509_CRL(file, NULL, NULL, NULL) : NULL;

    if (file)
        (void)fclose(file);
    return crl;
}

static bool add_entry(X509_CRL *crl, const ASN1_INTEGER *serial, const ASN1_TIME *when)
{
    X509_REVOKED *entry = NULL;
    X509_REVOKED *known = NULL;
    bool ok = false;

    if (X509_CRL_get0_by_serial(crl, &known, (ASN1_INTEGER *)(uintptr_t)serial) > 0)
        return true;
    entry = X509_REVOKED_new();
    ok = entry && X509_REVOKED_set_serialNumber(entry, (ASN1_INTEGER *)(uintptr_t)serial) == 1 &&
         X509_REVOKED_set_revocationDate(entry, (ASN1_TIME *)(uintptr_t)when) == 1 &&
         X509_CRL_add0_revoked(crl, entry) == 1;
    if (!ok)
        X509_REVOKED_free(entry);
    return ok;
}

static bool keep_former(X509_CRL *crl, X509_CRL *former)
{
    STACK_OF(X509_REVOKED) *entries = former ? X509_CRL_get_REVOKED(former) : NULL;
    int count = entries ? sk_X509_REVOKED_num(entries) : 0;

    for (int i = 0; i < count; i++) {
        const X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);

        if (!add_entry(crl, X509_REVOKED_get0_serialNumber(entry),
                       X509_REVOKED_get0_revocationDate(entry)))
            return false;
    }
    return true;
}

static enum err add_serial(X509_CRL *crl, const char *hex, const ASN1_TIME *now)
{
    BIGNUM *number = NULL;
    ASN1_INTEGER *serial = NULL;
    int digits = BN_hex2bn(&number, hex);
    enum err err = ERR_INVALID;

    if (digits > 0 && (size_t)digits == strlen(hex)) {
        serial = BN_to_ASN1_INTEGER(number, NULL);
        err = serial && add_entry(crl, serial, now) ? ERR_OK : ERR_INTERNAL;
    }
    ASN1_INTEGER_free(serial);
    BN_free(number);
    return err;
}

/* The next CRL number (section 5.2.3): one more than FORMER's. */
static bool add_number(X509_CRL *crl, X509_CRL *former)
{
    ASN1_INTEGER *number = former ? X509_CRL_get_ext_d2i(former, NID_crl_number, NULL, NULL) : NULL;
    int64_t value = 0;
    bool ok = false;

    if (number && ASN1_INTEGER_get_int64(&value, number) != 1)
        value = 0;
    ASN1_INTEGER_free(number);
    number = ASN1_INTEGER_new();
    ok = number && ASN1_INTEGER_set_int64(number, value + 1) == 1 &&
         X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) == 1;
    ASN1_INTEGER_free(number);
    return ok;
}

static bool add_issuer_key(X509_CRL *crl, X509 *issuer)
{
    X509V3_CTX context;
    X509_EXTENSION *extension = NULL;
    bool ok = false;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, NULL, NULL, crl, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
    ok = extension && X509_CRL_add_ext(crl, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

enum err pki_revoke(const char *dir, const char *const *serials, size_t count)
{
    struct authority ca = {NULL, NULL};
    X509_CRL *former = NULL;
    X509_CRL *crl = NULL;
    ASN1_TIME *now = NULL, *until = NULL;
    enum err err = authority_open(dir, &ca);

    if (err)
        return err;
    err = ERR_INTERNAL;
    former = read_crl(dir);
    crl = X509_CRL_new();
    now = X509_gmtime_adj(NULL, 0);
    until = X509_gmtime_adj(NULL, PKI_CRL_DAYS * PKI_DAY_SECONDS);
    if (!crl || !now || !until || X509_CRL_set_version(crl, X509_CRL_VERSION_2) != 1 ||
        X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca.cert)) != 1 ||
        X509_CRL_set1_lastUpdate(crl, now) != 1 || X509_CRL_set1_nextUpdate(crl, until) != 1 ||
        !keep_former(crl, former) || !add_number(crl, former) || !add_issuer_key(crl, ca.cert))
        goto out;
    for (size_t i = 0; i < count; i++) {
        err = add_serial(crl, serials[i], now);
        if (err)
            goto out;
    }
    X509_CRL_sort(crl);
    err = X509_CRL_sign(crl, ca.key, EVP_sha256()) > 0 ? save_crl(dir, crl) : ERR_INTERNAL;
out:
    ASN1_TIME_free(now);
    ASN1_TIME_free(until);
    X509_CRL_free(crl);
    X509_CRL_free(former);
    authority_close(&ca);
    return err;
}

enum err pki_crl_days(const char *dir, int *ret_days)
{
    X509_CRL *crl = read_crl(dir);
    int days = 0, seconds = 0;
    bool ok = crl && ASN1_TIME_diff(&days, &seconds, NULL, X509_CRL_get0_nextUpdate(crl)) == 1;

    X509_CRL_free(crl);
    if (!ok)
        return ERR_NOT_FOUND;
    *ret_days = days > 0 ? days : 0;
    return ERR_OK;
}
