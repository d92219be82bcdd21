/* SPDX-License-Identifier: Apache-2.0
 *
 * The SS-MIX2 door: a watched standard-storage root per facility (docs/doors/ssmix2.md). Files are
 * read when they have come to rest, each becomes one intake request, accepted ones stay where they
 * are, refused ones are listed in rejected/ with a .txt in Japanese and English. The hospital's own
 * files are never changed.
 */
#ifndef EXCHANGE_DOOR_SSMIX2_H
#define EXCHANGE_DOOR_SSMIX2_H

#include <uv.h>

#include "exchange/exchange.h"

struct door_ssmix2;

/* Watches ROOT for FACILITY_KEY. Both are borrowed for the door's life. */
enum err door_ssmix2_open(uv_loop_t *loop, struct exchange *x, const char *facility_key,
                          const char *root, struct door_ssmix2 **ret_door) ERR_CHECKED;
/* Stops scanning, lets requests in flight end, then DONE once. NULL door: DONE at once is the
 * caller's. */
void door_ssmix2_close(struct door_ssmix2 *door, void (*done)(void *context), void *context);

#endif
