/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder rule of the SS-MIX2 standard storage (guide section 1.2):
 * <ID[0:3]>/<ID[3:6]>/<ID>/<care date|->/<kind>/<ID_date_kind_order_time_dept_flag> A path that
 * breaks it, or whose folders and file name disagree, is refused; whether the content agrees
 * (PID-3) is for ssmix2_agree.
 */
#ifndef MAPPERS_SSMIX2_PATH_H
#define MAPPERS_SSMIX2_PATH_H

#include "mappers/hl7v2/lex.h"

enum ssmix2_flag { SSMIX2_DELETED = 0, SSMIX2_VALID = 1, SSMIX2_OLD = 2 };

struct ssmix2_path {
    struct slice patient_id, care_date, kind, order_no, sent_at, department;
    enum ssmix2_flag flag;
};

/* Parses PATH (relative to the root, '/' separated). Errors name the part. Slices point into
 * PATH. */
enum err ssmix2_parse(struct slice path, struct err_list *errors,
                      struct ssmix2_path *ret_path) ERR_CHECKED;

/* Do path and message speak of the same patient (PID-3, after trimming, exactly) and the same
 * kind of data (MSH-9 against the table of the kinds)? ERR_PATIENT_MISMATCH, ERR_INVALID with
 * a place. */
enum err ssmix2_agree(const struct ssmix2_path *path, const struct hl7_message *message,
                      struct err_list *errors) ERR_CHECKED;

/* The same of the patient alone, for messages whose path says no kind we know. */
enum err ssmix2_agree_patient(struct slice patient_id, const struct hl7_message *message,
                              struct err_list *errors) ERR_CHECKED;

/* The kinds: code, Japanese name, MSH-9 of registration and of cancellation. Ends with a NULL
 * code. */
struct ssmix2_kind {
    const char *code;
    const char *ja;
    const char *insert;    /* e.g. "ADT^A01" */
    const char *cancel;    /* or NULL */
    const char *care_date; /* field the care date comes from, e.g. "PV1-44", or "-" */
};
extern const struct ssmix2_kind ssmix2_kinds[];

/* Is PATH (relative to the root) no part of the storage: its index, copies of what was refused? */
bool ssmix2_is_aside(struct slice path);

#endif
