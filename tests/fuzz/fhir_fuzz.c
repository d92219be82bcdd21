/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a FHIR resource: parse, validate, make search rows, classify, walk the references,
 * print an answer. The answer must itself be valid R4, and rows must hold their invariants whatever
 * came in.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "mappers/fhir/classify.h"
#include "mappers/fhir/facets.h"
#include "mappers/fhir/outcome.h"
#include "mappers/fhir/validate.h"
#include "mappers/fhir/words.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static enum err count_reference(void *context, struct json *reference, const char *place)
{
    size_t *count = context;
    must(reference->kind == JSON_OBJECT && place && *place);
    return ++*count < 10000 ? ERR_OK : ERR_LIMIT;
}

static void check_rows(struct arena *arena, const struct json *root)
{
    struct facet_list facets = {NULL, 0};
    enum err err = facets_extract(arena, root, &facets);
    must(err == ERR_OK || err == ERR_TOO_LARGE || err == ERR_LIMIT);
    must(facets.count <= LIMIT_FACETS);
    for (size_t i = 0; i < facets.count; i++) {
        const struct facet *f = &facets.items[i];
        must(f->text.len <= LIMIT_FACET_TEXT * 2 && f->system.len <= LIMIT_FACET_TEXT);
        must(f->kind != FACET_DATE || f->lo_ms <= f->hi_ms);
        must((f->kind != FACET_NUMBER && f->kind != FACET_QUANTITY) || f->lo == f->lo);
        must(f->kind != FACET_STRING || (f->text.len > 0 && slice_is_utf8(f->text)));
    }
}

static void check_words(struct arena *arena, const struct json *root)
{
    struct slice words = SLICE_NONE;
    struct slice content = SLICE_NONE;
    enum err err = words_extract(arena, root, &words, &content);
    must(err == ERR_OK || err == ERR_LIMIT);
    must(slice_is_utf8(words) && slice_is_utf8(content) && words.len <= content.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *root = NULL;
    struct json_fault fault = {0};
    struct err_list errors;
    struct err_list again;
    struct classify class;
    size_t references = 0;
    struct arena *arena = arena_new(16 * LIMIT_MIB);
    must(arena != NULL);
    err_list_init(&errors, arena);
    err_list_init(&again, arena);
    if (json_parse(arena, slice_of(data, size), &root, &fault) == ERR_OK) {
        enum err err = validate_resource(root, SLICE_NONE, &errors);
        must(arena_exhausted(arena) || (err == ERR_OK) == (errors.errors == 0));
        const struct json *outcome = outcome_json(arena, err, &errors);
        must(arena_exhausted(arena) || validate_resource(outcome, SLICE_NONE, &again) == ERR_OK);
        check_rows(arena, root);
        check_words(arena, root);
        classify_resource(root, &class);
        must(class.when.lo_ms <= class.when.hi_ms);
        (void)!classify_references(root, arena, count_reference, &references);
    }
    arena_free(arena);
    return 0;
}
