/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared by the files that compile a search, one file a step:
 *
 *     fhir_query.c         parameters of a request: result parameters, types, what lenient handling
 * leaves out fhir_query_chain.c   a key ("subject:Patient.name:exact", "_has:…") down to one
 * parameter of one type fhir_query_term.c    that parameter: its modifier, and all its values as
 * filters fhir_query_person.c  values that name a patient, by way of the relay index
 *     fhir_query_value.c   one value: escapes, prefix, its parts
 *     fhir_compartment.c   the filters that a compartment adds
 *
 * Private to them. Nothing here reads records; storage/search.h says what the filters mean.
 */
#ifndef EXCHANGE_DOOR_FHIR_QUERY_IMPL_H
#define EXCHANGE_DOOR_FHIR_QUERY_IMPL_H

#include "exchange/door/fhir_query.h"
#include "mappers/fhir/definition.h"

/* One search being compiled. */
struct fhir_build {
    struct session *s;
    struct request *r;
    size_t filters; /* made so far, at all levels: LIMIT_SEARCH_FILTERS */
    unsigned depth; /* links of the chain we are in */
    int64_t person; /* the last one named; 0 none */
};

/* Filters being collected, in the request's arena. */
struct fhir_filters {
    struct search_filter *items;
    size_t count, room;
};

/* One parameter at one level of a chain. */
struct fhir_criterion {
    const char *place;  /* the whole key as sent: what errors name */
    struct slice key;   /* what is left of it at this level: "name:exact" */
    struct slice value; /* as sent, decoded from the URL, still with search's own escapes */
};

/* Types of one level: none means every type. */
struct fhir_types {
    const struct slice *items;
    size_t count;
};

/* ── fhir_query.c ────────────────────────────────────────────────────────────────────────────── */

/* Appends FILTER; ERR_TOO_LARGE beyond the bound on one search. */
enum err fhir_query_add(struct fhir_build *b, const struct fhir_criterion *c,
                        struct fhir_filters *list, const struct search_filter *filter) ERR_CHECKED;
/* Appends "passes one of LISTS": the filters of the only list themselves when there is only one. */
enum err fhir_query_add_any(struct fhir_build *b, const struct fhir_criterion *c,
                            struct fhir_filters *list, const struct fhir_filters *lists,
                            size_t count) ERR_CHECKED;
/* Refuses C's value; EXPECTED says what is valid. */
enum err fhir_query_bad(struct fhir_build *b, const struct fhir_criterion *c,
                        const char *expected) ERR_CHECKED;
/* Refuses parameter NAME, naming TYPE's own ones. */
enum err fhir_query_unknown(struct fhir_build *b, const char *place, struct slice type,
                            struct slice name) ERR_CHECKED;
/* Forgets the errors found since SAVED was copied from r->errors. */
void fhir_query_forgive(struct request *r, struct err_list saved);

/* ── fhir_query_chain.c ──────────────────────────────────────────────────────────────────────── */

/* Compiles C for records of TYPES into LIST. */
enum err fhir_query_chain(struct fhir_build *b, struct fhir_types types,
                          const struct fhir_criterion *c, struct fhir_filters *list) ERR_CHECKED;
/* The parameter NAME of TYPE; of any type at all when TYPE is empty and all types have it. NULL. */
const struct definition_param *fhir_query_chain_param(struct slice type, struct slice name);

/* ── fhir_query_term.c ───────────────────────────────────────────────────────────────────────── */

/* Compiles one ordinary parameter of TYPE with MODIFIER (empty: none). */
enum err fhir_query_term(struct fhir_build *b, struct slice type,
                         const struct definition_param *def, struct slice modifier,
                         const struct fhir_criterion *c, struct fhir_filters *list) ERR_CHECKED;
/* The modifiers a parameter of KIND takes, for people. */
const char *fhir_query_term_modifiers(enum facet_kind kind);

/* ── fhir_query_person.c ─────────────────────────────────────────────────────────────────────── */

/* Persons found so far for one parameter. GIVEN also when a value named one who is not there. */
struct fhir_persons {
    int64_t *items;
    size_t count, room;
    bool given;
};

/* Adds the person a Patient id, reference or URL of this server names. */
enum err fhir_query_person(struct fhir_build *b, struct slice reference,
                           struct fhir_persons *persons) ERR_CHECKED;
/* Adds the person an identifier value ("system|value", a bare number) means to this caller;
 * *ret_only when it can mean nothing else and must not be sought among tokens. */
enum err fhir_query_person_identifier(struct fhir_build *b, struct slice value,
                                      struct fhir_persons *persons, bool *ret_only) ERR_CHECKED;
/* Appends the filter "on a chart of one of them" (PARAM 0) or "references one of them by PARAM". */
enum err fhir_query_person_add(struct fhir_build *b, const struct fhir_criterion *c, uint16_t param,
                               const struct fhir_persons *persons,
                               struct fhir_filters *list) ERR_CHECKED;

/* ── fhir_query_value.c ──────────────────────────────────────────────────────────────────────── */

/* Takes the next of comma-separated values off *REST; rest->ptr is NULL after the last. */
struct slice fhir_query_value_cut(struct slice *rest);
/* How many there are, at most LIMIT_SEARCH_VALUES + 1. */
size_t fhir_query_value_count(struct slice text);
/* The first MARK outside escapes, or value.len. */
size_t fhir_query_value_find(struct slice value, char mark);
/* Without the escapes, in the arena. */
struct slice fhir_query_value_unescape(struct arena *arena, struct slice value);
/* One value of KIND (not a reference, not a composite). False when it is not valid. */
bool fhir_query_value_parse(struct arena *arena, enum facet_kind kind, struct slice text,
                            struct search_value *ret_value);
/* "system|code|value" of :of-type. */
bool fhir_query_value_typed(struct arena *arena, struct slice text, struct search_value *ret_value);
/* What a value of KIND looks like, for people. */
const char *fhir_query_value_form(enum facet_kind kind);

/* ── fhir_compartment.c ──────────────────────────────────────────────────────────────────────── */

/* Appends what makes a record of TYPES one of the compartment HOLDER/ID. */
enum err fhir_compartment_add(struct fhir_build *b, struct slice holder, struct slice id,
                              struct fhir_types types, struct fhir_filters *list) ERR_CHECKED;
/* The types of the compartment HOLDER, for "*". ERR_NOT_FOUND: there is no such compartment. */
enum err fhir_compartment_types(struct request *r, struct slice holder,
                                struct fhir_types *ret_types) ERR_CHECKED;

/* ── fhir_include.c ──────────────────────────────────────────────────────────────────────────── */

/* Reads a value of _include or _revinclude ("Observation:subject:Patient", "*") with MODIFIER. */
enum err fhir_include_parse(struct fhir_build *b, const struct fhir_criterion *c, bool reverse,
                            struct slice modifier, struct fhir_query *query) ERR_CHECKED;
/* The records that QUERY's includes add to MATCHES: none twice, no match again, at most
 * LIMIT_SEARCH_INCLUDED; *ret_cut when there would be more. */
enum err fhir_include_run(struct session *s, struct request *r, const struct fhir_query *query,
                          const struct search_result *matches, struct record **ret_records,
                          size_t *ret_count, bool *ret_cut) ERR_CHECKED;

/* ── fhir_search.c ───────────────────────────────────────────────────────────────────────────── */

/* Runs QUERY (its cursor is still to be judged), includes, prints the page as a searchset, and adds the audit rows. The
 * links repeat the request's own URL. FIRST are COUNT records that come before all matches and count as such. */
enum err fhir_search_answer(struct session *s, struct request *r, const struct fhir_query *query,
                            const struct record *first, size_t count) ERR_CHECKED;

#endif
