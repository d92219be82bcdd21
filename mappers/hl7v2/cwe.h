/* SPDX-License-Identifier: Apache-2.0
 *
 * Coded values (CWE, CE, CNE, IS): CodeableConcept and Coding. Both codings of a CWE are kept, with
 * the names of their systems turned into URLs (terms_system); a system nobody knows becomes a URN
 * of this institution, so that equal local codes of two institutions never look alike.
 */
#ifndef MAPPERS_HL7V2_CWE_H
#define MAPPERS_HL7V2_CWE_H

#include "mappers/hl7v2/mapping.h"

struct cwe {
    struct slice code, text, system;
    struct slice alt_code, alt_text, alt_system;
    struct slice version, original;
};

/* Reads the components of a repetition (or, of a component, its sub-components), clean. */
void cwe_read(struct mapping *mp, struct slice raw, struct cwe *ret_cwe);
void cwe_read_sub(struct mapping *mp, struct slice component, struct cwe *ret_cwe);
/* URL of a system named as in CWE-3; empty for an empty name. */
struct slice cwe_system(struct mapping *mp, struct slice name);
/* URN of something this institution names itself (orders, practitioners, unknown systems). */
struct slice cwe_local(struct mapping *mp, struct slice name);
/* A Coding, or NULL without a code. */
struct json *cwe_coding(struct mapping *mp, struct slice system_url, struct slice code,
                        struct slice display);
/* A CodeableConcept, or NULL when there is nothing to say. A bare code without any system is text.
 */
struct json *cwe_concept(struct mapping *mp, const struct cwe *c);
/* A CodeableConcept of one coding whose strings are constants. */
struct json *cwe_constant(struct mapping *mp, const char *system, const char *code,
                          const char *display);
/* Whether field N of S (may be NULL) names anything: its concept would not be NULL. */
bool cwe_says(struct mapping *mp, const struct hl7_segment *s, unsigned n);
/* The text people should read: original text, display, alternate display, code. */
struct slice cwe_text(const struct cwe *c);

/* Builders. cwe_build: CodeableConcept; arg, when given, is the name of the system for bare codes
 * ("HL70112"). */
bool cwe_build(struct spot *at);
/* An Annotation of the text people should read. */
bool cwe_build_note(struct spot *at);
/* cwe_build for fields that name an item (OBX-3, OBR-4): there a lone word is a code, also without
 * a system. */
bool cwe_build_item(struct spot *at);
/* Extension {url: arg, valueCodeableConcept} appended to path (usually "extension[]"). */
bool cwe_build_extension(struct spot *at);
/* Code of arg (a struct term table); unknown codes are warned about and left. */
bool cwe_build_code(struct spot *at);

#endif
