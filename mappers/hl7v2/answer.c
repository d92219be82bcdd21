/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads acknowledgements (see answer.h). Of the texts the first that is there counts: a user's
 * message before a diagnostic one, the code's own words after that; MSA-3 is where v2.4 and older
 * say it.
 */
#include "mappers/hl7v2/answer.h"

#include "base/limits.h"
#include "mappers/hl7v2/lex.h"

#include "base/banned.h"

/* One line without control characters, at most LIMIT_PUSH_REASON bytes of whole characters. */
static struct slice clean(struct arena *arena, struct slice text)
{
    char *out = arena_alloc(arena, text.len + 1);
    size_t len = 0;

    for (size_t i = 0; out && i < text.len; i++)
        out[len++] = (unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f ? ' ' : text.ptr[i];
    struct slice cut = slice_sub(slice_of(out, len), 0, LIMIT_PUSH_REASON);
    return slice_trim(slice_sub(cut, 0, slice_utf8_len(cut)));
}

static struct slice text_of(struct arena *arena, const struct hl7_message *m)
{
    static const struct {
        const char *segment;
        unsigned field, component;
    } places[] = {{"ERR", 8, 1}, {"ERR", 7, 1}, {"ERR", 3, 2}, {"MSA", 3, 1}};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct slice text =
            hl7_value(m, hl7_find(m, places[i].segment, 1), places[i].field, places[i].component);
        text = clean(arena, text);
        if (text.len > 0)
            return text;
    }
    return SLICE_NONE;
}

enum err answer_read(struct arena *arena, struct slice bytes, struct answer *ret_answer)
{
    static const struct {
        const char *code;
        enum answer_verdict verdict;
    } codes[] = {{"AA", ANSWER_ACCEPTED}, {"CA", ANSWER_ACCEPTED}, {"AE", ANSWER_REFUSED},
                 {"AR", ANSWER_REFUSED},  {"CE", ANSWER_REFUSED},  {"CR", ANSWER_REFUSED}};
    struct err_list dropped;
    struct hl7_message *m = NULL;

    err_list_init(&dropped, arena);
    enum err err = hl7_lex(arena, bytes, &dropped, &m);
    if (err)
        return err == ERR_LIMIT ? err : ERR_MALFORMED;
    const struct hl7_segment *msa = hl7_find(m, "MSA", 1), *fault = hl7_find(m, "ERR", 1);
    struct slice code = slice_trim(hl7_value(m, msa, 1, 1));
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (!slice_is(code, codes[i].code))
            continue;
        *ret_answer = (struct answer){
            .verdict = codes[i].verdict,
            .code = slice_str(codes[i].code),
            .control_id = clean(arena, hl7_value(m, msa, 2, 1)),
            .fault = clean(arena, hl7_value(m, fault, 3, 1)),
            .text = text_of(arena, m),
        };
        return ERR_OK;
    }
    return ERR_MALFORMED;
}
