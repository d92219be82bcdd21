/* SPDX-License-Identifier: Apache-2.0
 *
 * PID to identity and Patient (JP_Patient). PID-3: the first number without a type or of type PI or
 * MR is the institution's own; a repetition assigned by TASUKI (or of type JHC) is the regional
 * card. A number of another type stays an identifier of the institution. Nothing is matched here,
 * only stated.
 */
#include "mappers/hl7v2/pid.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/extend.h"
#include "mappers/hl7v2/family.h"
#include "mappers/hl7v2/in1.h"
#include "mappers/hl7v2/nk1.h"
#include "mappers/hl7v2/terms.h"
#include "mappers/hl7v2/xad.h"
#include "mappers/hl7v2/xpn.h"
#include "base/banned.h"

#define CARD_SYSTEM "urn:tasuki:clinic-card"
#define CARD_DIGITS 12u
#define LOCAL_OID "urn:oid:1.2.392.100495.20.3.51.1"

enum number_kind { NUMBER_LOCAL, NUMBER_CARD, NUMBER_OTHER };

static bool is_card_authority(struct mapping *mp, struct slice authority)
{
    for (unsigned s = 1; s <= 3; s++) {
        struct slice part = mapping_clean(mp, hl7_sub(mp->m, authority, s));
        if (slice_is(part, CARD_SYSTEM) || slice_is(part, "TASUKI"))
            return true;
    }
    return false;
}

static enum number_kind kind_of(struct mapping *mp, struct slice cx)
{
    struct slice type = mapping_part(mp, cx, 5);

    if (slice_is(type, "JHC") || is_card_authority(mp, hl7_component(mp->m, cx, 4)))
        return NUMBER_CARD;
    if (type.len == 0 || slice_is(type, "PI") || slice_is(type, "MR"))
        return NUMBER_LOCAL;
    return NUMBER_OTHER;
}

static struct slice digits_only(struct mapping *mp, struct slice text)
{
    char *out = arena_alloc(mp->a, text.len + 1);
    size_t len = 0;

    for (size_t i = 0; out && i < text.len; i++) {
        if (text.ptr[i] >= '0' && text.ptr[i] <= '9')
            out[len++] = text.ptr[i];
        else if (text.ptr[i] != '-' && text.ptr[i] != ' ')
            return SLICE_NONE;
    }
    return slice_of(out, len);
}

static void read_card(struct mapping *mp, const struct hl7_segment *pid, struct slice text)
{
    struct slice card = digits_only(mp, text);

    if (card.len == CARD_DIGITS && mp->out->patient.card.len == 0)
        mp->out->patient.card = card;
    else if (card.len != CARD_DIGITS)
        mapping_warn(mp, pid, 3, 1, "the clinic card number is not 12 digits and was left out",
                     "診察券番号が12桁の数字でないため除きました");
}

static void read_numbers(struct mapping *mp, const struct hl7_segment *pid)
{
    struct slice field = hl7_field(pid, 3);
    unsigned count = hl7_repeats(mp->m, field);

    for (unsigned r = 0; r < count; r++) {
        struct slice cx = hl7_repeat(mp->m, field, r);
        struct slice number = mapping_part(mp, cx, 1);
        enum number_kind kind = kind_of(mp, cx);

        if (number.len == 0)
            continue;
        if (kind == NUMBER_CARD)
            read_card(mp, pid, number);
        else if (kind == NUMBER_LOCAL && mp->out->patient.local_no.len == 0)
            mp->out->patient.local_no = number;
    }
}

static void read_names(struct mapping *mp, const struct hl7_segment *pid)
{
    struct mapped_patient *p = &mp->out->patient;
    struct slice field = hl7_field(pid, 5);
    unsigned count = hl7_repeats(mp->m, field);

    for (unsigned r = 0; r < count; r++) {
        struct slice xpn = hl7_repeat(mp->m, field, r);
        const char *script = xpn_script(mp, xpn);
        struct slice *into = script && strcmp(script, "SYL") == 0 ? &p->kana : &p->name;

        if (into->len == 0)
            *into = xpn_text(mp, xpn);
    }
}

enum err pid_identify(struct mapping *mp)
{
    const struct hl7_segment *pid = hl7_find(mp->m, "PID", 1);
    struct mapped_patient *p = &mp->out->patient;
    const struct term *gender;

    if (!pid)
        return err_say(mp->errors, ERR_SEVERITY_ERROR, ERR_REQUIRED, "PID",
                       "the message names no patient (PID)", "患者識別(PID)がありません");
    read_numbers(mp, pid);
    if (p->local_no.len == 0)
        return err_say(mp->errors, ERR_SEVERITY_ERROR, ERR_REQUIRED, "PID[1]-3",
                       "the patient has no number of the institution (PID-3)",
                       "施設の患者番号(PID-3)がありません");
    read_names(mp, pid);
    p->birth_date = build_date_of(mp, mapping_value(mp, pid, 7, 1));
    gender = terms_find(terms_gender, mapping_value(mp, pid, 8, 1));
    if (gender)
        p->gender = slice_str(gender->to);
    in1_identify(mp);
    return ERR_OK;
}

static struct slice other_system(struct mapping *mp, struct slice cx)
{
    struct slice authority = mapping_clean(mp, hl7_sub(mp->m, hl7_component(mp->m, cx, 4), 1));

    return cwe_local(mp, authority.len ? authority : mapping_part(mp, cx, 5));
}

static bool build_number(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice number = mapping_part(mp, at->raw, 1), type = mapping_part(mp, at->raw, 5);
    enum number_kind kind = kind_of(mp, at->raw);
    struct slice system;
    struct json *identifier;

    if (number.len == 0)
        return false;
    if (kind == NUMBER_CARD) {
        number = digits_only(mp, number);
        if (!slice_eq(number, mp->out->patient.card)) {
            mapping_mark(mp, at->s, 3, MAPPING_PARTLY); /* not 12 digits, or a second card */
            return false;
        }
        system = SLICE(CARD_SYSTEM);
    } else if (kind == NUMBER_LOCAL) {
        system = mapping_format(mp, LOCAL_OID "%.*s", SLICE_ARG(mp->env->facility_code));
    } else {
        system = other_system(mp, at->raw);
    }
    if (number.len == 0)
        return false;
    identifier = json_new(mp->a, JSON_OBJECT);
    if (kind != NUMBER_CARD && type.len)
        json_set(identifier, "type",
                 cwe_constant(mp, "http://terminology.hl7.org/CodeSystem/v2-0203",
                              arena_str(mp->a, type), NULL));
    json_put_str(mp->a, identifier, "system", system);
    json_put_str(mp->a, identifier, "value", number);
    return mapping_put(at, identifier);
}

/* A further number of the patient, of whoever gave it; arg names the system where nothing else
 * does. A number that PID-3 says already is not said twice. The mother's (PID-21) is hers: it goes
 * into an extension, never among his own. */
static bool build_other_number(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice number = mapping_part(mp, at->raw, 1), system = other_system(mp, at->raw);
    struct json *identifier, *extension;

    if (number.len == 0)
        return false;
    if (slice_eq(number, mp->out->patient.local_no))
        return true;
    if (kind_of(mp, at->raw) == NUMBER_CARD)
        return false;
    if (slice_ends(system, SLICE(":")))
        system = cwe_local(mp, slice_str(at->row->arg));
    identifier = json_new(mp->a, JSON_OBJECT);
    json_put_str(mp->a, identifier, "system", system);
    json_put_str(mp->a, identifier, "value", number);
    if (strcmp(at->row->path, "identifier[]") == 0)
        return mapping_put(at, identifier);
    extension = json_new(mp->a, JSON_OBJECT);
    json_put_text(mp->a, extension, "url", EXTEND_OWN "mothers-identifier");
    json_set(extension, "valueIdentifier", identifier);
    return mapping_put(at, extension);
}

/* XON: the practice by name, else by number. */
static bool build_practice(struct spot *at)
{
    struct slice name = mapping_part(at->mp, at->raw, 1);
    struct json *reference;

    if (name.len == 0)
        name = mapping_part(at->mp, at->raw, 3);
    if (name.len == 0)
        return false;
    reference = json_new(at->mp->a, JSON_OBJECT);
    json_put_str(at->mp->a, reference, "display", name);
    return mapping_put(at, reference);
}

static bool build_language(struct spot *at)
{
    struct cwe c;
    struct json *concept;

    cwe_read(at->mp, at->raw, &c);
    concept = cwe_concept(at->mp, &c);
    return concept && mapping_put_at(at->mp->a, at->target, "communication[].language", concept);
}

/* PID-29 wins over PID-30: deceased[x] is one element. */
static bool build_dead(struct spot *at)
{
    struct slice code = mapping_text(at);

    if (json_get(at->target, "deceasedDateTime"))
        return slice_is(code, "Y");
    if (!slice_is(code, "Y") && !slice_is(code, "N"))
        return false;
    return json_put_bool(at->mp->a, at->target, "deceasedBoolean", slice_is(code, "Y")) != NULL;
}

/* XPN: the surname before marriage of the mother. */
static bool build_maiden_name(struct spot *at)
{
    struct slice name = xpn_text(at->mp, at->raw);
    struct json *extension;

    if (name.len == 0)
        return false;
    extension = json_new(at->mp->a, JSON_OBJECT);
    json_put_text(at->mp->a, extension, "url", at->row->arg);
    json_put_str(at->mp->a, extension, "valueString", name);
    return mapping_put(at, extension);
}

/* A county belongs to an address; alone it says nothing. */
static bool build_county(struct spot *at)
{
    struct json *address = json_path(at->target, "address", "0", NULL);
    struct slice county = mapping_part(at->mp, at->raw, 1);

    if (!address || county.len == 0 || json_get(address, "district"))
        return false;
    return json_put_str(at->mp->a, address, "district", county) != NULL;
}

/* PID-25 wins over PID-24: multipleBirth[x] is one element. */
static bool build_birth_order(struct spot *at)
{
    uint64_t order;

    if (!slice_u64(mapping_text(at), &order) || order == 0 || order > 20)
        return false;
    json_remove(at->target, "multipleBirthBoolean");
    return json_put_int(at->mp->a, at->target, "multipleBirthInteger", (int64_t)order) != NULL;
}

/* PID-19 (in Japan it would be the individual number, which health records must not hold) and
 * PID-20 are kept in the original only, on purpose. */
static const struct row pid_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_other_number, "identifier[]", "PID-2"},
    {3, 0, build_number, "identifier[]", NULL},
    {4, 0, build_other_number, "identifier[]", "PID-4"},
    {5, 0, xpn_build, "name[]", NULL},
    {6, 0, build_maiden_name, "extension[]", EXTEND_HL7 "patient-mothersMaidenName"},
    {7, 0, build_date, "birthDate", NULL},
    {8, 0, cwe_build_code, "gender", terms_gender},
    {9, 0, xpn_build, "name[]", NULL},
    {10, 0, cwe_build_extension, "extension[]", EXTEND_OWN "race"},
    {11, 0, xad_build, "address[]", NULL},
    {12, 0, build_county, NULL, NULL},
    {13, 0, xad_build_telecom, "telecom[]", "home"},
    {14, 0, xad_build_telecom, "telecom[]", "work"},
    {15, 0, build_language, NULL, NULL},
    {16, 0, cwe_build, "maritalStatus", "HL70002"},
    {17, 0, cwe_build_extension, "extension[]", EXTEND_HL7 "patient-religion"},
    {21, 0, build_other_number, "extension[]", "mother"},
    {22, 0, cwe_build_extension, "extension[]", EXTEND_OWN "ethnicity"},
    {23, 0, extend_build_place, "extension[]", EXTEND_HL7 "patient-birthPlace"},
    {24, 1, extend_build_yes, "multipleBirthBoolean", NULL},
    {25, 0, build_birth_order, NULL, NULL},
    {26, 0, extend_build_nested_code, "extension[]", EXTEND_HL7 "patient-citizenship"},
    {27, 0, cwe_build_extension, "extension[]", EXTEND_OWN "military-status"},
    {28, 0, extend_build_nested_code, "extension[]", EXTEND_HL7 "patient-nationality"},
    {29, 0, build_datetime, "deceasedDateTime", NULL},
    {30, 1, build_dead, NULL, NULL},
    {40, 0, xad_build_telecom, "telecom[]", NULL},
    ROW_END,
};
static const struct row pd1_rows[] = {
    {3, 0, build_practice, "generalPractitioner[]", NULL},
    {4, 0, xpn_build_persons, "generalPractitioner[]", NULL},
    {6, 0, cwe_build_extension, "extension[]", EXTEND_HL7 "patient-disability"},
    {14, 1, extend_build_text, "extension[]", EXTEND_HL7 "patient-congregation"},
    ROW_END,
};
static const struct row db1_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_structure, "extension[]", NULL},
    {4, 0, build_structure, "extension[]", NULL},
    ROW_END,
};

/* DB1-2 says who (PT: the patient), DB1-4 whether; "no disability" is no extension. */
static void add_disability(struct mapping *mp, const struct hl7_segment *db1, struct json *patient)
{
    struct slice who = mapping_value(mp, db1, 2, 1), disabled = mapping_value(mp, db1, 4, 1);
    struct json *extension, *concept;

    if (who.len && !slice_is(who, "PT"))
        return;
    mapping_walk(mp, db1, db1_rows, patient);
    if (!slice_is(disabled, "Y"))
        return;
    concept = cwe_constant(mp, "http://terminology.hl7.org/CodeSystem/v2-0136", "Y", "Yes");
    json_put_text(mp->a, concept, "text", "障害あり");
    extension = json_new(mp->a, JSON_OBJECT);
    json_put_text(mp->a, extension, "url",
                  "http://hl7.org/fhir/StructureDefinition/patient-disability");
    json_set(extension, "valueCodeableConcept", concept);
    mapping_put_at(mp->a, patient, "extension[]", extension);
}

struct mapped_resource *pid_patient(struct mapping *mp)
{
    struct mapped_resource *r = mapping_resource(mp, "Patient", "JP_Patient", SLICE("patient"));

    mapping_walk(mp, hl7_find(mp->m, "PID", 1), pid_rows, r->resource);
    mapping_walk(mp, hl7_find(mp->m, "PD1", 1), pd1_rows, r->resource);
    for (size_t i = 0; i < mp->m->segment_count; i++) {
        const struct hl7_segment *s = &mp->m->segments[i];

        if (mapping_is(s, "NK1"))
            nk1_contact(mp, s, r->resource);
        else if (mapping_is(s, "DB1"))
            add_disability(mp, s, r->resource);
    }
    return r;
}

const struct row_set pid_sets[] = {
    {"PID", "Patient", pid_rows, NULL},
    {"PD1", "Patient", pd1_rows, NULL},
    {"DB1", "Patient", db1_rows, NULL},
    ROW_SET_END,
};
