/* SPDX-License-Identifier: Apache-2.0
 *
 * An invented population for benchmarks: resident N and his record are a function of N alone, so
 * that a search knows what it must find, and a run of any size can be repeated. Fifty resources
 * each (or as many as asked for), as a hospital would hand in: the Patient, encounters, conditions,
 * prescriptions, and mostly laboratory results and vital signs.
 */
#ifndef EXCHANGE_BENCH_POPULATION_H
#define EXCHANGE_BENCH_POPULATION_H

#include "base/buf.h"
#include "exchange/exchange.h"

#define POPULATION_RESOURCES 50u /* of one resident, himself included, unless said otherwise */
#define POPULATION_FACILITY "hospital-a"

/* Resident N's record of RESOURCES as one transaction of POPULATION_FACILITY. */
void population_bundle(struct buf *out, unsigned n, unsigned resources);
/* A transaction of a new Patient and one Observation; N makes it new. */
void population_pair(struct buf *out, uint64_t n);
/* His local patient number, and a LOINC code of which he has several results. */
void population_local_no(unsigned n, char ret_text[16]);
const char *population_code(unsigned n);

/* What a load of the store took. */
struct bench_cost; /* bench.h */
/* Loads residents [FROM, TO), RESOURCES each, into X without a network. Nobody else may collect X's
 * answers meanwhile. */
enum err population_load(struct exchange *x, unsigned from, unsigned to, unsigned resources,
                         struct bench_cost *ret_cost) ERR_CHECKED;

#endif
