/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents inside messages: OBX of type ED (bytes), RP (a pointer), TX and FT (text). Bytes become
 * a Binary, or a presentedForm of the report they stand under; a clinical document (CDA) is always
 * a DocumentReference of its own, because it says more than its report.
 */
#ifndef MAPPERS_HL7V2_DOCUMENT_H
#define MAPPERS_HL7V2_DOCUMENT_H

#include "mappers/hl7v2/order.h"

/* An OBX of results: takes it when it holds a document, into REPORT (may be NULL) or as a
 * DocumentReference. False: it is no document. */
bool document_take(struct mapping *mp, const struct hl7_segment *obx, const struct order *o,
                   struct mapped_resource *report);
/* The content of DOCUMENT (a DocumentReference) from one OBX of an MDM: a Binary for bytes, the url
 * of a pointer. False: nothing in it. */
bool document_content(struct mapping *mp, const struct hl7_segment *obx,
                      struct mapped_resource *document);
/* A Binary of BYTES, and its attachment in DOCUMENT. Returns it. */
struct mapped_resource *document_binary(struct mapping *mp, struct slice content_type,
                                        struct slice bytes, struct slice key, struct slice title,
                                        struct mapped_resource *document);

#endif
