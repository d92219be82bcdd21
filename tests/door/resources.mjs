// SPDX-License-Identifier: Apache-2.0
//
// The resources that the door tests send: as small as the server lets them be, so that a test shows only what it is about.
import { ACT_REASON, CARD, INSTITUTION } from './region.mjs';

export const byCard = (card) => ({ identifier: { system: CARD, value: card } });

const coding = (system, code, display) => ({ coding: [{ system, code, ...(display ? { display } : {}) }] });

export function patient(resident, extra = {}) {
  const [family, given] = resident.name.split(/[ 　]/);
  const { identifier = [], ...rest } = extra;
  return {
    resourceType: 'Patient',
    identifier: [{ system: CARD, value: resident.card }, ...identifier],
    name: [{ use: 'official', text: resident.name, family, given: [given ?? family] }],
    gender: resident.gender,
    birthDate: resident.birthDate,
    ...rest,
  };
}

export function observation(card, { value = 5.8, code = '4548-4', unit = '%', at = '2026-01-15T09:00:00+09:00', status = 'final', ...extra } = {}) {
  return {
    resourceType: 'Observation',
    status,
    category: [coding('http://terminology.hl7.org/CodeSystem/observation-category', 'laboratory')],
    code: coding('http://loinc.org', code),
    ...(card ? { subject: byCard(card) } : {}),
    effectiveDateTime: at,
    valueQuantity: { value, unit, system: 'http://unitsofmeasure.org', code: unit },
    ...extra,
  };
}

export const condition = (card, text = '高血圧症') => ({
  resourceType: 'Condition',
  clinicalStatus: coding('http://terminology.hl7.org/CodeSystem/condition-clinical', 'active'),
  code: { ...coding('http://hl7.org/fhir/sid/icd-10', 'I10'), text },
  subject: byCard(card),
});

export const allergy = (card) => ({
  resourceType: 'AllergyIntolerance',
  clinicalStatus: coding('http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', 'active'),
  code: { text: 'ペニシリン' },
  patient: byCard(card),
});

export const pressure = (systolic, diastolic, { at = '2026-02-01T07:00:00+09:00', ...extra } = {}) => ({
  resourceType: 'Observation',
  status: 'final',
  category: [coding('http://terminology.hl7.org/CodeSystem/observation-category', 'vital-signs')],
  code: coding('http://loinc.org', '85354-9'),
  effectiveDateTime: at,
  component: [['8480-6', systolic], ['8462-4', diastolic]].map(([code, value]) => ({
    code: coding('http://loinc.org', code),
    valueQuantity: { value, unit: 'mmHg', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
  })),
  ...extra,
});

export const vital = (code, value, unit, { at = '2026-02-01T07:05:00+09:00', ...extra } = {}) => ({
  resourceType: 'Observation',
  status: 'final',
  category: [coding('http://terminology.hl7.org/CodeSystem/observation-category', 'vital-signs')],
  code: coding('http://loinc.org', code),
  effectiveDateTime: at,
  valueQuantity: { value, unit, system: 'http://unitsofmeasure.org', code: unit },
  ...extra,
});

export const purposes = (...codes) => codes.map((code) => ({ system: ACT_REASON, code }));

export const recipient = (institution) => [{
  role: coding('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'IRCP'),
  reference: { identifier: { system: INSTITUTION, value: institution } },
}];

export const consent = (card, provision, extra = {}) => ({
  resourceType: 'Consent',
  status: 'active',
  scope: coding('http://terminology.hl7.org/CodeSystem/consentscope', 'patient-privacy'),
  category: [coding('http://loinc.org', '59284-0')],
  patient: byCard(card),
  dateTime: '2026-01-01T00:00:00+09:00',
  policy: [{ uri: 'urn:tasuki:policy:opt-in' }],
  provision,
  ...extra,
});

export const breakGlass = (card, reason = 'unconscious', text) => ({
  resourceType: 'Parameters',
  parameter: [
    { name: 'identifier', valueIdentifier: { system: CARD, value: card } },
    ...(reason ? [{ name: 'reason', valueCode: reason }] : []),
    ...(text ? [{ name: 'text', valueString: text }] : []),
  ],
});
