// SPDX-License-Identifier: Apache-2.0
//
// Search of R4 as a client meets it (R4 search.html): a small set of resources and a table of searches with what each must
// find; chains, includes, compartments, sorting, paging while others write, and values that mean harm.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CARD, Region, assertOutcome, sql } from './region.mjs';
import { consent, patient } from './resources.mjs';

const q = encodeURIComponent;
const LOINC = 'http://loinc.org';
const UCUM = 'http://unitsofmeasure.org';
const coding = (system, code, display) => ({ coding: [{ system, code, ...(display && { display }) }] });

let region;
let a;
const wire = {};    // p1 -> Patient id as hospital-a sees it
const name = {};    // the other way round
const cards = {};

/** Resources by id; Patient/p1 in a reference stands for the wire id of p1. */
const resources = () => [
  { resourceType: 'Organization', id: 'o1', name: '県立大学', identifier: [{ system: 'urn:org', value: '1' }] },
  { resourceType: 'Organization', id: 'o2', name: '第二内科', partOf: { reference: 'Organization/o1' } },
  { resourceType: 'Practitioner', id: 'pr1', name: [{ family: '山田', given: ['太郎'] }], identifier: [{ system: 'urn:doc', value: 'd|1' }] },
  { resourceType: 'Practitioner', id: 'pr2', name: [{ family: 'Müller', given: ['Zoë'] }] },
  { resourceType: 'Location', id: 'l1', name: '東病棟', position: { latitude: 35.681236, longitude: 139.767125 }, managingOrganization: { reference: 'Organization/o2' } },
  { resourceType: 'Device', id: 'dev1', patient: { reference: 'Patient/p1' }, type: coding('urn:dev', 'pump') },
  { resourceType: 'Encounter', id: 'e1', status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' }, subject: { reference: 'Patient/p1' },
    period: { start: '2025-03-01', end: '2025-03-10' }, serviceProvider: { reference: 'Organization/o2' }, participant: [{ individual: { reference: 'Practitioner/pr1' } }] },
  { resourceType: 'Encounter', id: 'e2', status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' }, subject: { reference: 'Patient/p2' },
    period: { start: '2025-04-01' }, serviceProvider: { reference: 'Organization/o1' } },
  { resourceType: 'Observation', id: 'ob1', status: 'final', code: { ...coding(LOINC, '718-7', 'Hemoglobin [Mass]'), text: 'ヘモグロビン' }, subject: { reference: 'Patient/p1' }, encounter: { reference: 'Encounter/e1' },
    effectiveDateTime: '2025-03-02T10:00:00+09:00', valueQuantity: { value: 13.5, unit: 'g/dL', system: UCUM, code: 'g/dL' }, performer: [{ reference: 'Practitioner/pr1' }],
    meta: { tag: [{ system: 'urn:tag', code: 'x' }], profile: ['http://example.org/p/lab'], source: 'urn:src:1' } },
  { resourceType: 'Observation', id: 'ob2', status: 'final', code: coding(LOINC, '8480-6'), subject: { reference: 'Patient/p1' }, encounter: { reference: 'Encounter/e1' },
    effectiveDateTime: '2025-03-03', valueQuantity: { value: 120, unit: 'mm Hg', system: UCUM, code: 'mm[Hg]' }, device: { reference: 'Device/dev1' } },
  { resourceType: 'Observation', id: 'ob3', status: 'amended', code: coding(LOINC, '85354-9'), subject: { reference: 'Patient/p2' }, effectivePeriod: { start: '2025-04-01', end: '2025-04-03' },
    component: [{ code: coding(LOINC, '8480-6'), valueQuantity: { value: 150, system: UCUM, code: 'mm[Hg]' } }, { code: coding(LOINC, '8462-4'), valueQuantity: { value: 95, system: UCUM, code: 'mm[Hg]' } }] },
  { resourceType: 'Observation', id: 'ob4', status: 'final', code: coding('urn:local', '718-7'), subject: { reference: 'Patient/p3' }, valueString: 'Ａｂｃ', hasMember: [{ reference: 'Observation/ob1' }],
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">血糖値が高い</div>' } },
  { resourceType: 'Condition', id: 'c1', code: { text: '高血圧' }, subject: { reference: 'Patient/p1' }, onsetDateTime: '2024', encounter: { reference: 'Encounter/e1' }, asserter: { reference: 'Practitioner/pr2' } },
  { resourceType: 'Condition', id: 'c2', code: { text: 'diabetes' }, subject: { reference: 'Patient/p3' }, asserter: { reference: 'Practitioner/pr1' } },
  { resourceType: 'DiagnosticReport', id: 'dr1', status: 'final', code: coding(LOINC, '58410-2'), subject: { reference: 'Patient/p1' }, result: [{ reference: 'Observation/ob1' }, { reference: 'Observation/ob2/_history/1' }] },
  { resourceType: 'Provenance', id: 'pv1', target: [{ reference: 'Observation/ob1' }], recorded: '2025-03-02T10:00:00+09:00', agent: [{ who: { reference: 'Practitioner/pr1' } }] },
  { resourceType: 'List', id: 'li1', status: 'current', mode: 'working', subject: { reference: 'Patient/p1' }, entry: [{ item: { reference: 'Condition/c1' } }, { item: { reference: 'Observation/ob2' } }] },
  { resourceType: 'ValueSet', id: 'vs1', status: 'active', url: 'http://example.org/fhir/ValueSet/a', compose: { include: [{ system: LOINC, concept: [{ code: '8480-6' }, { code: '85354-9' }] }] } },
  { resourceType: 'ValueSet', id: 'vs2', status: 'active', url: 'http://example.org/fhir/ValueSet/a/b' },
  { resourceType: 'Questionnaire', id: 'q1', status: 'active', url: 'http://example.org/fhir/Questionnaire/q1' },
  { resourceType: 'QuestionnaireResponse', id: 'qr1', status: 'completed', questionnaire: 'http://example.org/fhir/Questionnaire/q1', subject: { reference: 'Patient/p2' } },
  { resourceType: 'RelatedPerson', id: 'rp1', patient: { reference: 'Patient/p1' }, name: [{ family: '佐藤' }] },
  { resourceType: 'Communication', id: 'co1', status: 'completed', subject: { reference: 'Patient/p3' }, sender: { reference: 'Patient/p2' }, recipient: [{ reference: 'BASE/Practitioner/pr2' }], sent: '2025-03-02T10:00:00+09:00' },
  { resourceType: 'RiskAssessment', id: 'ra1', status: 'final', subject: { reference: 'Patient/p1' }, prediction: [{ probabilityDecimal: 0.25 }] },
  { resourceType: 'RiskAssessment', id: 'ra2', status: 'final', subject: { reference: 'Patient/p2' }, prediction: [{ probabilityDecimal: 0.8 }] },
];

const withWires = (value) => JSON.parse(JSON.stringify(value).replaceAll('"BASE/', `"${region.urls.system}/`).replace(/"Patient\/(p\d)"/g, (_, p) => `"Patient/${wire[p]}"`));
const label = (r) => name[r.id] ?? r.id;
const ids = (found) => found.map(label).sort();
const put = async (resource) => {
  const answer = await a.put(`/${resource.resourceType}/${resource.id}`, withWires(resource));
  assert.ok([200, 201].includes(answer.status), `${resource.resourceType}/${resource.id}: ${answer.text.slice(0, 400)}`);
};
/** "Observation?subject=p1&…" with wire ids, encoded. */
const path = (text) => {
  const [place, rest = ''] = text.split('?');
  const inserted = (t) => t.replace(/\b(p[123])\b/g, (p) => wire[p]).replace(/CARD(\d)/g, (_, n) => cards[`p${n}`]);
  return `/${inserted(place)}${rest && `?${rest.split('&').map((pair) => {
    const at = pair.indexOf('=');
    return `${pair.slice(0, at)}=${q(inserted(pair.slice(at + 1)))}`;
  }).join('&')}`}`;
};

before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  a = region.party('hospital-a');
  const names = { p1: ['田中', '花子', 'タナカ'], p2: ['Müller', 'Jörg', ''], p3: ['鈴木', '一郎', 'スズキ'] };
  for (const [i, p] of ['p1', 'p2', 'p3'].entries()) {
    const resident = region.resident(`resident-${i + 1}`);
    const [family, given, kana] = names[p];
    cards[p] = resident.card;
    const made = await a.create(patient(resident, {
      identifier: [{ type: coding('http://terminology.hl7.org/CodeSystem/v2-0203', 'MR'), system: region.localSystem('hospital-a'), value: `L000${i + 1}` },
        { type: coding('http://terminology.hl7.org/CodeSystem/v2-0203', 'PPN'), system: 'urn:passport', value: `PP${i + 1}` }],
      name: [{ use: 'official', family, given: [given] }, ...(kana ? [{ use: 'usual', family: kana }] : [])],
      birthDate: `198${i}-0${i + 1}-01`,
    }));
    wire[p] = made.id;
    name[made.id] = p;
  }
  for (const resource of resources()) await put(resource);
});
after(() => region?.stop());

/** Search -> labels of what it must find. */
const cases = {
  tokens: {
    'Observation?code=718-7': ['ob1', 'ob4'],
    'Observation?code=http://loinc.org|718-7': ['ob1'],
    'Observation?code=|718-7': [],
    'Observation?code=urn:local|': ['ob4'],
    'Observation?code=718-7,8480-6': ['ob1', 'ob2', 'ob4'],
    'Observation?code=718-7&code=http://loinc.org|718-7': ['ob1'],
    'Observation?code:not=718-7': ['ob2', 'ob3'],
    'Observation?code:not=718-7,8480-6': ['ob3'],
    'Observation?code:text=hemoglobin': ['ob1'],
    'Observation?code:text=ﾍﾓｸﾞﾛ': ['ob1'],
    'Condition?code:text=diabetes': ['c2'],
    'Observation?combo-code=8480-6': ['ob2', 'ob3'],
    'Encounter?class=AMB': ['e2'],
    'Practitioner?identifier=urn:doc|d\\|1': ['pr1'],
    'Practitioner?identifier=d\\|1': ['pr1'],
    'Patient?identifier=urn:passport|PP2': ['p2'],
    'Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|PPN|PP3': ['p3'],
    'Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|PPN|PP9': [],
    'Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|L0001': [],
    'Patient?gender:missing=false': ['p1', 'p2', 'p3'],
    'Patient?deceased=false': ['p1', 'p2', 'p3'],
    'Observation?_tag=urn:tag|x': ['ob1'],
    'Observation?_tag:not=x': ['ob2', 'ob3', 'ob4'],
  },
  strings: {
    'Practitioner?name=山': ['pr1'],
    'Practitioner?name=田': [],
    'Practitioner?name:contains=田': ['pr1'],
    'Practitioner?family=muller': ['pr2'],
    'Practitioner?family=ＭÜＬＬ': ['pr2'],
    'Practitioner?family:exact=Müller': ['pr2'],
    'Practitioner?family:exact=muller': [],
    'Patient?name=たなか': ['p1'],
    'Patient?name=ﾀﾅｶ': ['p1'],
    'Patient?name=muller,鈴木': ['p2', 'p3'],
    'Patient?name=Müller&given=jorg': ['p2'],
    'Organization?name=.*': [],
    'Organization?name:contains=%': [],
    'Organization?name:contains=ートウェイ&_elements=name': ['gateway-v'],
    'Observation?value-string=abc': ['ob4'],
  },
  'dates and numbers': {
    'Observation?date=2025-03': ['ob1', 'ob2'],
    'Observation?date=2025-03-02': ['ob1'],
    'Observation?date=2025-03-02T10:00:00+09:00': ['ob1'],
    'Observation?date=2025-03-02T01:00:00Z': ['ob1'],
    'Observation?date=ge2025-03-03': ['ob2', 'ob3'],
    'Observation?date=gt2025-04-02': ['ob3'],
    'Observation?date=sa2025-04-02': [],
    'Observation?date=eb2025-04-01': ['ob1', 'ob2'],
    'Observation?date=ne2025-03': ['ob3'],
    'Observation?date=2025-03-02,2025-03-03': ['ob1', 'ob2'],
    'Observation?date=ge2025-03&date=lt2025-04': ['ob1', 'ob2'],
    'Observation?date:missing=true': ['ob4'],
    'Encounter?date=gt2030': ['e2'],
    'Encounter?date=2025-03-05': [],
    'Encounter?date=2025': ['e1'],
    'RiskAssessment?probability=0.25': ['ra1'],
    'RiskAssessment?probability=0.3': ['ra1'],
    'RiskAssessment?probability=gt0.25': ['ra2'],
    'RiskAssessment?probability=ge0.25': ['ra1', 'ra2'],
    'RiskAssessment?probability=ne0.8': ['ra1'],
    'Observation?value-quantity=13.5': ['ob1'],
    'Observation?value-quantity=13.50': ['ob1'],
    'Observation?value-quantity=14': ['ob1'],
    'Observation?value-quantity=13': [],
    'Observation?value-quantity=13.4': [],
    'Observation?value-quantity=120||mm Hg': ['ob2'],
    'Observation?value-quantity=gt100|http://unitsofmeasure.org|mm[Hg]': ['ob2'],
    'Observation?value-quantity=gt100|http://unitsofmeasure.org|g/dL': [],
    'Observation?value-quantity=1.2e2': ['ob2'],
    'Observation?value-quantity=ap13': ['ob1'],
  },
  uris: {
    'ValueSet?url=http://example.org/fhir/ValueSet/a': ['vs1'],
    'ValueSet?url:below=http://example.org/fhir/ValueSet/a': ['vs1', 'vs2'],
    'ValueSet?url:above=http://example.org/fhir/ValueSet/a/b': ['vs1', 'vs2'],
    'ValueSet?url:below=http://example.org/fhir/Value': [],
    'Observation?_profile=http://example.org/p/lab': ['ob1'],
    'Observation?_source=urn:src:1': ['ob1'],
  },
  references: {
    'Observation?subject=Patient/p1': ['ob1', 'ob2'],
    'Observation?subject=p1': ['ob1', 'ob2'],
    'Observation?patient=p1,p3': ['ob1', 'ob2', 'ob4'],
    'Observation?subject:Patient=p3': ['ob4'],
    'Observation?subject:Device=p3': [],
    'Observation?patient=p1&patient=p2': [],
    'Observation?patient:identifier=urn:tasuki:clinic-card|CARD1': ['ob1', 'ob2'],
    'Observation?patient:identifier=CARD1': ['ob1', 'ob2'],
    'Observation?encounter=e1': ['ob1', 'ob2'],
    'Observation?encounter=Encounter/e1': ['ob1', 'ob2'],
    'Observation?performer=Practitioner/pr1': ['ob1'],
    'Observation?performer=pr1': ['ob1'],
    'Observation?has-member=Observation/ob1': ['ob4'],
    'DiagnosticReport?result=Observation/ob2': ['dr1'],
    'Organization?partof=o1': ['o2'],
    'QuestionnaireResponse?questionnaire=http://example.org/fhir/Questionnaire/q1': ['qr1'],
    'Observation?device:missing=false': ['ob2'],
    'Communication?sender=Patient/p2': ['co1'],
    'Communication?sender=p2': ['co1'],
    'Communication?sender=Patient/p3': [],
    'Communication?sender:Patient.name=müller': ['co1'],
    'Communication?sender:Patient.name=鈴木': [],
    'Communication?subject=p3': ['co1'],
    'Communication?recipient=Practitioner/pr2': ['co1'],
    'Communication?recipient=pr2': ['co1'],
    'Patient?_has:Communication:sender:status=completed': ['p2'],
    'Patient?_has:Communication:subject:status=completed': ['p3'],
  },
  composites: {
    'Observation?code-value-quantity=http://loinc.org|718-7$gt13': ['ob1'],
    'Observation?code-value-quantity=8480-6$gt130': [],
    'Observation?component-code-value-quantity=8480-6$gt130': ['ob3'],
    'Observation?component-code-value-quantity=8480-6$lt100': [],
    'Observation?component-code-value-quantity=8462-4$lt100': ['ob3'],
    'Observation?combo-code-value-quantity=8480-6$gt100': ['ob2', 'ob3'],
    'Observation?code-value-quantity=8480-6$120,718-7$13.5': ['ob1', 'ob2'],
    'Observation?code-value-quantity:missing=true': ['ob3', 'ob4'],
  },
  places: {
    'Location?near=35.690921|139.700258|7|km': ['l1'],
    'Location?near=35.690921|139.700258|7000|m': ['l1'],
    'Location?near=35.690921|139.700258|7': ['l1'],
    'Location?near=35.690921|139.700258': ['l1'],
    'Location?near=35.690921|139.700258|5|km': [],
    'Location?near=35.690921|139.700258|5|mi': ['l1'],
    'Location?near=34.702485|135.495951|300|km,35.68|139.76|1|km': ['l1'],
    'Location?near:missing=false': ['l1'],
  },
  chains: {
    'Observation?subject:Patient.name=田中': ['ob1', 'ob2'],
    'Observation?patient.name=たなか': ['ob1', 'ob2'],
    'Observation?subject.name=鈴木': ['ob4'],
    'Observation?patient.birthdate=lt1981': ['ob1', 'ob2'],
    'Observation?patient.identifier=urn:tasuki:clinic-card|CARD2': ['ob3'],
    'Observation?patient.identifier=CARD2': ['ob3'],
    'Observation?patient.identifier=L0002': ['ob3'],
    'Observation?patient.identifier=urn:passport|PP1': ['ob1', 'ob2'],
    'Observation?subject:Patient._id=p1': ['ob1', 'ob2'],
    'Observation?encounter.class=IMP': ['ob1', 'ob2'],
    'Observation?encounter.service-provider.name=第二': ['ob1', 'ob2'],
    'Observation?encounter.service-provider.partof.name=県立': ['ob1', 'ob2'],
    'Observation?performer:Practitioner.family=山田': ['ob1'],
    'Observation?performer.name=山田': ['ob1'],
    'Location?organization.partof.identifier=urn:org|1': ['l1'],
    'Observation?has-member:Observation.code=718-7': ['ob4'],
    'Condition?subject:Patient._has:Observation:patient:code=85354-9': [],
    'Condition?encounter._id=e1': ['c1'],
    'Patient?_has:Observation:patient:code=718-7': ['p1', 'p3'],
    'Patient?_has:Observation:patient:code=http://loinc.org|718-7': ['p1'],
    'Patient?_has:Observation:patient:encounter.class=IMP': ['p1'],
    'Patient?_has:Observation:patient:_has:Provenance:target:agent=Practitioner/pr1': ['p1'],
    'Patient?_has:Condition:patient:code:text=高血圧&_has:Observation:patient:code=8480-6': ['p1'],
    'Practitioner?_has:Encounter:practitioner:subject:Patient.name=田中': ['pr1'],
    'Encounter?_has:Observation:encounter:patient.name=田中': ['e1'],
    'Encounter?patient._has:Condition:patient:code:text=高血圧': ['e1'],
    'Observation?_has:Provenance:target:agent.name=山田': ['ob1'],
    'Organization?_has:Organization:partof:name=第二': ['o1'],
  },
  'every resource': {
    'Observation?_id=ob1,ob3,none': ['ob1', 'ob3'],
    'Patient?_id=p1,p2': ['p1', 'p2'],
    'Patient?_id=ob1': [],
    'Condition?_list=li1': ['c1'],
    'Observation?_list=li1': ['ob2'],
    'Observation?_list=none': [],
    'Observation?_text=血糖': ['ob4'],
    'Observation?_content=ヘモグロビン': ['ob1'],
    '?_type=Condition,Encounter': ['c1', 'c2', 'e1', 'e2'],
    '?_type=Condition,Encounter,Patient&_id=c1,p1,e2': ['c1', 'e2', 'p1'],
    '?_type=Condition,Observation&patient=p1': ['c1', 'ob1', 'ob2'],
    '?_type=Condition,Encounter&subject:Patient.name=鈴木': ['c2'],
    '?_type=Patient,Practitioner&name=müller': ['p2', 'pr2'],
    '?_type=Observation,Condition&code:missing=false&patient=p3': ['c2', 'ob4'],
    '?_id=ob1,p1': ['ob1', 'p1'],
    '?_tag=x': ['ob1'],
    '?_list=li1': ['c1', 'ob2'],
  },
  compartments: {
    'Patient/p1/Observation': ['ob1', 'ob2'],
    'Patient/p1/Observation?code=718-7': ['ob1'],
    'Patient/p2/*': ['co1', 'e2', 'ob3', 'p2', 'qr1', 'ra2'],
    'Patient/p2/*?_type=Encounter,Observation': ['e2', 'ob3'],
    'Patient/none/Observation': [],
    'Patient/p1/Patient': ['p1'],
    'Encounter/e1/Observation': ['ob1', 'ob2'],
    'Encounter/e1/*': ['c1', 'e1', 'ob1', 'ob2'],
    'Practitioner/pr1/Observation': ['ob1'],
    'Practitioner/pr2/Condition': ['c1'],
    'Device/dev1/Observation': ['ob2'],
    'RelatedPerson/rp1/*': ['rp1'],
  },
};

for (const [group, table] of Object.entries(cases)) {
  describe(group, () => {
    for (const [text, want] of Object.entries(table)) {
      test(text, async () => {
        const found = await a.search(path(text));
        assert.deepEqual(ids(found.resources), want);
        assert.equal(found.total, want.length, 'total');
        assert.equal((await a.read(path(text + (text.includes('?') ? '&' : '?') + '_count=0'))).total, want.length, '_count=0');
      });
    }
  });
}

describe('terminology', () => {
  for (const [text, want] of Object.entries({
    'Observation?code:in=http://example.org/fhir/ValueSet/a': ['ob2', 'ob3'],
    'Observation?code:in=ValueSet/vs1': ['ob2', 'ob3'],
    'Observation?code:not-in=http://example.org/fhir/ValueSet/a': ['ob1', 'ob4'],
  })) test(text, async () => assert.deepEqual(ids((await a.search(path(text))).resources), want));

  test('a value set that is not there is named', async () => {
    assertOutcome(await a.get(path('Observation?code:in=http://example.org/none')), 400, /code:in/);
  });
});

describe('the hierarchy of a code system', () => {
  const TREE = 'http://example.org/fhir/CodeSystem/tree';
  before(async () => {
    const concept = [{ code: 'drug', concept: [{ code: 'blood', concept: [{ code: 'warfarin' }, { code: 'heparin' }] }, { code: 'sugar' }] }, { code: 'food' }];
    await put({ resourceType: 'CodeSystem', id: 'tree', status: 'active', url: TREE, content: 'complete', hierarchyMeaning: 'is-a', concept });
    for (const code of ['drug', 'blood', 'warfarin', 'sugar', 'food']) await put({ resourceType: 'Medication', id: `m-${code}`, code: coding(TREE, code) });
    await put({ resourceType: 'Medication', id: 'm-other', code: coding('urn:other', 'warfarin') });
  });

  for (const [text, want] of Object.entries({
    [`code:below=${TREE}|blood`]: ['m-blood', 'm-warfarin'],
    [`code:below=${TREE}|drug`]: ['m-blood', 'm-drug', 'm-sugar', 'm-warfarin'],
    [`code:below=${TREE}|warfarin`]: ['m-warfarin'],
    [`code:below=${TREE}|heparin`]: [],
    [`code:below=${TREE}|blood,${TREE}|food`]: ['m-blood', 'm-food', 'm-warfarin'],
    [`code:above=${TREE}|warfarin`]: ['m-blood', 'm-drug', 'm-warfarin'],
    [`code:above=${TREE}|heparin`]: ['m-blood', 'm-drug'],
    [`code:above=${TREE}|food`]: ['m-food'],
  })) test(text, async () => assert.deepEqual(ids((await a.search(path(`Medication?${text}`))).resources), want));

  test('needs a code of a system that is stored', async () => {
    for (const text of ['code:below=http://example.org/none|x', `code:below=${TREE}|nothing`, 'code:below=blood', `code:above=${TREE}|`])
      assertOutcome(await a.get(path(`Medication?${text}`)), 400, /ERR_BAD_PARAM/);
    assertOutcome(await a.get(path('Medication?code:above')), 400);
  });

  test('holds inside chains too', async () => {
    await put({ resourceType: 'MedicationStatement', id: 'ms1', status: 'active', subject: { reference: 'Patient/p1' }, medicationReference: { reference: 'Medication/m-warfarin' } });
    assert.deepEqual(ids((await a.search(path(`MedicationStatement?medication.code:below=${TREE}|blood`))).resources), ['ms1']);
    assert.deepEqual(ids((await a.search(path(`MedicationStatement?medication.code:below=${TREE}|food`))).resources), []);
  });
});

describe('includes', () => {
  const include = async (text) => {
    const bundle = await a.read(path(text));
    const of = (mode) => (bundle.entry ?? []).filter((e) => e.search.mode === mode).map((e) => label(e.resource)).sort();
    const all = (bundle.entry ?? []).map((e) => e.fullUrl);
    assert.equal(new Set(all).size, all.length, 'nothing twice');
    assert.equal(bundle.total, of('match').length);
    return [of('match'), of('include')];
  };
  for (const [text, match, included] of [
    ['Observation?_id=ob1&_include=Observation:subject', ['ob1'], ['p1']],
    ['Observation?_id=ob1,ob2&_include=Observation:patient', ['ob1', 'ob2'], ['p1']],
    ['Observation?_id=ob1&_include=Observation:subject:Device', ['ob1'], []],
    ['Observation?_id=ob1&_include=Observation:subject&_include=Observation:encounter', ['ob1'], ['e1', 'p1']],
    ['Observation?_id=ob1&_include=Observation:*', ['ob1'], ['e1', 'p1', 'pr1']],
    ['Observation?_id=ob1&_include=*', ['ob1'], ['e1', 'p1', 'pr1']],
    ['Observation?_id=ob1&_include=Condition:subject', ['ob1'], []],
    ['Observation?_id=ob1&_include=Observation:encounter&_include:iterate=Encounter:service-provider', ['ob1'], ['e1', 'o2']],
    ['Observation?_id=ob1&_include=Observation:encounter&_include=Encounter:service-provider', ['ob1'], ['e1']],
    ['Observation?_id=ob1&_include=Observation:encounter&_include:iterate=Encounter:service-provider&_include:iterate=Organization:partof', ['ob1'], ['e1', 'o1', 'o2']],
    ['DiagnosticReport?_id=dr1&_include=DiagnosticReport:result', ['dr1'], ['ob1', 'ob2']],
    ['Observation?_id=ob4,ob1&_include=Observation:has-member', ['ob1', 'ob4'], []],
    ['QuestionnaireResponse?_include=QuestionnaireResponse:questionnaire', ['qr1'], ['q1']],
    ['Questionnaire?_revinclude=QuestionnaireResponse:questionnaire', ['q1'], ['qr1']],
    ['Patient?_id=p3&_revinclude=Observation:patient', ['p3'], ['ob4']],
    ['Patient?_id=p3&_revinclude=Observation:patient&_revinclude=Condition:subject', ['p3'], ['c2', 'ob4']],
    ['Observation?_id=ob1&_revinclude=Provenance:target', ['ob1'], ['pv1']],
    ['Observation?_id=ob1&_revinclude=Observation:has-member', ['ob1'], ['ob4']],
    ['Encounter?_id=e1&_revinclude=Observation:encounter&_revinclude:iterate=Provenance:target', ['e1'], ['ob1', 'ob2', 'pv1']],
    ['Organization?_id=o1&_revinclude:iterate=Organization:partof', ['o1'], ['o2']],
    ['Organization?_id=o1&_revinclude=*', ['o1'], ['e2', 'o2']],
    ['Observation?_id=none&_include=Observation:subject', [], []],
    ['Communication?_include=Communication:sender', ['co1'], ['p2']],
    ['Communication?_include=Communication:subject', ['co1'], ['p3']],
    ['Communication?_include=Communication:recipient', ['co1'], ['pr2']],
    ['Communication?_include=*', ['co1'], ['p2', 'p3', 'pr2']],
    ['Patient?_id=p2&_revinclude=Communication:sender', ['p2'], ['co1']],
    ['Practitioner?_id=pr2&_revinclude=Communication:recipient', ['pr2'], ['co1']],
  ]) test(text, async () => assert.deepEqual(await include(text), [match, included]));

  test('there is an end to it, and it is said', async () => {
    const entry = (i) => ({ resource: { resourceType: 'Basic', id: `inc${i}`, code: { text: 'x' }, author: { reference: 'Practitioner/pr1' } }, request: { method: 'PUT', url: `Basic/inc${i}` } });
    for (const from of [0, 600]) {
      const made = await a.post('/', { resourceType: 'Bundle', type: 'transaction', entry: Array.from({ length: 600 }, (_, i) => entry(from + i)) });
      assert.equal(made.status, 200, made.text.slice(0, 300));
    }
    const bundle = await a.read('/Practitioner?_id=pr1&_revinclude=Basic:author');
    const of = (mode) => bundle.entry.filter((e) => e.search.mode === mode);
    assert.deepEqual([of('match').length, of('include').length, of('outcome').length, bundle.total], [1, 1000, 1, 1]);
    assert.equal(of('outcome')[0].resource.issue[0].severity, 'warning');
    for (const from of [0, 600]) {
      const gone = await a.post('/', { resourceType: 'Bundle', type: 'transaction', entry: Array.from({ length: 600 }, (_, i) => ({ request: { method: 'DELETE', url: `Basic/inc${from + i}` } })) });
      assert.equal(gone.status, 200, gone.text.slice(0, 300));
    }
  });

  test('what is hidden is simply not there', async () => {
    const b = region.party('hospital-b');
    const bundle = await b.read('/Organization?_id=o1&_revinclude=Encounter:service-provider');
    assert.deepEqual((bundle.entry ?? []).map((e) => e.resource.id), ['o1']);
  });

  test('what is included is recorded as what is found', async () => {
    const answer = await a.get(path('Encounter?_id=e2&_include=Encounter:patient'));
    const [row] = sql(region, `SELECT count FROM audit WHERE request='${answer.headers['x-request-id']}' AND person > 0`);
    assert.equal(row?.count, 2);
  });

  test('refused by name', async () => {
    for (const bad of ['Observation:colour', 'Observation', 'Colour:subject', 'Observation:code', 'Observation:subject:Location:x', ''])
      assertOutcome(await a.get(`/Observation?_include=${q(bad)}`), 400, /_include/);
    assertOutcome(await a.get('/Observation?_include:deep=Observation:subject'), 400, /iterate/);
  });
});

describe('order', () => {
  const order = async (text) => (await a.search(path(text))).resources.map(label);
  for (const [text, want] of [
    ['Observation?_sort=date', ['ob1', 'ob2', 'ob3', 'ob4']],
    ['Observation?_sort=-date', ['ob3', 'ob2', 'ob1', 'ob4']],
    ['Observation?_sort=_id', ['ob1', 'ob2', 'ob3', 'ob4']],
    ['Observation?_sort=-_id', ['ob4', 'ob3', 'ob2', 'ob1']],
    ['Observation?_sort=status,-_id', ['ob3', 'ob4', 'ob2', 'ob1']],
    ['Observation?_sort=-value-quantity', ['ob2', 'ob1', 'ob3', 'ob4']],
    ['Observation?_sort=code,date', ['ob1', 'ob4', 'ob2', 'ob3']],
    ['Observation?_sort=-_lastUpdated', ['ob4', 'ob3', 'ob2', 'ob1']],
    ['Patient?_sort=-birthdate', ['p3', 'p2', 'p1']],
    ['RiskAssessment?_sort=probability', ['ra1', 'ra2']],
    ['?_type=Condition,Encounter&_sort=-_lastUpdated', ['c2', 'c1', 'e2', 'e1']],
  ]) {
    test(text, async () => {
      assert.deepEqual(await order(text), want);
      for (const size of [1, 2, 3]) assert.deepEqual(await order(`${text}&_count=${size}`), want, `pages of ${size}`);
    });
  }
  test('keys that are none are refused', async () => {
    for (const bad of ['colour', '-', '', 'date,colour', 'code-value-quantity', Array(9).fill('date').join(',')])
      assertOutcome(await a.get(`/Observation?_sort=${q(bad)}`), bad.length > 40 ? 413 : 400, /_sort/);
  });
});

describe('pages while others write', () => {
  const many = 60;
  before(async () => {
    for (let i = 0; i < many; i++) await put({ resourceType: 'Basic', id: `b${i}`, code: { text: `n${i}` }, subject: { reference: 'Patient/p1' }, created: `2025-01-${String(1 + (i % 28)).padStart(2, '0')}` });
  });
  for (const sort of ['', '&_sort=created', '&_sort=-created', '&_sort=_lastUpdated', '&_sort=-_lastUpdated', '&_sort=_id']) {
    test(`no row twice, none missing: ${sort || 'unsorted'}`, async () => {
      let stop = false;
      const writer = (async () => {
        for (let n = 0; !stop; n++) {
          // Changes that leave the sort keys alone, and records of other kinds that come and go.
          const i = n % many;
          await put({ resourceType: 'Basic', id: `b${i}`, code: { text: `n${i} ${n}${sort}` }, subject: { reference: 'Patient/p1' }, created: `2025-01-${String(1 + (i % 28)).padStart(2, '0')}` });
        }
      })();
      const seen = [];
      for (let next = `/Basic?_count=7${sort}`; next;) {
        const bundle = await a.read(next);
        for (const e of bundle.entry ?? []) seen.push(e.resource.id);
        next = bundle.link.find((l) => l.relation === 'next')?.url;
        assert.ok(seen.length < 1000);
      }
      stop = true;
      await writer;
      assert.equal(new Set(seen).size, seen.length, 'none twice');
      for (let i = 0; i < many; i++) assert.ok(seen.includes(`b${i}`), `b${i} missing`);
    });
  }

  test('a cursor is for its query and its caller, and cannot be forged', async () => {
    const bundle = await a.read('/Basic?_count=5&_sort=created');
    const next = bundle.link.find((l) => l.relation === 'next').url;
    const cursor = new URL(next).searchParams.get('_cursor');
    const flipped = cursor.slice(0, 8) + (cursor[8] === 'A' ? 'B' : 'A') + cursor.slice(9);
    assert.equal((await a.get(next)).status, 200);
    for (const bad of [next.replace(cursor, flipped), next.replace(cursor, cursor.slice(0, -2)), next.replace(cursor, `${cursor}AA`), next.replace(cursor, 'x'), next.replace('_sort=created', '_sort=-created'),
      next.replace('/Basic', '/Observation'), next.replace(cursor, 'A'.repeat(2000))])
      assertOutcome(await a.get(bad), 400, /_cursor|_sort/);
    assertOutcome(await region.party('hospital-b').get(next), 400, /_cursor/);
    assertOutcome(await a.get(next, { 'Tasuki-Purpose': 'HPAYMT' }), 400, /_cursor/);
  });
});

describe('what the answer says', () => {
  test('totals: none, estimate, accurate', async () => {
    assert.equal((await a.read('/Observation?_total=none')).total, undefined);
    for (const t of ['estimate', 'accurate']) assert.equal((await a.read(`/Observation?_total=${t}`)).total, 4);
  });

  test('subsets carry their tag and only what was asked for', async () => {
    const one = async (rest) => (await a.read(`/Observation?_id=ob4&${rest}`)).entry[0].resource;
    const elements = await one('_elements=subject');
    assert.deepEqual(Object.keys(elements).sort(), ['code', 'id', 'meta', 'resourceType', 'status', 'subject']);
    assert.ok(elements.meta.tag.some((t) => t.code === 'SUBSETTED'));
    assert.equal((await one('_summary=true')).text, undefined);
    assert.deepEqual(Object.keys(await one('_summary=text')).sort(), ['code', 'id', 'meta', 'resourceType', 'status', 'text']);
    assert.equal((await one('_summary=data')).text, undefined);
    assert.ok((await one('_summary=false')).text);
    const count = await a.read('/Observation?_summary=count');
    assert.deepEqual([count.total, count.entry], [4, undefined]);
    assertOutcome(await a.get('/Observation?_summary=some'), 400, /_summary/);
  });

  test('the self link holds what was understood, a notice what was not', async () => {
    const bundle = await a.read('/Observation?code=718-7&colour=red&code:sounds=x&_sort=date', { Prefer: 'handling=lenient' });
    const self = new URL(bundle.link.find((l) => l.relation === 'self').url);
    assert.deepEqual([...self.searchParams.keys()], ['code', '_sort']);
    const notice = bundle.entry.filter((e) => e.search.mode === 'outcome');
    assert.equal(notice.length, 1);
    assert.deepEqual(notice[0].resource.issue.map((i) => [i.severity, i.expression[0]]), [['warning', 'colour'], ['warning', 'code:sounds']]);
    assert.equal(bundle.total, 2);
    assertOutcome(await a.get('/Observation?date=2026-13-01', { Prefer: 'handling=lenient' }), 400, /date/);
  });

  test('a form and the address together', async () => {
    const form = (place, body) => a.request('POST', place, { body, type: 'application/x-www-form-urlencoded' });
    assert.deepEqual(ids((await form('/Observation/_search?code=718-7', `patient=${wire.p1}`)).json.entry.map((e) => e.resource)), ['ob1']);
    assert.deepEqual(ids((await form('/_search', '_type=Condition')).json.entry.map((e) => e.resource)), ['c1', 'c2']);
    assert.deepEqual(ids((await form(`/Patient/${wire.p1}/Observation/_search`, 'code=8480-6')).json.entry.map((e) => e.resource)), ['ob2']);
    assert.deepEqual(ids((await form('/Observation/_search', '')).json.entry.map((e) => e.resource)), ['ob1', 'ob2', 'ob3', 'ob4']);
  });

  test('totals are exact under consent', async () => {
    const b = region.party('hospital-b');
    assert.equal((await b.search(`/Observation?patient.identifier=${CARD}|${cards.p1}`)).total, 0);
    await region.party('resident-1').create(consent(cards.p1, { type: 'permit' }));
    const found = await b.search(`/Observation?patient.identifier=${CARD}|${cards.p1}&_count=1`);
    assert.deepEqual([found.total, ids(found.resources)], [2, ['ob1', 'ob2']]);
    assert.equal((await b.search('/Observation')).total, 2);
    assert.equal((await b.search('/Observation?has-member:Observation.code=718-7')).total, 0);
  });
});

describe('what cannot be', () => {
  for (const [text, status, pattern] of [
    ['Observation?date=2026-13-01', 400, /date/],
    ['Observation?date=', 400, /date/],
    ['Observation?date=xx2026', 400, /date/],
    ['Observation?date:exact=2026', 400, /:missing.*date:exact/],
    ['RiskAssessment?probability=abc', 400, /probability/],
    ['RiskAssessment?probability=1,', 400, /probability/],
    ['Observation?code=', 400, /code/],
    ['Observation?code=|', 400, /code/],
    ['Observation?code=a|b|c', 400, /code/],
    ['Observation?code:exact=a', 400, /:of-type/],
    ['Location?near=x|1', 400, /near/],
    ['Location?near=1|1|1|parsec', 400, /near/],
    ['Observation?code:missing=maybe', 400, /code:missing/],
    ['Observation?code-value-quantity=718-7', 400, /code-value-quantity/],
    ['Observation?code-value-quantity=718-7$1$2', 400, /code-value-quantity/],
    ['Observation?subject=Colour/1', 400, /subject/],
    ['Observation?subject:Medication=1', 400, /subject/],
    ['Observation?subject:Patient=Device/1', 400, /subject/],
    ['Observation?colour=red', 400, /value-quantity/],
    ['Observation?subject.colour=red', 400, /subject.colour/],
    ['Observation?code.name=red', 400, /reference/],
    ['Observation?subject:Medication.code=1', 400, /subject:Medication.code/],
    ['Patient?_has:Observation:colour:code=1', 400, /_has/],
    ['Patient?_has:Observation:encounter:code=1', 400, /_has/],
    ['Patient?_has:Observation:patient=1', 400, /_has/],
    ['Patient?_has=1', 400, /_has/],
    ['Observation?_contained=true', 400, /_contained/],
    ['Observation?_filter=x', 400, /_filter/],
    ['Observation?_type=Condition', 400, /_type/],
    ['?_type=Colour', 400, /_type/],
    ['?name=x', 400, /_type/],
    ['?_type=Patient,Observation&name=x', 400, /name/],
    ['Observation?_count=-1', 400, /_count/],
    ['Observation?_count=1&_count=2', 400, /_count/],
    ['Observation?_id:exact=1', 400, /_id/],
    ['Observation?_lastUpdated=soon', 400, /_lastUpdated/],
    ['Observation/ob1/Condition', 404, /./],
    ['Patient/p1/Organization', 400, /./],
  ]) {
    test(`${text}: ${status}`, async () => {
      const issues = assertOutcome(await a.get(path(text)), status, pattern);
      assert.ok(issues.length >= 1);
    });
  }

  test('too much of anything is said at once, and quickly', async () => {
    const form = (body) => a.request('POST', '/Observation/_search', { body, type: 'application/x-www-form-urlencoded' });
    const begin = Date.now();
    assertOutcome(await form(`code=${Array.from({ length: 10_000 }, (_, i) => `c${i}`).join(',')}`), 413, /code/);
    assertOutcome(await form(`_id=${Array.from({ length: 10_000 }, (_, i) => `c${i}`).join(',')}`), 413, /_id/);
    assertOutcome(await form(`patient=${Array.from({ length: 10_000 }, (_, i) => `c${i}`).join(',')}`), 413, /patient/);
    assertOutcome(await form(Array.from({ length: 100 }, () => 'code=1').join('&')), 413);
    assertOutcome(await a.get(`/Observation?${'has-member.'.repeat(9)}code=1`), 400, /links/);
    assertOutcome(await a.get(`/Observation?${'_has:Observation:has-member:'.repeat(9)}code=1`), 400, /links/);
    assertOutcome(await a.get(`/Provenance?${'target.'.repeat(4)}patient.name=1`), 413, /name the type/);
    assert.ok(Date.now() - begin < 10_000);
    assert.equal((await form(`code=${Array.from({ length: 990 }, (_, i) => `c${i}`).join(',')},718-7`)).json.total, 2);
  });

  test('chains that go round end', async () => {
    assert.deepEqual(ids((await a.search(`/Observation?${'has-member:Observation.'.repeat(5)}code=718-7`)).resources), []);
    const first = { resourceType: 'Observation', id: 'loop1', status: 'final', code: { text: 'loop' }, subject: { reference: 'Patient/p2' } };
    await put(first);
    await put({ ...first, id: 'loop2', hasMember: [{ reference: 'Observation/loop1' }] });
    await put({ ...first, hasMember: [{ reference: 'Observation/loop2' }] });
    assert.deepEqual(ids((await a.search(`/Observation?${'has-member:Observation.'.repeat(5)}code:text=loop`)).resources), ['loop1', 'loop2']);
    const bundle = await a.read('/Observation?_id=loop1&_include:iterate=Observation:has-member&_revinclude:iterate=Observation:has-member');
    assert.deepEqual(bundle.entry.map((e) => e.resource.id).sort(), ['loop1', 'loop2']);
    for (const id of ['loop1', 'loop2']) await a.del(`/Observation/${id}`);
  });

  test('what looks like a pattern is text', async () => {
    for (const value of ['.*', '(a+)+$', '%', '_%', '[a-z]*', '\\', '\\\\', "' OR 1=1 --", '"', '*', 'NEAR(a b)', '{"a":1}', '\u0000x', '\u0001', '😀'.repeat(100), 'a'.repeat(3000), '$', '\\$', ',']) {
      for (const param of ['name', 'name:contains', 'name:exact', 'identifier', 'general-practitioner', 'general-practitioner.name', '_text', '_content', '_profile', '_id']) {
        const answer = await a.get(`/Patient?${param}=${q(value)}`);
        assert.ok([200, 400].includes(answer.status), `${param}=${value.slice(0, 12)}: ${answer.status} ${answer.text.slice(0, 200)}`);
        if (answer.status === 200) assert.equal(answer.json.total, 0, `${param}=${value.slice(0, 12)}`);
      }
    }
  });

  test('another facility does not find anybody by our numbers', async () => {
    const b = region.party('hospital-b');
    for (const by of [`identifier=${q(`${region.localSystem('hospital-a')}|L0001`)}`, 'identifier=L0001', `identifier:of-type=${q('http://terminology.hl7.org/CodeSystem/v2-0203|MR|L0001')}`])
      assert.equal((await b.search(`/Patient?${by}`)).total, 0, by);
    for (const by of ['patient.identifier=L0001', 'subject:Patient.identifier=L0001', 'patient:identifier=L0001', `_has:Provenance:target:patient.identifier=L0001`, `patient=${wire.p1}`, `subject:Patient._id=${wire.p1}`])
      assert.equal((await b.search(`/Observation?${by}`)).total, 0, by);
    assert.equal((await b.search(`/Patient/${wire.p1}/Observation`)).total, 0);
  });
});
