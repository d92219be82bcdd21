/* SPDX-License-Identifier: Apache-2.0
 *
 * The state of one message being mapped, and the walk of a segment along a table of rows {field,
 * component, builder, path}. The walk marks what was used, so that the account of fields kept but
 * not mapped (struct mapped.left) is a by-product of mapping and cannot drift from it. Shared by
 * the segment and family mappers of this folder only; it must not know any segment itself.
 */
#ifndef MAPPERS_HL7V2_MAPPING_H
#define MAPPERS_HL7V2_MAPPING_H

#include "mappers/hl7v2/keys.h"
#include "mappers/hl7v2/map.h"

/* Raised when what is made of old messages changes. */
#define MAPPING_NAME "hl7v2/4"

enum mapping_use { MAPPING_UNUSED, MAPPING_PARTLY, MAPPING_USED };

struct mapping {
    const struct hl7_message *m;
    const struct mapper_env *env;
    struct err_list *errors;
    struct arena *a;
    struct mapped *out;
    unsigned char **used;        /* [segment][field]: enum mapping_use */
    struct keys made;            /* "Type/id" -> struct mapped_resource */
    struct keys asked;           /* "Type:key" -> times handed out by mapping_unique */
    struct keys left;            /* "NK1-13" -> struct mapped_left */
    struct keys pressures;       /* see pressure.c */
    struct keys roots;           /* address of a resource's root object -> struct mapped_resource */
    struct mapped_resource *now; /* the resource being built: walks into parts of it are its own */
    const struct family *family; /* whose tables may be walked */
    struct mapped_left **left_end;
    const struct row *row; /* being walked, with its segment: the place of warnings */
    const struct hl7_segment *row_segment;
    size_t scope_room; /* allocated in out->scopes */
    struct slice type, trigger;
    const char *encounter;              /* "Encounter/<id>" once known, or NULL */
    struct mapped_resource spare;       /* handed out once the arena is full */
    const struct hl7_segment *specimen; /* the SPM that `specimen_ref` was made from */
    const char *specimen_ref;
};

struct spot;
/* Builds one element from one repetition of one field; false: not mapped (the field stays unused).
 */
typedef bool (*build_cb)(struct spot *at);

struct row {
    unsigned short field;
    unsigned short component; /* 0: the whole repetition */
    build_cb build;
    const char *path; /* see mapping_put */
    const void *arg;  /* the table, system or URL its builder needs */
};
/* A table of rows as the report of coverage knows it: mapping_walk takes no others, so that what
 * the report says and what is done cannot differ. */
struct row_set {
    const char *segment;
    const char *resource;   /* what the rows make; NULL: nothing of their own */
    const struct row *rows; /* NULL: the segment is kept, nothing of it is mapped */
    const char *triggers;   /* "A14 A27": only in these events; NULL: in all of the family */
};
#define ROW_SET_END                                                                                \
    {                                                                                              \
        NULL, NULL, NULL, NULL                                                                     \
    }
#define ROW_END                                                                                    \
    {                                                                                              \
        0, 0, NULL, NULL, NULL                                                                     \
    }

struct spot {
    struct mapping *mp;
    const struct hl7_segment *s;
    const struct row *row;
    unsigned repeat;     /* from 0 */
    struct slice raw;    /* the repetition, still escaped */
    struct json *target; /* the object that paths start from */
};

/* Walks the rows; each is called once per repetition that has content. The HL7 null ("") is used
 * and left out. */
void mapping_walk(struct mapping *mp, const struct hl7_segment *s, const struct row *rows,
                  struct json *target);
/* Says that field N of S was used by other means than a row. */
void mapping_mark(struct mapping *mp, const struct hl7_segment *s, unsigned n,
                  enum mapping_use use);
/* Whether S belongs to TRIGGER (its triggers are a list of words, or NULL). */
bool mapping_set_has(const struct row_set *s, struct slice trigger);
/* Notes that S went into the resource that TARGET is, or is a part of; a walk does so by itself. */
void mapping_source(struct mapping *mp, const struct hl7_segment *s, const struct json *target);
/* At the end: counts used and unused fields into mp->out and takes empty elements out of the
 * resources. */
void mapping_account(struct mapping *mp);

/* Puts VALUE into the spot's target at its row's path: "a.b" makes objects on the way, "a[]"
 * appends, "a[0]" is the first item (made when absent); members' names point into the path. Returns
 * false when VALUE is NULL, and for further repetitions at a path with room for one (the field is
 * then partly used). */
bool mapping_put(struct spot *at, struct json *value);
/* The same for any object and path. */
bool mapping_put_at(struct arena *a, struct json *target, const char *path, struct json *value);
/* The object at PATH, made when absent. */
struct json *mapping_object_at(struct arena *a, struct json *target, const char *path);

/* Unescaped, trimmed, safe text: empty for the HL7 null, and for bytes FHIR strings may not have
 * (warned). */
struct slice mapping_clean(struct mapping *mp, struct slice escaped);
/* Clean text of component C (0: all) of a repetition, of the spot's own component, of component C
 * of the first repetition of field N. */
struct slice mapping_part(struct mapping *mp, struct slice raw, unsigned c);
struct slice mapping_text(struct spot *at);
struct slice mapping_value(struct mapping *mp, const struct hl7_segment *s, unsigned n, unsigned c);
/* As mapping_value, also marking the field used; empty when S is NULL. */
struct slice mapping_take(struct mapping *mp, const struct hl7_segment *s, unsigned n, unsigned c);

/* A warning at SEG[n]-field.component (component 0: none). */
void mapping_warn(struct mapping *mp, const struct hl7_segment *s, unsigned field,
                  unsigned component, const char *en, const char *ja);

/* The logical id for KEY. */
const char *mapping_id(struct mapping *mp, const char *type, struct slice key);
/* KEY, or KEY#2 ... when this message already made a TYPE with it. */
struct slice mapping_unique(struct mapping *mp, const char *type, struct slice key);
/* A new resource in the result (replacing one of the same id), with its JP Core profile (NULL:
 * none). Never NULL: once the arena is full a spare one without content. */
struct mapped_resource *mapping_resource(struct mapping *mp, const char *type, const char *profile,
                                         struct slice key);
/* The resource of this message with that key, or NULL. */
struct mapped_resource *mapping_find(struct mapping *mp, const char *type, struct slice key);
/* Takes R, the last one made, out of the result again. */
void mapping_withdraw(struct mapping *mp, struct mapped_resource *r);
/* {"reference": "Type/id"} of a resource just made. */
struct json *mapping_reference(struct mapping *mp, const struct mapped_resource *r);
/* Sets MEMBER to the message's patient, and `encounter` when one is known. */
void mapping_subject(struct mapping *mp, struct json *resource, const char *member);
void mapping_in_encounter(struct mapping *mp, struct json *resource, const char *member);
/* True the first time TEXT is said of this resource: lists without repeats stay cheap. */
bool mapping_once(struct mapping *mp, const struct json *resource, struct slice text);
/* Says that this message replaces all of SCOPE. */
void mapping_replaces(struct mapping *mp, struct slice scope);
/* A slice of formatted text in the arena. */
struct slice mapping_format(struct mapping *mp, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* True when S is one of this name. */
bool mapping_is(const struct hl7_segment *s, const char *name);

#endif
