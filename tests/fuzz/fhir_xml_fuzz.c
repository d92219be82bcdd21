/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as FHIR XML, and as JSON to be printed as XML. What is read can be printed as JSON and
 * read back the same; what is valid R4 can be printed as XML that is read back as valid R4, and the
 * same after one more turn (a narrative may change once: comments before it go, HTML's entities
 * become characters).
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mappers/fhir/validate.h"
#include "mappers/fhir/xml_print.h"
#include "mappers/fhir/xml_read.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static bool is_valid(struct arena *arena, const struct json *resource)
{
    struct err_list errors;
    err_list_init(&errors, arena);
    return validate_resource(resource, SLICE_NONE, &errors) == ERR_OK;
}

/* RESOURCE through XML; NULL when the arena ran out. */
static struct json *turn(struct arena *arena, const struct json *resource, bool pretty)
{
    struct err_list errors;
    struct json *back = NULL;
    struct buf out;
    buf_init(&out, LIMIT_XML_BYTES);
    err_list_init(&errors, arena);
    must(xml_print_resource(&out, resource, pretty) == ERR_OK);
    enum err err = xml_read_resource(arena, buf_slice(&out), &back, &errors);
    must(err == ERR_OK || arena_exhausted(arena));
    buf_fini(&out);
    return arena_exhausted(arena) ? NULL : back;
}

static void check_valid(struct arena *arena, const struct json *resource)
{
    struct json *once = turn(arena, resource, true);
    struct json *twice = once ? turn(arena, once, false) : NULL;
    if (!twice)
        return;
    must(json_equal(once, twice));
    must(is_valid(arena, once) || arena_exhausted(arena));
}

static void check_json(struct arena *arena, const struct json *resource)
{
    struct json *back = NULL;
    struct json_fault fault;
    struct buf out;
    buf_init(&out, LIMIT_XML_BYTES);
    json_print(&out, resource);
    must(buf_err(&out) == ERR_OK);
    enum err err = json_parse(arena, buf_slice(&out), &back, &fault);
    must(err == ERR_OK || arena_exhausted(arena));
    must(err || json_equal(resource, back));
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *root = NULL;
    struct json_fault fault;
    struct err_list errors;
    struct arena *arena = arena_new(16 * LIMIT_MIB);
    must(arena != NULL);
    err_list_init(&errors, arena);
    if (size > 0 && data[0] == '{') {
        (void)!json_parse(arena, slice_of(data, size), &root, &fault);
    } else {
        enum err err = xml_read_resource(arena, slice_of(data, size), &root, &errors);
        must((err == ERR_OK) == (root != NULL));
        must(!err || errors.kept == 1 || arena_exhausted(arena));
        if (!err)
            check_json(arena, root);
    }
    if (root && is_valid(arena, root) && !arena_exhausted(arena))
        check_valid(arena, root);
    arena_free(arena);
    return 0;
}
