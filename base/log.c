/* SPDX-License-Identifier: Apache-2.0
 *
 * The log: one event, one line, one write, so that lines of different threads never mix. Control
 * characters are written as \xNN: what came from outside must not forge a line or steer a terminal.
 * A line that would be too long ends in "...". Losing a log line never fails a request.
 */
#include "base/log.h"

#include <assert.h>
#include <stdarg.h>

#include "base/buf.h"
#include "base/when.h"

#include "base/banned.h"

#define FIELDS_MAX 2048

static const char *const level_names[] = {"ERROR", "WARN", "INFO", "DEBUG"};
static FILE *log_file;
static enum log_level log_level = LOG_INFO_LEVEL;

void log_open(FILE *file, enum log_level level)
{
    log_file = file;
    log_level = level;
}

static void add_escaped(struct buf *line, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p < 0x20 || *p == 0x7F)
            buf_addf(line, "\\x%02X", *p);
        else
            buf_addc(line, (char)*p);
    }
}

void log_event(enum log_level level, const char *event, const char *fields_format, ...)
{
    char fields[FIELDS_MAX] = "";
    struct buf line;
    int len = 0;
    assert(level <= LOG_DEBUG_LEVEL && event);
    if (level > log_level)
        return;
    if (fields_format) {
        va_list args;
        va_start(args, fields_format);
        len = vsnprintf(fields, sizeof(fields), fields_format, args);
        va_end(args);
    }
    buf_init(&line, 8 * FIELDS_MAX);
    when_print_instant(&line, clock_system.now_ms(&clock_system));
    buf_addf(&line, " %s ", level_names[level]);
    add_escaped(&line, event);
    if (fields[0])
        buf_addc(&line, ' ');
    add_escaped(&line, fields);
    buf_adds(&line, len >= (int)sizeof(fields) ? "...\n" : "\n");
    FILE *file = log_file ? log_file : stderr;
    if (buf_err(&line) == ERR_OK) {
        fwrite(line.ptr, 1, line.len, file); /* stdio locks the file for the whole call */
        fflush(file);
    }
    buf_fini(&line);
}
