/* SPDX-License-Identifier: Apache-2.0
 *
 * R4's invariants, those a server should hold: a table (invariant_table.c) of key, the type they
 * stand on, severity as R4 gives it, a rule in a small language (below) or a function, and texts.
 * R4 writes them in FHIRPath; the small language has just what most of them need, and is read in
 * place. Left out: best practice (dom-6, the ...-0 names) and rules that R4 got wrong. Private to
 * mappers/fhir.
 *
 *   rule  = or [ ">" rule ]                 a > b: a implies b
 *   or    = and *( ( "|" / "^" ) and )      or, exclusive or
 *   and   = not *( "&" not )
 *   not   = "!" not / "(" rule ")" / atom
 *   atom  = path                            exists
 *         / path "=" word *( "," word )     one of its values is one of the words
 *         / "#" path *( "+" path ) ( "=" / "<" ) digit   how many there are, together
 *         / "~" path                        no value twice
 *   path  = name *( "." name )              through lists; "value*" is the choice value[x]
 */
#ifndef MAPPERS_FHIR_INVARIANT_H
#define MAPPERS_FHIR_INVARIANT_H

#include "base/json.h"
#include "mappers/fhir/findings.h"

/* What a rule is about; a function may say which child is at fault. */
struct invariant_site {
    const struct json *json;
    struct arena *arena;
    const char *child; /* NULL: the object itself */
    int64_t index;     /* of the child in its list, or PLACE_SINGLE */
};

struct invariant {
    const char *type; /* as in definition.h; "Element", "DomainResource": all of these */
    const char *key;
    enum err_severity severity;
    const char *rule; /* or NULL, then HOLDS */
    bool (*holds)(struct invariant_site *site);
    const char *en;
    const char *ja;
};

/* Sorted by type; ends with a NULL type, which COUNT does not count. */
extern const struct invariant invariant_table[];
extern const size_t invariant_count;

/* Checks the object JSON of TYPE against all that apply. */
void invariant_check(struct findings *f, const struct definition_type *type,
                     const struct json *json, const struct place *at);
/* Does RULE hold for JSON? Rules are ours: one that cannot be read is an assertion. */
bool invariant_rule(const char *rule, const struct json *json, struct arena *arena);
/* Is KEY one of the table's, or told by other means here (ref-1, txt-1 ...)? */
bool invariant_known(struct slice key);

/* The functions of the table (invariant_holds.c). */
bool invariant_element(struct invariant_site *site);
bool invariant_contained_used(struct invariant_site *site);
bool invariant_contained_meta(struct invariant_site *site);
bool invariant_contained_security(struct invariant_site *site);
bool invariant_period(struct invariant_site *site);
bool invariant_range(struct invariant_site *site);
bool invariant_handed_over(struct invariant_site *site);
bool invariant_task_times(struct invariant_site *site);
bool invariant_age(struct invariant_site *site);
bool invariant_duration(struct invariant_site *site);
bool invariant_timing_duration(struct invariant_site *site);
bool invariant_timing_period(struct invariant_site *site);
bool invariant_observation_code(struct invariant_site *site);
bool invariant_entry_request(struct invariant_site *site);
bool invariant_entry_response(struct invariant_site *site);
bool invariant_entry_unique(struct invariant_site *site);
bool invariant_entry_url(struct invariant_site *site);
bool invariant_entry_id(struct invariant_site *site);
bool invariant_first_composition(struct invariant_site *site);
bool invariant_first_header(struct invariant_site *site);
bool invariant_codes_unique(struct invariant_site *site);
bool invariant_links_unique(struct invariant_site *site);
bool invariant_cardinality(struct invariant_site *site);

#endif
