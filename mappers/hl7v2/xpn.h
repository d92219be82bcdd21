/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of people: XPN to HumanName with the script it is written in (ideographic, syllabic,
 * alphabetic), XCN to a Reference by name and local number. One person's kanji and kana are two
 * repetitions of one field.
 */
#ifndef MAPPERS_HL7V2_XPN_H
#define MAPPERS_HL7V2_XPN_H

#include "mappers/hl7v2/mapping.h"

/* "family given" of a repetition of XPN; empty when there is no name. */
struct slice xpn_text(struct mapping *mp, struct slice raw);
/* IDE, SYL, ABC of a repetition: as said in XPN.8, else as its letters show; NULL when neither. */
const char *xpn_script(struct mapping *mp, struct slice raw);

/* HumanName, at path. */
bool xpn_build(struct spot *at);
/* The first (or ideographic) name at path; a kana reading becomes an extension of it. For elements
 * with room for one. */
bool xpn_build_single(struct spot *at);
/* Reference {display, identifier} of the first person of an XCN, at path; others leave the field
 * partly used. */
bool xpn_build_person(struct spot *at);
/* The same for paths with room for many. A repetition with the phonetic form of the person before
 * it is his reading. */
bool xpn_build_persons(struct spot *at);
/* The Reference of one XCN repetition, or NULL. */
struct json *xpn_person(struct mapping *mp, struct slice raw);

#endif
