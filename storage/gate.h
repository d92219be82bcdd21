/* SPDX-License-Identifier: Apache-2.0
 *
 * Internal to storage/: the gate. On every connection it defines temporary views that show only
 * what the bound grant may see, and an authorizer under which a gated statement can read those
 * views and nothing else. All views are empty while no grant is bound.
 *
 *     v_record          current records, not deleted (with facets and seq)
 *     v_record_all      current records and delete markers
 *     v_record_version  former versions; visible if they and the current one are
 *     v_by_id           v_record's columns and key: records by type and logical id (key.h)
 *     v_by_value        v_record's columns, key, at: records that may have a key of the value index
 * (key.h); a record and all others of its block, which begins at number AT, come by one key
 *     v_by_string       v_record's columns, param, folded, at: records that may have a string,
 * likewise v_by_words        v_record's columns and ix_words, the full-text index's table column,
 * for MATCH v_change          versions by the number of their change, current and former, if they
 * are visible v_chart           chart, person and the rid range of a chart's records [rid_lo,
 * rid_hi) v_access          person, category: what the grant would see of a normal record of
 *                       another's; a row for each chart of the person
 *
 * v_record_all, v_record_version and v_change also have until: the number of the record's next
 * change, NULL for the current version.
 *
 * Functions a gated statement may call: the context functions (gate.c) and, of match.c and key.c,
 * tasuki_match(facets, pointer), tasuki_sort(facets, seq, id, pointer), tasuki_key(param, text),
 * tasuki_key_id(type, id), tasuki_key_type(type); and the table-valued tasuki_targets(facets,
 * param) with columns type, id (storage/targets.c).
 */
#ifndef STORAGE_GATE_H
#define STORAGE_GATE_H

#include "storage/session.h"

/* The functions, on a connection just opened: the schema's steps use some of them. */
enum err gate_functions(struct session *s) ERR_CHECKED;
/* Views and authorizer; on a connection with functions, migrated. */
enum err gate_open(struct session *s) ERR_CHECKED;
void gate_close(struct session *s);
/* Forgets the consent answers found under the grant bound before. */
void gate_forget(struct session *s);
/* May TEXT be compiled as a gated statement at all? Not with the words WITH, NATURAL or USING, in
 * any place: the authorizer would not see through them (gate.c). */
bool gate_text_ok(const char *text);

#endif
