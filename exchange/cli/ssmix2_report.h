/* SPDX-License-Identifier: Apache-2.0
 *
 * What `validate ssmix2` has to say of a whole tree: files by kind and flag, verdicts by kind and
 * check, fields filled, values of chosen fields, and the findings themselves. Bounded: beyond the
 * bound findings and values are counted and no longer kept.
 */
#ifndef EXCHANGE_CLI_SSMIX2_REPORT_H
#define EXCHANGE_CLI_SSMIX2_REPORT_H

#include "base/arena.h"
#include "mappers/ssmix2/inspect.h"

#define SSMIX2_REPORT_CHOICES 32u

struct ssmix2_report_kind;
struct ssmix2_report_finding;
struct ssmix2_report_value;

struct ssmix2_report_choice {
    struct slice segment;
    unsigned field, component; /* component 0: all of the field */
};

struct ssmix2_report {
    struct arena *arena;
    unsigned files, refused;
    struct ssmix2_report_kind *kinds;
    struct ssmix2_report_finding *first, *last;
    unsigned findings, findings_more;
    struct ssmix2_report_choice choices[SSMIX2_REPORT_CHOICES];
    unsigned choice_count;
    struct ssmix2_report_value **values; /* hash table */
    unsigned value_count, values_more;
};

/* An empty report. ERR_LIMIT. */
enum err ssmix2_report_init(struct ssmix2_report *r) ERR_CHECKED;
void ssmix2_report_fini(struct ssmix2_report *r);
/* Chooses the fields whose values are listed: "OBX-3,PRB-3.1"; empty: none. False: malformed. */
bool ssmix2_report_choose(struct ssmix2_report *r, struct slice text);
/* Counts one file. ERR_LIMIT. */
enum err ssmix2_report_add(struct ssmix2_report *r, struct slice path,
                           const struct inspection *in) ERR_CHECKED;
/* Prints to stdout: tables for people (how often each field is filled only when asked), one object
 * for programs. ERR_LIMIT. */
enum err ssmix2_report_print(const struct ssmix2_report *r, bool json, bool fields,
                             bool ja) ERR_CHECKED;

#endif
