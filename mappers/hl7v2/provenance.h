/* SPDX-License-Identifier: Apache-2.0
 *
 * Where mapped resources come from: a Provenance leads from each of them to the bytes of the
 * message and to the segments it was made of.
 */
#ifndef MAPPERS_HL7V2_PROVENANCE_H
#define MAPPERS_HL7V2_PROVENANCE_H

#include "mappers/hl7v2/mapping.h"

/* The extension that names segments: its text has one part for each target, in their order, parts
 * separated by ';', each the numbers of segments (MSH is 1) separated by ','. */
#define PROVENANCE_SEGMENTS "urn:tasuki:extension:segments"
/* System of the identifier of the source: SHA-256 of its bytes in hexadecimal. */
#define PROVENANCE_ORIGINAL "urn:tasuki:original:sha256"

/* Adds the Provenances, once everything else has been made. Resources of one scope, category and
 * confidentiality share one, so that nobody is told by it of what he may not see, and it goes when
 * they go. */
void provenance_make(struct mapping *mp);

#endif
