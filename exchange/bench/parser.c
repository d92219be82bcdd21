/* SPDX-License-Identifier: Apache-2.0
 *
 * The HL7 v2 lexer over what hospitals send: the ISO-2022-JP messages of invented residents, each
 * lexed in an arena of its own as a request's is. The floor decodes the same bytes to UTF-8 and
 * looks for nothing.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "exchange/bench/bench.h"
#include "exchange/demo/clinical.h"
#include "mappers/charset.h"
#include "mappers/hl7v2/lex.h"

#include "base/banned.h"

#define MESSAGES_MAX 200000u
#define BYTES_MAX (256u * LIMIT_MIB)
#define FIXED_DAY INT64_C(1793000000000) /* of the stories: the same bytes in every run */

struct corpus {
    struct buf bytes;
    size_t *ends; /* of message N in bytes */
    size_t count;
    struct buf decoded; /* of the floor, used again */
};

static enum err keep(void *context, const struct demo_person *person,
                     const struct demo_document *document)
{
    struct corpus *c = context;
    (void)person;
    if (document->kind != DEMO_HL7)
        return ERR_OK;
    if (c->count == MESSAGES_MAX)
        return ERR_LIMIT;
    buf_add(&c->bytes, document->bytes);
    c->ends[c->count++] = c->bytes.len;
    return buf_err(&c->bytes);
}

static enum err make_corpus(struct corpus *c, unsigned residents)
{
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    struct demo_person *people = NULL;
    enum err err = arena && c->ends ? people_make(arena, BENCH_SEED, residents, FIXED_DAY, &people)
                                    : ERR_LIMIT;
    for (unsigned i = 0; i < residents && !err; i++)
        err = clinical_emit(&people[i], FIXED_DAY, keep, c);
    arena_free(arena);
    return err;
}

static enum err lex(struct corpus *c, struct slice message)
{
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    struct err_list errors;
    struct hl7_message *m = NULL;
    (void)c;
    if (!arena)
        return ERR_LIMIT;
    err_list_init(&errors, arena);
    enum err err = hl7_lex(arena, message, &errors, &m);
    arena_free(arena);
    return err;
}

static enum err decode(struct corpus *c, struct slice message)
{
    buf_clear(&c->decoded);
    return charset_decode(CHARSET_ISO2022JP, message, &c->decoded, NULL);
}

/* WORK on all messages over and over for SECONDS. */
static enum err over_and_over(struct corpus *c, unsigned seconds,
                              enum err (*work)(struct corpus *c, struct slice message),
                              struct bench_figure *figure)
{
    double cpu = bench_seconds(CLOCK_THREAD_CPUTIME_ID), began = bench_seconds(CLOCK_MONOTONIC);
    double now = began;
    uint64_t bytes = 0;
    enum err err = ERR_OK;
    for (; !err && now - began < seconds; now = bench_seconds(CLOCK_MONOTONIC)) {
        size_t at = 0;
        for (size_t i = 0; i < c->count && !err; at = c->ends[i++])
            err = work(c, slice_sub(buf_slice(&c->bytes), at, c->ends[i] - at));
        bytes += c->bytes.len;
        figure->count += c->count;
    }
    cpu = bench_seconds(CLOCK_THREAD_CPUTIME_ID) -
          cpu; /* one thread, so that others on the machine do not matter */
    figure->rate = (double)bytes / 1e6 / cpu;
    figure->cpu_us = cpu * 1e6 / (double)figure->count;
    return err;
}

enum err bench_parser(const struct bench_site *site, struct bench_figure *ret_figure)
{
    struct bench_figure figure = {.name = "parser", .unit = "MB/s of ISO-2022-JP"};
    struct bench_figure floor = {.name = "decode"};
    struct corpus c = {.ends = calloc(MESSAGES_MAX, sizeof(*c.ends))};
    buf_init(&c.bytes, BYTES_MAX);
    buf_init(&c.decoded, LIMIT_MIB);
    enum err err = make_corpus(&c, site->residents);
    if (!err)
        err = over_and_over(&c, site->seconds, lex, &figure);
    if (!err)
        err = over_and_over(&c, site->seconds, decode, &floor);
    figure.floor_rate = floor.rate;
    figure.rss_mib = bench_rss_mib();
    buf_fini(&c.bytes);
    buf_fini(&c.decoded);
    free(c.ends);
    if (!err)
        *ret_figure = figure;
    return err;
}
