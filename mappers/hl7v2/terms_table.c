/* SPDX-License-Identifier: Apache-2.0
 *
 * The translation tables. Sources: HL7 v2.5 tables by number, the SS-MIX2 to FHIR concept maps of
 * the JAMI working group, JP Core's list of system URLs, UCUM. Only rows that the sources state;
 * where they say "no target" there is no row, and the original code is kept instead.
 */
#include "mappers/hl7v2/terms.h"

#include "base/banned.h"

const struct term terms_system[] = {
    {"JC10", "urn:oid:1.2.392.200119.4.504", NULL},
    {"JLAC10", "urn:oid:1.2.392.200119.4.504", NULL},
    {"MDCDX2", "http://medis.or.jp/CodeSystem/master-disease-keyNumber", NULL},
    {"HOT7", "http://medis.or.jp/CodeSystem/master-HOT7", NULL},
    {"HOT9", "http://medis.or.jp/CodeSystem/master-HOT9", NULL},
    {"HOT", "http://medis.or.jp/CodeSystem/master-HOT13", NULL},
    {"HOT13", "http://medis.or.jp/CodeSystem/master-HOT13", NULL},
    {"YJ", "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code", NULL},
    {"MR9P", "urn:oid:1.2.392.100495.20.2.101", NULL},
    {"JAMISDP01", "urn:oid:1.2.392.200250.2.2.20.20", NULL},
    {"JAMISDP02", "http://jami.jp/CodeSystem/MedicationUsageAdditional", NULL},
    {"I10", "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full", NULL},
    {"ICD10", "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full", NULL},
    {"HL70069", "http://jami.jp/SS-MIX2/CodeSystem/ClinicalDepartment", NULL},
    {"HL70162", "http://jpfhir.jp/fhir/core/CodeSystem/route-codes", NULL},
    {"JHSI0001", "http://jpfhir.jp/fhir/core/CodeSystem/JHSI0001", NULL},
    {"DCM", "http://dicom.nema.org/resources/ontology/DCM", NULL},
    {"LN", "http://loinc.org", NULL},
    {"LOINC", "http://loinc.org", NULL},
    {"SCT", "http://snomed.info/sct", NULL},
    {"SNOMED-CT", "http://snomed.info/sct", NULL},
    {"SNM3", "http://snomed.info/sct", NULL},
    {"UCUM", "http://unitsofmeasure.org", NULL},
    {"MDC", "urn:iso:std:iso:11073:10101", NULL},
    {"CVX", "http://hl7.org/fhir/sid/cvx", NULL},
    {"MVX", "http://hl7.org/fhir/sid/mvx", NULL},
    {"NDC", "http://hl7.org/fhir/sid/ndc", NULL},
    {"I9", "http://hl7.org/fhir/sid/icd-9-cm", NULL},
    {"I9C", "http://hl7.org/fhir/sid/icd-9-cm", NULL},
    {"I10C", "http://hl7.org/fhir/sid/icd-10-cm", NULL},
    {"NCIT", "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl", NULL},
    {NULL, NULL, NULL},
};

const struct term terms_ucum[] = {
    {"%", "%", NULL},
    {"/min", "/min", NULL},
    {"bpm", "/min", NULL},
    {"/h", "/h", NULL},
    {"/ul", "/uL", NULL},
    {"10*2/ul", "10*2/uL", NULL},
    {"10*3/ul", "10*3/uL", NULL},
    {"10*4/ul", "10*4/uL", NULL},
    {"10*6/ul", "10*6/uL", NULL},
    {".10*2/ul", "10*2/uL", NULL},
    {".10*3/ul", "10*3/uL", NULL},
    {".10*4/ul", "10*4/uL", NULL},
    {".10*6/ul", "10*6/uL", NULL},
    {"cel", "Cel", NULL},
    {"cm", "cm", NULL},
    {"mm", "mm", NULL},
    {"m", "m", NULL},
    {"kg", "kg", NULL},
    {"g", "g", NULL},
    {"mg", "mg", NULL},
    {"ug", "ug", NULL},
    {"kg/m2", "kg/m2", NULL},
    {"kg/m*2", "kg/m2", NULL},
    {"g/dl", "g/dL", NULL},
    {"g/l", "g/L", NULL},
    {"mg/dl", "mg/dL", NULL},
    {"mg/l", "mg/L", NULL},
    {"ug/dl", "ug/dL", NULL},
    {"ug/l", "ug/L", NULL},
    {"ug/ml", "ug/mL", NULL},
    {"ng/ml", "ng/mL", NULL},
    {"ng/dl", "ng/dL", NULL},
    {"pg/ml", "pg/mL", NULL},
    {"pg/dl", "pg/dL", NULL},
    {"pg", "pg", NULL},
    {"fl", "fL", NULL},
    {"u/l", "U/L", NULL},
    {"iu/l", "[iU]/L", NULL},
    {"iu/ml", "[iU]/mL", NULL},
    {"u/ml", "U/mL", NULL},
    {"meq/l", "meq/L", NULL},
    {"mmol/l", "mmol/L", NULL},
    {"umol/l", "umol/L", NULL},
    {"mosm/kg", "mosm/kg", NULL},
    {"ml", "mL", NULL},
    {"l", "L", NULL},
    {"dl", "dL", NULL},
    {"ml/min", "mL/min", NULL},
    {"ml/hr", "mL/h", NULL},
    {"ml/h", "mL/h", NULL},
    {"ml/min/1.73m2", "mL/min/{1.73_m2}", NULL},
    {"mmhg", "mm[Hg]", NULL},
    {"mm(hg)", "mm[Hg]", NULL},
    {"mm[hg]", "mm[Hg]", NULL},
    {"sec", "s", NULL},
    {"s", "s", NULL},
    {"msec", "ms", NULL},
    {"ms", "ms", NULL},
    {"min", "min", NULL},
    {"hr", "h", NULL},
    {"h", "h", NULL},
    {"d", "d", NULL},
    {"mv", "mV", NULL},
    {"degree", "deg", NULL},
    {"mm/hr", "mm/h", NULL},
    {"mm/h", "mm/h", NULL},
    {"permil", "[ppth]", NULL},
    {NULL, NULL, NULL},
};

const struct term terms_gender[] = {
    {"M", "male", NULL},  {"F", "female", NULL}, {"O", "other", NULL}, {"U", "unknown", NULL},
    {"A", "other", NULL}, {"N", "other", NULL},  {NULL, NULL, NULL},
};

const struct term terms_encounter_class[] = {
    {"I", "IMP", "inpatient encounter"}, {"O", "AMB", "ambulatory"}, {"E", "EMER", "emergency"},
    {"P", "PRENC", "pre-admission"},     {NULL, NULL, NULL},
};

const struct term terms_allergy_category[] = {
    {"DA", "medication", NULL},  {"FA", "food", NULL},        {"EA", "environment", NULL},
    {"PA", "environment", NULL}, {"LA", "environment", NULL}, {"AA", "biologic", NULL},
    {NULL, NULL, NULL},
};
const struct term terms_allergy_severity[] = {
    {"MI", "mild", NULL},
    {"MO", "moderate", NULL},
    {"SV", "severe", NULL},
    {NULL, NULL, NULL},
};
const struct term terms_allergy_type[] = {
    {"AL", "allergy", NULL},
    {"IN", "intolerance", NULL},
    {NULL, NULL, NULL},
};
const struct term terms_allergy_confirmed[] = {
    {"C", "confirmed", NULL},   {"E", "entered-in-error", NULL}, {"P", "unconfirmed", NULL},
    {"S", "unconfirmed", NULL}, {"U", "unconfirmed", NULL},      {NULL, NULL, NULL},
};

const struct term terms_obx_status[] = {
    {"F", "final", NULL},       {"C", "corrected", NULL},        {"P", "preliminary", NULL},
    {"R", "preliminary", NULL}, {"S", "preliminary", NULL},      {"I", "registered", NULL},
    {"O", "registered", NULL},  {"N", "unknown", NULL},          {"X", "cancelled", NULL},
    {"U", "final", NULL},       {"A", "amended", NULL},          {"B", "amended", NULL},
    {"V", "final", NULL},       {"D", "entered-in-error", NULL}, {"W", "entered-in-error", NULL},
    {NULL, NULL, NULL},
};
const struct term terms_report_status[] = {
    {"F", "final", NULL},      {"C", "corrected", NULL},  {"P", "preliminary", NULL},
    {"R", "partial", NULL},    {"S", "partial", NULL},    {"A", "partial", NULL},
    {"I", "registered", NULL}, {"O", "registered", NULL}, {"X", "cancelled", NULL},
    {"M", "corrected", NULL},  {"N", "unknown", NULL},    {NULL, NULL, NULL},
};

const struct term terms_interpretation[] = {
    {"L", "L", "Low"},
    {"H", "H", "High"},
    {"LL", "LL", "Critical low"},
    {"HH", "HH", "Critical high"},
    {"<", "<", "Off scale low"},
    {">", ">", "Off scale high"},
    {"N", "N", "Normal"},
    {"A", "A", "Abnormal"},
    {"AA", "AA", "Critical abnormal"},
    {"U", "U", "Significant change up"},
    {"D", "D", "Significant change down"},
    {"B", "B", "Better"},
    {"W", "W", "Worse"},
    {"S", "S", "Susceptible"},
    {"R", "R", "Resistant"},
    {"I", "I", "Intermediate"},
    {NULL, NULL, NULL},
};

const struct term terms_order_control[] = {
    {"CA", "revoked", NULL}, {"OC", "revoked", NULL}, {"CR", "revoked", NULL},
    {"DC", "revoked", NULL}, {"OD", "revoked", NULL}, {"DR", "revoked", NULL},
    {"HD", "on-hold", NULL}, {"OH", "on-hold", NULL}, {"HR", "on-hold", NULL},
    {NULL, NULL, NULL},
};
const struct term terms_order_status[] = {
    {"CM", "completed", NULL}, {"CA", "revoked", NULL},
    {"DC", "revoked", NULL},   {"ER", "entered-in-error", NULL},
    {"HD", "on-hold", NULL},   {"IP", "active", NULL},
    {"SC", "active", NULL},    {"A", "active", NULL},
    {"RP", "revoked", NULL},   {NULL, NULL, NULL},
};
const struct term terms_medication_control[] = {
    {"CA", "cancelled", NULL}, {"OC", "cancelled", NULL}, {"CR", "cancelled", NULL},
    {"DC", "stopped", NULL},   {"OD", "stopped", NULL},   {"DR", "stopped", NULL},
    {"HD", "on-hold", NULL},   {"OH", "on-hold", NULL},   {"HR", "on-hold", NULL},
    {NULL, NULL, NULL},
};
const struct term terms_administration[] = {
    {"CP", "completed", NULL}, {"RE", "not-done", NULL}, {"NA", "not-done", NULL},
    {"PA", "stopped", NULL},   {NULL, NULL, NULL},
};
const struct term terms_priority[] = {
    {"S", "stat", NULL},    {"A", "asap", NULL},   {"R", "routine", NULL}, {"P", "routine", NULL},
    {"C", "routine", NULL}, {"T", "urgent", NULL}, {NULL, NULL, NULL},
};

/* Outcome of a diagnosis that has an end date: only a full recovery is a resolution. */
const struct term terms_condition_outcome[] = {
    {"F", "resolved", NULL}, {"S", "inactive", NULL}, {"D", "inactive", NULL},
    {"R", "inactive", NULL}, {"N", "inactive", NULL}, {"W", "inactive", NULL},
    {"U", "inactive", NULL}, {NULL, NULL, NULL},
};
const struct term terms_security[] = {
    {"V", "V", "very restricted"}, {"R", "R", "restricted"},   {"U", "N", "normal"},
    {"EMP", "R", "restricted"},    {"UWM", "R", "restricted"}, {"VIP", "R", "restricted"},
    {"NO", "R", "restricted"},     {"PSY", "R", "restricted"}, {"AID", "R", "restricted"},
    {"HIV", "R", "restricted"},    {"ABO", "R", "restricted"}, {"ETH", "R", "restricted"},
    {"PSI", "R", "restricted"},    {NULL, NULL, NULL},
};

const struct term terms_telecom_system[] = {
    {"PH", "phone", NULL}, {"CP", "phone", NULL},       {"FX", "fax", NULL},
    {"BP", "pager", NULL}, {"Internet", "email", NULL}, {"X.400", "email", NULL},
    {"MD", "other", NULL}, {"TDD", "other", NULL},      {"TTY", "other", NULL},
    {NULL, NULL, NULL},
};
const struct term terms_telecom_use[] = {
    {"PRN", "home", NULL},
    {"WPN", "work", NULL},
    {"PRS", "mobile", NULL},
    {NULL, NULL, NULL},
};
const struct term terms_address_use[] = {
    {"H", "home", NULL}, {"P", "home", NULL}, {"B", "work", NULL}, {"O", "work", NULL},
    {"C", "temp", NULL}, {"BA", "old", NULL}, {NULL, NULL, NULL},
};
const struct term terms_name_use[] = {
    {"L", "official", NULL}, {"D", "usual", NULL},    {"M", "maiden", NULL},
    {"B", "official", NULL}, {"N", "nickname", NULL}, {"S", "anonymous", NULL},
    {"T", "temp", NULL},     {NULL, NULL, NULL},
};
const struct term terms_name_script[] = {
    {"I", "IDE", NULL},
    {"P", "SYL", NULL},
    {"A", "ABC", NULL},
    {NULL, NULL, NULL},
};

const struct term terms_patient_category[] = {
    {"LAB", "laboratory", NULL}, {"CH", "laboratory", NULL}, {"HM", "laboratory", NULL},
    {"MB", "laboratory", NULL},  {"SR", "laboratory", NULL}, {"IMM", "laboratory", NULL},
    {"BLB", "laboratory", NULL}, {"UR", "laboratory", NULL}, {"MCB", "laboratory", NULL},
    {"VR", "laboratory", NULL},  {"TX", "laboratory", NULL}, {"PAR", "laboratory", NULL},
    {"RAD", "imaging", NULL},    {"CT", "imaging", NULL},    {"NMR", "imaging", NULL},
    {"MR", "imaging", NULL},     {"RUS", "imaging", NULL},   {"XRC", "imaging", NULL},
    {"NMS", "imaging", NULL},    {"VUS", "imaging", NULL},   {"OUS", "imaging", NULL},
    {"EC", "procedure", NULL},   {"EN", "procedure", NULL},  {"PF", "procedure", NULL},
    {"CUS", "procedure", NULL},  {"PHY", "exam", NULL},      {NULL, NULL, NULL},
};

/* Analytes of section 9 that are measured at the bedside or at home. */
const struct term terms_vital[] = {
    {"9N001", "body-measurement", NULL},
    {"9N006", "body-measurement", NULL},
    {"9N011", "body-measurement", NULL},
    {"9N016", "body-measurement", NULL},
    {"9A75", "vital-signs", NULL},
    {"9A76", "vital-signs", NULL},
    {"9P1", "vital-signs", NULL},
    {"9P2", "vital-signs", NULL},
    {"9P3", "vital-signs", NULL},
    {"3H065", "vital-signs", NULL},
    {"29463-7", "body-measurement", NULL},
    {"8302-2", "body-measurement", NULL},
    {"39156-5", "body-measurement", NULL},
    {"85354-9", "vital-signs", NULL},
    {NULL, NULL, NULL},
};

const struct term terms_vital_loinc[] = {
    {"9A751", "8480-6", "Systolic blood pressure"},
    {"9A752", "8480-6", "Systolic blood pressure"},
    {"9A755", "8480-6", "Systolic blood pressure"},
    {"9A761", "8462-4", "Diastolic blood pressure"},
    {"9A762", "8462-4", "Diastolic blood pressure"},
    {"9A765", "8462-4", "Diastolic blood pressure"},
    {"9P3", "8867-4", "Heart rate"},
    {"9P1", "8310-5", "Body temperature"},
    {"9P2", "9279-1", "Respiratory rate"},
    {"9N006", "29463-7", "Body weight"},
    {"9N001", "8302-2", "Body height"},
    {"9N011", "39156-5", "Body mass index"},
    {"3H065", "59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"},
    {"150021", "8480-6", "Systolic blood pressure"},
    {"150022", "8462-4", "Diastolic blood pressure"},
    {"149546", "8867-4", "Heart rate"},
    {"149530", "8867-4", "Heart rate"},
    {"188736", "29463-7", "Body weight"},
    {"188740", "8302-2", "Body height"},
    {"188752", "39156-5", "Body mass index"},
    {"150456", "59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"},
    {"150364", "8310-5", "Body temperature"},
    {"188424", "8310-5", "Body temperature"},
    {NULL, NULL, NULL},
};

const struct term terms_mdc_unit[] = {
    {"266016", "mm[Hg]", NULL}, {"264864", "/min", NULL}, {"268192", "Cel", NULL},
    {"266560", "[degF]", NULL}, {"263875", "kg", NULL},   {"263441", "cm", NULL},
    {"264096", "kg/m2", NULL},  {"262688", "%", NULL},    {"264274", "mg/dL", NULL},
    {"264320", "s", NULL},      {"264352", "min", NULL},  {"264384", "h", NULL},
    {"263872", "g", NULL},      {"263890", "mg", NULL},   {"268704", "m/min", NULL},
    {NULL, NULL, NULL},
};

const struct term terms_department[] = {
    {"01", "", "内科"},     {"02", "", "精神科"},   {"03", "", "神経科"},
    {"04", "", "神経内科"}, {"05", "", "呼吸器科"}, {"06", "", "消化器科"},
    {"07", "", "胃腸科"},   {"08", "", "循環器科"}, {"09", "", "小児科"},
    {"10", "", "外科"},     {"11", "", "整形外科"}, {"15", "", "呼吸器外科"},
    {"24", "", "産科"},     {NULL, NULL, NULL},
};

const struct term terms_public_payer[] = {
    {"10", "", NULL}, {"11", "", NULL}, {"12", "", NULL},   {"13", "", NULL}, {"14", "", NULL},
    {"15", "", NULL}, {"16", "", NULL}, {"17", "", NULL},   {"18", "", NULL}, {"19", "", NULL},
    {"20", "", NULL}, {"21", "", NULL}, {"22", "", NULL},   {"23", "", NULL}, {"24", "", NULL},
    {"25", "", NULL}, {"28", "", NULL}, {"29", "", NULL},   {"30", "", NULL}, {"51", "", NULL},
    {"52", "", NULL}, {"53", "", NULL}, {"54", "", NULL},   {"66", "", NULL}, {"79", "", NULL},
    {"PI", "", NULL}, {"LI", "", NULL}, {"TI", "", NULL},   {"PS", "", NULL}, {"OE", "", NULL},
    {"D0", "", NULL}, {"OT", "", NULL}, {NULL, NULL, NULL},
};

const struct term terms_appointment_status[] = {
    {"Pending", "pending", NULL},    {"Waitlist", "waitlist", NULL},
    {"Booked", "booked", NULL},      {"Overbook", "booked", NULL},
    {"Blocked", "booked", NULL},     {"Started", "arrived", NULL},
    {"Complete", "fulfilled", NULL}, {"Cancelled", "cancelled", NULL},
    {"DC", "cancelled", NULL},       {"Deleted", "entered-in-error", NULL},
    {"Noshow", "noshow", NULL},      {NULL, NULL, NULL},
};
const struct term terms_document_completion[] = {
    {"DI", "preliminary", NULL}, {"DO", "preliminary", NULL}, {"IN", "preliminary", NULL},
    {"IP", "preliminary", NULL}, {"PA", "preliminary", NULL}, {"AU", "final", NULL},
    {"LA", "final", NULL},       {NULL, NULL, NULL},
};
const struct term terms_document_availability[] = {
    {"AV", "current", NULL},          {"UN", "current", NULL}, {"OB", "superseded", NULL},
    {"CA", "entered-in-error", NULL}, {NULL, NULL, NULL},
};
const struct term terms_vaccination_status[] = {
    {"CP", "completed", NULL}, {"PA", "completed", NULL}, {"RE", "not-done", NULL},
    {"NA", "not-done", NULL},  {NULL, NULL, NULL},
};
