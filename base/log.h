/* SPDX-License-Identifier: Apache-2.0
 *
 * The program's own log: one line per event on stderr (or a file), level, name, key=value fields. Only
 * the top (exchange) logs, once per event; libraries return errors. Never patient data: ids of
 * requests, counts, codes, file names without patient numbers.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdio.h>

enum log_level { LOG_ERROR_LEVEL, LOG_WARN_LEVEL, LOG_INFO_LEVEL, LOG_DEBUG_LEVEL };

/* Sends the log to FILE (default stderr) from LEVEL on. */
void log_open(FILE *file, enum log_level level);
/* One line: 2026-11-22T17:00:00.000+09:00 INFO event key=value ... */
void log_event(enum log_level level, const char *event, const char *fields_format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(event, ...) log_event(LOG_ERROR_LEVEL, event, __VA_ARGS__)
#define log_warn(event, ...) log_event(LOG_WARN_LEVEL, event, __VA_ARGS__)
#define log_info(event, ...) log_event(LOG_INFO_LEVEL, event, __VA_ARGS__)

#endif
