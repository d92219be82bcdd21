/* SPDX-License-Identifier: Apache-2.0
 *
 * From tokens to a tree (hl7.org/fhirpath/N1, grammar). Operators climb by the precedence in one
 * table; path steps, calls and indexers follow a term. Height is counted while the tree grows, so
 * that neither this parser nor the evaluation can run out of stack.
 */
#include "mappers/fhir/fhirpath_impl.h"

#include "base/limits.h"

#include "base/banned.h"

struct parser {
    struct fhirpath_lexer lexer;
    unsigned depth; /* of our own calls */
};

static enum err parse_expression(struct parser *p, int lowest, struct fhirpath_node **ret_node);

static enum err fail(struct parser *p, uint32_t column, enum err code, const char *en,
                     const char *ja)
{
    p->lexer.fault = (struct fhirpath_fault){column, en, ja};
    return code;
}

static enum err advance(struct parser *p)
{
    return fhirpath_lex_next(&p->lexer);
}

static bool at_symbol(const struct parser *p, const char *symbol)
{
    const struct fhirpath_token *t = &p->lexer.token;
    return t->kind == FHIRPATH_TOKEN_SYMBOL && slice_is(t->text, symbol);
}

static enum err expect(struct parser *p, const char *symbol)
{
    if (at_symbol(p, symbol))
        return advance(p);
    const char *en = arena_printf(p->lexer.arena, "%s is expected", symbol);
    const char *ja = arena_printf(p->lexer.arena, "%s が必要です", symbol);
    return fail(p, p->lexer.token.column, ERR_INVALID, en ? en : "", ja ? ja : "");
}

static enum err new_node(struct parser *p, enum fhirpath_op op, uint32_t column,
                         struct fhirpath_node **ret_node)
{
    struct fhirpath_node *n = ARENA_NEW(p->lexer.arena, struct fhirpath_node);
    if (!n)
        return ERR_LIMIT;
    n->op = op;
    n->column = column;
    n->height = 1;
    n->literal.position = -1;
    *ret_node = n;
    return ERR_OK;
}

/* Hangs BELOW under N as far as height goes. */
static enum err grow(struct parser *p, struct fhirpath_node *n, const struct fhirpath_node *below)
{
    if (below && below->height >= n->height)
        n->height = below->height + 1;
    if (n->height <= LIMIT_FHIRPATH_DEPTH)
        return ERR_OK;
    return fail(p, n->column, ERR_TOO_DEEP, "the expression is nested too deeply",
                "式の入れ子が深すぎます");
}

/* ── literals ────────────────────────────────────────────────────────────────────────────────── */

/* UCUM's code of a calendar word, or NULL. */
static const char *calendar_unit(struct slice word)
{
    static const struct {
        const char *word;
        const char *code;
    } units[] = {{"year", "a"}, {"month", "mo"},   {"week", "wk"},  {"day", "d"},
                 {"hour", "h"}, {"minute", "min"}, {"second", "s"}, {"millisecond", "ms"}};
    if (slice_ends(word, SLICE("s")))
        word.len--;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (slice_is(word, units[i].word))
            return units[i].code;
    }
    return NULL;
}

static enum err parse_number(struct parser *p, struct fhirpath_node *n)
{
    struct fhirpath_token *t = &p->lexer.token;
    struct fhirpath_value *v = &n->literal;
    v->text = t->text;
    v->kind = slice_find(t->text, '.', 0) < t->text.len ? FHIRPATH_DECIMAL : FHIRPATH_INTEGER;
    if (t->text.len > LIMIT_FHIR_DECIMAL)
        return fail(p, n->column, ERR_INVALID, "the number has too many digits",
                    "数値の桁数が多すぎます");
    enum err err = advance(p);
    if (err)
        return err;
    const char *unit = t->kind == FHIRPATH_TOKEN_NAME ? calendar_unit(t->text) : NULL;
    if (!unit && t->kind != FHIRPATH_TOKEN_STRING)
        return ERR_OK;
    v->kind = FHIRPATH_QUANTITY;
    v->unit = unit ? slice_str(unit) : t->text;
    return advance(p);
}

static enum err parse_literal(struct parser *p, struct fhirpath_node *n)
{
    static const enum fhirpath_kind kinds[] = {
        [FHIRPATH_TOKEN_STRING] = FHIRPATH_STRING,
        [FHIRPATH_TOKEN_DATE] = FHIRPATH_DATE,
        [FHIRPATH_TOKEN_DATE_TIME] = FHIRPATH_DATE_TIME,
        [FHIRPATH_TOKEN_TIME] = FHIRPATH_TIME,
    };
    const struct fhirpath_token *t = &p->lexer.token;
    if (t->kind == FHIRPATH_TOKEN_NUMBER)
        return parse_number(p, n);
    n->literal.kind = kinds[t->kind];
    n->literal.text = t->text;
    if (n->literal.kind != FHIRPATH_STRING &&
        !fhirpath_compare_is_time(n->literal.kind, n->literal.text))
        return fail(p, n->column, ERR_INVALID, "this is no date or time", "日付・時刻が不正です");
    return advance(p);
}

static bool is_literal(enum fhirpath_token_kind kind)
{
    return kind == FHIRPATH_TOKEN_STRING || kind == FHIRPATH_TOKEN_NUMBER ||
           kind == FHIRPATH_TOKEN_DATE || kind == FHIRPATH_TOKEN_DATE_TIME ||
           kind == FHIRPATH_TOKEN_TIME;
}

static enum err parse_constant(struct parser *p, struct fhirpath_node *n)
{
    static const struct {
        const char *name;
        enum fhirpath_op op;
        const char *text;
    } constants[] = {
        {"resource", FHIRPATH_OP_RESOURCE, NULL},
        {"rootResource", FHIRPATH_OP_RESOURCE, NULL},
        {"context", FHIRPATH_OP_CONTEXT, NULL},
        {"ucum", FHIRPATH_OP_LITERAL, "http://unitsofmeasure.org"},
        {"sct", FHIRPATH_OP_LITERAL, "http://snomed.info/sct"},
        {"loinc", FHIRPATH_OP_LITERAL, "http://loinc.org"},
    };
    for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++) {
        if (!slice_is(p->lexer.token.text, constants[i].name))
            continue;
        n->op = constants[i].op;
        n->literal.kind = FHIRPATH_STRING;
        n->literal.text = slice_str(constants[i].text);
        return advance(p);
    }
    return fail(p, n->column, ERR_NOT_SUPPORTED, "the constant is not supported",
                "対応していない定数です");
}

static enum err parse_special(struct parser *p, struct fhirpath_node *n)
{
    struct slice name = p->lexer.token.text;
    if (slice_is(name, "$this"))
        n->op = FHIRPATH_OP_THIS;
    else if (slice_is(name, "$index"))
        n->op = FHIRPATH_OP_INDEX;
    else
        return fail(p, n->column, ERR_NOT_SUPPORTED, "only $this and $index are supported",
                    "$this と $index だけに対応しています");
    return advance(p);
}

/* ── types ───────────────────────────────────────────────────────────────────────────────────── */

/* Name or Space.Name */
static enum err parse_type(struct parser *p, struct fhirpath_type *ret_type)
{
    struct fhirpath_token *t = &p->lexer.token;
    struct slice space = SLICE_NONE;
    uint32_t column = t->column;
    struct slice name = t->text;
    bool named = t->kind == FHIRPATH_TOKEN_NAME;
    enum err err = named ? advance(p) : ERR_OK;
    if (!err && named && at_symbol(p, ".") &&
        (slice_is(name, "FHIR") || slice_is(name, "System"))) {
        space = name;
        err = advance(p);
        name = t->text;
        named = t->kind == FHIRPATH_TOKEN_NAME;
        if (!err && named)
            err = advance(p);
    }
    if (err)
        return err;
    if (!named || !fhirpath_type_find(space, name, ret_type))
        return fail(p, column, ERR_INVALID, "there is no such type", "この型はありません");
    return ERR_OK;
}

/* ── terms ───────────────────────────────────────────────────────────────────────────────────── */

static enum err parse_args(struct parser *p, struct fhirpath_node *call)
{
    struct fhirpath_node **tail = &call->args;
    enum err err = ERR_OK;
    while (!err && !at_symbol(p, ")")) {
        if (call->arg_count > 0)
            err = expect(p, ",");
        if (!err)
            err = parse_expression(p, 0, tail);
        if (err)
            break;
        err = grow(p, call, *tail);
        tail = &(*tail)->next;
        call->arg_count++;
    }
    return err;
}

/* is(Type), as(Type) and ofType(Type): one argument that is a type. */
static enum err parse_type_call(struct parser *p, struct fhirpath_node *call)
{
    call->arg_count = 1;
    return parse_type(p, &call->type);
}

/* NAME and the open parenthesis have been read. */
static enum err parse_call(struct parser *p, struct fhirpath_node *call)
{
    struct arena *arena = p->lexer.arena;
    const struct fhirpath_function *f = call->function = fhirpath_function_find(call->name);
    if (!f || !f->call) {
        const char *en = arena_printf(arena, "the function %.*s %s", SLICE_ARG(call->name),
                                      f ? "is not supported" : "does not exist");
        const char *ja = arena_printf(arena, "%.*s %s", SLICE_ARG(call->name),
                                      f ? "関数には対応していません" : "という関数はありません");
        return fail(p, call->column, f ? ERR_NOT_SUPPORTED : ERR_INVALID, en ? en : "",
                    ja ? ja : "");
    }
    enum err err = f->takes_type ? parse_type_call(p, call) : parse_args(p, call);
    if (!err && (call->arg_count < f->min || call->arg_count > f->max))
        err = fail(p, call->column, ERR_INVALID, "the function takes another number of arguments",
                   "引数の個数が違います");
    return err ? err : expect(p, ")");
}

/* A name where a path begins (LEFT is NULL) or goes on: a call, a type's name, or a member. */
static enum err parse_invocation(struct parser *p, struct fhirpath_node *left,
                                 struct fhirpath_node **ret_node)
{
    struct fhirpath_token t = p->lexer.token;
    struct fhirpath_node *n = NULL;
    enum err err = new_node(p, FHIRPATH_OP_MEMBER, t.column, &n);
    if (err)
        return err;
    *ret_node = n;
    n->left = left;
    n->name = t.text;
    err = advance(p);
    if (!err && !t.delimited && at_symbol(p, "(")) {
        n->op = FHIRPATH_OP_CALL;
        err = advance(p);
        if (!err)
            err = parse_call(p, n);
    } else if (!err && !left && !t.delimited && t.text.ptr[0] >= 'A' && t.text.ptr[0] <= 'Z') {
        n->op = FHIRPATH_OP_HEAD; /* elements begin with a small letter */
        if (!fhirpath_type_find(SLICE_NONE, n->name, &n->type))
            err = fail(p, n->column, ERR_INVALID, "there is no such type", "この型はありません");
    }
    return err ? err : grow(p, n, left);
}

static enum err parse_group(struct parser *p, struct fhirpath_node **ret_node)
{
    enum err err = advance(p);
    if (!err)
        err = parse_expression(p, 0, ret_node);
    return err ? err : expect(p, ")");
}

static enum err parse_braces(struct parser *p, struct fhirpath_node **ret_node)
{
    enum err err = new_node(p, FHIRPATH_OP_EMPTY, p->lexer.token.column, ret_node);
    if (!err)
        err = advance(p);
    return err ? err : expect(p, "}");
}

static enum err parse_term(struct parser *p, struct fhirpath_node **ret_node)
{
    const struct fhirpath_token *t = &p->lexer.token;
    struct fhirpath_node *n = NULL;
    if (at_symbol(p, "("))
        return parse_group(p, ret_node);
    if (at_symbol(p, "{"))
        return parse_braces(p, ret_node);
    bool word = t->kind == FHIRPATH_TOKEN_NAME && !t->delimited;
    bool truth = word && slice_is(t->text, "true");
    if (t->kind == FHIRPATH_TOKEN_NAME && !truth && !(word && slice_is(t->text, "false")))
        return parse_invocation(p, NULL, ret_node);
    enum err err = new_node(p, FHIRPATH_OP_LITERAL, t->column, &n);
    if (err)
        return err;
    *ret_node = n;
    if (is_literal(t->kind))
        return parse_literal(p, n);
    if (t->kind == FHIRPATH_TOKEN_CONSTANT)
        return parse_constant(p, n);
    if (t->kind == FHIRPATH_TOKEN_SPECIAL)
        return parse_special(p, n);
    n->literal.kind = FHIRPATH_BOOLEAN;
    n->literal.truth = truth;
    if (t->kind == FHIRPATH_TOKEN_NAME)
        return advance(p);
    return fail(p, t->column, ERR_INVALID, "an expression is expected", "式が必要です");
}

static enum err parse_indexer(struct parser *p, struct fhirpath_node **node)
{
    struct fhirpath_node *n = NULL;
    enum err err = new_node(p, FHIRPATH_OP_INDEXER, p->lexer.token.column, &n);
    if (!err)
        err = advance(p);
    if (err)
        return err;
    n->left = *node;
    err = parse_expression(p, 0, &n->right);
    if (!err)
        err = expect(p, "]");
    if (!err)
        err = grow(p, n, n->left);
    if (!err)
        err = grow(p, n, n->right);
    *node = n;
    return err;
}

/* A term and what follows it: .member .call() [index] */
static enum err parse_path(struct parser *p, struct fhirpath_node **ret_node)
{
    enum err err = parse_term(p, ret_node);
    while (!err && (at_symbol(p, ".") || at_symbol(p, "["))) {
        if (at_symbol(p, "[")) {
            err = parse_indexer(p, ret_node);
            continue;
        }
        err = advance(p);
        if (!err && p->lexer.token.kind != FHIRPATH_TOKEN_NAME)
            err = fail(p, p->lexer.token.column, ERR_INVALID, "a name is expected after the point",
                       "「.」の後に名前が必要です");
        if (!err)
            err = parse_invocation(p, *ret_node, ret_node);
    }
    return err;
}

/* ── operators ───────────────────────────────────────────────────────────────────────────────── */

struct operator
{
    const char *text;
    int rank;
    enum fhirpath_op op;
};

static const struct operator operators[] = {
    {"implies", 1, FHIRPATH_OP_IMPLIES}, {"or", 2, FHIRPATH_OP_OR},
    {"xor", 2, FHIRPATH_OP_XOR},         {"and", 3, FHIRPATH_OP_AND},
    {"in", 4, FHIRPATH_OP_IN},           {"contains", 4, FHIRPATH_OP_CONTAINS},
    {"=", 5, FHIRPATH_OP_EQUAL},         {"!=", 5, FHIRPATH_OP_NOT_EQUAL},
    {"~", 5, FHIRPATH_OP_ALIKE},         {"!~", 5, FHIRPATH_OP_NOT_ALIKE},
    {"<", 6, FHIRPATH_OP_LESS},          {"<=", 6, FHIRPATH_OP_LESS_EQUAL},
    {">", 6, FHIRPATH_OP_GREATER},       {">=", 6, FHIRPATH_OP_GREATER_EQUAL},
    {"|", 7, FHIRPATH_OP_UNION},         {"is", 8, FHIRPATH_OP_IS},
    {"as", 8, FHIRPATH_OP_AS},           {"+", 9, FHIRPATH_OP_ADD},
    {"-", 9, FHIRPATH_OP_SUBTRACT},      {"&", 9, FHIRPATH_OP_CONCAT},
    {"*", 10, FHIRPATH_OP_MULTIPLY},     {"/", 10, FHIRPATH_OP_DIVIDE},
    {"div", 10, FHIRPATH_OP_DIV},        {"mod", 10, FHIRPATH_OP_MOD},
};

#define RANK_UNARY 11

static const struct operator* find_operator(const struct fhirpath_token *t)
{
    if (t->delimited || (t->kind != FHIRPATH_TOKEN_NAME && t->kind != FHIRPATH_TOKEN_SYMBOL))
        return NULL;
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        if (slice_is(t->text, operators[i].text))
            return &operators[i];
    }
    return NULL;
}

static enum err parse_unary(struct parser *p, struct fhirpath_node **ret_node)
{
    struct fhirpath_node *n = NULL;
    bool minus = at_symbol(p, "-");
    if (!minus && !at_symbol(p, "+"))
        return parse_path(p, ret_node);
    enum fhirpath_op op = minus ? FHIRPATH_OP_NEGATE : FHIRPATH_OP_PLUS;
    enum err err = new_node(p, op, p->lexer.token.column, &n);
    if (!err)
        err = advance(p);
    if (!err)
        err = parse_expression(p, RANK_UNARY, &n->left);
    if (!err)
        err = grow(p, n, n->left);
    *ret_node = n;
    return err;
}

/* LEFT op RIGHT, the operator being the current token. */
static enum err parse_binary(struct parser *p, const struct operator* o,
                             struct fhirpath_node **node)
{
    struct fhirpath_node *n = NULL;
    enum err err = new_node(p, o->op, p->lexer.token.column, &n);
    if (!err)
        err = advance(p);
    if (err)
        return err;
    n->left = *node;
    if (o->op == FHIRPATH_OP_IS || o->op == FHIRPATH_OP_AS)
        err = parse_type(p, &n->type);
    else
        err = parse_expression(p, o->rank + 1, &n->right);
    if (!err)
        err = grow(p, n, n->left);
    if (!err)
        err = grow(p, n, n->right);
    *node = n;
    return err;
}

/* An expression of operators that bind at least as strongly as LOWEST. */
static enum err parse_expression(struct parser *p, int lowest, struct fhirpath_node **ret_node)
{
    const struct operator* o;
    if (++p->depth > LIMIT_FHIRPATH_DEPTH)
        return fail(p, p->lexer.token.column, ERR_TOO_DEEP, "the expression is nested too deeply",
                    "式の入れ子が深すぎます");
    enum err err = parse_unary(p, ret_node);
    while (!err && (o = find_operator(&p->lexer.token)) && o->rank >= lowest)
        err = parse_binary(p, o, ret_node);
    p->depth--;
    return err;
}

enum err fhirpath_parse_text(struct arena *arena, struct slice text,
                             struct fhirpath_node **ret_root, struct fhirpath_fault *ret_fault)
{
    struct parser p = {.lexer = {.arena = arena, .text = text}};
    struct fhirpath_node *root = NULL;
    enum err err = advance(&p);
    if (!err)
        err = parse_expression(&p, 0, &root);
    if (!err && p.lexer.token.kind != FHIRPATH_TOKEN_END)
        err = fail(&p, p.lexer.token.column, ERR_INVALID, "the end is expected here",
                   "ここで式が終わるはずです");
    if (err) {
        *ret_fault = p.lexer.fault;
        return err;
    }
    *ret_root = root;
    return ERR_OK;
}
