/* SPDX-License-Identifier: Apache-2.0
 *
 * Identifiers: random ones, keyed deterministic ones, and check digits. OpenSSL's generator and HMAC
 * underneath; no cryptography of our own.
 */
#ifndef BASE_IDS_H
#define BASE_IDS_H

#include "base/err.h"
#include "base/slice.h"

#define IDS_UUID_LEN 36
#define IDS_WIRE_LEN 32

/* LEN random bytes from the operating system's generator; aborts when there are none. */
void ids_random(void *ret_bytes, size_t len);
/* A random (version 4) UUID, 36 characters and a NUL. */
void ids_uuid(char ret_text[IDS_UUID_LEN + 1]);
/* A UUID (version 7) that begins with the time NOW_MS, the rest random: ids made one after the other lie together in an
 * index, where random ones would touch a page each. */
void ids_uuid_ordered(int64_t now_ms, char ret_text[IDS_UUID_LEN + 1]);
/* The time that TEXT begins with; false when it is no UUID of version 7. */
bool ids_uuid_time(struct slice text, uint64_t *ret_ms);
/* A UUID (version 8) that is a keyed function of DOMAIN and PARTS (each length-prefixed): the same
 * parts give the same id, and nobody without KEY can compute or link it. */
void ids_keyed(const unsigned char key[32], const char *domain, const struct slice *parts,
               size_t part_count, char ret_text[IDS_UUID_LEN + 1]);
/* The id of NUMBER as one reading organisation sees it: a reversible keyed permutation (AES-256 of one
 * block), 32 lower-case hex digits. Different keys give unrelated ids (design invariant 5). */
void ids_wire(const unsigned char key[32], uint64_t number, char ret_text[IDS_WIRE_LEN + 1]);
/* The number behind a wire id; false when TEXT was not made with KEY. */
bool ids_unwire(const unsigned char key[32], struct slice text, uint64_t *ret_number);
/* A sub-key for one purpose and one audience (HKDF-SHA256). */
void ids_derive(const unsigned char master[32], const char *purpose, struct slice audience,
                unsigned char ret_key[32]);

/* Luhn (ISO/IEC 7812) over all digits, the last being the check digit; false for non-digits. Used by
 * the common clinic card and by insurer and institution numbers. */
bool ids_luhn_ok(struct slice digits);
/* The check digit that makes DIGITS + it valid; '\0' for no digits or anything but digits. */
char ids_luhn_digit(struct slice digits);

#endif
