// SPDX-License-Identifier: Apache-2.0
//
// Batch, transaction and conditional writes (R4 http.html#transaction, #cond-update) against the real program.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { CARD, Region, assertOutcome, sql } from './region.mjs';
import { observation, patient } from './resources.mjs';

const SYSTEM = 'urn:example:orders';
let region;
let a;
let b;
let card;
before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  a = region.party('hospital-a');
  b = region.party('hospital-b');
  card = region.resident('resident-1').card;
  await a.create(patient(region.resident('resident-1')));
});
after(() => region?.stop());

const bundle = (type, ...entry) => ({ resourceType: 'Bundle', type, ...(entry.length ? { entry } : {}) });
const post = (resource, more = {}, fullUrl = `urn:uuid:${randomUUID()}`) => ({ fullUrl, resource, request: { method: 'POST', url: resource.resourceType, ...more } });
const put = (resource, url = `${resource.resourceType}/${resource.id}`, more = {}) => ({ resource, request: { method: 'PUT', url, ...more } });
const get = (url) => ({ request: { method: 'GET', url } });
const del = (url) => ({ request: { method: 'DELETE', url } });
const marked = (value, more = {}) => observation(card, { identifier: [{ system: SYSTEM, value }], ...more });
const count = async (party, query) => (await party.read(`/Observation?${query}&_summary=count`)).total;
const ofOrder = (value) => `identifier=${encodeURIComponent(`${SYSTEM}|${value}`)}`;
const someone = (n) => ({ resourceType: 'Patient', identifier: [{ system: region.localSystem('hospital-a'), value: `TX${n}` }], name: [{ family: '試験', given: ['花子'] }], birthDate: '1980-01-01' });

describe('transaction', () => {
  test('a Patient and what is about him, by fullUrl', async () => {
    const url = `urn:uuid:${randomUUID()}`;
    const lab = `urn:uuid:${randomUUID()}`;
    const about = observation(undefined, { subject: { reference: url } });
    const report = { resourceType: 'DiagnosticReport', status: 'final', code: { text: '血液' }, subject: { reference: url }, result: [{ reference: lab }] };
    const answer = await a.post('', bundle('transaction', post(report), post(about, {}, lab), post(someone(1), {}, url)));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.type, 'transaction-response');
    assert.deepEqual(answer.json.entry.map((e) => e.response.status), ['201 Created', '201 Created', '201 Created']);
    const [reportAt, labAt, patientAt] = answer.json.entry.map((e) => new URL(e.response.location).pathname.split('/').slice(2, 4).join('/'));
    const read = await a.read(`/${reportAt}`);
    assert.equal(read.subject.reference, patientAt);
    assert.equal(read.result[0].reference, labAt);
    assert.equal((await a.read(`/${labAt}`)).subject.reference, patientAt);
    assert.equal((await a.read(`/Observation?subject=${patientAt}`)).total, 1);
  });

  test('metadata may be asked in it; HEAD has no resource; what is no resource has no place in a Bundle', async () => {
    const ask = (method, url) => ({ request: { method, url } });
    const { headers } = await a.get('/$export', { Prefer: 'respond-async' });
    for (const type of ['transaction', 'batch']) {
      const good = await a.post('', bundle(type, ask('GET', 'metadata'), ask('HEAD', 'metadata'), ask('HEAD', 'Observation?_count=1')));
      assert.equal(good.status, 200, good.text.slice(0, 500));
      assert.deepEqual(good.json.entry.map((e) => `${e.response.status} ${e.resource?.resourceType}`), ['200 OK CapabilityStatement', '200 OK undefined', '200 OK undefined']);
      for (const url of ['openapi.json', '$export', 'Patient/$export', headers['content-location'], `${headers['content-location']}/1`, 'Subscription/x/$events']) {
        const answer = await a.post('', bundle(type, get(url)));
        assert.equal(type === 'batch' ? answer.json.entry[0].response.status : String(answer.status), '501', `${type} ${url}: ${answer.text.slice(0, 300)}`);
      }
    }
  });

  test('all or nothing', async () => {
    const before = sql(region, 'SELECT count(*) AS n FROM record')[0].n;
    const bad = { ...marked('never'), status: 'no-such-status' };
    assertOutcome(await a.post('', bundle('transaction', post(marked('never')), post(bad))), 422, /Bundle\.entry\[1\]/);
    assertOutcome(await a.post('', bundle('transaction', post(marked('never')), del('Observation/none'))), 404, /Bundle\.entry\[1\]/);
    assertOutcome(await a.post('', bundle('transaction', post(marked('never')), put({ ...marked('never'), id: 'tx-if' }, undefined, { ifMatch: 'W/"7"' }))), 412);
    assert.equal(sql(region, 'SELECT count(*) AS n FROM record')[0].n, before);
    assert.equal(await count(a, ofOrder('never')), 0);
  });

  test('order: DELETE, POST, PUT, GET', async () => {
    const gone = await a.create(marked('order'));
    const answer = await a.post('', bundle('transaction', get(`Observation?${ofOrder('order')}`), put({ ...marked('order'), id: 'tx-order' }), post(marked('order')), del(`Observation/${gone.id}`)));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.entry[0].resource.total, 2);
    assert.deepEqual(answer.json.entry.map((e) => e.response.status), ['200 OK', '201 Created', '201 Created', '204 No Content']);
    assert.equal((await a.get(`/Observation/${gone.id}`)).status, 410);
  });

  test('the same resource twice is refused', async () => {
    const it = { ...marked('twice'), id: 'tx-twice' };
    assertOutcome(await a.post('', bundle('transaction', put(it), put(it))), 422, /Bundle\.entry\[1\]/);
    assertOutcome(await a.post('', bundle('transaction', put(it), del('Observation/tx-twice'))), 422);
  });

  test('conditional create and references to what it finds', async () => {
    const url = `urn:uuid:${randomUUID()}`;
    const identifier = someone(2).identifier[0];
    const criteria = `identifier=${identifier.system}|${identifier.value}`;
    const both = () => bundle('transaction', post(someone(2), { ifNoneExist: criteria }, url), post(observation(undefined, { subject: { reference: url } })));
    const first = await a.post('', both());
    const second = await a.post('', both());
    assert.equal(first.json.entry[0].response.status, '201 Created', first.text);
    assert.equal(second.json.entry[0].response.status, '200 OK', second.text);
    const id = new URL(second.json.entry[0].response.location).pathname.split('/')[3];
    assert.equal((await a.read(`/Observation?subject=Patient/${id}`)).total, 2);
  });

  test('conditional references', async () => {
    const search = `Patient?identifier=${CARD}|${card}`;
    const answer = await a.post('', bundle('transaction', post(observation(undefined, { subject: { reference: search }, identifier: [{ system: SYSTEM, value: 'cref' }] }))));
    assert.equal(answer.status, 200, answer.text);
    assert.equal((await a.read(`/Observation?patient.identifier=${CARD}|${card}&${ofOrder('cref')}`)).total, 1);
    const nobody = observation(undefined, { subject: { reference: `Patient?identifier=${CARD}|999999999999` } });
    assertOutcome(await a.post('', bundle('transaction', post(nobody))), 412, /Bundle\.entry\[0\]/);
  });

  test('links in uri elements and in the narrative follow', async () => {
    const url = `urn:uuid:${randomUUID()}`;
    const org = { resourceType: 'Organization', name: 'Links', text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${url}">x</a></div>` } };
    const source = { ...marked('links'), meta: { source: url } };
    const answer = await a.post('', bundle('transaction', post(org, {}, url), post(source)));
    const at = answer.json.entry.map((e) => new URL(e.response.location).pathname.split('/').slice(2, 4).join('/'));
    assert.ok((await a.read(`/${at[0]}`)).text.div.includes(`href="${at[0]}"`));
    assert.equal((await a.read(`/${at[1]}`)).meta.source, at[0]);
  });

  test('a thousand entries are one', async () => {
    const url = `urn:uuid:${randomUUID()}`;
    const entries = Array.from({ length: 999 }, (_, i) => post(observation(undefined, { subject: { reference: url }, identifier: [{ system: SYSTEM, value: 'bulk' }], valueQuantity: { value: i, system: 'http://unitsofmeasure.org', code: 'mmol/L', unit: 'mmol/L' } })));
    const answer = await a.post('', bundle('transaction', ...entries, post(someone(3), {}, url)));
    assert.equal(answer.status, 200, answer.text.slice(0, 500));
    assert.equal(answer.json.entry.length, 1000);
    assert.equal(await count(a, ofOrder('bulk')), 999);
  });

  test('one audit row for each resident written about', async () => {
    const url = `urn:uuid:${randomUUID()}`;
    const from = sql(region, 'SELECT max(seq) AS n FROM audit')[0].n;
    await a.post('', bundle('transaction', post(marked('audit')), post(marked('audit')), post(someone(4), {}, url)));
    const rows = sql(region, `SELECT event, person, entity, count FROM audit WHERE seq > ${from}`);
    assert.deepEqual(rows.map((row) => [row.event, row.count]).sort(), [['transaction', 1], ['transaction', 2]]);
  });

  test('residents and emergencies write nothing by it', async () => {
    const self = region.party('resident-2');
    assertOutcome(await self.post('', bundle('transaction', post(marked('foreign')))), 403);
  });

  test('broken envelopes', async () => {
    assertOutcome(await a.post('', bundle('collection')), 422, /Bundle\.type/);
    assertOutcome(await a.post('', bundle('transaction', { resource: marked('x') })), 422, /request/);
    assertOutcome(await a.post('', { resourceType: 'Patient' }), 422);
    assertOutcome(await a.post('', bundle('transaction', { request: { method: 'TRACE', url: 'Observation' } })), 422);
    assert.equal((await a.post('', bundle('transaction'))).status, 200);
  });
});

describe('batch', () => {
  test('each entry for itself', async () => {
    const answer = await a.post('', bundle('batch', post(marked('batch')), post({ ...marked('batch'), status: 'bad' }), get('Observation/none'), get(`Patient?identifier=${CARD}|${card}`), { request: { method: 'GET', url: 'Nothing/1' } }));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.type, 'batch-response');
    assert.deepEqual(answer.json.entry.map((e) => e.response.status.slice(0, 3)), ['201', '422', '404', '200', '404']);
    assert.equal(answer.json.entry[1].response.outcome.resourceType, 'OperationOutcome');
    assert.equal(answer.json.entry[3].resource.total, 1);
    assert.equal(await count(a, ofOrder('batch')), 1);
  });

  test('what has not changed since comes without a resource', async () => {
    const entry = get('Organization/hospital-a');
    const [whole] = (await a.post('', bundle('batch', entry))).json.entry;
    const [same] = (await a.post('', bundle('batch', { request: { ...entry.request, ifNoneMatch: whole.response.etag } }))).json.entry;
    assert.deepEqual([same.response.status.slice(0, 3), same.resource], ['304', undefined]);
    assert.equal(whole.resource.resourceType, 'Organization');
  });

  test('many entries, answered in their order', async () => {
    const answer = await a.post('', bundle('batch', ...Array.from({ length: 300 }, (_, i) => get(i % 2 ? 'Organization/hospital-a' : `Observation/none-${i}`))));
    assert.equal(answer.json.entry.length, 300);
    answer.json.entry.forEach((e, i) => assert.equal(e.response.status.slice(0, 3), i % 2 ? '200' : '404'));
  });

  test('none', async () => {
    assert.deepEqual((await a.post('', bundle('batch'))).json.entry, undefined);
  });
});

describe('conditional writes', () => {
  test('create: If-None-Exist', async () => {
    const header = { 'If-None-Exist': ofOrder('ine') };
    const first = await a.post('/Observation', marked('ine'), header);
    const second = await a.post('/Observation', marked('ine'), header);
    assert.equal(first.status, 201, first.text);
    assert.equal(second.status, 200);
    assert.equal(second.headers.location, first.headers.location);
    await a.create(marked('ine'));
    assertOutcome(await a.post('/Observation', marked('ine'), header), 412);
  });

  test('create: many at once make one', async () => {
    const answers = await Promise.all(Array.from({ length: 24 }, () => a.post('/Observation', marked('race'), { 'If-None-Exist': ofOrder('race') })));
    assert.equal(answers.filter((x) => x.status === 201).length, 1);
    assert.equal(answers.filter((x) => x.status === 200).length, 23);
    assert.equal(await count(a, ofOrder('race')), 1);
  });

  test("another source's records do not count", async () => {
    await b.create(patient(region.resident('resident-1')));
    await b.create(marked('theirs'));
    assert.equal((await a.post('/Observation', marked('theirs'), { 'If-None-Exist': ofOrder('theirs') })).status, 201);
  });

  test('update', async () => {
    const made = await a.put(`/Observation?${ofOrder('cup')}`, marked('cup'));
    assert.equal(made.status, 201, made.text);
    const again = await a.put(`/Observation?${ofOrder('cup')}`, marked('cup', { note: [{ text: '2' }] }));
    assert.equal(again.status, 200, again.text);
    assert.equal(again.json.id, made.json.id);
    assert.equal(again.json.meta.versionId, '2');
    assertOutcome(await a.put(`/Observation?${ofOrder('cup')}`, marked('cup', { id: 'other' })), 400);
    const own = await a.put(`/Observation?${ofOrder('cup-id')}`, marked('cup-id', { id: 'cup-id' }));
    assert.equal(own.status, 201);
    assert.equal(own.json.id, 'cup-id');
    await a.create(marked('cup'));
    assertOutcome(await a.put(`/Observation?${ofOrder('cup')}`, marked('cup')), 412);
    assertOutcome(await a.put('/Observation', marked('cup')), 412);
  });

  test('delete', async () => {
    const made = await a.create(marked('cdel'));
    assert.equal((await a.del(`/Observation?${ofOrder('cdel')}`)).status, 204);
    assert.equal((await a.get(`/Observation/${made.id}`)).status, 410);
    assert.equal((await a.del(`/Observation?${ofOrder('cdel')}`)).status, 204);
    await a.create(marked('cdel'));
    await a.create(marked('cdel'));
    assertOutcome(await a.del(`/Observation?${ofOrder('cdel')}`), 412);
    assertOutcome(await a.del('/Observation'), 412);
  });
});

describe('whom it is about', () => {
  test('a client that gives ids may name a Patient before it brings him', async () => {
    const early = await a.put('/Observation/early', observation(undefined, { id: 'early', subject: { reference: 'Patient/late' } }));
    assert.equal(early.status, 201, early.text);
    assert.equal((await a.get('/Patient/late')).status, 404);
    assert.equal((await b.get('/Observation/early')).status, 404);
    const made = await a.put('/Patient/late', { ...someone(5), id: 'late' });
    assert.equal(made.status, 201, made.text);
    assert.equal(early.json.subject.reference, `Patient/${made.json.id}`);
    assert.equal((await a.read(`/Observation?subject=Patient/late`)).total, 1);
  });

  test('his card, when it comes, links him', async () => {
    await a.put('/Observation/linked', observation(undefined, { id: 'linked', subject: { reference: 'Patient/to-link' } }));
    const resident = region.resident('resident-3');
    const made = await a.put('/Patient/to-link', { ...patient(resident), id: 'to-link' });
    assert.equal(made.status, 201, made.text);
    assert.equal((await a.read('/Observation/linked')).subject.reference, `Patient/${made.json.id}`);
    const found = await a.read(`/Observation?patient.identifier=${CARD}|${resident.card}`);
    assert.equal(found.total, 1);
  });

  test('POST with an unknown Patient is refused', async () => {
    assertOutcome(await a.post('/Observation', observation(undefined, { subject: { reference: 'Patient/nobody' } })), 422, /subject/);
  });

  test('what names nobody is its source\'s alone', async () => {
    const made = await a.put('/Observation/nobody', observation(undefined, { id: 'nobody', subject: undefined }));
    assert.equal(made.status, 201, made.text);
    assert.equal((await a.get('/Observation/nobody')).status, 200);
    assert.equal((await b.get('/Observation/nobody')).status, 404);
    assert.equal((await region.party('resident-1').get('/Observation/nobody')).status, 404);
  });

  test('another patient than its own is named by the reader\'s id', async () => {
    const one = await a.create(someone(6));
    const two = await a.create(someone(7));
    const about = await a.create(observation(undefined, { subject: { reference: `Patient/${one.id}` }, performer: [{ reference: `Patient/${two.id}` }] }));
    assert.equal(about.subject.reference, `Patient/${one.id}`);
    assert.equal(about.performer[0].reference, `Patient/${two.id}`);
    assert.equal((await a.read(`/Observation?subject=Patient/${two.id}`)).total, 0);
    assert.equal((await a.read(`/Observation?performer=Patient/${two.id}`)).total, 1);
    const group = { resourceType: 'Group', type: 'person', actual: true, member: [{ entity: { reference: `Patient/${one.id}` } }, { entity: { reference: `Patient/${two.id}` } }] };
    const made = await a.create(group);
    assert.equal((await b.get(`/Group/${made.id}`)).status, 404);
    assert.equal((await a.read(`/Group?member=Patient/${two.id}`)).total, 1);
  });
});
