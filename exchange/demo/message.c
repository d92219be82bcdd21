/* SPDX-License-Identifier: Apache-2.0
 *
 * HL7 v2 segments by field number, as real SS-MIX2 senders write them (guide 1.7, 1.8). The common
 * clinic card goes into PID-3 as a further repetition with its own authority.
 */
#include "exchange/demo/message.h"

#include <assert.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/when.h"
#include "mappers/charset.h"

#include "base/banned.h"

#define MESSAGE_MAX (256u * LIMIT_KIB) /* an invented message is a few KiB */

void message_init(struct message *m)
{
    buf_init(&m->text, MESSAGE_MAX);
    buf_init(&m->bytes, 2 * MESSAGE_MAX);
    m->field = 0;
    m->ordinal = 0;
}

void message_fini(struct message *m)
{
    buf_fini(&m->text);
    buf_fini(&m->bytes);
}

struct stamp message_stamp(int64_t ms)
{
    struct stamp s;
    int64_t second = (ms / 1000 + WHEN_JST_MINUTES * 60) % 86400;

    (void)snprintf(s.text, sizeof(s.text), "%08u%02u%02u%02u",
                   (unsigned)when_day_number(ms) % 100000000u, (unsigned)(second / 3600) % 24u,
                   (unsigned)(second / 60 % 60) % 60u, (unsigned)(second % 60) % 60u);
    return s;
}

void message_segment(struct message *m, const char *name)
{
    if (m->text.len > 0)
        buf_addc(&m->text, '\r');
    buf_adds(&m->text, name);
    m->field = 0;
}

void message_field(struct message *m, unsigned n, const char *format, ...)
{
    va_list args;
    char value[1024];
    int len = 0;

    assert(n > m->field);
    for (; m->field < n; m->field++)
        buf_addc(&m->text, '|');
    va_start(args, format);
    len = vsnprintf(value, sizeof(value), format, args);
    va_end(args);
    assert(len >= 0 && (size_t)len < sizeof(value));
    buf_add(&m->text, slice_of(value, (size_t)len));
}

void message_start(struct message *m, enum demo_facility facility, const char *type,
                   const char *control_id, int64_t at_ms)
{
    buf_clear(&m->text);
    buf_clear(&m->bytes);
    message_segment(m, "MSH|^~\\&");
    m->field = 2; /* MSH-1 is the bar itself */
    message_field(m, 3, "HIS");
    message_field(m, 4, "%s", demo_facilities[facility].code);
    message_field(m, 5, "GW");
    message_field(m, 6, "TASUKI");
    message_field(m, 7, "%s", message_stamp(at_ms).text);
    message_field(m, 9, "%s", type);
    message_field(m, 10, "%s", control_id);
    message_field(m, 11, "P");
    message_field(m, 12, "2.5");
    message_field(m, 18, "~ISO IR87");
    message_field(m, 20, "ISO 2022-1994");
    message_field(m, 21, "SS-MIX2_1.20^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO");
}

void message_patient(struct message *m, const struct demo_person *person,
                     enum demo_facility facility, bool full, int64_t at_ms)
{
    assert(person->local[facility][0]);
    message_segment(m, "PID");
    message_field(m, 1, "0001");
    message_field(m, 3, "%s^^^^PI~%s^^^urn:tasuki:clinic-card^JHC", person->local[facility],
                  person->card);
    message_field(m, 5, "%s^%s^^^^^L^I~%s^%s^^^^^L^P", person->family, person->given,
                  person->family_kana, person->given_kana);
    message_field(m, 7, "%s", person->birth);
    message_field(m, 8, "%c", person->sex);
    if (!full)
        return;
    message_field(m, 11, "^^^^%s^JPN^H^%s", person->postal, person->address);
    message_field(m, 13, "^PRN^PH^^^^^^^^^%s", person->phone);
    message_field(m, 33, "%s", message_stamp(at_ms).text);
}

enum err message_finish(struct message *m, struct slice *ret_bytes)
{
    enum err err = ERR_OK;

    buf_addc(&m->text, '\r');
    err = buf_err(&m->text);
    if (!err)
        err = charset_encode(CHARSET_ISO2022JP, buf_slice(&m->text), &m->bytes, &(size_t){0});
    if (!err)
        err = buf_err(&m->bytes);
    if (!err)
        *ret_bytes = buf_slice(&m->bytes);
    return err;
}
