/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes one HL7 v2.5 message in the SS-MIX2 manner: fields are set by number, so that no one
 * counts bars, and the finished text becomes ISO-2022-JP (~ISO IR87). For invented data: values are
 * trusted to hold no delimiters.
 */
#ifndef EXCHANGE_DEMO_MESSAGE_H
#define EXCHANGE_DEMO_MESSAGE_H

#include "base/buf.h"
#include "exchange/demo/people.h"

struct message {
    struct buf text;  /* UTF-8 */
    struct buf bytes; /* as sent */
    unsigned field;   /* last one written of the open segment */
    unsigned ordinal; /* of the segment, for set ids */
};

/* An empty message; message_fini gives its memory back. */
void message_init(struct message *m);
void message_fini(struct message *m);

/* Begins a message TYPE ("ADT^A08^ADT_A01") from FACILITY, made AT_MS, with CONTROL_ID. */
void message_start(struct message *m, enum demo_facility facility, const char *type,
                   const char *control_id, int64_t at_ms);
/* Opens a segment. */
void message_segment(struct message *m, const char *name);
/* Writes field N (ascending within a segment); not for MSH-1 and MSH-2. */
void message_field(struct message *m, unsigned n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* PID of PERSON: numbers, name and kana, birth, sex; with FULL address, telephone and update time.
 */
void message_patient(struct message *m, const struct demo_person *person,
                     enum demo_facility facility, bool full, int64_t at_ms);
/* The finished bytes, valid until the next message_start. */
enum err message_finish(struct message *m, struct slice *ret_bytes) ERR_CHECKED;

/* YYYYMMDDHHMMSS in JST. */
struct stamp {
    char text[15];
};
struct stamp message_stamp(int64_t ms);

#endif
