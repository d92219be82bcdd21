/* SPDX-License-Identifier: Apache-2.0
 *
 * Resources as messages of the standard storage (guide sections 1.3 to 1.8): which resources share
 * a file, where that file lies, and its text. What came as such a message goes out in its own
 * bytes; this is for what came another way. Types without a message here belong to no group.
 */
#ifndef MAPPERS_SSMIX2_WRITE_H
#define MAPPERS_SSMIX2_WRITE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "mappers/hl7v2/lex.h"

#define WRITE_NO_ORDER "999999999999999"

struct relate;

/* A current record of one patient. */
struct write_item {
    struct slice type, id;
    const struct json *resource;
    int64_t updated_ms;
    bool pool;    /* no message covers it: a group must */
    bool written; /* by write_message: in a file of its own, or along with another */
};

/* What a group says of an item: all of it, or one event in its course. */
struct write_member {
    struct write_item *item;
    const struct json *part; /* the element that tells of the event; NULL: the item as it is now */
    bool done;               /* written already */
    struct write_member *next;
};

/* Files of one key share patient, care date, kind and order number. */
struct write_group {
    const char *kind;    /* "OML-11" */
    char care_date[9];   /* or "-" */
    char order_no[16];   /* as the file's name has it */
    struct slice number; /* as its order has it; empty: it has none of its own */
    int64_t updated_ms;  /* time of sending: that of its newest item, later events a bit later */
    bool cancelled;      /* all that is in it is: the file has flag 0 */
    struct write_member *first, *last;
    struct write_group *next;
};

struct write_plan {
    struct arena *arena;
    struct write_item *items;
    size_t count;
    struct relate *relate;
    struct write_group *groups; /* in the order found */
};

struct write_env {
    struct slice facility_code; /* 10 digits */
    struct slice facility_name;
    struct slice local_no;
    const struct json *patient; /* the Patient's body; NULL: nobody can be written */
};

/* Puts every item of the pool that has a message into a group, or several. All in ARENA.
 * ERR_LIMIT. */
enum err write_plan_make(struct arena *arena, struct write_item *items, size_t count,
                         struct write_plan **ret_plan) ERR_CHECKED;

/* Can a file of this kind hold one thing only? Of two with one key the newer one is the file. */
bool write_is_single(const char *kind);

/* The text of GROUP's message (UTF-8); what is in it is marked as written. ERR_REQUIRED when the
 * patient is not known, ERR_LIMIT. */
enum err write_message(struct write_plan *plan, const struct write_env *env,
                       struct write_group *group, struct buf *out) ERR_CHECKED;

/* The key of a message that came in: kind, care date and order number from its own fields, for
 * messages that came by another way than a storage. False when it belongs to no kind of data or
 * has no care date. */
bool write_key(struct arena *arena, const struct hl7_message *m, struct write_group *ret_key);
/* Time of sending as the 17 digits of a file name; of the department, "-" when not said. */
struct slice write_sent(struct arena *arena, const struct hl7_message *m);
struct slice write_department(struct arena *arena, const struct hl7_message *m);

/* TEXT as the bytes of a file (ISO-2022-JP). ret_replaced: characters the standard lacks, now ■. */
enum err write_encode(struct slice text, struct buf *out, size_t *ret_replaced) ERR_CHECKED;

/* Calls SAID for each field of TEXT, a message, that holds characters the standard lacks: "PID-5",
 * how many. For logs: a place says nothing of the patient. */
enum err write_lacking(struct slice text,
                       void (*said)(void *context, struct slice place, size_t count),
                       void *context) ERR_CHECKED;

/* A message in another character set as a file: MSH-18 says so, nothing else is changed. */
enum err write_recode(const struct hl7_message *message, struct buf *out,
                      size_t *ret_replaced) ERR_CHECKED;
/* Does it cancel what its kind registers: by its event, or by ORC-1 in all its orders? */
bool write_is_cancel(const struct hl7_message *message, const char *kind);

/* The message that cancels MESSAGE, which is being deleted from the storage: an ADT event has one
 * of its own, an order says it in ORC-1. UTF-8. */
enum err write_cancel(const struct hl7_message *message, const char *kind,
                      struct buf *out) ERR_CHECKED;
/* The whole MSH-9 of that ADT event ("ADT^A11^ADT_A09"), or NULL. */
const char *write_cancel_type(const char *kind);

#endif
