/* SPDX-License-Identifier: Apache-2.0
 *
 * Small words that we hand out and get back: closed so that their holder can neither read nor change them, and bound to what
 * they were made for. AES-SIV (RFC 5297): the same word closed twice is the same text, so nothing is to be remembered, and two
 * texts that differ say only that the words do. Row and change numbers leave in this form: read, they would count what a
 * caller may not see.
 */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include "base/buf.h"
#include "base/slice.h"

#define SEAL_KEY_LEN 32
#define SEAL_EXTRA 16 /* bytes that a closed word is longer */

/* Appends PLAIN, closed under KEY and bound to BOUND, to OUT in base64 of the URL's alphabet. */
void seal_close(const unsigned char key[SEAL_KEY_LEN], struct slice bound, struct slice plain,
                struct buf *out);
/* Appends what TEXT closed to OUT; false, and nothing appended, when it was not made with KEY for BOUND. */
bool seal_open(const unsigned char key[SEAL_KEY_LEN], struct slice bound, struct slice text,
               struct buf *out);

#endif
