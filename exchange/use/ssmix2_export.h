/* SPDX-License-Identifier: Apache-2.0
 *
 * What a standard storage must hold of one patient: which files, by what names, with what bytes.
 * A facility's own message that still stands goes out as it came in; everything else is written
 * anew (mappers/ssmix2/write.h). Reads only, under the caller's grant; writing the tree is
 * ssmix2_tree.h's.
 */
#ifndef EXCHANGE_USE_SSMIX2_EXPORT_H
#define EXCHANGE_USE_SSMIX2_EXPORT_H

#include "exchange/request.h"
#include "exchange/use/ssmix2_tree.h"

/* Which of the facility's charts changed after a number of change. */
struct ssmix2_changes {
    struct arena *arena; /* of what is found */
    int64_t after;
    /* ── found ── */
    int64_t *charts; /* each once */
    size_t count;
    int64_t last;    /* looked through up to here */
    bool more;
};
extern const struct use ssmix2_changes_use;

struct ssmix2_left {
    struct slice type; /* of resources without a message here */
    unsigned count;
    struct ssmix2_left *next;
};

/* Characters that JIS X 0208 lacks, by where they stood ("PID-5", a field of a kind of data). */
struct ssmix2_lacking {
    const char *kind;
    struct slice place;
    size_t count;
    struct ssmix2_lacking *next;
};

/* Either CHART, of the facility that asks: its own records. Or CARD: what it may see of that
 * resident, of every facility, under the asking facility's patient number. */
struct ssmix2_export {
    struct arena *arena; /* of what is found */
    int64_t chart;
    bool anew; /* of CHART: also what came as a message is written from its records */
    struct slice card;
    /* ── found ── */
    struct slice local_no; /* empty: no number, or none that a path can hold; then no files */
    struct ssmix2_export_part {
        struct slice facility_code;
        struct ssmix2_tree_file *files;
        size_t count;
        struct ssmix2_export_part *next;
    } *parts; /* one a source facility */
    struct ssmix2_left *left;
    struct ssmix2_lacking *lacking;
    size_t replaced; /* of them all */
};
extern const struct use ssmix2_chart_use;    /* by a door: sees the facility's own records */
extern const struct use ssmix2_resident_use; /* by the facility: sees what consent permits */

#endif
