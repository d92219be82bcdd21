/* SPDX-License-Identifier: Apache-2.0
 *
 * Builders for what R4 has no element for, or only an odd one: extensions with a value of one kind,
 * confidentiality, yes and no. The row's arg is the extension's URL, its path where extensions go
 * ("extension[]").
 */
#ifndef MAPPERS_HL7V2_EXTEND_H
#define MAPPERS_HL7V2_EXTEND_H

#include "mappers/hl7v2/mapping.h"

#define EXTEND_OWN "urn:tasuki:extension:"
#define EXTEND_HL7 "http://hl7.org/fhir/StructureDefinition/"

/* {url, valueString}: the row's component, or all of the repetition. */
bool extend_build_text(struct spot *at);
/* {url, valueDateTime}. */
bool extend_build_time(struct spot *at);
/* {url, valueReference}: a person (XCN) or, failing that, a name (XON-1). */
bool extend_build_person(struct spot *at);
bool extend_build_organization(struct spot *at);
/* {url, valueAddress} of an XAD, {url, valueContactPoint} of an XTN. */
bool extend_build_address(struct spot *at);
bool extend_build_contact(struct spot *at);
/* {url, valueCoding} of a CWE. */
bool extend_build_coding(struct spot *at);
/* {url, extension: [{url: "code", valueCodeableConcept}]}: citizenship, nationality. */
bool extend_build_nested_code(struct spot *at);
/* {url, valueAddress: {text}} of a plain text. */
bool extend_build_place(struct spot *at);

/* A boolean of Y or N at path; anything else is left. */
bool extend_build_yes(struct spot *at);
/* A Coding of v3-Confidentiality at path, of table 0177 (or Y for restricted). */
bool extend_build_security(struct spot *at);
/* Identifier {type, system local to the institution, value} of an EI or CX at path; arg: "TYPE
 * name", a code of table 0203 and the name of the local system. The same value is said once. */
bool extend_build_number(struct spot *at);
/* {url, valueIdentifier} of an EI of the institution; of an EIP's first part. */
bool extend_build_numbered_extension(struct spot *at);
/* Reference {identifier} at path of an EI; arg: the name of the local system. */
bool extend_build_numbered(struct spot *at);

#endif
