/* SPDX-License-Identifier: Apache-2.0
 *
 * The SS-MIX2 extended storage (guide section 1.11): documents and attachments in folders whose
 * names say what they are.
 * <ID[0:3]>/<ID[3:6]>/<ID>/<care date|->/<kind folder>/<content folder>/<file>
 * A kind folder is up to six names separated by '^' (local code, name and system; standard code,
 * name and system); a content folder is ID_date_kind_key_time_department_flag.
 */
#ifndef MAPPERS_SSMIX2_EXTENDED_H
#define MAPPERS_SSMIX2_EXTENDED_H

#include "mappers/mapped.h"
#include "mappers/ssmix2/path.h"

struct extended_path {
    struct slice as_found; /* the path, byte for byte */
    struct slice patient_id, care_date;
    struct slice kind[6]; /* of the kind folder; empty where it says nothing */
    struct slice content; /* the content folder's name */
    struct slice key, sent_at, department;
    enum ssmix2_flag flag;
    struct slice file; /* below the content folder */
};

/* Does PATH have the depth of an extended storage's? Then extended_parse judges it, else
 * ssmix2_parse. */
bool extended_is(struct slice path);
/* Parses PATH (relative to the root). Names are composed (NFC), as folders that came by way of some
 * systems are not; they lie in ARENA. Errors name the part. */
enum err extended_parse(struct arena *arena, struct slice path, struct err_list *errors,
                        struct extended_path *ret_path) ERR_CHECKED;

/* Is it the document itself, that the other files of its content folder belong to? */
bool extended_is_main(const struct extended_path *path);
/* Makes a DocumentReference, a Binary and their Provenance of BYTES found at PATH (decision 0023).
 * A CDA document that names another patient than the path is ERR_PATIENT_MISMATCH; flag 0 removes
 * both, flag 2 marks the reference superseded. */
enum err extended_map(struct arena *arena, const struct extended_path *path, struct slice bytes,
                      const struct mapper_env *env, struct err_list *errors,
                      struct mapped **ret_mapped) ERR_CHECKED;

/* Kana followed by a combining sound mark become one character; all else is as it was. In ARENA. */
struct slice extended_compose(struct arena *arena, struct slice text);

#endif
