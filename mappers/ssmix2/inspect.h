/* SPDX-License-Identifier: Apache-2.0
 *
 * The checks that Japanese engineers know from their own tools for a standard storage, on one file
 * (guide sections 1.2 to 1.7). They say what the standard asks for; whether the exchange would
 * take the file in is hl7_check's and hl7_map's to say. Counting over files is the caller's.
 */
#ifndef MAPPERS_SSMIX2_INSPECT_H
#define MAPPERS_SSMIX2_INSPECT_H

#include "mappers/hl7v2/lex.h"
#include "mappers/ssmix2/path.h"

/* Names are those of the command line and of its JSON. */
#define INSPECT_TABLE(X)                                                                           \
    X(INSPECT_PATH, "path", "folders and file name", "パスとファイル名")                               \
    X(INSPECT_COUNT, "count", "one valid file for each key", "件数と重複")                             \
    X(INSPECT_JIS, "jis", "character set", "文字コード（JIS）")                                        \
    X(INSPECT_DATE, "care-date", "care date and its field", "診療日")                                 \
    X(INSPECT_REQUIRED, "required", "required fields", "必須項目")                                    \
    X(INSPECT_NUMERIC, "numeric", "numeric fields", "数値項目")                                       \
    X(INSPECT_ORDER, "order", "order of segments", "セグメントの順序")                                   \
    X(INSPECT_FIELDS, "fields", "fields filled, fields beyond the standard", "項目の出現数")            \
    X(INSPECT_LIST, "list", "values of chosen fields", "項目の値の一覧")                                \
    X(INSPECT_INTAKE, "intake", "would be taken in", "取り込みの可否")

enum inspect_check {
#define X(name, text, en, ja) name,
    INSPECT_TABLE(X)
#undef X
        INSPECT_CHECKS
};

struct inspection {
    struct err_list found[INSPECT_CHECKS];
    bool judged[INSPECT_CHECKS]; /* the check could be made */
    bool named;                  /* PATH is well-formed */
    struct ssmix2_path path;     /* when named */
    struct slice kind;           /* by the file's name, else by its folder; empty: neither */
    struct slice flag;           /* "0", "1", "2" or empty */
    struct hl7_message *message; /* NULL: unreadable */
};

/* Inspects BYTES found at PATH (relative to the root). Fills every check but INSPECT_COUNT,
 * INSPECT_LIST and INSPECT_INTAKE, whose lists are empty. Places are SEG[n]-field.component or
 * parts of the path. */
void inspect_file(struct arena *arena, struct slice path, struct slice bytes,
                  struct inspection *ret_inspection);

/* "care-date", its description in both languages. */
const char *inspect_name(enum inspect_check check);
const char *inspect_en(enum inspect_check check);
const char *inspect_ja(enum inspect_check check);

#endif
