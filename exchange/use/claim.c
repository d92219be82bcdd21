/* SPDX-License-Identifier: Apache-2.0
 *
 * Claims about who a patient is, folded for comparison (see claim.h).
 */
#include "exchange/use/claim.h"

#include "exchange/gate/refs.h"
#include "mappers/fhir/fold.h"

#include "base/banned.h"

#define EXT_REPRESENTATION "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"

struct slice claim_card(struct arena *arena, struct slice text)
{
    struct slice folded = fold_name(arena, text);
    char *digits = arena_alloc(arena, folded.len + 1);
    size_t n = 0;
    for (size_t i = 0; digits && i < folded.len; i++)
        if (folded.ptr[i] != '-')
            digits[n++] = folded.ptr[i];
    return slice_of(digits, digits ? n : 0);
}

static void claim_insured(struct arena *arena, struct slice value, struct person_claim *claim)
{
    struct slice rest = value;
    claim->insurer = fold_name(arena, slice_cut(&rest, ':'));
    claim->symbol = fold_name(arena, slice_cut(&rest, ':'));
    claim->number = fold_name(arena, slice_cut(&rest, ':'));
    claim->branch = fold_name(arena, slice_cut(&rest, ':'));
}

static void claim_identifier(struct request *r, const struct json *identifier,
                             struct person_claim *claim)
{
    struct slice system = json_str(identifier, "system");
    struct slice value = json_str(identifier, "value");
    struct slice local = SLICE(REFS_SYSTEM_LOCAL);
    if (slice_is(system, REFS_SYSTEM_CARD))
        claim->card = claim_card(r->arena, value);
    else if (slice_is(system, REFS_SYSTEM_INSURED))
        claim_insured(r->arena, value, claim);
    else if (slice_starts(system, local) &&
             slice_eq(slice_sub(system, local.len, system.len), r->caller.facility.code))
        claim->local_no = slice_trim(value);
}

static struct slice representation(const struct json *name)
{
    const struct json *ext = json_get(name, "extension");
    for (const struct json *e = ext ? ext->first : NULL; e; e = e->next)
        if (slice_is(json_str(e, "url"), EXT_REPRESENTATION))
            return json_str(e, "valueCode");
    return SLICE_NONE;
}

static struct slice whole_name(struct arena *arena, const struct json *name)
{
    struct json *given = json_path(name, "given", "0", NULL);
    struct slice family = json_str(name, "family");
    if (!family.len)
        return fold_name(arena, json_str(name, "text"));
    const char *both = arena_printf(arena, "%.*s%.*s", SLICE_ARG(family),
                                    SLICE_ARG(given ? given->text : SLICE_NONE));
    return fold_name(arena, slice_str(both));
}

enum err claim_from_patient(struct request *r, const struct json *patient,
                            struct person_claim *ret_claim)
{
    struct person_claim claim = {0};
    const struct json *ids = json_get(patient, "identifier");
    const struct json *names = json_get(patient, "name");
    for (const struct json *i = ids ? ids->first : NULL; i; i = i->next)
        claim_identifier(r, i, &claim);
    for (const struct json *n = names ? names->first : NULL; n; n = n->next) {
        struct slice *target = slice_is(representation(n), "SYL") ? &claim.kana : &claim.name;
        if (!target->len)
            *target = whole_name(r->arena, n);
    }
    claim.birth_date = json_str(patient, "birthDate");
    claim.gender = json_str(patient, "gender");
    if (arena_exhausted(r->arena))
        return ERR_LIMIT;
    *ret_claim = claim;
    return ERR_OK;
}

enum err claim_from_mapped(struct arena *arena, const struct mapped_patient *p,
                           struct person_claim *ret_claim)
{
    struct person_claim claim = {
        .local_no = p->local_no,
        .card = claim_card(arena, p->card),
        .insurer = fold_name(arena, p->insurer),
        .symbol = fold_name(arena, p->symbol),
        .number = fold_name(arena, p->number),
        .branch = fold_name(arena, p->branch),
        .name = fold_name(arena, p->name),
        .kana = fold_name(arena, p->kana),
        .birth_date = p->birth_date,
        .gender = p->gender,
    };
    if (arena_exhausted(arena))
        return ERR_LIMIT;
    *ret_claim = claim;
    return ERR_OK;
}
