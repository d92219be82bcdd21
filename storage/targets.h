/* SPDX-License-Identifier: Apache-2.0
 *
 * Internal to storage/: tasuki_targets(facets, param), the references a record holds under a parameter, as rows of a
 * statement: type, id, chart. A Patient's id is "@" (the record's own patient; chart 0) or "@<chart>" (another, named by
 * one of his charts); everything else has no chart (NULL). It reads its arguments and nothing else.
 */
#ifndef STORAGE_TARGETS_H
#define STORAGE_TARGETS_H

#include "storage/session.h"

/* Makes the table known to the connection. */
enum err targets_open(struct session *s) ERR_CHECKED;

#endif
