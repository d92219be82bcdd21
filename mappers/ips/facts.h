/* SPDX-License-Identifier: Apache-2.0
 *
 * Which resource says what in a patient summary: its section, whether it counts at all (not when
 * cancelled or refuted), its time, what is "the same thing" as another, how urgent it is. Reads
 * FHIR R4 in JP Core shape, knows no bundle and writes no text. It must not decide who may see:
 * that happened before.
 */
#ifndef MAPPERS_IPS_FACTS_H
#define MAPPERS_IPS_FACTS_H

#include "base/json.h"

enum facts_section {
    FACTS_ALLERGIES,
    FACTS_MEDICATIONS,
    FACTS_PROBLEMS,
    FACTS_PAST,
    FACTS_RESULTS,
    FACTS_VITALS,
    FACTS_PROCEDURES,
    FACTS_DEVICES,
    FACTS_IMMUNIZATIONS,
    FACTS_ENCOUNTERS,
    FACTS_PLAN,
    FACTS_SOCIAL,
    FACTS_SECTIONS
};

struct facts_about {
    const char *key;   /* for style sheets */
    const char *loinc; /* section code (IPS) */
    const char *display;
    const char *ja;
    const char *en;
    uint64_t categories; /* what consent calls it (mask) */
    bool required;       /* by IPS, even when empty */
    unsigned months;     /* how far back; 0: all */
    unsigned months_emergency;
    unsigned per_thing; /* newest of the same thing that are kept; 0: all */
};

extern const struct facts_about facts_sections[FACTS_SECTIONS];

/* How it stands in its section. Lower ranks come first. */
enum facts_rank {
    FACTS_URGENT, /* high criticality, anticoagulant: never left out by a window */
    FACTS_PLAIN,
    FACTS_MINOR, /* low criticality */
    FACTS_OVER   /* resolved, inactive, stopped */
};

/* False: it does not count (cancelled, entered in error, refuted, a panel without values, another
 * type). */
bool facts_section_of(const struct json *resource, enum facts_section *ret_section);
enum facts_rank facts_rank_of(struct arena *arena, enum facts_section section,
                              const struct json *resource);
/* When it was, as written (FHIR date or dateTime); empty when it does not say. */
struct slice facts_date(const struct json *resource);
struct slice facts_date_until(const struct json *resource); /* the end of its period */
/* Start, and the last moment it was still going on; WHEN_MIN when unknown. */
int64_t facts_time(const struct json *resource);
int64_t facts_time_last(const struct json *resource, int64_t now_ms);
/* Equal for records of the same thing: same drug from the same place, same test in the same unit
 * ... */
struct slice facts_thing(struct arena *arena, enum facts_section section,
                         const struct json *resource);

/* What an allergy did, as recorded, one after the other; empty when nothing is said. */
struct slice facts_reaction(struct arena *arena, const struct json *allergy);
/* The concept that names it (code, medication, vaccine ...), following a contained Medication; or
 * NULL. */
const struct json *facts_concept(const struct json *resource);
/* Text of a CodeableConcept: its text, a display, or the bare code. */
struct slice facts_text(const struct json *concept);
/* The institution it comes from, as far as the resource says; empty otherwise. */
struct slice facts_source(const struct json *resource);
/* The code (of any coding) of CONCEPT in SYSTEM; empty when there is none. SYSTEM NULL: the first
 * code. */
struct slice facts_code(const struct json *concept, const char *system);
bool facts_has_code(const struct json *concept, const char *code);

/* By name (in text or displays), YJ or ATC code. */
bool facts_is_anticoagulant(struct arena *arena, const struct json *resource);
bool facts_is_home(const struct json *resource); /* measured by the resident */
bool facts_is_blood_type(struct arena *arena, const struct json *resource);
/* Says that there is none: no known allergy. */
bool facts_is_none_known(const struct json *resource);

#endif
