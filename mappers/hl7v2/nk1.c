/* SPDX-License-Identifier: Apache-2.0
 *
 * NK1 to Patient.contact. R4 needs a name, number, address or organisation in a contact (pat-1):
 * without any of them none is made and the fields stay unused.
 */
#include "mappers/hl7v2/nk1.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/extend.h"
#include "mappers/hl7v2/family.h"
#include "mappers/hl7v2/terms.h"
#include "mappers/hl7v2/xad.h"
#include "mappers/hl7v2/xpn.h"
#include "base/banned.h"

static const struct row nk1_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, xpn_build_single, "name", NULL},
    {3, 0, cwe_build, "relationship[]", "HL70063"},
    {4, 0, xad_build, "address", NULL},
    {5, 0, xad_build_telecom, "telecom[]", "home"},
    {6, 0, xad_build_telecom, "telecom[]", "work"},
    {7, 0, cwe_build, "relationship[]", "HL70131"},
    {8, 0, build_date, "period.start", NULL},
    {9, 0, build_date, "period.end", NULL},
    {13, 1, build_display, "organization", NULL},
    {15, 0, cwe_build_code, "gender", terms_gender},
    {16, 0, extend_build_time, "extension[]", EXTEND_OWN "birth-date"},
    {20, 0, cwe_build_extension, "extension[]", EXTEND_OWN "language"},
    {31, 0, xad_build_telecom, "telecom[]", "work"},
    {40, 0, xad_build_telecom, "telecom[]", NULL},
    {41, 0, xad_build_telecom, "telecom[]", NULL},
    ROW_END,
};
/* The contact person of an organisation, where no person is named before. */
static const struct row person_rows[] = {{30, 0, xpn_build_single, "name", NULL}, ROW_END};
static const struct row place_rows[] = {{32, 0, xad_build, "address", NULL}, ROW_END};

void nk1_contact(struct mapping *mp, const struct hl7_segment *nk1, struct json *patient)
{
    static const unsigned needed[] = {2, 4, 5, 6, 13, 30, 31, 32, 40, 41};
    struct json *contact;
    bool enough = false;

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        enough = enough || hl7_field(nk1, needed[i]).len > 0;
    if (!enough)
        return;
    contact = json_new(mp->a, JSON_OBJECT);
    mapping_walk(mp, nk1, nk1_rows, contact);
    if (!json_get(contact, "name"))
        mapping_walk(mp, nk1, person_rows, contact);
    if (!json_get(contact, "address"))
        mapping_walk(mp, nk1, place_rows, contact);
    if (json_get(contact, "name") || json_get(contact, "telecom") || json_get(contact, "address") ||
        json_get(contact, "organization"))
        mapping_put_at(mp->a, patient, "contact[]", contact);
}

const struct row_set nk1_sets[] = {
    {"NK1", "Patient.contact", nk1_rows, NULL},
    {"NK1", "Patient.contact", person_rows, NULL},
    {"NK1", "Patient.contact", place_rows, NULL},
    ROW_SET_END,
};
