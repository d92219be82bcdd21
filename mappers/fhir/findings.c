/* SPDX-License-Identifier: Apache-2.0
 *
 * See findings.h. Texts are copied by err_say; a flood of findings costs counters only.
 */
#include "mappers/fhir/findings.h"

#include "base/limits.h"

#include "base/banned.h"

bool findings_kept(const struct findings *f)
{
    return f->errors->kept < LIMIT_ERR_ITEMS;
}

const char *findings_where(const struct findings *f, const struct place *at)
{
    return findings_kept(f) ? place_text(f->errors->arena, at) : "";
}

void findings_note(struct findings *f, enum err code)
{
    if (f->first == ERR_OK)
        f->first = code;
}

void findings_tell(struct findings *f, enum err_severity severity, enum err code,
                   const struct place *at, const char *en, const char *ja)
{
    (void)err_say(f->errors, severity, code, findings_where(f, at), en ? en : err_en(code),
                  ja ? ja : err_ja(code));
    if (severity == ERR_SEVERITY_ERROR)
        findings_note(f, code);
}

void findings_say(struct findings *f, enum err code, const struct place *at, const char *en,
                  const char *ja)
{
    findings_tell(f, ERR_SEVERITY_ERROR, code, at, en, ja);
}
