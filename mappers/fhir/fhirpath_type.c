/* SPDX-License-Identifier: Apache-2.0
 *
 * FHIRPath's types: R4's with their derivation (R4 datatypes.html, fhirpath.html#types) and the
 * System types of literals. A name without a namespace is R4's first, then System's, so that
 * Boolean never means a FHIR boolean.
 */
#include "mappers/fhir/fhirpath_impl.h"

#include "base/banned.h"

/* Which type each derived one specialises; resources and backbones are told by their kind. */
static const struct {
    const char *name;
    const char *parent;
} derived[] = {
    {"Age", "Quantity"},
    {"Count", "Quantity"},
    {"Distance", "Quantity"},
    {"Duration", "Quantity"},
    {"canonical", "uri"},
    {"code", "string"},
    {"id", "string"},
    {"markdown", "string"},
    {"oid", "uri"},
    {"positiveInt", "integer"},
    {"unsignedInt", "integer"},
    {"url", "uri"},
    {"uuid", "uri"},
};

static const struct {
    const char *name;
    enum fhirpath_kind kind;
} system_types[] = {
    {"Boolean", FHIRPATH_BOOLEAN}, {"String", FHIRPATH_STRING},
    {"Integer", FHIRPATH_INTEGER}, {"Decimal", FHIRPATH_DECIMAL},
    {"Date", FHIRPATH_DATE},       {"DateTime", FHIRPATH_DATE_TIME},
    {"Time", FHIRPATH_TIME},       {"Quantity", FHIRPATH_QUANTITY},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool find_fhir(struct slice name, struct fhirpath_type *ret_type)
{
    static const char *const abstract[] = {"Resource", "DomainResource"};
    struct fhirpath_type type = {definition_type(name), NULL, FHIRPATH_OBJECT};
    for (size_t i = 0; i < COUNT(abstract) && !type.abstract; i++) {
        if (slice_is(name, abstract[i]))
            type.abstract = abstract[i];
    }
    if (!type.fhir && !type.abstract)
        return false;
    *ret_type = type;
    return true;
}

static bool find_system(struct slice name, struct fhirpath_type *ret_type)
{
    for (size_t i = 0; i < COUNT(system_types); i++) {
        if (slice_is(name, system_types[i].name)) {
            *ret_type = (struct fhirpath_type){NULL, NULL, system_types[i].kind};
            return true;
        }
    }
    return false;
}

bool fhirpath_type_find(struct slice space, struct slice name, struct fhirpath_type *ret_type)
{
    if (slice_is(space, "FHIR"))
        return find_fhir(name, ret_type);
    if (slice_is(space, "System"))
        return find_system(name, ret_type);
    return space.len == 0 && (find_fhir(name, ret_type) || find_system(name, ret_type));
}

static const struct definition_type *parent_of(const struct definition_type *type)
{
    for (size_t i = 0; i < COUNT(derived); i++) {
        if (strcmp(type->name, derived[i].name) == 0)
            return definition_type(slice_str(derived[i].parent));
    }
    if (type->kind == DEFINITION_BACKBONE)
        return definition_type(SLICE("BackboneElement"));
    if (type->kind == DEFINITION_RESOURCE || strcmp(type->name, "Element") == 0)
        return NULL;
    return definition_type(SLICE("Element"));
}

static bool is_abstract(const struct definition_type *type, const char *abstract)
{
    static const char *const plain[] = {"Binary", "Bundle", "Parameters"};
    if (type->kind != DEFINITION_RESOURCE)
        return false;
    for (size_t i = 0; i < COUNT(plain); i++) {
        if (strcmp(type->name, plain[i]) == 0)
            return strcmp(abstract, "Resource") == 0;
    }
    return true;
}

bool fhirpath_type_is(const struct fhirpath_value *value, const struct fhirpath_type *type)
{
    const struct definition_type *at = value->type;
    if (!type->fhir && !type->abstract)
        return !at && value->kind == type->system && value->kind != FHIRPATH_OBJECT;
    if (at && type->abstract)
        return is_abstract(at, type->abstract);
    while (at && at != type->fhir)
        at = parent_of(at);
    return at != NULL;
}

bool fhirpath_type_is_quantity(const struct definition_type *type)
{
    const struct definition_type *quantity = definition_type(SLICE("Quantity"));
    return type &&
           (type == quantity || (type->kind == DEFINITION_COMPLEX && parent_of(type) == quantity));
}
