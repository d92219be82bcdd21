/* SPDX-License-Identifier: Apache-2.0
 *
 * Conditional create, update and delete (R4 http.html#ccreate, #cond-update, #cdelete): criteria instead of an id. They
 * look among the caller's own records only: nobody overwrites or deletes another's, and a record of another source
 * is no reason not to keep one's own. Criteria are judged in the transaction that writes, so that of many equal
 * requests one creates.
 */
#ifndef EXCHANGE_DOOR_FHIR_CONDITIONAL_H
#define EXCHANGE_DOOR_FHIR_CONDITIONAL_H

#include "exchange/door/fhir.h"

/* The criteria of the request's URL, without the parameters that only steer the answer's form. In r's arena. */
struct slice fhir_conditional_criteria(struct request *r);
/* Judges CONDITION's criteria for TYPE unless it is fixed. ERR_PRECONDITION when they name nothing to look for. */
enum err fhir_conditional_find(struct session *s, struct request *r, struct slice type,
                               struct fhir_condition *condition) ERR_CHECKED;
/* ERR_PRECONDITION when several match. */
enum err fhir_conditional_single(struct request *r,
                                 const struct fhir_condition *condition) ERR_CHECKED;
/* The one record that "Type?criteria" means to this reader, as "Type/id". ERR_PRECONDITION for none or several. */
enum err fhir_conditional_reference(struct session *s, struct request *r, struct slice text,
                                    const char *place, struct slice *ret_reference) ERR_CHECKED;

#endif
