/* SPDX-License-Identifier: Apache-2.0
 *
 * exchange/demo/pki: certificates verify against their CA for the purpose they were issued for and
 * no other, key files are private, a revoked serial is refused, and a reissued list keeps former
 * entries.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/slice.h"
#include "exchange/demo/pki.h"

#include "base/banned.h"

static char dir[64];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof(dir), "/tmp/tasuki-pki-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    return pki_make_ca(dir, "試験地域") == ERR_OK ? 0 : -1;
}

static int drop_folder(void **state)
{
    static const char *const names[] = {
        "ca.pem", "ca.key", "crl.pem", "server.pem",     "server.key",    "a.pem",
        "a.key",  "b.pem",  "b.key",   "resident-1.pem", "resident-1.key"};
    char path[128];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    return rmdir(dir); /* fails when something was left behind */
}

static FILE *open_file(const char *name)
{
    char path[128];
    FILE *f = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "r");
    assert_non_null(f);
    return f;
}

static X509 *load(const char *name)
{
    FILE *f = open_file(name);
    X509 *cert = PEM_read_X509(f, NULL, NULL, NULL);

    (void)fclose(f);
    assert_non_null(cert);
    return cert;
}

/* X509_V_OK or the verify error of NAME against CA and CRL for a purpose. */
static int verify(const char *name, int purpose)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    FILE *f = open_file("crl.pem");
    X509_CRL *crl = PEM_read_X509_CRL(f, NULL, NULL, NULL);
    X509 *ca = load("ca.pem");
    X509 *cert = load(name);
    int result = 0;

    (void)fclose(f);
    assert_non_null(crl);
    X509_STORE_add_cert(store, ca);
    X509_STORE_add_crl(store, crl);
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_X509_STRICT);
    X509_STORE_CTX_init(context, store, cert, NULL);
    X509_STORE_CTX_set_purpose(context, purpose);
    (void)X509_verify_cert(context);
    result = X509_STORE_CTX_get_error(context);
    X509_free(cert);
    X509_free(ca);
    X509_CRL_free(crl);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return result;
}

static unsigned mode_of(const char *name)
{
    char path[128];
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    assert_int_equal(stat(path, &st), 0);
    return (unsigned)st.st_mode & 0777u;
}

static void issue(const char *name, enum pki_kind kind, struct pki_cert *cert)
{
    struct pki_subject subject = {.name = name, .organization = "汐見中央病院"};

    assert_int_equal(pki_issue(dir, kind, &subject, cert), ERR_OK);
}

static void test_server(void **state)
{
    struct pki_cert made;
    X509 *cert = NULL;

    (void)state;
    issue("server", PKI_SERVER, &made);
    assert_int_equal(verify("server.pem", X509_PURPOSE_SSL_SERVER), X509_V_OK);
    assert_int_not_equal(verify("server.pem", X509_PURPOSE_SSL_CLIENT), X509_V_OK);
    cert = load("server.pem");
    assert_int_equal(X509_check_ip_asc(cert, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(cert, "::1", 0), 1);
    assert_int_equal(X509_check_host(cert, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(cert, "example.org", 0, 0, NULL), 0);
    X509_free(cert);
    assert_int_equal(mode_of("ca.key"), 0600);
    assert_int_equal(mode_of("server.key"), 0600);
}

static void test_client(void **state)
{
    struct pki_cert made;
    unsigned char digest[32];
    unsigned int len = 0;
    char text[128];
    struct pki_subject subject = {.name = "resident-1", .unit = "clinic card"};
    X509 *cert = NULL;

    (void)state;
    assert_int_equal(pki_issue(dir, PKI_CLIENT, &subject, &made), ERR_OK);
    assert_int_equal(verify("resident-1.pem", X509_PURPOSE_SSL_CLIENT), X509_V_OK);
    assert_int_not_equal(verify("resident-1.pem", X509_PURPOSE_SSL_SERVER), X509_V_OK);
    cert = load("resident-1.pem");
    assert_int_equal(X509_digest(cert, EVP_sha256(), digest, &len), 1);
    assert_memory_equal(digest, made.fingerprint, 32);
    assert_int_equal(strlen(made.serial_hex), PKI_SERIAL_HEX_LEN);
    (void)X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, text,
                                    sizeof(text));
    assert_string_equal(text, "resident-1");
    (void)X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_organizationalUnitName, text,
                                    sizeof(text));
    assert_string_equal(text, "clinic card");
    X509_free(cert);
}

static void test_revocation_keeps_former(void **state)
{
    struct pki_cert a, b;
    const char *serial = a.serial_hex;
    int days = 0;

    (void)state;
    issue("a", PKI_CLIENT, &a);
    issue("b", PKI_CLIENT, &b);
    assert_int_equal(verify("a.pem", X509_PURPOSE_SSL_CLIENT), X509_V_OK);
    assert_int_equal(pki_revoke(dir, &serial, 1), ERR_OK);
    assert_int_equal(verify("a.pem", X509_PURPOSE_SSL_CLIENT), X509_V_ERR_CERT_REVOKED);
    assert_int_equal(verify("b.pem", X509_PURPOSE_SSL_CLIENT), X509_V_OK);
    serial = b.serial_hex;
    assert_int_equal(pki_revoke(dir, &serial, 1), ERR_OK);
    assert_int_equal(pki_revoke(dir, &serial, 1), ERR_OK); /* again: no double entry, no error */
    assert_int_equal(pki_revoke(dir, NULL, 0), ERR_OK);
    assert_int_equal(verify("a.pem", X509_PURPOSE_SSL_CLIENT), X509_V_ERR_CERT_REVOKED);
    assert_int_equal(verify("b.pem", X509_PURPOSE_SSL_CLIENT), X509_V_ERR_CERT_REVOKED);
    assert_int_equal(pki_crl_days(dir, &days), ERR_OK);
    assert_true(days >= 7);
}

static void test_refusals(void **state)
{
    struct pki_cert made = {{0}, "untouched"};
    struct pki_subject subject = {.name = "../evil"};
    const char *bad = "not hex";

    (void)state;
    assert_int_equal(pki_make_ca(dir, "x"), ERR_CONFLICT);
    assert_int_equal(pki_issue(dir, PKI_CLIENT, &subject, &made), ERR_INVALID);
    subject.name = "b";
    assert_int_equal(pki_issue("/nonexistent", PKI_CLIENT, &subject, &made), ERR_NOT_FOUND);
    assert_string_equal(made.serial_hex, "untouched");
    assert_int_equal(pki_revoke(dir, &bad, 1), ERR_INVALID);
    assert_int_equal(pki_crl_days("/nonexistent", &(int){0}), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server),
        cmocka_unit_test(test_client),
        cmocka_unit_test(test_revocation_keeps_former),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
