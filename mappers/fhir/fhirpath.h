/* SPDX-License-Identifier: Apache-2.0
 *
 * FHIRPath (hl7.org/fhirpath/N1) over FHIR R4 resources (R4 fhirpath.html), as far as patches, search
 * parameters and checks need it: no regular expressions, no dates computed, no clock, no terminology.
 * Names follow R4's definitions: Observation.value is valueQuantity, types are R4's, members that R4 does
 * not know are not found. A compiled expression never changes and may be used by all threads.
 * Dates and times without a zone are Japan's. Letter case is that of ASCII.
 */
#ifndef MAPPERS_FHIR_FHIRPATH_H
#define MAPPERS_FHIR_FHIRPATH_H

#include "base/json.h"
#include "mappers/fhir/definition.h"

/* A compiled expression; its tree is private. */
struct fhirpath {
    const struct fhirpath_node *root; /* NULL: where the evaluation begins */
};

/* Where and why an expression failed. */
struct fhirpath_fault {
    unsigned column; /* 1-based, in bytes */
    const char *en;  /* static, or in the arena of the call */
    const char *ja;
};

enum fhirpath_kind {
    FHIRPATH_OBJECT, /* a resource, a complex element, or a primitive that has only extensions */
    FHIRPATH_BOOLEAN,
    FHIRPATH_STRING,
    FHIRPATH_INTEGER,
    FHIRPATH_DECIMAL,
    FHIRPATH_DATE,
    FHIRPATH_DATE_TIME, /* also instant */
    FHIRPATH_TIME,
    FHIRPATH_QUANTITY /* a literal; an element of type Quantity is an object */
};

/* One item of a result. What was computed has neither type, node nor parent. An element's value hangs in
 * PARENT under element->name (item POSITION of the array there), what a primitive has besides its value
 * under the same name with "_" before it. */
struct fhirpath_value {
    enum fhirpath_kind kind;
    bool truth;                           /* of a boolean */
    const struct definition_type *type;   /* R4's type; NULL when computed, or of an unknown resource */
    struct json *node;                    /* NULL when computed, or a primitive without value */
    struct json *shadow;                  /* a primitive's id and extensions, or NULL */
    struct json *parent;                  /* object that holds it; NULL when computed or the root */
    const struct definition_element *element; /* which member of PARENT; NULL as PARENT */
    int64_t position;                     /* in an array, or -1 */
    struct slice text;                    /* of other scalars, as written; a date literal without @ */
    struct slice unit;                    /* of a quantity: UCUM code, "1" when it has none */
};

struct fhirpath_values {
    struct fhirpath_value *items;
    size_t count;
    size_t room;
};

/* Finds the resource that REFERENCE (a Reference element) names, or NULL. Only called for what is not
 * "#id" of a contained resource. */
typedef struct json *(*fhirpath_resolve_cb)(void *context, const struct json *reference);

/* An element of TYPE with the value NODE and SHADOW beside it (either may be NULL), to begin from. */
struct fhirpath_value fhirpath_member_value(const struct definition_type *type, struct json *node,
                                            struct json *shadow);

/* What an expression is evaluated on. */
struct fhirpath_scene {
    struct json *resource;              /* %resource and %rootResource */
    const struct fhirpath_value *focus; /* where to begin and %context; NULL: the resource */
    fhirpath_resolve_cb resolve;        /* NULL, or it finds nothing: resolve() then knows only the type that the
                                         * reference itself tells, which is enough for "resolve() is Patient" */
    void *resolve_context;
    uint64_t *steps;                    /* what is left of an allowance that several evaluations share; NULL: each has
                                         * LIMIT_FHIRPATH_STEPS of its own */
};

/* Compiles TEXT into ARENA (text and all). ERR_INVALID: not FHIRPath, or a type or function that does not exist;
 * ERR_NOT_SUPPORTED: a function that is not of our subset; ERR_TOO_LARGE, ERR_TOO_DEEP, ERR_LIMIT. */
enum err fhirpath_compile(struct arena *arena, struct slice text, struct fhirpath **ret_path,
                          struct fhirpath_fault *ret_fault) ERR_CHECKED;

/* Evaluates PATH. The items and what was computed live in ARENA; nodes are those of the resource. ERR_INVALID: operands
 * that do not fit (many where one is meant, types); ERR_LIMIT: too many steps, or the arena is full. */
enum err fhirpath_eval(const struct fhirpath *path, struct arena *arena,
                       const struct fhirpath_scene *scene, struct fhirpath_values *ret_values,
                       struct fhirpath_fault *ret_fault) ERR_CHECKED;

/* When PATH ends in a member's name (Patient.contact), gives the path to its owner and that name: where a list is
 * that does not exist yet. False when it ends in anything else. */
bool fhirpath_split(const struct fhirpath *path, struct fhirpath *ret_owner, struct slice *ret_name);

/* Reads VALUES as a condition: a single false is false; empty is false; one other item is true; more are
 * ERR_INVALID. */
enum err fhirpath_truth(const struct fhirpath_values *values, bool *ret_truth) ERR_CHECKED;

#endif
