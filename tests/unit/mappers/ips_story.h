/* SPDX-License-Identifier: Apache-2.0
 *
 * One invented patient with records of two invented hospitals, for the tests of summaries and pages: a severe and a mild
 * allergy, a refuted one, an anticoagulant older than the emergency window, results with values before, a blood
 * pressure from home, names that contain markup.
 */
#ifndef TESTS_UNIT_MAPPERS_IPS_STORY_H
#define TESTS_UNIT_MAPPERS_IPS_STORY_H

#define STORY_NOW INT64_C(1763798400000) /* 2025-11-22T17:00:00+09:00 */

#define S_SUBJECT "\"subject\":{\"reference\":\"Patient/p1\"}"
#define S_TAG(name)                                                                                \
    "\"meta\":{\"tag\":[{\"system\":\"urn:tasuki:facility\",\"display\":\"" name "\"}]}"
#define S_A S_TAG("みなと総合病院")
#define S_B S_TAG("青葉クリニック")
#define S_CLINICAL(code)                                                                           \
    "\"clinicalStatus\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"         \
    "allergyintolerance-clinical\",\"code\":\"" code "\"}]}"
#define S_STATE(code)                                                                              \
    "\"clinicalStatus\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"         \
    "condition-clinical\",\"code\":\"" code "\"}]}"
#define S_DRUG(id, status, name, dose, date, tag)                                                  \
    "{\"resourceType\":\"MedicationRequest\",\"id\":\"" id "\"," tag ",\"status\":\"" status       \
    "\",\"intent\":\"order\",\"medicationCodeableConcept\":{\"text\":\"" name "\"}," S_SUBJECT     \
    ",\"authoredOn\":\"" date "\",\"dosageInstruction\":[{\"text\":\"" dose "\"}]}"
#define S_CATEGORY(code)                                                                           \
    "\"category\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"              \
    "observation-category\",\"code\":\"" code "\"}]}]"
#define S_FLAG(code)                                                                               \
    "\"interpretation\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"        \
    "v3-ObservationInterpretation\",\"code\":\"" code "\"}]}],"
#define S_LAB(id, code, name, value, unit, date, flag)                                             \
    "{\"resourceType\":\"Observation\",\"id\":\"" id "\"," S_A ",\"status\":\"final\","            \
    S_CATEGORY("laboratory") "," flag "\"code\":{\"coding\":[{\"system\":"                         \
    "\"urn:oid:1.2.392.200119.4.504\",\"code\":\"" code "\",\"display\":\"" name "\"}]},"          \
    S_SUBJECT ",\"effectiveDateTime\":\"" date "\",\"valueQuantity\":{\"value\":" value            \
    ",\"unit\":\"" unit "\"},\"referenceRange\":[{\"low\":{\"value\":0.46},\"high\":{\"value\":"   \
    "1.07}}]}"
#define S_BP(id, date, high, low, meta)                                                            \
    "{\"resourceType\":\"Observation\",\"id\":\"" id "\"," meta ",\"status\":\"final\","           \
    S_CATEGORY("vital-signs") ",\"code\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":"  \
    "\"85354-9\"}]}," S_SUBJECT ",\"effectiveDateTime\":\"" date "\",\"component\":[{\"code\":{"   \
    "\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"8480-6\"}]},\"valueQuantity\":{"      \
    "\"value\":" high ",\"unit\":\"mmHg\",\"system\":\"http://unitsofmeasure.org\",\"code\":"      \
    "\"mm[Hg]\"}},{\"code\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"8462-4\"}]}," \
    "\"valueQuantity\":{\"value\":" low ",\"unit\":\"mmHg\",\"system\":"                           \
    "\"http://unitsofmeasure.org\",\"code\":\"mm[Hg]\"}}]}"
#define S_VISIT(id, kind, what, from, to, tag)                                                     \
    "{\"resourceType\":\"Encounter\",\"id\":\"" id "\"," tag ",\"status\":\"finished\",\"class\":" \
    "{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ActCode\",\"code\":\"" kind "\"},"     \
    "\"serviceType\":{\"text\":\"" what "\"}," S_SUBJECT ",\"period\":{\"start\":\"" from          \
    "\",\"end\":\"" to "\"}}"

static const char story_patient[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p1\",\"identifier\":[{\"system\":\"urn:tasuki:clinic-"
    "card\",\"value\":\"123456789012\"},{\"system\":\"urn:oid:1.2.392.100495.20.3.51.11310000001\""
    ",\"value\":\"0001234\"}],\"name\":[{\"extension\":[{\"url\":\"http://hl7.org/fhir/"
    "StructureDefinition/iso21090-EN-representation\",\"valueCode\":\"IDE\"}],\"use\":\"official\","
    "\"family\":\"髙橋\",\"given\":[\"美咲\"]},{\"extension\":[{\"url\":\"http://hl7.org/fhir/"
    "StructureDefinition/iso21090-EN-representation\",\"valueCode\":\"SYL\"}],\"use\":\"official\","
    "\"family\":\"タカハシ\",\"given\":[\"ミサキ\"]}],\"gender\":\"female\",\"birthDate\":"
    "\"1948-04-05\",\"contact\":[{\"name\":{\"text\":\"髙橋 健一（長男）\"},\"telecom\":[{\"system\":"
    "\"phone\",\"value\":\"090-0000-0000\"}]}]}";

static const char story_resources[] =
    "[{\"resourceType\":\"AllergyIntolerance\",\"id\":\"a-low\"," S_B "," S_CLINICAL("active")
    ",\"category\":[\"food\"],\"criticality\":\"low\",\"code\":{\"text\":\"そば\"},\"patient\":{"
    "\"reference\":\"Patient/p1\"},\"recordedDate\":\"2025-10-01\"},"
    "{\"resourceType\":\"AllergyIntolerance\",\"id\":\"a-high\"," S_A "," S_CLINICAL("active")
    ",\"category\":[\"medication\"],\"criticality\":\"high\",\"code\":{\"text\":\"ペニシリン系抗菌薬"
    "\"},\"patient\":{\"reference\":\"Patient/p1\"},\"recordedDate\":\"2019-06-12\",\"reaction\":[{"
    "\"manifestation\":[{\"text\":\"アナフィラキシー\"}],\"severity\":\"severe\"}]},"
    "{\"resourceType\":\"AllergyIntolerance\",\"id\":\"a-no\",\"verificationStatus\":{\"coding\":[{"
    "\"system\":\"http://terminology.hl7.org/CodeSystem/allergyintolerance-verification\",\"code\":"
    "\"refuted\"}]},\"code\":{\"text\":\"えび\"},\"patient\":{\"reference\":\"Patient/p1\"}},"
    S_DRUG("m-warf", "active", "ワルファリンカリウム錠１ｍｇ", "1日1回 夕食後 1回2.5錠 35日分",
           "2025-05-20", S_A) ","
    S_DRUG("m-new", "active", "アムロジピン錠５ｍｇ", "1日1回 朝食後 1回1錠 56日分", "2025-11-10",
           S_A) ","
    S_DRUG("m-prev", "completed", "アムロジピン錠５ｍｇ", "1日1回 朝食後 1回1錠 56日分", "2025-09-15",
           S_A) ","
    S_DRUG("m-old", "completed", "ロキソプロフェン錠６０ｍｇ", "1日3回 毎食後 5日分", "2024-12-20", S_B)
    ","
    S_DRUG("m-void", "cancelled", "取り消した薬", "-", "2025-11-11", S_A) ","
    S_DRUG("m-markup", "active", "<script>alert(1)</script>錠 & \\\"", "<b onclick=x>1錠</b>",
           "2025-11-01", S_B) ","
    "{\"resourceType\":\"Condition\",\"id\":\"c1\"," S_A "," S_STATE("active") ",\"code\":{\"coding\""
    ":[{\"system\":\"http://hl7.org/fhir/sid/icd-10\",\"code\":\"I489\",\"display\":\"心房細動\"}]},"
    S_SUBJECT ",\"onsetDateTime\":\"2021-03\"},"
    "{\"resourceType\":\"Condition\",\"id\":\"c2\"," S_B "," S_STATE("resolved") ",\"code\":{"
    "\"text\":\"胃潰瘍\"}," S_SUBJECT ",\"onsetDateTime\":\"2009\"},"
    S_LAB("l-new", "3C015000002327101", "クレアチニン", "1.20", "mg/dL", "2025-11-10T09:12:00+09:00",
          S_FLAG("H")) ","
    S_LAB("l-prev", "3C015000002327101", "クレアチニン", "1.02", "mg/dL", "2025-08-04T08:50:00+09:00",
          "") ","
    S_LAB("l-old", "3C015000002327101", "クレアチニン", "0.95", "mg/dL", "2025-02-03T08:50:00+09:00",
          "") ","
    S_LAB("l-inr", "2B030000002231157", "PT-INR", "2.31", "{INR}", "2025-11-10T09:12:00+09:00", "")
    ","
    "{\"resourceType\":\"Observation\",\"id\":\"l-abo\"," S_B ",\"status\":\"final\","
    S_CATEGORY("laboratory") ",\"code\":{\"text\":\"ABO式血液型\"}," S_SUBJECT
    ",\"effectiveDateTime\":\"2018-02-02\",\"valueString\":\"A\"},"
    S_BP("v-home", "2025-11-21T22:10:00Z", "132", "84",
         "\"meta\":{\"tag\":[{\"system\":\"urn:tasuki:tag\",\"code\":\"patient-generated\"}]}") ","
    S_BP("v-ward", "2025-11-10T09:30:00+09:00", "141", "88", S_A) ","
    S_BP("v-older", "2025-11-01T09:30:00+09:00", "150", "90", S_A) ","
    "{\"resourceType\":\"Procedure\",\"id\":\"pr1\"," S_A ",\"status\":\"completed\",\"code\":{"
    "\"text\":\"ペースメーカー植込み術\"}," S_SUBJECT ",\"performedDateTime\":\"2021-04-02\"},"
    S_VISIT("e-new", "AMB", "循環器内科", "2025-11-10T08:40:00+09:00", "2025-11-10T11:00:00+09:00",
            S_A) ","
    S_VISIT("e-old", "IMP", "外科", "2025-03-01", "2025-03-20", S_A) ","
    "{\"resourceType\":\"Immunization\",\"id\":\"i1\"," S_B ",\"status\":\"completed\",\"vaccineCode"
    "\":{\"text\":\"インフルエンザHA\"},\"patient\":{\"reference\":\"Patient/p1\"},"
    "\"occurrenceDateTime\":\"2025-10-28\"},"
    "{\"resourceType\":\"Basic\",\"id\":\"x\",\"code\":{\"text\":\"?\"}}]";

#endif
