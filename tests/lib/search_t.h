/* SPDX-License-Identifier: Apache-2.0
 *
 * Short ways to write a tree of filters in a test, and to read its answer. Include after
 * store_fixture.h. Arrays are compound literals: they live as long as the block they stand in.
 */
#ifndef TESTS_LIB_SEARCH_T_H
#define TESTS_LIB_SEARCH_T_H

#define S_ARRAY(type, ...)                                                                         \
    (const type[]){__VA_ARGS__}, sizeof((const type[]){__VA_ARGS__}) / sizeof(type)
#define S_LIST(...) ((struct search_list){S_ARRAY(struct search_filter, __VA_ARGS__)})
#define S_GROUPS(...)                                                                              \
    .groups = (const struct search_list[]){__VA_ARGS__},                                           \
    .group_count = sizeof((const struct search_list[]){__VA_ARGS__}) / sizeof(struct search_list)
#define S_VALUES(...)                                                                              \
    .values = (const struct search_value[]){__VA_ARGS__},                                          \
    .value_count =                                                                                 \
        sizeof((const struct search_value[]){__VA_ARGS__}) / sizeof(struct search_value)
#define S_IDS(...)                                                                                 \
    .ids = (const struct slice[]){__VA_ARGS__},                                                    \
    .id_count = sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice)
#define S_PERSONS(...)                                                                             \
    .persons = (const int64_t[]){__VA_ARGS__},                                                     \
    .person_count = sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)

#define S_TERM(p, ...)                                                                             \
    ((struct search_filter){.kind = SEARCH_TERM, .term = {.param = (p), S_VALUES(__VA_ARGS__)}})
#define S_NOT(p, ...)                                                                              \
    ((struct search_filter){.kind = SEARCH_TERM,                                                   \
                            .term = {.param = (p), .none = true, S_VALUES(__VA_ARGS__)}})
#define S_MISSING(p, yes)                                                                          \
    ((struct search_filter){.kind = SEARCH_TERM,                                                   \
                            .term = {.param = (p), .missing = true, .none = !(yes)}})
#define S_CHAIN(p, type, ...)                                                                      \
    ((struct search_filter){                                                                       \
        .kind = SEARCH_CHAIN, .param = (p), S_IDS(SLICE(type)), S_GROUPS(S_LIST(__VA_ARGS__))})
#define S_HAS(p, type, ...)                                                                        \
    ((struct search_filter){                                                                       \
        .kind = SEARCH_HAS, .param = (p), S_IDS(SLICE(type)), S_GROUPS(S_LIST(__VA_ARGS__))})
#define S_ANY(...) ((struct search_filter){.kind = SEARCH_ANY, S_GROUPS(__VA_ARGS__)})
#define S_OF(p, ...)                                                                               \
    ((struct search_filter){.kind = SEARCH_PERSONS, .param = (p), S_PERSONS(__VA_ARGS__)})
#define S_WORDS(p, t)                                                                              \
    ((struct search_filter){.kind = SEARCH_WORDS, .param = (p), .value = {.text = SLICE(t)}})
#define S_UPDATED(o, lo, hi)                                                                       \
    ((struct search_filter){.kind = SEARCH_UPDATED,                                                \
                            .value = {.kind = FACET_DATE, .op = (o), .when = {(lo), (hi)}}})

#define V_TOKEN(s, c)                                                                              \
    ((struct search_value){.kind = FACET_TOKEN, .system = SLICE(s), .text = SLICE(c)})
#define V_CODE(c) ((struct search_value){.kind = FACET_TOKEN, .any_system = true, .text = SLICE(c)})
#define V_STRING(o, t)                                                                             \
    ((struct search_value){.kind = FACET_STRING, .op = (o), .text = SLICE(t), .raw = SLICE(t)})
#define V_DATE(o, l, h) ((struct search_value){.kind = FACET_DATE, .op = (o), .when = {(l), (h)}})
#define V_NUMBER(o, l, e, h)                                                                       \
    ((struct search_value){.kind = FACET_QUANTITY,                                                 \
                           .op = (o),                                                              \
                           .any_system = true,                                                     \
                           .lo = (l),                                                              \
                           .exact = (e),                                                           \
                           .hi = (h)})
#define V_REFERENCE(t) ((struct search_value){.kind = FACET_REFERENCE, .text = SLICE(t)})
#define V_URI(o, t) ((struct search_value){.kind = FACET_URI, .op = (o), .text = SLICE(t)})

/* Ids in answer order, joined by blanks. */
static inline const char *search_t_ids(struct fixture *f, const struct search_result *result)
{
    char *text = arena_printf(f->arena, "%s", "");
    for (size_t i = 0; i < result->count; i++)
        text = arena_printf(f->arena, "%s%s%.*s", text, i ? " " : "",
                            SLICE_ARG(result->records[i].id));
    return text;
}

static inline int search_t_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The words of TEXT in order: an answer without _sort comes by number, that is by chart. */
static inline const char *search_t_sorted(struct fixture *f, const char *text)
{
    const char *words[512];
    size_t count = 0;
    char *copy = arena_printf(f->arena, "%s", text), *out = arena_printf(f->arena, "%s", "");
    for (char *save = NULL, *word = strtok_r(copy, " ", &save); word && count < T_COUNT(words);
         word = strtok_r(NULL, " ", &save))
        words[count++] = word;
    qsort(words, count, sizeof words[0], search_t_compare);
    for (size_t i = 0; i < count; i++)
        out = arena_printf(f->arena, "%s%s%s", out, i ? " " : "", words[i]);
    return out;
}

#endif
