/* SPDX-License-Identifier: Apache-2.0
 *
 * The message families: one function each, called by map.c after the patient has been identified.
 * Each decides scopes (what the message replaces) and which segments become what.
 */
#ifndef MAPPERS_HL7V2_FAMILY_H
#define MAPPERS_HL7V2_FAMILY_H

#include "mappers/hl7v2/mapping.h"

void adt_map(struct mapping *mp); /* ADT^A01 .. A55, A60 */
void ppr_map(struct mapping *mp); /* PPR^ZD1 diagnoses */
void omd_map(struct mapping *mp); /* OMD^O03 meals */
void rde_map(struct mapping *mp); /* RDE^O11 prescriptions and injections */
void ras_map(struct mapping *mp); /* RAS^O17 administrations */
void oml_map(struct mapping *mp); /* OML^O33 laboratory orders */
void oul_map(struct mapping *mp); /* OUL^R22 laboratory results */
void omg_map(struct mapping *mp); /* OMG^O19 imaging, endoscopy and physiology orders */
void omi_map(struct mapping *mp); /* OMI^Z23 imaging and endoscopy, performed */
void oru_map(struct mapping *mp); /* ORU^R01, R30 results of any kind */

#endif
