/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages for people: as text, and taken apart with the names of segments and fields in both
 * languages. The finding stands where it belongs, however deep its place goes; a place that the
 * message does not have (a missing field) is shown at the end of its segment.
 */
#include "exchange/cli/message_tree.h"

#include <stdio.h>

#include "base/limits.h"
#include "exchange/cli/cli.h"
#include "exchange/cli/table.h"
#include "mappers/hl7v2/lex.h"
#include "mappers/hl7v2/names.h"

#include "base/banned.h"

struct tree {
    const struct hl7_message *m;
    struct arena *arena;
    const struct message_finding *finding;
    bool marked;
};

/* ── as text ─────────────────────────────────────────────────────────────────────────────────── */

/* What is UTF-8 as it is, every other byte as <E9>. */
static void add_bytes(struct slice bytes, struct buf *text)
{
    for (size_t i = 0; i < bytes.len;) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        size_t len = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        struct slice one = slice_sub(bytes, i, len);

        if (one.len == len && slice_is_utf8(one)) {
            buf_add(text, one);
            i += len;
        } else {
            buf_addf(text, "<%02X>", c);
            i++;
        }
    }
}

/* BYTES as text. A message may have been refused because its bytes are not in the set it names. */
static enum err decode(const struct args *args, struct arena *arena, struct slice bytes,
                       struct buf *text)
{
    struct hl7_header header;
    enum charset set = CHARSET_ASCII;
    enum err err = ERR_OK;

    hl7_peek(arena, bytes, &header);
    err = charset_from_hl7(header.charset, &set);
    if (!err)
        err = charset_decode(set, bytes, text, NULL);
    if (err != ERR_CHARSET)
        return err;
    cli_say(args, "not in the character set that MSH-18 names; what is not UTF-8 is shown as <XX>",
            "MSH-18 の文字集合では読めません。UTF-8 でないバイトは <XX> と表示します");
    add_bytes(bytes, text);
    return buf_err(text);
}

static void put_mark(struct tree *t, unsigned indent)
{
    (void)printf("%*s>>> ", (int)indent, "");
    table_put(t->finding->place);
    (void)putchar(' ');
    table_put(t->finding->code);
    (void)fputs(": ", stdout);
    table_put(t->finding->text);
    (void)putchar('\n');
    t->marked = true;
}

/* Is LINE, the NUMBER-th, the ORDINAL-th of its segment, where the finding is? */
static bool is_line_of(struct tree *t, struct slice line, size_t number, unsigned ordinal)
{
    struct slice place = t->finding->place;
    const char *by_number = arena_printf(t->arena, "line %zu", number);
    const char *by_name = arena_printf(t->arena, "%.3s[%u]", line.len > 2 ? line.ptr : "---", ordinal);
    const char *header = arena_printf(t->arena, "%.3s-", line.len > 2 ? line.ptr : "---");

    if (!by_number || !by_name || !header || t->marked)
        return false;
    return slice_is(place, by_number) || slice_starts(place, slice_str(by_name)) ||
           (ordinal == 1 && slice_starts(place, slice_str(header))) ||
           (number == 1 && slice_is(place, "MSH"));
}

static unsigned ordinal_in(struct slice before, struct slice line)
{
    unsigned ordinal = 1;

    while (before.len > 0 && line.len > 2) {
        size_t end = 0;
        while (end < before.len && before.ptr[end] != '\r' && before.ptr[end] != '\n')
            end++;
        ordinal += slice_starts(slice_sub(before, 0, end), slice_sub(line, 0, 3));
        before = slice_sub(before, end < before.len ? end + 1 : end, before.len);
    }
    return ordinal;
}

static void put_lines(struct tree *t, struct slice text)
{
    size_t at = 0;

    for (size_t number = 1; at < text.len; number++) {
        size_t end = at;
        while (end < text.len && text.ptr[end] != '\r' && text.ptr[end] != '\n')
            end++;
        struct slice line = slice_sub(text, at, end - at);
        if (line.len > 0) {
            table_put(line);
            (void)putchar('\n');
        }
        if (t && is_line_of(t, line, number, ordinal_in(slice_sub(text, 0, at), line)))
            put_mark(t, 0);
        if (end + 1 < text.len && text.ptr[end] == '\r' && text.ptr[end + 1] == '\n')
            end++;
        at = end + 1;
    }
}

static enum err put_text(const struct args *args, struct arena *arena, struct slice bytes,
                         struct tree *t)
{
    struct buf text;

    buf_init(&text, 4 * LIMIT_MLLP_FRAME); /* <XX> for every byte */
    enum err err = decode(args, arena, bytes, &text);
    if (!err)
        put_lines(t, buf_slice(&text));
    buf_fini(&text);
    if (!err && t && !t->marked)
        put_mark(t, 0);
    return err;
}

enum err message_tree_text(const struct args *args, struct arena *arena, struct slice bytes)
{
    return put_text(args, arena, bytes, NULL);
}

/* ── taken apart ─────────────────────────────────────────────────────────────────────────────── */

/* PLACE ("PID[2]-3") is the finding's, or the finding lies inside it ("PID[2]-3.1"); EXACTLY: only
 * the former. The first of its name may be written without its number. */
static bool is_place(const struct tree *t, const struct hl7_segment *s, unsigned field,
                     unsigned component, bool exactly)
{
    struct slice place = t->finding->place;
    const char *dot = component ? arena_printf(t->arena, ".%u", component) : "";

    for (int bare = 0; bare < 2; bare++) {
        const char *own = bare ? arena_printf(t->arena, "%.3s-%u%s", s->name.ptr, field, dot)
                               : arena_printf(t->arena, "%.3s[%u]-%u%s", s->name.ptr, s->ordinal,
                                              field, dot);
        size_t len = own ? strlen(own) : 0;
        if (!own || (bare && s->ordinal != 1) || !slice_starts(place, slice_str(own)))
            continue;
        if (place.len == len || (!exactly && place.ptr[len] == '.'))
            return true;
    }
    return false;
}

static void put_value(struct tree *t, struct slice text)
{
    table_put(hl7_unescape(t->m, text));
    (void)putchar('\n');
}

static unsigned component_count(const struct hl7_message *m, struct slice repeat)
{
    unsigned count = 1;

    for (size_t i = 0; i < repeat.len; i++)
        count += repeat.ptr[i] == m->delimiters.component;
    return count;
}

static void put_component(struct tree *t, const struct hl7_segment *s, unsigned field, unsigned c,
                          struct slice component)
{
    bool here = !t->marked && is_place(t, s, field, c, false);

    if (component.len > 0) {
        (void)printf("      .%-3u ", c);
        put_value(t, component);
    }
    if (here)
        put_mark(t, 6);
}

static void put_repeat(struct tree *t, const struct hl7_segment *s, unsigned field, unsigned r,
                       struct slice repeat)
{
    unsigned count = component_count(t->m, repeat);

    if (r > 0)
        (void)printf("    ~ %u\n", r + 1);
    if (count == 1) {
        (void)fputs("      ", stdout);
        put_value(t, repeat);
        return;
    }
    for (unsigned c = 1; c <= count; c++)
        put_component(t, s, field, c, hl7_component(t->m, repeat, c));
}

static void put_field(struct tree *t, const struct hl7_segment *s, unsigned field)
{
    struct slice value = hl7_field(s, field);
    bool header = s == &t->m->segments[0] && field <= 2;
    bool here = !t->marked && is_place(t, s, field, 0, true);
    const struct names_pair *name = names_field(s->name, field);

    if (value.len == 0 && !here)
        return;
    (void)printf("  %.3s-%u", s->name.ptr, field);
    if (name)
        (void)printf("  %s / %s", name->ja, name->en);
    (void)putchar('\n');
    if (here)
        put_mark(t, 4);
    if (header) {
        (void)fputs("      ", stdout);
        table_put(value);
        (void)putchar('\n');
        return;
    }
    for (unsigned r = 0; r < hl7_repeats(t->m, value); r++)
        put_repeat(t, s, field, r, hl7_repeat(t->m, value, r));
    if (!t->marked && is_place(t, s, field, 0, false))
        put_mark(t, 4);
}

/* Does the finding belong to S, at no field of it? */
static bool is_of_segment(const struct tree *t, const struct hl7_segment *s)
{
    struct slice place = t->finding->place;
    const char *own = arena_printf(t->arena, "%.3s[%u]", s->name.ptr, s->ordinal);
    struct slice name = slice_sub(place, 0, 3);

    if (!own || t->marked)
        return false;
    return slice_starts(place, slice_str(own)) ||
           (s->ordinal == 1 && slice_eq(name, s->name) &&
            (place.len == 3 || place.ptr[3] == '-'));
}

static void put_segment(struct tree *t, const struct hl7_segment *s)
{
    const struct names_pair *name = names_segment(s->name);

    (void)printf("%.3s[%u]", s->name.ptr, s->ordinal);
    if (name)
        (void)printf("  %s / %s", name->ja, name->en);
    (void)putchar('\n');
    for (unsigned n = 1; n < s->field_count; n++)
        put_field(t, s, n);
    if (is_of_segment(t, s))
        put_mark(t, 2);
}

enum err message_tree_print(const struct args *args, struct arena *arena, struct slice bytes,
                            const struct message_finding *finding)
{
    struct tree t = {.arena = arena, .finding = finding};
    struct hl7_message *m = NULL;
    struct err_list dropped;

    err_list_init(&dropped, arena);
    if (hl7_lex(arena, bytes, &dropped, &m) != ERR_OK)
        return put_text(args, arena, bytes, &t);
    t.m = m;
    for (size_t i = 0; i < m->segment_count; i++)
        put_segment(&t, &m->segments[i]);
    if (!t.marked)
        put_mark(&t, 0);
    return ERR_OK;
}
