/* SPDX-License-Identifier: Apache-2.0
 *
 * See claims.h. Inner resources are found by their members' names: only Bundle.entry.resource and
 * Parameters.parameter.resource stand for themselves; contained ones are checked with their
 * container, where its profile says something of them.
 */
#include "mappers/fhir/claims.h"

#include "mappers/fhir/profile_impl.h"

#include "base/banned.h"

#define CORE "http://hl7.org/fhir/StructureDefinition/"

struct claims {
    const struct canonical_source *source;
    struct findings found;
};

bool claims_is_core(struct slice canonical, struct slice type)
{
    struct slice url = canonical_url(canonical);
    struct slice name = slice_sub(url, sizeof(CORE) - 1, url.len);
    return slice_starts(url, SLICE(CORE)) &&
           (slice_eq(name, type) || slice_is(name, "Resource") || slice_is(name, "DomainResource"));
}

static enum err check_claim(struct claims *c, const struct json *resource, struct slice canonical,
                            int64_t index, const struct place *at)
{
    struct place meta = {at, NULL, SLICE("meta"), PLACE_SINGLE};
    struct place place = {&meta, NULL, SLICE("profile"), index};
    struct json *profile = NULL;
    if (claims_is_core(canonical, json_str(resource, "resourceType")))
        return ERR_OK;
    enum err err =
        c->source->resolve(c->source->context, "StructureDefinition", canonical, &profile);
    if (!err)
        err = profile_check_at(resource, profile, c->source, at, c->found.errors);
    if (err == ERR_TOO_DEEP)
        err = ERR_NOT_SUPPORTED;
    if (err != ERR_NOT_FOUND && err != ERR_NOT_SUPPORTED)
        return err;
    findings_tell(&c->found, ERR_SEVERITY_WARNING, err, &place,
                  err == ERR_NOT_FOUND
                      ? "the profile is not stored here; not checked against it"
                      : "the stored profile cannot be used; not checked against it",
                  err == ERR_NOT_FOUND ? "プロファイルが保存されていないため、照合していません"
                                       : "保存されたプロファイルを使えないため、照合していません");
    return ERR_OK;
}

static enum err check_resource(struct claims *c, const struct json *resource,
                               const struct place *at)
{
    const struct json *claimed = json_path(resource, "meta", "profile", NULL);
    enum err first = ERR_OK;
    int64_t index = 0;
    for (const struct json *i = claimed ? claimed->first : NULL; i; i = i->next) {
        enum err err = check_claim(c, resource, i->text, index++, at);
        if (err == ERR_LIMIT)
            return err;
        first = first ? first : err;
    }
    return first;
}

/* The resources in LIST and in the lists of the same name below it. */
static enum err check_list(struct claims *c, const struct json *holder, const char *name,
                           const char *below, const struct place *at)
{
    const struct json *list = json_get(holder, name);
    struct place item = {at, NULL, slice_str(name), -1};
    enum err first = ERR_OK;
    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        const struct json *resource = json_get(i, "resource");
        struct place place = {&item, NULL, SLICE("resource"), PLACE_SINGLE};
        enum err err = ERR_OK;
        item.index++;
        if (resource)
            err = check_resource(c, resource, &place);
        if (!err && below)
            err = check_list(c, i, below, below, &item);
        if (err == ERR_LIMIT)
            return err;
        first = first ? first : err;
    }
    return first;
}

enum err claims_check(const struct json *resource, const struct canonical_source *source,
                      struct err_list *errors)
{
    struct claims c = {source, {.errors = errors}};
    struct slice type = json_str(resource, "resourceType");
    struct place root = {NULL, NULL, type, PLACE_SINGLE};
    enum err err = check_resource(&c, resource, &root);
    if (err == ERR_LIMIT)
        return err;
    enum err inner = ERR_OK;
    if (slice_is(type, "Bundle"))
        inner = check_list(&c, resource, "entry", NULL, &root);
    else if (slice_is(type, "Parameters"))
        inner = check_list(&c, resource, "parameter", "part", &root);
    return err ? err : inner;
}
