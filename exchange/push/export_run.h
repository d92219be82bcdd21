/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the jobs of bulk export (FHIR Bulk Data Access 2.0; docs/decisions/0014), one step of one job at a time, and removes them when their time is
 * over. A step is a request of the pipeline (export_step.h) under the grant of who asked.
 */
#ifndef EXCHANGE_PUSH_EXPORT_RUN_H
#define EXCHANGE_PUSH_EXPORT_RUN_H

#include <uv.h>

#include "exchange/exchange.h"

struct export_run;

/* Goes on with what a former run of the server left. */
enum err export_run_open(uv_loop_t *loop, struct exchange *x, struct export_run **ret) ERR_CHECKED;
/* A job was added or cancelled. */
void export_run_wake(struct export_run *e);
/* Lets the step under way end, then DONE once and frees itself. */
void export_run_close(struct export_run *e, void (*done)(void *context), void *context);

#endif
