/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as an HL7 v2 message: the lexer must end well; what it accepts must be UTF-8, its
 * segments must be parts of its text, every field must unescape to clean text, the check must
 * answer; printed it must be the bytes it was; and the acknowledgement of anything at all must be a message that the lexer reads.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mappers/hl7v2/ack.h"
#include "mappers/hl7v2/map.h"
#include "mappers/hl7v2/print.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static bool inside(struct slice part, struct slice whole)
{
    return part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len;
}

static void look_at_field(const struct hl7_message *m, struct slice field)
{
    unsigned repeats = hl7_repeats(m, field);
    must((repeats == 0) == (field.len == 0));
    if (repeats > 3)
        repeats = 3;
    for (unsigned r = 0; r < repeats; r++) {
        for (unsigned c = 1; c <= 3; c++) {
            struct slice component = hl7_component(m, hl7_repeat(m, field, r), c);
            struct slice text = hl7_unescape(m, hl7_sub(m, component, 1));
            must(slice_is_utf8(text) && slice_find(text, '\x1B', 0) == text.len);
        }
    }
}

static void look_at(const struct hl7_message *m, struct err_list *errors)
{
    must(slice_is_utf8(m->text) && m->segment_count > 0);
    for (size_t i = 0; i < m->segment_count; i++) {
        const struct hl7_segment *s = &m->segments[i];
        must(inside(s->text, m->text) && s->name.len == 3 && s->field_count > 0);
        must(hl7_find(m, arena_str(m->arena, s->name), s->ordinal) == s || i > 50);
        for (unsigned n = 0; n < s->field_count; n++) {
            must(inside(hl7_field(s, n), s->text));
            if (i > 0 || n > 2)
                look_at_field(m, hl7_field(s, n));
        }
        if (i > 200)
            break;
    }
    (void)!hl7_check(m, errors);
    must(hl7_kind(m).len > 0);
}

/* Unchanged: the same bytes. All encoded anew: a message that says the same. */
static void print(struct hl7_message *m, struct slice raw)
{
    struct buf out;
    size_t replaced = 0;
    buf_init(&out, 4 * raw.len + LIMIT_MIB);
    must(hl7_print(m, &out, &replaced) == ERR_OK && slice_eq(buf_slice(&out), raw));
    for (size_t i = 0; i < m->segment_count; i++)
        m->segments[i].text = SLICE_NONE;
    buf_clear(&out);
    must(hl7_print(m, &out, &replaced) == ERR_OK && out.len > 0);
    buf_fini(&out);
}

static void answer(struct slice raw, const struct err_list *errors)
{
    struct hl7_header header;
    struct hl7_message *m = NULL;
    struct err_list again;
    struct buf out;
    struct arena *arena = arena_new(16 * LIMIT_MIB);
    must(arena != NULL);
    err_list_init(&again, arena);
    buf_init(&out, LIMIT_MIB);
    hl7_peek(arena, raw, &header);
    must(hl7_ack(&header, "AE", errors, SLICE("T1"), 0, &out) == ERR_OK);
    must(hl7_lex(arena, buf_slice(&out), &again, &m) == ERR_OK);
    must(hl7_find(m, "MSA", 1) != NULL);
    buf_fini(&out);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hl7_message *m = NULL;
    struct err_list errors;
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    must(arena != NULL && charset_init() == ERR_OK);
    err_list_init(&errors, arena);
    enum err err = hl7_lex(arena, slice_of(data, size), &errors, &m);
    must((err == ERR_OK) == (m != NULL) && err == err_list_code(&errors));
    if (err == ERR_OK) {
        look_at(m, &errors);
        print(m, slice_of(data, size));
    }
    answer(slice_of(data, size), &errors);
    arena_free(arena);
    return 0;
}
