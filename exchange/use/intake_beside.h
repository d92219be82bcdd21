/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of the extended storage that lie beside a document (decision 0023): they hold no patient
 * number of their own, so whose they are is as sure as whose that document is.
 */
#ifndef EXCHANGE_USE_INTAKE_BESIDE_H
#define EXCHANGE_USE_INTAKE_BESIDE_H

#include "exchange/use/intake.h"

/* Refuses the file of IN where the document it lies beside was refused. A human who files it again
 * has looked. */
enum err intake_beside_look(struct session *s, struct request *r, struct intake *in) ERR_CHECKED;
/* The document of IN is refused, and was never filed: what was filed beside it meanwhile is taken
 * back, and waits in quarantine for the same reason. Writer session. */
enum err intake_beside_take_back(struct session *s, struct request *r,
                                 struct intake *in) ERR_CHECKED;

#endif
