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
static const struct row_set rds_kept[] = {
    {"TQ1", NULL, NULL, NULL}, {"RXE", NULL, NULL, NULL}, {"RXO", NULL, NULL, NULL},
    {"RXC", NULL, NULL, NULL}, {"OBX", NULL, NULL, NULL}, ROW_SET_END,
};
static const struct row_set ipc_kept[] = {{"IPC", NULL, NULL, NULL}, ROW_SET_END};
static const struct row_set sac_kept[] = {{"SAC", NULL, NULL, NULL}, ROW_SET_END};
static const struct row_set oru_kept[] = {{"PRT", NULL, NULL, NULL}, ROW_SET_END};

#define PATIENT msh_sets, pid_sets, nk1_sets, pv1_mention_sets, in1_sets

static const struct row_set *const adt[] = {PATIENT,  pv1_visit_sets,  al1_sets, dg1_sets,
                                            obx_sets, order_note_sets, adt_kept, NULL};
static const struct row_set *const adt_allergies[] = {PATIENT,  al1_sets, iam_sets,
                                                      obx_sets, adt_kept, NULL};
static const struct row_set *const ppr[] = {PATIENT,         al1_sets, ppr_sets,
                                            order_note_sets, ppr_kept, NULL};
static const struct row_set *const omd[] = {PATIENT, al1_sets, omd_sets, order_kept, NULL};
static const struct row_set *const rde[] = {
    PATIENT,         al1_sets,           rxo_sets, rde_sets,   rp_sets,
    order_note_sets, timing_repeat_sets, rde_kept, order_kept, NULL};
static const struct row_set *const omp[] = {
    PATIENT,         al1_sets, rxo_sets,           rde_sets,   rp_sets,
    order_note_sets, rde_kept, timing_repeat_sets, order_kept, NULL};
static const struct row_set *const rds[] = {PATIENT,  al1_sets,        rds_sets,   rp_sets,
                                            rds_kept, order_note_sets, order_kept, NULL};
static const struct row_set *const ras[] = {PATIENT,  al1_sets,   ras_sets, rp_sets,
                                            ras_kept, order_kept, NULL};
static const struct row_set *const oml[] = {PATIENT,  al1_sets,   order_sets, timing_sets,
                                            spm_sets, obx_sets,   oml_sets,   order_note_sets,
                                            sac_kept, order_kept, NULL};
static const struct row_set *const orm[] = {
    PATIENT,  al1_sets,           order_sets,      timing_sets, spm_sets,
    obx_sets, oml_sets,           rxo_sets,        rde_sets,    rp_sets,
    omd_sets, timing_repeat_sets, order_note_sets, order_kept,  NULL};
static const struct row_set *const oul[] = {PATIENT,         al1_sets, order_sets, timing_sets,
                                            spm_sets,        obr_sets, obx_sets,   document_sets,
                                            order_note_sets, sac_kept, order_kept, NULL};
static const struct row_set *const omg[] = {PATIENT,    al1_sets, order_sets,      timing_sets,
                                            spm_sets,   obx_sets, order_note_sets, ipc_kept,
                                            order_kept, NULL};
static const struct row_set *const omi[] = {PATIENT,    al1_sets, order_sets,      timing_sets,
                                            omi_sets,   obx_sets, order_note_sets, omi_kept,
                                            order_kept, NULL};
static const struct row_set *const oru[] = {
    PATIENT,       al1_sets,    order_sets,      timing_sets, spm_sets,   obr_sets, obx_sets,
    document_sets, device_sets, order_note_sets, oru_kept,    order_kept, NULL};
static const struct row_set *const siu[] = {PATIENT, al1_sets, siu_sets, order_note_sets, NULL};
static const struct row_set *const mdm[] = {PATIENT,       al1_sets,   mdm_sets,
                                            document_sets, order_kept, NULL};
static const struct row_set *const vxu[] = {PATIENT,  al1_sets,   vxu_sets,
                                            obx_sets, order_kept, NULL};

const struct family families[] = {
    {"ADT", "A01", adt_map, adt},
    {"ADT", "A02", adt_map, adt},
    {"ADT", "A03", adt_map, adt},
    {"ADT", "A04", adt_map, adt},
    {"ADT", "A05", adt_map, adt},
    {"ADT", "A06", adt_map, adt},
    {"ADT", "A07", adt_map, adt},
    {"ADT", "A08", adt_map, adt},
    {"ADT", "A09", adt_map, adt},
    {"ADT", "A10", adt_map, adt},
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
    {"ADT", "A29", adt_map, adt},
    {"ADT", "A31", adt_map, adt},
    {"ADT", "A32", adt_map, adt},
    {"ADT", "A33", adt_map, adt},
    {"ADT", "A38", adt_map, adt},
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
    {"ADT", "A46", adt_map, adt},
    {"ADT", "A47", adt_map, adt},
    {"ADT", "A60", adt_map, adt_allergies},
    {"PPR", "PC1", ppr_map, ppr},
    {"PPR", "PC2", ppr_map, ppr},
    {"PPR", "PC3", ppr_map, ppr},
    {"PPR", "ZD1", ppr_map, ppr},
    {"OMD", "O03", omd_map, omd},
    {"OMP", "O09", rde_map, omp},
    {"RDE", "O01", rde_map, rde},
    {"RDE", "O11", rde_map, rde},
    {"RDE", "O25", rde_map, rde},
    {"RDS", "O01", rds_map, rds},
    {"RDS", "O13", rds_map, rds},
    {"RAS", "O01", ras_map, ras},
    {"RAS", "O17", ras_map, ras},
    {"ORM", "O01", orm_map, orm},
    {"OML", "O21", oml_map, oml},
    {"OML", "O33", oml_map, oml},
    {"OML", "O35", oml_map, oml},
    {"OUL", "R22", oul_map, oul},
    {"OUL", "R23", oul_map, oul},
    {"OUL", "R24", oul_map, oul},
    {"OMG", "O19", omg_map, omg},
    {"OMI", "O23", omg_map, omg},
    {"OMI", "Z23", omi_map, omi},
    {"ORU", "R01", oru_map, oru},
    {"ORU", "R30", oru_map, oru},
    {"ORU", "R31", oru_map, oru},
    {"ORU", "R32", oru_map, oru},
    {"SIU", "S12", siu_map, siu},
    {"SIU", "S13", siu_map, siu},
    {"SIU", "S14", siu_map, siu},
    {"SIU", "S15", siu_map, siu},
    {"SIU", "S16", siu_map, siu},
    {"SIU", "S17", siu_map, siu},
    {"SIU", "S26", siu_map, siu},
    {"MDM", "T01", mdm_map, mdm},
    {"MDM", "T02", mdm_map, mdm},
    {"MDM", "T03", mdm_map, mdm},
    {"MDM", "T04", mdm_map, mdm},
    {"MDM", "T05", mdm_map, mdm},
    {"MDM", "T06", mdm_map, mdm},
    {"MDM", "T07", mdm_map, mdm},
    {"MDM", "T08", mdm_map, mdm},
    {"MDM", "T09", mdm_map, mdm},
    {"MDM", "T10", mdm_map, mdm},
    {"MDM", "T11", mdm_map, mdm},
    {"VXU", "V04", vxu_map, vxu},
    {NULL, NULL, NULL, NULL},
};
