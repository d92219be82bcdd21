/* SPDX-License-Identifier: Apache-2.0
 *
 * The message families: one function each, called by map.c after the patient has been identified.
 * Each decides scopes (what the message replaces) and which segments become what. The tables a
 * family walks are listed with it (family_table.c): the report of coverage is made of them, and
 * nothing outside of them may be walked.
 */
#ifndef MAPPERS_HL7V2_FAMILY_H
#define MAPPERS_HL7V2_FAMILY_H

#include "mappers/hl7v2/order.h"

struct family {
    const char *type, *trigger;
    void (*map)(struct mapping *mp);
    const struct row_set *const *sets; /* ends with NULL */
};

/* Ends with a NULL type. */
extern const struct family families[];

void adt_map(struct mapping *mp); /* ADT^A01 .. A60 */
void ppr_map(struct mapping *mp); /* PPR^ZD1, PC1 .. PC3 diagnoses */
void omd_map(struct mapping *mp); /* OMD^O03 meals */
void rde_map(struct mapping *mp); /* RDE^O11, O25, OMP^O09 prescriptions and injections */
void rds_map(struct mapping *mp); /* RDS^O13 what was handed over */
void ras_map(struct mapping *mp); /* RAS^O17 administrations */
void oml_map(struct mapping *mp); /* OML^O21, O33, O35 laboratory orders */
void orm_map(struct mapping *mp); /* ORM^O01 orders of any kind */
void oul_map(struct mapping *mp); /* OUL^R22 .. R24 laboratory results */
void omg_map(struct mapping *mp); /* OMG^O19, OMI^O23 imaging, endoscopy and physiology orders */
void omi_map(struct mapping *mp); /* OMI^Z23 imaging and endoscopy, performed */
void oru_map(struct mapping *mp); /* ORU^R01, R30 .. R32 results of any kind */
void siu_map(struct mapping *mp); /* SIU^S12 .. S26 appointments */
void mdm_map(struct mapping *mp); /* MDM^T01 .. T11 documents */
void vxu_map(struct mapping *mp); /* VXU^V04 vaccinations */

/* One order group of a message, for families that hold several kinds of it. False: it is not one of
 * these. */
bool rde_order(struct mapping *mp, struct order *o);
bool omd_order(struct mapping *mp, struct order *o);
/* KIND as order_request has it. */
void oml_order(struct mapping *mp, struct order *o, const char *kind);

/* The tables of each segment's or family's file. */
extern const struct row_set msh_sets[], pid_sets[], nk1_sets[], pv1_mention_sets[],
    pv1_visit_sets[], in1_sets[], al1_sets[], iam_sets[], dg1_sets[], obx_sets[], obr_sets[],
    spm_sets[], order_sets[], order_note_sets[], timing_sets[], timing_repeat_sets[], oml_sets[],
    omd_sets[], omi_sets[], ppr_sets[], ras_sets[], rde_sets[], rds_sets[], rxo_sets[], rp_sets[],
    siu_sets[], mdm_sets[], vxu_sets[], document_sets[], device_sets[];

#endif
