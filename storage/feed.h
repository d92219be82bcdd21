/* SPDX-License-Identifier: Apache-2.0
 *
 * Where each outgoing feed stands in the log of changes, what is under way to its receiver, and
 * what the receiver refused (docs/decisions/0019). Numbers of changes only: what a message says is
 * read through the gate each time it is made.
 */
#ifndef STORAGE_FEED_H
#define STORAGE_FEED_H

#include "base/arena.h"
#include "storage/session.h"

struct feed {
    struct slice name;
    int64_t position; /* last change dealt with */
    int64_t until;    /* last change of the message under way; 0: none */
    int64_t chart;    /* whose changes it is made of */
    int64_t letter;   /* the dead letter it is another attempt of; 0: none */
    struct slice control_id;
    unsigned failures;
    int64_t next_ms;
    struct slice reason; /* cut to LIMIT_PUSH_REASON when written */
    int64_t sent, sent_ms, refused;
    int64_t waiting, wanted; /* read only: its letters in these states */
};

#define FEED_LETTER_STATE_TABLE(X)                                                                 \
    X(FEED_LETTER_WAITING, "waiting") /* for a human */                                            \
    X(FEED_LETTER_WANTED, "wanted")   /* to be sent again */                                       \
    X(FEED_LETTER_SENT, "sent")                                                                    \
    X(FEED_LETTER_GONE, "gone") /* nothing of it is left that may be sent and was not since */     \
    X(FEED_LETTER_DROPPED, "dropped")

enum feed_letter_state {
#define X(name, code) name,
    FEED_LETTER_STATE_TABLE(X)
#undef X
        FEED_LETTER_STATE_COUNT
};
const char *feed_letter_code(enum feed_letter_state state);

struct feed_letter {
    int64_t id;
    struct slice feed;
    int64_t chart, after, until;
    struct slice control_id, code, reason;
    unsigned attempts;
    int64_t at_ms;
    enum feed_letter_state state;
};

/* ERR_NOT_FOUND. Texts in ARENA. */
enum err feed_get(struct session *s, struct arena *arena, struct slice name,
                  struct feed *ret_feed) ERR_CHECKED;
/* All of them, by name. */
enum err feed_list(struct session *s, struct arena *arena, struct feed **ret_list,
                   size_t *ret_count) ERR_CHECKED;
/* Inserts or replaces by name; the position never goes back. Writer session, as all that change
 * something. */
enum err feed_put(struct session *s, const struct feed *feed) ERR_CHECKED;

/* ERR_NOT_FOUND. */
enum err feed_letter_get(struct session *s, struct arena *arena, int64_t id,
                         struct feed_letter *ret_letter) ERR_CHECKED;
/* The oldest of NAME that is wanted; ERR_NOT_FOUND. */
enum err feed_letter_wanted(struct session *s, struct arena *arena, struct slice name,
                            struct feed_letter *ret_letter) ERR_CHECKED;
/* Those of NAME that wait or are wanted, with ALL also those dealt with; the newest LIMIT, oldest
 * first. */
enum err feed_letter_list(struct session *s, struct arena *arena, struct slice name, bool all,
                          size_t limit, struct feed_letter **ret_list,
                          size_t *ret_count) ERR_CHECKED;
/* Inserts (id 0) or replaces. */
enum err feed_letter_put(struct session *s, const struct feed_letter *letter) ERR_CHECKED;

#endif
