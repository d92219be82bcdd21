/* SPDX-License-Identifier: Apache-2.0
 *
 * map --coverage: what becomes of which field of which HL7 v2 message.
 */
#ifndef EXCHANGE_CLI_MAP_COVERAGE_H
#define EXCHANGE_CLI_MAP_COVERAGE_H

#include "exchange/cli/cli.h"

/* Prints the report on the messages named as operands (ADT^A08; none: all), as a table of segments
 * or, with --json, field by field. Returns an exit code. */
int map_coverage(const struct args *args);

#endif
