/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends a file of an export: line by line read through the gate under the caller's grant of that moment, a piece at a
 * time, each audited before it leaves. A line that may no longer be seen is left out.
 */
#ifndef EXCHANGE_PUSH_EXPORT_SEND_H
#define EXCHANGE_PUSH_EXPORT_SEND_H

#include "exchange/net/http.h"
#include "exchange/request.h"
#include "storage/export.h"

/* The job of ID, if it is this caller's: same facility, same purpose. ERR_NOT_FOUND otherwise. Needs the grant bound. */
enum err export_send_job(struct session *s, struct request *r, struct slice id,
                         struct export_job *ret_job) ERR_CHECKED;
/* File NUMBER of a finished job; ERR_NOT_FOUND. */
enum err export_send_file(struct session *s, struct request *r, const struct export_job *job,
                          unsigned number, struct export_file *ret_file) ERR_CHECKED;
/* Answers CALL with the file, for the caller of R (copied). */
void export_send_begin(struct http_call *call, const struct request *r, struct slice id,
                       unsigned number);

#endif
