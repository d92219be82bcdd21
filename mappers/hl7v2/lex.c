/* SPDX-License-Identifier: Apache-2.0
 *
 * The lexer proper (HL7 v2.5 sections 2.5 and 2.6): decode, then one pass over the text that ends
 * fields and segments by a table of byte classes. Counting first gives exact arrays, so nothing
 * grows. It judges form only; what a field must hold is for check.c. Every refusal here is one the
 * sender must correct (AR).
 */
#include "mappers/hl7v2/lex.h"

#include "base/limits.h"
#include "mappers/hl7v2/raw.h"

#include <assert.h>

#include "base/banned.h"

enum byte_class { BYTE_PLAIN, BYTE_FIELD, BYTE_REPEAT, BYTE_LINE_END, BYTE_BAD };

#define BUCKETS 256u

struct splitter {
    struct hl7_message *m;
    struct err_list *errors;
    struct slice *fields; /* next free slot */
    unsigned char classes[256];
    unsigned heads[BUCKETS]; /* last segment of a bucket of names, + 1 */
    unsigned *chain;         /* the segment before it in the same bucket, + 1 */
    size_t line;             /* 1-based */
};

static enum err out_of_memory(struct err_list *errors)
{
    return err_add(errors, ERR_LIMIT, "MSH",
                   "the message needs more memory than one request may use");
}

static const char *line_place(const struct splitter *s, size_t line)
{
    const char *place = arena_printf(s->m->arena, "line %zu", line);
    return place ? place : "";
}

/* ---- decoding ---- */

static enum err report_bad_bytes(struct hl7_message *m, struct err_list *errors, size_t offset)
{
    const char *place = raw_place(m->arena, m->raw, m->delimiters.field, offset);
    unsigned char byte = (unsigned char)m->raw.ptr[offset < m->raw.len ? offset : m->raw.len - 1];

    return err_add(errors, ERR_CHARSET, place, "byte offset %zu, 0x%02X", offset, byte);
}

static void report_open_shift(struct hl7_message *m, struct err_list *errors, size_t offset)
{
    m->shift_left_open = true;
    (void)err_say(errors, ERR_SEVERITY_WARNING, ERR_CHARSET,
                  raw_place(m->arena, m->raw, m->delimiters.field, offset),
                  "an ISO-2022-JP escape was left open at the end of the segment",
                  "ISO-2022-JP のエスケープがセグメント末尾で閉じられていません");
}

static enum err decode(struct hl7_message *m, struct err_list *errors)
{
    struct buf text;
    size_t offset = 0;

    /* No set here makes more than three bytes of one. */
    buf_init(&text, 3 * m->raw.len + 64);
    enum err err = charset_decode(m->charset, m->raw, &text, &offset);
    if (err == ERR_CHARSET) {
        err = report_bad_bytes(m, errors, offset);
        goto out;
    }
    if (err == ERR_OK)
        m->text = arena_dup(m->arena, buf_slice(&text));
    if (err != ERR_OK || !m->text.ptr) {
        err = out_of_memory(errors);
        goto out;
    }
    if (offset < m->raw.len)
        report_open_shift(m, errors, offset);
out:
    buf_fini(&text);
    return err;
}

/* ---- splitting ---- */

static void classify_bytes(struct splitter *s)
{
    static const unsigned char bad[] = {0x00, 0x0B, 0x1B, 0x1C};

    memset(s->classes, BYTE_PLAIN, sizeof(s->classes));
    s->classes[(unsigned char)s->m->delimiters.field] = BYTE_FIELD;
    s->classes[(unsigned char)s->m->delimiters.repeat] = BYTE_REPEAT;
    s->classes['\r'] = BYTE_LINE_END;
    s->classes['\n'] = BYTE_LINE_END;
    for (size_t i = 0; i < sizeof(bad); i++)
        s->classes[bad[i]] = BYTE_BAD;
}

/* How many times this name came before, + 1. Buckets keep it cheap even when every name is new. */
static unsigned ordinal_of(struct splitter *s, size_t index, struct slice name)
{
    const unsigned char *n = (const unsigned char *)name.ptr;
    unsigned *head = &s->heads[(n[0] * 31u + n[1] * 7u + n[2]) % BUCKETS];
    unsigned ordinal = 1;

    for (unsigned i = *head; i > 0; i = s->chain[i - 1]) {
        if (memcmp(s->m->segments[i - 1].name.ptr, name.ptr, 3) == 0) {
            ordinal = s->m->segments[i - 1].ordinal + 1;
            break;
        }
    }
    s->chain[index] = *head;
    *head = (unsigned)index + 1;
    return ordinal;
}

/* "PID[1]-11" of the byte AT. */
static const char *place_at(const struct splitter *s, const char *at)
{
    return raw_place(s->m->arena, s->m->text, s->m->delimiters.field,
                     (size_t)(at - s->m->text.ptr));
}

static enum err report_bad_byte(struct splitter *s, const char *at)
{
    unsigned char byte = (unsigned char)*at;
    const char *place = place_at(s, at);

    if (byte == 0x1B)
        return err_say(
            s->errors, ERR_SEVERITY_ERROR, ERR_CHARSET, place,
            "an ISO-2022 escape sequence, which the character set of MSH-18 does not have",
            "MSH-18 の文字コードにないエスケープシーケンスがあります");
    return err_add(s->errors, ERR_MALFORMED, place, "control character 0x%02X", byte);
}

static enum err report_bad_line(struct splitter *s, struct slice line)
{
    return err_say(s->errors, ERR_SEVERITY_ERROR, ERR_MALFORMED, line_place(s, s->line),
                   line.len < 3
                       ? "this line is too short to be a segment"
                       : "this line does not begin with a segment name and a field delimiter",
                   line.len < 3 ? "セグメントとして短すぎる行です"
                                : "セグメント名と区切り文字で始まらない行です");
}

static enum err too_many(struct splitter *s, const char *place, const char *what, const char *ja,
                         unsigned limit)
{
    const char *more = arena_printf(s->m->arena, "more than %u %s", limit, what);
    const char *over = arena_printf(s->m->arena, "%sが %u を超えています", ja, limit);

    return err_add_words(s->errors, ERR_TOO_LARGE, place, more ? more : "", over ? over : "");
}

/* Ends a field at AT. */
static void add_field(struct splitter *s, struct hl7_segment *segment, const char *from,
                      const char *at)
{
    *s->fields++ = slice_of(from, (size_t)(at - from));
    segment->field_count++;
}

/* Reads the fields of one line beginning at FROM until its end, which it returns through ret_at. */
static enum err split_fields(struct splitter *s, struct hl7_segment *segment, const char *from,
                             const char **ret_at)
{
    const char *end = s->m->text.ptr + s->m->text.len;
    const char *at = from;
    unsigned repeats = 1;

    for (;; at++) {
        while (at < end && s->classes[(unsigned char)*at] == BYTE_PLAIN)
            at++;
        unsigned char class = at < end ? s->classes[(unsigned char)*at] : BYTE_LINE_END;
        if (class == BYTE_BAD)
            return report_bad_byte(s, at);
        if (class == BYTE_REPEAT) {
            if (++repeats > LIMIT_HL7_REPEATS)
                return too_many(s, place_at(s, at), "repetitions", "繰返し", LIMIT_HL7_REPEATS);
            continue;
        }
        if (segment->field_count >= LIMIT_HL7_FIELDS)
            return too_many(s, place_at(s, at), "fields", "項目", LIMIT_HL7_FIELDS);
        add_field(s, segment, from, at);
        if (class == BYTE_LINE_END)
            break;
        from = at + 1;
        repeats = 1;
    }
    *ret_at = at;
    return ERR_OK;
}

/* MSH-1 is the delimiter itself and MSH-2 is made of delimiters: both are cut out beforehand. NULL
 * when nothing follows them. */
static const char *begin_header(struct splitter *s, struct hl7_segment *segment, const char *from)
{
    const char *end = s->m->text.ptr + s->m->text.len;
    const char *two_end = from + 4;

    while (two_end < end && *two_end != s->m->delimiters.field)
        two_end++;
    if (two_end == end) /* only when peeking: raw_delimiters saw it else */
        return NULL;
    add_field(s, segment, from, from + 3);
    add_field(s, segment, from + 3, from + 4);
    add_field(s, segment, from + 4, two_end);
    return two_end + 1;
}

static enum err split_line(struct splitter *s, const char *from, const char **ret_at)
{
    struct hl7_message *m = s->m;
    struct slice rest = slice_of(from, (size_t)(m->text.ptr + m->text.len - from));
    struct slice start = raw_line(slice_sub(rest, 0, 4));
    bool header = m->segment_count == 0;
    const char *body = from;

    if (!raw_is_segment(start, m->delimiters.field))
        return report_bad_line(s, start);
    /* A bare "MSH" begins nothing: it is an empty segment like any other (NHO's samples have one).
     */
    if (!header && start.len > 3 && slice_starts(start, SLICE("MSH")))
        return err_say(s->errors, ERR_SEVERITY_ERROR, ERR_MALFORMED, line_place(s, s->line),
                       "a second MSH inside one message", "1 つのメッセージに MSH が 2 つあります");
    if (m->segment_count == LIMIT_HL7_SEGMENTS)
        return too_many(s, line_place(s, s->line), "segments", "セグメント", LIMIT_HL7_SEGMENTS);
    struct hl7_segment *segment = &m->segments[m->segment_count];
    segment->fields = s->fields;
    if (header)
        body = begin_header(s, segment, from);
    if (!body)
        return err_say(s->errors, ERR_SEVERITY_ERROR, ERR_MALFORMED, "MSH", "MSH ends too early",
                       "MSH が途中で終わっています");
    enum err err = split_fields(s, segment, body, ret_at);
    if (err != ERR_OK)
        return err;
    segment->name = slice_of(from, 3);
    segment->text = slice_of(from, (size_t)(*ret_at - from));
    segment->ordinal = ordinal_of(s, m->segment_count, segment->name);
    m->segment_count++;
    return ERR_OK;
}

static enum err split_lines(struct splitter *s)
{
    const char *at = s->m->text.ptr;
    const char *end = at + s->m->text.len;

    for (s->line = 1; at < end; s->line++) {
        if (*at != '\r' && *at != '\n') {
            enum err err = split_line(s, at, &at);
            if (err != ERR_OK)
                return err;
        }
        if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
            at++;
        at++;
    }
    return ERR_OK;
}

/* Arrays of the right size for TEXT: one field a delimiter and one a line, three in front of MSH.
 */
static enum err reserve(struct splitter *s)
{
    struct hl7_message *m = s->m;
    size_t fields = 3;
    size_t lines = 1;

    for (size_t i = 0; i < m->text.len; i++) {
        fields += m->text.ptr[i] == m->delimiters.field;
        lines += m->text.ptr[i] == '\r' || m->text.ptr[i] == '\n';
    }
    if (lines > LIMIT_HL7_SEGMENTS)
        lines = LIMIT_HL7_SEGMENTS; /* blank lines need no segment; split_line counts the others */
    m->segments = arena_array(m->arena, lines, sizeof(*m->segments));
    s->chain = arena_array(m->arena, lines, sizeof(*s->chain));
    s->fields = arena_array(m->arena, fields + lines, sizeof(*s->fields));
    return m->segments && s->chain && s->fields ? ERR_OK : out_of_memory(s->errors);
}

static enum err split(struct hl7_message *m, struct err_list *errors)
{
    struct splitter s = {.m = m, .errors = errors};
    enum err err = reserve(&s);

    if (err != ERR_OK)
        return err;
    classify_bytes(&s);
    err = split_lines(&s);
    assert(err != ERR_OK || m->segment_count > 0);
    return err;
}

/* ---- whole messages ---- */

/* Lexes TRIMMED, whose delimiters and charset M already has. */
static enum err lex(struct hl7_message *m, struct slice trimmed, struct err_list *errors)
{
    m->raw = trimmed;
    enum err err = decode(m, errors);
    return err == ERR_OK ? split(m, errors) : err;
}

enum err hl7_lex(struct arena *arena, struct slice raw, struct err_list *errors,
                 struct hl7_message **ret_message)
{
    struct slice trimmed = raw_trim(raw);

    assert(arena && errors);
    if (raw.len > LIMIT_MLLP_FRAME)
        return err_add(errors, ERR_TOO_LARGE, "MSH", "more than %u bytes", LIMIT_MLLP_FRAME);
    struct hl7_message *m = ARENA_NEW(arena, struct hl7_message);
    if (!m)
        return out_of_memory(errors);
    m->arena = arena;
    m->before = slice_sub(raw, 0, (size_t)(trimmed.ptr - raw.ptr));
    m->after = slice_sub(raw, m->before.len + trimmed.len, raw.len);
    enum err err = raw_delimiters(raw_line(trimmed), errors, &m->delimiters);
    if (err == ERR_OK)
        err = raw_charset(trimmed, &m->delimiters, errors, &m->charset);
    if (err == ERR_OK)
        err = lex(m, trimmed, errors);
    if (err == ERR_OK)
        *ret_message = m;
    return err;
}

/* ---- the header for answers ---- */

static const struct hl7_delimiters usual = {'|', '^', '~', '\\', '&'};

/* A set that MSH-18 does not name is named here, so that an answer can say what it is written in.
 */
static struct slice charset_name(struct slice msh18, enum charset set)
{
    if (slice_trim(msh18).len > 0)
        return msh18;
    if (set == CHARSET_ISO2022JP)
        return SLICE("~ISO IR87");
    return set == CHARSET_UTF8 ? SLICE("UNICODE UTF-8") : SLICE_NONE;
}

static void fill_header(const struct hl7_message *m, struct hl7_header *h)
{
    const struct hl7_segment *msh = &m->segments[0];
    struct slice type = hl7_repeat(m, hl7_field(msh, 9), 0);

    *h = (struct hl7_header){
        .delimiters = m->delimiters,
        .sending_application = hl7_field(msh, 3),
        .sending_facility = hl7_field(msh, 4),
        .receiving_application = hl7_field(msh, 5),
        .receiving_facility = hl7_field(msh, 6),
        .type = hl7_component(m, type, 1),
        .trigger = hl7_component(m, type, 2),
        .structure = hl7_component(m, type, 3),
        .control_id = hl7_field(msh, 10),
        .processing_id = hl7_field(msh, 11),
        .version = hl7_field(msh, 12),
        .charset = charset_name(hl7_field(msh, 18), m->charset),
        .accept_ack = hl7_field(msh, 15),
        .application_ack = hl7_field(msh, 16),
    };
}

void hl7_header_of(const struct hl7_message *m, struct hl7_header *ret_header)
{
    assert(m->segment_count > 0);
    fill_header(m, ret_header);
}

/* LINE with every byte replaced that is not printable ASCII; {NULL,0} when memory is out. */
static struct slice ascii_only(struct arena *arena, struct slice line)
{
    char *copy = arena_str(arena, line);

    for (size_t i = 0; copy && i < line.len; i++) {
        if (copy[i] < 0x20 || copy[i] > 0x7E)
            copy[i] = '?';
    }
    return slice_of(copy, copy ? line.len : 0);
}

/* Delimiters to read a header by: its own, else the usual ones behind its own MSH-1. */
static bool peek_delimiters(struct slice line, struct hl7_delimiters *ret_delimiters)
{
    static const struct slice others = {"^~\\&", 4};

    if (raw_delimiters(line, NULL, ret_delimiters) == ERR_OK)
        return true;
    if (!slice_starts(line, SLICE("MSH")) || line.len < 5)
        return false;
    char field = line.ptr[3];
    if (!raw_may_delimit(field) || slice_find(others, field, 0) < others.len)
        return false;
    *ret_delimiters = usual;
    ret_delimiters->field = field;
    return slice_find(line, field, 4) < line.len;
}

/* The one segment LINE as a message in SET; false when even that cannot be. */
static bool peek_line(struct hl7_message *m, struct slice line, enum charset set)
{
    struct err_list dropped;

    err_list_init(&dropped, m->arena);
    m->charset = set;
    m->segment_count = 0;
    return lex(m, line, &dropped) == ERR_OK;
}

void hl7_peek(struct arena *arena, struct slice raw, struct hl7_header *ret_header)
{
    struct hl7_message m = {.arena = arena};
    struct slice trimmed = raw_trim(slice_sub(raw, 0, LIMIT_MLLP_FRAME));
    struct slice line = raw_line(trimmed);
    enum charset set = CHARSET_ASCII;

    *ret_header = (struct hl7_header){.delimiters = usual};
    if (line.len > LIMIT_HL7_HEADER || !peek_delimiters(line, &m.delimiters))
        return;
    bool known = raw_charset(trimmed, &m.delimiters, NULL, &set) == ERR_OK;
    if (!(known && peek_line(&m, line, set)) &&
        !peek_line(&m, ascii_only(arena, line), CHARSET_ASCII))
        return;
    fill_header(&m, ret_header);
    ret_header->charset = charset_name(hl7_field(&m.segments[0], 18), set);
}
