/* SPDX-License-Identifier: Apache-2.0
 *
 * See reference.h. A server's address in an absolute reference is recognised by its end, Type/id or
 * Type/id/_history/version, as R4's own regular expression for RESTful references does.
 */
#include "mappers/fhir/reference.h"

#include "mappers/fhir/definition.h"
#include "mappers/fhir/gen/targets.h"
#include "mappers/fhir/primitive.h"

#include "base/banned.h"

static bool is_resource_type(struct slice name)
{
    const struct definition_type *t = definition_type(name);
    return t && t->kind == DEFINITION_RESOURCE;
}

/* Type/id, Type/id/_history/version, Type?query of a transaction, or the mappers' own Patient/@. */
static bool is_relative(struct slice text, struct slice *ret_type)
{
    struct slice rest = text;
    size_t query = slice_find(text, '?', 0);
    if (query < text.len) {
        *ret_type = slice_sub(text, 0, query);
        return is_resource_type(*ret_type);
    }
    struct slice type = slice_cut(&rest, '/');
    if (!is_resource_type(type) || !rest.ptr)
        return false;
    struct slice id = slice_cut(&rest, '/');
    *ret_type = type;
    if (slice_is(id, "@"))
        return slice_is(type, "Patient") && !rest.ptr;
    if (!primitive_is_id(id))
        return false;
    if (!rest.ptr)
        return true;
    return slice_is(slice_cut(&rest, '/'), "_history") && primitive_is_id(rest);
}

bool reference_has_scheme(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (c == ':')
            return i > 0 && i + 1 < text.len;
        if (!letter && (i == 0 || (!(c >= '0' && c <= '9') && c != '+' && c != '-' && c != '.')))
            return false;
    }
    return false;
}

/* The part of TEXT after the last but N slashes: of a/b/c/d with 2, "c/d". Empty when it has fewer.
 */
static struct slice tail(struct slice text, unsigned slashes)
{
    size_t at = text.len;
    while (at > 0) {
        at--;
        if (text.ptr[at] == '/' && slashes-- == 1)
            return slice_sub(text, at + 1, text.len);
    }
    return SLICE_NONE;
}

static struct slice type_of_url(struct slice text)
{
    struct slice type = SLICE_NONE;
    if (!slice_starts(text, SLICE("http://")) && !slice_starts(text, SLICE("https://")))
        return SLICE_NONE;
    if (is_relative(tail(text, 2), &type) || is_relative(tail(text, 4), &type))
        return type;
    return SLICE_NONE;
}

enum reference_form reference_form(struct slice text, struct slice *ret_type)
{
    struct slice type = SLICE_NONE;
    *ret_type = SLICE_NONE;
    if (text.len > 0 && text.ptr[0] == '#')
        return REFERENCE_FRAGMENT;
    if (!primitive_is_uri(text))
        return REFERENCE_BAD;
    if (slice_starts(text, SLICE("urn:uuid:")))
        return primitive_is_uuid(text) ? REFERENCE_UUID : REFERENCE_BAD_URN;
    if (slice_starts(text, SLICE("urn:oid:")))
        return primitive_is_oid(text) ? REFERENCE_OID : REFERENCE_BAD_URN;
    if (reference_has_scheme(text)) {
        *ret_type = type_of_url(text);
        return REFERENCE_ABSOLUTE;
    }
    if (!is_relative(text, &type))
        return REFERENCE_BAD;
    *ret_type = type;
    return REFERENCE_RELATIVE;
}

const char *reference_targets(const char *type, const char *element)
{
    size_t lo = 0, hi = targets_count;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int order = strcmp(targets_table[mid].type, type);
        if (order == 0)
            order = strcmp(targets_table[mid].element, element);
        if (order == 0)
            return targets_table[mid].targets;
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

bool reference_may_target(const char *targets, struct slice name)
{
    struct slice rest = slice_str(targets);
    while (rest.ptr) {
        if (slice_eq(slice_cut(&rest, ' '), name))
            return true;
    }
    return false;
}
