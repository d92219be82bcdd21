/* SPDX-License-Identifier: Apache-2.0
 *
 * A fast 64-bit hash for equality and look-up: XXH64, as its published specification defines it
 * (github.com/Cyan4973/xxHash, doc/xxhash_spec.md). Sixty lines instead of a library. Values are stored in files, so the
 * function never changes. Not for secrets or proofs (base/digest.h): whoever wants two texts of one hash finds them.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/slice.h"

/* XXH64 of BYTES; different seeds give unrelated hashes of the same bytes. The same on every machine. */
uint64_t hash_bytes(struct slice bytes, uint64_t seed);

#endif
