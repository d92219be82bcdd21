/* SPDX-License-Identifier: Apache-2.0
 *
 * Ids that clients choose belong to the facility that chose them (decision 0025). Where another's record, which the
 * caller may not see, has the id already, his own is stored under a second id, a keyed function of facility, type and id,
 * and keeps the chosen one in its body: to him it has that id, to everybody else the second one. So PUT answers the same
 * whether the id was taken or free. Not for Patients, whose ids are per reader anyway (wire.h), and not for what
 * is of no person: everybody sees that.
 */
#ifndef EXCHANGE_GATE_OWN_ID_H
#define EXCHANGE_GATE_OWN_ID_H

#include "exchange/request.h"
#include "storage/record.h"

/* The id under which the caller's TYPE/ID is stored: a second one if he has one there, else ID. In r's arena. */
enum err own_id_stored(struct session *s, struct request *r, struct slice type, struct slice id,
                       struct slice *ret_id) ERR_CHECKED;
/* The caller's second id of TYPE/ID if he has a record there, also a deleted one unless he sees another's under ID;
 * ERR_NOT_FOUND. */
enum err own_id_find(struct session *s, struct request *r, struct slice type, struct slice id,
                     struct slice *ret_second) ERR_CHECKED;
/* record_read of what the caller calls TYPE/ID: his own before what another has under that id. */
enum err own_id_read(struct session *s, struct request *r, struct slice type, struct slice id,
                     struct record *ret_record) ERR_CHECKED;
/* Did the caller himself record it? */
bool own_id_is_mine(const struct request *r, const struct record *record);
/* The second id of TYPE/ID for the caller; whether anything is there is not asked. */
struct slice own_id_second(struct request *r, struct slice type, struct slice id);
/* BODY (refs_body) that remembers ID as the one its source chose. */
struct slice own_id_mark(struct arena *arena, struct slice body, struct slice id);
/* META is a stored body from within its meta on. The id that its source chose, empty if it is stored under that;
 * *RET_REST: META without the mark. */
struct slice own_id_marked(struct slice meta, struct slice *ret_rest);
/* Makes REFERENCE ("Type/id[/_history/n]"), which says an id of the writer's own, lead to STORED, and remembers the id. */
enum err own_id_refer(struct arena *arena, struct json *reference, struct slice stored) ERR_CHECKED;
/* TEXT, from a stored body of RECORD, with such references as the caller may know them. In r's arena; TEXT itself when it
 * has none, nothing when there is no memory. */
struct slice own_id_references(struct request *r, const struct record *record, struct slice text);
/* Id of RECORD, no Patient, for the caller. */
struct slice own_id_shown(const struct request *r, const struct record *record);

#endif
