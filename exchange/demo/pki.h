/* SPDX-License-Identifier: Apache-2.0
 *
 * A small certificate authority for a new installation and for the demo region: EC P-256, X.509 v3,
 * one level. Files in one folder: ca.pem, ca.key (0600), crl.pem, and NAME.pem (leaf) with NAME.key
 * (0600) for every party. It issues and revokes; whether a certificate may do anything is the
 * registry's business (storage/registry.h). A real region may bring its own CA and never use this.
 */
#ifndef EXCHANGE_DEMO_PKI_H
#define EXCHANGE_DEMO_PKI_H

#include "base/digest.h"
#include "base/err.h"

#define PKI_SERIAL_HEX_LEN 32

enum pki_kind {
    PKI_SERVER, /* EKU serverAuth; SAN localhost, 127.0.0.1, ::1 and HOST */
    PKI_CLIENT  /* EKU clientAuth */
};

struct pki_subject {
    const char *name;         /* file stem */
    const char *organization; /* O, or NULL */
    const char *unit;         /* OU, or NULL */
    const char *common_name;  /* CN; NULL: name */
    const char *host;         /* further DNS name or address of a server, or NULL */
};

struct pki_cert {
    unsigned char fingerprint[DIGEST_LEN];   /* SHA-256 of the DER */
    char serial_hex[PKI_SERIAL_HEX_LEN + 1]; /* lower case */
};

/* Makes ca.pem, ca.key and an empty crl.pem in DIR (which exists). ERR_CONFLICT when a CA is there.
 */
enum err pki_make_ca(const char *dir, const char *region) ERR_CHECKED;
/* Issues NAME.pem and NAME.key, replacing those that are there. ERR_NOT_FOUND without a CA. */
enum err pki_issue(const char *dir, enum pki_kind kind, const struct pki_subject *subject,
                   struct pki_cert *ret_cert) ERR_CHECKED;
/* Signs crl.pem anew: what it listed before, plus SERIALS (hex). With none it only renews the list.
 */
enum err pki_revoke(const char *dir, const char *const *serials, size_t count) ERR_CHECKED;
/* Days until crl.pem expires (0 when it has). */
enum err pki_crl_days(const char *dir, int *ret_days) ERR_CHECKED;

#endif
