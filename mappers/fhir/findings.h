/* SPDX-License-Identifier: Apache-2.0
 *
 * What a walk over a resource has found: one list, the first error's code, and the texts of places
 * made only for findings that are kept. Shared by R4's own rules and by profiles. Private to
 * mappers/fhir.
 */
#ifndef MAPPERS_FHIR_FINDINGS_H
#define MAPPERS_FHIR_FINDINGS_H

#include "base/err.h"
#include "mappers/fhir/place.h"

struct findings {
    struct err_list *errors;
    enum err first; /* of the errors; warnings do not count */
};

/* The place as text; "" for findings that will only be counted. */
const char *findings_where(const struct findings *f, const struct place *at);
/* Notes CODE without a finding of its own (memory is out, or the finding was added elsewhere). */
void findings_note(struct findings *f, enum err code);
/* An error with texts of its own. */
void findings_say(struct findings *f, enum err code, const struct place *at, const char *en,
                  const char *ja);
/* The same with a severity; only errors set FIRST. */
void findings_tell(struct findings *f, enum err_severity severity, enum err code,
                   const struct place *at, const char *en, const char *ja);
/* Would a finding added now be kept? Otherwise its texts need not be made. */
bool findings_kept(const struct findings *f);

#endif
