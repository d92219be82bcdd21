/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the FHIRPath compiler share: tokens, the tree of an expression, one evaluation's
 * state. Private to mappers/fhir/fhirpath*.c.
 */
#ifndef MAPPERS_FHIR_FHIRPATH_IMPL_H
#define MAPPERS_FHIR_FHIRPATH_IMPL_H

#include "mappers/fhir/fhirpath.h"

/* ── text to tree ────────────────────────────────────────────────────────────────────────────── */

enum fhirpath_token_kind {
    FHIRPATH_TOKEN_END,
    FHIRPATH_TOKEN_NAME,     /* identifier; DELIMITED when written in backticks */
    FHIRPATH_TOKEN_STRING,
    FHIRPATH_TOKEN_NUMBER,
    FHIRPATH_TOKEN_DATE,     /* without @ */
    FHIRPATH_TOKEN_DATE_TIME,
    FHIRPATH_TOKEN_TIME,     /* without @T */
    FHIRPATH_TOKEN_CONSTANT, /* without % */
    FHIRPATH_TOKEN_SPECIAL,  /* $this, with $ */
    FHIRPATH_TOKEN_SYMBOL
};

struct fhirpath_token {
    enum fhirpath_token_kind kind;
    bool delimited;
    uint32_t column;
    struct slice text; /* decoded */
};

struct fhirpath_lexer {
    struct arena *arena;
    struct slice text;
    size_t at;
    struct fhirpath_token token; /* the current one */
    struct fhirpath_fault fault;
};

/* Reads the next token into lexer->token. ERR_INVALID with lexer->fault, or ERR_LIMIT. */
enum err fhirpath_lex_next(struct fhirpath_lexer *lexer) ERR_CHECKED;

enum fhirpath_op {
    FHIRPATH_OP_EMPTY,   /* {} */
    FHIRPATH_OP_LITERAL,
    FHIRPATH_OP_THIS,
    FHIRPATH_OP_INDEX,   /* $index */
    FHIRPATH_OP_RESOURCE,
    FHIRPATH_OP_CONTEXT,
    FHIRPATH_OP_MEMBER,  /* left . name */
    FHIRPATH_OP_HEAD,    /* left, when it is of the type: the Patient of Patient.name */
    FHIRPATH_OP_CALL,
    FHIRPATH_OP_INDEXER,
    FHIRPATH_OP_NEGATE,
    FHIRPATH_OP_PLUS,    /* unary */
    FHIRPATH_OP_IS,
    FHIRPATH_OP_AS,
    FHIRPATH_OP_UNION,
    FHIRPATH_OP_ADD,
    FHIRPATH_OP_SUBTRACT,
    FHIRPATH_OP_MULTIPLY,
    FHIRPATH_OP_DIVIDE,
    FHIRPATH_OP_DIV,
    FHIRPATH_OP_MOD,
    FHIRPATH_OP_CONCAT,
    FHIRPATH_OP_LESS,
    FHIRPATH_OP_LESS_EQUAL,
    FHIRPATH_OP_GREATER,
    FHIRPATH_OP_GREATER_EQUAL,
    FHIRPATH_OP_EQUAL,
    FHIRPATH_OP_NOT_EQUAL,
    FHIRPATH_OP_ALIKE,
    FHIRPATH_OP_NOT_ALIKE,
    FHIRPATH_OP_IN,
    FHIRPATH_OP_CONTAINS,
    FHIRPATH_OP_AND,
    FHIRPATH_OP_OR,
    FHIRPATH_OP_XOR,
    FHIRPATH_OP_IMPLIES
};

/* A type that is or as asks for. */
struct fhirpath_type {
    const struct definition_type *fhir; /* NULL: one of the others */
    const char *abstract;               /* Resource or DomainResource, or NULL */
    enum fhirpath_kind system;          /* when both are NULL */
};

struct fhirpath_node {
    enum fhirpath_op op;
    uint32_t column;
    uint32_t height; /* of the tree below, 1 for a leaf */
    struct slice name;
    struct fhirpath_value literal;
    struct fhirpath_type type;
    const struct fhirpath_function *function;
    struct fhirpath_node *left; /* operand, or what a path step or call begins from */
    struct fhirpath_node *right;
    struct fhirpath_node *args; /* of a call */
    unsigned arg_count;
    struct fhirpath_node *next; /* argument */
};

/* Makes the tree of TEXT, which must live as long. As fhirpath_compile. */
enum err fhirpath_parse_text(struct arena *arena, struct slice text, struct fhirpath_node **ret_root,
                             struct fhirpath_fault *ret_fault) ERR_CHECKED;

/* Finds a type by its parts (SPACE may be empty); false when there is none. */
bool fhirpath_type_find(struct slice space, struct slice name, struct fhirpath_type *ret_type);
/* Is VALUE of TYPE or of one derived from it? */
bool fhirpath_type_is(const struct fhirpath_value *value, const struct fhirpath_type *type);
/* Is it R4's Quantity or one of its kinds? */
bool fhirpath_type_is_quantity(const struct definition_type *type);

/* ── evaluation ──────────────────────────────────────────────────────────────────────────────── */

struct fhirpath_run {
    struct arena *arena;
    const struct fhirpath_scene *scene;
    struct fhirpath_value root;
    struct fhirpath_value self; /* $this */
    int64_t index;              /* $index, or -1 */
    uint64_t steps;             /* left */
    struct fhirpath_fault fault;
};

/* Evaluates a node; RET_VALUES is overwritten. */
enum err fhirpath_eval_node(struct fhirpath_run *run, const struct fhirpath_node *n,
                            struct fhirpath_values *ret_values) ERR_CHECKED;
/* Fills run->fault and returns CODE. */
enum err fhirpath_eval_fail(struct fhirpath_run *run, const struct fhirpath_node *n, enum err code,
                            const char *en, const char *ja);
/* Takes COUNT steps; ERR_LIMIT when there are no more. */
enum err fhirpath_eval_charge(struct fhirpath_run *run, uint64_t count) ERR_CHECKED;
/* Appends a copy of VALUE. */
enum err fhirpath_eval_push(struct fhirpath_run *run, struct fhirpath_values *values,
                            const struct fhirpath_value *value) ERR_CHECKED;
enum err fhirpath_eval_push_bool(struct fhirpath_run *run, struct fhirpath_values *values,
                                 bool truth) ERR_CHECKED;
enum err fhirpath_eval_push_text(struct fhirpath_run *run, struct fhirpath_values *values,
                                 enum fhirpath_kind kind, struct slice text) ERR_CHECKED;
enum err fhirpath_eval_push_int(struct fhirpath_run *run, struct fhirpath_values *values,
                                int64_t number) ERR_CHECKED;
/* Evaluates a condition: -1 for empty, else 0 or 1. */
enum err fhirpath_eval_condition(struct fhirpath_run *run, const struct fhirpath_node *n,
                                 int *ret_truth) ERR_CHECKED;

/* Calls N's function on IN. */
enum err fhirpath_function_call(struct fhirpath_run *run, const struct fhirpath_node *n,
                                const struct fhirpath_values *in,
                                struct fhirpath_values *ret_values) ERR_CHECKED;

typedef enum err (*fhirpath_function_cb)(struct fhirpath_run *run, const struct fhirpath_node *n,
                                         const struct fhirpath_values *in,
                                         struct fhirpath_values *ret_values);

/* A function: how many arguments, and whether the one is a type's name. */
struct fhirpath_function {
    const char *name;
    unsigned min;
    unsigned max;
    bool takes_type;
    fhirpath_function_cb call; /* NULL: known, but not of our subset */
};

/* The function by name, or NULL. */
const struct fhirpath_function *fhirpath_function_find(struct slice name);
/* The table's part about text and conversion, ended by a row without name. */
extern const struct fhirpath_function fhirpath_string_functions[];

/* Appends the children called NAME ({NULL,0}: all) of ITEM. */
enum err fhirpath_member_add(struct fhirpath_run *run, const struct fhirpath_value *item,
                             struct slice name, struct fhirpath_values *values) ERR_CHECKED;
/* The item that the resource NODE itself is. */
struct fhirpath_value fhirpath_member_root(struct json *node);
/* Appends what the reference, canonical or uri ITEM names, if it is found. */
enum err fhirpath_member_resolve(struct fhirpath_run *run, const struct fhirpath_value *item,
                                 struct fhirpath_values *values) ERR_CHECKED;

enum fhirpath_order {
    FHIRPATH_LESS,
    FHIRPATH_SAME,
    FHIRPATH_GREATER,
    FHIRPATH_UNKNOWN, /* precision or units do not tell */
    FHIRPATH_UNLIKE   /* not comparable at all */
};

/* Order of two items. */
enum fhirpath_order fhirpath_compare_order(const struct fhirpath_value *a,
                                           const struct fhirpath_value *b);
/* a = b: 0, 1, or -1 for unknown. ERR_LIMIT. */
enum err fhirpath_compare_equal(struct fhirpath_run *run, const struct fhirpath_value *a,
                                const struct fhirpath_value *b, int *ret_equal) ERR_CHECKED;
/* a ~ b. */
enum err fhirpath_compare_alike(struct fhirpath_run *run, const struct fhirpath_value *a,
                                const struct fhirpath_value *b, bool *ret_alike) ERR_CHECKED;
/* Is VALUE among the items? */
enum err fhirpath_compare_among(struct fhirpath_run *run, const struct fhirpath_values *values,
                                const struct fhirpath_value *value, bool *ret_among) ERR_CHECKED;
/* Reads a quantity or number; false when VALUE is none. */
bool fhirpath_compare_quantity(const struct fhirpath_value *value, struct fhirpath_value *ret_quantity);
/* Is TEXT a date, time of day or both as a literal may be? */
bool fhirpath_compare_is_time(enum fhirpath_kind kind, struct slice text);

#endif
