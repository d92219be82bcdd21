/* SPDX-License-Identifier: Apache-2.0
 *
 * Which messages there are, who maps them, and by which tables. A new family is a row here; a table
 * that is walked but not listed fails an assertion in the first test that meets it.
 */
#include "mappers/hl7v2/family.h"

#include "base/banned.h"

/* Segments that come with a message and of which nothing is mapped: they stay in the original. */
static const struct row_set adt_kept[] = {
    {"IN2", NULL, NULL, NULL}, {"IN3", NULL, NULL, NULL},
    {"ROL", NULL, NULL, NULL}, {"GT1", NULL, NULL, NULL},
    {"PR1", NULL, NULL, NULL}, {"PDA", NULL, NULL, NULL},
    {"ACC", NULL, NULL, NULL}, ROW_SET_END,
};
static const struct row_set order_kept[] = {
    {"TQ2", NULL, NULL, NULL}, {"CTD", NULL, NULL, NULL}, {"CTI", NULL, NULL, NULL},
    {"FT1", NULL, NULL, NULL}, {"BLG", NULL, NULL, NULL}, ROW_SET_END,
};
static const struct row_set ppr_kept[] = {
    {"ZPD", NULL, NULL, NULL},
    {"ZI1", NULL, NULL, NULL},
    {"OBX", NULL, NULL, NULL},
    ROW_SET_END,
};
static const struct row_set omi_kept[] = {{"ZE2", NULL, NULL, NULL}, ROW_SET_END};
static const struct row_set ras_kept[] = {
    {"TQ1", NULL, NULL, NULL},
    {"RXE", NULL, NULL, NULL},
    {"RXC", NULL, NULL, NULL},
    {"OBX", NULL, NULL, NULL},
    ROW_SET_END,
};
static const struct row_set rde_kept[] = {{"OBX", NULL, NULL, NULL}, ROW_SET_END};
static const struct row_set oru_kept[] = {{"PRT", NULL, NULL, NULL}, ROW_SET_END};

#define PATIENT msh_sets, pid_sets, nk1_sets, pv1_mention_sets

static const struct row_set *const adt[] = {PATIENT,  pv1_visit_sets,  in1_sets, al1_sets, dg1_sets,
                                            obx_sets, order_note_sets, adt_kept, NULL};
static const struct row_set *const adt_allergies[] = {PATIENT,  in1_sets, al1_sets, iam_sets,
                                                      obx_sets, adt_kept, NULL};
static const struct row_set *const ppr[] = {PATIENT,         al1_sets, ppr_sets,
                                            order_note_sets, ppr_kept, NULL};
static const struct row_set *const omd[] = {PATIENT, al1_sets, omd_sets, order_kept, NULL};
static const struct row_set *const rde[] = {PATIENT,  al1_sets,        rde_sets,
                                            rp_sets,  order_note_sets, timing_repeat_sets,
                                            rde_kept, order_kept,      NULL};
static const struct row_set *const ras[] = {PATIENT,  al1_sets,   ras_sets, rp_sets,
                                            ras_kept, order_kept, NULL};
static const struct row_set *const oml[] = {PATIENT,    al1_sets, order_sets, timing_sets,
                                            spm_sets,   obx_sets, oml_sets,   order_note_sets,
                                            order_kept, NULL};
static const struct row_set *const oul[] = {PATIENT,         al1_sets,   order_sets, timing_sets,
                                            spm_sets,        obr_sets,   obx_sets,   document_sets,
                                            order_note_sets, order_kept, NULL};
static const struct row_set *const omg[] = {PATIENT,         al1_sets,   order_sets,
                                            timing_sets,     spm_sets,   obx_sets,
                                            order_note_sets, order_kept, NULL};
static const struct row_set *const omi[] = {PATIENT,    al1_sets, order_sets,      timing_sets,
                                            omi_sets,   obx_sets, order_note_sets, omi_kept,
                                            order_kept, NULL};
static const struct row_set *const oru[] = {
    PATIENT,       al1_sets,    order_sets,      timing_sets, spm_sets,   obr_sets, obx_sets,
    document_sets, device_sets, order_note_sets, oru_kept,    order_kept, NULL};
static const struct row_set *const siu[] = {PATIENT, al1_sets, siu_sets, order_note_sets, NULL};
static const struct row_set *const mdm[] = {PATIENT,       al1_sets,   mdm_sets,
                                            document_sets, order_kept, NULL};
static const struct row_set *const vxu[] = {PATIENT,  al1_sets,   in1_sets, vxu_sets,
                                            obx_sets, order_kept, NULL};

const struct family families[] = {
    {"ADT", "A01", adt_map, adt},
    {"ADT", "A02", adt_map, adt},
    {"ADT", "A03", adt_map, adt},
    {"ADT", "A04", adt_map, adt},
    {"ADT", "A05", adt_map, adt},
    {"ADT", "A08", adt_map, adt},
    {"ADT", "A11", adt_map, adt},
    {"ADT", "A12", adt_map, adt},
    {"ADT", "A13", adt_map, adt},
    {"ADT", "A14", adt_map, adt},
    {"ADT", "A15", adt_map, adt},
    {"ADT", "A16", adt_map, adt},
    {"ADT", "A21", adt_map, adt},
    {"ADT", "A22", adt_map, adt},
    {"ADT", "A23", adt_map, adt},
    {"ADT", "A25", adt_map, adt},
    {"ADT", "A26", adt_map, adt},
    {"ADT", "A27", adt_map, adt},
    {"ADT", "A28", adt_map, adt},
    {"ADT", "A31", adt_map, adt},
    {"ADT", "A52", adt_map, adt},
    {"ADT", "A53", adt_map, adt},
    {"ADT", "A54", adt_map, adt},
    {"ADT", "A55", adt_map, adt},
    {"ADT", "A18", adt_map, adt},
    {"ADT", "A24", adt_map, adt},
    {"ADT", "A30", adt_map, adt},
    {"ADT", "A34", adt_map, adt},
    {"ADT", "A36", adt_map, adt},
    {"ADT", "A37", adt_map, adt},
    {"ADT", "A39", adt_map, adt},
    {"ADT", "A40", adt_map, adt},
    {"ADT", "A60", adt_map, adt_allergies},
    {"PPR", "ZD1", ppr_map, ppr},
    {"OMD", "O03", omd_map, omd},
    {"RDE", "O11", rde_map, rde},
    {"RAS", "O17", ras_map, ras},
    {"OML", "O33", oml_map, oml},
    {"OUL", "R22", oul_map, oul},
    {"OMG", "O19", omg_map, omg},
    {"OMI", "Z23", omi_map, omi},
    {"ORU", "R01", oru_map, oru},
    {"ORU", "R30", oru_map, oru},
    {"SIU", "S12", siu_map, siu},
    {"SIU", "S13", siu_map, siu},
    {"SIU", "S14", siu_map, siu},
    {"SIU", "S15", siu_map, siu},
    {"SIU", "S16", siu_map, siu},
    {"SIU", "S17", siu_map, siu},
    {"SIU", "S26", siu_map, siu},
    {"MDM", "T01", mdm_map, mdm},
    {"MDM", "T02", mdm_map, mdm},
    {"MDM", "T04", mdm_map, mdm},
    {"MDM", "T06", mdm_map, mdm},
    {"MDM", "T08", mdm_map, mdm},
    {"MDM", "T10", mdm_map, mdm},
    {"MDM", "T11", mdm_map, mdm},
    {"VXU", "V04", vxu_map, vxu},
    {NULL, NULL, NULL, NULL},
};
