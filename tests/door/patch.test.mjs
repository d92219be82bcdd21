// SPDX-License-Identifier: Apache-2.0
//
// PATCH: JSON Patch and FHIRPath Patch, by id and by criteria, alone and in transactions and batches; what it must not touch,
// and of many at once none lost.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { randomUUID } from 'node:crypto';
import { Region, assertOutcome } from './region.mjs';
import { observation, patient } from './resources.mjs';

const JSON_PATCH = 'application/json-patch+json';
const q = encodeURIComponent;
let region;
let a;
let b;
let card;
let person;
before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  [a, b] = [region.party('hospital-a'), region.party('hospital-b')];
  card = region.resident('resident-1').card;
  person = await a.create(patient(region.resident('resident-1')));
});
after(() => region?.stop());

const jsonPatch = (party, path, ops, headers) => party.request('PATCH', path, { body: ops, type: JSON_PATCH, headers });
const part = (name, value) => ({ name, ...value });
const operation = (type, path, more = {}) => ({
  name: 'operation',
  part: [part('type', { valueCode: type }), part('path', { valueString: path }), ...Object.entries(more).map(([k, v]) => part(k, v))],
});
const fhirPatch = (...parameter) => ({ resourceType: 'Parameters', parameter });
const binary = (ops) => ({ resourceType: 'Binary', contentType: JSON_PATCH, data: Buffer.from(JSON.stringify(ops)).toString('base64') });

describe('JSON Patch', () => {
  test('changes what it names, keeps the rest, makes a version', async () => {
    const made = await a.create(observation(card, { note: [{ text: 'x' }] }));
    const done = await jsonPatch(a, `/Observation/${made.id}`, [
      { op: 'test', path: '/status', value: 'final' },
      { op: 'replace', path: '/status', value: 'amended' },
      { op: 'add', path: '/note/-', value: { text: '再検' } },
    ]);
    assert.equal(done.status, 200, done.text);
    assert.equal(done.headers.etag, 'W/"2"');
    assert.match(done.headers.location, /_history\/2$/);
    assert.equal(done.json.status, 'amended');
    assert.deepEqual(done.json.note, [{ text: 'x' }, { text: '再検' }]);
    assert.deepEqual(done.json.valueQuantity, made.valueQuantity);
    assert.deepEqual(await a.read(`/Observation/${made.id}`), done.json);
    assert.equal((await a.search(`/Observation?_id=${made.id}&status=amended`)).total, 1, 'search follows');
  });

  test('a number keeps its digits through a patch of something else', async () => {
    const text = JSON.stringify(observation(card)).replace('"value":5.8', '"value":5.800');
    const made = await a.request('POST', '/Observation', { body: text });
    const done = await jsonPatch(a, `/Observation/${made.json.id}`, [{ op: 'replace', path: '/status', value: 'corrected' }]);
    assert.match(done.text, /"value":5\.800[,}]/);
  });

  test('a failed test: 422, nothing written', async () => {
    const made = await a.create(observation(card));
    assertOutcome(await jsonPatch(a, `/Observation/${made.id}`, [
      { op: 'replace', path: '/status', value: 'amended' }, { op: 'test', path: '/status', value: 'final' },
    ]), 422, /\/status/);
    assert.equal((await a.read(`/Observation/${made.id}`)).meta.versionId, '1');
  });

  test('what is no patch: 400; of another kind: 415', async () => {
    const made = await a.create(observation(card));
    const path = `/Observation/${made.id}`;
    assertOutcome(await jsonPatch(a, path, { op: 'test' }), 400);
    assertOutcome(await jsonPatch(a, path, '[{'), 400, /line 1/);
    assertOutcome(await jsonPatch(a, path, [{ op: 'explode', path: '/status' }]), 400);
    assertOutcome(await a.request('PATCH', path, {}), 400);
    assertOutcome(await a.request('PATCH', path, { body: '<diff/>', type: 'application/xml-patch+xml' }), 415);
    assertOutcome(await a.request('PATCH', path, { body: observation(card) }), 400, /Parameters/);
    assertOutcome(await jsonPatch(a, `${path}?status=final`, []), 400);
  });

  test('the result must be a resource, and the same one', async () => {
    const made = await a.create(observation(card));
    const patch = (op) => jsonPatch(a, `/Observation/${made.id}`, [op]);
    assertOutcome(await patch({ op: 'remove', path: '/status' }), 422, /Observation\.status/);
    assertOutcome(await patch({ op: 'add', path: '/shoeSize', value: 42 }), 422, /shoeSize/);
    assertOutcome(await patch({ op: 'replace', path: '/id', value: randomUUID() }), 422, /Observation\.id/);
    assertOutcome(await patch({ op: 'replace', path: '/resourceType', value: 'Condition' }), 422, /resourceType/);
    assertOutcome(await patch({ op: 'replace', path: '', value: { resourceType: 'Observation' } }), 422);
    const meta = await patch({ op: 'replace', path: '/meta', value: { versionId: '99', lastUpdated: '1999-01-01T00:00:00Z', tag: [{ code: 't' }] } });
    assert.equal(meta.status, 200, meta.text);
    assert.equal(meta.json.meta.versionId, '2');
    assert.notEqual(meta.json.meta.lastUpdated, '1999-01-01T00:00:00Z');
    assert.deepEqual(meta.json.meta.tag, [{ code: 't' }]);
  });

  test('If-Match', async () => {
    const made = await a.create(observation(card));
    const patch = (tag, text) => jsonPatch(a, `/Observation/${made.id}`, [{ op: 'add', path: '/note', value: [{ text }] }], { 'If-Match': tag });
    assertOutcome(await patch('W/"2"', 'x'), 412);
    assert.equal((await patch('W/"1"', 'y')).status, 200);
    assertOutcome(await patch('W/"1"', 'z'), 412);
  });

  test('of many at once none is lost', async () => {
    const made = await a.create(observation(card, { note: [{ text: '0' }] }));
    const answers = await Promise.all(Array.from({ length: 12 }, (_, i) =>
      jsonPatch(a, `/Observation/${made.id}`, [{ op: 'add', path: '/note/-', value: { text: `${i + 1}` } }])));
    assert.deepEqual(answers.map((x) => x.status), Array(12).fill(200));
    const now = await a.read(`/Observation/${made.id}`);
    assert.equal(now.meta.versionId, '13');
    assert.deepEqual(now.note.map((n) => +n.text).sort((x, y) => x - y), Array.from({ length: 13 }, (_, i) => i));
  });

  test('a patch that changes nothing writes no version', async () => {
    const made = await a.create(observation(card));
    const done = await jsonPatch(a, `/Observation/${made.id}`, [{ op: 'replace', path: '/status', value: 'final' }]);
    assert.equal(done.status, 200);
    assert.equal(done.headers.etag, 'W/"1"');
  });
});

describe('FHIRPath Patch', () => {
  test('in JSON and in XML', async () => {
    const made = await a.create(observation(card));
    const json = await a.request('PATCH', `/Observation/${made.id}`, { body: fhirPatch(operation('replace', 'Observation.status', { value: { valueCode: 'amended' } })) });
    assert.equal(json.status, 200, json.text);
    assert.equal(json.json.status, 'amended');
    const xml = await a.request('PATCH', `/Observation/${made.id}`, {
      type: 'application/fhir+xml',
      body: '<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/><part><name value="type"/><valueCode value="replace"/></part>'
        + '<part><name value="path"/><valueString value="Observation.status"/></part><part><name value="value"/><valueCode value="corrected"/></part></parameter></Parameters>',
    });
    assert.equal(xml.status, 200, xml.text);
    assert.equal(xml.json.status, 'corrected');
  });

  test('refusals name the operation', async () => {
    const made = await a.create(observation(card));
    const patch = (...ops) => a.request('PATCH', `/Observation/${made.id}`, { body: fhirPatch(...ops) });
    assertOutcome(await patch(operation('replace', 'Observation.hasMember', { value: { valueCode: 'x' } })), 422, /parameter\[0\]/);
    assertOutcome(await patch(operation('delete', 'Observation.status')), 422, /Observation\.status/);
    assertOutcome(await a.request('PATCH', `/Observation/${made.id}`, { body: { resourceType: 'Parameters', parameter: [{ name: 'operation', valueCode: 'x', part: [] }] } }), 422);
  });
});

describe('whose', () => {
  test('only the own records: others are not there, whatever they say', async () => {
    const made = await a.create(observation(card));
    const ops = [{ op: 'test', path: '/status', value: 'nonsense' }];
    assertOutcome(await jsonPatch(b, `/Observation/${made.id}`, ops), 404);
    assertOutcome(await jsonPatch(a, `/Observation/${randomUUID()}`, ops), 404);
    await a.del(`/Observation/${made.id}`);
    assertOutcome(await jsonPatch(a, `/Observation/${made.id}`, ops), 410);
    assertOutcome(await jsonPatch(a, '/AuditEvent/1', ops), 405);
  });

  test('a Patient, under the id this caller knows', async () => {
    const done = await jsonPatch(a, `/Patient/${person.id}`, [{ op: 'add', path: '/telecom', value: [{ system: 'phone', value: '03-0000-0000' }] }]);
    assert.equal(done.status, 200, done.text);
    assert.equal(done.json.id, person.id);
    assert.deepEqual(done.json.identifier, person.identifier);
    assert.equal((await a.read(`/Patient/${person.id}`)).telecom[0].value, '03-0000-0000');
    const other = await b.create(patient(region.resident('resident-1')));
    assert.equal((await b.read(`/Patient/${other.id}`)).telecom, undefined, 'a chart of its own');
  });

  test('a reference to a patient is the reader\'s, before and after', async () => {
    const made = await a.create(observation(card));
    const done = await jsonPatch(a, `/Observation/${made.id}`, [
      { op: 'test', path: '/subject/reference', value: `Patient/${person.id}` },
      { op: 'add', path: '/performer', value: [{ reference: `Patient/${person.id}` }] },
    ]);
    assert.equal(done.status, 200, done.text);
    assert.equal(done.json.performer[0].reference, `Patient/${person.id}`);
    assertOutcome(await jsonPatch(a, `/Observation/${made.id}`, [{ op: 'add', path: '/performer', value: [{ reference: `Patient/${'0'.repeat(32)}` }] }]), 422);
  });

  test('the audit record calls it a patch', async () => {
    const made = await a.create(observation(card));
    await jsonPatch(a, `/Observation/${made.id}`, [{ op: 'replace', path: '/status', value: 'amended' }]);
    const own = region.party('resident-1');
    const events = (await own.search(`/AuditEvent?_count=20`)).resources;
    assert.ok(events.some((e) => e.action === 'U' && e.subtype.some((s) => s.code === 'patch') && e.entity.some((x) => x.what?.reference === `Observation/${made.id}`)));
  });
});

describe('by criteria', () => {
  test('one, none, several', async () => {
    const value = randomUUID();
    const of = (n) => ({ identifier: [{ system: 'urn:example:x', value: `${value}-${n}` }] });
    await a.create(observation(card, of(1)));
    await a.create(observation(card, of(2)));
    await a.create(observation(card, of(2)));
    const patch = (n) => jsonPatch(a, `/Observation?identifier=${q(`urn:example:x|${value}-${n}`)}`, [{ op: 'replace', path: '/status', value: 'amended' }]);
    const done = await patch(1);
    assert.equal(done.status, 200, done.text);
    assert.equal(done.json.status, 'amended');
    assertOutcome(await patch(2), 412);
    assertOutcome(await patch(3), 404);
    assertOutcome(await jsonPatch(a, '/Observation', []), 412);
    assertOutcome(await jsonPatch(b, `/Observation?identifier=${q(`urn:example:x|${value}-1`)}`, []), 404);
  });
});

describe('as an entry', () => {
  const bundle = (type, ...entry) => ({ resourceType: 'Bundle', type, entry });
  const entry = (url, resource, more = {}) => ({ ...more, resource, request: { method: 'PATCH', url, ...more.request } });

  test('of a transaction: both kinds, with references to its other entries', async () => {
    const one = await a.create(observation(card));
    const two = await a.create(observation(card));
    const full = `urn:uuid:${randomUUID()}`;
    const done = await a.post('', bundle('transaction',
      entry(`Observation/${one.id}`, binary([{ op: 'replace', path: '/status', value: 'amended' }])),
      entry(`Observation/${two.id}`, fhirPatch(operation('add', 'Observation', { name: { valueString: 'hasMember' }, value: { valueReference: { reference: full } } }))),
      { fullUrl: full, resource: observation(card), request: { method: 'POST', url: 'Observation' } }));
    assert.equal(done.status, 200, done.text);
    assert.deepEqual(done.json.entry.map((e) => e.response.status), ['200 OK', '200 OK', '201 Created']);
    assert.equal((await a.read(`/Observation/${one.id}`)).status, 'amended');
    assert.equal((await a.read(`/Observation/${two.id}`)).hasMember[0].reference, `Observation/${done.json.entry[2].response.location.match(/Observation\/([^/]+)/)[1]}`);
  });

  test('of a transaction: by criteria; one that fails undoes all', async () => {
    const value = randomUUID();
    const made = await a.create(observation(card, { identifier: [{ system: 'urn:example:x', value }] }));
    const by = `Observation?identifier=${q(`urn:example:x|${value}`)}`;
    const done = await a.post('', bundle('transaction', entry(by, binary([{ op: 'replace', path: '/status', value: 'amended' }]))));
    assert.equal(done.status, 200, done.text);
    assertOutcome(await a.post('', bundle('transaction',
      { resource: observation(card), request: { method: 'POST', url: 'Observation' } },
      entry(by, binary([{ op: 'test', path: '/status', value: 'final' }])))), 422, /entry\[1\]/);
    assertOutcome(await a.post('', bundle('transaction', entry(`Observation/${randomUUID()}`, binary([])))), 404, /entry\[0\]/);
    assertOutcome(await a.post('', bundle('transaction',
      entry(`Observation/${made.id}`, binary([])), entry(`Observation/${made.id}`, binary([])))), 422);
    assert.equal((await a.read(`/Observation/${made.id}`)).meta.versionId, '2');
  });

  test('of a transaction: a Patient', async () => {
    const done = await a.post('', bundle('transaction', entry(`Patient/${person.id}`, fhirPatch(operation('replace', 'Patient.birthDate', { value: { valueDate: '1970-02-03' } })))));
    assert.equal(done.status, 200, done.text);
    assert.equal((await a.read(`/Patient/${person.id}`)).birthDate, '1970-02-03');
  });

  test('of a batch: each for itself', async () => {
    const made = await a.create(observation(card));
    const done = await a.post('', bundle('batch',
      entry(`Observation/${made.id}`, binary([{ op: 'replace', path: '/status', value: 'amended' }])),
      entry(`Observation/${made.id}`, binary([{ op: 'test', path: '/code', value: 1 }])),
      entry(`Observation/${made.id}`, fhirPatch(operation('delete', 'Observation.valueQuantity')), { request: { ifMatch: 'W/"7"' } })));
    assert.equal(done.status, 200, done.text);
    assert.deepEqual(done.json.entry.map((e) => e.response.status.slice(0, 3)), ['200', '422', '412']);
    assert.equal((await a.read(`/Observation/${made.id}`)).status, 'amended');
  });
});
