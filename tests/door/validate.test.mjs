// SPDX-License-Identifier: Apache-2.0
//
// $validate, terminology operations and the command that stores definitions, against the running program. JP Core's
// definitions and examples are used where they are at hand; nothing of them is in the tree.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Region, assertOutcome, corpus, sql, tasuki } from './region.mjs';
import { observation, patient } from './resources.mjs';

const q = encodeURIComponent;
const PROFILE = 'http://example.org/StructureDefinition/lab';
const ANIMALS = 'http://example.org/CodeSystem/animals';
const DOGS = 'http://example.org/ValueSet/dogs';
let region;
let a;
let card;
let folder;

const definitions = [
  { resourceType: 'StructureDefinition', url: PROFILE, name: 'Lab', status: 'active', kind: 'resource', abstract: false, type: 'Observation',
    baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Observation', derivation: 'constraint',
    differential: { element: [
      { id: 'Observation', path: 'Observation' },
      { id: 'Observation.identifier', path: 'Observation.identifier', min: 1, comment: '' },
      { id: 'Observation.performer', path: 'Observation.performer', mustSupport: true },
      { id: 'Observation.method', path: 'Observation.method', binding: { strength: 'required', valueSet: DOGS } },
    ] } },
  { resourceType: 'CodeSystem', url: ANIMALS, version: '1', name: 'Animals', status: 'active', content: 'complete', concept: [
    { code: 'dog', display: '犬', definition: 'ほえる', designation: [{ language: 'en', value: 'dog' }], property: [{ code: 'legs', valueInteger: 4 }],
      concept: [{ code: 'akita', display: '秋田犬' }, { code: 'shiba', display: '柴犬' }] },
    { code: 'cat', display: '猫' }] },
  { resourceType: 'ValueSet', url: DOGS, name: 'Dogs', status: 'active', compose: { include: [{ system: ANIMALS, filter: [{ property: 'concept', op: 'is-a', value: 'dog' }] }] } },
  { resourceType: 'ValueSet', url: 'http://example.org/ValueSet/lost', status: 'active', compose: { include: [{ system: 'http://example.org/none' }] } },
];

before(async () => {
  region = await Region.start({ empty: true, patients: 6 });
  a = region.party('hospital-a');
  card = region.resident('resident-1').card;
  await a.create(patient(region.resident('resident-1')));
  folder = mkdtempSync(join(tmpdir(), 'tasuki-definitions-'));
  definitions.forEach((d, i) => writeFileSync(join(folder, `${i}.json`), JSON.stringify(d)));
});
after(async () => {
  if (folder) rmSync(folder, { recursive: true, force: true });
  await region?.stop();
});

const load = (...args) => tasuki('definitions', 'load', ...args, '--dir', region.dir);

describe('definitions load', () => {
  test('stores, and loading again changes nothing', () => {
    const first = tasuki('definitions', 'load', folder, '--dir', region.dir);
    assert.equal(first.code, 0, first.out + first.err);
    const before = sql(region, 'SELECT max(version) AS v, count(*) AS n FROM record')[0];
    const again = tasuki('definitions', 'load', folder, '--dir', region.dir);
    assert.equal(again.code, 0);
    assert.deepEqual(sql(region, 'SELECT max(version) AS v, count(*) AS n FROM record')[0], before);
    const listed = JSON.parse(tasuki('definitions', 'list', '--json', '--dir', region.dir).out);
    assert.equal(listed.length, definitions.length);
    assert.ok(listed.some((row) => row.canonical === DOGS && row.type === 'ValueSet' && row.status === 'active'));
  });

  test('refuses what is broken, by name', () => {
    const file = join(folder, 'broken.json');
    writeFileSync(file, '{"resourceType":"ValueSet","url":"http://example.org/x","status":"actif"}');
    const bad = load(file);
    assert.notEqual(bad.code, 0);
    assert.match(bad.out, /broken\.json: ERR_INVALID ValueSet\.status/);
    writeFileSync(file, '{');
    assert.match(load(file).out, /broken\.json: ERR_MALFORMED 1:/);
    rmSync(file);
    const archive = join(folder, 'package.tgz');
    writeFileSync(archive, 'x');
    assert.match(load(archive).out, /ERR_MEDIA_TYPE/);
    rmSync(archive);
  });
});

const validate = async (resource, { path = `/${resource.resourceType}/$validate`, party = a } = {}) => {
  const answer = await party.post(path, resource);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json.resourceType, 'OperationOutcome');
  return answer.json.issue.map((i) => `${i.severity} ${i.code} ${i.expression?.[0] ?? ''}`.trim());
};
const parameters = (resource, extra = {}) => ({ resourceType: 'Parameters', parameter: [
  ...Object.entries(extra).map(([name, value]) => ({ name, [name === 'mode' ? 'valueCode' : 'valueUri']: value })), { name: 'resource', resource }] });

describe('$validate', () => {
  const identified = (extra) => observation(card, { identifier: [{ system: 'u:x', value: '1' }], performer: [{ display: 'x' }], ...extra });

  test('a good resource: one information, nothing stored', async () => {
    const before = sql(region, 'SELECT count(*) AS n FROM record')[0].n;
    assert.deepEqual(await validate(observation(card)), ['information informational']);
    assert.deepEqual(await validate(observation(card), { path: '/Observation/$validate?mode=create' }), ['information informational']);
    assert.equal(sql(region, 'SELECT count(*) AS n FROM record')[0].n, before);
  });

  test('all findings at once, with expressions', async () => {
    assert.deepEqual(await validate({ ...observation(card, { status: 'done', nam: 1 }), code: undefined }),
      ['error invalid Observation.status', 'error structure Observation.nam', 'error required Observation.code']);
  });

  test('modes say what the interaction would', async () => {
    const nobody = observation();
    assert.deepEqual(await validate(nobody), ['information informational']);
    assert.deepEqual(await validate(parameters(nobody, { mode: 'create' }), { path: '/Observation/$validate' }), ['error required Observation.subject']);
    assert.deepEqual(await validate(parameters({ ...observation(card), id: 'x' }, { mode: 'update' }), { path: '/Observation/y/$validate' }), ['error structure Observation.id']);
    assert.deepEqual(await validate(parameters(observation(card), { mode: 'create' }), { path: '/Observation/$validate', party: region.party('insurer-i') }), ['information informational']);
    assert.deepEqual(await validate({ ...parameters({ resourceType: 'Encounter', status: 'finished', class: { code: 'AMB' } }, { mode: 'create' }) },
      { path: '/Encounter/$validate', party: region.party('insurer-i') }), ['error forbidden']);
  });

  test('a profile asked for, and profiles claimed', async () => {
    const path = `/Observation/$validate?profile=${q(PROFILE)}`;
    assert.deepEqual(await validate(identified(), { path }), ['information informational']);
    assert.deepEqual(await validate(observation(card), { path }), ['error required Observation.identifier', 'information informational Observation.performer']);
    const claims = { meta: { profile: [PROFILE, 'http://example.org/unknown'] } };
    assert.deepEqual(await validate(observation(card, { ...claims, performer: [{ display: 'x' }] })), ['error required Observation.identifier', 'warning not-found Observation.meta.profile[1]']);
    assert.deepEqual(await validate(observation(card), { path: '/Observation/$validate?profile=http://example.org/unknown' }), ['error not-found profile']);
    assert.deepEqual(await validate(parameters(identified({ method: { coding: [{ system: ANIMALS, code: 'cat' }] } }), { profile: PROFILE }), { path: '/Observation/$validate' }),
      ['error invalid Observation.method']);
    const inBundle = { resourceType: 'Bundle', type: 'collection', entry: [{ resource: observation(card, { ...claims, performer: [{ display: 'x' }] }) }] };
    assert.deepEqual(await validate(inBundle), ['error required Bundle.entry[0].resource.identifier', 'warning not-found Bundle.entry[0].resource.meta.profile[1]']);
    assert.equal((await a.post('/Observation', observation(card, { ...claims }))).status, 201, 'a write is refused by R4 only');
  });

  test('what is stored', async () => {
    const made = await a.create(observation(card, { meta: { profile: [PROFILE] } }));
    const answer = await a.get(`/Observation/${made.id}/$validate`);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.json.issue.map((i) => i.severity), ['error', 'information']);
    assert.equal((await region.party('hospital-b').get(`/Observation/${made.id}/$validate`)).status, 404);
  });

  test('XML too, and deletes', async () => {
    const xml = '<Patient xmlns="http://hl7.org/fhir"><gender value="m"/></Patient>';
    const answer = await a.request('POST', '/Patient/$validate', { body: xml, type: 'application/fhir+xml' });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.json.issue.map((i) => i.expression?.[0]), ['Patient.gender']);
    const made = await a.create(observation(card));
    assert.equal((await a.post(`/Observation/${made.id}/$validate?mode=delete`)).status, 200);
    assert.equal((await a.get(`/Observation/${made.id}`)).status, 200);
  });

  test('a question that is wrong itself is refused', async () => {
    assertOutcome(await a.post('/Observation/$validate?mode=replace', observation(card)), 400, /mode/);
    assertOutcome(await a.post('/Observation/$validate?foo=1', observation(card)), 400, /foo/);
    assertOutcome(await a.request('POST', '/Observation/$validate', { body: '{' }), 400);
    assertOutcome(await a.post('/Observation/$validate', { resourceType: 'Parameters', parameter: [{ name: 'mode', valueCode: 'create' }] }), 422, /resource/);
  });
});

const answerOf = (answer) => {
  assert.equal(answer.status, 200, answer.text);
  return Object.fromEntries(answer.json.parameter.map((p) => [p.name, Object.entries(p).find(([k]) => k.startsWith('value'))?.[1]]));
};
const codes = (answer) => {
  assert.equal(answer.status, 200, answer.text);
  return (answer.json.expansion.contains ?? []).map((c) => c.code);
};

describe('terminology', () => {
  test('$expand: by url, by id, by body; filter and pages', async () => {
    const all = await a.get(`/ValueSet/$expand?url=${q(DOGS)}`);
    assert.deepEqual(codes(all), ['dog', 'akita', 'shiba']);
    assert.equal(all.json.expansion.total, 3);
    assert.deepEqual(codes(await a.get(`/ValueSet/$expand?url=${q(DOGS)}&filter=${q('秋田')}`)), ['akita']);
    const page = await a.get(`/ValueSet/$expand?url=${q(DOGS)}&offset=1&count=1`);
    assert.deepEqual(codes(page), ['akita']);
    assert.equal(page.json.expansion.total, 3);
    assert.equal(page.json.expansion.offset, 1);
    const { id } = (await a.search(`/ValueSet?url=${q(DOGS)}`)).resources[0];
    assert.deepEqual(codes(await a.get(`/ValueSet/${id}/$expand`)), ['dog', 'akita', 'shiba']);
    assert.deepEqual(codes(await a.post('/ValueSet/$expand', { resourceType: 'Parameters', parameter: [{ name: 'valueSet', resource: {
      resourceType: 'ValueSet', status: 'active', compose: { include: [{ system: ANIMALS }], exclude: [{ valueSet: [DOGS] }] } } }] })), ['cat']);
    assertOutcome(await a.get('/ValueSet/$expand?url=http://example.org/none'), 404);
    assertOutcome(await a.get('/ValueSet/$expand?url=http://example.org/ValueSet/lost'), 404, /example\.org\/none/);
    assertOutcome(await a.get('/ValueSet/$expand?uri=x'), 400, /uri/);
    assertOutcome(await a.get('/ValueSet/$expand'), 422, /url/);
    assertOutcome(await a.get(`/ValueSet/$expand?url=${q(DOGS)}&count=x`), 400, /count/);
  });

  test('$validate-code of value sets and code systems', async () => {
    const ask = (params) => a.get(`/ValueSet/$validate-code?url=${q(DOGS)}&${params}`);
    assert.deepEqual(answerOf(await ask(`system=${q(ANIMALS)}&code=akita`)), { result: true, display: '秋田犬' });
    assert.equal(answerOf(await ask(`system=${q(ANIMALS)}&code=cat`)).result, false);
    assert.equal(answerOf(await ask(`system=${q(ANIMALS)}&code=akita&display=x`)).result, false);
    const concept = { coding: [{ system: 'u:x', code: 'y' }, { system: ANIMALS, code: 'shiba' }] };
    const body = { resourceType: 'Parameters', parameter: [{ name: 'url', valueUri: DOGS }, { name: 'codeableConcept', valueCodeableConcept: concept }] };
    assert.equal(answerOf(await a.post('/ValueSet/$validate-code', body)).result, true);
    assertOutcome(await a.get('/ValueSet/$validate-code?url=http://example.org/ValueSet/lost&code=x&system=http://example.org/none'), 404);
    const system = (params) => a.get(`/CodeSystem/$validate-code?url=${q(ANIMALS)}&${params}`);
    assert.equal(answerOf(await system('code=cat')).result, true);
    assert.equal(answerOf(await system('code=cow')).result, false);
  });

  test('$lookup', async () => {
    const found = await a.get(`/CodeSystem/$lookup?system=${q(ANIMALS)}&code=dog`);
    assert.deepEqual(answerOf(found), { name: 'Animals', version: '1', display: '犬', definition: 'ほえる', designation: undefined, property: undefined });
    const legs = found.json.parameter.find((p) => p.name === 'property').part;
    assert.deepEqual(legs, [{ name: 'code', valueCode: 'legs' }, { name: 'value', valueInteger: 4 }]);
    assertOutcome(await a.get(`/CodeSystem/$lookup?system=${q(ANIMALS)}&code=cow`), 404);
    assertOutcome(await a.get(`/CodeSystem/$lookup?system=${q(ANIMALS)}&version=2&code=dog`), 404);
  });

  test("another facility's definitions decide nothing", async () => {
    const url = 'http://example.org/CodeSystem/own';
    const own = { resourceType: 'CodeSystem', url, status: 'active', content: 'complete', concept: [{ code: 'x' }] };
    await a.create(own);
    assert.equal(answerOf(await a.get(`/CodeSystem/$validate-code?url=${q(url)}&code=x`)).result, true);
    assertOutcome(await region.party('hospital-b').get(`/CodeSystem/$validate-code?url=${q(url)}&code=x`), 404);
    await a.create({ ...definitions[1], concept: [{ code: 'forged' }] });
    assert.equal(answerOf(await a.get(`/CodeSystem/$validate-code?url=${q(ANIMALS)}&code=forged`)).result, false);
  });
});

const jp = corpus('japan/jp-core-definitions');
const examples = corpus('japan/jp-core-examples');
describe('JP Core', { skip: jp.skip || examples.skip }, () => {
  test('its definitions load, and its examples obey them', async () => {
    const done = tasuki('definitions', 'load', jp.path, '--dir', region.dir);
    assert.equal(done.code, 0, done.out + done.err);
    const tally = { resources: 0, clean: 0, error: 0, warning: 0, information: 0 };
    const errors = [];
    for (const name of readdirSync(examples.path).filter((n) => n.endsWith('.json'))) {
      const resource = JSON.parse(readFileSync(join(examples.path, name), 'utf8'));
      const answer = await a.post(`/${resource.resourceType}/$validate`, resource);
      assert.equal(answer.status, 200, `${name}: ${answer.text.slice(0, 300)}`);
      tally.resources++;
      const issues = answer.json.issue;
      tally.clean += issues.every((i) => i.severity === 'information');
      for (const issue of issues) {
        tally[issue.severity]++;
        if (issue.severity === 'error') errors.push(`${name} ${issue.expression?.[0]} ${issue.details.text}`);
      }
    }
    console.log(`JP Core examples: ${JSON.stringify(tally)}`);
    assert.deepEqual(errors, []);
  });
});
