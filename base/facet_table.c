/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts and systems that most records of this region carry, so that packed facets name them by a number. They are part of
 * the packed form: rows may be added at the end of a list, but never changed, moved or taken out. The hashes are
 * facet_system of the names, the order is by length and bytes (both checked by facet_test.c).
 */
#include "base/facet_table.h"

#include "base/banned.h"

/* clang-format off */
const struct facet_known_system facet_known_systems[] = {
    {"http://loinc.org", 0xE2AD98C64D24499Au},
    {"http://unitsofmeasure.org", 0x331002E3F06E18D5u},
    {"http://snomed.info/sct", 0x3E26D430D29391BDu},
    {"urn:oid:1.2.392.200119.4.504", 0xD3C29883BC3D9DC2u},
    {"http://terminology.hl7.org/CodeSystem/observation-category", 0x3488EBF4578407DBu},
    {"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", 0x6D7B2DB50B20F282u},
    {"http://terminology.hl7.org/CodeSystem/condition-clinical", 0xF2BE1ADB68D98180u},
    {"http://terminology.hl7.org/CodeSystem/condition-ver-status", 0xD1EC9773176FB9A2u},
    {"http://terminology.hl7.org/CodeSystem/condition-category", 0x2D7257203768A1FCu},
    {"http://terminology.hl7.org/CodeSystem/v3-ActCode", 0xC85FA0EDA2505EA4u},
    {"http://terminology.hl7.org/CodeSystem/v2-0203", 0x88ECBE092923938Fu},
    {"http://terminology.hl7.org/CodeSystem/v2-0074", 0x08EF924AA9A3D160u},
    {"http://terminology.hl7.org/CodeSystem/v3-Confidentiality", 0xF00A6CD1DE3C4A36u},
    {"http://terminology.hl7.org/CodeSystem/v3-ParticipationType", 0xBBC92065D8D44EEBu},
    {"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", 0x261A90DF60A31D20u},
    {"http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", 0x0618B86CB5EF5688u},
    {"http://terminology.hl7.org/CodeSystem/medicationrequest-category", 0xCBE319A5D7AFCE54u},
    {"http://terminology.hl7.org/CodeSystem/diagnosis-role", 0xCD54C5DA424DB91Du},
    {"http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier", 0x36E49106FA6ECDF7u},
    {"http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no", 0x5D94B2DE1CFE676Cu},
    {"http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full", 0x1599394817B5CF06u},
    {"urn:oid:1.2.392.200119.4.403.1", 0x41871BB0829B6B1Fu},
    {"urn:oid:1.2.392.100495.20.2.74", 0x07457C4130E17BEAu},
    {"urn:oid:1.2.392.200119.4.101.6", 0x0AF8E58D8F1085EBu},
    {"urn:oid:1.2.392.100495.20.3.51.1", 0x6B023E993CBC24C7u},
    {"urn:oid:1.2.392.100495.20.3.81", 0x5D5C6C4102D2621Bu},
    {"urn:oid:1.2.392.100495.20.3.82", 0xD4FB40C60D2AB085u},
    {"urn:iso:std:iso:4217", 0xB781DD19A6F0975Fu},
    {"urn:ietf:rfc:3986", 0xB456DF8177C1DF34u},
    {"http://hl7.org/fhir/sid/icd-10", 0x18742C4E46B3B042u},
};
const size_t facet_known_system_count = sizeof(facet_known_systems) / sizeof(*facet_known_systems);

#define T(text) {text, sizeof(text) - 1}
#define JP(text) T("http://jpfhir.jp/fhir/core/StructureDefinition/JP_" text)
const struct slice facet_known_texts[] = {
    T("Patient/@"),
    T("final"),
    T("active"),
    T("completed"),
    T("finished"),
    T("laboratory"),
    T("vital-signs"),
    T("male"),
    T("female"),
    T("true"),
    T("false"),
    T("order"),
    T("confirmed"),
    T("AMB"),
    T("IMP"),
    T("mg/dL"),
    T("g/dL"),
    T("mm[Hg]"),
    T("mmHg"),
    T("/min"),
    T("U/L"),
    T("mmol/L"),
    T("ng/mL"),
    T("pg/mL"),
    T("mL/min/1.73m2"),
    T("problem-list-item"),
    T("encounter-diagnosis"),
    T("85354-9"),
    T("8480-6"),
    T("8462-4"),
    T("8867-4"),
    T("8310-5"),
    T("9279-1"),
    T("29463-7"),
    T("8302-2"),
    T("2708-6"),
    JP("Patient"),
    JP("Observation_LabResult"),
    JP("Observation_Common"),
    JP("Observation_VitalSigns"),
    JP("Condition"),
    JP("MedicationRequest"),
    JP("MedicationRequest_Injection"),
    JP("MedicationDispense"),
    JP("MedicationAdministration"),
    JP("Encounter"),
    JP("DiagnosticReport_LabResult"),
    JP("DiagnosticReport_Common"),
    JP("AllergyIntolerance"),
    JP("Specimen_Common"),
    JP("ServiceRequest_Common"),
    JP("Procedure"),
    JP("Coverage"),
    JP("Immunization"),
    JP("ImagingStudy_Radiology"),
};
const size_t facet_known_text_count = sizeof(facet_known_texts) / sizeof(*facet_known_texts);

const uint8_t facet_known_order[] = {
    13, 14, 20, 19, 16, 7, 18, 9, 10, 1, 15, 22, 11, 23, 35, 34, 31, 29, 28, 30,
    32, 2, 8, 17, 21, 33, 27, 4, 0, 3, 12, 5, 6, 24, 25, 26, 36, 52, 40, 45,
    51, 53, 49, 41, 48, 43, 38, 37, 50, 54, 39, 47, 44, 46, 42,
};
/* clang-format on */
