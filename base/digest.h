/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 and HMAC-SHA-256 for original bytes, the audit chain and cursors; hex and base64 of
 * bytes.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/buf.h"
#include "base/slice.h"

#define DIGEST_LEN 32
#define DIGEST_SHA1_LEN 20

/* SHA-256, and HMAC-SHA-256 under KEY. */
void digest_sha256(struct slice bytes, unsigned char ret_digest[DIGEST_LEN]);
void digest_hmac(struct slice key, struct slice bytes, unsigned char ret_mac[DIGEST_LEN]);
/* SHA-1, for FHIR's Attachment.hash only, which knows no other: it finds damage, it proves nothing.
 */
void digest_sha1(struct slice bytes, unsigned char ret_digest[DIGEST_SHA1_LEN]);
/* Compares in time independent of the content. */
bool digest_equal(const void *a, const void *b, size_t len);
/* Lower-case hex. */
void digest_hex(struct buf *out, struct slice bytes);
/* Reads exactly LEN bytes from 2*LEN hex digits (either case). */
bool digest_unhex(struct slice hex, unsigned char *ret_bytes, size_t len);
/* RFC 4648 base64 with padding; `url` selects the URL-safe alphabet without padding. */
void digest_base64(struct buf *out, struct slice bytes, bool url);
/* Strict decode (no white space, right padding) appended to OUT; false when malformed. */
bool digest_unbase64(struct slice text, bool url, struct buf *out);

#endif
