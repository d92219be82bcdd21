/* SPDX-License-Identifier: Apache-2.0
 *
 * The one table of FHIR routes. A path without a row is refused; a new row needs a use, and a use
 * says who may use it, so no route can be without an authorisation.
 */
#include "exchange/door/fhir.h"

#include "mappers/fhir/definition.h"

#include "base/banned.h"

const struct fhir_route fhir_routes[] = {
    {"POST", FHIR_ROOT, NULL, NULL, "transaction batch", &fhir_use_bundle, NULL},
    {"GET", FHIR_SYSTEM, NULL, "metadata", NULL, &fhir_use_capability, NULL},
    {"GET", FHIR_SYSTEM, NULL, "openapi.json", NULL, &fhir_use_openapi, NULL},
    /* The audit record has its own reader, and no writer. */
    {"GET", FHIR_TYPE, "AuditEvent", NULL, "search-type", &fhir_use_audit_search,
     "action address agent agent-name agent-role altid date entity entity-name entity-role "
     "entity-type outcome patient policy site source subtype type"},
    {"POST", FHIR_TYPE_SEARCH, "AuditEvent", NULL, NULL, &fhir_use_audit_search, NULL},
    {"GET", FHIR_INSTANCE, "AuditEvent", NULL, "read", &fhir_use_audit_read, NULL},
    {"POST", FHIR_TYPE, "AuditEvent", NULL, NULL, NULL, NULL},
    {"PUT", FHIR_INSTANCE, "AuditEvent", NULL, "update", &fhir_use_update, NULL},
    {"PUT", FHIR_TYPE, "AuditEvent", NULL, NULL, NULL, NULL},
    {"PATCH", FHIR_INSTANCE, "AuditEvent", NULL, NULL, NULL, NULL},
    {"PATCH", FHIR_TYPE, "AuditEvent", NULL, NULL, NULL, NULL},
    {"DELETE", FHIR_TYPE, "AuditEvent", NULL, NULL, NULL, NULL},
    {"DELETE", FHIR_INSTANCE, "AuditEvent", NULL, NULL, NULL, NULL},
    {"GET", FHIR_VERSION, "AuditEvent", NULL, NULL, NULL, NULL},
    {"GET", FHIR_INSTANCE_HISTORY, "AuditEvent", NULL, NULL, NULL, NULL},
    {"GET", FHIR_TYPE_HISTORY, "AuditEvent", NULL, NULL, NULL, NULL},
    /* Every other type. */
    {"GET", FHIR_TYPE, NULL, NULL, "search-type", &fhir_use_search, NULL},
    {"POST", FHIR_TYPE_SEARCH, NULL, NULL, NULL, &fhir_use_search, NULL},
    {"GET", FHIR_ROOT, NULL, NULL, "search-system", &fhir_use_search, NULL},
    {"POST", FHIR_SYSTEM_SEARCH, NULL, NULL, NULL, &fhir_use_search, NULL},
    {"GET", FHIR_COMPARTMENT, NULL, NULL, NULL, &fhir_use_search, NULL},
    {"POST", FHIR_COMPARTMENT_SEARCH, NULL, NULL, NULL, &fhir_use_search, NULL},
    {"POST", FHIR_TYPE, NULL, NULL, "create conditional-create", &fhir_use_create, NULL},
    {"GET", FHIR_INSTANCE, NULL, NULL, "read conditional-read", &fhir_use_read, NULL},
    {"PUT", FHIR_INSTANCE, NULL, NULL, "update update-create versioned-update", &fhir_use_update,
     NULL},
    {"DELETE", FHIR_INSTANCE, NULL, NULL, "delete", &fhir_use_delete, NULL},
    {"PATCH", FHIR_INSTANCE, NULL, NULL, "patch", &fhir_use_patch, NULL},
    {"PUT", FHIR_TYPE, NULL, NULL, "conditional-update", &fhir_use_update_conditional, NULL},
    {"PATCH", FHIR_TYPE, NULL, NULL, "conditional-patch", &fhir_use_patch, NULL},
    {"DELETE", FHIR_TYPE, NULL, NULL, "conditional-delete", &fhir_use_delete_conditional, NULL},
    {"GET", FHIR_VERSION, NULL, NULL, "vread read-history", &fhir_use_vread, NULL},
    {"GET", FHIR_INSTANCE_HISTORY, NULL, NULL, "history-instance", &fhir_use_history, NULL},
    {"GET", FHIR_TYPE_HISTORY, NULL, NULL, "history-type", &fhir_use_history_type, NULL},
    {"GET", FHIR_SYSTEM_HISTORY, NULL, NULL, "history-system", &fhir_use_history_system, NULL},
    /* Operations. */
    {"POST", FHIR_TYPE_OPERATION, "Patient", "match", NULL, &fhir_use_match, NULL},
    {"POST", FHIR_TYPE_OPERATION, "Patient", "break-glass", NULL, &fhir_use_break_glass, NULL},
    {"GET", FHIR_INSTANCE_OPERATION, "Patient", "summary", NULL, &fhir_use_summary, NULL},
    {"POST", FHIR_INSTANCE_OPERATION, "Patient", "summary", NULL, &fhir_use_summary, NULL},
    {"GET", FHIR_INSTANCE_OPERATION, "Patient", "everything", NULL, &fhir_use_everything, NULL},
    {"GET", FHIR_INSTANCE_OPERATION, "Patient", "access-history", NULL, &fhir_use_access_history,
     NULL},
    {"GET", FHIR_INSTANCE_OPERATION, "Patient", "explain-access", NULL, &fhir_use_explain_access,
     NULL},
    {"POST", FHIR_INSTANCE_OPERATION, "Patient", "everything", NULL, &fhir_use_everything, NULL},
    {"GET", FHIR_INSTANCE_OPERATION, "Encounter", "everything", NULL,
     &fhir_use_encounter_everything, NULL},
    {"POST", FHIR_INSTANCE_OPERATION, "Encounter", "everything", NULL,
     &fhir_use_encounter_everything, NULL},
    {"GET", FHIR_TYPE_OPERATION, "Patient", "ihe-pix", NULL, &fhir_use_pix, NULL},
    {"POST", FHIR_TYPE_OPERATION, "Patient", "ihe-pix", NULL, &fhir_use_pix, NULL},
    {"GET", FHIR_TYPE_OPERATION, "Observation", "lastn", NULL, &fhir_use_lastn, NULL},
    {"POST", FHIR_TYPE_OPERATION, "Observation", "lastn", NULL, &fhir_use_lastn, NULL},
    {"GET", FHIR_INSTANCE_OPERATION, "Composition", "document", NULL, &fhir_use_document, NULL},
    {"POST", FHIR_INSTANCE_OPERATION, "Composition", "document", NULL, &fhir_use_document, NULL},
    {"GET", FHIR_SYSTEM_OPERATION, NULL, "meta", NULL, &fhir_use_meta_all, NULL},
    {"GET", FHIR_TYPE_OPERATION, NULL, "meta", NULL, &fhir_use_meta_all, NULL},
    {"GET", FHIR_INSTANCE_OPERATION, NULL, "meta", NULL, &fhir_use_meta, NULL},
    {"GET", FHIR_VERSION_OPERATION, NULL, "meta", NULL, &fhir_use_meta, NULL},
    {"POST", FHIR_INSTANCE_OPERATION, NULL, "meta-add", NULL, &fhir_use_meta_add, NULL},
    {"POST", FHIR_INSTANCE_OPERATION, NULL, "meta-delete", NULL, &fhir_use_meta_delete, NULL},
    {"POST", FHIR_SYSTEM_OPERATION, NULL, "convert", NULL, &fhir_use_convert, NULL},
    {"POST", FHIR_TYPE_OPERATION, NULL, "validate", NULL, &fhir_use_validate, NULL},
    {"GET", FHIR_INSTANCE_OPERATION, NULL, "validate", NULL, &fhir_use_validate, NULL},
    {"POST", FHIR_INSTANCE_OPERATION, NULL, "validate", NULL, &fhir_use_validate, NULL},
    {"GET", FHIR_TYPE_OPERATION, "ValueSet", "expand", NULL, &fhir_use_expand, NULL},
    {"POST", FHIR_TYPE_OPERATION, "ValueSet", "expand", NULL, &fhir_use_expand, NULL},
    {"GET", FHIR_INSTANCE_OPERATION, "ValueSet", "expand", NULL, &fhir_use_expand, NULL},
    {"POST", FHIR_INSTANCE_OPERATION, "ValueSet", "expand", NULL, &fhir_use_expand, NULL},
    {"GET", FHIR_TYPE_OPERATION, "ValueSet", "validate-code", NULL, &fhir_use_set_validate_code,
     NULL},
    {"POST", FHIR_TYPE_OPERATION, "ValueSet", "validate-code", NULL, &fhir_use_set_validate_code,
     NULL},
    {"GET", FHIR_INSTANCE_OPERATION, "ValueSet", "validate-code", NULL, &fhir_use_set_validate_code,
     NULL},
    {"POST", FHIR_INSTANCE_OPERATION, "ValueSet", "validate-code", NULL,
     &fhir_use_set_validate_code, NULL},
    {"GET", FHIR_TYPE_OPERATION, "CodeSystem", "validate-code", NULL,
     &fhir_use_system_validate_code, NULL},
    {"POST", FHIR_TYPE_OPERATION, "CodeSystem", "validate-code", NULL,
     &fhir_use_system_validate_code, NULL},
    {"GET", FHIR_TYPE_OPERATION, "CodeSystem", "lookup", NULL, &fhir_use_lookup, NULL},
    {"POST", FHIR_TYPE_OPERATION, "CodeSystem", "lookup", NULL, &fhir_use_lookup, NULL},
    {"GET", FHIR_INSTANCE_OPERATION, "Subscription", "events", NULL, &fhir_use_events, NULL},
    {"GET", FHIR_SYSTEM_OPERATION, NULL, "export", NULL, &fhir_use_export, NULL},
    {"POST", FHIR_SYSTEM_OPERATION, NULL, "export", NULL, &fhir_use_export, NULL},
    {"GET", FHIR_TYPE_OPERATION, "Patient", "export", NULL, &fhir_use_export, NULL},
    {"POST", FHIR_TYPE_OPERATION, "Patient", "export", NULL, &fhir_use_export, NULL},
    {"GET", FHIR_INSTANCE_OPERATION, "Group", "export", NULL, &fhir_use_export, NULL},
    {"POST", FHIR_INSTANCE_OPERATION, "Group", "export", NULL, &fhir_use_export, NULL},
    {"GET", FHIR_SYSTEM_JOB, NULL, "export", NULL, &fhir_use_export_status, NULL},
    {"DELETE", FHIR_SYSTEM_JOB, NULL, "export", NULL, &fhir_use_export_cancel, NULL},
    {"GET", FHIR_SYSTEM_FILE, NULL, "export", NULL, &fhir_use_export_file, NULL},
    {NULL, FHIR_SYSTEM, NULL, NULL, NULL, NULL, NULL},
};

static bool matches_place(const struct fhir_route *row, enum fhir_shape shape, struct slice type,
                          struct slice name)
{
    if (row->shape != shape)
        return false;
    if (row->name ? !slice_is(name, row->name) : name.len > 0)
        return false;
    return !row->type || slice_is(type, row->type);
}

const struct fhir_route *fhir_route_find(struct slice method, enum fhir_shape shape,
                                         struct slice type, struct slice name, enum err *ret_err)
{
    bool place_known = false;
    if (slice_is(method, "HEAD"))
        method = SLICE("GET");
    if (type.len) {
        const struct definition_type *t = definition_type(type);
        if (!t || t->kind != DEFINITION_RESOURCE) {
            *ret_err = ERR_UNKNOWN_TYPE;
            return NULL;
        }
    }
    for (const struct fhir_route *row = fhir_routes; row->method; row++) {
        if (!matches_place(row, shape, type, name))
            continue;
        place_known = true;
        if (slice_is(method, row->method)) {
            *ret_err = row->use ? ERR_OK : ERR_METHOD;
            return row->use ? row : NULL;
        }
    }
    *ret_err = place_known ? ERR_METHOD : ERR_NOT_FOUND;
    return NULL;
}

struct slice fhir_route_allow(struct arena *arena, const struct fhir_input *input)
{
    const char *text = "";
    for (const struct fhir_route *row = fhir_routes; row->method; row++) {
        if (!row->use || !matches_place(row, input->shape, input->type, input->name))
            continue;
        if (!row->type && slice_is(input->type, "AuditEvent"))
            continue; /* it has rows of its own */
        text = arena_printf(arena, "%s%s%s%s", text, *text ? ", " : "", row->method,
                            strcmp(row->method, "GET") == 0 ? ", HEAD" : "");
    }
    return slice_str(text);
}
