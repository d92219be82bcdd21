/* SPDX-License-Identifier: Apache-2.0
 *
 * The laboratory results that benchmarks send: an ORU^R01 of one of a thousand patients.
 */
#ifndef EXCHANGE_BENCH_MESSAGE_H
#define EXCHANGE_BENCH_MESSAGE_H

#include <stdint.h>

#include "base/buf.h"

/* Message N of CONNECTION, with RESULTS OBX. */
void bench_message(struct buf *out, unsigned connection, uint64_t n, unsigned results);

#endif
