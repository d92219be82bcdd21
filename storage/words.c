/* SPDX-License-Identifier: Apache-2.0
 *
 * The tokenizer "tasuki" of FTS5 and the expressions that are matched with it. Cutting is a walk
 * over characters of three classes: Japanese (runs become overlapping pairs), other letters and
 * digits (runs become words), and what separates them. In a document the last character of a
 * Japanese run is entered beside the last pair, at the same place, so that phrases that go on after
 * the run still hold. In a query it is not, else "肺癌" would not find 肺癌の. Must not fold: both
 * sides come folded.
 */
#include "storage/words.h"

#include <sqlite3.h>

#include "base/banned.h"

#define WORD_MAX 96 /* bytes; the rest of a longer word is not looked at, on either side */

enum class { CLASS_BETWEEN, CLASS_WORD, CLASS_PAIRS };

struct letter {
    uint32_t code;
    int len; /* bytes */
};

/* The character at P; bytes that are no UTF-8 stand for themselves and separate. */
static struct letter letter_at(const unsigned char *p, const unsigned char *end)
{
    int len = *p < 0x80 ? 1 : *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc2 ? 2 : 0;
    if (len == 0 || end - p < len)
        return (struct letter){0, 1};
    uint32_t code = len == 1 ? *p : *p & (0xffu >> (len + 1));
    for (int i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return (struct letter){0, 1};
        code = code << 6 | (p[i] & 0x3f);
    }
    return (struct letter){code, len};
}

struct range {
    uint32_t from, to;
};

static bool within(uint32_t code, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (code >= ranges[i].from && code <= ranges[i].to)
            return true;
    }
    return false;
}

static enum class class_of(uint32_t code) {
    static const struct range pairs[] =
        {
            {0x3005, 0x3007}, /* 々〆〇 */
            {0x3041, 0x3096},
            {0x309d, 0x309f},
            {0x30a1, 0x30fa},
            {0x30fc, 0x30ff}, /* kana */
            {0x31f0, 0x31ff},
            {0x3400, 0x4dbf},
            {0x4e00, 0x9fff},
            {0xac00, 0xd7a3},
            {0xf900, 0xfaff},
            {0xff66, 0xff9f},
            {0x20000, 0x3fffd},
        };
    static const struct range between[] =
        {
            {0x80, 0xa9},     {0xab, 0xb4},     {0xb6, 0xb9},     {0xbb, 0xbf},
            {0xd7, 0xd7},     {0xf7, 0xf7},     {0x2000, 0x206f}, {0x20a0, 0x20cf},
            {0x2190, 0x2bff}, {0x2e00, 0x2e7f}, {0x3000, 0x303f}, {0x3099, 0x309c},
            {0x30a0, 0x30a0}, {0x30fb, 0x30fb}, {0xe000, 0xf8ff}, {0xfe00, 0xfe6f},
            {0xff00, 0xff0f}, {0xff1a, 0xff20}, {0xff3b, 0xff40}, {0xff5b, 0xff65},
            {0xffe0, 0xffff},
        };
    if (code < 0x80){bool letter = (code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') ||
                                   (code >= 'A' && code <= 'Z');
                     return letter ? CLASS_WORD : CLASS_BETWEEN;}
if (within(code, pairs, sizeof pairs / sizeof pairs[0])) return CLASS_PAIRS;
return within(code, between, sizeof between / sizeof between[0]) ? CLASS_BETWEEN : CLASS_WORD;
}

typedef int (*token_cb)(void *context, int flags, const char *token, int len, int start, int end);

struct cutter {
    const unsigned char *text, *end;
    bool query;
    void *context;
    token_cb token;
};

static int give(const struct cutter *c, int flags, const unsigned char *from,
                const unsigned char *to)
{
    int len = (int)(to - from);
    return c->token(c->context, flags, (const char *)from, len > WORD_MAX ? WORD_MAX : len,
                    (int)(from - c->text), (int)(to - c->text));
}

/* The end of the run of CLASS that begins at P. */
static const unsigned char *run_end(const struct cutter *c, const unsigned char *p,
                                    enum class class)
{
    while (p < c->end) {
        struct letter letter = letter_at(p, c->end);
        if (class_of(letter.code) != class)
            break;
        p += letter.len;
    }
    return p;
}

/* The run [P, END) as pairs; a lone character as itself. */
static int give_pairs(const struct cutter *c, const unsigned char *p, const unsigned char *end)
{
    const unsigned char *second = p + letter_at(p, end).len;
    if (second == end)
        return give(c, 0, p, end);
    int rc = SQLITE_OK;
    while (rc == SQLITE_OK && second < end) {
        const unsigned char *third = second + letter_at(second, end).len;
        rc = give(c, 0, p, third);
        p = second;
        second = third;
    }
    if (rc == SQLITE_OK && !c->query)
        rc = give(c, FTS5_TOKEN_COLOCATED, p, end);
    return rc;
}

static int cut(const struct cutter *c)
{
    const unsigned char *p = c->text;
    int rc = SQLITE_OK;
    while (rc == SQLITE_OK && p < c->end) {
        enum class class = class_of(letter_at(p, c->end).code);
        const unsigned char *end = run_end(c, p, class);
        if (class == CLASS_WORD)
            rc = give(c, 0, p, end);
        else if (class == CLASS_PAIRS)
            rc = give_pairs(c, p, end);
        p = end;
    }
    return rc;
}

/* ── as FTS5 wants it ────────────────────────────────────────────────────────────────────────── */

static int tokenizer_create(void *context, const char **args, int count, Fts5Tokenizer **ret)
{
    static char nothing; /* no state: any address that is not NULL */
    (void)context, (void)args, (void)count;
    *ret = (Fts5Tokenizer *)(void *)&nothing;
    return SQLITE_OK;
}

static void tokenizer_delete(Fts5Tokenizer *tokenizer)
{
    (void)tokenizer;
}

static int tokenizer_cut(Fts5Tokenizer *tokenizer, void *context, int flags, const char *text,
                         int len, token_cb token)
{
    (void)tokenizer;
    const unsigned char *from = (const unsigned char *)text;
    const struct cutter c = {.text = from,
                             .end = from + (text ? len : 0),
                             .query = (flags & FTS5_TOKENIZE_QUERY) != 0,
                             .context = context,
                             .token = token};
    return cut(&c);
}

/* FTS5 hands out its interface through a pointer bound to a statement. */
static fts5_api *api_of(sqlite3 *db)
{
    fts5_api *api = NULL;
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &q, NULL) == SQLITE_OK) {
        (void)sqlite3_bind_pointer(q, 1, (void *)&api, "fts5_api_ptr", NULL);
        (void)sqlite3_step(q);
    }
    (void)sqlite3_finalize(q);
    return api;
}

enum err words_register(sqlite3 *db)
{
    fts5_tokenizer tokenizer = {tokenizer_create, tokenizer_delete, tokenizer_cut};
    fts5_api *api = api_of(db);
    if (!api || api->iVersion < 2)
        return ERR_INTERNAL; /* SQLite without FTS5 */
    int rc = api->xCreateTokenizer(api, "tasuki", NULL, &tokenizer, NULL);
    return rc == SQLITE_OK ? ERR_OK : ERR_LIMIT;
}

/* ── expressions ─────────────────────────────────────────────────────────────────────────────── */

struct counted {
    unsigned tokens;
    bool lone; /* the only token is one Japanese character */
};

static int count_token(void *context, int flags, const char *token, int len, int start, int end)
{
    struct counted *counted = context;
    (void)flags, (void)start, (void)end;
    const unsigned char *from = (const unsigned char *)token;
    struct letter letter = letter_at(from, from + len);
    counted->lone =
        counted->tokens == 0 && letter.len == len && class_of(letter.code) == CLASS_PAIRS;
    counted->tokens++;
    return SQLITE_OK;
}

/* A quoted string; a lone Japanese character also as the first of a pair. */
static void add_part(struct slice part, bool lone, struct buf *out)
{
    buf_addc(out, '"');
    for (size_t i = 0; i < part.len; i++) {
        if (part.ptr[i] == '"')
            buf_addc(out, '"');
        buf_addc(out, part.ptr[i] ? part.ptr[i] : ' ');
    }
    buf_adds(out, lone ? "\" * " : "\" ");
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Takes the next part off *REST; empty at the end. */
static struct slice next_part(struct slice *rest)
{
    size_t from = 0, to = 0;
    while (from < rest->len && is_space(rest->ptr[from]))
        from++;
    for (to = from; to < rest->len && !is_space(rest->ptr[to]); to++)
        ;
    struct slice part = slice_sub(*rest, from, to - from);
    *rest = slice_sub(*rest, to, rest->len);
    return part;
}

bool words_expression(struct slice text, bool narrative, struct buf *out)
{
    size_t before = out->len;
    bool any = false;
    buf_adds(out, narrative ? "{words} : (" : "{words content} : (");
    for (struct slice part; (part = next_part(&text)).len > 0;) {
        const unsigned char *from = (const unsigned char *)part.ptr;
        struct counted counted = {0};
        const struct cutter c = {from, from + part.len, true, &counted, count_token};
        (void)cut(&c);
        if (counted.tokens > 0)
            add_part(part, counted.lone, out);
        any = any || counted.tokens > 0;
    }
    buf_addc(out, ')');
    if (buf_reserve(out, 1))
        out->ptr[out->len] = '\0';
    if (!any)
        out->len = before;
    return any;
}
