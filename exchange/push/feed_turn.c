/* SPDX-License-Identifier: Apache-2.0
 *
 * Turns of feeds (see feed_turn.h). The look finds and makes the message on a reader; apply
 * settles, holds what was read against what stands now, notes the message as under way and leaves
 * the audit row, all in one commit. The row decides: what a command changed meanwhile is seen, and
 * then nothing is offered this time.
 */
#include "exchange/push/feed_turn.h"

#include <stdio.h>

#include "base/limits.h"
#include "exchange/push/feed_find.h"
#include "storage/change.h"

#include "base/banned.h"

#define STORE_MS                                                                                   \
    60000 /* a position without messages is stored when it has moved by so much of the log */

/* ── look ────────────────────────────────────────────────────────────────────────────────────── */

/* Is IN's verdict on the message that ROW has under way? */
static bool is_settled(const struct feed_turn *in, const struct feed *row)
{
    return (in->verdict == FEED_ACCEPTED || in->verdict == FEED_REFUSED) && row->until &&
           slice_eq(in->control_id, row->control_id);
}

/* The row, or for a new feed one that begins here: what was before it is not sent. */
static enum err read_row(struct session *s, struct request *r, struct feed_turn *in,
                         struct feed *ret_row)
{
    struct slice name = slice_str(in->conf->name);
    enum err err = feed_get(s, r->arena, name, ret_row);
    in->fresh = err == ERR_NOT_FOUND;
    if (!in->fresh)
        return err;
    *ret_row = (struct feed){.name = name};
    return change_last(s, &ret_row->position);
}

/* Again what is under way. */
static enum err look_again(struct session *s, struct request *r, struct feed_turn *in)
{
    struct feed_letter letter = {.after = in->was.position};
    enum err err = in->was.letter ? feed_letter_get(s, r->arena, in->was.letter, &letter) : ERR_OK;
    in->letter = in->was.letter;
    in->chart = in->was.chart;
    in->after = letter.after;
    if (!err)
        err = feed_find(s, r, in, in->was.until);
    in->gone = !err && !in->until;
    return err;
}

static enum err look_letter(struct session *s, struct request *r, struct feed_turn *in)
{
    struct feed_letter letter;
    enum err err = feed_letter_wanted(s, r->arena, slice_str(in->conf->name), &letter);
    if (err)
        return err;
    in->letter = letter.id;
    in->chart = letter.chart;
    in->after = letter.after;
    err = feed_find(s, r, in, letter.until);
    in->gone = !err && !in->until;
    return err;
}

static enum err look_on(struct session *s, struct request *r, struct feed_turn *in, bool settled)
{
    int64_t from = settled ? in->was.until : in->was.position;
    in->after = from > in->scanned ? from : in->scanned;
    return feed_find(s, r, in, 0);
}

static enum err turn_look(struct session *s, struct request *r)
{
    struct feed_turn *in = r->input;
    r->audit_default_off = true;
    enum err err = read_row(s, r, in, &in->was);
    if (err || in->verdict == FEED_FAILED || in->fresh)
        return err;
    bool settled = is_settled(in, &in->was);
    if (in->was.until && !settled)
        return look_again(s, r, in);
    if (settled && in->was.letter) { /* which is wanted until that is written: the next turn sees */
        in->more = true;
        return ERR_OK;
    }
    err = in->was.wanted > 0 ? look_letter(s, r, in) : ERR_NOT_FOUND;
    return err == ERR_NOT_FOUND ? look_on(s, r, in, settled) : err;
}

/* ── apply ───────────────────────────────────────────────────────────────────────────────────── */

static enum err letter_state(struct session *s, struct request *r, int64_t id,
                             enum feed_letter_state state)
{
    struct feed_letter letter;
    enum err err = feed_letter_get(s, r->arena, id, &letter);
    letter.state = state;
    return err ? err : feed_letter_put(s, &letter);
}

/* A dead letter of (AFTER, UNTIL], or another attempt of LETTER that failed. */
static enum err put_letter(struct session *s, struct request *r, struct feed_letter *letter)
{
    struct feed_letter before = {0};
    enum err err = letter->id ? feed_letter_get(s, r->arena, letter->id, &before) : ERR_OK;
    if (err)
        return err;
    if (letter->id) {
        letter->after = before.after;
        letter->until = before.until;
    }
    letter->attempts = before.attempts + 1;
    letter->at_ms = r->grant.now_ms;
    letter->state = FEED_LETTER_WAITING;
    return feed_letter_put(s, letter);
}

static void clear_message(struct feed *row)
{
    if (row->until && !row->letter && row->position < row->until)
        row->position = row->until;
    row->until = row->chart = row->letter = row->next_ms = 0;
    row->failures = 0;
    row->control_id = row->reason = SLICE_NONE;
}

static enum err settle_answer(struct session *s, struct request *r, const struct feed_turn *in,
                              struct feed *row)
{
    struct feed_letter letter = {.id = row->letter,
                                 .feed = row->name,
                                 .chart = row->chart,
                                 .after = row->position,
                                 .until = row->until,
                                 .control_id = row->control_id,
                                 .code = in->code,
                                 .reason = in->reason};
    enum err err = ERR_OK;
    if (in->verdict == FEED_REFUSED) {
        err = put_letter(s, r, &letter);
        row->refused++;
    } else {
        row->sent++;
        row->sent_ms = r->grant.now_ms;
        if (row->letter)
            err = letter_state(s, r, row->letter, FEED_LETTER_SENT);
    }
    clear_message(row);
    return err;
}

/* True when the row changed. */
static bool settle_failure(struct request *r, const struct feed_turn *in, struct feed *row)
{
    if (in->verdict != FEED_FAILED ||
        (in->control_id.len && !slice_eq(in->control_id, row->control_id)))
        return false;
    row->failures++;
    row->next_ms = r->grant.now_ms + in->wait_ms;
    row->reason = in->reason;
    return true;
}

/* Nothing of it may be told, or everything was told since. */
static enum err settle_gone(struct session *s, struct request *r, const struct feed_turn *in,
                            struct feed *row)
{
    enum err err = in->letter ? letter_state(s, r, in->letter, FEED_LETTER_GONE) : ERR_OK;
    if (row->until)
        clear_message(row);
    return err;
}

/* It can never be sent as it is. */
static enum err settle_unsendable(struct session *s, struct request *r, const struct feed_turn *in,
                                  struct feed *row)
{
    struct feed_letter letter = {.id = in->letter,
                                 .feed = row->name,
                                 .chart = in->chart,
                                 .after = in->after,
                                 .until = in->until,
                                 .reason = slice_str(in->unsendable)};
    row->until = in->until;
    row->letter = in->letter;
    clear_message(row);
    return put_letter(s, r, &letter);
}

static enum err offer(struct session *s, struct request *r, struct feed_turn *in, struct feed *row)
{
    bool holds = false;
    enum err err = feed_find_holds(s, r, in, &holds);
    if (err || !holds) {
        in->more = true; /* it changed since the look: another one */
        return err;
    }
    if (!in->letter && row->position < in->after)
        row->position = in->after;
    row->until = in->until;
    row->chart = in->chart;
    row->letter = in->letter;
    row->control_id = slice_str(in->message_id);
    in->offered = true;
    r->audit_default_off = false;
    return ERR_OK;
}

static bool same_row(const struct feed *a, const struct feed *b)
{
    return a->position == b->position && a->until == b->until && a->letter == b->letter &&
           slice_eq(a->control_id, b->control_id);
}

/* What was found, once what was under way is settled. */
static enum err go_on(struct session *s, struct request *r, struct feed_turn *in, struct feed *row,
                      bool *dirty)
{
    if (in->gone || in->unsendable) {
        *dirty = in->more = true;
        return in->gone ? settle_gone(s, r, in, row) : settle_unsendable(s, r, in, row);
    }
    if (in->until) {
        *dirty = *dirty || in->offer;
        return in->offer ? offer(s, r, in, row) : ERR_OK;
    }
    if (!row->until && change_ms(in->scanned) - change_ms(row->position) > STORE_MS) {
        row->position = in->scanned;
        *dirty = true;
    }
    return ERR_OK;
}

static enum err turn_apply(struct session *s, struct request *r)
{
    struct feed_turn *in = r->input;
    struct feed row;
    bool more = in->more, dirty, stale;
    r->audit_default_off = true; /* apply may run twice */
    in->offered = false;
    enum err err = read_row(s, r, in, &row);
    if (err)
        return err;
    stale = !same_row(&row, &in->was);
    dirty = in->fresh;
    if (is_settled(in, &row)) {
        err = settle_answer(s, r, in, &row);
        dirty = true;
    }
    dirty = settle_failure(r, in, &row) || dirty;
    if (!err && !stale && in->verdict != FEED_FAILED)
        err = go_on(s, r, in, &row, &dirty);
    in->more = in->more || more || stale;
    if (!err && dirty)
        err = feed_put(s, &row);
    in->now = row;
    return err;
}

const struct use feed_turn_use = {
    .event = "feed", .actors = 1u << GRANT_FACILITY, .look = turn_look, .apply = turn_apply};

/* ── an operator's word ──────────────────────────────────────────────────────────────────────── */

static enum err steer_letter(struct session *s, struct feed_steer *in, struct feed_letter *letter)
{
    bool open = letter->state == FEED_LETTER_WAITING || letter->state == FEED_LETTER_WANTED;
    if (!slice_eq(letter->feed, in->name) || !open)
        return ERR_NOT_FOUND;
    letter->state = in->order == FEED_RETRY ? FEED_LETTER_WANTED : FEED_LETTER_DROPPED;
    in->count++;
    return feed_letter_put(s, letter);
}

static enum err steer_all(struct session *s, struct request *r, struct feed_steer *in)
{
    struct feed_letter *list = NULL;
    size_t count = 0;
    enum err err =
        feed_letter_list(s, r->arena, in->name, false, LIMIT_FEED_LETTERS, &list, &count);
    for (size_t i = 0; i < count && !err; i++)
        err = steer_letter(s, in, &list[i]);
    return err;
}

/* What is under way: tried at once, or given up for good. What its receiver has of it already he
 * keeps. */
static enum err steer_message(struct session *s, struct feed_steer *in, struct feed *row)
{
    struct feed_letter letter = {.feed = row->name,
                                 .chart = row->chart,
                                 .after = row->position,
                                 .until = row->until,
                                 .control_id = row->control_id,
                                 .reason = row->reason,
                                 .attempts = row->failures,
                                 .at_ms = session_now_ms(s),
                                 .state = FEED_LETTER_DROPPED};
    enum err err = ERR_OK;
    if (in->order == FEED_RETRY) {
        row->next_ms = 0;
    } else if (!row->until) {
        return ERR_NOT_FOUND;
    } else {
        err = row->letter ? ERR_OK : feed_letter_put(s, &letter);
        clear_message(row);
    }
    in->count++;
    return err ? err : feed_put(s, row);
}

static enum err steer_apply(struct session *s, struct request *r)
{
    struct feed_steer *in = r->input;
    struct feed_letter letter;
    struct feed row;
    in->count = 0;
    enum err err = feed_get(s, r->arena, in->name, &row);
    r->entity = arena_printf(r->arena, "feed %.*s", SLICE_ARG(in->name));
    r->reason = in->order == FEED_RETRY ? "retry" : "drop";
    if (err)
        return err;
    if (in->all)
        return steer_all(s, r, in);
    if (!in->letter)
        return steer_message(s, in, &row);
    err = feed_letter_get(s, r->arena, in->letter, &letter);
    return err ? err : steer_letter(s, in, &letter);
}

const struct use feed_steer_use = {
    .event = "feed-steer", .actors = 1u << GRANT_OPERATOR, .writes = true, .apply = steer_apply};
