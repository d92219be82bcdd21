/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a batch, as a message somebody's number is sought in, as a merge and as a query: the
 * parts lie inside the bytes, every message of a batch begins with MSH, what answers is a batch
 * again, and a query's answer is a message.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mappers/hl7v2/batch.h"
#include "mappers/hl7v2/merge.h"
#include "mappers/hl7v2/query.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static bool inside(struct slice part, struct slice whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void split(struct arena *arena, struct slice raw, struct err_list *errors)
{
    struct hl7_batch b;
    struct buf out;
    enum err err = hl7_batch_split(arena, raw, errors, &b);

    for (size_t i = 0; i < b.count; i++)
        must(inside(b.messages[i], raw) && slice_starts(b.messages[i], SLICE("MSH")));
    must(err == ERR_OK || errors->errors > 0);
    if (!hl7_is_batch(raw))
        return;
    buf_init(&out, LIMIT_MIB);
    hl7_batch_head(&b, "", SLICE("1"), 0, &out);
    hl7_batch_tail(&b, b.count, &out);
    must(buf_err(&out) != ERR_OK || hl7_is_batch(buf_slice(&out)));
    buf_fini(&out);
}

static void ask(struct arena *arena, const struct hl7_message *m, struct err_list *errors)
{
    struct hl7_query q;
    struct hl7_merge merge = {.kind = MERGE_NONE};
    struct hl7_header header;
    struct hl7_message *again = NULL;
    struct err_list dropped;
    struct reply a;
    struct buf out;
    enum err err = hl7_query_parse(m, errors, &q);

    must(q.term_count <= QUERY_TERMS_MAX && q.domain_count <= QUERY_DOMAINS_MAX);
    if (hl7_merge_parse(m, errors, &merge) == ERR_OK)
        must(merge.kind == MERGE_NONE || (merge.count > 0 && merge.pairs[0].other_no.len > 0));
    hl7_header_of(m, &header);
    err_list_init(&dropped, arena);
    buf_init(&out, 32 * LIMIT_MIB);
    reply_init(&a, &header);
    query_begin(&a, &q, err ? QUERY_ERROR : QUERY_OK, err ? errors : NULL,
                &(struct query_hits){1, 1, 0}, SLICE("1"), 0);
    if (reply_finish(&a, &out) == ERR_OK)
        must(hl7_lex(arena, buf_slice(&out), &dropped, &again) == ERR_OK &&
             hl7_find(again, "QAK", 1));
    reply_fini(&a);
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice raw = slice_of(data, size), numbers[4];
    struct hl7_message *m = NULL;
    struct err_list errors;
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);

    must(arena != NULL && charset_init() == ERR_OK);
    err_list_init(&errors, arena);
    split(arena, raw, &errors);
    unsigned count = hl7_patient_numbers(raw, numbers, 4);
    for (unsigned i = 0; i < count; i++)
        must(numbers[i].len > 0 && inside(numbers[i], raw));
    if (hl7_lex(arena, raw, &errors, &m) == ERR_OK)
        ask(arena, m, &errors);
    arena_free(arena);
    return 0;
}
