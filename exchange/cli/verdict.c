/* SPDX-License-Identifier: Apache-2.0
 *
 * Verdicts of the mappers, in the order of exchange/use/intake.c and of a FHIR create.
 */
#include "exchange/cli/verdict.h"

#include "base/ids.h"
#include "base/when.h"
#include "mappers/fhir/validate.h"
#include "mappers/fhir/xml_read.h"
#include "mappers/hl7v2/map.h"
#include "mappers/hl7v2/merge.h"
#include "mappers/hl7v2/query.h"

#include "base/banned.h"

/* Ids of the right shape, the same each time; not those of a server, which are keyed. */
static void sample_id(void *context, const char *type, struct slice local_no, struct slice key,
                      char ret_id[37])
{
    static const unsigned char no_key[32];
    struct slice parts[] = {local_no, key};

    (void)context;
    ids_keyed(no_key, type, parts, 2, ret_id);
}

/* A query is answered, not mapped. */
static enum err verdict_query(const struct hl7_message *message, const struct hl7_header *header,
                              struct err_list *errors)
{
    struct hl7_query query;

    return hl7_is_query_end(header) ? ERR_OK : hl7_query_parse(message, errors, &query);
}

enum err verdict_message(const struct hl7_message *message, const struct ssmix2_path *path,
                         struct err_list *errors, struct mapped **ret_mapped)
{
    struct mapper_env env = {.facility_code = SLICE("0000000000"),
                             .facility_name = SLICE("-"),
                             .now_ms = clock_system.now_ms(&clock_system),
                             .id_of = sample_id};
    struct mapped *mapped = NULL;
    struct hl7_merge merge = {.kind = MERGE_NONE};
    struct hl7_header header;
    enum err err = hl7_check(message, errors);

    hl7_header_of(message, &header);
    if (!err && !path && !ret_mapped && (hl7_is_query(&header) || hl7_is_query_end(&header)))
        return verdict_query(message, &header, errors);
    if (!err)
        err = hl7_merge_parse(message, errors, &merge);
    if (!err && path)
        err = ssmix2_agree(path, message, errors);
    if (!err)
        err = hl7_map(message, &env, errors, &mapped);
    if (!err && ret_mapped)
        *ret_mapped = mapped;
    return err;
}

enum err verdict_hl7(struct arena *arena, struct slice bytes, struct err_list *errors,
                     struct mapped **ret_mapped)
{
    struct hl7_message *message = NULL;
    enum err err = hl7_lex(arena, bytes, errors, &message);

    return err ? err : verdict_message(message, NULL, errors, ret_mapped);
}

bool verdict_is_xml(struct slice bytes)
{
    struct slice mark = SLICE("\xEF\xBB\xBF");

    if (slice_starts(bytes, mark))
        bytes = slice_sub(bytes, mark.len, bytes.len);
    return slice_starts(slice_trim(bytes), SLICE("<"));
}

enum err verdict_parse(struct arena *arena, struct slice bytes, struct err_list *errors,
                       struct json **ret_resource)
{
    struct json_fault fault = {0};

    if (verdict_is_xml(bytes))
        return xml_read_resource(arena, bytes, ret_resource, errors);
    enum err err = json_parse(arena, bytes, ret_resource, &fault);
    if (!err)
        return ERR_OK;
    const char *place = arena_printf(arena, "%u:%u", fault.line, fault.column);
    return err_say(errors, ERR_SEVERITY_ERROR, err, place ? place : "",
                   fault.en ? fault.en : err_en(err), fault.ja ? fault.ja : err_ja(err));
}

enum err verdict_fhir(struct arena *arena, struct slice bytes, struct err_list *errors,
                      struct json **ret_resource)
{
    struct json *resource = NULL;
    enum err err = verdict_parse(arena, bytes, errors, &resource);

    if (err)
        return err;
    err = validate_resource(resource, SLICE_NONE, errors);
    if (!err && ret_resource)
        *ret_resource = resource;
    return err;
}
